//! Files that are the sum of others: a mix among its stems, a bus among its tracks.

use std::path::Path;

use crate::progress::{Progress, advance};
use crate::sketch::{NEXT_CHANNEL, Sketch, Stretches};
use audiofile::error::{Result, shown};
use audiofile::{AudioReader, BLOCK};
use project::bundle::Bundle;
use units::Hz;

/// A file is a sum if this part of its power is left when the others are taken away, or less: -20 dB.
const MAX_REST: f64 = 0.01;
/// A file that is in another to at least this part of its power, -40 dB, is a member.
const MIN_SHARE: f64 = 1e-4;
/// Files with a squared correlation beyond this are copies, and no copy explains another.
const COPY: f64 = 0.9999;
/// Pull of the inverse, relative to the power of a file.
const RIDGE: f64 = 1e-7;
/// Rounds of the search for gains.
const ROUNDS: usize = 200;
/// Files that are compared at most: the effort grows with the cube.
const MAX_FILES: usize = 600;

/// One of the sounds that are compared: a file, or two mono files that are its left and right.
#[derive(Clone, Debug)]
pub(crate) struct SumSource<'a> {
    files: Vec<&'a Path>,
}

impl<'a> SumSource<'a> {
    /// One file.
    pub(crate) fn file(path: &'a Path) -> Self {
        Self { files: vec![path] }
    }

    /// The left and the right file of a pair.
    pub(crate) fn pair(sides: [&'a Path; 2]) -> Self {
        Self { files: sides.to_vec() }
    }

    /// Its first file.
    pub(crate) fn path(&self) -> &'a Path {
        self.files[0]
    }

    /// Its sketch, and the number of its channels.
    fn sketch(&self, stretches: &Stretches) -> Result<(Sketch, usize)> {
        let [left, right] = self.files[..] else {
            let channels = AudioReader::open(self.path())?.info().channels;
            return Ok((Sketch::read(self.path(), stretches, &[])?, channels));
        };
        let mut sketch = Sketch::read(left, stretches, &[])?;
        sketch.add(&Sketch::read(right, stretches, &[])?, NEXT_CHANNEL);
        Ok((sketch, 2))
    }
}

/// The open files of a [`SumSource`], read in step.
struct SumReader {
    files: Vec<AudioReader>,
    planes: Vec<Vec<f64>>,
}

impl SumReader {
    fn open(source: &SumSource<'_>) -> Result<Self> {
        let files = source.files.iter().map(AudioReader::open).collect::<Result<Vec<_>>>()?;
        let channels = files.iter().map(|file| file.info().channels).sum();
        Ok(Self { files, planes: vec![Vec::new(); channels] })
    }

    /// The frames of its longest file.
    fn frames(&self) -> u64 {
        self.files.iter().map(|file| file.info().frames).max().unwrap_or(0)
    }

    /// Reads the next frames of every channel: returns how many the longest file had.
    fn read(&mut self, frames: usize) -> Result<usize> {
        let (mut most, mut first) = (0, 0);
        for file in &mut self.files {
            let end = first + file.info().channels;
            most = most.max(file.read_planar(&mut self.planes[first..end], frames)?);
            first = end;
        }
        self.planes.iter_mut().for_each(|plane| plane.resize(most, 0.0));
        Ok(most)
    }
}

/// A file that is the sum of others.
#[derive(Clone, Debug, PartialEq)]
pub struct SumOfFiles {
    /// Its index.
    pub file: usize,
    /// The indices of the others, and their gains in it.
    pub members: Vec<(usize, f64)>,
    /// True if that is all others that sound: it is the mix.
    pub is_mix: bool,
}

