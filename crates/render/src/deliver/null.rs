//! Null of a delivery: the master less its stems.

use std::path::Path;

use super::sink::Depth;
use crate::progress::{Progress, advance};
use audiofile::AudioReader;
use audiofile::error::Result;
use units::Db;

/// Peak of the master less its stems, linear. `gain`: static gain that the stems have. All files have two channels and the
/// master's length.
///
/// # Errors
/// If a file cannot be read, or the listener stops it.
pub(super) fn rest_of_master(
    master: &Path,
    stems: &[&Path],
    gain: Db,
    progress: &mut dyn Progress,
) -> Result<f64> {
    let mut readers = stems.iter().map(AudioReader::open).collect::<Result<Vec<_>>>()?;
    let back = (Db(0.0) - gain).gain();
    let mut stem = vec![Vec::new(); 2];
    let mut peak = 0.0_f64;
    let mut reader = AudioReader::open(master)?;
    progress.begin("null test", reader.info().frames);
    reader.each_block(|rest| {
        let frames = rest[0].len();
        for reader in &mut readers {
            reader.read_planar(&mut stem, frames)?;
            for (rest, stem) in rest.iter_mut().zip(&stem) {
                rest.iter_mut().zip(stem).for_each(|(rest, x)| *rest -= x * back);
            }
        }
        peak = rest.iter().flatten().fold(peak, |most, x| most.max(x.abs()));
        advance(progress, frames as u64, master)
    })?;
    Ok(peak)
}

/// The most that rounding leaves of a master less so many stems, linear.
pub(super) fn rounding_limit(depth: Depth, stems: usize, gain: Db) -> f64 {
    match depth {
        // -120 dBFS.
        Depth::Float32 => 1e-6,
        depth => depth.error() * (1.0 + stems as f64 * (Db(0.0) - gain).gain()),
    }
}
