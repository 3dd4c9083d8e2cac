//! The one contract every unit is tested against; see [`Process`].

use super::{Block, GainLog, Key, Process, RecordGain, Share};
pub use testkit::noise;

/// A stereo signal of the tests, with a key of its own.
#[derive(Clone, PartialEq, Debug)]
pub struct Stereo {
    /// Left channel.
    pub left: Vec<f64>,
    /// Right channel, as long as the left one.
    pub right: Vec<f64>,
}

impl Stereo {
    /// Uniform noise in ±`amplitude`, independent in both channels.
    pub fn noise(seed: u64, frames: usize, amplitude: f64) -> Self {
        Self { left: noise(seed, frames, amplitude), right: noise(seed ^ 0xabcd, frames, amplitude) }
    }

    /// Zeros.
    pub fn silence(frames: usize) -> Self {
        Self { left: vec![0.0; frames], right: vec![0.0; frames] }
    }

    /// Runs `unit` over the frames `range`, keyed by fixed noise.
    pub fn run<P: Process>(&mut self, unit: &mut P, range: core::ops::Range<usize>) {
        let key = noise(77, self.left.len(), 0.7);
        let key = Key { left: &key[range.clone()], right: &key[range.clone()] };
        let mut block = Block::new(&mut self.left[range.clone()], &mut self.right[range]).with_key(key);
        unit.process(&mut block);
    }

    /// No sample is infinite or NaN.
    pub fn is_finite(&self) -> bool {
        self.left.iter().chain(&self.right).all(|x| x.is_finite())
    }
}

const FRAMES: usize = 6000;

/// Settings changes of a run: new settings at a frame.
fn run_in_blocks<P: Process>(
    unit: &mut P,
    signal: &Stereo,
    changes: &[(usize, &P::Settings)],
    mut size: impl FnMut() -> usize,
) -> Stereo {
    let mut out = signal.clone();
    let frames = out.left.len();
    let mut at = 0;
    let mut pending = changes.iter().peekable();
    while at < frames {
        while let Some((_, settings)) = pending.next_if(|(frame, _)| *frame <= at) {
            unit.set(settings);
        }
        let until = pending.peek().map_or(frames, |(frame, _)| *frame).min(at + size()).min(frames);
        out.run(unit, at..until);
        at = until;
    }
    out
}

/// Asserts the whole contract. `neutral` must be bit-transparent; `busy` are settings that do something.
pub fn obeys_contract<P: Process>(make: impl Fn() -> P, neutral: &P::Settings, busy: &[P::Settings]) {
    let signal = Stereo::noise(1, FRAMES, 0.9);
    is_transparent_when_neutral(&make, neutral, &signal);
    for (i, settings) in busy.iter().enumerate() {
        let other = &busy[(i + 1) % busy.len()];
        let changes = [(0, settings), (1003, neutral), (2500, other), (2717, settings)];
        resets_to_new(&make, settings, &signal);
        ignores_block_partition(&make, &changes, &signal);
        keeps_silence_silent(&make, &changes);
        contains_non_finite_input(&make, settings, &signal);
        survives_subnormal_input(&make, settings);
        assert_eq!(latency_after(&make, settings), make().latency(), "latency is constant");
    }
}

fn latency_after<P: Process>(make: &impl Fn() -> P, settings: &P::Settings) -> units::Samples {
    let mut unit = make();
    unit.set(settings);
    unit.latency()
}

fn is_transparent_when_neutral<P: Process>(make: &impl Fn() -> P, neutral: &P::Settings, signal: &Stereo) {
    let mut unit = make();
    unit.set(neutral);
    let latency = unit.latency().0;
    let out = run_in_blocks(&mut unit, signal, &[], || 512);
    for (output, input) in [(&out.left, &signal.left), (&out.right, &signal.right)] {
        assert!(output[..latency].iter().all(|&x| x == 0.0), "nothing comes before the latency");
        for i in latency..output.len() {
            assert_eq!(
                output[i].to_bits(),
                input[i - latency].to_bits(),
                "neutral is bit-transparent, frame {i}"
            );
        }
    }
}

fn resets_to_new<P: Process>(make: &impl Fn() -> P, settings: &P::Settings, signal: &Stereo) {
    let mut used = make();
    used.set(settings);
    run_in_blocks(&mut used, signal, &[], || 333);
    used.reset();
    used.set(settings);
    let mut new = make();
    new.set(settings);
    let (again, first) =
        (run_in_blocks(&mut used, signal, &[], || 512), run_in_blocks(&mut new, signal, &[], || 512));
    assert!(again == first, "reset equals new");
}

fn ignores_block_partition<P: Process>(
    make: &impl Fn() -> P,
    changes: &[(usize, &P::Settings)],
    signal: &Stereo,
) {
    let whole = run_in_blocks(&mut make(), signal, changes, || usize::MAX >> 1);
    for size in [1, 17, 32, 64, 441, 512] {
        let cut = run_in_blocks(&mut make(), signal, changes, || size);
        assert!(cut == whole, "blocks of {size} give the same bits");
    }
    let mut sizes = noise(5, 10_000, 1.0).into_iter().map(|x| (x.abs() * 200.0) as usize + 1);
    let cut = run_in_blocks(&mut make(), signal, changes, || sizes.next().expect("sizes enough"));
    assert!(cut == whole, "random blocks give the same bits");
}

fn keeps_silence_silent<P: Process>(make: &impl Fn() -> P, changes: &[(usize, &P::Settings)]) {
    let silence = Stereo::silence(FRAMES);
    let out = run_in_blocks(&mut make(), &silence, changes, || 512);
    assert!(out.left.iter().chain(&out.right).all(|&x| x == 0.0), "silence in, silence out");
}

