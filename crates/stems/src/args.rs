//! The command line.

mod values;

use clap::{Args as ClapArgs, CommandFactory, Parser, Subcommand, ValueEnum};
use project::delivery::{Cutdown, Make};
use project::names::Names;
use project::timed_move::DEFAULT_FADE;
use std::path::PathBuf;
use units::Db;

use crate::failure::Failure;
pub(crate) use values::AskedMove;
use values::{
    output_path, parse_bpm, parse_ceiling, parse_fade, parse_gap, parse_isrc, parse_jobs, parse_key,
    parse_less, parse_loudness, parse_make, parse_move, parse_names, parse_percent, parse_time,
    parse_timed_move,
};

/// Master from stems, and know what every move costs.
///
/// Loudness is EBU R 128 / BS.1770-5 in LUFS and LU, true peak in dBTP. Exit codes: 0 done and nothing to report,
/// 1 a check found faults, 2 could not run.
#[derive(Parser)]
#[command(name = "stems", version, arg_required_else_help = true, max_term_width = 100)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(ClapArgs)]
pub(crate) struct Global {
    /// Print JSON for programs instead of tables; values that do not exist are null
    #[arg(long, global = true, conflicts_with = "csv")]
    pub(crate) json: bool,
    /// Print comma-separated values (measure, check, targets)
    #[arg(long, global = true)]
    pub(crate) csv: bool,
    /// Show no progress bar
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// A file of your own targets, added to the built-in ones [default: stemlink/targets.toml in your configuration
    /// folder, if it is there]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) targets_file: Option<PathBuf>,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// The built-in five-stem song through the whole job: measure, check, what-if, master
    Demo(Demo),
    /// Loudness, range and peaks of files and folders
    Measure(Measure),
    /// Find and explain what is wrong with a folder of stems
    Check(Check),
    /// Write session.toml for a folder: roles guessed from names, neutral chains
    Init(Init),
    /// Predict a move on a stem: the mix, every platform's playback, and the other stems
    WhatIf(WhatIf),
    /// Trims that land the mix on a target
    Solve(Solve),
    /// Stems through their chains, summed, mastered, written as 24 bit and verified
    Master(Master),
    /// The master, stems that sum to it, instrumental, a cappella, TV mix, cutdowns, and a manifest of all that
    Deliver(Deliver),
    /// Prove a delivery again: hashes, readings by two meters, ceilings, null, lengths and tags against its manifest
    Verify(Verify),
    /// A delivery for each of many folders, several at once, resumable; one line of JSON each
    Batch(Batch),
    /// Owners of the limiting of a master: every stem's part in it, over the song and in each event
    Limiting(Limiting),
    /// Several songs together: album loudness, playback gains in track and album mode, steps between tracks
    Album(Album),
    /// Preview lossy codecs: peaks, overs, the residue, and the playback level (needs ffmpeg)
    Codec(Codec),
    /// Everything about a song on one page (HTML, JSON, CSV): readings, playback, shares, plots, nulls, hashes
    Report(Report),
    /// One page for the mix engineer: which stems to export, and how
    Brief(Brief),
    /// Repair what came instead of stems: copies grouped, named, aligned, of one length, rate and 24 bit
    Organize(Organize),
    /// Stems as an Atmos-ready file: bed and objects, ADM BWF, 48 kHz, 24 bit, checked
    Adm(Adm),
    /// The sessions and plugins that are alive on this machine, and what a move would do to one (Ctrl-C ends)
    Live(Live),
    /// Platform loudness rules with source, date and status
    Targets(Targets),
    /// Completions of commands and options for a shell, to standard output
    Completions(Completions),
    /// The manual: the page of stems to standard output, or with --out a file for each command
    Man(ManPages),
}

/// demo
#[derive(ClapArgs)]
pub(crate) struct Demo {
    /// Keep the song and its master in this folder instead of a temporary one
    #[arg(long, value_name = "DIR", value_parser = output_path())]
    pub(crate) out: Option<PathBuf>,
    /// Replace files that are already there
    #[arg(long)]
    pub(crate) force: bool,
}

