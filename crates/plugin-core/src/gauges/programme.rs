//! Hops of a reading in the order of the project's timeline.

use meter::loudness::BLOCK_HOPS;
use std::collections::BTreeMap;
use units::Power;

/// Place of a hop that has none on the timeline.
pub(super) const NO_PLACE: i64 = i64::MIN;

/// Largest distance between two hops of one table, hops: a day.
const MAX_TABLE_HOPS: i64 = 864_000;

/// Hops of a reading: each place of the timeline once, as it was heard last; then those without a place.
#[derive(Debug, Default)]
pub(super) struct Programme {
    /// Powers; NaN between hops that do not follow each other.
    pub(super) powers: Vec<Power>,
    /// First place and number of the powers at the beginning that are at successive places; `None` without a timeline, or if
    /// the places lie too far apart.
    pub(super) table: Option<(i64, usize)>,
    /// Number of hops.
    pub(super) heard: usize,
    /// Highest true peak, linear.
    pub(super) true_peak: f64,
}

impl Programme {
    /// Sorts hops that come in the order in which they were heard: place, power and linear true peak.
    pub(super) fn new(hops: impl Iterator<Item = (i64, (f64, f64))> + Clone) -> Self {
        let mut programme = Self::default();
        let places = hops.clone().map(|(place, _)| place).filter(|place| *place != NO_PLACE);
        let (first, last) =
            places.fold((i64::MAX, i64::MIN), |(first, last), place| (first.min(place), last.max(place)));
        if first <= last && last.saturating_sub(first) < MAX_TABLE_HOPS {
            let mut table = vec![(f64::NAN, 0.0); (last - first + 1) as usize];
            for (place, hop) in hops.clone().filter(|(place, _)| *place != NO_PLACE) {
                table[(place - first) as usize] = hop;
            }
            programme.table = Some((first, table.len()));
            table.into_iter().for_each(|hop| programme.push(hop));
        } else if first <= last {
            let sorted: BTreeMap<i64, (f64, f64)> =
                hops.clone().filter(|(place, _)| *place != NO_PLACE).collect();
            let mut before = first;
            for (place, hop) in sorted {
                if place > before + 1 {
                    programme.push_gap();
                }
                before = place;
                programme.push(hop);
            }
        }
        if !programme.powers.is_empty() {
            programme.push_gap();
        }
        hops.filter(|(place, _)| *place == NO_PLACE).for_each(|(_, hop)| programme.push(hop));
        programme
    }

    fn push(&mut self, (power, true_peak): (f64, f64)) {
        self.powers.push(Power(power));
        self.heard += usize::from(!power.is_nan());
        self.true_peak = self.true_peak.max(true_peak);
    }

    /// Keeps gating blocks from spanning hops that do not follow each other.
    fn push_gap(&mut self) {
        self.powers.extend([Power(f64::NAN); BLOCK_HOPS]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_sorted_replaced_and_kept_apart() {
        let hop = |place: i64, power: f64| (place, (power, power));
        let of = |hops: &[(i64, (f64, f64))]| Programme::new(hops.iter().copied());
        let one = of(&[hop(5, 1.0), hop(6, 2.0), hop(5, 3.0), hop(3, 4.0), hop(NO_PLACE, 5.0)]);
        let powers: Vec<f64> = one.powers.iter().map(|power| power.0).filter(|x| !x.is_nan()).collect();
        assert_eq!((powers, one.heard, one.true_peak), (vec![4.0, 3.0, 2.0, 5.0], 4, 5.0));
        let far = of(&[hop(i64::MAX - 1, 1.0), hop(-7, 2.0), hop(-8, 3.0)]);
        let powers: Vec<f64> = far.powers.iter().map(|power| power.0).collect();
        assert_eq!((far.heard, &powers[..2], powers[2].is_nan(), powers[6]), (3, &[3.0, 2.0][..], true, 1.0));
        assert_eq!(of(&[]).powers.len(), 0);
    }
}
