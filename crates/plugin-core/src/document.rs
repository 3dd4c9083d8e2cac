//! Saved document beside the parameters, and the validation of every state before it is loaded.
//!
//! The framework would load any state: it skips wrong types silently, and `1e39` becomes infinity. [`validate_state`]
//! therefore checks the whole state first. A valid one is completed with defaults for missing parameters, so that
//! loading is reproducible. An invalid one is emptied, and the notice gives the reason.

mod hex;
mod noise_print;
pub mod references;
pub mod songs;
#[cfg(test)]
mod tests;
mod trims;

use super::control::Changes;
use super::noise::{MAX_CURVE_OFFSET, Noise};
use super::normalized::step_count;
use super::{CLASSES, LATENCY_CLASS, presets};
use atomic_float::AtomicF64;
use chain::ChainKind;
use chain::parameters::{PARAMETERS, Parameter, ParameterKind, Value};
use dsp::denoise::{CURVE_POINTS, NoisePrint};
use hex::Hex;
use nice_plug::params::persist::PersistentField;
use nice_plug::plugin::{ParamValue, PluginState};
use parking_lot::{Mutex, MutexGuard};
use serde::{Deserialize, Serialize};
use session::role::Role;
use session::solve::MAX_TRIM;
use songs::SongRange;
use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{OnceLock, Weak};

use trims::KeptTrims;
use units::Db;

/// Key of the document among a state's fields. Permanent.
pub(crate) const DOCUMENT_KEY: &str = "document";

/// Number of comparison slots: A, B, C, D.
pub const SLOT_COUNT: usize = 4;

/// Value as it is saved: `true`, `-6.0`, `"off"`, `"Low Shelf"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum SavedValue {
    Switch(bool),
    Number(f64),
    Text(String),
}

/// Chain parameters of one slot, by id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ParameterSnapshot(BTreeMap<String, SavedValue>);

impl ParameterSnapshot {
    /// Stores a value.
    pub fn set_value(&mut self, row: &Parameter, value: Value) {
        let saved = match (value, row.kind) {
            (Value::Switch(on), _) => SavedValue::Switch(on),
            (Value::Number(Some(x)), _) => SavedValue::Number(x),
            (Value::Number(None), _) => SavedValue::Text("off".into()),
            (Value::Choice(index), ParameterKind::Choice(choices)) => {
                SavedValue::Text(choices.get(index).copied().unwrap_or_default().into())
            }
            (Value::Choice(_), _) => return,
        };
        self.0.insert(row.id.clone(), saved);
    }

    /// Returns the value of `row`, its default if none is stored.
    pub fn value(&self, row: &Parameter) -> Value {
        self.0.get(&row.id).and_then(|saved| read(row, saved)).unwrap_or(row.default)
    }
}

/// Converts a saved value; `None` if the row has no such value.
fn read(row: &Parameter, saved: &SavedValue) -> Option<Value> {
    match (row.kind, saved) {
        (ParameterKind::Switch, SavedValue::Switch(on)) => Some(Value::Switch(*on)),
        (ParameterKind::Number { min, max, .. }, SavedValue::Number(x)) if (min..=max).contains(x) => {
            Some(Value::Number(Some(*x)))
        }
        (ParameterKind::Number { may_be_off: true, .. }, SavedValue::Text(text)) if text == "off" => {
            Some(Value::Number(None))
        }
        (ParameterKind::Choice(_), SavedValue::Text(text)) => row.choice(text),
        _ => None,
    }
}

/// Document that is saved beside the parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedDocument {
    /// Schema: `stemlink.stem/1` or `stemlink.master/1`.
    schema: String,
    /// Slot of the current parameters, 0 to 3 for A to D.
    #[serde(default)]
    pub slot: usize,
    /// Stored slots, `None` if never used. The slot in use is as it was when it was selected.
    #[serde(default)]
    pub kept: [Option<ParameterSnapshot>; SLOT_COUNT],
    /// Id of the role that the user selected; else the track's name suggests one.
    #[serde(default)]
    pub role: Option<String>,
    /// Id of the instance; none before its first activation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instance: Option<Hex>,
    /// Id of a Master's session; in a Stem, of the session that it last belonged to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session: Option<Hex>,
    /// Change of a Stem's level that a Master has requested, dB.
    #[serde(default, skip_serializing_if = "is_default")]
    trim: f64,
    /// True if a Master is last on its bus, or in a monitoring slot.
    #[serde(default, skip_serializing_if = "is_default")]
    last: bool,
    /// True if a play from the start begins a new reading.
    #[serde(default, skip_serializing_if = "is_default")]
    restart_with_play: bool,
    /// Learned noise print, common to all slots; `None`: the noise is tracked.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "noise_print")]
    noise: Option<NoisePrint>,
    /// Threshold offset of noise reduction per octave, dB, common to all slots.
    #[serde(default, skip_serializing_if = "is_default")]
    curve: [f64; CURVE_POINTS],
    /// Songs of a Master's timeline.
    #[serde(default, skip_serializing_if = "is_default")]
    songs: Vec<SongRange>,
    /// Trims of a Master's stems in each slot; empty if never used.
    #[serde(default, skip_serializing_if = "is_default")]
    trims: [KeptTrims; SLOT_COUNT],
    /// Paths of a Master's reference files.
    #[serde(default, skip_serializing_if = "is_default")]
    references: Vec<String>,
    /// Reason for which a state was refused. Never saved; present only in a state that [`validate_state`] has
    /// emptied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