/// measure
#[derive(ClapArgs)]
pub(crate) struct Measure {
    /// Audio files (WAV, AIFF, FLAC, CAF, MP3, M4A, Ogg; mono to 7.1.4; 8 to 384 kHz), folders of them, or - for
    /// standard input
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Measure a second time with an independent meter and compare
    #[arg(long)]
    pub(crate) verify: bool,
    /// Begin at this time of the song: seconds, or m:ss.mmm
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) from: Option<f64>,
    /// End before this time of the song
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) to: Option<f64>,
    /// Count a mono file as two channels, as it sounds from both sides: 3 LU more
    #[arg(long)]
    pub(crate) dual_mono: bool,
    /// Write momentary and short-term loudness, ten times a second, to this file as comma-separated values
    #[arg(long, value_name = "FILE.csv", value_parser = output_path())]
    pub(crate) history: Option<PathBuf>,
    /// Replace the file of --history if it is already there
    #[arg(long, requires = "history")]
    pub(crate) force: bool,
}

/// check
#[derive(ClapArgs)]
pub(crate) struct Check {
    /// The folder of stems
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// The mix that the stems should sum to: the null test
    #[arg(long, value_name = "FILE")]
    pub(crate) mix: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) weigh: Weigh,
}

/// Options of the advice on stems or a stereo master.
#[derive(ClapArgs, Clone, Copy, Debug, Default)]
pub(crate) struct Weigh {
    /// Say whether mastering from stems is worth it here, and why
    #[arg(long, conflicts_with = "csv")]
    pub(crate) advise: bool,
    /// An Atmos file is wanted: weigh that, and see whether the stems are ready for it
    #[arg(long, requires = "advise")]
    pub(crate) atmos: bool,
    /// Versions for licensing are wanted: weigh that
    #[arg(long, requires = "advise")]
    pub(crate) sync: bool,
    /// The song is one of an album: weigh that
    #[arg(long, requires = "advise")]
    pub(crate) album: bool,
    /// It is meant to sound lo-fi: do not judge brightness and width
    #[arg(long, requires = "advise")]
    pub(crate) lofi: bool,
}

/// init
#[derive(ClapArgs)]
pub(crate) struct Init {
    /// The folder of stems
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Replace a session.toml that is already there
    #[arg(long)]
    pub(crate) force: bool,
}

/// what-if
#[derive(ClapArgs)]
pub(crate) struct WhatIf {
    /// The folder of stems
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// A stem (its name or its file's) and the gain to add to it, such as Vocals=+3 or "Lead Vocals=-1.5dB"; of a range of
    /// the song: Vocals=+1@1:02-1:30, from the first time to before the second; repeat for more
    #[arg(long = "move", value_name = "NAME=DB[@FROM-TO]", required = true, value_parser = parse_timed_move, allow_hyphen_values = true)]
    pub(crate) moves: Vec<AskedMove>,
    /// Length of the fades inside the ends of ranges: seconds, 0 to 60
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_FADE, value_parser = parse_fade)]
    pub(crate) fade: f64,
    /// Write a session file with these moves in it, for stems master, deliver and what-if --session; the session that is
    /// in use stays as it is
    #[arg(long, value_name = "FILE.toml", value_parser = output_path())]
    pub(crate) save: Option<PathBuf>,
    /// Replace the file of --save if it is already there
    #[arg(long, requires = "save")]
    pub(crate) force: bool,
    /// Platforms to report, by id (see stems targets) [default: those of the session, or all]
    #[arg(long, value_name = "ID", num_args = 1..)]
    pub(crate) target: Vec<String>,
    #[command(flatten)]
    pub(crate) session: SessionArgs,
    /// The mix that the stems belong to: what they do not account for becomes "Unlinked"
    #[arg(long, value_name = "FILE")]
    pub(crate) mix: Option<PathBuf>,
}

