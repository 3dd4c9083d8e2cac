//! The table of all instances that this process knows of.
//!
//! Reading it takes no lock, from any thread: [`Roster::peers`] lists who is there, a [`PeerView`] reads what one of them
//! tells and hears its audio. Joining and leaving take a lock, and happen where hosts activate and destroy plugins,
//! never on an audio thread.
//!
//! An instance has two halves, because two kinds of thread write what it tells: the [`AudioWriter`] belongs to whoever
//! processes audio, the [`ControlWriter`] to the rest.

use super::identity::{InstanceId, SessionId, unique};
use super::order::{Order, Orders};
use super::request::{Outbox, Request};
use super::ring::{Ring, Writer};
use super::slot::{Origin, Presence, Slot};
use super::snapshot::{BlockStatus, InstanceInfo, Kind, Settings, StemReadings};
use super::summary::{Placement, Summary};
use super::words::Record;
use meter::Reading;
use session::timeline::BlockPosition;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};
use units::{Db, Hz};

#[cfg(test)]
mod tests;

/// Instances that one process can know of.
pub const SLOTS: usize = 128;

/// All instances, here and bridged.
#[derive(Debug)]
pub struct Roster {
    slots: [Slot; SLOTS],
    /// Held while somebody joins or changes its id.
    joining: Mutex<()>,
}

impl Default for Roster {
    fn default() -> Self {
        Self::new()
    }
}

impl Roster {
    /// An empty roster; made to be a `static`.
    pub const fn new() -> Self {
        Self { slots: [const { Slot::new() }; SLOTS], joining: Mutex::new(()) }
    }

    /// Brings an instance in under `wanted`, its saved id, if nobody here has that, else under a new one: loading a
    /// state or duplicating a track never changes who was there before. Bridged instances keep their id in any case.
    /// `None` if the roster is full.
    pub fn join(
        &'static self,
        origin: Origin,
        wanted: Option<InstanceId>,
        label: &InstanceInfo,
    ) -> Option<(AudioWriter, ControlWriter)> {
        let guard = self.lock();
        let slot = self.slots.iter().find(|slot| slot.is_free())?;
        let id = match wanted {
            Some(id) if origin == Origin::Bridged || !self.is_taken(id) => id,
            _ => self.mint(),
        };
        slot.occupy(origin);
        slot.id.store(id.get(), Ordering::Relaxed);
        slot.label.write(&label.encode());
        slot.pulse.write(&BlockStatus::default().encode());
        slot.figures.write(&StemReadings::default().encode());
        slot.settings.write(&Settings::new(0, 0).encode());
        let outbox = Outbox::new(super::identity::now());
        slot.outbox.write(&outbox.encode());
        slot.summary.write(&Summary::default().encode());
        let tenant = slot.open();
        drop(guard);
        let outlet = AudioWriter { slot, writer: None };
        Some((outlet, ControlWriter { roster: self, slot, tenant, outbox }))
    }

    /// Who is there, in no particular order.
    pub fn peers(&'static self) -> impl Iterator<Item = PeerView> {
        self.slots.iter().filter_map(|slot| Some(PeerView { slot, tenant: slot.tenant()? }))
    }

    /// The instance with this id; if a duplicate of it has come over the bridge, the one that lives here.
    pub fn find(&'static self, id: InstanceId) -> Option<PeerView> {
        let all = || self.peers().filter(|peer| peer.id() == Some(id));
        all().find(|peer| peer.origin() == Origin::Here).or_else(|| all().next())
    }

    /// The Masters of a session, the earliest first. It owns the session; the others (a project saved under another
    /// name, both open) only show.
    pub fn masters_of(&'static self, session: SessionId) -> Vec<PeerView> {
        let mut masters: Vec<(u64, Option<InstanceId>, PeerView)> = self
            .peers()
            .filter_map(|peer| Some((peer.label()?, peer)))
            .filter(|(label, _)| label.kind == Kind::Master && label.session == Some(session))
            .map(|(label, peer)| (label.born, peer.id(), peer))
            .collect();
        masters.sort_by_key(|&(born, id, _)| (born, id));
        masters.into_iter().map(|(.., peer)| peer).collect()
    }

