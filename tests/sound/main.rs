//! Figures of sound: error, aliases, overshoot and noise of every unit, held to their limits and to `docs/sound.md`.

mod denoise;
mod dither;
mod equalizer;
mod figure;
mod limiter;
mod meters;
mod page;
mod plots;
#[path = "../../crates/dsp/tests/rig/run.rs"]
mod run;
mod saturator;
mod whole_chain;
