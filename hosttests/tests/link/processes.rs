//! Hosts that are processes of their own, linked through the bridge: what Bitwig and other sandboxes do, two projects
//! in two hosts, and a host that is killed.

use super::alone::alone;
use super::desk::{Audio, Desk, Manner, RATE, song};
use hosttests::host::transport;
use hosttests::viewer::{Viewer, eventually, id};
use hosttests::{Call, Library, MASTER, Plugin, STEM, Vst3};
use link::ipc::Observer;
use link::records::{InstanceInfo, InstanceKind, PluginFormat};
use link::summary::SessionSummary;
use link::survey::Survey;
use link::{InstanceId, ROSTER, Roster};
use session::stem_status::StemStatus;
use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The variable that tells a process which host it is.
const PART: &str = "STEMLINK_TEST_HOST";

const BLOCK: usize = 512;
/// Of the stems that another process plays, seed and gains in the mix.
const STEMS: [(u64, [f32; 2]); 2] = [(60, [0.7, 0.9]), (61, [1.1, 0.4])];

/// A host that goes with the test.
struct Host(Child);

impl Host {
    fn start(part: &str) -> Self {
        let child = Command::new(std::env::current_exe().expect("a test has a path"))
            .args(["link::processes::host", "--exact", "--nocapture"])
            .env(PART, part)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn();
        Self(child.expect("the host starts"))
    }

