//! A CLAP host small enough to read, for the tests beside it: it loads the library that cargo built with them and
//! does to the plugins what hosts do, the odd things included.

mod host;
pub mod reference;

pub use host::{Change, Library, Plugin, Row};

/// The plugins' ids.
pub const STEM: &str = "org.stemlink.stem";
/// The plugins' ids.
pub const MASTER: &str = "org.stemlink.master";

/// White noise between -`peak` and `peak`, the same for the same seed, in channels of `frames`.
pub fn noise(seed: u64, channels: usize, frames: usize, peak: f32) -> Vec<Vec<f32>> {
    // SplitMix64, Steele, Lea & Flood 2014
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let unit = ((z ^ (z >> 31)) >> 40) as f32 / (1u64 << 24) as f32;
        (unit * 2.0 - 1.0) * peak
    };
    (0..channels).map(|_| (0..frames).map(|_| next()).collect()).collect()
}
