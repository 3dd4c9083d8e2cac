//! Audio at another sampling rate, in place: what was at a time of the song stays at that time.
//!
//! Rates must be whole numbers of hertz.

use std::collections::VecDeque;
use std::path::Path;

use fourier::RateConverter;

use super::error::{Error, Result};
use super::latency::LatencySkip;
use super::reader::AudioReader;
use units::{Hz, Samples};

/// Blocks of the converter are at least this long, so that its filter is steep: flat to 0.97 of the lower Nyquist.
const BLOCK: usize = 2048;

/// Audio without end: silence follows the last frame.
pub trait Endless {
    /// Its channels.
    fn channels(&self) -> usize;

    /// The next `frames` frames into `planes`, one for each channel, resized to that.
    ///
    /// # Errors
    /// If the file cannot be read on.
    fn pull(&mut self, planes: &mut [Vec<f64>], frames: usize) -> Result<()>;
}

impl Endless for AudioReader {
    fn channels(&self) -> usize {
        self.info().channels
    }

    fn pull(&mut self, planes: &mut [Vec<f64>], frames: usize) -> Result<()> {
        self.read_planar(planes, frames)?;
        for plane in planes {
            plane.iter_mut().filter(|x| !x.is_finite()).for_each(|x| *x = 0.0);
            plane.resize(frames, 0.0);
        }
        Ok(())
    }
}

/// The length of `frames` frames at another rate, rounded up.
pub fn converted_frames(frames: u64, from: Hz, to: Hz) -> u64 {
    if from == to {
        return frames;
    }
    // Both rates are whole numbers below 2^21, so the product of a day of audio fits.
    (u128::from(frames) * to.0 as u128).div_ceil(from.0 as u128) as u64
}

/// A source at another rate.
pub struct Converted<S> {
    source: S,
    converter: Option<Converter>,
    input: Vec<Vec<f64>>,
    ready: Vec<VecDeque<f64>>,
}

struct Converter {
    rates: RateConverter,
    output: Vec<Vec<f64>>,
    /// The delay of the filter.
    skip: LatencySkip,
}

impl<S: Endless> Converted<S> {
    /// `source`, which has the rate `from`, at the rate `to`. The same rate passes to the bit.
    ///
    /// # Errors
    /// If a rate is no whole number of hertz; `path` names the file.
    pub fn new(source: S, from: Hz, to: Hz, path: &Path) -> Result<Self> {
        let channels = source.channels();
        let converter = if from == to { None } else { Some(Converter::new(from, to, channels, path)?) };
        Ok(Self {
            source,
            converter,
            input: vec![Vec::new(); channels],
            ready: vec![VecDeque::new(); channels],
        })
    }

    /// The source.
    pub fn source(&self) -> &S {
        &self.source
    }
}

impl<S: Endless> Endless for Converted<S> {
    fn channels(&self) -> usize {
        self.ready.len()
    }

    fn pull(&mut self, planes: &mut [Vec<f64>], frames: usize) -> Result<()> {
        let Some(converter) = &mut self.converter else { return self.source.pull(planes, frames) };
        while self.ready[0].len() < frames {
            let needed = converter.rates.input_frames();
            self.source.pull(&mut self.input, needed)?;
            converter.next(&self.input, &mut self.ready);
        }
        for (plane, ready) in planes.iter_mut().zip(&mut self.ready) {
            plane.clear();
            plane.extend(ready.drain(..frames));
        }
        Ok(())
    }
}

impl Converter {
    fn new(from: Hz, to: Hz, channels: usize, path: &Path) -> Result<Self> {
        let refuse = |rate: Hz| Error::Bundle {
            path: path.to_owned(),
            fault: format!("its rate of {} Hz cannot be converted", rate.0),
            cure: "export it at 44100, 48000, 88200, 96000 or 192000 Hz".into(),
        };
        for rate in [from, to] {
            if rate.0.fract() != 0.0 || rate.0 < 1.0 {
                return Err(refuse(rate));
            }
        }
        let (input, output) = (from.0 as usize, to.0 as usize);
        let divisor = gcd(input, output);
        let (least_in, least_out) = (input / divisor, output / divisor);
        // An even number of the least blocks: half a block, the delay, is then whole on both sides.
        let blocks = BLOCK.div_ceil(least_in.min(least_out)).next_multiple_of(2);
        let rates =
            RateConverter::new(input, output, blocks * least_in, channels).ok_or_else(|| refuse(from))?;
        let output = vec![vec![0.0; rates.max_output_frames()]; channels];
        Ok(Self { skip: LatencySkip::new(Samples(rates.delay())), rates, output })
    }

