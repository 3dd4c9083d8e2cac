//! Playback gain of a platform, and the sentence about it that windows, command line and reports share.

use super::target::{NormalizationTarget, TargetUse, TurnUpRule};
use meter::Reading;
use units::{Db, Dbtp, Lu};

/// Rule that decides the playback gain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GainBound {
    /// The target loudness is reached.
    Loudness,
    /// A turn-up stops where the true peak reaches the platform's headroom.
    Peak,
    /// The song is quieter than the target and the platform does not turn up.
    NoTurnUp,
    /// The rule is not published.
    Unknown,
    /// The rule depends on the true peak, which is not known.
    PeakUnknown,
    /// A delivery specification: nothing changes the level.
    Delivery,
    /// The platform does not normalize.
    NotNormalized,
}

impl GainBound {
    /// Word of `--json`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Loudness => "loudness",
            Self::Peak => "peak",
            Self::NoTurnUp => "no_turn_up",
            Self::Unknown => "unknown",
            Self::PeakUnknown => "peak_unknown",
            Self::Delivery => "delivery",
            Self::NotNormalized => "not_normalized",
        }
    }
}

/// Playback of a song on a platform.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Playback {
    /// Gain that the platform applies; `None` if its rule is unknown.
    pub gain: Option<Db>,
    /// Gain that would reach the target loudness; `None` without a published target.
    pub wanted: Option<Db>,
    /// Rule that decides the gain.
    pub bound: GainBound,
}

/// Returns the playback of a song with `reading` on `target`; `None` for a song without integrated loudness.
///
/// Turning down is always by the whole difference. Turning up follows the platform's rule.
pub fn playback(reading: &Reading, target: &NormalizationTarget) -> Option<Playback> {
    let integrated = reading.integrated?;
    if target.usage == TargetUse::AsDelivered {
        return Some(Playback { gain: Some(Db(0.0)), wanted: None, bound: GainBound::NotNormalized });
    }
    let Some(loudness) = target.loudness else {
        return Some(Playback { gain: None, wanted: None, bound: GainBound::Unknown });
    };
    let wanted = Db((loudness - integrated).0);
    let answer = |gain, bound| Some(Playback { gain, wanted: Some(wanted), bound });
    let TargetUse::Playback { turns_up } = target.usage else {
        return answer(None, GainBound::Delivery);
    };
    if wanted.0 <= 0.0 {
        return answer(Some(wanted), GainBound::Loudness);
    }
    let up_to = |limit: Dbtp| {
        let Some(peak) = reading.true_peak else { return answer(None, GainBound::PeakUnknown) };
        let headroom = (limit - peak).max(Db(0.0));
        if headroom.0 < wanted.0 {
            answer(Some(headroom), GainBound::Peak)
        } else {
            answer(Some(wanted), GainBound::Loudness)
        }
    };
    match turns_up {
        TurnUpRule::No => answer(Some(Db(0.0)), GainBound::NoTurnUp),
        TurnUpRule::IgnoringPeaks => answer(Some(wanted), GainBound::Loudness),
        TurnUpRule::ToPeak(limit) => up_to(limit),
        TurnUpRule::Unknown => answer(None, GainBound::Unknown),
        // No known rule limits a rise that leaves the peak below -1 dBTP.
        TurnUpRule::PeakRuleUnknown => match up_to(Dbtp(-1.0)) {
            known @ Some(Playback { bound: GainBound::Loudness | GainBound::PeakUnknown, .. }) => known,
            _ => answer(None, GainBound::Unknown),
        },
    }
}

/// Heading over playback figures.
pub const HEADING: &str = "Playback change (not a mastering target)";

/// Difference below which two levels count as equal in a sentence, dB.
const SAME_LEVEL_DB: f64 = 0.05;

