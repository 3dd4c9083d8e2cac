//! `stems report`: everything about a song on one page.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use audiofile::error::shown;
use audiofile::output::remove_file;
use render::limiting::LimitingJob;
use render::report::{ReportJob, csv_columns, csv_rows, gather, page};
use render::small_file::SmallFile;

use crate::args::{Global, Report};
use crate::common::{self, Bar};
use crate::failure::{Failure, fault};
use crate::outcome::{CommandResult, Outcome};
use crate::output::{self, say};
use crate::{master, what_if};

pub(crate) fn run(args: &Report, global: &Global) -> CommandResult {
    let html = args.out.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("html"));
    if !html {
        return Err(Failure::new(format!("{}: is to be a page; give it the ending .html", shown(&args.out))));
    }
    // All three names are free, or may be replaced, before any work.
    let beside = |ending: &str| args.out.with_extension(ending);
    let [html, json, csv]: [PathBuf; 3] = [args.out.clone(), beside("json"), beside("csv")];
    let claims = [&html, &json, &csv].map(|path| SmallFile::claim(path, args.force));
    let [html_claim, json_claim, csv_claim] = claims;
    let (html_claim, json_claim, csv_claim) = (html_claim?, json_claim?, csv_claim?);

    let table = common::targets(global)?;
    let (bundle, session, session_file) =
        common::open(&args.dir, args.mix.as_deref(), args.session.session.as_deref())?;
    let targets = what_if::chosen(&table, &args.target, &session)?;
    // a session that no master can be made of has everything but its limiting
    let target = master::target(None, &session, &table, &args.out);
    let master = target.ok().map(|target| LimitingJob { bundle: &bundle, session: &session, target });
    let title = args.title.clone().unwrap_or_else(|| {
        let dir = args.dir.canonicalize().unwrap_or_else(|_| args.dir.clone());
        shown(Path::new(dir.file_name().unwrap_or(args.dir.as_os_str())))
    });
    let job = ReportJob {
        bundle: &bundle,
        session: &session,
        session_file: session_file.as_deref(),
        mix: args.mix.as_deref(),
        masters: &args.masters,
        deliveries: &args.deliveries,
        targets: &targets,
        master,
        title,
        date: today(),
        ask: args.ask,
    };
    let report = gather(&job, &mut Bar::new(global))?;
    report.faults.iter().for_each(|line| fault(line));
    let text =
        serde_json::to_string_pretty(&report).map_err(|error| Failure::new(format!("JSON: {error}")))?;
    let rows = output::csv_text(&csv_columns(), &csv_rows(&report))?;
    // The page comes last: while it is there, what is beside it belongs to it.
    if args.force {
        remove_file(&html)?;
    }
    json_claim.write(format!("{text}\n").as_bytes())?;
    csv_claim.write(rows.as_bytes())?;
    html_claim.write(page(&report).as_bytes())?;
    let bad = report.findings.iter().any(|finding| finding.severity == "fault")
        || report.deliverables.iter().any(|file| !file.verified);
    let outcome = if bad { Outcome::Faults } else { Outcome::Clean };
    if global.json {
        return output::json(outcome, &report);
    }
    say!("{} written; the same as {} and {}", shown(&html), shown(&json), shown(&csv));
    Ok(outcome.into())
}

/// The day in UTC, ISO 8601.
fn today() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    date(seconds / 86_400)
}

/// The date of a day since 1970-01-01 (Gregorian; after H. Hinnant, "chrono-compatible low-level date algorithms").
fn date(day: u64) -> String {
    let day = day + 719_468;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let (d, m) = (of_year - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    format!("{:04}-{m:02}-{d:02}", year + era * 400 + u64::from(m <= 2))
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn days_have_their_dates() {
        for (day, text) in
            [(0, "1970-01-01"), (59, "1970-03-01"), (11_016, "2000-02-29"), (20_779, "2026-11-22")]
        {
            assert_eq!(date(day), text);
        }
    }
}
