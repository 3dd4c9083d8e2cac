//! Search for the delays of all stems in one scene.

use super::scan::{Scan, ScanPlan, ScanStem};
use super::whitening::{Whitening, dot};
use super::{
    EXACT_RESIDUAL, PlacementEvidence, PlacementResult, PlacementScene, SILENT_AMPLITUDE, StemSighting,
};
use crate::fit::solve_gains;
use crate::gram::Gram;
use units::Hz;

/// Length of the stretch on which likely sets are compared first, seconds.
const SCREENING_SECONDS: f64 = 0.5;
/// Residual of that stretch from which on a likely set is tried on all of the scene.
const SCREENING_RESIDUAL: f64 = 1e-3;
/// Rounds of the search: in each, all stems that are clear are placed, and the rest is searched in what is left.
const MAX_ROUNDS: usize = 8;
/// Ratio of a peak to the next one, and to chance, from which on a stem is clear.
const CLEAR_RATIO: f64 = 1.5;
const CLEAR_CHANCE_RATIO: f64 = 60.0;
/// Share of the mix's energy from which on a stem counts as found where the residual cannot tell: inside a bus.
pub(super) const CLEAR_SHARE: f64 = 1e-4;
/// Distance from the chosen delay from which on another one is a rival, steps of the scan.
const RIVAL_DISTANCE_STEPS: u64 = 4;
/// Ratio of the residuals at two delays below which both fit as well.
const EQUAL_RESIDUAL_RATIO: f64 = 1.01;
/// Share of a stem's energy that may be missing at a delay that fits as well.
const EQUAL_ENERGY_SHARE: f64 = 1e-3;
/// Growth of the residual without a stem from which on the mix needs it.
const NEEDED_RATIO: f64 = 1.005;
/// Rounding error of a residual, relative to the mix.
const RESIDUAL_FLOOR: f64 = 3e-7;
/// Greatest gain of a stem (+24 dB): more fits a trace of it to rounding errors.
const MAX_GAIN: f64 = 16.0;
/// Share of the mix's energy that a stem that is in the mix brings at any delay.
const FOUND_SHARE: f64 = 1e-6;
/// Share of the mix's energy below which a stem counts as silent (-65 dB).
const AUDIBLE_SHARE: f64 = 3e-7;

/// Left and right.
pub(super) type StereoF32 = [Vec<f32>; 2];

/// State of a search.
pub(super) struct PlacementSearch {
    pub(super) rate: Hz,
    pub(super) reach: usize,
    /// The whitened mix and stems.
    pub(super) mix: StereoF32,
    stems: Vec<StereoF32>,
    sounds: Vec<bool>,
    /// Delays of the placed stems.
    delays: Vec<Option<i64>>,
    gains: Vec<[f64; 2]>,
    residual: f64,
    /// Delays that all stems may have, by likely set.
    likely: Vec<Vec<i64>>,
    pub(super) plan: Option<ScanPlan>,
    prepared: Vec<Option<ScanStem>>,
    rivals: Vec<Option<i64>>,
}

impl PlacementSearch {
    pub(super) fn new(scene: &PlacementScene, pause: &mut dyn FnMut()) -> Self {
        let whitening = Whitening::new(&scene.mix);
        let sounds =
            scene.stems.iter().map(|audio| audio.iter().flatten().any(|x| x.abs() > SILENT_AMPLITUDE));
        let sounds: Vec<bool> = sounds.collect();
        let mut stems = Vec::with_capacity(scene.stems.len());
        for (audio, sounds) in scene.stems.iter().zip(&sounds) {
            let silent = || [Vec::new(), Vec::new()];
            stems.push(if *sounds { audio.each_ref().map(|side| whitening.apply(side)) } else { silent() });
            pause();
        }
        let count = stems.len();
        let mut mix = scene.mix.each_ref().map(|side| whitening.apply(side));
        // the filter's first outputs lack what preceded the scene
        mix.iter_mut().for_each(|side| side.iter_mut().take(RUN_IN).for_each(|x| *x = 0.0));
        Self {
            rate: scene.rate,
            reach: scene.reach,
            mix,
            stems,
            sounds,
            delays: vec![None; count],
            gains: vec![[0.0; 2]; count],
            residual: 1.0,
            likely: scene.likely.clone(),
            plan: None,
            prepared: (0..count).map(|_| None).collect(),
            rivals: vec![None; count],
        }
    }