/// solve
#[derive(ClapArgs)]
pub(crate) struct Solve {
    /// The folder of stems
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// The platform whose target loudness the mix should have
    #[arg(long, value_name = "ID")]
    pub(crate) target: String,
    /// The stem to trim, by its name or its file's [default: all by the same amount]
    #[arg(long, value_name = "NAME")]
    pub(crate) stem: Option<String>,
    #[command(flatten)]
    pub(crate) session: SessionArgs,
}

/// master
#[derive(ClapArgs)]
pub(crate) struct Master {
    /// The folder of stems, or a single stereo file
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// The folder for the master
    #[arg(long, value_name = "DIR", value_parser = output_path())]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) session: SessionArgs,
    /// Land on this platform's target loudness within 0.1 LU, whatever limiting it takes [default: one gain toward
    /// -14 LUFS that stops where limiting would exceed 2 dB]
    #[arg(long, value_name = "ID")]
    pub(crate) target: Option<String>,
    /// The mix that the stems should sum to: the null test, before mastering
    #[arg(long, value_name = "FILE")]
    pub(crate) mix: Option<PathBuf>,
    /// off: write the master before its limiter too, beside the other, as 32-bit float
    #[arg(long, value_name = "STATE", value_enum, default_value_t = LimiterState::On)]
    pub(crate) limiter: LimiterState,
    /// Let shorter stems end with silence instead of refusing stems of different lengths
    #[arg(long)]
    pub(crate) pad: bool,
    /// Replace files that are already there
    #[arg(long)]
    pub(crate) force: bool,
}

/// State of a master's limiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LimiterState {
    On,
    Off,
}

/// deliver
#[derive(ClapArgs)]
pub(crate) struct Deliver {
    /// The folder of stems
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// The folder to fill
    #[arg(long, value_name = "DIR", value_parser = output_path())]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) session: SessionArgs,
    /// Land on this platform's target loudness within 0.1 LU, whatever limiting it takes [default: as stems master]
    #[arg(long, value_name = "ID")]
    pub(crate) target: Option<String>,
    #[command(flatten)]
    pub(crate) what: Deliverables,
    /// Replace files that are already there
    #[arg(long)]
    pub(crate) force: bool,
}

/// verify
#[derive(ClapArgs)]
pub(crate) struct Verify {
    /// The folder of a delivery, with its manifest.json
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
}

/// batch
#[derive(ClapArgs)]
pub(crate) struct Batch {
    /// The list: a folder of stems on each line, or an object such as {"dir": "Song", "name": "Song 1", "session":
    /// "s.toml", "target": "spotify"}; paths from where the list lies
    #[arg(value_name = "LIST")]
    pub(crate) list: PathBuf,
    /// The folder to fill with a folder for each
    #[arg(long, value_name = "DIR", value_parser = output_path())]
    pub(crate) out: PathBuf,
    /// Folders at once [default: as many as there are processors]
    #[arg(long, value_name = "N", value_parser = parse_jobs)]
    pub(crate) jobs: Option<usize>,
    /// Land on this platform's target loudness within 0.1 LU, whatever limiting it takes [default: as stems master]
    #[arg(long, value_name = "ID")]
    pub(crate) target: Option<String>,
    #[command(flatten)]
    pub(crate) what: Deliverables,
    /// Make all of them again, and replace files that are already there
    #[arg(long)]
    pub(crate) force: bool,
}

