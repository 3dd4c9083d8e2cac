//! `stems demo`: the built-in song through the whole job.

use std::path::{Path, PathBuf};

use stemlink::dsp::dither::{Dither, Quantizer};
use stemlink::dsp::{Block, Process};
use stemlink::offline::demo_song;
use stemlink::offline::error::shown;
use stemlink::offline::progress::{Progress, advance};
use stemlink::offline::wav::{StoredFormat, WavSpec, WavWriter};
use stemlink::units::{Db, Hz};

use crate::args::{Check, Demo, Global, Master, Measure, SessionArgs, WhatIf};
use crate::common::{Bar, Failure};
use crate::{CommandResult, Outcome, check, master, measure, what_if};

const RATE: Hz = Hz(48_000.0);

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
            println!("\n{title}\n$ stems {command}");
        }
    };
    let no_session = || SessionArgs { session: None };
    let mut outcomes = Vec::new();
    heading("1. How loud are the stems?", "measure \"Demo Song\" --verify");
    outcomes.push(measure::run(&Measure { paths: vec![stems.clone()], verify: true }, global)?);
    heading("2. Is anything wrong with them?", "check \"Demo Song\"");
    outcomes.push(check::run(&Check { dir: stems.clone(), mix: None }, global)?);
    heading("3. What would 2 dB more vocals cost the others?", "what-if \"Demo Song\" --move Vocals=+2");
    let what_if = WhatIf {
        dir: stems.clone(),
        moves: vec![("Vocals".to_owned(), Db(2.0))],
        target: ["spotify", "apple-music", "youtube"].map(String::from).to_vec(),
        session: no_session(),
        mix: None,
    };
    outcomes.push(what_if::run(&what_if, global)?);
    heading("4. A master.", "master \"Demo Song\" --out Masters");
    let job = Master {
        dir: stems,
        out: out.join("Masters"),
        session: no_session(),
        target: None,
        mix: None,
        pad: false,
        force: args.force,
    };
    outcomes.push(master::run(&job, global)?);
    if !global.json {
        match &args.out {
            Some(out) => println!("\nThe song and its master are in {}.", shown(out)),
            None => println!("\nNothing was kept; stems demo --out DIR keeps the song and its master."),
        }
    }
    Ok(if outcomes.contains(&Outcome::Faults) { Outcome::Faults } else { Outcome::Clean })
}

/// Writes the five stems as 24-bit files.
fn write_song(folder: &Path, force: bool, global: &Global) -> Result<(), Failure> {
    std::fs::create_dir_all(folder)
        .map_err(|source| stemlink::offline::Error::Write { path: folder.to_owned(), source })?;
    let mut bar = Bar::new(global);
    bar.begin("playing the song", demo_song::Role::ALL.len() as u64);
    for role in demo_song::Role::ALL {
        let path = folder.join(role.file_name());
        let mut stem = demo_song::DemoStem::render(role, RATE);
        let mut quantizer = Quantizer::new(RATE);
        quantizer.set(&Dither::Bits24);
        quantizer.process(&mut Block::new(&mut stem.left, &mut stem.right));
        let mut writer = WavWriter::create(&path, WavSpec::new(RATE, 2, StoredFormat::Int24), force)?;
        writer.write_planar(&[&stem.left, &stem.right])?;
        writer.finish()?;
        advance(&mut bar, 1, &path)?;
    }
    Ok(())
}
