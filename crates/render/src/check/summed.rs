//! Stems that are the sum of others, and the pairs of the rest that may share content: what their sketches say.

use super::fault::{Check, Fault};
use super::related;
use super::subject::Subject;
use crate::progress::{Progress, advance};
use crate::sketch::Sketch;
use crate::sums::{SumOfFiles, SumSource, describe, find_sums, spread_mono};
use audiofile::error::Result;

/// The findings of the sketches.
pub(super) struct Summed {
    /// Stems that are sums.
    pub(super) found: Vec<Fault>,
    /// The stem that is the mix, if none was named.
    pub(super) mix: Option<Subject>,
    /// Pairs of the stems that are left that may share content.
    pub(super) related: Vec<(usize, usize)>,
}

/// Takes the stems that are the sum of others out of `stems`, which have one rate: nothing is compared with itself.
pub(super) fn take_sums(
    stems: &mut Vec<Subject>,
    has_mix: bool,
    progress: &mut dyn Progress,
) -> Result<Summed> {
    let mut summed = Summed { found: Vec::new(), mix: None, related: Vec::new() };
    let Some(rate) = stems.first().map(|stem| stem.info.rate) else { return Ok(summed) };
    let subjects: Vec<&Subject> = stems.iter().collect();
    let stretches = related::stretches(&subjects, rate);
    progress.begin("comparing stems", subjects.len() as u64);
    let mut sketches = Vec::new();
    for stem in &subjects {
        let bursts: Vec<_> = stem.measured.bursts.iter().map(|burst| burst.frames.clone()).collect();
        sketches.push(Sketch::read(&stem.path, &stretches, &bursts)?);
        advance(progress, 1, &stem.path)?;
    }
    let sources: Vec<SumSource<'_>> = subjects.iter().map(|stem| SumSource::file(&stem.path)).collect();
    let channels: Vec<usize> = subjects.iter().map(|stem| stem.info.channels).collect();
    spread_mono(&mut sketches, &channels);
    let sums = find_sums(&sketches, &sources, progress)?;
    let mut mix = None;
    for sum in &sums {
        if sum.is_mix && mix.is_none() && !has_mix {
            mix = Some(sum.file);
        }
        summed.found.push(fault(sum, &subjects, mix == Some(sum.file)));
    }
    let mut out: Vec<usize> = sums.iter().map(|sum| sum.file).collect();
    out.sort_unstable();
    for index in out.into_iter().rev() {
        let stem = stems.remove(index);
        sketches.remove(index);
        if mix == Some(index) {
            summed.mix = Some(stem);
        }
    }
    if !has_mix && summed.mix.is_none() {
        let subjects: Vec<&Subject> = stems.iter().collect();
        summed.related = related::pairs(&subjects, &sketches, stretches.low_rate(rate), progress)?;
    }
    Ok(summed)
}

/// The finding on one sum; `taken`: it stands as the mix.
fn fault(sum: &SumOfFiles, stems: &[&Subject], taken: bool) -> Fault {
    let file = &stems[sum.file].file;
    let fault = format!("is {}", describe(sum, |i| stems[i].name.clone()));
    match (taken, sum.is_mix) {
        (true, _) => {
            let cure = "it was taken as the mix; call it Mix, or leave it out";
            Fault::new(Check::Sum, file, fault, cure).advice()
        }
        (false, true) => Fault::new(Check::Sum, file, fault, "leave it out: it is a mix, not a stem"),
        (false, false) => {
            let cure = "leave it out, or all of those: together they are heard twice";
            Fault::new(Check::Sum, file, fault, cure)
        }
    }
}
