//! Role of a stem in a song. A guessed role never changes sound.

/// The role of a stem.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Role {
    /// Drums and percussion.
    Drums,
    /// Bass.
    Bass,
    /// Guitars, keys and other harmony instruments.
    Keys,
    /// Lead vocals.
    Vocals,
    /// Backing vocals.
    Backing,
    /// Effects, returns, ambience.
    Fx,
    /// Everything else.
    #[default]
    Other,
}

impl Role {
    /// All roles, in the order of menus.
    pub const ALL: [Self; 7] =
        [Self::Drums, Self::Bass, Self::Keys, Self::Vocals, Self::Backing, Self::Fx, Self::Other];

    /// Word in session files.
    pub fn id(self) -> &'static str {
        match self {
            Self::Drums => "drums",
            Self::Bass => "bass",
            Self::Keys => "keys",
            Self::Vocals => "vocals",
            Self::Backing => "backing",
            Self::Fx => "fx",
            Self::Other => "other",
        }
    }

    /// Name in windows and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Drums => "Drums",
            Self::Bass => "Bass",
            Self::Keys => "Keys",
            Self::Vocals => "Vocals",
            Self::Backing => "Backing",
            Self::Fx => "FX",
            Self::Other => "Other",
        }
    }

    /// Returns the role that a name suggests; [`Role::Other`] if none.
    pub fn guess(name: &str) -> Self {
        // In order: "backing vocals" before "vocals", "bass drum" before "bass".
        const WORDS: [(&[&str], Role); 7] = [
            (
                &[
                    "backing",
                    "bgv",
                    "bv",
                    "bvs",
                    "bvox",
                    "bgvs",
                    "choir",
                    "harmony",
                    "harmonies",
                    "doubles",
                    "adlibs",
                ],
                Role::Backing,
            ),
            (
                &[
                    "bassdrum",
                    "drum",
                    "drums",
                    "kit",
                    "kick",
                    "kik",
                    "bd",
                    "snare",
                    "perc",
                    "percussion",
                    "beat",
                    "beats",
                    "hihat",
                    "hat",
                    "hats",
                    "cymbals",
                    "toms",
                    "overheads",
                    "oh",
                    "loop",
                ],
                Role::Drums,
            ),
            (&["bass", "sub", "808", "bassline", "bs"], Role::Bass),
            (
                &[
                    "vocal",
                    "vocals",
                    "vox",
                    "voice",
                    "lead",
                    "leadvox",
                    "singer",
                    "rap",
                    "acapella",
                    "acappella",
                ],
                Role::Vocals,
            ),
            (
                &[
                    "fx", "sfx", "effects", "effect", "riser", "risers", "impact", "impacts", "ambience",
                    "noise", "reverb", "return", "returns", "delay", "atmos", "foley",
                ],
                Role::Fx,
            ),
            (
                &[
                    "key",
                    "keys",
                    "keyboard",
                    "keyboards",
                    "piano",
                    "rhodes",
                    "organ",
                    "synth",
                    "synths",
                    "pad",
                    "pads",
                    "guitar",
                    "guitars",
                    "gtr",
                    "gtrs",
                    "git",
                    "strings",
                    "brass",
                    "horns",
                    "music",
                    "harmonic",
                    "arp",
                    "pluck",
                    "plucks",
                    "instruments",
                    "melody",
                ],
                Role::Keys,
            ),
            (&["other", "rest"], Role::Other),
        ];
        // `LeadVox` counts as one word and as two.
        let lower = format!("{} {}", fold_letters(name), fold_letters(&split_camel_case(name)));
        let words: Vec<&str> =
            lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
        let is = |word: &str, known: &str| {
            word == known
                || word.strip_prefix(known).is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit()))
        };
        if words.windows(2).any(|pair| pair == ["bass", "drum"]) {
            return Self::Drums;
        }
        let hit = WORDS.iter().find(|(known, _)| words.iter().any(|w| known.iter().any(|k| is(w, k))));
        hit.map_or(Self::Other, |(_, role)| *role)
    }
}

/// Name with a space before every capital that follows a lower-case letter.
fn split_camel_case(name: &str) -> String {
    let mut small = false;
    let mut text = String::new();
    for c in name.chars() {
        if small && c.is_uppercase() {
            text.push(' ');
        }
        small = c.is_lowercase();
        text.push(c);
    }
    text
}

/// Name in lower case without accents, precomposed or combining.
fn fold_letters(name: &str) -> String {
    const LETTERS: [(&str, char); 10] = [
        ("\u{e0}\u{e1}\u{e2}\u{e3}\u{e4}\u{e5}", 'a'),
        ("\u{e7}\u{107}\u{10d}", 'c'),
        ("\u{e8}\u{e9}\u{ea}\u{eb}\u{119}\u{11b}", 'e'),
        ("\u{ec}\u{ed}\u{ee}\u{ef}", 'i'),
        ("\u{f1}\u{144}\u{148}", 'n'),
        ("\u{f2}\u{f3}\u{f4}\u{f5}\u{f6}\u{f8}", 'o'),
        ("\u{15b}\u{161}", 's'),
        ("\u{f9}\u{fa}\u{fb}\u{fc}\u{16f}", 'u'),
        ("\u{fd}\u{ff}", 'y'),
        ("\u{17a}\u{17c}\u{17e}", 'z'),
    ];
    let fold = |c: char| LETTERS.iter().find(|(all, _)| all.contains(c)).map_or(c, |(_, letter)| *letter);
    name.to_lowercase().chars().filter(|c| !is_accent(*c)).map(fold).collect()
}

/// True for a combining accent, as macOS writes in file names.
pub fn is_accent(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_guessed_from_the_words_of_a_name() {
        let cases = [
            ("Drums", Role::Drums),
            ("kick 2", Role::Drums),
            ("Bass Drum", Role::Drums),
            ("Bass", Role::Bass),
            ("808", Role::Bass),
            ("Lead Vox", Role::Vocals),
            ("BGV", Role::Backing),
            ("Backing Vocals", Role::Backing),
            ("Gtrs", Role::Keys),
            ("Synth Pad", Role::Keys),
            ("E-Piano", Role::Keys),
            ("FX", Role::Fx),
            ("Reverb Return", Role::Fx),
            ("HihHat", Role::Drums),
            ("LeadVox", Role::Vocals),
            ("SynthBassDrum", Role::Drums),
            ("K\u{e9}ys", Role::Keys),
            ("Ke\u{301}ys", Role::Keys),
            ("CHOEUR \u{c9}FFECT", Role::Fx),
            ("THE BASSIST", Role::Other),
            ("Track 7", Role::Other),
            ("", Role::Other),
        ];
        for (name, role) in cases {
            assert_eq!(Role::guess(name), role, "{name}");
        }
    }
}
