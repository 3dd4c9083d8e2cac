//! The one contract every unit is tested against; see [`Process`].

use dsp::Process;
use testkit::{Stereo, noise};

use super::run::RunUnit;

const FRAMES: usize = 6000;

/// Output for `signal` in blocks of `size`, with new settings at the frames that `changes` give.
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
pub(crate) fn obeys_contract<P: Process>(make: impl Fn() -> P, neutral: &P::Settings, busy: &[P::Settings]) {
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
