//! The cause of what the stems do not account for, named from the residual.
//!
//! A residual that is a delayed copy of a stem means the stem arrives twice; one that follows a stem (coherence,
//! Welch's method) means processing or a send after it; one that follows none is an unlinked track. A stem doubled
//! without delay cannot be told from a fader: both only change its gain.

use super::align::{Aligner, Arrival};
use realfft::RealFftPlanner;
use realfft::num_complex::Complex;

/// What is behind a residual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cause {
    /// It follows no stem: something else is in the mix.
    Unlinked,
    /// It follows a stem: processing, a send or a return after it.
    Processed {
        /// Index of the stem.
        stem: usize,
        /// The part of the residual's power that follows it, 0 to 1.
        coherence: f64,
        /// True if it follows at length, as reverberation and echoes do: short frames do not see it.
        tail: bool,
    },
    /// It is a second arrival of a stem.
    Doubled {
        /// Index of the stem.
        stem: usize,
        /// How many frames after the first arrival; negative is before.
        delay: i64,
        /// Its linear gain.
        gain: f64,
    },
}

/// A stem follows a residual when it explains this part of its power.
const FOLLOWS: f64 = 0.5;
/// A delayed copy is the cause when it is this part of the residual's power or more.
const IS_COPY: f64 = 0.5;
/// Long frames see this much more of reverberation and echoes than short ones.
const LENGTHY: f64 = 1.5;
/// Frame lengths of the coherence: short frames see gains that move, long ones see reverberation.
const FRAME_LENGTHS: [usize; 2] = [2048, 16_384];
/// Frames per segment over which a coherence is averaged.
const SEGMENT_FRAMES: usize = 16;

/// Names the cause of `residual` among `stems`, all mono, equally long excerpts (a few seconds or more), stems
/// already aligned and with the gain they arrive with. `reach` is the longest delay looked for, in frames.
/// `None` for a silent residual.
pub fn cause(residual: &[f64], stems: &[&[f64]], reach: usize) -> Option<Cause> {
    let power = energy(residual);
    if power == 0.0 {
        return None;
    }
    if let Some((stem, arrival)) = copy(residual, stems, reach, power) {
        return Some(Cause::Doubled { stem, delay: arrival.delay, gain: arrival.gain });
    }
    let follows = stems.iter().enumerate().map(|(stem, samples)| {
        let [short, long] = FRAME_LENGTHS.map(|frame| coherence(residual, samples, frame));
        (stem, short.max(long), long > LENGTHY * short)
    });
    let best = follows.max_by(|a, b| a.1.total_cmp(&b.1));
    Some(match best {
        Some((stem, coherence, tail)) if coherence >= FOLLOWS => Cause::Processed { stem, coherence, tail },
        _ => Cause::Unlinked,
    })
}

fn energy(samples: &[f64]) -> f64 {
    samples.iter().map(|x| x * x).sum()
}

/// The stem of which the residual is mostly a delayed copy.
fn copy(residual: &[f64], stems: &[&[f64]], reach: usize, power: f64) -> Option<(usize, Arrival)> {
    let frames = residual.len().checked_sub(2 * reach).filter(|&frames| frames > reach)?;
    let copies = stems.iter().enumerate().filter_map(|(stem, samples)| {
        let mut aligner = Aligner::new(frames, reach);
        aligner.add(&samples[reach..reach + frames], residual);
        let arrival = *aligner.arrivals(1, 0).first()?;
        // What remains when the copy is taken away, at the least-squares gain.
        let (mut cross, mut own) = (0.0, 0.0);
        for n in reach..reach + frames {
            let copied = samples[(n as i64 - arrival.delay).clamp(0, samples.len() as i64 - 1) as usize];
            cross += residual[n] * copied;
            own += copied * copied;
        }
        let explained = if own > 0.0 { cross * cross / own / power } else { 0.0 };
        (arrival.delay != 0 && explained >= IS_COPY)
            .then(|| (explained, stem, Arrival { gain: cross / own, ..arrival }))
    });
    copies.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, stem, arrival)| (stem, arrival))
}

/// The part of `residual`'s power that is a linear, locally constant function of `stem` (magnitude-squared coherence
/// weighted by the residual's spectrum, averaged over segments).
fn coherence(residual: &[f64], stem: &[f64], frame: usize) -> f64 {
    let mut planner = RealFftPlanner::new();
    let plan = planner.plan_fft_forward(frame);
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
        cause(residual, &[&a, &b], 4800)
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
