//! Stemlink Stem, the plugin at the end of each stem bus.

use super::plugin::{PluginIdentity, StemlinkPlugin};
use nice_plug::prelude::*;
use plugin_core::groups::StemOutput;

/// The Stem plugin.
pub type StemPlugin = StemlinkPlugin<StemOutput>;

/// Layout with equal inputs and outputs and a sidechain.
const fn layout(name: &'static str, channels: u32, sidechain: &'static [NonZeroU32]) -> AudioIOLayout {
    AudioIOLayout {
        main_input_channels: NonZeroU32::new(channels),
        main_output_channels: NonZeroU32::new(channels),
        aux_input_ports: sidechain,
        aux_output_ports: &[],
        names: PortNames {
            layout: Some(name),
            main_input: Some("Stem"),
            main_output: Some("Stem"),
            aux_inputs: &["Sidechain"],
            aux_outputs: &[],
        },
    }
}

impl PluginIdentity for StemOutput {
    const NAME: &'static str = "Stemlink Stem";
    const DESCRIPTION: &'static str =
        description!("Mastering chain and meters for a stem bus, linked to Stemlink Master");
    const LAYOUTS: &'static [AudioIOLayout] =
        &[layout("Stereo", 2, &[new_nonzero_u32(2)]), layout("Mono", 1, &[new_nonzero_u32(1)])];
    const CLAP_ID: &'static str = "org.stemlink.stem";
    const CLAP_FEATURES: &'static [ClapFeature] = &[
        ClapFeature::AudioEffect,
        ClapFeature::Stereo,
        ClapFeature::Mono,
        ClapFeature::Mastering,
        ClapFeature::Mixing,
        ClapFeature::MultiEffects,
        ClapFeature::Analyzer,
    ];
    const VST3_CLASS_ID: [u8; 16] = *b"StemlinkStem0001";
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] = &[
        Vst3SubCategory::Fx,
        Vst3SubCategory::Mastering,
        Vst3SubCategory::Dynamics,
        Vst3SubCategory::Analyzer,
    ];
}