impl SavedDocument {
    /// Creates the document of a new instance.
    pub fn new(chain_kind: ChainKind) -> Self {
        Self {
            schema: schema(chain_kind).into(),
            slot: 0,
            kept: [const { None }; SLOT_COUNT],
            role: None,
            instance: None,
            session: None,
            trim: 0.0,
            last: false,
            restart_with_play: false,
            noise: None,
            curve: [0.0; CURVE_POINTS],
            songs: Vec::new(),
            references: Vec::new(),
            trims: Default::default(),
            refused: None,
        }
    }
}

impl SavedDocument {
    fn identity(&self) -> Identity {
        let of = |id: Option<Hex>| id.map(|Hex(number)| number);
        Identity { instance: of(self.instance), session: of(self.session) }
    }

    fn set_identity(&mut self, identity: Identity) {
        self.instance = identity.instance.map(Hex);
        self.session = identity.session.map(Hex);
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Ids of an instance and its session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Id of the instance.
    pub instance: Option<NonZeroU64>,
    /// Id of a Master's session; in a Stem, of the session that it last belonged to.
    pub session: Option<NonZeroU64>,
}

/// Access to the ids of the link. Not for an audio thread.
pub trait ClaimId: Send + Sync {
    /// Takes the id `wanted` for the instance unless another living one has it. Returns the id that the instance then has;
    /// `None` if it has left the link.
    fn claim_id(&self, wanted: NonZeroU64) -> Option<NonZeroU64>;
}

fn schema(chain_kind: ChainKind) -> &'static str {
    match chain_kind {
        ChainKind::Stem => "stemlink.stem/1",
        ChainKind::Master => "stemlink.master/1",
    }
}

/// Key of a preset's schema among a state's fields, in place of the document. Permanent.
pub(crate) const PRESET_KEY: &str = "preset";

/// Schema of a state that is a preset.
pub(crate) fn preset_schema(chain_kind: ChainKind) -> &'static str {
    match chain_kind {
        ChainKind::Stem => "stemlink.preset.stem/1",
        ChainKind::Master => "stemlink.preset.master/1",
    }
}

/// Admits a preset: valid values of parameters that presets set, and no document. Everything else stays as it is in the plugin.
fn admit_preset(chain_kind: ChainKind, state: &mut PluginState) -> Result<(), String> {
    let schema = state.fields.get(PRESET_KEY).map(String::as_str).unwrap_or_default();
    // fields are JSON texts
    if schema.trim_matches('"') != preset_schema(chain_kind) {
        return Err(format!("a preset of {}, this takes {}", shorten(schema), preset_schema(chain_kind)));
    }
    check_values(chain_kind, state)?;
    state.params.retain(|id, _| presets::rows(chain_kind).any(|row| row.id == *id));
    state.fields.clear();
    Ok(())
}

/// Validates and completes a state for a plugin of kind `chain_kind`; an invalid state is emptied and carries the
/// reason.
pub fn validate_state(chain_kind: ChainKind, state: &mut PluginState) {
    #[cfg(feature = "injected-panic")]
    assert!(state.version != "injected panic", "injected");
    let is_preset = state.fields.contains_key(PRESET_KEY) && !state.fields.contains_key(DOCUMENT_KEY);
    let admitted = if is_preset { admit_preset(chain_kind, state) } else { check(chain_kind, state) };
    if let Err(why) = admitted {
        let document = SavedDocument { refused: Some(why), ..SavedDocument::new(chain_kind) };
        state.params.clear();
        state.fields.clear();
        // a document that cannot be written is left out, and nothing is loaded
        if let Ok(text) = serde_json::to_string(&document) {
            state.fields.insert(DOCUMENT_KEY.into(), text);
        }
        return;
    }
    if is_preset {
        return;
    }
    // migrations of older schemas belong here
    state.params.retain(|id, _| id == LATENCY_CLASS || row(chain_kind, id).is_some());
    state.fields.retain(|key, _| key == DOCUMENT_KEY);
    for row in PARAMETERS.for_kind(chain_kind) {
        state.params.entry(row.id.clone()).or_insert_with(|| default_of(row));
    }
}

