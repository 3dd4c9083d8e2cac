//! One band: its filter, the dynamics that move it, and the crossfade from the filter before.

use super::band_filter::BandFilter;
use super::design::{MAX_SECTIONS, is_split};
use super::dynamics::{Dynamics, STEP};
use super::{BandSettings, Placement};
use crate::filter::ramp_share;
use crate::{Block, GainLog, KeySource, Smoother};
use simd::{Pairs, Registers, stereo};
use units::{Db, Hz};

/// Work that a band needs until the next control tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// None: it changes nothing.
    Neutral,
    /// One filter whose coefficients do not move.
    Static,
    /// Dynamics, a glide or a crossfade.
    Moving,
}

/// A band of the equalizer, also usable alone.
///
/// Frequency, gain and Q glide. Changes that cannot glide (on and off, shape, slope, placement) crossfade between two
/// filters; a change during a crossfade waits for its end.
pub(crate) struct Band {
    rate: Hz,
    /// The settings it goes to.
    pub(super) goal: BandSettings,
    /// Alone unless a crossfade is on its way.
    pub(super) filter: BandFilter,
    fading: BandFilter,
    /// Move `filter`; `fading` keeps the gain it had.
    dynamics: Dynamics,
    fade: Smoother,
    /// Share of `filter` at the last tick and at the next one; the rest is `fading`'s.
    share: [f64; 2],
    /// Ticks change nothing until new settings come, as of the last tick.
    pub(super) arrived: bool,
}

impl Band {
    pub(crate) fn new(settings: &BandSettings, rate: Hz) -> Self {
        let [filter, fading] = [(); 2].map(|()| BandFilter::new(&BandSettings::default(), rate));
        let mut band = Self {
            rate,
            goal: settings.clamped(),
            filter,
            fading,
            dynamics: Dynamics::new(rate),
            fade: Smoother::new(1.0, Smoother::TIME, rate),
            share: [1.0; 2],
            arrived: false,
        };
        band.reset();
        band
    }

    /// Takes new settings, at once or from the next tick on.
    pub(crate) fn set(&mut self, settings: &BandSettings, at_once: bool) {
        self.goal = settings.clamped();
        self.arrived = false;
        if at_once {
            self.reset();
        }
    }

    /// Forgets audio and glides; rests at the last settings.
    pub(crate) fn reset(&mut self) {
        self.filter = BandFilter::new(&without_idle_pair(&self.goal), self.rate);
        self.dynamics.rest(&self.goal);
        self.fade.set_now(1.0);
        self.share = [1.0; 2];
        self.arrived = false;
    }

    /// The part of the gain that dynamics add now.
    pub(super) fn movement(&self) -> Db {
        Db(self.filter.limited_movement(self.dynamics.movement()))
    }

    /// Control tick.
    pub(crate) fn tick(&mut self) {
        if self.arrived {
            self.filter.series.flush_invalid();
            return;
        }
        self.share[0] = self.share[1];
        let goal = self.reachable();
        if self.share[0] == 1.0 && !self.filter.can_reach(&goal) {
            let next = BandFilter::new(&goal, self.rate);
            self.fading = core::mem::replace(&mut self.filter, next);
            self.fade.set_now(0.0);
            self.fade.set_target(1.0);
            self.share[0] = 0.0;
        }
        if self.filter.can_reach(&goal) {
            self.filter.set_target(&goal);
        }
        self.share[1] = self.fade.tick();
        let (frequency, q) = self.filter.place;
        self.dynamics.tick(&self.goal, frequency, q);
        if self.dynamics.active && self.filter.made.on {
            let Dynamics { range, table, .. } = &mut self.dynamics;
            self.filter.tick_dynamic(range, table);
        } else {
            self.filter.movement = 0.0;
            self.filter.tick();
        }
        if !self.is_whole() {
            self.fading.tick();
        }
        self.arrived = self.is_there();
    }

    /// The goal, or off when that is the same: two sections that cancel are only nearly neutral.
    fn reachable(&self) -> BandSettings {
        if self.filter.is_flat() { without_idle_pair(&self.goal) } else { self.goal }
    }

    /// True when no crossfade is on its way.
    fn is_whole(&self) -> bool {
        self.share == [1.0; 2]
    }

    /// True when it changes nothing before the next tick.
    fn rests(&self) -> bool {
        self.filter.series.is_neutral() && (self.is_whole() || self.fading.series.is_neutral())
    }

    /// True when it changes nothing until new settings come.
    pub(crate) fn is_neutral(&self) -> bool {
        !self.dynamics.active
            && self.rests()
            && self.is_whole()
            && self.goal.is_idle()
            && self.filter.can_reach(&self.reachable())
    }

    /// Work until the next control tick.
    pub(super) fn role(&self) -> Role {
        if self.dynamics.active {
            Role::Moving
        } else if self.rests() {
            Role::Neutral
        } else if self.is_whole() && self.filter.series.is_static() {
            Role::Static
        } else {
            Role::Moving
        }
    }

    /// True when only dynamics move it until new settings come, in steps.
    pub(super) fn is_only_dynamic(&self) -> bool {
        self.is_whole() && self.dynamics.is_steady() && self.filter.is_only_dynamic()
    }

    /// Replaces NaN, infinity and subnormal numbers in the states of a band that only dynamics move by zero.
    pub(super) fn flush_invalid(&mut self) {
        self.filter.series.flush_invalid();
        self.dynamics.filter.series.flush_invalid();
    }

