//! The audio thread's part in the link: what a plugin tells others, and a Master's ears.

use chain::parameters::{PARAMETERS, Value};
use chain::{ChainKind, ChainSettings};
use dsp::denoise::{NoisePrint, ThresholdCurve};
use link::audio_ring::MONITORING_REVISION;
use link::ipc::Membership;
use link::records::{BlockStatus, PublishedSettings};
use link::stem_aligner::StemAligner;
use plugin_core::gauges::{Gauges, Health};
use session::timeline::TransportTracker;
use std::sync::Arc;
use units::{Db, Hz};

/// What the host says about a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransportPosition {
    /// Whether the transport runs.
    pub playing: bool,
    /// Where the block begins on the project's timeline, in frames; `None` if the host does not say.
    pub position: Option<i64>,
}

impl TransportPosition {
    /// Where on the timeline the frame `frames` into the block is played; `None` while nothing is.
    fn timeline_position(self, frames: usize) -> Option<i64> {
        self.position.filter(|_| self.playing).map(|position| position.saturating_add(frames as i64))
    }
}

/// Tells others of a plugin's audio. Neither allocates nor waits after [`Self::prepare`].
#[derive(Debug)]
pub struct Broadcast {
    chain_kind: ChainKind,
    /// Of the table's rows: those who have the same understand each other's settings.
    schema: u64,
    /// Off the roster when dropped.
    membership: Membership,
    /// A Master's.
    aligner: Option<StemAligner>,
    tracker: TransportTracker,
    status: BlockStatus,
    /// The settings in force.
    settings: PublishedSettings,
    /// They have not been told yet.
    settings_pending: bool,
    /// Frames since some were told.
    frames_since_published: u64,
    /// Stands for the settings in force, level aside, and the gain behind everything else.
    mark: (u64, Db),
    monitoring: bool,
    gauges: Arc<Gauges>,
    /// Hops that the gauges had when their loudness was last told.
    published_hops: u64,
}

impl Broadcast {
    /// A broadcast for a plugin in `chain_kind` that has joined.
    pub fn new(chain_kind: ChainKind, membership: Membership, gauges: Arc<Gauges>) -> Self {
        let schema = PARAMETERS.schema(chain_kind);
        Self {
            chain_kind,
            schema,
            membership,
            aligner: None,
            tracker: TransportTracker::default(),
            status: BlockStatus::default(),
            settings: PublishedSettings::new(schema, 0),
            settings_pending: false,
            frames_since_published: NEVER_PUBLISHED,
            mark: (MONITORING_REVISION, Db(0.0)),
            monitoring: false,
            gauges,
            published_hops: 0,
        }
    }

    /// The host activates: audio at `rate`, a chain of `latency` frames; `aligner` for a Master. Allocates.
    pub fn prepare(&mut self, rate: Hz, latency: usize, aligner: Option<StemAligner>) {
        self.membership.audio_writer.prepare_ring(rate);
        self.aligner = aligner;
        self.status = BlockStatus { rate, latency: latency as u64, ..self.status };
        self.membership.audio_writer.publish_status(&self.status);
        self.interrupt();
    }

    /// What comes does not continue what came.
    pub fn interrupt(&mut self) {
        self.tracker.start_segment();
        if let Some(aligner) = &mut self.aligner {
            aligner.interrupt();
        }
    }

    /// The chain's settings from here on, and what a Master has asked the level to change by, on top.
    pub fn set_settings(&mut self, settings: &ChainSettings, trim: Db) {
        self.status.revision += 1;
        let mut values = PublishedSettings::new(self.schema, self.status.revision);
        let mut revision = REVISION_SEED;
        for row in PARAMETERS.for_kind(self.chain_kind) {
            let value = match row.get(settings) {
                Value::Switch(on) => Some(f64::from(u8::from(on))),
                Value::Number(number) => number,
                Value::Choice(index) => Some(index as f64),
            };
            values.push(value);
            if row.id != LEVEL_ID {
                revision = mix_word(revision, value.unwrap_or(f64::NAN).to_bits());
            }
        }
        // behind the table's: the noise print, if one was learned
        for level in settings.denoise.print.iter().flat_map(NoisePrint::levels) {
            values.push(Some(f64::from(*level)));
            revision = mix_word(revision, u64::from(level.to_bits()));
        }
        // and behind that the threshold per octave, if there is one
        let curve = &settings.denoise.curve;
        for point in curve.iter().filter(|_| *curve != ThresholdCurve::default()) {
            values.push(Some(point.0));
            revision = mix_word(revision, point.0.to_bits());
        }
        self.settings = values;
        self.settings_pending = true;
        // a bypassed chain has no level
        let level = if settings.bypass { Db(0.0) } else { settings.level + trim };
        self.mark = (revision, level);
        self.mark_settings();
    }

    /// Something else is heard than the output, or the output again.
    pub fn set_monitoring(&mut self, monitoring: bool) {
        (self.monitoring, self.status.listens) = (monitoring, monitoring);
        self.mark_settings();
    }

    fn mark_settings(&mut self) {
        let (revision, level) = self.mark;
        self.membership
            .audio_writer
            .mark_settings(if self.monitoring { MONITORING_REVISION } else { revision }, level);
    }

    /// A part of a block before the chain: `at` frames into the block of `transport`.
    pub fn align_stems(&mut self, transport: TransportPosition, at: usize, mix: [&[f64]; 2]) {
        if let Some(aligner) = &mut self.aligner {
            aligner.process_block(transport.timeline_position(at), mix);
        }
    }

    /// The same part behind the chain, and as it entered, as late as the chain is.
    pub fn write_block(
        &mut self,
        transport: TransportPosition,
        at: usize,
        input: [&[f64]; 2],
        output: [&[f64]; 2],
    ) {
        let place = self.tracker.locate(transport.timeline_position(at), output[0].len());
        self.membership.audio_writer.write_block(place, input, output);
        self.frames_since_published = self.frames_since_published.saturating_add(output[0].len() as u64);
    }

    /// The block is over.
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
        // automation changes them with every block; whoever watches looks ten times a second
        let pause = (self.status.rate.0 / 10.0) as u64;
        if self.settings_pending && self.frames_since_published >= pause {
            self.membership.audio_writer.publish_settings(&self.settings);
            (self.settings_pending, self.frames_since_published) = (false, 0);
        }
    }
}

/// The row that is no part of a revision.
const LEVEL_ID: &str = "level";

/// Frames after which settings may be told at any rate.
const NEVER_PUBLISHED: u64 = u64::MAX;

/// A revision before any value.
const REVISION_SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// A hash that goes on with another word; equal settings have equal revisions, whatever was between them. Neither zero,
/// which stands for nothing, nor [`MONITORING_REVISION`].
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
