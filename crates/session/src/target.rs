//! Loudness targets of platforms: a dated table with sources, which users may edit. Unknown rules stay unknown.

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

/// Loudness target of a platform, with its source.
#[derive(Clone, Debug, PartialEq)]
pub struct NormalizationTarget {
    /// Stable name, such as `spotify`.
    pub id: String,
    /// Name shown to users.
    pub name: String,
    /// Reference loudness; `None` when none is published.
    pub loudness: Option<Lufs>,
    /// Purpose of the target.
    pub usage: TargetUse,
    /// True peak that masters should not exceed for this target, if one is published.
    pub peak_limit: Option<Dbtp>,
    /// Scope of the measurement (track, album, programme) in the platform's own words.
    pub mode: String,
    /// Address or title of the source.
    pub source: String,
    /// Date of reading, ISO 8601.
    pub date: String,
    /// Evidence for the rule.
    pub status: SourceStatus,
}

impl NormalizationTarget {
    /// Loudness to which the loudest track of an album is brought, all other tracks by the same gain; `None` if the album
    /// counts as a whole. The mode says it: `loudest track of an album -14`.
    pub fn loudest_track(&self) -> Option<Lufs> {
        let (_, after) = self.mode.split_once("loudest track of an album ")?;
        after.split([' ', ',', ';']).next()?.parse().ok().map(Lufs)
    }
}

/// Date at which the built-in table was last checked against its sources.
pub const TABLE_DATE: &str = "2026-11-22";

/// Returns the built-in table.
pub fn builtin() -> Vec<NormalizationTarget> {
    use SourceStatus::{General, SecondHand, Unverified, Verified};
    use TurnUpRule::{IgnoringPeaks, No, PeakRuleUnknown, ToPeak, Unknown};
    let target = |id: &str,
                  name: &str,
                  loudness: Option<f64>,
                  usage,
                  peak: Option<f64>,
                  mode: &str,
                  source: &str,
                  status| {
        NormalizationTarget {
            id: id.into(),
            name: name.into(),
            loudness: loudness.map(Lufs),
            usage,
            peak_limit: peak.map(Dbtp),
            mode: mode.into(),
            source: source.into(),
            date: TABLE_DATE.into(),
            status,
        }
    };
    let play = |turns_up| TargetUse::Playback { turns_up };
    let deliver = |tolerance: Option<f64>| TargetUse::Delivery { tolerance: tolerance.map(Lu) };
    let spotify = "https://support.spotify.com/us/artists/article/loudness-normalization";
    let album = "album in album play, track otherwise";
    vec![
        target(
            "spotify",
            "Spotify Normal",
            Some(-14.0),
            play(ToPeak(Dbtp(-1.0))),
            Some(-1.0),
            album,
            spotify,
            Verified,
        ),
        target(
            "spotify-loud",
            "Spotify Loud",
            Some(-11.0),
            play(IgnoringPeaks),
            Some(-2.0),
            album,
            spotify,
            Verified,
        ),
        target(
            "spotify-quiet",
            "Spotify Quiet",
            Some(-19.0),
            play(ToPeak(Dbtp(-1.0))),
            Some(-1.0),
            album,
            spotify,
            Verified,
        ),
        target(
            "apple-music",
            "Apple Music",
            Some(-16.0),
            play(PeakRuleUnknown),
            Some(-1.0),
            "track and album (Sound Check)",
            "https://www.production-expert.com/production-expert-1/apple-choose-16lufs-loudness-level-for-apple-music-heres-why",
            SecondHand,
        ),
        target(
            "youtube",
            "YouTube",
            Some(-14.0),
            play(No),
            None,
            "track",
            "https://github.com/Ivorisnoob/Koda/issues/152",
            SecondHand,
        ),
        target(
            "tidal",
            "TIDAL",
            Some(-14.0),
            play(No),
            None,
            "track and album tags",
            "https://meterplugs.com/blog/2016/10/07/tidal-adds-loudness-normalization.html",
            SecondHand,
        ),
        target(
            "amazon",
            "Amazon Music",
            Some(-14.0),
            play(Unknown),
            Some(-2.0),
            "not published",
            "https://developer.amazon.com/en-US/docs/alexa/flashbriefing/normalizing-the-loudness-of-audio-content.html (Alexa)",
            SecondHand,
        ),
        target(
            "deezer",
            "Deezer",
            Some(-15.0),
            play(Unknown),
            None,
            "track",
            "pleezer, an open-source player",
            SecondHand,
        ),
        target(
            "soundcloud",
            "SoundCloud",
            None,
            play(Unknown),
            None,
            "not published",
            "sources conflict: https://apu.software/soundcloud-loudness-target says -14, others none",
            Unverified,
        ),
        target(
            "qobuz",
            "Qobuz",
            None,
            play(Unknown),
            None,
            "track and album tags",
            "no published target",
            Unverified,
        ),
        target(
            "netflix",
            "Netflix",
            Some(-27.0),
            deliver(Some(2.0)),
            Some(-2.0),
            "programme, dialogue-gated",
            "https://www.production-expert.com/home-page/2018/8/23/has-netflix-turned-the-clock-back-10-years-or-is-their-new-loudness-delivery-spec-a-stroke-of-genius",
            SecondHand,
        ),
        target(
            "ebu-r128",
            "EBU R 128",
            Some(-23.0),
            deliver(Some(1.0)),
            Some(-1.0),
            "programme",
            "https://tech.ebu.ch/publications/r128",
            Verified,
        ),
        target(
            "atsc-a85",
            "ATSC A/85",
            Some(-24.0),
            deliver(Some(2.0)),
            Some(-2.0),
            "programme",
            "ATSC A/85",
            General,
        ),
        target(
            "aes-td1008",
            "AES TD1008",
            Some(-16.0),
            play(Unknown),
            None,
            "track -16, loudest track of an album -14",
            "https://versed.com.au/aes-loudness-for-internet-audio",
            SecondHand,
        ),
        target(
            "atmos-music",
            "Atmos Music (Apple)",
            Some(-18.0),
            deliver(None),
            Some(-1.0),
            "programme, a maximum",
            "https://help.apple.com/itc/videoaudioassetguide/en.lproj/itcf946aaace.html",
            Verified,
        ),
    ]
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
    fn every_rule_has_a_source_a_date_and_a_unique_id() {
        let table = builtin();
        for (i, target) in table.iter().enumerate() {
            assert!(!target.source.is_empty() && !target.date.is_empty(), "{}", target.id);
            assert!(table[..i].iter().all(|other| other.id != target.id), "{}", target.id);
        }
    }
}
