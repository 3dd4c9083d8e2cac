//! Stems as streams: read, through their chains, aligned, in step; and their sum.

use std::path::{Path, PathBuf};

use crate::compensated::Compensated;
use audiofile::AudioReader;
use audiofile::error::{Error, Result};
use audiofile::resample::Endless;
use chain::{Chain, ChainKind, ChainSettings, LatencyClass};
use dsp::{Block, Process};
use project::bundle::Bundle;
use project::session_file::{Fader, Loudness, Session, StemSession};
use units::Hz;

use audiofile::BLOCK;

/// Left and right.
pub type Sides<'a> = [&'a [f64]; 2];

/// A stereo stream of a stem as it leaves its chain: latency compensated, mono on both sides at unity, silent after
/// its end.
pub struct StemStream {
    path: PathBuf,
    reader: AudioReader,
    chain: Option<Chain>,
    /// Chain output that comes before the stem's first frame.
    to_drop: usize,
    planes: Vec<Vec<f64>>,
    audio: [Vec<f64>; 2],
    muted: bool,
    fader: Fader,
    /// What enters and leaves the chain is rounded to single precision, as a host hands it on.
    single: bool,
    non_finite: u64,
}

impl StemStream {
    /// Opens a stem with the chain a session gives it.
    ///
    /// # Errors
    /// If it cannot be read or has more than two channels.
    pub fn open(path: &Path, session: &StemSession) -> Result<Self> {
        let reader = AudioReader::open(path)?;
        let info = reader.info();
        if info.channels > 2 {
            return Err(Error::Bundle {
                path: path.to_owned(),
                fault: format!("has {} channels", info.channels),
                cure: "export stems in mono or stereo".into(),
            });
        }
        let chain = chain(&session.chain, ChainKind::Stem, session.latency, info.rate);
        Ok(Self {
            path: path.to_owned(),
            planes: vec![Vec::new(); info.channels],
            reader,
            to_drop: chain.as_ref().map_or(0, |c| c.latency().0),
            chain,
            audio: [Vec::new(), Vec::new()],
            muted: session.mute,
            fader: session.fader,
            single: false,
            non_finite: 0,
        })
    }

    /// Reads the next `frames` frames.
    ///
    /// # Errors
    /// If the file cannot be read on.
    pub fn read(&mut self, frames: usize) -> Result<()> {
        while self.to_drop > 0 {
            let count = self.to_drop.min(BLOCK);
            self.next(count)?;
            self.to_drop -= count;
        }
        self.next(frames)
    }

    fn next(&mut self, frames: usize) -> Result<()> {
        self.reader.read_planar(&mut self.planes, frames)?;
        let sides = [&self.planes[0], self.planes.last().unwrap_or(&self.planes[0])];
        for (audio, plane) in self.audio.iter_mut().zip(sides) {
            audio.clear();
            audio.extend(plane.iter().map(|&x| if x.is_finite() { x } else { 0.0 }));
            audio.resize(frames, 0.0);
        }
        self.non_finite += self.planes.iter().flatten().filter(|x| !x.is_finite()).count() as u64;
        if self.single {
            to_single(self.audio.each_mut());
        }
        let [left, right] = &mut self.audio;
        if let Some(chain) = &mut self.chain {
            chain.process(&mut Block::new(left, right));
        }
        if self.single {
            to_single([left, right]);
        }
        self.fader.apply(left, right);
        if self.muted {
            left.fill(0.0);
            right.fill(0.0);
        }
        Ok(())
    }

    /// `frames` frames of silence instead of what comes after the song.
    pub fn rest(&mut self, frames: usize) {
        for side in &mut self.audio {
            side.clear();
            side.resize(frames, 0.0);
        }
    }

    /// The frames read last, left and right.
    pub fn audio(&self) -> Sides<'_> {
        [&self.audio[0], &self.audio[1]]
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// NaN and infinite samples met so far; each became silence.
    pub fn non_finite(&self) -> u64 {
        self.non_finite
    }
}

impl Endless for StemStream {
    fn channels(&self) -> usize {
        2
    }

    fn pull(&mut self, planes: &mut [Vec<f64>], frames: usize) -> Result<()> {
        self.read(frames)?;
        for (plane, audio) in planes.iter_mut().zip(self.audio()) {
            plane.clear();
            plane.extend_from_slice(audio);
        }
        Ok(())
    }
}

/// A chain for `settings`, or none where they change nothing and the class has no latency.
pub fn chain(
    settings: &ChainSettings,
    chain_kind: ChainKind,
    class: LatencyClass,
    rate: Hz,
) -> Option<Chain> {
    if *settings == ChainSettings::default() {
        return None; // the delay of a neutral chain would be compensated anyway
    }
    let mut chain = Chain::new(chain_kind, class, rate);
    chain.set(settings);
    Some(chain)
}

/// Rounds to what a host's samples can hold.
pub(super) fn to_single(sides: [&mut Vec<f64>; 2]) {
    sides.into_iter().flatten().for_each(|x| *x = f64::from(*x as f32));
}

/// All stems of a bundle in step.
pub struct Mixdown {
    /// The stems' streams in bundle order.
    pub stems: Vec<StemStream>,
    frames: u64,
    position: u64,
}

impl Mixdown {
    /// Opens all stems. The length is that of the longest; shorter ones end with silence.
    ///
    /// # Errors
    /// If a stem cannot be read or their rates differ.
    pub fn open(bundle: &Bundle, session: &Session) -> Result<Self> {
        bundle.rate()?;
        let stems = bundle
            .stems
            .iter()
            .zip(&session.stems)
            .map(|(stem, settings)| StemStream::open(&stem.path, settings))
            .map(|stream| Ok(StemStream { single: session.loudness == Loudness::AsHeard, ..stream? }))
            .collect::<Result<Vec<_>>>()?;
        Ok(Self { stems, frames: bundle.frames(), position: 0 })
    }

    /// The length of the song in frames.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Reads the next block of every stem: returns its length, 0 at the end.
    ///
    /// # Errors
    /// If a stem cannot be read on.
    pub fn read(&mut self) -> Result<usize> {
        let frames = (self.frames - self.position).min(BLOCK as u64) as usize;
        for stem in &mut self.stems {
            stem.read(frames)?;
        }
        self.position += frames as u64;
        Ok(frames)
    }

    /// The next block of the sum at unity as it leaves `chain`, and how many frames were read for it; `None` when nothing
    /// is inside any more. `entering` sees the sum before the chain does.
    ///
    /// # Errors
    /// If a stem cannot be read on.
    pub fn next<'a>(
        &mut self,
        chain: &mut Compensated,
        sum: &'a mut [Vec<f64>; 2],
        entering: impl FnOnce(&mut [Vec<f64>; 2]),
    ) -> Result<Option<(u64, Sides<'a>)>> {
        let frames = self.read()?;
        if frames > 0 {
            self.sum(&vec![1.0; self.stems.len()], sum);
            entering(sum);
        } else if !chain.silence(sum) {
            return Ok(None);
        }
        Ok(Some((frames as u64, chain.process(sum))))
    }

    /// The sum of the stems' last block with a gain for each, in bundle order.
    pub fn sum(&self, gains: &[f64], out: &mut [Vec<f64>; 2]) {
        for (side, out) in out.iter_mut().enumerate() {
            out.clear();
            out.resize(self.stems[0].audio[side].len(), 0.0);
            for (stem, gain) in self.stems.iter().zip(gains) {
                for (sum, x) in out.iter_mut().zip(&stem.audio[side]) {
                    *sum += gain * x;
                }
            }
        }
    }
}
