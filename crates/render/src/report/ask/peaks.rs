//! True peaks of a mix with one stem moved.

use super::ReportJob;
use crate::mixdown::Mixdown;
use crate::parallel::each_in_parallel;
use crate::progress::{Progress, advance};
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

/// Highest of the two sides, linear.
fn peak(meters: &[TruePeak; 2]) -> f64 {
    meters[0].peaks_to_silence().0.max(meters[1].peaks_to_silence().0)
}

/// The true peak of every stem out of its chain, and with `is_exact` of the sum with that stem moved by each of `moves`, dB;
/// linear. Without, what the master chain does to a peak is not known from the sum: none.
///
/// # Errors
/// If a file cannot be read or the listener stops it.
pub(super) fn peaks(
    job: &ReportJob<'_>,
    moves: &[i32],
    is_exact: bool,
    progress: &mut dyn Progress,
) -> Result<(Vec<f64>, Vec<Vec<f64>>)> {
    let mut mixdown = Mixdown::open(job.bundle, job.session)?;
    let meters = || [TruePeak::new(), TruePeak::new()];
    let moves = if is_exact { moves } else { &[] };
    let factor = |gain: i32| Db(f64::from(gain)).gain() - 1.0;
    let mut stems: Vec<StemPeaks> = (0..mixdown.stems.len())
        .map(|stem| StemPeaks {
            stem,
            alone: meters(),
            moved: moves.iter().map(|&gain| (factor(gain), meters())).collect(),
            row: Vec::new(),
        })
        .collect();
    let mut sum = [Vec::new(), Vec::new()];
    progress.begin("true peaks of moves", mixdown.frames());
    loop {
        let frames = mixdown.read_sum(&mut sum)?;
        if frames == 0 {
            break;
        }
        let (mixdown, sum) = (&mixdown, &sum);
        each_in_parallel(&mut stems, |peaks| {
            for (side, audio) in mixdown.stems[peaks.stem].audio().into_iter().enumerate() {
                peaks.alone[side].process(audio);
                for (factor, meters) in &mut peaks.moved {
                    peaks.row.clear();
                    peaks.row.extend(sum[side].iter().zip(audio).map(|(sum, x)| sum + *factor * x));
                    meters[side].process(&peaks.row);
                }
            }
            Ok(())
        })?;
        advance(progress, frames as u64, &job.bundle.dir)?;
    }
    let moved = stems.iter().map(|stem| stem.moved.iter().map(|(_, meters)| peak(meters)).collect());
    Ok((stems.iter().map(|stem| peak(&stem.alone)).collect(), moved.collect()))
}
