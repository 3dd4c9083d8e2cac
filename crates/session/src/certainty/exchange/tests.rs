//! Near duplicates: what is said of them is so.

use super::super::FittedRange;
use crate::joint::tests::{StereoAudio, joint_of, measured, mix, sources};
use crate::predict::{Certainty, Move};
use meter::loudness::integrated;
use testkit::{Random, noise};
use units::{Db, linear};

const RATE: f64 = 8_000.0;
const FRAMES: usize = 8_000 * 20;

/// Stems of which the last is nearly the first, the gain matrix of each, and what else is in the mix.
struct Session {
    stems: Vec<StereoAudio>,
    gains: Vec<[[f64; 2]; 2]>,
    rest: StereoAudio,
}

impl Session {
    fn random(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let count = 3 + random.below(2);
        let mut stems = sources(seed, count, FRAMES);
        if random.chance(0.6) {
            // panned from mono
            for stem in &mut stems {
                let pan = random.between(0.3, 1.0);
                let right = stem[0].iter().map(|x| pan * x).collect();
                stem[1] = right;
            }
        }
        let copy = near_duplicate(&stems[0], seed, &mut random);
        stems.push(copy);
        let gain = |random: &mut Random| {
            let [left, right] = [0, 1].map(|_| random.between(0.4, 1.2));
            let turn = if random.chance(0.4) { random.between(-0.3, 0.3) } else { 0.0 };
            [[left, -turn * left], [turn * right, right]]
        };
        let gains = stems.iter().map(|_| gain(&mut random)).collect();
        let level = if random.chance(0.5) { 0.0 } else { linear(random.between(-140.0, -50.0)) };
        let rest = [1, 2].map(|side| noise(seed * 77 + side, FRAMES, level));
        Self { stems, gains, rest }
    }

    fn mix(&self, moves: &[f64]) -> StereoAudio {
        let mut sum = self.rest.clone();
        for ((stem, gains), factor) in self.stems.iter().zip(&self.gains).zip(moves) {
            for (to, sum) in sum.iter_mut().enumerate() {
                let [left, right] = gains[to].map(|gain| gain * factor);
                sum.iter_mut()
                    .zip(stem[0].iter().zip(&stem[1]))
                    .for_each(|(m, (l, r))| *m += left * l + right * r);
            }
        }
        sum
    }
}

/// A copy at another level, later, with a slightly different spectrum, and with a little of something else.
fn near_duplicate(of: &StereoAudio, seed: u64, random: &mut Random) -> StereoAudio {
    let (level, wet) = (random.between(0.5, 1.5), linear(random.between(-80.0, -10.0)));
    let delay = if random.chance(0.5) { 0 } else { random.below(12) };
    let other = linear(random.between(-140.0, -30.0));
    let other = if random.chance(0.3) { 0.0 } else { other };
    let mut copy = mix(std::slice::from_ref(of), &[level]);
    for (side, audio) in copy.iter_mut().enumerate() {
        audio.rotate_right(delay);
        audio[..delay].fill(0.0);
        let mut low = 0.0;
        for (x, y) in audio.iter_mut().zip(noise(seed * 91 + side as u64, FRAMES, other)) {
            low += 0.3 * (*x - low);
            *x += wet * low + y;
        }
    }
    copy
}

#[test]
fn a_move_of_a_near_duplicate_is_exact_only_where_its_gain_is_known() {
    let (mut exact, mut estimates, mut held) = (0, 0, 0);
    for seed in 0..60 {
        let session = Session::random(seed);
        let stems = session.stems.len();
        let unity = vec![1.0; stems];
        let all: Vec<StereoAudio> = session.stems.iter().cloned().chain([session.mix(&unity)]).collect();
        let range = FittedRange::new(&joint_of(&all, RATE).row(), stems);
        for (stem, gain) in [(0, Db(4.0)), (stems - 1, Db(-6.0)), (1, Db(3.0))] {
            let expected = range.expected(&[Move { source: stem, gain }]);
            let predicted = integrated(&range.sources.powers(&expected.gains)).expect("sounds");
            let mut moves = unity.clone();
            moves[stem] = gain.gain();
            let truth = measured(&session.mix(&moves), RATE).reading().integrated.expect("sounds");
            let off = (truth - predicted).0.abs();
            match expected.certainty {
                Certainty::Exact => {
                    exact += 1;
                    assert!(off <= 0.01, "{seed}, stem {stem}: exact, but off by {off} LU");
                }
                Certainty::Estimate(width) => {
                    estimates += 1;
                    held += usize::from(off <= width.0);
                }
            }
        }
    }
    assert!(exact >= 40 && estimates >= 20, "{exact} exact, {estimates} estimates: both are met");
    assert!(held * 100 >= estimates * 93, "{held} of {estimates} hold");
}

#[test]
fn of_identical_stems_neither_is_known_and_their_neighbours_are() {
    let mut session = Session::random(3);
    session.rest.iter_mut().flatten().for_each(|x| *x = 0.0);
    let last = session.stems.len() - 1;
    session.stems[last] = session.stems[0].clone();
    session.gains.iter_mut().for_each(|gains| *gains = [[0.7, 0.0], [0.0, 0.7]]);
    let unity = vec![1.0; last + 1];
    let all: Vec<StereoAudio> = session.stems.iter().cloned().chain([session.mix(&unity)]).collect();
    let range = FittedRange::new(&joint_of(&all, RATE).row(), last + 1);
    let certainty = |stem: usize| range.certainty(&[Move { source: stem, gain: Db(3.0) }]);
    assert_eq!(certainty(1), Certainty::Exact);
    for stem in [0, last] {
        let Certainty::Estimate(width) = certainty(stem) else { panic!("{stem} is not known") };
        // one of the two may be all of it
        let mut moves = unity.clone();
        moves[stem] = Db(3.0).gain();
        let predicted = integrated(&range.sources.powers(&[&moves[..], &[1.0]].concat())).expect("sounds");
        (moves[0], moves[last]) = (Db(3.0).gain(), Db(3.0).gain());
        let both = measured(&session.mix(&moves), RATE).reading().integrated.expect("sounds");
        assert!(
            (both - predicted).0.abs() <= width.0 && width.0 < 4.0,
            "{stem}: {width:?}, {both:?} {predicted:?}"
        );
    }
}
