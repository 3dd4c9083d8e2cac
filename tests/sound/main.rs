//! Figures of sound: error, aliases, overshoot and noise of every unit, held to their limits and to `docs/sound.md`.

mod denoise;
#[path = "../../crates/dsp/tests/rig/denoise.rs"]
mod denoise_rig;
mod dither;
mod equalizer;
mod figure;
mod limiter;
#[path = "../../crates/dsp/tests/rig/limiter.rs"]
mod limiter_rig;
mod meters;
mod page;
mod plots;
#[path = "../../crates/dsp/tests/rig"]
mod rig {
    pub(crate) mod run;
}
mod saturator;
mod whole_chain;
