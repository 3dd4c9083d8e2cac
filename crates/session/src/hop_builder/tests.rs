use super::super::joint::GramMeter;
use super::super::joint::tests::{StereoAudio, mix, sources};
use super::*;
use testkit::noise;

const RATE: Hz = Hz(8_000.0);
const HOP: usize = 800;

fn part(audio: &StereoAudio, range: core::ops::Range<usize>) -> [&[f64]; 2] {
    [&audio[0][range.clone()], &audio[1][range]]
}

fn taken(builder: &mut HopBuilder) -> Vec<FinishedHop> {
    let mut hops = Vec::new();
    while builder.take_hop(|hop| hops.push(hop.clone())) {}
    hops
}

/// Plays `all` (stems, then the mix) from `start` on in blocks of `size()`; stem 0 has an input.
fn play(
    builder: &mut HopBuilder,
    all: &[StereoAudio],
    start: i64,
    mut size: impl FnMut() -> usize,
) -> Vec<FinishedHop> {
    let (mix, stems) = all.split_last().expect("a mix");
    let (frames, mut at, mut hops) = (mix[0].len(), 0, Vec::new());
    while at < frames {
        let range = at..frames.min(at + size().max(1));
        let blocks: Vec<StemBlock<'_>> = (stems.iter().enumerate())
            .map(|(i, stem)| StemBlock {
                output: Some(part(stem, range.clone())),
                input: (i == 0).then(|| part(&stems[stems.len() - 1], range.clone())),
                continues: true,
            })
            .collect();
        builder.process(Some(start + at as i64), part(mix, range.clone()), &blocks);
        hops.extend(taken(builder));
        at = range.end;
    }
    hops
}

fn session(seed: u64, stems: usize, frames: usize) -> Vec<StereoAudio> {
    let mut all = sources(seed, stems, frames);
    all.push(mix(&all, &vec![0.8; stems]));
    all
}

fn builder(stems: usize) -> HopBuilder {
    let mut builder = HopBuilder::new(RATE);
    builder.set_stems(7, stems);
    builder
}

fn same(a: &[FinishedHop], b: &[FinishedHop]) -> bool {
    let bits = |hop: &FinishedHop| {
        let numbers = hop.joint.iter().chain(&hop.peaks).chain(hop.chains.as_flattened().as_flattened());
        (hop.index, hop.heard, hop.has_chain, numbers.map(|x| x.to_bits()).collect::<Vec<_>>())
    };
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| bits(a) == bits(b))
}

#[test]
fn hops_are_the_same_bits_whatever_the_blocks() {
    let all = session(1, 3, 20_000);
    let whole = play(&mut builder(3), &all, 1234, || 64);
    // The first hop begins at 1600, the first with 100 ms before it at 2400.
    assert_eq!(whole.iter().map(|hop| hop.index).collect::<Vec<_>>()[..2], [Some(3), Some(4)]);
    assert!(whole.iter().all(|hop| hop.heard == 0b111 && hop.has_chain == 0b001 && hop.set == 7));
    for size in [1, 17, 800, 4096] {
        assert!(same(&play(&mut builder(3), &all, 1234, || size), &whole), "{size}");
    }
    let mut sizes = noise(3, 20_000, 3000.0).into_iter();
    let random = play(&mut builder(3), &all, 1234, || sizes.next().map_or(1, |x| x.abs() as usize));
    assert!(same(&random, &whole));
}

#[test]
fn hops_are_those_of_the_meter_for_files() {
    let all = session(2, 2, 8_000);
    let hops = play(&mut builder(2), &all, 0, || 333);
    let mut meter = GramMeter::new(RATE, 3);
    meter.process(8_000, |source, side| &all[source][side]);
    let row = meter.hops().row();
    assert_eq!(hops.len(), row.len(), "nothing comes before the start, so nothing is missing there");
    for (hop, expected) in hops.iter().zip(row) {
        let expected = expected.expect("heard");
        assert!(hop.joint.iter().zip(expected).all(|(a, b)| a == b));
    }
}

