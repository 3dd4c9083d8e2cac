//! Cause of a residual: the part of the mix that the stems do not account for.
//!
//! A residual that is a delayed copy of a stem means that the stem arrives twice; one that is coherent with a stem
//! (Welch's method) means processing or a send after it; one that is coherent with none is an unlinked track. A stem
//! doubled without delay cannot be told from a fader move: both only change its gain.

use super::align::{Aligner, DelayEstimate};
use fourier::Complex;

/// Cause of a residual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cause {
    /// An unlinked track: the residual is coherent with no stem.
    Unlinked,
    /// Processing, a send or a return after a stem: the residual is coherent with it.
    Processed {
        /// Index of the stem.
        stem: usize,
        /// Share of the residual's power that is coherent with the stem, 0 to 1.
        coherence: f64,
        /// True for long responses, as of reverberation and echoes, which short frames do not see.
        tail: bool,
    },
    /// A second arrival of a stem.
    Doubled {
        /// Index of the stem.
        stem: usize,
        /// Delay after the first arrival, frames; negative is before.
        delay: i64,
        /// Linear gain.
        gain: f64,
    },
}

/// Share of the residual's power from which on it counts as coherent with a stem.
const MIN_COHERENCE: f64 = 0.5;
/// Share of the residual's power from which on a delayed copy is its cause.
const MIN_COPY_SHARE: f64 = 0.5;
/// Ratio of coherence in long frames to that in short ones from which on the response counts as long.
const TAIL_RATIO: f64 = 1.5;
/// Frame lengths of the coherence: short frames follow gains that move, long ones see reverberation.
const FRAME_LENGTHS: [usize; 2] = [2048, 16_384];
/// Frames over which a coherence is averaged.
const SEGMENT_FRAMES: usize = 16;

/// Returns the cause of `residual` among `stems`: mono excerpts of equal length (a few seconds or more), stems
/// aligned and with the gain with which they arrive. `reach`: longest delay that is searched, frames. `None` for a
/// silent residual.
pub fn residual_cause(residual: &[f64], stems: &[&[f64]], reach: usize) -> Option<Cause> {
    let power = energy(residual);
    if power == 0.0 {
        return None;
    }
    if let Some((stem, arrival)) = delayed_copy(residual, stems, reach, power) {
        return Some(Cause::Doubled { stem, delay: arrival.delay, gain: arrival.gain });
    }
    let follows = stems.iter().enumerate().map(|(stem, samples)| {
        let [shortfall, long] = FRAME_LENGTHS.map(|frame| coherence(residual, samples, frame));
        (stem, shortfall.max(long), long > TAIL_RATIO * shortfall)
    });
    let best = follows.max_by(|a, b| a.1.total_cmp(&b.1));
    Some(match best {
        Some((stem, coherence, tail)) if coherence >= MIN_COHERENCE => {
            Cause::Processed { stem, coherence, tail }
        }
        _ => Cause::Unlinked,
    })
}

fn energy(samples: &[f64]) -> f64 {
    samples.iter().map(|x| x * x).sum()
}

/// The stem of which the residual is mostly a delayed copy, and the copy's delay and gain.
fn delayed_copy(
    residual: &[f64],
    stems: &[&[f64]],
    reach: usize,
    power: f64,
) -> Option<(usize, DelayEstimate)> {
    let frames = residual.len().checked_sub(2 * reach).filter(|&frames| frames > reach)?;
    let copies = stems.iter().enumerate().filter_map(|(stem, samples)| {
        let mut aligner = Aligner::new(frames, reach);
        aligner.add(&samples[reach..reach + frames], residual);
        let arrival = *aligner.delays(1, 0).first()?;
        // Energy explained by the copy at the least-squares gain.
        let (mut cross, mut own) = (0.0, 0.0);
        for n in reach..reach + frames {
            let copied = samples[(n as i64 - arrival.delay).clamp(0, samples.len() as i64 - 1) as usize];
            cross += residual[n] * copied;
            own += copied * copied;
        }
        let explained = if own > 0.0 { cross * cross / own / power } else { 0.0 };
        (arrival.delay != 0 && explained >= MIN_COPY_SHARE)
            .then(|| (explained, stem, DelayEstimate { gain: cross / own, ..arrival }))
    });
    copies.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, stem, arrival)| (stem, arrival))
}

