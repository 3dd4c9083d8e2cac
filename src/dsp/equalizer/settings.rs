//! What the equalizer can be told.

use crate::units::{Db, Hz};

/// What a band does to the spectrum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "offline",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Shape {
    /// Raises or lowers what is around its frequency; boost and cut are mirror images at equal Q.
    #[default]
    Bell,
    /// Raises or lowers what is below its frequency, by half the decibels there.
    LowShelf,
    /// Raises or lowers what is above its frequency, by half the decibels there.
    HighShelf,
    /// Removes what is below its frequency.
    LowCut,
    /// Removes what is above its frequency.
    HighCut,
    /// Removes its frequency entirely.
    Notch,
    /// Raises what is above its frequency by half its gain and lowers what is below by the other half.
    Tilt,
}

/// Which part of the stereo signal a band acts on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "offline",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Placement {
    /// Both channels.
    #[default]
    Stereo,
    /// Half the sum of the channels; their difference is untouched.
    Mid,
    /// Half the difference of the channels; their sum is untouched.
    Side,
    /// The left channel only.
    Left,
    /// The right channel only.
    Right,
}

impl Placement {
    /// True for mid and side.
    pub(super) fn is_between(self) -> bool {
        matches!(self, Self::Mid | Self::Side)
    }
}

/// Settings of one band. Values out of range are clamped.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "offline", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct BandSettings {
    /// The band is heard.
    pub on: bool,
    /// What it does.
    pub shape: Shape,
    /// Where, 10 to 30 000 Hz; above Nyquist what is left is the skirt of the analogue response.
    pub frequency: Hz,
    /// How much, -18 to 18 dB. Cuts and the notch have none.
    pub gain: Db,
    /// How narrow, 0.1 to 40. For cuts of 12 dB/oct and more: a factor on the Q of the sharpest Butterworth
    /// section, so that 1 is a pure Butterworth (that section's Q is held below 16); cuts of 6 dB/oct and the
    /// tilt have none.
    pub q: f64,
    /// Steepness of cuts, 6 to 48 dB per octave in steps of 6.
    pub slope: u32,
    /// Where in the stereo field.
    pub placement: Placement,
}

impl Default for BandSettings {
    fn default() -> Self {
        Self {
            on: false,
            shape: Shape::Bell,
            frequency: Hz(1000.0),
            gain: Db(0.0),
            q: 1.0,
            slope: 12,
            placement: Placement::Stereo,
        }
    }
}

impl BandSettings {
    /// The nearest settings within the ranges; what is not a number becomes the default.
    pub fn clamped(&self) -> Self {
        let within = |value: f64, low, high, default| {
            if value.is_nan() { default } else { f64::clamp(value, low, high) }
        };
        let default = Self::default();
        Self {
            frequency: Hz(within(self.frequency.0, 10.0, 30_000.0, default.frequency.0)),
            gain: Db(within(self.gain.0, -18.0, 18.0, default.gain.0)),
            q: within(self.q, 0.1, 40.0, default.q),
            slope: self.slope.clamp(6, 48).div_ceil(6) * 6,
            ..*self
        }
    }

    /// True when the shape has a gain, so that 0 dB is neutral.
    pub(super) fn has_gain(&self) -> bool {
        matches!(self.shape, Shape::Bell | Shape::LowShelf | Shape::HighShelf | Shape::Tilt)
    }

    /// True when these settings change nothing.
    pub(super) fn is_idle(&self) -> bool {
        !self.on || self.has_gain() && self.gain == Db(0.0)
    }
}

/// How many bands there are.
pub const BANDS: usize = 8;

/// Settings of the equalizer. Bands act one after the other, in order.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "offline", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct EqualizerSettings {
    /// The bands.
    pub bands: [BandSettings; BANDS],
}

impl Default for EqualizerSettings {
    /// All bands off, spread over the spectrum.
    fn default() -> Self {
        let frequencies = [30.0, 80.0, 200.0, 500.0, 1200.0, 3000.0, 8000.0, 16_000.0];
        Self { bands: frequencies.map(|f| BandSettings { frequency: Hz(f), ..BandSettings::default() }) }
    }
}
