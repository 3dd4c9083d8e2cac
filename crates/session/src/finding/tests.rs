use super::super::certainty::FittedRange;
use super::super::joint::tests::{StereoAudio, joint_of, mix, sources};
use super::*;
use testkit::noise;

const FRAMES: usize = 8_000 * 24;

fn stems() -> Vec<StereoAudio> {
    sources(11, 3, FRAMES)
}

fn name(stem: usize) -> String {
    ["Drums", "Bass", "Vocals"][stem].into()
}

/// Findings for `stems` whose mix is `sum`.
fn found(stems: &[StereoAudio], sum: &StereoAudio, delays: &[i64]) -> Vec<RoutingFinding> {
    let all: Vec<StereoAudio> = stems.iter().cloned().chain([sum.clone()]).collect();
    let fitted_range = FittedRange::new(&joint_of(&all, 8_000.0).row(), stems.len());
    let excerpt = Excerpt {
        mix: [&sum[0], &sum[1]],
        stems: stems.iter().map(|stem| [&stem[0][..], &stem[1][..]]).collect(),
    };
    let arrivals = fitted_range.fit.arrivals(100);
    findings(&excerpt, arrivals, delays, fitted_range.fit.inseparable(), 2_000)
}

fn words(findings: &[RoutingFinding]) -> Vec<String> {
    findings.iter().map(|finding| finding.sentence(name)).collect()
}

fn plus(mut sum: StereoAudio, other: impl Fn(usize, usize) -> f64) -> StereoAudio {
    for (side, samples) in sum.iter_mut().enumerate() {
        samples.iter_mut().enumerate().for_each(|(n, x)| *x += other(side, n));
    }
    sum
}

#[test]
fn faders_are_no_finding() {
    let stems = stems();
    assert_eq!(found(&stems, &mix(&stems, &[0.5, 1.4, 0.9]), &[0; 3]), []);
}

#[test]
fn an_unlinked_track_is_named() {
    let stems = stems();
    let extra = noise(70, FRAMES, 0.05);
    let said = words(&found(&stems, &plus(mix(&stems, &[1.0; 3]), |_, n| extra[n]), &[0; 3]));
    assert!(matches!(&said[..], [one] if one.starts_with("An unlinked track: ")), "{said:?}");
}

#[test]
fn processing_after_a_stem_is_named() {
    let stems = stems();
    // A low-pass in parallel.
    let mut low = stems[1].clone();
    for side in &mut low {
        let mut state = 0.0;
        side.iter_mut().for_each(|x| {
            state += 0.3 * (*x - state);
            *x = state;
        });
    }
    let said = words(&found(&stems, &plus(mix(&stems, &[1.0; 3]), |side, n| low[side][n]), &[0; 3]));
    assert!(matches!(&said[..], [one] if one.starts_with("Processing or a send after Bass: ")), "{said:?}");
}

#[test]
fn a_reverb_send_is_named_as_the_stem_s_returns() {
    let stems = stems();
    let taps = noise(5, 60, 0.5);
    let echo = |side: usize, n: usize| -> f64 {
        let heard = |k: usize| n.checked_sub(300 + 131 * k).map_or(0.0, |at| stems[2][side][at]);
        (0..60).map(|k| heard(k) * taps[k] * 0.96f64.powi(k as i32)).sum()
    };
    let said = words(&found(&stems, &plus(mix(&stems, &[1.0; 3]), echo), &[0; 3]));
    assert!(
        matches!(&said[..], [one] if one.starts_with("Returns of Vocals (reverb or echo): ")),
        "{said:?}"
    );
}

#[test]
fn a_stem_doubled_at_a_delay_is_named_with_it() {
    let stems = stems();
    let late = |side: usize, n: usize| if n >= 480 { 0.5 * stems[0][side][n - 480] } else { 0.0 };
    let said = words(&found(&stems, &plus(mix(&stems, &[1.0; 3]), late), &[0; 3]));
    assert!(
        matches!(&said[..], [one] if one.starts_with("Drums is doubled: again 480 samples late, at -")),
        "{said:?}"
    );
}

#[test]
fn a_stem_doubled_without_delay_is_a_fader_or_double_routing() {
    let stems = stems();
    let said = words(&found(&stems, &mix(&stems, &[1.0, 2.0, 1.0]), &[0; 3]));
    assert_eq!(said, ["Bass arrives 6.0 dB louder: fader or double routing."]);
}

#[test]
fn a_late_stem_is_found_to_the_sample_and_named() {
    let stems = stems();
    let late = |side: usize, n: usize| if n >= 64 { stems[1][side][n - 64] } else { 0.0 };
    let sum = plus(mix(&stems, &[1.0, 0.0, 1.0]), late);
    let (start, length, reach) = (40_000, 60_000, 8_000);
    let part = |audio: &StereoAudio, from: usize, frames: usize| -> StereoAudio {
        [0, 1].map(|side: usize| audio[side][from..from + frames].to_vec())
    };
    let stem = part(&stems[1], start, length);
    let around = part(&sum, start - reach, length + 2 * reach);
    let at = stem_delay([&stem[0], &stem[1]], [&around[0], &around[1]], reach, 0).expect("it is there");
    assert_eq!(at.delay, 64);
    let aligned = plus([vec![0.0; FRAMES], vec![0.0; FRAMES]], late);
    let said = words(&found(&[stems[0].clone(), aligned, stems[2].clone()], &sum, &[0, 64, 0]));
    assert_eq!(said, ["Bass arrives 64 samples late."]);
}

#[test]
fn identical_stems_are_named() {
    let mut stems = stems();
    stems[2] = stems[0].clone();
    let said = words(&found(&stems, &mix(&stems, &[1.0, 1.0, 0.8]), &[0; 3]));
    assert_eq!(said, ["Drums and Vocals are inseparable: only their sum is known."]);
}

#[test]
fn what_repeats_exactly_says_that_another_delay_fits_as_well() {
    let finding = RoutingFinding::Ambiguous { stem: 0, delay: -1311, rival: 22_689 };
    let said = finding.sentence(|_| "Loop".into());
    assert_eq!(said, "Loop repeats exactly: a delay of -1311 or 22689 samples fits as well.");
    let other = RoutingFinding::Ambiguous { stem: 0, delay: 22_689, rival: -1311 };
    assert!(finding.is_same_cause(&other), "of which one is taken nothing depends");
}
