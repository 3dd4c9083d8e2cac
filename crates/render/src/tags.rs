//! Title, artist and recording code where WAV has a place for them.

use audiofile::wav::{Chunk, Place};

/// Tags of a file; what is empty is not written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileTags {
    /// The title.
    pub title: String,
    /// The artist.
    pub artist: String,
    /// The recording code (ISRC), letters and digits.
    pub isrc: Option<String>,
}

impl FileTags {
    /// Chunks of a WAV: a LIST of type INFO, and the code in `axml`.
    pub(crate) fn chunks(&self) -> Vec<Chunk> {
        let mut chunks = Vec::new();
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
