//! Space: a reverberator and an echo.

use units::{Hz, Ms};

use super::canvas::StemBuffer;
use super::filter::{Filter, Smooth};

/// The times of the eight delay lines of a room of size 1, in milliseconds: no common factor, so no ringing.
const LINES_MS: [f64; 8] = [23.3, 26.9, 31.1, 36.7, 41.9, 47.3, 53.9, 59.3];

/// A feedback delay network: eight lines, each with its damping, mixed by a Householder reflection
/// (Jot & Chaigne, "Digital delay networks for designing artificial reverberators", AES 90, 1991).
pub(super) struct Reverb {
    /// Time until the sound has fallen by 60 dB.
    pub(super) decay_seconds: f64,
    /// Length of the delay lines relative to [`LINES_MS`].
    pub(super) size: f64,
    /// The frequency above which the tail decays faster.
    pub(super) damping: Hz,
    /// Silence before the first reflection.
    pub(super) predelay: Ms,
}

struct DelayLine {
    buffer: Vec<f64>,
    at: usize,
    feedback: f64,
    damping: Smooth,
}

impl DelayLine {
    /// The damped end of the line, scaled to decay.
    #[inline]
    fn read(&mut self) -> f64 {
        self.damping.next(self.buffer[self.at]) * self.feedback
    }

    #[inline]
    fn write(&mut self, sample: f64) {
        self.buffer[self.at] = sample;
        self.at += 1;
        if self.at == self.buffer.len() {
            self.at = 0;
        }
    }
}

impl Reverb {
    /// Adds what the room answers to the sound on `canvas`, at linear `gain`: reflections only, free of the lowest
    /// bass.
    pub(super) fn fill(&self, canvas: &mut StemBuffer, gain: f64) {
        let rate = canvas.rate;
        let mut waiting = EchoLine::new(self.predelay.samples(rate).0);
        let damping_seconds = 1.0 / (core::f64::consts::TAU * self.damping.0);
        let mut lines = LINES_MS.map(|ms| {
            let frames = Ms(ms * self.size).samples(rate).0.max(1);
            // -60 dB after decay_seconds: 0.001 to the power of the line's share of it
            let feedback = 0.001f64.powf(frames as f64 / rate.0 / self.decay_seconds);
            DelayLine {
                buffer: vec![0.0; frames],
                at: 0,
                feedback,
                damping: Smooth::new(0.0, damping_seconds, rate),
            }
        });
        let mut rumble = [Filter::new(160.0, 0.7, rate), Filter::new(160.0, 0.7, rate)];
        for (left, right) in canvas.left.iter_mut().zip(&mut canvas.right) {
            let inputs = [rumble[0].next(*left).high, rumble[1].next(*right).high];
            let mut ends = [0.0; 8];
            for (end, line) in ends.iter_mut().zip(&mut lines) {
                *end = line.read();
            }
            let reflected = ends.iter().sum::<f64>() * 0.25;
            for (n, line) in lines.iter_mut().enumerate() {
                line.write(inputs[n % 2] + ends[n] - reflected);
            }
            let wet = [ends[0] - ends[2] + ends[4] - ends[6], ends[1] - ends[3] + ends[5] - ends[7]];
            let [wet_left, wet_right] = waiting.next(wet);
            *left += gain * 0.35 * wet_left;
            *right += gain * 0.35 * wet_right;
        }
    }
}

/// Stereo sound held back by some frames.
struct EchoLine {
    buffer: Vec<[f64; 2]>,
    at: usize,
}

impl EchoLine {
    fn new(frames: usize) -> Self {
        Self { buffer: vec![[0.0; 2]; frames.max(1)], at: 0 }
    }

    /// The input of so many frames ago.
    fn oldest(&self) -> [f64; 2] {
        self.buffer[self.at]
    }

    /// Takes a frame and gives back the one it has waited for.
    fn next(&mut self, frame: [f64; 2]) -> [f64; 2] {
        let oldest = core::mem::replace(&mut self.buffer[self.at], frame);
        self.at += 1;
        if self.at == self.buffer.len() {
            self.at = 0;
        }
        oldest
    }
}

/// Adds an echo at linear `gain` that bounces between the sides and darkens: `time_seconds` apart, `feedback` each
/// time.
pub(super) fn ping_pong(canvas: &mut StemBuffer, time_seconds: f64, feedback: f64, gain: f64) {
    let rate = canvas.rate;
    // what each side will repeat
    let mut bounces = EchoLine::new(Ms(time_seconds * 1e3).samples(rate).0);
    let mut dark = [Filter::new(4_200.0, 0.6, rate), Filter::new(4_200.0, 0.6, rate)];
    for (left, right) in canvas.left.iter_mut().zip(&mut canvas.right) {
        let mono = 0.5 * (*left + *right);
        let [to_left, to_right] = bounces.oldest();
        let wet = [dark[0].next(to_left).low, dark[1].next(to_right).low];
        bounces.next([mono + feedback * wet[1], feedback * wet[0]]);
        *left += gain * wet[0];
        *right += gain * wet[1];
    }
}
