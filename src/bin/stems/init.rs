//! `stems init`: a session file to start from.

use std::borrow::Cow;
use std::io::Write;

use serde::Serialize;
use stemlink::offline::Error;
use stemlink::offline::bundle::Bundle;
use stemlink::offline::error::shown;
use stemlink::offline::session_file::{FILE_NAME, template};

use crate::args::{Global, Init};
use crate::common::Failure;
use crate::output::{self, say};
use crate::{CommandResult, Outcome};

#[derive(Serialize)]
struct Json<'a> {
    schema: &'static str,
    path: Cow<'a, str>,
    stems: Vec<StemJson<'a>>,
}

#[derive(Serialize)]
struct StemJson<'a> {
    stem: &'a str,
    file: Cow<'a, str>,
    role: &'static str,
}

pub(crate) fn run(args: &Init, global: &Global) -> CommandResult {
    let bundle = Bundle::open(&args.dir, None)?;
    let path = args.dir.join(FILE_NAME);
    let failed = |source: std::io::Error| Failure::from(Error::Write { path: path.clone(), source });
    let mut file =
        tempfile::Builder::new().prefix(".stems-").suffix(".tmp").tempfile_in(&args.dir).map_err(failed)?;
    file.write_all(template(&bundle).as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    #[cfg(unix)]
    {
        // A temporary file is for its owner only; a session is for whoever may read the folder.
        use std::os::unix::fs::PermissionsExt;
        file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644)).map_err(failed)?;
    }
    let kept = if args.force { file.persist(&path) } else { file.persist_noclobber(&path) };
    kept.map_err(|error| match error.error.kind() {
        std::io::ErrorKind::AlreadyExists => Failure::from(Error::Exists { path: path.clone() }),
        _ => failed(error.error),
    })?;
    if global.json {
        let stems = bundle.stems.iter().map(|stem| StemJson {
            stem: &stem.name,
            file: stem.path.file_name().unwrap_or_default().to_string_lossy(),
            role: stem.role.id(),
        });
        let json = Json { schema: "stemlink.init/1", path: path.to_string_lossy(), stems: stems.collect() };
        return output::json(Outcome::Clean, &json);
    }
    say!("{} written: {} stems", shown(&path), bundle.stems.len());
    for stem in &bundle.stems {
        say!("  {}: {}", stem.name, stem.role.id());
    }
    Ok(Outcome::Clean.into())
}
