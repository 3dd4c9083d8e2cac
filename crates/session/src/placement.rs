//! Joint search for the delays of all stems in a mix.
//!
//! One [`PlacementScene`] is a stretch of the mix with the audio of every stem around it. All signals pass the same
//! whitening filter, so that neither the bass nor the loudest stem decides alone; delays and gains pass a filter
//! unchanged. [`locate_stems`] first tries the likely sets of delays as a whole, by the residual of the sum. Where that
//! leaves something, it searches stem by stem: cross-correlation with what the stems placed so far do not explain, the
//! clearest first, until nothing moves (matching pursuit with a joint refit). Stems that the mix does not need are searched
//! in the others: they may be inside one. A single scene may be chance, so a caller
//! trusts a delay once two disjoint scenes agree.

mod nested;
mod scan;
mod search;
mod whitening;

use search::PlacementSearch;
use units::Hz;

/// Residual over mix below which a set of delays explains the whole mix (-50 dB).
const EXACT_RESIDUAL: f64 = 1e-5;
/// Amplitude below which a stem is silent (-100 dBFS).
const SILENT_AMPLITUDE: f32 = 1e-5;

/// A stretch of the mix, and the stems around it.
#[derive(Clone, Debug)]
pub struct PlacementScene {
    /// Sampling rate.
    pub rate: Hz,
    /// Frames that the stems reach beyond the mix on either side: the longest delay that is searched.
    pub reach: usize,
    /// The mix, left and right.
    pub mix: [Vec<f32>; 2],
    /// Output of each stem, `reach` frames longer than the mix on either side; silence where it is not known. Frame
    /// `reach + n` has the timeline position of frame `n` of the mix.
    pub stems: Vec<[Vec<f32>; 2]>,
    /// Likely sets of delays, the most likely first: one delay for each stem, frames.
    pub likely: Vec<Vec<i64>>,
}

/// Evidence for a stem's delay in one scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlacementEvidence {
    /// The stem is silent in the scene.
    Silent,
    /// The stem is not found in the mix, and would be heard at any delay.
    None,
    /// The stem is not found, and would be heard at most delays, but not at all.
    Unclear,
    /// The stem is found.
    Found,
}

/// Result of one scene for one stem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StemSighting {
    /// Delay from the stem's output to the mix, frames; negative is early.
    pub delay: i64,
    /// Evidence for it.
    pub evidence: PlacementEvidence,
    /// Another delay at which the stem fits as well, because it repeats; `None` if there is none within reach.
    pub rival: Option<i64>,
}

/// Result of one scene.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacementResult {
    /// One sighting for each stem.
    pub stems: Vec<StemSighting>,
    /// Share of the whitened mix's power that the stems leave at these delays, 0 to 1.
    pub residual: f64,
}

/// Returns the delays of the likely set that explains all of the scene's mix; `None` if there is none, or if a stem that
/// sounds is not in the mix by it. A fraction of the cost of [`locate_stems`].
///
/// # Panics
/// If the lengths in `scene` do not fit.
pub fn confirm_likely(scene: &PlacementScene, pause: &mut dyn FnMut()) -> Option<PlacementResult> {
    check_lengths(scene);
    let mut search = PlacementSearch::new(scene, pause);
    search.try_likely(&scene.likely, pause);
    let result = search.finish(false, pause);
    let is_missing =
        |stem: &StemSighting| matches!(stem.evidence, PlacementEvidence::None | PlacementEvidence::Unclear);
    (result.residual < EXACT_RESIDUAL && !result.stems.iter().any(is_missing)).then_some(result)
}

/// Returns the delays at which the stems of `scene` arrive in its mix. `pause` is called between steps of some tens of
/// milliseconds at most, so that a thread can do its other work.
///
/// # Panics
/// If the lengths in `scene` do not fit.
pub fn locate_stems(scene: &PlacementScene, pause: &mut dyn FnMut()) -> PlacementResult {
    check_lengths(scene);
    let mut search = PlacementSearch::new(scene, pause);
    search.try_likely(&scene.likely, pause);
    search.place_stems(pause);
    search.finish(true, pause)
}

fn check_lengths(scene: &PlacementScene) {
    let frames = scene.mix[0].len();
    assert!(
        scene.mix[1].len() == frames
            && scene.stems.iter().flatten().all(|side| side.len() == frames + 2 * scene.reach)
            && scene.likely.iter().all(|delays| delays.len() == scene.stems.len()),
        "stems reach beyond the mix on either side"
    );
}

#[cfg(test)]
mod tests;
