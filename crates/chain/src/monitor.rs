//! Monitoring: signals heard in place of the output, for judging; never part of a render.

use dsp::delay::Delay;
use dsp::equalizer::SoloTarget;
use dsp::{Block, Ramp, Smoother, Ticks};
use units::{Db, Hz, Samples};

use super::MAX_PART;

/// Signal that is heard in place of a chain's output.
///
/// Not a setting: it is in no parameter, no state and no file, and ends with `reset`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum MonitorMode {
    /// The output.
    #[default]
    Off,
    /// Difference that the chain makes: output minus delayed input.
    Delta,
    /// Delayed input with this gain: for comparing at equal loudness.
    Bypass(Db),
    /// Output with this gain, as a platform that normalizes plays it.
    Gain(Db),
    /// Output with this gain, which takes back the limiter's drive: for comparing at equal loudness.
    Unity(Db),
    /// Half the sum of the channels, on both.
    Mono,
    /// Half the difference of the channels, on both.
    Side,
    /// The left channel, on both.
    Left,
    /// The right channel, on both.
    Right,
    /// Part of the spectrum and the stereo field that this band of the equalizer, from 0, acts on, through the rest of
    /// the chain.
    Band(usize),
    /// Key of this band, from 0, band-limited, through the rest of the chain.
    Key(usize),
    /// Noise that was taken out; silence in a class without noise reduction.
    Removed,
    /// Silence, which a plugin makes behind its meters; a chain by itself gives its output.
    Mute,
    /// Reference song, which a plugin plays behind its meters; a chain by itself gives its output.
    Reference {
        /// Number of the song among those that a window has loaded.
        song: u16,
        /// Gain that makes it as loud as the mix.
        gain: Db,
    },
}

impl MonitorMode {
    /// The equalizer's solo.
    pub(super) fn solo_target(self) -> Option<SoloTarget> {
        match self {
            Self::Band(band) => Some(SoloTarget::Band(band)),
            Self::Key(band) => Some(SoloTarget::Key(band)),
            _ => None,
        }
    }
}

/// Signals of a block beside its output.
pub(super) struct MonitorSources<'a> {
    /// Input, as late as the output.
    pub(super) dry: &'a [Vec<f64>; 2],
    /// Noise that was taken out; `None` without noise reduction.
    pub(super) removed: Option<&'a [Vec<f64>; 2]>,
}

/// Crossfade of 20 ms between monitor modes.
pub(super) struct MonitorStage {
    ticks: Ticks,
    /// Mode as set; taken up when the running crossfade is over.
    mode: MonitorMode,
    from: MonitorMode,
    to: MonitorMode,
    fade: Smoother,
    /// Share of `to`, 0 to 1.
    share: Ramp,
    /// From the latency of the removed noise to that of the output.
    removed_delays: [Delay; 2],
    delayed_removed: [Vec<f64>; 2],
}

impl MonitorStage {
    /// Stage that monitors nothing; the output is later than the removed noise by `removed_lead`.
    pub(super) fn new(rate: Hz, removed_lead: Samples) -> Self {
        Self {
            ticks: Ticks::default(),
            mode: MonitorMode::Off,
            from: MonitorMode::Off,
            to: MonitorMode::Off,
            fade: Smoother::new(1.0, Smoother::TIME, rate),
            share: Ramp::new(1.0),
            removed_delays: [Delay::new(removed_lead), Delay::new(removed_lead)],
            delayed_removed: [vec![0.0; MAX_PART], vec![0.0; MAX_PART]],
        }
    }

    pub(super) fn set_mode(&mut self, mode: MonitorMode) {
        self.mode = mode;
    }

    pub(super) fn mode(&self) -> MonitorMode {
        self.mode
    }

    pub(super) fn reset(&mut self) {
        self.ticks.reset();
        self.mode = MonitorMode::Off;
        self.from = MonitorMode::Off;
        self.to = MonitorMode::Off;
        self.fade.set_now(1.0);
        self.share = Ramp::new(1.0);
        self.removed_delays.iter_mut().for_each(|delay| delay.fill(0.0));
    }

