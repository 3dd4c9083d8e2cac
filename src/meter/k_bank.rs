//! The K-weighting pre-filter for many channels in step.

use super::k_weighting::{Section, sections};
use crate::dsp::settle;
use crate::units::Hz;

/// Samples of four channels at one instant.
pub type Quad = [f64; 4];

/// Channels filtered together: enough independent recurrences to hide the latency of one.
const LANES: usize = 8;
/// Quads in a group of lanes.
pub const GROUP: usize = LANES / 4;

/// State of a group of channels: two sections with two states each.
type State = [[f64; LANES]; 4];

/// K-weights many channels, given as rows: all channels at one instant, then all at the next.
///
/// The same arithmetic as [`super::k_weighting::KWeighting`], eight channels at a time. Input must be finite. Latency:
/// none. Real-time safe after construction.
#[derive(Clone, Debug)]
pub struct KWeightingBank {
    sections: [Section; 2],
    groups: Vec<State>,
}

impl KWeightingBank {
    /// A bank for up to `quads` quads of channels at `rate`.
    pub fn new(rate: Hz, quads: usize) -> Self {
        Self { sections: sections(rate), groups: vec![[[0.0; LANES]; 4]; quads.div_ceil(GROUP)] }
    }

    /// Forgets all audio.
    pub fn reset(&mut self) {
        self.groups.fill([[0.0; LANES]; 4]);
    }

    /// Forgets the audio of one channel.
    pub fn forget(&mut self, channel: usize) {
        if let Some(state) = self.groups.get_mut(channel / LANES) {
            state.iter_mut().for_each(|s| s[channel % LANES] = 0.0);
        }
    }

    /// Weights the first `groups` groups in place; `rows` holds rows of `quads` quads. States are settled at the end, so
    /// the same audio in the same calls gives the same bits.
    pub fn process(&mut self, rows: &mut [Quad], quads: usize, groups: usize) {
        for group in 0..groups.min(self.groups.len()) {
            let mut state = self.groups[group];
            for row in rows.chunks_exact_mut(quads) {
                step(&self.sections, &mut state, &mut row[group * GROUP..][..GROUP]);
            }
            state.as_flattened_mut().iter_mut().for_each(|s| *s = settle(*s));
            self.groups[group] = state;
        }
    }
}

/// One instant of one group. Whole arrays at a time, by value: this is what makes the compiler use vectors.
#[inline(always)]
fn step(sections: &[Section; 2], state: &mut State, samples: &mut [Quad]) {
    let Ok(samples) = <&mut [f64; LANES]>::try_from(samples.as_flattened_mut()) else { return };
    let mut x = *samples;
    for (section, s) in sections.iter().zip(state.as_chunks_mut::<2>().0) {
        let [first, second] = *s;
        // Transposed direct form II, as in `KWeighting`.
        let y: [f64; LANES] = core::array::from_fn(|i| section.b[0] * x[i] + first[i]);
        s[0] = core::array::from_fn(|i| section.b[1] * x[i] - section.a[0] * y[i] + second[i]);
        s[1] = core::array::from_fn(|i| section.b[2] * x[i] - section.a[1] * y[i]);
        x = y;
    }
    *samples = x;
}

#[cfg(test)]
mod tests {
    use super::super::k_weighting::KWeighting;
    use super::*;
    use crate::dsp::contract::noise;

    #[test]
    fn a_bank_gives_the_bits_of_single_filters() {
        let (quads, frames) = (4, 300);
        let channels: Vec<Vec<f64>> = (0..quads as u64 * 4).map(|c| noise(c, frames, 0.5)).collect();
        let mut rows: Vec<Quad> = (0..frames * quads)
            .map(|i| core::array::from_fn(|lane| channels[(i % quads) * 4 + lane][i / quads]))
            .collect();
        let mut bank = KWeightingBank::new(Hz(44_100.0), quads);
        bank.process(&mut rows[..100 * quads], quads, 2);
        bank.process(&mut rows[100 * quads..], quads, 2);
        for (c, mut expected) in channels.into_iter().enumerate() {
            KWeighting::new(Hz(44_100.0)).process(&mut expected);
            for (n, y) in expected.iter().enumerate() {
                assert_eq!(rows[n * quads + c / 4][c % 4], *y, "channel {c} frame {n}");
            }
        }
    }

    #[test]
    fn one_channel_forgets_alone() {
        let mut bank = KWeightingBank::new(Hz(48_000.0), 2);
        let mut rows = vec![[1.0; 4]; 20];
        bank.process(&mut rows, 2, 1);
        bank.forget(5);
        let mut silence = vec![[0.0; 4]; 2];
        bank.process(&mut silence, 2, 1);
        assert!(silence[1][1] == 0.0 && silence[0].iter().all(|y| *y != 0.0) && silence[1][0] != 0.0);
    }
}
