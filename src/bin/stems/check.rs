//! `stems check`: what is wrong with a folder of stems.

use std::path::Path;

use serde::Serialize;
use stemlink::offline::check::{self, Fault, Null, Options, Report, Severity, Verdict};
use stemlink::offline::error::shown;

use crate::args::{Check, Global};
use crate::common::{Bar, Failure, note};
use crate::output::{self, say};
use crate::{CommandResult, Outcome};

#[derive(Serialize)]
struct Json<'a> {
    schema: &'static str,
    faults: Vec<FaultJson<'a>>,
    null: Option<NullJson<'a>>,
}

#[derive(Serialize)]
struct FaultJson<'a> {
    check: &'static str,
    severity: &'static str,
    file: &'a str,
    fault: &'a str,
    cure: &'a str,
}

#[derive(Serialize)]
struct NullJson<'a> {
    residual_peak_dbfs: Option<f64>,
    residual_rms_dbfs: Option<f64>,
    pass_dbfs: f64,
    verdict: &'static str,
    worst_time_s: Option<f64>,
    worst_stem: Option<&'a str>,
    coverage: f64,
    stems: Vec<StemFitJson<'a>>,
}

#[derive(Serialize)]
struct StemFitJson<'a> {
    stem: &'a str,
    gain_db: Option<f64>,
    inverted: bool,
    delay_samples: i64,
    missing: bool,
}

pub(crate) fn run(args: &Check, global: &Global) -> CommandResult {
    let report = report(&args.dir, args.mix.as_deref(), global)?;
    if let Some(mix) = report.mix.as_ref().filter(|mix| mix.by_name) {
        note(&format!("{}: taken as the mix by its name; pass --mix to name another", shown(&mix.path)));
    }
    let faulty = report.faults.iter().any(|fault| fault.severity == Severity::Fault);
    show(if faulty { Outcome::Faults } else { Outcome::Clean }, &report, global)
}

/// Checks a folder, against a mix if one is given.
pub(crate) fn report(dir: &Path, mix: Option<&Path>, global: &Global) -> Result<Report, Failure> {
    let options = Options { mix: mix.map(Path::to_owned) };
    Ok(check::check(dir, &options, &mut Bar::new(global))?)
}

fn severity(fault: &Fault) -> &'static str {
    match fault.severity {
        Severity::Fault => "fault",
        Severity::Advice => "advice",
    }
}

fn show(outcome: Outcome, report: &Report, global: &Global) -> CommandResult {
    let faults = report.faults.iter().map(|fault| FaultJson {
        check: fault.check.id(),
        severity: severity(fault),
        file: &fault.file,
        fault: &fault.fault,
        cure: &fault.cure,
    });
    if global.json {
        let null = report.null.as_ref().map(null_json);
        let json = Json { schema: "stemlink.check/1", faults: faults.collect(), null };
        return output::json(outcome, &json);
    }
    if global.csv {
        output::csv(&faults.collect::<Vec<_>>())?;
        return Ok(outcome.into());
    }
    for fault in &report.faults {
        say!("{}: {}: {}; {}", severity(fault), fault.file, fault.fault, fault.cure);
    }
    if let Some(null) = &report.null {
        print_null(null);
    }
    let count = |severity| report.faults.iter().filter(|fault| fault.severity == severity).count();
    let plural = |n: usize, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
    say!(
        "{}: {}, {}",
        plural(report.stems.len(), "stem", "stems"),
        plural(count(Severity::Fault), "fault", "faults"),
        plural(count(Severity::Advice), "piece of advice", "pieces of advice"),
    );
    Ok(outcome.into())
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "PASS",
        Verdict::Inaudible => "inaudible",
        Verdict::Audible => "audible",
    }
}

fn null_json(null: &Null) -> NullJson<'_> {
    NullJson {
        residual_peak_dbfs: null.residual_peak_dbfs,
        residual_rms_dbfs: null.residual_rms_dbfs,
        pass_dbfs: null.pass_dbfs,
        verdict: word(null.verdict),
        worst_time_s: null.worst_time_s,
        worst_stem: null.worst_stem.as_deref(),
        coverage: null.coverage,
        stems: null
            .stems
            .iter()
            .map(|fit| StemFitJson {
                stem: &fit.name,
                gain_db: fit.gain_db,
                inverted: fit.inverted,
                delay_samples: fit.delay,
                missing: fit.missing,
            })
            .collect(),
    }
}

fn print_null(null: &Null) {
    let level = |value: Option<f64>| value.map_or("-inf".to_owned(), |v| format!("{v:.1}"));
    say!(
        "null test: mix minus stems peaks at {} dBFS (RMS {} dBFS); {} (passes at {:.1} dBFS)",
        level(null.residual_peak_dbfs),
        level(null.residual_rms_dbfs),
        word(null.verdict),
        null.pass_dbfs
    );
    let mut rows = output::Rows::new(["stem", "gain in mix dB", "delay samples", "polarity"], 1);
    for fit in &null.stems {
        rows.push([
            fit.name.clone(),
            if fit.missing { "missing".into() } else { output::change(fit.gain_db) },
            if fit.missing { "-".into() } else { format!("{}", fit.delay) },
            if fit.inverted { "inverted".into() } else { String::new() },
        ]);
    }
    rows.print_last_left();
    say!("the stems account for {:.3} % of the mix", null.coverage * 100.0);
}
