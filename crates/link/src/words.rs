//! Plain values as 64-bit words and back: how they lie in cells and in files.
//!
//! Writing needs no memory. Reading trusts nothing: words may come from a file that anybody with the user's rights
//! has written, so whatever is out of range makes the whole record unreadable.

use super::identity::{InstanceId, SessionId};
use units::Db;

/// A value of a fixed number of words.
pub trait Record: Sized {
    /// Writes the value.
    fn write(&self, pen: &mut Encoder<'_>);
    /// Reads the value; `None` if the words are not one.
    fn read(eye: &mut Decoder<'_>) -> Option<Self>;

    /// The value as `N` words; those it does not need are zero.
    fn encode<const N: usize>(&self) -> [u64; N] {
        let mut words = [0; N];
        let mut pen = Encoder { words: words.iter_mut(), missing: 0 };
        self.write(&mut pen);
        debug_assert_eq!(pen.missing, 0, "the record is longer than {N} words");
        words
    }

    /// The value in `words`.
    #[inline]
    fn decode(words: &[u64]) -> Option<Self> {
        Self::read(&mut Decoder { words: words.iter() })
    }
}

/// Writes words, front to back.
#[derive(Debug)]
pub struct Encoder<'a> {
    words: core::slice::IterMut<'a, u64>,
    missing: usize,
}

impl Encoder<'_> {
    /// A word.
    pub fn word(&mut self, value: u64) {
        match self.words.next() {
            Some(word) => *word = value,
            None => self.missing += 1,
        }
    }

    /// A signed number.
    pub fn signed(&mut self, value: i64) {
        self.word(value.cast_unsigned());
    }

    /// A number.
    pub fn number(&mut self, value: f64) {
        self.word(value.to_bits());
    }

    /// A number that may not exist.
    pub fn perhaps(&mut self, value: Option<f64>) {
        self.number(value.unwrap_or(f64::NAN));
    }

    /// Text.
    pub fn text<const BYTES: usize>(&mut self, text: &Text<BYTES>) {
        let (chunks, _) = text.bytes.as_chunks::<8>();
        chunks.iter().for_each(|bytes| self.word(u64::from_le_bytes(*bytes)));
    }
}

/// Reads words, front to back; every read is `None` behind the end.
#[derive(Debug)]
pub struct Decoder<'a> {
    words: core::slice::Iter<'a, u64>,
}

impl Decoder<'_> {
    /// A word.
    #[inline]
    pub fn word(&mut self) -> Option<u64> {
        self.words.next().copied()
    }

    /// A word below `limit`, as an index.
    #[inline]
    pub fn index(&mut self, limit: usize) -> Option<usize> {
        usize::try_from(self.word()?).ok().filter(|&index| index < limit)
    }

    /// A signed number.
    #[inline]
    pub fn signed(&mut self) -> Option<i64> {
        self.word().map(u64::cast_signed)
    }

    /// A finite number.
    #[inline]
    pub fn number(&mut self) -> Option<f64> {
        self.word().map(f64::from_bits).filter(|number| number.is_finite())
    }

    /// A finite number in decibels.
    #[inline]
    pub fn db(&mut self) -> Option<Db> {
        self.number().map(Db)
    }

    /// A finite number that may not exist.
    #[inline]
    pub fn perhaps(&mut self) -> Option<Option<f64>> {
        let number = f64::from_bits(self.word()?);
        (!number.is_infinite()).then(|| (!number.is_nan()).then_some(number))
    }

    /// As many numbers as there are places; those that do not exist are no numbers. At once, for there may be hundreds.
    #[inline]
    pub fn numbers(&mut self, places: &mut [f64]) -> Option<()> {
        let (words, rest) = self.words.as_slice().split_at_checked(places.len())?;
        self.words = rest.iter();
        let mut infinite = false;
        for (place, &word) in places.iter_mut().zip(words) {
            *place = f64::from_bits(word);
            infinite |= place.is_infinite();
        }
        (!infinite).then_some(())
    }

    /// An instance.
    #[inline]
    pub fn instance(&mut self) -> Option<InstanceId> {
        InstanceId::new(self.word()?)
    }

    /// A session that may not exist.
    #[inline]
    pub fn session(&mut self) -> Option<Option<SessionId>> {
        self.word().map(SessionId::new)
    }

    /// Text.
    #[inline]
    pub fn text<const BYTES: usize>(&mut self) -> Option<Text<BYTES>> {
        let (words, rest) = self.words.as_slice().split_at_checked(BYTES / 8)?;
        self.words = rest.iter();
        let mut bytes = [0; BYTES];
        let (chunks, _) = bytes.as_chunks_mut::<8>();
        let mut is_plain = true;
        for (chunk, &word) in chunks.iter_mut().zip(words) {
            let end = length_in(word);
            // whatever lies behind the end is nothing
            let behind = u64::MAX.checked_shl(8 * end).unwrap_or(0);
            *chunk = (word & !behind).to_le_bytes();
            is_plain &= is_printable(word & !behind | SPACES & behind);
            if end < 8 {
                break;
            }
        }
        if is_plain {
            // What most names are: nothing to be looked at character by character.
            return Some(Text { bytes });
        }
        core::str::from_utf8(&bytes[..length(&bytes)]).ok().map(Text::new)
    }
}

