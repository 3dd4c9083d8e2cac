use rubato::audioadapter_buffers::direct::SequentialSliceOfVecs;
use rubato::{Fft, FixedSync, Resampler, WindowFunction};

/// Conversion between two sampling rates, block by block: each block is transformed, its spectrum cut or extended behind an
/// anti-aliasing filter (squared Blackman-Harris window) and transformed back. `rubato`'s synchronous converter.
pub struct RateConverter(Fft<f64>);

impl RateConverter {
    /// Returns a converter between two rates, Hz, that takes `block` frames at a time of each of `channels` channels; none
    /// if `block` frames are no whole number of frames at the other rate.
    pub fn new(from: usize, to: usize, block: usize, channels: usize) -> Option<Self> {
        let window = WindowFunction::BlackmanHarris2;
        Fft::new_custom(from, to, block, 1, channels, window, FixedSync::Both).ok().map(Self)
    }

    /// Frames that the next call of [`process`](Self::process) takes.
    pub fn input_frames(&self) -> usize {
        self.0.input_frames_next()
    }

    /// Frames that a call gives at most.
    pub fn max_output_frames(&self) -> usize {
        self.0.output_frames_max()
    }

    /// Delay of the filter, frames at the new rate.
    pub fn delay(&self) -> usize {
        self.0.output_delay()
    }

    /// Converts [`input_frames`](Self::input_frames) frames of each channel; returns how many frames of `output` it wrote.
    ///
    /// # Panics
    /// If there are fewer frames than asked for, or less room than [`max_output_frames`](Self::max_output_frames).
    pub fn process(&mut self, input: &[Vec<f64>], output: &mut [Vec<f64>]) -> usize {
        let (channels, frames, room) = (input.len(), input[0].len(), output[0].len());
        let from =
            SequentialSliceOfVecs::new(input, channels, frames).expect("as many frames in each channel");
        let mut to =
            SequentialSliceOfVecs::new_mut(output, channels, room).expect("as much room in each channel");
        let (_, written) =
            self.0.process_into_buffer(&from, &mut to, None).expect("both buffers are large enough");
        written
    }
}
