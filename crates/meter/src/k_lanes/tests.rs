use super::super::k_weighting::KWeighting;
use super::*;
use testkit::noise;

/// Coloured noise, one row for each of eight lanes; loud, quiet, and off centre.
fn rows(seed: u64, frames: usize) -> Vec<Vec<f64>> {
    (0..8)
        .map(|lane| {
            let mut low = 0.0;
            noise(seed + lane, frames, 0.9 / (1 << lane) as f64)
                .iter()
                .map(|x| {
                    low += 0.02 * (x - low);
                    // what a 32-bit float holds
                    f64::from((low * 4.0 + x * 0.1 + 0.1) as f32)
                })
                .collect()
        })
        .collect()
}

fn frames<T: Lane>(rows: &[Vec<f64>], to: impl Fn(f64) -> T) -> Vec<[T; 8]> {
    (0..rows[0].len()).map(|n| core::array::from_fn(|lane| to(rows[lane][n]))).collect()
}

#[test]
fn every_instruction_set_weighs_as_the_reference_does() {
    for rate in [8_000.0, 44_100.0, 48_000.0, 192_000.0, 384_000.0] {
        let rows = rows(rate as u64, 30_000);
        let expected: Vec<f64> =
            rows.iter().map(|row| KWeighting::new(Hz(rate)).add_energy(row, 0.0)).collect();
        for isa in Isa::all() {
            let mut wide = KLanes::<8>::new(isa, Hz(rate));
            let mut narrow = KLanes::<8>::new(isa, Hz(rate));
            frames(&rows, |x| x).chunks(777).for_each(|chunk| wide.process(chunk));
            frames(&rows, |x| x as f32).chunks(480).for_each(|chunk| narrow.process(chunk));
            for energies in [wide.take(), narrow.take()] {
                for (energy, expected) in energies.iter().zip(&expected) {
                    let error = (energy / expected).ln().abs();
                    assert!(error < 1e-10, "{rate} {isa:?}: {error}");
                }
            }
            assert_eq!(wide.take(), [0.0; 8]);
        }
    }
}

#[test]
fn bad_samples_are_silence_and_tiny_states_vanish() {
    let mut clean = vec![[0.25; 4]; 100];
    let mut dirty = clean.clone();
    for (n, bad) in [(7, f64::NAN), (9, f64::INFINITY), (60, f64::NEG_INFINITY)] {
        (clean[n], dirty[n]) = ([0.0; 4], [bad; 4]);
    }
    for isa in Isa::all().map(Isa::narrow) {
        let [mut a, mut b] = [0; 2].map(|_| KLanes::<4>::new(isa, Hz(48_000.0)));
        a.process(&clean);
        b.process(&dirty);
        assert_eq!(a.take(), b.take());
        for _ in 0..100_000 {
            a.process(&[[0.0; 4]; 8]);
            a.flush_state();
        }
        assert_eq!(a.state, [[0.0; 4]; 4], "{isa:?}");
    }
}
