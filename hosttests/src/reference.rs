//! Output of the chain itself: the same in every host.

use chain::parameters::{PARAMETERS, Value};
use chain::{Chain, ChainKind, ChainSettings, LatencyClass};
use dsp::{Block, Key, Process};
use units::Hz;

/// Name in the host, text a person types, id and value in the chain.
pub const TYPED: [(&str, &str, &str, Value); 14] = [
    ("Input", "-3.5 dB", "in_trim", Value::Number(Some(-3.5))),
    ("DC Filter", "on", "dc_on", Value::Switch(true)),
    ("EQ 1 On", "on", "eq1_on", Value::Switch(true)),
    ("EQ 1 Frequency", "1.2k", "eq1_freq", Value::Number(Some(1200.0))),
    ("EQ 1 Gain", "4.25", "eq1_gain", Value::Number(Some(4.25))),
    ("EQ 1 Q", "0.71", "eq1_q", Value::Number(Some(0.71))),
    ("EQ 2 On", "on", "eq2_on", Value::Switch(true)),
    ("EQ 2 Shape", "low cut", "eq2_shape", Value::Choice(3)),
    ("EQ 2 Slope", "24 dB/oct", "eq2_slope", Value::Number(Some(24.0))),
    ("Compressor On", "on", "comp_on", Value::Switch(true)),
    ("Compressor Threshold", "-30 dBFS", "comp_threshold", Value::Number(Some(-30.0))),
    ("Compressor Ratio", "3:1", "comp_ratio", Value::Number(Some(3.0))),
    ("Width", "120 %", "width", Value::Number(Some(120.0))),
    ("Level", "-2", "level", Value::Number(Some(-2.0))),
];

/// The chain's settings that [`TYPED`] stands for.
///
/// # Panics
/// If the table lacks one.
pub fn settings() -> ChainSettings {
    let mut settings = ChainSettings::default();
    for (_, _, id, value) in TYPED {
        PARAMETERS.find(id).expect("exists").set(&mut settings, value);
    }
    settings
}

/// Output of a chain of that kind, class and rate, rounded once to `f32`.
pub fn through_chain(
    (chain_kind, class, rate): (ChainKind, LatencyClass, f64),
    settings: &ChainSettings,
    main: &[Vec<f32>],
    key: Option<&[Vec<f32>]>,
) -> Vec<Vec<f32>> {
    let wide = |channels: &[Vec<f32>]| -> Vec<Vec<f64>> {
        let wide: Vec<Vec<f64>> =
            channels.iter().map(|c| c.iter().map(|&x| f64::from(x)).collect()).collect();
        if wide.len() == 1 { vec![wide[0].clone(), wide[0].clone()] } else { wide }
    };
    let mut chain = Chain::new(chain_kind, class, Hz(rate));
    chain.set(settings);
    let mut samples = wide(main);
    let key = key.map(wide);
    let [left, right] = &mut samples[..] else { unreachable!("two channels") };
    let mut block = Block::new(left, right);
    if let Some(key) = &key {
        block = block.with_key(Key { left: &key[0], right: &key[1] });
    }
    chain.process(&mut block);
    samples.iter().map(|channel| channel.iter().map(|&x| x as f32).collect()).collect()
}