/// Returns the sentence on the playback of a song on `target`; `loudest_peak` names the stem whose peak limits the
/// gain, if known.
pub fn sentence(reading: &Reading, target: &NormalizationTarget, loudest_peak: Option<&str>) -> String {
    let name = &target.name;
    let Some(playback) = playback(reading, target) else {
        return format!("{name}: no loudness to normalize (silence, or shorter than 400 ms).");
    };
    if playback.bound == GainBound::NotNormalized {
        return format!("{name} does not normalize: plays this as it is.");
    }
    let (Some(wanted), Some(loudness)) = (playback.wanted, target.loudness) else {
        return format!("{name}: target not published.");
    };
    let (wanted, loudness) = (wanted.0, loudness.0);
    match (playback.bound, playback.gain) {
        (GainBound::Delivery, _) => delivery_sentence(target, wanted),
        (_, Some(gain)) if gain.0 < -SAME_LEVEL_DB => {
            format!("{name} plays this {:.1} dB quieter. No change needed.", -gain.0)
        }
        (GainBound::Peak | GainBound::NoTurnUp | GainBound::Loudness, Some(_))
            if wanted.abs() <= SAME_LEVEL_DB =>
        {
            format!("{name} plays this as it is.")
        }
        (GainBound::Peak, Some(gain)) => {
            let whose = loudest_peak.map(|stem| format!(": {stem}")).unwrap_or_default();
            if gain.0 <= SAME_LEVEL_DB {
                return format!(
                    "{name}: could rise {wanted:.1} dB, but its peak leaves no room (peak{whose})."
                );
            }
            format!("{name}: could rise {wanted:.1} dB; stops at {:.1} dB (peak{whose}).", gain.0)
        }
        (GainBound::NoTurnUp, _) => {
            format!("{name} does not turn up: plays this as it is, {wanted:.1} dB below {loudness:.0} LUFS.")
        }
        (_, Some(gain)) if gain.0 > SAME_LEVEL_DB => format!("{name} plays this {:.1} dB louder.", gain.0),
        (_, Some(_)) => format!("{name} plays this as it is."),
        (GainBound::PeakUnknown, _) => {
            format!("{name}: could rise {wanted:.1} dB; how far is known when its true peak is.")
        }
        (_, None) => format!(
            "{name}: {wanted:.1} dB below its {loudness:.0} LUFS; its rule for turning up is not published."
        ),
    }
}

/// Returns the sentence on a true peak of `reading` that is higher than `target` asks of masters of its loudness; `None` if
/// it is not, or nothing is known.
pub fn peak_sentence(reading: &Reading, target: &NormalizationTarget) -> Option<String> {
    let (loudness, peak) = (reading.integrated?, reading.true_peak?);
    let limit = target.peak_limit_at(loudness)?;
    // the digits shown would be equal
    if peak.0 <= limit.0 + SAME_LEVEL_DB {
        return None;
    }
    let of = match target.loud_peak_limit {
        Some(loud) if loud.peak_limit == limit => {
            format!("masters louder than {:.0} LUFS", loud.louder_than.0)
        }
        _ => "masters".to_owned(),
    };
    Some(format!("{} asks for {of} below {:.1} dBTP: this has {:.1}.", target.name, limit.0, peak.0))
}

fn delivery_sentence(target: &NormalizationTarget, wanted: f64) -> String {
    let TargetUse::Delivery { tolerance } = target.usage else { return String::new() };
    let (name, loudness) = (&target.name, target.loudness.map_or(0.0, |l| l.0));
    let asked = match tolerance {
        Some(Lu(tolerance)) => format!("{loudness:.1} LUFS ±{tolerance:.1}"),
        None => format!("at most {loudness:.1} LUFS"),
    };
    let off = match wanted {
        w if w < -SAME_LEVEL_DB => format!("{:.1} LU louder", -w),
        w if w > SAME_LEVEL_DB => format!("{w:.1} LU quieter"),
        _ => "exactly there".into(),
    };
    format!("{name} asks for {asked} in the delivered file: this is {off}.")
}

/// Returns the change in playback of all stems that a move from `before` to `after` leaves alone: the difference of
/// the playback gains. `None` if either is unknown.
pub fn others_change(before: &Reading, after: &Reading, target: &NormalizationTarget) -> Option<Db> {
    Some(playback(after, target)?.gain? - playback(before, target)?.gain?)
}

/// Returns the sentence on a move of one stem and what it costs all others in playback.
pub fn exchange_sentence(stem: &str, gain: Db, others: Db) -> String {
    let sign = if gain.0 < 0.0 { "" } else { "+" };
    let change = match others.0 {
        c if c < -SAME_LEVEL_DB => format!("{:.1} dB lower", -c),
        c if c > SAME_LEVEL_DB => format!("{c:.1} dB higher"),
        _ => "unchanged".into(),
    };
    format!("While normalized: {stem} {sign}{} dB = everything else {change}", format_gain(gain.0))
}

