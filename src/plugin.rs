//! A plugin as the framework wants it: a [`Shell`] with the names that [`PluginIdentity`] gives it.

use super::shell::Shell;
use nice_plug::prelude::*;
use plugin_core::Output;
use std::sync::Arc;

/// What hosts show of a plugin, and what they know it by.
pub trait PluginIdentity: Output {
    /// Name.
    const NAME: &'static str;
    /// What it is, in a sentence.
    const DESCRIPTION: &'static str;
    /// Ports, first the ones a host gets that does not choose.
    const LAYOUTS: &'static [AudioIOLayout];
    /// Permanent.
    const CLAP_ID: &'static str;
    /// What it is to CLAP hosts.
    const CLAP_FEATURES: &'static [ClapFeature];
    /// Permanent.
    const VST3_CLASS_ID: [u8; 16];
    /// What it is to VST3 hosts.
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory];
}

/// A plugin.
pub struct StemlinkPlugin<O: PluginIdentity>(Shell<O>);

impl<O: PluginIdentity> Default for StemlinkPlugin<O> {
    fn default() -> Self {
        Self(Shell::default())
    }
}

impl<O: PluginIdentity> StemlinkPlugin<O> {
    /// What it is, in a sentence.
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
