//! Third-octave levels of an instance's output, for the comparison of stems: from the last third of a second in its
//! ring.

use fourier::Complex;
use fourier::RealToComplex;
use link::PeerView;
use link::audio_ring::{AudioRing, TapPoint};
use link::records::SPECTRUM_BANDS;
use std::sync::Arc;
use std::time::{Duration, Instant};
use units::{Db, Hz};

/// Frames of the transform: a third of a second, and 3 Hz per bin, at 48 kHz.
const TRANSFORM_FRAMES: usize = 16_384;
/// Minimum time between two updates.
const UPDATE_INTERVAL: Duration = Duration::from_millis(250);
/// Linear amplitude below which a band has no level.
const MIN_AMPLITUDE: f64 = 1e-7;

/// Levels of third-octave bands from 20 Hz to 20 kHz, dB; a full-scale sine on both channels is 0 dB.
pub type SpectrumLevels = [Option<Db>; SPECTRUM_BANDS];

/// Spectrum analyser of one instance.
pub struct StemSpectrum {
    transform: Arc<dyn RealToComplex<f64>>,
    window: Vec<f64>,
    levels: SpectrumLevels,
    /// Time and ring position of the last update.
    last: Option<(Instant, u64)>,
}

impl Default for StemSpectrum {
    fn default() -> Self {
        let phase = |n: usize| std::f64::consts::TAU * n as f64 / TRANSFORM_FRAMES as f64;
        Self {
            transform: fourier::forward(TRANSFORM_FRAMES),
            window: (0..TRANSFORM_FRAMES).map(|n| 0.5 - 0.5 * phase(n).cos()).collect(),
            levels: [None; SPECTRUM_BANDS],
            last: None,
        }
    }
}

impl StemSpectrum {
    /// Updates and returns the levels of `view`; unchanged if nothing new was played or the last update is recent.
    pub fn update(&mut self, view: PeerView, now: Instant) -> SpectrumLevels {
        let is_recent = |(then, _): (Instant, u64)| now.saturating_duration_since(then) < UPDATE_INTERVAL;
        if !self.last.is_some_and(is_recent)
            && let Some(end) = view.audio().and_then(AudioRing::timeline).map(|timeline| timeline.end())
            && self.last.is_none_or(|(_, then)| then != end)
            && let Some(start) = end.checked_sub(TRANSFORM_FRAMES as u64)
            && let (Some(ring), Some(status)) = (view.audio(), view.block_status())
        {
            let mut audio = [vec![0.0; TRANSFORM_FRAMES], vec![0.0; TRANSFORM_FRAMES]];
            let [left, right] = &mut audio;
            if ring.copy_frames(TapPoint::Output, start, [left, right]) && view.is_present() {
                self.levels = self.levels_of(&audio, status.rate);
                self.last = Some((now, end));
            }
        }
        self.levels
    }

    fn levels_of(&self, audio: &[Vec<f64>; 2], rate: Hz) -> SpectrumLevels {
        let mut powers = vec![0.0; TRANSFORM_FRAMES / 2 + 1];
        for side in audio {
            let mut windowed: Vec<f64> = side.iter().zip(&self.window).map(|(x, w)| x * w).collect();
            let mut lines = vec![Complex::default(); TRANSFORM_FRAMES / 2 + 1];
            // the lengths match the transform
            if self.transform.process(&mut windowed, &mut lines).is_ok() {
                powers.iter_mut().zip(&lines).for_each(|(power, line)| *power += line.norm_sqr());
            }
        }
        // twice the mean square over both channels: the squared amplitude of a sine
        let energy: f64 = self.window.iter().map(|w| w * w).sum();
        let scale = 2.0 / (energy * TRANSFORM_FRAMES as f64);
        let line = |frequency: f64| (frequency / rate.0 * TRANSFORM_FRAMES as f64).round() as usize;
        core::array::from_fn(|band| {
            let centre = 1000.0 * ((band as f64 - 17.0) / 3.0).exp2();
            let edge = (1.0f64 / 6.0).exp2();
            let (first, end) = (line(centre / edge), line(centre * edge).max(line(centre / edge) + 1));
            let amplitude = (scale * powers.get(first..end)?.iter().sum::<f64>()).sqrt();
            (amplitude > MIN_AMPLITUDE).then(|| Db::from_gain(amplitude))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sine_is_in_its_band_at_its_level_and_silence_has_none() {
        let spectrum = StemSpectrum::default();
        for (frequency, band) in [(100.0, 7), (1000.0, 17), (3150.0, 22), (16_000.0, 29)] {
            let phase = |n: usize| std::f64::consts::TAU * frequency / 48_000.0 * n as f64;
            let sine: Vec<f64> = (0..TRANSFORM_FRAMES).map(|n| 0.5 * phase(n).sin()).collect();
            let levels = spectrum.levels_of(&[sine.clone(), sine], Hz(48_000.0));
            let level = levels[band].expect("it sounds");
            assert!((level.0 - Db::from_gain(0.5).0).abs() < 0.6, "{frequency}: {level:?}");
            let others = levels.iter().enumerate().filter(|(n, _)| n.abs_diff(band) > 2);
            assert!(others.map(|(_, level)| level.map_or(-200.0, |l| l.0)).all(|l| l < -60.0), "{frequency}");
        }
        let silence = [vec![0.0; TRANSFORM_FRAMES], vec![0.0; TRANSFORM_FRAMES]];
        assert_eq!(spectrum.levels_of(&silence, Hz(48_000.0)), [None; SPECTRUM_BANDS]);
        assert_eq!(spectrum.levels_of(&silence, Hz(8000.0)), [None; SPECTRUM_BANDS]);
    }
}
