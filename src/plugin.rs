//! Framework interface of a plugin: a [`Shell`] with the constants of a [`PluginIdentity`].

#[cfg(target_os = "linux")]
use super::framework_worker::{self, Fence};
use super::shell::Shell;
use nice_plug::prelude::*;
use plugin_core::Output;
use std::sync::Arc;

/// Maker, in hosts' lists and the names of folders of presets.
pub const VENDOR: &str = "Stemlink";
/// Page of the project: the domain of the permanent CLAP ids.
pub const URL: &str = "https://stemlink.org";
/// Address of the project.
pub const EMAIL: &str = "info@stemlink.org";

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
pub struct StemlinkPlugin<O: PluginIdentity> {
    shell: Shell<O>,
    /// Poster of tasks to the framework's worker.
    #[cfg(target_os = "linux")]
    worker: Option<AsyncExecutor<Self>>,
    /// True once a VST3 host has activated it.
    #[cfg(target_os = "linux")]
    is_vst3: bool,
}

impl<O: PluginIdentity> Default for StemlinkPlugin<O> {
    fn default() -> Self {
        Self {
            shell: Shell::default(),
            #[cfg(target_os = "linux")]
            worker: None,
            #[cfg(target_os = "linux")]
            is_vst3: false,
        }
    }
}

impl<O: PluginIdentity> StemlinkPlugin<O> {
    /// Description, one sentence.
    pub const DESCRIPTION: &'static str = O::DESCRIPTION;
}

impl<O: PluginIdentity> Plugin for StemlinkPlugin<O> {
    const NAME: &'static str = O::NAME;
    const VENDOR: &'static str = VENDOR;
    const URL: &'static str = URL;
    const EMAIL: &'static str = EMAIL;
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout] = O::LAYOUTS;
    const SAMPLE_ACCURATE_AUTOMATION: bool = true;

    type Editor = editor::Editor<O>;
    type SysExMessage = ();
    #[cfg(target_os = "linux")]
    type BackgroundTask = Fence;
    #[cfg(not(target_os = "linux"))]
    type BackgroundTask = ();

    #[cfg(target_os = "linux")]
    fn task_executor(&mut self) -> TaskExecutor<Self> {
        Box::new(|fence: Fence| fence.pass())
    }

    fn params(&self) -> Arc<dyn Params> {
        self.shell.params()
    }

    #[cfg(target_os = "linux")]
    fn editor(&mut self, worker: AsyncExecutor<Self>) -> Option<Self::Editor> {
        self.worker = Some(worker.clone());
        self.shell.editor(O::NAME, move || framework_worker::drain::<O>(&worker))
    }

    #[cfg(not(target_os = "linux"))]
    fn editor(&mut self, _worker: AsyncExecutor<Self>) -> Option<Self::Editor> {
        self.shell.editor(O::NAME, || {})
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
        #[cfg(target_os = "linux")]
        if context.plugin_api() == PluginApi::Vst3 {
            self.is_vst3 = true;
            framework_worker::keep_instance::<O>();
        }
        self.shell.activate(audio_io_layout, buffer_config, context)
    }

    fn reset(&mut self) {
        self.shell.reset();
    }

    fn deactivate(&mut self) {
        self.shell.deactivate();
        #[cfg(target_os = "linux")]
        if let Some(worker) = self.worker.as_ref().filter(|_| self.is_vst3) {
            framework_worker::drain::<O>(worker);
        }
    }

    fn process(
        &mut self,
        buffer: &mut Buffer<'_>,
        aux: &mut AuxiliaryBuffers<'_>,
        context: &mut impl ProcessContext<Self>,
    ) -> ProcessStatus {
        self.shell.process(buffer, aux, context)
    }
}

impl<O: PluginIdentity> ClapPlugin for StemlinkPlugin<O> {
    const CLAP_ID: &'static str = O::CLAP_ID;
    const CLAP_DESCRIPTION: Option<&'static str> = Some(O::DESCRIPTION);
    const CLAP_MANUAL_URL: Option<&'static str> = Some(URL);
    const CLAP_SUPPORT_URL: Option<&'static str> = Some(URL);
    const CLAP_FEATURES: &'static [ClapFeature] = O::CLAP_FEATURES;

    fn remote_controls(&self, context: &mut impl RemoteControlsContext) {
        self.shell.remote_controls(context);
    }
}

impl<O: PluginIdentity> Vst3Plugin for StemlinkPlugin<O> {
    const VST3_CLASS_ID: [u8; 16] = O::VST3_CLASS_ID;
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] = O::VST3_SUBCATEGORIES;
}