    /// True if a stem sounds in the scene or around it.
    pub(super) fn sounds(&self, stem: usize) -> bool {
        self.sounds[stem]
    }

    fn frames(&self) -> usize {
        self.mix[0].len()
    }

    /// Side `side` of a stem as it meets the scene at `delay`.
    pub(super) fn at(&self, stem: usize, side: usize, delay: i64) -> &[f32] {
        let start = (self.reach as i64 - delay).clamp(0, 2 * self.reach as i64) as usize;
        &self.stems[stem][side][start..start + self.frames()]
    }

    /// Least squares of the stems at `delays` within `range` of the scene: gains per side, and residual over mix.
    fn solve(&self, delays: &[Option<i64>], range: core::ops::Range<usize>) -> (Vec<[f64; 2]>, f64) {
        let used: Vec<usize> = (0..delays.len()).filter(|&i| self.sounds[i] && delays[i].is_some()).collect();
        let mut gains = vec![[0.0; 2]; delays.len()];
        let (mut left, mut whole) = (0.0, 0.0);
        for side in 0..2 {
            let range = range.start.max(RUN_IN).min(range.end)..range.end;
            let mix = &self.mix[side][range.clone()];
            let rows: Vec<&[f32]> = used
                .iter()
                .map(|&stem| &self.at(stem, side, delays[stem].unwrap_or(0))[range.clone()])
                .chain([mix])
                .collect();
            let mut gram = Gram::zero(rows.len());
            for i in 0..rows.len() {
                (i..rows.len()).for_each(|j| gram.set(i, j, dot(rows[i], rows[j])));
            }
            let own = gram.at(used.len(), used.len());
            let sounding: Vec<usize> = (0..used.len()).filter(|&i| gram.at(i, i) > 1e-9 * own).collect();
            let solved = solve_gains(&gram, used.len(), &sounding);
            let mut signed = vec![0.0; rows.len()];
            signed[used.len()] = 1.0;
            for (&i, gain) in sounding.iter().zip(solved) {
                signed[i] = -gain;
                gains[used[i]][side] = gain;
            }
            left += gram.power(&signed);
            whole += own;
        }
        (gains, if whole > 0.0 { left / whole } else { 0.0 })
    }

    fn refit(&mut self) {
        (self.gains, self.residual) = self.solve(&self.delays, 0..self.frames());
    }

    /// Tries the likely sets; keeps the best if it explains the mix.
    pub(super) fn try_likely(&mut self, likely: &[Vec<i64>], pause: &mut dyn FnMut()) {
        let stretch = self.loudest_stretch();
        let mut best: Option<(f64, Vec<Option<i64>>)> = None;
        for set in likely {
            let delays: Vec<Option<i64>> = set.iter().map(|delay| Some(*delay)).collect();
            let (_, left) = self.solve(&delays, stretch.clone());
            if best.as_ref().is_none_or(|(least, _)| left < *least) {
                best = Some((left, delays));
            }
            pause();
        }
        let Some((_, delays)) = best.filter(|(left, _)| *left < SCREENING_RESIDUAL) else { return };
        let (gains, left) = self.solve(&delays, 0..self.frames());
        pause();
        if left < SCREENING_RESIDUAL {
            (self.delays, self.gains, self.residual) = (delays, gains, left);
            self.remove_unneeded(pause);
        }
    }

