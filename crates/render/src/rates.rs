//! Sampling rates that programs and distributors know.

use units::Hz;

/// The rates, hertz.
const USUAL: [f64; 13] = [
    8_000.0, 11_025.0, 16_000.0, 22_050.0, 32_000.0, 44_100.0, 48_000.0, 88_200.0, 96_000.0, 176_400.0,
    192_000.0, 352_800.0, 384_000.0,
];

/// The usual rate nearest to `rate`; the same if that is one.
pub(crate) fn usual_rate_near(rate: Hz) -> Hz {
    let distance = |usual: &f64| (usual / rate.0).ln().abs();
    let nearest = USUAL.into_iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
    nearest.map_or(rate, Hz)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_rates_have_a_usual_one_beside_them() {
        for (rate, usual) in
            [(44_117.0, 44_100.0), (48_000.0, 48_000.0), (47_952.0, 48_000.0), (1e6, 384_000.0)]
        {
            assert_eq!(usual_rate_near(Hz(rate)), Hz(usual));
        }
    }
}
