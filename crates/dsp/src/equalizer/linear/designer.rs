//! From bands to impulse responses, a slice at a time.

use super::super::design::Prototype;
use super::super::{BANDS, EqualizerSettings};
use super::convolver::Filters;
use super::{PARTS, Placement};
use crate::kaiser::kaiser;
use fourier::{Complex, ComplexToReal, RealToComplex};
use std::sync::Arc;
use units::Hz;

/// Slices in which the gains are computed.
const SLICES: usize = 32;
/// Partitions transformed in one slice.
const PARTS_AT_ONCE: usize = 4;
/// Shape of the window: little enough that sharp bands stay sharp, enough that the ends do not matter.
const BETA: f64 = 3.0;

/// One band that does something.
struct Factor {
    prototype: Prototype,
    frequency: f64,
    placement: Placement,
}

/// Next slice of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slice {
    /// Gains from this frequency on.
    Gains(usize),
    /// The impulse response of this entry.
    Response(usize),
    /// The spectra of its partitions from this one on.
    Parts(usize, usize),
}

/// Designs the matrix of the *changes*: what all bands do, less what passes unchanged.
pub(super) struct Designer {
    rate: f64,
    taps: usize,
    factors: [Option<Factor>; BANDS],
    slice: Slice,
    /// Real gains per entry of the matrix, from 0 to Nyquist.
    gains: [Vec<f64>; 4],
    inverse: Arc<dyn ComplexToReal<f64>>,
    forward: Arc<dyn RealToComplex<f64>>,
    scratch: Vec<Complex<f64>>,
    spectrum: Vec<Complex<f64>>,
    /// Twice as long as what is kept of it, so that little folds over.
    response: Vec<f64>,
    /// From the middle outwards.
    window: Vec<f64>,
    part: Vec<f64>,
}

impl Designer {
    pub(super) fn new(taps: usize, rate: Hz) -> Self {
        let inverse = fourier::inverse(2 * taps);
        let forward = fourier::forward(2 * taps / PARTS);
        let scratch = forward.get_scratch_len().max(inverse.get_scratch_len());
        let half = taps / 2;
        Self {
            rate: rate.0,
            taps,
            factors: [const { None }; BANDS],
            slice: Slice::Gains(0),
            gains: core::array::from_fn(|_| vec![0.0; taps + 1]),
            inverse,
            forward,
            scratch: vec![Complex::default(); scratch],
            spectrum: vec![Complex::default(); taps + 1],
            response: vec![0.0; 2 * taps],
            window: (0..half).map(|i| kaiser(i as f64 / half as f64, BETA)).collect(),
            part: vec![0.0; 2 * taps / PARTS],
        }
    }

    /// Starts to design `settings`, whose values are in range.
    pub(super) fn begin(&mut self, settings: &EqualizerSettings) {
        for (factor, band) in self.factors.iter_mut().zip(&settings.bands) {
            *factor = (!band.is_idle()).then(|| Factor {
                prototype: Prototype::new(band, false),
                frequency: band.frequency.0,
                placement: band.placement,
            });
        }
        self.slice = Slice::Gains(0);
    }

    /// One slice; true when `filters` is complete.
    pub(super) fn advance(&mut self, filters: &mut Filters) -> bool {
        let next = match self.slice {
            Slice::Gains(from) => {
                let to = (from + self.taps.div_ceil(SLICES)).min(self.taps + 1);
                self.compute_gains(from..to);
                if to <= self.taps {
                    Some(Slice::Gains(to))
                } else {
                    filters.used =
                        core::array::from_fn(|entry| self.gains[entry].iter().any(|&gain| gain != 0.0));
                    next_used(filters, 0)
                }
            }
            Slice::Response(entry) => {
                self.compute_response(entry);
                Some(Slice::Parts(entry, 0))
            }
            Slice::Parts(entry, from) => {
                let to = (from + PARTS_AT_ONCE).min(PARTS);
                (from..to).for_each(|part| self.compute_part(filters, entry, part));
                if to < PARTS { Some(Slice::Parts(entry, to)) } else { next_used(filters, entry + 1) }
            }
        };
        self.slice = next.unwrap_or(Slice::Gains(0));
        next.is_none()
    }

    fn compute_gains(&mut self, range: core::ops::Range<usize>) {
        let spacing = self.rate / (2 * self.taps) as f64;
        for i in range {
            let frequency = i as f64 * spacing;
            // Rows: to left, to right.
            let mut matrix = [[1.0, 0.0], [0.0, 1.0]];
            for factor in self.factors.iter().flatten() {
                let gain = factor.prototype.power((frequency / factor.frequency).powi(2)).sqrt();
                apply(&mut matrix, factor.placement, gain);
            }
            let [[ll, rl], [lr, rr]] = matrix;
            for (gains, value) in self.gains.iter_mut().zip([ll - 1.0, rl, lr, rr - 1.0]) {
                gains[i] = value;
            }
        }
    }

    fn compute_response(&mut self, entry: usize) {
        let scale = 1.0 / (2 * self.taps) as f64;
        for (bin, gain) in self.spectrum.iter_mut().zip(&self.gains[entry]) {
            *bin = Complex::new(gain * scale, 0.0);
        }
        let inverse = &self.inverse;
        if inverse.process_with_scratch(&mut self.spectrum, &mut self.response, &mut self.scratch).is_err() {
            self.response.fill(0.0); // cannot be: all lengths are the plan's
        }
    }

    /// The response at `tap` of the filter, whose middle is at half its length.
    fn tap(&self, tap: usize) -> f64 {
        let distance = tap.abs_diff(self.taps / 2);
        self.window.get(distance).map_or(0.0, |window| window * self.response[distance])
    }

    fn compute_part(&mut self, filters: &mut Filters, entry: usize, part: usize) {
        let length = self.taps / PARTS;
        let scale = 1.0 / (2 * length) as f64; // of the convolver's two transforms
        for i in 0..length {
            self.part[i] = scale * self.tap(part * length + i);
        }
        self.part[length..].fill(0.0);
        let spectrum = &mut filters.spectra[entry][part];
        if self.forward.process_with_scratch(&mut self.part, spectrum, &mut self.scratch).is_err() {
            spectrum.fill(Complex::default()); // cannot be: all lengths are the plan's
        }
    }
}

/// The first used entry from `entry` on.
fn next_used(filters: &Filters, entry: usize) -> Option<Slice> {
    (entry..4).find(|&entry| filters.used[entry]).map(Slice::Response)
}

/// Multiplies what leaves `matrix` in `placement` by `gain`.
fn apply(matrix: &mut [[f64; 2]; 2], placement: Placement, gain: f64) {
    let [left, right] = matrix;
    for (left, right) in left.iter_mut().zip(right) {
        let between = |sign: f64| 0.5 * (gain - 1.0) * (*left + sign * *right);
        match placement {
            Placement::Stereo => (*left, *right) = (gain * *left, gain * *right),
            Placement::Left => *left *= gain,
            Placement::Right => *right *= gain,
            Placement::Mid => {
                let change = between(1.0);
                (*left, *right) = (*left + change, *right + change);
            }
            Placement::Side => {
                let change = between(-1.0);
                (*left, *right) = (*left + change, *right - change);
            }
        }
    }
}
