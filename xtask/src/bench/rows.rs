//! The contests: what ours does, who else does it, and by how much we mean to be better.

use super::clock::{Task, found, time};
use super::{Bench, program};

/// A run, or the difference of two.
#[derive(Clone, Debug)]
pub(super) enum Work {
    /// The whole run of a command.
    Once(Task),
    /// Time on the wall of commands, one after the other.
    Wall(Vec<Task>),
    /// Cost of `frames` more stereo frames.
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

/// One tool of a comparison.
#[derive(Clone, Debug)]
pub(super) struct Contestant {
    pub(super) name: String,
    /// Package to install when the tool is missing.
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
    /// Reason for a goal that is not met.
    pub(super) obstacle: &'static str,
}

/// Every contest of the design's table, in its order.
pub(super) fn all(bench: &Bench) -> Vec<Row> {
    let mut rows = vec![measure(bench), dense(bench), album(bench)];
    rows.extend(units(bench));
    rows.extend([render(bench), master(bench), master_wall(bench), deliver(bench)]);
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

/// Frames of the short and the long run of a unit.
const SHORT: u64 = 480_000;
const LONG: u64 = 5_280_000;

/// A unit of the chain, in ns per stereo frame.
fn unit(bench: &Bench, name: &str, block: usize) -> Contestant {
    let task = |frames: u64| {
        let arguments = [name.to_owned(), frames.to_string(), block.to_string()];
        Task::new(&bench.frames, &bench.folder).with(arguments)
    };
    let work = Work::PerFrame { short: task(SHORT), long: task(LONG), frames: LONG - SHORT };
    Contestant { name: format!("`frames {name}`"), package: "", work: Some(work), goal: None }
}

/// Peers that are LV2 plugins, each a URI and what it is told, in a row. Not here if one of them is not.
fn lv2(bench: &Bench, name: &str, package: &'static str, plugins: &[&[String]], goal: Goal) -> Contestant {
    // where Debian and others put the header, whose folder has the version in its name
    let host = bench.compiled("lv2", include_str!("lv2.c"), &["-I/usr/include/lilv-0", "-llilv-0", "-lm"]);
    let task = |host: &std::path::Path, frames: u64| {
        Task::new(host, &bench.folder)
            .with([frames.to_string(), "512".into()])
            .with(plugins.iter().flat_map(|plugin| plugin.iter().cloned()))
    };
    let host = host.filter(|host| time(&task(host, 1)).is_ok());
    let work = host.map(|host| Work::PerFrame {
        short: task(&host, SHORT),
        long: task(&host, LONG),
        frames: LONG - SHORT,
    });
    Contestant::of_package(name, package, work, goal)
}

/// An LV2 plugin and how its ports are set.
fn plugin(uri: &str, ports: &[&str]) -> Vec<String> {
    [uri].iter().chain(ports).map(|&word| word.to_owned()).collect()
}

/// The bells of our own equalizer's contest.
fn lsp_equalizer() -> Vec<String> {
    let mut words = plugin("http://lsp-plug.in/plugins/lv2/para_equalizer_x16_stereo", &[]);
    for i in 0..8 {
        let frequency = 50.0 * 2.2f64.powi(i);
        let gain = 10f64.powf(if i % 2 == 0 { 3.0 } else { -3.0 } / 20.0);
        words.extend([
            format!("ft_{i}=1"),
            format!("f_{i}={frequency}"),
            format!("g_{i}={gain}"),
            format!("q_{i}=1"),
        ]);
    }
    words
}

/// Eight bands that all work.
fn lsp_dynamics() -> Vec<String> {
    let mut words = plugin("http://lsp-plug.in/plugins/lv2/mb_dyna_processor_stereo", &[]);
    words.extend((1..8).map(|i| format!("cbe_{i}=1")));
    words.extend((0..8).map(|i| format!("pe0_{i}=1")));
    words
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

fn units(bench: &Bench) -> Vec<Row> {
    let here = |name: &str| unit(bench, name, 512);
    let equalizer = lsp_equalizer();
    let compressor = plugin("http://gareus.org/oss/lv2/darc#stereo", &["threshold=-30", "Ratio=0.75"]);
    let limiter = plugin("http://gareus.org/oss/lv2/dpl#stereo", &["gain=6", "truepeak=1"]);
    // started, and reading true peaks
    let meter = plugin("http://gareus.org/oss/lv2/meters#EBUr128", &["@1=0", "@7=64"]);
    // a frame's share of a thousandth of a second per second
    let share = Contestant {
        name: "0.1 % of a core".into(),
        package: "",
        work: Some(Work::Given(1e6 / 48_000.0)),
        goal: Some(Goal::Within(1.0)),
    };
    vec![
        Row {
            obstacle: "Of some 265 instructions per frame, the limiter takes 115, the compressor 70, the equalizer 53, delays and \
                       edges 30. Time goes where a reduction or a mean square \
                       waits for the one before it, some ten cycles per frame in each unit.",
            ..of(
                "Stem: EQ of eight bells, compressor, true-peak limiter, full meter; per frame",
                here("stem"),
                vec![lv2(
                    bench,
                    "LSP EQ, darc, dpl, x42 EBU R128 in a row",
                    "lsp-plugins-lv2, x42-plugins, liblilv-dev",
                    &[&equalizer, &compressor, &limiter, &meter],
                    Goal::Times(13.0),
                )],
            )
        },
        of(
            "EQ of eight bells, f64; per frame",
            here("equalizer"),
            vec![lv2(
                bench,
                "LSP x16 with 8 bells, f32",
                "lsp-plugins-lv2, liblilv-dev",
                &[&equalizer],
                Goal::Times(2.0),
            )],
        ),
        Row {
            obstacle: "By AVX2 it takes \
                       460 instructions: 290 to filter and hear through 24 sections, a third of which glide, with few \
                       registers; 45 to decide where eight bands go, once in 8 frames; 125 to fetch and spread what they \
                       go to, band by band.",
            ..of(
                "dynamic EQ of eight bands; per frame",
                here("dynamics"),
                vec![lv2(
                    bench,
                    "LSP multiband dynamics",
                    "lsp-plugins-lv2, liblilv-dev",
                    &[&lsp_dynamics()],
                    Goal::Times(20.0),
                )],
            )
        },
        Row {
            obstacle: "Half of its 190 instructions per frame look between the samples: at halves everywhere, at quarters and \
                       eighths where a crest may be, with 48 taps in two channels; the peer, which leaves overs of 0.38 dB, \
                       looks less closely. The rest is hold, release, two moving averages and decibels, both ways.",
            ..of(
                "true-peak limiter, 6 dB of drive; per frame",
                here("limiter"),
                vec![lv2(
                    bench,
                    "x42 dpl, true peak",
                    "x42-plugins, liblilv-dev",
                    &[&limiter],
                    Goal::Times(10.0),
                )],
            )
        },
        of("meters of a plugin: hops and true peak; per frame", here("meter"), vec![]),
        of("a neutral chain; per frame", here("neutral"), vec![]),
        Row {
            obstacle: "Every block costs some 5500 instructions (AVX2) before its first frame: 1600 in the equalizer, most of \
                       them where its sections wait for their first or last frame, 1000 in the compressor, 800 where \
                       the meters look back, the rest in the calls of all units.",
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

/// A song through eight bells, a compressor and a limiter to 24 bit, once: what others do.
fn render(bench: &Bench) -> Row {
    let task =
        Task::new(&bench.render, &bench.folder).with([shown(&bench.material.song), "rendered.wav".into()]);
    let ours = Contestant { name: "`render`".into(), package: "", work: Some(Work::Once(task)), goal: None };
    of(
        "3 min rendered once: EQ of eight bells, compressor, limiter, 24 bit",
        ours,
        vec![ffmpeg(bench), pedalboard(bench)],
    )
}

/// The filters of the same job for ffmpeg.
fn ffmpeg_filters() -> String {
    let bells = (0..8).map(|i| {
        let frequency = 50.0 * 2.2f64.powi(i);
        let gain = if i % 2 == 0 { 3 } else { -3 };
        format!("equalizer=f={frequency:.0}:t=q:w=1:g={gain}")
    });
    let filters: Vec<String> = bells
        .chain(["acompressor=threshold=0.03:ratio=4".into(), "alimiter=limit=0.89:level=disabled".into()])
        .collect();
    filters.join(",")
}

/// A job of ffmpeg with one filter thread.
fn ffmpeg_task(task: Task) -> Task {
    task.with(["-y", "-nostats", "-threads", "1", "-filter_threads", "1"])
}

/// The same job by ffmpeg.
fn ffmpeg(bench: &Bench) -> Contestant {
    let file = shown(&bench.material.song);
    let filters = ffmpeg_filters();
    let task = |task: Task| {
        let outputs = ["-af", &filters, "-c:a", "pcm_s24le", "mastered-ffmpeg.wav"];
        ffmpeg_task(task).with(["-i", &file]).with(outputs)
    };
    program("ffmpeg, one filter thread (once, unmeasured)", "ffmpeg", "ffmpeg", task, &bench.folder)
        .goal_is(Goal::Times(2.5))
}

/// Runs a script of ours, if Python has the module it needs.
fn python(bench: &Bench, module: &str, script: &str, files: &[String]) -> Option<Work> {
    let file = bench.folder.join(format!("master_{module}.py"));
    let python = found("python3").filter(|python| {
        let import = Task::new(python, &bench.folder).with(["-c".into(), format!("import {module}")]);
        std::fs::write(&file, script).is_ok() && time(&import).is_ok()
    });
    let arguments = [shown(&file)].into_iter().chain(files.iter().cloned());
    python.map(|python| Work::Once(Task::new(python, &bench.folder).with(arguments)))
}

/// Spotify's pedalboard: eight bells, compressor, limiter, 24 bit.
fn pedalboard(bench: &Bench) -> Contestant {
    let files = [shown(&bench.material.song), "mastered-pedalboard.wav".into()];
    Contestant::of_package(
        "pedalboard (once, unmeasured; its interpreter included)",
        "pedalboard (PyPI)",
        python(bench, "pedalboard", include_str!("master_pedalboard.py"), &files),
        Goal::Times(4.0),
    )
}

/// Matchering: loudness, spectrum and width of another song, its limiter, 24 bit.
fn matchering(bench: &Bench) -> Contestant {
    let files =
        [shown(&bench.material.song), shown(&bench.material.stems[0]), "mastered-matchering.wav".into()];
    Contestant::of_package(
        "matchering (after a reference of 4 min; its interpreter included)",
        "matchering (PyPI)",
        python(bench, "matchering", include_str!("master_matchering.py"), &files),
        Goal::Times(20.0),
    )
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
    let peers = vec![ffmpeg(bench).goal_is(Goal::Times(1.5)), pedalboard(bench), matchering(bench)];
    let obstacle = "The row above is the same job done once. Here ours also measures before and after, holds the \
                   ceiling as found at 16 times the rate, reads the file back and lets a second meter hear it: \
                   `ebur128`, whose filter and gating blocks wait for their own last sum, takes a sixth of the time; \
                   writing and reading 16 bytes a frame of what comes before the level another.";
    Row {
        obstacle,
        ..of("the same mastered: landed, ceiling held at 16x, read back by two meters", ours, peers)
    }
}

/// [`master`] on the wall.
fn master_wall(bench: &Bench) -> Row {
    let on_the_wall = |contestant: Contestant| {
        let work = contestant.work.map(|work| match work {
            Work::Once(task) => Work::Wall(vec![task]),
            other => other,
        });
        Contestant { work, ..contestant }
    };
    let Row { ours, peers, .. } = master(bench);
    let ffmpeg = peers.into_iter().take(1).map(|ffmpeg| on_the_wall(ffmpeg).goal_is(Goal::Times(2.0)));
    Row {
        obstacle: "Its meters and the second one run beside the rendering and the writing; what limits comes after what is \
                   rendered, and what is read back after what is written.",
        ..of("the same on the wall", on_the_wall(ours), ffmpeg.collect())
    }
}

/// A whole delivery, and the same files made and measured one after the other by ffmpeg.
fn deliver(bench: &Bench) -> Row {
    let folder = &bench.folder;
    let session = folder.join("master.toml");
    let written = std::fs::write(&session, SESSION).is_ok();
    let stems = bench.material.stems[0].parent().unwrap_or(folder);
    let ours = Task::new(&bench.stems, folder).with([
        "deliver",
        &shown(stems),
        "--quiet",
        "--force",
        "--out",
        "delivered",
        "--session",
        &shown(&session),
    ]);
    let ours = Contestant {
        name: "stems deliver".into(),
        package: "",
        work: written.then_some(Work::Wall(vec![ours])),
        goal: None,
    };
    let peer = found("ffmpeg").map(|ffmpeg| {
        let task = || ffmpeg_task(Task::new(&ffmpeg, folder));
        let stems = &bench.material.stems;
        let filters = ffmpeg_filters();
        let master = task()
            .with(stems.iter().flat_map(|stem| ["-i".to_owned(), shown(stem)]))
            .with([
                "-filter_complex".to_owned(),
                format!("amix=inputs={}:normalize=0,{filters}", stems.len()),
            ])
            .with(["-c:a", "pcm_s24le", "delivered-0.wav"]);
        let mut tasks = vec![master];
        tasks.extend(stems.iter().enumerate().map(|(n, stem)| {
            let to = format!("delivered-{}.wav", n + 1);
            task().with(["-i", &shown(stem), "-af", &filters, "-c:a", "pcm_s24le", &to])
        }));
        tasks.extend((0..=stems.len()).map(|n| {
            let file = format!("delivered-{n}.wav");
            task().with(["-i", &file, "-af", "ebur128=peak=true", "-f", "null", "-"])
        }));
        Work::Wall(tasks)
    });
    let peer = Contestant::of_package(
        "ffmpeg, each file rendered once and measured, one after the other",
        "ffmpeg",
        peer,
        Goal::Times(3.0),
    );
    of("deliver eight stems of 4 min with their master, all verified; on the wall", ours, vec![peer])
}

/// The session of [`master`].
const SESSION: &str = include_str!("master.toml");
