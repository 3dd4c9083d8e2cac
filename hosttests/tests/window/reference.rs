//! A song to compare with, from its file to the host's buffers: as loud as the mix, and heard by nobody but the listener.

use crate::{folder, keep, opened, stage};
use audiofile::wav::{StoredFormat, WavSpec, WavWriter};
use hosttests::host::{Picture, Window};
use hosttests::viewer::{Viewer, eventually, id};
use hosttests::{Call, MASTER, Plugin, with_references};
use link::PeerView;
use std::f64::consts::TAU;
use std::path::{Path, PathBuf};
use units::{Db, Hz};

const RATE: usize = 48_000;
const BLOCK: usize = 512;
/// Frames of a song.
const LENGTH: usize = 8 * RATE;

/// In a window of the usual size: the tab of references, the button that has the first or second of them heard.
const TAB: (i16, i16) = (266, 64);
const HEAR: [(i16, i16); 2] = [(870, 152), (870, 204)];

/// The mix, dBFS on both channels: as many LUFS, by BS.1770's own example of 997 Hz.
const MIX: f64 = -20.0;

/// Frame `n` of a tone of 997 Hz; silence before its beginning.
fn tone(level: f64, n: i64) -> f64 {
    let phase = TAU * 997.0 / RATE as f64 * n.max(0) as f64;
    Db(level).gain() * phase.sin()
}

/// A song in a file, as it is in the file.
struct Song {
    path: PathBuf,
    sides: [Vec<f64>; 2],
}

impl Song {
    fn new(path: PathBuf, frame: impl Fn(i64) -> [f64; 2]) -> Self {
        let side = |side: usize| (0..LENGTH as i64).map(|n| f64::from(frame(n)[side] as f32)).collect();
        let song = Self { path, sides: [side(0), side(1)] };
        let spec = WavSpec::new(Hz(RATE as f64), 2, StoredFormat::Float32);
        let mut writer = WavWriter::create(&song.path, spec, false).expect("made");
        writer.write_planar(&song.sides).expect("written");
        writer.finish().expect("written");
        song
    }

    /// Eight LUFS below full scale, its channels opposed: 12 dB louder than the mix, which has nothing of the kind.
    fn loud(folder: &Path) -> Self {
        Self::new(folder.join("loud.wav"), |n| [tone(-8.0, n), -tone(-8.0, n)])
    }

    /// On the left only, 9 LU quieter than the mix, with a swell to half of full scale: it may be raised by 6 dB.
    fn quiet(folder: &Path) -> Self {
        let level = |n: i64| {
            let (quiet, way) = (Db(-26.0).gain(), (n - 24_000) as f64 / 1920.0);
            let swell = if (0.0..1.0).contains(&way) { 0.5 - 0.5 * (TAU * way).cos() } else { 0.0 };
            quiet + swell * (0.5 - quiet)
        };
        Self::new(folder.join("quiet.wav"), |n| [level(n) * tone(0.0, n), 0.0])
    }
}

/// A host that plays the mix on and on.
struct Host<'a> {
    plugin: &'a mut Plugin,
    /// Frames that were played.
    at: usize,
}

impl Host<'_> {
    /// A block: what leaves the plugin.
    fn play(&mut self) -> Vec<Vec<f32>> {
        let side: Vec<f32> = (0..BLOCK).map(|n| tone(MIX, (self.at + n) as i64) as f32).collect();
        let mut block = vec![side; 2];
        self.plugin.call(&mut block, Call::default());
        self.plugin.idle();
        self.at += BLOCK;
        block
    }

    /// A block, if it is or is not the mix, to the bit, as late as the plugin is.
    fn play_until(&mut self, mix: bool) -> Option<Vec<Vec<f32>>> {
        let start = self.at as i64 - i64::from(self.plugin.latency());
        let block = self.play();
        let is_mix =
            (0..BLOCK).all(|n| block.iter().all(|side| side[n] == tone(MIX, start + n as i64) as f32));
        (is_mix == mix).then_some(block)
    }
}

/// Pixels of text where a reference's line says how it is played.
fn figures(picture: &Picture, row: usize) -> usize {
    let (left, right) = (200, 600);
    let top = 155 + 52 * row;
    let pixel = |x: usize, y: usize| &picture.pixels[3 * (y * picture.width + x)..][..3];
    let paper = pixel(left, top);
    (top..top + 16).map(|y| (left..right).filter(|x| pixel(*x, y) != paper).count()).sum()
}

