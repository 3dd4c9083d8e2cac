//! Units of the chain over their public interface: the contract of each, its laws, parts that add up, automation.

mod align;
mod compressor;
mod dc;
mod denoise;
mod dither;
#[path = "../rig/mod.rs"]
mod rig;
mod saturator;
mod sweeps;
mod trim;
mod width;
