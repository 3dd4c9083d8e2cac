//! The shared-gain print: the sum through the master chain, and each part of it through an equal chain that follows.
//!
//! Everything moves block by block in step, so memory is that of the chains, whatever the song is long.

use crate::compensated::Compensated;
use crate::master::{MasterPlan, chain_after};
use crate::mixdown::{Mixdown, StemStream, master_chain, sum_stems};
use crate::parallel::each_in_parallel;
use audiofile::BLOCK;
use audiofile::error::Result;
use dsp::{GainLog, Process, RecordGain, Share};
use project::session::Session;
use units::Hz;

/// Two planes.
pub(super) type Planes = [Vec<f64>; 2];

/// A chain that stands somewhere in the print: what comes out is in place, and silence once the song is over.
struct ChainPass {
    chain: Compensated,
    /// Frames of the song still to come.
    left: u64,
}

impl ChainPass {
    fn new(chain: Compensated, frames: u64) -> Self {
        Self { chain, left: frames }
    }

    fn latency(&self) -> usize {
        self.chain.chain().map_or(0, |chain| chain.latency().0)
    }

    fn run(&mut self, planes: &mut Planes, gain_log: &mut GainLog<'_>) {
        let skip = self.chain.run(planes, |chain, block| chain.run(block, gain_log));
        for plane in planes.iter_mut() {
            plane.drain(..skip);
            let song = self.left.min(plane.len() as u64) as usize;
            plane[song..].fill(0.0);
        }
        self.left -= self.left.min(planes[0].len() as u64);
    }
}

/// The two chains of the master: up to its level, and from there on.
struct MasterChains {
    before: ChainPass,
    after: ChainPass,
}

impl MasterChains {
    fn new(planned: &MasterPlan, session: &Session, rate: Hz, frames: u64) -> Self {
        Self {
            before: ChainPass::new(master_chain(&planned.before_level, session, rate), frames),
            after: ChainPass::new(chain_after(&planned.after, rate), frames),
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

/// The audio that a voice of the print carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum VoiceContent {
    /// A stem, by its index.
    Stem(usize),
    /// The distortion that the saturator adds to the sum.
    Residual,
    /// Some stems together.
    Version(Vec<usize>),
}

/// One part of the sum on its way through the master chain.
struct PrintVoice {
    plays: VoiceContent,
    chain: MasterChains,
    out: Planes,
    /// The same as if there were nothing else in the world: of versions.
    own: Option<(MasterChains, Planes)>,
}

impl PrintVoice {
    fn run(&mut self, stems: &[StemStream], frames: usize, tapes: &[Vec<f64>; 2]) {
        let chosen: &[usize] = match &self.plays {
            VoiceContent::Stem(stem) => std::slice::from_ref(stem),
            VoiceContent::Residual => &[],
            VoiceContent::Version(stems) => stems,
        };
        sum_stems(chosen.iter().map(|&stem| (&stems[stem], 1.0)), frames, &mut self.out);
        if let Some((chain, own)) = &mut self.own {
            own.clone_from(&self.out);
            chain.alone(own);
        }
        let part = match self.plays {
            VoiceContent::Stem(_) => Share::Stem,
            VoiceContent::Residual => Share::Residual,
            VoiceContent::Version(_) => Share::Version,
        };
        self.chain.follow(&mut self.out, tapes, part);
    }
}

fn slices(planes: &Planes) -> [&[f64]; 2] {
    [&planes[0], &planes[1]]
}

/// Frames that move at once: enough to be worth a thread.
const FRAMES: usize = 4 * BLOCK;

/// The whole print in motion.
pub(super) struct Print {
    mixdown: Mixdown,
    lead: MasterChains,
    out: Planes,
    tapes: [Vec<f64>; 2],
    voices: Vec<PrintVoice>,
    /// Frames still to be fed, the song's and then silence.
    song_left: u64,
    silence_left: usize,
}

/// The output of one step: all parts have one length.
pub(super) struct PrintStep<'a> {
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
        planned: &MasterPlan,
        session: &Session,
        rate: Hz,
        plays: &[VoiceContent],
    ) -> Self {
        let frames = mixdown.frames();
        let master = || MasterChains::new(planned, session, rate, frames);
        let lead = master();
        let voices = plays.iter().map(|plays| PrintVoice {
            plays: plays.clone(),
            chain: master(),
            out: Planes::default(),
            own: matches!(plays, VoiceContent::Version(_)).then(|| (master(), Planes::default())),
        });
        Self {
            song_left: frames,
            silence_left: lead.before.latency() + lead.after.latency(),
            voices: voices.collect(),
            lead,
            out: Planes::default(),
            tapes: Default::default(),
            mixdown,
        }
    }

    /// Moves on by some frames; none at the end.
    pub(super) fn step(&mut self) -> Result<Option<PrintStep<'_>>> {
        let song = self.song_left.min(FRAMES as u64) as usize;
        let frames = if song > 0 { song } else { self.silence_left.min(FRAMES) };
        if frames == 0 {
            return Ok(None);
        }
        self.song_left -= song as u64;
        self.silence_left -= frames - song;
        self.read(song, frames)?;

        let stems = &self.mixdown.stems;
        sum_stems(stems.iter().map(|stem| (stem, 1.0)), frames, &mut self.out);
        self.lead.record(&mut self.out, &mut self.tapes);
        let tapes = &self.tapes;
        each_in_parallel(&mut self.voices, |voice| {
            voice.run(stems, frames, tapes);
            Ok(())
        })?;
        Ok(Some(PrintStep {
            lead: slices(&self.out),
            voices: self.voices.iter().map(|voice| slices(&voice.out)).collect(),
            own: self.voices.iter().map(|voice| voice.own.as_ref().map(|(_, own)| slices(own))).collect(),
            clean: self.mixdown.stems.iter().map(|stem| stem.audio().map(|side| &side[..song])).collect(),
            frames,
        }))
    }

    /// Reads the stems' next block, several at once; after the song they are silent.
    fn read(&mut self, song: usize, frames: usize) -> Result<()> {
        each_in_parallel(&mut self.mixdown.stems, |stem| {
            if song > 0 {
                stem.read(frames)?;
            } else {
                stem.fill_silence(frames);
            }
            Ok(())
        })
    }
}
