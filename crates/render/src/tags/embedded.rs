//! ID3 in WAV and Vorbis comments in FLAC, written and read back.

use std::io::Cursor;
use std::path::Path;

use audiofile::error::{Error, Result, one_line};
use audiofile::wav::WavReader;
use audiofile::{FlacComments, flac_comments};
use id3::frame::ExtendedText;
use id3::{Tag, TagLike, Version};

use super::FileTags;

/// Name of the chunk that holds ID3.
pub(super) const ID3_CHUNK: [u8; 4] = *b"id3 ";
/// ID3's frame, and the Vorbis comment, of each tag, in the order of [`FileTags::texts`].
const FRAMES: [[&str; 2]; 6] = [
    ["TIT2", "TITLE"],
    ["TPE1", "ARTIST"],
    ["TSRC", "ISRC"],
    ["TBPM", "BPM"],
    ["TKEY", "KEY"],
    // ID3 has no frame for it: TXXX with this description.
    [UPC, UPC],
];
const UPC: &str = "UPC";

impl FileTags {
    /// Texts in the order of [`FRAMES`]; what is not there is empty.
    fn texts(&self) -> [&str; 6] {
        let optional = [&self.isrc, &self.bpm, &self.key, &self.upc];
        let [isrc, bpm, key, upc] = optional.map(|text| text.as_deref().unwrap_or_default());
        [&self.title, &self.artist, isrc, bpm, key, upc]
    }

    fn from_texts(texts: [Option<String>; 6]) -> Self {
        let [title, artist, isrc, bpm, key, upc] = texts;
        let whole = Option::unwrap_or_default;
        Self { title: whole(title), artist: whole(artist), isrc, bpm, key, upc }
    }

    /// As an ID3 2.4 tag. In 2.3 a slash separates several artists, so that AC/DC would be two.
    pub(super) fn id3(&self) -> Vec<u8> {
        let mut tag = Tag::new();
        for ([frame, _], text) in FRAMES.into_iter().zip(self.texts()) {
            if text.is_empty() {
                continue;
            }
            if frame == UPC {
                tag.add_frame(ExtendedText { description: UPC.into(), value: text.into() });
            } else {
                tag.set_text(frame, text);
            }
        }
        let mut bytes = Vec::new();
        // Memory takes all that is written into it.
        let written = tag.write_to(&mut bytes, Version::Id3v24);
        debug_assert!(written.is_ok());
        bytes
    }

    /// As Vorbis comments.
    pub(crate) fn comments(&self) -> FlacComments {
        let texts = FRAMES.into_iter().zip(self.texts()).filter(|(_, text)| !text.is_empty());
        texts.map(|([_, name], text)| (name.to_owned(), text.to_owned())).collect()
    }

    /// Reads the ID3 tag of a WAV file; without one all is empty.
    ///
    /// # Errors
    /// If the file or the tag cannot be read.
    pub(crate) fn read_id3(path: &Path) -> Result<Self> {
        let Some(bytes) = WavReader::open(path)?.chunk(&ID3_CHUNK)? else { return Ok(Self::default()) };
        let tag = Tag::read_from2(Cursor::new(bytes)).map_err(|error| {
            let fault = format!("its ID3 tag is damaged, {}", one_line(&error.to_string()));
            Error::malformed(path, fault, "export it again")
        })?;
        let text = |frame: &str| match frame {
            UPC => tag.extended_texts().find(|text| text.description == UPC).map(|text| text.value.clone()),
            frame => tag.get(frame).and_then(|frame| frame.content().text()).map(str::to_owned),
        };
        Ok(Self::from_texts(FRAMES.map(|[frame, _]| text(frame))))
    }

    /// Reads the Vorbis comments of a FLAC file.
    ///
    /// # Errors
    /// If they cannot be read.
    pub(crate) fn read_comments(path: &Path) -> Result<Self> {
        let comments = flac_comments(path)?;
        let text =
            |name: &str| comments.iter().find(|(other, _)| other == name).map(|(_, text)| text.clone());
        Ok(Self::from_texts(FRAMES.map(|[_, name]| text(name))))
    }

    /// Differences from the tags that were delivered, a clause each; `place` is where these were read.
    pub(crate) fn differences(&self, delivered: &Self, place: &str) -> Vec<String> {
        let word = |text: &str| if text.is_empty() { "none".to_owned() } else { format!("{text:?}") };
        let names = ["title", "artist", "ISRC", "tempo", "key", "UPC"];
        let pairs = names.into_iter().zip(self.texts().into_iter().zip(delivered.texts()));
        let differing = pairs.filter(|(_, (now, then))| now != then);
        let clause = |(name, (now, then)): (&str, (&str, &str))| {
            format!("has the {name} {} in its {place}, {} was delivered", word(now), word(then))
        };
        differing.map(clause).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use audiofile::wav::{StoredFormat, WavSpec, WavWriter};
    use units::Hz;

    #[test]
    fn tags_of_any_text_come_back_from_id3() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("a.wav");
        let some = |text: &str| Some(text.to_owned());
        let full = FileTags {
            title: "Blå \u{1f3b5} / = \"x\"".into(),
            artist: "AC/DC & die Ärzte".into(),
            isrc: some("DEA1B2600001"),
            bpm: some("92.5"),
            key: some("F#m"),
            upc: some("614141007349"),
        };
        let plain = FileTags { title: "Song".into(), ..FileTags::default() };
        for tags in [full.clone(), plain.clone(), FileTags::default()] {
            let chunks = tags.chunks();
            assert_eq!(chunks.is_empty(), tags == FileTags::default());
            let spec = WavSpec { chunks, ..WavSpec::new(Hz(48_000.0), 1, StoredFormat::Int24) };
            let mut writer = WavWriter::create(&path, spec, true).expect("starts");
            writer.write_planar(&[[0.5; 10]]).expect("writes");
            writer.finish().expect("finishes");
            assert_eq!(FileTags::read_id3(&path).expect("reads"), tags);
            assert_eq!(tags.differences(&tags, "ID3"), Vec::<String>::new());
        }
        let differences = plain.differences(&full, "ID3");
        assert_eq!(differences.len(), 6);
        assert_eq!(differences[4], "has the key none in its ID3, \"F#m\" was delivered");
    }
}
