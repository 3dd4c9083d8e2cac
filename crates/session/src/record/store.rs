//! Store of records by hop, in bounded memory.

use std::collections::{BTreeMap, VecDeque};

use super::member::{NestedMember, SessionMember, StemId, StemSetting};
use crate::accumulate::ChainProducts;
use crate::fit::HopFit;
use crate::gram::Gram;
use crate::hop_builder::FinishedHop;
use crate::nested::NestedProducts;
use crate::timeline::HopIndex;

/// Memory of all records, bytes: 20 minutes of 32 stems, 70 of 16, three hours of 8.
pub const MEMORY_BUDGET: usize = 256 << 20;

/// Record of one hop.
#[derive(Clone, Debug)]
pub(crate) struct HopRecord {
    pub(super) segment: u64,
    pub(super) ids: Box<[StemId]>,
    /// Settings, with the acknowledged level changes as a part of the trim.
    pub(super) settings: Box<[StemSetting]>,
    /// Stems that sound and are missing from the mix: a mute that is part of it, or may be.
    pub(super) missing: Box<[StemId]>,
    joint: Box<[f64]>,
    /// Products of the inputs of stems with a chain, with the stem's index, in order.
    chains: Box<[(usize, ChainProducts)]>,
    peaks: Box<[f64]>,
    /// Stems inside others; `None` without any.
    nested: Option<Box<NestedRecord>>,
    fit: Option<Box<HopFit>>,
    /// Number of the record, counted up.
    pub(super) stamp: u64,
}

/// Nested stems of a record.
#[derive(Clone, Debug)]
struct NestedRecord {
    members: Vec<SessionMember>,
    products: NestedProducts,
}

impl HopRecord {
    pub(super) fn new(hop: &FinishedHop, members: &[SessionMember], nested: &[NestedMember]) -> Self {
        let with_chain = (0..hop.stems).filter(|stem| hop.has_chain >> stem & 1 == 1);
        Self {
            segment: hop.segment,
            ids: members.iter().map(|member| member.id).collect(),
            settings: members.iter().map(|member| member.setting).collect(),
            missing: Box::default(),
            joint: hop.joint.clone().into_boxed_slice(),
            chains: with_chain.map(|stem| (stem, hop.chains[stem])).collect(),
            peaks: hop.peaks.clone().into_boxed_slice(),
            nested: (!nested.is_empty() && hop.nested.stems() == nested.len()).then(|| {
                Box::new(NestedRecord {
                    members: nested.iter().map(|nested| nested.member).collect(),
                    products: hop.nested.clone(),
                })
            }),
            fit: None,
            stamp: 0,
        }
    }

    /// Takes the stems `missing` from the mix for muted: what they play meanwhile is not part of the song.
    pub(super) fn mute(&mut self, missing: Box<[StemId]>) {
        let is_muted = |index: usize| self.ids.get(index).is_some_and(|id| missing.contains(id));
        let signals = 2 * (self.ids.len() + 1);
        let pairs = (0..signals).flat_map(|a| (a..signals).map(move |b| (a / 2, b / 2)));
        for (product, (a, b)) in self.joint.iter_mut().zip(pairs) {
            if is_muted(a) || is_muted(b) {
                *product = 0.0;
            }
        }
        (0..self.ids.len()).filter(|index| is_muted(*index)).for_each(|index| self.peaks[index] = 0.0);
        self.chains = self.chains.iter().filter(|(stem, _)| !is_muted(*stem)).copied().collect();
        if !missing.is_empty() {
            // parts of a stem that may be muted say nothing about the mix
            self.nested = None;
        }
        self.missing = missing;
    }

    /// Number of the row of contiguous hops that it belongs to.
    pub(crate) fn segment(&self) -> u64 {
        self.segment
    }

    /// Number of the mix among the hop's sources.
    pub(crate) fn mix_source(&self) -> usize {
        self.ids.len()
    }

    pub(crate) fn joint(&self) -> &[f64] {
        &self.joint
    }

    pub(crate) fn fit(&self) -> Option<&HopFit> {
        self.fit.as_deref()
    }

    /// Index of the stem `id`.
    pub(crate) fn index(&self, id: StemId) -> Option<usize> {
        self.ids.iter().position(|other| *other == id)
    }

