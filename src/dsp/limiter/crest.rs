//! Crests: how far the true peak around each sample exceeds a ceiling.

use crate::dsp::oversample::{Interpolator, PHASES, Quarters, TAPS};
use crate::dsp::simd::{Kernel, Registers, Simd, Vector};
use crate::dsp::{CONTROL_INTERVAL, Ramp, largest};

/// The furthest that a crest between two quarters lies above them: 1 / cos(pi / 8) for any signal below half the
/// sampling rate, and a little more for what the interpolator makes of it.
const QUARTER_CREST: f64 = 1.1;

/// Makes what `drive` makes of `audio` the samples after the first [`TAPS`]; what is not finite is silence. Gives the
/// largest magnitude of all samples.
pub(super) struct Take<'a> {
    pub(super) audio: &'a [f64],
    pub(super) drive: &'a Ramp,
    pub(super) samples: &'a mut [f64],
    pub(super) singles: &'a mut Singles,
}

impl Kernel for Take<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> f64 {
        let driven = &mut self.samples[TAPS..];
        match self.drive.resting() {
            Some(drive) => {
                for (driven, sample) in driven.iter_mut().zip(self.audio) {
                    *driven = sample * drive;
                }
            }
            None => {
                for (i, (driven, sample)) in driven.iter_mut().zip(self.audio).enumerate() {
                    *driven = sample * self.drive.at(i);
                }
            }
        }
        for (driven, single) in driven.iter_mut().zip(&mut self.singles[TAPS..]) {
            *driven = if driven.abs() < f64::INFINITY { *driven } else { 0.0 };
            *single = *driven as f32;
        }
        largest(self.samples)
    }
}

/// A step's samples in single precision, after [`TAPS`] past ones.
pub(super) type Singles = [f32; TAPS + CONTROL_INTERVAL + Interpolator::ROOM];

/// Looks for crests above the ceiling.
pub(super) struct Detect<'a> {
    pub(super) interpolator: &'a Interpolator,
    pub(super) samples: &'a [f64],
    pub(super) singles: &'a Singles,
    pub(super) ceiling: f64,
    /// Where one is, becomes the square of it over the ceiling.
    pub(super) over: &'a mut [f64],
}

impl Kernel for Detect<'_> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> bool {
        let frames = self.over.len();
        let mut quarters = Quarters { at: [[0.0; CONTROL_INTERVAL]; 3] };
        self.interpolator.quarters(simd, &self.singles[1..], frames, &mut quarters);
        let [q1, q2, q3] = &quarters.at;
        let own = &self.singles[TAPS / 2..];
        let lanes = <S as Registers<f32>>::Vector::LANES;
        let mut highest = [0.0; CONTROL_INTERVAL];
        for at in (0..frames).step_by(lanes) {
            let middle = simd.load(&q2[at..]).abs().max(simd.load(&own[at..]).abs());
            let sides = simd.load(&q1[at..]).abs().max(simd.load(&q3[at..]).abs());
            middle.max(sides).store(&mut highest[at..]);
        }
        // A little lower, for single precision.
        let limit = (self.ceiling * (0.9999 / QUARTER_CREST)) as f32;
        let mut any = false;
        for i in 0..frames {
            if highest[i] > limit {
                let next = self.samples[i + TAPS / 2 + 1];
                let points = [self.samples[i + TAPS / 2], q1[i].into(), q2[i].into(), q3[i].into(), next];
                let window = &self.samples[i..i + 1 + TAPS];
                let crest = crest(simd, self.interpolator, window, &points, self.ceiling);
                if crest > self.ceiling {
                    self.over[i] = (crest / self.ceiling).powi(2);
                    any = true;
                }
            }
        }
        any
    }
}

/// The highest crest of the magnitude from a sample to just before the next, given the quarters from the sample
/// to the next. `window` are the samples that the eighths of
/// the sample before (from its first) and of this one (from its second) are computed from.
#[inline(always)]
fn crest<S: Simd>(
    simd: S,
    interpolator: &Interpolator,
    window: &[f64],
    points: &[f64; 5],
    ceiling: f64,
) -> f64 {
    let mut highest = 0.0f64;
    for k in 0..4 {
        let (middle, right) = (points[k], points[k + 1]);
        let size = middle.abs();
        if size > highest {
            highest = size;
        }
        if size <= right.abs() || size * QUARTER_CREST <= ceiling {
            continue;
        }
        let left = match k {
            0 => interpolator.eighth(simd, PHASES - 2, &window[..TAPS]),
            _ => points[k - 1],
        };
        if size < left.abs() {
            continue;
        }
        let sign = middle.signum();
        let earlier = match k {
            0 => interpolator.eighth(simd, PHASES - 1, &window[..TAPS]),
            _ => interpolator.eighth(simd, 2 * k - 1, &window[1..]),
        };
        let later = interpolator.eighth(simd, 2 * k + 1, &window[1..]);
        let y = [left * sign, earlier * sign, middle * sign, later * sign, right * sign];
        let top = if y[1] > y[2] && y[1] >= y[3] {
            1
        } else if y[3] > y[2] {
            3
        } else {
            2
        };
        let (slope, bend) = (y[top + 1] - y[top - 1], 2.0 * y[top] - y[top + 1] - y[top - 1]);
        let vertex = if bend > 0.0 { y[top] + slope * slope / (8.0 * bend) } else { y[top] };
        if vertex > highest {
            highest = vertex;
        }
    }
    highest
}
