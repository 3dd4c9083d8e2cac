//! The tracks as streams: stems through their chains, at 48 kHz, on their ways to bed and objects.

use std::collections::VecDeque;

use super::RATE;
use super::bed::BED_LFE;
use super::low_pass::{self, LowPass};
use super::plan::{Plan, Route};
use crate::mixdown::StemStream;
use audiofile::BLOCK;
use audiofile::error::{Result, shown};
use audiofile::resample::{Converted, Endless, converted_frames};
use project::bundle::Bundle;
use project::session_file::Session;

/// All tracks in step.
pub(super) struct Tracks {
    stems: Vec<(Route, Converted<StemStream>)>,
    planes: [Vec<f64>; 2],
    low_pass: LowPass,
    /// Frames of the LFE that still come before its first.
    to_drop: usize,
    send: Vec<f64>,
    /// What the stems have given and the LFE, which is late, has not yet.
    ready: Vec<VecDeque<f64>>,
    block: Vec<Vec<f64>>,
    frames: u64,
    position: u64,
}

impl Tracks {
    /// Opens all stems.
    pub(super) fn open(bundle: &Bundle, session: &Session, plan: &Plan) -> Result<Self> {
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
            to_drop: low_pass::LATENCY,
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
        let skip = self.to_drop.min(STRETCH);
        self.to_drop -= skip;
        let lfe = &mut self.ready[BED_LFE];
        lfe.truncate(starts[BED_LFE]);
        lfe.extend(&self.send[skip..]);
        Ok(())
    }

    /// What was met on the way.
    pub(super) fn warnings(&self) -> Vec<String> {
        let odd = self.stems.iter().map(|(_, stem)| stem.source()).filter(|stem| stem.non_finite() > 0);
        odd.map(|stem| {
            format!(
                "{}: {} samples are not numbers and were silenced; export the stem again",
                shown(stem.path()),
                stem.non_finite()
            )
        })
        .collect()
    }
}
