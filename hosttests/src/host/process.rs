//! Audio: calls of `process`, each held to what CLAP allows a plugin to do with a host's buffers.

#![allow(unsafe_code)] // one buffer for input and output; an event of a foreign space

use super::{Handlers, Plugin};
use clack_host::events::UnknownEvent;
use clack_host::events::event_types::{ParamModEvent, ParamValueEvent, TransportEvent, TransportFlags};
use clack_host::events::{EventFlags, EventHeader};
use clack_host::prelude::*;
use clack_host::utils::{BeatTime, Cookie, SecondsTime};
use std::time::{Duration, Instant};

pub use clack_host::process::ProcessStatus as Status;

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

/// Event at a frame of a block.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// A parameter gets a value.
    Value(Change),
    /// The same, with the cookie that the plugin gave with the parameter.
    Known(Change, Cookie),
    /// A parameter gets an offset on top of its value.
    Modulation(Change),
    /// Looks like [`Event::Value`], but is of a space that the plugin does not know.
    Foreign(Change),
    /// The transport has changed.
    Transport(TransportEvent),
}

/// One call of `process`, beside its audio.
#[derive(Clone, Copy, Default)]
pub struct Call<'a> {
    /// The sidechain; silence if `None` and there is a port for it.
    pub key: Option<&'a [Vec<f32>]>,
    /// In order of time.
    pub events: &'a [Event],
    /// `None` for a host without one.
    pub transport: Option<&'a TransportEvent>,
    /// One buffer for input and output.
    pub in_place: bool,
}

/// A transport that plays at `seconds` with `tempo`, at frame `at` of a block.
pub fn transport(at: u32, seconds: f64, tempo: f64) -> TransportEvent {
    let beats = BeatTime::from_float(seconds * tempo / 60.0);
    TransportEvent {
        header: EventHeader::new_core(at, EventFlags::empty()),
        flags: TransportFlags::all(),
        song_pos_beats: beats,
        song_pos_seconds: SecondsTime::from_float(seconds),
        tempo,
        tempo_inc: 0.001,
        loop_start_beats: BeatTime::from_int(1),
        loop_end_beats: BeatTime::from_int(9),
        loop_start_seconds: SecondsTime::from_int(1),
        loop_end_seconds: SecondsTime::from_int(5),
        bar_start: beats,
        bar_number: (seconds * tempo / 240.0) as i32,
        time_signature_numerator: 7,
        time_signature_denominator: 8,
    }
}

/// A transport that stands at `seconds`.
pub fn standing(seconds: f64) -> TransportEvent {
    let playing = transport(0, seconds, 120.0);
    TransportEvent { flags: playing.flags.difference(TransportFlags::IS_PLAYING), ..playing }
}

/// Frames behind a block that a plugin must not touch.
const FENCE: usize = 16;

