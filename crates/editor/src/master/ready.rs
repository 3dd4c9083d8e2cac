//! What is to be known before a print: a list. Nothing here stops anybody.

use super::hear;
use crate::facts::{ViewModel, row};
use crate::format::{number, time};
use chain::monitor::MonitorMode;
use chain::parameters::Value;
use plugin_core::session_view::{HOP_LENGTH, StemCard};
use session::record::HopStatus;
use session::session_report::SessionReport;
use session::stem_status::StemStatus;

/// A line of the list.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Nothing is to be done.
    pub done: bool,
    /// How it is.
    pub words: String,
    /// What can be done.
    pub cure: &'static str,
}

fn named<'a>(stems: impl Iterator<Item = &'a StemCard>) -> Vec<&'a str> {
    stems.map(StemCard::name).collect()
}

/// The list: listening, bypasses, links, coverage, ceiling, what was heard.
pub fn ready(facts: &ViewModel) -> Vec<Point> {
    let session = &facts.snapshot;
    let there = || session.stems.iter().filter(|stem| stem.status.is_linked());
    let point =
        |done: bool, yes: String, no: String, cure| Point { done, words: if done { yes } else { no }, cure };

    let is_otherwise = |stem: &&StemCard| stem.listens || hear::state(session, stem).is_some();
    let mut listens = named(there().filter(is_otherwise));
    listens.extend((facts.listen != MonitorMode::Off).then_some("Master"));
    let listening = point(
        listens.is_empty(),
        "Everything is heard as it is".into(),
        format!("Something else is heard: {}", listens.join(", ")),
        "End listening there. A print never contains it, but you are not hearing the print.",
    );

    let own = row(facts.chain_kind, "bypass").is_some_and(|row| facts.value(row) == Value::Switch(true));
    let mut bypassed = named(there().filter(|stem| stem.bypassed));
    bypassed.extend(own.then_some("Master"));
    let bypasses = point(
        bypassed.is_empty(),
        "Nothing is bypassed".into(),
        format!("Bypassed: {}", bypassed.join(", ")),
        "A bypass is printed as it is: switch it off, or mean it.",
    );

    let broken = named(session.stems.iter().filter(|stem| {
        matches!(stem.status, StemStatus::Gone | StemStatus::NotResponding | StemStatus::OtherRate)
    }));
    let linked = point(
        broken.is_empty() && there().next().is_some(),
        "All stems are linked".into(),
        if broken.is_empty() {
            "No stems are linked".into()
        } else {
            format!("Not linked: {}", broken.join(", "))
        },
        "The sound does not depend on links, but what is said of the session does.",
    );

    let coverage = session.session().and_then(|session| session.coverage);
    let covered = point(
        session.session().is_some_and(SessionReport::is_trusted),
        coverage.map_or(String::new(), |c| format!("Links explain {} % of the mix", percent(c))),
        coverage.map_or("How much of the mix the links explain is not known yet".into(), |c| {
            format!("Links explain {} % of the mix only", percent(c))
        }),
        "See the line below the stems for what is behind the rest.",
    );

    let limiter = row(facts.chain_kind, "lim_on").is_some_and(|row| facts.value(row) == Value::Switch(true));
    let ceiling = row(facts.chain_kind, "lim_ceiling").filter(|_| limiter).map(|row| facts.number(row));
    let most = ceiling.unwrap_or(0.0).min(0.0);
    let peak = facts.reading.true_peak.map(|peak| peak.0);
    let held = point(
        peak.is_some_and(|peak| peak <= most + 0.05),
        format!("True peak is below {} dBTP", number(most, 1)),
        match peak {
            Some(peak) => format!("True peak {} dBTP is above {}", number(peak, 1), number(most, 1)),
            None => "No peak was measured yet".into(),
        },
        "Switch the Master's limiter on, or lower the level. Older peaks go when the meter starts anew.",
    );

    vec![listening, bypasses, linked, covered, held, heard(facts)]
}

fn heard(facts: &ViewModel) -> Point {
    let points = facts.snapshot.timeline().map_or(&[][..], |timeline| &timeline.points);
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
        (true, true) => "Everything was heard as it is set now".into(),
        (false, true) => "Nothing was heard yet".into(),
    };
    Point {
        done: any && gaps.is_empty(),
        words,
        cure: "Play what is hatched on the timeline: figures are of what was heard.",
    }
}

/// A coverage in per cent, with as many decimals as tell it from all.
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
