//! The broadcast extension chunk, EBU Tech 3285 version 2.

use units::{Dbtp, Lu, Lufs};

/// Bytes before the coding history.
pub(super) const FIXED: usize = 602;
/// Offset of the five loudness fields.
pub(super) const LOUDNESS_AT: usize = 412;
/// A loudness field that says nothing.
const UNUSED: i16 = 0x7fff;

/// The broadcast extension. Texts are ASCII; what is longer than its field is cut, other characters are
/// written as `?`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bext {
    /// Free text, 256 characters.
    pub description: String,
    /// The originator, at most 32 characters.
    pub originator: String,
    /// A reference of the originator's, 32 characters.
    pub originator_reference: String,
    /// `yyyy-mm-dd`.
    pub date: String,
    /// `hh:mm:ss`.
    pub time: String,
    /// First frame since midnight.
    pub time_reference: u64,
    /// As read; what is written is always version 2.
    pub version: u16,
    /// SMPTE 330M identifier, from version 1 on.
    pub umid: Option<[u8; 64]>,
    /// The loudness fields, from version 2 on.
    pub loudness: Loudness,
    /// One line per process, each ended by CR LF.
    pub coding_history: String,
}

/// The loudness fields, stored in steps of 0.01; what does not exist is stored as unused.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Loudness {
    /// Integrated loudness.
    pub integrated: Option<Lufs>,
    /// Loudness range.
    pub range: Option<Lu>,
    /// Highest true peak.
    pub max_true_peak: Option<Dbtp>,
    /// Highest momentary loudness.
    pub max_momentary: Option<Lufs>,
    /// Highest short-term loudness.
    pub max_short_term: Option<Lufs>,
}

impl Loudness {
    /// The five fields as they lie in the file.
    pub(super) fn bytes(&self) -> [u8; 10] {
        let fields = [
            self.integrated.map(|x| x.0),
            self.range.map(|x| x.0),
            self.max_true_peak.map(|x| x.0),
            self.max_momentary.map(|x| x.0),
            self.max_short_term.map(|x| x.0),
        ];
        let mut bytes = [0; 10];
        for (to, field) in bytes.chunks_exact_mut(2).zip(fields) {
            // Beyond +-99.99 a field is not valid.
            let stored = field
                .filter(|x| x.is_finite())
                .map_or(UNUSED, |x| (x * 100.0).round().clamp(-9999.0, 9999.0) as i16);
            to.copy_from_slice(&stored.to_le_bytes());
        }
        bytes
    }

    fn parse(bytes: &[u8]) -> Self {
        let field = |i: usize| {
            let stored = i16::from_le_bytes([bytes[2 * i], bytes[2 * i + 1]]);
            (stored.unsigned_abs() <= 9999).then(|| f64::from(stored) / 100.0)
        };
        Self {
            integrated: field(0).map(Lufs),
            range: field(1).map(Lu),
            max_true_peak: field(2).map(Dbtp),
            max_momentary: field(3).map(Lufs),
            max_short_term: field(4).map(Lufs),
        }
    }
}

/// The beginning of a line of coding history that names a fault of a file that this one was made from.
const SOURCE_FAULT: &str = "T=Stemlink source fault: ";
/// Lossy coding algorithms of coding histories, and the names of the codecs.
const LOSSY: [(&str, &str); 8] = [
    ("MP3", "MP3"),
    ("AAC", "AAC"),
    ("VORBIS", "Vorbis"),
    ("MPEG1L3", "MP3"),
    ("MPEG2L3", "MP3"),
    ("MPEG1L2", "MPEG layer II"),
    ("MPEG2L2", "MPEG layer II"),
    ("MPEG1L1", "MPEG layer I"),
];

/// The words before the fault of a file that another was made from.
pub(super) const MADE_FROM_FAULTY: &str = "was made from a faulty file: ";

impl Bext {
    /// Adds a fault of a file that this one is made from to the coding history, where it stays with the audio: of what that one
    /// was made from in turn, only the first fault.
    pub fn add_source_fault(&mut self, fault: &str) {
        let fault = fault.rsplit(MADE_FROM_FAULTY).next().unwrap_or(fault);
        let line: String =
            fault.chars().map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' }).collect();
        self.coding_history += &format!("{SOURCE_FAULT}{line}\r\n");
    }

    /// The faults of the files that this one was made from.
    pub fn source_faults(&self) -> impl Iterator<Item = &str> {
        self.coding_history.lines().filter_map(|line| line.trim_end().strip_prefix(SOURCE_FAULT))
    }

    /// Adds the lossy codec of a file that this one is made from to the coding history.
    pub fn add_source_codec(&mut self, codec: &str) {
        self.coding_history += &format!("A={},T=decoded\r\n", codec.to_uppercase());
    }

