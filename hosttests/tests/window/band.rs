//! Five Stems that play into a Master, whose window may be open meanwhile.

use hosttests::host::transport;
use hosttests::{Call, Library, MASTER, Plugin, STEM, noise};

pub(crate) const RATE: usize = 48_000;
const BLOCK: usize = 1024;

/// A track's name, how loud it is, how it swells, and how much of its top is taken away.
const TRACKS: [(&str, f32, f64, f32); 5] = [
    ("Drums", 0.5, 12.6, 0.2),
    ("Bass", 0.35, 3.1, 0.97),
    ("Keys", 0.2, 1.3, 0.8),
    ("Lead Vocals", 0.3, 2.2, 0.6),
    ("FX", 0.1, 0.7, 0.1),
];

pub(crate) struct Band {
    pub(crate) stems: Vec<Plugin>,
    songs: Vec<Vec<Vec<f32>>>,
    at: usize,
}

impl Band {
    /// The band, active; its Master waits to be played.
    pub(crate) fn new(library: &Library, seconds: usize) -> (Self, Plugin) {
        let make = |id: &str, track: &str| {
            let mut plugin = Plugin::on_track(library, id, track).expect("the library has it");
            plugin.activate(RATE as f64, BLOCK as u32);
            plugin
        };
        let master = make(MASTER, "Mix");
        let stems = TRACKS.iter().map(|(name, ..)| make(STEM, name)).collect();
        let song = |(seed, (_, level, swell, smooth)): (usize, &(&str, f32, f64, f32))| {
            let mut audio = noise(seed as u64 + 1, 2, seconds * RATE, *level);
            for side in &mut audio {
                let mut last = 0.0;
                for (n, sample) in side.iter_mut().enumerate() {
                    let time = n as f64 / RATE as f64;
                    last += (*sample - last) * (1.0 - smooth);
                    *sample = last * (0.35 + 0.65 * (0.5 + 0.5 * (time * swell).sin()).powi(3)) as f32;
                }
            }
            audio
        };
        (Self { stems, songs: TRACKS.iter().enumerate().map(song).collect(), at: 0 }, master)
    }

    /// Plays so many seconds into `master`, at the song's speed or as fast as can be; begins anew at the end.
    pub(crate) fn play(&mut self, master: &mut Plugin, seconds: f64, at_its_speed: bool) {
        let (start, mut done) = (std::time::Instant::now(), 0);
        while done < (seconds * RATE as f64) as usize {
            if self.at + BLOCK > self.songs[0][0].len() {
                self.at = 0;
            }
            let now = transport(0, self.at as f64 / RATE as f64, 120.0);
            let call = || Call { transport: Some(&now), ..Call::default() };
            let mut mix = vec![vec![0.0f32; BLOCK]; 2];
            for (stem, song) in self.stems.iter_mut().zip(&self.songs) {
                let mut block: Vec<Vec<f32>> =
                    song.iter().map(|side| side[self.at..self.at + BLOCK].to_vec()).collect();
                stem.call(&mut block, call());
                for (mix, side) in mix.iter_mut().zip(&block) {
                    mix.iter_mut().zip(side).for_each(|(mix, x)| *mix += x);
                }
            }
            master.call(&mut mix, call());
            (self.at, done) = (self.at + BLOCK, done + BLOCK);
            if at_its_speed {
                master.idle();
                let due = std::time::Duration::from_secs_f64(done as f64 / RATE as f64);
                std::thread::sleep(due.saturating_sub(start.elapsed()));
            }
        }
    }

    /// The host activates the stem `n` anew.
    pub(crate) fn again(&mut self, n: usize) {
        self.stems[n].deactivate();
        self.stems[n].activate(RATE as f64, BLOCK as u32);
    }

    /// Gain of stem `n`, from its output for a constant input.
    pub(crate) fn gain(&mut self, n: usize) -> f32 {
        let mut last = 0.0;
        // a glide is over by then
        for _ in 0..3 {
            let mut block = vec![vec![0.25f32; BLOCK]; 2];
            self.stems[n].call(&mut block, Call::default());
            last = block[0][BLOCK - 1];
        }
        last / 0.25
    }
}
