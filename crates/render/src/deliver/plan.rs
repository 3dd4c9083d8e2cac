//! The files of a delivery: source, name and gain of each.

use std::path::{Path, PathBuf};

use super::job::DeliveryJob;
use super::manifest::FILE_NAME as MANIFEST;
use super::print::VoiceContent;
use super::sink::{Depth, SongWindow};
use crate::output::check_free;
use audiofile::error::{Error, Result};
use audiofile::output::folder;
use project::bundle::Bundle;
use project::delivery::{DeliverSettings, Make, Version};
use project::names::{NameParts, Names, file_name_from, format_label};
use project::session::Session;
use units::Hz;

/// The source of a file's audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AudioSource {
    /// The master.
    Lead,
    /// A voice of the print.
    PrintVoice(usize),
    /// A stem as it enters the master chain.
    Clean(usize),
}

/// The group of files that share a static gain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GainGroup {
    /// None: the master and its pieces.
    Unity,
    /// One for all stems.
    Stems,
    /// One for all clean stems.
    CleanStems,
    /// One for each version and its pieces: the voice.
    Version(usize),
}

/// A file to make.
#[derive(Clone, Debug)]
pub(super) struct PlannedFile {
    pub(super) kind: &'static str,
    pub(super) path: PathBuf,
    pub(super) feed: AudioSource,
    pub(super) level: GainGroup,
    pub(super) window: Option<SongWindow>,
    /// The title in its metadata.
    pub(super) title: String,
    pub(super) isrc: Option<String>,
    /// The stems in it; none: all.
    pub(super) stems: Option<Vec<String>>,
    /// The same at 44.1 kHz and 16 bit.
    pub(super) cd: Option<PathBuf>,
}

impl PlannedFile {
    /// Its length in frames, at the rate of the song.
    pub(super) fn frames(&self, job: &DeliveryJob<'_>) -> u64 {
        self.window.map_or(job.bundle.frames(), |window| window.frames)
    }
}

/// All of a delivery.
pub(super) struct DeliveryPlan {
    pub(super) voices: Vec<VoiceContent>,
    pub(super) files: Vec<PlannedFile>,
    pub(super) depth: Depth,
    pub(super) notes: Vec<String>,
    pub(super) manifest: PathBuf,
}

impl DeliveryPlan {
    /// The voice of a version.
    fn voice(&mut self, plays: VoiceContent) -> usize {
        self.voices.push(plays);
        self.voices.len() - 1
    }

    /// Every path that is written.
    pub(super) fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        let cds = self.files.iter().filter_map(|file| file.cd.as_ref());
        self.files.iter().map(|file| &file.path).chain(cds).chain([&self.manifest])
    }

    /// The folders that files go to.
    pub(super) fn folders(&self) -> Vec<PathBuf> {
        let mut folders: Vec<PathBuf> = self.paths().map(|path| folder(path).to_owned()).collect();
        folders.sort();
        folders.dedup();
        folders
    }
}

/// Names of files, each different from those given before.
struct Namer<'a> {
    settings: &'a DeliverSettings,
    title: &'a str,
    out: &'a Path,
    rate: Hz,
    depth: Depth,
    taken: Vec<String>,
}

impl Namer<'_> {
    fn words<'a>(&'a self, version: &'a str, format: &'a str) -> NameParts<'a> {
        NameParts {
            title: self.title,
            artist: self.settings.artist.as_deref().unwrap_or_default(),
            engineer: self.settings.engineer.as_deref().unwrap_or_default(),
            version,
            format,
        }
    }

    /// A path that no other file of the delivery has, on systems that do not tell cases apart either.
    fn free(&mut self, folder: &Path, name: &str) -> PathBuf {
        let mut file = format!("{name}.wav");
        for n in 2.. {
            let key = folder.join(&file).to_string_lossy().to_lowercase();
            if !self.taken.contains(&key) {
                self.taken.push(key);
                break;
            }
            file = format!("{name}_{n}.wav");
        }
        folder.join(file)
    }

    /// A file of the song and, where it is wanted, its 44.1 kHz copy.
    fn song(&mut self, version: &str) -> (PathBuf, Option<PathBuf>) {
        let out = self.out;
        let format = format_label(self.rate, self.depth.bits());
        let name = self.settings.names.name(&self.words(version, &format));
        let path = self.free(out, &name);
        let cd = self.settings.cd.then(|| {
            let format = format_label(CD_RATE, Depth::Int16.bits());
            let low = self.settings.names.name(&self.words(version, &format));
            let low = if low == name { format!("{name}_{format}") } else { low };
            self.free(out, &low)
        });
        (path, cd)
    }

    /// A stem: named as folders of stems are, or by the template.
    fn stem(&mut self, folder: &str, number: usize, name: &str) -> PathBuf {
        let folder = self.out.join(folder);
        let plain = file_name_from(&format!("{number:02}_{}_Stem", name.replace(' ', "_")));
        let format = format_label(self.rate, self.depth.bits());
        let name = match self.settings.names {
            Names::Plain => plain,
            _ => self.settings.names.name(&self.words(&plain, &format)),
        };
        self.free(&folder, &name)
    }
}

