//! One band: its filter, the dynamics that move it, and the crossfade from the filter before.

use super::band_filter::BandFilter;
use super::design::{MAX_SECTIONS, is_split};
use super::dynamics::{Dynamics, STEP};
use super::{BandSettings, Placement};
use crate::filter::ramp_share;
use crate::{GainLog, Key, KeySource, Smoother};
use simd::{Pairs, Registers, stereo};
use units::{Db, Hz};

/// Work that a band needs until the next control tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// None: it changes nothing.
    Neutral,
    /// One filter whose coefficients do not move.
    Static,
    /// One filter that only dynamics move.
    Dynamic,
    /// A glide or a crossfade, with or without dynamics.
    Crossfading,
}

/// A band of the equalizer, also usable alone.
///
/// Frequency, gain and Q glide. Changes that cannot glide (on and off, shape, slope, placement) crossfade between two
/// filters; a change during a crossfade waits for its end.
pub(crate) struct Band {
    rate: Hz,
    goal: BandSettings,
    filter: BandFilter,
    fading: BandFilter,
    /// Move `filter`; `fading` keeps the gain it had.
    dynamics: Dynamics,
    fade: Smoother,
    /// Share of `filter` at the last tick and at the next one; the rest is `fading`'s.
    share: [f64; 2],
    /// `filter` glides to the goal, if it can.
    aimed: bool,
    /// Ticks would change nothing.
    arrived: bool,
}

impl Band {
    pub(crate) fn new(settings: &BandSettings, rate: Hz) -> Self {
        let goal = settings.clamped();
        Self {
            rate,
            goal,
            filter: BandFilter::new(&without_idle_pair(&goal), rate),
            dynamics: Dynamics::new(&goal, rate),
            fading: BandFilter::new(&BandSettings::default(), rate),
            fade: Smoother::new(1.0, Smoother::TIME, rate),
            share: [1.0; 2],
            aimed: false,
            arrived: false,
        }
    }

    /// Takes new settings, at once or from the next tick on.
    pub(crate) fn set(&mut self, settings: &BandSettings, at_once: bool) {
        self.goal = settings.clamped();
        (self.aimed, self.arrived) = (false, false);
        self.dynamics.set(&self.goal);
        if at_once {
            self.reset();
        }
    }

    /// Forgets audio and glides; rests at the last settings.
    pub(crate) fn reset(&mut self) {
        self.filter = BandFilter::new(&without_idle_pair(&self.goal), self.rate);
        self.fading = BandFilter::new(&BandSettings::default(), self.rate);
        self.dynamics.rest(&self.goal);
        self.fade.set_now(1.0);
        self.share = [1.0; 2];
        (self.aimed, self.arrived) = (false, false);
    }

    /// The settings it goes to.
    pub(super) fn goal(&self) -> &BandSettings {
        &self.goal
    }

    /// The part of the gain that dynamics add now.
    pub(super) fn movement(&self) -> Db {
        Db(self.filter.limited_movement(self.dynamics.movement()))
    }