    /// The loudest part of the scene that is long enough for a first comparison.
    fn loudest_stretch(&self) -> core::ops::Range<usize> {
        let length = ((SCREENING_SECONDS * self.rate.0) as usize).min(self.frames());
        let starts = (0..=self.frames() - length).step_by((length / 2).max(1));
        let energy = |start: &usize| -> f64 {
            self.mix
                .iter()
                .map(|side| dot(&side[*start..start + length], &side[*start..start + length]))
                .sum()
        };
        let start = starts.max_by(|a, b| energy(a).total_cmp(&energy(b))).unwrap_or(0);
        start..start + length
    }

    /// True if the mix needs a stem where it is placed.
    fn is_needed(&self, stem: usize) -> bool {
        if self.gains[stem].iter().any(|gain| gain.abs() > MAX_GAIN) {
            return false;
        }
        let mut without = self.delays.clone();
        without[stem] = None;
        let (_, left) = self.solve(&without, 0..self.frames());
        left > NEEDED_RATIO * self.residual + RESIDUAL_FLOOR
            || self.contribution(stem) > CLEAR_SHARE.max(self.residual)
    }

    /// Evidence of a stem that was not found, by the delays at which it would be heard in the scene.
    fn evidence_of_absence(&self, stem: usize) -> PlacementEvidence {
        let (reach, floor) = (self.reach as i64, FOUND_SHARE * energy(&self.mix));
        let delays: Vec<i64> = (-reach..=reach).step_by((self.reach / 16).max(1)).collect();
        let sounds = |delay: &&i64| {
            let own: f64 =
                (0..2).map(|side| dot(self.at(stem, side, **delay), self.at(stem, side, **delay))).sum();
            own > floor
        };
        match delays.iter().filter(sounds).count() {
            count if count == delays.len() => PlacementEvidence::None,
            count if 2 * count >= delays.len() => PlacementEvidence::Unclear,
            _ => PlacementEvidence::Silent,
        }
    }

    /// Share of the mix's energy that a stem brings.
    fn contribution(&self, stem: usize) -> f64 {
        let Some(delay) = self.delays[stem] else { return 0.0 };
        let (mut own, mut whole) = (0.0, 0.0);
        for side in 0..2 {
            let audio = self.at(stem, side, delay);
            own += self.gains[stem][side].powi(2) * dot(audio, audio);
            whole += dot(&self.mix[side], &self.mix[side]);
        }
        if whole > 0.0 { own / whole } else { 0.0 }
    }

    /// Takes back the stems that the mix does not need where they are.
    fn remove_unneeded(&mut self, pause: &mut dyn FnMut()) {
        let mut unneeded = Vec::new();
        for stem in (0..self.stems.len()).filter(|&stem| self.sounds[stem]) {
            if self.delays[stem].is_some() && !self.is_needed(stem) {
                unneeded.push(stem);
            }
            pause();
        }
        unneeded.iter().for_each(|&stem| self.delays[stem] = None);
        if !unneeded.is_empty() {
            self.refit();
        }
    }

    /// Remainder of the mix without the placed stems, with `back` put back.
    fn left(&self, back: Option<usize>) -> [Vec<f32>; 2] {
        [0, 1].map(|side| {
            let mut left = self.mix[side].clone();
            for stem in (0..self.stems.len()).filter(|&stem| self.sounds[stem] && back != Some(stem)) {
                if let Some(delay) = self.delays[stem] {
                    let gain = self.gains[stem][side] as f32;
                    left.iter_mut().zip(self.at(stem, side, delay)).for_each(|(left, x)| *left -= gain * x);
                }
            }
            left.iter_mut().take(RUN_IN).for_each(|x| *x = 0.0);
            left
        })
    }

