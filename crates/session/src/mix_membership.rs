//! Membership of Stems: which of them make up a mix, and which sit inside another Stem's bus.
//!
//! A Stem belongs to the Master in whose input its audio is found. One whose audio is found in the input of another
//! Stem, and which the mix does not need besides that one, is *inside* it: metered, not summed. Two Stems that put out nearly
//! the same may be tracks that play it twice; one is inside the other only if the mix shows that it brings nothing itself.

use super::cause::{Cause, residual_cause};
use super::finding::RoutingFinding;
use super::fit::{MIN_CONDITION, StemArrival, fit_single_hop};
use super::gram::Gram;
use super::joint::JointHops;
use super::prediction::Follower;

/// Most hops in a window: 1 s.
const MAX_WINDOW_HOPS: usize = 10;
/// Least number of windows, while each has a hop or more: fewer say little of how steady a gain is.
const MIN_WINDOWS: usize = 7;
/// Linear gain below which a stem is absent (-60 dB).
const MIN_GAIN: f64 = 1e-3;
/// Number of standard errors from zero from which on a gain is significant.
const MIN_SIGNIFICANCE: f64 = 5.0;
/// Ratio of the residuals without and with a stem from which on the mix needs it; and that difference relative to the
/// stem's own power.
const NEEDED_RATIO: f64 = 1.05;
const NEEDED_POWER_SHARE: f64 = 1e-5;
/// Limit of the gains to the other side of the mix without a stem, in ratio to those with it, and of the largest gain with
/// it on top: more makes the stem of the differences between the sides of another one.
const MAX_CROSSING_RATIO: f64 = 2.0;
const MAX_CROSSING: f64 = 0.1;
/// Part of a stem's power that another one does not explain, below which the two are nearly the same.
const COPY_POWER_SHARE: f64 = 1e-2;
/// Gain of a near copy in ratio to that of what contains it, below which it brings nothing itself, error included.
const ABSENT_RATIO: f64 = 0.1;

/// Membership of a Stem in a mix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MixMembership {
    /// Part of the mix.
    Summed,
    /// Part of the Stem with this index, and of the mix only through that one.
    Inside(usize),
    /// Not found in this mix.
    Elsewhere,
    /// Silent, hence unknown.
    Silent,
}

/// Returns the membership of each of `stems` Stems. `hops`: joint matrices, a second or more, of the Stems' outputs, then
/// their inputs, then the mix, aligned.
pub fn memberships(hops: &JointHops, stems: usize) -> Vec<MixMembership> {
    debug_assert_eq!(hops.sources(), 2 * stems + 1);
    let row = hops.row();
    let length = (row.len() / MIN_WINDOWS).clamp(1, MAX_WINDOW_HOPS);
    let windows: Vec<Gram> = (row.chunks_exact(length))
        .map(|chunk| {
            let mut gram = Gram::zero(2 * hops.sources());
            chunk.iter().flatten().for_each(|packed| gram.add(packed, 1.0 / length as f64));
            gram
        })
        .collect();
    let mut whole = Gram::zero(2 * hops.sources());
    row.iter().flatten().for_each(|packed| whole.add(packed, 1.0 / row.len().max(1) as f64));
    let power = |source: usize| whole.at(2 * source, 2 * source) + whole.at(2 * source + 1, 2 * source + 1);
    let loudest = (0..stems).map(power).fold(0.0, f64::max);
    let sounds: Vec<bool> = (0..stems).map(|stem| power(stem) > 1e-6 * loudest && loudest > 0.0).collect();
    let parent = |stem: usize| {
        let others = (0..stems).filter(|&other| other != stem && sounds[other]);
        let holds = others.filter(|&other| is_inside(&windows, stem, other, stems));
        // Of nested buses the innermost: the one with the least power.
        let inner = holds.min_by(|&a, &b| power(stems + a).total_cmp(&power(stems + b)))?;
        (!is_needed(&whole, stem, stems)).then_some(inner)
    };
    let mut inside: Vec<Option<usize>> =
        (0..stems).map(|stem| if sounds[stem] { parent(stem) } else { None }).collect();
    let top = |inside: &[Option<usize>]| -> Vec<usize> {
        (0..stems).filter(|&stem| sounds[stem] && inside[stem].is_none()).collect()
    };
    let summed = top(&inside);
    for stem in 0..stems {
        let outer = inside[stem].filter(|&outer| is_near_copy(&whole, stem, outer));
        if outer.is_some_and(|outer| !brings_nothing(&windows, (stem, outer), &summed, stems)) {
            inside[stem] = None;
        }
    }
    let top = top(&inside);
    (0..stems)
        .map(|stem| match inside[stem] {
            _ if !sounds[stem] => MixMembership::Silent,
            Some(parent) => MixMembership::Inside(parent),
            None if arrives(&windows, stem, &top, stems) => MixMembership::Summed,
            None => MixMembership::Elsewhere,
        })
        .collect()
}

