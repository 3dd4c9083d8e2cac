//! Settings that compressor tests start from.

use dsp::compressor::CompressorSettings;
use dsp::detector::Detector;
use units::{Db, Ms};

/// 4:1 at -20 dBFS peak, hard, uncapped, single release.
pub(crate) fn plain() -> CompressorSettings {
    CompressorSettings {
        on: true,
        threshold: Db(-20.0),
        ratio: 4.0,
        knee: Db(0.0),
        attack: Ms(10.0),
        release: Ms(100.0),
        auto_release: false,
        cap: Db(24.0),
        detector: Detector::Peak,
        ..CompressorSettings::default()
    }
}
