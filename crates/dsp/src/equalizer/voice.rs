//! One filter of a band: its sections, their memories, and what moves them.

use super::design::{MOST_SECTIONS, design, is_split, sections};
use super::dynamics::STEP;
use super::table::Table;
use super::{BandSettings, MOST_GAIN, Placement, Shape};
use crate::filter::{Cascade, Kernel, Part, State, way};
use crate::{CONTROL_INTERVAL, Smoother};
use units::{Db, Hz};

/// What can move has so many sections at most.
const MOVING: usize = 2;

/// A filter of fixed structure (shape, slope, placement) whose frequency, gain and Q may glide.
pub(super) struct Voice {
    rate: Hz,
    /// What the structure was made from.
    made: BandSettings,
    /// Natural logarithm of the frequency in hertz.
    frequency: Smoother,
    /// Decibels.
    gain: Smoother,
    /// Natural logarithm of Q.
    q: Smoother,
    /// Frequency and Q where they are now.
    place: (Hz, f64),
    /// What dynamics add to the gain, decibels.
    movement: f64,
    count: usize,
    /// The kernels at the last tick (or step) and at the next one.
    from: [Kernel; MOST_SECTIONS],
    to: [Kernel; MOST_SECTIONS],
    moving: bool,
    /// It was moving in the step before.
    moved: bool,
    /// Frames from one to the other.
    interval: usize,
    /// Steps left until it is where it should be.
    steps_behind: usize,
    /// `to` is no design of its own: it was mixed for this gain, NaN if that is still to be reached.
    looked_up: Option<f64>,
    /// Indexed by channel, then section; mid and side use the first channel's.
    states: [[State; MOST_SECTIONS]; 2],
}

