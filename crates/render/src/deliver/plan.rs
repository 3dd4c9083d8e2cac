//! The files of a delivery: source, name and gain of each.

use std::path::{Path, PathBuf};

use super::job::DeliveryJob;
use super::manifest::FILE_NAME;
use super::namer::{MASTER, Namer};
use super::print::VoiceContent;
use super::sink::{Depth, SongWindow};
use super::versions::{PlannedVersion, planned_versions};
use crate::output::check_free;
use audiofile::error::{Error, Result};
use audiofile::output::folder;
use project::delivery::{Make, VersionName, is_same_name};
use project::session::Session;
use project::setting_fault::SettingFault;
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
    /// The name of the version of the user's own that it is, or is a piece of.
    pub(super) version: Option<String>,
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

    /// The FLAC of its WAV, or of the 44.1 kHz copy: beside that, for stems in a folder below, so that a folder of stems holds
    /// each of them once.
    pub(super) fn flac_path(&self, wav: &Path) -> PathBuf {
        let flac = wav.with_extension("flac");
        match (self.level, flac.file_name()) {
            (GainGroup::Stems | GainGroup::CleanStems, Some(name)) => folder(wav).join(FLAC).join(name),
            _ => flac,
        }
    }
}

/// All of a delivery.
pub(super) struct DeliveryPlan {
    pub(super) voices: Vec<VoiceContent>,
    pub(super) files: Vec<PlannedFile>,
    pub(super) depth: Depth,
    /// Every file as FLAC too, beside it.
    flac: bool,
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
    fn paths(&self) -> Vec<PathBuf> {
        let of_file = |file: &PlannedFile| {
            let waves: Vec<PathBuf> =
                [Some(file.path.clone()), file.cd.clone()].into_iter().flatten().collect();
            let flacs: Vec<PathBuf> =
                waves.iter().filter(|_| self.flac).map(|wav| file.flac_path(wav)).collect();
            [waves, flacs].concat()
        };
        self.files.iter().flat_map(of_file).chain([self.manifest.clone()]).collect()
    }

    /// The folders that files go to.
    pub(super) fn folders(&self) -> Vec<PathBuf> {
        let mut folders: Vec<PathBuf> = self.paths().iter().map(|path| folder(path).to_owned()).collect();
        folders.sort();
        folders.dedup();
        folders
    }
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
    settings.check().map_err(|SettingFault { fault, remedy }| Error::Bundle {
        path: job.session_file.unwrap_or(&bundle.dir).to_owned(),
        fault,
        cure: remedy,
    })?;
    let depth = if settings.float { Depth::Float32 } else { Depth::Int24 };
    let mut plan = DeliveryPlan {
        voices: Vec::new(),
        files: Vec::new(),
        depth,
        flac: settings.flac,
        notes: Vec::new(),
        manifest: job.output.join(FILE_NAME),
    };
    let mut namer = Namer::new(job, rate, depth);
    let isrc = settings.isrc.iter().find(|(whose, _)| whose.is_none()).map(|(_, code)| code.clone());
    namer.check_words(job, &VersionName::Own(MASTER.into()), isrc.as_deref())?;
    let (path, cd) = namer.song(MASTER, isrc.as_deref());
    plan.files.push(PlannedFile {
        kind: "master",
        path,
        feed: AudioSource::Lead,
        level: GainGroup::Unity,
        window: None,
        title: job.title.clone(),
        isrc,
        version: None,
        stems: None,
        cd,
    });
    let heard: Vec<usize> = (0..bundle.stems.len()).filter(|&i| !session.stems[i].mute).collect();
    if settings.makes(&Make::Stems) {
        stems(&mut plan, &mut namer, job, &heard)?;
    }
    let mut versions = Vec::new();
    let (planned, notes) = planned_versions(bundle, session, settings);
    plan.notes.extend(notes);
    for PlannedVersion { version, kind, stems, isrc } in planned {
        namer.check_words(job, &version, isrc.as_deref())?;
        let names = stems.iter().map(|&i| bundle.stems[i].name.clone()).collect();
        let voice = plan.voice(VoiceContent::Version(stems));
        let (path, cd) = namer.song(version.name(), isrc.as_deref());
        plan.files.push(PlannedFile {
            kind,
            path,
            feed: AudioSource::PrintVoice(voice),
            level: GainGroup::Version(voice),
            window: None,
            title: format!("{} ({})", job.title, version.name()),
            isrc,
            version: own_name(&version),
            stems: Some(names),
            cd,
        });
        versions.push((version, voice));
    }
    cutdowns(&mut plan, &mut namer, job, rate, &versions)?;
    if settings.makes(&Make::CleanStems) {
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
                version: None,
                stems: Some(vec![name.clone()]),
                cd: None,
            });
        }
    }
    for path in plan.paths() {
        check_free(&path, bundle, job.overwrite, "choose another output folder")?;
    }
    Ok(plan)
}

/// The folders of stems, and that of their FLACs inside each.
const FLAC: &str = "FLAC";
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
            version: None,
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

/// The name of a version of the user's own.
fn own_name(version: &VersionName) -> Option<String> {
    match version {
        VersionName::BuiltIn(_) => None,
        VersionName::Own(name) => Some(name.clone()),
    }
}

fn cutdowns(
    plan: &mut DeliveryPlan,
    namer: &mut Namer<'_>,
    job: &DeliveryJob<'_>,
    rate: Hz,
    versions: &[(VersionName, usize)],
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
        let is_same = |made: &VersionName, of: &VersionName| match (made, of) {
            (VersionName::Own(made), VersionName::Own(of)) => is_same_name(made, of),
            (made, of) => made == of,
        };
        let mut own = None;
        let (feed, level, of) = match &cutdown.of {
            None => (AudioSource::Lead, GainGroup::Unity, String::new()),
            Some(of) => match versions.iter().find(|(made, _)| is_same(made, of)) {
                Some((version, voice)) => {
                    own = own_name(version);
                    (
                        AudioSource::PrintVoice(*voice),
                        GainGroup::Version(*voice),
                        format!("{} ", version.name()),
                    )
                }
                None => {
                    return refuse(
                        format!("a cutdown is of the {}, which is not made", of.name()),
                        "make that version too, or leave out `of`",
                    );
                }
            },
        };
        let name = format!("{of}{}s", cutdown.length);
        let (path, cd) = namer.song(&name, None);
        plan.files.push(PlannedFile {
            kind: "cutdown",
            path,
            feed,
            level,
            window: Some(window),
            title: format!("{} ({name})", job.title),
            isrc: None,
            version: own,
            stems: None,
            cd,
        });
    }
    Ok(())
}
