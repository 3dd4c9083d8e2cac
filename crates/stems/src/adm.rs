//! `stems adm`: an Atmos-ready file.

use std::path::{Path, PathBuf};

use audiofile::error::shown;
use project::bundle::Bundle;
use project::placement::AtmosPlace;
use project::session::Session;
use render::adm::{AtmosFile, AtmosJob, BED, GainLimit, MAX_LOUDNESS, MAX_PEAK, RENDERER, make};
use render::clock::clock;
use render::hash::sha256;
use render::json::ReadingJson;
use render::small_file::SmallFile;
use serde::Serialize;

use crate::args::{Adm, Global};
use crate::check::{self, NullResidual};
use crate::common::{self, Bar};
use crate::failure::{Failure, note};
use crate::outcome::{CommandResult, Outcome};
use crate::output::{self, say};

#[derive(Serialize)]
struct AtmosJson<'a> {
    schema: &'static str,
    tool: &'static str,
    file: String,
    bytes: u64,
    sha256: String,
    rate_hz: f64,
    frames: u64,
    bed_channels: usize,
    objects: usize,
    gain_db: f64,
    stopped_by: &'static str,
    renderer: &'static str,
    reading: ReadingJson,
    strict_peak_dbtp: Option<f64>,
    conformance: &'a [String],
    verified: bool,
    null_dbfs: Option<f64>,
    null_pass_dbfs: Option<f64>,
    session: Option<String>,
    stems: Vec<AtmosStemJson<'a>>,
    warnings: &'a [String],
}

#[derive(Serialize)]
struct AtmosStemJson<'a> {
    stem: &'a str,
    file: String,
    sha256: &'a str,
    role: &'static str,
    place: &'static str,
    positions: Vec<[f64; 3]>,
    gain_db: f64,
    lfe_db: Option<f64>,
    binaural: Option<&'static str>,
    tracks: Vec<usize>,
}

pub(crate) fn run(args: &Adm, global: &Global) -> CommandResult {
    let given = args.session.session.as_deref();
    let (bundle, session, session_file) = common::open(&args.dir, args.mix.as_deref(), given)?;
    bundle.rate()?;
    if !args.pad {
        bundle.same_length()?;
    }
    let provenance = beside(&args.out);
    // Before any work; an older page must not speak for the file that is about to appear.
    let claims = SmallFile::claim(&provenance, args.force)?;
    let null =
        args.mix.as_deref().map(|mix| check::null_residual(&args.dir, mix, global)).transpose()?.flatten();
    let mut bar = Bar::new(global);
    let mut hashes = Vec::new();
    for stem in &bundle.stems {
        hashes.push(sha256(&stem.path, &mut bar)?);
    }
    let job = AtmosJob {
        bundle: &bundle,
        session: &session,
        output: args.out.clone(),
        overwrite: args.force,
        page: args.force.then_some(provenance.as_path()),
    };
    let made = make(&job, &mut bar)?;
    let sum = sha256(&made.path, &mut bar)?;
    drop(bar);
    let bytes = std::fs::metadata(&made.path).map_or(0, |found| found.len());
    let json = json(&bundle, &made, &hashes, (sum, bytes), null, session_file.as_deref(), &session);
    let text = serde_json::to_string_pretty(&json).map_err(|error| Failure::new(format!("JSON: {error}")))?;
    claims.write(format!("{text}\n").as_bytes())?;

    made.warnings.iter().for_each(|line| note(line));
    for fault in &made.conformance.faults {
        note(&format!("{}: {fault}; please report this", shown(&made.path)));
    }
    if !made.verified {
        note(&format!("{}: not verified; measure its render with another tool", shown(&made.path)));
    }
    let null_passed = null.is_none_or(NullResidual::passes);
    let outcome =
        if made.verified && made.complete && null_passed { Outcome::Clean } else { Outcome::Faults };
    if global.json {
        return output::json(outcome, &json);
    }
    print(&bundle, &made, &session, null);
    say!("{} written and {}", shown(&made.path), if made.verified { "verified" } else { "NOT verified" });
    say!("{} says what it was made of", shown(&provenance));
    Ok(outcome.into())
}

