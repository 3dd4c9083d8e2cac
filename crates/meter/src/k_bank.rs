//! K-weighting of many channels, frame by frame.

use super::k_weighting::{BiquadSection, sections};
use dsp::flush_invalid;
use simd::{Isa, Kernel, Registers, Simd, Vector};
use units::Hz;

/// Samples of four channels in one frame.
pub type Quad = [f64; 4];

/// Channels that are filtered together: enough independent recurrences to hide the latency of one.
const LANES: usize = 8;
/// Quads in a group of lanes.
pub const GROUP_QUADS: usize = LANES / 4;

/// State of a group of channels: two sections with two states each.
type LaneState = [[f64; LANES]; 4];

/// K-weighting filters of many channels, in rows: all channels of one frame, then all of the next.
///
/// The same filter as [`super::k_weighting::KWeighting`], eight channels at a time, except for the last bits. Input
/// must be finite. Latency: none. Real-time safe after construction.
#[derive(Clone, Debug)]
pub struct KWeightingBank {
    isa: Isa,
    sections: [BiquadSection; 2],
    groups: Vec<LaneState>,
}

impl KWeightingBank {
    /// Returns filters for up to `quads` quads of channels at `rate`.
    pub fn new(rate: Hz, quads: usize) -> Self {
        Self::with_isa(Isa::widest(), rate, quads)
    }

    /// Returns the same with the instruction set `isa`.
    pub fn with_isa(isa: Isa, rate: Hz, quads: usize) -> Self {
        Self { isa, sections: sections(rate), groups: vec![[[0.0; LANES]; 4]; quads.div_ceil(GROUP_QUADS)] }
    }

    /// Clears all state.
    pub fn reset(&mut self) {
        self.groups.fill([[0.0; LANES]; 4]);
    }

    /// Clears the state of one channel.
    pub fn reset_channel(&mut self, channel: usize) {
        if let Some(state) = self.groups.get_mut(channel / LANES) {
            state.iter_mut().for_each(|s| s[channel % LANES] = 0.0);
        }
    }

    /// Filters the first `groups` groups in place; `rows` holds rows of `quads` quads. Invalid and denormal states
    /// are cleared at the end, so the same audio in the same calls gives the same bits.
    pub fn process(&mut self, rows: &mut [Quad], quads: usize, groups: usize) {
        let groups = groups.min(self.groups.len());
        self.isa.run(BankKernel {
            sections: &self.sections,
            groups: &mut self.groups[..groups],
            rows,
            quads,
        });
    }
}

struct BankKernel<'a> {
    sections: &'a [BiquadSection; 2],
    groups: &'a mut [LaneState],
    rows: &'a mut [Quad],
    quads: usize,
}

impl Kernel for BankKernel<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        match LANES / <S as Registers<f64>>::Vector::LANES {
            1 => self.vectors::<S, 1>(simd),
            2 => self.vectors::<S, 2>(simd),
            _ => self.vectors::<S, 4>(simd),
        }
    }
}

impl BankKernel<'_> {
    /// Filters with `M` vectors per group.
    #[inline(always)]
    fn vectors<S: Simd, const M: usize>(self, simd: S) {
        let lanes = <S as Registers<f64>>::Vector::LANES;
        let zero: <S as Registers<f64>>::Vector = simd.splat(0.0);
        let mut coefficients = [[zero; 5]; 2];
        for (to, section) in coefficients.iter_mut().zip(self.sections) {
            let [b, a] = [section.b, [-section.a[0], -section.a[1], 0.0]];
            for (to, from) in to.iter_mut().zip([b[0], b[1], b[2], a[0], a[1]]) {
                *to = simd.splat(from);
            }
        }
        for (group, state) in self.groups.iter_mut().enumerate() {
            let mut states = [[zero; M]; 4];
            for (to, from) in states.iter_mut().zip(&*state) {
                for m in 0..M {
                    to[m] = simd.load(&from[m * lanes..]);
                }
            }
            for row in self.rows.chunks_exact_mut(self.quads) {
                let samples = row[group * GROUP_QUADS..][..GROUP_QUADS].as_flattened_mut();
                for m in 0..M {
                    let mut x = simd.load(&samples[m * lanes..]);
                    for i in 0..2 {
                        // Transposed direct form II, as in `KWeighting`.
                        let [b0, b1, b2, a1, a2] = coefficients[i];
                        let y = x.mul_add(b0, states[2 * i][m]);
                        states[2 * i][m] = y.mul_add(a1, x.mul_add(b1, states[2 * i + 1][m]));
                        states[2 * i + 1][m] = y.mul_add(a2, x * b2);
                        x = y;
                    }
                    x.store(&mut samples[m * lanes..]);
                }
            }
            for (to, from) in state.iter_mut().zip(&states) {
                for m in 0..M {
                    from[m].store(&mut to[m * lanes..]);
                }
                to.iter_mut().for_each(|s| *s = flush_invalid(*s));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::k_weighting::KWeighting;
    use super::*;
    use testkit::noise;

    #[test]
    fn a_bank_does_what_single_filters_do() {
        let (quads, frames) = (4, 300);
        let channels: Vec<Vec<f64>> = (0..quads as u64 * 4).map(|c| noise(c, frames, 0.5)).collect();
        let expected: Vec<Vec<f64>> = channels.iter().map(|channel| weighted(channel)).collect();
        for isa in Isa::all() {
            let mut rows: Vec<Quad> = (0..frames * quads)
                .map(|i| core::array::from_fn(|lane| channels[(i % quads) * 4 + lane][i / quads]))
                .collect();
            let mut bank = KWeightingBank::with_isa(isa, Hz(44_100.0), quads);
            bank.process(&mut rows[..100 * quads], quads, 2);
            bank.process(&mut rows[100 * quads..], quads, 2);
            for (c, expected) in expected.iter().enumerate() {
                for (n, y) in expected.iter().enumerate() {
                    let got = rows[n * quads + c / 4][c % 4];
                    assert!((got - y).abs() < 1e-10, "{isa:?}, channel {c} frame {n}: {got} {y}");
                }
            }
        }
    }

    fn weighted(samples: &[f64]) -> Vec<f64> {
        let mut samples = samples.to_vec();
        KWeighting::new(Hz(44_100.0)).process(&mut samples);
        samples
    }

    #[test]
    fn one_channel_forgets_alone() {
        let mut bank = KWeightingBank::new(Hz(48_000.0), 2);
        let mut rows = vec![[1.0; 4]; 20];
        bank.process(&mut rows, 2, 1);
        bank.reset_channel(5);
        let mut silence = vec![[0.0; 4]; 2];
        bank.process(&mut silence, 2, 1);
        assert!(silence[1][1] == 0.0 && silence[0].iter().all(|y| *y != 0.0) && silence[1][0] != 0.0);
    }
}
