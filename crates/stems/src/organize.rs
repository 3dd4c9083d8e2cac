//! `stems organize`: a bundle of what came instead.

use std::path::Path;

use audiofile::error::shown;
use render::clock::clock;
use render::hash::sha256;
use render::organize::{OrganizeJob, Organized, organize};
use render::small_file::SmallFile;
use serde::Serialize;
use units::Hz;

use crate::args::{Global, Organize};
use crate::common::{Bar, OutputFolder};
use crate::failure::{Failure, note};
use crate::outcome::{CommandResult, Outcome};
use crate::output::{self, say};

/// The page in the new folder.
const PAGE: &str = "organized.json";

#[derive(Serialize)]
struct OrganizeJson {
    schema: &'static str,
    tool: &'static str,
    rate_hz: f64,
    frames: u64,
    gain_db: f64,
    files: Vec<OrganizedFileJson>,
    faults: Vec<String>,
}

#[derive(Serialize)]
struct OrganizedFileJson {
    file: String,
    sha256: String,
    role: Option<&'static str>,
    sources: Vec<String>,
    changes: Vec<String>,
}

pub(crate) fn run(args: &Organize, global: &Global) -> CommandResult {
    let page = args.out.join(PAGE);
    if args.dir.is_dir() && args.out.is_dir() && audiofile::output::same_file(&args.dir, &args.out) {
        return Err(Failure::new(format!(
            "{}: is the folder that came; choose another output folder",
            shown(&args.out)
        )));
    }
    let claims = SmallFile::claim(&page, args.force)?;
    let _folder = OutputFolder::create(&args.out)?;
    let job = OrganizeJob {
        input: &args.dir,
        output: &args.out,
        rate: args.rate.map(|rate| Hz(f64::from(rate))),
        sum: args.sum,
        overwrite: args.force,
        page: args.force.then_some(page.as_path()),
    };
    let mut bar = Bar::new(global);
    let organized = organize(&job, &mut bar)?;
    let json = json(args, &organized, &mut bar)?;
    drop(bar);
    let text = serde_json::to_string_pretty(&json).map_err(|error| Failure::new(format!("JSON: {error}")))?;
    claims.write(format!("{text}\n").as_bytes())?;
    organized.faults.iter().for_each(|line| note(line));
    let outcome = if organized.faults.is_empty() { Outcome::Clean } else { Outcome::Faults };
    if global.json {
        return output::json(outcome, &json);
    }
    let mut rows = output::Rows::new(["file", "role", "what was done"], 3);
    for file in &json.files {
        let done = if file.changes.is_empty() { "copied".into() } else { file.changes.join("; ") };
        rows.push([file.file.clone(), file.role.unwrap_or("mix").into(), done]);
    }
    rows.print();
    say!(
        "{} files of {}, {} Hz, 24 bit in {}; {PAGE} lists every change",
        json.files.len(),
        clock(organized.frames, organized.rate),
        organized.rate.0,
        shown(&args.out)
    );
    Ok(outcome.into())
}

fn json(args: &Organize, organized: &Organized, bar: &mut Bar) -> Result<OrganizeJson, Failure> {
    let mut files = Vec::new();
    for made in &organized.files {
        let below = |path: &Path| path.strip_prefix(&args.dir).unwrap_or(path).to_string_lossy().into_owned();
        files.push(OrganizedFileJson {
            file: made.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            sha256: sha256(&made.path, bar)?,
            role: made.role.map(|role| role.id()),
            sources: made.sources.iter().map(|path| below(path)).collect(),
            changes: made.changes.clone(),
        });
    }
    Ok(OrganizeJson {
        schema: "stemlink.organize/1",
        tool: concat!("Stemlink ", env!("CARGO_PKG_VERSION")),
        rate_hz: organized.rate.0,
        frames: organized.frames,
        gain_db: organized.gain.0,
        files,
        faults: organized.faults.clone(),
    })
}
