//! Display settings of meters and spectra: the same for every window, kept with its size. They never affect the sound.

use session::target::builtin;
use units::{Lu, Lufs};

/// Level of 0 LU without a target of one's own: EBU R 128.
pub const EBU_REFERENCE: Lufs = Lufs(-23.0);
/// Range of a target of one's own, LUFS.
pub const TARGET_RANGE: core::ops::RangeInclusive<f64> = -60.0..=0.0;

/// Loudness that a song is to have.
#[derive(Clone, Debug, PartialEq)]
pub struct LoudnessTarget {
    /// Id of the platform; `None` for a figure of one's own.
    pub id: Option<String>,
    /// Name for the user.
    pub name: String,
    /// The loudness.
    pub loudness: Lufs,
}

impl LoudnessTarget {
    /// Returns a figure of one's own, in range.
    pub fn own(loudness: Lufs) -> Self {
        let loudness = Lufs(loudness.0.clamp(*TARGET_RANGE.start(), *TARGET_RANGE.end()));
        Self { id: None, name: "Own target".into(), loudness }
    }

    /// Returns the targets of all platforms that publish a loudness.
    pub fn platforms() -> Vec<Self> {
        let of = |target: session::target::NormalizationTarget| {
            Some(Self { id: Some(target.id), name: target.name, loudness: target.loudness? })
        };
        builtin().into_iter().filter_map(of).collect()
    }

    /// Returns the text of a file: the platform's id, or the figure.
    pub fn text(&self) -> String {
        self.id.clone().unwrap_or_else(|| format!("{}", self.loudness.0))
    }

    /// Parses what [`Self::text`] writes; `None` for a platform that is not known.
    pub fn parse(text: &str) -> Option<Self> {
        match text.parse::<f64>() {
            Ok(figure) => figure.is_finite().then(|| Self::own(Lufs(figure))),
            Err(_) => Self::platforms().into_iter().find(|target| target.id.as_deref() == Some(text)),
        }
    }
}

/// Unit of loudness figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoudnessUnit {
    /// LUFS.
    #[default]
    Absolute,
    /// LU, relative to the target.
    Relative,
}

/// Scale of loudness bars and graphs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoudnessScale {
    /// -36 to 0 LUFS.
    #[default]
    Full,
    /// EBU +9: -18 to +9 LU (EBU Tech 3341).
    Ebu9,
    /// EBU +18: -36 to +18 LU (EBU Tech 3341).
    Ebu18,
}

impl LoudnessScale {
    /// All scales with the words of files and of menus.
    pub const ALL: [(Self, &'static str, &'static str); 3] = [
        (Self::Full, "full", "−36 to 0 LUFS"),
        (Self::Ebu9, "ebu9", "EBU +9"),
        (Self::Ebu18, "ebu18", "EBU +18"),
    ];
}

/// Display of loudness: target, unit, scale.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MeterDisplay {
    /// Target of the song.
    pub target: Option<LoudnessTarget>,
    /// Unit of the figures.
    pub unit: LoudnessUnit,
    /// Scale of bars and graphs.
    pub scale: LoudnessScale,
}

impl MeterDisplay {
    /// Returns the level of 0 LU: the target, else that of EBU R 128.
    pub fn reference(&self) -> Lufs {
        self.target.as_ref().map_or(EBU_REFERENCE, |target| target.loudness)
    }

    /// Returns the difference to the target; `None` without one.
    pub fn difference(&self, loudness: Option<Lufs>) -> Option<Lu> {
        Some(Lu(loudness?.0 - self.target.as_ref()?.loudness.0))
    }

    /// Returns the figure of a loudness in the chosen unit.
    pub fn figure(&self, loudness: Lufs) -> f64 {
        match self.unit {
            LoudnessUnit::Absolute => loudness.0,
            LoudnessUnit::Relative => loudness.0 - self.reference().0,
        }
    }

