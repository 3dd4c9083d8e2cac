//! The way of audio through the bands: those that do not change until told to are filtered together.

use super::band::{Band, Role};
use super::hearing::{Ear, Heard};
use super::steps::Steps;
use crate::filter::{Cascade, Director, Kernel, Moving};
use crate::{GainLog, Key};
use core::ops::Range;
use simd::Simd;

/// What is done to audio, one after another.
#[derive(Clone, Copy, Debug)]
enum Pass {
    /// From left and right to middle and sides with a scale of a half, and back with one.
    Turn(f64),
    /// Sections that stand still.
    Still(usize),
    /// Sections that move by what they hear.
    Moving(usize),
    /// A band that fades or glides, by itself.
    Loose(usize),
    /// What keys a band is listened to.
    Listen(usize),
}

/// Sections lent by bands.
struct Lent<C> {
    sections: C,
    /// The band and the section of each.
    owners: [(usize, usize); Cascade::MOST],
}

/// The passes that bands make, from one control tick to the next or as long as nothing changes. Meanwhile the passes have
/// the bands' states.
///
/// Bands of the middle and the sides are filtered as middle and sides: what they hold is a sum and a difference, which
/// cost a rounding each way.
pub(super) struct Passes {
    made: bool,
    list: Vec<Pass>,
    still: Vec<Lent<Cascade>>,
    moving: Vec<Lent<(Moving, Steps)>>,
    /// How many of them are lent.
    used: [usize; 2],
    /// The channels are the middle and the sides after the last pass.
    between: bool,
}

impl Passes {
    /// None yet, for so many bands.
    pub(super) fn new(bands: usize) -> Self {
        // A cascade begins after one of another kind or a full one, which is of two bands or more: there are never more
        // than bands. A band adds a turn, a cascade (two if one gets full) and what is listened to.
        Self {
            made: false,
            list: Vec::with_capacity(4 * bands + 2),
            still: (0..bands).map(|_| Lent::default()).collect(),
            moving: (0..bands).map(|_| Lent::default()).collect(),
            used: [0; 2],
            between: false,
        }
    }

    /// Forgets what was lent.
    pub(super) fn clear(&mut self) {
        self.still[..self.used[0]].iter_mut().for_each(|lent| lent.sections.clear());
        self.moving[..self.used[1]].iter_mut().for_each(|lent| lent.sections.0.clear());
        self.list.clear();
        (self.made, self.used, self.between) = (false, [0; 2], false);
    }

    /// Whether there are any.
    pub(super) fn any(&self) -> bool {
        !self.list.is_empty()
    }

    /// Makes them of what the bands do now, unless they are made already.
    pub(super) fn make(&mut self, bands: &[Band], heard: Option<Heard>) {
        if self.made {
            return;
        }
        self.made = true;
        for (i, band) in bands.iter().enumerate() {
            if heard == Some(Heard::Key(i)) {
                self.turn(false);
                self.list.push(Pass::Listen(i));
            }
            match band.role() {
                Role::Nothing => {}
                Role::Loose => {
                    self.turn(false);
                    self.list.push(Pass::Loose(i));
                }
                Role::Still => {
                    self.turn(band.voice().is_between());
                    (0..band.voice().sections()).for_each(|section| self.lend_still(band, (i, section)));
                }
                Role::Moving => {
                    self.turn(band.voice().is_between());
                    (0..band.voice().sections()).for_each(|section| self.lend_moving(band, (i, section)));
                }
            }
        }
        self.turn(false);
    }

    fn turn(&mut self, between: bool) {
        if between != self.between {
            self.between = between;
            self.list.push(Pass::Turn(if between { 0.5 } else { 1.0 }));
        }
    }

    fn lend_still(&mut self, band: &Band, owner: (usize, usize)) {
        let full = |lent: &Lent<Cascade>| lent.sections.len() == Cascade::MOST;
        let last = match self.list.last() {
            Some(&Pass::Still(last)) if !full(&self.still[last]) => last,
            _ => {
                self.used[0] += 1;
                self.list.push(Pass::Still(self.used[0] - 1));
                self.used[0] - 1
            }
        };
        let lent = &mut self.still[last];
        lent.owners[lent.sections.len()] = owner;
        band.voice().lend(owner.1, &mut lent.sections);
    }

