//! Block of audio that units process.

use core::ops::Range;

/// Stretch of stereo audio, processed in place, with an optional sidechain key of the same length.
///
/// Planar, two channels, equal length, `f64`; full scale is ±1. A mono signal is processed as two equal channels.
pub struct Block<'a> {
    left: &'a mut [f64],
    right: &'a mut [f64],
    key: Option<Key<'a>>,
}

/// Sidechain signal of a block: read only, as long as the block, aligned with it.
#[derive(Clone, Copy)]
pub struct Key<'a> {
    /// Left channel.
    pub left: &'a [f64],
    /// Right channel.
    pub right: &'a [f64],
}

/// Signal that a unit with a key reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeySource {
    /// Audio that it processes.
    #[default]
    Own,
    /// Sidechain key of the block; silence if none is connected.
    Sidechain,
}

impl<'a> Block<'a> {
    /// Block over two channels.
    ///
    /// # Panics
    /// If the channels differ in length.
    pub fn new(left: &'a mut [f64], right: &'a mut [f64]) -> Self {
        assert_eq!(left.len(), right.len(), "both channels of a block have one length");
        Self { left, right, key: None }
    }

    /// Adds a sidechain key.
    ///
    /// # Panics
    /// If the key's channels are not as long as the block.
    pub fn with_key(self, key: Key<'a>) -> Self {
        assert!(
            key.left.len() == self.len() && key.right.len() == self.len(),
            "the key is as long as the block"
        );
        Self { key: Some(key), ..self }
    }

    /// Number of frames.
    #[inline]
    pub fn len(&self) -> usize {
        self.left.len()
    }

    /// True for a block of no frames.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// Both channels.
    #[inline]
    pub fn channels(&mut self) -> (&mut [f64], &mut [f64]) {
        (self.left, self.right)
    }

    /// Sidechain key, if one is connected.
    #[inline]
    pub fn key(&self) -> Option<Key<'a>> {
        self.key
    }

    /// View of the same audio with another sidechain key, as long as the block.
    ///
    /// # Panics
    /// If the key is not.
    #[inline]
    pub fn keyed<'b>(&'b mut self, key: Option<Key<'b>>) -> Block<'b> {
        let block = Block::new(self.left, self.right);
        match key {
            Some(key) => block.with_key(key),
            None => block,
        }
    }

    /// Frames `range` of this block, with their key.
    #[inline]
    pub fn part(&mut self, range: Range<usize>) -> Block<'_> {
        Block {
            key: self.key.map(|key| Key { left: &key.left[range.clone()], right: &key.right[range.clone()] }),
            left: &mut self.left[range.clone()],
            right: &mut self.right[range],
        }
    }
}
