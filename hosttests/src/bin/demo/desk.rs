//! A DAW without a window: the song's stems on buses with a Stem, fader and pan behind it, and a Master on the sum.

use hosttests::host::{Call, transport};
use hosttests::{Library, MASTER, Plugin, STEM};
use meter::Meter;
use meter::layout::Layout;
use std::time::{Duration, Instant};
use units::{Db, Hz, Lufs};

const RATE: f64 = 48_000.0;
const BLOCK: usize = 512;
const TEMPO: f64 = 108.0;

/// Stems of the song.
pub(crate) const BUSES: usize = 5;

/// Fader, and pan from -1 (left) to 1, of each bus.
const FADERS: [(Db, f64); BUSES] =
    [(Db(-1.0), 0.0), (Db(0.5), 0.0), (Db(2.0), -0.3), (Db(-0.5), 0.05), (Db(1.5), 0.4)];

/// The bus whose sidechain hears the drums, and what its Stem's compressor is set to.
const DUCKED: usize = 1;
const DUCKING: [(&str, &str); 5] = [
    ("Compressor On", "on"),
    ("Compressor Threshold", "-36 dBFS"),
    ("Compressor Ratio", "2:1"),
    ("Compressor Release", "120 ms"),
    ("Compressor Key Sidechain", "Sidechain"),
];

pub(crate) struct Bus {
    pub(crate) name: &'static str,
    pub(crate) fader: Db,
    pan: f64,
    plugin: Plugin,
    song: Vec<Vec<f32>>,
}

impl Bus {
    /// Gains of left and right: constant power, unity in the middle.
    fn gains(&self) -> [f32; 2] {
        let angle = (self.pan + 1.0) * core::f64::consts::FRAC_PI_4;
        [angle.cos(), angle.sin()].map(|side| (self.fader.gain() * side * core::f64::consts::SQRT_2) as f32)
    }
}

pub(crate) struct Desk {
    pub(crate) buses: Vec<Bus>,
    master: Plugin,
}

/// The song, played once.
pub(crate) struct Take {
    /// The mix as it enters the Master.
    mix: [Vec<f64>; 2],
    pub(crate) length: Duration,
    took: Duration,
}

impl Take {
    pub(crate) fn pace(&self) -> String {
        let (length, took) = (self.length.as_secs_f64(), self.took.as_secs_f64());
        format!("{length:.0} s of song in {took:.1} s, {:.0} times its speed", length / took)
    }

    /// Integrated loudness of the mix, by a meter beside the plugins.
    pub(crate) fn loudness(&self) -> Option<Lufs> {
        let mut meter = Meter::new(Hz(RATE), &Layout::stereo());
        meter.process(&[&self.mix[0], &self.mix[1]]);
        meter.reading().integrated
    }
}

impl Desk {
    pub(crate) fn new(library: &Library) -> Self {
        let on = |id: &str, track: &str| Plugin::on_track(library, id, track).expect("the library has it");
        let narrow = |side: Vec<f64>| side.into_iter().map(|x| x as f32).collect();
        let buses = demo_song::render(Hz(RATE)).into_iter().zip(FADERS);
        let mut buses: Vec<Bus> = buses
            .map(|(stem, (fader, pan))| Bus {
                name: stem.name,
                fader,
                pan,
                plugin: on(STEM, stem.name),
                song: vec![narrow(stem.left), narrow(stem.right)],
            })
            .collect();
        let ducked = &mut buses[DUCKED].plugin;
        let changes: Vec<_> = DUCKING.iter().map(|(name, text)| ducked.typed(0, name, text)).collect();
        ducked.flush(&changes);
        let mut master = on(MASTER, "Mix");
        for plugin in buses.iter_mut().map(|bus| &mut bus.plugin).chain([&mut master]) {
            plugin.activate(RATE, BLOCK as u32);
        }
        Self { buses, master }
    }

    /// Routing of the session, in words.
    pub(crate) fn routing(&self) -> String {
        let buses = self.buses.iter().map(|bus| {
            let pan = match (bus.pan * 100.0).round() {
                0.0 => String::new(),
                left if left < 0.0 => format!(" L{:.0}", -left),
                right => format!(" R{right:.0}"),
            };
            format!("{} {:+.1} dB{pan}", bus.name, bus.fader.0)
        });
        let buses: Vec<String> = buses.collect();
        format!(
            "{}; the drums key the {}'s compressor",
            buses.join(", "),
            self.buses[DUCKED].name.to_lowercase()
        )
    }

    /// Plays the song from its beginning, and then the first half second again, as a loop would: the last hop is kept
    /// only when what follows shows that it was no audition.
    pub(crate) fn play(&mut self) -> Take {
        let frames = self.buses[0].song[0].len();
        let start = Instant::now();
        let mut mix = [Vec::with_capacity(frames), Vec::with_capacity(frames)];
        for at in (0..frames).step_by(BLOCK) {
            let block = self.block(at..frames.min(at + BLOCK));
            for (mix, block) in mix.iter_mut().zip(&block) {
                mix.extend(block.iter().map(|&x| f64::from(x)));
            }
        }
        let took = start.elapsed();
        for at in (0..RATE as usize / 2).step_by(BLOCK) {
            self.block(at..at + BLOCK);
        }
        Take { mix, length: Duration::from_secs_f64(frames as f64 / RATE), took }
    }

    /// One block of everything; returns the mix.
    fn block(&mut self, range: core::ops::Range<usize>) -> [Vec<f32>; 2] {
        let now = transport(0, range.start as f64 / RATE, TEMPO);
        let mut mix = [vec![0.0f32; range.len()], vec![0.0f32; range.len()]];
        let mut drums: Option<Vec<Vec<f32>>> = None;
        for (number, bus) in self.buses.iter_mut().enumerate() {
            let mut audio: Vec<Vec<f32>> = bus.song.iter().map(|side| side[range.clone()].to_vec()).collect();
            let key = drums.as_deref().filter(|_| number == DUCKED);
            bus.plugin.call(&mut audio, Call { key, transport: Some(&now), ..Call::default() });
            for ((mix, side), gain) in mix.iter_mut().zip(&audio).zip(bus.gains()) {
                mix.iter_mut().zip(side).for_each(|(mix, x)| *mix += gain * x);
            }
            drums.get_or_insert(audio);
        }
        let mut out = mix.to_vec();
        self.master.call(&mut out, Call { transport: Some(&now), ..Call::default() });
        mix
    }
}
