//! The search: which delays and gains make the stems sum to the mix.
//!
//! First every stem where it is, gains by least squares; often that explains all. Else one delay for all stems, then
//! stem by stem against what the others leave, again and again while delays change: the loudest error hides the
//! others. At last stems that arrive a second time.

use super::super::loudest::loudest;
use super::super::seek::{EXCERPT, Excerpts};
use super::super::track::SampleTrack;
use super::bed::{Bed, Left, Term};
use super::residual::ResidualAudio;
use super::result::INAUDIBLE;
use crate::progress::{Progress, advance};
use audiofile::error::Result;

/// Excerpts listened to for each stem.
const EXCERPTS: usize = 6;
/// Rounds over all stems.
const ROUNDS: usize = 5;
/// Second arrivals looked for.
const AGAIN: usize = 3;
/// A second arrival leaves less than this of what the first leaves, in the stem's loudest excerpts.
const IS_COPY: f64 = 0.75;
/// One that is less than [`COMB`] samples away leaves less than this.
const EXACT: f64 = 0.01;
const COMB: i64 = 200;
/// And it takes this part of the power away.
const TAKES: f64 = 0.5;

/// Gains and delays at which the stems sum to the mix.
pub(super) struct StemSearch {
    /// One for each stem, in their order, then second arrivals.
    pub(super) terms: Vec<Term>,
    /// Sum of squares of each term's stem where that was compared.
    pub(super) energy: Vec<f64>,
    /// The residual.
    pub(super) left: Left,
}

/// Open files for random access.
struct TrackSet {
    stems: Vec<SampleTrack>,
    mix: SampleTrack,
}

/// `offset`: the delay of all stems, where it is known.
pub(super) fn search(bed: &Bed<'_>, offset: Option<i64>, progress: &mut dyn Progress) -> Result<StemSearch> {
    let mut found = refine(bed, bed.unity(), progress)?;
    if found.left.peak <= INAUDIBLE {
        return Ok(found);
    }
    let stems = (0..bed.stems.len()).map(|stem| bed.open_stem(stem)).collect::<Result<_>>()?;
    let mut tracks = TrackSet { stems, mix: bed.open_mix()? };
    let common = match offset {
        Some(delay) => Some(delay),
        None => common_delay(bed, &mut tracks)?,
    };
    if let Some(delay) = common {
        let late = bed.unity().into_iter().map(|term| Term { delay, ..term }).collect();
        found = refine(bed, late, progress)?;
    }
    for _ in 0..ROUNDS {
        if found.left.peak <= INAUDIBLE {
            return Ok(found);
        }
        let mut terms = found.terms.clone();
        if !round(bed, &mut tracks, &mut terms, progress)? {
            break;
        }
        found = refine(bed, terms, progress)?;
    }
    for _ in 0..AGAIN {
        if found.left.peak <= INAUDIBLE {
            break;
        }
        let Some(term) = second_arrival(bed, &mut tracks, &found.terms, progress)? else { break };
        let mut terms = found.terms.clone();
        terms.push(term);
        let with = refine(bed, terms, progress)?;
        let per_sample = |left: &Left| left.total() / left.samples.max(1) as f64;
        if per_sample(&with.left) > (1.0 - TAKES) * per_sample(&found.left) {
            break;
        }
        found = with;
    }
    Ok(found)
}

/// Fits the gains of terms and looks at what is left.
fn refine(bed: &Bed<'_>, mut terms: Vec<Term>, progress: &mut dyn Progress) -> Result<StemSearch> {
    let range = bed.inside(&terms);
    let energy = bed.fit_gains(&mut terms, range.clone(), progress)?;
    let left = bed.left(&terms, range, progress)?;
    Ok(StemSearch { terms, energy, left })
}

