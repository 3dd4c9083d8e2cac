//! The contests: what ours does, who else does it, and by how much we mean to be better.

use super::clock::{Task, found, time};
use super::{Bench, program};

/// A run, or the difference of two.
#[derive(Clone, Debug)]
pub(super) enum Work {
    /// The whole run of a command.
    Once(Task),
    /// What `frames` stereo frames more cost.
    PerFrame { short: Task, long: Task, frames: u64 },
    /// Nobody's: so many nanoseconds per stereo frame, to be compared with.
    Given(f64),
}

/// By how much ours is to be better than a peer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Goal {
    /// The peer's time is at least this many times ours.
    Times(f64),
    /// Ours is at most this many times the peer's.
    Within(f64),
}

/// Who takes part.
#[derive(Clone, Debug)]
pub(super) struct Contestant {
    pub(super) name: String,
    /// What to install when it is not here.
    pub(super) package: &'static str,
    /// `None`: not here, or not made yet.
    pub(super) work: Option<Work>,
    pub(super) goal: Option<Goal>,
}

impl Contestant {
    fn goal_is(mut self, goal: Goal) -> Self {
        self.goal = Some(goal);
        self
    }

    /// One that comes with a package.
    fn of_package(name: &str, package: &'static str, work: Option<Work>, goal: Goal) -> Self {
        Self { name: name.into(), package, work, goal: Some(goal) }
    }
}

/// One contest.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) what: String,
    pub(super) ours: Contestant,
    pub(super) peers: Vec<Contestant>,
    /// Most memory that ours may take, MiB.
    pub(super) memory: Option<u64>,
    /// What stands in the way of a goal that is not met.
    pub(super) obstacle: &'static str,
}

/// Every contest of the design's table, in its order.
pub(super) fn all(bench: &Bench) -> Vec<Row> {
    let mut rows = vec![measure(bench), dense(bench), album(bench)];
    rows.extend(units(bench));
    rows.push(master(bench));
    rows
}

fn of(what: &str, ours: Contestant, peers: Vec<Contestant>) -> Row {
    Row { what: what.into(), ours, peers, memory: None, obstacle: "" }
}

fn shown(path: &std::path::Path) -> String {
    path.display().to_string()
}

/// `stems measure` on files.
fn stems_measure<'a>(bench: &Bench, files: impl IntoIterator<Item = &'a std::path::PathBuf>) -> Contestant {
    let task = Task::new(&bench.stems, &bench.folder)
        .with(["measure", "--quiet"])
        .with(files.into_iter().map(|file| shown(file)));
    Contestant { name: "stems measure".into(), package: "", work: Some(Work::Once(task)), goal: None }
}

fn ebur128_crate(bench: &Bench, file: &std::path::Path, goal: Goal) -> Contestant {
    let task = Task::new(&bench.peer_ebur128, &bench.folder).with([shown(file)]);
    let work = Some(Work::Once(task));
    Contestant { name: "`ebur128` crate, polled at 10 Hz".into(), package: "", work, goal: Some(goal) }
}

fn measure(bench: &Bench) -> Row {
    let (file, folder) = (shown(&bench.material.programme), &bench.folder);
    let libebur128 = bench.compiled("libebur128", include_str!("libebur128.c"), &["-lebur128"]);
    let libebur128 = Contestant {
        name: "libebur128 (C), polled at 10 Hz".into(),
        package: "libebur128-dev and a C compiler",
        work: libebur128.map(|program| Work::Once(Task::new(program, folder).with([file.clone()]))),
        goal: Some(Goal::Times(40.0)),
    };
    let filter = "ebur128=peak=true:framelog=verbose";
    let ffmpeg = |task: Task| {
        task.with(["-nostats", "-threads", "1", "-filter_threads", "1", "-i", &file])
            .with(["-af", filter, "-f", "null", "-"])
    };
    let peers = vec![
        ebur128_crate(bench, &bench.material.programme, Goal::Times(30.0)),
        program("ffmpeg `ebur128=peak=true`", "ffmpeg", "ffmpeg", ffmpeg, folder).goal_is(Goal::Times(20.0)),
        libebur128,
        program("loudgain", "loudgain", "loudgain", |task| task.with(["-q", &file]), folder),
        program("sox `stats` (levels only)", "sox", "sox", |task| task.with([&file, "-n", "stats"]), folder),
        program("cat (reading the file)", "cat", "coreutils", |task| task.with([&file]), folder)
            .goal_is(Goal::Within(3.0)),
    ];
    let row = of(
        "10 min, 48 kHz, 24 bit stereo: M S I LRA TP",
        stems_measure(bench, [&bench.material.programme]),
        peers,
    );
    Row {
        memory: Some(8),
        obstacle: "Reading alone costs what `cat` costs; what remains for K-weighting, gates and interpolation is \
                   a nanosecond per frame, 22 instructions. On machines where reading is slower the ratio is \
                   smaller (3.03x was seen).",
        ..row
    }
}