/// The files of a delivery; each option overrides the session.
#[derive(ClapArgs)]
pub(crate) struct Deliverables {
    /// Make only these beside the master: stems, instrumental, a-cappella, tv-mix, clean-stems, and versions of your own by
    /// their names in the session file [default: all]
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = parse_make)]
    pub(crate) make: Option<Vec<Make>>,
    /// A piece of the master: its length in seconds and where it begins, such as 30@1:02.5; repeat for more
    #[arg(long = "cutdown", value_name = "LENGTH@PLACE", value_parser = Cutdown::parse)]
    pub(crate) cutdowns: Vec<Cutdown>,
    /// The title [default: the name of the folder]
    #[arg(long)]
    pub(crate) title: Option<String>,
    /// The artist
    #[arg(long)]
    pub(crate) artist: Option<String>,
    /// The tempo in beats per minute, for tags and names
    #[arg(long, value_parser = parse_bpm)]
    pub(crate) bpm: Option<f64>,
    /// The key, such as Am, F# or "B flat minor", for tags and names
    #[arg(long, value_parser = parse_key)]
    pub(crate) key: Option<String>,
    /// Names of files: plain, academy, or a template of {title}, {short}, {artist}, {initials}, {engineer},
    /// {version}, {format}, {bpm}, {key}, {isrc}
    #[arg(long, value_parser = parse_names)]
    pub(crate) names: Option<Names>,
    /// Write 32-bit float instead of 24 bit
    #[arg(long)]
    pub(crate) float: bool,
    /// Write master, versions and cutdowns as 44.1 kHz, 16 bit too
    #[arg(long)]
    pub(crate) cd: bool,
    /// Write every file as FLAC too, with the same samples
    #[arg(long)]
    pub(crate) flac: bool,
    /// Compress and limit each version by itself; then they cannot be cut against the master
    #[arg(long)]
    pub(crate) own_gain: bool,
    /// Refuse what stems cannot hold (a saturator on the sum) instead of making it a stem Residual
    #[arg(long)]
    pub(crate) strict: bool,
    /// Let shorter stems end with silence instead of refusing stems of different lengths
    #[arg(long)]
    pub(crate) pad: bool,
}

/// limiting
#[derive(ClapArgs)]
pub(crate) struct Limiting {
    /// The folder of stems
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// The platform whose target loudness the master lands on [default: as stems master]
    #[arg(long, value_name = "ID")]
    pub(crate) target: Option<String>,
    #[command(flatten)]
    pub(crate) session: SessionArgs,
    /// Events to show, the deepest; --json has all of them
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) events: usize,
    /// Say the least change that makes the limiter take so many decibels less at each event shown, 0.1 to 12
    #[arg(long, value_name = "DB", value_parser = parse_less)]
    pub(crate) less: Option<f64>,
    /// Say the least change that takes away so many percent of the song's limiting, 1 to 100
    #[arg(long, value_name = "PERCENT", conflicts_with = "less", value_parser = parse_percent)]
    pub(crate) less_song: Option<f64>,
}

/// album
#[derive(ClapArgs)]
pub(crate) struct Album {
    /// The tracks in order: finished files, folders of finished songs, or folders of stems (summed, through their
    /// session)
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Contents of folders: songs (a track each, by number) or the stems of one song [default: by their names, lengths
    /// and session file; a line says which]
    #[arg(long = "as", value_name = "KIND", value_enum)]
    pub(crate) folders: Option<Contents>,
    /// Platforms to report, by id (see stems targets) [default: all players]
    #[arg(long, value_name = "ID", num_args = 1..)]
    pub(crate) target: Vec<String>,
    /// Say the gains that match the tracks: by integrated loudness, by highest short-term loudness, or by the loudest
    /// track, which sets one gain for all
    #[arg(long = "match", value_name = "MEASURE", value_enum)]
    pub(crate) by: Option<MatchMeasure>,
    /// The loudness to match to, -50 to 0 LUFS [default: the median of the tracks; for loudest-track -14 LUFS, as AES
    /// TD1008 has it]
    #[arg(long, value_name = "LUFS", requires = "by", allow_negative_numbers = true, value_parser = parse_loudness)]
    pub(crate) to: Option<f64>,
    /// The ceiling of every track, -20 to 0 dBTP; the whole album comes down alike where one would pass it
    #[arg(long, value_name = "DBTP", requires = "by", allow_negative_numbers = true, default_value_t = -1.0, value_parser = parse_ceiling)]
    pub(crate) ceiling: f64,
    /// Limit a track that would pass the ceiling, instead of turning the album down
    #[arg(long, requires = "by")]
    pub(crate) limiter: bool,
    /// Write the tracks with these gains, 24 bit, and a cue sheet into this folder
    #[arg(long, value_name = "DIR", requires = "by", value_parser = output_path())]
    pub(crate) out: Option<PathBuf>,
    /// Silence between tracks in the cue sheet, seconds: one for all, or each, separated by commas
    #[arg(long, value_name = "SECONDS", requires = "out", value_delimiter = ',', default_value = "2", value_parser = parse_gap)]
    pub(crate) gap: Vec<f64>,
    /// The ISRC of each track in order, separated by commas, - for none [default: those of session files]
    #[arg(long, value_name = "CODES", requires = "out", value_delimiter = ',', allow_hyphen_values = true, value_parser = parse_isrc)]
    pub(crate) isrc: Vec<Option<String>>,
    /// The album's title, for the cue sheet [default: the name of the folder written]
    #[arg(long, requires = "out")]
    pub(crate) title: Option<String>,
    /// The artist, for the cue sheet and the files
    #[arg(long, requires = "out")]
    pub(crate) artist: Option<String>,
    /// Replace files that are already there
    #[arg(long, requires = "out")]
    pub(crate) force: bool,
}

/// Measure by which the tracks of an album are matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MatchMeasure {
    Integrated,
    ShortTerm,
    LoudestTrack,
}

