//! Stemlink Master: on the master bus.

use super::shell::Shell;
use crate::params::groups::MasterOutput;
use nice_plug::prelude::*;
use std::sync::Arc;

/// Stemlink Master.
#[derive(Default)]
pub struct Master(Shell<MasterOutput>);

impl Master {
    /// What hosts show of it.
    pub const DESCRIPTION: &'static str =
        description!("Mastering chain for the master bus; sees every Stemlink Stem and what its moves cost");
}

impl Plugin for Master {
    const NAME: &'static str = "Stemlink Master";
    const VENDOR: &'static str = "Stemlink";
    const URL: &'static str = "";
    const EMAIL: &'static str = "";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    // No aux input: the framework's check of their number is off by one.
    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout] = &[AudioIOLayout {
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
    const SAMPLE_ACCURATE_AUTOMATION: bool = true;

    #[cfg(feature = "editor")]
    type Editor = crate::editor::Editor<MasterOutput>;
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
        Shell::<MasterOutput>::filter_state(state);
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

impl ClapPlugin for Master {
    const CLAP_ID: &'static str = "org.stemlink.master";
    const CLAP_DESCRIPTION: Option<&'static str> = Some(Self::DESCRIPTION);
    const CLAP_MANUAL_URL: Option<&'static str> = None;
    const CLAP_SUPPORT_URL: Option<&'static str> = None;
    const CLAP_FEATURES: &'static [ClapFeature] = &[
        ClapFeature::AudioEffect,
        ClapFeature::Stereo,
        ClapFeature::Mastering,
        ClapFeature::MultiEffects,
        ClapFeature::Limiter,
        ClapFeature::Analyzer,
    ];

    fn remote_controls(&self, context: &mut impl RemoteControlsContext) {
        self.0.remote_controls(context);
    }
}

impl Vst3Plugin for Master {
    const VST3_CLASS_ID: [u8; 16] = *b"StemlinkMaster01";
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] = &[
        Vst3SubCategory::Fx,
        Vst3SubCategory::Mastering,
        Vst3SubCategory::Dynamics,
        Vst3SubCategory::Analyzer,
    ];
}