/// Mean of gains over windows, and its standard error.
#[derive(Clone, Copy)]
struct GainEstimate {
    mean: f64,
    error: f64,
}

impl GainEstimate {
    fn new(gains: &[f64]) -> Self {
        let count = gains.len().max(1) as f64;
        let mean = gains.iter().sum::<f64>() / count;
        if gains.len() < 2 {
            return Self { mean, error: f64::INFINITY };
        }
        let variance = gains.iter().map(|gain| (gain - mean).powi(2)).sum::<f64>() / (count - 1.0);
        Self { mean, error: (variance / count).sqrt() }
    }

    fn is_significant(self) -> bool {
        self.mean.abs() > MIN_GAIN && self.mean.abs() > MIN_SIGNIFICANCE * self.error
    }

    fn relative_error(self) -> f64 {
        self.error / self.mean.abs().max(f64::MIN_POSITIVE)
    }
}

/// Gain of source `a` in source `b`, both sides together, per window in which `a` sounds.
fn gains(windows: &[Gram], a: usize, b: usize) -> Vec<f64> {
    let products = |gram: &Gram, b: usize| gram.at(2 * a, 2 * b) + gram.at(2 * a + 1, 2 * b + 1);
    let loudest = windows.iter().map(|gram| products(gram, a)).fold(0.0, f64::max);
    let sounding = windows.iter().filter(|gram| products(gram, a) > 1e-3 * loudest);
    sounding.map(|gram| products(gram, b) / products(gram, a)).collect()
}

/// True if stem `inner` is part of the input of stem `outer`: its gain there varies less than in the reverse
/// direction, where it depends on the rest of the bus, and it is never louder than that input.
fn is_inside(windows: &[Gram], inner: usize, outer: usize, stems: usize) -> bool {
    let forth = GainEstimate::new(&gains(windows, inner, stems + outer));
    let back = GainEstimate::new(&gains(windows, outer, stems + inner));
    let power = |gram: &Gram, source: usize| {
        gram.at(2 * source, 2 * source) + gram.at(2 * source + 1, 2 * source + 1)
    };
    let whole =
        windows.iter().map(|gram| power(gram, stems + outer)).sum::<f64>() / windows.len().max(1) as f64;
    let fits = |gram: &Gram| {
        forth.mean.powi(2) * power(gram, inner) <= 2.0 * power(gram, stems + outer) + 1e-3 * whole
    };
    forth.is_significant() && forth.relative_error() < back.relative_error() && windows.iter().all(fits)
}

/// Joint matrix of the outputs of `which` and the mix.
fn outputs(gram: &Gram, which: &[usize], stems: usize) -> Gram {
    let sources = which.iter().copied().chain([2 * stems]);
    let signals: Vec<usize> = sources.flat_map(|source| [2 * source, 2 * source + 1]).collect();
    let mut out = Gram::zero(signals.len());
    for (i, &a) in signals.iter().enumerate() {
        for (j, &b) in signals.iter().enumerate().skip(i) {
            out.set(i, j, gram.at(a, b));
        }
    }
    out
}

/// True if the residual of the mix is larger without this stem, or if the others have to cross the sides to make it.
fn is_needed(whole: &Gram, stem: usize, stems: usize) -> bool {
    let explain = |which: &[usize]| {
        let fit = fit_single_hop(&outputs(whole, which, stems), &vec![StemArrival::UNITY; which.len()]);
        let largest = |gains: &dyn Fn(&StemArrival) -> [f64; 2]| {
            fit.arrivals.iter().flat_map(gains).map(f64::abs).fold(0.0, f64::max)
        };
        let straight = largest(&|arrival| [arrival.gains[0][0], arrival.gains[1][1]]);
        (fit.left, straight, largest(&|arrival| [arrival.gains[0][1], arrival.gains[1][0]]))
    };
    let all: Vec<usize> = (0..stems).collect();
    let others: Vec<usize> = (0..stems).filter(|&other| other != stem).collect();
    let own = whole.at(2 * stem, 2 * stem) + whole.at(2 * stem + 1, 2 * stem + 1);
    let ((with, gain, crossing), (without, _, crossing_without)) = (explain(&all), explain(&others));
    crossing_without > MAX_CROSSING_RATIO * crossing + MAX_CROSSING * gain
        || (without > NEEDED_RATIO * with && without - with > NEEDED_POWER_SHARE * own)
}

