//! Appearance, scale and size of windows, the same for every instance: a file of a few lines, written when the user
//! changes something.

use super::{read, write};
use crate::display::DisplaySettings;
use crate::stem::{DEFAULT_SIZE, MIN_SIZE};
use crate::theme::SCALES;
use chain::ChainKind;
use egui::{Vec2, vec2};
use std::fmt::Write as _;
use std::path::PathBuf;

/// Largest accepted window side, points.
const MAX_SIDE_POINTS: f32 = 8000.0;

/// Appearance, scale, size and displays of windows as they open.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowSettings {
    /// Dark or light.
    pub dark: bool,
    /// Scale of the drawing, 0.75 to 2.
    pub scale: f32,
    /// A Stem's and a Master's window, points at that scale.
    sizes: [Vec2; 2],
    /// Display of meters and spectra.
    pub display: DisplaySettings,
}

impl Default for WindowSettings {
    fn default() -> Self {
        Self { dark: true, scale: 1.0, sizes: [DEFAULT_SIZE; 2], display: DisplaySettings::default() }
    }
}

const CHAIN_KINDS: [(ChainKind, &str); 2] = [(ChainKind::Stem, "stem"), (ChainKind::Master, "master")];

fn index(chain_kind: ChainKind) -> usize {
    CHAIN_KINDS.iter().position(|(one, _)| *one == chain_kind).unwrap_or_default()
}

impl WindowSettings {
    /// Returns the size of a window, points at the scale.
    pub fn size(&self, chain_kind: ChainKind) -> Vec2 {
        self.sizes[index(chain_kind)]
    }

    /// Sets the size of a window, points at the scale.
    pub fn set_size(&mut self, chain_kind: ChainKind, size: Vec2) {
        self.sizes[index(chain_kind)] = size.clamp(MIN_SIZE, Vec2::splat(MAX_SIDE_POINTS)).round();
    }

    /// Parses lines of `name = value`. Unknown names and invalid values are ignored, because a user may have edited the
    /// file.
    pub fn parse(text: &str) -> Self {
        let mut settings = Self::default();
        for (name, value) in text.lines().filter_map(|line| line.split_once('=')) {
            let (name, value) = (name.trim(), value.trim().trim_matches('"'));
            match name {
                "appearance" => settings.dark = value != "light",
                "scale" => {
                    let scale =
                        value.parse().ok().filter(|x| (SCALES[0]..=SCALES[SCALES.len() - 1]).contains(x));
                    settings.scale = scale.unwrap_or(settings.scale);
                }
                _ if settings.display.set(name, value) => {}
                _ => {
                    let numbers = value.trim_matches(['[', ']']).split_once(',');
                    let size =
                        numbers.and_then(|(x, y)| Some((x.trim().parse().ok()?, y.trim().parse().ok()?)));
                    let chain_kind = CHAIN_KINDS.iter().find(|(_, word)| *word == name);
                    if let Some(((chain_kind, _), (x, y))) =
                        chain_kind.zip(size.filter(|(x, y): &(f32, f32)| (x + y).is_finite()))
                    {
                        settings.set_size(*chain_kind, vec2(x, y));
                    }
                }
            }
        }
        settings
    }

    /// The lines that [`Self::parse`] reads.
    pub fn text(&self) -> String {
        let mut text = String::from("# How Stemlink's windows open: size in points, scale 0.75 to 2.\n");
        let appearance = if self.dark { "dark" } else { "light" };
        let _ = writeln!(text, "appearance = \"{appearance}\"\nscale = {}", self.scale);
        for (chain_kind, word) in CHAIN_KINDS {
            let size = self.size(chain_kind);
            let _ = writeln!(text, "{word} = [{}, {}]", size.x, size.y);
        }
        text + &self.display.text()
    }

    /// Reads the user's file; defaults without one.
    pub fn load() -> Self {
        file().and_then(|file| read(&file).ok()).map_or_else(Self::default, |text| Self::parse(&text))
    }

    /// Writes the user's file; errors are ignored.
    pub fn save(&self) {
        if let Some(file) = file() {
            let _ = write(&file, &self.text());
        }
    }
}

fn file() -> Option<PathBuf> {
    Some(super::folder()?.join("window.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::display::{
        LoudnessScale, LoudnessTarget, LoudnessUnit, MeterDisplay, SpectrumDisplay, SpectrumSpeed,
    };

    #[test]
    fn what_is_written_is_read_again() {
        let mut settings = WindowSettings { dark: false, scale: 1.75, ..WindowSettings::default() };
        settings.set_size(ChainKind::Master, vec2(1320.4, 800.0));
        settings.display.meter = MeterDisplay {
            target: LoudnessTarget::parse("tidal"),
            unit: LoudnessUnit::Relative,
            scale: LoudnessScale::Ebu18,
        };
        settings.display.spectrum = SpectrumDisplay {
            range: 120.0,
            tilt: 3.0,
            speed: SpectrumSpeed::Slow,
            before: false,
            holds: true,
            ..SpectrumDisplay::default()
        };
        let again = WindowSettings::parse(&settings.text());
        assert_eq!(again, settings);
        assert_eq!(
            (again.size(ChainKind::Stem), again.size(ChainKind::Master)),
            (DEFAULT_SIZE, vec2(1320.0, 800.0))
        );
    }

    #[test]
    fn what_nobody_can_use_is_as_usual() {
        let usual = WindowSettings::default();
        for text in [
            "",
            "target = nobody",
            "loudness_unit = dB",
            "loudness_scale = 3",
            "scale = 7",
            "scale = NaN",
            "stem = [a, b]",
            "stem = 3",
            "master = [NaN, 1]",
            "= =",
            "x = 1",
        ] {
            assert_eq!(WindowSettings::parse(text), usual, "{text}");
        }
        let tiny = WindowSettings::parse("stem = [3, 1e9]\nscale = 0.75\n appearance= light");
        assert_eq!(
            (tiny.size(ChainKind::Stem), tiny.scale, tiny.dark),
            (vec2(MIN_SIZE.x, MAX_SIDE_POINTS), 0.75, false)
        );
    }
}
