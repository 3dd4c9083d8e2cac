//! Random sessions: a song, a desk of one kind, questions, and their true answers by a render.

use super::mixing_desk::{self, Kind, MixingDesk};
use super::song::{Dice, RATE, Score, instrument};
use crate::joint::tests::{StereoAudio, measured};
use crate::predict::{Move, gains};
use units::Db;

pub(super) struct RandomSession {
    pub(super) kind: Kind,
    pub(super) stems: Vec<StereoAudio>,
    desk: MixingDesk,
}

impl RandomSession {
    /// The session of a seed; kinds follow each other.
    pub(super) fn random(seed: u64) -> (Self, Dice) {
        let mut dice = Dice::new(seed);
        let kind = Kind::ALL[(seed % Kind::ALL.len() as u64) as usize];
        let score = Score::new(&mut dice);
        let count = dice.whole(3, 7);
        let mut stems: Vec<StereoAudio> = (0..count).map(|_| instrument(&score, &mut dice)).collect();
        if dice.chance(0.25) {
            // A long silence.
            let stem = dice.whole(0, count - 1);
            let (a, b) = (dice.between(0.0, 0.5), dice.between(0.5, 1.0));
            let range = (a * score.frames as f64) as usize..(b * score.frames as f64) as usize;
            stems[stem].iter_mut().for_each(|side| side[range.clone()].fill(0.0));
        }
        let mixed = matches!(kind, Kind::Combination | Kind::SlowCombination);
        if kind == Kind::Duplicate || mixed && dice.chance(0.15) {
            // A near duplicate.
            let (of, to) = (dice.whole(0, count - 2), count - 1);
            let other = instrument(&score, &mut dice);
            let little = units::linear(dice.between(-60.0, -20.0));
            let mut copy = stems[of].clone();
            mixing_desk::add(&mut copy, &other, little);
            stems[to] = copy;
        }
        let removed = kind == Kind::Removed;
        let unlinked = removed || kind == Kind::Unlinked || mixed && dice.chance(0.25);
        let unlinked = unlinked.then(|| {
            let gain = if removed { 1.0 } else { units::linear(dice.between(-30.0, 0.0)) };
            instrument(&score, &mut dice).map(|side| side.iter().map(|x| gain * x).collect())
        });
        let desk = MixingDesk::random(&mut dice, kind, &stems, unlinked);
        (Self { kind, stems, desk }, dice)
    }

    /// A session of noise, whose levels stand still, behind devices that react to them.
    pub(super) fn steady(seed: u64) -> (Self, Dice) {
        const KINDS: [Kind; 6] =
            [Kind::Compressor, Kind::BusCompressor, Kind::Opto, Kind::Glue, Kind::Ducking, Kind::Limiter];
        let mut dice = Dice::new(seed);
        let kind = KINDS[(seed % KINDS.len() as u64) as usize];
        let frames = (12.0 * RATE) as usize;
        let stems: Vec<StereoAudio> = (0..dice.whole(3, 5))
            .map(|_| {
                [0, 1].map(|_| testkit::noise(dice.seed(), frames, units::linear(dice.between(-24.0, -12.0))))
            })
            .collect();
        let desk = MixingDesk::random(&mut dice, kind, &stems, None);
        (Self { kind, stems, desk }, dice)
    }

    /// The stems and, last, their mix.
    pub(super) fn all(&self) -> Vec<StereoAudio> {
        let mut all = self.stems.clone();
        all.push(self.desk.mix(&self.stems));
        all
    }

    /// Moves to predict: of the stem that devices react to in two questions of three; one in four is down by 12 dB.
    pub(super) fn question(&self, dice: &mut Dice) -> Vec<Move> {
        let mut random = || {
            let stem = dice.whole(0, self.stems.len() - 1);
            let source = if dice.chance(0.6) { self.desk.subject } else { stem };
            let gain = Db(dice.between(1.0, 6.0) * if dice.chance(0.5) { 1.0 } else { -1.0 });
            Move { source, gain: if dice.chance(0.25) { Db(-12.0) } else { gain } }
        };
        let (one, other) = (random(), random());
        if other.gain.0 > 3.5 { vec![one, other] } else { vec![one] }
    }

    /// True loudness after `moves`.
    pub(super) fn moved(&self, moves: &[Move]) -> f64 {
        let gains = gains(self.stems.len(), moves);
        let stems: Vec<StereoAudio> = (self.stems.iter().zip(&gains))
            .map(|(stem, gain)| stem.clone().map(|side| side.iter().map(|x| x * gain).collect()))
            .collect();
        measured(&self.desk.mix(&stems), RATE).reading().integrated.expect("sounds").0
    }
}