/// Gain as text, without trailing zeros: `3`, `-1.5`.
fn format_gain(gain: f64) -> String {
    let text = format!("{gain:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::target::builtin;
    use super::*;
    use units::Lufs;

    fn song(integrated: f64, true_peak: f64) -> Reading {
        Reading { integrated: Some(Lufs(integrated)), true_peak: Some(Dbtp(true_peak)), ..Reading::default() }
    }

    fn on(id: &str, reading: Reading) -> (Option<f64>, GainBound, String) {
        let target = builtin().into_iter().find(|t| t.id == id).expect("a built-in target");
        let p = playback(&reading, &target).expect("has loudness");
        (p.gain.map(|g| (g.0 * 1000.0).round() / 1000.0), p.bound, sentence(&reading, &target, Some("Drums")))
    }

    #[test]
    fn spotify_s_own_example_of_minus_20_lufs_and_minus_5_dbtp_rises_to_minus_16() {
        let (gain, bound, words) = on("spotify", song(-20.0, -5.0));
        assert_eq!((gain, bound), (Some(4.0), GainBound::Peak));
        assert_eq!(words, "Spotify Normal: could rise 6.0 dB; stops at 4.0 dB (peak: Drums).");
    }

    #[test]
    fn loud_songs_are_turned_down_by_the_whole_difference() {
        let (gain, bound, words) = on("spotify", song(-9.1, 0.4));
        assert_eq!((gain, bound), (Some(-4.9), GainBound::Loudness));
        assert_eq!(words, "Spotify Normal plays this 4.9 dB quieter. No change needed.");
        assert_eq!(on("youtube", song(-9.1, 0.4)).0, Some(-4.9));
    }

    #[test]
    fn rules_for_turning_up_differ() {
        assert_eq!(on("youtube", song(-16.0, -3.0)).0, Some(0.0));
        assert_eq!(on("spotify-loud", song(-16.0, -3.0)).0, Some(5.0));
        assert_eq!(on("apple-music", song(-17.0, -3.0)).0, Some(1.0));
        assert_eq!(on("apple-music", song(-20.0, -3.0)).1, GainBound::Unknown);
        assert_eq!(on("deezer", song(-20.0, -9.0)).0, None);
        assert_eq!(on("soundcloud", song(-16.0, -1.0)).1, GainBound::Unknown);
        assert_eq!(on("qobuz", song(-9.0, -1.0)).1, GainBound::Unknown);
        assert_eq!(on("youtube-music", song(-9.1, 0.4)).0, Some(0.0));
        assert_eq!(on("tidal-tv", song(-9.0, -1.0)).0, Some(-9.0));
        let (gain, _, words) = on("spotify", song(-20.0, 0.5));
        assert_eq!(gain, Some(0.0));
        assert_eq!(words, "Spotify Normal: could rise 6.0 dB, but its peak leaves no room (peak: Drums).");
    }

    #[test]
    fn a_platform_without_normalization_changes_nothing_and_says_so() {
        for id in ["bandcamp", "beatport", "spotify-web"] {
            let (gain, bound, words) = on(id, song(-9.0, -1.0));
            assert_eq!((gain, bound), (Some(0.0), GainBound::NotNormalized), "{id}");
            assert!(words.contains("does not normalize"), "{words}");
        }
        let bandcamp = builtin().into_iter().find(|t| t.id == "bandcamp").expect("a built-in target");
        assert_eq!(others_change(&song(-14.0, -3.0), &song(-12.0, -1.0), &bandcamp), Some(Db(0.0)));
    }

    #[test]
    fn peaks_are_judged_by_what_is_asked_of_masters_of_that_loudness() {
        let said = |id: &str, reading| {
            let target = builtin().into_iter().find(|t| t.id == id).expect("a built-in target");
            peak_sentence(&reading, &target)
        };
        assert_eq!(
            said("spotify", song(-9.0, -1.0)).as_deref(),
            Some("Spotify Normal asks for masters louder than -14 LUFS below -2.0 dBTP: this has -1.0.")
        );
        assert_eq!(
            said("spotify", song(-16.0, -0.3)).as_deref(),
            Some("Spotify Normal asks for masters below -1.0 dBTP: this has -0.3.")
        );
        for (id, reading) in [
            ("spotify", song(-14.0, -1.0)),
            ("spotify", song(-9.0, -2.0)),
            ("youtube", song(-9.0, 1.0)),
            ("spotify", Reading::default()),
        ] {
            assert_eq!(said(id, reading), None, "{id}");
        }
    }

    #[test]
    fn delivery_specifications_change_nothing() {
        let (gain, bound, words) = on("ebu-r128", song(-20.0, -3.0));
        assert_eq!((gain, bound), (None, GainBound::Delivery));
        assert_eq!(words, "EBU R 128 asks for -23.0 LUFS ±1.0 in the delivered file: this is 3.0 LU louder.");
    }

    #[test]
    fn the_exchange_is_said_as_a_mastering_engineer_would() {
        assert_eq!(
            exchange_sentence("Vocals", Db(3.0), Db(-1.6)),
            "While normalized: Vocals +3 dB = everything else 1.6 dB lower"
        );
        assert_eq!(
            exchange_sentence("Bass", Db(-1.5), Db(0.42)),
            "While normalized: Bass -1.5 dB = everything else 0.4 dB higher"
        );
    }

    #[test]
    fn a_rise_without_a_known_peak_is_not_promised() {
        for id in ["spotify", "apple-music"] {
            let reading = Reading { true_peak: None, ..song(-17.0, 0.0) };
            let (gain, bound, words) = on(id, reading);
            assert_eq!((gain, bound), (None, GainBound::PeakUnknown), "{id}");
            assert!(words.contains("could rise"), "{words}");
        }
        // Turning down depends on loudness alone.
        assert_eq!(on("spotify", Reading { true_peak: None, ..song(-9.0, 0.0) }).0, Some(-5.0));
    }

    #[test]
    fn silence_has_no_playback() {
        assert_eq!(playback(&Reading::default(), &builtin()[0]), None);
    }
}