fn row(chain_kind: ChainKind, id: &str) -> Option<&'static Parameter> {
    PARAMETERS.for_kind(chain_kind).find(|row| row.id == id)
}

fn default_of(row: &Parameter) -> ParamValue {
    state_value(row, row.default)
}

/// Converts a value to that of a state.
pub(crate) fn state_value(row: &Parameter, value: Value) -> ParamValue {
    match (row.kind, step_count(row)) {
        (ParameterKind::Switch, _) => ParamValue::Bool(value == Value::Switch(true)),
        (_, Some(_)) => ParamValue::I32(super::normalized::step_from_value(row, value)),
        _ => ParamValue::F32(super::normalized::normalized_from_value(row, value)),
    }
}

/// Checks the whole state. The error is a message for the user.
fn check(chain_kind: ChainKind, state: &PluginState) -> Result<(), String> {
    let text = state.fields.get(DOCUMENT_KEY).ok_or("this is not a state of Stemlink")?;
    let document: SavedDocument =
        serde_json::from_str(text).map_err(|_| "the saved document cannot be read".to_owned())?;
    if document.schema != schema(chain_kind) {
        return Err(format!("saved as {}, this is {}", shorten(&document.schema), schema(chain_kind)));
    }
    let role_is_fine = document.role.iter().all(|id| Role::ALL.iter().any(|role| role.id() == id));
    let curve_is_fine = document.curve.iter().all(|point| point.abs() <= MAX_CURVE_OFFSET);
    let trim_is_fine = match chain_kind {
        ChainKind::Stem => {
            let none =
                document.songs.is_empty() && document.references.is_empty() && is_default(&document.trims);
            document.trim.abs() <= MAX_TRIM.0 && !document.last && none
        }
        ChainKind::Master => {
            document.trim == 0.0
                && songs::are_valid(&document.songs)
                && references::are_valid(&document.references)
                && document.trims.iter().all(KeptTrims::are_valid)
        }
    };
    if document.slot >= SLOT_COUNT
        || document.refused.is_some()
        || !role_is_fine
        || !trim_is_fine
        || !curve_is_fine
    {
        return Err("the saved document cannot be read".into());
    }
    for (id, saved) in document.kept.iter().flatten().flat_map(|kept| &kept.0) {
        if row(chain_kind, id).is_some_and(|row| read(row, saved).is_none()) {
            return Err(format!("slot settings: {id} has an invalid value"));
        }
    }
    check_values(chain_kind, state)
}

/// Checks the values of the parameters. The error is a message for the user.
fn check_values(chain_kind: ChainKind, state: &PluginState) -> Result<(), String> {
    for (id, value) in &state.params {
        let fine = match (id.as_str(), row(chain_kind, id)) {
            (LATENCY_CLASS, _) => {
                matches!(value, ParamValue::I32(i) if usize::try_from(*i).is_ok_and(|i| i < CLASSES.len()))
            }
            // of a later version of this schema, or of a parameter that was removed
            (_, None) => true,
            (_, Some(row)) => match (value, step_count(row), row.kind) {
                (ParamValue::Bool(_), _, ParameterKind::Switch) => true,
                (ParamValue::I32(i), Some(step_count), _) => {
                    usize::try_from(*i).is_ok_and(|i| i < step_count)
                }
                (ParamValue::F32(normalized), None, ParameterKind::Number { .. }) => {
                    (0.0..=1.0).contains(normalized)
                }
                _ => false,
            },
        };
        if !fine {
            return Err(format!("{} has an invalid value", shorten(id)));
        }
    }
    Ok(())
}

/// Makes foreign text fit into a message.
fn shorten(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(40).collect()
}

/// Holder of the instance's document. Locked by window and state threads, never by the audio thread.
pub struct Store {
    inner: Mutex<StoreState>,
    /// The document's trim in dB, for the audio thread.
    trim: AtomicF64,
    /// True while a trim moves into a parameter.
    moving: AtomicBool,
    /// Number of loaded states.
    loads: AtomicU64,
    /// Current noise print; the document's copy is updated when it is read.
    noise: Noise,
    /// Ids of the link, once the instance has joined it.
    link: OnceLock<Weak<dyn ClaimId>>,
    changes: Changes,
}

