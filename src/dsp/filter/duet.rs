//! What a dynamic band does to a few frames: its own filter beside that of its key.

use super::kernel::{COEFFICIENTS, Kernel as Section, State};
use crate::dsp::simd::{Isa, Kernel, Pairs, Registers, Simd, Vector};

/// Two sections in series, for two channels, that may glide.
pub struct Player<'a> {
    /// At the start of the glide.
    pub from: [&'a Section; 2],
    /// At its end.
    pub to: [&'a Section; 2],
    /// Frames from its start to the first of these.
    pub since: usize,
    /// Frames of the whole glide.
    pub interval: usize,
    /// Indexed by channel, then section.
    pub states: [&'a mut [State; 2]; 2],
}

/// Two players side by side: one filters audio in place, of the other only the loudest moment counts.
pub struct Duet<'a> {
    /// The one whose output is wanted.
    pub own: Player<'a>,
    /// The one that only listens.
    pub key: Player<'a>,
    /// What is filtered in place.
    pub audio: [&'a mut [f64]; 2],
    /// What the key is, as long; `None`: the audio, before it is filtered.
    pub heard: Option<[&'a [f64]; 2]>,
}

impl Duet<'_> {
    /// Plays; gives the largest square of the key's output. As [`Section::glide`], but for the last bits.
    pub fn play(self, isa: Isa) -> f64 {
        isa.narrow().run(self)
    }
}

impl Kernel for Duet<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f64 {
        let lanes = <S as Registers<f64>>::Vector::LANES;
        let moves = |i: usize| self.own.from[i] != self.own.to[i] || self.key.from[i] != self.key.to[i];
        // Mostly it is a single section that glides.
        let gliding = if moves(1) { 2 } else { usize::from(moves(0)) };
        match (lanes, gliding) {
            (2, 0) => self.vectors::<S, 2, 0>(simd),
            (2, 1) => self.vectors::<S, 2, 1>(simd),
            (2, _) => self.vectors::<S, 2, 2>(simd),
            (_, 0) => self.vectors::<S, 1, 0>(simd),
            (_, 1) => self.vectors::<S, 1, 1>(simd),
            _ => self.vectors::<S, 1, 2>(simd),
        }
    }
}

// Loops instead of closures below: what is a closure of its own may not be compiled for the instruction set.

/// A pair of `own` and a pair of `key` in as many vectors as they fill.
#[inline(always)]
fn beside<S: Simd, const N: usize>(
    simd: S,
    own: [f64; 2],
    key: [f64; 2],
) -> [<S as Registers<f64>>::Vector; N] {
    let zero: <S as Registers<f64>>::Vector = simd.splat(0.0);
    let mut vectors = [zero; N];
    if N == 1 {
        vectors[0] = zero.push(key).push(own);
    } else {
        (vectors[0], vectors[1]) = (zero.push(own), zero.push(key));
    }
    vectors
}

/// Both pairs again: what [`beside`] put there.
#[inline(always)]
fn apart<V: Pairs, const N: usize>(vectors: [V; N]) -> [[f64; 2]; 2] {
    let mut numbers = [0.0; 4];
    for n in 0..N {
        vectors[n].store(&mut numbers[n * V::LANES..]);
    }
    [[numbers[0], numbers[1]], [numbers[2], numbers[3]]]
}

/// Each coefficient of a section of both players.
#[inline(always)]
fn coefficients<S: Simd, const N: usize>(
    simd: S,
    own: &Section,
    key: &Section,
) -> [[<S as Registers<f64>>::Vector; N]; COEFFICIENTS] {
    let mut all = [[simd.splat(0.0); N]; COEFFICIENTS];
    let (own, key) = (own.coefficients(), key.coefficients());
    for c in 0..COEFFICIENTS {
        all[c] = beside::<S, N>(simd, [own[c]; 2], [key[c]; 2]);
    }
    all
}

impl Duet<'_> {
    /// Of the two sections, the first `GLIDING` glide.
    #[inline(always)]
    fn vectors<S: Simd, const N: usize, const GLIDING: usize>(self, simd: S) -> f64 {
        let Self { own, key, audio: [left, right], heard } = self;
        let frames = left.len();
        let right = &mut right[..frames];
        let [first, second] = own.to;
        let to =
            [coefficients::<S, N>(simd, first, key.to[0]), coefficients::<S, N>(simd, second, key.to[1])];
        let (mut from, mut way) = (to, to);
        for i in 0..GLIDING {
            from[i] = coefficients::<S, N>(simd, own.from[i], key.from[i]);
            for c in 0..COEFFICIENTS {
                for n in 0..N {
                    way[i][c][n] = to[i][c][n] - from[i][c][n];
                }
            }
        }
        let mut done = beside::<S, N>(simd, [own.since as f64; 2], [key.since as f64; 2]);
        let frame = beside::<S, N>(simd, [1.0 / own.interval as f64; 2], [1.0 / key.interval as f64; 2]);
        let mut states = [[[simd.splat(0.0); N]; 2]; 2];
        for i in 0..2 {
            for k in 0..2 {
                let own = [own.states[0][i].0[k], own.states[1][i].0[k]];
                states[i][k] = beside::<S, N>(simd, own, [key.states[0][i].0[k], key.states[1][i].0[k]]);
            }
        }
        for n in 0..N {
            done[n] = done[n] * frame[n];
        }
        let mut largest = [simd.splat(0.0); N];
        for at in 0..frames {
            let audio = [left[at], right[at]];
            let heard = match heard {
                Some([left, right]) => [left[at], right[at]],
                None => audio,
            };
            let mut x = beside::<S, N>(simd, audio, heard);
            for n in 0..N {
                done[n] = done[n] + frame[n];
                for i in 0..2 {
                    let mut now = to[i];
                    if i < GLIDING {
                        for c in 0..COEFFICIENTS {
                            now[c][n] = way[i][c][n].mul_add(done[n], from[i][c][n]);
                        }
                    }
                    let [a, b0, b1, c0, c1, e] = now;
                    let [s, t] = [states[i][0][n], states[i][1][n]];
                    let u = x[n] - t;
                    let added = x[n].mul_add(e[n], s.mul_add(c0[n], t * c1[n]));
                    states[i][0][n] = u.mul_add(b0[n], s * a[n]);
                    states[i][1][n] = u.mul_add(b1[n], s.mul_add(b0[n], t));
                    x[n] = x[n] + added;
                }
                largest[n] = (x[n] * x[n]).max(largest[n]);
            }
            let [first, _] = apart(x);
            (left[at], right[at]) = (first[0], first[1]);
        }
        for i in 0..2 {
            for k in 0..2 {
                let [of_own, of_key] = apart(states[i][k]);
                for channel in 0..2 {
                    own.states[channel][i].0[k] = of_own[channel];
                    key.states[channel][i].0[k] = of_key[channel];
                }
            }
        }
        let [_, [left, right]] = apart(largest);
        if left > right { left } else { right }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::contract::noise;
    use super::*;

    fn bell(place: f64, gain: f64) -> Section {
        let denominator = [place, 0.3, 1.0];
        Section::new(&super::super::Section { numerator: [place, gain * 0.3, 1.0], denominator })
    }

    fn band_pass(place: f64) -> Section {
        Section::new(&super::super::Section::passes(place, 1.0)[1])
    }

    #[test]
    fn equals_two_filters_that_glide() {
        let own = [bell(0.01, 2.0), bell(0.02, 1.7), bell(0.1, 0.5), bell(0.12, 0.6)];
        let key = [band_pass(0.05), band_pass(0.06), band_pass(0.07), band_pass(0.08)];
        for isa in Isa::all() {
            for moves in [false, true] {
                let ends = |all: &[Section; 4]| {
                    let to = [all[2], all[3]];
                    if moves { [[all[0], all[1]], to] } else { [to, to] }
                };
                let ([own_from, own_to], [key_from, key_to]) = (ends(&own), ends(&key));
                let input = [noise(1, 8, 0.5), noise(2, 8, 0.5), noise(3, 8, 0.5), noise(4, 8, 0.5)];
                let start = State([0.3, -0.2]);
                let mut states = [[start; 2]; 4];
                let mut expected = input.clone();
                for (c, samples) in expected.iter_mut().enumerate() {
                    let (from, to, interval) =
                        if c < 2 { (&own_from, &own_to, 8) } else { (&key_from, &key_to, 32) };
                    for i in 0..2 {
                        from[i].glide(&to[i], 0, interval, &mut states[c][i], samples);
                    }
                }
                let mut got = input.clone();
                let mut played = [[start; 2]; 4];
                let mut loudest = 0.0f64;
                // Cut in two: the place on the glide counts, not the call.
                for part in [0..3, 3..8] {
                    let [left, right, key_left, key_right] = &mut got;
                    let [a, b, c, d] = &mut played;
                    let player =
                        |from, to, interval, states| Player { from, to, since: part.start, interval, states };
                    let duet = Duet {
                        own: player(own_from.each_ref(), own_to.each_ref(), 8, [a, b]),
                        key: player(key_from.each_ref(), key_to.each_ref(), 32, [c, d]),
                        audio: [&mut left[part.clone()], &mut right[part.clone()]],
                        heard: Some([&key_left[part.clone()], &key_right[part.clone()]]),
                    };
                    loudest = loudest.max(duet.play(isa));
                }
                for c in 0..2 {
                    assert!(got[c].iter().zip(&expected[c]).all(|(a, b)| (a - b).abs() < 1e-14), "{isa:?}");
                }
                for (got, want) in played.as_flattened().iter().zip(states.as_flattened()) {
                    assert!((0..2).all(|k| (got.0[k] - want.0[k]).abs() < 1e-14), "{isa:?}");
                }
                let want = expected[2].iter().chain(&expected[3]).fold(0.0f64, |m, x| m.max(x * x));
                assert!((loudest - want).abs() < 1e-14, "{isa:?}: {loudest} {want}");
            }
        }
    }
}