impl Voice {
    /// A voice resting at `settings`, without memory.
    pub(super) fn new(settings: &BandSettings, rate: Hz) -> Self {
        let glide = |value| Smoother::new(value, Smoother::TIME, rate);
        let mut voice = Self {
            rate,
            made: *settings,
            frequency: glide(settings.frequency.0.ln()),
            gain: glide(settings.gain.0),
            q: glide(settings.q.ln()),
            place: (Hz(settings.frequency.0.ln().exp()), settings.q.ln().exp()),
            movement: 0.0,
            count: 0,
            from: [Kernel::IDENTITY; MOST_SECTIONS],
            to: [Kernel::IDENTITY; MOST_SECTIONS],
            moving: false,
            moved: false,
            interval: CONTROL_INTERVAL,
            steps_behind: 1,
            looked_up: None,
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
        !self.made.on || !self.moving && self.gain.is_settled() && self.gain.value() == 0.0
    }

    /// True when it plays.
    pub(super) fn is_on(&self) -> bool {
        self.made.on
    }

    /// Starts gliding to `settings`, which can be reached.
    pub(super) fn set_target(&mut self, settings: &BandSettings) {
        self.frequency.set_target(settings.frequency.0.ln());
        self.gain.set_target(settings.gain.0);
        self.q.set_target(settings.q.ln());
    }

    /// Where it is: frequency and Q.
    pub(super) fn place(&self) -> (Hz, f64) {
        self.place
    }

    /// The next tick of the glides.
    fn glide(&mut self) {
        self.gain.tick();
        if !self.frequency.is_settled() || !self.q.is_settled() {
            self.place = (Hz(self.frequency.tick().exp()), self.q.tick().exp());
        }
    }

    /// A control tick. Unsound states are made sound here.
    pub(super) fn tick(&mut self) {
        self.from = self.to;
        self.interval = CONTROL_INTERVAL;
        let landed = [&self.frequency, &self.gain, &self.q].into_iter().all(Smoother::is_settled);
        self.moving = self.made.on && (!landed || self.looked_up.is_some());
        if self.moving {
            self.glide();
            self.to = self.kernels();
            self.looked_up = None;
        }
        if self.is_neutral() {
            self.states = Default::default();
        }
        self.flush_invalid();
    }

    /// A control tick of a voice that dynamics move by up to `range` decibels. While `table` lacks filters for that
    /// (one is designed per tick), or the place moves, each tick has a design of its own and steps do nothing.
    pub(super) fn tick_dynamic(&mut self, range: &Smoother, table: &mut Table) {
        let placed = self.frequency.is_settled() && self.q.is_settled();
        let steady = self.interval == STEP && self.gain.is_settled() && range.is_settled();
        self.glide();
        table.keep_for(self.made.shape, self.frequency.value(), self.q.value());
        let design = |gain| {
            let [first, second, ..] = self.kernels_at(gain);
            [first, second]
        };
        // Also where gain and range are going: better there before than half there on the way.
        let gains = [self.gain.value(), self.gain.target()];
        let ranges = [0.0, range.value(), range.target()];
        let ends = [f64::min, f64::max]
            .map(|end| gains.into_iter().reduce(end).unwrap_or(0.0) + ranges.into_iter().fold(0.0, end));
        if placed && table.covers(ends, design) {
            self.interval = STEP;
        } else {
            self.from = self.to;
            self.interval = CONTROL_INTERVAL;
            self.to = self.kernels();
            self.moving = true;
        }
        self.steps_behind = if steady { 1 } else { CONTROL_INTERVAL / STEP };
        if !steady || self.looked_up.is_none() {
            self.looked_up = Some(f64::NAN);
        }
        self.flush_invalid();
    }

    /// How much of `movement` fits beside the gain.
    pub(super) fn reach(&self, movement: f64) -> f64 {
        let gain = self.gain.value();
        (gain + movement).clamp(-MOST_GAIN, MOST_GAIN) - gain
    }

    /// Moves to its gain plus `movement` decibels within a step.
    pub(super) fn step(&mut self, movement: f64, table: &Table) {
        self.movement = movement;
        if self.interval != STEP {
            return;
        }
        if self.steps_behind == 1 {
            self.coast(movement, table);
            return;
        }
        // What a tick has changed arrives with the last of its steps.
        let gain = self.gain.value() + movement;
        let way = 1.0 / self.steps_behind as f64;
        (self.moved, self.moving) = (self.moving, true);
        for i in 0..self.count.min(MOVING) {
            self.from[i] = self.to[i];
            if let Some(goal) = table.at(gain, i) {
                self.to[i] = self.from[i].mixed(&goal, way);
            }
        }
        self.looked_up = Some(f64::NAN);
        self.steps_behind -= 1;
    }

    /// The same, while it [coasts](Self::coasts).
    #[inline(always)]
    pub(super) fn coast(&mut self, movement: f64, table: &Table) {
        self.movement = movement;
        let gain = self.gain.value() + movement;
        (self.moved, self.moving) = (self.moving, self.looked_up != Some(gain));
        if !self.moving && !self.moved {
            return;
        }
        self.from[0] = self.to[0];
        if let Some(goal) = table.at(gain, 0) {
            self.to[0] = goal;
        }
        if self.count >= MOVING {
            self.from[1] = self.to[1];
            if let Some(goal) = table.at(gain, 1) {
                self.to[1] = goal;
            }
        }
        self.looked_up = Some(gain);
    }

    /// Makes unsound states sound.
    pub(super) fn flush_invalid(&mut self) {
        for states in &mut self.states {
            states[..self.count].iter_mut().for_each(State::flush_invalid);
        }
    }

    /// True while nothing moves it.
    pub(super) fn stands(&self) -> bool {
        !self.moving
    }

    /// True when ticks change nothing until it is aimed elsewhere than at `settings`.
    pub(super) fn has_arrived(&self, settings: &BandSettings) -> bool {
        !self.made.on || !self.moving && self.looked_up.is_none() && self.is_at(settings)
    }

    /// True when it acts on the middle or the sides.
    pub(super) fn is_between(&self) -> bool {
        self.made.placement.is_between()
    }

    /// Sections that change something.
    pub(super) fn sections(&self) -> usize {
        if self.is_neutral() { 0 } else { self.count }
    }

    /// Of the two channels it is given (left and right, or middle and sides), whose memory serves each that it acts on.
    fn memories(&self) -> [Option<usize>; 2] {
        match self.made.placement {
            Placement::Stereo => [Some(0), Some(1)],
            Placement::Left | Placement::Mid => [Some(0), None],
            Placement::Right => [None, Some(1)],
            Placement::Side => [None, Some(0)],
        }
    }

    /// Which of two channels as of [`memories`](Self::memories) it acts on.
    pub(super) fn acts(&self) -> [bool; 2] {
        self.memories().map(|memory| memory.is_some())
    }

    /// Adds a section to `cascade`, for two channels as of [`memories`](Self::memories).
    pub(super) fn lend(&self, section: usize, cascade: &mut Cascade) {
        let memories = self.memories();
        let kernels = memories.map(|memory| memory.map_or(&Kernel::IDENTITY, |_| &self.to[section]));
        cascade.push(
            kernels,
            memories.map(|memory| memory.map_or(State::default(), |m| self.states[m][section])),
        );
    }

    /// Takes the states of a section back, by channel as in [`lend`](Self::lend). An unsound state is made sound.
    pub(super) fn take_back(&mut self, section: usize, states: impl Fn(usize) -> State) {
        for (channel, memory) in self.memories().into_iter().enumerate() {
            if let Some(memory) = memory {
                let mut state = states(channel);
                state.flush_invalid();
                self.states[memory][section] = state;
            }
        }
    }

    /// A section where it stands between two steps, for two channels as of [`memories`](Self::memories), and its states.
    pub(super) fn part(&self, section: usize) -> Part<'_> {
        let memories = self.memories();
        Part {
            stands: memories.map(|memory| memory.map(|_| &self.to[section])),
            follows: section > 0,
            states: memories.map(|memory| memory.map_or(State::default(), |m| self.states[m][section])),
            ears: [None; 2],
            ear_states: Default::default(),
            loudest: 0.0,
            beside: false,
        }
    }

