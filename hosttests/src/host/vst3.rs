//! As small a VST3 host: it makes a plugin by its name and has it process stereo audio at a place of the timeline.

#![allow(unsafe_code)] // loading a library, and the interfaces of VST3, are calls of foreign functions
#![allow(clippy::unnecessary_cast, reason = "enums of VST3 are of another type on each system")]

use super::Library;
use ::vst3::Steinberg::Vst::{
    AudioBusBuffers, AudioBusBuffers__type0, BusDirections_, IAudioProcessor, IAudioProcessorTrait,
    IComponent, IComponentHandler, IComponentHandlerTrait, IComponentTrait, IEditController,
    IEditControllerTrait, MediaTypes_, ParamID, ParamValue, ParameterInfo, ProcessContext, ProcessContext_,
    ProcessData, ProcessModes_, ProcessSetup, SymbolicSampleSizes_, ViewType,
};
use ::vst3::Steinberg::{
    IPlugViewTrait, IPluginBaseTrait, IPluginFactory, IPluginFactoryTrait, PClassInfo, TUID, ViewRect,
    kResultOk, tresult,
};
use ::vst3::{Class, ComPtr, ComWrapper, Interface};
use libloading::Library as Module;
use std::ffi::{CStr, c_void};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const AUDIO: i32 = MediaTypes_::kAudio as i32;
const INPUT: i32 = BusDirections_::kInput as i32;
const OUTPUT: i32 = BusDirections_::kOutput as i32;

/// An active instance, as a VST3 host has it. Silence goes into a sidechain.
pub struct Vst3 {
    processor: ComPtr<IAudioProcessor>,
    component: ComPtr<IComponent>,
    inputs: usize,
    rate: f64,
    /// Unloaded last.
    _module: Module,
}

#[expect(clippy::missing_panics_doc, reason = "a host of tests fails by panicking")]
impl Vst3 {
    /// The plugin that the library calls `name`, active at `rate` with blocks of up to `longest` frames.
    pub fn new(name: &str, rate: f64, longest: usize) -> Self {
        // SAFETY: the library is our own, built by the same cargo run, and has the two entries that VST3 demands; every
        // pointer that it is given lives as long as the call, and what it returns is owned by `ComPtr`s, which go before it
        unsafe {
            let module = Module::new(Library::path()).expect("the built library loads");
            let enter = module.get::<extern "C" fn(*mut c_void) -> bool>(b"ModuleEntry\0");
            assert!(enter.expect("an entry of VST3")(ptr::null_mut()), "the module is ready");
            let make = module.get::<extern "system" fn() -> *mut IPluginFactory>(b"GetPluginFactory\0");
            let factory = ComPtr::from_raw(make.expect("an entry of VST3")()).expect("a factory");
            let id = (0..factory.countClasses()).find_map(|index| class(&factory, index, name));
            let id = id.expect("the library has it");
            let mut made: *mut c_void = ptr::null_mut();
            let result = factory.createInstance(id.as_ptr(), IComponent::IID.as_ptr().cast(), &raw mut made);
            assert_eq!(result, kResultOk);
            let component = ComPtr::from_raw(made.cast::<IComponent>()).expect("a component");
            assert_eq!(component.initialize(ptr::null_mut()), kResultOk);
            let processor = component.cast::<IAudioProcessor>().expect("it processes audio");
            let inputs = component.getBusCount(AUDIO, INPUT) as usize;
            for (direction, index) in (0..inputs as i32).map(|index| (INPUT, index)).chain([(OUTPUT, 0)]) {
                assert_eq!(component.activateBus(AUDIO, direction, index, 1), kResultOk);
            }
            let mut setup = ProcessSetup {
                processMode: ProcessModes_::kRealtime as i32,
                symbolicSampleSize: SymbolicSampleSizes_::kSample32 as i32,
                maxSamplesPerBlock: longest as i32,
                sampleRate: rate,
            };
            assert_eq!(processor.setupProcessing(&raw mut setup), kResultOk);
            assert_eq!(component.setActive(1), kResultOk);
            processor.setProcessing(1);
            Self { processor, component, inputs, rate, _module: module }
        }
    }

    /// Stops processing and deactivates it, as hosts do before they release it.
    pub fn deactivate(&mut self) {
        // SAFETY: in the order that VST3 demands
        unsafe {
            self.processor.setProcessing(0);
            self.component.setActive(0);
        }
    }

