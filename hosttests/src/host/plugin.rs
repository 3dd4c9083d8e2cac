//! An instance of a plugin: made, activated, asked.

#![allow(unsafe_code)] // the instance's own descriptor is a raw pointer

use super::library::text;
use super::{Asked, Change, Descriptor, Handlers, Library, Main};
use clack_extensions::audio_ports::{AudioPortInfoBuffer, PluginAudioPorts};
use clack_extensions::audio_ports_config::{AudioPortsConfigBuffer, PluginAudioPortsConfig};
use clack_extensions::latency::PluginLatency;
use clack_extensions::params::{ParamInfoBuffer, ParamInfoFlags, PluginParams};
use clack_extensions::remote_controls::{PluginRemoteControls, RemoteControlsPageBuffer};
use clack_extensions::tail::{PluginTail, TailLength};
use clack_host::events::io::EventBuffer;
use clack_host::prelude::*;
use clack_host::utils::Cookie;
use std::ffi::{CStr, CString};
use std::sync::atomic::Ordering;

/// A parameter as the plugin describes it.
#[derive(Clone, Debug)]
pub struct Row {
    /// Id.
    pub id: ClapId,
    /// Name.
    pub name: String,
    /// Path of groups.
    pub module: String,
    /// Lowest, highest, default value.
    pub range: (f64, f64, f64),
    /// Flags.
    pub flags: ParamInfoFlags,
    /// Pointer that the plugin may want back with an event.
    pub cookie: Cookie,
}

impl Row {
    /// The value at a fraction (0 to 1) of its range; a whole one if it has steps.
    pub fn at(&self, fraction: f64) -> f64 {
        let (min, max, _) = self.range;
        let value = min + (max - min) * fraction;
        if self.flags.contains(ParamInfoFlags::IS_STEPPED) { value.round() } else { value }
    }
}

/// An instance of a plugin.
pub struct Plugin {
    pub(super) instance: PluginInstance<Handlers>,
    pub(super) processor: Option<StartedPluginAudioProcessor<Handlers>>,
    pub(super) asked: Asked,
}

impl Drop for Plugin {
    fn drop(&mut self) {
        self.deactivate();
    }
}

fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

// every method is one call of the host's; that it works is what is tested
#[expect(clippy::missing_panics_doc, reason = "a host of tests fails by panicking")]
impl Plugin {
    /// Makes one.
    pub fn new(library: &Library, id: &str) -> Self {
        Self::try_new(library, id).expect("the plugin is made")
    }

    /// Makes one; `None` if the library has none of that id.
    pub fn try_new(library: &Library, id: &str) -> Option<Self> {
        Self::on_track(library, id, super::TRACK.0)
    }

    /// Makes one on the track of that name.
    pub fn on_track(library: &Library, id: &str, track: &str) -> Option<Self> {
        let asked = Asked::default();
        let shared = asked.clone();
        let main = Main { asked: asked.clone(), track: track.into() };
        let host = HostInfo::new("Stemlink tests", "Stemlink", "", "1").expect("no zero bytes");
        let id = CString::new(id).expect("no zero bytes");
        let instance =
            PluginInstance::new(move |_| shared, move |_| main, library.entry(), &id, &host).ok()?;
        Some(Self { instance, processor: None, asked })
    }

    /// The instance's own description.
    pub fn descriptor(&mut self) -> Descriptor {
        let raw = self.instance.plugin_handle().as_raw();
        // SAFETY: CLAP requires a descriptor for the life of the instance, with texts that end in a zero byte or
        // null pointers, and a null pointer after the last feature
        unsafe {
            let d = &*raw.desc;
            let read = |s: *const std::ffi::c_char| text((!s.is_null()).then(|| CStr::from_ptr(s)));
            let features = (0..).map(|i| *d.features.add(i)).take_while(|f| !f.is_null());
            Descriptor {
                id: read(d.id),
                name: read(d.name),
                words: [read(d.vendor), read(d.version), read(d.description)],
                features: features.map(read).collect(),
            }
        }
    }

    /// Activates and starts processing.
    pub fn activate(&mut self, rate: f64, longest: u32) {
        assert!(self.try_activate(rate, longest), "the plugin activates");
    }

    /// Activates and starts processing; false if the plugin will not.
    pub fn try_activate(&mut self, rate: f64, longest: u32) -> bool {
        let configuration =
            PluginAudioConfiguration { sample_rate: rate, min_frames_count: 1, max_frames_count: longest };
        let Ok(stopped) = self.instance.activate(|_, _| (), configuration) else { return false };
        self.processor = Some(stopped.start_processing().expect("the plugin starts"));
        true
    }

    /// Stops processing and deactivates.
    pub fn deactivate(&mut self) {
        if let Some(processor) = self.processor.take() {
            self.instance.deactivate(processor.stop_processing());
        }
    }

    /// Forgets audio.
    pub fn reset(&mut self) {
        self.processor.as_mut().expect("active").reset();
    }

    /// Calls back on the main thread if the plugin has asked for it.
    pub fn idle(&mut self) {
        if self.asked.callback.swap(false, Ordering::SeqCst) {
            self.instance.call_on_main_thread_callback();
        }
        if self.asked.flush.swap(false, Ordering::SeqCst) {
            self.flush(&[]);
        }
    }

    /// Number of restarts that the plugin has asked for.
    pub fn restarts(&self) -> u32 {
        self.asked.restarts.load(Ordering::SeqCst)
    }

    /// Number of times that the plugin has reported values changed by itself.
    pub fn rescans(&self) -> u32 {
        self.asked.rescans.load(Ordering::SeqCst)
    }

