//! Filter of one band: its sections, their states, and the movement of their coefficients.

use super::design::{MAX_SECTIONS, design, is_split, sections};
use super::dynamics::STEP;
use super::table::Table;
use super::{BandSettings, MAX_GAIN, Placement, Shape};
use crate::filter::{Cascade, Kernel, Series, State};
use crate::{CONTROL_INTERVAL, Smoother};
use units::{Db, Hz};

/// Most sections of a shape that can be dynamic.
const MAX_DYNAMIC_SECTIONS: usize = 2;

/// A filter of fixed structure (shape, slope, placement) whose frequency, gain and Q may glide.
pub(super) struct BandFilter {
    rate: Hz,
    /// The settings that the structure was made from.
    pub(super) made: BandSettings,
    /// Natural logarithm of the frequency in hertz.
    frequency: Smoother,
    /// In decibels.
    gain: Smoother,
    /// Natural logarithm of Q.
    q: Smoother,
    /// Current frequency and Q.
    pub(super) place: (Hz, f64),
    /// The part of the gain that dynamics add, in decibels.
    pub(super) movement: f64,
    /// Of the states mid and side use the first channel's alone.
    pub(super) series: Series<MAX_SECTIONS>,
    /// Frames of the current interval: [`CONTROL_INTERVAL`], or [`STEP`] while dynamics move the filter.
    pub(super) interval: usize,
    /// Steps left until a change of settings is complete.
    steps_behind: usize,
    /// The gain that the end of the interval was looked up for in the table, NaN while that gain is not reached; `None`: it
    /// was designed.
    looked_up: Option<f64>,
}

impl BandFilter {
    /// A filter at rest at `settings`, without memory.
    pub(super) fn new(settings: &BandSettings, rate: Hz) -> Self {
        let glide = |value| Smoother::new(value, Smoother::TIME, rate);
        let mut filter = Self {
            rate,
            made: *settings,
            frequency: glide(settings.frequency.0.ln()),
            gain: glide(settings.gain.0),
            q: glide(settings.q.ln()),
            place: (Hz(settings.frequency.0.ln().exp()), settings.q.ln().exp()),
            movement: 0.0,
            series: Series::new(&[]),
            interval: CONTROL_INTERVAL,
            steps_behind: 1,
            looked_up: None,
        };
        if settings.on {
            let kernels = filter.kernels_at(settings.gain.0);
            filter.series = Series::new(&kernels[..sections(settings.shape, settings.q, settings.slope)]);
        }
        filter
    }

    /// True when `settings` can be reached by gliding.
    pub(super) fn can_reach(&self, settings: &BandSettings) -> bool {
        let made = &self.made;
        let is_cut = matches!(made.shape, Shape::LowCut | Shape::HighCut);
        made.on == settings.on
            && (!made.on
                || made.shape == settings.shape
                    && made.placement == settings.placement
                    && is_split(made.shape, made.q) == is_split(settings.shape, settings.q)
                    && (!is_cut || made.slope == settings.slope))
    }

    /// True when its gain is exactly 0 dB and nothing moves.
    pub(super) fn is_flat(&self) -> bool {
        !self.made.on || self.series.is_static() && self.gain.is_settled_at(0.0)
    }

    /// Glides to `settings`, which can be reached.
    pub(super) fn set_target(&mut self, settings: &BandSettings) {
        self.frequency.set_target(settings.frequency.0.ln());
        self.gain.set_target(settings.gain.0);
        self.q.set_target(settings.q.ln());
    }

    /// True when no glide is on its way.
    fn has_landed(&self) -> bool {
        self.frequency.is_settled() && self.gain.is_settled() && self.q.is_settled()
    }

    fn tick_glides(&mut self) {
        self.gain.tick();
        if !self.frequency.is_settled() || !self.q.is_settled() {
            self.place = (Hz(self.frequency.tick().exp()), self.q.tick().exp());
        }
    }

    /// Control tick of a filter that dynamics do not move any more. Flushes invalid states.
    pub(super) fn tick(&mut self) {
        self.interval = CONTROL_INTERVAL;
        self.series.halt(1.0);
        if self.made.on && (!self.has_landed() || self.looked_up.is_some()) {
            self.tick_glides();
            self.design();
            self.looked_up = None;
        }
        if self.series.is_neutral() {
            self.series.clear();
        }
        self.series.flush_invalid();
    }