    /// Returns the chosen unit's word.
    pub fn unit_name(&self) -> &'static str {
        match self.unit {
            LoudnessUnit::Absolute => "LUFS",
            LoudnessUnit::Relative => "LU",
        }
    }

    /// Returns the loudness at both ends of the scale.
    pub fn ends(&self) -> [Lufs; 2] {
        let around = |below: f64, above: f64| [below, above].map(|lu| Lufs(self.reference().0 + lu));
        match self.scale {
            LoudnessScale::Full => [Lufs(-36.0), Lufs(0.0)],
            LoudnessScale::Ebu9 => around(-18.0, 9.0),
            LoudnessScale::Ebu18 => around(-36.0, 18.0),
        }
    }

    /// Returns the place of a loudness on the scale, 0 to 1.
    pub fn fraction(&self, loudness: Lufs) -> f32 {
        let [low, high] = self.ends();
        ((loudness.0 - low.0) / (high.0 - low.0)).clamp(0.0, 1.0) as f32
    }

    /// Returns the loudness at the labels of the scale, `count` steps from end to end.
    pub fn labels(&self, count: usize) -> impl Iterator<Item = Lufs> + use<> {
        let [low, high] = self.ends();
        (0..=count).map(move |step| Lufs(low.0 + (high.0 - low.0) * step as f64 / count as f64))
    }
}

/// Speed at which spectra follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SpectrumSpeed {
    /// For balance.
    Slow,
    /// For most music.
    #[default]
    Medium,
    /// For transients.
    Fast,
}

impl SpectrumSpeed {
    /// All speeds with the words of files and of menus.
    pub const ALL: [(Self, &'static str, &'static str); 3] =
        [(Self::Slow, "slow", "Slow"), (Self::Medium, "medium", "Medium"), (Self::Fast, "fast", "Fast")];

    /// Returns the factor of the time constants.
    pub fn factor(self) -> f32 {
        match self {
            Self::Slow => 3.5,
            Self::Medium => 1.0,
            Self::Fast => 0.35,
        }
    }
}

/// Ranges of spectra, dB below full scale.
pub const SPECTRUM_RANGES_DB: [f32; 4] = [60.0, 80.0, 96.0, 120.0];
/// Tilts of spectra around 1 kHz, dB per octave; with 4.5 most music is level.
pub const SPECTRUM_TILTS_DB: [f32; 4] = [0.0, 3.0, 4.5, 6.0];

/// Display of spectra.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpectrumDisplay {
    /// Range, of [`SPECTRUM_RANGES_DB`].
    pub range: f32,
    /// Tilt, of [`SPECTRUM_TILTS_DB`].
    pub tilt: f32,
    /// Speed.
    pub speed: SpectrumSpeed,
    /// The input is drawn.
    pub before: bool,
    /// The output is drawn.
    pub after: bool,
    /// The sidechain is drawn.
    pub sidechain: bool,
    /// The highest level at each frequency stays.
    pub holds: bool,
}

impl Default for SpectrumDisplay {
    fn default() -> Self {
        let speed = SpectrumSpeed::default();
        Self { range: 96.0, tilt: 4.5, speed, before: true, after: true, sidechain: false, holds: false }
    }
}

impl SpectrumDisplay {
    /// Names of what is drawn, with a reference to its switch.
    pub fn switches(&mut self) -> [(&'static str, &mut bool); 4] {
        [
            ("before", &mut self.before),
            ("after", &mut self.after),
            ("sidechain", &mut self.sidechain),
            ("hold", &mut self.holds),
        ]
    }
}

/// Display settings of a window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DisplaySettings {
    /// Loudness.
    pub meter: MeterDisplay,
    /// Spectra.
    pub spectrum: SpectrumDisplay,
}

