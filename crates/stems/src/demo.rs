//! `stems demo`: the built-in song through the whole job.

use std::path::{Path, PathBuf};

use audiofile::error::shown;
use audiofile::wav::{StoredFormat, WavSpec, WavWriter};
use dsp::dither::{Dither, Quantizer};
use dsp::{Block, Process};
use project::timed_move::DEFAULT_FADE;
use render::progress::{Progress, advance};
use serde::Serialize;
use units::{Db, Hz};

use crate::args::{AskedMove, Check, Demo, Global, Master, Measure, SessionArgs, Weigh, WhatIf};
use crate::common::Bar;
use crate::failure::Failure;
use crate::outcome::{CommandResult, Done, Outcome};
use crate::output::{self, say};
use crate::{check, master, measure, what_if};

const RATE: Hz = Hz(48_000.0);

/// One document with those of the commands in it.
#[derive(Serialize)]
struct DemoJson {
    schema: &'static str,
    #[serde(flatten)]
    parts: serde_json::Map<String, serde_json::Value>,
}

pub(crate) fn run(args: &Demo, global: &Global) -> CommandResult {
    let temporary = match &args.out {
        Some(_) => None,
        None => Some(
            tempfile::tempdir()
                .map_err(|e| Failure::new(format!("no temporary folder, {e}; pass --out DIR")))?,
        ),
    };
    let out: PathBuf = match (&args.out, &temporary) {
        (Some(out), _) => out.clone(),
        (None, Some(folder)) => folder.path().to_owned(),
        (None, None) => unreachable!("one of them is there"),
    };
    let stems = out.join("Demo Song");
    write_song(&stems, args.force, global)?;

    let heading = |title: &str, command: &str| {
        if !global.json {
            say!("\n{title}\n$ stems {command}");
        }
    };
    let no_session = || SessionArgs { session: None };
    let mut done = Vec::new();
    heading("1. How loud are the stems?", "measure \"Demo Song\" --verify");
    let measured = Measure {
        paths: vec![stems.clone()],
        verify: true,
        from: None,
        to: None,
        dual_mono: false,
        history: None,
        force: false,
    };
    done.push(("measure", measure::run(&measured, global)?));
    heading("2. Is anything wrong with them?", "check \"Demo Song\"");
    done.push((
        "check",
        check::run(&Check { dir: stems.clone(), mix: None, weigh: Weigh::default() }, global)?,
    ));
    heading("3. What would 2 dB more vocals cost the others?", "what-if \"Demo Song\" --move Vocals=+2");
    let what_if = WhatIf {
        dir: stems.clone(),
        moves: vec![AskedMove { name: "Vocals".to_owned(), gain: Db(2.0), range: None }],
        fade: DEFAULT_FADE,
        save: None,
        force: false,
        target: ["spotify", "apple-music", "youtube"].map(String::from).to_vec(),
        session: no_session(),
        mix: None,
    };
    done.push(("what_if", what_if::run(&what_if, global)?));
    heading("4. A master.", "master \"Demo Song\" --out Masters");
    let job = Master {
        dir: stems,
        out: out.join("Masters"),
        session: no_session(),
        target: None,
        mix: None,
        limiter: crate::args::LimiterState::On,
        pad: false,
        force: args.force,
    };
    done.push(("master", master::run(&job, global)?));
    let outcome = done.iter().fold(Outcome::Clean, |worst, (_, done): &(_, Done)| worst.worse(done.outcome));
    if global.json {
        let parts = done.into_iter().map(|(name, done)| (name.to_owned(), done.json.unwrap_or_default()));
        let json = DemoJson { schema: "stemlink.demo/1", parts: parts.collect() };
        return output::json(outcome, &json);
    }
    match &args.out {
        Some(out) => say!("\nThe song and its master are in {}.", shown(out)),
        None => say!("\nNothing was kept; stems demo --out DIR keeps the song and its master."),
    }
    Ok(outcome.into())
}

/// Writes the five stems as 24-bit files.
fn write_song(folder: &Path, force: bool, global: &Global) -> Result<(), Failure> {
    std::fs::create_dir_all(folder)
        .map_err(|source| audiofile::Error::Write { path: folder.to_owned(), source })?;
    let mut bar = Bar::new(global);
    bar.begin("playing the song", demo_song::SongPart::ALL.len() as u64);
    for role in demo_song::SongPart::ALL {
        let path = folder.join(role.file_name());
        let mut stem = demo_song::DemoStem::render(role, RATE);
        let mut quantizer = Quantizer::named(RATE, &role.file_name());
        quantizer.set(&Dither::Bits24);
        quantizer.process(&mut Block::new(&mut stem.left, &mut stem.right));
        let mut writer = WavWriter::create(&path, WavSpec::new(RATE, 2, StoredFormat::Int24), force)?;
        writer.write_planar(&[&stem.left, &stem.right])?;
        writer.finish()?;
        advance(&mut bar, 1, &path)?;
    }
    Ok(())
}
