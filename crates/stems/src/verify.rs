//! `stems verify`: a delivery from anybody, proved again.

use render::deliver::{DeliveryProof, FileProof, ManifestState, prove};
use render::json::ReadingJson;
use serde::Serialize;
use units::Db;

use crate::args::{Global, Verify};
use crate::common::Bar;
use crate::failure::Failure;
use crate::outcome::{CommandResult, Outcome};
use crate::output::{self, say};

#[derive(Serialize)]
struct ProofJson<'a> {
    schema: &'static str,
    path: String,
    proven: bool,
    manifest: &'static str,
    null_dbfs: Option<f64>,
    null_pass_dbfs: Option<f64>,
    files: Vec<FileProofJson<'a>>,
    findings: &'a [String],
}

#[derive(Serialize)]
struct FileProofJson<'a> {
    path: &'a str,
    kind: Option<&'a str>,
    reading: Option<ReadingJson>,
    findings: &'a [String],
}

impl<'a> FileProofJson<'a> {
    fn new(file: &'a FileProof) -> Self {
        Self { path: &file.path, kind: file.kind.as_deref(), reading: file.reading, findings: &file.findings }
    }
}

pub(crate) fn run(args: &Verify, global: &Global) -> CommandResult {
    let mut bar = Bar::new(global);
    let proof = prove(&args.dir, &mut bar)?;
    drop(bar);
    if proof.files.is_empty() && proof.manifest == ManifestState::Missing {
        let dir = audiofile::error::shown(&args.dir);
        return Err(Failure::new(format!(
            "{dir}: has no manifest and no audio; give the folder of a delivery"
        )));
    }
    let outcome = if proof.is_proven() { Outcome::Clean } else { Outcome::Faults };
    if global.json {
        let json = ProofJson {
            schema: "stemlink.verify/1",
            path: args.dir.to_string_lossy().into_owned(),
            proven: proof.is_proven(),
            manifest: word(proof.manifest),
            null_dbfs: proof.null.map(|null| null.0),
            null_pass_dbfs: proof.null_limit.map(|limit| limit.0),
            files: proof.files.iter().map(FileProofJson::new).collect(),
            findings: &proof.findings,
        };
        return output::json(outcome, &json);
    }
    print(&proof);
    Ok(outcome.into())
}

/// The state of a manifest, in JSON.
fn word(state: ManifestState) -> &'static str {
    match state {
        ManifestState::Missing => "missing",
        ManifestState::Unreadable => "unreadable",
        ManifestState::Unsealed => "unsealed",
        ManifestState::Changed => "changed",
        ManifestState::Unchanged => "unchanged",
    }
}

fn print(proof: &DeliveryProof) {
    let measured_only = matches!(proof.manifest, ManifestState::Missing | ManifestState::Unreadable);
    let mut rows = output::Rows::new(["file", "kind", "I LUFS", "TP dBTP", "peak dBFS", ""], 2);
    for file in &proof.files {
        let reading = file.reading.as_ref();
        let good = if measured_only { "measured" } else { "as delivered" };
        rows.push([
            file.path.clone(),
            file.kind.clone().unwrap_or_else(|| "-".into()),
            output::figure(reading.and_then(|r| r.integrated_lufs)),
            output::figure(reading.and_then(|r| r.true_peak_dbtp)),
            output::figure(reading.and_then(|r| r.sample_peak_dbfs)),
            if file.findings.is_empty() { good.into() } else { "NOT as it should be".into() },
        ]);
    }
    rows.print_last_left();
    for file in &proof.files {
        file.findings.iter().for_each(|finding| say!("{}: {finding}", file.path));
    }
    proof.findings.iter().for_each(|finding| say!("{finding}"));
    // What does not pass is a finding already.
    let passes = |limit: Db| proof.null.is_none_or(|null| null.0 <= limit.0);
    if let Some(limit) = proof.null_limit.filter(|limit| !measured_only && passes(*limit)) {
        say!(
            "the master less its stems leaves {} dBFS, passes at {:.1} dBFS",
            proof.null.map_or("-inf".into(), |null| format!("{:.1}", null.0)),
            limit.0
        );
    }
    let count: usize =
        proof.findings.len() + proof.files.iter().map(|file| file.findings.len()).sum::<usize>();
    match proof.manifest {
        ManifestState::Missing => say!("measured, not proven: there is no manifest.json"),
        ManifestState::Unreadable => say!("measured, not proven: the manifest cannot be read"),
        _ if proof.is_proven() => {
            let files = proof.files.len();
            say!(
                "proven: {files} file{} and the manifest are as delivered",
                if files == 1 { "" } else { "s" }
            );
        }
        _ => say!("NOT proven: {count} finding{}", if count == 1 { "" } else { "s" }),
    }
}
