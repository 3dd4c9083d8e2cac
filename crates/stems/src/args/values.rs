//! Values of options, as people write them.

use clap::builder::{PathBufValueParser, TypedValueParser};
use project::delivery::{Make, isrc, seconds};
use project::names::Names;
use project::reserved::unreserved_path;
use project::setting_fault::SettingFault;
use project::tag_value::{musical_key, tempo};
use project::timed_move::{LARGEST_MOVE, LONGEST_FADE};
use std::path::PathBuf;
use units::Db;

/// Parser of a path to write to: a name that Windows reserves gets an underscore.
pub(super) fn output_path() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().map(|path| unreserved_path(&path))
}

pub(super) fn parse_jobs(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| (1..=256).contains(n)).ok_or_else(|| "it takes 1 to 256".to_owned())
}

pub(super) fn parse_time(text: &str) -> Result<f64, String> {
    seconds(text).ok_or_else(|| "write a time such as 62.5 or 1:02.500".to_owned())
}

/// Parser of a number within a range.
fn parse_number(text: &str, [from, to]: [f64; 2], unit: &str) -> Result<f64, String> {
    let number = text.trim().replace('\u{2212}', "-").parse::<f64>().ok();
    number.filter(|x| (from..=to).contains(x)).ok_or_else(|| format!("it takes {from} to {to} {unit}"))
}

pub(super) fn parse_loudness(text: &str) -> Result<f64, String> {
    parse_number(text, [-50.0, 0.0], "LUFS")
}

pub(super) fn parse_ceiling(text: &str) -> Result<f64, String> {
    parse_number(text, [-20.0, 0.0], "dBTP")
}

pub(super) fn parse_less(text: &str) -> Result<f64, String> {
    parse_number(text, [0.1, 12.0], "dB")
}

pub(super) fn parse_percent(text: &str) -> Result<f64, String> {
    parse_number(text, [1.0, 100.0], "%")
}

pub(super) fn parse_gap(text: &str) -> Result<f64, String> {
    seconds(text).filter(|gap| *gap <= 600.0).ok_or_else(|| "it takes 0 to 600 seconds".to_owned())
}

pub(super) fn parse_isrc(text: &str) -> Result<Option<String>, String> {
    if matches!(text.trim(), "-" | "") {
        return Ok(None);
    }
    isrc(text).map(Some).map_err(in_words)
}

/// Parser of an item to make. Whether there is a version of that name is known with the session file.
pub(super) fn parse_make(text: &str) -> Result<Make, String> {
    match text.trim() {
        "" => Err(format!("it takes {}", Make::ALL.each_ref().map(Make::id).join(", "))),
        id => Ok(Make::from_id(id)),
    }
}

/// A fault in one line.
fn in_words(SettingFault { fault, remedy }: SettingFault) -> String {
    format!("{fault}; {remedy}")
}

pub(super) fn parse_names(text: &str) -> Result<Names, String> {
    Names::parse(text).map_err(in_words)
}

pub(super) fn parse_bpm(text: &str) -> Result<f64, String> {
    let bpm =
        text.trim().replace(',', ".").parse().map_err(|_| "it takes a number such as 120".to_owned())?;
    tempo(bpm).map_err(in_words)
}

pub(super) fn parse_key(text: &str) -> Result<String, String> {
    musical_key(text).map_err(in_words)
}

/// A move as it was asked for: a name, a gain, and the range of the song in seconds if there is one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AskedMove {
    pub(crate) name: String,
    pub(crate) gain: Db,
    pub(crate) range: Option<[f64; 2]>,
}

/// Parser of a move, or of one in time. A name may contain `@` and `=`: both are read from the right.
pub(super) fn parse_timed_move(text: &str) -> Result<AskedMove, String> {
    let in_time = text.rsplit_once('@').filter(|(front, range)| front.contains('=') && !range.contains('='));
    let (front, range) = in_time.map_or((text, None), |(front, range)| (front, Some(range)));
    let (name, gain) = parse_move(front)?;
    let range = range.map(parse_range).transpose()?;
    Ok(AskedMove { name, gain, range })
}

