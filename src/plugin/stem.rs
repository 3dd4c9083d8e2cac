//! Stemlink Stem: last on each stem bus.

use super::shell::Shell;
use crate::params::groups::StemOutput;
use nice_plug::prelude::*;
use std::sync::Arc;

/// Stemlink Stem.
#[derive(Default)]
pub struct Stem(Shell<StemOutput>);

/// One to one channels, with a sidechain as wide.
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

impl Stem {
    /// What hosts show of it.
    pub const DESCRIPTION: &'static str =
        description!("Mastering chain and meters for a stem bus, linked to Stemlink Master");
}

impl Plugin for Stem {
    const NAME: &'static str = "Stemlink Stem";
    const VENDOR: &'static str = "Stemlink";
    const URL: &'static str = "";
    const EMAIL: &'static str = "";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout] =
        &[layout("Stereo", 2, &[new_nonzero_u32(2)]), layout("Mono", 1, &[new_nonzero_u32(1)])];
    const SAMPLE_ACCURATE_AUTOMATION: bool = true;

    #[cfg(feature = "editor")]
    type Editor = crate::editor::Editor<StemOutput>;
    #[cfg(not(feature = "editor"))]
    type Editor = ();
    type SysExMessage = ();
    type BackgroundTask = ();

    fn params(&self) -> Arc<dyn Params> {
        self.0.params()
    }

    #[cfg(feature = "editor")]
    fn editor(&mut self, _: AsyncExecutor<Self>) -> Option<Self::Editor> {
        self.0.editor(Self::NAME)
    }

    fn filter_state(state: &mut PluginState) {
        Shell::<StemOutput>::filter_state(state);
    }

    fn activate(
        &mut self,
        audio_io_layout: &AudioIOLayout,
        buffer_config: &BufferConfig,
        context: &mut impl ActivateContext<Self>,
    ) -> bool {
        self.0.activate(audio_io_layout, buffer_config, context)
    }

    fn reset(&mut self) {
        self.0.reset();
    }

    fn process(
        &mut self,
        buffer: &mut Buffer<'_>,
        aux: &mut AuxiliaryBuffers<'_>,
        context: &mut impl ProcessContext<Self>,
    ) -> ProcessStatus {
        self.0.process(buffer, aux, context)
    }
}

impl ClapPlugin for Stem {
    const CLAP_ID: &'static str = "org.stemlink.stem";
    const CLAP_DESCRIPTION: Option<&'static str> = Some(Self::DESCRIPTION);
    const CLAP_MANUAL_URL: Option<&'static str> = None;
    const CLAP_SUPPORT_URL: Option<&'static str> = None;
    const CLAP_FEATURES: &'static [ClapFeature] = &[
        ClapFeature::AudioEffect,
        ClapFeature::Stereo,
        ClapFeature::Mono,
        ClapFeature::Mastering,
        ClapFeature::Mixing,
        ClapFeature::MultiEffects,
        ClapFeature::Analyzer,
    ];

    fn remote_controls(&self, context: &mut impl RemoteControlsContext) {
        self.0.remote_controls(context);
    }
}

impl Vst3Plugin for Stem {
    const VST3_CLASS_ID: [u8; 16] = *b"StemlinkStem0001";
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] = &[
        Vst3SubCategory::Fx,
        Vst3SubCategory::Mastering,
        Vst3SubCategory::Dynamics,
        Vst3SubCategory::Analyzer,
    ];
}
