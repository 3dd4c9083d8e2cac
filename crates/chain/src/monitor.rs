//! Listening to something else than the output: for judging, never part of a sound.

use super::PART;
use dsp::delay::Delay;
use dsp::equalizer::Heard;
use dsp::{Block, Ramp, Smoother, Ticks};
use units::{Db, Hz, Samples};

/// What is heard instead of a chain's output.
///
/// Not a setting: it is in no parameter, no state and no file, and ends with `reset`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum MonitorMode {
    /// The output.
    #[default]
    Off,
    /// What the chain changes: output minus input, the input as late as the output.
    Delta,
    /// The input, as late as the output, with this gain: for comparing at equal loudness.
    Bypass(Db),
    /// The output with this gain: what a platform that normalizes plays.
    Gain(Db),
    /// Half the sum of the channels, on both.
    Mono,
    /// Half the difference of the channels, on both.
    Side,
    /// The left channel, on both.
    Left,
    /// The right channel, on both.
    Right,
    /// The part of the spectrum and the stereo field that this band of the equalizer, from 0, acts on, through the rest of the
    /// chain.
    Band(usize),
    /// What moves this band, from 0: its key, band-limited, through the rest of the chain.
    Key(usize),
    /// The noise that was taken out; silence in a class without noise reduction.
    Removed,
    /// Nothing, which a plugin sees to behind its meters; a chain by itself puts out its output.
    Mute,
    /// Another song, which a plugin plays behind its meters; a chain by itself puts out its output.
    Reference {
        /// Which, of those that a window has given it.
        song: u16,
        /// The gain with which it is as loud as the mix.
        gain: Db,
    },
}

impl MonitorMode {
    /// What the equalizer is told.
    pub(super) fn heard(self) -> Option<Heard> {
        match self {
            Self::Band(band) => Some(Heard::Band(band)),
            Self::Key(band) => Some(Heard::Key(band)),
            _ => None,
        }
    }
}

/// What there is to listen to in a block, besides its output.
pub(super) struct Sources<'a> {
    /// The chain's input, as late as its output.
    pub(super) dry: &'a [Vec<f64>; 2],
    /// What was removed, if there is a denoiser.
    pub(super) removed: Option<&'a [Vec<f64>; 2]>,
}

/// Crossfades between what is heard, 20 ms.
pub(super) struct Monitor {
    ticks: Ticks,
    wanted: MonitorMode,
    from: MonitorMode,
    to: MonitorMode,
    fade: Smoother,
    /// The share of `to`.
    share: Ramp,
    /// Brings what was removed to where the output is.
    late: [Delay; 2],
    late_removed: [Vec<f64>; 2],
}

impl Monitor {
    /// `late`: how much later the output is than what was removed.
    pub(super) fn new(rate: Hz, late: Samples) -> Self {
        Self {
            ticks: Ticks::default(),
            wanted: MonitorMode::Off,
            from: MonitorMode::Off,
            to: MonitorMode::Off,
            fade: Smoother::new(1.0, Smoother::TIME, rate),
            share: Ramp::new(1.0),
            late: [Delay::new(late), Delay::new(late)],
            late_removed: [vec![0.0; PART], vec![0.0; PART]],
        }
    }

    pub(super) fn listen(&mut self, listen: MonitorMode) {
        self.wanted = listen;
    }

    pub(super) fn wanted(&self) -> MonitorMode {
        self.wanted
    }

    pub(super) fn reset(&mut self) {
        self.ticks.reset();
        (self.wanted, self.from, self.to) = (MonitorMode::Off, MonitorMode::Off, MonitorMode::Off);
        self.fade.set_now(1.0);
        self.share = Ramp::new(1.0);
        self.late.iter_mut().for_each(|delay| delay.fill(0.0));
    }

    /// True when the output passes untouched.
    pub(super) fn rests(&self) -> bool {
        [self.wanted, self.to, self.from] == [MonitorMode::Off; 3] && self.share.is_settled_at(1.0)
    }

    /// True when what is removed will be asked for.
    pub(super) fn wants_removed(&self) -> bool {
        [self.wanted, self.to, self.from].contains(&MonitorMode::Removed)
    }

    fn tick(&mut self) {
        if self.share.is_settled_at(1.0) {
            self.from = self.to;
            if self.wanted != self.to {
                if self.wanted == MonitorMode::Removed {
                    self.late.iter_mut().for_each(|delay| delay.fill(0.0)); // of the last time
                }
                self.to = self.wanted;
                self.fade.set_now(0.0);
                self.fade.aim(1.0);
                self.share = Ramp::new(0.0);
            }
        }
        self.share.tick(self.fade.tick());
    }

    /// Puts what is to be heard in the place of `output`, of at most [`PART`] frames.
    pub(super) fn process(&mut self, output: &mut Block<'_>, sources: &Sources<'_>) {
        let frames = output.len();
        if self.rests() {
            self.ticks.skip(frames);
            return;
        }
        match sources.removed {
            Some(removed) if self.wants_removed() => {
                for ((late, delay), removed) in self.late_removed.iter_mut().zip(&mut self.late).zip(removed)
                {
                    late[..frames].copy_from_slice(&removed[..frames]);
                    delay.process(&mut late[..frames]);
                }
            }
            _ => self.late_removed.iter_mut().for_each(|late| late[..frames].fill(0.0)),
        }
        let (left, right) = output.channels();
        let mut at = 0;
        while at < frames {
            let step = self.ticks.next(frames - at);
            if step.tick {
                self.tick();
            }
            let gain = |listen| match listen {
                MonitorMode::Bypass(gain) | MonitorMode::Gain(gain) => gain.gain(),
                _ => 1.0,
            };
            let (from, to) = ((self.from, gain(self.from)), (self.to, gain(self.to)));
            let whole = self.share.is_settled_at(1.0);
            for i in 0..step.frames {
                let now = at + i;
                let pair = |channels: &[Vec<f64>; 2]| [channels[0][now], channels[1][now]];
                let (output, dry, removed) =
                    ([left[now], right[now]], pair(sources.dry), pair(&self.late_removed));
                let new = heard(to, output, dry, removed);
                [left[now], right[now]] = if whole {
                    new
                } else {
                    let old = heard(from, output, dry, removed);
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

/// One frame of what is heard.
#[inline]
fn heard((listen, gain): (MonitorMode, f64), output: [f64; 2], dry: [f64; 2], removed: [f64; 2]) -> [f64; 2] {
    let [left, right] = output;
    match listen {
        // The equalizer has already put the band in the output's place.
        MonitorMode::Off
        | MonitorMode::Band(_)
        | MonitorMode::Key(_)
        | MonitorMode::Mute
        | MonitorMode::Reference { .. } => output,
        MonitorMode::Delta => [left - dry[0], right - dry[1]],
        MonitorMode::Bypass(_) => dry.map(|x| gain * x),
        MonitorMode::Gain(_) => output.map(|x| gain * x),
        MonitorMode::Mono => [0.5 * (left + right); 2],
        MonitorMode::Side => [0.5 * (left - right); 2],
        MonitorMode::Left => [left; 2],
        MonitorMode::Right => [right; 2],
        MonitorMode::Removed => removed,
    }
}
