//! A session that the Master exports is rendered by the command line as the plugins play it.

use super::alone::{Folder, alone};
use super::desk::{Audio, Desk, MASTER_LATENCY, RATE, song};
use audiofile::AudioReader;
use audiofile::wav::{StoredFormat, WavSpec, WavWriter};
use chain::parameters::{PARAMETERS, ParameterKind};
use chain::{ChainKind, LatencyClass};
use hosttests::host::is_worst;
use hosttests::viewer::{Viewer, eventually, id};
use hosttests::{Change, Library, Plugin, Random, with_noise};
use link::ROSTER;
use link::summary::SessionSummary;
use project::bundle::Bundle;
use project::session::Session;
use render::master::{MasterJob, master};
use render::progress::Silent;
use std::path::Path;
use stemlink::export::session_export;
use units::Hz;

const SECONDS: usize = 12;
const FRAMES: usize = SECONDS * RATE as usize;
const STEMS: usize = 5;

/// A class, and within it any setting: moderate where extremes would leave nothing to hear, no keys from outside.
fn scramble(plugin: &mut Plugin, chain_kind: ChainKind, class: LatencyClass, random: &mut Random) {
    let rows = plugin.rows();
    let index = LatencyClass::ALL.iter().position(|one| *one == class).expect("is one");
    let mut changes = vec![Change { at: 0, id: rows[0].id, value: index as f64 }];
    for (parameter, row) in PARAMETERS.for_kind(chain_kind).zip(&rows[1..]) {
        assert!(row.name.contains(&parameter.name), "{} {}", row.name, parameter.id);
        let fraction = match (parameter.id.as_str(), parameter.kind) {
            ("bypass" | "comp_key", _) => 0.0,
            (id, ParameterKind::Choice(_)) if id.ends_with("_key") => 0.0,
            ("in_trim" | "level" | "comp_makeup", _) => 0.4 + 0.2 * random.unit(),
            ("lim_drive" | "sat_drive", _) => 0.3 * random.unit(),
            (id, _) if id.ends_with("_gain") => 0.4 + 0.2 * random.unit(),
            // bells and shelves: a cut anywhere would leave nothing of a stem
            (id, _) if id.ends_with("_shape") => 0.35 * random.unit(),
            ("comp_threshold" | "width", _) => 0.4 + 0.4 * random.unit(),
            _ => random.unit(),
        };
        changes.push(Change { at: 0, id: row.id, value: row.at(fraction) });
    }
    plugin.flush(&changes);
}

/// Output of a plugin from reset, its latency compensated as hosts do.
fn through(plugin: &mut Plugin, audio: &Audio) -> Audio {
    plugin.deactivate();
    plugin.activate(RATE, 8192);
    let latency = plugin.latency() as usize;
    let mut long: Audio = audio.clone();
    long.iter_mut().for_each(|side| side.resize(side.len() + latency, 0.0));
    plugin.run(&mut long, None, &[512, 1024, 100], &[]);
    long.iter().map(|side| side[latency..].to_vec()).collect()
}

/// The sum with a gain for each side, as hosts of 64 bits make it.
fn mix(stems: &[Audio], gains: &[[f32; 2]]) -> Audio {
    let sum = |side: usize, n: usize| {
        let part = |(stem, gain): (&Audio, &[f32; 2])| f64::from(gain[side]) * f64::from(stem[side][n]);
        stems.iter().zip(gains).map(part).sum::<f64>() as f32
    };
    (0..2).map(|side| (0..FRAMES).map(|n| sum(side, n)).collect()).collect()
}

fn write(path: &Path, audio: &Audio) {
    let spec = WavSpec::new(Hz(RATE), 2, StoredFormat::Float32);
    let mut writer = WavWriter::create(path, spec, false).expect("can be written");
    let wide: Vec<Vec<f64>> = audio.iter().map(|side| side.iter().map(|&x| f64::from(x)).collect()).collect();
    writer.write_planar(&wide).expect("can be written");
    writer.finish().expect("can be written");
}

/// The peak of the difference, dBFS.
fn null(file: &Path, audio: &Audio) -> f64 {
    let mut reader = AudioReader::open(file).expect("opens");
    let mut planes = vec![Vec::new(); 2];
    assert_eq!(reader.read_planar(&mut planes, FRAMES + 1).expect("reads"), FRAMES);
    let differences = planes.iter().zip(audio).flat_map(|(file, audio)| {
        file.iter().zip(audio).map(|(file, &audio)| (file - f64::from(audio)).abs())
    });
    20.0 * differences.fold(0.0, f64::max).log10()
}

