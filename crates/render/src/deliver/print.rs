//! The shared-gain print: the sum through the master chain, and each part of it through an equal chain that follows.
//!
//! Everything moves block by block in step, so memory is that of the chains, whatever the song is long.

use std::thread;

use crate::master::{MasterPlan, chain_after};
use crate::mixdown::{self, Mixdown, StemStream};
use audiofile::error::Result;
use chain::{Chain, ChainKind};
use dsp::{Block, GainLog, Process, RecordGain, Share};
use project::session_file::Session;
use units::Hz;

/// Two planes.
pub(super) type Planes = [Vec<f64>; 2];

/// A chain that stands somewhere in the print: what comes out is in place, and silence once the song is over.
struct Pass {
    chain: Option<Chain>,
    /// Output that comes before the song.
    to_drop: usize,
    /// Frames of the song still to come.
    left: u64,
}

impl Pass {
    fn new(chain: Option<Chain>, frames: u64) -> Self {
        let to_drop = chain.as_ref().map_or(0, |chain| chain.latency().0);
        Self { chain, to_drop, left: frames }
    }

    fn latency(&self) -> usize {
        self.chain.as_ref().map_or(0, |chain| chain.latency().0)
    }

    fn run(&mut self, planes: &mut Planes, gain_log: &mut GainLog<'_>) {
        let [left, right] = planes;
        if let Some(chain) = &mut self.chain {
            chain.run(&mut Block::new(left, right), gain_log);
        }
        let skip = self.to_drop.min(left.len());
        self.to_drop -= skip;
        for plane in planes.iter_mut() {
            plane.drain(..skip);
            let song = self.left.min(plane.len() as u64) as usize;
            plane[song..].fill(0.0);
        }
        self.left -= self.left.min(planes[0].len() as u64);
    }
}

/// The two chains of the master: up to its level, and from there on.
struct Master {
    before: Pass,
    after: Pass,
}

impl Master {
    fn new(settled: &MasterPlan, session: &Session, rate: Hz, frames: u64) -> Self {
        let before = mixdown::chain(&settled.before_level, ChainKind::Master, session.master_latency, rate);
        Self {
            before: Pass::new(before, frames),
            after: Pass::new(Some(chain_after(&settled.after, rate)), frames),
        }
    }

    fn alone(&mut self, planes: &mut Planes) {
        self.before.run(planes, &mut GainLog::Off);
        self.after.run(planes, &mut GainLog::Off);
    }

    fn record(&mut self, planes: &mut Planes, tapes: &mut [Vec<f64>; 2]) {
        let [first, second] = tapes;
        first.clear();
        second.clear();
        self.before.run(planes, &mut GainLog::Record(first));
        self.after.run(planes, &mut GainLog::Record(second));
    }

    fn follow(&mut self, planes: &mut Planes, tapes: &[Vec<f64>; 2], part: Share) {
        self.before.run(planes, &mut GainLog::follow(&tapes[0], part));
        self.after.run(planes, &mut GainLog::follow(&tapes[1], part));
    }
}

/// What a voice of the print plays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Plays {
    /// A stem, by its index.
    Stem(usize),
    /// What the saturator adds to the sum.
    Residual,
    /// Some stems together.
    Version(Vec<usize>),
}

/// One part of the sum on its way through the master chain.
struct Voice {
    plays: Plays,
    chain: Master,
    out: Planes,
    /// The same as if there were nothing else in the world: of versions.
    own: Option<(Master, Planes)>,
}

impl Voice {
    fn run(&mut self, stems: &[StemStream], frames: usize, tapes: &[Vec<f64>; 2]) {
        let chosen: &[usize] = match &self.plays {
            Plays::Stem(stem) => std::slice::from_ref(stem),
            Plays::Residual => &[],
            Plays::Version(stems) => stems,
        };
        sum(stems, chosen.iter().copied(), frames, &mut self.out);
        if let Some((chain, own)) = &mut self.own {
            own.clone_from(&self.out);
            chain.alone(own);
        }
        let part = match self.plays {
            Plays::Stem(_) => Share::Stem,
            Plays::Residual => Share::Residual,
            Plays::Version(_) => Share::Version,
        };
        self.chain.follow(&mut self.out, tapes, part);
    }
}

