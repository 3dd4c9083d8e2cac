//! The demo: the bundled CLAP plugin in a host without a window, five Stems and a Master on the built-in song.
//!
//! It plays the song, shows what the Master sees, asks it what a move would do, makes the move the way a person at the
//! Master would, plays again and compares. Exit code 1 if the prediction was off by more than it promised. Run by
//! `cargo xtask demo`, which builds and bundles first.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "what it shows is what it is for")]

mod desk;
mod show;

use desk::Desk;
use hosttests::Library;
use link::ipc::{InstanceSource, Membership};
use link::records::{InstanceInfo, InstanceKind, StemReadings};
use link::remote_trim::TrimVerdict;
use link::summary::{Forecast, SessionSummary};
use link::text::Text;
use link::{BRIDGE, PeerView, ROSTER};
use session::playback::{exchange_sentence, others_change};
use session::target::{NormalizationTarget, builtin};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use units::{Db, Lu};

/// The move that is asked about and then made.
const MOVE: (&str, Db) = ("Vocals", Db(2.0));

/// Largest error of an exact prediction.
const EXACT: Lu = Lu(0.01);

/// Longest wait for a plugin's answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Platforms that are shown.
const PLATFORMS: [&str; 3] = ["spotify", "apple-music", "youtube"];

fn main() -> ExitCode {
    let Some(bundle) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("demo: which plugin? give the path of Stemlink.clap; or run cargo xtask demo");
        return ExitCode::from(2);
    };
    match demo(&bundle) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            eprintln!("demo: {fault}");
            ExitCode::FAILURE
        }
    }
}

/// A viewer: beside the plugins, as any other process would be.
struct Viewer;

impl InstanceSource for Viewer {
    fn info(&self) -> InstanceInfo {
        InstanceInfo { kind: InstanceKind::Viewer, name: Text::new("demo"), ..InstanceInfo::default() }
    }

    fn readings(&self) -> StemReadings {
        StemReadings::default()
    }
}

/// The whole of it; `false` if a prediction was further off than promised.
fn demo(bundle: &std::path::Path) -> Result<bool, String> {
    println!("Five Stems and one Master in a CLAP host, on the demo song");
    let library = Library::open_at(bundle);
    let viewer = BRIDGE.join(None, Arc::new(Viewer)).ok_or("the link has no room for a viewer")?;
    let mut desk = Desk::new(&library);
    println!("plugin  {}", bundle.display());
    println!("desk    {}", desk.routing());

    let before = desk.play();
    println!("played  {}", before.pace());
    let master = find(InstanceKind::Master, "Mix")?;
    let seen = summary(master, &before.length, |_| true)?;
    let targets: Vec<NormalizationTarget> =
        builtin().into_iter().filter(|target| PLATFORMS.contains(&target.id.as_str())).collect();
    show::session(&desk, &seen, &targets)?;

    let (name, gain) = MOVE;
    println!("\nWhat if {name} {:+} dB?", gain.0);
    let stem = find(InstanceKind::Stem, name)?;
    let forecast = predict(&viewer, master, stem, gain)?;
    let Some([was, then]) = forecast.into_master else { return Err("the Master has no prediction".into()) };
    let certainty = match forecast.half_width.0 {
        0.0 => "exact".to_owned(),
        half_width => format!("estimate ±{half_width:.2} LU"),
    };
    println!("  the Master says: {:.2} LUFS instead of {:.2}, {certainty}", then.0, was.0);
    for target in &targets {
        let [one, other] = show::ends(&seen.mix, &forecast);
        if let Some(change) = others_change(&one, &other, target) {
            println!("  {} ({})", exchange_sentence(name, gain, change), target.name);
        }
    }

    println!("\nAsked the Stem on {name} for it, as a person at the Master does");
    let trim = make(&viewer, stem, gain)?;
    println!("  it took the trim: {:+.2} dB, on its own last gain, saved in its own state", trim.0);
    let after = desk.play();
    println!("played  {}", after.pace());
    let seen = summary(master, &after.length, |summary| {
        // rescaled as soon as the trim is seen; peaks are known when all of it was heard again
        let moved = summary.mix.integrated.is_some_and(|now| now != was);
        moved && summary.mix.true_peak.is_some()
    })?;
    show::session(&desk, &seen, &targets)?;

    let measured = after.loudness().ok_or("the mix is silent")?;
    let (off, promised) = ((measured - then).0.abs(), forecast.half_width.0.max(EXACT.0));
    println!(
        "\n  before      {:8.3} LUFS, measured on the mix in the host",
        before.loudness().map_or(0.0, |x| x.0)
    );
    println!("  predicted   {:8.3} LUFS", then.0);
    println!("  measured    {:8.3} LUFS", measured.0);
    println!("  difference  {off:8.3} LU, promised: at most {promised:.3}");
    println!("{}", if off <= promised { "The prediction held." } else { "THE PREDICTION DID NOT HOLD." });
    Ok(off <= promised)
}

/// Waits for what the plugins find out on threads of their own.
fn wait<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> Result<T, String> {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return Ok(found);
        }
        if start.elapsed() > PATIENCE {
            let link = BRIDGE.state().fault;
            return Err(format!("{what} has not come in {} s; {link}", PATIENCE.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The instance of that name in this process.
fn find(kind: InstanceKind, name: &str) -> Result<PeerView, String> {
    let is_it = |peer: &PeerView| {
        peer.info().is_some_and(|label| {
            let here = label.process.pid == u64::from(std::process::id());
            here && label.kind == kind && label.name.as_str() == name
        })
    };
    wait(&format!("{kind:?} {name}"), || ROSTER.peers().find(is_it))
}

/// SessionSummary of the Master once it has heard the whole song.
fn summary(
    master: PeerView,
    length: &Duration,
    is: impl Fn(&SessionSummary) -> bool,
) -> Result<SessionSummary, String> {
    // the last hop needs what comes after it
    let whole = length.as_secs_f64() - 0.15;
    wait("what the Master knows of the whole song", || {
        let summary = master.summary()?;
        (summary.heard >= whole && summary.stems().count() == desk::BUSES && is(&summary)).then_some(summary)
    })
}

fn predict(viewer: &Membership, master: PeerView, stem: PeerView, gain: Db) -> Result<Forecast, String> {
    let (Some(asked), Some(about)) = (master.id(), stem.id()) else { return Err("a plugin is gone".into()) };
    let counter = viewer.requester().request_prediction(asked, about, gain).ok_or("nobody to ask")?;
    let is_ours = |forecast: &Forecast| {
        Some(forecast.sender) == viewer.audio_writer.id() && forecast.counter == counter
    };
    wait("the Master's prediction", || master.summary()?.forecast.filter(is_ours))
}

/// Asks the Stem for the trim; returns what it has then.
fn make(viewer: &Membership, stem: PeerView, gain: Db) -> Result<Db, String> {
    let (Some(id), Some(figures)) = (stem.id(), stem.stem_readings()) else {
        return Err("the Stem is gone".into());
    };
    let base = figures.trim.revision;
    let counter =
        viewer.requester().request_trim(id, base, figures.trim.offset + gain).ok_or("nobody to ask")?;
    let answered = wait("the Stem's answer", || {
        let trim = stem.stem_readings()?.trim;
        let answer = trim.answer.filter(|answer| answer.counter == counter)?;
        Some((answer.verdict, trim.offset))
    })?;
    match answered {
        (TrimVerdict::Accepted, trim) => Ok(trim),
        (TrimVerdict::Stale, _) => Err("the Stem has refused the trim".into()),
    }
}