    /// The lossy codec of a file that this one was made from, if the coding history names one: by its own name or that of
    /// EBU R 98.
    pub fn source_codec(&self) -> Option<&'static str> {
        let lines = self.coding_history.lines();
        let algorithms = lines.filter_map(|line| line.trim().strip_prefix("A=")?.split(',').next());
        algorithms
            .filter_map(|algorithm| {
                LOSSY.iter().find(|(known, _)| algorithm.trim().eq_ignore_ascii_case(known))
            })
            .map(|(_, codec)| *codec)
            .next()
    }

    /// Reads the chunk; `None` if it is shorter than its fixed part.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (fixed, history) = bytes.split_at_checked(FIXED)?;
        let version = u16::from_le_bytes([fixed[346], fixed[347]]);
        let umid: [u8; 64] = fixed[348..LOUDNESS_AT].try_into().expect("64 bytes");
        Some(Self {
            description: text(&fixed[..256]),
            originator: text(&fixed[256..288]),
            originator_reference: text(&fixed[288..320]),
            date: text(&fixed[320..330]),
            time: text(&fixed[330..338]),
            time_reference: u64::from_le_bytes(fixed[338..346].try_into().expect("eight bytes")),
            version,
            umid: (version >= 1 && umid != [0; 64]).then_some(umid),
            loudness: if version >= 2 { Loudness::parse(&fixed[LOUDNESS_AT..]) } else { Loudness::default() },
            coding_history: text(history),
        })
    }

    /// The content of the chunk.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(FIXED + self.coding_history.len());
        for (field, len) in [
            (&self.description, 256),
            (&self.originator, 32),
            (&self.originator_reference, 32),
            (&self.date, 10),
            (&self.time, 8),
        ] {
            let end = bytes.len() + len;
            bytes.extend(ascii(field).take(len));
            bytes.resize(end, 0);
        }
        bytes.extend(self.time_reference.to_le_bytes());
        bytes.extend(2u16.to_le_bytes());
        bytes.extend(self.umid.unwrap_or([0; 64]));
        bytes.extend(self.loudness.bytes());
        bytes.resize(FIXED, 0);
        bytes.extend(ascii(&self.coding_history));
        bytes
    }
}

fn ascii(text: &str) -> impl Iterator<Item = u8> {
    text.chars().map(|c| if c.is_ascii() && c != '\0' { c as u8 } else { b'?' })
}

/// Text up to the first NUL, as UTF-8 if it is that, else as Latin-1.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
    match str::from_utf8(&bytes[..end]) {
        Ok(text) => text.into(),
        Err(_) => bytes[..end].iter().map(|&b| char::from(b)).collect(),
    }
}

#[cfg(test)]
pub(super) fn example() -> Bext {
    Bext {
        description: "Drums".into(),
        originator: "Stemlink".into(),
        originator_reference: "abc-1".into(),
        date: "2026-01-31".into(),
        time: "23:59:59".into(),
        time_reference: 172_800_000_000,
        version: 2,
        umid: Some([7; 64]),
        loudness: Loudness {
            integrated: Some(Lufs(-14.03)),
            range: None,
            max_true_peak: Some(Dbtp(-1.0)),
            max_momentary: Some(Lufs(-9.99)),
            max_short_term: Some(Lufs(-11.5)),
        },
        coding_history: "A=PCM,F=48000,W=24,M=stereo\r\n".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_reads_as_written() {
        assert_eq!(Bext::parse(&example().bytes()), Some(example()));
        let empty = Bext { version: 2, ..Bext::default() };
        assert_eq!(Bext::parse(&empty.bytes()), Some(empty));
    }

    #[test]
    fn fields_lie_where_tech_3285_puts_them() {
        let bytes = example().bytes();
        assert_eq!(bytes.len(), 602 + example().coding_history.len());
        assert_eq!(&bytes[256..264], b"Stemlink");
        assert_eq!(&bytes[320..338], b"2026-01-3123:59:59");
        assert_eq!(bytes[346..348], [2, 0]);
        assert_eq!(bytes[412..414], (-1403i16).to_le_bytes());
        assert_eq!(bytes[414..416], [0xff, 0x7f], "no loudness range");
        assert_eq!(bytes[416..418], (-100i16).to_le_bytes());
        assert_eq!(bytes[422..602], [0; 180]);
    }

    #[test]
    fn texts_are_cut_and_made_ascii() {
        let bext = Bext { originator: "ü".repeat(40), description: "a\0b".into(), ..Bext::default() };
        let back = Bext::parse(&bext.bytes()).expect("is long enough");
        assert_eq!(back.originator, "?".repeat(32));
        assert_eq!(back.description, "a?b");
    }

    #[test]
    fn older_versions_have_no_loudness_and_foreign_text_is_latin() {
        let mut bytes = example().bytes();
        bytes[346] = 1;
        bytes[0] = 0xe9;
        let bext = Bext::parse(&bytes).expect("is long enough");
        assert_eq!(bext.loudness, Loudness::default());
        assert_eq!(bext.description, "\u{e9}rums");
        assert_eq!(Bext::parse(&bytes[..601]), None);
    }

    #[test]
    fn loudness_beyond_the_field_is_clamped_and_infinity_is_unused() {
        let loudness = Loudness {
            integrated: Some(Lufs(-1000.0)),
            range: Some(Lu(f64::INFINITY)),
            ..Loudness::default()
        };
        let bytes = loudness.bytes();
        assert_eq!(bytes[..2], (-9999i16).to_le_bytes());
        assert_eq!(bytes[2..4], UNUSED.to_le_bytes());
    }

    #[test]
    fn a_codec_stays_in_the_coding_history() {
        let mut bext = example();
        assert_eq!(bext.source_codec(), None);
        bext.add_source_codec("Vorbis");
        assert_eq!(bext.source_codec(), Some("Vorbis"));
        bext.coding_history = "A=MPEG1L3,F=44100,B=128,M=stereo\r\nA=PCM,F=44100,W=16\r\n".into();
        assert_eq!(bext.source_codec(), Some("MP3"));
    }
}
