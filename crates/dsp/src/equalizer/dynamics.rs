//! How a dynamic band moves: key -> its part in the band -> level -> curve -> attack and release -> decibels.

use super::key::KeyFilter;
use super::table::Table;
use super::{BandSettings, Placement};
use crate::ballistics::{one_pole_coefficient, something};
use crate::curve::Curve;
use crate::filter::{Moving, Part, State};
use crate::{CONTROL_INTERVAL, Key, KeySource, Smoother};
use units::{Db, Hz, decibels};

/// A dynamic band's gain takes a new direction after so many frames, counted from control ticks.
pub(super) const STEP: usize = Moving::STEP;
const _: () = assert!(CONTROL_INTERVAL.is_multiple_of(STEP));

/// Decibels that the band moves per decibel over the threshold.
pub(super) const SLOPE: f64 = 0.5;

/// Around the threshold the slope sets in over so many decibels.
pub(super) const KNEE: Db = Db(6.0);

/// What a low shelf is keyed by may be so much below its frequency.
const BELOW_SHELF: f64 = 0.25;

/// The largest value of a while: of the present window and the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Hold {
    pub(super) steps_left: usize,
    pub(super) now: f64,
    pub(super) before: f64,
}

/// Decibels that go where they are wanted, a share of the way in each step.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moved {
    /// The share upwards.
    pub(super) attack: f64,
    /// The share downwards.
    pub(super) release: f64,
    pub(super) value: f64,
}

impl Moved {
    /// A step towards `wanted`, which is not negative.
    fn next(&mut self, wanted: f64) {
        let share = if self.value > wanted { self.release } else { self.attack };
        self.value = something(self.value + (wanted - self.value) * share);
    }
}

impl Hold {
    /// Takes the largest square of a step; a window lasts `steps`.
    #[inline]
    fn next(&mut self, square: f64, steps: usize) -> f64 {
        if self.steps_left == 0 {
            *self = Self { steps_left: steps, now: 0.0, before: self.now };
        }
        self.steps_left -= 1;
        self.now = if square > self.now { square } else { self.now };
        if self.before > self.now { self.before } else { self.now }
    }
}

/// The dynamics of one band.
///
/// Level: the largest sample of the key's part in the band, of both channels, in the last half to whole period of
/// the band's frequency (of two octaves below it for a low shelf, where the tones that count are lower; never longer than
/// 25 to 50 ms): a tone reads steady, so that gain does not ride on the wave. Curve: from the threshold on the band
/// moves half a decibel per decibel, until the range is used up. Attack and release are one-pole on the decibels,
/// 63.2 % in the time given, taken in steps of [`STEP`] frames.
#[derive(Clone, Debug)]
pub(super) struct Dynamics {
    rate: Hz,
    goal: BandSettings,
    /// The farthest it may move, in decibels, with its sign.
    pub(super) range: Smoother,
    threshold: Smoother,
    pub(super) curve: Curve,
    /// The square of the level at which the curve starts to act.
    start: f64,
    pub(super) filter: KeyFilter,
    /// The largest square since the last step.
    largest: f64,
    pub(super) hold: Hold,
    pub(super) hold_steps: usize,
    /// How far the band has moved, as a positive number of decibels.
    pub(super) moved: Moved,
    active: bool,
    /// Filters for the gains it moves through.
    pub(super) table: Table,
}

impl Dynamics {
    /// At rest at `goal`, whose values are in range.
    pub(super) fn new(goal: &BandSettings, rate: Hz) -> Self {
        let mut dynamics = Self {
            rate,
            goal: *goal,
            range: Smoother::new(0.0, Smoother::TIME, rate),
            threshold: Smoother::new(0.0, Smoother::TIME, rate),
            curve: Curve::with_slope(Db(0.0), SLOPE, KNEE),
            start: 1.0,
            filter: KeyFilter::new(rate),
            largest: 0.0,
            hold: Hold::default(),
            hold_steps: 1,
            moved: Moved::default(),
            active: false,
            table: Table::new(),
        };
        dynamics.rest(goal);
        dynamics
    }

    /// Forgets what was heard and rests at `goal`.
    pub(super) fn rest(&mut self, goal: &BandSettings) {
        self.set(goal);
        self.range.set_now(self.range.target());
        self.threshold.set_now(self.threshold.target());
        self.active = false;
        self.table.clear();
        self.shape();
        self.activate(goal.frequency, goal.q);
    }

    /// Goes to `goal` from the next tick on.
    pub(super) fn set(&mut self, goal: &BandSettings) {
        self.goal = *goal;
        let dynamic = goal.dynamic;
        self.range.set_target(if goal.can_move() { dynamic.range.0 } else { 0.0 });
        self.threshold.set_target(dynamic.threshold.0);
        let steps_rate = Hz(self.rate.0 / STEP as f64);
        self.moved.attack = one_pole_coefficient(dynamic.attack, steps_rate);
        self.moved.release = one_pole_coefficient(dynamic.release, steps_rate);
    }

    fn shape(&mut self) {
        self.curve = Curve::with_slope(Db(self.threshold.value()), SLOPE, KNEE);
        self.start = self.curve.start().gain().powi(2);
    }

    /// Listens from here on only if the band may move, starting from silence.
    fn activate(&mut self, frequency: Hz, q: f64) {
        let active = self.goal.on && (self.range.value() != 0.0 || self.range.target() != 0.0);
        if active && !self.active {
            self.filter.rest(self.goal.shape, frequency, q);
            self.hold = Hold::default();
            self.largest = 0.0;
            self.moved.value = 0.0;
        }
        self.active = active;
    }

