//! Moves of stems: `[[moves]]`, read and written.

use std::fmt::Write as _;

use serde::Deserialize;

use super::number::number;
use super::write::quoted;
use crate::bundle::Bundle;
use crate::delivery::seconds;
use crate::session::Session;
use crate::setting_fault::SettingFault;
use crate::timed_move::{DEFAULT_FADE, LARGEST_MOVE, LONGEST_FADE, TimeSpan, TimedMove};
use units::Db;

/// A move as it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MoveTable {
    stem: String,
    gain: f64,
    from: Option<toml::Value>,
    to: Option<toml::Value>,
    fade: Option<f64>,
}

impl MoveTable {
    /// Adds the move to its stem of `session`.
    pub(super) fn add_to(&self, session: &mut Session, bundle: &Bundle) -> Result<(), SettingFault> {
        let Ok(stem) = bundle.find(&self.stem) else {
            let names: Vec<&str> = bundle.stems.iter().map(|stem| stem.name.as_str()).collect();
            let fault = format!("stem = {:?} is none of the stems", self.stem);
            return Err(SettingFault::new(fault, format!("they are {}", names.join(", "))));
        };
        let one = self.read(bundle.seconds()).map_err(|fault| fault.prefixed(&self.stem))?;
        session.stems[stem].moves.push(one);
        Ok(())
    }

    fn read(&self, song: f64) -> Result<TimedMove, SettingFault> {
        if !(-LARGEST_MOVE.0..=LARGEST_MOVE.0).contains(&self.gain) {
            let largest = LARGEST_MOVE.0;
            return Err(SettingFault::new(
                "gain is out of range",
                format!("a move is -{largest} to {largest} dB"),
            ));
        }
        let time = |value: &toml::Value| {
            number(value).filter(|time| *time >= 0.0).or_else(|| seconds(value.as_str()?)).ok_or_else(|| {
                SettingFault::new(format!("{value} is no time of the song"), "write 62.5 or \"1:02.500\"")
            })
        };
        let span = match (&self.from, &self.to) {
            (None, None) if self.fade.is_some() => {
                return Err(SettingFault::new("has a fade and no range", "give from and to, or no fade"));
            }
            (None, None) => None,
            (Some(from), Some(to)) => {
                let (from, to, fade) = (time(from)?, time(to)?, self.fade.unwrap_or(DEFAULT_FADE));
                let fault = || {
                    SettingFault::new(
                        format!("{from} to {to} s with a fade of {fade} s is no range"),
                        format!("from comes before to, and a fade is 0 to {LONGEST_FADE} s"),
                    )
                };
                let span = TimeSpan::new(from, to, fade).ok_or_else(fault)?;
                if from >= song {
                    let fault = format!("begins at {from} s, and the song is {song:.3} s long");
                    return Err(SettingFault::new(fault, "give a range inside the song"));
                }
                Some(span)
            }
            _ => return Err(SettingFault::new("has half a range", "give from and to, or neither")),
        };
        Ok(TimedMove { gain: Db(self.gain), span })
    }
}

/// Adds moves to the text of a session file, each with the name of its stem.
///
/// # Errors
/// If the text cannot take them: where its own moves are not written as `[[moves]]`.
pub fn add_moves(text: &str, moves: &[(&str, TimedMove)]) -> Result<String, SettingFault> {
    let mut text = text.trim_end().to_owned();
    for (stem, one) in moves {
        let _ = write!(text, "\n\n[[moves]]\nstem = {}\ngain = {}", quoted(stem), one.gain.0);
        if let Some(span) = one.span {
            let _ = write!(text, "\nfrom = {}\nto = {}\nfade = {}", span.from(), span.to(), span.fade());
        }
    }
    text.push('\n');
    match text.parse::<toml::Table>() {
        Ok(_) => Ok(text),
        Err(_) => Err(SettingFault::new(
            "moves cannot be added to it",
            "write its own moves as [[moves]] tables, as in docs/session.md",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Document {
        moves: Vec<MoveTable>,
    }

    fn read(lines: &str) -> Result<TimedMove, String> {
        let text = format!("[[moves]]\nstem = \"a\"\n{lines}\n");
        let document: Document = toml::from_str(&text).map_err(|error| error.to_string())?;
        document.moves[0].read(100.0).map_err(|SettingFault { fault, remedy }| format!("{fault}; {remedy}"))
    }

    #[test]
    fn a_move_is_of_the_whole_song_or_of_a_range() {
        let whole = TimedMove { gain: Db(-1.5), span: None };
        assert_eq!(read("gain = -1.5"), Ok(whole));
        let range = |from, to, fade| TimedMove { gain: Db(1.0), span: TimeSpan::new(from, to, fade) };
        assert_eq!(read("gain = 1\nfrom = \"1:02\"\nto = 90"), Ok(range(62.0, 90.0, DEFAULT_FADE)));
        assert_eq!(read("gain = 1\nfrom = 0\nto = 90.5\nfade = 0"), Ok(range(0.0, 90.5, 0.0)));
        for (lines, words) in [
            ("gain = 61", "-60 to 60 dB"),
            ("gain = nan", "-60 to 60 dB"),
            ("gain = 1\nfrom = 3", "half a range"),
            ("gain = 1\nfade = 3", "no range"),
            ("gain = 1\nfrom = 3\nto = 2", "from comes before to"),
            ("gain = 1\nfrom = 3\nto = 4\nfade = -1", "0 to 60 s"),
            ("gain = 1\nfrom = 100\nto = 104", "100.000 s long"),
            ("gain = 1\nfrom = -1\nto = 4", "1:02.500"),
            ("gain = 1\nfrom = \"x\"\nto = 4", "1:02.500"),
        ] {
            let said = read(lines).expect_err(lines);
            assert!(said.contains(words), "{lines}: {said}");
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let one = TimedMove { gain: Db(-0.1), span: TimeSpan::new(62.345, 90.0, 0.05) };
        let two = TimedMove { gain: Db(2.0), span: None };
        let name = "Lead @ \"Home\"";
        let text = add_moves("schema = \"x\"\n[[stems]]\nfile = \"a\"\n", &[(name, one), (name, two)])
            .expect("takes them");
        let document: Document = toml::from_str(&text).expect(&text);
        assert!(document.moves.iter().all(|table| table.stem == name));
        let read: Vec<_> = document.moves.iter().map(|table| table.read(100.0)).collect();
        assert!(read.iter().zip([one, two]).all(|(read, one)| read.as_ref().ok() == Some(&one)), "{text}");
        assert!(add_moves("moves = []\n", &[(name, one)]).is_err(), "an array that is closed");
        assert!(add_moves("moves = []\n", &[]).is_ok());
    }
}