/// The delay of the sum of all stems in the mix.
fn common_delay(bed: &Bed<'_>, tracks: &mut TrackSet) -> Result<Option<i64>> {
    let (frames, reach) = Excerpts::sizes(bed.frames, bed.rate.0, EXCERPT);
    let mut excerpts = Excerpts::new(frames, reach, bed.frames);
    let channel = bed.mix.measured.loudest_channel();
    for start in loudest(&bed.mix.measured.segments, frames, bed.frames, EXCERPTS) {
        let start = start as i64;
        let mut sum = vec![0.0; frames];
        for track in &mut tracks.stems {
            let window = track.window(start, frames, channel)?;
            sum.iter_mut().zip(window).for_each(|(sum, x)| *sum += x);
        }
        let around = tracks.mix.window(start - reach as i64, frames + 2 * reach, channel)?;
        excerpts.add(start, sum, around);
    }
    Ok(excerpts.better_delay(0))
}

/// Excerpts of a stem's loudest side and what is left of the mix there, with `own` put back.
fn against_rest(
    bed: &Bed<'_>,
    tracks: &mut TrackSet,
    residual: &ResidualAudio,
    stem: usize,
    own: Option<Term>,
) -> Result<Excerpts> {
    let (frames, reach) = Excerpts::sizes(bed.frames, bed.rate.0, EXCERPT);
    let mut excerpts = Excerpts::new(frames, reach, bed.frames);
    let measured = &bed.stems[stem].measured;
    let track = &mut tracks.stems[stem];
    let channel = track.mapped(measured.loudest_channel());
    for start in loudest(&measured.segments, frames, bed.frames, EXCERPTS) {
        let start = start as i64;
        let (first, length) = (start - reach as i64, frames + 2 * reach);
        let mut rest = residual.window(first, length, channel);
        if let Some(own) = own.filter(|own| own.gain != 0.0) {
            let window = track.window(first - own.delay, length, channel)?;
            rest.iter_mut().zip(window).for_each(|(rest, x)| *rest += own.gain * x);
        }
        let around = track.window(first, length, channel)?;
        excerpts.add_around(start, around, rest);
    }
    Ok(excerpts)
}

/// Looks for a better delay of each stem; true if one was found.
fn round(
    bed: &Bed<'_>,
    tracks: &mut TrackSet,
    terms: &mut [Term],
    progress: &mut dyn Progress,
) -> Result<bool> {
    let mut residual = bed.residual_audio(terms, progress)?;
    progress.begin("looking for delays", terms.len() as u64);
    let mut changed = false;
    for place in terms {
        let term = *place;
        let excerpts = against_rest(bed, tracks, &residual, term.stem, Some(term))?;
        if let Some(delay) = excerpts.better_delay(term.delay) {
            *place = Term { delay, gain: excerpts.fit(delay).1, ..term };
            let track = &mut tracks.stems[term.stem];
            residual.add(track, term)?;
            residual.add(track, Term { gain: -place.gain, ..*place })?;
            changed = true;
        }
        advance(progress, 1, &bed.mix.path)?;
    }
    Ok(changed)
}

/// The stem and delay that best explain what the terms leave, when the stem's first gain may change too.
fn second_arrival(
    bed: &Bed<'_>,
    tracks: &mut TrackSet,
    terms: &[Term],
    progress: &mut dyn Progress,
) -> Result<Option<Term>> {
    let residual = bed.residual_audio(terms, progress)?;
    progress.begin("looking for doubled stems", bed.stems.len() as u64);
    let mut best = (IS_COPY, None);
    for stem in 0..bed.stems.len() {
        let first = terms[stem];
        let arrivals = against_rest(bed, tracks, &residual, stem, None)?.arrivals(2, first.delay);
        let alone = against_rest(bed, tracks, &residual, stem, Some(first))?;
        for arrival in arrivals {
            let Some((delay, left)) = alone.beside(first.delay, arrival.delay) else { continue };
            let known = terms.iter().any(|term| term.stem == stem && term.delay == delay);
            // Two taps close to each other are a filter: then only an exact copy is one.
            let most = if (delay - first.delay).abs() < COMB { EXACT } else { IS_COPY };
            if !known && left < best.0.min(most) {
                best = (left, Some(Term { stem, delay, gain: 0.0 }));
            }
        }
        advance(progress, 1, &bed.mix.path)?;
    }
    Ok(best.1)
}
