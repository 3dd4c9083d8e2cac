//! A limiter at work on a whole signal.

use dsp::Process;
use dsp::limiter::{Limiter, LimiterSettings};
use testkit::Stereo;
use units::{Db, Hz, Ms};

use crate::rig::run::RunUnit;

pub(crate) fn on(drive: f64) -> LimiterSettings {
    LimiterSettings { on: true, drive: Db(drive), ..LimiterSettings::default() }
}

/// `signal` through a limiter, tail included, latency taken out.
pub(crate) fn limited(rate: f64, latency: Ms, settings: &LimiterSettings, signal: &Stereo) -> Stereo {
    let mut limiter = Limiter::new(Hz(rate), latency);
    limiter.set(settings);
    let tail = limiter.latency().0;
    let mut audio = signal.clone();
    audio.left.extend(vec![0.0; tail]);
    audio.right.extend(vec![0.0; tail]);
    let frames = audio.left.len();
    audio.run(&mut limiter, 0..frames);
    Stereo { left: audio.left.split_off(tail), right: audio.right.split_off(tail) }
}