#[expect(clippy::missing_panics_doc, reason = "a host of tests fails by panicking")]
impl Plugin {
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
            let cut = |channels: &[Vec<f32>]| -> Vec<Vec<f32>> {
                channels.iter().map(|channel| channel[at..at + size].to_vec()).collect()
            };
            let (mut block, key) = (cut(main), key.map(cut));
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
    ) -> Status {
        let events: Vec<Event> = changes.iter().copied().map(Event::Value).collect();
        self.call(main, Call { key, events: &events, in_place, ..Call::default() })
    }

    /// Processes one block, and holds the plugin to what it may do with the host's buffers: read the inputs, write
    /// every frame of the outputs and no frame more, say nothing of another time than the block's.
    pub fn call(&mut self, main: &mut [Vec<f32>], call: Call<'_>) -> Status {
        let frames = main[0].len();
        let (ports, _) = self.ports();
        let fenced = |channels: &[Vec<f32>]| -> Vec<Vec<f32>> {
            channels.iter().map(|c| c.iter().copied().chain([FENCED; FENCE]).collect()).collect()
        };
        let mut input = fenced(main);
        let mut sidechain: Vec<Vec<f32>> = match call.key {
            Some(key) => fenced(key),
            None => vec![vec![0.0; frames + FENCE]; ports.get(1).map_or(0, |&channels| channels as usize)],
        };
        let mut output =
            if call.in_place { input.clone() } else { vec![vec![FENCED; frames + FENCE]; input.len()] };
        let given = (input.clone(), sidechain.clone());

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
            channels: AudioPortBufferType::f32_output_only(output.iter_mut().map(Vec::as_mut_slice)),
        }]);
        let mut shared = inputs.as_raw_buffers().to_vec();
        if call.in_place {
            shared[0] = outputs.as_raw_buffers()[0];
        }
        // SAFETY: every pointer is to a channel of at least `frames` samples that outlives the call; input and output
        // may be one buffer, as in any host
        let inputs = unsafe { InputAudioBuffers::from_raw_buffers(&shared, frames as u32) };
        let (events, mut out) = (buffer(call.events), EventBuffer::new());
        let processor = self.processor.as_mut().expect("active");
        let (events, mut said) = (events.as_input(), out.as_output());
        let status =
            realtime(|| processor.process(&inputs, &mut outputs, &events, &mut said, None, call.transport));
        let status = status.expect("the plugin processes");

        let is = |a: &[Vec<f32>], b: &[Vec<f32>]| {
            a.iter().flatten().map(|x| x.to_bits()).eq(b.iter().flatten().map(|x| x.to_bits()))
        };
        assert!(is(&input, &given.0) && is(&sidechain, &given.1), "the plugin has written into an input");
        for (main, output) in main.iter_mut().zip(&output) {
            let (block, fence) = output.split_at(frames);
            assert!(fence.iter().all(|x| x.to_bits() == FENCED.to_bits()), "written behind the block");
            assert!(block.iter().all(|x| x.to_bits() != FENCED.to_bits()), "a frame was left unwritten");
            main.copy_from_slice(block);
        }
        let mut last = 0;
        for event in &out {
            let at = event.header().time();
            assert!(at >= last && (at as usize) < frames.max(1), "an event of another time");
            last = at;
        }
        status
    }
}

#[expect(clippy::missing_panics_doc, reason = "a host of tests fails by panicking")]
impl Plugin {
    /// Time that the plugin takes to process a stereo block of `audio` in place, so many times over; the host's own part
    /// is a few nanoseconds. The Stem's sidechain is silent.
    pub fn spin(&mut self, audio: &[Vec<f32>], times: u64) -> Duration {
        let frames = audio[0].len();
        let has_key = self.ports().0.len() > 1;
        let (mut main, mut unused) = (audio.to_vec(), audio.to_vec());
        let mut key = vec![vec![0.0f32; frames]; 2];
        let (mut input_ports, mut output_ports) =
            (AudioPorts::with_capacity(4, 2), AudioPorts::with_capacity(2, 1));
        let mut buffers = vec![&mut unused];
        if has_key {
            buffers.push(&mut key);
        }
        let inputs = input_ports.with_input_buffers(buffers.into_iter().map(|channels| AudioPortBuffer {
            latency: 0,
            channels: AudioPortBufferType::f32_input_only(channels.iter_mut().map(InputChannel::variable)),
        }));
        let mut outputs = output_ports.with_output_buffers([AudioPortBuffer {
            latency: 0,
            channels: AudioPortBufferType::f32_output_only(main.iter_mut().map(Vec::as_mut_slice)),
        }]);
        let mut shared = inputs.as_raw_buffers().to_vec();
        shared[0] = outputs.as_raw_buffers()[0];
        // SAFETY: every pointer is to a channel of `frames` samples that outlives the calls; input and output may be
        // one buffer, as in any host
        let inputs = unsafe { InputAudioBuffers::from_raw_buffers(&shared, frames as u32) };
        let (events, mut out) = (EventBuffer::new(), EventBuffer::new());
        let processor = self.processor.as_mut().expect("active");
        let start = Instant::now();
        for _ in 0..times {
            processor
                .process(&inputs, &mut outputs, &events.as_input(), &mut out.as_output(), None, None)
                .expect("the plugin processes");
        }
        start.elapsed()
    }
}

/// The half of an instance that processes audio, for any thread.
pub struct Player {
    processor: StartedPluginAudioProcessor<Handlers>,
    has_key: bool,
    /// Values that are set in turn, some with each block.
    values: Vec<Change>,
    blocks: usize,
}

/// Values set with a block.
const VALUES_PER_BLOCK: usize = 8;

#[expect(clippy::missing_panics_doc, reason = "a host of tests fails by panicking")]
impl Plugin {
    /// Lends the half that processes audio; until it is back, the rest of the instance can be asked, not activated.
    pub fn lend(&mut self) -> Player {
        let has_key = self.ports().0.len() > 1;
        Player { processor: self.processor.take().expect("active"), has_key, values: Vec::new(), blocks: 0 }
    }

