//! Framework interface of a plugin: a [`Shell`] with the constants of a [`PluginIdentity`].

use super::shell::Shell;
use nice_plug::prelude::*;
use plugin_core::Output;
use std::sync::Arc;

/// Names, ids and ports that hosts see.
pub trait PluginIdentity: Output {
    /// Display name.
    const NAME: &'static str;
    /// Description, one sentence.
    const DESCRIPTION: &'static str;
    /// Port layouts; hosts that do not choose get the first.
    const LAYOUTS: &'static [AudioIOLayout];
    /// CLAP id. Permanent.
    const CLAP_ID: &'static str;
    /// CLAP categories.
    const CLAP_FEATURES: &'static [ClapFeature];
    /// VST3 class id. Permanent.
    const VST3_CLASS_ID: [u8; 16];
    /// VST3 categories.
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory];
}

/// Plugin type that is exported to hosts.
pub struct StemlinkPlugin<O: PluginIdentity>(Shell<O>);

impl<O: PluginIdentity> Default for StemlinkPlugin<O> {
    fn default() -> Self {
        Self(Shell::default())
    }
}

impl<O: PluginIdentity> StemlinkPlugin<O> {
    /// Description, one sentence.
    pub const DESCRIPTION: &'static str = O::DESCRIPTION;
}

impl<O: PluginIdentity> Plugin for StemlinkPlugin<O> {
    const NAME: &'static str = O::NAME;
    const VENDOR: &'static str = "Stemlink";
    const URL: &'static str = "";
    const EMAIL: &'static str = "";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout] = O::LAYOUTS;
    const SAMPLE_ACCURATE_AUTOMATION: bool = true;

    type Editor = editor::Editor<O>;
    type SysExMessage = ();
    type BackgroundTask = ();

    fn params(&self) -> Arc<dyn Params> {
        self.0.params()
    }

    fn editor(&mut self, _: AsyncExecutor<Self>) -> Option<Self::Editor> {
        self.0.editor(O::NAME)
    }

    fn filter_state(state: &mut PluginState) {
        Shell::<O>::filter_state(state);
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

    fn deactivate(&mut self) {
        self.0.deactivate();
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

impl<O: PluginIdentity> ClapPlugin for StemlinkPlugin<O> {
    const CLAP_ID: &'static str = O::CLAP_ID;
    const CLAP_DESCRIPTION: Option<&'static str> = Some(O::DESCRIPTION);
    const CLAP_MANUAL_URL: Option<&'static str> = None;
    const CLAP_SUPPORT_URL: Option<&'static str> = None;
    const CLAP_FEATURES: &'static [ClapFeature] = O::CLAP_FEATURES;

    fn remote_controls(&self, context: &mut impl RemoteControlsContext) {
        self.0.remote_controls(context);
    }
}

impl<O: PluginIdentity> Vst3Plugin for StemlinkPlugin<O> {
    const VST3_CLASS_ID: [u8; 16] = O::VST3_CLASS_ID;
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] = O::VST3_SUBCATEGORIES;
}
