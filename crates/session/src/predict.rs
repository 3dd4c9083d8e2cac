//! Prediction of the loudness of a mix for other gains, exactly, from its hops.

use super::gram::Hops;
use meter::{Reading, reading_from_hops};
use units::{Db, Lu};

/// Proposed gain on one source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Move {
    /// Index of the source.
    pub source: usize,
    /// Gain on top of the present one.
    pub gain: Db,
}

/// Linear gains of all sources after `moves`; several moves of one source add up.
pub fn gains(sources: usize, moves: &[Move]) -> Vec<f64> {
    let mut gains = vec![Db(0.0); sources];
    for Move { source, gain } in moves {
        gains[*source] = gains[*source] + *gain;
    }
    gains.into_iter().map(Db::gain).collect()
}

/// Returns the mix's loudness after `moves`: I, S and LRA exact; the momentary maximum on a 100 ms grid; no peaks,
/// which powers do not determine.
pub fn predict(hops: &Hops, moves: &[Move]) -> Reading {
    reading_from_hops(&hops.powers(&gains(hops.sources(), moves)))
}

/// Certainty of a prediction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Certainty {
    /// Exact: within 0.01 LU of a render.
    Exact,
    /// Estimate: the gains with which stems arrive in the mix are uncertain; half-width of the interval that holds
    /// the truth in 95 % of all cases.
    Estimate(Lu),
}

impl Certainty {
    /// Word shown beside the number.
    pub fn word(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Estimate(_) => "estimate",
        }
    }

    /// Half-width of the interval; zero if exact.
    pub fn half_width(self) -> Lu {
        match self {
            Self::Exact => Lu(0.0),
            Self::Estimate(half_width) => half_width,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::joint::tests::{hops_of, measured, mix, sources};
    use super::*;
    use proptest::prelude::*;

    fn same(a: Reading, b: Reading) {
        let close = |a: Option<f64>, b: Option<f64>, what| match (a, b) {
            (Some(a), Some(b)) => assert!((a - b).abs() < 1e-6, "{what}: {a} {b}"),
            (a, b) => assert_eq!(a, b, "{what}"),
        };
        close(a.integrated.map(|v| v.0), b.integrated.map(|v| v.0), "I");
        close(a.range.map(|v| v.0), b.range.map(|v| v.0), "LRA");
        close(a.short_term_max.map(|v| v.0), b.short_term_max.map(|v| v.0), "S max");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn a_predicted_move_equals_the_measured_render(
            seed in 0u64..1000, moves in proptest::collection::vec(-30.0f64..12.0, 1..6), seconds in 1usize..9,
        ) {
            let rate = 8_000.0;
            let sources = sources(seed, moves.len(), seconds * 8_000 + seed as usize);
            let hops = hops_of(&sources, rate);
            let unity = vec![1.0; moves.len()];
            same(predict(&hops, &[]), measured(&mix(&sources, &unity), rate).reading());
            let moves: Vec<Move> =
                moves.iter().enumerate().map(|(source, db)| Move { source, gain: Db(*db) }).collect();
            let gains = gains(moves.len(), &moves);
            same(predict(&hops, &moves), measured(&mix(&sources, &gains), rate).reading());
        }
    }

    #[test]
    fn moves_of_one_source_add_up() {
        let moves = [Move { source: 1, gain: Db(2.0) }, Move { source: 1, gain: Db(-2.0) }];
        assert_eq!(gains(2, &moves), [1.0, 1.0]);
    }
}
