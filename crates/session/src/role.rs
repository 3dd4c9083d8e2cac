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
        Self::of_words(&said_words(name))
    }

    /// Roles of names that stand together. Words that all of them have, such as a song's title, say nothing about one of
    /// them, unless they agree with what the others say: `Vocals main` and `Vocals double` are both voices.
    pub fn guess_all(names: &[&str]) -> Vec<Self> {
        let rests = without_shared_words(names);
        let roles: Vec<Self> = rests.iter().map(|rest| Self::guess(rest)).collect();
        let whole = names.iter().map(|name| Self::guess(name));
        whole
            .zip(&roles)
            .map(|(whole, &own)| {
                let agree = || {
                    roles.iter().all(|role| {
                        *role == Self::Other
                            || role.is_voice() == whole.is_voice() && (whole.is_voice() || *role == whole)
                    })
                };
                if own == Self::Other && agree() { whole } else { own }
            })
            .collect()
    }

    /// True for lead and backing voices.
    pub fn is_voice(self) -> bool {
        matches!(self, Self::Vocals | Self::Backing)
    }

    fn of_words(words: &[String]) -> Self {
        let has = |known: &[&str]| words.iter().any(|word| known.iter().any(|known| is_word(word, known)));
        let pair = |first: &str, second: &str| words.windows(2).any(|w| w[0] == first && w[1] == second);
        let instrument = || {
            let drums = DRUMS.map(|known| (known, Self::Drums));
            (drums.into_iter())
                .chain([(BASS, Self::Bass), (KEYS, Self::Keys)])
                .find(|(known, _)| has(known))
                .map(|(_, role)| role)
        };
        let is_instrumental = has(INSTRUMENTAL) || pair("backing", "track") || pair("backing", "tracks");
        match () {
            () if pair("bass", "drum") => Self::Drums,
            () if !is_instrumental && has(BACKING) => Self::Backing,
            // "Backing Guitars", "Choir Pad" and "Guitar Doubles" are no voices, nor is "Lead Guitar".
            () if !is_instrumental && has(BACKING_PART) => {
                if has(VOICE) {
                    Self::Backing
                } else {
                    instrument().unwrap_or(Self::Backing)
                }
            }
            () if !is_instrumental && has(VOICE) => Self::Vocals,
            () if !is_instrumental && has(LEAD) => instrument().unwrap_or(Self::Vocals),
            () if DRUMS.into_iter().any(has) => Self::Drums,
            () if has(BASS) => Self::Bass,
            () if has(FX) => Self::Fx,
            () if has(KEYS) => Self::Keys,
            () if has(LOOPS) => Self::Drums,
            () => Self::Other,
        }
    }
}

/// Backing voices, whatever else the name says.
const BACKING: &[&str] =
    &["bgv", "bgvs", "bgvox", "bgvocals", "bv", "bvs", "bvox", "bvx", "bkv", "adlib", "adlibs", "coro"];
/// Backing voices, or a part of an instrument that the name says too.
const BACKING_PART: &[&str] =
    &["backing", "choir", "chor", "harmony", "harmonies", "harms", "double", "doubles", "dbl", "dbls"];
