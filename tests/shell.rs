//! What must not happen on a host's audio thread: the engine never allocates after it is made.

#[cfg(not(feature = "alloc-guard"))] // which has its own
use assert_no_alloc::AllocDisabler;
use assert_no_alloc::assert_no_alloc;
use std::sync::Arc;
use stemlink::chain::{LatencyClass, Seat};
use stemlink::gauges::Gauges;
use stemlink::params::StemParams;
use stemlink::plugin::broadcast::Moment;
use stemlink::plugin::engine::Engine;
use stemlink::units::Hz;

/// Ends the test run when something allocates inside `assert_no_alloc`.
#[cfg(not(feature = "alloc-guard"))] // which has one
#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

#[test]
fn an_engine_never_allocates_after_construction() {
    let params = StemParams::default();
    for class in LatencyClass::ALL {
        let gauges = Arc::new(Gauges::default());
        let mut engine = Engine::new(Seat::Stem, class, Hz(48_000.0), false, Arc::clone(&gauges));
        let mut audio: Vec<f32> = (0..4096).map(|i| (i as f32 * 0.37).sin() * 0.5).collect();
        audio[77] = f32::NAN;
        let mut key = [vec![0.1f32; 2048], vec![0.2; 2048]];
        let key: Vec<&mut [f32]> = key.iter_mut().map(Vec::as_mut_slice).collect();
        for round in 0..400u64 {
            let frames = (round as usize * 37) % 2049;
            let (left, right) = audio.split_at_mut(2048);
            let mut channels = [&mut left[..frames], &mut right[..frames]];
            assert_no_alloc(|| {
                engine.follow(params.changes() + round / 3, || (params.settings(), params.trim()));
                engine.process(&mut channels, Some(&key), Moment::default());
                if round % 100 == 99 {
                    engine.reset();
                }
            });
        }
        assert!(gauges.reading().momentary.is_some());
    }
}
