//! The tracks as streams: stems through their chains, at 48 kHz, on their ways to bed and objects.

use std::collections::VecDeque;

use super::bed::BED_LFE;
use super::low_pass::{self, LowPass};
use super::plan::{AtmosPlan, Route};
use crate::mixdown::StemStream;
use audiofile::BLOCK;
use audiofile::error::Result;
use audiofile::latency::LatencySkip;
use audiofile::resample::{Converted, Endless, converted_frames};
use project::bundle::Bundle;
use project::session::Session;
use units::{Hz, Samples};

/// The rate of the file.
pub const RATE: Hz = Hz(48_000.0);

/// All tracks in step.
pub(super) struct TrackStreams {
    stems: Vec<(Route, Converted<StemStream>)>,
    planes: [Vec<f64>; 2],
    low_pass: LowPass,
    /// The delay of the low-pass.
    skip: LatencySkip,
    send: Vec<f64>,
    /// Frames that the stems have delivered, by track, while the LFE, which is late, has not.
    ready: Vec<VecDeque<f64>>,
    block: Vec<Vec<f64>>,
    frames: u64,
    position: u64,
}

impl TrackStreams {
    /// Opens all stems.
    pub(super) fn open(bundle: &Bundle, session: &Session, plan: &AtmosPlan) -> Result<Self> {
        let mut stems = Vec::new();
        for route in &plan.routes {
            let stem = &bundle.stems[route.stem];
            let stream = StemStream::open(&stem.path, &session.stems[route.stem])?;
            stems.push((route.clone(), Converted::new(stream, stem.info.rate, RATE, &stem.path)?));
        }
        let length = |stem: &project::bundle::Stem| converted_frames(stem.info.frames, stem.info.rate, RATE);
        let count = plan.tracks.len();
        Ok(Self {
            stems,
            planes: [Vec::new(), Vec::new()],
            low_pass: LowPass::new(session.adm.lfe_low_pass, RATE),
            skip: LatencySkip::new(Samples(low_pass::LATENCY)),
            send: Vec::new(),
            ready: vec![VecDeque::new(); count],
            block: vec![Vec::new(); count],
            frames: bundle.stems.iter().map(length).max().unwrap_or(0),
            position: 0,
        })
    }

    /// The length in frames.
    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    /// The tracks' last block.
    pub(super) fn block(&self) -> &[Vec<f64>] {
        &self.block
    }

    /// The tracks' last block, to be changed.
    pub(super) fn block_mut(&mut self) -> &mut [Vec<f64>] {
        &mut self.block
    }

    /// Reads the next block of every track: returns its length, 0 at the end.
    pub(super) fn read(&mut self) -> Result<usize> {
        let frames = (self.frames - self.position).min(BLOCK as u64) as usize;
        while self.ready[BED_LFE].len() < frames {
            self.advance()?;
        }
        for (block, ready) in self.block.iter_mut().zip(&mut self.ready) {
            block.clear();
            block.extend(ready.drain(..frames));
        }
        self.position += frames as u64;
        Ok(frames)
    }

    /// The next stretch of the stems.
    fn advance(&mut self) -> Result<()> {
        const STRETCH: usize = low_pass::BLOCK;
        self.send.clear();
        self.send.resize(STRETCH, 0.0);
        let mut starts = Vec::with_capacity(self.ready.len());
        for ready in &mut self.ready {
            starts.push(ready.len());
            ready.resize(ready.len() + STRETCH, 0.0);
        }
        for (route, stem) in &mut self.stems {
            stem.pull(&mut self.planes, STRETCH)?;
            let [left, right] = &self.planes;
            for &(track, gains) in &route.to {
                let to = self.ready[track].range_mut(starts[track]..);
                for (to, (l, r)) in to.zip(left.iter().zip(right)) {
                    *to += gains[0] * l + gains[1] * r;
                }
            }
            if route.lfe > 0.0 {
                for (send, (l, r)) in self.send.iter_mut().zip(left.iter().zip(right)) {
                    *send += route.lfe * (l + r);
                }
            }
        }
        // The LFE holds only what its filter has let through, without the filter's delay.
        self.low_pass.process(&mut self.send);
        let skip = self.skip.advance(STRETCH);
        let lfe = &mut self.ready[BED_LFE];
        lfe.truncate(starts[BED_LFE]);
        lfe.extend(&self.send[skip..]);
        Ok(())
    }

    /// A line for each stem and kind of samples that are no audio and were read as silence.
    pub(super) fn faults(&self) -> Vec<String> {
        self.stems.iter().filter_map(|(_, stem)| stem.source().fault()).collect()
    }
}
