//! `stems init`: a session file to start from.

use std::borrow::Cow;

use audiofile::error::shown;
use project::bundle::Bundle;
use project::session_file::{FILE_NAME, new_session_text};
use render::small_file::SmallFile;
use serde::Serialize;

use crate::args::{Global, Init};
use crate::common;
use crate::outcome::{CommandResult, Outcome};
use crate::output::{self, say};

#[derive(Serialize)]
struct InitJson<'a> {
    schema: &'static str,
    path: Cow<'a, str>,
    stems: Vec<InitStemJson<'a>>,
}

#[derive(Serialize)]
struct InitStemJson<'a> {
    stem: &'a str,
    file: Cow<'a, str>,
    role: &'static str,
}

pub(crate) fn run(args: &Init, global: &Global) -> CommandResult {
    let bundle = Bundle::open(&args.dir, None)?;
    common::name_unread(&bundle);
    let path = args.dir.join(FILE_NAME);
    SmallFile::claim(&path, args.force)?.write(new_session_text(&bundle).as_bytes())?;
    if global.json {
        let stems = bundle.stems.iter().map(|stem| InitStemJson {
            stem: &stem.name,
            file: stem.path.file_name().unwrap_or_default().to_string_lossy(),
            role: stem.role.id(),
        });
        let json =
            InitJson { schema: "stemlink.init/1", path: path.to_string_lossy(), stems: stems.collect() };
        return output::json(Outcome::Clean, &json);
    }
    say!("{} written: {} stems", shown(&path), bundle.stems.len());
    for stem in &bundle.stems {
        say!("  {}: {}", stem.name, stem.role.id());
    }
    Ok(Outcome::Clean.into())
}
