//! True peaks of a mix with one stem moved.

use crate::mixdown::Mixdown;
use crate::parallel::each_in_parallel;
use audiofile::error::Result;
use meter::true_peak::TruePeak;
use units::Db;

/// The meters of one stem.
struct StemPeaks {
    stem: usize,
    alone: [TruePeak; 2],
    /// Each with the factor by which the stem's own signal is added to the mix.
    moved: Vec<(f64, [TruePeak; 2])>,
    row: Vec<f64>,
}

/// Meters of the true peak of every stem out of its chain, and of the sum with that stem moved, for each of some moves.
pub(crate) struct MovedPeaks(Vec<StemPeaks>);

impl MovedPeaks {
    /// Meters for so many stems, and for moves in dB.
    pub(super) fn new(stems: usize, moves: &[i32]) -> Self {
        let meters = || [TruePeak::new(), TruePeak::new()];
        let factor = |gain: i32| Db(f64::from(gain)).gain() - 1.0;
        let of_stem = |stem| StemPeaks {
            stem,
            alone: meters(),
            moved: moves.iter().map(|&gain| (factor(gain), meters())).collect(),
            row: Vec::new(),
        };
        Self((0..stems).map(of_stem).collect())
    }

    /// Takes the block that `mixdown` has read last, and its sum.
    ///
    /// # Errors
    /// None of its own.
    pub(crate) fn process(&mut self, mixdown: &Mixdown, sum: &[Vec<f64>; 2]) -> Result<()> {
        each_in_parallel(&mut self.0, |peaks| {
            for (side, audio) in mixdown.stems[peaks.stem].audio().into_iter().enumerate() {
                peaks.alone[side].process(audio);
                for (factor, meters) in &mut peaks.moved {
                    peaks.row.clear();
                    peaks.row.extend(sum[side].iter().zip(audio).map(|(sum, x)| sum + *factor * x));
                    meters[side].process(&peaks.row);
                }
            }
            Ok(())
        })
    }

    /// Peaks of the stems alone, and for each stem those of the sum with it moved, linear.
    pub(super) fn peaks(&self) -> (Vec<f64>, Vec<Vec<f64>>) {
        let peak =
            |meters: &[TruePeak; 2]| meters[0].peaks_to_silence().0.max(meters[1].peaks_to_silence().0);
        let moved = |stem: &StemPeaks| stem.moved.iter().map(|(_, meters)| peak(meters)).collect();
        (self.0.iter().map(|stem| peak(&stem.alone)).collect(), self.0.iter().map(moved).collect())
    }
}
