//! How windows look: appearance, scale and size, the same for every instance. A file of a few lines, written when a
//! person changes something.

use super::{read, write};
use crate::stem::{LEAST, USUAL};
use crate::theme::SCALES;
use chain::ChainKind;
use egui::{Vec2, vec2};
use std::fmt::Write as _;
use std::path::PathBuf;

/// The largest window that is believed, points.
const LARGEST: f32 = 8000.0;

/// How windows open.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// Dark or light.
    pub dark: bool,
    /// How large everything is drawn, 0.75 to 2.
    pub scale: f32,
    /// A Stem's and a Master's window, points at that scale.
    sizes: [Vec2; 2],
}

impl Default for Look {
    fn default() -> Self {
        Self { dark: true, scale: 1.0, sizes: [USUAL; 2] }
    }
}

const SEATS: [(ChainKind, &str); 2] = [(ChainKind::Stem, "stem"), (ChainKind::Master, "master")];

fn index(chain_kind: ChainKind) -> usize {
    SEATS.iter().position(|(one, _)| *one == chain_kind).unwrap_or_default()
}

impl Look {
    /// The size of a window, points at the scale.
    pub fn size(&self, chain_kind: ChainKind) -> Vec2 {
        self.sizes[index(chain_kind)]
    }

    /// Remembers the size of a window, points at the scale.
    pub fn resized(&mut self, chain_kind: ChainKind, size: Vec2) {
        self.sizes[index(chain_kind)] = size.clamp(LEAST, Vec2::splat(LARGEST)).round();
    }

    /// From lines of `name = value`. What is not known, or not a value, is left as it is usually: a person may have
    /// written it.
    pub fn parse(text: &str) -> Self {
        let mut look = Self::default();
        for (name, value) in text.lines().filter_map(|line| line.split_once('=')) {
            let (name, value) = (name.trim(), value.trim().trim_matches('"'));
            match name {
                "appearance" => look.dark = value != "light",
                "scale" => {
                    let scale =
                        value.parse().ok().filter(|x| (SCALES[0]..=SCALES[SCALES.len() - 1]).contains(x));
                    look.scale = scale.unwrap_or(look.scale);
                }
                _ => {
                    let numbers = value.trim_matches(['[', ']']).split_once(',');
                    let size =
                        numbers.and_then(|(x, y)| Some((x.trim().parse().ok()?, y.trim().parse().ok()?)));
                    let chain_kind = SEATS.iter().find(|(_, word)| *word == name);
                    if let Some(((chain_kind, _), (x, y))) =
                        chain_kind.zip(size.filter(|(x, y): &(f32, f32)| (x + y).is_finite()))
                    {
                        look.resized(*chain_kind, vec2(x, y));
                    }
                }
            }
        }
        look
    }

    /// The lines that [`Self::parse`] reads.
    pub fn text(&self) -> String {
        let mut text = String::from("# How Stemlink's windows open: size in points, scale 0.75 to 2.\n");
        let appearance = if self.dark { "dark" } else { "light" };
        let _ = writeln!(text, "appearance = \"{appearance}\"\nscale = {}", self.scale);
        for (chain_kind, word) in SEATS {
            let size = self.size(chain_kind);
            let _ = writeln!(text, "{word} = [{}, {}]", size.x, size.y);
        }
        text
    }

    /// As the user's file says; as usual without one.
    pub fn load() -> Self {
        file().and_then(|file| read(&file).ok()).map_or_else(Self::default, |text| Self::parse(&text))
    }

    /// Into the user's file. What cannot be written is not remembered.
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

    #[test]
    fn what_is_written_is_read_again() {
        let mut look = Look { dark: false, scale: 1.75, ..Look::default() };
        look.resized(ChainKind::Master, vec2(1320.4, 800.0));
        let again = Look::parse(&look.text());
        assert_eq!(again, look);
        assert_eq!(
            (again.size(ChainKind::Stem), again.size(ChainKind::Master)),
            (USUAL, vec2(1320.0, 800.0))
        );
    }

    #[test]
    fn what_nobody_can_use_is_as_usual() {
        let usual = Look::default();
        for text in
            ["", "scale = 7", "scale = NaN", "stem = [a, b]", "stem = 3", "master = [NaN, 1]", "= =", "x = 1"]
        {
            assert_eq!(Look::parse(text), usual, "{text}");
        }
        let tiny = Look::parse("stem = [3, 1e9]\nscale = 0.75\n appearance= light");
        assert_eq!(
            (tiny.size(ChainKind::Stem), tiny.scale, tiny.dark),
            (vec2(LEAST.x, LARGEST), 0.75, false)
        );
    }
}