    /// Whether the Master `me` owns its session: no earlier one has the same and sits at the same place of the bus. A project
    /// that was saved under another name and is open twice has two of them; only the owner may ask Stems for anything.
    pub fn owns_session(&'static self, me: PeerView) -> bool {
        let place = |peer: PeerView| peer.summary().map_or(Placement::default(), |summary| summary.placement);
        let Some(session) = me.label().and_then(|label| label.session) else { return true };
        let mut masters = self.masters_of(session).into_iter().filter(|other| place(*other) == place(me));
        masters.next().is_none_or(|first| first == me)
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.joining.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_taken(&self, id: InstanceId) -> bool {
        self.slots.iter().any(|slot| slot.tenant().is_some() && slot.id.load(Ordering::Relaxed) == id.get())
    }

    fn mint(&self) -> InstanceId {
        loop {
            let id = InstanceId::new(unique().get());
            if let Some(id) = id.filter(|&id| !self.is_taken(id)) {
                return id;
            }
        }
    }
}

/// What the audio thread writes: the pulse, the settings, the audio. None of it waits or allocates, but for
/// [`Self::prepare`]. Dropping it takes the instance off the roster.
#[derive(Debug)]
pub struct AudioWriter {
    slot: &'static Slot,
    writer: Option<Writer>,
}

impl AudioWriter {
    /// The instance's id, to be saved with its state. It changes when a duplicate turns out to be older.
    pub fn id(&self) -> Option<InstanceId> {
        InstanceId::new(self.slot.id.load(Ordering::Relaxed))
    }

    /// Makes room for audio at `rate`: four seconds or more. Allocates the first time; for the host's activation, not
    /// for an audio thread.
    pub fn prepare(&mut self, rate: Hz) {
        let (size, ring) = self.slot.ring_for(rate);
        if self.writer.as_ref().is_none_or(|writer| !std::ptr::eq(writer.ring(), ring)) {
            self.writer = Some(Writer::new(ring));
            self.slot.show_ring(size);
        }
    }

    /// Tells what has changed with this block.
    pub fn tell(&mut self, pulse: &BlockStatus) {
        self.slot.pulse.write(&pulse.encode());
    }

    /// Tells other settings.
    pub fn set(&mut self, settings: &Settings) {
        self.slot.settings.write(&settings.encode());
    }

    /// The next frame and all after it are made with these settings: `revision` counts changes of all but the level.
    pub fn mark(&mut self, revision: u64, level: Db) {
        if let Some(writer) = &mut self.writer {
            writer.mark(revision, level);
        }
    }

    /// Appends a block of audio as it entered, as late as the chain is, and as it left: left and right, all equally
    /// long. Nothing happens before [`Self::prepare`].
    pub fn write(&mut self, place: BlockPosition, input: [&[f64]; 2], output: [&[f64]; 2]) {
        if let Some(writer) = &mut self.writer {
            writer.write(place, input, output);
        }
    }
}

impl Drop for AudioWriter {
    fn drop(&mut self) {
        self.slot.leave();
    }
}

/// What other threads write: the label, figures, requests. Dropping it takes the instance off the roster.
#[derive(Debug)]
pub struct ControlWriter {
    roster: &'static Roster,
    slot: &'static Slot,
    tenant: u64,
    outbox: Outbox,
}

impl ControlWriter {
    /// The instance as others see it.
    pub fn peer(&self) -> PeerView {
        PeerView { slot: self.slot, tenant: self.tenant }
    }

    /// Tells another label.
    pub fn set_label(&mut self, label: &InstanceInfo) {
        self.slot.label.write(&label.encode());
    }

    /// Tells new figures.
    pub fn set_figures(&mut self, figures: &StemReadings) {
        self.slot.figures.write(&figures.encode());
    }

    /// Tells how the instance is.
    pub fn set_presence(&mut self, presence: Presence) {
        self.slot.set_presence(presence);
    }

    /// Asks `target` for a trim, on behalf of a person who saw the trim's revision `base`; returns the request's
    /// counter, under which the answer comes.
    pub fn ask(&mut self, target: InstanceId, base: u64, trim: Db) -> u64 {
        let counter = self.outbox.post(target, base, trim);
        self.slot.outbox.write(&self.outbox.encode());
        counter
    }

    /// Asks `master` what a move of `stem` would change; returns the question's counter.
    pub fn ask_to_predict(&mut self, master: InstanceId, stem: InstanceId, gain: Db) -> u64 {
        let counter = self.outbox.post_question(master, stem, gain);
        self.slot.outbox.write(&self.outbox.encode());
        counter
    }

    /// Wants Stems heard so, and all others as they are, for as long as a person compares.
    pub fn order(&mut self, orders: Orders) {
        self.outbox.order(orders);
        self.slot.outbox.write(&self.outbox.encode());
    }

