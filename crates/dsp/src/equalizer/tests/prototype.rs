//! Responses against the analogue prototypes.

use super::*;

const QS: [f64; 13] = [0.1, 0.15, 0.25, 0.4, 0.6, 0.8, 1.0, 1.3, 2.0, 4.0, 9.0, 20.0, 40.0];

#[test]
fn the_prototypes_are_what_they_say() {
    let at = |settings: BandSettings, frequency| analogue_response(&settings, Hz(frequency)).0;
    let near = |got: f64, wanted: f64| assert!((got - wanted).abs() < 0.02, "{got} is not {wanted}");
    near(at(band(Shape::Bell, 1000.0, 9.0, 2.0), 1000.0), 9.0);
    for (low, high, shape) in
        [(9.0, 0.0, Shape::LowShelf), (0.0, 9.0, Shape::HighShelf), (-4.5, 4.5, Shape::Tilt)]
    {
        near(at(band(shape, 1000.0, 9.0, 0.7), 10.0), low);
        near(at(band(shape, 1000.0, 9.0, 0.7), 1000.0), 0.5 * (low + high));
        near(at(band(shape, 1000.0, 9.0, 0.7), 100_000.0), high);
    }
    assert_eq!(at(BandSettings { on: false, ..band(Shape::Notch, 1000.0, 9.0, 1.0) }, 1000.0), 0.0);
}

#[test]
fn cuts_are_butterworth_with_their_slope() {
    for order in 1..=8u32 {
        for (shape, octave) in [(Shape::LowCut, 0.5f64), (Shape::HighCut, 2.0)] {
            let settings = cut(shape, 1000.0, 1.0, 6 * order);
            assert!(
                (decibels_at(&settings, 48_000.0, 1000.0) + 3.0103).abs() < 0.03,
                "{settings:?} {}",
                decibels_at(&settings, 48_000.0, 1000.0)
            );
            for k in [0.3, 0.8, 1.3] {
                let wanted = -10.0 * (1.0 + 2f64.powf(2.0 * f64::from(order) * k)).log10();
                let got = decibels_at(&settings, 48_000.0, 1000.0 * octave.powf(k));
                assert!((got - wanted).abs() < 0.05, "{settings:?}: {got} {wanted}");
            }
            let far = [3.0, 4.0].map(|k| decibels_at(&settings, 192_000.0, 1000.0 * octave.powf(k)));
            let steepness = (far[0] - far[1]) / f64::from(order);
            assert!((5.5..6.1).contains(&steepness), "{settings:?} {far:?}");
        }
    }
    // The factor on the sharpest section is the gain at the corner.
    let resonant = cut(Shape::HighCut, 1000.0, 2.0, 24);
    assert!((decibels_at(&resonant, 48_000.0, 1000.0) - 3.0103).abs() < 0.01);
}

#[test]
fn boost_and_cut_cancel() {
    for q in QS {
        for frequency in [30.0, 1000.0, 9000.0, 16_000.0] {
            let [up, down] = [11.0, -11.0].map(|gain| band(Shape::Bell, frequency, gain, q));
            for at in [20.0, 500.0, 1000.0, 9000.0, 15_000.0, 23_000.0] {
                let sum = decibels_at(&up, 48_000.0, at) + decibels_at(&down, 48_000.0, at);
                assert!(sum.abs() < 1e-9, "{sum}");
            }
        }
    }
    let mut settings = only(band(Shape::Bell, 9000.0, 11.0, 0.7));
    settings.bands[4] = band(Shape::Bell, 9000.0, -11.0, 0.7);
    let mut equalizer = Equalizer::new(RATE);
    equalizer.set(&settings);
    let mut signal = Stereo::noise(8, 5000, 0.5);
    let input = signal.clone();
    signal.run(&mut equalizer, 0..5000);
    assert!(signal.left.iter().zip(&input.left).all(|(y, x)| (y - x).abs() < 1e-9));
}

#[test]
fn a_notch_is_deep_and_keeps_the_rest() {
    for frequency in [50.0, 1000.0, 12_345.0, 20_000.0] {
        let settings = band(Shape::Notch, frequency, 0.0, 10.0);
        assert!(decibels_at(&settings, 48_000.0, frequency) < -120.0);
        assert!(decibels_at(&settings, 48_000.0, frequency * 0.5).abs() < 0.1);
    }
    let mut equalizer = Equalizer::new(RATE);
    equalizer.set(&only(band(Shape::Notch, 1000.0, 0.0, 5.0)));
    let tone: Vec<f64> = (0..48_000).map(|i| (i as f64 * core::f64::consts::TAU / 48.0).sin()).collect();
    let mut signal = Stereo { left: tone.clone(), right: tone };
    signal.run(&mut equalizer, 0..48_000);
    assert!(signal.left[40_000..].iter().all(|x| x.abs() < 1e-9));
}

#[test]
fn what_is_heard_is_the_response() {
    let frames = 1 << 16;
    let transform = fourier::forward(frames);
    for shape in SHAPES {
        for (frequency, q, gain) in
            [(400.0, 0.7, 9.0), (5000.0, 4.0, -12.0), (11_000.0, 0.3, 6.0), (26_000.0, 1.0, 12.0)]
        {
            let settings = BandSettings { slope: 30, ..band(shape, frequency, gain, q) };
            let mut equalizer = Equalizer::new(RATE);
            equalizer.set(&only(settings));
            let mut signal = Stereo::silence(frames);
            signal.left[0] = 1.0;
            signal.run(&mut equalizer, 0..frames);
            let mut spectrum = transform.make_output_vec();
            transform.process(&mut signal.left, &mut spectrum).expect("lengths agree");
            for (bin, value) in spectrum.iter().enumerate().skip(1).step_by(97) {
                let wanted = decibels_at(&settings, RATE.0, bin as f64 * RATE.0 / frames as f64);
                let got = decibels(value.norm());
                assert!(wanted < -100.0 || (got - wanted).abs() < 1e-6, "{settings:?} {bin}: {got} {wanted}");
            }
        }
    }
}