    /// Activates it again and starts processing.
    pub fn activate(&mut self) {
        // SAFETY: in the order that VST3 demands; it has been set up
        unsafe {
            assert_eq!(self.component.setActive(1), kResultOk);
            self.processor.setProcessing(1);
        }
    }

    /// Sets every parameter to `value`, 0 to 1, on another thread, as the controls of some hosts do; returns before or after
    /// the plugin has told its window.
    pub fn set_parameters(&self, value: f64) {
        /// The controller on another thread; VST3 counts on its main thread, many hosts do not.
        struct Controller(ComPtr<IEditController>);
        // SAFETY: the plugin's methods take shared references and lock what they change
        unsafe impl Send for Controller {}
        impl Controller {
            fn set_all(&self, value: f64) {
                // SAFETY: plain numbers, of which zero is a valid value; the index is below the count
                unsafe {
                    for index in 0..self.0.getParameterCount() {
                        let mut info: ParameterInfo = std::mem::zeroed();
                        assert_eq!(self.0.getParameterInfo(index, &raw mut info), kResultOk);
                        self.0.setParamNormalized(info.id, value);
                    }
                }
            }
        }
        let controller = Controller(self.component.cast::<IEditController>().expect("it has parameters"));
        let setting = std::thread::spawn(move || {
            let controller = controller;
            controller.set_all(value);
        });
        setting.join().expect("no panic");
    }

    /// Sets every parameter to its highest value and processes a block on another thread, as hosts do; the host takes `time`
    /// for the restart that the plugin then asks for. Returns what becomes true when the host is through with it.
    pub fn play_with_slow_restart(&mut self, audio: &mut [Vec<f32>], time: Duration) -> Arc<AtomicBool> {
        /// The instance on another thread.
        struct Playing<'a>(&'a mut Vst3);
        // SAFETY: VST3 processes on a thread of its own
        unsafe impl Send for Playing<'_> {}
        impl Playing<'_> {
            fn play(self, audio: &mut [Vec<f32>]) {
                self.0.play(audio, 0);
            }
        }
        let restarted = Arc::new(AtomicBool::new(false));
        let handler = ComWrapper::new(SlowHandler { time, restarted: Arc::clone(&restarted) });
        let handler = handler.to_com_ptr::<IComponentHandler>().expect("it is one");
        let controller = self.component.cast::<IEditController>().expect("it has parameters");
        // SAFETY: the plugin counts the reference
        assert_eq!(unsafe { controller.setComponentHandler(handler.as_ptr()) }, kResultOk);
        // SAFETY: in the order that VST3 demands; while it processes, it takes parameters from the blocks only
        unsafe { self.processor.setProcessing(0) };
        self.set_parameters(1.0);
        // SAFETY: it is active
        unsafe { self.processor.setProcessing(1) };
        let playing = Playing(self);
        std::thread::scope(|scope| scope.spawn(move || playing.play(audio)).join()).expect("no panic");
        restarted
    }

    /// Makes a view and returns its width and height, pixels, which hosts ask for before they open a window.
    pub fn window_size(&self) -> (i32, i32) {
        let controller = self.component.cast::<IEditController>().expect("it has a window");
        let mut size = ViewRect { left: 0, top: 0, right: 0, bottom: 0 };
        // SAFETY: what it returns is owned by a `ComPtr`; the place for the size outlives the call
        unsafe {
            let view = ComPtr::from_raw(controller.createView(ViewType::kEditor)).expect("a view");
            assert_eq!(view.getSize(&raw mut size), kResultOk);
        }
        (size.right, size.bottom)
    }

    /// Every parameter's unit beside its text, and its text at `value`, 0 to 1.
    pub fn shown(&self, value: f64) -> Vec<(String, String)> {
        let text = |buffer: &[u16]| {
            let end = buffer.iter().position(|c| *c == 0).unwrap_or(buffer.len());
            String::from_utf16_lossy(&buffer[..end])
        };
        let controller = self.component.cast::<IEditController>().expect("it has parameters");
        // SAFETY: plain numbers, of which zero is a valid value; the index is below the count, the text is as long as VST3 says
        unsafe {
            (0..controller.getParameterCount())
                .map(|index| {
                    let mut info: ParameterInfo = std::mem::zeroed();
                    assert_eq!(controller.getParameterInfo(index, &raw mut info), kResultOk);
                    let mut shown = [0; 128];
                    assert_eq!(controller.getParamStringByValue(info.id, value, &raw mut shown), kResultOk);
                    (text(&info.units), text(&shown))
                })
                .collect()
        }
    }

    /// Processes a stereo block that is played at frame `position` of the timeline, in place.
    pub fn play(&mut self, audio: &mut [Vec<f32>], position: i64) {
        let frames = audio[0].len();
        let mut source = audio.to_vec();
        let mut silence = vec![vec![0.0f32; frames]; 2];
        let pointers = |channels: &mut [Vec<f32>]| -> Vec<*mut f32> {
            channels.iter_mut().map(Vec::as_mut_ptr).collect()
        };
        let (mut main, mut key) = (pointers(&mut source), pointers(&mut silence));
        let mut to = pointers(audio);
        let bus = |channels: &mut Vec<*mut f32>| AudioBusBuffers {
            numChannels: 2,
            silenceFlags: 0,
            __field0: AudioBusBuffers__type0 { channelBuffers32: channels.as_mut_ptr() },
        };
        let (mut inputs, mut output) = ([bus(&mut main), bus(&mut key)], bus(&mut to));
        // SAFETY: plain numbers, of which zero is a valid value
        let mut now: ProcessContext = unsafe { std::mem::zeroed() };
        now.state = (ProcessContext_::StatesAndFlags_::kPlaying
            | ProcessContext_::StatesAndFlags_::kTempoValid) as u32;
        (now.sampleRate, now.projectTimeSamples, now.tempo) = (self.rate, position, 120.0);
        let mut data = ProcessData {
            processMode: ProcessModes_::kRealtime as i32,
            symbolicSampleSize: SymbolicSampleSizes_::kSample32 as i32,
            numSamples: frames as i32,
            numInputs: self.inputs.min(2) as i32,
            numOutputs: 1,
            inputs: inputs.as_mut_ptr(),
            outputs: &raw mut output,
            inputParameterChanges: ptr::null_mut(),
            outputParameterChanges: ptr::null_mut(),
            inputEvents: ptr::null_mut(),
            outputEvents: ptr::null_mut(),
            processContext: &raw mut now,
        };
        // SAFETY: every pointer is to `frames` samples, or a value, that outlives the call
        let result = unsafe { self.processor.process(&raw mut data) };
        assert_eq!(result, kResultOk);
    }
}