    /// Channels of every input and output port.
    pub fn ports(&mut self) -> (Vec<u32>, Vec<u32>) {
        let handle = self.instance.plugin_handle();
        let ports: PluginAudioPorts = handle.get_extension().expect("audio ports");
        let list = |is_input: bool| {
            let mut buffer = AudioPortInfoBuffer::new();
            (0..ports.count(&handle, is_input))
                .map(|i| ports.get(&handle, i, is_input, &mut buffer).expect("a port").channel_count)
                .collect()
        };
        (list(true), list(false))
    }

    /// Names of the layouts of ports that it offers.
    pub fn layouts(&mut self) -> Vec<String> {
        let handle = self.instance.plugin_handle();
        let layouts: PluginAudioPortsConfig = handle.get_extension().expect("layouts");
        let mut buffer = AudioPortsConfigBuffer::new();
        (0..layouts.count(&handle))
            .map(|i| words(layouts.get(&handle, i, &mut buffer).expect("a layout").name))
            .collect()
    }

    /// Chooses a layout by its name; it must not be active.
    pub fn choose_layout(&mut self, name: &str) {
        let handle = self.instance.plugin_handle();
        let layouts: PluginAudioPortsConfig = handle.get_extension().expect("layouts");
        let mut buffer = AudioPortsConfigBuffer::new();
        let id = (0..layouts.count(&handle)).find_map(|i| {
            let layout = layouts.get(&handle, i, &mut buffer)?;
            (layout.name == name.as_bytes()).then_some(layout.id)
        });
        layouts.select(&handle, id.expect("the layout is offered")).expect("the layout is taken");
    }

    /// Latency in samples.
    pub fn latency(&mut self) -> u32 {
        let handle = self.instance.plugin_handle();
        let latency: PluginLatency = handle.get_extension().expect("latency");
        latency.get(&handle)
    }

    /// Frames that sound after the input has ended; `None` if for ever.
    pub fn tail(&mut self) -> Option<u32> {
        let handle = self.processor.as_mut().expect("active").plugin_handle();
        let tail: PluginTail = handle.get_extension().expect("a tail");
        match tail.get(&handle) {
            TailLength::Finite(frames) => Some(frames),
            TailLength::Infinite => None,
        }
    }

    /// Pages of remote controls: name, and the parameters on it.
    pub fn pages(&mut self) -> Vec<(String, Vec<ClapId>)> {
        let handle = self.instance.plugin_handle();
        let pages: PluginRemoteControls = handle.get_extension().expect("remote controls");
        let mut buffer = RemoteControlsPageBuffer::new();
        (0..pages.count(&handle))
            .map(|i| {
                let page = pages.get(&handle, i, &mut buffer).expect("a page");
                (words(page.page_name), page.param_ids.into_iter().flatten().collect())
            })
            .collect()
    }

    /// All parameters.
    pub fn rows(&mut self) -> Vec<Row> {
        let handle = self.instance.plugin_handle();
        let params: PluginParams = handle.get_extension().expect("parameters");
        let mut buffer = ParamInfoBuffer::new();
        (0..params.count(&handle))
            .map(|i| {
                let info = params.get_info(&handle, i, &mut buffer).expect("a parameter");
                Row {
                    id: info.id,
                    name: words(info.name),
                    module: words(info.module),
                    range: (info.min_value, info.max_value, info.default_value),
                    flags: info.flags,
                    cookie: info.cookie,
                }
            })
            .collect()
    }

    /// The parameter of that name.
    pub fn row(&mut self, name: &str) -> Row {
        self.rows().into_iter().find(|row| row.name == name).unwrap_or_else(|| panic!("no {name}"))
    }

    /// A parameter's value.
    pub fn value(&mut self, id: ClapId) -> f64 {
        let handle = self.instance.plugin_handle();
        let params: PluginParams = handle.get_extension().expect("parameters");
        params.get_value(&handle, id).expect("a value")
    }

    /// The values of all parameters, in order.
    pub fn values(&mut self) -> Vec<f64> {
        self.rows().iter().map(|row| self.value(row.id)).collect()
    }

    /// A value as text.
    pub fn text(&mut self, id: ClapId, value: f64) -> String {
        let handle = self.instance.plugin_handle();
        let params: PluginParams = handle.get_extension().expect("parameters");
        let mut buffer = [0; 256];
        words(params.value_to_text(&handle, id, value, &mut buffer).expect("a text"))
    }

    /// A text as value.
    pub fn parse(&mut self, id: ClapId, text: &str) -> Option<f64> {
        let handle = self.instance.plugin_handle();
        let params: PluginParams = handle.get_extension().expect("parameters");
        params.text_to_value(&handle, id, &CString::new(text).expect("no zero bytes"))
    }

    /// The change that sets the parameter called `name` to what a person would type.
    pub fn typed(&mut self, at: u32, name: &str, text: &str) -> Change {
        let id = self.row(name).id;
        let value = self.parse(id, text).unwrap_or_else(|| panic!("{name} takes {text}"));
        Change { at, id, value }
    }

    /// Changes parameters without audio.
    pub fn flush(&mut self, changes: &[Change]) {
        let (events, mut out) = (super::process::values(changes), EventBuffer::new());
        if let Some(processor) = &mut self.processor {
            let mut handle = processor.plugin_handle();
            let params: PluginParams = handle.get_extension().expect("parameters");
            params.flush_active(&mut handle, &events.as_input(), &mut out.as_output());
        } else {
            let mut handle = self.instance.inactive_plugin_handle().expect("inactive");
            let params: PluginParams = handle.get_extension().expect("parameters");
            params.flush(&mut handle, &events.as_input(), &mut out.as_output());
        }
    }
}