    /// A control tick; `frequency` and `q` are where the band is now.
    pub(super) fn tick(&mut self, frequency: Hz, q: f64) {
        self.range.tick();
        if !self.threshold.is_settled() {
            self.threshold.tick();
            self.shape();
        }
        self.activate(frequency, q);
        if self.active {
            self.filter.tick(self.goal.shape, frequency, q);
            let lowest = if self.goal.shape == super::Shape::LowShelf { BELOW_SHELF } else { 1.0 };
            let half_period = 0.5 * self.rate.0 / (frequency.0 * lowest).max(20.0);
            self.hold_steps = (half_period / STEP as f64).ceil() as usize;
        }
    }

    /// True while the band may move.
    pub(super) fn is_active(&self) -> bool {
        self.active
    }

    /// True when ticks change nothing until new settings come.
    pub(super) fn rests(&self) -> bool {
        !self.active
            && self.range.is_settled()
            && self.threshold.is_settled()
            && !(self.goal.on && self.range.value() != 0.0)
    }

    /// True when it listens, and ticks change nothing until new settings come.
    pub(super) fn coasts(&self) -> bool {
        self.active
            && self.range.is_settled()
            && self.threshold.is_settled()
            && self.filter.standing().is_some()
    }

    /// True for channels, left and right or middle and sides, that it hears where the band acts on `acts`.
    fn hears(&self, acts: [bool; 2]) -> [bool; 2] {
        if self.goal.dynamic.key == KeySource::Sidechain { [true; 2] } else { acts }
    }

    /// Lets `part` hear with its ears, where it acts.
    pub(super) fn lend<'a>(&'a self, part: &mut Part<'a>) {
        let acts = part.stands.map(|stands| stands.is_some());
        part.beside = self.goal.dynamic.key == KeySource::Sidechain;
        part.ears = self.hears(acts).map(|hears| self.filter.standing().filter(|_| hears));
        part.ear_states = self.filter.states;
        if self.is_turned() {
            part.ear_states = [self.filter.states[0]; 2];
        }
        part.loudest = self.largest;
    }

    /// It hears the middle or the sides: as both channels of its own filter, as one of two when they are lent.
    fn is_turned(&self) -> bool {
        self.goal.placement.is_between() && self.goal.dynamic.key == KeySource::Own
    }

    /// Takes back what [`lend`](Self::lend) lent.
    pub(super) fn take_back(&mut self, acts: [bool; 2], states: impl Fn(usize) -> [State; 2], loudest: f64) {
        let hears = self.hears(acts);
        let taken = [0, 1].map(|channel| if hears[channel] { states(channel) } else { Default::default() });
        self.filter.states = taken;
        if self.is_turned() {
            let [one, other] = self.goal.placement.part(1.0, 0.0).map(f64::signum);
            let heard = taken[usize::from(hears[1])];
            self.filter.states = [heard, heard.map(|state| state.scaled(one * other))];
        }
        self.filter.flush_invalid();
        self.largest = 0.0;
        self.take(loudest);
    }

    /// How far it has moved, in decibels, with its sign.
    pub(super) fn movement(&self) -> f64 {
        let range = self.range.value();
        if self.active { self.moved.value.min(range.abs()).copysign(range) } else { 0.0 }
    }

    /// The end of a step: where to move is decided on what was heard since the last.
    pub(super) fn step(&mut self) -> f64 {
        let level = self.hold.next(self.largest, self.hold_steps);
        self.largest = 0.0;
        let wanted = if level > self.start { self.curve.reduction(0.5 * decibels(level)) } else { 0.0 };
        self.moved.next(wanted.min(self.range.value().abs()));
        self.movement()
    }

    /// Listens to what the band is about to act on, or to the sidechain; never past the end of a step.
    pub(super) fn hear(&mut self, since: usize, own: [&[f64]; 2], key: Option<Key<'_>>) {
        let mut heard = [[0.0; STEP]; 2];
        let [left, right] = &mut heard;
        let frames = own[0].len();
        let (left, right) = (&mut left[..frames], &mut right[..frames]);
        self.goal.take_key([left, right], own, key);
        self.filter.process(since, [left, right]);
        left.iter().chain(right.iter()).for_each(|sample| self.take(sample * sample));
    }

    /// Takes a square of what was heard.
    pub(super) fn take(&mut self, square: f64) {
        // What is not finite is not greater.
        if square > self.largest && square.is_finite() {
            self.largest = square;
        }
    }
}

impl BandSettings {
    /// Fills `to` with what keys the band: its own part of the stereo field, or the whole sidechain. What is not
    /// finite is silence.
    pub(super) fn take_key(&self, to: [&mut [f64]; 2], own: [&[f64]; 2], key: Option<Key<'_>>) {
        let (placement, source) = match (self.dynamic.key, key) {
            (KeySource::Own, _) => (self.placement, own),
            (KeySource::Sidechain, Some(key)) => (Placement::Stereo, [key.left, key.right]),
            (KeySource::Sidechain, None) => return to.into_iter().for_each(|to| to.fill(0.0)),
        };
        let [left, right] = to;
        let finite = |x: f64| if x.is_finite() { x } else { 0.0 };
        for (i, (left, right)) in left.iter_mut().zip(right).enumerate() {
            [*left, *right] = placement.part(finite(source[0][i]), finite(source[1][i]));
        }
    }
}
