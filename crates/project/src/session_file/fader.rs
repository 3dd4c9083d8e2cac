//! `fader` of a stem.

use serde::Deserialize;

use crate::fader::Fader;
use crate::setting_fault::SettingFault;

/// The largest factor that is taken: 36 dB.
const MAX_FACTOR: f64 = 63.1;

/// The value as it is written: a factor for each side, or for each way between the sides.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum FaderValue {
    Sides([f64; 2]),
    Ways([[f64; 2]; 2]),
}

impl FaderValue {
    /// The fader, validated.
    pub(super) fn read(&self) -> Result<Fader, SettingFault> {
        let gains = match *self {
            Self::Sides([left, right]) => [[left, 0.0], [0.0, right]],
            Self::Ways(gains) => gains,
        };
        if gains.as_flattened().iter().all(|gain| gain.abs() <= MAX_FACTOR) {
            Ok(Fader::new(gains))
        } else {
            Err(SettingFault::new(
                "fader is out of range",
                format!("it takes factors of -{MAX_FACTOR} to {MAX_FACTOR}, 1 is unity"),
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
            fader: FaderValue,
        }
        toml::from_str::<Line>(text).ok()?.fader.read().ok()
    }

    #[test]
    fn a_fader_is_a_factor_for_each_side_or_for_each_way() {
        assert_eq!(fader("fader = [1, 1.0]"), Some(Fader::default()));
        assert_eq!(fader("fader = [0.5, -0.25]"), Some(Fader::new([[0.5, 0.0], [0.0, -0.25]])));
        let crossed = fader("fader = [[0.5, 0.125], [0, 1]]").expect("reads");
        let (mut left, mut right) = ([1.0, 0.0], [0.0, 1.0]);
        crossed.apply(&mut left, &mut right);
        assert_eq!((left, right), ([0.5, 0.125], [0.0, 1.0]));
        for bad in ["fader = [1]", "fader = [nan, 1]", "fader = [inf, 1]", "fader = [1, 64]", "fader = 1"] {
            assert_eq!(fader(bad), None, "{bad}");
        }
    }
}
