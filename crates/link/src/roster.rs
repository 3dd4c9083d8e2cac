//! The table of all instances in reach of this process.
//!
//! Reading it takes no lock, on any thread: [`Roster::peers`] lists the instances, a [`PeerView`] reads the values and
//! audio of one. Joining and leaving take a lock and happen on the threads on which hosts activate and destroy plugins,
//! never on an audio thread.
//!
//! Two kinds of thread write an instance's values, so it has two writers: the [`AudioWriter`] belongs to the audio
//! thread, the [`ControlWriter`] to the link's worker.

use super::audio_ring::{AudioRing, RingWriter};
use super::audition::{AuditionOrder, AuditionOrders};
use super::identity::{InstanceId, SessionId, unique_id, unix_nanoseconds};
use super::records::{BlockStatus, InstanceInfo, InstanceKind, PublishedSettings, StemReadings};
use super::request::{Outbox, PeerRequest};
use super::slot::{Origin, Presence, Slot};
use super::summary::{MasterPlacement, SessionSummary};
use super::wire::WireValue;
use meter::Reading;
use parking_lot::Mutex;
use session::timeline::BlockPosition;
use std::sync::atomic::Ordering;
use units::{Db, Hz};

#[cfg(test)]
mod tests;

/// Instances that fit into a roster.
pub const MAX_INSTANCES: usize = 128;

/// All instances in reach: those of this process and those of others.
#[derive(Debug)]
pub struct Roster {
    slots: [Slot; MAX_INSTANCES],
    /// Held while an instance joins or changes its id.
    join_lock: Mutex<()>,
}

impl Default for Roster {
    fn default() -> Self {
        Self::new()
    }
}

impl Roster {
    /// An empty roster, meant for a `static`: too large for a stack.
    pub const fn new() -> Self {
        Self { slots: [const { Slot::new() }; MAX_INSTANCES], join_lock: Mutex::new(()) }
    }

    /// Adds an instance under `wanted`, its saved id, unless another in this process has it, else under a new one: so
    /// loading a state or duplicating a track never changes instances that were there before. Bridged instances keep
    /// their id in any case. Returns `None` if the roster is full. Takes a lock.
    pub fn join(
        &'static self,
        origin: Origin,
        wanted: Option<InstanceId>,
        info: &InstanceInfo,
    ) -> Option<(AudioWriter, ControlWriter)> {
        let guard = self.join_lock.lock();
        let slot = self.slots.iter().find(|slot| slot.is_free())?;
        let id = match wanted {
            Some(id) if origin == Origin::Bridged || !self.is_taken(id) => id,
            _ => self.mint_id(),
        };
        slot.begin_occupancy(origin);
        slot.id.store(id.get(), Ordering::Relaxed);
        slot.info.write(&info.encode());
        slot.block_status.write(&BlockStatus::default().encode());
        slot.stem_readings.write(&StemReadings::default().encode());
        slot.settings.write(&PublishedSettings::new(0, 0).encode());
        let outbox = Outbox::new(unix_nanoseconds());
        slot.outbox.write(&outbox.encode());
        slot.summary.write(&SessionSummary::default().encode());
        let occupant = slot.make_visible();
        drop(guard);
        let audio_writer = AudioWriter { slot, ring_writer: None, rate: None };
        Some((audio_writer, ControlWriter { roster: self, slot, occupant, outbox }))
    }

    /// All instances, in no particular order. Lock-free.
    pub fn peers(&'static self) -> impl Iterator<Item = PeerView> {
        self.slots.iter().filter_map(|slot| Some(PeerView { slot, occupant: slot.occupant()? }))
    }

    /// The instance with this id; the one in this process, if a duplicate in another process has the same.
    pub fn find(&'static self, id: InstanceId) -> Option<PeerView> {
        let all = || self.peers().filter(|peer| peer.id() == Some(id));
        all().find(|peer| peer.origin() == Origin::Local).or_else(|| all().next())
    }