#[derive(Debug)]
struct StoreState {
    document: SavedDocument,
    notice: Option<String>,
    /// True once the instance has joined the link.
    joined: bool,
    /// True once the id that the instance has in the link was saved or loaded: loaded states no longer change it.
    known: bool,
    /// Number of trim changes.
    trims: u64,
}

impl Store {
    /// Creates the store of a new instance; each loaded document is counted in `changes`.
    pub fn new(chain_kind: ChainKind, changes: Changes) -> Self {
        let inner = StoreState {
            document: SavedDocument::new(chain_kind),
            notice: None,
            joined: false,
            known: false,
            trims: 0,
        };
        Self {
            inner: Mutex::new(inner),
            trim: AtomicF64::new(0.0),
            moving: AtomicBool::new(false),
            loads: AtomicU64::new(0),
            noise: Noise::new(changes.clone()),
            link: OnceLock::new(),
            changes,
        }
    }

    /// Calls `f` with the document as it is to be saved.
    fn read<R>(&self, inner: &mut StoreState, f: impl FnOnce(&SavedDocument) -> R) -> R {
        inner.document.noise = self.noise.print();
        inner.document.curve = self.noise.curve().map(|point| point.0);
        f(&inner.document)
    }

    fn lock(&self) -> MutexGuard<'_, StoreState> {
        self.inner.lock()
    }

    /// Returns the reason for which the last state was refused; `None` if it was loaded.
    pub fn notice(&self) -> Option<String> {
        self.lock().notice.clone()
    }

    /// Returns the noise print and the threshold offsets.
    pub fn noise(&self) -> &Noise {
        &self.noise
    }

    /// Returns a copy of the document.
    pub fn document(&self) -> SavedDocument {
        self.read(&mut self.lock(), SavedDocument::clone)
    }

    /// Returns the role that the user selected; `None`: it is guessed.
    pub fn role(&self) -> Option<Role> {
        let inner = self.lock();
        let id = inner.document.role.as_deref()?;
        Role::ALL.into_iter().find(|role| role.id() == id)
    }

    /// Selects the role, or lets it be guessed.
    pub fn set_role(&self, role: Option<Role>) {
        self.lock().document.role = role.map(|role| role.id().into());
    }

    /// Stores `now` in the slot in use, selects `slot`, and returns its settings; `now` if it was never used.
    pub fn switch_slot(&self, slot: usize, now: ParameterSnapshot) -> ParameterSnapshot {
        let mut inner = self.lock();
        let document = &mut inner.document;
        let chosen = document.kept.get(slot).cloned().flatten().unwrap_or_else(|| now.clone());
        if let Some(kept) = document.kept.get_mut(document.slot) {
            *kept = Some(now);
        }
        document.slot = slot.min(SLOT_COUNT - 1);
        chosen
    }
}

impl Store {
    /// Returns the slot in use, and which slots are stored. Cheaper than [`Self::document`].
    pub fn slots(&self) -> (usize, [bool; SLOT_COUNT]) {
        let inner = self.lock();
        let kept = &inner.document.kept;
        (inner.document.slot, core::array::from_fn(|slot| kept[slot].is_some()))
    }

    /// Copies `now` to `slot`; the slot in use stays.
    pub fn keep_slot(&self, slot: usize, now: ParameterSnapshot) {
        if let Some(kept) = self.lock().document.kept.get_mut(slot) {
            *kept = Some(now);
        }
    }
}

/// Identity, placement and trim.
impl Store {
    /// Returns the ids of instance and session.
    pub fn identity(&self) -> Identity {
        self.lock().document.identity()
    }

    /// Updates the identity that the instance has in the link to the result of `update`, which gets the last one.
    pub fn update_identity(&self, update: impl FnOnce(Identity) -> Identity) {
        let mut inner = self.lock();
        let last = inner.document.identity();
        let identity = update(last);
        if !inner.joined {
            // under the id of its state, or, if another instance has that, under one that nobody has seen
            inner.known = last.instance.is_some() && last.instance == identity.instance;
            inner.joined = true;
        }
        inner.document.set_identity(identity);
    }

    /// Connects the store to the ids of the link. Has an effect once.
    pub fn connect_link(&self, link: Weak<dyn ClaimId>) {
        // an instance joins once
        let _ = self.link.set(link);
    }

