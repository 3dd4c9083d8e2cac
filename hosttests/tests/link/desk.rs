//! A mixing desk: Stems on their buses, faders and pans behind them, a Master on the sum, a transport.

use hosttests::host::{SMALL_STACK, is_worst, standing, transport};
use hosttests::viewer::id;
use hosttests::{Library, MASTER, Player, Plugin, STEM, noise};
use link::InstanceId;
use meter::layout::Layout;
use meter::{Meter, Reading};
use std::sync::Barrier;
use std::time::{Duration, Instant};
use units::Hz;

pub(crate) const RATE: f64 = 48_000.0;

/// Frames of the longest block.
pub(crate) const LONGEST: u32 = 8192;

/// Left and right.
pub(crate) type Audio = Vec<Vec<f32>>;

/// So many seconds of a stem: noise that swells and pauses in its own rhythm.
pub(crate) fn song(seed: u64, seconds: usize) -> Audio {
    let frames = seconds * RATE as usize;
    let mut audio = noise(seed, 2, frames, 0.2);
    let (rhythm, loudness) = (0.9 + 0.37 * seed as f64, 0.3 + 0.1 * (seed % 5) as f64);
    for (n, time) in (0..frames).map(|n| (n, n as f64 / RATE)) {
        let swell = (0.5 + 0.5 * (time * rhythm).sin()) * loudness;
        // silent for a while, each at another time
        let pauses = (time * 0.6 + 0.25 * seed as f64).fract() < 0.15;
        let gain = if pauses { 0.0 } else { swell as f32 };
        audio.iter_mut().for_each(|side| side[n] *= gain);
    }
    audio
}

pub(crate) struct Bus {
    pub(crate) plugin: Plugin,
    pub(crate) song: Audio,
    /// Behind the Stem: fader and pan as a gain for each side.
    pub(crate) gains: [f32; 2],
    /// The host does not call its Stem: nothing sounds on it.
    pub(crate) sleeps: bool,
    /// Delay line behind the Stem: its length is the delay in frames; left and right.
    pub(crate) late: Vec<[f32; 2]>,
    /// Frames by which the host stamps its Stem ahead of the Master: it compensates the latency of what lies between them.
    pub(crate) ahead: i64,
}

pub(crate) struct Desk {
    pub(crate) buses: Vec<Bus>,
    /// A track without a Stem.
    pub(crate) extra: Option<Audio>,
    pub(crate) master: Plugin,
    rate: f64,
    /// Frame of the timeline at which the songs begin.
    pub(crate) begin: usize,
}

/// Latency of a Master's chain at its defaults, frames.
pub(crate) const MASTER_LATENCY: i64 = 544;
/// Latencies that the worst host compensates behind its Stems, frames.
const STAMPED_AHEAD: [i64; 4] = [MASTER_LATENCY, 7712, 0, 1031];

/// Order and speed in which the host processes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Manner {
    /// Frames of a block.
    pub(crate) block: usize,
    /// Every plugin has its own thread; the Master comes when all are through with the block.
    pub(crate) threads: bool,
    /// The first bus is so many blocks ahead.
    pub(crate) ahead: usize,
}

impl Manner {
    pub(crate) const USUAL: Self = Self { block: 1024, threads: false, ahead: 0 };
}

impl Desk {
    /// A desk with a Stem for each song, active.
    pub(crate) fn new(library: &Library, songs: Vec<Audio>, gains: &[[f32; 2]]) -> Self {
        Self::restored(library, songs, gains, &[])
    }

    /// The same with saved states of its Stems.
    pub(crate) fn restored(
        library: &Library,
        songs: Vec<Audio>,
        gains: &[[f32; 2]],
        states: &[Vec<u8>],
    ) -> Self {
        Self::made(|_| library, songs, gains, (states, None))
    }

