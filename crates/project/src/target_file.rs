//! The table of targets: the built-in one, with the user's own file over it.

use std::path::Path;

use serde::Deserialize;

use super::named::ById;
use audiofile::error::{Error, Result, one_line};
use session::target::{LoudPeakLimit, NormalizationTarget, SourceStatus, TargetUse, TurnUpRule, builtin};
use units::{Dbtp, Lu, Lufs};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    targets: Vec<RawTarget>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTarget {
    id: String,
    name: Option<String>,
    target_lufs: Option<f64>,
    turns_up: Option<RawTurnsUp>,
    up_to_dbtp: Option<f64>,
    #[serde(default)]
    delivery: bool,
    #[serde(default)]
    not_normalized: bool,
    tolerance_lu: Option<f64>,
    peak_limit_dbtp: Option<f64>,
    louder_than_lufs: Option<f64>,
    loud_peak_limit_dbtp: Option<f64>,
    service: Option<String>,
    client: Option<String>,
    note: Option<String>,
    mode: Option<String>,
    source: Option<String>,
    date: Option<String>,
    status: Option<ById<SourceStatus>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawTurnsUp {
    No,
    Unknown,
    ToPeak,
    PeakRuleUnknown,
    IgnoringPeaks,
}

/// The built-in table, with the targets of `user` added or, by id, replacing it.
///
/// # Errors
/// If the file cannot be read or is not such a table.
pub fn targets(user: Option<&Path>) -> Result<Vec<NormalizationTarget>> {
    let mut table = builtin();
    let Some(path) = user else { return Ok(table) };
    let text = crate::text_file::read(path)?;
    let fault = |fault: String| Error::Bundle {
        path: path.to_owned(),
        fault,
        cure: "see the section on targets in docs/targets.md".into(),
    };
    let raw: RawFile = toml::from_str(&text).map_err(|error| fault(one_line(error.message())))?;
    for target in raw.targets {
        let target = target.checked().map_err(fault)?;
        match table.iter_mut().find(|known| known.id == target.id) {
            Some(known) => *known = target,
            None => table.push(target),
        }
    }
    Ok(table)
}

impl RawTarget {
    fn checked(self) -> std::result::Result<NormalizationTarget, String> {
        let id = self.id;
        if id.is_empty() || !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Err(format!("id {id:?} is not made of letters, digits and hyphens"));
        }
        let within = |what: &str, value: Option<f64>, low: f64, high: f64| match value {
            Some(v) if !(low..=high).contains(&v) => {
                Err(format!("{id}: {what} = {v} is not within {low} to {high}"))
            }
            _ => Ok(()),
        };
        within("target_lufs", self.target_lufs, -70.0, 0.0)?;
        within("up_to_dbtp", self.up_to_dbtp, -20.0, 3.0)?;
        within("peak_limit_dbtp", self.peak_limit_dbtp, -20.0, 0.0)?;
        within("tolerance_lu", self.tolerance_lu, 0.0, 20.0)?;
        within("louder_than_lufs", self.louder_than_lufs, -70.0, 0.0)?;
        within("loud_peak_limit_dbtp", self.loud_peak_limit_dbtp, -20.0, 0.0)?;
        let loud_peak_limit = match (self.louder_than_lufs, self.loud_peak_limit_dbtp) {
            (Some(loudness), Some(peak)) => {
                Some(LoudPeakLimit { louder_than: Lufs(loudness), peak_limit: Dbtp(peak) })
            }
            (None, None) => None,
            _ => return Err(format!("{id}: louder_than_lufs and loud_peak_limit_dbtp need each other")),
        };
        if self.not_normalized && (self.delivery || self.target_lufs.is_some()) {
            return Err(format!("{id}: not_normalized has neither target_lufs nor delivery"));
        }
        let usage = if self.not_normalized {
            TargetUse::AsDelivered
        } else if self.delivery {
            TargetUse::Delivery { tolerance: self.tolerance_lu.map(Lu) }
        } else {
            TargetUse::Playback {
                turns_up: match self.turns_up.unwrap_or(RawTurnsUp::Unknown) {
                    RawTurnsUp::No => TurnUpRule::No,
                    RawTurnsUp::Unknown => TurnUpRule::Unknown,
                    RawTurnsUp::PeakRuleUnknown => TurnUpRule::PeakRuleUnknown,
                    RawTurnsUp::IgnoringPeaks => TurnUpRule::IgnoringPeaks,
                    RawTurnsUp::ToPeak => TurnUpRule::ToPeak(Dbtp(self.up_to_dbtp.unwrap_or(-1.0))),
                },
            }
        };
        Ok(NormalizationTarget {
            service: self.service.or_else(|| self.name.clone()).unwrap_or_else(|| id.clone()),
            client: self.client.unwrap_or_default(),
            note: self.note.unwrap_or_default(),
            loud_peak_limit,
            name: self.name.unwrap_or_else(|| id.clone()),
            id,
            loudness: self.target_lufs.map(Lufs),
            usage,
            peak_limit: self.peak_limit_dbtp.map(Dbtp),
            mode: self.mode.unwrap_or_else(|| "track".into()),
            source: self.source.unwrap_or_else(|| "your own file".into()),
            date: self.date.unwrap_or_else(|| "undated".into()),
            status: self.status.map_or(SourceStatus::User, |ById(status)| status),
        })
    }
}