    /// Setting of the stem `id`, a nested one too; `None` if it was not there.
    pub(super) fn setting(&self, id: StemId) -> Option<StemSetting> {
        let nested = || self.nested.as_ref()?.members.iter().find(|member| member.id == id);
        self.index(id).map(|index| self.settings[index]).or_else(|| nested().map(|member| member.setting))
    }

    /// True if stem `index` was silent: then its settings do not matter.
    pub(super) fn is_silent(&self, index: usize) -> bool {
        self.peaks[index] == 0.0
    }

    /// True if all of `members` were there with their present settings, level and trim aside, or silent; and if those of
    /// `nested` that were there had theirs, level and trim included, or were silent: what contains them has changed with them.
    pub(super) fn is_present(&self, members: &[SessionMember], nested: &[NestedMember]) -> bool {
        let is_same = |NestedMember { member, .. }: &NestedMember| {
            self.nested.as_ref().is_none_or(|record| record.has_setting(member))
        };
        members.iter().all(|member| {
            let index = self.index(member.id);
            index.is_some_and(|i| self.settings[i].revision == member.setting.revision || self.is_silent(i))
        }) && nested.iter().all(is_same)
    }

    /// Number of a stem's source in the hop, see [`crate::nested`]; `None` if it was not heard.
    pub(crate) fn source(&self, id: StemId) -> Option<usize> {
        self.index(id).or_else(|| {
            let nested = self.nested.as_ref()?;
            let index = nested.members.iter().position(|member| member.id == id)?;
            nested.products.is_heard(index).then_some(self.ids.len() + 1 + index)
        })
    }

    /// Mean products of all pairs of signals of `sources`, as a packed upper triangle; a source that is `None` is
    /// silent.
    pub(crate) fn products_of(&self, sources: &[Option<usize>]) -> Vec<f64> {
        let joint = Gram::from_packed(2 * (self.ids.len() + 1), &self.joint);
        let none = NestedProducts::default();
        let nested = self.nested.as_ref().map_or(&none, |nested| &nested.products);
        let sides = |source: &Option<usize>| [0, 1].map(|side| source.map(|source| 2 * source + side));
        let signals: Vec<Option<usize>> = sources.iter().flat_map(sides).collect();
        let pairs = signals.iter().enumerate().flat_map(|(k, a)| signals[k..].iter().map(move |b| (*a, *b)));
        pairs.map(|(a, b)| a.zip(b).map_or(0.0, |(a, b)| nested.product(&joint, a, b))).collect()
    }

    /// Linear true peak of a source.
    pub(crate) fn source_peak(&self, source: usize) -> f64 {
        let nested = source.checked_sub(self.ids.len() + 1).zip(self.nested.as_ref());
        nested.map_or_else(|| self.peaks[source], |(index, nested)| nested.products.peaks[index])
    }

    /// Change of stem `index`'s trim since, to `now`; linear gain.
    pub(crate) fn rescale(&self, index: usize, now: StemSetting) -> f64 {
        if self.is_silent(index) { 1.0 } else { (now.trim - self.settings[index].trim).gain() }
    }

    /// Joint matrix of the stems `indices` and the mix.
    pub(crate) fn joint_of(&self, indices: &[usize]) -> Vec<f64> {
        let joint = Gram::from_packed(2 * (self.ids.len() + 1), &self.joint);
        let sources: Vec<usize> = indices.iter().copied().chain([self.ids.len()]).collect();
        let signals: Vec<usize> = sources.iter().flat_map(|i| [2 * i, 2 * i + 1]).collect();
        let pairs = signals.iter().enumerate().flat_map(|(k, a)| signals[k..].iter().map(move |b| (*a, *b)));
        pairs.map(|(a, b)| joint.at(a, b)).collect()
    }

    /// Products of a stem's input; `None` for a neutral chain.
    pub(crate) fn chain(&self, index: usize) -> Option<&ChainProducts> {
        self.chains.iter().find(|(stem, _)| *stem == index).map(|(_, products)| products)
    }

    /// Linear true peak of stem `index`; `None` is the mix.
    pub(crate) fn peak(&self, index: Option<usize>) -> f64 {
        self.peaks[index.unwrap_or(self.ids.len())]
    }

