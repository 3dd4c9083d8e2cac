//! The built-in table.

use super::{LoudPeakLimit, NormalizationTarget, SourceStatus, TargetUse, TurnUpRule};
use units::{Dbtp, Lu, Lufs};

/// Date at which the built-in table was last checked against its sources.
pub const TABLE_DATE: &str = "2026-11-30";
/// Date at which the rules that have no other were read.
const FIRST_READ: &str = "2026-11-22";

/// Row of the table; [`NormalizationTarget`] says what the fields are.
struct Rule {
    id: &'static str,
    name: &'static str,
    /// Empty: the name.
    service: &'static str,
    client: &'static str,
    loudness: Option<f64>,
    usage: TargetUse,
    peak_limit: Option<f64>,
    loud_peak_limit: Option<LoudPeakLimit>,
    mode: &'static str,
    source: &'static str,
    date: &'static str,
    status: SourceStatus,
    note: &'static str,
}

/// Fields that most rules leave as they are.
const RULE: Rule = Rule {
    id: "",
    name: "",
    service: "",
    client: "",
    loudness: None,
    usage: played(TurnUpRule::Unknown),
    peak_limit: None,
    loud_peak_limit: None,
    mode: "track",
    source: "",
    date: FIRST_READ,
    status: SourceStatus::SecondHand,
    note: "",
};

const fn played(turns_up: TurnUpRule) -> TargetUse {
    TargetUse::Playback { turns_up }
}

const fn delivered(tolerance: f64) -> TargetUse {
    TargetUse::Delivery { tolerance: Some(Lu(tolerance)) }
}

/// A delivered file at most as loud as the target.
const DELIVERED_MAXIMUM: TargetUse = TargetUse::Delivery { tolerance: None };

/// Spotify's rules, which have peak advice and mode in common.
const SPOTIFY: Rule = Rule {
    service: "Spotify",
    peak_limit: Some(-1.0),
    loud_peak_limit: Some(LoudPeakLimit { louder_than: Lufs(-14.0), peak_limit: Dbtp(-2.0) }),
    mode: "album in album play, track otherwise",
    source: "https://support.spotify.com/us/artists/article/loudness-normalization",
    status: SourceStatus::Verified,
    ..RULE
};

/// TIDAL's rules: ReplayGain's -18 LUFS, with 4 dB more in its own players, never more than unity.
const TIDAL: Rule = Rule {
    service: "TIDAL",
    usage: played(TurnUpRule::No),
    mode: "album, always, in playlists too",
    date: TABLE_DATE,
    note: "A single is an album of one track; another song has the gain of its album.",
    ..RULE
};