/// The stems of each version that a delivery makes, by name: versions that would be empty, the master or
/// another version are none.
pub fn version_members(
    bundle: &Bundle,
    session: &Session,
    settings: &DeliverSettings,
) -> Vec<(Version, Vec<String>)> {
    let heard = bundle.stems.iter().zip(&session.stems).filter(|(_, stem)| !stem.mute);
    let members = |version: Version| {
        let inside = heard.clone().filter(|(_, stem)| stem.is_in(version));
        inside.map(|(stem, _)| stem.name.clone()).collect::<Vec<_>>()
    };
    let all = heard.clone().count();
    let mut made: Vec<(Version, Vec<String>)> = Vec::new();
    for version in Version::ALL.into_iter().filter(|version| settings.makes(Make::Version(*version))) {
        let members = members(version);
        let is_twin = made.iter().any(|(_, others)| *others == members);
        if !members.is_empty() && members.len() < all && !is_twin {
            made.push((version, members));
        }
    }
    made
}

/// The rate of a compact disc.
pub(super) const CD_RATE: Hz = Hz(44_100.0);

/// Plans a delivery.
///
/// # Errors
/// If a file to write is there and may not be replaced, or is one of the stems; if a piece lies outside the song, or
/// `strict` forbids what the master chain does.
pub(super) fn plan(job: &DeliveryJob<'_>, rate: Hz) -> Result<DeliveryPlan> {
    let (bundle, session, settings) = (job.bundle, job.session, job.settings);
    let depth = if settings.float { Depth::Float32 } else { Depth::Int24 };
    let mut plan = DeliveryPlan {
        voices: Vec::new(),
        files: Vec::new(),
        depth,
        notes: Vec::new(),
        manifest: job.output.join(MANIFEST),
    };
    let mut namer = Namer { settings, title: &job.title, out: job.output, rate, depth, taken: Vec::new() };
    let code = |of: Option<Version>| {
        settings.isrc.iter().find(|(whose, _)| *whose == of).map(|(_, code)| code.clone())
    };
    let (path, cd) = namer.song("Master");
    plan.files.push(PlannedFile {
        kind: "master",
        path,
        feed: AudioSource::Lead,
        level: GainGroup::Unity,
        window: None,
        title: job.title.clone(),
        isrc: code(None),
        stems: None,
        cd,
    });
    let heard: Vec<usize> = (0..bundle.stems.len()).filter(|&i| !session.stems[i].mute).collect();
    if settings.makes(Make::Stems) {
        stems(&mut plan, &mut namer, job, &heard)?;
    }
    let mut versions = Vec::new();
    for version in Version::ALL.into_iter().filter(|version| settings.makes(Make::Version(*version))) {
        let chosen: Vec<usize> = heard.iter().copied().filter(|&i| session.stems[i].is_in(version)).collect();
        let twin =
            versions.iter().find(|(_, voice)| plan.voices[*voice] == VoiceContent::Version(chosen.clone()));
        let why = match twin {
            _ if chosen.is_empty() => Some("would hold no stem".to_owned()),
            _ if chosen == heard => Some("would be the master".to_owned()),
            Some((twin, _)) => Some(format!("would be the {}", Version::name(*twin))),
            None => None,
        };
        if let Some(why) = why {
            plan.notes.push(format!(
                "no {}: it {why}; roles and [stems.deliver] in session.toml say which stems are in it",
                version.name()
            ));
            continue;
        }
        let names = chosen.iter().map(|&i| bundle.stems[i].name.clone()).collect();
        let voice = plan.voice(VoiceContent::Version(chosen));
        versions.push((version, voice));
        let (path, cd) = namer.song(version.name());
        plan.files.push(PlannedFile {
            kind: version.id(),
            path,
            feed: AudioSource::PrintVoice(voice),
            level: GainGroup::Version(voice),
            window: None,
            title: format!("{} ({})", job.title, version.name()),
            isrc: code(Some(version)),
            stems: Some(names),
            cd,
        });
    }
    cutdowns(&mut plan, &mut namer, job, rate, &versions)?;
    if settings.makes(Make::CleanStems) {
        for (n, &i) in heard.iter().enumerate() {
            let name = &bundle.stems[i].name;
            plan.files.push(PlannedFile {
                kind: "clean-stem",
                path: namer.stem(CLEAN, n + 1, name),
                feed: AudioSource::Clean(i),
                level: GainGroup::CleanStems,
                window: None,
                title: format!("{} ({name}, not mastered)", job.title),
                isrc: None,
                stems: Some(vec![name.clone()]),
                cd: None,
            });
        }
    }
    for path in plan.paths() {
        check_free(path, bundle, job.overwrite, "choose another output folder")?;
    }
    Ok(plan)
}

