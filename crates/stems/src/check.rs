//! `stems check`: what is wrong with a folder of stems.

use std::path::Path;

use audiofile::error::shown;
use project::bundle::Bundle;
use project::session::Session;
use render::advise::{Basis, Favours, Said, StemsAdvice, advise};
use render::check::{self, CheckReport, MixChoice, NullTest, NullVerdict, Options, Severity};
use serde::Serialize;

use crate::args::{Check, Global, Weigh};
use crate::common::Bar;
use crate::failure::{Failure, note};
use crate::outcome::{CommandResult, Outcome};
use crate::output::{self, say};

#[derive(Serialize)]
struct CheckJson<'a> {
    schema: &'static str,
    faults: Vec<FaultJson<'a>>,
    null: Option<NullJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<&'a StemsAdvice>,
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
    corrected_peak_dbfs: Option<f64>,
    corrected_rms_dbfs: Option<f64>,
    cause: Option<&'a str>,
    stems: Vec<StemFitJson<'a>>,
}

#[derive(Serialize)]
struct StemFitJson<'a> {
    stem: &'a str,
    gain_db: Option<f64>,
    inverted: bool,
    delay_samples: i64,
    missing: bool,
    again: Option<AgainJson>,
}

#[derive(Serialize)]
struct AgainJson {
    delay_samples: i64,
    gain_db: f64,
    inverted: bool,
}

pub(crate) fn run(args: &Check, global: &Global) -> CommandResult {
    let report = report(&args.dir, args.mix.as_deref(), global)?;
    let taken = report.mix.as_ref().and_then(|mix| match mix.chosen {
        MixChoice::Given => None,
        MixChoice::Name => Some((mix, "by its name")),
        MixChoice::Sum => Some((mix, "because it is the sum of all other files")),
    });
    if let Some((mix, why)) = taken {
        note(&format!("{}: taken as the mix {why}; pass --mix to name another", shown(&mix.path)));
    }
    let advice = if args.weigh.advise { Some(weigh(args, global)?) } else { None };
    let outcome = if report.has_faults() { Outcome::Faults } else { Outcome::Clean };
    print_results(outcome, &report, advice.as_ref(), global)
}

/// Advice on stems or a stereo master, with the roles of the folder's session file if there is one.
fn weigh(args: &Check, global: &Global) -> Result<StemsAdvice, Failure> {
    let mut bundle = Bundle::open(&args.dir, args.mix.as_deref())?;
    Session::read_for(&mut bundle, None)?;
    let Weigh { atmos, sync, album, lofi, .. } = args.weigh;
    let said = Said { atmos, sync, album, lofi };
    Ok(advise(&bundle, said, &mut Bar::new(global))?)
}

/// The residual of the null test of a folder against `mix`; none if nothing could be compared.
pub(crate) fn null_residual(
    dir: &Path,
    mix: &Path,
    global: &Global,
) -> Result<Option<NullResidual>, Failure> {
    let null = report(dir, Some(mix), global)?.null;
    Ok(null.map(|null| NullResidual { peak_dbfs: null.residual_peak_dbfs, pass_dbfs: null.pass_dbfs }))
}

/// The difference of a mix and the sum of its stems.
#[derive(Clone, Copy)]
pub(crate) struct NullResidual {
    /// Its highest sample; none is digital silence.
    pub(crate) peak_dbfs: Option<f64>,
    /// The highest that passes.
    pub(crate) pass_dbfs: f64,
}

impl NullResidual {
    pub(crate) fn passes(self) -> bool {
        self.peak_dbfs.is_none_or(|peak| peak <= self.pass_dbfs)
    }

    pub(crate) fn print(self) {
        let peak = self.peak_dbfs.map_or("-inf".into(), |peak| format!("{peak:.1}"));
        say!("null against the mix {peak} dBFS, passes at {:.1} dBFS", self.pass_dbfs);
    }
}

/// Checks a folder, against a mix if one is given.
pub(crate) fn report(dir: &Path, mix: Option<&Path>, global: &Global) -> Result<CheckReport, Failure> {
    let options = Options { mix: mix.map(Path::to_owned) };
    Ok(check::check(dir, &options, &mut Bar::new(global))?)
}

fn print_results(
    outcome: Outcome,
    report: &CheckReport,
    advice: Option<&StemsAdvice>,
    global: &Global,
) -> CommandResult {
    let faults = report.faults.iter().map(|fault| FaultJson {
        check: fault.check.id(),
        severity: fault.severity.id(),
        file: &fault.file,
        fault: &fault.fault,
        cure: &fault.cure,
    });
    if global.json {
        let null = report.null.as_ref().map(null_json);
        let json = CheckJson { schema: "stemlink.check/1", faults: faults.collect(), null, advice };
        return output::json(outcome, &json);
    }
    if global.csv {
        output::csv(&["check", "severity", "file", "fault", "cure"], &faults.collect::<Vec<_>>())?;
        return Ok(outcome.into());
    }
    for fault in &report.faults {
        say!("{}: {}: {}; {}", fault.severity.id(), fault.file, fault.fault, fault.cure);
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
    if let Some(advice) = advice {
        print_advice(advice);
    }
    Ok(outcome.into())
}

fn print_advice(advice: &StemsAdvice) {
    say!("\n{}", advice.sentence);
    for reason in &advice.reasons {
        let basis = if reason.basis == Basis::Measured { "measured" } else { "you said" };
        let side = match reason.favours {
            Favours::Stems => "for stems",
            Favours::Stereo => "for stereo",
            Favours::Neither => "to know",
        };
        say!("  {basis}, {side}: {}", reason.text);
    }
}

fn word(verdict: NullVerdict) -> &'static str {
    match verdict {
        NullVerdict::Pass => "PASS",
        NullVerdict::Inaudible => "inaudible",
        NullVerdict::Audible => "audible",
    }
}

fn null_json(null: &NullTest) -> NullJson<'_> {
    NullJson {
        residual_peak_dbfs: null.residual_peak_dbfs,
        residual_rms_dbfs: null.residual_rms_dbfs,
        pass_dbfs: null.pass_dbfs,
        verdict: word(null.verdict),
        worst_time_s: null.worst_time_s,
        worst_stem: null.worst_stem.as_deref(),
        coverage: null.coverage,
        corrected_peak_dbfs: null.corrected_peak_dbfs,
        corrected_rms_dbfs: null.corrected_rms_dbfs,
        cause: null.cause.as_deref(),
        stems: null
            .stems
            .iter()
            .map(|fit| StemFitJson {
                stem: &fit.name,
                gain_db: fit.gain_db,
                inverted: fit.inverted,
                delay_samples: fit.delay,
                missing: fit.missing,
                again: fit.again.map(|again| AgainJson {
                    delay_samples: again.delay,
                    gain_db: again.gain_db,
                    inverted: again.inverted,
                }),
            })
            .collect(),
    }
}

fn print_null(null: &NullTest) {
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