    /// True when the output passes untouched.
    pub(super) fn is_off(&self) -> bool {
        [self.mode, self.to, self.from] == [MonitorMode::Off; 3] && self.share.is_settled_at(1.0)
    }

    /// True when the removed noise is heard, or fades.
    pub(super) fn needs_removed(&self) -> bool {
        [self.mode, self.to, self.from].contains(&MonitorMode::Removed)
    }

    fn tick(&mut self) {
        if self.share.is_settled_at(1.0) {
            self.from = self.to;
            if self.mode != self.to {
                if self.mode == MonitorMode::Removed {
                    self.removed_delays.iter_mut().for_each(|delay| delay.fill(0.0)); // from the time before
                }
                self.to = self.mode;
                self.fade.set_now(0.0);
                self.fade.set_target(1.0);
                self.share = Ramp::new(0.0);
            }
        }
        self.share.tick(self.fade.tick());
    }

    /// Replaces `output`, of at most [`MAX_PART`] frames, by the signal to be heard.
    pub(super) fn process(&mut self, output: &mut Block<'_>, sources: &MonitorSources<'_>) {
        let frames = output.len();
        if self.is_off() {
            self.ticks.skip(frames);
            return;
        }
        match sources.removed {
            Some(removed) if self.needs_removed() => {
                for ((late, delay), removed) in
                    self.delayed_removed.iter_mut().zip(&mut self.removed_delays).zip(removed)
                {
                    late[..frames].copy_from_slice(&removed[..frames]);
                    delay.process(&mut late[..frames]);
                }
            }
            _ => self.delayed_removed.iter_mut().for_each(|late| late[..frames].fill(0.0)),
        }
        let (left, right) = output.channels();
        let mut at = 0;
        while at < frames {
            let step = self.ticks.next(frames - at);
            if step.tick {
                self.tick();
            }
            let gain = |mode| match mode {
                MonitorMode::Bypass(gain) | MonitorMode::Gain(gain) | MonitorMode::Unity(gain) => gain.gain(),
                _ => 1.0,
            };
            let (from, to) = ((self.from, gain(self.from)), (self.to, gain(self.to)));
            let whole = self.share.is_settled_at(1.0);
            for i in 0..step.frames {
                let now = at + i;
                let pair = |channels: &[Vec<f64>; 2]| [channels[0][now], channels[1][now]];
                let (output, dry, removed) =
                    ([left[now], right[now]], pair(sources.dry), pair(&self.delayed_removed));
                let new = monitored(to, output, dry, removed);
                [left[now], right[now]] = if whole {
                    new
                } else {
                    let old = monitored(from, output, dry, removed);
                    // Without a corner at either end.
                    let share = self.share.at(i);
                    let share = share * share * (3.0 - 2.0 * share);
                    core::array::from_fn(|side| old[side] + share * (new[side] - old[side]))
                };
            }
            self.share.advance(step.frames);
            at += step.frames;
        }
    }
}

/// Frame that is heard in `mode`, with its linear gain.
#[inline]
fn monitored(
    (mode, gain): (MonitorMode, f64),
    output: [f64; 2],
    dry: [f64; 2],
    removed: [f64; 2],
) -> [f64; 2] {
    let [left, right] = output;
    match mode {
        // The equalizer has already put the band in the output's place.
        MonitorMode::Off
        | MonitorMode::Band(_)
        | MonitorMode::Key(_)
        | MonitorMode::Mute
        | MonitorMode::Reference { .. } => output,
        MonitorMode::Delta => [left - dry[0], right - dry[1]],
        MonitorMode::Bypass(_) => dry.map(|x| gain * x),
        MonitorMode::Gain(_) | MonitorMode::Unity(_) => output.map(|x| gain * x),
        MonitorMode::Mono => [0.5 * (left + right); 2],
        MonitorMode::Side => [0.5 * (left - right); 2],
        MonitorMode::Left => [left; 2],
        MonitorMode::Right => [right; 2],
        MonitorMode::Removed => removed,
    }
}
