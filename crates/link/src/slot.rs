//! Memory of one instance in the roster: the values it publishes and its audio.

use super::audio_ring::{AudioRing, SIZE_RANGE};
use super::cell::SeqCell;
use super::records::{BLOCK_STATUS_WORDS, INSTANCE_INFO_WORDS, SETTINGS_WORDS, STEM_READINGS_WORDS};
use super::request::OUTBOX_WORDS;
use super::summary::SUMMARY_WORDS;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use units::Hz;

/// Number of ring sizes.
const RING_SIZES: usize = (*SIZE_RANGE.end() - *SIZE_RANGE.start() + 1) as usize;

/// Process of an instance, as seen from here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// In this process and this copy of the library.
    #[default]
    Local,
    /// In another process; the link worker writes its slot.
    Bridged,
}

/// State of an instance's heartbeat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Presence {
    /// Its host calls it for audio.
    #[default]
    Awake,
    /// Its host has not called it for a second: silence, as long as the transport runs.
    Asleep,
    /// Its process has published nothing for a second.
    Unresponsive,
}

impl Presence {
    pub(super) const ALL: [Self; 3] = [Self::Awake, Self::Asleep, Self::Unresponsive];
}

/// Phases of a slot: the two low bits of its state. The other bits count its occupants.
mod phase {
    /// Without an occupant.
    pub(super) const FREE: u64 = 0;
    /// Being set up or given up.
    pub(super) const CHANGING: u64 = 1;
    /// Visible in the roster.
    pub(super) const LIVE: u64 = 2;
    /// The two low bits.
    pub(super) const MASK: u64 = 3;
}

/// Memory of one instance, part of the roster and never moved. Each cell has one writer.
///
/// An *occupant* is one stay of one instance in the slot, identified by the slot's state during that stay.
#[derive(Debug)]
pub(super) struct Slot {
    /// Count of occupants and phase.
    state: AtomicU64,
    pub(super) id: AtomicU64,
    is_bridged: AtomicU8,
    presence: AtomicU8,
    pub(super) info: SeqCell<INSTANCE_INFO_WORDS>,
    pub(super) block_status: SeqCell<BLOCK_STATUS_WORDS>,
    pub(super) stem_readings: SeqCell<STEM_READINGS_WORDS>,
    pub(super) settings: SeqCell<SETTINGS_WORDS>,
    pub(super) outbox: SeqCell<OUTBOX_WORDS>,
    pub(super) summary: SeqCell<SUMMARY_WORDS>,
    /// One ring of each size, allocated when first needed and kept for later occupants: memory is bounded by the
    /// number of instances that existed at once.
    rings: [OnceLock<Box<AudioRing>>; RING_SIZES],
    /// Size of the occupant's ring, as a power of two; zero for none.
    ring_size: AtomicU32,
}

impl Slot {
    pub(super) const fn new() -> Self {
        Self {
            state: AtomicU64::new(phase::FREE),
            id: AtomicU64::new(0),
            is_bridged: AtomicU8::new(0),
            presence: AtomicU8::new(0),
            info: SeqCell::new(),
            block_status: SeqCell::new(),
            stem_readings: SeqCell::new(),
            settings: SeqCell::new(),
            outbox: SeqCell::new(),
            summary: SeqCell::new(),
            rings: [const { OnceLock::new() }; RING_SIZES],
            ring_size: AtomicU32::new(0),
        }
    }

    /// The visible occupant, if there is one. Acquire: what it published before becoming visible can be read.
    pub(super) fn occupant(&self) -> Option<u64> {
        let state = self.state.load(Ordering::Acquire);
        (state & phase::MASK == phase::LIVE).then_some(state)
    }

    /// True if `occupant` is still the visible one; values read before the call are then its own.
    pub(super) fn is_occupied_by(&self, occupant: u64) -> bool {
        std::sync::atomic::fence(Ordering::Acquire);
        self.state.load(Ordering::Relaxed) == occupant
    }

    pub(super) fn is_free(&self) -> bool {
        self.state.load(Ordering::Acquire) & phase::MASK == phase::FREE
    }

    /// Begins the stay of a new occupant, invisible until [`Self::make_visible`]. Under the roster's lock, on a free
    /// slot.
    pub(super) fn begin_occupancy(&self, origin: Origin) {
        let state = self.state.load(Ordering::Relaxed);
        self.state.store((state & !phase::MASK) + phase::MASK + 1 + phase::CHANGING, Ordering::Relaxed);
        // no value of the new occupant may be visible under the old one's state
        std::sync::atomic::fence(Ordering::Release);
        self.is_bridged.store((origin == Origin::Bridged).into(), Ordering::Relaxed);
        self.presence.store(Presence::Awake as u8, Ordering::Relaxed);
        self.ring_size.store(0, Ordering::Relaxed);
    }

    /// Makes the new occupant visible and returns it. Release: readers that see it see what it has published.
    pub(super) fn make_visible(&self) -> u64 {
        let occupant = (self.state.load(Ordering::Relaxed) & !phase::MASK) | phase::LIVE;
        self.state.store(occupant, Ordering::Release);
        occupant
    }

    /// Gives up one of the occupant's two writers. With the first the occupant is invisible, with the second the slot
    /// is free. Neither writer touches the slot afterwards.
    pub(super) fn release_writer(&self) {
        let next_phase = |state: u64| match state & phase::MASK {
            phase::LIVE => Some((state & !phase::MASK) | phase::CHANGING),
            _ => Some((state & !phase::MASK) | phase::FREE),
        };
        let _ = self.state.fetch_update(Ordering::AcqRel, Ordering::Relaxed, next_phase);
    }

    pub(super) fn origin(&self) -> Origin {
        if self.is_bridged.load(Ordering::Relaxed) == 0 { Origin::Local } else { Origin::Bridged }
    }

    pub(super) fn presence(&self) -> Presence {
        Presence::ALL[usize::from(self.presence.load(Ordering::Relaxed)).min(Presence::ALL.len() - 1)]
    }

    pub(super) fn set_presence(&self, presence: Presence) {
        self.presence.store(presence as u8, Ordering::Relaxed);
    }

    /// The occupant's ring; `None` before [`Self::publish_ring`].
    pub(super) fn ring(&self) -> Option<&AudioRing> {
        let size = self.ring_size.load(Ordering::Acquire).checked_sub(*SIZE_RANGE.start())?;
        self.rings.get(size as usize)?.get().map(Box::as_ref)
    }

    /// The ring for audio at `rate` and its size. Allocates the first time.
    pub(super) fn ring_for(&self, rate: Hz) -> (u32, &AudioRing) {
        let size = AudioRing::size_for(rate);
        let ring =
            self.rings[(size - SIZE_RANGE.start()) as usize].get_or_init(|| Box::new(AudioRing::new(size)));
        (size, ring)
    }

    /// Makes the ring of that size visible.
    pub(super) fn publish_ring(&self, size: u32) {
        self.ring_size.store(size, Ordering::Release);
    }
}