const ONES: u64 = u64::from_le_bytes([1; 8]);
const SPACES: u64 = u64::from_le_bytes([b' '; 8]);
const DELETES: u64 = u64::from_le_bytes([0x7f; 8]);
/// The highest bit of each byte.
const HIGHEST: u64 = u64::from_le_bytes([0x80; 8]);

/// Bytes of a word before the first zero.
#[inline]
fn length_in(word: u64) -> u32 {
    // The lowest bit set is that of the first zero; those above it may be false.
    (word.wrapping_sub(ONES) & !word & HIGHEST).trailing_zeros() / 8
}

/// Whether all bytes of a word are from space to tilde.
#[inline]
fn is_printable(word: u64) -> bool {
    let below_space = word.wrapping_sub(SPACES) & !word;
    let is_delete = (word ^ DELETES).wrapping_sub(ONES) & !(word ^ DELETES);
    (word | below_space | is_delete) & HIGHEST == 0
}

/// Bytes before the first zero, looked for eight at a time.
fn length<const BYTES: usize>(bytes: &[u8; BYTES]) -> usize {
    let (chunks, _) = bytes.as_chunks::<8>();
    let ends = chunks.iter().map(|chunk| length_in(u64::from_le_bytes(*chunk)) as usize);
    ends.enumerate().find(|(_, end)| *end < 8).map_or(BYTES, |(i, end)| 8 * i + end)
}

/// Bytes of a name.
pub const NAME: usize = 64;

/// Text of at most so many bytes, a multiple of eight, without control characters: a name, if nothing else is said.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Text<const BYTES: usize = NAME> {
    /// UTF-8, padded with zeros.
    bytes: [u8; BYTES],
}

impl<const BYTES: usize> Text<BYTES> {
    /// `text`, cut behind the last character that fits; control characters become spaces.
    pub fn new(text: &str) -> Self {
        let mut bytes = [0; BYTES];
        let mut length = 0;
        for character in text.chars() {
            let character = if character.is_control() { ' ' } else { character };
            let end = length + character.len_utf8();
            let Some(room) = bytes.get_mut(length..end) else { break };
            character.encode_utf8(room);
            length = end;
        }
        Self { bytes }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.bytes[..length(&self.bytes)]).unwrap_or_default()
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

    use super::*;

    #[test]
    fn text_is_cut_between_characters_and_holds_nothing_that_controls_a_terminal() {
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
    fn text_from_words_is_what_new_makes_of_it() {
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
                words[7] = u64::MAX; // whatever lies behind the end
            }
            let read = Decoder { words: words.iter() }.text::<NAME>();
            assert_eq!(read, Some(Text::new(text)), "{text:?}");
        }
        for place in 0..8 {
            for byte in 0..=u8::MAX {
                let mut bytes = *b"abcdefgh";
                bytes[place] = byte;
                let read = Decoder { words: [u64::from_le_bytes(bytes)].iter() }.text::<8>();
                let end = if byte == 0 { place } else { 8 };
                let text = core::str::from_utf8(&bytes[..end]);
                assert_eq!(read, text.ok().map(Text::new), "{byte} at {place}");
            }
        }
        let broken = [u64::from_le_bytes(*b"ab\xff\0\0\0\0\0"), 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(Decoder { words: broken.iter() }.text::<NAME>(), None);
    }

    struct Mixed(u64, i64, f64, Option<f64>, Text);

    impl Record for Mixed {
        fn write(&self, pen: &mut Encoder<'_>) {
            pen.word(self.0);
            pen.signed(self.1);
            pen.number(self.2);
            pen.perhaps(self.3);
            pen.text(&self.4);
        }

        fn read(eye: &mut Decoder<'_>) -> Option<Self> {
            Some(Self(eye.word()?, eye.signed()?, eye.number()?, eye.perhaps()?, eye.text()?))
        }
    }

    #[test]
    fn values_come_back() {
        for level in [Some(-23.5), None] {
            let words: [u64; 12] = Mixed(u64::MAX, -7, 0.1, level, Text::new("Bässe")).encode();
            let back = Mixed::decode(&words).unwrap();
            assert_eq!((back.0, back.1, back.2, back.3), (u64::MAX, -7, 0.1, level));
            assert_eq!(back.4, Text::new("Bässe"));
        }
    }

    #[test]
    fn words_that_are_no_value_are_refused() {
        let good: [u64; 12] = Mixed(1, 2, 3.0, None, Text::default()).encode();
        for (at, bad) in [
            (2, f64::NAN.to_bits()),
            (2, f64::INFINITY.to_bits()),
            (3, f64::NEG_INFINITY.to_bits()),
            (4, 0xff),
        ] {
            let mut words = good;
            words[at] = bad;
            assert!(Mixed::decode(&words).is_none(), "word {at}");
        }
        assert!(Mixed::decode(&good[..11]).is_none());
        assert_eq!(Decoder { words: [3].iter() }.index(3), None);
        assert_eq!(Decoder { words: [2].iter() }.index(3), Some(2));
    }
}
