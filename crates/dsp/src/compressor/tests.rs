//! Compressor tests that look inside; its laws over the public interface are in `tests/units`.

use super::*;
use crate::compressor_rig::plain;
use testkit::{Stereo, sine};

const RATE: Hz = Hz(48_000.0);

/// The gains of a compressor whose channels never count as one, or may, with settings changed at frames.
fn gains(isa: Isa, apart: bool, changes: &[(usize, CompressorSettings)], key: &Stereo) -> Stereo {
    let mut computer = CompressorGain::new(RATE, Compressor::LOOKAHEAD);
    computer.isa = isa;
    let frames = key.left.len();
    let mut gain = Stereo::silence(frames);
    let ends = changes.iter().map(|(at, _)| *at).skip(1).chain([frames]);
    for ((at, settings), end) in changes.iter().zip(ends) {
        computer.set(settings);
        if apart {
            (computer.is_linked, computer.frames_apart) = (false, usize::MAX);
        }
        let key = [&key.left[*at..end], &key.right[*at..end]];
        computer.compute(key, None, [&mut gain.left[*at..end], &mut gain.right[*at..end]]);
    }
    assert!(
        apart || computer.is_linked == (computer.link.value() == 1.0),
        "they count as one where they can"
    );
    gain
}

#[test]
fn channels_that_count_as_one_are_computed_as_two_would_be() {
    let mut key = Stereo::noise(7, 60_000, 1.0);
    // Silence, after which they may be one again.
    key.left[20_000..50_000].fill(0.0);
    key.right[20_000..50_000].fill(0.0);
    let linked = CompressorSettings { lookahead: Ms(1.3), release: Ms(10.0), ..plain() };
    let loose = CompressorSettings { link: 0.4, lookahead: Ms(4.0), ..linked.clone() };
    let two_stage = CompressorSettings { auto_release: true, ..linked.clone() };
    let changes = [(0, linked.clone()), (9_001, loose), (15_000, linked), (49_000, two_stage)];
    for isa in Isa::all() {
        let (one, two) = (gains(isa, false, &changes, &key), gains(isa, true, &changes, &key));
        assert!(one == two, "{isa:?}");
        assert!(one.left[12_000..14_000] != one.right[12_000..14_000], "{isa:?}: they differ in between");
    }
}

#[test]
fn every_instruction_set_computes_the_same_gain() {
    let key = Stereo::noise(8, 20_000, 1.0);
    for link in [1.0, 0.3] {
        let settings = CompressorSettings { link, auto_release: true, ..plain() };
        let plainly = gains(Isa::portable(), false, &[(0, settings.clone())], &key);
        for isa in Isa::all() {
            let gain = gains(isa, false, &[(0, settings.clone())], &key);
            let pairs = gain.left.iter().zip(&plainly.left).chain(gain.right.iter().zip(&plainly.right));
            let most = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(most < 1e-12, "{isa:?}: {most:e}");
        }
    }
}

#[test]
fn the_key_highpass_is_a_butterworth() {
    for (ratio, response_db) in [(1.0, -3.0103), (0.25, -24.0993), (4.0, -0.0169)] {
        let mut highpass = HighPass::new(RATE);
        highpass.tune(200.0);
        let output: Vec<f64> =
            sine(200.0 * ratio, 0.0, 48_000.0, 48_000).iter().map(|&x| highpass.next(0, x)).collect();
        let power: f64 = output[24_000..].iter().map(|x| x * x).sum::<f64>() / 24_000.0;
        let response = 10.0 * (2.0 * power).log10();
        assert!((response - response_db).abs() < 0.02, "{ratio}: {response}");
    }
}
