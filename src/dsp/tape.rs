//! Gains that are computed once, on a sum, and applied to each of its parts, so that the parts still add up to it.

use super::{Block, Process};

/// What a unit does about the gains that it computes from the audio it hears.
pub enum Tape<'a> {
    /// Computes them for this audio alone: everyday processing.
    Off,
    /// Computes them and writes them down, in the order in which they are needed.
    Record(&'a mut Vec<f64>),
    /// Computes nothing: applies what was written down for the same frames of the sum.
    Follow(Follow<'a>),
}

/// What is left of a recording, and who follows it.
pub struct Follow<'a> {
    values: &'a [f64],
    part: Part,
}

/// What follows a recorded sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// One of the terms of the sum. What a saturator adds to the sum is in none of them.
    Stem,
    /// What a saturator added to the sum; its input is silence.
    Residual,
    /// Some of the terms together, heard by themselves: the gains are the sum's, the saturator acts on what is there. All
    /// terms together are the sum.
    Version,
}

/// A unit with gains that can be recorded and followed. All else that it does must be linear, or be recorded too.
pub trait Taped: Process {
    /// As [`Process::process`], with gains from or to a tape. Recorder and follower are equal units, set alike at the same
    /// frames and fed blocks of the same lengths.
    ///
    /// # Panics
    /// If a tape ends early: it was recorded otherwise.
    fn run(&mut self, block: &mut Block<'_>, tape: &mut Tape<'_>);
}

impl<'a> Tape<'a> {
    /// A recording to be followed by `part`.
    pub fn follow(values: &'a [f64], part: Part) -> Self {
        Self::Follow(Follow { values, part })
    }

    /// Who follows; none if gains are computed.
    #[inline]
    pub fn part(&self) -> Option<Part> {
        match self {
            Self::Follow(follow) => Some(follow.part),
            _ => None,
        }
    }

    /// True if gains are computed, not followed.
    #[inline]
    pub fn computes(&self) -> bool {
        self.part().is_none()
    }

    /// Writes `values` down, if anything is.
    #[inline]
    pub fn record(&mut self, values: &[f64]) {
        if let Self::Record(tape) = self {
            tape.extend_from_slice(values);
        }
    }

