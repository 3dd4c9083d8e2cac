//! Publication of a plugin's audio to the link, from the audio thread; in a Master, also alignment of the Stems'
//! audio.

use super::engine::CHUNK_FRAMES;
use chain::parameters::{PARAMETERS, Value};
use chain::{ChainKind, ChainSettings};
use dsp::denoise::{NoisePrint, ThresholdCurve};
use link::audio_ring::MONITORING_REVISION;
use link::ipc::Membership;
use link::records::{BlockStatus, PresentSettings, PublishedSettings};
use link::stem_aligner::StemAligner;
use plugin_core::gauges::{Gauges, Health};
use session::timeline::TransportTracker;
use std::sync::Arc;
use units::{Db, Hz};

/// Transport state that the host gives with a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransportPosition {
    /// True while the transport runs.
    pub playing: bool,
    /// Position of the block's first frame on the project's timeline, frames; `None` if the host gives none.
    pub position: Option<i64>,
}

impl TransportPosition {
    /// Returns true if meters run: they stand still while a transport with a position does.
    pub fn is_metered(self) -> bool {
        self.playing || self.position.is_none()
    }

    /// Timeline position of the frame at offset `frames`; `None` while the transport stands.
    pub fn timeline_position(self, frames: usize) -> Option<i64> {
        self.position.filter(|_| self.playing).map(|position| position.saturating_add(frames as i64))
    }
}

/// Publisher of a plugin's audio, status and settings. Neither allocates nor waits after [`Self::prepare`].
#[derive(Debug)]
pub struct Broadcast {
    chain_kind: ChainKind,
    /// Hash of the parameter table: instances with equal schemas understand each other's settings.
    schema: u64,
    /// Dropping it leaves the roster.
    membership: Membership,
    /// Present in a Master.
    aligner: Option<StemAligner>,
    /// The chunk of the mix that enters a Master's chain, left and right; empty in a Stem.
    mix: [Vec<f64>; 2],
    tracker: TransportTracker,
    status: BlockStatus,
    /// The settings in use.
    settings: PublishedSettings,
    /// True until the settings in use are published.
    settings_pending: bool,
    /// Frames since settings were published last.
    frames_since_published: u64,
    /// Settings in use, as audio is marked with them.
    mark: PresentSettings,
    /// Revision and trim of the last mark.
    marked: Option<(u64, Db)>,
    /// Frames since the last mark, and true if the level has moved since.
    frames_since_mark: u64,
    is_mark_due: bool,
    monitoring: bool,
    gauges: Arc<Gauges>,
    /// Hop count of the gauges when loudness was published last.
    published_hops: u64,
}

impl Broadcast {
    /// Creates the broadcast of a plugin that has joined the link.
    pub fn new(chain_kind: ChainKind, membership: Membership, gauges: Arc<Gauges>) -> Self {
        let schema = PARAMETERS.schema(chain_kind);
        Self {
            chain_kind,
            schema,
            membership,
            aligner: None,
            mix: if chain_kind == ChainKind::Master {
                [vec![0.0; CHUNK_FRAMES], vec![0.0; CHUNK_FRAMES]]
            } else {
                [Vec::new(), Vec::new()]
            },
            tracker: TransportTracker::default(),
            status: BlockStatus::default(),
            settings: PublishedSettings::new(schema, 0),
            settings_pending: false,
            frames_since_published: NEVER_PUBLISHED,
            mark: PresentSettings { revision: MONITORING_REVISION, level: Db(0.0), trim: Db(0.0) },
            marked: None,
            frames_since_mark: NEVER_PUBLISHED,
            is_mark_due: false,
            monitoring: false,
            gauges,
            published_hops: 0,
        }
    }

    /// Returns true if Stems are aligned with a mix at `rate`.
    pub fn aligns_at(&self, rate: Hz) -> bool {
        self.aligner.as_ref().is_some_and(|aligner| aligner.rate() == rate)
    }

    /// Prepares for audio at `rate` with a chain latency of `latency` frames; a Master passes its `aligner`, unless it
    /// [aligns at that rate](Self::aligns_at): then what waits in the aligner stays. Allocates.
    pub fn prepare(&mut self, rate: Hz, latency: usize, aligner: Option<StemAligner>) {
        self.membership.audio_writer.prepare_ring(rate);
        if !self.aligns_at(rate) {
            self.aligner = aligner;
        }
        self.status = BlockStatus { rate, latency: latency as u64, ..self.status };
        self.membership.audio_writer.publish_status(&self.status);
        self.interrupt();
    }

    /// Starts a new segment of the ring: the output of the next block does not continue the last one.
    pub fn interrupt(&mut self) {
        self.tracker.start_segment();
        // another ring has no marks yet
        self.marked = None;
    }

    /// Takes the chain's settings; `trim` is the level change that a Master has requested on top of them.
    pub fn set_settings(&mut self, settings: &ChainSettings, trim: Db) {
        self.status.revision += 1;
        let mut values = PublishedSettings::new(self.schema, self.status.revision);
        self.mark = present_settings(self.chain_kind, settings, trim, |value| values.push(value));
        self.settings = values;
        self.settings_pending = true;
        self.mark_settings();
    }

    /// Marks whether the user listens to something else than the output.
    pub fn set_monitoring(&mut self, monitoring: bool) {
        (self.monitoring, self.status.listens) = (monitoring, monitoring);
        self.mark_settings();
    }