const VOICE: &[&str] = &[
    "vocal",
    "vocals",
    "vox",
    "vx",
    "voc",
    "vocs",
    "voice",
    "voices",
    "leadvox",
    "leadvocal",
    "leadvocals",
    "lv",
    "ldvox",
    "singer",
    "sing",
    "rap",
    "acapella",
    "acappella",
    "gesang",
    "stimme",
    "voz",
    "voces",
    "voix",
    "chant",
];
/// A lead voice, or a part of an instrument that the name says too.
const LEAD: &[&str] = &["lead", "leads", "ld"];
/// Drums: kits and others, low ones, high ones.
const DRUMS: [&[&str]; 3] = [OTHER_DRUMS, LOW_DRUMS, HIGH_DRUMS];
/// Whole kits, and drums that may go below 120 Hz.
const OTHER_DRUMS: &[&str] = &[
    "drum",
    "drums",
    "drm",
    "drms",
    "drumkit",
    "kit",
    "beat",
    "beats",
    "conga",
    "congas",
    "cajon",
    "djembe",
    "tabla",
    "schlagzeug",
    "bateria",
    "batterie",
];
/// Drums with nothing to speak of below 120 Hz.
const HIGH_DRUMS: &[&str] = &[
    "snare",
    "snares",
    "snr",
    "sn",
    "sd",
    "perc",
    "percs",
    "percussion",
    "percussions",
    "hihat",
    "hihats",
    "hh",
    "hat",
    "hats",
    "ride",
    "crash",
    "cymbal",
    "cymbals",
    "overhead",
    "overheads",
    "oh",
    "ohs",
    "clap",
    "claps",
    "handclap",
    "handclaps",
    "snap",
    "snaps",
    "fingersnap",
    "fingersnaps",
    "shaker",
    "shakers",
    "tamb",
    "tambo",
    "tambourine",
    "cowbell",
    "clave",
    "claves",
    "woodblock",
    "rim",
    "rimshot",
    "sidestick",
    "bongo",
    "bongos",
    "timbales",
    "maracas",
    "cabasa",
    "guiro",
    "triangle",
];
/// Drums that reach down to 60 Hz, whatever else the name says.
const LOW_DRUMS: &[&str] = &[
    "bassdrum", "kick", "kicks", "kik", "kck", "bd", "kd", "tom", "toms", "floortom", "racktom", "stomp",
    "stomps", "taiko", "timpani",
];
const BASS: &[&str] = &[
    "bass",
    "basses",
    "sub",
    "subs",
    "subbass",
    "808",
    "808s",
    "bassline",
    "bs",
    "bassgtr",
    "bassguitar",
    "bassslap",
    "slapbass",
    "fingerbass",
    "basssynth",
    "synthbass",
    "acidbass",
    "doublebass",
    "contrabass",
    "bajo",
];
const FX: &[&str] = &[
    "fx",
    "sfx",
    "effects",
    "effect",
    "riser",
    "risers",
    "impact",
    "impacts",
    "ambience",
    "noise",
    "reverb",
    "verb",
    "return",
    "returns",
    "delay",
    "delays",
    "atmos",
    "atmo",
    "foley",
    "sweep",
    "sweeps",
    "downlifter",
    "uplifter",
];
const KEYS: &[&str] = &[
    "key",
    "keys",
    "keyboard",
    "keyboards",
    "piano",
    "pianos",
    "pno",
    "epiano",
    "rhodes",
    "wurli",
    "wurlitzer",
    "clav",
    "clavinet",
    "organ",
    "organs",
    "hammond",
    "synth",
    "synths",
    "syn",
    "pad",
    "pads",
    "guitar",
    "guitars",
    "gtr",
    "gtrs",
    "gt",
    "git",
    "gitarre",
    "guit",
    "guits",
    "guitarra",
    "guitare",
    "acgtr",
    "agtr",
    "egtr",
    "elgtr",
    "acoustic",
    "strat",
    "tele",
    "mandolin",
    "banjo",
    "ukulele",
    "uke",
    "sitar",
    "harp",
    "strings",
    "string",
    "violin",
    "violins",
    "viola",
    "violas",
    "cello",
    "celli",
    "cellos",
    "fiddle",
    "orchestra",
    "brass",
    "horn",
    "horns",
    "sax",
    "saxes",
    "saxophone",
    "trumpet",
    "trumpets",
    "tpt",
    "trombone",
    "trombones",
    "flute",
    "flutes",
    "clarinet",
    "oboe",
    "bells",
    "glockenspiel",
    "marimba",
    "vibes",
    "vibraphone",
    "xylophone",
    "accordion",
    "harmonica",
    "mellotron",
    "music",
    "harmonic",
    "arp",
    "arps",
    "pluck",
    "plucks",
    "chord",
    "chords",
    "stab",
    "stabs",
    "saw",
    "saws",
    "moog",
    "instruments",
    "melody",
    "melodies",
    "klavier",
    "streicher",
];
/// Loops of what the name does not say are mostly drums.
const LOOPS: &[&str] = &["loop", "loops", "break", "breaks", "breakbeat"];
/// The song without its voices.
const INSTRUMENTAL: &[&str] = &["instrumental", "instrumentals", "karaoke", "playback"];
/// Words that take away what follows.
const NEGATIONS: &[&str] =
    &["no", "non", "minus", "without", "wo", "sans", "ohne", "sin", "senza", "less", "excl"];