    /// The next `count` values, if they are followed.
    #[inline]
    pub fn next(&mut self, count: usize) -> Option<&'a [f64]> {
        let Self::Follow(follow) = self else { return None };
        let (now, later) = follow.values.split_at(count);
        follow.values = later;
        Some(now)
    }

    /// One value: followed, or computed (and written down).
    #[inline]
    pub fn value(&mut self, compute: impl FnOnce() -> f64) -> f64 {
        match self.next(1) {
            Some(values) => values[0],
            None => {
                let value = compute();
                self.record(&[value]);
                value
            }
        }
    }

    /// The gains of both channels: followed, or computed (and written down).
    #[inline]
    pub fn gains(&mut self, [left, right]: [&mut [f64]; 2], compute: impl FnOnce([&mut [f64]; 2])) {
        match self.next(left.len() + right.len()) {
            Some(values) => {
                let (first, second) = values.split_at(left.len());
                left.copy_from_slice(first);
                right.copy_from_slice(second);
            }
            None => {
                compute([&mut *left, &mut *right]);
                self.record(left);
                self.record(right);
            }
        }
    }

    /// True when nothing is left to follow.
    pub fn is_at_end(&self) -> bool {
        !matches!(self, Self::Follow(follow) if !follow.values.is_empty())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::contract::{Stereo, noise};
    use super::*;

    /// Stems of different character: noises that swell at different times.
    pub(crate) fn stems(count: usize, frames: usize, level: f64) -> Vec<Stereo> {
        (0..count)
            .map(|i| {
                let seed = 100 + i as u64;
                let swell =
                    |x: f64, at: usize| x * (1.0 + (at as f64 / (700.0 + 500.0 * i as f64)).sin()) * 0.5;
                let side =
                    |seed| noise(seed, frames, level).into_iter().enumerate().map(|(at, x)| swell(x, at));
                let (left, other): (Vec<f64>, Vec<f64>) = (side(seed).collect(), side(seed ^ 0x77).collect());
                let right = left.iter().zip(&other).map(|(l, r)| 0.6 * l + 0.4 * r).collect();
                Stereo { left, right }
            })
            .collect()
    }

    pub(crate) fn sum(stems: &[Stereo]) -> Stereo {
        let mut sum = Stereo::silence(stems[0].left.len());
        for stem in stems {
            sum.left.iter_mut().zip(&stem.left).for_each(|(sum, x)| *sum += x);
            sum.right.iter_mut().zip(&stem.right).for_each(|(sum, x)| *sum += x);
        }
        sum
    }

    /// The largest sample of the difference.
    pub(crate) fn difference(a: &Stereo, b: &Stereo) -> f64 {
        let sides = a.left.iter().zip(&b.left).chain(a.right.iter().zip(&b.right));
        sides.fold(0.0, |most, (a, b)| most.max((a - b).abs()))
    }

    /// Asserts that recording changes no bit, and that the stems of a sum and the residual, each followed by a unit of its
    /// own, add up to what the recorder made of the sum, within `rounding`; whatever the blocks.
    pub(crate) fn parts_add_up<U: Taped>(
        make: impl Fn() -> U,
        changes: &[(usize, U::Settings)],
        rounding: f64,
    ) {
        let frames = 20_000;
        let stems = stems(3, frames, 0.4);
        let input = sum(&stems);
        let mut terms = stems.clone();
        terms.push(Stereo::silence(frames));
        let mut whole = input.clone();
        let mut plain = input.clone();
        let mut version = input.clone();
        let (mut lead, mut alone, mut together) = (make(), make(), make());
        let mut followers: Vec<U> = terms.iter().map(|_| make()).collect();
        let sizes = noise(4, frames, 1.0);
        let (mut at, mut tape) = (0, Vec::new());
        while at < frames {
            for (_, settings) in changes.iter().filter(|(from, _)| *from == at) {
                lead.set(settings);
                alone.set(settings);
                together.set(settings);
                followers.iter_mut().for_each(|unit| unit.set(settings));
            }
            let next = changes.iter().map(|(from, _)| *from).find(|from| *from > at).unwrap_or(frames);
            let end = (at + 1 + (sizes[at].abs() * 600.0) as usize).min(next).min(frames);
            let block = |signal: &mut Stereo, unit: &mut U, tape: &mut Tape<'_>| {
                let (left, right) = (&mut signal.left[at..end], &mut signal.right[at..end]);
                unit.run(&mut Block::new(left, right), tape);
            };
            tape.clear();
            block(&mut whole, &mut lead, &mut Tape::Record(&mut tape));
            block(&mut plain, &mut alone, &mut Tape::Off);
            let mut follow = Tape::follow(&tape, Part::Version);
            block(&mut version, &mut together, &mut follow);
            assert!(follow.is_at_end(), "all of the tape is used");
            for (i, (term, unit)) in terms.iter_mut().zip(&mut followers).enumerate() {
                let part = if i < stems.len() { Part::Stem } else { Part::Residual };
                let mut follow = Tape::follow(&tape, part);
                block(term, unit, &mut follow);
                assert!(follow.is_at_end(), "all of the tape is used");
            }
            at = end;
        }
        assert!(whole == plain, "recording changes nothing");
        assert!(version == whole, "all terms together are the sum");
        assert!(difference(&whole, &input) > 1e-3, "the unit does something");
        let error = difference(&sum(&terms), &whole);
        assert!(error <= rounding, "the terms miss the sum by {error:e}");
    }

    #[test]
    fn a_tape_is_read_as_it_was_written() {
        let mut values = Vec::new();
        let mut tape = Tape::Record(&mut values);
        assert!(tape.computes() && tape.next(2).is_none());
        tape.record(&[1.0, 2.0]);
        assert_eq!(tape.value(|| 3.0), 3.0);
        let mut tape = Tape::follow(&values, Part::Stem);
        assert!(!tape.computes() && !tape.is_at_end());
        assert_eq!(tape.next(2), Some(&[1.0, 2.0][..]));
        assert_eq!(tape.value(|| unreachable!("it is on the tape")), 3.0);
        assert!(tape.is_at_end());
        let mut off = Tape::Off;
        off.record(&[1.0]);
        assert!(off.computes() && off.is_at_end() && off.value(|| 4.0) == 4.0);
    }
}