    /// The same, and each block sets some parameters to what they are, as an automation lane does.
    pub fn lend_with_events(&mut self) -> Player {
        let ids: Vec<ClapId> = self.rows().iter().map(|row| row.id).collect();
        let values = ids.into_iter().map(|id| Change { at: 0, id, value: self.value(id) }).collect();
        Player { values, ..self.lend() }
    }

    /// Takes it back.
    pub fn take_back(&mut self, player: Player) {
        self.processor = Some(player.processor);
    }
}

#[expect(clippy::missing_panics_doc, reason = "a host of tests fails by panicking")]
impl Player {
    /// Processes a stereo block in place, with a silent sidechain where there is one.
    pub fn play(&mut self, audio: &mut [Vec<f32>], transport: Option<&TransportEvent>) {
        self.play_automated(audio, transport, &[]);
    }

    /// The same with changes of parameters, in order of time.
    pub fn play_automated(
        &mut self,
        audio: &mut [Vec<f32>],
        transport: Option<&TransportEvent>,
        changes: &[Change],
    ) {
        let frames = audio[0].len();
        let mut input = audio.to_vec();
        let mut key = vec![vec![0.0f32; frames]; 2];
        let (mut input_ports, mut output_ports) =
            (AudioPorts::with_capacity(4, 2), AudioPorts::with_capacity(2, 1));
        let mut buffers = vec![&mut input];
        if self.has_key {
            buffers.push(&mut key);
        }
        let inputs = input_ports.with_input_buffers(buffers.into_iter().map(|channels| AudioPortBuffer {
            latency: 0,
            channels: AudioPortBufferType::f32_input_only(channels.iter_mut().map(InputChannel::variable)),
        }));
        let mut outputs = output_ports.with_output_buffers([AudioPortBuffer {
            latency: 0,
            channels: AudioPortBufferType::f32_output_only(audio.iter_mut().map(Vec::as_mut_slice)),
        }]);
        let now = self
            .values
            .iter()
            .copied()
            .cycle()
            .skip(self.blocks * VALUES_PER_BLOCK % self.values.len().max(1));
        let now: Vec<Event> =
            now.take(VALUES_PER_BLOCK).chain(changes.iter().copied()).map(Event::Value).collect();
        self.blocks += 1;
        let (events, mut out) = (buffer(&now), EventBuffer::new());
        self.processor
            .process(&inputs, &mut outputs, &events.as_input(), &mut out.as_output(), None, transport)
            .expect("the plugin processes");
    }
}

/// Does something as on an audio thread: with feature `rtsan`, what waits or calls the system ends the run.
fn realtime<T>(work: impl FnOnce() -> T) -> T {
    #[cfg(feature = "rtsan")]
    rtsan_standalone::realtime_enter();
    let result = work();
    #[cfg(feature = "rtsan")]
    rtsan_standalone::realtime_exit();
    result
}

/// Not a number, with a payload that no arithmetic makes.
const FENCED: f32 = f32::from_bits(0x7fc0_1234);

/// Changes as a plugin takes them.
pub(super) fn values(changes: &[Change]) -> EventBuffer {
    buffer(&changes.iter().copied().map(Event::Value).collect::<Vec<_>>())
}

fn buffer(events: &[Event]) -> EventBuffer {
    let mut buffer = EventBuffer::new();
    for event in events {
        let value =
            |change: &Change| ParamValueEvent::new(change.at, change.id, Pckn::match_all(), change.value);
        match event {
            Event::Value(change) => buffer.push(&value(change)),
            // SAFETY: the cookie is the one that the plugin gave with this parameter
            Event::Known(change, cookie) => buffer.push(&unsafe { value(change).with_cookie(*cookie) }),
            Event::Modulation(Change { at, id, value }) => {
                buffer.push(&ParamModEvent::new(*at, *id, Pckn::match_all(), *value));
            }
            Event::Foreign(change) => {
                let mut raw = *value(change).as_raw();
                raw.header.space_id = 0xb33f;
                // SAFETY: the header is the first field of an event of the size it says, which lives on this frame
                buffer.push(unsafe { UnknownEvent::from_raw(&raw const raw.header) });
            }
            Event::Transport(transport) => buffer.push(transport),
        }
    }
    buffer
}