/// Contents of the folders of an album.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Contents {
    Songs,
    Stems,
}

/// codec
#[derive(ClapArgs)]
pub(crate) struct Codec {
    /// A stereo file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// report
#[derive(ClapArgs)]
pub(crate) struct Report {
    /// The folder of stems
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// The page to write, such as Song.html; .json and .csv of the same name go beside it
    #[arg(long, value_name = "FILE.html", value_parser = output_path())]
    pub(crate) out: PathBuf,
    /// The mix that the stems should sum to: the null test
    #[arg(long, value_name = "FILE")]
    pub(crate) mix: Option<PathBuf>,
    /// A finished file to list first; repeat for more
    #[arg(long = "master", value_name = "FILE")]
    pub(crate) masters: Vec<PathBuf>,
    /// A folder of stems deliver whose files and null to list first; repeat for more
    #[arg(long = "delivery", value_name = "DIR")]
    pub(crate) deliveries: Vec<PathBuf>,
    /// The title [default: the name of the folder]
    #[arg(long)]
    pub(crate) title: Option<String>,
    /// Platforms to report, by id (see stems targets) [default: those of the session, or all]
    #[arg(long, value_name = "ID", num_args = 1..)]
    pub(crate) target: Vec<String>,
    /// The page has a fader for each stem and answers moves by itself: loudness, range, shares, peaks, platforms; it saves
    /// them as a session file
    #[arg(long)]
    pub(crate) ask: bool,
    #[command(flatten)]
    pub(crate) session: SessionArgs,
    /// Replace files that are already there
    #[arg(long)]
    pub(crate) force: bool,
}

/// brief
#[derive(ClapArgs)]
pub(crate) struct Brief {
    /// Only the export steps of this program [default: all of them]
    #[arg(long, value_enum)]
    pub(crate) daw: Option<Daw>,
    /// The title of the song, for the page's heading
    #[arg(long, value_name = "TITLE")]
    pub(crate) song: Option<String>,
    /// The stems are to become an Atmos file too
    #[arg(long)]
    pub(crate) atmos: bool,
    /// Write the page (Markdown) to this file instead of printing it
    #[arg(long, value_name = "FILE", value_parser = output_path())]
    pub(crate) out: Option<PathBuf>,
    /// Replace a file that is already there
    #[arg(long)]
    pub(crate) force: bool,
}

/// A program that stems are exported from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Daw {
    Reaper,
    Bitwig,
    Live,
}