/// Finds the sums among sources of one rate; they are read again to be sure. Mixes come first.
///
/// # Errors
/// If a file cannot be read, or the listener stops it.
pub(crate) fn find_sums(
    sketches: &[Sketch],
    sources: &[SumSource<'_>],
    progress: &mut dyn Progress,
) -> Result<Vec<SumOfFiles>> {
    let mut sums = candidates(sketches);
    let mut sure = Vec::new();
    // A sum of sums is one of their members too: the mixes go first, so that a bus is explained by tracks.
    sums.sort_by_key(|sum| !sum.is_mix);
    for sum in sums {
        if rest(&sum, sources, progress)? < MAX_REST {
            sure.push(sum);
        }
    }
    Ok(sure)
}

/// The sums that the sketches suggest.
fn candidates(sketches: &[Sketch]) -> Vec<SumOfFiles> {
    let sounding: Vec<usize> = (0..sketches.len()).filter(|&i| sketches[i].total() > 0.0).collect();
    let count = sounding.len();
    let samples: usize = sketches.first().map_or(0, |sketch| sketch.stretches.iter().map(Vec::len).sum());
    if !(3..=MAX_FILES).contains(&count) || samples < 20 * count {
        return Vec::new();
    }
    let mut gram = vec![vec![0.0; count]; count];
    for i in 0..count {
        for j in 0..=i {
            let product = sketches[sounding[i]].dot(&sketches[sounding[j]]);
            gram[i][j] = product;
            gram[j][i] = product;
        }
    }
    let rests = unexplained(&gram);
    let dependent: Vec<usize> = (0..count).filter(|&i| rests[i] < MAX_REST).collect();
    let mut sums = Vec::new();
    for &file in &dependent {
        let own = gram[file][file];
        let copies = |other: usize| gram[file][other].powi(2) > COPY * own * gram[other][other];
        let others: Vec<usize> =
            dependent.iter().copied().filter(|&other| other != file && !copies(other)).collect();
        let gains = gains(&gram, file, &others);
        let mut rest = own;
        for (n, &i) in others.iter().enumerate() {
            rest -= 2.0 * gains[n] * gram[file][i];
            rest += others.iter().zip(&gains).map(|(&j, gain)| gains[n] * gain * gram[i][j]).sum::<f64>();
        }
        let members: Vec<(usize, f64)> = (others.iter().zip(gains))
            .filter(|(i, gain)| gain.powi(2) * gram[**i][**i] > MIN_SHARE * own)
            .map(|(i, gain)| (*i, gain))
            .collect();
        if members.len() < 2 || rest > MAX_REST * own {
            continue;
        }
        let members = members.into_iter().map(|(i, gain)| (sounding[i], gain)).collect();
        sums.push(SumOfFiles { file: sounding[file], members, is_mix: false });
    }
    let is_mix: Vec<bool> = sums
        .iter()
        .map(|sum| {
            let own = sketches[sum.file].total();
            let inside = inside(&sums, sum);
            // A bus is in it too if its tracks are.
            let of_inside = |i: usize| {
                let all =
                    |other: &&SumOfFiles| other.members.iter().all(|(member, _)| inside.contains(member));
                sums.iter().filter(|other| other.file == i).any(|other| all(&other))
            };
            sounding.iter().all(|&i| {
                let other = &sketches[i];
                let product = sketches[sum.file].dot(other);
                let is_copy = product.powi(2) > COPY * own * other.total();
                i == sum.file
                    || inside.contains(&i)
                    || of_inside(i)
                    || is_copy
                    || other.total() < MIN_SHARE * own
            })
        })
        .collect();
    sums.iter_mut().zip(is_mix).for_each(|(sum, is_mix)| sum.is_mix = is_mix);
    sums
}

/// The members of a sum, and those of the sums among them.
fn inside(sums: &[SumOfFiles], sum: &SumOfFiles) -> Vec<usize> {
    let mut inside: Vec<usize> = sum.members.iter().map(|(member, _)| *member).collect();
    let mut next = 0;
    while let Some(&member) = inside.get(next) {
        let of_member = sums.iter().filter(|other| other.file == member).flat_map(|other| &other.members);
        for (deeper, _) in of_member {
            if !inside.contains(deeper) {
                inside.push(*deeper);
            }
        }
        next += 1;
    }
    inside
}

/// The part of each file's power that no combination of the others explains: one over the diagonal of the inverse of the
/// correlations.
fn unexplained(gram: &[Vec<f64>]) -> Vec<f64> {
    let count = gram.len();
    let scale: Vec<f64> = (0..count).map(|i| gram[i][i].sqrt()).collect();
    // Cholesky factor, then its inverse: the diagonal of the inverse is the sums of squares of that one's columns.
    let mut factor = vec![vec![0.0; count]; count];
    for row in 0..count {
        for column in 0..=row {
            let ridge = if row == column { RIDGE } else { 0.0 };
            let known: f64 = (0..column).map(|k| factor[row][k] * factor[column][k]).sum();
            let left = gram[row][column] / (scale[row] * scale[column]) + ridge - known;
            factor[row][column] =
                if row == column { left.max(RIDGE).sqrt() } else { left / factor[column][column] };
        }
    }
    let mut inverse = vec![vec![0.0; count]; count];
    for column in 0..count {
        inverse[column][column] = 1.0 / factor[column][column];
        for row in column + 1..count {
            let known: f64 = (column..row).map(|k| factor[row][k] * inverse[k][column]).sum();
            inverse[row][column] = -known / factor[row][row];
        }
    }
    (0..count).map(|i| 1.0 / (i..count).map(|row| inverse[row][i].powi(2)).sum::<f64>()).collect()
}

/// The gains, none negative, with which `others` come nearest to `file`: coordinate descent.
fn gains(gram: &[Vec<f64>], file: usize, others: &[usize]) -> Vec<f64> {
    let mut gains = vec![0.0; others.len()];
    for _ in 0..ROUNDS {
        for n in 0..others.len() {
            let i = others[n];
            let explained: f64 = others.iter().zip(&gains).map(|(&j, gain)| gain * gram[i][j]).sum();
            let step = (gram[file][i] - explained) / gram[i][i];
            gains[n] = (gains[n] + step).max(0.0);
        }
    }
    gains
}

/// The part of the source's power that is left without its members, over all of it.
fn rest(sum: &SumOfFiles, sources: &[SumSource<'_>], progress: &mut dyn Progress) -> Result<f64> {
    let mut whole = SumReader::open(&sources[sum.file])?;
    let mut members = Vec::new();
    for (member, gain) in &sum.members {
        members.push((SumReader::open(&sources[*member])?, *gain));
    }
    let (mut own, mut left) = (0.0, 0.0);
    let square = |planes: &[Vec<f64>]| planes.iter().flatten().map(|x| x * x).sum::<f64>();
    progress.begin("looking for mixes", whole.frames());
    loop {
        let frames = whole.read(BLOCK)?;
        if frames == 0 {
            break;
        }
        own += square(&whole.planes);
        for (member, gain) in &mut members {
            member.read(frames)?;
            for (side, plane) in whole.planes.iter_mut().enumerate() {
                let from = member.planes.get(side).unwrap_or(&member.planes[0]);
                plane.iter_mut().zip(from).for_each(|(rest, x)| *rest -= *gain * x);
            }
        }
        left += square(&whole.planes);
        advance(progress, frames as u64, sources[sum.file].path())?;
    }
    Ok(if own > 0.0 { left / own } else { 1.0 })
}

/// Takes the stems out of a bundle that are the sum of others there: the master would hold everything in them twice. A
/// line for each says why.
///
/// # Errors
/// If a file cannot be read, or the listener stops it.
pub fn leave_out_sums(bundle: &mut Bundle, progress: &mut dyn Progress) -> Result<Vec<String>> {
    let Some(rate) = bundle.stems.first().map(|stem| stem.info.rate) else { return Ok(Vec::new()) };
    if bundle.stems.len() < 3 || bundle.stems.iter().any(|stem| stem.info.rate != rate) {
        return Ok(Vec::new());
    }
    let sources: Vec<SumSource<'_>> = bundle.stems.iter().map(|stem| SumSource::file(&stem.path)).collect();
    let sketches = sketches(&sources, bundle.frames(), rate, progress)?;
    let sums = find_sums(&sketches, &sources, progress)?;
    let lines = sums
        .iter()
        .map(|sum| {
            let what = describe(sum, |i| bundle.stems[i].name.clone());
            format!(
                "{} is left out: it is {what}; a session file that lists it keeps it",
                shown(sources[sum.file].path())
            )
        })
        .collect();
    let mut out: Vec<usize> = sums.iter().map(|sum| sum.file).collect();
    out.sort_unstable();
    for index in out.into_iter().rev() {
        let stem = bundle.stems.remove(index);
        if sums.iter().any(|sum| sum.file == index && sum.is_mix) {
            bundle.mixes.push(stem.path);
        }
    }
    Ok(lines)
}

/// Sketches of sources of one rate at evenly spread stretches.
pub(crate) fn sketches(
    sources: &[SumSource<'_>],
    frames: u64,
    rate: Hz,
    progress: &mut dyn Progress,
) -> Result<Vec<Sketch>> {
    let stretches = Stretches::even(frames, rate);
    progress.begin("looking for mixes", sources.len() as u64);
    let mut sketches = Vec::new();
    let mut channels = Vec::new();
    for source in sources {
        let (sketch, own) = source.sketch(&stretches)?;
        sketches.push(sketch);
        channels.push(own);
        advance(progress, 1, source.path())?;
    }
    spread_mono(&mut sketches, &channels);
    Ok(sketches)
}

/// Makes the sketches of mono files, where some are stereo, those of files with the same in both sides: so they enter a
/// stereo sum.
pub(crate) fn spread_mono(sketches: &mut [Sketch], channels: &[usize]) {
    if channels.iter().all(|channels| *channels == 1) {
        return;
    }
    for (sketch, _) in sketches.iter_mut().zip(channels).filter(|(_, channels)| **channels == 1) {
        sketch.scale(1.0 + NEXT_CHANNEL);
    }
}

/// `the sum of all other stems`, or `the sum of Kick, Snare and Hat`.
pub(crate) fn describe(sum: &SumOfFiles, name: impl Fn(usize) -> String) -> String {
    if sum.is_mix {
        return "the sum of all other stems".into();
    }
    let names: Vec<String> = sum.members.iter().map(|(member, _)| name(*member)).collect();
    match names.as_slice() {
        [all @ .., last] if !all.is_empty() => format!("the sum of {} and {last}", all.join(", ")),
        names => format!("the sum of {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sketch::STRETCH;
    use testkit::noise;

    fn sketch(samples: Vec<f64>) -> Sketch {
        let samples: Vec<f32> = samples.into_iter().map(|x| x as f32).collect();
        Sketch { energy: vec![samples.iter().map(|x| f64::from(*x).powi(2)).sum()], stretches: vec![samples] }
    }

    fn parts(count: u64) -> Vec<Vec<f64>> {
        (0..count).map(|seed| noise(seed + 1, STRETCH, 0.02 * (seed + 1) as f64)).collect()
    }

    fn sum(parts: &[&[f64]], gains: &[f64]) -> Vec<f64> {
        (0..STRETCH).map(|n| parts.iter().zip(gains).map(|(part, gain)| part[n] * gain).sum()).collect()
    }

    fn found(files: &[Vec<f64>]) -> Vec<(usize, Vec<usize>, bool)> {
        let sketches: Vec<Sketch> = files.iter().cloned().map(sketch).collect();
        let of = |sum: SumOfFiles| (sum.file, sum.members.iter().map(|(i, _)| *i).collect(), sum.is_mix);
        candidates(&sketches).into_iter().map(of).collect()
    }

    #[test]
    fn a_mix_and_a_bus_are_told_from_what_they_hold() {
        let mut files = parts(5);
        assert_eq!(found(&files), []);
        let bus = sum(&[&files[0], &files[1], &files[2]], &[1.0, 0.7, 1.0]);
        files.push(bus.clone());
        assert_eq!(found(&files), [(5, vec![0, 1, 2], false)]);
        let mix = sum(&[&files[3], &files[4], &bus], &[1.0; 3]);
        files.push(mix.clone());
        let sums = found(&files);
        assert_eq!(
            sums.iter().map(|(file, _, is_mix)| (*file, *is_mix)).collect::<Vec<_>>(),
            [(5, false), (6, true)]
        );
        files.remove(5);
        assert_eq!(found(&files), [(5, vec![0, 1, 2, 3, 4], true)]);
    }

    #[test]
    fn copies_silence_and_what_is_processed_are_no_sums() {
        let mut files = parts(4);
        files.push(files[2].clone());
        files.push(vec![0.0; STRETCH]);
        // A sum with as much of something else as -12 dB.
        let other = noise(77, STRETCH, 0.03);
        files.push(sum(&[&files[0], &files[1], &files[3], &other], &[1.0; 4]));
        assert_eq!(found(&files), []);
    }

    #[test]
    fn two_copies_of_a_mix_are_both_mixes() {
        let mut files = parts(3);
        let mix = sum(&[&files[0], &files[1], &files[2]], &[1.0; 3]);
        files.push(mix.clone());
        files.push(mix.iter().map(|x| 0.5 * x).collect());
        assert_eq!(found(&files), [(3, vec![0, 1, 2], true), (4, vec![0, 1, 2], true)]);
    }
}
