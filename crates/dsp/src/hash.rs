//! Hash that is the same in every build and on every machine.

/// FNV-1a of the bytes of `text`, 64 bits (Fowler, Noll & Vo).
pub fn fnv1a(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn hashes_are_those_of_the_reference() {
    assert_eq!(
        [fnv1a(""), fnv1a("a"), fnv1a("foobar")],
        [0xcbf2_9ce4_8422_2325, 0xaf63_dc4c_8601_ec8c, 0x8594_4171_f739_67e8]
    );
}