/// organize
#[derive(ClapArgs)]
pub(crate) struct Organize {
    /// The folder that came; folders in it are looked into
    #[arg(value_name = "IN")]
    pub(crate) dir: PathBuf,
    /// The folder to make; nothing in IN is changed
    #[arg(long, value_name = "DIR", value_parser = output_path())]
    pub(crate) out: PathBuf,
    /// The sampling rate [default: that of most files]
    #[arg(long, value_name = "HZ", value_parser = clap::value_parser!(u32).range(8000..=384_000))]
    pub(crate) rate: Option<u32>,
    /// One stem for each role (drums, bass, keys ...) instead of one for each file
    #[arg(long)]
    pub(crate) sum: bool,
    /// Replace files that are already there
    #[arg(long)]
    pub(crate) force: bool,
}

/// adm
#[derive(ClapArgs)]
pub(crate) struct Adm {
    /// The folder of stems
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// The file to write, such as Song_Atmos.wav; FILE.json beside it holds where it comes from
    #[arg(long, value_name = "FILE", value_parser = output_path())]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) session: SessionArgs,
    /// The mix that the stems should sum to: the null test, kept with the file
    #[arg(long, value_name = "FILE")]
    pub(crate) mix: Option<PathBuf>,
    /// Let shorter stems end with silence instead of refusing stems of different lengths
    #[arg(long)]
    pub(crate) pad: bool,
    /// Replace files that are already there
    #[arg(long)]
    pub(crate) force: bool,
}

/// live
#[derive(ClapArgs)]
pub(crate) struct Live {
    /// Ask the Master: a stem (its name, or its id where names are not enough) and the gain to add to it, such as
    /// Vocals=+3
    #[arg(long = "move", value_name = "NAME=DB", value_parser = parse_move, allow_hyphen_values = true)]
    pub(crate) one_move: Option<(String, Db)>,
    /// Tell the Master that the mute of a stem is part of the mix
    #[arg(long, value_name = "NAME", conflicts_with = "one_move")]
    pub(crate) confirm_mute: Option<String>,
    /// Platforms to report, by id (see stems targets) [default: all players]
    #[arg(long, value_name = "ID", num_args = 1..)]
    pub(crate) target: Vec<String>,
    /// Look only into this folder [default: where plugins meet, see docs/link.md]
    #[arg(long, value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
    /// Print once and end, on a terminal too
    #[arg(long)]
    pub(crate) once: bool,
    /// Time to wait for the Master's answer, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub(crate) wait: u32,
}

/// targets
#[derive(ClapArgs)]
pub(crate) struct Targets {}

/// completions
#[derive(ClapArgs)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

/// man
#[derive(ClapArgs)]
pub(crate) struct ManPages {
    /// The folder for the pages of all commands, such as man1; pages that are there are replaced
    #[arg(long, value_name = "DIR", value_parser = output_path())]
    pub(crate) out: Option<PathBuf>,
}

/// The session of a command.
#[derive(ClapArgs)]
pub(crate) struct SessionArgs {
    /// A session file [default: session.toml in the folder, if it is there]
    #[arg(long, value_name = "FILE")]
    pub(crate) session: Option<PathBuf>,
}

impl Args {
    /// Checks that the definition cannot express.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let rows = matches!(self.command, Command::Measure(_) | Command::Check(_) | Command::Targets(_));
        if self.global.csv && !rows {
            return Err(Failure::new("--csv: only measure, check and targets have rows; use --json"));
        }
        Ok(())
    }
}

/// The fault of a command line, in one line.
pub(crate) fn fault_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let parts = text.split("\n\n").map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
    let said: Vec<String> = parts
        .filter(|part| !part.starts_with("Usage:") && !part.starts_with("For more information"))
        .map(|part| part.trim_start_matches("error: ").trim_start_matches("tip: ").to_owned())
        .collect();
    let typed = std::env::args_os().find(|arg| Args::command().find_subcommand(arg).is_some());
    let command = typed.map_or("stems".to_owned(), |name| format!("stems {}", name.display()));
    format!("{}; see {command} --help", said.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Args::command().debug_assert();
    }
}
