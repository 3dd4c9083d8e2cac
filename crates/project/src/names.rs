//! Names of delivered files.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::reserved::unreserved_name;
use super::setting_fault::SettingFault;
use units::Hz;

/// The longest name of a file in bytes, without its ending.
const MAX_NAME_BYTES: usize = 120;
/// The longest title of the short form, as the Recording Academy's Producers & Engineers Wing asks.
const MAX_SHORT_TITLE: usize = 14;

/// A scheme of file names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Names {
    /// `Title_Instrumental.wav`.
    #[default]
    Plain,
    /// `AI_Title_EN_Instrumental_48k24.wav`: artist's initials, short title, engineer and revision, version, format, without
    /// spaces and accents.
    Academy,
    /// A template of the user's own.
    Own(String),
}

/// Parts of a name.
#[derive(Clone, Debug, Default)]
pub struct NameParts<'a> {
    /// The song.
    pub title: &'a str,
    /// The artist.
    pub artist: &'a str,
    /// The mastering engineer's initials and the revision: `EN2`.
    pub engineer: &'a str,
    /// `Instrumental`, `30s`, `01 Drums Stem`.
    pub version: &'a str,
    /// `48k24`.
    pub format: &'a str,
    /// Beats per minute.
    pub bpm: &'a str,
    /// `Am`.
    pub key: &'a str,
    /// The file's recording code.
    pub isrc: &'a str,
}

/// The words that a template may hold.
const TOKENS: [&str; 10] =
    ["title", "short", "artist", "initials", "engineer", "version", "format", "bpm", "key", "isrc"];

impl Names {
    /// The template in words: `plain`, `academy`, or tokens in braces.
    ///
    /// # Errors
    /// If it could not name files.
    pub fn parse(text: &str) -> Result<Self, SettingFault> {
        match text {
            "plain" => return Ok(Self::Plain),
            "academy" => return Ok(Self::Academy),
            _ => {}
        }
        let refuse =
            |fault: &str, remedy: &str| Err(SettingFault::new(format!("names {text:?} {fault}"), remedy));
        if text.contains(['/', '\\']) {
            return refuse("name a folder", "leave out / and \\: files go to the output folder");
        }
        let mut rest = text;
        while let Some((_, after)) = rest.split_once('{') {
            let Some((token, later)) = after.split_once('}') else {
                return refuse("lack a }", "close every brace");
            };
            if !TOKENS.contains(&token) {
                return refuse(
                    &format!("hold {{{token}}}"),
                    &format!("it takes {{{}}}", TOKENS.join("}, {")),
                );
            }
            rest = later;
        }
        if !text.contains("{version}") {
            return refuse(
                "give all files one name",
                "write plain, academy, or a template with {version} in it",
            );
        }
        Ok(Self::Own(text.to_owned()))
    }

    /// The first word of a template that has no value: `bpm`. The schemes that are not templates leave out what is not known.
    pub fn missing(&self, words: &NameParts<'_>) -> Option<&'static str> {
        let Self::Own(template) = self else { return None };
        let held = TOKENS.into_iter().filter(|token| template.contains(&format!("{{{token}}}")));
        held.into_iter().find(|token| value(token, words).is_empty())
    }

    /// The name of a file without its ending: one component of a path, whatever the words are.
    pub fn name(&self, words: &NameParts<'_>) -> String {
        match self {
            Self::Plain => file_name_from(&joined([words.title, words.version])),
            Self::Academy => file_name_from(&joined([
                &plain(&initials(words.artist)),
                &short(words.title),
                &plain(words.engineer),
                &plain(words.version),
                words.format,
            ])),
            Self::Own(template) => file_name_from(&fill(template, words)),
        }
    }
}

/// Those that are not empty, with `_` between.
fn joined<const N: usize>(parts: [&str; N]) -> String {
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("_")
}

fn fill(template: &str, words: &NameParts<'_>) -> String {
    let mut name = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (token, later) = after.split_once('}').unwrap_or((after, ""));
        name.push_str(before);
        let value = value(token, words);
        name.push_str(&value);
        rest = later;
        if value.is_empty() {
            // One separator goes with it.
            let separators = [' ', '_', '-', '.', ','];
            let shorter = rest.trim_start_matches(separators);
            if name.is_empty() || name.ends_with(separators) {
                rest = shorter;
            }
            if rest.is_empty() {
                name.truncate(name.trim_end_matches(separators).len());
            }
        }
    }
    name + rest
}

