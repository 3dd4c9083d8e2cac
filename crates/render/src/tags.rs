//! Tags of files where their place is documented: in WAV a LIST of type INFO, `axml` for the recording code (EBU Tech 3352) and
//! ID3 2.4; in FLAC Vorbis comments.

mod embedded;

use audiofile::wav::{Chunk, Place};
use serde::{Deserialize, Serialize};

/// Tags of a file; what is empty is not written.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct FileTags {
    /// The title.
    pub title: String,
    /// The artist.
    pub artist: String,
    /// The recording code (ISRC), letters and digits.
    pub isrc: Option<String>,
    /// Beats per minute.
    pub bpm: Option<String>,
    /// The key: `Am`.
    pub key: Option<String>,
    /// The product code (UPC or EAN), digits.
    pub upc: Option<String>,
}

impl FileTags {
    /// Chunks of a WAV: a LIST of type INFO, the code in `axml`, and ID3.
    pub(crate) fn chunks(&self) -> Vec<Chunk> {
        let mut chunks = Vec::new();
        if *self == Self::default() {
            return chunks;
        }
        chunks.push(Chunk { id: embedded::ID3_CHUNK, bytes: self.id3(), place: Place::AfterData });
        if !self.title.is_empty() || !self.artist.is_empty() {
            chunks.push(Chunk { id: *b"LIST", bytes: self.info(), place: Place::AfterData });
        }
        if let Some(code) = &self.isrc {
            chunks.push(Chunk { id: *b"axml", bytes: axml(code).into_bytes(), place: Place::AfterData });
        }
        chunks
    }

    /// Title and artist: INAM and IART.
    fn info(&self) -> Vec<u8> {
        let mut bytes = b"INFO".to_vec();
        for (id, text) in [(b"INAM", &self.title), (b"IART", &self.artist)] {
            if !text.is_empty() {
                bytes.extend(id);
                bytes.extend((text.len() as u32 + 1).to_le_bytes());
                bytes.extend(text.as_bytes());
                bytes.resize(bytes.len() + 1 + (text.len() + 1) % 2, 0);
            }
        }
        bytes
    }
}

/// The recording code, as EBU Tech 3352 has it in `axml`. `code` is letters and digits.
fn axml(code: &str) -> String {
    format!(
        "<ebuCoreMain xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns=\"urn:ebu:metadata-schema:ebucore\"><coreMetadata>\
         <identifier typeLabel=\"GUID\" typeDefinition=\"Globally Unique Identifier\" formatLabel=\"ISRC\" \
         formatDefinition=\"International Standard Recording Code\" \
         formatLink=\"http://www.ebu.ch/metadata/cs/ebu_IdentifierTypeCodeCS.xml#3.7\">\
         <dc:identifier>ISRC:{code}</dc:identifier></identifier></coreMetadata></ebuCoreMain>"
    )
}