    /// A project that is opened again: saved states of all Stems and of the Master.
    pub(crate) fn reopened(
        library: &Library,
        songs: Vec<Audio>,
        gains: &[[f32; 2]],
        states: &[Vec<u8>],
        master: &Vec<u8>,
    ) -> Self {
        Self::made(|_| library, songs, gains, (states, Some(master)))
    }

    /// The same, with each Stem from a copy of the library; the Master is of the first.
    pub(crate) fn spread<const N: usize>(
        libraries: [&Library; N],
        songs: Vec<Audio>,
        gains: &[[f32; 2]],
    ) -> Self {
        Self::made(|n| libraries[n], songs, gains, (&[], None))
    }

    fn made<'a>(
        library: impl Fn(usize) -> &'a Library,
        songs: Vec<Audio>,
        gains: &[[f32; 2]],
        (states, master): (&[Vec<u8>], Option<&Vec<u8>>),
    ) -> Self {
        let make = |n: usize, id: &str, track: &str, state: Option<&Vec<u8>>| {
            let mut plugin = Plugin::on_track(library(n), id, track).expect("the library has it");
            plugin.open(state.map(Vec::as_slice), RATE, LONGEST);
            plugin
        };
        let master = make(0, MASTER, "Mix", master);
        let buses = songs.into_iter().zip(gains).enumerate();
        let buses = buses
            .map(|(n, (song, gains))| Bus {
                plugin: make(n, STEM, &format!("Bus {n}"), states.get(n)),
                song,
                gains: *gains,
                sleeps: false,
                late: Vec::new(),
                ahead: if is_worst() { STAMPED_AHEAD[n % STAMPED_AHEAD.len()] } else { 0 },
            })
            .collect();
        Self { buses, extra: None, master, rate: RATE, begin: 0 }
    }

    /// The host goes on at another rate.
    pub(crate) fn set_rate(&mut self, rate: f64) {
        self.rate = rate;
        for plugin in self.plugins() {
            plugin.deactivate();
            plugin.activate(rate, LONGEST);
        }
    }

    /// Plays in tenths of a second, at so many times the song's speed; returns the mix.
    pub(crate) fn play_at(&mut self, speed: f64, range: std::ops::Range<usize>) -> Audio {
        const BLOCK: usize = 4800;
        let (start, mut mix) = (Instant::now(), vec![Vec::new(); 2]);
        for at in range.clone().step_by(BLOCK) {
            let end = range.end.min(at + BLOCK);
            let (part, _) = self.play(at..end, Manner::USUAL);
            mix.iter_mut().zip(part).for_each(|(mix, part)| mix.extend(part));
            let due = Duration::from_secs_f64((end - range.start) as f64 / RATE / speed);
            std::thread::sleep(due.saturating_sub(start.elapsed()));
        }
        mix
    }

    pub(crate) fn master_id(&mut self) -> InstanceId {
        id(&mut self.master)
    }

    pub(crate) fn ids(&mut self) -> Vec<InstanceId> {
        self.buses.iter_mut().map(|bus| id(&mut bus.plugin)).collect()
    }

    /// Plays the frames `range` of the songs; returns the mix, as it enters the Master, and what leaves it.
    pub(crate) fn play(&mut self, range: std::ops::Range<usize>, manner: Manner) -> (Audio, Audio) {
        // not one block of many that are played in a row
        if !is_worst() || range.len() < 2 * RATE as usize {
            return self.play_on(range, manner);
        }
        // around the middle everything is activated anew in mid-play, and again; then it plays on from a little before
        let (middle, some) = (range.start + range.len() / 2, 14_400);
        self.stand(range.start);
        let (mut mix, mut out) = self.play_on(range.start..middle - some, manner);
        let late: Vec<_> = self.buses.iter().map(|bus| bus.late.clone()).collect();
        self.play_on(middle - some..middle, manner);
        self.freewheel(true);
        self.play_on(middle - some..middle + some, manner);
        self.freewheel(false);
        self.stand(middle - some);
        self.buses.iter_mut().zip(late).for_each(|(bus, late)| bus.late = late);
        let rest = self.play_on(middle - some..range.end, manner);
        mix.iter_mut().zip(rest.0).for_each(|(mix, rest)| mix.extend(rest));
        out.iter_mut().zip(rest.1).for_each(|(out, rest)| out.extend(rest));
        self.stand(range.end);
        (mix, out)
    }

    fn plugins(&mut self) -> impl Iterator<Item = &mut Plugin> {
        self.buses.iter_mut().map(|bus| &mut bus.plugin).chain([&mut self.master])
    }

    /// Activates all plugins anew, for rendering offline or for playing.
    pub(crate) fn freewheel(&mut self, offline: bool) {
        let rate = self.rate;
        self.plugins().for_each(|plugin| plugin.freewheel(offline, rate, LONGEST));
    }

    /// Processes a second of silence while the transport stands at frame `at`.
    pub(crate) fn stand(&mut self, at: usize) {
        let now = standing((self.begin + at) as f64 / self.rate);
        for plugin in self.plugins() {
            let mut player = plugin.lend();
            (0..47).for_each(|_| player.play(&mut silence(1024), Some(&now)));
            plugin.take_back(player);
        }
    }

    /// Plays without what a host does beside it, but for one thing: in the worst host the main thread sets all
    /// parameters, by a state, while the audio thread does by events.
    fn play_on(&mut self, range: std::ops::Range<usize>, manner: Manner) -> (Audio, Audio) {
        let blocks: Vec<_> =
            range.clone().step_by(manner.block).map(|at| at..range.end.min(at + manner.block)).collect();
        let gains: Vec<[f32; 2]> = self.buses.iter().map(|bus| bus.gains).collect();
        let mut late: Vec<Vec<[f32; 2]>> = self.buses.iter().map(|bus| bus.late.clone()).collect();
        let extra = self.extra.as_ref();
        let (rate, begin) = (self.rate, self.begin);
        let ahead: Vec<i64> = self.buses.iter().map(|bus| bus.ahead).collect();
        let sleeps: Vec<bool> = self.buses.iter().map(|bus| bus.sleeps).collect();
        // the audio threads' halves, and what is left to the main thread
        let (mut plugins, songs): (Vec<&mut Plugin>, Vec<&Audio>) =
            self.buses.iter_mut().map(|bus| (&mut bus.plugin, &bus.song)).unzip();
        plugins.push(&mut self.master);
        let lend =
            |plugin: &mut &mut Plugin| if is_worst() { plugin.lend_with_events() } else { plugin.lend() };
        let mut players: Vec<Player> = plugins.iter_mut().map(lend).collect();
        let mut master = players.pop().expect("the Master's");
        let process = |n: usize, player: &mut Player, block: std::ops::Range<usize>| {
            if sleeps[n] {
                silence(block.len())
            } else {
                process(player, songs[n], block, (begin as i64 + ahead[n], rate))
            }
        };
        let mut mix = vec![Vec::new(); 2];
        let mut out = mix.clone();
        let mut finish = |outputs: &[Audio], at: usize| {
            let frames = outputs[0][0].len();
            let mut block = vec![vec![0.0f32; frames]; 2];
            for ((output, gains), late) in outputs.iter().zip(&gains).zip(&mut late) {
                late.extend(output[0].iter().zip(&output[1]).map(|(left, right)| [*left, *right]));
                for (n, frame) in late.drain(..frames).enumerate() {
                    (0..2).for_each(|side| block[side][n] += gains[side] * frame[side]);
                }
            }
            if let Some(extra) = extra {
                for side in 0..2 {
                    block[side].iter_mut().zip(&extra[side][at..]).for_each(|(mix, x)| *mix += x);
                }
            }
            mix.iter_mut().zip(&block).for_each(|(mix, block)| mix.extend(block));
            master.play(&mut block, Some(&transport(0, (begin + at) as f64 / rate, 120.0)));
            out.iter_mut().zip(&block).for_each(|(out, block)| out.extend(block));
        };
        let mut run = || {
            if manner.threads {
                let barrier = Barrier::new(players.len() + 1);
                let (sender, receiver) = std::sync::mpsc::channel();
                let (barrier, blocks) = (&barrier, &blocks);
                std::thread::scope(|scope| {
                    let process = &process;
                    for (n, player) in players.iter_mut().enumerate() {
                        let sender = sender.clone();
                        let play = move || {
                            for block in blocks {
                                sender.send((n, process(n, player, block.clone()))).expect("somebody mixes");
                                barrier.wait();
                            }
                        };
                        let thread = std::thread::Builder::new().stack_size(SMALL_STACK);
                        thread.spawn_scoped(scope, play).expect("a thread");
                    }
                    for block in blocks {
                        let mut outputs: Vec<(usize, Audio)> = receiver.iter().take(songs.len()).collect();
                        outputs.sort_by_key(|(n, _)| *n);
                        let outputs: Vec<Audio> = outputs.into_iter().map(|(_, output)| output).collect();
                        // the Stems go on while the Master works
                        barrier.wait();
                        finish(&outputs, block.start);
                    }
                });
            } else {
                let mut waiting = std::collections::VecDeque::new();
                for n in 0..blocks.len() + manner.ahead {
                    if let Some(block) = blocks.get(n) {
                        waiting.push_back(process(0, &mut players[0], block.clone()));
                    }
                    let Some(block) = n.checked_sub(manner.ahead).and_then(|n| blocks.get(n)) else {
                        continue;
                    };
                    let others = players.iter_mut().enumerate().skip(1);
                    let others: Vec<Audio> =
                        others.map(|(n, player)| process(n, player, block.clone())).collect();
                    let first = waiting.pop_front().expect("it is ahead");
                    finish(&[vec![first], others].concat(), block.start);
                }
            }
        };
        if is_worst() {
            beside(&mut plugins, run);
        } else {
            run();
        }
        plugins.into_iter().zip(players.into_iter().chain([master])).for_each(|(plugin, player)| {
            plugin.take_back(player);
        });
        self.buses.iter_mut().zip(late).for_each(|(bus, late)| bus.late = late);
        (mix, out)
    }
}

