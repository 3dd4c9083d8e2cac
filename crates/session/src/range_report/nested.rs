//! Report for moves of a nested stem: the stem of the sum that contains it is taken apart.
//!
//! The stems inside an outer one are fitted to that one's output as stems are to a mix, and arrive in the mix with
//! its gains after theirs. In the report they stand in the outer stem's place; what they do not explain of it - tracks
//! without a Stem, its chain - is part of the residual, so the sources still sum to the mix, and a residual makes an
//! estimate of a prediction as ever.

use super::{HopRange, PresentHop, RangeProgress, RangeReport};
use crate::coverage::FULL_COVERAGE;
use crate::fit::{HopFit, StemArrival, fit_row, mix_power, residual};
use crate::gram::Gram;
use crate::record::{HopRecord, HopStatus, Recorder, SessionMember, StemId};
use meter::loudness::ABSOLUTE_GATE;
use std::borrow::Cow;

/// A nested stem's way into the mix.
struct NestedPath {
    /// Outer stems: the one of the sum first, each inside the one before.
    outer: Vec<StemId>,
    /// Stems inside each of `outer`.
    inner: Vec<Vec<SessionMember>>,
}

/// One hop with the stems of each level: their products, and the number of its row of contiguous hops.
struct NestedHop<'a> {
    record: &'a HopRecord,
    /// Joint matrices of the stems inside each outer stem and, last, that one.
    joints: Vec<Vec<f64>>,
}

impl Recorder {
    /// Returns the report on `range` with the nested stem `id` among its stems: those of the sum without the one that
    /// contains it, then the stems inside that one. Only hops in which it was heard count. `None` if it is not nested.
    pub fn nested_report(&self, range: HopRange, id: StemId) -> Option<RangeReport> {
        let path = self.nested_path(id)?;
        let members = path.members(self.members());
        let hops: Vec<Option<NestedHop<'_>>> = range
            .clone()
            .map(|hop| self.present(hop).and_then(|record| path.hop(record, self, id)))
            .collect();
        let fits = path.fits(&hops);
        let present: Vec<Option<PresentHop<'_>>> = hops
            .iter()
            .enumerate()
            .map(|(index, hop)| path.present_hop(hop.as_ref()?.record, &members, &fits, index))
            .collect();
        let mut progress = RangeProgress { all: present.len(), ..RangeProgress::default() };
        progress.heard = present.iter().flatten().count();
        for status in range.clone().map(|hop| self.status(hop)) {
            match status {
                HopStatus::OldSettings => progress.old += 1,
                HopStatus::Auditioned => progress.auditioned += 1,
                HopStatus::Dropped => progress.dropped += 1,
                HopStatus::Heard | HopStatus::Unheard => {}
            }
        }
        let mut report = RangeReport::new(&members, &present, progress, range);
        report.is_bus_processing = path.leaves_something(&hops, &fits);
        Some(report)
    }

    /// Returns the stems that contain the nested stem `id`: the one of the sum first. Empty if it is not nested.
    pub fn outer_stems(&self, id: StemId) -> Vec<StemId> {
        self.nested_path(id).map_or(Vec::new(), |path| path.outer)
    }

    fn nested_path(&self, id: StemId) -> Option<NestedPath> {
        let inside =
            |id: StemId| self.nested().iter().find(|nested| nested.member.id == id).map(|n| n.inside);
        let mut outer = vec![inside(id)?];
        while let Some(next) = inside(outer[0]) {
            if outer.len() > self.nested().len() {
                return None; // stems inside each other
            }
            outer.insert(0, next);
        }
        self.members().iter().find(|member| member.id == outer[0])?;
        let of = |outer: &StemId| -> Vec<SessionMember> {
            self.nested()
                .iter()
                .filter(|nested| nested.inside == *outer)
                .map(|nested| nested.member)
                .collect()
        };
        Some(NestedPath { inner: outer.iter().map(of).collect(), outer })
    }
}

impl NestedPath {
    /// Stems of the report: those of the sum, then those of each level; outer ones are taken apart.
    fn members(&self, summed: &[SessionMember]) -> Vec<SessionMember> {
        let all = summed.iter().chain(self.inner.iter().flatten());
        all.filter(|member| !self.outer.contains(&member.id)).copied().collect()
    }