    /// Searches the stems that are not placed, the clearest first, in what is left; then moves those that fit better
    /// elsewhere.
    pub(super) fn place_stems(&mut self, pause: &mut dyn FnMut()) {
        let missing = |search: &Self| -> Vec<usize> {
            (0..search.stems.len()).filter(|&i| search.sounds[i] && search.delays[i].is_none()).collect()
        };
        if self.residual < EXACT_RESIDUAL && missing(self).is_empty() {
            return;
        }
        self.plan = Some(ScanPlan::new(self.rate, self.frames(), self.reach));
        self.settle(pause);
        for _ in 0..MAX_ROUNDS {
            let stems = missing(self);
            if stems.is_empty() || self.residual < 1e-9 {
                break;
            }
            let left = self.left(None);
            let mut found = Vec::new();
            for stem in stems {
                let (scan, step) = self.scan(stem, &left);
                let clear = Clearness::new(&scan);
                let delay = self.choose(stem, &scan, step, energy(&left));
                found.push((clear, stem, delay, step));
                pause();
            }
            // all clear ones at once; else the best of the others, which may make another one clear
            let best = found.iter().map(|(clear, ..)| clear.chance_ratio).fold(0.0, f64::max);
            let chosen = found.iter().filter(|(clear, ..)| clear.is_clear() || clear.chance_ratio >= best);
            let chosen: Vec<(usize, i64, usize)> =
                chosen.map(|&(_, stem, delay, step)| (stem, delay, step)).collect();
            for (stem, delay, step) in chosen {
                self.delays[stem] = Some(self.refine(stem, delay, step, &left));
            }
            self.refit();
            self.settle(pause);
        }
    }

    /// Moves placed stems that fit better elsewhere once the others are known, until none does.
    fn settle(&mut self, pause: &mut dyn FnMut()) {
        for _ in 0..3 {
            if self.residual < EXACT_RESIDUAL {
                return;
            }
            let mut moved = false;
            for stem in 0..self.stems.len() {
                let Some(delay) = self.delays[stem].filter(|_| self.sounds[stem]) else { continue };
                let left = self.left(Some(stem));
                let (scan, step) = self.scan(stem, &left);
                let better = self.choose(stem, &scan, step, energy(&left));
                let from = if better.abs_diff(delay) as usize <= 2 * step { delay } else { better };
                let refined = self.refine(stem, from, step, &left);
                if refined != delay {
                    let before = (self.delays.clone(), self.gains.clone(), self.residual);
                    self.delays[stem] = Some(refined);
                    self.refit();
                    if self.residual >= before.2 {
                        (self.delays, self.gains, self.residual) = before;
                    } else {
                        moved = true;
                    }
                }
                pause();
            }
            if !moved {
                return;
            }
        }
    }

    pub(super) fn scan(&mut self, stem: usize, left: &[Vec<f32>; 2]) -> (Scan, usize) {
        let plan = self.plan.as_ref().expect("a search has a plan");
        let prepared = self.prepared[stem].get_or_insert_with(|| plan.prepare(&self.stems[stem]));
        (plan.scan(prepared, &plan.residual(left)), plan.step)
    }

    /// The delay at which `stem` explains most; of those that fit as well, a likely one, or the one nearest to zero.
    fn choose(&mut self, stem: usize, scan: &Scan, step: usize, energy: f64) -> i64 {
        let (best, most) = scan.best();
        // energies of the scan are those of a reduced rate
        let left = (energy / step as f64 - most).max(0.0);
        let fits = |explained: f64| {
            explained >= most - (EQUAL_RESIDUAL_RATIO - 1.0) * left - EQUAL_ENERGY_SHARE * most
                && explained > 0.0
        };
        let mut equal = vec![best];
        let mut taken = vec![best];
        for _ in 0..MAX_RIVALS {
            let (delay, explained) = scan.best_outside(&taken);
            if !fits(explained) {
                break;
            }
            taken.push(delay);
            equal.push(delay);
        }
        let delay = self.choose_of_equals(stem, scan, step, &equal, fits);
        // the chosen one is among them, within a step or two
        let others = equal.into_iter().map(|delay| delay * step as i64);
        let rivals = others.filter(|other| other.abs_diff(delay) > RIVAL_DISTANCE_STEPS * step as u64);
        self.rivals[stem] = rivals.min_by_key(|other| other.abs());
        delay
    }