/// The file beside `path` that says where it comes from.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".json");
    PathBuf::from(name)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn json<'a>(
    bundle: &'a Bundle,
    made: &'a AtmosFile,
    hashes: &'a [String],
    (sha256, bytes): (String, u64),
    null: Option<NullResidual>,
    session_file: Option<&Path>,
    session: &Session,
) -> AtmosJson<'a> {
    let stems = made.plan.routes.iter().map(|route| {
        let stem = &bundle.stems[route.stem];
        let (place, is_object) = match route.placement.place {
            AtmosPlace::Bed { word, .. } => (word, false),
            AtmosPlace::Object { .. } => ("object", true),
        };
        AtmosStemJson {
            stem: &stem.name,
            file: name_of(&stem.path),
            sha256: &hashes[route.stem],
            role: session.stems[route.stem].role.id(),
            place,
            positions: route.to.iter().map(|(track, _)| made.plan.tracks[*track].position).collect(),
            gain_db: route.placement.gain.0,
            lfe_db: route.placement.lfe.map(|send| send.0),
            binaural: is_object.then(|| route.placement.binaural.id()),
            tracks: route.to.iter().map(|(track, _)| track + 1).collect(),
        }
    });
    AtmosJson {
        schema: "stemlink.adm/1",
        tool: concat!("Stemlink ", env!("CARGO_PKG_VERSION")),
        file: name_of(&made.path),
        bytes,
        sha256,
        rate_hz: render::adm::RATE.0,
        frames: made.frames,
        bed_channels: BED.len(),
        objects: made.plan.tracks.len() - BED.len(),
        gain_db: made.gain.0,
        stopped_by: word(made.stop),
        renderer: RENDERER,
        reading: (&made.reading).into(),
        strict_peak_dbtp: made.strict_peak.map(|peak| peak.0),
        conformance: &made.conformance.faults,
        verified: made.verified,
        null_dbfs: null.and_then(|null| null.peak_dbfs),
        null_pass_dbfs: null.map(|null| null.pass_dbfs),
        session: session_file.map(name_of),
        stems: stems.collect(),
        warnings: &made.warnings,
    }
}

fn word(stop: GainLimit) -> &'static str {
    match stop {
        GainLimit::Loudness => "loudness",
        GainLimit::RenderPeak => "render_peak",
        GainLimit::TrackPeak => "track_peak",
        GainLimit::Silence => "silence",
    }
}

fn print(bundle: &Bundle, made: &AtmosFile, session: &Session, null: Option<NullResidual>) {
    let objects = made.plan.tracks.len() - BED.len();
    say!(
        "{} bed channels and {objects} objects, 48000 Hz, 24 bit, {}",
        BED.len(),
        clock(made.frames, render::adm::RATE)
    );
    let mut rows = output::Rows::new(["stem", "role", "place", "headphones", "LFE dB"], 4);
    for route in &made.plan.routes {
        let placement = &route.placement;
        rows.push([
            bundle.stems[route.stem].name.clone(),
            session.stems[route.stem].role.id().into(),
            placement.description(route.mono),
            if matches!(placement.place, AtmosPlace::Object { .. }) { placement.binaural.id() } else { "-" }
                .into(),
            output::figure(placement.lfe.map(|send| send.0)),
        ]);
    }
    rows.print();
    let why = match made.stop {
        GainLimit::Loudness => format!("reaches {:.1} LUFS", session.adm.aim.0),
        GainLimit::RenderPeak => format!("stops short of {:.1} LUFS at the render's peak", session.adm.aim.0),
        GainLimit::TrackPeak => format!("stops short of {:.1} LUFS at a track's peak", session.adm.aim.0),
        GainLimit::Silence => "there is nothing to hear".into(),
    };
    say!("gain {:+.2} dB on everything: {why}", made.gain.0);
    say!("{RENDERER}:");
    let mut rows = output::Rows::new(["layout"].into_iter().chain(output::READING), 1);
    rows.push(["5.1".to_owned()].into_iter().chain(output::reading(&made.reading)));
    rows.print();
    say!("at most {:.1} LUFS and {:.1} dBTP are asked for", MAX_LOUDNESS.0, MAX_PEAK.0);
    match made.conformance.faults.len() {
        0 => say!("conforms to the Dolby Atmos Master ADM profile by our own check"),
        n => say!("breaks {n} rules of the Dolby Atmos Master ADM profile by our own check"),
    }
    if let Some(null) = null {
        null.print();
    }
}
