//! Hops by place, in bounded memory.

use std::collections::{BTreeMap, VecDeque};

use super::{Member, Setting, StemId};
use crate::accumulate::ChainProducts;
use crate::fit::HopFit;
use crate::gram::Gram;
use crate::timeline::Place;
use crate::watch::FinishedHop;

/// Memory for hops, bytes: 20 minutes of 32 stems, 70 of 16, three hours of 8.
pub const BUDGET: usize = 256 << 20;

/// A hop as it was heard.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(super) segment: u64,
    pub(super) ids: Box<[StemId]>,
    settings: Box<[Setting]>,
    joint: Box<[f64]>,
    /// Of stems with a chain, in order.
    chains: Box<[(usize, ChainProducts)]>,
    peaks: Box<[f64]>,
    fit: Option<Box<HopFit>>,
    /// When it was heard, counted in hops.
    stamp: u64,
}

impl Record {
    pub(super) fn new(hop: &FinishedHop, ids: Box<[StemId]>, settings: Box<[Setting]>) -> Self {
        let with_chain = (0..hop.stems).filter(|stem| hop.has_chain >> stem & 1 == 1);
        Self {
            segment: hop.segment,
            ids,
            settings,
            joint: hop.joint.clone().into_boxed_slice(),
            chains: with_chain.map(|stem| (stem, hop.chains[stem])).collect(),
            peaks: hop.peaks.clone().into_boxed_slice(),
            fit: None,
            stamp: 0,
        }
    }

    pub(crate) fn joint(&self) -> &[f64] {
        &self.joint
    }

    pub(crate) fn fit(&self) -> Option<&HopFit> {
        self.fit.as_deref()
    }

    /// Which of its stems is `id`.
    pub(crate) fn index(&self, id: StemId) -> Option<usize> {
        self.ids.iter().position(|other| *other == id)
    }

    /// True if stem `index` was silent: then it does not matter how it was set.
    fn is_silent(&self, index: usize) -> bool {
        self.peaks[index] == 0.0
    }

    /// True if all of `members` were there, and set as they are but for levels, or silent.
    pub(super) fn is_present(&self, members: &[Member]) -> bool {
        members.iter().all(|member| {
            let index = self.index(member.id);
            index.is_some_and(|i| self.settings[i].revision == member.setting.revision || self.is_silent(i))
        })
    }

    /// The gain with which stem `index`'s level has changed to `now`, linear.
    pub(crate) fn rescale(&self, index: usize, now: Setting) -> f64 {
        if self.is_silent(index) { 1.0 } else { (now.level - self.settings[index].level).gain() }
    }

    /// The joint matrix of the stems `indices` and the mix.
    pub(crate) fn joint_of(&self, indices: &[usize]) -> Vec<f64> {
        let joint = Gram::from_packed(2 * (self.ids.len() + 1), &self.joint);
        let sources: Vec<usize> = indices.iter().copied().chain([self.ids.len()]).collect();
        let signals: Vec<usize> = sources.iter().flat_map(|i| [2 * i, 2 * i + 1]).collect();
        let pairs = signals.iter().enumerate().flat_map(|(k, a)| signals[k..].iter().map(move |b| (*a, *b)));
        pairs.map(|(a, b)| joint.at(a, b)).collect()
    }

    /// The products of a stem's input; `None` if its chain did nothing.
    pub(crate) fn chain(&self, index: usize) -> Option<&ChainProducts> {
        self.chains.iter().find(|(stem, _)| *stem == index).map(|(_, products)| products)
    }

    /// Linear true peak of stem `index`, and of the mix.
    pub(crate) fn peak(&self, index: Option<usize>) -> f64 {
        self.peaks[index.unwrap_or(self.ids.len())]
    }

    fn bytes(&self) -> usize {
        // The fit comes later: four gains and two flags per stem.
        let stems = self.ids.len();
        size_of::<Self>()
            + 8 * (self.joint.len() + self.peaks.len())
            + stems * (size_of::<StemId>() + size_of::<Setting>() + size_of::<crate::fit::Arrival>())
            + self.chains.len() * size_of::<(usize, ChainProducts)>()
            + size_of::<HopFit>()
            + OVERHEAD
    }
}

/// What the map and the order take per hop, and the allocator.
const OVERHEAD: usize = 160;

/// Records by place.
#[derive(Clone, Debug)]
pub(super) struct Store {
    budget: usize,
    bytes: usize,
    records: BTreeMap<Place, Record>,
    /// When what was heard, the oldest first; entries of what was heard again since are void.
    order: VecDeque<(u64, Place)>,
    clock: u64,
}

impl Store {
    pub(super) fn new(budget: usize) -> Self {
        Self { budget, bytes: 0, records: BTreeMap::new(), order: VecDeque::new(), clock: 0 }
    }

    pub(super) fn budget(&self) -> usize {
        self.budget
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn has(&self, place: Place) -> bool {
        self.records.contains_key(&place)
    }

    pub(super) fn get(&self, place: Place) -> Option<&Record> {
        self.records.get(&place)
    }

    pub(super) fn set_fit(&mut self, place: Place, fit: HopFit) {
        if let Some(record) = self.records.get_mut(&place) {
            record.fit = Some(Box::new(fit));
        }
    }

    pub(super) fn extent(&self) -> Option<(Place, Place)> {
        Some((*self.records.first_key_value()?.0, *self.records.last_key_value()?.0))
    }

    /// Keeps a record; returns the places that had to make room.
    pub(super) fn insert(&mut self, place: Place, mut record: Record) -> Vec<Place> {
        self.clock += 1;
        record.stamp = self.clock;
        self.bytes += record.bytes();
        self.order.push_back((self.clock, place));
        if let Some(old) = self.records.insert(place, record) {
            self.bytes -= old.bytes();
        }
        let mut dropped = Vec::new();
        while self.bytes > self.budget {
            let Some((stamp, place)) = self.order.pop_front() else { break };
            if self.records.get(&place).is_some_and(|record| record.stamp == stamp)
                && let Some(old) = self.records.remove(&place)
            {
                self.bytes -= old.bytes();
                dropped.push(place);
            }
        }
        if self.order.len() > 2 * self.records.len() + 1000 {
            let records = &self.records;
            self.order.retain(|(stamp, place)| records.get(place).is_some_and(|r| r.stamp == *stamp));
        }
        dropped
    }
}