    /// Marks the next frame with the settings in use. Of a level that moves all the time a mark every 50 ms is enough.
    fn mark_settings(&mut self) {
        let revision = if self.monitoring { MONITORING_REVISION } else { self.mark.revision };
        let marked = (revision, self.mark.trim);
        let only_level = self.marked == Some(marked);
        self.is_mark_due =
            only_level && self.frames_since_mark < (self.status.rate.0 / MARKS_PER_SECOND) as u64;
        if !self.is_mark_due {
            self.membership.audio_writer.mark_settings(revision, self.mark.level, self.mark.trim);
            (self.marked, self.frames_since_mark) = (Some(marked), 0);
        }
    }

    /// Takes a chunk of a Master's mix, `at` frames into the host's block, before the chain.
    pub fn align_stems(&mut self, transport: TransportPosition, at: usize, mix: [&[f64]; 2]) {
        for (kept, mix) in self.mix.iter_mut().zip(mix) {
            let frames = kept.len().min(mix.len());
            kept[..frames].copy_from_slice(&mix[..frames]);
        }
        if let Some(aligner) = &mut self.aligner {
            aligner.process_block(transport.timeline_position(at), mix);
        }
    }

    /// Writes the chunk to the ring: the chain's output, and its input; of a Stem `delayed_input`, which is delayed by
    /// the chain's latency, of a Master the mix.
    pub fn write_block(
        &mut self,
        transport: TransportPosition,
        at: usize,
        delayed_input: [&[f64]; 2],
        output: [&[f64]; 2],
    ) {
        if self.is_mark_due {
            self.mark_settings();
        }
        let frames = output[0].len();
        let place = self.tracker.locate(transport.timeline_position(at), frames);
        let [left, right] = &self.mix;
        let input = match left.get(..frames).zip(right.get(..frames)) {
            Some((left, right)) => [left, right],
            None => delayed_input,
        };
        self.membership.audio_writer.write_block(place, input, output);
        self.frames_since_published = self.frames_since_published.saturating_add(frames as u64);
        self.frames_since_mark = self.frames_since_mark.saturating_add(frames as u64);
    }

    /// Publishes the status after a block, and changed settings at most ten times a second.
    pub fn publish_block(&mut self, transport: TransportPosition, health: &Health) {
        let hops = self.gauges.hops();
        if hops != self.published_hops {
            self.published_hops = hops;
            (self.status.momentary, self.status.short_term) = self.gauges.current_loudness();
        }
        self.status = BlockStatus {
            blocks: self.status.blocks.wrapping_add(1),
            playing: transport.playing,
            position: transport.position,
            compressor_reduction: health.compressor_reduction,
            limiter_reduction: health.limiter_reduction,
            sanitized: health.sanitized,
            faults: health.faults,
            ..self.status
        };
        self.membership.audio_writer.publish_status(&self.status);
        // automation changes settings with every block; readers poll about ten times a second
        let pause = (self.status.rate.0 / 10.0) as u64;
        if self.settings_pending && self.frames_since_published >= pause {
            self.membership.audio_writer.publish_settings(&self.settings);
            (self.settings_pending, self.frames_since_published) = (false, 0);
        }
    }
}

/// Returns the settings as marks and readings name them: without the level, the same settings have the same revision on
/// every instance. `each` takes every value in the order of the parameter table, then those of the noise print.
pub(super) fn present_settings(
    chain_kind: ChainKind,
    settings: &ChainSettings,
    trim: Db,
    mut each: impl FnMut(Option<f64>),
) -> PresentSettings {
    let mut revision = REVISION_SEED;
    for row in PARAMETERS.for_kind(chain_kind) {
        let value = match row.get(settings) {
            Value::Switch(on) => Some(f64::from(u8::from(on))),
            Value::Number(number) => number,
            Value::Choice(index) => Some(index as f64),
        };
        each(value);
        if row.id != LEVEL_ID {
            revision = mix_word(revision, value.unwrap_or(f64::NAN).to_bits());
        }
    }
    // after the table's values: the noise print, if one was learned
    for level in settings.denoise.print.iter().flat_map(NoisePrint::levels) {
        each(Some(f64::from(*level)));
        revision = mix_word(revision, u64::from(level.to_bits()));
    }
    // then the threshold offsets per octave, if any is set
    let curve = &settings.denoise.curve;
    for point in curve.iter().filter(|_| *curve != ThresholdCurve::default()) {
        each(Some(point.0));
        revision = mix_word(revision, point.0.to_bits());
    }
    // a bypassed chain applies no level
    let (level, trim) = if settings.bypass { (Db(0.0), Db(0.0)) } else { (settings.level, trim) };
    PresentSettings { revision, level, trim }
}

/// Marks of a level that moves all the time, per second: two in every hop.
const MARKS_PER_SECOND: f64 = 20.0;

/// The parameter that does not count in the settings hash.
const LEVEL_ID: &str = "level";

/// Frame count before anything was published.
const NEVER_PUBLISHED: u64 = u64::MAX;

/// Seed of the settings hash.
const REVISION_SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// Mixes a word into the settings hash. Equal settings have equal hashes, on every instance. The result is neither
/// zero, which stands for no settings, nor [`MONITORING_REVISION`].
fn mix_word(hash: u64, word: u64) -> u64 {
    let hash = (hash ^ word).wrapping_mul(0xd6e8_feb8_6659_fd93);
    (hash ^ hash >> 32).clamp(1, MONITORING_REVISION - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_depends_on_every_word_and_its_place() {
        let of = |words: &[u64]| words.iter().fold(REVISION_SEED, |hash, word| mix_word(hash, *word));
        let all = [of(&[1, 2, 3]), of(&[2, 1, 3]), of(&[1, 2]), of(&[1, 2, 4]), of(&[0, 0]), of(&[0])];
        for (i, one) in all.iter().enumerate() {
            assert!(*one != MONITORING_REVISION && all[i + 1..].iter().all(|other| other != one), "{i}");
        }
    }
}
