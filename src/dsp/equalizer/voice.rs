//! One filter of a band: its sections, their memories, and the glides that move them.

use super::design::{MOST_SECTIONS, design, is_split, sections};
use super::{BandSettings, Placement, Shape};
use crate::dsp::filter::{Kernel, State, way};
use crate::dsp::{CONTROL_INTERVAL, Glide};
use crate::units::{Db, Hz};

/// A filter of fixed structure (shape, slope, placement) whose frequency, gain and Q may glide.
pub(super) struct Voice {
    rate: Hz,
    /// What the structure was made from.
    made: BandSettings,
    /// Natural logarithm of the frequency in hertz.
    frequency: Glide,
    /// Decibels.
    gain: Glide,
    /// Natural logarithm of Q.
    q: Glide,
    count: usize,
    /// The kernels at the last tick and at the next one.
    from: [Kernel; MOST_SECTIONS],
    to: [Kernel; MOST_SECTIONS],
    moving: bool,
    /// Indexed by channel, then section; mid and side use the first channel's.
    states: [[State; MOST_SECTIONS]; 2],
}

impl Voice {
    /// A voice resting at `settings`, without memory.
    pub(super) fn new(settings: &BandSettings, rate: Hz) -> Self {
        let glide = |value| Glide::new(value, Glide::TIME, rate);
        let mut voice = Self {
            rate,
            made: *settings,
            frequency: glide(settings.frequency.0.ln()),
            gain: glide(settings.gain.0),
            q: glide(settings.q.ln()),
            count: 0,
            from: [Kernel::IDENTITY; MOST_SECTIONS],
            to: [Kernel::IDENTITY; MOST_SECTIONS],
            moving: false,
            states: Default::default(),
        };
        if settings.on {
            voice.count = sections(settings.shape, settings.q, settings.slope);
            voice.to = voice.kernels();
            voice.from = voice.to;
        }
        voice
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

    /// True when it plays a gain of exactly 0 dB and nothing moves.
    pub(super) fn is_flat(&self) -> bool {
        !self.made.on || !self.moving && self.gain.landed() && self.gain.value() == 0.0
    }

    /// Starts gliding to `settings`, which can be reached.
    pub(super) fn aim(&mut self, settings: &BandSettings) {
        self.frequency.aim(settings.frequency.0.ln());
        self.gain.aim(settings.gain.0);
        self.q.aim(settings.q.ln());
    }

    /// A control tick. Unsound states are made sound here.
    pub(super) fn tick(&mut self) {
        self.from = self.to;
        self.moving = self.made.on && ![&self.frequency, &self.gain, &self.q].into_iter().all(Glide::landed);
        if self.moving {
            self.frequency.tick();
            self.gain.tick();
            self.q.tick();
            self.to = self.kernels();
        }
        if self.is_neutral() {
            self.states = Default::default();
        }
        for state in self.states.iter_mut().flatten() {
            state.settle();
        }
    }

    /// True when it changes nothing before the next tick.
    pub(super) fn is_neutral(&self) -> bool {
        self.count == 0 || !self.moving && self.to.iter().all(Kernel::is_identity)
    }

    fn kernels(&self) -> [Kernel; MOST_SECTIONS] {
        let band = BandSettings {
            frequency: Hz(self.frequency.value().exp()),
            gain: Db(self.gain.value()),
            q: self.q.value().exp(),
            ..self.made
        };
        // The structure is kept even if rounding takes Q across the border between two structures.
        design(&band, is_split(self.made.shape, self.made.q), self.rate).map(|section| Kernel::new(&section))
    }

    fn run(&mut self, since: usize, channel: usize, samples: &mut [f64]) {
        for i in 0..self.count {
            let state = &mut self.states[channel][i];
            if self.moving {
                self.from[i].glide(&self.to[i], since, state, samples);
            } else {
                self.to[i].process(state, samples);
            }
        }
    }

    /// Replaces the channels by the filtered ones. `since`: frames from the last tick to the first of these.
    pub(super) fn replace(&mut self, since: usize, [left, right]: [&mut [f64]; 2]) {
        if self.made.placement == Placement::Stereo {
            self.run(since, 0, left);
            self.run(since, 1, right);
        } else {
            let mut dry = [[0.0; CONTROL_INTERVAL]; 2];
            let frames = left.len();
            dry[0][..frames].copy_from_slice(left);
            dry[1][..frames].copy_from_slice(right);
            self.add(since, [1.0, 1.0], [&dry[0][..frames], &dry[1][..frames]], [left, right]);
        }
    }

    /// Adds what it would change in `input` to `output`, weighted from `weights[0]` at the last tick to
    /// `weights[1]` at the next. No more than one control interval at once.
    pub(super) fn add(
        &mut self,
        since: usize,
        weights: [f64; 2],
        input: [&[f64]; 2],
        [left, right]: [&mut [f64]; 2],
    ) {
        let frames = left.len();
        let mut buffer = [0.0; CONTROL_INTERVAL];
        let wet = &mut buffer[..frames];
        let weight = |i: usize| weights[0] + (weights[1] - weights[0]) * way(since + i);
        let placement = self.made.placement;
        if placement != Placement::Right && !placement.is_between() {
            wet.copy_from_slice(input[0]);
            self.run(since, 0, wet);
            for i in 0..frames {
                left[i] += weight(i) * (wet[i] - input[0][i]);
            }
        }
        if placement != Placement::Left && !placement.is_between() {
            wet.copy_from_slice(input[1]);
            self.run(since, 1, wet);
            for i in 0..frames {
                right[i] += weight(i) * (wet[i] - input[1][i]);
            }
        }
        if placement.is_between() {
            let sign = if placement == Placement::Side { -1.0 } else { 1.0 };
            let dry = |i: usize| 0.5 * (input[0][i] + sign * input[1][i]);
            for i in 0..frames {
                wet[i] = dry(i);
            }
            self.run(since, 0, wet);
            for i in 0..frames {
                let change = weight(i) * (wet[i] - dry(i));
                left[i] += change;
                right[i] += sign * change;
            }
        }
    }
}