    /// The Masters of a session, the earliest first. That one owns the session; the others (a project saved under
    /// another name, both open) only display it.
    pub fn masters_of(&'static self, session: SessionId) -> Vec<PeerView> {
        let mut masters: Vec<(u64, Option<InstanceId>, PeerView)> = self
            .peers()
            .filter_map(|peer| Some((peer.info()?, peer)))
            .filter(|(info, _)| info.kind == InstanceKind::Master && info.session == Some(session))
            .map(|(info, peer)| (info.born, peer.id(), peer))
            .collect();
        masters.sort_by_key(|&(born, id, _)| (born, id));
        masters.into_iter().map(|(.., peer)| peer).collect()
    }

    /// True if the Master `me` owns its session: no earlier one has the same session and placement. Instances that are no
    /// Masters claim no session, so none is before them. A project that was
    /// saved under another name and is open twice has two such Masters; only the owner may send requests to Stems.
    pub fn owns_session(&'static self, me: PeerView) -> bool {
        let placement =
            |peer: PeerView| peer.summary().map_or(MasterPlacement::default(), |summary| summary.placement);
        let is_master = |info: &InstanceInfo| info.kind == InstanceKind::Master;
        let Some(session) = me.info().filter(is_master).and_then(|info| info.session) else { return true };
        let mut masters =
            self.masters_of(session).into_iter().filter(|other| placement(*other) == placement(me));
        masters.next().is_none_or(|first| first == me)
    }

    /// The audition order that holds for `target`: of several Masters' orders the earliest Master's.
    pub fn order_for(&'static self, target: InstanceId) -> Option<AuditionOrder> {
        let posted = |peer: PeerView| {
            let info = peer.info().filter(|info| info.kind == InstanceKind::Master)?;
            Some((info.born, *peer.outbox()?.order_for(target)?))
        };
        self.peers().filter_map(posted).min_by_key(|(born, _)| *born).map(|(_, order)| order)
    }

    /// Requests to `target` in the outboxes of Masters and viewers, each with its sender.
    pub fn requests_for(&'static self, target: InstanceId) -> Vec<(InstanceId, PeerRequest)> {
        let may_ask = |peer: &PeerView| peer.info().is_some_and(|info| info.kind != InstanceKind::Stem);
        let posted = |peer: PeerView| {
            let sender = peer.id()?;
            let outbox = peer.outbox()?;
            Some(outbox.requests_for(target).map(|request| (sender, *request)).collect::<Vec<_>>())
        };
        self.peers().filter(may_ask).filter_map(posted).flatten().collect()
    }

    fn is_taken(&self, id: InstanceId) -> bool {
        self.slots.iter().any(|slot| slot.occupant().is_some() && slot.id.load(Ordering::Relaxed) == id.get())
    }

    fn mint_id(&self) -> InstanceId {
        loop {
            let id = InstanceId::new(unique_id().get());
            if let Some(id) = id.filter(|&id| !self.is_taken(id)) {
                return id;
            }
        }
    }
}

/// Writer of an audio thread: block status, settings and audio. No method waits or allocates, except
/// [`Self::prepare_ring`]. Dropping it removes the instance from the roster.
#[derive(Debug)]
pub struct AudioWriter {
    slot: &'static Slot,
    ring_writer: Option<RingWriter>,
    /// Rate of the ring's audio.
    rate: Option<Hz>,
}

impl AudioWriter {
    /// The instance's id, to be saved with its state. It changes when an older instance has the same.
    pub fn id(&self) -> Option<InstanceId> {
        InstanceId::new(self.slot.id.load(Ordering::Relaxed))
    }

    /// Provides a ring for audio at `rate`, of four seconds or more; at the same rate as before it keeps its audio.
    /// Allocates the first time: for the host's activation, not for an audio thread.
    pub fn prepare_ring(&mut self, rate: Hz) {
        if self.rate == Some(rate) {
            return;
        }
        let (size, ring) = self.slot.ring_for(rate);
        self.ring_writer = Some(RingWriter::new(ring));
        self.slot.publish_ring(size);
        self.rate = Some(rate);
    }