/// Host's end of a controller: it takes its time for a restart and then does nothing.
struct SlowHandler {
    time: Duration,
    restarted: Arc<AtomicBool>,
}

impl Class for SlowHandler {
    type Interfaces = (IComponentHandler,);
}

impl IComponentHandlerTrait for SlowHandler {
    unsafe fn beginEdit(&self, _: ParamID) -> tresult {
        kResultOk
    }

    unsafe fn performEdit(&self, _: ParamID, _: ParamValue) -> tresult {
        kResultOk
    }

    unsafe fn endEdit(&self, _: ParamID) -> tresult {
        kResultOk
    }

    unsafe fn restartComponent(&self, _: i32) -> tresult {
        std::thread::sleep(self.time);
        self.restarted.store(true, Ordering::Relaxed);
        kResultOk
    }
}

impl Drop for Vst3 {
    fn drop(&mut self) {
        // SAFETY: in the order that VST3 demands
        unsafe {
            self.processor.setProcessing(0);
            self.component.setActive(0);
            self.component.terminate();
        }
    }
}

/// The id of class `index` if it is an audio effect called `name`.
unsafe fn class(factory: &ComPtr<IPluginFactory>, index: i32, name: &str) -> Option<TUID> {
    // SAFETY: plain numbers and bytes, of which zero is a valid value; the names end with a zero
    unsafe {
        let mut info: PClassInfo = std::mem::zeroed();
        if factory.getClassInfo(index, &raw mut info) != kResultOk {
            return None;
        }
        let says = |text: &[std::ffi::c_char], what: &str| {
            CStr::from_ptr(text.as_ptr()).to_str().is_ok_and(|text| text == what)
        };
        (says(&info.category, "Audio Module Class") && says(&info.name, name)).then_some(info.cid)
    }
}
