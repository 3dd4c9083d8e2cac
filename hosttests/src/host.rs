//! The host.

#![allow(unsafe_code)] // loading a library, and one buffer for input and output

use clack_extensions::audio_ports::{AudioPortInfoBuffer, PluginAudioPorts};
use clack_extensions::latency::PluginLatency;
use clack_extensions::params::{ParamInfoBuffer, ParamInfoFlags, PluginParams};
use clack_extensions::state::PluginState;
use clack_host::events::event_types::ParamValueEvent;
use clack_host::prelude::*;
use std::ffi::CString;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// The built library.
#[derive(Clone)]
pub struct Library(PluginEntry);

impl Library {
    /// Where cargo puts the library when it builds a test that depends on it.
    ///
    /// # Panics
    /// If the test has no folder.
    pub fn path() -> PathBuf {
        let name = format!("{}stemlink{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
        let test = std::env::current_exe().expect("a test has a path");
        test.parent().expect("a test lies in a folder").join(name)
    }

    /// Loads it.
    ///
    /// # Panics
    /// If it cannot be loaded.
    pub fn open() -> Self {
        // SAFETY: the library is our own, built by the same cargo run; it is a CLAP plugin and has no initializers
        let entry = unsafe { PluginEntry::load(Self::path()) };
        Self(entry.expect("the built library loads"))
    }

    /// Id, name and features of every plugin in it.
    ///
    /// # Panics
    /// If there is no plugin factory.
    pub fn descriptors(&self) -> Vec<(String, String, Vec<String>)> {
        let text =
            |s: Option<&std::ffi::CStr>| s.map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let factory = self.0.get_plugin_factory().expect("the library has a factory");
        factory
            .plugin_descriptors()
            .map(|d| {
                let features = d.features().map(|f| f.to_string_lossy().into_owned()).collect();
                (text(d.id()), text(d.name()), features)
            })
            .collect()
    }
}

/// What the plugin has asked of the host.
#[derive(Clone, Default)]
struct Asked {
    restarts: Arc<AtomicU32>,
    callback: Arc<AtomicBool>,
}

impl SharedHandler<'_> for Asked {
    fn request_restart(&self) {
        self.restarts.fetch_add(1, Ordering::SeqCst);
    }

    fn request_process(&self) {}

    fn request_callback(&self) {
        self.callback.store(true, Ordering::SeqCst);
    }
}

struct Handlers;

impl HostHandlers for Handlers {
    type Shared<'a> = Asked;
    type MainThread<'a> = ();
    type AudioProcessor<'a> = ();
}

/// A change of a parameter at a frame of a block.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// Frame.
    pub at: u32,
    /// Id.
    pub id: ClapId,
    /// New value.
    pub value: f64,
}

/// What a plugin says of a parameter.
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
}

/// An instance of a plugin.
pub struct Plugin {
    instance: PluginInstance<Handlers>,
    processor: Option<StartedPluginAudioProcessor<Handlers>>,
    asked: Asked,
}

impl Drop for Plugin {
    fn drop(&mut self) {
        self.deactivate();
    }
}

// every method is one call of the host's; that it works is what is tested
#[expect(clippy::missing_panics_doc, reason = "a host of tests fails by panicking")]
impl Plugin {
    /// Makes one.
    pub fn new(library: &Library, id: &str) -> Self {
        let asked = Asked::default();
        let shared = asked.clone();
        let host = HostInfo::new("Stemlink tests", "Stemlink", "", "1").expect("no zero bytes");
        let id = CString::new(id).expect("no zero bytes");
        let instance =
            PluginInstance::new(move |_| shared, |_| (), &library.0, &id, &host).expect("the plugin is made");
        Self { instance, processor: None, asked }
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
    }