    /// Publishes the status of a block.
    pub fn publish_status(&mut self, status: &BlockStatus) {
        self.slot.block_status.write(&status.encode());
    }

    /// Publishes the parameters of the chain.
    pub fn publish_settings(&mut self, settings: &PublishedSettings) {
        self.slot.settings.write(&settings.encode());
    }

    /// Sets the settings of the next frame and all after it: `revision` is a hash of all but level and trim.
    pub fn mark_settings(&mut self, revision: u64, level: Db, trim: Db) {
        if let Some(writer) = &mut self.ring_writer {
            writer.mark_settings(revision, level, trim);
        }
    }

    /// Appends a block of audio to the ring: left and right before the chain (delayed by its latency) and after it, all
    /// of one length. Without effect before [`Self::prepare_ring`].
    pub fn write_block(&mut self, place: BlockPosition, input: [&[f64]; 2], output: [&[f64]; 2]) {
        if let Some(writer) = &mut self.ring_writer {
            writer.write_block(place, input, output);
        }
    }
}

impl Drop for AudioWriter {
    fn drop(&mut self) {
        self.slot.release_writer();
    }
}

/// Writer of the link's worker: information, readings, summary and outbox. Dropping it removes the instance from the
/// roster.
#[derive(Debug)]
pub struct ControlWriter {
    roster: &'static Roster,
    slot: &'static Slot,
    occupant: u64,
    outbox: Outbox,
}

impl ControlWriter {
    /// View of the instance, as others have it.
    pub fn view(&self) -> PeerView {
        PeerView { slot: self.slot, occupant: self.occupant }
    }

    /// Publishes the instance's description.
    pub fn publish_info(&mut self, info: &InstanceInfo) {
        self.slot.info.write(&info.encode());
    }

    /// Publishes readings, spectrum and trim.
    pub fn publish_readings(&mut self, readings: &StemReadings) {
        self.slot.stem_readings.write(&readings.encode());
    }

    /// Publishes the state of the heartbeat.
    pub fn set_presence(&mut self, presence: Presence) {
        self.slot.set_presence(presence);
    }

    /// Asks `target` for a trim of `gain`, for a person who saw the trim's revision `base`. Returns the request's
    /// counter, which the answer repeats.
    pub fn request_trim(&mut self, target: InstanceId, base: u64, gain: Db) -> u64 {
        let counter = self.outbox.post_trim_request(target, base, gain);
        self.slot.outbox.write(&self.outbox.encode());
        counter
    }

    /// Asks `master` to predict a move of `stem` by `gain`. Returns the request's counter, which the answer repeats.
    pub fn request_prediction(&mut self, master: InstanceId, stem: InstanceId, gain: Db) -> u64 {
        let counter = self.outbox.post_prediction_request(master, stem, gain);
        self.slot.outbox.write(&self.outbox.encode());
        counter
    }

    /// Tells `master` that the mute of `stem` is part of the mix. Returns the request's counter.
    pub fn confirm_mute(&mut self, master: InstanceId, stem: InstanceId) -> u64 {
        let counter = self.outbox.post_mute_confirmation(master, stem);
        self.slot.outbox.write(&self.outbox.encode());
        counter
    }

    /// Asks the Stem `target` to reset its meters.
    pub fn request_meter_reset(&mut self, target: InstanceId) {
        self.outbox.post_meter_reset(target);
        self.slot.outbox.write(&self.outbox.encode());
    }

    /// Asks the Stem `target` to show that the stem `by` covers it in a third-octave band.
    pub fn mark_band(&mut self, target: InstanceId, by: InstanceId, band: u64) {
        self.outbox.post_band_mark(target, by, band);
        self.slot.outbox.write(&self.outbox.encode());
    }

    /// Replaces all audition orders of this Master.
    pub fn post_orders(&mut self, orders: AuditionOrders) {
        self.outbox.set_orders(orders);
        self.slot.outbox.write(&self.outbox.encode());
    }

