//! Levels as slow devices read them: a bank of followers with their own attack and release.

/// Number of levels: how far the present one exceeds a loud one, and those of the followers.
pub(super) const LEVELS: usize = LAGS + 1;
/// Number of followers.
const LAGS: usize = 5;
/// Time constants of the followers, attack and release, hops: 100 ms to 10 s.
const TIMES_HOPS: [[f64; 2]; LAGS] = [[0.0, 0.0], [4.0, 4.0], [1.0, 10.0], [3.0, 40.0], [10.0, 100.0]];
/// Range of levels that count, below and above the mean power, nepers (-12 and +20 dB): a device that reacts to
/// something reacts to what is loud.
const LEVEL_RANGE: [f64; 2] = [-1.4, 2.3];

/// Share of the hops whose present level is below the loud one: what devices do above it, as limiters, they may do on
/// the way up only.
const LOUD_SHARE: f64 = 0.9;

/// Levels of a hop, nepers: first the excess over the loud level, then one per follower.
pub(super) type BankLevels = [f64; LEVELS];

/// Returns the level per hop and follower, nepers, of a source with `powers` per hop, relative to its mean power over
/// hops of weight `weights`. A move of the source shifts all of them alike.
pub(super) fn bank_levels(powers: &[f64], weights: &[f64]) -> Vec<BankLevels> {
    let heard = |power: f64| if power.is_nan() { 0.0 } else { power };
    let total: f64 = powers.iter().zip(weights).map(|(p, w)| heard(*p) * w).sum();
    let mean = (total / weights.iter().sum::<f64>().max(f64::MIN_POSITIVE)).max(f64::MIN_POSITIVE);
    let level = |power: f64| (0.5 * (power / mean).max(1e-9).ln()).clamp(LEVEL_RANGE[0], LEVEL_RANGE[1]);
    let mut sorted: Vec<f64> =
        powers.iter().zip(weights).filter(|(_, w)| **w > 0.0).map(|(p, _)| level(heard(*p))).collect();
    sorted.sort_by(f64::total_cmp);
    let loud = sorted.get((LOUD_SHARE * sorted.len() as f64) as usize).copied().unwrap_or(0.0);
    let mut states = [mean; LAGS];
    powers
        .iter()
        .map(|&power| {
            let power = heard(power);
            for (state, times) in states.iter_mut().zip(TIMES_HOPS) {
                let hops = times[usize::from(power < *state)];
                let pole = if hops > 0.0 { (-1.0 / hops).exp() } else { 0.0 };
                *state = pole * *state + (1.0 - pole) * power;
            }
            let mut levels = [0.0; LEVELS];
            levels[0] = (level(power) - loud).max(0.0);
            levels[1..].iter_mut().zip(&states).for_each(|(to, state)| *to = level(*state));
            levels
        })
        .collect()
}
