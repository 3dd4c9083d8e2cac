//! Log of gains: computed once, on a sum, and applied to each of its parts, so that the parts still add up to it.

use super::{Block, Process};

/// Source or destination of the gains that a unit computes from its audio.
pub enum GainLog<'a> {
    /// Computed for this audio alone: normal processing.
    Off,
    /// Computed, and appended in the order in which they are needed.
    Record(&'a mut Vec<f64>),
    /// Not computed: read from what was recorded for the same frames of the sum.
    Follow(GainReader<'a>),
}

/// Rest of a recording, with the share that follows it.
pub struct GainReader<'a> {
    values: &'a [f64],
    share: Share,
}

/// Part of a sum that follows its recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// One of the terms of the sum. What a saturator adds to the sum is in none of them.
    Stem,
    /// Signal that a saturator added to the sum; its input is silence.
    Residual,
    /// Some of the terms together, heard by themselves: the gains are the sum's, the saturator acts on what is there. All
    /// terms together are the sum.
    Version,
}

/// Unit whose gains can be recorded and followed. All else that it does must be linear, or be recorded too.
pub trait RecordGain: Process {
    /// Processes `block` in place, with gains from or to a log. Recorder and follower are equal units, set alike at the same
    /// frames and fed blocks of the same lengths.
    ///
    /// # Panics
    /// If a followed log ends early.
    fn run(&mut self, block: &mut Block<'_>, gain_log: &mut GainLog<'_>);
}

impl<'a> GainLog<'a> {
    /// Log that `share` follows.
    pub fn follow(values: &'a [f64], share: Share) -> Self {
        Self::Follow(GainReader { values, share })
    }

    /// Share that follows; `None` if gains are computed.
    #[inline]
    pub fn share(&self) -> Option<Share> {
        match self {
            Self::Follow(follow) => Some(follow.share),
            _ => None,
        }
    }

    /// True if gains are computed, not followed.
    #[inline]
    pub fn computes(&self) -> bool {
        self.share().is_none()
    }

    /// Appends `values`, if recording.
    #[inline]
    pub fn record(&mut self, values: &[f64]) {
        if let Self::Record(gain_log) = self {
            gain_log.extend_from_slice(values);
        }
    }

    /// Next `count` values, if following.
    #[inline]
    pub fn next(&mut self, count: usize) -> Option<&'a [f64]> {
        let Self::Follow(follow) = self else { return None };
        let (now, later) = follow.values.split_at(count);
        follow.values = later;
        Some(now)
    }

    /// One value: followed, or computed and recorded.
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

    /// Fills the gains of both channels: followed, or computed and recorded.
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

    /// True unless values are left to follow.
    pub fn is_at_end(&self) -> bool {
        !matches!(self, Self::Follow(follow) if !follow.values.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_read_as_it_was_written() {
        let mut values = Vec::new();
        let mut gain_log = GainLog::Record(&mut values);
        assert!(gain_log.computes() && gain_log.next(2).is_none());
        gain_log.record(&[1.0, 2.0]);
        assert_eq!(gain_log.value(|| 3.0), 3.0);
        let mut gain_log = GainLog::follow(&values, Share::Stem);
        assert!(!gain_log.computes() && !gain_log.is_at_end());
        assert_eq!(gain_log.next(2), Some(&[1.0, 2.0][..]));
        assert_eq!(gain_log.value(|| unreachable!("it is in the log")), 3.0);
        assert!(gain_log.is_at_end());
        let mut off = GainLog::Off;
        off.record(&[1.0]);
        assert!(off.computes() && off.is_at_end() && off.value(|| 4.0) == 4.0);
    }
}
