//! Dynamics of one band: key, key filter, level, static curve, attack and release, decibels.
//!
//! The order of the stages, the static curve and the smoothing of decibels after it ("log-domain detector, smoothing after
//! the gain computer") are those of Giannoulis, Massberg & Reiss, "Digital Dynamic Range Compressor Design - A Tutorial and
//! Analysis", JAES 60(6), 2012, section 2, applied to the gain of a band instead of the whole signal.

use super::key_filter::KeyFilter;
use super::table::Table;
use super::{BandSettings, Shape};
use crate::ballistics::{one_pole_coefficient, something};
use crate::curve::Curve;
use crate::filter::RunningSeries;
use crate::{CONTROL_INTERVAL, Key, KeySource, Pair, Smoother};
use simd::{Registers, Vector};
use units::{Db, Hz, decibels};

/// Frames between two decisions on a dynamic band's gain, counted from control ticks.
pub(super) const STEP: usize = 8;
const _: () = assert!(CONTROL_INTERVAL.is_multiple_of(STEP));

/// Decibels that the band moves per decibel over the threshold: 1 - 1/R of the paper, for a ratio R of 2.
const SLOPE: f64 = 0.5;

/// Full width of the knee around the threshold, W of the paper.
const KNEE: Db = Db(6.0);

/// The lowest frequency that keys a low shelf, as a share of the shelf's frequency.
const BELOW_SHELF: f64 = 0.25;

/// Peak of the current window and of the one before it: covers one to two windows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct PeakHold {
    steps_left: usize,
    now: f64,
    before: f64,
}

impl PeakHold {
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

/// Branching one-pole smoothing of decibels, Giannoulis et al. (2012), eq. 16, a step at a time.
#[derive(Clone, Copy, Debug, Default)]
struct Smoothing {
    /// Coefficients per step, see [`one_pole_coefficient`].
    attack: f64,
    release: f64,
    /// In decibels, never negative.
    value: f64,
}

impl Smoothing {
    /// Takes a step towards `wanted`, which is not negative.
    fn next(&mut self, wanted: f64) {
        let coefficient = if self.value > wanted { self.release } else { self.attack };
        self.value = something(self.value + (wanted - self.value) * coefficient);
    }
}

/// The dynamics of one band.
///
/// Level: the largest sample of the key's part in the band, of both channels, in the last half to whole period of
/// the band's frequency (of two octaves below it for a low shelf, whose tones are lower; never longer than
/// 25 to 50 ms): a tone reads steady, so that the gain does not follow the wave. Curve: above the threshold the band
/// moves half a decibel per decibel with a soft knee (Giannoulis et al., 2012, eq. 4), until the range is used up. Attack
/// and release are one-pole on the decibels, 63.2 % in the time given, taken in steps of [`STEP`] frames.
#[derive(Clone, Debug)]
pub(super) struct Dynamics {
    rate: Hz,
    /// As of the last tick.
    pub(super) settings: BandSettings,
    /// The largest movement, in decibels, with its sign.
    pub(super) range: Smoother,
    threshold: Smoother,
    curve: Curve,
    /// The square of the level at which the curve starts to act.
    start: f64,
    pub(super) filter: KeyFilter,
    /// The largest squares since the last step.
    largest: Pair,
    hold: PeakHold,
    /// Level, and what the curve makes of it.
    level: f64,
    wanted: f64,
    hold_steps: usize,
    /// Distance moved, without sign.
    moved: Smoothing,
    /// The band may move.
    pub(super) active: bool,
    /// Kernels for the gains it moves through.
    pub(super) table: Table,
}

impl Dynamics {
    /// Dynamics that do not move.
    pub(super) fn new(rate: Hz) -> Self {
        Self {
            rate,
            settings: BandSettings::default(),
            range: Smoother::new(0.0, Smoother::TIME, rate),
            threshold: Smoother::new(0.0, Smoother::TIME, rate),
            curve: Curve::with_slope(Db(0.0), SLOPE, KNEE),
            start: 1.0,
            filter: KeyFilter::new(rate),
            largest: [0.0; 2],
            hold: PeakHold::default(),
            level: f64::NAN,
            wanted: 0.0,
            hold_steps: 1,
            moved: Smoothing::default(),
            active: false,
            table: Table::new(),
        }
    }

    /// Forgets the key and rests at `settings`, whose values are in range.
    pub(super) fn rest(&mut self, settings: &BandSettings) {
        self.set(settings);
        self.range.set_now(self.range.target());
        self.threshold.set_now(self.threshold.target());
        self.active = false;
        self.table.clear();
        self.update_curve();
        self.activate(settings.frequency, settings.q);
    }