/// The targets of `ids`, in that order.
///
/// # Errors
/// If one is unknown, naming all there are.
pub fn pick(table: &[NormalizationTarget], ids: &[String]) -> Result<Vec<NormalizationTarget>> {
    ids.iter()
        .map(|id| {
            table.iter().find(|target| target.id == *id).cloned().ok_or_else(|| {
                let known: Vec<&str> = table.iter().map(|target| target.id.as_str()).collect();
                Error::Bundle {
                    path: id.into(),
                    fault: "no target has this id".into(),
                    cure: format!("there are {}", known.join(", ")),
                }
            })
        })
        .collect()
}

/// The treatment of quiet songs by a player, in words.
pub fn turns_up_words(target: &NormalizationTarget) -> String {
    match target.usage {
        TargetUse::Delivery { tolerance: Some(t) } => format!("delivery, ±{} LU", t.0),
        TargetUse::Delivery { tolerance: None } => "delivery, at most".into(),
        TargetUse::AsDelivered => "does not normalize".into(),
        TargetUse::Playback { turns_up } => match turns_up {
            TurnUpRule::No => "no".into(),
            TurnUpRule::Unknown => "not published".into(),
            TurnUpRule::ToPeak(peak) => format!("until {} dBTP", peak.0),
            TurnUpRule::PeakRuleUnknown => "yes, peak rule not published".into(),
            TurnUpRule::IgnoringPeaks => "yes, with a limiter".into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_file(text: &str) -> Result<Vec<NormalizationTarget>> {
        let file = tempfile::NamedTempFile::new().expect("a file for the test");
        std::fs::write(file.path(), text).expect("writes");
        targets(Some(file.path()))
    }

    #[test]
    fn the_user_s_file_adds_and_replaces() {
        let table = with_file(
            "[[targets]]\nid = \"club\"\ntarget_lufs = -8\nturns_up = \"no\"\n[[targets]]\nid = \"spotify\"\ntarget_lufs = -13\n",
        )
        .expect("reads");
        let of = |id: &str| table.iter().find(|t| t.id == id).expect("is there");
        assert_eq!((of("club").loudness, of("club").status), (Some(Lufs(-8.0)), SourceStatus::User));
        assert_eq!(of("spotify").loudness, Some(Lufs(-13.0)));
        assert_eq!(table.iter().filter(|t| t.id == "spotify").count(), 1);
    }

    #[test]
    fn faults_are_named_in_one_line() {
        for (text, word) in [
            ("[[targets]]\nid = \"a b\"\n", "a b"),
            ("[[targets]]\nid = \"x\"\ntarget_lufs = 14\n", "target_lufs"),
            ("[[targets]]\nid = \"x\"\nloudness = 3\n", "loudness"),
            ("[[targets]]\nid = \"x\"\nlouder_than_lufs = -9\n", "loud_peak_limit_dbtp"),
            ("[[targets]]\nid = \"x\"\nnot_normalized = true\ntarget_lufs = -9\n", "not_normalized"),
            ("nonsense", "nonsense"),
        ] {
            let message = with_file(text).expect_err("is faulty").to_string();
            assert!(!message.contains('\n'), "{message}");
            assert!(message.contains(word) || word == "nonsense", "{message}");
        }
    }

    #[test]
    fn an_unknown_id_lists_the_known_ones() {
        let message = pick(&builtin(), &["spotfy".into()]).expect_err("is unknown").to_string();
        assert!(message.contains("spotify, spotify-loud") && message.contains("atmos-music"), "{message}");
    }
}
