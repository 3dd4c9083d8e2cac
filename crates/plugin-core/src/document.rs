//! What is saved beside the parameters, and the gate every state passes before any of it takes effect.
//!
//! The framework would set whatever a state holds: a wrong type is skipped in silence, `1e39` becomes infinity.
//! [`validate_state`] therefore looks at the whole state first. A good one is completed (a parameter it does not know gets
//! its default, so that loading is reproducible); of a bad one nothing takes effect, and the notice says why.

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
use super::{CLASSES, LATENCY_CLASS};
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

use trims::KeptTrims;
use units::Db;

/// The key of the document among a state's fields. Permanent.
pub(crate) const DOCUMENT_KEY: &str = "document";

/// Settings that can be kept beside the ones in use: A, B, C, D.
pub const SLOT_COUNT: usize = 4;

/// One value as it is saved: `true`, `-6.0`, `"off"`, `"Low Shelf"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum SavedValue {
    Switch(bool),
    Number(f64),
    Text(String),
}

/// Kept settings: the chain's parameters by id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ParameterSnapshot(BTreeMap<String, SavedValue>);

impl ParameterSnapshot {
    /// Keeps a value.
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

    /// The value kept for `row`; its default if none is.
    pub fn value(&self, row: &Parameter) -> Value {
        self.0.get(&row.id).and_then(|saved| read(row, saved)).unwrap_or(row.default)
    }
}

/// The saved value if it is one of the row's.
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

/// What is saved beside the parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedDocument {
    /// `stemlink.stem/1` or `stemlink.master/1`.
    schema: String,
    /// Which of A, B, C, D the parameters are, from 0.
    #[serde(default)]
    pub slot: usize,
    /// A, B, C, D; empty for those never used. That of [`Self::slot`] is as it was when it was chosen.
    #[serde(default)]
    pub kept: [Option<ParameterSnapshot>; SLOT_COUNT],
    /// The stem's role if a person chose one, by its id; else it is guessed from the track's name.
    #[serde(default)]
    pub role: Option<String>,
    /// Which instance this is to others; none before it was first activated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instance: Option<Hex>,
    /// A Master's session; the one that a Stem last belonged to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session: Option<Hex>,
    /// What a Master has asked a Stem's level to change by, dB.
    #[serde(default, skip_serializing_if = "is_default")]
    trim: f64,
    /// A Master sits last on its bus, or in a monitoring slot.
    #[serde(default, skip_serializing_if = "is_default")]
    last: bool,
    /// The learned noise, the same for A to D; none if it is tracked.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "noise_print")]
    noise: Option<NoisePrint>,
    /// What is added to the threshold of noise reduction per octave, dB, the same for A to D.
    #[serde(default, skip_serializing_if = "is_default")]
    curve: [f64; CURVE_POINTS],
    /// A Master's songs.
    #[serde(default, skip_serializing_if = "is_default")]
    songs: Vec<SongRange>,
    /// The trims of a Master's stems in A, B, C, D; empty for those never used.
    #[serde(default, skip_serializing_if = "is_default")]
    trims: [KeptTrims; SLOT_COUNT],
    /// The files of a Master's references.
    #[serde(default, skip_serializing_if = "is_default")]
    references: Vec<String>,
    /// Why a state was refused. Never saved; only ever in a state that [`validate_state`] has emptied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

impl SavedDocument {
    /// The document of a new instance.
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
            noise: None,
            curve: [0.0; CURVE_POINTS],
            songs: Vec::new(),
            references: Vec::new(),
            trims: Default::default(),
            refused: None,
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Who an instance is among others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The instance.
    pub instance: Option<NonZeroU64>,
    /// A Master's session; the one that a Stem last belonged to.
    pub session: Option<NonZeroU64>,
}

fn schema(chain_kind: ChainKind) -> &'static str {
    match chain_kind {
        ChainKind::Stem => "stemlink.stem/1",
        ChainKind::Master => "stemlink.master/1",
    }
}

/// Makes a state ready to be loaded into a plugin in `chain_kind`: complete if it is good, without effect if it is not.
pub fn validate_state(chain_kind: ChainKind, state: &mut PluginState) {
    #[cfg(feature = "injected-panic")]
    assert!(state.version != "injected panic", "injected");
    if let Err(why) = check(chain_kind, state) {
        let document = SavedDocument { refused: Some(why), ..SavedDocument::new(chain_kind) };
        state.params.clear();
        state.fields.clear();
        // what we have just built can be written; if not, nothing is loaded at all
        if let Ok(text) = serde_json::to_string(&document) {
            state.fields.insert(DOCUMENT_KEY.into(), text);
        }
        return;
    }
    // here older schemas will be brought up to date
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
    match (row.kind, step_count(row)) {
        (ParameterKind::Switch, _) => ParamValue::Bool(row.default == Value::Switch(true)),
        (_, Some(_)) => ParamValue::I32(super::normalized::step_from_value(row, row.default)),
        _ => ParamValue::F32(super::normalized::normalized_from_value(row, row.default)),
    }
}

/// Whether the whole state is good; the error is a sentence for people.
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
            return Err(format!("kept settings: {id} has no such value"));
        }
    }
    for (id, value) in &state.params {
        let fine = match (id.as_str(), row(chain_kind, id)) {
            (LATENCY_CLASS, _) => {
                matches!(value, ParamValue::I32(i) if usize::try_from(*i).is_ok_and(|i| i < CLASSES.len()))
            }
            // of a later version of the same schema, or of a parameter that was withdrawn
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
            return Err(format!("{} has no such value", shorten(id)));
        }
    }
    Ok(())
}

/// Foreign text for a line of ours.
fn shorten(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(40).collect()
}

