//! Stemlink Master, the plugin on the master bus.

use super::plugin::{PluginIdentity, StemlinkPlugin};
use nice_plug::prelude::*;
use plugin_core::groups::MasterOutput;

/// The Master plugin.
pub type MasterPlugin = StemlinkPlugin<MasterOutput>;

impl PluginIdentity for MasterOutput {
    const NAME: &'static str = "Stemlink Master";
    const DESCRIPTION: &'static str =
        description!("Mastering chain for the master bus; sees every Stemlink Stem and what its moves cost");
    // no aux input: the framework's check of their number is off by one
    const LAYOUTS: &'static [AudioIOLayout] = &[AudioIOLayout {
        main_input_channels: NonZeroU32::new(2),
        main_output_channels: NonZeroU32::new(2),
        names: PortNames {
            layout: Some("Stereo"),
            main_input: Some("Mix"),
            main_output: Some("Master"),
            ..PortNames::const_default()
        },
        ..AudioIOLayout::const_default()
    }];
    const CLAP_ID: &'static str = "org.stemlink.master";
    const CLAP_FEATURES: &'static [ClapFeature] = &[
        ClapFeature::AudioEffect,
        ClapFeature::Stereo,
        ClapFeature::Mastering,
        ClapFeature::MultiEffects,
        ClapFeature::Limiter,
        ClapFeature::Analyzer,
    ];
    const VST3_CLASS_ID: [u8; 16] = *b"StemlinkMaster01";
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] = &[
        Vst3SubCategory::Fx,
        Vst3SubCategory::Mastering,
        Vst3SubCategory::Dynamics,
        Vst3SubCategory::Analyzer,
    ];
}
