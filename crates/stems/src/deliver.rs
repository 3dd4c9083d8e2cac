//! `stems deliver`: everything that is handed over, and a manifest that says what is what.

use std::path::{Path, PathBuf};

use audiofile::error::shown;
use project::bundle::Bundle;
use project::delivery::DeliverSettings;
use project::session::Session;
use render::deliver::{Deliverable, DeliveryJob, Manifest, check_job, deliver, version_members};
use session::target::NormalizationTarget;

use crate::args::{Deliver, Deliverables, Global};
use crate::common::{self, Bar, OutputFolder};
use crate::failure::note;
use crate::master;
use crate::outcome::{CommandResult, Outcome};
use crate::output::{self, say};

pub(crate) fn run(args: &Deliver, global: &Global) -> CommandResult {
    let table = common::targets(global)?;
    let (bundle, session, session_file) = common::open(&args.dir, None, args.session.session.as_deref())?;
    if !args.what.pad {
        bundle.same_length()?;
    }
    let target = master::target(args.target.as_deref(), &session, &table, &args.out)?;
    let _folder = OutputFolder::create(&args.out)?;
    let source = DeliverySource { dir: &args.dir, bundle: &bundle, session: &session, session_file };
    let settings = settings(&session.deliver, &args.what);
    let job = DeliveryJob { overwrite: args.force, ..source.job(&settings, &args.what, &args.out, target) };
    check_job(&job)?;
    for (version, members) in version_members(&bundle, &session, &settings) {
        note(&format!("{version}: {}", members.join(", ")));
    }
    let mut bar = Bar::new(global);
    let manifest = deliver(&job, &mut bar)?;
    drop(bar);
    // What codecs have taken was said when the stems were opened.
    let told: Vec<String> = bundle.lossy_remarks().collect();
    manifest.warnings.iter().filter(|line| !told.contains(line)).for_each(|line| note(line));
    let outcome = judge(&manifest);
    if global.json {
        return output::json(outcome, &manifest);
    }
    print(&manifest);
    say!("{} written", shown(&args.out.join(render::deliver::MANIFEST)));
    Ok(outcome.into())
}

/// The source of a delivery.
pub(crate) struct DeliverySource<'a> {
    pub(crate) dir: &'a Path,
    pub(crate) bundle: &'a Bundle,
    pub(crate) session: &'a Session,
    pub(crate) session_file: Option<PathBuf>,
}

impl<'a> DeliverySource<'a> {
    /// The job of delivering `what` with `settings` to the folder `out`.
    pub(crate) fn job(
        &'a self,
        settings: &'a DeliverSettings,
        what: &Deliverables,
        out: &'a Path,
        target: Option<NormalizationTarget>,
    ) -> DeliveryJob<'a> {
        DeliveryJob {
            bundle: self.bundle,
            session: self.session,
            session_file: self.session_file.as_deref(),
            title: settings.title.clone().unwrap_or_else(|| common::song_name(self.dir)),
            settings,
            output: out,
            overwrite: false,
            strict: what.strict,
            target,
        }
    }
}

/// The settings of the session, overridden by those of the command line.
pub(crate) fn settings(session: &DeliverSettings, args: &Deliverables) -> DeliverSettings {
    let mut settings = session.clone();
    settings.title = args.title.clone().or(settings.title);
    settings.artist = args.artist.clone().or(settings.artist);
    settings.names = args.names.clone().unwrap_or(settings.names);
    settings.make = args.make.clone().or(settings.make);
    settings.float |= args.float;
    settings.cd |= args.cd;
    settings.own_gain |= args.own_gain;
    settings.flac |= args.flac;
    settings.bpm = args.bpm.or(settings.bpm);
    settings.key = args.key.clone().or(settings.key);
    if !args.cutdowns.is_empty() {
        settings.cutdowns.clone_from(&args.cutdowns);
    }
    settings
}

/// Something is wrong if a file is not verified or the stems do not sum to the master.
pub(crate) fn judge(manifest: &Manifest) -> Outcome {
    let nulls = match (manifest.null_dbfs, manifest.null_pass_dbfs) {
        (Some(null), Some(pass)) => null <= pass,
        _ => true,
    };
    if nulls && manifest.faults.is_empty() && manifest.deliverables.iter().all(|file| file.verified) {
        Outcome::Clean
    } else {
        Outcome::Faults
    }
}

fn print(manifest: &Manifest) {
    let mut rows = output::Rows::new(["file", "format", "I LUFS", "TP dBTP", "peak dBFS", "gain dB", ""], 2);
    for file in &manifest.deliverables {
        rows.push([
            file.path.clone(),
            format!("{} Hz, {}", file.rate_hz, file.format),
            output::figure(file.reading.integrated_lufs),
            output::figure(file.reading.true_peak_dbtp),
            output::figure(file.reading.sample_peak_dbfs),
            if file.trim_db == 0.0 { "-".into() } else { output::change(Some(file.trim_db)) },
            word(file),
        ]);
        if let Some(flac) = &file.flac {
            let dash = || "-".to_owned();
            let same = if file.verified { "the same samples" } else { "NOT verified" };
            let format = format!("{} Hz, {} FLAC", file.rate_hz, file.format);
            rows.push([flac.path.clone(), format, dash(), dash(), dash(), dash(), same.into()]);
        }
    }
    rows.print_last_left();
    if let Some(pass) = manifest.null_pass_dbfs {
        say!(
            "the master less its stems leaves {} dBFS, passes at {pass:.1} dBFS",
            manifest.null_dbfs.map_or("-inf".into(), |null| format!("{null:.1}"))
        );
    }
}

/// The state of a file in a word or two.
fn word(file: &Deliverable) -> String {
    let verified = if file.verified { "verified" } else { "NOT verified" };
    match file.unexplained_db {
        Some(lost) if lost >= 0.05 && !file.own_gain => format!("{verified}; -{lost:.1} dB by the full mix"),
        _ => verified.into(),
    }
}
