//! Fader and pan of a stem, after its chain.

/// Fader and pan as one linear gain for each way from side to side, `[to][from]`, left and right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fader([[f64; 2]; 2]);

impl Default for Fader {
    /// Unity, in the middle.
    fn default() -> Self {
        Self([[1.0, 0.0], [0.0, 1.0]])
    }
}

impl Fader {
    /// Fader and pan with these gains, linear, `[to][from]`.
    pub fn new(gains: [[f64; 2]; 2]) -> Self {
        Self(gains)
    }

    /// The gains, `[to][from]`.
    pub fn gains(&self) -> [[f64; 2]; 2] {
        self.0
    }

    /// Applies the gains in place. At unity no bit changes.
    pub fn apply(&self, left: &mut [f64], right: &mut [f64]) {
        if *self == Self::default() {
            return;
        }
        let [[ll, lr], [rl, rr]] = self.0;
        for (left, right) in left.iter_mut().zip(right) {
            (*left, *right) = (ll * *left + lr * *right, rl * *left + rr * *right);
        }
    }
}
