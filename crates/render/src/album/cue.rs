//! Cue sheet of an album: a file for each track, gaps, titles, recording codes.

use std::fmt::Write as _;

/// Frames of a compact disc in a second.
const CD_FRAMES: f64 = 75.0;
/// Tracks that a cue sheet can hold.
pub const MAX_TRACKS: usize = 99;

/// A track of a cue sheet.
pub(super) struct CueTrack<'a> {
    /// Its file, beside the sheet.
    pub(super) file: &'a str,
    /// Its title.
    pub(super) title: &'a str,
    /// Its recording code, letters and digits.
    pub(super) isrc: Option<&'a str>,
    /// Silence before it, seconds.
    pub(super) gap: f64,
}

/// Text of a cue sheet. Lines end as Windows ends them, which every reader takes.
pub(super) fn cue_sheet(title: &str, artist: &str, tracks: &[CueTrack<'_>]) -> String {
    let mut text = String::new();
    if !artist.is_empty() {
        let _ = write!(text, "PERFORMER {}\r\n", quoted(artist));
    }
    let _ = write!(text, "TITLE {}\r\n", quoted(title));
    for (n, track) in tracks.iter().enumerate() {
        let _ = write!(text, "FILE {} WAVE\r\n  TRACK {:02} AUDIO\r\n", quoted(track.file), n + 1);
        let _ = write!(text, "    TITLE {}\r\n", quoted(track.title));
        if !artist.is_empty() {
            let _ = write!(text, "    PERFORMER {}\r\n", quoted(artist));
        }
        if let Some(code) = track.isrc {
            let _ = write!(text, "    ISRC {code}\r\n");
        }
        if track.gap > 0.0 {
            let _ = write!(text, "    PREGAP {}\r\n", cd_time(track.gap));
        }
        text += "    INDEX 01 00:00:00\r\n";
    }
    text
}

/// Seconds as minutes, seconds and frames of a compact disc.
fn cd_time(seconds: f64) -> String {
    let frames = (seconds * CD_FRAMES).round() as u64;
    format!("{:02}:{:02}:{:02}", frames / 4500, frames / 75 % 60, frames % 75)
}

/// `text` in quotes. The format has no escape: a quote inside becomes an apostrophe.
fn quoted(text: &str) -> String {
    let clean = |c: char| match c {
        '"' => '\'',
        c if c.is_control() => ' ',
        c => c,
    };
    format!("\"{}\"", text.chars().map(clean).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_has_files_gaps_and_codes_in_the_order_of_the_format() {
        let tracks = [
            CueTrack { file: "01 One.wav", title: "One", isrc: Some("DEA1B2600001"), gap: 0.0 },
            CueTrack { file: "02 Say _Hi_.wav", title: "Say \"Hi\"", isrc: None, gap: 62.51 },
        ];
        let lines = [
            "PERFORMER \"X\"",
            "TITLE \"Album\"",
            "FILE \"01 One.wav\" WAVE",
            "  TRACK 01 AUDIO",
            "    TITLE \"One\"",
            "    PERFORMER \"X\"",
            "    ISRC DEA1B2600001",
            "    INDEX 01 00:00:00",
            "FILE \"02 Say _Hi_.wav\" WAVE",
            "  TRACK 02 AUDIO",
            "    TITLE \"Say 'Hi'\"",
            "    PERFORMER \"X\"",
            "    PREGAP 01:02:38",
            "    INDEX 01 00:00:00",
        ];
        assert_eq!(cue_sheet("Album", "X", &tracks), lines.map(|line| format!("{line}\r\n")).concat());
        assert!(!cue_sheet("Album", "", &tracks).contains("PERFORMER"));
    }
}
