//! Text of a fixed size, without control characters: names of tracks and hosts, and short explanations.

/// Bytes of a name.
pub const NAME_BYTES: usize = 64;

/// UTF-8 text of at most `BYTES` bytes, a multiple of eight, without control characters. A name if no size is given.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Text<const BYTES: usize = NAME_BYTES> {
    /// UTF-8, padded with zeros.
    bytes: [u8; BYTES],
}

impl<const BYTES: usize> Text<BYTES> {
    /// Copies `text` up to the last character that fits; control characters become spaces. Does not allocate.
    pub fn new(text: &str) -> Self {
        let mut bytes = [0; BYTES];
        let mut length = 0;
        for character in text.chars() {
            let character = if character.is_control() { ' ' } else { character };
            let end = length + character.len_utf8();
            let Some(space) = bytes.get_mut(length..end) else { break };
            character.encode_utf8(space);
            length = end;
        }
        Self { bytes }
    }

    /// The text without its padding.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.bytes[..length(&self.bytes)]).unwrap_or_default()
    }

    /// The text as `BYTES / 8` little-endian words.
    pub(super) fn words(&self) -> impl Iterator<Item = u64> {
        self.bytes.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes))
    }

    /// Text from `BYTES / 8` little-endian words; `None` unless they are UTF-8. Bytes after the first zero are
    /// ignored, control characters become spaces.
    #[inline]
    pub(super) fn from_words(words: &[u64]) -> Option<Self> {
        let mut bytes = [0; BYTES];
        let (chunks, _) = bytes.as_chunks_mut::<8>();
        let mut is_printable_ascii = true;
        for (chunk, &word) in chunks.iter_mut().zip(words) {
            let end = length_in(word);
            let padding = u64::MAX.checked_shl(8 * end).unwrap_or(0);
            *chunk = (word & !padding).to_le_bytes();
            is_printable_ascii &= is_printable(word & !padding | SPACES & padding);
            if end < 8 {
                break;
            }
        }
        if is_printable_ascii {
            // most names: no need to look at single characters
            return Some(Self { bytes });
        }
        core::str::from_utf8(&bytes[..length(&bytes)]).ok().map(Self::new)
    }
}

impl<const BYTES: usize> Default for Text<BYTES> {
    fn default() -> Self {
        Self { bytes: [0; BYTES] }
    }
}

impl<const BYTES: usize> core::fmt::Debug for Text<BYTES> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.as_str().fmt(f)
    }
}

impl<const BYTES: usize> core::fmt::Display for Text<BYTES> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.as_str().fmt(f)
    }
}

/// The value 1 in each byte.
const ONES: u64 = u64::from_le_bytes([1; 8]);
/// A space in each byte.
const SPACES: u64 = u64::from_le_bytes([b' '; 8]);
/// The control character DEL in each byte.
const DELETES: u64 = u64::from_le_bytes([0x7f; 8]);
/// The highest bit of each byte.
const HIGH_BITS: u64 = u64::from_le_bytes([0x80; 8]);

/// Bytes of a word before its first zero byte.
#[inline]
fn length_in(word: u64) -> u32 {
    // the lowest bit that is set belongs to the first zero; higher ones may be false
    (word.wrapping_sub(ONES) & !word & HIGH_BITS).trailing_zeros() / 8
}

/// True if all bytes of a word are from space to tilde.
#[inline]
fn is_printable(word: u64) -> bool {
    let below_space = word.wrapping_sub(SPACES) & !word;
    let is_delete = (word ^ DELETES).wrapping_sub(ONES) & !(word ^ DELETES);
    (word | below_space | is_delete) & HIGH_BITS == 0
}

/// Bytes before the first zero, searched for eight at a time.
fn length<const BYTES: usize>(bytes: &[u8; BYTES]) -> usize {
    let (chunks, _) = bytes.as_chunks::<8>();
    let ends = chunks.iter().map(|chunk| length_in(u64::from_le_bytes(*chunk)) as usize);
    ends.enumerate().find(|(_, end)| *end < 8).map_or(BYTES, |(i, end)| 8 * i + end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_between_characters_and_has_no_control_characters() {
        assert_eq!(<Text>::new("Drums").as_str(), "Drums");
        assert_eq!(<Text>::new("").as_str(), "");
        assert_eq!(<Text>::new("a\u{1b}[31m\n\u{9b}b\0c").as_str(), "a [31m  b c");
        let long = "ä".repeat(40);
        assert_eq!(<Text>::new(&long).as_str(), "ä".repeat(32));
        assert_eq!(<Text>::new(&format!("x{long}")).as_str(), format!("x{}", "ä".repeat(31)));
        assert_eq!(<Text>::new("𝄞").to_string(), "𝄞");
        assert_eq!(Text::<8>::new("ab𝄞𝄞").as_str(), "ab𝄞");
    }

    #[test]
    fn text_from_words_equals_text_from_a_string() {
        for text in
            ["", "Drums", "Bässe", "12345678", "1234567ü", "a\tb", "tilde ~", "del \u{7f}", &"x".repeat(64)]
        {
            let mut words = [0u64; 8];
            for (word, chunk) in words.iter_mut().zip(text.as_bytes().chunks(8)) {
                let mut bytes = [0; 8];
                bytes[..chunk.len()].copy_from_slice(chunk);
                *word = u64::from_le_bytes(bytes);
            }
            if text.len() < 48 {
                words[7] = u64::MAX; // any bytes after the end
            }
            assert_eq!(<Text>::from_words(&words), Some(Text::new(text)), "{text:?}");
        }
        for place in 0..8 {
            for byte in 0..=u8::MAX {
                let mut bytes = *b"abcdefgh";
                bytes[place] = byte;
                let read = Text::<8>::from_words(&[u64::from_le_bytes(bytes)]);
                let end = if byte == 0 { place } else { 8 };
                let text = core::str::from_utf8(&bytes[..end]);
                assert_eq!(read, text.ok().map(Text::new), "{byte} at {place}");
            }
        }
        let broken = [u64::from_le_bytes(*b"ab\xff\0\0\0\0\0"), 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(<Text>::from_words(&broken), None);
    }
}
