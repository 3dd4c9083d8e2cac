//! The cause of a residual that no gain and no delay explains.

use super::super::loudest::loudest;
use super::bed::Bed;
use super::search::StemSearch;
use audiofile::error::Result;
use session::cause::{Cause, residual_cause};

/// Frames listened to: 5.5 s at 48 kHz.
const LISTEN: usize = 1 << 18;

/// The cause of what is left, in its loudest stretch, and the frame at which that starts. The sum of all stems counts
/// as one more stem: what follows that is processing on the mix bus.
pub(super) fn cause_of_rest(bed: &Bed<'_>, found: &StemSearch) -> Result<Option<(Cause, u64)>> {
    let frames = usize::try_from(bed.frames).unwrap_or(usize::MAX).min(LISTEN);
    let Some(&start) = loudest(&found.left.segments, frames, bed.frames, 1).first() else { return Ok(None) };
    let energies = found.left.energy.iter().enumerate();
    let channel = energies.max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(channel, _)| channel);
    let mut rest = bed.open_mix()?.window(start as i64, frames, channel)?;
    let mut stems = Vec::new();
    let mut sum = vec![0.0; frames];
    for term in &found.terms {
        let window = bed.open_stem(term.stem)?.window(start as i64 - term.delay, frames, channel)?;
        rest.iter_mut().zip(&window).for_each(|(rest, x)| *rest -= term.gain * x);
        sum.iter_mut().zip(&window).for_each(|(sum, x)| *sum += term.gain * x);
        if stems.len() < bed.stems.len() {
            stems.push(window);
        }
    }
    if stems.len() > 1 {
        stems.push(sum);
    }
    let stems: Vec<&[f64]> = stems.iter().map(Vec::as_slice).collect();
    // Copies have been looked for with a longer reach; reach 0 looks for none.
    Ok(residual_cause(&rest, &stems, 0).map(|cause| (cause, start)))
}