    /// Control tick.
    pub(crate) fn tick(&mut self) {
        if self.arrived {
            self.filter.flush_invalid();
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
            self.aimed = false;
        }
        if self.filter.can_reach(&goal) && !self.aimed {
            self.filter.set_target(&goal);
            self.aimed = true;
        }
        self.share[1] = self.fade.tick();
        let (frequency, q) = self.filter.place();
        self.dynamics.tick(frequency, q);
        if self.dynamics.is_active() && self.filter.is_on() {
            let Dynamics { range, table, .. } = &mut self.dynamics;
            self.filter.tick_dynamic(range, table);
        } else {
            self.filter.end_movement();
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
    pub(crate) fn rests(&self) -> bool {
        self.filter.is_neutral() && (self.is_whole() || self.fading.is_neutral())
    }

    /// True when it changes nothing until new settings come.
    pub(crate) fn is_neutral(&self) -> bool {
        !self.dynamics.is_active()
            && self.rests()
            && self.is_whole()
            && self.goal.is_idle()
            && self.filter.can_reach(&self.reachable())
    }

    /// Work until the next control tick.
    pub(super) fn role(&self) -> Role {
        if self.is_only_dynamic() {
            Role::Dynamic
        } else if self.dynamics.is_active() {
            Role::Crossfading
        } else if self.rests() {
            Role::Neutral
        } else if self.is_whole() && self.filter.is_static() {
            Role::Static
        } else {
            Role::Crossfading
        }
    }

    /// True when only dynamics move it until new settings come.
    fn is_only_dynamic(&self) -> bool {
        self.is_whole() && self.dynamics.is_steady() && self.filter.is_only_dynamic()
    }

    /// The filter, alone while the role is static or dynamic.
    pub(super) fn filter(&self) -> &BandFilter {
        &self.filter
    }

    /// The same, to give its states back or to halt it.
    pub(super) fn filter_mut(&mut self) -> &mut BandFilter {
        &mut self.filter
    }

    /// Replaces NaN, infinity and subnormal numbers in the states of a band that only dynamics move by zero.
    pub(super) fn flush_invalid(&mut self) {
        self.filter.flush_invalid();
        self.dynamics.flush_invalid();
    }

    /// True when ticks change nothing until new settings come, as of the last tick.
    pub(super) fn has_arrived(&self) -> bool {
        self.arrived
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
    /// band. `key`: the sidechain, as long as the channels. `gain_log`: source or record of the movements.
    #[inline(always)]
    pub(crate) fn process(
        &mut self,
        since: usize,
        left: &mut [f64],
        right: &mut [f64],
        key: Option<Key<'_>>,
        gain_log: &mut GainLog<'_>,
    ) {
        let dynamic = self.dynamics.is_active();
        if self.rests() && !dynamic {
            return;
        }
        let mut at = 0;
        while at < left.len() {
            let since = since + at;
            let range = at..left.len().min(at + STEP - since % STEP);
            at = range.end;
            if dynamic && since.is_multiple_of(STEP) {
                let movement = gain_log.value(|| self.dynamics.step());
                self.filter.step(movement, &self.dynamics.table);
            }
            let key = key.map(|key| Key { left: &key.left[range.clone()], right: &key.right[range.clone()] });
            let (left, right) = (&mut left[range.clone()], &mut right[range]);
            let stretch = Stretch { since, left, right, key };
            let kind = Kind {
                placement: self.filter.placement(),
                source: self.dynamics.source().filter(|_| gain_log.computes()),
                key_moves: self.dynamics.key_moves(),
            };
            match self.filter.sections() {
                _ if !self.is_whole() => self.crossfade(stretch, kind),
                // A constant kind has a loop of its own, without choices.
                1 if kind == Kind::USUAL => self.replace::<1>(stretch, Kind::USUAL),
                1 => self.replace::<1>(stretch, kind),
                2 => self.replace::<2>(stretch, kind),
                _ => self.replace::<MAX_SECTIONS>(stretch, kind),
            }
        }
    }

    /// Reads the level of the key and filters, frame by frame.
    #[inline(always)]
    fn replace<const N: usize>(&mut self, stretch: Stretch<'_>, kind: Kind) {
        let Stretch { since, left, right, key } = stretch;
        let (registers, right) = (stereo(), &mut right[..left.len()]);
        let zero = registers.splat(0.0);
        let mut level = self.dynamics.load(registers, kind.key_moves);
        let mut filter = self.filter.load::<_, N>(registers, since);
        for i in 0..left.len() {
            let input = [left[i], right[i]];
            let dry = zero.push(kind.placement.part(input));
            match (kind.source, key) {
                (None, _) => {}
                // The band acts on what it is keyed by.
                (Some(KeySource::Own), _) => level.read(since + i, dry),
                (Some(KeySource::Sidechain), None) => level.read(since + i, zero),
                (Some(KeySource::Sidechain), Some(key)) => {
                    level.read(since + i, zero.push([key.left[i], key.right[i]]));
                }
            }
            let wet = filter.next(dry);
            [left[i], right[i]] = match kind.placement {
                Placement::Stereo => wet.last(),
                placement => placement.add(input, (wet - dry).last()),
            };
        }
        self.dynamics.store(&level);
        self.filter.store(&filter);
    }

    /// The same with two filters, during a crossfade.
    fn crossfade(&mut self, stretch: Stretch<'_>, kind: Kind) {
        let Stretch { since, left, right, key } = stretch;
        let registers = stereo();
        let zero = registers.splat(0.0);
        let mut level = self.dynamics.load(registers, kind.key_moves);
        let mut running =
            [&self.filter, &self.fading].map(|filter| filter.load::<_, MAX_SECTIONS>(registers, since));
        let [before, after] = self.share.map(|share| [share, 1.0 - share]);
        for i in 0..left.len() {
            let (input, ramp) = ([left[i], right[i]], ramp_share(since + i));
            if kind.source.is_some() {
                let sidechain = key.map_or([0.0; 2], |key| [key.left[i], key.right[i]]);
                level.read(since + i, zero.push(self.dynamics.key(input, sidechain)));
            }
            let mut output = input;
            for (k, filter) in [&self.filter, &self.fading].into_iter().enumerate() {
                if !filter.is_neutral() {
                    let weight = registers.splat(before[k] + (after[k] - before[k]) * ramp);
                    let dry = zero.push(filter.placement().part(input));
                    let change = weight * (running[k].next(dry) - dry);
                    output = filter.placement().add(output, change.last());
                }
            }
            [left[i], right[i]] = output;
        }
        self.dynamics.store(&level);
        self.filter.store(&running[0]);
        self.fading.store(&running[1]);
    }
}

/// Up to [`STEP`] frames that no tick and no step interrupts.
struct Stretch<'a> {
    /// Frames from the last tick to the first.
    since: usize,
    left: &'a mut [f64],
    right: &'a mut [f64],
    key: Option<Key<'a>>,
}

/// Properties of a band that hold for all frames of a [`Stretch`].
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