    /// Control tick while dynamics may add up to `range` decibels. While `table` lacks kernels for that (one is designed
    /// per tick), or frequency or Q glide, each tick has a design of its own and steps do nothing.
    pub(super) fn tick_dynamic(&mut self, range: &Smoother, table: &mut Table) {
        let placed = self.frequency.is_settled() && self.q.is_settled();
        let steady = self.interval == STEP && self.gain.is_settled() && range.is_settled();
        self.tick_glides();
        table.keep_for(self.made.shape, self.frequency.value(), self.q.value());
        let design = |gain| {
            let [first, second, ..] = self.kernels_at(gain);
            [first, second]
        };
        // The targets of gain and range, too: the table is to be complete before they are reached.
        let gains = [self.gain.value(), self.gain.target()];
        let ranges = [0.0, range.value(), range.target()];
        let ends = [f64::min, f64::max]
            .map(|end| gains.into_iter().reduce(end).unwrap_or(0.0) + ranges.into_iter().fold(0.0, end));
        if placed && table.covers(ends, design) {
            self.interval = STEP;
        } else {
            self.interval = CONTROL_INTERVAL;
            self.design();
        }
        self.steps_behind = if steady { 1 } else { CONTROL_INTERVAL / STEP };
        if !steady || self.looked_up.is_none() {
            self.looked_up = Some(f64::NAN);
        }
        self.series.flush_invalid();
    }

    /// The part of `movement` decibels that keeps the whole gain within ±18 dB.
    pub(super) fn limited_movement(&self, movement: f64) -> f64 {
        let gain = self.gain.value();
        (gain + movement).clamp(-MAX_GAIN, MAX_GAIN) - gain
    }

    /// Starts a step of [`STEP`] frames towards the gain plus `movement` decibels.
    #[inline(always)]
    pub(super) fn step(&mut self, movement: f64, table: &Table) {
        self.movement = movement;
        if self.interval != STEP {
            return;
        }
        let gain = self.gain.value() + movement;
        // A change of settings at a tick is spread over all steps of the control interval.
        let arrives = self.steps_behind == 1;
        if arrives && self.looked_up == Some(gain) {
            self.series.halt(1.0);
            return;
        }
        for i in 0..self.series.count().min(MAX_DYNAMIC_SECTIONS) {
            let here = *self.series.end(i);
            let goal = match table.at(gain, i) {
                Some(goal) if arrives => goal,
                Some(goal) => here.mixed(&goal, 1.0 / self.steps_behind as f64),
                None => here,
            };
            self.series.move_to(i, &goal);
        }
        self.looked_up = Some(if arrives { gain } else { f64::NAN });
        self.steps_behind -= usize::from(!arrives);
    }

    /// Stops where it is, a share of the current step over.
    pub(super) fn halt(&mut self, share: f64) {
        if share < 1.0 && !self.series.is_static() {
            self.looked_up = Some(f64::NAN);
        }
        self.series.halt(share);
    }

    /// True when ticks change nothing until it is aimed elsewhere than at `settings`.
    pub(super) fn has_arrived(&self, settings: &BandSettings) -> bool {
        !self.made.on || self.series.is_static() && self.looked_up.is_none() && self.is_at(settings)
    }

    /// True when only dynamics move it until it is aimed elsewhere: in steps, as of the last tick.
    pub(super) fn is_only_dynamic(&self) -> bool {
        self.made.on && self.interval == STEP && self.steps_behind == 1 && self.has_landed()
    }

    /// True when its glides rest at `settings`.
    pub(super) fn is_at(&self, settings: &BandSettings) -> bool {
        self.frequency.is_settled_at(settings.frequency.0.ln())
            && self.gain.is_settled_at(settings.gain.0)
            && self.q.is_settled_at(settings.q.ln())
    }

    /// By channel of a [`Cascade`] (left and right, or mid and side): the channel of the states that it uses, if any.
    fn state_channels(&self) -> [Option<usize>; 2] {
        match self.made.placement {
            Placement::Stereo => [Some(0), Some(1)],
            Placement::Left | Placement::Mid => [Some(0), None],
            Placement::Right => [None, Some(1)],
            Placement::Side => [None, Some(0)],
        }
    }

    /// Adds a section and its states to `cascade`.
    pub(super) fn lend(&self, section: usize, cascade: &mut Cascade) {
        let channels = self.state_channels();
        let kernels = channels.map(|own| own.map_or(&Kernel::IDENTITY, |_| self.series.end(section)));
        let state = |own| self.series.state(section, own);
        cascade.push(kernels, channels.map(|own| own.map_or(State::default(), state)));
    }

    /// Takes the states of a section back, by channel of the cascade.
    pub(super) fn take_back(&mut self, section: usize, state: impl Fn(usize) -> State) {
        for (channel, own) in self.state_channels().into_iter().enumerate() {
            if let Some(own) = own {
                self.series.set_state(section, own, state(channel));
            }
        }
    }

    fn kernels_at(&self, gain: f64) -> [Kernel; MAX_SECTIONS] {
        let (frequency, q) = self.place;
        let band = BandSettings { frequency, gain: Db(gain.clamp(-MAX_GAIN, MAX_GAIN)), q, ..self.made };
        // The structure is kept even if rounding takes Q across the border between two structures.
        design(&band, is_split(self.made.shape, self.made.q), self.rate).map(|section| Kernel::new(&section))
    }

    /// Starts an interval towards a design of its own.
    fn design(&mut self) {
        let kernels = self.kernels_at(self.gain.value() + self.movement);
        for (i, kernel) in kernels.iter().enumerate().take(self.series.count()) {
            self.series.move_to(i, kernel);
        }
    }
}
