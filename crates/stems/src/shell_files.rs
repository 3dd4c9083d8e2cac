//! `stems completions` and `stems man`: files of a shell and of the manual, made of the definition of the command line.

use std::fs;
use std::path::Path;

use audiofile::Error;
use audiofile::error::shown;
use clap::{Command, CommandFactory};
use serde::Serialize;

use crate::args::{Args, Completions, Global, ManPages};
use crate::failure::Failure;
use crate::outcome::{CommandResult, Outcome};
use crate::output::{self, say};

#[derive(Serialize)]
struct CompletionsJson {
    schema: &'static str,
    shell: String,
    text: String,
}

#[derive(Serialize)]
struct ManJson {
    schema: &'static str,
    pages: Vec<ManPage>,
}

/// One page of the manual, in section 1.
#[derive(Serialize)]
struct ManPage {
    /// File, such as `stems-measure.1`.
    name: String,
    text: String,
}

/// Name of the program.
const PROGRAM: &str = "stems";

pub(crate) fn completions(args: &Completions, global: &Global) -> CommandResult {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), PROGRAM, &mut script);
    let text = String::from_utf8_lossy(&script).into_owned();
    if global.json {
        let shell = args.shell.to_string();
        return output::json(
            Outcome::Clean,
            &CompletionsJson { schema: "stemlink.completions/1", shell, text },
        );
    }
    say!("{}", text.trim_end());
    Ok(Outcome::Clean.into())
}

pub(crate) fn man(args: &ManPages, global: &Global) -> CommandResult {
    let pages = pages()?;
    if let Some(folder) = &args.out {
        fs::create_dir_all(folder).map_err(Error::write(folder))?;
        for page in &pages {
            let path = folder.join(&page.name);
            fs::write(&path, &page.text).map_err(Error::write(&path))?;
        }
    }
    if global.json {
        return output::json(Outcome::Clean, &ManJson { schema: "stemlink.man/1", pages });
    }
    match &args.out {
        Some(folder) => say!("{} pages written to {}", pages.len(), shown(folder)),
        None => pages.iter().take(1).for_each(|page| say!("{}", page.text.trim_end())),
    }
    Ok(Outcome::Clean.into())
}

/// The page of the program, then one for each of its commands.
fn pages() -> Result<Vec<ManPage>, Failure> {
    let mut program = Args::command().disable_help_subcommand(true);
    program.build();
    let mut pages = vec![page(&program, PROGRAM.to_owned())?];
    for command in program.get_subcommands().filter(|command| !command.is_hide_set()) {
        pages.push(page(command, format!("{PROGRAM}-{}", command.get_name()))?);
    }
    Ok(pages)
}

fn page(command: &Command, name: String) -> Result<ManPage, Failure> {
    let mut text = Vec::new();
    let command = command.clone().display_name(&name).version(env!("CARGO_PKG_VERSION"));
    clap_mangen::Man::new(command).render(&mut text).map_err(Error::write(Path::new(&name)))?;
    Ok(ManPage { name: format!("{name}.1"), text: String::from_utf8_lossy(&text).into_owned() })
}