/// True if the stem is found in the mix beside the others of `top`.
fn arrives(windows: &[Gram], stem: usize, top: &[usize], stems: usize) -> bool {
    arrival(windows, stem, top, stems).is_some_and(GainEstimate::is_significant)
}

/// Gain of a stem in the mix beside the others of `top`; `None` if no window shows one.
fn arrival(windows: &[Gram], stem: usize, top: &[usize], stems: usize) -> Option<GainEstimate> {
    let index = top.iter().position(|other| *other == stem)?;
    let found = windows.iter().filter_map(|gram| {
        let alone = fit_single_hop(&outputs(gram, top, stems), &vec![StemArrival::UNITY; top.len()]);
        let arrival = alone.arrivals[index];
        let own = gram.at(2 * stem, 2 * stem) + gram.at(2 * stem + 1, 2 * stem + 1);
        let sides = (arrival.gains[0][0] + arrival.gains[1][1]) / 2.0;
        (arrival.fitted != [false; 2] && own > MIN_CONDITION * alone.left).then_some(sides)
    });
    let found: Vec<f64> = found.collect();
    (!found.is_empty()).then(|| GainEstimate::new(&found))
}

/// True if stem `a` puts out nearly the same as stem `b`, up to a gain for each side.
fn is_near_copy(whole: &Gram, a: usize, b: usize) -> bool {
    let (mut own, mut left) = (0.0, 0.0);
    for side in 0..2 {
        let (i, j) = (2 * a + side, 2 * b + side);
        let explained = if whole.at(j, j) > 0.0 { whole.at(i, j).powi(2) / whole.at(j, j) } else { 0.0 };
        own += whole.at(i, i);
        left += whole.at(i, i) - explained;
    }
    left < COPY_POWER_SHARE * own
}

/// True if the mix shows that a stem brings nothing beside the one that may contain it. `summed`: the stems of the sum
/// without it.
fn brings_nothing(windows: &[Gram], (inner, outer): (usize, usize), summed: &[usize], stems: usize) -> bool {
    let with: Vec<usize> = summed.iter().copied().chain([inner]).collect();
    let gain = |stem: usize| arrival(windows, stem, &with, stems);
    gain(inner).zip(gain(outer)).is_some_and(|(inner, outer)| {
        inner.mean.abs() + MIN_SIGNIFICANCE * inner.error < ABSENT_RATIO * outer.mean.abs()
    })
}

/// Returns pairs that may move together: effect Stems with the stem that feeds them, and the residual with the stem
/// that it is coherent with. `effects`: index and input audio of each effect Stem; `stems`: outputs of all Stems; all
/// mono and of equal length. For the user to confirm.
pub fn suggest_followers(
    effects: &[(usize, &[f64])],
    stems: &[&[f64]],
    findings: &[RoutingFinding],
    unlinked: usize,
) -> Vec<Follower> {
    let of_effects = effects.iter().filter_map(|&(follower, entering)| {
        let others: Vec<usize> =
            (0..stems.len()).filter(|&stem| effects.iter().all(|(e, _)| *e != stem)).collect();
        let audio: Vec<&[f64]> = others.iter().map(|&stem| stems[stem]).collect();
        match residual_cause(entering, &audio, 0)? {
            Cause::Processed { stem, .. } => Some(Follower { follower, stem: others[stem] }),
            _ => None,
        }
    });
    let of_rest = findings.iter().filter_map(|finding| match *finding {
        RoutingFinding::Returns { stem, .. }
        | RoutingFinding::Processed { stem, .. }
        | RoutingFinding::Doubled { stem, .. } => Some(Follower { follower: unlinked, stem }),
        _ => None,
    });
    of_effects.chain(of_rest).collect()
}

