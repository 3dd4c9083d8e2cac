//! One band: the voice that is heard and the one that fades away.

use super::BandSettings;
use super::design::is_split;
use super::dynamics::{Dynamics, STEP};
use super::steps::Steps;
use super::voice::Voice;
use crate::filter::{Kernel, Moving};
use crate::{CONTROL_INTERVAL, GainLog, Key, Smoother};
use units::{Db, Hz};

/// What a band does until the next control tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It changes nothing.
    Nothing,
    /// One filter that stands still is all there is to it.
    Still,
    /// One filter that moves by what it hears is all there is to it.
    Moving,
    /// It fades or glides.
    Loose,
}

/// A band of the equalizer, also usable alone.
///
/// Frequency, gain and Q glide. What cannot glide (on and off, shape, slope, placement) is crossfaded between
/// two voices; a change during a crossfade waits for its end.
pub(crate) struct Band {
    rate: Hz,
    goal: BandSettings,
    voice: Voice,
    fading: Voice,
    /// Move `voice`; `fading` stays where they left it.
    dynamics: Dynamics,
    fade: Smoother,
    /// Share of `voice` at the last tick and at the next one; the rest is `fading`'s.
    share: [f64; 2],
    /// `voice` goes to the goal, if it can.
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
            voice: Voice::new(&at_rest(&goal), rate),
            dynamics: Dynamics::new(&goal, rate),
            fading: Voice::new(&BandSettings::default(), rate),
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
        self.voice = Voice::new(&at_rest(&self.goal), self.rate);
        self.fading = Voice::new(&BandSettings::default(), self.rate);
        self.dynamics.rest(&self.goal);
        self.fade.set_now(1.0);
        self.share = [1.0; 2];
        (self.aimed, self.arrived) = (false, false);
    }

    /// The settings it goes to.
    pub(super) fn goal(&self) -> &BandSettings {
        &self.goal
    }

    /// What dynamics add to the gain now.
    pub(super) fn movement(&self) -> Db {
        Db(self.voice.reach(self.dynamics.movement()))
    }

    /// A control tick.
    pub(crate) fn tick(&mut self) {
        if self.arrived {
            self.voice.flush_invalid();
            return;
        }
        self.share[0] = self.share[1];
        let goal = self.reachable();
        if self.share[0] == 1.0 && !self.voice.can_reach(&goal) {
            let next = Voice::new(&goal, self.rate);
            self.fading = core::mem::replace(&mut self.voice, next);
            self.fade.set_now(0.0);
            self.fade.set_target(1.0);
            self.share[0] = 0.0;
            self.aimed = false;
        }
        if self.voice.can_reach(&goal) && !self.aimed {
            self.voice.set_target(&goal);
            self.aimed = true;
        }
        self.share[1] = self.fade.tick();
        let (frequency, q) = self.voice.place();
        self.dynamics.tick(frequency, q);
        if self.dynamics.is_active() && self.voice.is_on() {
            let Dynamics { range, table, .. } = &mut self.dynamics;
            self.voice.tick_dynamic(range, table);
        } else {
            self.voice.stand_still();
            self.voice.tick();
        }
        if !self.is_whole() {
            self.fading.tick();
        }
        self.arrived = self.is_there();
    }

    /// The goal, or to be off when that is the same: two sections that cancel are only nearly nothing.
    fn reachable(&self) -> BandSettings {
        let goal = self.goal;
        let off = goal.is_idle() && is_split(goal.shape, goal.q) && self.voice.is_flat();
        BandSettings { on: goal.on && !off, ..goal }
    }

    fn is_whole(&self) -> bool {
        self.share == [1.0; 2]
    }

    /// True when it changes nothing before the next tick.
    pub(crate) fn rests(&self) -> bool {
        self.voice.is_neutral() && (self.is_whole() || self.fading.is_neutral())
    }

    /// True when it changes nothing until new settings come.
    pub(crate) fn is_neutral(&self) -> bool {
        !self.dynamics.is_active()
            && self.rests()
            && self.is_whole()
            && self.goal.is_idle()
            && self.voice.can_reach(&self.reachable())
    }

    /// What is to be done for it until the next tick.
    pub(super) fn role(&self) -> Role {
        if self.coasts() {
            Role::Moving
        } else if self.dynamics.is_active() {
            Role::Loose
        } else if self.rests() {
            Role::Nothing
        } else if self.is_whole() && self.voice.stands() {
            Role::Still
        } else {
            Role::Loose
        }
    }

    /// True when it moves by what it hears alone until new settings come.
    fn coasts(&self) -> bool {
        self.is_whole() && self.dynamics.coasts() && self.voice.coasts()
    }

    /// The filter that is all there is to it while it stands still or moves.
    pub(super) fn voice(&self) -> &Voice {
        &self.voice
    }

    /// The same, to give its states back.
    pub(super) fn voice_mut(&mut self) -> &mut Voice {
        &mut self.voice
    }

    /// Adds a section to those that move.
    pub(super) fn lend(&self, section: usize, (to, steps): (&mut Moving, &mut Steps)) {
        let mut part = self.voice.part(section);
        if section == 0 {
            steps.lend(to.len(), &self.dynamics);
            self.dynamics.lend(&mut part);
        }
        to.push(&part);
    }

    /// Takes it back, when a control tick is due.
    pub(super) fn take_back(&mut self, section: usize, (from, steps): (&Moving, &Steps), place: usize) {
        self.voice.take_back(section, |channel| from.state(place, channel));
        if section == 0 {
            let acts = self.voice.acts();
            self.voice.halt(from.gone(place));
            self.dynamics.take_back(acts, |channel| from.ear_states(place, channel), from.loudest(place));
            steps.take_back(place, &mut self.dynamics);
        }
    }

    /// Where a section that was lent goes in the step that begins, by so many decibels of movement.
    #[inline(always)]
    pub(super) fn glide(&mut self, section: usize, movement: f64) -> Option<[&Kernel; 2]> {
        if section == 0 {
            self.voice.coast(movement, &self.dynamics.table);
        }
        self.voice.directed(section)
    }

    /// It has moved so many decibels, without sign.
    pub(super) fn has_moved(&mut self, decibels: f64) {
        self.dynamics.moved.value = decibels;
    }

    /// True when ticks change nothing until new settings come, as of the last tick.
    pub(super) fn has_arrived(&self) -> bool {
        self.arrived
    }

    fn is_there(&self) -> bool {
        let goal = self.reachable();
        self.is_whole()
            && self.voice.can_reach(&goal)
            && (self.dynamics.rests() && self.voice.has_arrived(&goal)
                || self.coasts() && self.voice.is_at(&goal))
    }

    /// Filters in place; `since`: frames from the last tick to the first of these. Never past the next tick. `key`: the
    /// sidechain, as long as the channels. `gain_log`: where dynamics move the band.
    pub(crate) fn process(
        &mut self,
        since: usize,
        left: &mut [f64],
        right: &mut [f64],
        key: Option<Key<'_>>,
        gain_log: &mut GainLog<'_>,
    ) {
        if !self.dynamics.is_active() {
            self.filter(since, left, right);
            return;
        }
        let mut at = 0;
        while at < left.len() {
            let since = since + at;
            if since.is_multiple_of(STEP) {
                let movement = gain_log.value(|| self.dynamics.step());
                self.voice.step(movement, &self.dynamics.table);
            }
            let range = at..left.len().min(at + STEP - since % STEP);
            let key = key.map(|key| Key { left: &key.left[range.clone()], right: &key.right[range.clone()] });
            let (left, right) = (&mut left[range.clone()], &mut right[range.clone()]);
            if gain_log.computes() {
                self.dynamics.hear(since, [left, right], key);
            }
            self.filter(since, left, right);
            at = range.end;
        }
    }

    fn filter(&mut self, since: usize, left: &mut [f64], right: &mut [f64]) {
        if self.rests() && !self.dynamics.is_active() {
            return;
        }
        if self.is_whole() {
            self.voice.replace(since, [left, right]);
            return;
        }
        let frames = left.len();
        let mut buffers = [[0.0; CONTROL_INTERVAL]; 2];
        buffers[0][..frames].copy_from_slice(left);
        buffers[1][..frames].copy_from_slice(right);
        let input = [&buffers[0][..frames], &buffers[1][..frames]];
        let rest = self.share.map(|share| 1.0 - share);
        if !self.voice.is_neutral() {
            self.voice.add(since, self.share, input, [left, right]);
        }
        if !self.fading.is_neutral() {
            self.fading.add(since, rest, input, [left, right]);
        }
    }
}

/// `goal` as a voice without a past plays it: a band that does nothing in two sections is off, because they cancel only
/// nearly.
fn at_rest(goal: &BandSettings) -> BandSettings {
    let off = goal.is_idle() && is_split(goal.shape, goal.q);
    BandSettings { on: goal.on && !off, ..*goal }
}
