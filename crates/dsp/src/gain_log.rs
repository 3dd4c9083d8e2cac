//! Gains that are computed once, on a sum, and applied to each of its parts, so that the parts still add up to it.

use super::{Block, Process};

/// What a unit does about the gains that it computes from the audio it hears.
pub enum GainLog<'a> {
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
    part: Share,
}

/// What follows a recorded sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// One of the terms of the sum. What a saturator adds to the sum is in none of them.
    Stem,
    /// What a saturator added to the sum; its input is silence.
    Residual,
    /// Some of the terms together, heard by themselves: the gains are the sum's, the saturator acts on what is there. All
    /// terms together are the sum.
    Version,
}

/// A unit with gains that can be recorded and followed. All else that it does must be linear, or be recorded too.
pub trait RecordGain: Process {
    /// As [`Process::process`], with gains from or to a tape. Recorder and follower are equal units, set alike at the same
    /// frames and fed blocks of the same lengths.
    ///
    /// # Panics
    /// If a tape ends early: it was recorded otherwise.
    fn run(&mut self, block: &mut Block<'_>, gain_log: &mut GainLog<'_>);
}

impl<'a> GainLog<'a> {
    /// A recording to be followed by `part`.
    pub fn follow(values: &'a [f64], part: Share) -> Self {
        Self::Follow(Follow { values, part })
    }

    /// Who follows; none if gains are computed.
    #[inline]
    pub fn part(&self) -> Option<Share> {
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
        if let Self::Record(gain_log) = self {
            gain_log.extend_from_slice(values);
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
mod tests {
    use super::*;

    #[test]
    fn a_tape_is_read_as_it_was_written() {
        let mut values = Vec::new();
        let mut gain_log = GainLog::Record(&mut values);
        assert!(gain_log.computes() && gain_log.next(2).is_none());
        gain_log.record(&[1.0, 2.0]);
        assert_eq!(gain_log.value(|| 3.0), 3.0);
        let mut gain_log = GainLog::follow(&values, Share::Stem);
        assert!(!gain_log.computes() && !gain_log.is_at_end());
        assert_eq!(gain_log.next(2), Some(&[1.0, 2.0][..]));
        assert_eq!(gain_log.value(|| unreachable!("it is on the tape")), 3.0);
        assert!(gain_log.is_at_end());
        let mut off = GainLog::Off;
        off.record(&[1.0]);
        assert!(off.computes() && off.is_at_end() && off.value(|| 4.0) == 4.0);
    }
}