    /// Hop of a record; `None` if `id` or an outer stem was not heard in it, or an outer one had another level.
    fn hop<'a>(&self, record: &'a HopRecord, recorder: &Recorder, id: StemId) -> Option<NestedHop<'a>> {
        record.fit()?;
        record.source(id)?;
        let summed = recorder.members().iter().find(|member| member.id == self.outer[0])?;
        if record.rescale(record.index(summed.id)?, summed.setting) != 1.0 {
            return None;
        }
        let joint = |(outer, inner): (&StemId, &Vec<SessionMember>)| {
            let outer = record.source(*outer)?;
            let sources = inner.iter().map(|member| record.source(member.id)).chain([Some(outer)]);
            Some(record.products_of(&sources.collect::<Vec<_>>()))
        };
        let joints: Option<Vec<Vec<f64>>> = self.outer.iter().zip(&self.inner).map(joint).collect();
        Some(NestedHop { record, joints: joints? })
    }

    /// Fits of each level, per hop of the range; of hops that were not heard, no arrivals.
    fn fits(&self, hops: &[Option<NestedHop<'_>>]) -> Vec<Vec<HopFit>> {
        let mut fits = vec![Vec::with_capacity(hops.len()); self.outer.len()];
        let row = |hop: &Option<NestedHop<'_>>| hop.as_ref().map(|hop| hop.record.segment());
        for run in hops.chunk_by(|a, b| row(a) == row(b)) {
            for (level, fits) in fits.iter_mut().enumerate() {
                let joints: Vec<Option<&[f64]>> =
                    run.iter().map(|hop| hop.as_ref().map(|hop| &hop.joints[level][..])).collect();
                if joints[0].is_some() {
                    fits.extend(fit_row(&joints, self.inner[level].len()));
                } else {
                    let nothing = HopFit { arrivals: Vec::new(), condition: 1.0, inseparable: Vec::new() };
                    fits.extend(std::iter::repeat_n(nothing, run.len()));
                }
            }
        }
        fits
    }

    /// True if the stems inside an outer one leave more of it than full coverage allows in a hop that sounds.
    fn leaves_something(&self, hops: &[Option<NestedHop<'_>>], fits: &[Vec<HopFit>]) -> bool {
        (0..self.outer.len()).any(|level| {
            let stems = self.inner[level].len();
            let each = hops.iter().zip(&fits[level]).filter_map(|(hop, fit)| {
                let joint = Gram::from_packed(2 * (stems + 1), &hop.as_ref()?.joints[level]);
                Some((mix_power(&joint), residual(&joint, &fit.arrivals)))
            });
            let gate = ABSOLUTE_GATE.power().0;
            let mut each = each.filter(|(whole, _)| *whole > gate);
            each.any(|(whole, left)| left > (1.0 - FULL_COVERAGE) * whole)
        })
    }

    /// One hop of the report.
    fn present_hop<'a>(
        &self,
        record: &'a HopRecord,
        members: &[SessionMember],
        fits: &[Vec<HopFit>],
        hop: usize,
    ) -> Option<PresentHop<'a>> {
        let whole = record.fit()?;
        let mut condition = whole.condition;
        let mut inseparable = Vec::new();
        let mut arrivals = vec![StemArrival::UNITY; members.len()];
        let place = |id: StemId| members.iter().position(|member| member.id == id);
        for (member, arrival) in members.iter().zip(&mut arrivals) {
            if let Some(index) = record.index(member.id) {
                *arrival = whole.arrivals[index];
            }
        }
        let mut outer = whole.arrivals[record.index(self.outer[0])?];
        for (level, inner) in self.inner.iter().enumerate() {
            let fit = &fits[level][hop];
            condition = condition.min(fit.condition);
            let pairs = fit.inseparable.iter();
            inseparable.extend(pairs.filter_map(|&(a, b)| Some((place(inner[a].id)?, place(inner[b].id)?))));
            let through = outer;
            for (member, arrival) in inner.iter().zip(&fit.arrivals) {
                let arrival = through.after(arrival);
                match place(member.id) {
                    Some(place) => arrivals[place] = arrival,
                    None => outer = arrival,
                }
            }
        }
        let sources: Vec<Option<usize>> = members.iter().map(|member| record.source(member.id)).collect();
        let mix = record.mix_source();
        let joint = record.products_of(&sources.iter().copied().chain([Some(mix)]).collect::<Vec<_>>());
        let peaks = sources.iter().copied().chain([Some(mix)]);
        let rescale = |member: &SessionMember| {
            record.index(member.id).map_or(1.0, |index| record.rescale(index, member.setting))
        };
        Some(PresentHop {
            joint: Cow::Owned(joint),
            fit: Cow::Owned(HopFit { arrivals, condition, inseparable }),
            rescale: members.iter().map(rescale).collect(),
            peaks: peaks.map(|source| source.map_or(0.0, |source| record.source_peak(source))).collect(),
            chains: vec![None; members.len()],
        })
    }
}

#[cfg(test)]
mod tests;