    /// Tells what a Master has found out.
    pub fn set_summary(&mut self, summary: &Summary) {
        self.slot.summary.write(&summary.encode());
    }

    /// Shows somebody else's outbox as this instance's: for the bridge.
    pub fn set_outbox(&mut self, outbox: &Outbox) {
        self.outbox = *outbox;
        self.slot.outbox.write(&outbox.encode());
    }

    /// The id under which a bridged instance is known where it lives.
    pub fn set_id(&mut self, id: InstanceId) {
        self.slot.id.store(id.get(), Ordering::Relaxed);
    }

    /// Gives the instance a new id, because an older one elsewhere has the same.
    pub fn rename(&mut self) -> InstanceId {
        let guard = self.roster.lock();
        let id = self.roster.mint();
        self.slot.id.store(id.get(), Ordering::Relaxed);
        drop(guard);
        id
    }
}

impl Drop for ControlWriter {
    fn drop(&mut self) {
        self.slot.leave();
    }
}

/// An instance as others see it: readable from any thread, without waiting, for as long as it is there. Everything
/// is `None` once it is gone, even if its slot has a new tenant.
#[derive(Clone, Copy, Debug)]
pub struct PeerView {
    slot: &'static Slot,
    tenant: u64,
}

impl PartialEq for PeerView {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.slot, other.slot) && self.tenant == other.tenant
    }
}

impl Eq for PeerView {}

macro_rules! cell_of {
    ($(#[$doc:meta])* $name:ident: $record:ty) => {
        $(#[$doc])*
        #[inline]
        pub fn $name(&self) -> Option<$record> {
            let mut words = [0; _];
            let read = self.slot.$name.read(&mut words) && self.is_there();
            if read { <$record>::decode(&words) } else { None }
        }
    };
}

impl PeerView {
    /// Whether the instance is still there.
    pub fn is_there(&self) -> bool {
        self.slot.is_home(self.tenant)
    }

    /// Its id.
    pub fn id(&self) -> Option<InstanceId> {
        InstanceId::new(self.slot.id.load(Ordering::Relaxed)).filter(|_| self.is_there())
    }

    /// Where it lives.
    pub fn origin(&self) -> Origin {
        self.slot.origin()
    }

    /// How it is.
    pub fn presence(&self) -> Presence {
        self.slot.presence()
    }

    cell_of! {
        /// What seldom changes.
        label: InstanceInfo
    }
    cell_of! {
        /// What changes with every block.
        pulse: BlockStatus
    }
    cell_of! {
        /// Readings, spectrum, trim.
        figures: StemReadings
    }
    cell_of! {
        /// Its chain's parameters.
        settings: Settings
    }
    cell_of! {
        /// What it asks of others.
        outbox: Outbox
    }
    cell_of! {
        /// What it says of its session, if it is a Master.
        summary: Summary
    }

    /// Its whole reading: what the pulse says of the moment and the figures of the rest.
    pub fn reading(&self) -> Option<Reading> {
        let (pulse, figures) = (self.pulse()?, self.figures()?);
        Some(Reading { momentary: pulse.momentary, short_term: pulse.short_term, ..figures.reading })
    }

    /// Its audio; `None` before its first activation, and for bridged ones until somebody listens. Frames that were
    /// copied from it are the peer's only if it is still there afterwards ([`Self::is_there`]).
    pub fn audio(&self) -> Option<&'static Ring> {
        self.slot.ring().filter(|_| self.is_there())
    }
}

/// What a Master orders of `target` at the moment; of several the earliest Master's.
pub fn order_to(roster: &'static Roster, target: InstanceId) -> Option<Order> {
    let posted = |peer: PeerView| {
        let label = peer.label().filter(|label| label.kind == Kind::Master)?;
        Some((label.born, *peer.outbox()?.order_to(target)?))
    };
    roster.peers().filter_map(posted).min_by_key(|(born, _)| *born).map(|(_, order)| order)
}

/// Requests to `target` that wait in the outboxes of Masters and viewers, with their senders.
pub fn requests_to(roster: &'static Roster, target: InstanceId) -> Vec<(InstanceId, Request)> {
    let may_ask = |peer: &PeerView| peer.label().is_some_and(|label| label.kind != Kind::Stem);
    let posted = |peer: PeerView| {
        let sender = peer.id()?;
        let outbox = peer.outbox()?;
        Some(outbox.requests_to(target).map(|request| (sender, *request)).collect::<Vec<_>>())
    };
    roster.peers().filter(may_ask).filter_map(posted).flatten().collect()
}
