//! Random mixing desks: the processing between Stems and Master.

use super::song::{Dice, RATE};
use crate::joint::tests::StereoAudio;
use units::linear;

/// Device in the path of a stem, or of several, to the Master.
#[derive(Clone, Debug)]
pub(super) enum Device {
    /// A filter: one pole, mixed with the dry signal.
    Filter {
        pole: f64,
        wet: f64,
    },
    Compressor(DeskCompressor),
    /// The dry signal and a compressed one beside it.
    Parallel(DeskCompressor, f64),
    /// Soft clipping at this drive.
    Saturation {
        drive: f64,
    },
}

#[derive(Clone, Copy, Debug)]
pub(super) struct DeskCompressor {
    pub(super) threshold: f64,
    pub(super) ratio: f64,
    /// One-pole coefficients per sample.
    attack: f64,
    release: f64,
}

impl DeskCompressor {
    pub(super) fn random(dice: &mut Dice, rms: f64) -> Self {
        let pole = |seconds: f64| (-1.0 / (seconds * RATE)).exp();
        Self {
            threshold: rms * linear(dice.between(-9.0, 6.0)),
            ratio: [1.5, 2.0, 4.0, 10.0][dice.whole(0, 3)],
            attack: pole(dice.between(0.001, 0.03)),
            release: pole(dice.between(0.04, 0.6)),
        }
    }

    /// Gain per frame for a key signal, linear.
    pub(super) fn gains(&self, key: &StereoAudio) -> Vec<f64> {
        let mut level = 0.0f64;
        (0..key[0].len())
            .map(|n| {
                let x = key[0][n].abs().max(key[1][n].abs());
                let pole = if x > level { self.attack } else { self.release };
                level = pole * level + (1.0 - pole) * x;
                if level > self.threshold {
                    (level / self.threshold).powf(1.0 / self.ratio - 1.0)
                } else {
                    1.0
                }
            })
            .collect()
    }
}

fn times(audio: &mut StereoAudio, gains: &[f64]) {
    audio.iter_mut().for_each(|side| side.iter_mut().zip(gains).for_each(|(x, g)| *x *= g));
}

pub(super) fn rms(audio: &StereoAudio) -> f64 {
    (audio.iter().flatten().map(|x| x * x).sum::<f64>() / (2 * audio[0].len()) as f64).sqrt()
}

pub(super) fn add(to: &mut StereoAudio, from: &StereoAudio, gain: f64) {
    to.iter_mut().zip(from).for_each(|(to, from)| to.iter_mut().zip(from).for_each(|(a, b)| *a += gain * b));
}

impl Device {
    fn process(&self, audio: &mut StereoAudio) {
        match self {
            Self::Filter { pole, wet } => {
                for side in audio {
                    let mut low = 0.0;
                    for x in side {
                        low = pole * low + (1.0 - pole) * *x;
                        *x += wet * low;
                    }
                }
            }
            Self::Compressor(compressor) => {
                let gains = compressor.gains(audio);
                times(audio, &gains);
            }
            Self::Parallel(compressor, wet) => {
                let gains: Vec<f64> = compressor.gains(audio).iter().map(|g| 1.0 + wet * g).collect();
                times(audio, &gains);
            }
            Self::Saturation { drive } => {
                audio.iter_mut().flatten().for_each(|x| *x = (drive * *x).tanh() / drive);
            }
        }
    }
}

/// Fader ride: frames and gains in dB, with lines between.
#[derive(Clone, Debug)]
pub(super) struct Ride(Vec<(usize, f64)>);

impl Ride {
    fn random(dice: &mut Dice, frames: usize) -> Self {
        let depth = dice.between(0.5, 6.0);
        let (mut at, mut points) = (0, Vec::new());
        while at < frames {
            points.push((at, dice.between(-depth, depth)));
            let glide = (dice.between(0.05, 4.0) * RATE) as usize;
            let rest = (dice.between(0.0, 6.0) * RATE) as usize;
            let last = points.last().map_or(0.0, |p| p.1);
            points.push((at + rest, last));
            at += rest + glide + 1;
        }
        Self(points)
    }

    fn gain(&self, n: usize) -> f64 {
        let next = self.0.partition_point(|p| p.0 <= n);
        let db = match (self.0.get(next.wrapping_sub(1)), self.0.get(next)) {
            (Some(a), Some(b)) => a.1 + (b.1 - a.1) * (n - a.0) as f64 / (b.0 - a.0).max(1) as f64,
            (Some(a), None) | (None, Some(a)) => a.1,
            (None, None) => 0.0,
        };
        linear(db)
    }
}

/// A channel strip.
#[derive(Clone, Debug, Default)]
struct Strip {
    gains: [[f64; 2]; 2],
    ride: Option<Ride>,
    inserts: Vec<Device>,
    /// Post-fader send to the hall, to the echo.
    hall: f64,
    echo: f64,
    /// Member of the group.
    grouped: bool,
    /// Ducked by this stem.
    ducked: Option<(usize, DeskCompressor)>,
}

/// Everything between Stems and Master.
#[derive(Clone, Debug)]
pub(super) struct MixingDesk {
    strips: Vec<Strip>,
    group: Vec<Device>,
    bus: Vec<Device>,
    unlinked: Option<StereoAudio>,
    echo_frames: usize,
    /// Names of the devices on it.
    pub(super) kinds: Vec<&'static str>,
}

