//! From what exceeds the ceiling to reductions that have come when it comes: hold, release, smoothing.

use super::SUSTAIN;
use crate::dsp::ballistics::{Ballistics, Times};
use crate::dsp::boxes::{Boxes, Line};
use crate::dsp::simd::{Isa, Kernel, Simd};
use crate::dsp::{CONTROL_INTERVAL, Pair, SlidingMax};
use crate::units::Hz;

/// Steps 3 to 5 of the limiter, for both channels.
#[derive(Clone, Debug)]
pub(super) struct Reduction {
    hold: SlidingMax,
    sustain: SlidingMax,
    release: Ballistics<2>,
    line: Line,
    /// The smoothing in use and, while the lookahead changes, the one that fades out.
    smoothing: [Boxes; 2],
}

impl Reduction {
    /// At rest, with up to `longest` frames of lookahead.
    pub(super) fn new(longest: usize, rate: Hz) -> Self {
        Self {
            // One more on both sides: the crest beside a sample, before or after, counts as the sample's own.
            hold: SlidingMax::new(longest + 2),
            sustain: SlidingMax::new(SUSTAIN.samples(rate).0.max(1)),
            release: Ballistics::new(Times { attack: 1.0, release: 1.0, charge: 0.0, discharge: 1.0 }),
            line: Line::new(2 * longest + 2),
            smoothing: [Boxes::new(longest), Boxes::new(longest)],
        }
    }

    /// Changes the release.
    pub(super) fn set(&mut self, times: Times) {
        self.release.set(times);
    }

    /// Nothing was ever reduced; smooths over `lookahead` frames, the newest of them `age` old.
    pub(super) fn reset(&mut self, lookahead: usize, age: usize) {
        self.hold.reset();
        self.sustain.reset();
        self.release.reset();
        self.line.reset();
        self.smoothing.iter_mut().for_each(Boxes::reset);
        self.smoothing[0].aim(lookahead, age, &self.line);
    }

    /// Smooths over another lookahead; the one so far becomes the old one.
    pub(super) fn change(&mut self, lookahead: usize, age: usize) {
        self.smoothing.swap(0, 1);
        self.smoothing[0].aim(lookahead, age, &self.line);
    }

    /// The old lookahead is not used any more.
    pub(super) fn forget_old(&mut self) {
        self.smoothing[1].reset();
    }

    /// True when frames without any over would change nothing.
    pub(super) fn at_rest(&self) -> bool {
        let none = |pair: Pair| pair[0] <= 0.0 && pair[1] <= 0.0;
        none(self.hold.max())
            && none(self.sustain.max())
            && self.release.at_rest()
            && self.smoothing.iter().all(|boxes| boxes.value() == [0.0; 2])
    }

    /// Makes overs the reductions that the audio a latency ago gets. `old`: of each frame, the share that still follows
    /// the old lookahead.
    pub(super) fn follow(&mut self, isa: Isa, frames: &mut [Pair], old: Option<&[f64]>) {
        isa.run(Follow { reduction: self, frames, old });
    }
}

/// [`Reduction::follow`] for an instruction set.
struct Follow<'a> {
    reduction: &'a mut Reduction,
    frames: &'a mut [Pair],
    old: Option<&'a [f64]>,
}

impl Kernel for Follow<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Self { reduction: Reduction { hold, sustain, release, line, smoothing }, frames, old } = self;
        hold.follow(frames);
        let mut sustained = [[0.0; 2]; CONTROL_INTERVAL];
        let sustained = &mut sustained[..frames.len()];
        sustained.copy_from_slice(frames);
        sustain.follow(sustained);
        let mut now = release.clone();
        for (frame, sustained) in frames.iter_mut().zip(&*sustained) {
            *frame = now.next(*frame, *sustained);
        }
        *release = now;
        let [new, last] = smoothing;
        let Some(old) = old else {
            new.follow(line, frames);
            return;
        };
        for (frame, old) in frames.iter_mut().zip(old) {
            line.push(*frame);
            let (new, last) = (new.next(line), last.next(line));
            *frame = [new[0] + (last[0] - new[0]) * old, new[1] + (last[1] - new[1]) * old];
        }
    }
}