fn dense(bench: &Bench) -> Row {
    let peers = vec![ebur128_crate(bench, &bench.material.dense, Goal::Times(20.0))];
    of("the same, dense and loud", stems_measure(bench, [&bench.material.dense]), peers)
}

fn album(bench: &Bench) -> Row {
    let files: Vec<String> = bench.material.stems.iter().map(|stem| shown(stem)).collect();
    let rsgain = |task: Task| task.with(["custom", "-a", "-t", "-s", "s", "-q"]).with(files.clone());
    let loudgain = |task: Task| task.with(["-a", "-q"]).with(files.clone());
    let peers = vec![
        program(
            "rsgain, album scan, true peak",
            "rsgain",
            "rsgain (Debian 13 and later)",
            rsgain,
            &bench.folder,
        )
        .goal_is(Goal::Times(25.0)),
        program("loudgain, album scan", "loudgain", "loudgain", loudgain, &bench.folder),
    ];
    of("eight stems of 4 min", stems_measure(bench, &bench.material.stems), peers)
}

/// A unit of the chain, in ns per stereo frame.
fn unit(bench: &Bench, name: &str, block: usize) -> Contestant {
    const SHORT: u64 = 480_000;
    const LONG: u64 = 5_280_000;
    let task = |frames: u64| {
        let arguments = [name.to_owned(), frames.to_string(), block.to_string()];
        Task::new(&bench.frames, &bench.folder).with(arguments)
    };
    let work = Work::PerFrame { short: task(SHORT), long: task(LONG), frames: LONG - SHORT };
    Contestant { name: format!("`frames {name}`"), package: "", work: Some(work), goal: None }
}

/// A peer that is an LV2 plugin.
fn lv2(name: &str, package: &'static str, goal: Goal) -> Contestant {
    Contestant::of_package(name, package, None, goal)
}

/// ffmpeg's noise reduction on the programme.
fn afftdn(bench: &Bench) -> Contestant {
    const SHORT: u64 = 10;
    const LONG: u64 = 110;
    let work = found("ffmpeg").map(|ffmpeg| {
        let task = |seconds: u64| {
            Task::new(&ffmpeg, &bench.folder)
                .with(["-nostats", "-threads", "1", "-filter_threads", "1", "-t", &seconds.to_string(), "-i"])
                .with([&shown(&bench.material.programme), "-af", "afftdn", "-f", "null", "-"])
        };
        Work::PerFrame { short: task(SHORT), long: task(LONG), frames: (LONG - SHORT) * 48_000 }
    });
    Contestant::of_package("ffmpeg `afftdn`, decoding included", "ffmpeg", work, Goal::Times(4.0))
}

/// Spotify's pedalboard: eight bells, compressor, limiter, 24 bit.
fn pedalboard(bench: &Bench) -> Contestant {
    let script = bench.folder.join("master_pedalboard.py");
    let python = found("python3").filter(|python| {
        let import = Task::new(python, &bench.folder).with(["-c", "import pedalboard"]);
        std::fs::write(&script, include_str!("master_pedalboard.py")).is_ok() && time(&import).is_ok()
    });
    let work = python.map(|python| {
        let arguments = [shown(&script), shown(&bench.material.song), "mastered-pedalboard.wav".into()];
        Work::Once(Task::new(python, &bench.folder).with(arguments))
    });
    Contestant::of_package(
        "pedalboard (once, unmeasured; its interpreter included)",
        "pedalboard (PyPI)",
        work,
        Goal::Times(4.0),
    )
}

