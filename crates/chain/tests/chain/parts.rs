//! Stems through a chain that follows the chain of their sum.

use chain::parameters::PARAMETERS;
use chain::{Chain, ChainKind, ChainSettings, LatencyClass};
use dsp::dither::Dither;
use dsp::{Block, GainLog, Process, RecordGain, Share};
use testkit::{Random, Stereo, difference, stems, sum};
use units::{Db, Hz};

use crate::rig::parts::parts_add_up;

/// Every parameter somewhere in its range, a few of them switched on for certain.
fn random(chain_kind: ChainKind, seed: u64) -> ChainSettings {
    let mut settings = ChainSettings::default();
    let mut random = Random::new(seed);
    for parameter in PARAMETERS.for_kind(chain_kind) {
        let (pick, value) = (random.unit(), random.unit());
        if pick < 0.6 && parameter.id != "bypass" {
            parameter.set(&mut settings, parameter.at_fraction(value));
        }
    }
    settings.dither = Dither::Off;
    settings
}

#[test]
fn the_parts_of_a_sum_add_up_under_any_settings() {
    for seed in 0..24 {
        let chain_kind = if seed % 4 == 3 { ChainKind::Stem } else { ChainKind::Master };
        let class = LatencyClass::ALL[seed as usize % 3];
        let (first, second) = (random(chain_kind, seed), random(chain_kind, seed + 1000));
        let make = || Chain::new(chain_kind, class, Hz(8000.0));
        // The level that the whole has, for what is rounded is a share of it.
        let mut loud = sum(&stems(3, 20_000, 0.4));
        let mut chain = make();
        chain.set(&first);
        chain.process(&mut Block::new(&mut loud.left[..10_000], &mut loud.right[..10_000]));
        chain.set(&second);
        chain.process(&mut Block::new(&mut loud.left[10_000..], &mut loud.right[10_000..]));
        let share = if class == LatencyClass::LinearDenoise { 1e-6 } else { 1e-11 };
        parts_add_up(make, &[(0, first), (10_000, second)], share * loud.peak().max(1.0));
    }
}

#[test]
fn where_the_chain_of_the_sum_restarts_its_parts_restart_too() {
    let mut settings = ChainSettings { level: Db(-6.0), ..ChainSettings::default() };
    settings.input.gain = Db(24.0);
    settings.equalizer.bands[0] =
        dsp::equalizer::BandSettings { on: true, gain: Db(3.0), ..Default::default() };
    settings.limiter.on = true;
    let make = || {
        let mut chain = Chain::new(ChainKind::Master, LatencyClass::Lookahead, Hz(48_000.0));
        chain.set(&settings);
        chain
    };
    let mut parts = stems(2, 9000, 0.5);
    let mut whole = sum(&parts);
    whole.left[3000] = f64::MAX; // beyond all numbers after the trim
    let (mut lead, mut followers, mut gain_log) = (make(), [make(), make()], Vec::new());
    for start in (0..9000).step_by(500) {
        gain_log.clear();
        let block = |signal: &mut Stereo, chain: &mut Chain, gain_log: &mut GainLog<'_>| {
            let range = start..start + 500;
            chain.run(&mut Block::new(&mut signal.left[range.clone()], &mut signal.right[range]), gain_log);
        };
        block(&mut whole, &mut lead, &mut GainLog::Record(&mut gain_log));
        for (part, chain) in parts.iter_mut().zip(&mut followers) {
            block(part, chain, &mut GainLog::follow(&gain_log, Share::Stem));
        }
    }
    assert_eq!([lead.faults(), followers[0].faults(), followers[1].faults()], [1; 3]);
    assert!(whole.left[3700] == 0.0 && whole.left[8000] != 0.0);
    assert!(difference(&sum(&parts), &whole) < 1e-13);
}