/// Has it heard by a click; returns its gain when all of it was as it should be: from its beginning, that gain throughout.
fn hear(window: &mut Window<'_>, at: &mut usize, row: usize, song: &Song) -> Db {
    window.click(HEAR[row], 1);
    let mut host = Host { plugin: window.plugin, at: *at };
    let first = eventually("the reference is heard", || host.play_until(false));
    let mut heard = first;
    for _ in 0..100 {
        let block = host.play();
        heard.iter_mut().zip(block).for_each(|(heard, block)| heard.extend(block));
    }
    *at = host.at;
    // it has taken the mix's place within the first blocks
    let faded = 4 * BLOCK;
    let pairs = || {
        (0..2)
            .flat_map(|side| heard[side].iter().zip(&song.sides[side]).skip(faded))
            .map(|(h, s)| (f64::from(*h), *s))
    };
    let gain = pairs().map(|(heard, song)| heard * song).sum::<f64>()
        / pairs().map(|(_, song)| song * song).sum::<f64>();
    let off = pairs().map(|(heard, song)| (heard - gain * song).abs()).fold(0.0, f64::max);
    assert!(off < 1e-6, "{off} beside {gain} times the song");
    let peak = song.sides.iter().flatten().map(|x| (gain * x).abs()).fold(0.0, f64::max);
    assert!(peak < 1.001, "raised to {peak}");
    Db::from_gain(gain)
}

/// Meters and link, which have seen all that was played, say what they say of the mix alone.
fn says_the_mix(master: PeerView, at: usize, listens: bool) {
    let (pulse, levels) = eventually("the link tells of the last block", || {
        let pulse = master.block_status().filter(|pulse| pulse.blocks >= (at / BLOCK) as u64)?;
        let reading = master.reading()?;
        Some((pulse, [reading.momentary?.0, reading.integrated?.0, reading.true_peak?.0]))
    });
    assert_eq!(pulse.listens, listens);
    assert!(levels.iter().all(|level| (level - MIX).abs() < 0.1), "{levels:?}");
}

#[test]
#[ignore = "windows_work_in_an_x_server runs it where there is an X server"]
fn a_reference_is_heard_as_loud_as_the_mix_and_the_mix_is_back_when_the_window_closes() {
    let (library, screen) = stage();
    let songs = [Song::loud(&folder()), Song::quiet(&folder())];
    let viewer = Viewer::new();
    let mut plugin = Plugin::new(&library, MASTER);
    let state = plugin.save();
    let paths = songs.each_ref().map(|song| song.path.to_str().expect("plain"));
    assert!(plugin.load(&with_references(&state, &paths)));
    plugin.activate(RATE as f64, BLOCK as u32);
    let master = viewer.find(id(&mut plugin));

    let mut window = opened(&screen, &mut plugin);
    window.click(TAB, 1);
    let mut at = 0;
    eventually("both are measured, and how they are played is said", || {
        let mut host = Host { plugin: window.plugin, at };
        for _ in 0..10 {
            assert!(host.play_until(true).is_some(), "nothing but the mix is heard");
        }
        at = host.at;
        let picture = window.picture();
        (at > 3 * RATE && (0..2).all(|row| figures(&picture, row) > 100)).then_some(())
    });
    keep(&window.picture(), "master-references");
    says_the_mix(master, at, false);

    // equally loud; and as loud as its true peak allows
    for (row, expected) in [(0, MIX + 8.0), (1, -Db::from_gain(0.5).0)] {
        let gain = hear(&mut window, &mut at, row, &songs[row]);
        assert!((gain.0 - expected).abs() < 0.03, "{gain:?}, not {expected} dB");
        says_the_mix(master, at, true);
        if row == 0 {
            keep(&window.picture(), "master-reference");
            // the mix again
            window.click(HEAR[0], 1);
            let mut host = Host { plugin: window.plugin, at };
            eventually("the mix is heard", || host.play_until(true));
            at = host.at;
            says_the_mix(master, at, false);
        }
    }
    drop(window);
    let mut host = Host { plugin: &mut plugin, at };
    eventually("the mix is back", || host.play_until(true));
    for _ in 0..100 {
        assert!(host.play_until(true).is_some(), "and stays");
    }
    at = host.at;
    says_the_mix(master, at, false);
}
