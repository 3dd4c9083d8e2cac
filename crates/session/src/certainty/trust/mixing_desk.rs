//! Random mixing desks: the processing between Stems and Master.

use super::devices::{Device, Leveller, times};
use super::song::{Dice, RATE};
use crate::joint::tests::StereoAudio;
use units::linear;

/// Kind of session: what lies between its Stems and the Master, beside faders and pans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Plain,
    Ride,
    Rider,
    Opto,
    Glue,
    SlowDucking,
    SlowCombination,
    Ducking,
    Compressor,
    BusCompressor,
    Parallel,
    Gate,
    Limiter,
    Saturation,
    Filter,
    Unlinked,
    Removed,
    Sends,
    Duplicate,
    Combination,
}

impl Kind {
    pub(super) const ALL: [Self; 20] = [
        Self::Plain,
        Self::Ride,
        Self::Rider,
        Self::Opto,
        Self::Glue,
        Self::SlowDucking,
        Self::SlowCombination,
        Self::Ducking,
        Self::Compressor,
        Self::BusCompressor,
        Self::Parallel,
        Self::Gate,
        Self::Limiter,
        Self::Saturation,
        Self::Filter,
        Self::Unlinked,
        Self::Removed,
        Self::Sends,
        Self::Duplicate,
        Self::Combination,
    ];

    /// True with a device that takes longer than a second to come to rest.
    fn is_slow(self) -> bool {
        use Kind::{Glue, Opto, Rider, SlowCombination, SlowDucking};
        matches!(self, Rider | Opto | Glue | SlowDucking | SlowCombination)
    }

    /// Name in tables.
    pub(super) fn name(self) -> String {
        format!("{}{self:?}", if self.is_slow() { "slow: " } else { "" })
    }
}

pub(super) fn rms(audio: &StereoAudio) -> f64 {
    (audio.iter().flatten().map(|x| x * x).sum::<f64>() / (2 * audio[0].len()) as f64).sqrt().max(1e-6)
}

pub(super) fn add(to: &mut StereoAudio, from: &StereoAudio, gain: f64) {
    to.iter_mut().zip(from).for_each(|(to, from)| to.iter_mut().zip(from).for_each(|(a, b)| *a += gain * b));
}

/// Fader ride: frames and gains in dB, with lines between.
#[derive(Clone, Debug)]
struct Ride(Vec<(usize, f64)>);

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

    fn gains(&self, frames: usize) -> Vec<f64> {
        let mut next = 0;
        (0..frames)
            .map(|n| {
                while self.0.get(next).is_some_and(|p| p.0 <= n) {
                    next += 1;
                }
                let db = match (self.0.get(next.wrapping_sub(1)), self.0.get(next)) {
                    (Some(a), Some(b)) => a.1 + (b.1 - a.1) * (n - a.0) as f64 / (b.0 - a.0).max(1) as f64,
                    (Some(a), None) | (None, Some(a)) => a.1,
                    (None, None) => 0.0,
                };
                linear(db)
            })
            .collect()
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
    ducked: Option<(usize, Leveller)>,
}

impl Strip {
    /// Fader, balance, sometimes a rotation.
    fn random(dice: &mut Dice) -> Self {
        let fader = linear(dice.between(-6.0, 3.0));
        let mut gains = [[fader, 0.0], [0.0, fader * dice.between(0.6, 1.0)]];
        if dice.chance(0.1) {
            let angle = dice.between(-0.4, 0.4);
            gains = [[fader * angle.cos(), fader * angle.sin()], [-fader * angle.sin(), fader * angle.cos()]];
        }
        Self { gains, ..Self::default() }
    }
}

/// Everything between Stems and Master.
#[derive(Clone, Debug)]
pub(super) struct MixingDesk {
    strips: Vec<Strip>,
    group: Vec<Device>,
    bus: Vec<Device>,
    unlinked: Option<StereoAudio>,
    echo_frames: usize,
    /// Stem that the devices stand after or are keyed by: the one to ask about.
    pub(super) subject: usize,
}

impl MixingDesk {
    /// Random desk of a kind.
    pub(super) fn random(
        dice: &mut Dice,
        kind: Kind,
        stems: &[StereoAudio],
        unlinked: Option<StereoAudio>,
    ) -> Self {
        let mut desk = Self {
            strips: stems.iter().map(|_| Strip::random(dice)).collect(),
            group: Vec::new(),
            bus: Vec::new(),
            unlinked,
            echo_frames: (dice.between(0.02, 0.5) * RATE) as usize,
            subject: dice.whole(0, stems.len() - 1),
        };
        match kind {
            Kind::Combination => {
                for kind in [
                    Kind::Ride,
                    Kind::Sends,
                    Kind::Filter,
                    Kind::Compressor,
                    Kind::Parallel,
                    Kind::Saturation,
                    Kind::Limiter,
                    Kind::BusCompressor,
                    Kind::Ducking,
                ] {
                    if dice.chance(0.3) {
                        desk.add(dice, kind, stems);
                    }
                }
            }
            Kind::SlowCombination => {
                let slow = [Kind::Opto, Kind::Glue, Kind::SlowDucking, Kind::Rider];
                let other = [Kind::Ride, Kind::Sends, Kind::Compressor, Kind::Saturation, Kind::Glue];
                let (slow, other) = (slow[dice.whole(0, 3)], other[dice.whole(0, 4)]);
                desk.add(dice, slow, stems);
                let last = desk.subject;
                desk.add(dice, other, stems);
                desk.subject = last;
            }
            kind => desk.add(dice, kind, stems),
        }
        desk
    }