#[cfg(test)]
mod tests {
    use super::super::joint::tests::{StereoAudio, joint_of, mix, sources};
    use super::*;
    use testkit::noise;

    const FRAMES: usize = 8_000 * 20;

    /// Memberships of voices, each an input and an output.
    fn belongs(voices: &[(StereoAudio, StereoAudio)], mix: &StereoAudio) -> Vec<MixMembership> {
        let outputs = voices.iter().map(|voice| voice.1.clone());
        let inputs = voices.iter().map(|voice| voice.0.clone());
        let all: Vec<StereoAudio> = outputs.chain(inputs).chain([mix.clone()]).collect();
        memberships(&joint_of(&all, 8_000.0), voices.len())
    }

    fn plain(audio: &StereoAudio) -> (StereoAudio, StereoAudio) {
        (audio.clone(), audio.clone())
    }

    #[test]
    fn stems_of_the_mix_are_summed_and_others_are_not() {
        let stems = sources(21, 4, FRAMES);
        let voices: Vec<_> = stems.iter().map(plain).collect();
        let found = belongs(&voices, &mix(&stems, &[0.7, 1.2, 0.0, 0.5]));
        use MixMembership::{Elsewhere, Summed};
        assert_eq!(found, [Summed, Summed, Elsewhere, Summed]);
    }

    #[test]
    fn an_unlinked_track_does_not_hide_a_stem_nor_make_one() {
        let stems = sources(22, 3, FRAMES);
        let voices: Vec<_> = stems.iter().map(plain).collect();
        let mut sum = mix(&stems, &[0.7, 0.0, 0.5]);
        let extra = noise(1, FRAMES, 0.1);
        sum.iter_mut().for_each(|side| side.iter_mut().zip(&extra).for_each(|(m, x)| *m += x));
        use MixMembership::{Elsewhere, Summed};
        assert_eq!(belongs(&voices, &sum), [Summed, Elsewhere, Summed]);
    }

    #[test]
    fn stems_inside_a_group_are_not_summed_whether_all_of_it_is_linked_or_not() {
        let tracks = sources(23, 5, FRAMES);
        let group = mix(&tracks[..3], &[0.8, 1.0, 0.6]);
        // The group's own chain: a gain and some clipping.
        let shaped = group.clone().map(|side| side.iter().map(|x| (1.2 * x).tanh()).collect::<Vec<f64>>());
        let bus = mix(&[shaped.clone(), tracks[3].clone(), tracks[4].clone()], &[0.9, 1.0, 0.7]);
        for linked in [2, 3] {
            let mut voices: Vec<_> = tracks[..linked].iter().map(plain).collect();
            voices.push((group.clone(), shaped.clone()));
            voices.extend(tracks[3..].iter().map(plain));
            let mut expected = vec![MixMembership::Inside(linked); linked];
            expected.extend([MixMembership::Summed; 3]);
            assert_eq!(belongs(&voices, &bus), expected, "{linked} linked");
        }
    }

    #[test]
    fn of_nested_groups_the_inner_one_is_named() {
        let tracks = sources(24, 4, FRAMES);
        let inner = mix(&tracks[..2], &[1.0, 0.7]);
        let outer = mix(&[inner.clone(), tracks[2].clone()], &[0.9, 1.0]);
        let bus = mix(&[outer.clone(), tracks[3].clone()], &[1.0, 0.8]);
        let voices = [plain(&tracks[0]), plain(&inner), plain(&outer), plain(&tracks[3])];
        use MixMembership::{Inside, Summed};
        assert_eq!(belongs(&voices, &bus), [Inside(1), Inside(2), Summed, Summed]);
    }

    #[test]
    fn stems_that_share_sound_but_go_their_own_way_are_both_summed() {
        // A close microphone and the overheads, which hear it too.
        let tracks = sources(25, 3, FRAMES);
        let overheads = mix(&tracks[..2], &[0.4, 1.0]);
        let voices = [plain(&tracks[0]), plain(&overheads), plain(&tracks[2])];
        let bus = mix(&[tracks[0].clone(), overheads.clone(), tracks[2].clone()], &[1.0, 0.8, 0.6]);
        assert_eq!(belongs(&voices, &bus), [MixMembership::Summed; 3]);
    }

