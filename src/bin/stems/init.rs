//! `stems init`: a session file to start from.

use std::io::Write;

use stemlink::offline::Error;
use stemlink::offline::bundle::Bundle;
use stemlink::offline::error::shown;
use stemlink::offline::session_file::{FILE_NAME, template};

use crate::args::Init;
use crate::common::Failure;
use crate::{CommandResult, Outcome};

pub(crate) fn run(args: &Init) -> CommandResult {
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
    println!("{} written: {} stems", shown(&path), bundle.stems.len());
    for stem in &bundle.stems {
        println!("  {}: {}", stem.name, stem.role.id());
    }
    Ok(Outcome::Clean)
}
