//! Settings of the equalizer.

use crate::KeySource;
use units::{Db, Hz, Ms};

/// The most decibels a band raises or lowers, its movement included.
pub(super) const MAX_GAIN: f64 = 18.0;

/// Effect of a band on the spectrum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
    pub(super) fn is_mid_side(self) -> bool {
        matches!(self, Self::Mid | Self::Side)
    }
}

/// Dynamics of a band: it moves from its gain towards its gain plus the range while its key is loud.
///
/// Bells and shelves can; the others have no gain to move (cuts, notch) or no band to listen to (tilt).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DynamicSettings {
    /// The farthest it moves, -18 to 18 dB: down, up, or (0) not at all. Gain and movement together stay within
    /// ±18 dB.
    pub range: Db,
    /// The level of the key in the band from which on it moves, half a decibel per decibel with a soft knee of
    /// 6 dB, -80 to 0 dBFS; a sine at full scale is 0 dBFS.
    pub threshold: Db,
    /// Time constant to 63 % of a larger movement, 0.1 to 200 ms.
    pub attack: Ms,
    /// Time constant to 63 % of a smaller one, 5 to 2000 ms.
    pub release: Ms,
    /// Key, limited to the band: the audio the band is about to act on, or the sidechain.
    pub key: KeySource,
}

impl Default for DynamicSettings {
    fn default() -> Self {
        Self {
            range: Db(0.0),
            threshold: Db(-24.0),
            attack: Ms(10.0),
            release: Ms(120.0),
            key: KeySource::Own,
        }
    }
}

/// Settings of one band. Values out of range are clamped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BandSettings {
    /// The band is on.
    pub on: bool,
    /// Shape of the response.
    pub shape: Shape,
    /// Frequency, 10 to 30 000 Hz; above Nyquist the skirt of the analogue response remains.
    pub frequency: Hz,
    /// Gain, -18 to 18 dB. Cuts and the notch have none.
    pub gain: Db,
    /// Quality factor, 0.1 to 40. For cuts of 12 dB/oct and more: a factor on the Q of the sharpest Butterworth
    /// section, so that 1 is a pure Butterworth (that section's Q is held below 16); cuts of 6 dB/oct and the
    /// tilt have none.
    pub q: f64,
    /// Steepness of cuts, 6 to 48 dB per octave in steps of 6.
    pub slope: u32,
    /// Part of the stereo field.
    pub placement: Placement,
    /// Dynamics.
    pub dynamic: DynamicSettings,
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
            dynamic: DynamicSettings::default(),
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
            gain: Db(within(self.gain.0, -MAX_GAIN, MAX_GAIN, default.gain.0)),
            q: within(self.q, 0.1, 40.0, default.q),
            slope: self.slope.clamp(6, 48).div_ceil(6) * 6,
            dynamic: DynamicSettings {
                range: Db(within(self.dynamic.range.0, -MAX_GAIN, MAX_GAIN, default.dynamic.range.0)),
                threshold: Db(within(self.dynamic.threshold.0, -80.0, 0.0, default.dynamic.threshold.0)),
                attack: Ms(within(self.dynamic.attack.0, 0.1, 200.0, default.dynamic.attack.0)),
                release: Ms(within(self.dynamic.release.0, 5.0, 2000.0, default.dynamic.release.0)),
                key: self.dynamic.key,
            },
            ..*self
        }
    }

    /// True when the shape has a gain, so that 0 dB is neutral.
    pub(super) fn has_gain(&self) -> bool {
        matches!(self.shape, Shape::Bell | Shape::LowShelf | Shape::HighShelf | Shape::Tilt)
    }

    /// True when the shape can be dynamic.
    pub(super) fn can_move(&self) -> bool {
        matches!(self.shape, Shape::Bell | Shape::LowShelf | Shape::HighShelf)
    }

    /// True when the band is heard and moves by what is loud.
    pub fn is_dynamic(&self) -> bool {
        self.on && self.can_move() && self.dynamic.range != Db(0.0)
    }

    /// True when these settings change nothing, whatever is heard.
    pub(super) fn is_idle(&self) -> bool {
        !self.on || self.has_gain() && self.gain == Db(0.0) && !self.is_dynamic()
    }
}

/// Number of bands.
pub const BANDS: usize = 8;

/// Settings of the equalizer. Bands act one after the other, in order.
#[derive(Clone, Debug, PartialEq)]
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

impl EqualizerSettings {
    /// The same for a place that has no sidechain: every band is keyed by itself.
    pub fn without_sidechain(&self) -> Self {
        let own = |band: BandSettings| BandSettings {
            dynamic: DynamicSettings { key: KeySource::Own, ..band.dynamic },
            ..band
        };
        Self { bands: self.bands.map(own) }
    }
}
