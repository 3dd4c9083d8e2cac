//! What comes after a stem's chain in a project: fader and pan, as one gain for each way from side to side.

use serde::Deserialize;

use super::Complaint;

/// The largest factor that is taken: 36 dB.
const LARGEST: f64 = 63.1;

/// Fader and pan: linear gains, `[to][from]`, left and right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fader([[f64; 2]; 2]);

impl Default for Fader {
    /// Unity, in the middle.
    fn default() -> Self {
        Self([[1.0, 0.0], [0.0, 1.0]])
    }
}

impl Fader {
    /// The gains, `[to][from]`.
    pub fn gains(&self) -> [[f64; 2]; 2] {
        self.0
    }

    /// Applies it. At unity no bit changes.
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

/// As it is written: a factor for each side, or for each way between the sides.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum RawFader {
    Sides([f64; 2]),
    Ways([[f64; 2]; 2]),
}

impl RawFader {
    pub(super) fn read(&self) -> Result<Fader, Complaint> {
        let gains = match *self {
            Self::Sides([left, right]) => [[left, 0.0], [0.0, right]],
            Self::Ways(gains) => gains,
        };
        if gains.as_flattened().iter().all(|gain| gain.abs() <= LARGEST) {
            Ok(Fader(gains))
        } else {
            Err((
                "fader is out of range".into(),
                format!("it takes factors of -{LARGEST} to {LARGEST}, 1 is unity"),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fader(text: &str) -> Option<Fader> {
        #[derive(Deserialize)]
        struct Line {
            fader: RawFader,
        }
        toml::from_str::<Line>(text).ok()?.fader.read().ok()
    }

    #[test]
    fn a_fader_is_a_factor_for_each_side_or_for_each_way() {
        assert_eq!(fader("fader = [1, 1.0]"), Some(Fader::default()));
        assert_eq!(fader("fader = [0.5, -0.25]"), Some(Fader([[0.5, 0.0], [0.0, -0.25]])));
        let crossed = fader("fader = [[0.5, 0.125], [0, 1]]").expect("reads");
        let (mut left, mut right) = ([1.0, 0.0], [0.0, 1.0]);
        crossed.apply(&mut left, &mut right);
        assert_eq!((left, right), ([0.5, 0.125], [0.0, 1.0]));
        for bad in ["fader = [1]", "fader = [nan, 1]", "fader = [inf, 1]", "fader = [1, 64]", "fader = 1"] {
            assert_eq!(fader(bad), None, "{bad}");
        }
    }
}