/// Words that take away what stands before.
const REMOVALS: &[&str] = &["off", "muted", "removed"];

/// True if a word is a known one, with or without a number behind.
fn is_word(word: &str, known: &str) -> bool {
    word.strip_prefix(known).is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit()))
}

/// True if a name says drums of the kinds that have nothing to speak of below 120 Hz, and no others: hats, cymbals, claps.
pub fn is_high_drum(name: &str) -> bool {
    let words = said_words(name);
    let has = |known: &[&str]| words.iter().any(|word| known.iter().any(|known| is_word(word, known)));
    let is_bass_drum = words.windows(2).any(|w| w[0] == "bass" && w[1] == "drum");
    has(HIGH_DRUMS) && !has(LOW_DRUMS) && !has(BASS) && !is_bass_drum
}

/// True if a word says what is in a stem.
fn says_role(word: &str) -> bool {
    [BACKING, BACKING_PART, VOICE, LEAD, BASS, FX, KEYS, LOOPS]
        .iter()
        .chain(&DRUMS)
        .any(|list| list.iter().any(|known| is_word(word, known)))
}

/// Words of a name, without those that it says are not there. `LeadVox` counts as one word and as two.
fn said_words(name: &str) -> Vec<String> {
    let mut said = present_words(&fold_letters(name));
    said.extend(present_words(&fold_letters(&split_camel_case(name))));
    said
}

/// Words of a folded name, without `vocals` in `no vocals`, `novocals`, `minus lead vocals` and `vocals off`.
fn present_words(name: &str) -> Vec<String> {
    let name = name.replace("w/o", " without ");
    let mut present: Vec<String> = Vec::new();
    let mut negated = false;
    for word in name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let takes_away = |word: &str| {
            word.strip_prefix("no").is_some_and(says_role)
                || word
                    .strip_suffix("less")
                    .is_some_and(|rest| says_role(rest) || says_role(&format!("{rest}s")))
        };
        if NEGATIONS.contains(&word) {
            negated = true;
        } else if says_role(word) && negated {
            // All of "no lead vocals".
        } else if REMOVALS.contains(&word) {
            while present.last().is_some_and(|last| says_role(last)) {
                present.pop();
            }
        } else {
            negated = false;
            if !takes_away(word) {
                present.push(word.to_owned());
            }
        }
    }
    present
}