/// The instance's document. Locked by the threads of windows and state, never by the audio thread.
#[derive(Debug)]
pub struct Store {
    inner: Mutex<StoreState>,
    /// The document's trim in dB, for the audio thread.
    trim: AtomicF64,
    /// A trim is on its way into a parameter.
    moving: AtomicBool,
    /// States that were loaded.
    loads: AtomicU64,
    /// The print is its own; the document's is that of the last look.
    noise: Noise,
    changes: Changes,
}

#[derive(Debug)]
struct StoreState {
    document: SavedDocument,
    notice: Option<String>,
    /// Others know the instance: no state makes it another.
    live: bool,
    /// Changes of the trim so far.
    trims: u64,
}

impl Store {
    /// The document of a new instance; loading another is counted in `changes`.
    pub fn new(chain_kind: ChainKind, changes: Changes) -> Self {
        let inner =
            StoreState { document: SavedDocument::new(chain_kind), notice: None, live: false, trims: 0 };
        Self {
            inner: Mutex::new(inner),
            trim: AtomicF64::new(0.0),
            moving: AtomicBool::new(false),
            loads: AtomicU64::new(0),
            noise: Noise::new(changes.clone()),
            changes,
        }
    }

    fn lock(&self) -> MutexGuard<'_, StoreState> {
        self.inner.lock()
    }

    /// Why the last state that a host offered was refused; `None` if it was not.
    pub fn notice(&self) -> Option<String> {
        self.lock().notice.clone()
    }

    /// The noise print.
    pub fn noise(&self) -> &Noise {
        &self.noise
    }

    /// A copy of the document.
    pub fn document(&self) -> SavedDocument {
        self.map(SavedDocument::clone)
    }

    /// The role that a person chose; `None` lets it be guessed.
    pub fn role(&self) -> Option<Role> {
        let inner = self.lock();
        let id = inner.document.role.as_deref()?;
        Role::ALL.into_iter().find(|role| role.id() == id)
    }

    /// Chooses the role, or lets it be guessed again.
    pub fn set_role(&self, role: Option<Role>) {
        self.lock().document.role = role.map(|role| role.id().into());
    }

    /// Keeps `now` in the slot in use, makes `slot` the one in use, and returns its settings: those of `now` if it
    /// was never used.
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
    /// Which of A, B, C, D is in use, and which hold settings of their own. Cheaper than [`Self::document`].
    pub fn slots(&self) -> (usize, [bool; SLOT_COUNT]) {
        let inner = self.lock();
        let kept = &inner.document.kept;
        (inner.document.slot, core::array::from_fn(|slot| kept[slot].is_some()))
    }

    /// Keeps `now` in `slot`, too; the one in use stays.
    pub fn keep_slot(&self, slot: usize, now: ParameterSnapshot) {
        if let Some(kept) = self.lock().document.kept.get_mut(slot) {
            *kept = Some(now);
        }
    }
}

/// What makes a plugin one of several.
impl Store {
    /// Who the instance is.
    pub fn identity(&self) -> Identity {
        let inner = self.lock();
        let of = |id: Option<Hex>| id.map(|Hex(number)| number);
        Identity { instance: of(inner.document.instance), session: of(inner.document.session) }
    }

    /// The instance is known to others under `identity`: from now on no state that is loaded changes it.
    pub fn set_identity(&self, identity: Identity) {
        let mut inner = self.lock();
        inner.live = true;
        inner.document.instance = identity.instance.map(Hex);
        inner.document.session = identity.session.map(Hex);
    }

    /// Gives a new Master its session; one that has one keeps it.
    pub fn assign_session(&self, session: NonZeroU64) {
        self.lock().document.session.get_or_insert(Hex(session));
    }

    /// Whether a Master sits last on its bus.
    pub fn is_last(&self) -> bool {
        self.lock().document.last
    }

    /// Says where a Master sits.
    pub fn set_last(&self, last: bool) {
        self.lock().document.last = last;
    }

    /// States that were loaded so far. Reads one word.
    pub fn load_count(&self) -> u64 {
        self.loads.load(Ordering::Acquire)
    }

    /// What a Master has asked the level to change by, on top of the parameter. Reads one word.
    pub fn trim(&self) -> Db {
        Db(self.trim.load(Ordering::Relaxed))
    }

    /// The trim, and how often it has changed.
    pub fn trim_and_changes(&self) -> (Db, u64) {
        let inner = self.lock();
        (Db(inner.document.trim), inner.trims)
    }

    /// Changes the trim to what `decide` makes of it and of how often it has changed; `None` leaves it.
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

    /// Moves the trim into the parameter that `into` sets; what that has no room for, and returns, stays. The audio
    /// thread sees both or neither.
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

    /// Whether a trim is on its way into a parameter: settings are not whole.
    pub fn is_moving(&self) -> bool {
        self.moving.load(Ordering::SeqCst)
    }
}

impl<'a> PersistentField<'a, SavedDocument> for Store {
    fn set(&self, new: SavedDocument) {
        let mut inner = self.lock();
        inner.notice.clone_from(&new.refused);
        if new.refused.is_none() {
            let SavedDocument { instance, session, .. } =
                if inner.live { inner.document.clone() } else { new.clone() };
            inner.document = SavedDocument { instance, session, ..new };
            self.noise.cancel_learning();
            self.noise.set_print(inner.document.noise.as_ref());
            self.noise.set_curve(&inner.document.curve.map(Db));
            self.loads.fetch_add(1, Ordering::Release);
            self.publish_trim(&mut inner);
        }
    }

    fn map<F, R>(&self, f: F) -> R
    where
        F: Fn(&SavedDocument) -> R,
    {
        let mut inner = self.lock();
        inner.document.noise = self.noise.print();
        inner.document.curve = self.noise.curve().map(|point| point.0);
        f(&inner.document)
    }
}
