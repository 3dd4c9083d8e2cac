//! The two plugins, Stemlink Stem and Stemlink Master, CLAP and VST3, exported from one library.
//!
//! Signal path, in [`chain::Chain`]:
//!
//! ```text
//! Stem:   sanitize -> trim -> align -> DC filter -> denoise -> linear-phase EQ -> EQ -> compressor -> saturator -> width -> limiter -> level
//! Master: sanitize -> trim -> align -> DC filter -> denoise -> linear-phase EQ -> EQ -> compressor -> saturator -> width -> level -> limiter -> dither
//! ```
//!
//! [`engine`] is all that happens on the audio thread; [`shell`] is what both plugins share, [`plugin`] its interface
//! to the framework; [`stem`] and [`master`] are the differences. [`broadcast`] and [`link_publisher`] publish to the link what a
//! plugin does, on the audio thread and elsewhere; [`analysis`] is a Master's thread that evaluates what the link brings.
//! Nothing here allocates for audio, opens a file or starts a thread before a host activates.

/// Expands to a plugin's description, with a note in test builds.
macro_rules! description {
    ($text:literal) => {
        if cfg!(feature = "injected-panic") {
            concat!($text, " [test build: panics on purpose]")
        } else if cfg!(feature = "alloc-guard") {
            concat!($text, " [test build: ends at an allocation]")
        } else {
            $text
        }
    };
}

pub mod analysis;
pub mod broadcast;
pub mod engine;
pub mod export;
#[cfg(target_os = "linux")]
pub mod framework_worker;
mod lag;
pub mod link_publisher;
pub mod master;
mod monitor;
pub mod plugin;
mod reference_player;
mod session_link;
pub mod shell;
pub mod spectrum;
pub mod stem;
mod stem_list;

pub use master::MasterPlugin;
pub use stem::StemPlugin;

nice_plug::nice_export_clap!(StemPlugin, MasterPlugin);
nice_plug::nice_export_vst3!(StemPlugin, MasterPlugin);
