//! Laws of Gram hops, and the audio that tests of this crate share.

use super::*;
use meter::Meter;
use meter::layout::Layout;
use testkit::noise;

/// Left and right channel.
pub(crate) type StereoAudio = [Vec<f64>; 2];

/// Stereo sources of coloured noise with pauses.
pub(crate) fn sources(seed: u64, count: usize, frames: usize) -> Vec<StereoAudio> {
    (0..count as u64)
        .map(|i| {
            let shared = noise(seed, frames, 0.2);
            [0, 1].map(|side| {
                let own = noise(seed * 31 + i * 2 + side + 1, frames, 0.4);
                let (mut low, pole) = (0.0, 0.3 + 0.65 * (i as f64 + 1.0) / (count as f64 + 1.0));
                (own.iter().zip(&shared).enumerate())
                    .map(|(n, (x, s))| {
                        low = pole * low + (1.0 - pole) * (x + if i < 2 { *s } else { 0.0 });
                        let bar = n / (frames / 10).max(1);
                        low * if (bar + i as usize) % 5 == 4 { 0.0 } else { 1.0 + 0.2 * bar as f64 }
                    })
                    .collect()
            })
        })
        .collect()
}

pub(crate) fn joint_of(sources: &[StereoAudio], rate: f64) -> JointHops {
    let mut meter = GramMeter::new(Hz(rate), sources.len());
    meter.process(sources[0][0].len(), |source, channel| &sources[source][channel]);
    meter.finish()
}

pub(crate) fn hops_of(sources: &[StereoAudio], rate: f64) -> Hops {
    joint_of(sources, rate).as_sources()
}

pub(crate) fn mix(sources: &[StereoAudio], gains: &[f64]) -> StereoAudio {
    [0, 1].map(|c| {
        let frames = sources[0][c].len();
        (0..frames).map(|n| sources.iter().zip(gains).map(|(s, g)| s[c][n] * g).sum()).collect()
    })
}

pub(crate) fn measured(mix: &StereoAudio, rate: f64) -> Meter {
    let mut meter = Meter::new(Hz(rate), &Layout::stereo());
    meter.process(&[&mix[0], &mix[1]]);
    meter
}

#[test]
fn powers_for_any_gains_are_those_of_the_mixed_audio() {
    let sources = sources(3, 4, 60_000);
    let hops = hops_of(&sources, 44_100.0);
    for gains in [[1.0; 4], [0.5, 2.0, -1.0, 0.0], [3.0, -3.0, 0.1, 1.0]] {
        let meter = measured(&mix(&sources, &gains), 44_100.0);
        let predicted = hops.powers(&gains);
        assert_eq!(predicted.len(), meter.history().powers().len());
        for (a, b) in predicted.iter().zip(meter.history().powers()) {
            assert!((a.0 - b.0).abs() <= 1e-9 * b.0.max(1e-9), "{a:?} {b:?}");
        }
    }
}

#[test]
fn blocks_do_not_matter() {
    let sources = sources(5, 3, 20_000);
    let whole = joint_of(&sources, 48_000.0);
    for size in [1, 17, 63, 4800, 7000] {
        let mut meter = GramMeter::new(Hz(48_000.0), 3);
        let mut at = 0;
        while at < 20_000 {
            let end = 20_000.min(at + size);
            meter.process(end - at, |s, c| &sources[s][c][at..end]);
            at = end;
        }
        assert!(meter.finish() == whole, "{size}");
    }
}