    fn is_there(&self) -> bool {
        let goal = self.reachable();
        self.is_whole()
            && self.filter.can_reach(&goal)
            && (self.dynamics.rests() && self.filter.has_arrived(&goal)
                || self.is_only_dynamic() && self.filter.is_at(&goal))
    }

    /// Filters in place: a plain loop over short stretches that neither ticks nor steps interrupt.
    ///
    /// `since`: frames from the last tick to the first of these; never across the next tick, unless only dynamics move the
    /// band. `gain_log`: source or record of the movements.
    #[inline(always)]
    pub(crate) fn process(&mut self, since: usize, block: &mut Block<'_>, gain_log: &mut GainLog<'_>) {
        let dynamic = self.dynamics.active;
        if self.rests() && !dynamic {
            return;
        }
        let mut at = 0;
        while at < block.len() {
            let since = since + at;
            let mut stretch = block.part(at..block.len().min(at + STEP - since % STEP));
            at += stretch.len();
            if dynamic && since.is_multiple_of(STEP) {
                let movement = gain_log.value(|| self.dynamics.step());
                self.filter.step(movement, &self.dynamics.table);
            }
            let kind = Kind {
                placement: self.filter.made.placement,
                source: self.dynamics.source().filter(|_| gain_log.computes()),
                key_moves: !self.dynamics.filter.series.is_static(),
            };
            match self.filter.series.count() {
                _ if !self.is_whole() => self.crossfade(since, &mut stretch, kind),
                // A constant kind has a loop of its own, without choices.
                1 if kind == Kind::USUAL => self.replace::<1>(since, &mut stretch, Kind::USUAL),
                1 => self.replace::<1>(since, &mut stretch, kind),
                2 => self.replace::<2>(since, &mut stretch, kind),
                _ => self.replace::<MAX_SECTIONS>(since, &mut stretch, kind),
            }
        }
    }

    /// Reads the level of the key and filters, frame by frame: up to [`STEP`] frames that no tick and no step interrupts.
    #[inline(always)]
    fn replace<const N: usize>(&mut self, since: usize, block: &mut Block<'_>, kind: Kind) {
        let (registers, key) = (stereo(), block.key());
        let (left, right) = block.channels();
        let right = &mut right[..left.len()];
        let zero = registers.splat(0.0);
        let mut level = self.dynamics.load(registers, since, kind.key_moves);
        let mut filter = self.filter.series.load::<_, N>(registers, since, self.filter.interval, true);
        for i in 0..left.len() {
            let input = [left[i], right[i]];
            let dry = zero.push(kind.placement.part(input));
            match (kind.source, key) {
                (None, _) => {}
                // The band acts on what it is keyed by.
                (Some(KeySource::Own), _) => level.read(dry),
                (Some(KeySource::Sidechain), None) => level.read(zero),
                (Some(KeySource::Sidechain), Some(key)) => level.read(zero.push([key.left[i], key.right[i]])),
            }
            let wet = filter.next(dry);
            [left[i], right[i]] = match kind.placement {
                Placement::Stereo => wet.last(),
                placement => placement.add(input, (wet - dry).last()),
            };
        }
        self.dynamics.store(&level);
        self.filter.series.store(&filter);
    }

    /// The same with two filters, during a crossfade.
    fn crossfade(&mut self, since: usize, block: &mut Block<'_>, kind: Kind) {
        let (registers, key) = (stereo(), block.key());
        let (left, right) = block.channels();
        let zero = registers.splat(0.0);
        let mut level = self.dynamics.load(registers, since, kind.key_moves);
        let mut running = [&self.filter, &self.fading]
            .map(|filter| filter.series.load::<_, MAX_SECTIONS>(registers, since, filter.interval, true));
        let [before, after] = self.share.map(|share| [share, 1.0 - share]);
        for i in 0..left.len() {
            let (input, ramp) = ([left[i], right[i]], ramp_share(since + i));
            if kind.source.is_some() {
                level.read(zero.push(self.dynamics.settings.key(i, input, key)));
            }
            let mut output = input;
            for (k, filter) in [&self.filter, &self.fading].into_iter().enumerate() {
                if !filter.series.is_neutral() {
                    let weight = registers.splat(before[k] + (after[k] - before[k]) * ramp);
                    let dry = zero.push(filter.made.placement.part(input));
                    let change = weight * (running[k].next(dry) - dry);
                    output = filter.made.placement.add(output, change.last());
                }
            }
            [left[i], right[i]] = output;
        }
        self.dynamics.store(&level);
        self.filter.series.store(&running[0]);
        self.fading.series.store(&running[1]);
    }
}

/// Properties of a band that hold for all frames between two steps or ticks.
#[derive(Clone, Copy, PartialEq)]
struct Kind {
    placement: Placement,
    /// The key whose level is read, if any is.
    source: Option<KeySource>,
    /// The key filter glides.
    key_moves: bool,
}

impl Kind {
    /// A dynamic band as most are.
    const USUAL: Self = Self { placement: Placement::Stereo, source: Some(KeySource::Own), key_moves: false };
}

/// `goal`, but off where it is idle in two sections, which cancel only nearly.
fn without_idle_pair(goal: &BandSettings) -> BandSettings {
    let off = goal.is_idle() && is_split(goal.shape, goal.q);
    BandSettings { on: goal.on && !off, ..*goal }
}