    /// Publishes a Master's findings.
    pub fn publish_summary(&mut self, summary: &SessionSummary) {
        self.slot.summary.write(&summary.encode());
    }

    /// Replaces the outbox by that of a bridged instance.
    pub fn publish_outbox(&mut self, outbox: &Outbox) {
        self.outbox = *outbox;
        self.slot.outbox.write(&outbox.encode());
    }

    /// Sets the id that a bridged instance has in its own process.
    pub fn set_id(&mut self, id: InstanceId) {
        self.slot.id.store(id.get(), Ordering::Relaxed);
    }

    /// Gives the instance the id `wanted` unless another one has it; returns the id that it then has. Takes the roster's
    /// lock.
    pub fn claim_id(&mut self, wanted: InstanceId) -> Option<InstanceId> {
        let guard = self.roster.join_lock.lock();
        if !self.roster.is_taken(wanted) {
            self.slot.id.store(wanted.get(), Ordering::Relaxed);
        }
        drop(guard);
        self.view().id()
    }

    /// Gives the instance a new id and returns it, for when an older one has the same. Takes the roster's lock.
    pub fn renew_id(&mut self) -> InstanceId {
        let guard = self.roster.join_lock.lock();
        let id = self.roster.mint_id();
        self.slot.id.store(id.get(), Ordering::Relaxed);
        drop(guard);
        id
    }
}

impl Drop for ControlWriter {
    fn drop(&mut self) {
        self.slot.release_writer();
    }
}

/// View of an instance in the roster: readable on any thread without waiting. Every getter returns `None` once the
/// instance is gone, even if another has joined in its slot.
#[derive(Clone, Copy, Debug)]
pub struct PeerView {
    slot: &'static Slot,
    occupant: u64,
}

impl PartialEq for PeerView {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.slot, other.slot) && self.occupant == other.occupant
    }
}

impl Eq for PeerView {}

macro_rules! cell_getter {
    ($(#[$doc:meta])* $name:ident: $record:ty) => {
        $(#[$doc])*
        #[inline]
        pub fn $name(&self) -> Option<$record> {
            let mut words = [0; _];
            let is_read = self.slot.$name.read(&mut words) && self.is_present();
            if is_read { <$record>::decode(&words) } else { None }
        }
    };
}

impl PeerView {
    /// True as long as the instance is in the roster.
    pub fn is_present(&self) -> bool {
        self.slot.is_occupied_by(self.occupant)
    }

    /// Its id.
    pub fn id(&self) -> Option<InstanceId> {
        InstanceId::new(self.slot.id.load(Ordering::Relaxed)).filter(|_| self.is_present())
    }

    /// This process or another one.
    pub fn origin(&self) -> Origin {
        self.slot.origin()
    }

    /// State of its heartbeat.
    pub fn presence(&self) -> Presence {
        self.slot.presence()
    }

    cell_getter! {
        /// Its description.
        info: InstanceInfo
    }
    cell_getter! {
        /// Status of its last audio block.
        block_status: BlockStatus
    }
    cell_getter! {
        /// Readings, spectrum and trim, without the momentary values of [`Self::block_status`].
        stem_readings: StemReadings
    }
    cell_getter! {
        /// Parameters of its chain.
        settings: PublishedSettings
    }
    cell_getter! {
        /// Its requests and orders to others.
        outbox: Outbox
    }
    cell_getter! {
        /// A Master's findings about its session.
        summary: SessionSummary
    }

    /// Its complete reading: momentary and short-term loudness of the block status, all else of the stem readings.
    pub fn reading(&self) -> Option<Reading> {
        let (status, readings) = (self.block_status()?, self.stem_readings()?);
        Some(Reading { momentary: status.momentary, short_term: status.short_term, ..readings.reading })
    }

    /// Its audio; `None` before its first activation, and of a bridged instance until a Master here listens to it.
    /// Frames copied from the ring are the instance's own only if [`Self::is_present`] holds afterwards.
    pub fn audio(&self) -> Option<&'static AudioRing> {
        self.slot.ring().filter(|_| self.is_present())
    }
}