impl MixingDesk {
    /// Random faders and pans, and each device with some probability.
    pub(super) fn random(dice: &mut Dice, stems: &[StereoAudio], unlinked: Option<StereoAudio>) -> Self {
        let (frames, count) = (stems[0][0].len(), stems.len());
        let mut kinds = Vec::new();
        let mut strips: Vec<Strip> = (0..count)
            .map(|_| {
                let fader = linear(dice.between(-6.0, 3.0));
                let balance = dice.between(0.6, 1.0);
                let mut gains = [[fader, 0.0], [0.0, fader * balance]];
                if dice.chance(0.1) {
                    let angle = dice.between(-0.4, 0.4);
                    gains = [
                        [fader * angle.cos(), fader * angle.sin()],
                        [-fader * angle.sin(), fader * angle.cos()],
                    ];
                }
                Strip { gains, ..Strip::default() }
            })
            .collect();
        let (mut group, mut bus) = (Vec::new(), Vec::new());
        let calm = dice.chance(0.2);
        let mut on = |dice: &mut Dice, probability: f64, kind: &'static str| {
            let on = !calm && dice.chance(probability);
            if on {
                kinds.push(kind);
            }
            on
        };
        if on(dice, 0.25, "ride") {
            for _ in 0..dice.whole(1, 2) {
                strips[dice.whole(0, count - 1)].ride = Some(Ride::random(dice, frames));
            }
        }
        if on(dice, 0.2, "hall") {
            for _ in 0..dice.whole(1, 3) {
                strips[dice.whole(0, count - 1)].hall = linear(dice.between(-30.0, -6.0));
            }
        }
        if on(dice, 0.12, "echo") {
            strips[dice.whole(0, count - 1)].echo = linear(dice.between(-24.0, -3.0));
        }
        if on(dice, 0.15, "filter") {
            let device = Device::Filter { pole: dice.between(0.3, 0.95), wet: dice.between(-0.7, 1.5) };
            strips[dice.whole(0, count - 1)].inserts.push(device);
        }
        if on(dice, 0.12, "compressor") {
            let stem = dice.whole(0, count - 1);
            let compressor = DeskCompressor::random(dice, rms(&stems[stem]));
            strips[stem].inserts.push(Device::Compressor(compressor));
        }
        if on(dice, 0.15, "parallel") {
            let stem = dice.whole(0, count - 1);
            let compressor = DeskCompressor::random(dice, 0.3 * rms(&stems[stem]));
            strips[stem].inserts.push(Device::Parallel(compressor, dice.between(0.2, 2.0)));
        }
        if on(dice, 0.08, "saturation") {
            let stem = dice.whole(0, count - 1);
            let drive = dice.between(0.3, 2.0) / rms(&stems[stem]).max(1e-6) * 0.3;
            strips[stem].inserts.push(Device::Saturation { drive });
        }
        if on(dice, 0.1, "group compressor") {
            for strip in &mut strips {
                strip.grouped = dice.chance(0.5);
            }
            group.push(Device::Compressor(DeskCompressor::random(dice, 0.15)));
        }
        if on(dice, 0.05, "bus compressor") {
            bus.push(Device::Compressor(DeskCompressor::random(dice, 0.2)));
        }
        if on(dice, 0.08, "ducking") && count > 1 {
            let (stem, key) = (dice.whole(1, count - 1), 0);
            strips[stem].ducked = Some((key, DeskCompressor::random(dice, rms(&stems[key]))));
        }
        if unlinked.is_some() {
            kinds.push("unlinked");
        }
        let echo_frames = (dice.between(0.02, 0.5) * RATE) as usize;
        Self { strips, group, bus, unlinked, echo_frames, kinds }
    }

    /// The mix of `stems`.
    pub(super) fn mix(&self, stems: &[StereoAudio]) -> StereoAudio {
        let silence = || [0, 1].map(|_| vec![0.0; stems[0][0].len()]);
        let (mut mix, mut group, mut hall, mut echo) = (silence(), silence(), silence(), silence());
        for (strip, stem) in self.strips.iter().zip(stems) {
            let mut audio = stem.clone();
            strip.inserts.iter().for_each(|device| device.process(&mut audio));
            if let Some((key, compressor)) = &strip.ducked {
                times(&mut audio, &compressor.gains(&stems[*key]));
            }
            let mut out = silence();
            for n in 0..audio[0].len() {
                let ride = strip.ride.as_ref().map_or(1.0, |ride| ride.gain(n));
                for to in 0..2 {
                    out[to][n] =
                        ride * (0..2).map(|from| strip.gains[to][from] * audio[from][n]).sum::<f64>();
                }
            }
            add(&mut hall, &out, strip.hall);
            add(&mut echo, &out, strip.echo);
            add(if strip.grouped { &mut group } else { &mut mix }, &out, 1.0);
        }
        self.group.iter().for_each(|device| device.process(&mut group));
        add(&mut mix, &group, 1.0);
        if self.strips.iter().any(|strip| strip.hall != 0.0) {
            reverberate(&mut hall);
            add(&mut mix, &hall, 1.0);
        }
        if self.strips.iter().any(|strip| strip.echo != 0.0) {
            for (mix, echo) in mix.iter_mut().zip(&echo) {
                mix.iter_mut().skip(self.echo_frames).zip(echo).for_each(|(m, x)| *m += x);
            }
        }
        if let Some(unlinked) = &self.unlinked {
            add(&mut mix, unlinked, 1.0);
        }
        self.bus.iter().for_each(|device| device.process(&mut mix));
        mix
    }
}

/// Small hall of six combs.
fn reverberate(audio: &mut StereoAudio) {
    for (c, side) in audio.iter_mut().enumerate() {
        let dry = side.clone();
        side.fill(0.0);
        for comb in 0..6usize {
            let length = 233 + 67 * comb + 13 * c + 29 * comb * comb % 101;
            let mut line = vec![0.0; length];
            for (n, x) in dry.iter().enumerate() {
                let slot = &mut line[n % length];
                side[n] += *slot * if comb % 2 == 0 { 0.5 } else { -0.5 };
                *slot = x + 0.82 * *slot;
            }
        }
    }
}