    /// Adds a device.
    fn add(&mut self, dice: &mut Dice, kind: Kind, stems: &[StereoAudio]) {
        let (frames, count) = (stems[0][0].len(), stems.len());
        let stem = dice.whole(0, count - 1);
        let level = rms(&stems[stem]);
        let insert = |desk: &mut Self, device| {
            desk.strips[stem].inserts.push(device);
            desk.subject = stem;
        };
        match kind {
            Kind::Ride => {
                for _ in 0..dice.whole(1, 2) {
                    let stem = dice.whole(0, count - 1);
                    self.strips[stem].ride = Some(Ride::random(dice, frames));
                    self.subject = stem;
                }
            }
            Kind::Rider => insert(self, Device::Leveller(Leveller::rider(dice, level))),
            Kind::Opto => insert(self, Device::Leveller(Leveller::opto(dice, level))),
            Kind::Compressor => insert(self, Device::Leveller(Leveller::fast(dice, level))),
            Kind::Gate => insert(self, Device::Leveller(Leveller::gate(dice, level))),
            Kind::Limiter => insert(self, Device::Leveller(Leveller::limiter(dice, level))),
            Kind::Parallel => {
                let leveller = Leveller::fast(dice, 0.3 * level);
                insert(self, Device::Parallel(leveller, dice.between(0.2, 2.0)));
            }
            Kind::Saturation if dice.chance(0.3) => {
                insert(self, Device::Clipper { ceiling: level * linear(dice.between(3.0, 12.0)) });
            }
            Kind::Saturation => {
                insert(self, Device::Saturation { drive: 0.3 * dice.between(0.3, 2.0) / level });
            }
            Kind::Filter => {
                let device = Device::Filter { pole: dice.between(0.3, 0.95), wet: dice.between(-0.7, 1.5) };
                insert(self, device);
            }
            Kind::Glue | Kind::BusCompressor => {
                let on_group = dice.chance(0.4);
                for strip in &mut self.strips {
                    strip.grouped = on_group && dice.chance(0.6);
                }
                let level = rms(&self.dry(stems, on_group));
                let leveller = match kind {
                    Kind::Glue => Leveller::glue(dice, level),
                    _ => Leveller::fast(dice, level),
                };
                (if on_group { &mut self.group } else { &mut self.bus }).push(Device::Leveller(leveller));
            }
            Kind::Ducking | Kind::SlowDucking => {
                let leveller = match kind {
                    Kind::Ducking => Leveller::fast(dice, level),
                    _ => Leveller::slow_ducker(dice, level),
                };
                let all = dice.chance(0.3);
                let one = (stem + dice.whole(1, count - 1)) % count;
                for other in (0..count).filter(|&other| other != stem && (all || other == one)) {
                    self.strips[other].ducked = Some((stem, leveller));
                }
                self.subject = stem;
            }
            Kind::Sends => {
                for _ in 0..dice.whole(1, 3) {
                    let stem = dice.whole(0, count - 1);
                    match dice.chance(0.65) {
                        true => self.strips[stem].hall = linear(dice.between(-30.0, -6.0)),
                        false => self.strips[stem].echo = linear(dice.between(-24.0, -3.0)),
                    }
                    self.subject = stem;
                }
            }
            Kind::Plain | Kind::Unlinked | Kind::Removed | Kind::Duplicate => {}
            Kind::Combination | Kind::SlowCombination => unreachable!("kinds of several devices"),
        }
    }

    /// Sum of the stems by their faders, of the group's only or of all.
    fn dry(&self, stems: &[StereoAudio], grouped: bool) -> StereoAudio {
        let mut sum = [0, 1].map(|_| vec![0.0; stems[0][0].len()]);
        for (strip, stem) in self.strips.iter().zip(stems).filter(|(strip, _)| strip.grouped || !grouped) {
            add(&mut sum, stem, strip.gains[0][0].hypot(strip.gains[0][1]));
        }
        sum
    }

    /// The mix of `stems`.
    pub(super) fn mix(&self, stems: &[StereoAudio]) -> StereoAudio {
        let silence = || [0, 1].map(|_| vec![0.0; stems[0][0].len()]);
        let (mut mix, mut group, mut hall, mut echo) = (silence(), silence(), silence(), silence());
        for (strip, stem) in self.strips.iter().zip(stems) {
            let mut audio = stem.clone();
            strip.inserts.iter().for_each(|device| device.process(&mut audio));
            if let Some((key, leveller)) = &strip.ducked {
                times(&mut audio, &leveller.gains(&stems[*key]));
            }
            if let Some(ride) = &strip.ride {
                times(&mut audio, &ride.gains(stem[0].len()));
            }
            let mut out = silence();
            for (to, out) in out.iter_mut().enumerate() {
                let [left, right] = strip.gains[to];
                for (x, (l, r)) in out.iter_mut().zip(audio[0].iter().zip(&audio[1])) {
                    *x = left * l + right * r;
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