/// The folders of stems.
const STEMS: &str = "Stems";
const CLEAN: &str = "Clean Stems";

fn stems(
    plan: &mut DeliveryPlan,
    namer: &mut Namer<'_>,
    job: &DeliveryJob<'_>,
    heard: &[usize],
) -> Result<()> {
    let mut voices: Vec<(VoiceContent, String)> =
        heard.iter().map(|&i| (VoiceContent::Stem(i), job.bundle.stems[i].name.clone())).collect();
    let saturates = has_residual(job.session);
    if saturates && job.strict {
        return Err(Error::Bundle {
            path: job.bundle.dir.clone(),
            fault: "its master saturates the sum, which no stem can hold".into(),
            cure: "set sat_on = false in [master.chain], or leave out --strict to get it as a stem Residual"
                .into(),
        });
    }
    if saturates {
        voices.push((VoiceContent::Residual, "Residual".into()));
        plan.notes.push("what the master's saturator adds to the sum is the stem Residual".into());
    }
    for (n, (plays, name)) in voices.into_iter().enumerate() {
        let kind = if plays == VoiceContent::Residual { "residual" } else { "stem" };
        let voice = plan.voice(plays);
        plan.files.push(PlannedFile {
            kind,
            path: namer.stem(STEMS, n + 1, &name),
            feed: AudioSource::PrintVoice(voice),
            level: GainGroup::Stems,
            window: None,
            title: format!("{} ({name})", job.title),
            isrc: None,
            stems: Some(vec![name]),
            cd: None,
        });
    }
    Ok(())
}

/// True if the master chain adds something to the sum that is in no stem.
fn has_residual(session: &Session) -> bool {
    use chain::LatencyClass;
    session.master.saturator.acts()
        && session.master_latency >= LatencyClass::Lookahead
        && !session.master.bypass
}

fn cutdowns(
    plan: &mut DeliveryPlan,
    namer: &mut Namer<'_>,
    job: &DeliveryJob<'_>,
    rate: Hz,
    versions: &[(Version, usize)],
) -> Result<()> {
    for cutdown in &job.settings.cutdowns {
        let window = SongWindow::new(rate, [cutdown.at, cutdown.length, cutdown.fade_in, cutdown.fade_out]);
        let refuse = |fault: String, cure: &str| {
            Err(Error::Bundle { path: job.bundle.dir.clone(), fault, cure: cure.into() })
        };
        let end = window.start + window.frames;
        if end > job.bundle.frames() {
            return refuse(
                format!(
                    "a cutdown of {} s at {} ends at {}, the song at {}",
                    cutdown.length,
                    crate::clock::clock(window.start, rate),
                    crate::clock::clock(end, rate),
                    crate::clock::clock(job.bundle.frames(), rate)
                ),
                "begin earlier, or make it shorter",
            );
        }
        let (feed, level, of) = match cutdown.of {
            None => (AudioSource::Lead, GainGroup::Unity, String::new()),
            Some(version) => match versions.iter().find(|(made, _)| *made == version) {
                Some((_, voice)) => (
                    AudioSource::PrintVoice(*voice),
                    GainGroup::Version(*voice),
                    format!("{} ", version.name()),
                ),
                None => {
                    return refuse(
                        format!("a cutdown is of the {}, which is not made", version.name()),
                        "make that version too, or leave out `of`",
                    );
                }
            },
        };
        let name = format!("{of}{}s", cutdown.length);
        let (path, cd) = namer.song(&name);
        plan.files.push(PlannedFile {
            kind: "cutdown",
            path,
            feed,
            level,
            window: Some(window),
            title: format!("{} ({name})", job.title),
            isrc: None,
            stems: None,
            cd,
        });
    }
    Ok(())
}
