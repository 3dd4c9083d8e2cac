//! Solver for a loudness target: the smallest trim with which the mix reaches it.

use super::gram::Hops;
use meter::loudness::integrated;
use units::{Db, Lu, Lufs};

/// Largest trim that is tried, in either direction.
pub const MAX_TRIM: Db = Db(24.0);
/// Distance from the target within which a mix has reached it.
pub const TARGET_TOLERANCE: Lu = Lu(0.01);

/// Result of [`solve_trim`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrimSolution {
    /// Trim of every chosen source.
    pub trim: Db,
    /// Integrated loudness of the mix with the trim.
    pub integrated: Lufs,
    /// Distance from the target: within [`TARGET_TOLERANCE`] if the target can be reached.
    pub miss: Lu,
}

impl TrimSolution {
    /// True if the trim brings the mix to the target.
    pub fn reaches(&self) -> bool {
        self.miss.0.abs() <= TARGET_TOLERANCE.0
    }
}

/// Returns the smallest |trim| within ±24 dB of the sources `chosen` (one, or several by the same amount) with which
/// the mix's integrated loudness is `target`; otherwise the trim that comes nearest. `None` if the mix has no
/// loudness with any trim.
///
/// Loudness need not rise with a trim (stems may cancel, gates may open), so the whole range is searched in steps of
/// 0.1 dB, outwards from zero, and the first crossing is refined by bisection.
pub fn solve_trim(hops: &Hops, chosen: &[usize], target: Lufs) -> Option<TrimSolution> {
    let loudness = |trim: f64| {
        let mut gains = vec![1.0; hops.sources()];
        chosen.iter().for_each(|&source| gains[source] = Db(trim).gain());
        integrated(&hops.powers(&gains))
    };
    let solution = |trim: f64| {
        let integrated = loudness(trim)?;
        Some(TrimSolution { trim: Db(trim), integrated, miss: integrated - target })
    };
    let mut nearest = solution(0.0);
    if nearest.is_some_and(|s| s.reaches()) {
        return nearest;
    }
    let mut before = [nearest; 2];
    let steps = (MAX_TRIM.0 / STEP_DB).round() as usize;
    for step in 1..=steps {
        let mut landed: Option<TrimSolution> = None;
        for (side, sign) in [1.0, -1.0].into_iter().enumerate() {
            let here = solution(sign * step as f64 * STEP_DB);
            if let (Some(a), Some(b)) = (before[side], here)
                && (a.miss.0 > 0.0) != (b.miss.0 > 0.0)
            {
                let root = bisect(a, b, &solution);
                if landed.is_none_or(|other| root.trim.0.abs() < other.trim.0.abs()) {
                    landed = Some(root);
                }
            }
            if let Some(here) = here
                && nearest.is_none_or(|n| here.miss.0.abs() < n.miss.0.abs())
            {
                nearest = Some(here);
            }
            before[side] = here;
        }
        if let Some(landed) = landed.filter(TrimSolution::reaches) {
            return Some(landed);
        }
    }
    nearest
}

/// Integrated loudness of the mix without the sources `chosen`, which bounds their trims from below; `None` if the
/// others have none.
pub fn loudness_without(hops: &Hops, chosen: &[usize]) -> Option<Lufs> {
    let gains: Vec<f64> =
        (0..hops.sources()).map(|source| if chosen.contains(&source) { 0.0 } else { 1.0 }).collect();
    integrated(&hops.powers(&gains))
}

const STEP_DB: f64 = 0.1;

fn bisect(a: TrimSolution, b: TrimSolution, solution: &impl Fn(f64) -> Option<TrimSolution>) -> TrimSolution {
    let (mut a, mut b) = (a, b);
    for _ in 0..40 {
        let Some(middle) = solution((a.trim.0 + b.trim.0) / 2.0) else { break };
        if (middle.miss.0 > 0.0) == (a.miss.0 > 0.0) { a = middle } else { b = middle }
    }
    if a.miss.0.abs() <= b.miss.0.abs() { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::super::joint::tests::{hops_of, sources};
    use super::*;

    #[test]
    fn trimming_everything_moves_the_mix_by_the_trim() {
        let hops = hops_of(&sources(2, 3, 40_000), 8_000.0);
        let now = integrated(&hops.powers(&[1.0; 3])).expect("sounds");
        let solution = solve_trim(&hops, &[0, 1, 2], now + Db(-3.7)).expect("sounds");
        assert!(solution.reaches());
        assert!((solution.trim.0 + 3.7).abs() < 0.02, "{solution:?}");
    }

    #[test]
    fn one_stem_lands_the_mix_where_the_render_says() {
        let hops = hops_of(&sources(2, 3, 40_000), 8_000.0);
        let now = integrated(&hops.powers(&[1.0; 3])).expect("sounds");
        let solution = solve_trim(&hops, &[1], now + Db(1.0)).expect("sounds");
        let gains = [1.0, solution.trim.gain(), 1.0];
        let landed = integrated(&hops.powers(&gains)).expect("sounds");
        assert!(solution.reaches() && (landed - (now + Db(1.0))).0.abs() < 0.01);
    }

    #[test]
    fn an_unreachable_target_gives_the_nearest() {
        let hops = hops_of(&sources(2, 3, 40_000), 8_000.0);
        let now = integrated(&hops.powers(&[1.0; 3])).expect("sounds");
        let solution = solve_trim(&hops, &[1], now + Db(-40.0)).expect("sounds");
        assert!(!solution.reaches() && solution.miss.0 > 0.0);
        let others = loudness_without(&hops, &[1]).expect("sounds");
        assert!(others > now + Db(-40.0) && (solution.integrated - others).0.abs() < 0.5, "{others:?}");
        assert!(solution.trim.0 < 0.0);
    }

    #[test]
    fn of_two_trims_that_land_the_smaller_is_taken() {
        // Source 1 cancels source 0: turning it up first lowers, then raises the mix.
        let mut s = sources(4, 2, 40_000);
        s[1] = s[0].clone().map(|c| c.iter().map(|x| -0.5 * x).collect());
        let hops = hops_of(&s, 8_000.0);
        let now = integrated(&hops.powers(&[1.0; 2])).expect("sounds");
        let solution = solve_trim(&hops, &[1], now + Db(-3.0)).expect("sounds");
        assert!(solution.reaches() && solution.trim.0 > 0.0 && solution.trim.0 < 6.0, "{solution:?}");
    }
}