fn contains_non_finite_input<P: Process>(make: &impl Fn() -> P, settings: &P::Settings, signal: &Stereo) {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut unit = make();
        unit.set(settings);
        let mut first = Stereo { left: signal.left[..500].to_vec(), right: signal.right[..500].to_vec() };
        first.left[250] = bad;
        first.right[251] = bad;
        first.run(&mut unit, 0..500);
        // The bad frames may still be inside delay lines; what is recursive must have recovered.
        let mut rest = signal.clone();
        rest.run(&mut unit, 0..FRAMES);
        let clear = unit.latency().0 + 64;
        let after = Stereo { left: rest.left.split_off(clear), right: rest.right.split_off(clear) };
        assert!(after.is_finite(), "recovers from {bad}");
        let loudest = after.left.iter().chain(&after.right).fold(0.0f64, |m, x| m.max(x.abs()));
        assert!(loudest > 1e-3 && loudest < 1e3, "sounds again after {bad}: {loudest}");
    }
}

fn survives_subnormal_input<P: Process>(make: &impl Fn() -> P, settings: &P::Settings) {
    let mut unit = make();
    unit.set(settings);
    let mut tiny = Stereo::noise(9, FRAMES, 1e-310);
    tiny.run(&mut unit, 0..FRAMES);
    assert!(tiny.left.iter().chain(&tiny.right).all(|x| x.abs() < 1e-300), "tiny stays tiny");
    let mut silence = Stereo::silence(FRAMES);
    silence.run(&mut unit, 0..FRAMES);
    let end = &silence.left[FRAMES - 100..];
    assert!(end.iter().all(|&x| x == 0.0), "subnormal states are flushed");
}

/// Stems of different character: noises that swell at different times.
pub fn stems(count: usize, frames: usize, level: f64) -> Vec<Stereo> {
    (0..count)
        .map(|i| {
            let seed = 100 + i as u64;
            let swell = |x: f64, at: usize| x * (1.0 + (at as f64 / (700.0 + 500.0 * i as f64)).sin()) * 0.5;
            let side = |seed| noise(seed, frames, level).into_iter().enumerate().map(|(at, x)| swell(x, at));
            let (left, other): (Vec<f64>, Vec<f64>) = (side(seed).collect(), side(seed ^ 0x77).collect());
            let right = left.iter().zip(&other).map(|(l, r)| 0.6 * l + 0.4 * r).collect();
            Stereo { left, right }
        })
        .collect()
}

/// Sum of `stems`, sample by sample.
pub fn sum(stems: &[Stereo]) -> Stereo {
    let mut sum = Stereo::silence(stems[0].left.len());
    for stem in stems {
        sum.left.iter_mut().zip(&stem.left).for_each(|(sum, x)| *sum += x);
        sum.right.iter_mut().zip(&stem.right).for_each(|(sum, x)| *sum += x);
    }
    sum
}

/// The largest sample of the difference.
pub fn difference(a: &Stereo, b: &Stereo) -> f64 {
    let sides = a.left.iter().zip(&b.left).chain(a.right.iter().zip(&b.right));
    sides.fold(0.0, |most, (a, b)| most.max((a - b).abs()))
}

/// Asserts that recording changes no bit, and that the stems of a sum and the residual, each followed by a unit of its
/// own, add up to what the recorder made of the sum, within `rounding`; whatever the blocks.
pub fn parts_add_up<U: RecordGain>(make: impl Fn() -> U, changes: &[(usize, U::Settings)], rounding: f64) {
    let frames = 20_000;
    let stems = stems(3, frames, 0.4);
    let input = sum(&stems);
    let mut terms = stems.clone();
    terms.push(Stereo::silence(frames));
    let mut whole = input.clone();
    let mut plain = input.clone();
    let mut version = input.clone();
    let (mut lead, mut alone, mut together) = (make(), make(), make());
    let mut followers: Vec<U> = terms.iter().map(|_| make()).collect();
    let sizes = noise(4, frames, 1.0);
    let (mut at, mut gain_log) = (0, Vec::new());
    while at < frames {
        for (_, settings) in changes.iter().filter(|(from, _)| *from == at) {
            lead.set(settings);
            alone.set(settings);
            together.set(settings);
            followers.iter_mut().for_each(|unit| unit.set(settings));
        }
        let next = changes.iter().map(|(from, _)| *from).find(|from| *from > at).unwrap_or(frames);
        let end = (at + 1 + (sizes[at].abs() * 600.0) as usize).min(next).min(frames);
        let block = |signal: &mut Stereo, unit: &mut U, gain_log: &mut GainLog<'_>| {
            let (left, right) = (&mut signal.left[at..end], &mut signal.right[at..end]);
            unit.run(&mut Block::new(left, right), gain_log);
        };
        gain_log.clear();
        block(&mut whole, &mut lead, &mut GainLog::Record(&mut gain_log));
        block(&mut plain, &mut alone, &mut GainLog::Off);
        let mut follow = GainLog::follow(&gain_log, Share::Version);
        block(&mut version, &mut together, &mut follow);
        assert!(follow.is_at_end(), "all of the tape is used");
        for (i, (term, unit)) in terms.iter_mut().zip(&mut followers).enumerate() {
            let part = if i < stems.len() { Share::Stem } else { Share::Residual };
            let mut follow = GainLog::follow(&gain_log, part);
            block(term, unit, &mut follow);
            assert!(follow.is_at_end(), "all of the tape is used");
        }
        at = end;
    }
    assert!(whole == plain, "recording changes nothing");
    assert!(version == whole, "all terms together are the sum");
    assert!(difference(&whole, &input) > 1e-3, "the unit does something");
    let error = difference(&sum(&terms), &whole);
    assert!(error <= rounding, "the terms miss the sum by {error:e}");
}