    fn set(&mut self, settings: &BandSettings) {
        self.settings = *settings;
        let (dynamic, steps_rate) = (settings.dynamic, Hz(self.rate.0 / STEP as f64));
        self.range.set_target(if settings.can_move() { dynamic.range.0 } else { 0.0 });
        self.threshold.set_target(dynamic.threshold.0);
        self.moved.attack = one_pole_coefficient(dynamic.attack, steps_rate);
        self.moved.release = one_pole_coefficient(dynamic.release, steps_rate);
    }

    fn update_curve(&mut self) {
        self.curve = Curve::with_slope(Db(self.threshold.value()), SLOPE, KNEE);
        self.start = self.curve.start().gain().powi(2);
        self.level = f64::NAN;
    }

    /// Listens from here on only if the band may move, starting from silence.
    fn activate(&mut self, frequency: Hz, q: f64) {
        let active = self.settings.on && (self.range.value() != 0.0 || self.range.target() != 0.0);
        if active && !self.active {
            self.filter.rest(self.settings.shape, frequency, q);
            self.hold = PeakHold::default();
            self.largest = [0.0; 2];
            self.moved.value = 0.0;
        }
        self.active = active;
    }

    /// Control tick on the way to `settings`; `frequency` and `q` are the band's current ones.
    pub(super) fn tick(&mut self, settings: &BandSettings, frequency: Hz, q: f64) {
        self.set(settings);
        self.range.tick();
        if !self.threshold.is_settled() {
            self.threshold.tick();
            self.update_curve();
        }
        self.activate(frequency, q);
        if self.active {
            self.filter.tick(settings.shape, frequency, q);
            let lowest = if settings.shape == Shape::LowShelf { BELOW_SHELF } else { 1.0 };
            let half_period = 0.5 * self.rate.0 / (frequency.0 * lowest).max(20.0);
            self.hold_steps = (half_period / STEP as f64).ceil() as usize;
        }
    }

    /// True when ticks change nothing until new settings come, and the band does not move.
    pub(super) fn rests(&self) -> bool {
        !self.active
            && self.range.is_settled()
            && self.threshold.is_settled()
            && !(self.settings.on && self.range.value() != 0.0)
    }

    /// True when it listens, and ticks change nothing until new settings come.
    pub(super) fn is_steady(&self) -> bool {
        self.active
            && self.range.is_settled()
            && self.threshold.is_settled()
            && self.filter.series.is_static()
    }

    /// Current movement of the gain in decibels, with its sign.
    pub(super) fn movement(&self) -> f64 {
        let range = self.range.value();
        if self.active { self.moved.value.min(range.abs()).copysign(range) } else { 0.0 }
    }

    /// Ends a step: decides from the key since the last one how far the gain moves, in decibels.
    #[inline(always)]
    pub(super) fn step(&mut self) -> f64 {
        let [left, right] = self.largest.map(|square| if square < f64::INFINITY { square } else { 0.0 });
        let level = self.hold.next(if left > right { left } else { right }, self.hold_steps);
        self.largest = [0.0; 2];
        if level != self.level {
            self.level = level;
            self.wanted = if level > self.start { self.curve.reduction(0.5 * decibels(level)) } else { 0.0 };
        }
        self.moved.next(self.wanted.min(self.range.value().abs()));
        self.movement()
    }

    /// The key it listens to, if it does.
    pub(super) fn source(&self) -> Option<KeySource> {
        self.active.then_some(self.settings.dynamic.key)
    }

    /// Loads what reads the key's level into registers, for a loop over the frames of a step. `since`: frames from the last
    /// tick to the first of these.
    #[inline(always)]
    pub(super) fn load<R: Registers<f64>>(
        &self,
        registers: R,
        since: usize,
        key_moves: bool,
    ) -> LevelReader<R::Vector> {
        let filter = self.filter.series.load(registers, since, CONTROL_INTERVAL, key_moves);
        LevelReader { filter, largest: registers.load(&self.largest) }
    }

    /// Takes the level back after the loop.
    #[inline(always)]
    pub(super) fn store<V: Vector<f64>>(&mut self, reader: &LevelReader<V>) {
        self.filter.series.store(&reader.filter);
        reader.largest.store(&mut self.largest);
    }
}

/// Reads the level of a key in registers.
pub(super) struct LevelReader<V> {
    filter: RunningSeries<V, 2>,
    largest: V,
}

impl<V: Vector<f64>> LevelReader<V> {
    /// Reads the next frame of the key.
    #[inline(always)]
    pub(super) fn read(&mut self, key: V) {
        let key = self.filter.next(key);
        // NaN is not larger.
        self.largest = (key * key).max(self.largest);
    }
}

impl BandSettings {
    /// The band's key in frame `i`: the band's own part of the stereo field, or the whole sidechain, silence without one.
    #[inline(always)]
    pub(super) fn key(&self, i: usize, own: Pair, sidechain: Option<Key<'_>>) -> Pair {
        match self.dynamic.key {
            KeySource::Own => self.placement.part(own),
            KeySource::Sidechain => sidechain.map_or([0.0; 2], |key| [key.left[i], key.right[i]]),
        }
    }
}
