//! `stems live`: sessions and plugins that are alive on this machine.

mod ask;
mod json;
mod name;
mod page;
mod wait;

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use audiofile::error::shown;
use link::Roster;
use link::ipc::Intervals;
use link::ipc::Observer;
use link::survey::Survey;
use project::target_file::pick;
use session::target::{NormalizationTarget, TargetUse};

use crate::args::{Global, Live};
use crate::common::{self, is_interrupted};
use crate::failure::{Failure, note};
use crate::outcome::{CommandResult, Outcome};
use crate::output;
use wait::{POLL_INTERVAL, pause};

/// Time between two pictures on a terminal.
const REFRESH_INTERVAL: Duration = Duration::from_millis(500);

/// The instances in sight.
static SEEN: Roster = Roster::new();

pub(crate) fn run(args: &Live, global: &Global) -> CommandResult {
    let targets = targets(args, global)?;
    let mut onlooker = match &args.folder {
        None => Observer::new(&SEEN),
        Some(folder) => Observer::with_folders(&SEEN, vec![folder.clone()], Intervals::DEFAULT),
    };
    let mut survey = first_look(&mut onlooker)?;
    for (place, error) in onlooker.folder_errors() {
        let cure = "see that it is a folder of yours";
        note(&format!("{}: cannot be looked into, {error}; {cure}", shown(place)));
    }
    let wait = Duration::from_secs(args.wait.into());
    let asked = args.one_move.as_ref().map(|(typed, _)| typed).or(args.confirm_mute.as_ref());
    if let Some(typed) = asked {
        let until = Instant::now() + wait;
        // a Master that listens for a stem sums it soon
        while ask::is_awaited(&survey, typed) && Instant::now() < until {
            pause(POLL_INTERVAL)?;
            onlooker.poll(Instant::now());
            survey = Survey::new(onlooker.peers());
        }
    }
    if let Some(typed) = &args.confirm_mute {
        let said = ask::confirm_mute(&onlooker, &survey, typed, wait)?;
        if !global.json {
            output::print(format_args!("{said}\n"));
            return Ok(Outcome::Clean.into());
        }
    }
    let prediction = args.one_move.as_ref().map(|one| ask::ask(&onlooker, &survey, one, wait)).transpose()?;
    if global.json {
        let incompatible: Vec<u64> = onlooker.incompatible_versions().collect();
        return output::json(
            Outcome::Clean,
            &json::document(&survey, &incompatible, &targets, prediction.as_ref()),
        );
    }
    match &prediction {
        Some(prediction) => prediction.print(&targets),
        None if args.once || !std::io::stdout().is_terminal() => {
            output::print(format_args!("{}", page::text(&survey, &onlooker, &targets)));
        }
        None => watch(&mut onlooker, &targets)?,
    }
    Ok(Outcome::Clean.into())
}

/// The platforms asked for, else all that play.
fn targets(args: &Live, global: &Global) -> Result<Vec<NormalizationTarget>, Failure> {
    let table = common::targets(global)?;
    if args.target.is_empty() {
        let plays = |target: &NormalizationTarget| matches!(target.usage, TargetUse::Playback { .. });
        return Ok(table.into_iter().filter(plays).collect());
    }
    Ok(pick(&table, &args.target)?)
}

/// Looks until it is known who is there and whether their hearts beat: about half a second, a little more than one if
/// somebody's does not.
fn first_look(onlooker: &mut Observer) -> Result<Survey, Failure> {
    loop {
        let now = Instant::now();
        onlooker.poll(now);
        if onlooker.is_complete(now) {
            return Ok(Survey::new(onlooker.peers()));
        }
        pause(POLL_INTERVAL)?;
    }
}

/// Shows what there is until Ctrl-C.
fn watch(onlooker: &mut Observer, targets: &[NormalizationTarget]) -> Result<(), Failure> {
    let _screen = Screen::open();
    while !is_interrupted() {
        onlooker.poll(Instant::now());
        let page = page::text(&Survey::new(onlooker.peers()), onlooker, targets);
        draw(&page);
        output::written()?;
        if output::is_over() {
            break;
        }
        let until = Instant::now() + REFRESH_INTERVAL;
        while !is_interrupted() && Instant::now() < until {
            std::thread::sleep(POLL_INTERVAL);
        }
    }
    Ok(())
}

/// The terminal's second screen, without a cursor and without wrapping, until it is dropped.
struct Screen;

impl Screen {
    fn open() -> Self {
        output::print(format_args!("\x1b[?1049h\x1b[?25l\x1b[?7l"));
        Self
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // whatever else has failed: the terminal is the user's
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(b"\x1b[?7h\x1b[?25h\x1b[?1049l").and_then(|()| out.flush());
    }
}

/// Draws over what was there, without flicker. Every line has its place, so that what is too long for the terminal
/// does not scroll.
fn draw(page: &str) {
    let mut text = String::new();
    for (row, line) in page.lines().enumerate() {
        text += &format!("\x1b[{};1H{line}\x1b[K", row + 1);
    }
    output::print(format_args!("{text}\x1b[J"));
}
