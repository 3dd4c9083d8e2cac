//! Checklist before a print. It informs and blocks nothing.

use super::audition;
use crate::format::{number, time};
use crate::view_model::{ViewModel, row};
use chain::monitor::MonitorMode;
use chain::parameters::Value;
use plugin_core::session_view::{HOP_LENGTH, StemCard};
use session::record::HopStatus;
use session::session_report::SessionReport;
use session::stem_status::StemStatus;

/// Item of the checklist.
#[derive(Clone, Debug, PartialEq)]
pub struct ChecklistItem {
    /// The item is settled.
    pub done: bool,
    /// State of the item as text.
    pub words: String,
    /// Suggested remedy.
    pub cure: &'static str,
}

fn named<'a>(stems: impl Iterator<Item = &'a StemCard>) -> Vec<&'a str> {
    stems.map(StemCard::name).collect()
}

/// Returns the items: monitoring, bypasses, links, coverage, ceiling, heard passages.
pub fn checklist(model: &ViewModel) -> Vec<ChecklistItem> {
    let session = &model.snapshot;
    let there = || session.stems.iter().filter(|stem| stem.status.is_linked());
    let item = |done: bool, yes: String, no: String, cure| ChecklistItem {
        done,
        words: if done { yes } else { no },
        cure,
    };

    let is_otherwise = |stem: &&StemCard| stem.listens || audition::state(session, stem).is_some();
    let mut listens = named(there().filter(is_otherwise));
    listens.extend((model.listen != MonitorMode::Off).then_some("Master"));
    let listening = item(
        listens.is_empty(),
        "Listening to the mix itself".into(),
        format!("Listening to something else: {}", listens.join(", ")),
        "Stop listening there. A print never contains it, but you are not hearing the print.",
    );

    let own = row(model.chain_kind, "bypass").is_some_and(|row| model.value(row) == Value::Switch(true));
    let mut bypassed = named(there().filter(|stem| stem.bypassed));
    bypassed.extend(own.then_some("Master"));
    let bypasses = item(
        bypassed.is_empty(),
        "Nothing is bypassed".into(),
        format!("Bypassed: {}", bypassed.join(", ")),
        "A bypass is printed: switch it off unless it is meant.",
    );

    let broken = named(session.stems.iter().filter(|stem| {
        matches!(stem.status, StemStatus::Gone | StemStatus::NotResponding | StemStatus::OtherRate)
    }));
    let linked = item(
        broken.is_empty() && there().next().is_some(),
        "All stems are linked".into(),
        if broken.is_empty() {
            "No stems are linked".into()
        } else {
            format!("Not linked: {}", broken.join(", "))
        },
        "The sound does not depend on the links, but the session's figures do.",
    );

    let coverage = session.session().and_then(|session| session.coverage);
    let covered = item(
        session.session().is_some_and(SessionReport::is_trusted),
        coverage.map_or(String::new(), |c| format!("Links explain {} % of the mix", percent(c))),
        coverage.map_or("Coverage of the mix is not known yet".into(), |c| {
            format!("Links explain {} % of the mix only", percent(c))
        }),
        "The line below the stem table names the likely cause.",
    );

    let limiter = row(model.chain_kind, "lim_on").is_some_and(|row| model.value(row) == Value::Switch(true));
    let ceiling = row(model.chain_kind, "lim_ceiling").filter(|_| limiter).map(|row| model.number(row));
    let most = ceiling.unwrap_or(0.0).min(0.0);
    let peak = model.reading.true_peak.map(|peak| peak.0);
    let held = item(
        peak.is_some_and(|peak| peak <= most + 0.05),
        format!("True peak is below {} dBTP", number(most, 1)),
        match peak {
            Some(peak) => format!("True peak {} dBTP is above {}", number(peak, 1), number(most, 1)),
            None => "No peak was measured yet".into(),
        },
        "Switch the Master's limiter on, or lower the level. Reset the meter to clear older peaks.",
    );

    vec![listening, bypasses, linked, covered, held, heard(model)]
}

fn heard(model: &ViewModel) -> ChecklistItem {
    let points = model.snapshot.timeline().map_or(&[][..], |timeline| &timeline.points);
    let count = |mark: HopStatus| points.iter().filter(|point| point.mark == mark).count();
    let seconds = |points: usize| time(points as f64 * HOP_LENGTH.0 / 1000.0);
    let mut gaps = Vec::new();
    for (mark, words) in [
        (HopStatus::Unheard, "unheard"),
        (HopStatus::Auditioned, "heard soloed only"),
        (HopStatus::OldSettings, "heard with old settings"),
        (HopStatus::Dropped, "heard long ago"),
    ] {
        let points = count(mark);
        if points > 0 {
            gaps.push(format!("{} {words}", seconds(points)));
        }
    }
    let any = count(HopStatus::Heard) > 0;
    let words = match (any, gaps.is_empty()) {
        (_, false) => gaps.join(", "),
        (true, true) => "Everything was heard with the present settings".into(),
        (false, true) => "Nothing was heard yet".into(),
    };
    ChecklistItem {
        done: any && gaps.is_empty(),
        words,
        cure: "Play the hatched parts of the timeline: figures cover only what was heard.",
    }
}

/// Formats a coverage in per cent, with enough decimals to distinguish it from 100 %.
pub(super) fn percent(coverage: f64) -> String {
    let percent = coverage * 100.0;
    match percent {
        p if p >= 99.99 => number((p * 1000.0).floor() / 1000.0, 3),
        p if p >= 99.0 => number((p * 100.0).floor() / 100.0, 2),
        p => number(p, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearly_all_is_not_all() {
        assert_eq!(percent(0.999_986), "99.998");
        assert_eq!(percent(0.999_999_9), "99.999");
        assert_eq!(percent(0.999_89), "99.98");
        assert_eq!((percent(1.0), percent(0.962_4)), ("100.000".into(), "96.2".into()));
    }
}