    /// Two stems that differ by noise of that amplitude, and a third one: memberships in a mix of all, and in one of the
    /// second, which then contains the first, and the third.
    fn copies(amplitude: f64) -> [Vec<MixMembership>; 2] {
        let tracks = sources(28, 2, FRAMES);
        let mut near = tracks[0].clone();
        for (side, seed) in near.iter_mut().zip([3, 4]) {
            side.iter_mut().zip(noise(seed, FRAMES, amplitude)).for_each(|(x, own)| *x += own);
        }
        let voices = [plain(&tracks[0]), plain(&near), plain(&tracks[1])];
        let outputs = [tracks[0].clone(), near, tracks[1].clone()];
        [[0.3, 0.8, 0.7], [0.0, 0.8, 0.7]].map(|gains| belongs(&voices, &mix(&outputs, &gains)))
    }

    #[test]
    fn stems_that_are_nearly_the_same_are_both_summed_unless_one_brings_nothing() {
        use MixMembership::{Inside, Summed};
        // from a trace, which nobody can tell from the same stem twice, to a part of its own
        for amplitude in [0.0, 1e-7, 1e-5, 1e-4, 1e-3, 1e-2] {
            assert_eq!(copies(amplitude)[0], [Summed; 3], "{amplitude}");
        }
        for amplitude in [1e-3, 1e-2] {
            assert_eq!(copies(amplitude)[1], [Inside(1), Summed, Summed], "{amplitude}");
        }
    }

    #[test]
    fn a_stem_is_not_inside_another_one_whose_sides_differ_enough_to_make_it() {
        // One voice, in the middle; and again beside a quiet one at the side: their differences make either.
        let swell = |n: usize, period: f64| 0.55 + 0.45 * (n as f64 / (period * 8_000.0)).sin();
        let swelling = |seed, period: f64| -> Vec<f64> {
            noise(seed, FRAMES, 0.3).into_iter().enumerate().map(|(n, x)| x * swell(n, period)).collect()
        };
        let (voice, quiet) = (swelling(5, 0.7), swelling(6, 0.4));
        let at = |side: [f64; 2], quiet_side: [f64; 2]| -> StereoAudio {
            [0, 1].map(|n| voice.iter().zip(&quiet).map(|(a, b)| side[n] * a + quiet_side[n] * b).collect())
        };
        for quiet_side in [[0.1, 0.085], [0.15, 0.21], [0.2, 0.05]] {
            let other = sources(29, 1, FRAMES).remove(0);
            let tracks = [at([0.9, 0.6], [0.0; 2]), at([0.9, 0.6], quiet_side), other];
            let voices: Vec<_> = tracks.iter().map(plain).collect();
            let found = belongs(&voices, &mix(&tracks, &[1.2, 0.5, 0.7]));
            assert_eq!(found, [MixMembership::Summed; 3], "{quiet_side:?}");
            // and it is where the second one is all there is of it
            let found = belongs(&voices, &mix(&tracks, &[0.0, 0.5, 0.7]));
            assert_eq!(found, [MixMembership::Inside(1), MixMembership::Summed, MixMembership::Summed]);
        }
    }

    #[test]
    fn silence_says_nothing() {
        let stems = sources(26, 2, FRAMES);
        let silent = [vec![0.0; FRAMES], vec![0.0; FRAMES]];
        let voices = [plain(&stems[0]), plain(&silent)];
        assert_eq!(belongs(&voices, &stems[0]), [MixMembership::Summed, MixMembership::Silent]);
    }

    #[test]
    fn returns_are_suggested_by_what_feeds_them() {
        let tracks = sources(27, 3, FRAMES);
        let mono = |audio: &StereoAudio| audio[0].clone();
        let dry = mono(&tracks[1]);
        // A send to a filter.
        let mut low = 0.0;
        let send: Vec<f64> = (dry.iter())
            .map(|x| {
                low += 0.2 * (x - low);
                low
            })
            .collect();
        let stems = [mono(&tracks[0]), dry, mono(&tracks[2])];
        let stems: Vec<&[f64]> = stems.iter().map(Vec::as_slice).collect();
        let findings =
            [RoutingFinding::Returns { stem: 0, coherence: 0.8 }, RoutingFinding::Unlinked { share: 0.1 }];
        let said = suggest_followers(&[(2, &send)], &stems, &findings, 3);
        assert_eq!(said, [Follower { follower: 2, stem: 1 }, Follower { follower: 3, stem: 0 }]);
    }
}
