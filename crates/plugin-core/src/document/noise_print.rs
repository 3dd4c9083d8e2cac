//! Noise print in the saved document: a list of its levels.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use dsp::denoise::NoisePrint;

/// Writes the levels, or nothing.
pub(super) fn serialize<S: Serializer>(print: &Option<NoisePrint>, serializer: S) -> Result<S::Ok, S::Error> {
    print.as_ref().map(|print| print.levels().as_slice()).serialize(serializer)
}

/// Reads the levels; an error unless there are 96 finite ones.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<NoisePrint>, D::Error> {
    let levels = Option::<Vec<f32>>::deserialize(deserializer)?;
    let print = |levels: Vec<f32>| {
        NoisePrint::new(&levels).ok_or_else(|| D::Error::custom("a noise print has 96 levels"))
    };
    levels.map(print).transpose()
}
