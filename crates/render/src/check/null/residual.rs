//! Remainder of a mix without its stems, kept in memory: a search asks for parts of it again and again.

use super::super::track::SampleTrack;
use super::bed::Term;
use audiofile::BLOCK;
use audiofile::error::Result;

/// A residual of a whole mix in single precision, of which no search needs more.
pub(super) struct ResidualAudio {
    planes: Vec<Vec<f32>>,
}

impl ResidualAudio {
    pub(super) fn new(channels: usize) -> Self {
        Self { planes: vec![Vec::new(); channels] }
    }

    /// Appends samples of a channel.
    pub(super) fn push(&mut self, channel: usize, samples: &[f64]) {
        self.planes[channel].extend(samples.iter().map(|x| *x as f32));
    }

    /// The frames from `start` on of one channel, silent outside.
    pub(super) fn window(&self, start: i64, frames: usize, channel: usize) -> Vec<f64> {
        let plane = &self.planes[channel];
        let at = |frame: i64| frame.clamp(0, plane.len() as i64) as usize;
        let before = usize::try_from(-start).unwrap_or(0).min(frames);
        let mut window = vec![0.0; before];
        window.extend(plane[at(start)..at(start + frames as i64)].iter().map(|x| f64::from(*x)));
        window.resize(frames, 0.0);
        window
    }

    /// Adds what `track` is as `term`.
    pub(super) fn add(&mut self, track: &mut SampleTrack, term: Term) -> Result<()> {
        let frames = self.planes.first().map_or(0, Vec::len);
        let mut audio = vec![Vec::new(); self.planes.len()];
        for start in (0..frames).step_by(BLOCK) {
            track.read(start as i64 - term.delay, BLOCK.min(frames - start), &mut audio)?;
            for (plane, audio) in self.planes.iter_mut().zip(&audio) {
                let sums = plane[start..].iter_mut().zip(audio);
                sums.for_each(|(sum, x)| *sum = (f64::from(*sum) + term.gain * x) as f32);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_silent_outside() {
        let mut residual = ResidualAudio::new(1);
        residual.push(0, &[1.0, 2.0]);
        residual.push(0, &[3.0]);
        assert_eq!(residual.window(-2, 4, 0), [0.0, 0.0, 1.0, 2.0]);
        assert_eq!(residual.window(1, 4, 0), [2.0, 3.0, 0.0, 0.0]);
        assert_eq!(residual.window(-5, 3, 0), [0.0; 3]);
        assert_eq!(residual.window(7, 2, 0), [0.0; 2]);
    }
}