impl DisplaySettings {
    /// Returns the lines of a file.
    pub(super) fn text(&self) -> String {
        let (meter, mut spectrum) = (&self.meter, self.spectrum);
        let mut lines = Vec::new();
        if let Some(target) = &meter.target {
            lines.push(format!("target = \"{}\"", target.text()));
        }
        lines.push(format!("loudness_unit = \"{}\"", meter.unit_name()));
        lines.extend(
            LoudnessScale::ALL
                .iter()
                .filter(|(scale, ..)| *scale == meter.scale)
                .map(|(_, word, _)| format!("loudness_scale = \"{word}\"")),
        );
        lines.push(format!("spectrum_range = {}\nspectrum_tilt = {}", spectrum.range, spectrum.tilt));
        lines.extend(
            SpectrumSpeed::ALL
                .iter()
                .filter(|(speed, ..)| *speed == spectrum.speed)
                .map(|(_, word, _)| format!("spectrum_speed = \"{word}\"")),
        );
        let shown = spectrum.switches().into_iter().filter(|(_, on)| **on).map(|(name, _)| name);
        lines.push(format!("spectra = \"{}\"", shown.collect::<Vec<_>>().join(" ")));
        lines.join("\n") + "\n"
    }

    /// Takes a value of a file; returns false for a name that is not among these. An invalid value changes nothing.
    pub(super) fn set(&mut self, name: &str, value: &str) -> bool {
        let among = |all: [f32; 4]| value.parse().ok().filter(|x| all.contains(x));
        let (meter, spectrum) = (&mut self.meter, &mut self.spectrum);
        match name {
            "target" => meter.target = LoudnessTarget::parse(value),
            "loudness_unit" => {
                let is_relative = value == "LU";
                meter.unit = if is_relative { LoudnessUnit::Relative } else { LoudnessUnit::Absolute };
            }
            "loudness_scale" => {
                let scale = LoudnessScale::ALL.into_iter().find(|(_, word, _)| *word == value);
                meter.scale = scale.map_or(meter.scale, |(scale, ..)| scale);
            }
            "spectrum_range" => spectrum.range = among(SPECTRUM_RANGES_DB).unwrap_or(spectrum.range),
            "spectrum_tilt" => spectrum.tilt = among(SPECTRUM_TILTS_DB).unwrap_or(spectrum.tilt),
            "spectrum_speed" => {
                let speed = SpectrumSpeed::ALL.into_iter().find(|(_, word, _)| *word == value);
                spectrum.speed = speed.map_or(spectrum.speed, |(speed, ..)| speed);
            }
            "spectra" => {
                for (name, on) in spectrum.switches() {
                    *on = value.split_whitespace().any(|word| word == name);
                }
            }
            _ => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ebu_scales_lie_around_the_target_and_zero_is_on_them() {
        let target = LoudnessTarget::parse("ebu-r128");
        assert_eq!(target.as_ref().map(|target| target.loudness), Some(EBU_REFERENCE));
        let mut display = MeterDisplay { target, scale: LoudnessScale::Ebu9, ..MeterDisplay::default() };
        assert_eq!(display.ends(), [Lufs(-41.0), Lufs(-14.0)]);
        display.scale = LoudnessScale::Ebu18;
        assert_eq!(display.ends(), [Lufs(-59.0), Lufs(-5.0)]);
        assert!((display.fraction(Lufs(-23.0)) - 2.0 / 3.0).abs() < 1e-6);
        display.target = Some(LoudnessTarget::own(Lufs(-14.0)));
        assert_eq!(display.ends(), [Lufs(-50.0), Lufs(4.0)]);
        display.unit = LoudnessUnit::Relative;
        assert_eq!((display.figure(Lufs(-12.5)), display.unit_name()), (1.5, "LU"));
        assert_eq!(display.difference(Some(Lufs(-12.5))), Some(Lu(1.5)));
    }

    #[test]
    fn targets_are_written_as_they_are_read_and_unknown_ones_are_none() {
        for target in LoudnessTarget::platforms().into_iter().chain([LoudnessTarget::own(Lufs(-9.5))]) {
            assert_eq!(LoudnessTarget::parse(&target.text()), Some(target));
        }
        for text in ["", "nobody", "NaN", "inf", "bandcamp"] {
            assert_eq!(LoudnessTarget::parse(text), None, "{text}");
        }
        assert_eq!(LoudnessTarget::parse("-900").map(|target| target.loudness), Some(Lufs(-60.0)));
    }
}