    fn next(&mut self, input: &[Vec<f64>], ready: &mut [VecDeque<f64>]) {
        let written = self.rates.process(input, &mut self.output);
        let skip = self.skip.advance(written);
        for (ready, output) in ready.iter_mut().zip(&self.output) {
            ready.extend(&output[skip..written]);
        }
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tone and its rate, or whatever is a function of time.
    struct Formula {
        rate: f64,
        at: usize,
        value: fn(f64) -> f64,
    }

    impl Endless for Formula {
        fn channels(&self) -> usize {
            1
        }

        fn pull(&mut self, planes: &mut [Vec<f64>], frames: usize) -> Result<()> {
            planes[0].clear();
            planes[0].extend((self.at..self.at + frames).map(|i| (self.value)(i as f64 / self.rate)));
            self.at += frames;
            Ok(())
        }
    }

    fn converted(from: f64, to: f64, value: fn(f64) -> f64, frames: usize) -> Vec<f64> {
        let source = Formula { rate: from, at: 0, value };
        let mut converted =
            Converted::new(source, Hz(from), Hz(to), Path::new("a.wav")).expect("rates are whole");
        let mut out = vec![Vec::new()];
        let mut all = Vec::new();
        // In uneven pieces, as a caller may like.
        while all.len() < frames {
            converted.pull(&mut out, 777).expect("reads");
            all.extend_from_slice(&out[0]);
        }
        all.truncate(frames);
        all
    }

    /// Silence, then a tone: steady long before the frames compared.
    fn tone(t: f64) -> f64 {
        0.7 * (std::f64::consts::TAU * 15_000.0 * t).sin()
    }

    #[test]
    fn a_tone_stays_where_and_what_it_is() {
        for (from, to) in [
            (44_100.0, 48_000.0),
            (48_000.0, 44_100.0),
            (96_000.0, 48_000.0),
            (88_200.0, 48_000.0),
            (32_000.0, 48_000.0),
            (48_000.0, 192_000.0),
            (44_099.0, 48_000.0),
        ] {
            let out = converted(from, to, tone, 200_000);
            let worst = out.iter().enumerate().skip(100_000).map(|(i, y)| (y - tone(i as f64 / to)).abs());
            let worst = worst.fold(0.0, f64::max);
            assert!(worst < 1e-6, "{from} to {to}: {worst}");
        }
    }

    #[test]
    fn what_a_lower_rate_cannot_hold_is_gone() {
        let high = |t: f64| (std::f64::consts::TAU * 26_000.0 * t).sin();
        let out = converted(96_000.0, 48_000.0, high, 100_000);
        let worst = out[50_000..].iter().fold(0.0_f64, |most, y| most.max(y.abs()));
        assert!(worst < 1e-6, "{worst}");
    }

    #[test]
    fn one_rate_passes_to_the_bit_and_lengths_are_whole() {
        let out = converted(48_000.0, 48_000.0, tone, 10_000);
        assert!(out.iter().enumerate().all(|(i, y)| *y == tone(i as f64 / 48_000.0)));
        assert_eq!(converted_frames(44_100, Hz(44_100.0), Hz(48_000.0)), 48_000);
        assert_eq!(converted_frames(44_101, Hz(44_100.0), Hz(48_000.0)), 48_002);
        assert_eq!(converted_frames(7, Hz(48_000.0), Hz(48_000.0)), 7);
    }

    #[test]
    fn a_broken_rate_is_refused_in_words() {
        let source = Formula { rate: 1.0, at: 0, value: tone };
        let refused = Converted::new(source, Hz(44_100.5), Hz(48_000.0), Path::new("a.wav"));
        let line = refused.err().map(|e| e.to_string()).unwrap_or_default();
        assert!(line.contains("44100.5 Hz") && line.contains("; export it at"), "{line}");
    }
}