/// The text in place of a word of a template.
fn value<'a>(token: &str, words: &NameParts<'a>) -> Cow<'a, str> {
    match token {
        "title" => words.title.into(),
        "short" => short(words.title).into(),
        "artist" => words.artist.into(),
        "initials" => initials(words.artist).into(),
        "engineer" => words.engineer.into(),
        "version" => words.version.into(),
        "bpm" => words.bpm.into(),
        "key" => words.key.into(),
        "isrc" => words.isrc.into(),
        _ => words.format.into(),
    }
}

/// Rate and depth as a word of a name: `48k24`, `44k16`, `96k32f`. `bits` is the end of it.
pub fn format_label(rate: Hz, bits: &str) -> String {
    let kilo = rate.0 / 1000.0;
    let mut word = String::new();
    // 44.1 kHz is called 44k, as everywhere.
    let _ = write!(word, "{}k{bits}", kilo.floor());
    word
}

/// `text` as a file name that is valid on every system: one component, not hidden, at most 120 bytes and the underscore
/// of a name that Windows reserves.
pub fn file_name_from(text: &str) -> String {
    unreserved_name(&name_text_from(text))
}

/// `text` as a part of a file name: as [`file_name_from`], but a name that Windows reserves stays, as it is one no more with
/// the rest behind it.
pub fn name_text_from(text: &str) -> String {
    let bad = |c: char| c.is_control() || "/\\:*?\"<>|".contains(c) || is_direction(c);
    let clean: String = text.chars().map(|c| if bad(c) { '_' } else { c }).collect();
    let mut name = String::new();
    for c in clean.trim_matches(['.', ' ']).chars() {
        if name.len() + c.len_utf8() > MAX_NAME_BYTES {
            break;
        }
        name.push(c);
    }
    let name = name.trim_matches(['.', ' ']);
    if name.is_empty() { "Song".into() } else { name.into() }
}

/// Characters that turn the direction of text, or cannot be seen.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The first letters of the words.
fn initials(artist: &str) -> String {
    let words = artist.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.filter_map(|word| word.chars().next()).flat_map(char::to_uppercase).collect()
}

/// The title without spaces and accents, every word's first letter large, less than 15 characters.
fn short(title: &str) -> String {
    plain(title).chars().take(MAX_SHORT_TITLE).collect()
}

/// Words of ASCII letters and digits, a space between them: accents left out, letters that have no Latin form too. What is
/// composed of a letter and a mark, as macOS stores names, gives the same as one character.
pub fn ascii_words(text: &str) -> String {
    let text = compose(text);
    let words = text
        .split(|c: char| !c.is_alphanumeric())
        .map(|word| word.chars().filter_map(unaccented).collect::<String>());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Puts letters and the marks behind them together, as far as [`unaccented`] tells them from the bare letter; other marks are
/// left out.
fn compose(text: &str) -> String {
    const MARKS: core::ops::RangeInclusive<char> = '\u{300}'..='\u{36f}';
    const DIAERESIS: char = '\u{308}';
    let mut composed = String::with_capacity(text.len());
    for c in text.chars() {
        if !MARKS.contains(&c) {
            composed.push(c);
            continue;
        }
        let umlaut = composed.chars().last().filter(|_| c == DIAERESIS).and_then(|letter| match letter {
            'A' => Some('Ä'),
            'O' => Some('Ö'),
            'U' => Some('Ü'),
            'a' => Some('ä'),
            'o' => Some('ö'),
            'u' => Some('ü'),
            _ => None,
        });
        if let Some(umlaut) = umlaut {
            composed.pop();
            composed.push(umlaut);
        }
    }
    composed
}

/// Letters and digits only: words run together, accents left out.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for word in compose(text).split(|c: char| !c.is_alphanumeric() && c != '-') {
        for (i, c) in word.chars().filter_map(unaccented).flat_map(str::chars).enumerate() {
            plain.push(if i == 0 { c.to_ascii_uppercase() } else { c });
        }
    }
    plain
}