/// Plays a session with those faders, exports it, renders it and nulls that against the plugins, dBFS.
#[allow(clippy::print_stdout, reason = "what is measured is printed")]
fn exchanged(viewer: &Viewer, library: &Library, seed: u64, gains: &[[f32; 2]], dither: bool) -> f64 {
    let mut random = Random::new(seed);
    let songs: Vec<Audio> = (0..STEMS as u64).map(|n| song(seed + n, SECONDS)).collect();
    let mut desk = Desk::new(library, songs.clone(), gains);
    let classes = LatencyClass::ALL;
    for (n, bus) in desk.buses.iter_mut().enumerate() {
        scramble(&mut bus.plugin, ChainKind::Stem, classes[(n + seed as usize) % 3], &mut random);
        if n == 2 {
            // one that has learned what noise sounds like
            let levels: Vec<f32> = (0..96u8).map(|band| -75.5 - f32::from(band) / 7.0).collect();
            let state = with_noise(&bus.plugin.save(), &levels);
            assert!(bus.plugin.load(&state));
        }
        bus.plugin.deactivate();
        bus.plugin.activate(RATE, 8192);
    }
    scramble(&mut desk.master, ChainKind::Master, classes[(seed as usize) % 3], &mut random);
    let choice = desk.master.typed(0, "Dither", if dither { "24 bit" } else { "Off" });
    desk.master.flush(&[choice]);
    desk.master.deactivate();
    desk.master.activate(RATE, 8192);
    // the host brings all to the Master at one time
    let latencies: Vec<usize> = desk.buses.iter_mut().map(|bus| bus.plugin.latency() as usize).collect();
    let most = *latencies.iter().max().expect("there are stems");
    for (bus, latency) in desk.buses.iter_mut().zip(&latencies) {
        bus.late = vec![[0.0; 2]; most - latency];
        bus.ahead = if is_worst() { MASTER_LATENCY } else { 0 };
    }

    let (me, ids) = (id(&mut desk.master), desk.ids());
    let peer = viewer.find(me);
    let name = "Song";
    let whole = |summary: &SessionSummary| {
        let clear = summary.coverage.is_some_and(|coverage| coverage > 0.999_999_9);
        let found = summary.stems().filter(|stem| stem.matrix.is_some()).count();
        clear && summary.heard > SECONDS as f64 - 1.0 && found == STEMS
    };
    for round in 0.. {
        desk.play_at(4.0, 0..FRAMES);
        let summary = peer.summary().unwrap_or_default();
        if whole(&summary) {
            break;
        }
        assert!(round < 40, "never: all is heard; last {summary:?}");
    }
    let told = |id| ROSTER.find(id).and_then(|peer| peer.settings()).is_some();
    eventually("all is told", || ids.iter().copied().chain([me]).all(told).then_some(()));
    let export = session_export(&ROSTER, peer);
    assert_eq!((export.stems.len(), export.remarks()), (STEMS, Vec::new()));

    let folder = Folder::new();
    let (stems, out) = (folder.0.join(name), folder.0.join("out.wav"));
    std::fs::create_dir(&stems).expect("a folder");
    songs.iter().enumerate().for_each(|(n, song)| write(&stems.join(format!("Bus {n}.wav")), song));
    let file = folder.0.join("exported.toml");
    let text = export.write();
    std::fs::write(&file, &text).expect("written");

    let mut bundle = Bundle::open(&stems, None).expect("opens");
    let session = Session::read(&file, &mut bundle).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let job = MasterJob {
        bundle: &bundle,
        session: &session,
        output: out.clone(),
        unlimited: None,
        overwrite: false,
        target: None,
        tags: Default::default(),
    };
    let mastered = master(&job, &mut Silent).expect("masters");
    assert!(mastered.verified, "{mastered:?}");

    let played: Vec<Audio> =
        desk.buses.iter_mut().zip(&songs).map(|(bus, song)| through(&mut bus.plugin, song)).collect();
    let heard = through(&mut desk.master, &mix(&played, gains));
    let loudest = heard.iter().flatten().fold(0.0f32, |most, x| most.max(x.abs()));
    assert!(loudest > 0.01, "something sounds: {loudest}");
    let null = null(&out, &heard);
    println!("seed {seed}: {null:.1} dBFS, loudest {loudest}");
    assert!(null < -100.0, "{null} dBFS\n{text}");
    null
}

/// The seed, or from it on as many as `STEMLINK_SESSIONS` says.
fn seeds(first: u64) -> std::ops::Range<u64> {
    let count = std::env::var("STEMLINK_SESSIONS").ok().and_then(|count| count.parse().ok());
    first..first + count.unwrap_or(1)
}

#[test]
fn at_unity_the_command_line_renders_the_plugins_bits() {
    alone("link::exchange::at_unity_the_command_line_renders_the_plugins_bits", || {
        let (viewer, library) = (Viewer::new(), Library::open());
        for seed in seeds(1) {
            let null = exchanged(&viewer, &library, seed, &[[1.0; 2]; STEMS], seed % 2 == 1);
            assert_eq!(null, f64::NEG_INFINITY, "seed {seed}");
        }
    });
}

#[test]
fn with_faders_and_pans_it_nulls() {
    alone("link::exchange::with_faders_and_pans_it_nulls", || {
        let (viewer, library) = (Viewer::new(), Library::open());
        let gains = [[0.7, 0.9], [1.0, 0.5], [0.8, 0.8], [0.0, 1.0], [1.3, 0.25]];
        for seed in seeds(2) {
            exchanged(&viewer, &library, seed, &gains, false);
        }
    });
}