/// Plays on an audio thread, while this one, the main thread, loads the plugins' own states: all parameters are set, to
/// what they are.
fn beside(plugins: &mut [&mut Plugin], play: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let audio = std::thread::Builder::new().stack_size(SMALL_STACK).spawn_scoped(scope, play);
        let audio = audio.expect("a thread");
        loop {
            let is_over = audio.is_finished();
            for plugin in plugins.iter_mut() {
                let state = plugin.save();
                assert!(plugin.load(&state), "its own state");
            }
            if is_over {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        if let Err(panic) = audio.join() {
            std::panic::resume_unwind(panic);
        }
    });
}

fn silence(frames: usize) -> Audio {
    vec![vec![0.0; frames]; 2]
}

/// A block of a bus, through its Stem.
fn process(
    player: &mut Player,
    song: &Audio,
    block: std::ops::Range<usize>,
    (begin, rate): (i64, f64),
) -> Audio {
    let mut audio: Audio = song.iter().map(|side| side[block.clone()].to_vec()).collect();
    player.play(&mut audio, Some(&transport(0, (begin + block.start as i64) as f64 / rate, 120.0)));
    audio
}

/// Reading of an independent meter.
pub(crate) fn measure(audio: &Audio) -> Reading {
    measure_at(RATE, audio)
}

/// The same at another rate.
pub(crate) fn measure_at(rate: f64, audio: &Audio) -> Reading {
    let wide: Vec<Vec<f64>> = audio.iter().map(|side| side.iter().map(|&x| f64::from(x)).collect()).collect();
    let mut meter = Meter::new(Hz(rate), &Layout::stereo());
    meter.process(&[&wide[0], &wide[1]]);
    meter.reading()
}
