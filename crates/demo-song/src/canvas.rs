//! The audio of one stem: the whole song in stereo.

use units::{Hz, Ms};

use super::score::LENGTH_SECONDS;

/// Two channels as long as the song.
#[derive(Clone)]
pub(super) struct StemBuffer {
    pub(super) left: Vec<f64>,
    pub(super) right: Vec<f64>,
    pub(super) rate: Hz,
}

impl StemBuffer {
    /// Silence of the song's length.
    pub(super) fn new(rate: Hz) -> Self {
        let frames = Ms(LENGTH_SECONDS * 1e3).samples(rate).0;
        Self { left: vec![0.0; frames], right: vec![0.0; frames], rate }
    }

    /// The nearest frame to `seconds`, within the song.
    pub(super) fn frame(&self, seconds: f64) -> usize {
        Ms(seconds * 1e3).samples(self.rate).0.min(self.left.len())
    }

    /// Adds `sound` from `seconds` on at linear `gain`, placed by `pan`: -1 left, 0 centre, 1 right, with constant
    /// power and unity at the centre. What would play past the end is lost.
    pub(super) fn add(&mut self, seconds: f64, sound: impl IntoIterator<Item = f64>, gain: f64, pan: f64) {
        let start = self.frame(seconds);
        let [left_gain, right_gain] = pan_gains(pan).map(|side| side * gain);
        let frames = self.left[start..].iter_mut().zip(&mut self.right[start..]);
        for ((left, right), sample) in frames.zip(sound) {
            *left += left_gain * sample;
            *right += right_gain * sample;
        }
    }
}

/// Left and right gain of a place in the panorama: constant power, unity at the centre.
pub(super) fn pan_gains(pan: f64) -> [f64; 2] {
    [(1.0 - pan).sqrt(), (1.0 + pan).sqrt()]
}