/// Names without the words that all of them have, as often as all have them, in lower case. A name that shares no word
/// with any other is left out of the comparison. Nothing is shared unless more than half of the names are compared and they
/// are not all one: `Snare 1` and `Snare 2` among others have no title.
pub fn without_shared_words(names: &[&str]) -> Vec<String> {
    let words: Vec<Vec<String>> = names
        .iter()
        .map(|name| fold_letters(name))
        .map(|name| {
            name.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_owned).collect()
        })
        .collect();
    let is_number = |word: &str| word.chars().all(|c| c.is_ascii_digit());
    let related = |own: usize| {
        let others = words.iter().enumerate().filter(|(other, _)| *other != own);
        others.flat_map(|(_, words)| words).any(|word| !is_number(word) && words[own].contains(word))
    };
    let compared: Vec<&Vec<String>> =
        (0..words.len()).filter(|own| related(*own)).map(|own| &words[own]).collect();
    let count = |words: &[String], word: &String| words.iter().filter(|other| *other == word).count();
    let has_title = 2 * compared.len() > words.len() && compared.iter().any(|other| *other != compared[0]);
    let shared = |word: &String| {
        let all = || compared.iter().map(|words| count(words, word)).min().unwrap_or(0);
        if has_title { all() } else { 0 }
    };
    let rest = |own: &Vec<String>| {
        let mut rest: Vec<&str> = Vec::new();
        for (index, word) in own.iter().enumerate() {
            if count(&own[..index], word) >= shared(word) {
                rest.push(word);
            }
        }
        rest.join(" ")
    };
    words.iter().map(rest).collect()
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
            ("Lead Guitar", Role::Keys),
            ("Guitar Lead 2", Role::Keys),
            ("Synth_Lead", Role::Keys),
            ("LeadSynth", Role::Keys),
            ("Lead 808", Role::Bass),
            ("Lead", Role::Vocals),
            ("Lead Verb", Role::Vocals),
            ("Lead Vox Gtr Amp", Role::Vocals),
            ("Backing Guitars", Role::Keys),
            ("Choir Pad", Role::Keys),
            ("Choir", Role::Backing),
            ("Vocal Doubles", Role::Backing),
            ("Guitar Doubles", Role::Keys),
            ("Tom 1", Role::Drums),
            ("Toms", Role::Drums),
            ("Claps", Role::Drums),
            ("Shaker", Role::Drums),
            ("Guitar Loop", Role::Keys),
            ("Loop 3", Role::Drums),
            ("no_vocals", Role::Other),
            ("No Lead Vocals", Role::Other),
            ("Song minus vocals", Role::Other),
            ("Vocals removed", Role::Other),
            ("novox", Role::Other),
            ("w/o Vox", Role::Other),
            ("without drums bass", Role::Other),
            ("bassslap01", Role::Bass),
            ("Synthbass", Role::Bass),
            ("Drums no kick", Role::Drums),
            ("Vox No 2", Role::Vocals),
            ("No. 1 Vocals", Role::Vocals),
            ("Instrumental", Role::Other),
            ("Vocals Instrumental", Role::Other),
            ("Backing Track", Role::Other),
            ("THE BASSIST", Role::Other),
            ("Track 7", Role::Other),
            ("", Role::Other),
        ];
        for (name, role) in cases {
            assert_eq!(Role::guess(name), role, "{name}");
        }
    }

    #[test]
    fn words_of_all_names_say_nothing_about_one() {
        let roles = |names: &[&str]| Role::guess_all(names);
        let title = ["Vocal Science - Drums", "Vocal Science - Bass", "Vocal Science - Thing", "ref"];
        assert_eq!(roles(&title), [Role::Drums, Role::Bass, Role::Other, Role::Other]);
        assert_eq!(roles(&["vocals", "no_vocals"]), [Role::Vocals, Role::Other]);
        assert_eq!(roles(&["Vox 1", "Vox 2"]), [Role::Vocals, Role::Vocals]);
        assert_eq!(roles(&["Vocals main", "Vocals double"]), [Role::Vocals, Role::Backing]);
        assert_eq!(roles(&["Drums Kick", "Drums Room"]), [Role::Drums, Role::Drums]);
        assert_eq!(roles(&["Drums"]), [Role::Drums]);
        let [drums, bass] = [Role::Drums, Role::Bass];
        assert_eq!(roles(&["kick02", "kick02", "Bass", "Snare"]), [drums, drums, bass, drums]);
        assert_eq!(roles(&["Kick", "Snare 1", "Snare 2", "Bass"]), [drums, drums, drums, bass]);
        assert_eq!(roles(&[]), []);
    }

    #[test]
    fn hats_and_claps_are_high_drums_and_kits_and_kicks_are_not() {
        for name in
            ["HiHat", "Hats 2", "OH L", "Drums Overheads", "Claps", "Shaker", "Snare Top", "Perc", "OpenHat"]
        {
            assert!(is_high_drum(name), "{name}");
        }
        for name in [
            "Drums",
            "Kick",
            "Kick + Hats",
            "Toms",
            "Floor Tom",
            "808 Clap",
            "Drumkit",
            "Bass Drum",
            "Beat",
            "",
        ] {
            assert!(!is_high_drum(name), "{name}");
        }
    }
}
