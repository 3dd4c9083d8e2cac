//! Units of the chain over their public interface: the contract of each, its laws, parts that add up, automation.

mod align;
mod compressor;
#[path = "../rig/compressor.rs"]
mod compressor_rig;
mod dc;
mod denoise;
#[path = "../rig/denoise.rs"]
mod denoise_rig;
mod dither;
#[path = "../rig/mod.rs"]
mod rig;
mod saturator;
mod sweeps;
mod trim;
mod width;