const RULES: &[Rule] = &[
    Rule {
        id: "spotify",
        name: "Spotify Normal",
        loudness: Some(-14.0),
        usage: played(TurnUpRule::ToPeak(Dbtp(-1.0))),
        ..SPOTIFY
    },
    Rule {
        id: "spotify-loud",
        name: "Spotify Loud",
        loudness: Some(-11.0),
        usage: played(TurnUpRule::IgnoringPeaks),
        ..SPOTIFY
    },
    Rule {
        id: "spotify-quiet",
        name: "Spotify Quiet",
        loudness: Some(-19.0),
        usage: played(TurnUpRule::ToPeak(Dbtp(-1.0))),
        ..SPOTIFY
    },
    Rule {
        id: "spotify-web",
        name: "Spotify Web",
        client: "web player, third-party devices",
        usage: TargetUse::AsDelivered,
        mode: "not normalized",
        source: "https://support.spotify.com/ki/artists/article/track-not-as-loud-as-others/",
        ..SPOTIFY
    },
    Rule {
        id: "apple-music",
        name: "Apple Music",
        loudness: Some(-16.0),
        usage: played(TurnUpRule::PeakRuleUnknown),
        peak_limit: Some(-1.0),
        mode: "track and album (Sound Check)",
        source: "https://www.production-expert.com/production-expert-1/apple-choose-16lufs-loudness-level-for-apple-music-heres-why",
        ..RULE
    },
    Rule {
        id: "youtube",
        name: "YouTube",
        client: "web, TV, iOS and VR",
        loudness: Some(-14.0),
        usage: played(TurnUpRule::No),
        source: "https://github.com/Ivorisnoob/Koda/issues/152",
        date: "2026-10-06",
        note: "Where Stable Volume is on (reportedly the default), another, compressed stream is played: predictions do not hold there.",
        ..RULE
    },
    Rule {
        id: "youtube-music",
        name: "YouTube Music",
        service: "YouTube",
        client: "YouTube Music",
        loudness: Some(-7.0),
        usage: played(TurnUpRule::No),
        source: "https://github.com/lacina-dev/ytdj",
        date: "2026-10-06",
        ..RULE
    },
    Rule {
        id: "tidal",
        name: "TIDAL",
        loudness: Some(-14.0),
        source: "https://github.com/tidal-music/tidal-sdk-web/blob/main/packages/player/src/config.ts",
        status: SourceStatus::Verified,
        ..TIDAL
    },
    Rule {
        id: "tidal-tv",
        name: "TIDAL TV",
        client: "TV and AirPlay",
        loudness: Some(-18.0),
        source: "ReplayGain's -18 without the 4 dB that TIDAL's own players add: https://github.com/tidal-music/tidal-sdk-web/blob/main/packages/player/src/internal/helpers/normalize-volume.ts",
        ..TIDAL
    },
    Rule {
        id: "amazon",
        name: "Amazon Music",
        loudness: Some(-14.0),
        peak_limit: Some(-2.0),
        mode: "not published",
        source: "https://developer.amazon.com/en-US/docs/alexa/flashbriefing/normalizing-the-loudness-of-audio-content.html (Alexa)",
        ..RULE
    },
    Rule {
        id: "deezer",
        name: "Deezer",
        loudness: Some(-15.0),
        source: "the service's own response (GAIN.TARGET), shown in https://github.com/roderickvd/pleezer",
        ..RULE
    },
    Rule {
        id: "soundcloud",
        name: "SoundCloud",
        loudness: Some(-14.0),
        mode: "not published",
        source: "https://apu.software/soundcloud-loudness-target and most recent sources; https://www.soundontime.com/loudness-war/ says that it does not normalize",
        note: "Sources conflict: some say that SoundCloud does not normalize.",
        ..RULE
    },
    Rule {
        id: "pandora",
        name: "Pandora",
        loudness: Some(-14.0),
        source: "https://www.velveteen.fm/guides/mastering-for-streaming/dsp-loudness-targets-compared",
        note: "About -14 LUFS: the figure is an estimate of others.",
        ..RULE
    },
    Rule {
        id: "qobuz",
        name: "Qobuz",
        mode: "track and album tags",
        source: "no published target",
        status: SourceStatus::Unverified,
        ..RULE
    },
    Rule {
        id: "bandcamp",
        name: "Bandcamp",
        usage: TargetUse::AsDelivered,
        mode: "not normalized",
        source: "https://uptrack.pro/blog/lufs-targets-for-every-streaming-platform",
        ..RULE
    },
    Rule {
        id: "beatport",
        name: "Beatport",
        usage: TargetUse::AsDelivered,
        mode: "not normalized",
        source: "https://uptrack.pro/blog/lufs-targets-for-every-streaming-platform",
        ..RULE
    },
    Rule {
        id: "netflix",
        name: "Netflix",
        loudness: Some(-27.0),
        usage: delivered(2.0),
        peak_limit: Some(-2.0),
        mode: "programme, dialogue-gated",
        source: "https://www.production-expert.com/home-page/2018/8/23/has-netflix-turned-the-clock-back-10-years-or-is-their-new-loudness-delivery-spec-a-stroke-of-genius",
        ..RULE
    },
    Rule {
        id: "prime-video",
        name: "Prime Video",
        loudness: Some(-27.0),
        usage: delivered(2.0),
        peak_limit: Some(-2.0),
        mode: "programme, dialogue",
        source: "https://wiki.studiomitte.de/books/fkeys-audio-deliveries-naming-conventions/page/audio-delivery-specs",
        ..RULE
    },
    Rule {
        id: "ebu-r128",
        name: "EBU R 128",
        loudness: Some(-23.0),
        usage: delivered(1.0),
        peak_limit: Some(-1.0),
        mode: "programme",
        source: "https://tech.ebu.ch/publications/r128",
        status: SourceStatus::Verified,
        ..RULE
    },
    Rule {
        id: "atsc-a85",
        name: "ATSC A/85",
        loudness: Some(-24.0),
        usage: delivered(2.0),
        peak_limit: Some(-2.0),
        mode: "programme",
        source: "ATSC A/85",
        status: SourceStatus::General,
        ..RULE
    },
    Rule {
        id: "aes-td1008",
        name: "AES TD1008",
        loudness: Some(-16.0),
        mode: "track -16, loudest track of an album -14",
        source: "https://versed.com.au/aes-loudness-for-internet-audio",
        ..RULE
    },
    Rule {
        id: "atmos-music",
        name: "Atmos Music (Apple)",
        loudness: Some(-18.0),
        usage: DELIVERED_MAXIMUM,
        peak_limit: Some(-1.0),
        mode: "programme, a maximum",
        source: "https://help.apple.com/itc/videoaudioassetguide/en.lproj/itcf946aaace.html",
        status: SourceStatus::Verified,
        ..RULE
    },
];

/// Returns the built-in table.
pub fn builtin() -> Vec<NormalizationTarget> {
    let target = |rule: &Rule| NormalizationTarget {
        id: rule.id.into(),
        name: rule.name.into(),
        service: if rule.service.is_empty() { rule.name } else { rule.service }.into(),
        client: rule.client.into(),
        loudness: rule.loudness.map(Lufs),
        usage: rule.usage,
        peak_limit: rule.peak_limit.map(Dbtp),
        loud_peak_limit: rule.loud_peak_limit,
        mode: rule.mode.into(),
        source: rule.source.into(),
        date: rule.date.into(),
        status: rule.status,
        note: rule.note.into(),
    };
    RULES.iter().map(target).collect()
}