    fn lend_moving(&mut self, band: &Band, owner: (usize, usize)) {
        // A second section goes with the first.
        let sections = if owner.1 == 0 { band.voice().sections() } else { 1 };
        let fits = |lent: &Lent<(Moving, Steps)>| lent.sections.0.len() + sections <= Moving::MOST;
        let last = match self.list.last() {
            Some(&Pass::Moving(last)) if fits(&self.moving[last]) => last,
            _ => {
                self.used[1] += 1;
                self.list.push(Pass::Moving(self.used[1] - 1));
                self.used[1] - 1
            }
        };
        let lent = &mut self.moving[last];
        let (sections, steps) = &mut lent.sections;
        lent.owners[sections.len()] = owner;
        band.lend(owner.1, (sections, steps));
    }

    /// Gives the bands' states back. Unsound states are made sound.
    pub(super) fn give_back(&mut self, bands: &mut [Band]) {
        for lent in &self.still[..self.used[0]] {
            for (place, &(band, section)) in lent.owners[..lent.sections.len()].iter().enumerate() {
                bands[band].voice_mut().take_back(section, |channel| lent.sections.state(place, channel));
            }
        }
        for lent in &self.moving[..self.used[1]] {
            let (sections, steps) = &lent.sections;
            for (place, &(band, section)) in lent.owners[..sections.len()].iter().enumerate() {
                bands[band].take_back(section, (sections, steps), place);
            }
        }
        self.clear();
    }

    /// Makes unsound states sound.
    pub(super) fn flush_invalid(&mut self) {
        // those that stand still do so themselves
        self.moving[..self.used[1]].iter_mut().for_each(|lent| lent.sections.0.flush_invalid());
    }

    /// Filters in place; `since`: frames from the last tick to the first of these.
    pub(super) fn run(
        &mut self,
        since: usize,
        (bands, ear): (&mut [Band], &mut Ear),
        [left, right]: [&mut [f64]; 2],
        key: Option<Key<'_>>,
        gain_log: &mut GainLog<'_>,
    ) {
        for pass in &self.list {
            match *pass {
                Pass::Turn(scale) => turn(left, right, scale),
                Pass::Still(i) => self.still[i].sections.run(left, right),
                Pass::Moving(i) => {
                    let Lent { sections: (sections, steps), owners } = &mut self.moving[i];
                    let key = key.map(|key| [key.left, key.right]);
                    let movements = [0.0; Moving::MOST];
                    let mut directed = Directed { bands, owners, steps, movements, gain_log };
                    sections.run(since, [left, right], key, &mut directed);
                    for (place, &(band, section)) in owners[..sections.len()].iter().enumerate() {
                        if section == 0 {
                            bands[band].has_moved(steps.moved(place));
                        }
                    }
                }
                Pass::Loose(i) => bands[i].process(since, left, right, key, gain_log),
                Pass::Listen(i) => ear.take_key(bands[i].goal(), [left, right], key),
            }
        }
    }
}

impl<C: Default> Default for Lent<C> {
    fn default() -> Self {
        Self { sections: C::default(), owners: [(0, 0); Cascade::MOST] }
    }
}

/// Bands that say where their sections go.
struct Directed<'a, 'b> {
    bands: &'a mut [Band],
    owners: &'a [(usize, usize); Moving::MOST],
    steps: &'a mut Steps,
    /// Where each goes, in decibels.
    movements: [f64; Moving::MOST],
    gain_log: &'a mut GainLog<'b>,
}

impl Director for Directed<'_, '_> {
    #[inline(always)]
    fn begin<S: Simd>(&mut self, simd: S, places: Range<usize>, loudest: &[f64; Moving::MOST]) {
        if self.gain_log.computes() {
            self.movements = self.steps.next(simd, places.clone(), loudest);
        }
        if matches!(self.gain_log, GainLog::Off) {
            return;
        }
        for place in places {
            if self.owners[place].1 > 0 {
                continue; // goes with the first section
            }
            self.movements[place] = self.gain_log.value(|| self.movements[place]);
        }
    }

    #[inline(always)]
    fn glide(&mut self, place: usize) -> Option<[&Kernel; 2]> {
        let (band, section) = self.owners[place];
        self.bands[band].glide(section, self.movements[place])
    }
}

/// Sum and difference.
fn turn(left: &mut [f64], right: &mut [f64], scale: f64) {
    for (left, right) in left.iter_mut().zip(right) {
        (*left, *right) = (scale * (*left + *right), scale * (*left - *right));
    }
}
