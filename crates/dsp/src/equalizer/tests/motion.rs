//! Settings that change while audio runs.

use super::*;

/// Runs a tone of 0.5 through `changes`, one every `every` frames; the largest third difference of the output
/// relative to its peak. It falls with the cube of frequency, so a click towers above the tone; a step makes twice
/// its height.
fn roughness(tone: f64, every: usize, changes: &[BandSettings]) -> (f64, Stereo) {
    let frames = every * changes.len();
    let samples: Vec<f64> =
        (0..frames).map(|i| 0.5 * (core::f64::consts::TAU * tone * i as f64 / RATE.0).sin()).collect();
    let mut signal = Stereo { left: samples.clone(), right: samples };
    let mut equalizer = Equalizer::new(RATE);
    for (i, change) in changes.iter().enumerate() {
        equalizer.set(&only(*change));
        signal.run(&mut equalizer, i * every..(i + 1) * every);
    }
    let third = |w: &[f64]| (w[3] - 3.0 * w[2] + 3.0 * w[1] - w[0]).abs();
    let peak = signal.left.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    // The onset in the first frames is not a change of settings.
    (signal.left[every..].windows(4).fold(0.0f64, |m, w| m.max(third(w))) / peak, signal)
}

#[test]
fn switching_and_changing_shape_never_clicks() {
    let off = |settings| BandSettings { on: false, ..settings };
    for shape in SHAPES {
        let one = BandSettings { gain: Db(12.0), ..cut(shape, 300.0, 1.0, 24) };
        let placed = BandSettings { placement: Placement::Left, ..one };
        let other = BandSettings { slope: 48, ..one };
        let bell = band(Shape::Bell, 60.0, -12.0, 2.0);
        let (worst, _) = roughness(80.0, 4096, &[off(one), one, bell, other, placed, off(placed)]);
        assert!(worst < 5e-3, "{shape:?}: {worst}");
    }
}

#[test]
fn gain_glides_without_clicks_and_a_band_at_nought_is_the_input() {
    for (shape, q) in
        [(Shape::Bell, 2.0), (Shape::LowShelf, 0.7), (Shape::HighShelf, 10.0), (Shape::Tilt, 1.0)]
    {
        let changes = [18.0, -18.0, 0.0, 18.0, 0.0].map(|gain| band(shape, 150.0, gain, q));
        let (worst, output) = roughness(100.0, 8192, &changes);
        assert!(worst < 5e-3, "{shape:?}: {worst}");
        let mut equalizer = Equalizer::new(RATE);
        equalizer.set(&only(changes[0]));
        let mut signal = output.clone();
        signal.run(&mut equalizer, 0..1000);
        equalizer.set(&only(changes[2]));
        signal.run(&mut equalizer, 1000..3000);
        assert!(equalizer.is_neutral());
        let before = signal.clone();
        signal.run(&mut equalizer, 3000..signal.left.len());
        assert!(signal == before);
    }
}

#[test]
fn fast_sweeps_stay_within_six_decibels_of_the_static_response() {
    for shape in SHAPES {
        for (q, gain) in [(0.3, 12.0), (1.0, 18.0), (8.0, 12.0), (40.0, 18.0), (8.0, -12.0)] {
            let settings = |frequency| BandSettings { slope: 24, ..band(shape, frequency, gain, q) };
            // The loudest the static filter gets for any sine.
            let still = Response::new(&settings(1000.0), RATE);
            let top = (1..24_000).map(|i| still.at(Hz(f64::from(i))).0).fold(0.0f64, f64::max);
            for tone in [40.0, 440.0, 5000.0] {
                let ends = [20.0, 18_000.0, 20.0, 2000.0, 100.0, 18_000.0];
                let (_, output) = roughness(tone, 1000, &ends.map(settings));
                let loudest = output.left.iter().fold(0.0f64, |m, x| m.max(x.abs()));
                let excess = decibels(loudest / 0.5) - top;
                assert!(excess < 6.0, "{shape:?} {q} {gain} {tone}: {excess}");
            }
        }
    }
}

#[test]
fn settings_that_come_during_a_crossfade_are_reached_in_the_end() {
    let goals = [
        cut(Shape::LowCut, 100.0, 1.0, 24),
        band(Shape::Notch, 500.0, 0.0, 3.0),
        band(Shape::HighShelf, 3000.0, 6.0, 4.0),
        band(Shape::HighShelf, 5000.0, -6.0, 0.5),
    ];
    let mut equalizer = Equalizer::new(RATE);
    let mut signal = Stereo::noise(5, 40_000, 0.3);
    let input = signal.clone();
    for (i, goal) in goals.iter().enumerate() {
        equalizer.set(&only(*goal));
        signal.run(&mut equalizer, i * 200..(i + 1) * 200);
    }
    signal.run(&mut equalizer, 800..40_000);
    let mut expected = input;
    let mut still = Equalizer::new(RATE);
    still.set(&only(goals[3]));
    expected.run(&mut still, 0..40_000);
    let apart = |i: usize| (signal.left[i] - expected.left[i]).abs();
    assert!((30_000..40_000).all(|i| apart(i) < 1e-12));
}
