//! Encoding of plain values as 64-bit words, the same in cells and in files.
//!
//! Encoding does not allocate. Decoding validates: words may come from a file that any program of the user may have
//! written, so one value out of range makes the whole record unreadable.

use super::identity::{InstanceId, SessionId};
use super::text::Text;
use units::Db;

/// A value with a fixed sequence of words.
pub trait WireValue: Sized {
    /// Appends the value to `encoder`.
    fn write_to(&self, encoder: &mut Encoder<'_>);
    /// Reads the value; `None` if the words are too few or out of range.
    fn read_from(decoder: &mut Decoder<'_>) -> Option<Self>;

    /// The value as `N` words; words after its last are zero.
    fn encode<const N: usize>(&self) -> [u64; N] {
        let mut words = [0; N];
        let mut encoder = Encoder { words: words.iter_mut(), missing: 0 };
        self.write_to(&mut encoder);
        debug_assert_eq!(encoder.missing, 0, "the value is longer than {N} words");
        words
    }

    /// The value at the beginning of `words`; `None` if they are too few or out of range.
    #[inline]
    fn decode(words: &[u64]) -> Option<Self> {
        Self::read_from(&mut Decoder { words: words.iter() })
    }
}

/// Writes words in order. An absent number is stored as NaN, an absent id as zero.
#[derive(Debug)]
pub struct Encoder<'a> {
    words: core::slice::IterMut<'a, u64>,
    /// Words for which there was no space.
    missing: usize,
}

impl Encoder<'_> {
    /// Appends a word.
    pub fn push_word(&mut self, value: u64) {
        match self.words.next() {
            Some(word) => *word = value,
            None => self.missing += 1,
        }
    }

    /// Appends a signed integer, as two's complement.
    pub fn push_signed(&mut self, value: i64) {
        self.push_word(value.cast_unsigned());
    }

    /// Appends a number, as its IEEE 754 bits.
    pub fn push_number(&mut self, value: f64) {
        self.push_word(value.to_bits());
    }

    /// Appends a number that may be absent.
    pub fn push_optional(&mut self, value: Option<f64>) {
        self.push_number(value.unwrap_or(f64::NAN));
    }

    /// Appends `BYTES / 8` words of text.
    pub fn push_text<const BYTES: usize>(&mut self, text: &Text<BYTES>) {
        text.words().for_each(|word| self.push_word(word));
    }
}

/// Reads words in order; every method returns `None` after the last word.
#[derive(Debug)]
pub struct Decoder<'a> {
    words: core::slice::Iter<'a, u64>,
}

impl Decoder<'_> {
    /// Reads a word.
    #[inline]
    pub fn next_word(&mut self) -> Option<u64> {
        self.words.next().copied()
    }

    /// Reads an index; `None` unless it is below `limit`.
    #[inline]
    pub fn next_index(&mut self, limit: usize) -> Option<usize> {
        usize::try_from(self.next_word()?).ok().filter(|&index| index < limit)
    }

    /// Reads a signed integer.
    #[inline]
    pub fn next_signed(&mut self) -> Option<i64> {
        self.next_word().map(u64::cast_signed)
    }

    /// Reads a number; `None` unless it is finite.
    #[inline]
    pub fn next_number(&mut self) -> Option<f64> {
        self.next_word().map(f64::from_bits).filter(|number| number.is_finite())
    }

    /// Reads a level in decibels; `None` unless it is finite.
    #[inline]
    pub fn next_db(&mut self) -> Option<Db> {
        self.next_number().map(Db)
    }

    /// Reads a number that may be absent; the outer `None` stands for an infinite one.
    #[inline]
    pub fn next_optional(&mut self) -> Option<Option<f64>> {
        let number = f64::from_bits(self.next_word()?);
        (!number.is_infinite()).then(|| (!number.is_nan()).then_some(number))
    }

    /// Fills `numbers`; absent ones become NaN. `false` if the words are too few or one number is infinite. One pass
    /// without branches, since there may be hundreds.
    #[inline]
    #[must_use]
    pub fn fill_numbers(&mut self, numbers: &mut [f64]) -> bool {
        let Some(words) = self.next_words(numbers.len()) else { return false };
        let mut has_infinite = false;
        for (number, &word) in numbers.iter_mut().zip(words) {
            *number = f64::from_bits(word);
            has_infinite |= number.is_infinite();
        }
        !has_infinite
    }

    /// Reads the id of an instance; `None` if it is zero.
    #[inline]
    pub fn next_instance(&mut self) -> Option<InstanceId> {
        InstanceId::new(self.next_word()?)
    }

    /// Reads the id of a session that may be absent.
    #[inline]
    pub fn next_session(&mut self) -> Option<Option<SessionId>> {
        self.next_word().map(SessionId::new)
    }

    /// Reads `BYTES / 8` words of text; `None` unless they are UTF-8.
    #[inline]
    pub fn next_text<const BYTES: usize>(&mut self) -> Option<Text<BYTES>> {
        Text::from_words(self.next_words(BYTES / 8)?)
    }

    /// Reads `count` words at once.
    #[inline]
    fn next_words(&mut self, count: usize) -> Option<&[u64]> {
        let (words, rest) = self.words.as_slice().split_at_checked(count)?;
        self.words = rest.iter();
        Some(words)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

    use super::*;

    /// One value of each kind.
    struct MixedValues(u64, i64, f64, Option<f64>, Text);

    impl WireValue for MixedValues {
        fn write_to(&self, encoder: &mut Encoder<'_>) {
            encoder.push_word(self.0);
            encoder.push_signed(self.1);
            encoder.push_number(self.2);
            encoder.push_optional(self.3);
            encoder.push_text(&self.4);
        }

        fn read_from(decoder: &mut Decoder<'_>) -> Option<Self> {
            Some(Self(
                decoder.next_word()?,
                decoder.next_signed()?,
                decoder.next_number()?,
                decoder.next_optional()?,
                decoder.next_text()?,
            ))
        }
    }

    #[test]
    fn values_survive_a_round_trip() {
        for level in [Some(-23.5), None] {
            let words: [u64; 12] = MixedValues(u64::MAX, -7, 0.1, level, Text::new("Bässe")).encode();
            let back = MixedValues::decode(&words).unwrap();
            assert_eq!((back.0, back.1, back.2, back.3), (u64::MAX, -7, 0.1, level));
            assert_eq!(back.4, Text::new("Bässe"));
        }
    }

    #[test]
    fn words_out_of_range_are_refused() {
        let good: [u64; 12] = MixedValues(1, 2, 3.0, None, Text::default()).encode();
        for (at, bad) in [
            (2, f64::NAN.to_bits()),
            (2, f64::INFINITY.to_bits()),
            (3, f64::NEG_INFINITY.to_bits()),
            (4, 0xff),
        ] {
            let mut words = good;
            words[at] = bad;
            assert!(MixedValues::decode(&words).is_none(), "word {at}");
        }
        assert!(MixedValues::decode(&good[..11]).is_none());
        assert_eq!(Decoder { words: [3].iter() }.next_index(3), None);
        assert_eq!(Decoder { words: [2].iter() }.next_index(3), Some(2));
    }
}