    /// From where to where a section goes in this step, if it goes anywhere or came from anywhere in the step before.
    #[inline(always)]
    pub(super) fn directed(&self, section: usize) -> Option<[&Kernel; 2]> {
        let to = &self.to[section];
        let from = if self.moving { &self.from[section] } else { to };
        (self.moving || self.moved).then_some([from, to])
    }

    /// Stands still where it is, having gone a share of this step.
    pub(super) fn halt(&mut self, gone: f64) {
        if self.moving && gone < 1.0 {
            for (from, to) in self.from.iter().zip(&mut self.to).take(MOVING) {
                *to = from.mixed(to, gone);
            }
            self.looked_up = Some(f64::NAN);
        }
        self.from = self.to;
        (self.moving, self.moved) = (false, false);
    }

    /// True when only dynamics move it until it is aimed elsewhere: in steps, as of the last tick.
    pub(super) fn coasts(&self) -> bool {
        let landed = [&self.frequency, &self.gain, &self.q].into_iter().all(Smoother::is_settled);
        self.count > 0 && self.interval == STEP && self.steps_behind == 1 && landed
    }

    /// True when its glides are where `settings` want them.
    pub(super) fn is_at(&self, settings: &BandSettings) -> bool {
        self.frequency.is_settled_at(settings.frequency.0.ln())
            && self.gain.is_settled_at(settings.gain.0)
            && self.q.is_settled_at(settings.q.ln())
    }

    /// No dynamics any more: back to the gain itself.
    pub(super) fn stand_still(&mut self) {
        self.movement = 0.0;
    }

    /// True when it changes nothing before the next tick.
    pub(super) fn is_neutral(&self) -> bool {
        self.count == 0 || !self.moving && self.to.iter().all(Kernel::is_identity)
    }

    fn kernels(&self) -> [Kernel; MOST_SECTIONS] {
        self.kernels_at(self.gain.value() + self.movement)
    }

    fn kernels_at(&self, gain: f64) -> [Kernel; MOST_SECTIONS] {
        let (frequency, q) = self.place();
        let band = BandSettings { frequency, gain: Db(gain.clamp(-MOST_GAIN, MOST_GAIN)), q, ..self.made };
        // The structure is kept even if rounding takes Q across the border between two structures.
        design(&band, is_split(self.made.shape, self.made.q), self.rate).map(|section| Kernel::new(&section))
    }

    fn run(&mut self, since: usize, channel: usize, samples: &mut [f64]) {
        for i in 0..self.count {
            let state = &mut self.states[channel][i];
            if self.moving {
                let since = since % self.interval;
                self.from[i].glide(&self.to[i], since, self.interval, state, samples);
            } else {
                self.to[i].process(state, samples);
            }
        }
    }

    /// Replaces the channels by the filtered ones. `since`: frames from the last tick to the first of these. Never past
    /// the next tick, or the next step while dynamics move the voice.
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
    /// `weights[1]` at the next. No longer than [`replace`](Self::replace).
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
