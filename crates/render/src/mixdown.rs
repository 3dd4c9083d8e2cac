//! Stems as streams: read, through their chains, aligned, in step; and their sum.

use std::path::{Path, PathBuf};

use crate::clean::CleanReader;
use crate::compensated::Compensated;
use audiofile::error::{Error, Result};
use audiofile::resample::Endless;
use chain::{Chain, ChainKind, ChainSettings, LatencyClass};
use dsp::Process;
use project::bundle::Bundle;
use project::fader::Fader;
use project::session::{MasterLoudness, Session, StemSession};
use project::timed_move::GainAutomation;
use units::Hz;

use audiofile::BLOCK;

/// Left and right.
pub type Sides<'a> = [&'a [f64]; 2];

/// A stereo stream of a stem as it leaves its chain: latency compensated, mono on both sides at unity, silent after
/// its end.
pub struct StemStream {
    path: PathBuf,
    reader: CleanReader,
    chain: Compensated,
    planes: Vec<Vec<f64>>,
    audio: [Vec<f64>; 2],
    muted: bool,
    fader: Fader,
    automation: Option<GainAutomation>,
    gains: Vec<f64>,
    /// Frame of the song that is read next.
    position: u64,
    /// Rounds input and output of the chain to single precision, in which a host hands samples on.
    single: bool,
    /// Sum of squares of what was read, both sides, after the fader.
    energy: f64,
}

impl StemStream {
    /// Opens a stem with the chain a session gives it.
    ///
    /// # Errors
    /// If it cannot be read or has more than two channels.
    pub fn open(path: &Path, session: &StemSession) -> Result<Self> {
        let reader = CleanReader::open(path)?;
        let info = reader.info();
        if info.channels > 2 {
            return Err(Error::Bundle {
                path: path.to_owned(),
                fault: format!("has {} channels", info.channels),
                cure: "export stems in mono or stereo".into(),
            });
        }
        let automation = (!session.moves.is_empty()).then(|| GainAutomation::new(&session.moves, info.rate));
        debug_assert!(session.learn_from.is_none(), "noise is learned before anything is rendered");
        let chain = compensated(&session.chain, ChainKind::Stem, session.latency, info.rate);
        Ok(Self {
            path: path.to_owned(),
            planes: vec![Vec::new(); info.channels],
            reader,
            chain,
            audio: [Vec::new(), Vec::new()],
            muted: session.mute,
            fader: session.fader,
            automation,
            gains: Vec::new(),
            position: 0,
            single: false,
            energy: 0.0,
        })
    }

    /// Reads the next `frames` frames.
    ///
    /// # Errors
    /// If the file cannot be read on.
    pub fn read(&mut self, frames: usize) -> Result<()> {
        while self.chain.frames_to_skip() > 0 {
            self.next(self.chain.frames_to_skip().min(BLOCK))?;
        }
        self.next(frames)
    }

    fn next(&mut self, frames: usize) -> Result<()> {
        self.reader.read_planar(&mut self.planes, frames)?;
        let sides = [&self.planes[0], self.planes.last().unwrap_or(&self.planes[0])];
        for (audio, plane) in self.audio.iter_mut().zip(sides) {
            audio.clear();
            audio.extend_from_slice(plane);
            audio.resize(frames, 0.0);
        }
        if self.single {
            to_single(self.audio.each_mut());
        }
        // whole blocks are left out, never a part of one: see `read`
        let leads_in = self.chain.frames_to_skip() > 0;
        self.chain.process(&mut self.audio);
        if self.single {
            to_single(self.audio.each_mut());
        }
        let [left, right] = &mut self.audio;
        self.fader.apply(left, right);
        if !leads_in {
            if let Some(automation) = &self.automation {
                self.gains.resize(frames, 1.0);
                automation.fill(self.position, &mut self.gains);
                for side in [&mut *left, &mut *right] {
                    side.iter_mut().zip(&self.gains).for_each(|(x, gain)| *x *= gain);
                }
            }
            self.position += frames as u64;
        }
        if self.muted {
            left.fill(0.0);
            right.fill(0.0);
        }
        self.energy += sum_of_squares(left) + sum_of_squares(right);
        Ok(())
    }

