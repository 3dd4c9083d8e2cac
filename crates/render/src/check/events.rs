//! Counted events.

/// A number of events and the frame of the first.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Events {
    pub(super) count: u64,
    pub(super) first: u64,
}

impl Events {
    pub(super) fn add(&mut self, frame: u64) {
        self.first = if self.count == 0 { frame } else { self.first.min(frame) };
        self.count += 1;
    }

    pub(super) fn merge(&mut self, other: Self) {
        if other.count > 0 {
            self.first = if self.count == 0 { other.first } else { self.first.min(other.first) };
            self.count += other.count;
        }
    }
}
