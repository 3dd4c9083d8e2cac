//! Units at work on the signals of tests.

use std::ops::Range;

use dsp::{Block, Key, Process};
use testkit::{Stereo, noise};

/// Processing in place by a unit.
pub(crate) trait RunUnit {
    /// Processes the frames `range` as one block, keyed by fixed noise.
    fn run<P: Process>(&mut self, unit: &mut P, range: Range<usize>);
}

impl RunUnit for Stereo {
    fn run<P: Process>(&mut self, unit: &mut P, range: Range<usize>) {
        let key = noise(77, self.left.len(), 0.7);
        let key = Key { left: &key[range.clone()], right: &key[range.clone()] };
        let mut block = Block::new(&mut self.left[range.clone()], &mut self.right[range]).with_key(key);
        unit.process(&mut block);
    }
}
