//! Laws of the transforms and of the conversion of rates. A test inside the crate would compile every transform once more.

use fourier::{RateConverter, forward, inverse};

#[test]
fn forward_and_inverse_give_the_signal_times_its_length() {
    for frames in [2, 30, 31, 1024] {
        let (forward, inverse) = (forward::<f64>(frames), inverse::<f64>(frames));
        let signal: Vec<f64> = (0..frames).map(|i| ((7 * i + 3) % 11) as f64 - 5.0).collect();
        let (mut time, mut bins) = (signal.clone(), forward.make_output_vec());
        forward.process(&mut time, &mut bins).expect("buffers of the plan");
        inverse.process(&mut bins, &mut time).expect("buffers of the plan");
        for (&x, y) in signal.iter().zip(time) {
            assert!((y / frames as f64 - x).abs() < 1e-12, "{frames}: {x} {y}");
        }
    }
}

#[test]
fn a_constant_stays_one_at_another_rate_after_the_delay() {
    let mut rates = RateConverter::new(44_100, 48_000, 4410, 2).expect("whole blocks");
    let input = vec![vec![0.25; rates.input_frames()]; 2];
    let mut output = vec![vec![0.0; rates.max_output_frames()]; 2];
    assert_eq!(rates.process(&input, &mut output), 4800);
    for plane in &output {
        assert!(plane[2 * rates.delay()..].iter().all(|x| (x - 0.25).abs() < 1e-6));
        assert!(plane[0].abs() < 1e-3);
    }
}

#[test]
fn a_block_that_is_not_whole_at_the_other_rate_is_refused() {
    assert!(RateConverter::new(44_100, 48_000, 0, 1).is_none());
}
