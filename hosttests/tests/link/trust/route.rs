//! Route from Stems to a Master: faders, devices, delays, mutes, and a track without a Stem.

use crate::link::desk::{Audio, RATE};
use std::collections::VecDeque;
use std::ops::Range;
use units::{Db, linear};

/// Compressor, leveller or limiter.
#[derive(Clone, Copy)]
pub(super) struct Leveller {
    pub(super) threshold: f64,
    pub(super) ratio: f64,
    /// Seconds.
    pub(super) attack: f64,
    pub(super) release: f64,
}

/// Gain of a [`Leveller`] over time.
struct LevellerGain {
    device: Leveller,
    /// Poles of attack, release and the detector's fall.
    poles: [f64; 3],
    level: f64,
    /// Decibels.
    gain: f64,
}

impl LevellerGain {
    fn new(device: Leveller) -> Self {
        let poles = [device.attack, device.release, 0.02].map(|seconds| (-1.0 / (seconds * RATE)).exp());
        Self { device, poles, level: 0.0, gain: 0.0 }
    }

    /// Linear gain for a frame of the key.
    fn next(&mut self, key: [f32; 2]) -> f32 {
        let [attack, release, fall] = self.poles;
        self.level = f64::from(key[0].abs().max(key[1].abs())).max(fall * self.level);
        let over = Db::from_gain((self.level / self.device.threshold).max(1.0)).0;
        let wanted = over * (1.0 / self.device.ratio - 1.0);
        let pole = if wanted < self.gain { attack } else { release };
        self.gain = pole * self.gain + (1.0 - pole) * wanted;
        linear(self.gain) as f32
    }
}

/// Stems that are muted behind their plugins for a while.
#[derive(Clone)]
pub(super) struct Mute {
    pub(super) stems: Vec<usize>,
    pub(super) frames: Range<usize>,
}

/// Fader that is ridden behind a Stem.
#[derive(Clone, Copy)]
pub(super) struct Ride {
    pub(super) stem: usize,
    pub(super) depth: Db,
    /// Radians per second.
    pub(super) rate: f64,
}

/// Devices between Stems and a Master.
pub(super) struct Route {
    /// Faders and pans.
    pub(super) gains: Vec<[f32; 2]>,
    pub(super) ride: Option<Ride>,
    /// Device after a stem.
    pub(super) insert: Option<(usize, Leveller)>,
    /// Key, ducked stem, device.
    pub(super) ducker: Option<(usize, usize, Leveller)>,
    pub(super) bus: Option<Leveller>,
    /// A track without a Stem.
    pub(super) extra: Option<Audio>,
    /// Delay of every stem, frames.
    pub(super) late: Vec<usize>,
}

impl Route {
    /// A mixer at the beginning of the song, with a mute.
    pub(super) fn mixer<'a>(&'a self, mute: Option<&'a Mute>) -> Mixer<'a> {
        let gain = |device: Option<Leveller>| device.map(LevellerGain::new);
        Mixer {
            route: self,
            mute,
            insert: gain(self.insert.map(|(_, device)| device)),
            ducker: gain(self.ducker.map(|(.., device)| device)),
            bus: gain(self.bus),
            late: self.late.iter().map(|late| VecDeque::from(vec![[0.0; 2]; *late])).collect(),
        }
    }

    /// The mix of whole stems.
    pub(super) fn render(&self, stems: &[Audio], mute: Option<&Mute>) -> Audio {
        self.mixer(mute).mix(stems, 0)
    }
}

/// State of a [`Route`] along the song.
pub(super) struct Mixer<'a> {
    route: &'a Route,
    mute: Option<&'a Mute>,
    insert: Option<LevellerGain>,
    ducker: Option<LevellerGain>,
    bus: Option<LevellerGain>,
    late: Vec<VecDeque<[f32; 2]>>,
}

impl Mixer<'_> {
    /// Mixes a block of all stems that begins at frame `at` of the song.
    pub(super) fn mix(&mut self, stems: &[Audio], at: usize) -> Audio {
        let frames = stems[0][0].len();
        let mut mix = vec![vec![0.0f32; frames]; 2];
        for n in 0..frames {
            let frame = |stem: usize| [stems[stem][0][n], stems[stem][1][n]];
            let mut sum = [0.0f32; 2];
            if let Some(extra) = &self.route.extra {
                sum = [0, 1].map(|side| extra[side][at + n]);
            }
            for (stem, gains) in self.route.gains.iter().enumerate() {
                let mut gain = 1.0;
                if self.route.insert.is_some_and(|(after, _)| after == stem) {
                    gain *= self.insert.as_mut().expect("there is one").next(frame(stem));
                }
                if let Some((key, ..)) = self.route.ducker.filter(|(_, ducked, _)| *ducked == stem) {
                    gain *= self.ducker.as_mut().expect("there is one").next(frame(key));
                }
                if let Some(ride) = self.route.ride.filter(|ride| ride.stem == stem) {
                    gain *= linear(ride.depth.0 * (ride.rate * (at + n) as f64 / RATE).sin()) as f32;
                }
                if self.mute.is_some_and(|mute| mute.stems.contains(&stem) && mute.frames.contains(&(at + n)))
                {
                    gain = 0.0;
                }
                let late = &mut self.late[stem];
                late.push_back(frame(stem).map(|x| gain * x));
                let frame = late.pop_front().expect("one was added");
                (0..2).for_each(|side| sum[side] += gains[side] * frame[side]);
            }
            if let Some(bus) = &mut self.bus {
                let gain = bus.next(sum);
                sum = sum.map(|x| gain * x);
            }
            (0..2).for_each(|side| mix[side][n] = sum[side]);
        }
        mix
    }
}