/// The sum of some stems' last block, in the order of the bundle.
fn sum(stems: &[StemStream], chosen: impl Iterator<Item = usize>, frames: usize, out: &mut Planes) {
    for plane in out.iter_mut() {
        plane.clear();
        plane.resize(frames, 0.0);
    }
    for stem in chosen {
        for (plane, audio) in out.iter_mut().zip(stems[stem].audio()) {
            plane.iter_mut().zip(audio).for_each(|(sum, x)| *sum += x);
        }
    }
}

fn slices(planes: &Planes) -> [&[f64]; 2] {
    [&planes[0], &planes[1]]
}

/// Frames that move at once: enough to be worth a thread.
const FRAMES: usize = 4 * audiofile::BLOCK;

/// The whole print in motion.
pub(super) struct Print {
    mixdown: Mixdown,
    lead: Master,
    out: Planes,
    tapes: [Vec<f64>; 2],
    voices: Vec<Voice>,
    /// Frames still to be fed, the song's and then silence.
    song_left: u64,
    silence_left: usize,
    threads: usize,
}

/// What came out with the last step: all of one length.
pub(super) struct Step<'a> {
    /// The master.
    pub(super) lead: [&'a [f64]; 2],
    /// Each voice.
    pub(super) voices: Vec<[&'a [f64]; 2]>,
    /// Versions with gains of their own.
    pub(super) own: Vec<Option<[&'a [f64]; 2]>>,
    /// The stems as they went in: earlier by what the master chain is late, none once they are over.
    pub(super) clean: Vec<[&'a [f64]; 2]>,
    /// Frames that went in.
    pub(super) frames: usize,
}

impl Print {
    /// At the start of the song.
    pub(super) fn new(
        mixdown: Mixdown,
        settled: &MasterPlan,
        session: &Session,
        rate: Hz,
        plays: &[Plays],
    ) -> Self {
        let frames = mixdown.frames();
        let master = || Master::new(settled, session, rate, frames);
        let lead = master();
        let voices = plays.iter().map(|plays| Voice {
            plays: plays.clone(),
            chain: master(),
            out: Planes::default(),
            own: matches!(plays, Plays::Version(_)).then(|| (master(), Planes::default())),
        });
        Self {
            song_left: frames,
            silence_left: lead.before.latency() + lead.after.latency(),
            voices: voices.collect(),
            lead,
            out: Planes::default(),
            tapes: Default::default(),
            threads: thread::available_parallelism().map_or(1, |n| n.get()),
            mixdown,
        }
    }

    /// Moves on by some frames; none at the end.
    pub(super) fn step(&mut self) -> Result<Option<Step<'_>>> {
        let song = self.song_left.min(FRAMES as u64) as usize;
        let frames = if song > 0 { song } else { self.silence_left.min(FRAMES) };
        if frames == 0 {
            return Ok(None);
        }
        self.song_left -= song as u64;
        self.silence_left -= frames - song;
        self.read(song, frames)?;

        let stems = &self.mixdown.stems;
        sum(stems, 0..stems.len(), frames, &mut self.out);
        self.lead.record(&mut self.out, &mut self.tapes);
        let tapes = &self.tapes;
        let share = self.voices.len().div_ceil(self.threads).max(1);
        thread::scope(|scope| {
            for voices in self.voices.chunks_mut(share) {
                scope.spawn(move || voices.iter_mut().for_each(|voice| voice.run(stems, frames, tapes)));
            }
        });
        Ok(Some(Step {
            lead: slices(&self.out),
            voices: self.voices.iter().map(|voice| slices(&voice.out)).collect(),
            own: self.voices.iter().map(|voice| voice.own.as_ref().map(|(_, own)| slices(own))).collect(),
            clean: self.mixdown.stems.iter().map(|stem| stem.audio().map(|side| &side[..song])).collect(),
            frames,
        }))
    }

    /// Reads the stems' next block, several at once; after the song they are silent.
    fn read(&mut self, song: usize, frames: usize) -> Result<()> {
        let share = self.mixdown.stems.len().div_ceil(self.threads);
        let read = |stems: &mut [StemStream]| {
            for stem in stems {
                if song > 0 {
                    stem.read(frames)?;
                } else {
                    stem.rest(frames);
                }
            }
            Ok(())
        };
        thread::scope(|scope| {
            let parts = self.mixdown.stems.chunks_mut(share).map(|stems| scope.spawn(move || read(stems)));
            let parts: Vec<_> = parts.collect();
            parts.into_iter().try_for_each(|part| match part.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            })
        })
    }

    /// The stems' streams.
    pub(super) fn stems(&self) -> &[StemStream] {
        &self.mixdown.stems
    }
}