    /// Makes the next block `frames` frames of silence: the stem after the song.
    pub fn fill_silence(&mut self, frames: usize) {
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

    /// The line on its samples that are no audio and became silence.
    pub fn fault(&self) -> Option<String> {
        self.reader.silenced().fault(&self.path, self.reader.info().rate)
    }

    /// Refuses a stem of which so much became silence that it is scaled wrongly as a whole. After the last block.
    ///
    /// # Errors
    /// If it is.
    pub(crate) fn refuse_misscaled(&self) -> Result<()> {
        self.reader.silenced().refuse_misscaled(&self.path)
    }

    /// Sum of squares of all frames read so far, both sides, as they enter the sum.
    pub fn energy(&self) -> f64 {
        self.energy
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

/// A chain for `settings`, latency compensated; none inside where they change nothing, since its delay would be compensated
/// anyway.
fn compensated(
    settings: &ChainSettings,
    chain_kind: ChainKind,
    class: LatencyClass,
    rate: Hz,
) -> Compensated {
    Compensated::new((*settings != ChainSettings::default()).then(|| {
        let mut chain = Chain::new(chain_kind, class, rate);
        chain.set(settings);
        chain
    }))
}

/// The master chain of `session` with `settings`, latency compensated.
pub fn master_chain(settings: &ChainSettings, session: &Session, rate: Hz) -> Compensated {
    compensated(settings, ChainKind::Master, session.master_latency, rate)
}

/// Sums the last blocks of some stems, each with a linear gain, in the given order: `frames` frames into `out`.
pub(super) fn sum_stems<'a>(
    stems: impl Iterator<Item = (&'a StemStream, f64)> + Clone,
    frames: usize,
    out: &mut [Vec<f64>; 2],
) {
    for (side, out) in out.iter_mut().enumerate() {
        out.clear();
        out.resize(frames, 0.0);
        for (stem, gain) in stems.clone() {
            for (sum, x) in out.iter_mut().zip(&stem.audio[side]) {
                *sum += gain * x;
            }
        }
    }
}

/// Rounds to single precision, in which a host hands samples on.
pub(super) fn to_single(sides: [&mut Vec<f64>; 2]) {
    sides.into_iter().flatten().for_each(|x| *x = f64::from(*x as f32));
}

/// The sum of the squares, in lanes that the compiler can vectorize.
fn sum_of_squares(samples: &[f64]) -> f64 {
    let (whole, rest) = samples.as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for eight in whole {
        lanes.iter_mut().zip(eight).for_each(|(sum, x)| *sum += x * x);
    }
    lanes.iter().sum::<f64>() + rest.iter().map(|x| x * x).sum::<f64>()
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
            .map(|stream| Ok(StemStream { single: session.loudness == MasterLoudness::AsHeard, ..stream? }))
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

    /// Reads the next block and sums the stems at unity: returns its length, 0 at the end.
    ///
    /// # Errors
    /// If a stem cannot be read on.
    pub fn read_sum(&mut self, sum: &mut [Vec<f64>; 2]) -> Result<usize> {
        let frames = self.read()?;
        sum_stems(self.stems.iter().map(|stem| (stem, 1.0)), frames, sum);
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
        let frames = self.read_sum(sum)?;
        if frames > 0 {
            entering(sum);
        } else if !chain.silence(sum) {
            return Ok(None);
        }
        Ok(Some((frames as u64, chain.process(sum))))
    }

    /// A line for each stem with samples that are no audio and were read as silence.
    pub fn faults(&self) -> impl Iterator<Item = String> {
        self.stems.iter().filter_map(StemStream::fault)
    }

    /// Refuses stems of which so much was silenced that they are scaled wrongly as a whole. After the last block.
    ///
    /// # Errors
    /// The first such stem.
    pub fn refuse_misscaled(&self) -> Result<()> {
        self.stems.iter().try_for_each(StemStream::refuse_misscaled)
    }
}
