//! Filter of one band: its sections, their states, and the movement of their coefficients.

use super::design::{MAX_SECTIONS, design, is_split, sections};
use super::dynamics::STEP;
use super::table::Table;
use super::{BandSettings, MAX_GAIN, Placement, Shape};
use crate::filter::{Cascade, Kernel, RunningKernel, State, StereoKernel};
use crate::{CONTROL_INTERVAL, Smoother};
use simd::Registers;
use units::{Db, Hz};

/// Most sections of a shape that can be dynamic.
const MAX_DYNAMIC_SECTIONS: usize = 2;

/// A filter of fixed structure (shape, slope, placement) whose frequency, gain and Q may glide.
pub(super) struct BandFilter {
    rate: Hz,
    /// The settings that the structure was made from.
    made: BandSettings,
    /// Natural logarithm of the frequency in hertz.
    frequency: Smoother,
    /// In decibels.
    gain: Smoother,
    /// Natural logarithm of Q.
    q: Smoother,
    /// Current frequency and Q.
    place: (Hz, f64),
    /// The part of the gain that dynamics add, in decibels.
    movement: f64,
    count: usize,
    /// Kernels at the start and at the end of the current interval. Of the states mid and side use the first channel's alone.
    sections: [StereoKernel; MAX_SECTIONS],
    /// Kernels at the start and at the end differ, or may.
    moving: bool,
    /// Frames of the current interval: [`CONTROL_INTERVAL`], or [`STEP`] while dynamics move the filter.
    interval: usize,
    /// Steps left until a change of settings is complete.
    steps_behind: usize,
    /// The gain that `to` was looked up for in the table, NaN while that gain is not reached; `None`: `to` was designed.
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
            count: 0,
            sections: [StereoKernel::IDENTITY; MAX_SECTIONS],
            moving: false,
            interval: CONTROL_INTERVAL,
            steps_behind: 1,
            looked_up: None,
        };
        if settings.on {
            filter.count = sections(settings.shape, settings.q, settings.slope);
            let kernels = filter.kernels_at(settings.gain.0);
            filter.sections.iter_mut().zip(&kernels).for_each(|(section, kernel)| section.rest_at(kernel));
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
        !self.made.on || !self.moving && self.gain.is_settled() && self.gain.value() == 0.0
    }

    /// True when the band is on.
    pub(super) fn is_on(&self) -> bool {
        self.made.on
    }

    /// Starts gliding to `settings`, which can be reached.
    pub(super) fn set_target(&mut self, settings: &BandSettings) {
        self.frequency.set_target(settings.frequency.0.ln());
        self.gain.set_target(settings.gain.0);
        self.q.set_target(settings.q.ln());
    }

    /// Current frequency and Q.
    pub(super) fn place(&self) -> (Hz, f64) {
        self.place
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

    /// Sets the part of the gain that dynamics add to nothing, from the next tick on.
    pub(super) fn end_movement(&mut self) {
        self.movement = 0.0;
    }

    /// Control tick of a filter that dynamics do not move any more. Flushes invalid states.
    pub(super) fn tick(&mut self) {
        self.interval = CONTROL_INTERVAL;
        self.halt(1.0);
        self.moving = self.made.on && (!self.has_landed() || self.looked_up.is_some());
        if self.moving {
            self.tick_glides();
            self.design(self.gain.value() + self.movement);
            self.looked_up = None;
        }
        if self.is_neutral() {
            self.sections.iter_mut().for_each(|section| section.clear());
        }
        self.flush_invalid();
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
            self.design(self.gain.value() + self.movement);
            self.moving = true;
        }
        self.steps_behind = if steady { 1 } else { CONTROL_INTERVAL / STEP };
        if !steady || self.looked_up.is_none() {
            self.looked_up = Some(f64::NAN);
        }
        self.flush_invalid();
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
            self.halt(1.0);
            return;
        }
        self.moving = true;
        for (i, section) in self.sections.iter_mut().enumerate().take(self.count.min(MAX_DYNAMIC_SECTIONS)) {
            let here = *section.end();
            section.move_to(&match table.at(gain, i) {
                Some(goal) if arrives => goal,
                Some(goal) => here.mixed(&goal, 1.0 / self.steps_behind as f64),
                None => here,
            });
        }
        self.looked_up = Some(if arrives { gain } else { f64::NAN });
        self.steps_behind -= usize::from(!arrives);
    }

    /// Stops where it is, a share of the current step over.
    pub(super) fn halt(&mut self, share: f64) {
        if !self.moving {
            return;
        }
        self.sections[..self.count].iter_mut().for_each(|section| section.halt(share));
        if share < 1.0 {
            self.looked_up = Some(f64::NAN);
        }
        self.moving = false;
    }

    /// Replaces NaN, infinity and subnormal numbers in the states by zero.
    #[inline(always)]
    pub(super) fn flush_invalid(&mut self) {
        self.sections[..self.count].iter_mut().for_each(|section| section.flush_invalid());
    }

    /// True while its coefficients do not move.
    pub(super) fn is_static(&self) -> bool {
        !self.moving
    }

    /// True when ticks change nothing until it is aimed elsewhere than at `settings`.
    pub(super) fn has_arrived(&self, settings: &BandSettings) -> bool {
        !self.made.on || !self.moving && self.looked_up.is_none() && self.is_at(settings)
    }

    /// True when only dynamics move it until it is aimed elsewhere: in steps, as of the last tick.
    pub(super) fn is_only_dynamic(&self) -> bool {
        self.count > 0 && self.interval == STEP && self.steps_behind == 1 && self.has_landed()
    }

    /// True when its glides rest at `settings`.
    pub(super) fn is_at(&self, settings: &BandSettings) -> bool {
        self.frequency.is_settled_at(settings.frequency.0.ln())
            && self.gain.is_settled_at(settings.gain.0)
            && self.q.is_settled_at(settings.q.ln())
    }

    /// True when it changes nothing before the next tick.
    pub(super) fn is_neutral(&self) -> bool {
        self.count == 0 || !self.moving && self.sections.iter().all(|section| section.end().is_identity())
    }

    /// True when it acts on the mid or the side signal.
    pub(super) fn is_mid_side(&self) -> bool {
        self.made.placement.is_mid_side()
    }

    /// Number of sections.
    pub(super) fn sections(&self) -> usize {
        self.count
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
        let kernels =
            channels.map(|channel| channel.map_or(&Kernel::IDENTITY, |_| self.sections[section].end()));
        let state = |channel| self.sections[section].state(channel);
        cascade.push(kernels, channels.map(|channel| channel.map_or(State::default(), state)));
    }

    /// Takes the states of a section back, by channel of the cascade. Flushes invalid states.
    pub(super) fn take_back(&mut self, section: usize, state: impl Fn(usize) -> State) {
        for (channel, own) in self.state_channels().into_iter().enumerate() {
            if let Some(own) = own {
                self.sections[section].set_state(own, state(channel));
            }
        }
        self.sections[section].flush_invalid();
    }

    fn kernels_at(&self, gain: f64) -> [Kernel; MAX_SECTIONS] {
        let (frequency, q) = self.place();
        let band = BandSettings { frequency, gain: Db(gain.clamp(-MAX_GAIN, MAX_GAIN)), q, ..self.made };
        // The structure is kept even if rounding takes Q across the border between two structures.
        design(&band, is_split(self.made.shape, self.made.q), self.rate).map(|section| Kernel::new(&section))
    }

    /// Starts an interval towards a design of its own.
    fn design(&mut self, gain: f64) {
        let kernels = self.kernels_at(gain);
        for (section, kernel) in self.sections.iter_mut().zip(&kernels).take(self.count) {
            section.move_to(kernel);
        }
    }

    /// The part of the stereo field that it acts on.
    pub(super) fn placement(&self) -> Placement {
        self.made.placement
    }

    /// Loads the first `N` sections into registers, for a loop over frames between two steps or ticks; `since`: frames from
    /// the last tick to the first of them.
    #[inline(always)]
    pub(super) fn load<R: Registers<f64>, const N: usize>(
        &self,
        registers: R,
        since: usize,
    ) -> RunningFilter<R, N> {
        let mut sections = [StereoKernel::IDENTITY.load(registers); N];
        for i in 0..N {
            sections[i] = self.sections[i].load(registers);
        }
        // Powers of two: shares are exact.
        let (since, part) = if self.interval == STEP {
            (since % STEP, 1.0 / STEP as f64)
        } else {
            (since % CONTROL_INTERVAL, 1.0 / CONTROL_INTERVAL as f64)
        };
        RunningFilter { part: registers.splat(part), share: registers.splat(since as f64 * part), sections }
    }

    /// Takes the states back after the loop.
    #[inline(always)]
    pub(super) fn store<R: Registers<f64>, const N: usize>(&mut self, running: &RunningFilter<R, N>) {
        for i in 0..N {
            self.sections[i].store(&running.sections[i]);
        }
    }
}

/// The first `N` sections of a [`BandFilter`] in registers.
pub(super) struct RunningFilter<R: Registers<f64>, const N: usize> {
    /// Share of the interval that one frame is, and that is over.
    part: R::Vector,
    share: R::Vector,
    sections: [RunningKernel<R::Vector>; N],
}

impl<R: Registers<f64>, const N: usize> RunningFilter<R, N> {
    /// Filters the next frame, of the shape of [`Placement::part`].
    #[inline(always)]
    pub(super) fn next(&mut self, frame: R::Vector) -> R::Vector {
        self.share = self.share + self.part;
        let mut frame = frame;
        for i in 0..N {
            frame = self.sections[i].glide(self.share, frame);
        }
        frame
    }
}
