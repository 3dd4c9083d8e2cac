//! Bytes as a broken disk, a cut transfer or an attacker leaves them.

use super::Random;

/// Bytes without structure.
pub fn bytes(seed: u64, count: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    (0..count).map(|_| (random.bits() >> 56) as u8).collect()
}

/// Sets up to five bytes among the first `header` ones to values on which parsers fail: the ends of their range, the
/// sign bit, one flipped bit.
pub fn corrupt(bytes: &mut [u8], header: usize, random: &mut Random) {
    for _ in 0..random.below(6) {
        let at = random.below(bytes.len().min(header));
        bytes[at] = random.one_of(&[0, 1, 0x7f, 0x80, 0xff, bytes[at] ^ 4]);
    }
}
