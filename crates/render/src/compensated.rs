//! A chain over a whole song: what comes out starts with the song and is as long as it.

use audiofile::BLOCK;
use chain::Chain;
use dsp::{Block, Process};

/// A chain, or none, whose latency is compensated: its first outputs are left out, and silence after the end pushes
/// out what is still inside.
pub struct Compensated {
    chain: Option<Chain>,
    /// Output that still comes before the song's first frame.
    to_drop: usize,
    /// Silence still to be fed after the song's last frame.
    tail: usize,
}

impl Compensated {
    /// At the start of a song.
    pub fn new(chain: Option<Chain>) -> Self {
        let latency = chain.as_ref().map_or(0, |chain| chain.latency().0);
        Self { chain, to_drop: latency, tail: latency }
    }

    /// The chain.
    pub fn chain(&self) -> Option<&Chain> {
        self.chain.as_ref()
    }

    /// Processes `block` in place; what belongs to the song are its last frames, which are returned.
    pub fn process<'a>(&mut self, block: &'a mut [Vec<f64>; 2]) -> [&'a [f64]; 2] {
        let [left, right] = block;
        if let Some(chain) = &mut self.chain {
            chain.process(&mut Block::new(left, right));
        }
        let skip = self.to_drop.min(left.len());
        self.to_drop -= skip;
        [&left[skip..], &right[skip..]]
    }

    /// After the song: makes `block` the next stretch of silence to process. False: nothing is inside any more.
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