fn units(bench: &Bench) -> Vec<Row> {
    let here = |name: &str| unit(bench, name, 512);
    // a frame's share of a thousandth of a second per second
    let share = Contestant {
        name: "0.1 % of a core".into(),
        package: "",
        work: Some(Work::Given(1e6 / 48_000.0)),
        goal: Some(Goal::Within(1.0)),
    };
    vec![
        Row {
            obstacle: "Against the budget of 300 instructions per frame: of some 530, the limiter takes 330, two fifths of \
                       them to look between the samples (quarters everywhere, eighths at crests), the compressor 160, the \
                       equalizer 65.",
            ..of(
                "Stem: EQ of eight bells, compressor, true-peak limiter, full meter; per frame",
                here("stem"),
                vec![lv2(
                    "LSP EQ, darc, dpl, x42 EBU R128 in a row",
                    "lsp-plugins-lv2, x42-plugins, liblilv-dev",
                    Goal::Times(13.0),
                )],
            )
        },
        of(
            "EQ of eight bells, f64; per frame",
            here("equalizer"),
            vec![lv2("LSP x16 with 8 bells, f32", "lsp-plugins-lv2, liblilv-dev", Goal::Times(2.0))],
        ),
        Row {
            obstacle: "The peer was measured elsewhere at 529 ns, so the goal is 26 ns, which AVX-512 reaches. By AVX2 it takes \
                       460 instructions: 290 to filter and hear through 24 sections, a third of which glide, with few \
                       registers; 45 to decide where eight bands go, once in 8 frames; 125 to fetch and spread what they \
                       go to, band by band.",
            ..of(
                "dynamic EQ of eight bands; per frame",
                here("dynamics"),
                vec![lv2("LSP multiband dynamics", "lsp-plugins-lv2, liblilv-dev", Goal::Times(20.0))],
            )
        },
        of(
            "true-peak limiter, 6 dB of drive; per frame",
            here("limiter"),
            vec![lv2("x42 dpl, true peak", "x42-plugins, liblilv-dev", Goal::Times(10.0))],
        ),
        of("meters of a plugin: hops and true peak; per frame", here("meter"), vec![]),
        of("a neutral chain; per frame", here("neutral"), vec![]),
        Row {
            obstacle: "Every block costs some 4500 instructions before its first frame, half of them where the equalizer's \
                   sections wait for their first or last frame.",
            ..of(
                "Stem in blocks of 64 frames; per frame",
                unit(bench, "stem", 64),
                vec![
                    Contestant { name: "in blocks of 512".into(), ..here("stem") }
                        .goal_is(Goal::Within(1.25)),
                ],
            )
        },
        of("denoise; per frame", here("denoise"), vec![afftdn(bench)]),
        of("a Master's window reading 128 slots at 60 Hz; per frame of sound", here("link"), vec![share]),
    ]
}

/// The whole mastering job: eight bells, compressor, limiter, 24 bit; ours also measures, lands, and verifies.
fn master(bench: &Bench) -> Row {
    let (file, folder) = (shown(&bench.material.song), &bench.folder);
    let session = folder.join("master.toml");
    let written = std::fs::write(&session, SESSION).is_ok();
    let ours = Task::new(&bench.stems, folder).with([
        "master",
        &file,
        "--quiet",
        "--force",
        "--out",
        "mastered",
        "--session",
        &shown(&session),
    ]);
    let ours = Contestant {
        name: "stems master".into(),
        package: "",
        work: written.then_some(Work::Once(ours)),
        goal: None,
    };
    let bells = (0..8).map(|i| {
        let frequency = 50.0 * 2.2f64.powi(i);
        let gain = if i % 2 == 0 { 3 } else { -3 };
        format!("equalizer=f={frequency:.0}:t=q:w=1:g={gain}")
    });
    let filters: Vec<String> = bells
        .chain(["acompressor=threshold=0.03:ratio=4".into(), "alimiter=limit=0.89:level=disabled".into()])
        .collect();
    let ffmpeg = |task: Task| {
        task.with(["-y", "-nostats", "-threads", "1", "-filter_threads", "1", "-i", &file]).with([
            "-af",
            &filters.join(","),
            "-c:a",
            "pcm_s24le",
            "mastered-ffmpeg.wav",
        ])
    };
    let peers = vec![
        program("ffmpeg, one filter thread (once, unmeasured)", "ffmpeg", "ffmpeg", ffmpeg, folder)
            .goal_is(Goal::Times(2.5)),
        pedalboard(bench),
        Contestant::of_package("matchering", "matchering (PyPI)", None, Goal::Times(20.0)),
    ];
    let obstacle = "Ours also holds the ceiling at 16 times the rate, writes, reads the file back and lets a second \
                   meter judge it, `ebur128`, which alone takes as long as all of ffmpeg's job (10 minutes take it \
                   2 s, see above).";
    Row { obstacle, ..of("offline master of 3 min", ours, peers) }
}

/// The session of [`master`].
const SESSION: &str = include_str!("master.toml");
