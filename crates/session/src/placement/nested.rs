//! Search for the stems that the mix does not need where the others are: those inside another stem's bus.
//!
//! Such a stem is found in the bus that contains it, with less beside it than in the mix. A bus may itself be inside
//! another one, so a delay relative to a bus counts once the delay of that bus is known.

use super::scan::ScanPlan;
use super::search::{CLEAR_SHARE, Clearness, PlacementSearch, StereoF32, energy};
use super::whitening::dot;
use crate::fit::solve_gains;
use crate::gram::Gram;

/// Passes over what is not found: in each, the parts found so far are taken out of every bus.
const MAX_PASSES: usize = 2;

/// Delay of a stem relative to a bus.
#[derive(Clone, Copy)]
struct NestedDelay {
    stem: usize,
    bus: usize,
    delay: i64,
    /// Share of the bus that the stem explains.
    share: f64,
}

impl PlacementSearch {
    /// Adds the delays of stems that sound and are not among the `found` ones, where they are clear in the mix or in
    /// another stem.
    pub(super) fn find_nested(&mut self, found: &mut [Option<i64>], pause: &mut dyn FnMut()) {
        for _ in 0..MAX_PASSES {
            let missing: Vec<usize> =
                (0..found.len()).filter(|&stem| self.sounds(stem) && found[stem].is_none()).collect();
            if missing.is_empty() {
                return;
            }
            self.plan.get_or_insert_with(|| ScanPlan::new(self.rate, self.mix[0].len(), self.reach));
            let mut delays = Vec::new();
            let mix = self.mix.clone();
            for &stem in &missing {
                if let Some((delay, _)) = self.clear_delay(stem, &mix) {
                    found[stem] = Some(delay);
                }
                pause();
            }
            for bus in 0..found.len() {
                if !self.sounds(bus) {
                    continue;
                }
                let audio = self.rest_of(bus, found);
                for &stem in missing.iter().filter(|&&stem| stem != bus) {
                    if let Some((delay, share)) = self.clear_delay(stem, &audio) {
                        delays.push(NestedDelay { stem, bus, delay, share });
                    }
                    pause();
                }
            }
            resolve(&delays, found);
        }
    }

    /// Delay at which a stem is clear in `audio`, and the share of its energy that the stem explains.
    fn clear_delay(&mut self, stem: usize, audio: &StereoF32) -> Option<(i64, f64)> {
        let whole = energy(audio);
        let (scan, step) = self.scan(stem, audio);
        let (best, most) = scan.best();
        let share = most * step as f64 / whole;
        let is_clear = whole > 0.0 && share > CLEAR_SHARE && Clearness::new(&scan).is_clear();
        is_clear.then(|| (self.refine(stem, best * step as i64, step, audio), share))
    }

    /// Audio of a bus as it meets the scene, without the stems that are known to be in it.
    fn rest_of(&self, bus: usize, found: &[Option<i64>]) -> StereoF32 {
        let delay = found[bus].unwrap_or(0);
        let others: Vec<usize> = (0..found.len())
            .filter(|&stem| stem != bus && found[bus].is_some() && found[stem].is_some() && self.sounds(stem))
            .collect();
        [0, 1].map(|side| {
            let mut rest = self.at(bus, side, delay).to_vec();
            let parts = others.iter().filter_map(|&stem| Some(self.at(stem, side, found[stem]?)));
            let rows: Vec<&[f32]> = parts.collect();
            let count = rows.len();
            let mut gram = Gram::zero(count + 1);
            for i in 0..=count {
                let row = |k: usize| if k == count { &rest[..] } else { rows[k] };
                (i..=count).for_each(|j| gram.set(i, j, dot(row(i), row(j))));
            }
            let own = gram.at(count, count);
            let used: Vec<usize> = (0..count).filter(|&i| gram.at(i, i) > 1e-9 * own).collect();
            for (&i, gain) in used.iter().zip(solve_gains(&gram, count, &used)) {
                rest.iter_mut().zip(rows[i]).for_each(|(rest, x)| *rest -= gain as f32 * x);
            }
            rest
        })
    }
}

/// Takes the delays relative to buses whose own delay is known, those with the largest share first, until no more is known.
fn resolve(delays: &[NestedDelay], found: &mut [Option<i64>]) {
    let known_before: Vec<bool> = found.iter().map(Option::is_some).collect();
    let mut delays: Vec<NestedDelay> = delays.to_vec();
    delays.sort_by(|a, b| b.share.total_cmp(&a.share));
    while let Some((stem, delay)) = delays.iter().find_map(|one| {
        let bus = found[one.bus].filter(|_| found[one.stem].is_none())?;
        // the scan of a bus that was known met the scene at its delay
        Some((one.stem, if known_before[one.bus] { one.delay } else { one.delay + bus }))
    }) {
        found[stem] = Some(delay);
    }
}