    /// How often the plugin has asked to be restarted.
    pub fn restarts(&self) -> u32 {
        self.asked.restarts.load(Ordering::SeqCst)
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

    /// Latency in samples.
    pub fn latency(&mut self) -> u32 {
        let handle = self.instance.plugin_handle();
        let latency: PluginLatency = handle.get_extension().expect("latency");
        latency.get(&handle)
    }

    /// All parameters.
    pub fn rows(&mut self) -> Vec<Row> {
        let handle = self.instance.plugin_handle();
        let params: PluginParams = handle.get_extension().expect("parameters");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut buffer = ParamInfoBuffer::new();
        (0..params.count(&handle))
            .map(|i| {
                let info = params.get_info(&handle, i, &mut buffer).expect("a parameter");
                Row {
                    id: info.id,
                    name: text(info.name),
                    module: text(info.module),
                    range: (info.min_value, info.max_value, info.default_value),
                    flags: info.flags,
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

    /// A value as text.
    pub fn text(&mut self, id: ClapId, value: f64) -> String {
        let handle = self.instance.plugin_handle();
        let params: PluginParams = handle.get_extension().expect("parameters");
        let mut buffer = [0; 256];
        let text = params.value_to_text(&handle, id, value, &mut buffer).expect("a text");
        String::from_utf8_lossy(text).into_owned()
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
        let (events, mut out) = (events(changes), EventBuffer::new());
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

    /// The state as bytes.
    pub fn save(&mut self) -> Vec<u8> {
        let handle = self.instance.plugin_handle();
        let state: PluginState = handle.get_extension().expect("state");
        let mut bytes = Vec::new();
        state.save(&handle, &mut bytes).expect("the state is saved");
        bytes
    }

    /// Loads a state; false if the plugin says that it could not.
    pub fn load(&mut self, bytes: &[u8]) -> bool {
        let handle = self.instance.plugin_handle();
        let state: PluginState = handle.get_extension().expect("state");
        state.load(&handle, &mut &*bytes).is_ok()
    }

    /// Processes all of `main` in place, in blocks of the given sizes in turn, with changes counted from the first
    /// frame of all. Without `key` a sidechain port is fed silence.
    pub fn run(
        &mut self,
        main: &mut [Vec<f32>],
        key: Option<&[Vec<f32>]>,
        sizes: &[usize],
        changes: &[Change],
    ) {
        let frames = main[0].len();
        let (mut at, mut sizes) = (0, sizes.iter().cycle());
        while at < frames {
            let size = (*sizes.next().expect("a cycle")).min(frames - at);
            let now: Vec<Change> = changes
                .iter()
                .filter(|change| (at..at + size).contains(&(change.at as usize)))
                .map(|change| Change { at: change.at - at as u32, ..*change })
                .collect();
            let mut block: Vec<Vec<f32>> =
                main.iter().map(|channel| channel[at..at + size].to_vec()).collect();
            let key: Option<Vec<Vec<f32>>> =
                key.map(|key| key.iter().map(|channel| channel[at..at + size].to_vec()).collect());
            self.block(&mut block, key.as_deref(), &now, false);
            for (channel, block) in main.iter_mut().zip(&block) {
                channel[at..at + size].copy_from_slice(block);
            }
            at += size;
        }
    }

    /// Processes one block; `in_place` gives the plugin one buffer for input and output.
    pub fn block(
        &mut self,
        main: &mut [Vec<f32>],
        key: Option<&[Vec<f32>]>,
        changes: &[Change],
        in_place: bool,
    ) {
        let frames = main[0].len();
        let (ports, _) = self.ports();
        let mut input = main.to_vec();
        let mut sidechain: Vec<Vec<f32>> = match key {
            Some(key) => key.to_vec(),
            None => vec![vec![0.0; frames]; ports.get(1).map_or(0, |&channels| channels as usize)],
        };
        let (mut input_ports, mut output_ports) =
            (AudioPorts::with_capacity(4, 2), AudioPorts::with_capacity(2, 1));
        let mut buffers = vec![&mut input];
        if ports.len() > 1 {
            buffers.push(&mut sidechain);
        }
        let inputs = input_ports.with_input_buffers(buffers.into_iter().map(|channels| AudioPortBuffer {
            latency: 0,
            channels: AudioPortBufferType::f32_input_only(channels.iter_mut().map(InputChannel::variable)),
        }));
        let mut outputs = output_ports.with_output_buffers([AudioPortBuffer {
            latency: 0,
            channels: AudioPortBufferType::f32_output_only(main.iter_mut().map(Vec::as_mut_slice)),
        }]);
        let (events, mut out) = (events(changes), EventBuffer::new());
        let processor = self.processor.as_mut().expect("active");
        let mut shared = inputs.as_raw_buffers().to_vec();
        if in_place {
            shared[0] = outputs.as_raw_buffers()[0];
        }
        // SAFETY: every pointer is to a channel of `frames` samples that outlives the call; input and output may be
        // one buffer, as in any host
        let inputs = unsafe { InputAudioBuffers::from_raw_buffers(&shared, frames as u32) };
        processor
            .process(&inputs, &mut outputs, &events.as_input(), &mut out.as_output(), None, None)
            .expect("the plugin processes");
    }
}

fn events(changes: &[Change]) -> EventBuffer {
    let mut events = EventBuffer::new();
    for change in changes {
        events.push(&ParamValueEvent::new(change.at, change.id, Pckn::match_all(), change.value));
    }
    events
}