/// Parser of `1:02-1:30`, in seconds.
fn parse_range(text: &str) -> Result<[f64; 2], String> {
    let (from, to) = text
        .split_once(['-', '\u{2013}'])
        .ok_or_else(|| format!("{text:?} is no range of the song; write one such as 1:02-1:30.5"))?;
    let (from, to) = (parse_time(from)?, parse_time(to)?);
    if from >= to {
        return Err(format!("{text:?} ends before it begins; write a range such as 1:02-1:30.5"));
    }
    Ok([from, to])
}

pub(super) fn parse_fade(text: &str) -> Result<f64, String> {
    let fits = |fade: &f64| (0.0..=LONGEST_FADE).contains(fade);
    text.parse()
        .ok()
        .filter(fits)
        .ok_or_else(|| format!("it takes 0 to {LONGEST_FADE} seconds, such as 0.05"))
}

pub(super) fn parse_move(text: &str) -> Result<(String, Db), String> {
    let (name, gain) = text.rsplit_once('=').ok_or("write a stem and a gain, such as Vocals=+3")?;
    let number = gain.trim().to_ascii_lowercase();
    let number =
        number.strip_suffix("db").unwrap_or(&number).trim().replace('\u{2212}', "-").replace(',', ".");
    let gain: f64 = number.parse().map_err(|_| format!("{gain:?} is no gain in dB, such as +3 or -1.5"))?;
    if name.trim().is_empty() {
        return Err("the stem's name is missing before =".into());
    }
    if gain.is_nan() || gain.abs() > LARGEST_MOVE.0 {
        return Err(format!("a move is within ±{} dB", LARGEST_MOVE.0));
    }
    Ok((name.trim().into(), Db(gain)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_are_read_as_people_write_them() {
        for (text, name, gain) in [
            ("Vocals=+3", "Vocals", 3.0),
            ("Lead Vocals=-1.5dB", "Lead Vocals", -1.5),
            ("a=b= 2 dB", "a=b", 2.0),
            ("Bass=\u{2212}2", "Bass", -2.0),
            ("Keys=-1,5", "Keys", -1.5),
        ] {
            assert_eq!(parse_move(text), Ok((name.into(), Db(gain))), "{text}");
        }
        let timed = |name: &str, gain, range| Ok(AskedMove { name: name.into(), gain: Db(gain), range });
        for (text, name, gain, range) in [
            ("Vocals=+1@1:02-1:30", "Vocals", 1.0, Some([62.0, 90.0])),
            ("Vocals=-1,5 dB@62,5-0:01:30.25", "Vocals", -1.5, Some([62.5, 90.25])),
            ("Lead@Home=2", "Lead@Home", 2.0, None),
            ("Lead@Home=2@0-1", "Lead@Home", 2.0, Some([0.0, 1.0])),
            ("a=1@0-1=2@3-4", "a=1@0-1", 2.0, Some([3.0, 4.0])),
            ("a=1@0-1=2", "a=1@0-1", 2.0, None),
        ] {
            assert_eq!(parse_timed_move(text), timed(name, gain, range), "{text}");
        }
        for (text, word) in [
            ("Vocals=1@", "no range"),
            ("Vocals=1@1:02", "no range"),
            ("Vocals=1@1:30-1:02", "ends before"),
            ("Vocals=1@1-1", "ends before"),
            ("Vocals=1@x-2", "write a time"),
            ("Vocals=1@1-2-3", "write a time"),
            ("Vocals=1@-1-3", "write a time"),
            ("Vocals@1-3", "write a stem and a gain"),
            ("Vocals=70@1-3", "±60"),
        ] {
            let said = parse_timed_move(text).expect_err(text);
            assert!(said.contains(word), "{text}: {said}");
        }
        for text in ["Vocals", "Vocals=loud", "=3", "Vocals=nan", "Vocals=61", "Vocals=inf"] {
            assert!(parse_move(text).is_err(), "{text}");
        }
    }
}