    /// Returns the identity that the instance has after loading `new`, and whether that is its saved one.
    ///
    /// Hosts load a state before they activate a plugin or after it. An id that was neither saved nor loaded has been
    /// seen by nobody, so the loaded one takes its place, unless another living instance has that.
    fn identity_after(&self, new: &SavedDocument) -> (Identity, bool) {
        let (own, joined, known) = {
            let inner = self.lock();
            (inner.document.identity(), inner.joined, inner.known)
        };
        let loaded = new.identity();
        if known || !joined {
            return (if known { own } else { loaded }, known);
        }
        // without the lock: the link asks for the identity while it holds its own
        let link = self.link.get().and_then(Weak::upgrade);
        let claimed = link.zip(loaded.instance).and_then(|(link, id)| link.claim_id(id)).or(own.instance);
        let is_loaded = claimed.is_some() && claimed == loaded.instance;
        (Identity { instance: claimed, session: loaded.session.or(own.session) }, is_loaded)
    }

    /// Assigns a session to a Master that has none.
    pub fn assign_session(&self, session: NonZeroU64) {
        self.lock().document.session.get_or_insert(Hex(session));
    }

    /// Returns true if a Master is last on its bus.
    pub fn is_last(&self) -> bool {
        self.lock().document.last
    }

    /// Sets whether a Master is last on its bus.
    pub fn set_last(&self, last: bool) {
        self.lock().document.last = last;
    }

    /// Returns true if a play from the start begins a new reading.
    pub fn restarts_with_play(&self) -> bool {
        self.lock().document.restart_with_play
    }

    /// Sets whether a play from the start begins a new reading.
    pub fn set_restart_with_play(&self, restarts: bool) {
        self.lock().document.restart_with_play = restarts;
    }

    /// Returns the number of loaded states. Reads one word.
    pub fn load_count(&self) -> u64 {
        self.loads.load(Ordering::Acquire)
    }

    /// Returns the level change that a Master has requested, on top of the parameter. Reads one word.
    pub fn trim(&self) -> Db {
        Db(self.trim.load(Ordering::Relaxed))
    }

    /// Returns the trim and the number of its changes.
    pub fn trim_and_changes(&self) -> (Db, u64) {
        let inner = self.lock();
        (Db(inner.document.trim), inner.trims)
    }

    /// Changes the trim to the result of `decide`, which gets the trim and the number of its changes; `None` keeps
    /// it.
    pub fn change_trim(&self, decide: impl FnOnce(Db, u64) -> Option<Db>) {
        let mut inner = self.lock();
        if let Some(trim) = decide(Db(inner.document.trim), inner.trims) {
            inner.document.trim = trim.0.clamp(-MAX_TRIM.0, MAX_TRIM.0);
            self.publish_trim(&mut inner);
        }
    }

    fn publish_trim(&self, inner: &mut StoreState) {
        inner.trims += 1;
        self.trim.store(inner.document.trim, Ordering::Relaxed);
        self.changes.add();
    }

    /// Moves the trim into a parameter: `into` sets the parameter and returns the part for which it has no room. The
    /// audio thread sees both changes or neither.
    pub fn move_trim(&self, into: impl FnOnce(Db) -> Db) {
        self.moving.store(true, Ordering::SeqCst);
        let mut rest = Db(0.0);
        self.change_trim(|trim, _| {
            rest = trim;
            None
        });
        let rest = into(rest);
        self.change_trim(|_, _| Some(rest));
        self.moving.store(false, Ordering::SeqCst);
        self.changes.add();
    }

    /// Returns true while a trim moves into a parameter: settings are inconsistent meanwhile.
    pub fn is_moving(&self) -> bool {
        self.moving.load(Ordering::SeqCst)
    }
}

impl<'a> PersistentField<'a, SavedDocument> for Store {
    fn set(&self, new: SavedDocument) {
        if new.refused.is_some() {
            self.lock().notice = new.refused;
            return;
        }
        let (identity, known) = self.identity_after(&new);
        let mut inner = self.lock();
        (inner.notice, inner.known) = (None, known);
        inner.document = new;
        inner.document.set_identity(identity);
        self.noise.cancel_learning();
        self.noise.set_print(inner.document.noise.as_ref());
        self.noise.set_curve(&inner.document.curve.map(Db));
        self.loads.fetch_add(1, Ordering::Release);
        self.publish_trim(&mut inner);
    }

    fn map<F, R>(&self, f: F) -> R
    where
        F: Fn(&SavedDocument) -> R,
    {
        let mut inner = self.lock();
        // the host saves: from here on somebody has seen the id
        inner.known |= inner.joined;
        self.read(&mut inner, f)
    }
}