    /// SIGKILL: nothing of it runs any more.
    fn kill(&mut self) {
        self.0.kill().expect("it lives");
        self.0.wait().expect("it has ended");
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Has a Stem process a block, of that number.
type Play = Box<dyn FnMut(&mut Audio, usize)>;

/// Plays the part that the environment names until it is killed; without one there is nothing to do.
#[test]
fn host() {
    let Ok(part) = std::env::var(PART) else { return };
    let words: Vec<&str> = part.split(',').collect();
    match words.as_slice() {
        [format @ ("clap" | "vst3"), pace, start] => {
            let pace =
                SongClock { speed: pace.parse().expect("a speed"), start: start.parse().expect("a time") };
            let library = Library::open();
            let make = |seed: u64| -> Play {
                if *format == "vst3" {
                    let mut plugin = Vst3::new("Stemlink Stem", RATE, BLOCK);
                    return Box::new(move |audio, block| plugin.play(audio, (block * BLOCK) as i64));
                }
                let mut plugin = stem(&library, seed);
                Box::new(move |audio, block| play(&mut plugin, audio, block))
            };
            let mut stems = STEMS.map(|(seed, _)| (make(seed), song(seed, SECONDS)));
            for block in 0.. {
                pace.wait_for(block);
                for (play, song) in &mut stems {
                    play(&mut cut(song, block), block);
                }
            }
        }
        ["desk", seed] => {
            let seed: u64 = seed.parse().expect("a number");
            let songs = (0..2).map(|n| song(seed + n, 5)).collect();
            let mut desk = Desk::new(&Library::open(), songs, &[[0.7, 0.9], [1.0, 0.5]]);
            loop {
                desk.play(0..5 * RATE as usize, Manner::USUAL);
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        _ => panic!("no such host: {part}"),
    }
}

/// Seconds of a song before it begins again.
const SECONDS: usize = 20;

fn stem(library: &Library, seed: u64) -> Plugin {
    let mut plugin = Plugin::on_track(library, STEM, &format!("Stem {seed}")).expect("the library has it");
    plugin.activate(RATE, BLOCK as u32);
    plugin
}

/// Block `block` of a song that repeats.
fn cut(song: &Audio, block: usize) -> Audio {
    let frames = song[0].len();
    let at = |n: usize| (block * BLOCK + n) % frames;
    song.iter().map(|side| (0..BLOCK).map(|n| side[at(n)]).collect()).collect()
}

fn play(plugin: &mut Plugin, audio: &mut Audio, block: usize) {
    let now = transport(0, (block * BLOCK) as f64 / RATE, 120.0);
    plugin.call(audio, Call { transport: Some(&now), ..Call::default() });
}

/// Speed at which two processes play the same song, and its start in milliseconds since 1970.
#[derive(Clone, Copy)]
struct SongClock {
    speed: f64,
    start: u64,
}

impl SongClock {
    fn wait_for(self, block: usize) {
        let due = Duration::from_secs_f64(block as f64 * BLOCK as f64 / RATE / self.speed)
            + Duration::from_millis(self.start);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        std::thread::sleep(due.saturating_sub(now));
    }
}

/// A Master here hears the Stems of another process, in that format, at that speed, `seconds` of the song or more.
fn crosses(format: PluginFormat, speed: f64, seconds: f64) {
    let viewer = Viewer::new();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
    let pace = SongClock { speed, start: now + 1500 };
    let stems = if format == PluginFormat::Vst3 { "vst3" } else { "clap" };
    let host = Host::start(&format!("{stems},{speed},{}", pace.start));
    let mut master = Plugin::on_track(&Library::open(), MASTER, "Mix").expect("the library has it");
    master.activate(RATE, BLOCK as u32);
    let master_id = id(&mut master);
    viewer.find(master_id);
    let theirs = eventually("both Stems are seen", || {
        let of = |label: &InstanceInfo| {
            label.kind == InstanceKind::Stem && label.process.pid == u64::from(host.0.id())
        };
        let stems = ROSTER.peers().filter(|peer| peer.info().is_some_and(|label| of(&label)));
        let ids: Vec<InstanceId> = stems.filter_map(|peer| peer.id()).collect();
        (ids.len() == STEMS.len()).then_some(ids)
    });

    let songs = STEMS.map(|(seed, gains)| (song(seed, SECONDS), gains));
    let start = Instant::now();
    let mut block = 0;
    // whatever is held up on a busy machine is a gap, never a shift: what is heard is exact, however long it takes
    let summary = loop {
        pace.wait_for(block);
        let mut mix = vec![vec![0.0f32; BLOCK]; 2];
        for (song, gains) in &songs {
            for ((mix, side), gain) in mix.iter_mut().zip(cut(song, block)).zip(gains) {
                mix.iter_mut().zip(side).for_each(|(mix, x)| *mix += gain * x);
            }
        }
        play(&mut master, &mut mix, block);
        block += 1;
        let summary = ROSTER.find(master_id).and_then(|peer| peer.summary());
        let is_whole = |summary: &SessionSummary| {
            let both = summary.stems().filter(|stem| stem.gain.is_some()).count() == STEMS.len();
            let exact = summary.half_width.is_some_and(|width| width.0 == 0.0);
            let covered = summary.coverage.is_some_and(|coverage| coverage > 0.9999);
            both && exact && covered && summary.heard > seconds
        };
        if let Some(whole) = summary.filter(is_whole) {
            break whole;
        }
        assert!(start.elapsed() < Duration::from_secs(240), "the Master last said {summary:?}");
    };
    let seen = theirs.iter().map(|id| summary.stems().find(|stem| stem.stem == *id).expect("it is summed"));
    let mut seen: Vec<_> = seen.collect();
    // by gain, for a host may give its tracks no names
    let mut gains = STEMS.map(|(_, gains)| gains.map(f64::from)).map(|[l, r]| ((l * l + r * r) / 2.0).sqrt());
    gains.sort_by(f64::total_cmp);
    seen.sort_by(|a, b| a.gain.map(|gain| gain.0).partial_cmp(&b.gain.map(|gain| gain.0)).expect("numbers"));
    for (seen, gain) in seen.into_iter().zip(gains) {
        assert!((seen.gain.expect("found").gain() - gain).abs() < 1e-3, "{seen:?} {gain}");
        assert_eq!(seen.delay, Some(0), "{seen:?}");
        let stem = ROSTER.find(seen.stem).expect("it lives");
        assert!(stem.reading().is_some_and(|reading| reading.integrated.is_some()), "its reading arrives");
        assert_eq!(stem.info().map(|label| label.format), Some(format));
    }
}

#[test]
fn a_master_hears_the_stems_of_another_process_as_they_play() {
    alone("link::processes::a_master_hears_the_stems_of_another_process_as_they_play", || {
        crosses(PluginFormat::Clap, 1.0, 4.0);
    });
}

#[test]
fn a_master_hears_the_stems_of_another_process_at_twenty_times_their_speed() {
    let test = "link::processes::a_master_hears_the_stems_of_another_process_at_twenty_times_their_speed";
    alone(test, || crosses(PluginFormat::Clap, 20.0, 20.0));
}

#[test]
fn a_clap_master_hears_the_vst3_stems_of_another_process_as_they_play() {
    let test = "link::processes::a_clap_master_hears_the_vst3_stems_of_another_process_as_they_play";
    alone(test, || crosses(PluginFormat::Vst3, 1.0, 4.0));
}

#[test]
fn a_clap_master_hears_the_vst3_stems_of_another_process_at_twenty_times_their_speed() {
    let test =
        "link::processes::a_clap_master_hears_the_vst3_stems_of_another_process_at_twenty_times_their_speed";
    alone(test, || crosses(PluginFormat::Vst3, 20.0, 20.0));
}

/// Survey as `stems live` takes it.
fn survey(onlooker: &mut Observer) -> Survey {
    onlooker.poll(Instant::now());
    Survey::new(onlooker.peers())
}

#[test]
fn two_hosts_do_not_take_each_other_s_stems_and_a_killed_one_is_gone() {
    alone("link::processes::two_hosts_do_not_take_each_other_s_stems_and_a_killed_one_is_gone", || {
        static SEEN: Roster = Roster::new();
        let mut onlooker = Observer::new(&SEEN);
        let mut hosts = [70u64, 80].map(|seed| Host::start(&format!("desk,{seed}")));
        let pids = hosts.each_ref().map(|host| u64::from(host.0.id()));
        let own = |survey: &Survey, pid: u64, kind: InstanceKind| -> BTreeSet<InstanceId> {
            let is = |label: &InstanceInfo| label.process.pid == pid && label.kind == kind;
            survey.instances.iter().filter(|one| is(&one.info)).map(|one| one.id).collect()
        };
        let parted = eventually("each Master sums its own", || {
            let survey = survey(&mut onlooker);
            let of = |pid: u64| {
                let stems = own(&survey, pid, InstanceKind::Stem);
                let session = survey
                    .sessions
                    .iter()
                    .find(|session| survey.instances[session.owner].info.process.pid == pid)?;
                let sums: BTreeSet<_> = session.stems.iter().map(|&stem| survey.instances[stem].id).collect();
                let whole = session.summary.coverage.is_some_and(|coverage| coverage > 0.9999);
                (stems.len() == 2 && sums == stems && whole).then_some(())
            };
            of(pids[0]).and(of(pids[1])).map(|()| survey.clone())
        });
        assert_eq!(parted.sessions.len(), 2);
        assert!(parted.instances.iter().all(|one| one.status == StemStatus::Live), "{parted:?}");
        let sessions: BTreeSet<_> = parted.instances.iter().map(|one| one.session).collect();
        assert_eq!(sessions.len(), 2, "every Stem is in the session of its Master");

        hosts[0].kill();
        let killed = Instant::now();
        let left = survey(&mut onlooker);
        assert!(killed.elapsed() < Duration::from_secs(3), "{:?}", killed.elapsed());
        assert_eq!(
            own(&left, pids[0], InstanceKind::Stem).len() + own(&left, pids[0], InstanceKind::Master).len(),
            0
        );
        assert_eq!((left.instances.len(), left.sessions.len()), (3, 1), "the other one plays on");
    });
}
