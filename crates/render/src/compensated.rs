//! A chain over a whole song: what comes out starts with the song and is as long as it.

use audiofile::BLOCK;
use audiofile::latency::LatencySkip;
use chain::Chain;
use dsp::{Block, Process};
use units::Samples;

/// A chain, or none, whose latency is compensated: its first outputs are left out, and silence after the end pushes
/// out what is still inside.
pub struct Compensated {
    chain: Option<Chain>,
    skip: LatencySkip,
    /// Silence still to be fed after the song's last frame.
    tail: usize,
}

impl Compensated {
    /// At the start of a song.
    pub fn new(chain: Option<Chain>) -> Self {
        let latency = chain.as_ref().map_or(Samples(0), Chain::latency);
        Self { chain, skip: LatencySkip::new(latency), tail: latency.0 }
    }

    /// The chain.
    pub fn chain(&self) -> Option<&Chain> {
        self.chain.as_ref()
    }

    /// Frames of output that still come before the song's first frame.
    pub fn frames_to_skip(&self) -> usize {
        self.skip.remaining()
    }

    /// Processes `block` in place; what belongs to the song are its last frames, which are returned.
    pub fn process<'a>(&mut self, block: &'a mut [Vec<f64>; 2]) -> [&'a [f64]; 2] {
        let skip = self.run(block, |chain, block| chain.process(block));
        let [left, right] = block;
        [&left[skip..], &right[skip..]]
    }

    /// Runs `process` over `block` in place, if there is a chain: returns how many of its first frames are to be left out.
    pub fn run(
        &mut self,
        block: &mut [Vec<f64>; 2],
        process: impl FnOnce(&mut Chain, &mut Block<'_>),
    ) -> usize {
        let [left, right] = block;
        if let Some(chain) = &mut self.chain {
            process(chain, &mut Block::new(left, right));
        }
        self.skip.advance(left.len())
    }

    /// Makes `block` the next stretch of silence to process after the song. False: nothing is inside any more.
    pub fn silence(&mut self, block: &mut [Vec<f64>; 2]) -> bool {
        let frames = self.tail.min(BLOCK);
        self.tail -= frames;
        block.iter_mut().for_each(|side| {
            side.clear();
            side.resize(frames, 0.0);
        });
        frames > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chain::{ChainKind, ChainSettings, LatencyClass};
    use testkit::noise;
    use units::Hz;

    #[test]
    fn a_song_comes_out_in_place_and_as_long_as_it_was() {
        for class in LatencyClass::ALL {
            let mut chain = Chain::new(ChainKind::Master, class, Hz(48_000.0));
            chain.set(&ChainSettings::default());
            let mut compensated = Compensated::new(Some(chain));
            let song = [noise(1, 10_000, 0.5), noise(2, 10_000, 0.5)];
            let mut out = [Vec::new(), Vec::new()];
            let mut take =
                |audio: [&[f64]; 2]| out.iter_mut().zip(audio).for_each(|(o, a)| o.extend_from_slice(a));
            for start in (0..10_000).step_by(100) {
                let mut block = song.each_ref().map(|side| side[start..start + 100].to_vec());
                take(compensated.process(&mut block));
            }
            let mut block = [Vec::new(), Vec::new()];
            while compensated.silence(&mut block) {
                take(compensated.process(&mut block));
            }
            assert!(out == song, "{class:?}");
        }
    }
}