    /// Of delays at which `stem` explains as much, a likely one, else the one nearest to zero.
    fn choose_of_equals(
        &self,
        stem: usize,
        scan: &Scan,
        step: usize,
        equal: &[i64],
        fits: impl Fn(f64) -> bool,
    ) -> i64 {
        let likely = self.likely.iter().map(|set| set[stem]);
        let known: Vec<i64> = self.delays.iter().flatten().copied().collect();
        let of_others = known.iter().copied();
        if let Some(delay) =
            likely.chain(of_others).find(|delay| fits(scan.near(delay.div_euclid(step as i64))))
        {
            return delay;
        }
        equal.iter().map(|delay| delay * step as i64).min_by_key(|delay| delay.abs()).unwrap_or(0)
    }

    /// The delay near `from` at which the stem explains most, to the frame.
    pub(super) fn refine(&self, stem: usize, from: i64, step: usize, left: &[Vec<f32>; 2]) -> i64 {
        let reach = self.reach as i64;
        let explained = |delay: i64| -> f64 {
            (0..2)
                .map(|side| {
                    let audio = self.at(stem, side, delay);
                    let own = dot(audio, audio);
                    if own > 0.0 { dot(audio, &left[side]).powi(2) / own } else { 0.0 }
                })
                .sum()
        };
        let around = step as i64 + 1;
        let (mut best, mut most) = (from.clamp(-reach, reach), -1.0);
        for delay in (from - around).max(-reach)..=(from + around).min(reach) {
            let here = explained(delay);
            if here > most {
                (best, most) = (delay, here);
            }
        }
        best
    }

    /// Returns the sightings. `with_nested`: stems that the mix does not need are searched in the others.
    pub(super) fn finish(mut self, with_nested: bool, pause: &mut dyn FnMut()) -> PlacementResult {
        let mut found = self.delays.clone();
        for (stem, found) in found.iter_mut().enumerate().filter(|(stem, _)| self.sounds[*stem]) {
            if found.is_some() && !(self.contribution(stem) >= AUDIBLE_SHARE && self.is_needed(stem)) {
                *found = None;
            }
            pause();
        }
        if with_nested {
            self.find_nested(&mut found, pause);
        }
        let sighting = |(stem, delay): (usize, Option<i64>)| {
            let evidence = match (self.sounds[stem], delay) {
                (false, _) => PlacementEvidence::Silent,
                (true, Some(_)) => PlacementEvidence::Found,
                (true, None) => self.evidence_of_absence(stem),
            };
            let rival = self.rivals[stem].filter(|rival| Some(*rival) != delay);
            StemSighting {
                delay: delay.unwrap_or(0),
                evidence,
                rival: rival.filter(|_| evidence == PlacementEvidence::Found),
            }
        };
        let stems = found.into_iter().enumerate().map(sighting).collect();
        PlacementResult { stems, residual: self.residual }
    }
}

/// Frames of the whitening filter's run-in.
const RUN_IN: usize = 16;
/// Greatest number of delays that are compared as equals.
const MAX_RIVALS: usize = 8;

/// Energy of both sides.
pub(super) fn energy(audio: &StereoF32) -> f64 {
    audio.iter().map(|side| dot(side, side)).sum()
}

/// Prominence of the best delay of a stem.
#[derive(Clone, Copy)]
pub(super) struct Clearness {
    rival_ratio: f64,
    chance_ratio: f64,
}

impl Clearness {
    pub(super) fn new(scan: &Scan) -> Self {
        let (best, most) = scan.best();
        let (_, next) = scan.best_outside(&[best]);
        let ratio = |other: f64| most / other.max(f64::MIN_POSITIVE);
        Self { rival_ratio: ratio(next), chance_ratio: ratio(scan.chance()) }
    }

    /// True if it is far above the next one and above chance.
    pub(super) fn is_clear(self) -> bool {
        self.rival_ratio >= CLEAR_RATIO && self.chance_ratio >= CLEAR_CHANCE_RATIO
    }
}