    fn bytes(&self) -> usize {
        // The fit comes later: four gains and two flags per stem.
        let stems = self.ids.len();
        size_of::<Self>()
            + 8 * (self.joint.len() + self.peaks.len())
            + self.missing.len() * size_of::<StemId>()
            + stems * (size_of::<StemId>() + size_of::<StemSetting>() + size_of::<crate::fit::StemArrival>())
            + self.chains.len() * size_of::<(usize, ChainProducts)>()
            + self.nested.as_ref().map_or(0, |nested| nested.bytes())
            + size_of::<HopFit>()
            + RECORD_OVERHEAD
    }
}

impl NestedRecord {
    /// True if the stem was not heard, was silent, or had this setting.
    fn has_setting(&self, member: &SessionMember) -> bool {
        let index = self.members.iter().position(|known| known.id == member.id);
        let index = index.filter(|&index| self.products.is_heard(index) && self.products.peaks[index] != 0.0);
        index.is_none_or(|index| {
            let setting = self.members[index].setting;
            setting.level.is_some() && setting == member.setting
        })
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.members.len() * size_of::<SessionMember>() + self.products.bytes()
    }
}

/// Bytes per record in the map, in the order and in the allocator.
const RECORD_OVERHEAD: usize = 160;

/// Records by hop, the oldest of which are dropped first.
#[derive(Clone, Debug)]
pub(super) struct HopStore {
    budget: usize,
    bytes: usize,
    records: BTreeMap<HopIndex, HopRecord>,
    /// Stamps and hops, the oldest first; entries whose hop was recorded again since are void.
    order: VecDeque<(u64, HopIndex)>,
    clock: u64,
}

impl HopStore {
    pub(super) fn new(budget: usize) -> Self {
        Self { budget, bytes: 0, records: BTreeMap::new(), order: VecDeque::new(), clock: 0 }
    }

    pub(super) fn budget(&self) -> usize {
        self.budget
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn has(&self, hop_index: HopIndex) -> bool {
        self.records.contains_key(&hop_index)
    }

    pub(super) fn get(&self, hop_index: HopIndex) -> Option<&HopRecord> {
        self.records.get(&hop_index)
    }

    pub(super) fn set_fit(&mut self, hop_index: HopIndex, fit: HopFit) {
        if let Some(record) = self.records.get_mut(&hop_index) {
            record.fit = Some(Box::new(fit));
        }
    }

    /// Stamp of the next record.
    pub(super) fn next_stamp(&self) -> u64 {
        self.clock + 1
    }

    pub(super) fn records(&self) -> impl Iterator<Item = &HopRecord> {
        self.records.values()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (HopIndex, &HopRecord)> {
        self.records.iter().map(|(hop_index, record)| (*hop_index, record))
    }

    pub(super) fn remove(&mut self, hop_index: HopIndex) -> Option<HopRecord> {
        let record = self.records.remove(&hop_index)?;
        self.bytes -= record.bytes();
        Some(record)
    }

    pub(super) fn extent(&self) -> Option<(HopIndex, HopIndex)> {
        Some((*self.records.first_key_value()?.0, *self.records.last_key_value()?.0))
    }

    /// Inserts a record; returns the hops that were dropped for it.
    pub(super) fn insert(&mut self, hop_index: HopIndex, mut record: HopRecord) -> Vec<HopIndex> {
        self.clock += 1;
        record.stamp = self.clock;
        self.bytes += record.bytes();
        self.order.push_back((self.clock, hop_index));
        if let Some(old) = self.records.insert(hop_index, record) {
            self.bytes -= old.bytes();
        }
        let mut dropped = Vec::new();
        while self.bytes > self.budget {
            let Some((stamp, hop_index)) = self.order.pop_front() else { break };
            if self.records.get(&hop_index).is_some_and(|record| record.stamp == stamp)
                && let Some(old) = self.records.remove(&hop_index)
            {
                self.bytes -= old.bytes();
                dropped.push(hop_index);
            }
        }
        if self.order.len() > 2 * self.records.len() + 1000 {
            let records = &self.records;
            self.order.retain(|(stamp, hop_index)| records.get(hop_index).is_some_and(|r| r.stamp == *stamp));
        }
        dropped
    }
}
