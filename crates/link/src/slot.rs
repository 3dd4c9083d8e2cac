//! The place of one instance in the roster: what it tells, and its audio.

use super::cell::Cell;
use super::request::OUTBOX_WORDS;
use super::ring::{Ring, SIZES};
use super::snapshot::{FIGURES_WORDS, LABEL_WORDS, PULSE_WORDS, SETTINGS_WORDS};
use super::summary::SUMMARY_WORDS;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use units::Hz;

/// Sizes of rings.
const RINGS: usize = (*SIZES.end() - *SIZES.start() + 1) as usize;

/// Where an instance lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// In this process and this copy of the library.
    #[default]
    Here,
    /// Elsewhere; the bridge keeps its slot.
    Bridged,
}

/// How an instance is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Presence {
    /// Its host has it process audio.
    #[default]
    Awake,
    /// It exists, but its host does not call it: silence, as far as a running transport is concerned.
    Asleep,
    /// Nothing has been heard of it for a second.
    Dim,
}

impl Presence {
    pub(super) const ALL: [Self; 3] = [Self::Awake, Self::Asleep, Self::Dim];
}

/// What is in a slot. The two low bits of its state; the others count its tenants.
mod phase {
    /// Nobody.
    pub(super) const FREE: u64 = 0;
    /// Somebody who moves in or out.
    pub(super) const MOVING: u64 = 1;
    /// Somebody.
    pub(super) const LIVE: u64 = 2;
    /// The two low bits.
    pub(super) const MASK: u64 = 3;
}

/// Memory of one instance, part of the roster and never moved. Its cells have one writer each.
#[derive(Debug)]
pub(super) struct Slot {
    /// A count of tenants and a phase.
    state: AtomicU64,
    pub(super) id: AtomicU64,
    bridged: AtomicU8,
    presence: AtomicU8,
    pub(super) label: Cell<LABEL_WORDS>,
    pub(super) pulse: Cell<PULSE_WORDS>,
    pub(super) figures: Cell<FIGURES_WORDS>,
    pub(super) settings: Cell<SETTINGS_WORDS>,
    pub(super) outbox: Cell<OUTBOX_WORDS>,
    pub(super) summary: Cell<SUMMARY_WORDS>,
    /// One ring of each size, allocated when first needed and kept for later tenants: what exists is bounded by how
    /// many instances were alive at once.
    rings: [OnceLock<Box<Ring>>; RINGS],
    /// The size of the tenant's ring; zero: none.
    ring: AtomicU32,
}

impl Slot {
    pub(super) const fn new() -> Self {
        Self {
            state: AtomicU64::new(phase::FREE),
            id: AtomicU64::new(0),
            bridged: AtomicU8::new(0),
            presence: AtomicU8::new(0),
            label: Cell::new(),
            pulse: Cell::new(),
            figures: Cell::new(),
            settings: Cell::new(),
            outbox: Cell::new(),
            summary: Cell::new(),
            rings: [const { OnceLock::new() }; RINGS],
            ring: AtomicU32::new(0),
        }
    }

    /// The tenant, if somebody lives here.
    pub(super) fn tenant(&self) -> Option<u64> {
        let state = self.state.load(Ordering::Acquire);
        (state & phase::MASK == phase::LIVE).then_some(state)
    }

    /// Whether `tenant` still lives here. What was read before was his.
    pub(super) fn is_home(&self, tenant: u64) -> bool {
        std::sync::atomic::fence(Ordering::Acquire);
        self.state.load(Ordering::Relaxed) == tenant
    }

    pub(super) fn is_free(&self) -> bool {
        self.state.load(Ordering::Acquire) & phase::MASK == phase::FREE
    }

    /// A new tenant moves in, unseen until [`Self::open`]. Under the roster's lock, into a free slot.
    pub(super) fn occupy(&self, origin: Origin) {
        let state = self.state.load(Ordering::Relaxed);
        self.state.store((state & !phase::MASK) + phase::MASK + 1 + phase::MOVING, Ordering::Relaxed);
        // nothing of the new tenant may be seen under the old one's state
        std::sync::atomic::fence(Ordering::Release);
        self.bridged.store((origin == Origin::Bridged).into(), Ordering::Relaxed);
        self.presence.store(Presence::Awake as u8, Ordering::Relaxed);
        self.ring.store(0, Ordering::Relaxed);
    }

    /// The tenant may be seen; returns it.
    pub(super) fn open(&self) -> u64 {
        let tenant = (self.state.load(Ordering::Relaxed) & !phase::MASK) | phase::LIVE;
        self.state.store(tenant, Ordering::Release);
        tenant
    }

    /// One of the tenant's two halves goes. With the first the tenant is gone for all; with the second the slot is
    /// free. Neither half touches the slot afterwards.
    pub(super) fn leave(&self) {
        let step = |state: u64| match state & phase::MASK {
            phase::LIVE => Some((state & !phase::MASK) | phase::MOVING),
            _ => Some((state & !phase::MASK) | phase::FREE),
        };
        let _ = self.state.fetch_update(Ordering::AcqRel, Ordering::Relaxed, step);
    }

    pub(super) fn origin(&self) -> Origin {
        if self.bridged.load(Ordering::Relaxed) == 0 { Origin::Here } else { Origin::Bridged }
    }

    pub(super) fn presence(&self) -> Presence {
        Presence::ALL[usize::from(self.presence.load(Ordering::Relaxed)).min(Presence::ALL.len() - 1)]
    }

    pub(super) fn set_presence(&self, presence: Presence) {
        self.presence.store(presence as u8, Ordering::Relaxed);
    }

    /// The tenant's ring.
    pub(super) fn ring(&self) -> Option<&Ring> {
        let size = self.ring.load(Ordering::Acquire).checked_sub(*SIZES.start())?;
        self.rings.get(size as usize)?.get().map(Box::as_ref)
    }

    /// The ring for audio at `rate`. Allocates the first time.
    pub(super) fn ring_for(&self, rate: Hz) -> (u32, &Ring) {
        let size = Ring::size_for(rate);
        let ring = self.rings[(size - SIZES.start()) as usize].get_or_init(|| Box::new(Ring::new(size)));
        (size, ring)
    }

    /// Shows the ring of that size.
    pub(super) fn show_ring(&self, size: u32) {
        self.ring.store(size, Ordering::Release);
    }
}