/// A Latin letter as ASCII; none for what has no such form.
fn unaccented(c: char) -> Option<&'static str> {
    const ASCII: &str = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const LATIN: [(&str, &str); 26] = [
        ("ÀÁÂÃÅĀĂĄ", "A"),
        ("ÄÆ", "Ae"),
        ("ÇĆČ", "C"),
        ("ĎĐÐ", "D"),
        ("ÈÉÊËĒĘĚĖ", "E"),
        ("Ğ", "G"),
        ("ÌÍÎÏĪİ", "I"),
        ("Ł", "L"),
        ("ÑŃŇ", "N"),
        ("ÒÓÔÕŌŐ", "O"),
        ("ÖØŒ", "Oe"),
        ("ŚŠŞȘ", "S"),
        ("ÙÚÛŪŮŰ", "U"),
        ("àáâãåāăą", "a"),
        ("äæ", "ae"),
        ("çćč", "c"),
        ("ďđð", "d"),
        ("èéêëēęěė", "e"),
        ("ğ", "g"),
        ("ìíîïīı", "i"),
        ("ł", "l"),
        ("ñńň", "n"),
        ("òóôõōő", "o"),
        ("öøœ", "oe"),
        ("śšşș", "s"),
        ("ùúûūůű", "u"),
    ];
    const REST: [(&str, &str); 12] = [
        ("Ü", "Ue"),
        ("ü", "ue"),
        ("ß", "ss"),
        ("ÝŸ", "Y"),
        ("ýÿ", "y"),
        ("ŹŻŽ", "Z"),
        ("źżž", "z"),
        ("ŢȚŤ", "T"),
        ("ţțť", "t"),
        ("Ř", "R"),
        ("ř", "r"),
        ("Þþ", "th"),
    ];
    if let Some(at) = ASCII.find(c) {
        return Some(&ASCII[at..=at]);
    }
    LATIN.iter().chain(&REST).find(|(letters, _)| letters.contains(c)).map(|(_, ascii)| *ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> NameParts<'static> {
        NameParts {
            title: "Über den Wolken, again",
            artist: "Änne & the Bees",
            engineer: "jk2",
            version: "TV Mix",
            format: "48k24",
            ..NameParts::default()
        }
    }

    #[test]
    fn a_word_without_a_value_is_named_or_left_out_with_its_separator() {
        let full = NameParts { bpm: "92.5", key: "F#m", isrc: "DEA1B2600001", ..words() };
        for (template, missing, name, bare) in [
            ("{isrc}_{version}", "isrc", "DEA1B2600001_TV Mix", "TV Mix"),
            ("{version} {bpm} {key}", "bpm", "TV Mix 92.5 F#m", "TV Mix"),
            ("{version} - {key} - {format}", "key", "TV Mix - F#m - 48k24", "TV Mix - 48k24"),
            ("{version}", "", "TV Mix", "TV Mix"),
        ] {
            let names = Names::parse(template).expect("is a template");
            assert_eq!(names.missing(&full), None);
            assert_eq!(names.missing(&words()).unwrap_or_default(), missing);
            assert_eq!((names.name(&full).as_str(), names.name(&words()).as_str()), (name, bare));
        }
        assert_eq!(Names::Academy.missing(&NameParts::default()), None);
    }

    #[test]
    fn the_templates_name_as_they_say() {
        assert_eq!(Names::Plain.name(&words()), "Über den Wolken, again_TV Mix");
        assert_eq!(Names::Academy.name(&words()), "AeTB_UeberDenWolken_Jk2_TVMix_48k24");
        let own = Names::parse("{artist} - {title} ({version}) {initials}{engineer}{short}{format}");
        let name = own.map(|names| names.name(&words())).unwrap_or_default();
        assert_eq!(name, "Änne & the Bees - Über den Wolken, again (TV Mix) ÄTBjk2UeberDenWolken48k24");
        let bare = NameParts { title: "A", version: "Master", ..NameParts::default() };
        assert_eq!(Names::Academy.name(&bare), "A_Master", "what is not known is left out");
    }

    #[test]
    fn a_template_that_cannot_name_files_is_refused() {
        for (text, word) in [
            ("{title}", "one name"),
            ("a/{version}", "folder"),
            ("..\\{version}", "folder"),
            ("{version} {date}", "{date}"),
            ("{version", "lack a }"),
        ] {
            let SettingFault { fault, remedy } = Names::parse(text).expect_err(text);
            assert!(fault.contains(word) && !remedy.is_empty(), "{fault}");
        }
    }

    #[test]
    fn no_word_leads_out_of_the_folder() {
        for evil in
            ["../../etc/passwd", "..", ".", "", "C:\\x", "a\0b", "\u{202e}gpj", "/", ".hidden", "con\n"]
        {
            for names in [Names::Plain, Names::Academy, Names::Own("{title}{artist}{version}".into())] {
                let words = NameParts {
                    title: evil,
                    artist: evil,
                    version: evil,
                    engineer: evil,
                    format: "",
                    ..NameParts::default()
                };
                let name = names.name(&words);
                let path = std::path::Path::new(&name);
                assert_eq!(path.components().count(), 1, "{evil:?}: {name:?}");
                assert_eq!(path.file_name().and_then(|n| n.to_str()), Some(name.as_str()), "{evil:?}");
                assert!(!name.starts_with('.') && !name.contains(char::is_control), "{evil:?}: {name:?}");
            }
        }
        assert!(file_name_from(&"ü".repeat(500)).len() <= MAX_NAME_BYTES);
    }

    #[test]
    fn no_name_is_one_that_windows_reserves() {
        for reserved in ["CON", "nul", "Aux.", " lpt1 ", "COM\u{b9}", "prn.mix"] {
            for names in [Names::Plain, Names::Academy, Names::Own("{version}".into())] {
                let alone = NameParts { version: reserved, ..NameParts::default() };
                let name = names.name(&alone);
                assert!(!crate::reserved::is_reserved(&name), "{reserved:?}: {name:?}");
            }
        }
        assert_eq!(
            (file_name_from("nul"), file_name_from("NUL_Master")),
            ("nul_".into(), "NUL_Master".into())
        );
    }

    #[test]
    fn composed_and_decomposed_names_give_the_same_ascii_words() {
        for (text, words) in [
            ("Gesang U\u{308}bung", "Gesang Uebung"),
            ("Gesang \u{dc}bung", "Gesang Uebung"),
            ("Voce e\u{301} piano_2", "Voce e piano 2"),
            ("Łódź & Ñandú", "Lodz Nandu"),
            ("\u{5e2}\u{5d1}\u{5e8}", ""),
            ("../../etc/passwd\n\u{202e}", "etc passwd"),
        ] {
            assert_eq!(ascii_words(text), words, "{text}");
        }
    }

    #[test]
    fn formats_are_words() {
        assert_eq!(format_label(Hz(44_100.0), "16"), "44k16");
        assert_eq!(format_label(Hz(96_000.0), "32f"), "96k32f");
    }
}