/// Share of `residual`'s power that is a linear, locally time-invariant function of `stem`: magnitude-squared
/// coherence weighted by the residual's spectrum, averaged over segments.
fn coherence(residual: &[f64], stem: &[f64], frame: usize) -> f64 {
    let plan = fourier::forward(frame);
    let window: Vec<f64> = (0..frame)
        .map(|n| 0.5 - 0.5 * (2.0 * core::f64::consts::PI * n as f64 / frame as f64).cos())
        .collect();
    let spectrum = |samples: &[f64]| {
        let mut time: Vec<f64> = samples.iter().zip(&window).map(|(x, w)| x * w).collect();
        let mut out = plan.make_output_vec();
        plan.process(&mut time, &mut out).expect("buffers were made by the plan");
        out
    };
    let starts: Vec<usize> = (0..=residual.len().saturating_sub(frame)).step_by(frame / 2).collect();
    if residual.len() < frame || starts.len() < SEGMENT_FRAMES {
        return 0.0;
    }
    let (mut explained, mut total) = (0.0, 0.0);
    for segment in starts.chunks_exact(SEGMENT_FRAMES) {
        let bins = frame / 2 + 1;
        let (mut xx, mut yy, mut xy) =
            (vec![0.0; bins], vec![0.0; bins], vec![Complex::<f64>::default(); bins]);
        for &start in segment {
            let x = spectrum(&stem[start..start + frame]);
            let y = spectrum(&residual[start..start + frame]);
            for bin in 0..bins {
                xx[bin] += x[bin].norm_sqr();
                yy[bin] += y[bin].norm_sqr();
                xy[bin] += x[bin].conj() * y[bin];
            }
        }
        for bin in 0..bins {
            total += yy[bin];
            if xx[bin] > 0.0 {
                explained += xy[bin].norm_sqr() / xx[bin];
            }
        }
    }
    if total > 0.0 { (explained / total).min(1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::noise;

    const FRAMES: usize = 300_000;

    fn stem(seed: u64) -> Vec<f64> {
        let mut low = 0.0;
        let raw = noise(seed, FRAMES, 0.5);
        let decaying = raw.iter().enumerate().map(|(n, x)| {
            low = 0.8 * low + 0.2 * x;
            low * (1.0 - (n % 9000) as f64 / 9000.0)
        });
        decaying.collect()
    }

    fn named(residual: &[f64]) -> Option<Cause> {
        let (a, b) = (stem(1), stem(2));
        residual_cause(residual, &[&a, &b], 4800)
    }

    #[test]
    fn something_else_is_unlinked() {
        assert_eq!(named(&stem(9)), Some(Cause::Unlinked));
    }

    #[test]
    fn a_delayed_copy_is_doubling() {
        let b = stem(2);
        let residual: Vec<f64> = (0..FRAMES).map(|n| 0.5 * b[n.saturating_sub(700)]).collect();
        let Some(Cause::Doubled { stem: 1, delay: 700, gain }) = named(&residual) else {
            panic!("{:?}", named(&residual));
        };
        assert!((gain - 0.5).abs() < 0.01);
    }

    #[test]
    fn a_filtered_copy_and_a_moving_gain_are_processing() {
        let a = stem(1);
        let mut low = 0.0;
        let filtered: Vec<f64> = (a.iter())
            .map(|x| {
                low = 0.95 * low + 0.05 * x;
                low - 0.3 * x
            })
            .collect();
        let pumping: Vec<f64> =
            a.iter().enumerate().map(|(n, x)| x * 0.2 * (n as f64 * 2.0 / 48_000.0).sin()).collect();
        for residual in [filtered, pumping] {
            assert!(
                matches!(named(&residual), Some(Cause::Processed { stem: 0, .. })),
                "{:?}",
                named(&residual)
            );
        }
    }

    #[test]
    fn a_reverb_send_is_processing() {
        let b = stem(2);
        let tail = noise(7, 6000, 0.3);
        let residual: Vec<f64> = (0..FRAMES)
            .map(|n| {
                (0..40)
                    .map(|k| {
                        let lag = 400 + k * 140;
                        if n > lag { b[n - lag] * tail[k] * 0.95f64.powi(k as i32) } else { 0.0 }
                    })
                    .sum()
            })
            .collect();
        assert!(matches!(named(&residual), Some(Cause::Processed { stem: 1, .. })), "{:?}", named(&residual));
    }

    #[test]
    fn silence_needs_no_cause() {
        assert_eq!(named(&vec![0.0; FRAMES]), None);
    }
}
