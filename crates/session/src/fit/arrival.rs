//! Rows of hops that a fit takes, and the arrivals of stems that it gives.

use units::Db;

/// Packed joint matrices of consecutive hops, stems and then the mix; `None` for hops that were not recorded.
pub type HopRow<'a> = [Option<&'a [f64]>];

/// Gain matrix with which a stem arrives in the mix, from its sides to those of the mix.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StemArrival {
    /// Linear gains, `[to][from]`, 0 left, 1 right.
    pub gains: [[f64; 2]; 2],
    /// Per side of the mix: true if the gains were fitted, false if they are held from before.
    pub fitted: [bool; 2],
}

impl StemArrival {
    /// Unity gain: the stem arrives as it leaves its Stem.
    pub const UNITY: Self = Self { gains: [[1.0, 0.0], [0.0, 1.0]], fitted: [false; 2] };

    /// Level change of a stem with equal power on both sides.
    pub fn gain(&self) -> Db {
        let power: f64 = self.gains.as_flattened().iter().map(|g| g * g).sum();
        Db::from_gain((power / 2.0).sqrt())
    }

    /// Arrival of a stem that arrives with `inner` in this one.
    pub(crate) fn after(&self, inner: &Self) -> Self {
        let gain =
            |to: usize, from: usize| (0..2).map(|via| self.gains[to][via] * inner.gains[via][from]).sum();
        let is_fitted = |to: usize| (0..2).any(|via| self.gains[to][via] != 0.0 && inner.fitted[via]);
        Self {
            gains: [0, 1].map(|to| [0, 1].map(|from| gain(to, from))),
            fitted: [0, 1].map(|to| self.fitted[to] && is_fitted(to)),
        }
    }
}
