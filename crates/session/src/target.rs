//! Loudness targets of platforms: a dated table with sources, which users may edit. Unknown rules stay unknown.

mod table;

pub use table::{TABLE_DATE, builtin};
use units::{Dbtp, Lu, Lufs};

/// Purpose of a target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TargetUse {
    /// Playback: a player changes the level toward the target.
    Playback {
        /// Rule for quiet material.
        turns_up: TurnUpRule,
    },
    /// Delivery: a specification for files, whose level is not changed later.
    Delivery {
        /// Permitted distance from the target; `None` if the target is a maximum.
        tolerance: Option<Lu>,
    },
    /// Playback without normalization: every song keeps its level.
    AsDelivered,
}

/// Rule of a player for material below its target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TurnUpRule {
    /// Never turned up.
    No,
    /// Not published.
    Unknown,
    /// Turned up until the true peak reaches this level.
    ToPeak(Dbtp),
    /// Turned up, but the rule for peaks is not published.
    PeakRuleUnknown,
    /// Turned up to the target; the player's own limiter catches peaks.
    IgnoringPeaks,
}

/// Evidence for a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceStatus {
    /// Read in the primary source.
    Verified,
    /// Stated by a third party.
    SecondHand,
    /// Common knowledge; no source read.
    General,
    /// Sources conflict or are silent.
    Unverified,
    /// From the user's own file.
    User,
}

impl SourceStatus {
    /// Word shown in tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::SecondHand => "second-hand",
            Self::General => "general",
            Self::Unverified => "unverified",
            Self::User => "user",
        }
    }
}

/// Advice on the true peak of masters that are louder than a limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoudPeakLimit {
    /// Integrated loudness above which it holds.
    pub louder_than: Lufs,
    /// True peak that such masters should not exceed.
    pub peak_limit: Dbtp,
}

/// Loudness target of a platform, with its source: one rule, by which one kind of client plays in one mode. A service can have
/// several.
#[derive(Clone, Debug, PartialEq)]
pub struct NormalizationTarget {
    /// Stable name, such as `spotify`.
    pub id: String,
    /// Name shown to users.
    pub name: String,
    /// Service to which the rule belongs, such as `YouTube`.
    pub service: String,
    /// Players that follow the rule, in the service's words; empty for all that are not named by another rule of it.
    pub client: String,
    /// Reference loudness; `None` when none is published.
    pub loudness: Option<Lufs>,
    /// Purpose of the target.
    pub usage: TargetUse,
    /// True peak that masters should not exceed for this target, if one is published.
    pub peak_limit: Option<Dbtp>,
    /// The limit in place of `peak_limit` for louder masters.
    pub loud_peak_limit: Option<LoudPeakLimit>,
    /// Scope of the measurement (track, album, programme) in the platform's own words.
    pub mode: String,
    /// Address or title of the source.
    pub source: String,
    /// Date of reading, ISO 8601.
    pub date: String,
    /// Evidence for the rule.
    pub status: SourceStatus,
    /// Condition under which the rule or a prediction does not hold, as a sentence; empty for none.
    pub note: String,
}

impl NormalizationTarget {
    /// True peak that a master of `loudness` should not exceed, if one is published.
    pub fn peak_limit_at(&self, loudness: Lufs) -> Option<Dbtp> {
        let loud = self.loud_peak_limit.filter(|limit| loudness.0 > limit.louder_than.0);
        loud.map(|limit| limit.peak_limit).or(self.peak_limit)
    }

    /// True if players bring a track to the target by itself, false if they know only its album.
    pub fn has_track_mode(&self) -> bool {
        !self.mode.starts_with("album, always")
    }

    /// True if players can bring a whole album to the target.
    pub fn has_album_mode(&self) -> bool {
        self.mode.contains("album")
    }

    /// Loudness to which the loudest track of an album is brought, all other tracks by the same gain; `None` if the album
    /// counts as a whole. The mode says it: `loudest track of an album -14`.
    pub fn loudest_track(&self) -> Option<Lufs> {
        let (_, after) = self.mode.split_once("loudest track of an album ")?;
        after.split([' ', ',', ';']).next()?.parse().ok().map(Lufs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loudest_track_of_an_album_is_said_by_the_mode() {
        let table = builtin();
        let of = |id: &str| {
            table.iter().find(|target| target.id == id).and_then(NormalizationTarget::loudest_track)
        };
        assert_eq!(of("aes-td1008"), Some(Lufs(-14.0)));
        assert_eq!(table.iter().filter(|target| target.loudest_track().is_some()).count(), 1);
        assert_eq!(of("spotify"), None);
    }

    #[test]
    fn a_peak_limit_can_depend_on_how_loud_the_master_is() {
        let table = builtin();
        let of = |id: &str| table.iter().find(|target| target.id == id).expect("is there");
        for id in ["spotify", "spotify-loud", "spotify-quiet"] {
            assert_eq!(of(id).peak_limit_at(Lufs(-14.0)), Some(Dbtp(-1.0)), "{id}");
            assert_eq!(of(id).peak_limit_at(Lufs(-13.9)), Some(Dbtp(-2.0)), "{id}");
        }
        assert_eq!(of("apple-music").peak_limit_at(Lufs(-6.0)), Some(Dbtp(-1.0)));
        assert_eq!(of("youtube").peak_limit_at(Lufs(-6.0)), None);
    }

    #[test]
    fn a_service_can_have_several_rules_each_for_other_clients_or_modes() {
        let table = builtin();
        for (service, count) in [("Spotify", 4), ("YouTube", 2), ("TIDAL", 2), ("Deezer", 1)] {
            let rules: Vec<_> = table.iter().filter(|target| target.service == service).collect();
            assert_eq!(rules.len(), count, "{service}");
            let who = |t: &NormalizationTarget| (t.client.clone(), t.name.clone());
            assert!(
                rules.iter().all(|a| rules.iter().filter(|b| who(a) == who(b)).count() == 1),
                "{service}"
            );
        }
        let loudness =
            |id: &str| table.iter().find(|target| target.id == id).and_then(|target| target.loudness);
        assert_eq!((loudness("youtube"), loudness("youtube-music")), (Some(Lufs(-14.0)), Some(Lufs(-7.0))));
        assert_eq!((loudness("tidal"), loudness("tidal-tv")), (Some(Lufs(-14.0)), Some(Lufs(-18.0))));
    }

    #[test]
    fn tidal_knows_albums_only() {
        for target in builtin() {
            assert_eq!(target.has_track_mode(), target.service != "TIDAL", "{}", target.id);
            assert!(target.has_track_mode() || target.has_album_mode(), "{}", target.id);
        }
    }

    #[test]
    fn every_rule_has_a_source_a_date_and_a_unique_id() {
        let table = builtin();
        for (i, target) in table.iter().enumerate() {
            assert!(!target.source.is_empty() && target.date.len() == "2026-11-30".len(), "{}", target.id);
            assert!(!target.service.is_empty() && target.name.starts_with(&target.service), "{}", target.id);
            assert!(target.date.as_str() <= TABLE_DATE, "{}", target.id);
            assert!(table[..i].iter().all(|other| other.id != target.id), "{}", target.id);
        }
    }
}