#[test]
fn chain_products_are_means_of_products() {
    let all = session(5, 2, 4_000);
    let hops = play(&mut builder(2), &all, 0, || 100);
    // The same products from a joint matrix in which the input is a source.
    let mut meter = GramMeter::new(RATE, 4);
    let order = [1, 0, 1, 2];
    meter.process(4_000, |source, side| &all[order[source]][side]);
    for (hop, packed) in hops.iter().zip(meter.hops().row()) {
        let joint = super::super::gram::Gram::from_packed(8, packed.expect("heard"));
        let signals = [2, 3, 6, 7, 0, 1];
        for side in 0..2 {
            for (k, signal) in signals.into_iter().enumerate() {
                assert!((hop.chains[0][side][k] - joint.at(side, signal)).abs() < 1e-15);
            }
        }
    }
}

#[test]
fn peaks_are_those_of_each_hop() {
    let mut all = session(6, 1, 4 * HOP);
    all[0][1][2 * HOP + 300] = 3.0;
    let hops = play(&mut builder(1), &all, 0, || 256);
    let loud: Vec<bool> = hops.iter().map(|hop| hop.peaks[0] >= 3.0).collect();
    assert_eq!(loud, [false, false, true, false]);
}

#[test]
fn a_jump_loses_the_broken_hop_and_needs_100_ms_to_warm_up() {
    let all = session(3, 2, 4 * HOP);
    let mut builder = builder(2);
    let first = play(&mut builder, &all, 100 * HOP as i64, || 500);
    let again = play(&mut builder, &all, 50 * HOP as i64 + 10, || 500);
    assert_eq!(first.iter().map(|hop| hop.index).collect::<Vec<_>>(), [Some(101), Some(102), Some(103)]);
    assert_eq!(again.iter().map(|hop| hop.index).collect::<Vec<_>>(), [Some(52), Some(53)]);
    assert_eq!(again[0].segment, first[0].segment + 1);
}

#[test]
fn a_stem_that_was_away_is_heard_again_after_200_ms() {
    let all = session(4, 2, 10 * HOP);
    let mut builder = builder(2);
    let mut heard = Vec::new();
    for hop in 0..10 {
        let range = hop * HOP..(hop + 1) * HOP;
        let stem = |i: usize, there: bool, continues| StemBlock {
            output: there.then(|| part(&all[i], range.clone())),
            input: None,
            continues,
        };
        // Stem 1 is away for hop 3; stem 0 jumps at hop 6.
        let blocks = [stem(0, true, hop != 6), stem(1, hop != 3, true)];
        builder.process(Some((range.start) as i64), part(&all[2], range.clone()), &blocks);
        heard.extend(taken(&mut builder).iter().map(|hop| hop.heard));
    }
    assert_eq!(heard, [0b11, 0b11, 0b11, 0b01, 0b01, 0b11, 0b10, 0b11, 0b11, 0b11]);
}

#[test]
fn without_a_position_hops_have_no_place() {
    let all = session(8, 1, 4 * HOP);
    let mut builder = builder(1);
    for at in (0..4 * HOP).step_by(400) {
        let block = StemBlock { output: Some(part(&all[0], at..at + 400)), input: None, continues: true };
        builder.process(None, part(&all[1], at..at + 400), &[block]);
    }
    let hops = taken(&mut builder);
    assert_eq!((hops.len(), hops[0].index), (3, None));
}

#[test]
fn hops_that_nobody_takes_are_counted() {
    let all = session(9, 1, 40 * HOP);
    let mut builder = builder(1);
    let block = StemBlock { output: Some(part(&all[0], 0..40 * HOP)), input: None, continues: true };
    builder.process(Some(0), part(&all[1], 0..40 * HOP), &[block]);
    assert_eq!((taken(&mut builder).len(), builder.dropped()), (QUEUE_HOPS, 40 - QUEUE_HOPS as u64));
}
