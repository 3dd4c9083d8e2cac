//! Powers of stems in bands, moment by moment, and what pairs of them share in the low end.

use std::sync::Arc;

use fourier::Complex;
use fourier::RealToComplex;

use units::Hz;

/// Frames of a transform at 48 kHz and about; half of them overlap.
const SIZE: usize = 8192;

/// The low bands, in hertz.
pub(super) const LOW: [[f64; 2]; 2] = [[30.0, 60.0], [60.0, 120.0]];
/// From here on a sound is bright.
const BRIGHT: f64 = 4000.0;

type SpectrumBin = Complex<f64>;

/// A stem over the song.
#[derive(Clone, Debug, Default)]
pub(super) struct BandSums {
    /// Sums of squares of left, right, and their product.
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) cross: f64,
    /// Power in each low band.
    pub(super) low: [f64; LOW.len()],
    /// Power of the side signal below 120 Hz, and of both channels there.
    pub(super) low_side: f64,
    pub(super) low_all: f64,
    /// Power from 4 kHz on, and all of it.
    pub(super) bright: f64,
    pub(super) all: f64,
}

/// Two stems in one low band.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SharedBand {
    /// Twice the lesser of both powers, and their sum, moment by moment added up.
    both: f64,
    sum: f64,
    /// Their cross-power; its real part tells whether they add or cancel.
    cross: f64,
    powers: [f64; 2],
}

impl SharedBand {
    /// 1: both are as loud as each other at every moment; 0: never both at once.
    pub(super) fn overlap(&self) -> f64 {
        if self.sum > 0.0 { self.both / self.sum } else { 0.0 }
    }

    /// -1 (they cancel) to 1 (they are the same).
    pub(super) fn correlation(&self) -> f64 {
        let scale = (self.powers[0] * self.powers[1]).sqrt();
        if scale > 0.0 { self.cross / scale } else { 0.0 }
    }
}

/// Listens to all stems in step.
pub(super) struct BandListener {
    rate: Hz,
    plan: Arc<dyn RealToComplex<f64>>,
    window: Vec<f64>,
    ready: Vec<[Vec<f64>; 2]>,
    time: Vec<f64>,
    /// By stem, then channel.
    spectra: Vec<[Vec<SpectrumBin>; 2]>,
    pub(super) sums: Vec<BandSums>,
    /// By pair (`i < j`, in order), then band.
    shared: Vec<[SharedBand; LOW.len()]>,
}

impl BandListener {
    pub(super) fn new(stems: usize, rate: Hz) -> Self {
        let plan = fourier::forward(SIZE);
        let step = std::f64::consts::TAU / SIZE as f64;
        Self {
            rate,
            window: (0..SIZE).map(|i| 0.5 - 0.5 * (step * i as f64).cos()).collect(),
            ready: vec![[vec![0.0; SIZE / 2], vec![0.0; SIZE / 2]]; stems],
            time: plan.make_input_vec(),
            spectra: vec![[plan.make_output_vec(), plan.make_output_vec()]; stems],
            sums: vec![BandSums::default(); stems],
            shared: vec![Default::default(); stems * stems.saturating_sub(1) / 2],
            plan,
        }
    }

    /// Takes the next frames of every stem.
    pub(super) fn push<'a>(&mut self, stems: impl Iterator<Item = [&'a [f64]; 2]>) {
        for ((ready, sums), audio) in self.ready.iter_mut().zip(&mut self.sums).zip(stems) {
            for (l, r) in audio[0].iter().zip(audio[1]) {
                sums.left += l * l;
                sums.right += r * r;
                sums.cross += l * r;
            }
            for (ready, side) in ready.iter_mut().zip(audio) {
                ready.extend_from_slice(side);
            }
        }
        while self.ready.first().is_some_and(|ready| ready[0].len() >= SIZE) {
            self.transform();
        }
    }

    fn bins(&self, [from, to]: [f64; 2]) -> std::ops::Range<usize> {
        let bin =
            |frequency: f64| ((frequency * SIZE as f64 / self.rate.0).round() as usize).min(SIZE / 2 + 1);
        bin(from)..bin(to)
    }

    fn transform(&mut self) {
        let bands = LOW.map(|band| self.bins(band));
        let (low, bright) = (self.bins([20.0, 120.0]), self.bins([BRIGHT, f64::MAX]));
        let mut powers = vec![[0.0; LOW.len()]; self.sums.len()];
        for (stem, ready) in self.ready.iter_mut().enumerate() {
            let spectra = &mut self.spectra[stem];
            for (side, spectrum) in ready.iter_mut().zip(spectra.iter_mut()) {
                for ((time, x), window) in self.time.iter_mut().zip(side.iter()).zip(&self.window) {
                    *time = x * window;
                }
                side.drain(..SIZE / 2);
                if self.plan.process(&mut self.time, spectrum).is_err() {
                    spectrum.fill(SpectrumBin::default()); // cannot be: all lengths are the plan's
                }
            }
            let [left, right] = &*spectra;
            let power = |range: &std::ops::Range<usize>| {
                left[range.clone()]
                    .iter()
                    .chain(&right[range.clone()])
                    .map(SpectrumBin::norm_sqr)
                    .sum::<f64>()
            };
            let sums = &mut self.sums[stem];
            for (band, range) in bands.iter().enumerate() {
                powers[stem][band] = power(range);
                sums.low[band] += powers[stem][band];
            }
            sums.low_side += left[low.clone()]
                .iter()
                .zip(&right[low.clone()])
                .map(|(l, r)| 0.5 * (l - r).norm_sqr())
                .sum::<f64>();
            sums.low_all += power(&low);
            sums.bright += power(&bright);
            sums.all += power(&(1..SIZE / 2 + 1));
        }
        self.share(&bands, &powers);
    }

    fn share(&mut self, bands: &[std::ops::Range<usize>; LOW.len()], powers: &[[f64; LOW.len()]]) {
        let count = self.sums.len();
        let mut pair = 0;
        for i in 0..count {
            for j in i + 1..count {
                for (band, range) in bands.iter().enumerate() {
                    let (a, b) = (powers[i][band], powers[j][band]);
                    let shared = &mut self.shared[pair][band];
                    shared.both += 2.0 * a.min(b);
                    shared.sum += a + b;
                    shared.powers[0] += a;
                    shared.powers[1] += b;
                    for side in 0..2 {
                        let (x, y) =
                            (&self.spectra[i][side][range.clone()], &self.spectra[j][side][range.clone()]);
                        shared.cross += x.iter().zip(y).map(|(x, y)| (x * y.conj()).re).sum::<f64>();
                    }
                }
                pair += 1;
            }
        }
    }

    /// All pairs of stems with what they share in each low band.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (usize, usize, &[SharedBand; LOW.len()])> {
        let count = self.sums.len();
        let pairs = (0..count).flat_map(move |i| (i + 1..count).map(move |j| (i, j)));
        pairs.zip(&self.shared).map(|((i, j), shared)| (i, j, shared))
    }
}
