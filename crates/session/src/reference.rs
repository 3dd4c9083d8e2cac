//! Another song beside the mix, at equal loudness.

use units::{Db, Dbtp, Lu, Lufs};

/// A reference may be raised until its true peak is here: what lies above would clip in most converters.
pub const MOST_PEAK: Dbtp = Dbtp(0.0);

/// How a reference is played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Matched {
    /// Its gain.
    pub gain: Db,
    /// How much quieter than the mix it still is, because its true peak allows no more; 0 as a rule.
    pub short: Lu,
}

/// The gain with which a reference is as loud as the mix, by integrated loudness (BS.1770), or as loud as its true peak allows;
/// `None` while either has none. A reference is never raised beyond [`MOST_PEAK`]; one that is above it as it is, is lowered
/// by as much as equal loudness asks for, no more.
pub fn matched(mix: Option<Lufs>, reference: Option<Lufs>, peak: Option<Dbtp>) -> Option<Matched> {
    let wanted = mix? - reference?;
    let room = peak.map_or(f64::INFINITY, |peak| (MOST_PEAK.0 - peak.0).max(0.0));
    let gain = wanted.0.min(room);
    Some(Matched { gain: Db(gain), short: Lu(wanted.0 - gain) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(mix: f64, reference: f64, peak: f64) -> (f64, f64) {
        let matched =
            matched(Some(Lufs(mix)), Some(Lufs(reference)), Some(Dbtp(peak))).expect("both have a loudness");
        (matched.gain.0, matched.short.0)
    }

    #[test]
    fn a_louder_reference_comes_down_to_the_mix_and_a_quieter_one_comes_up_as_far_as_its_peak_allows() {
        assert_eq!(of(-14.0, -8.0, 0.75), (-6.0, 0.0));
        assert_eq!(of(-14.0, -20.0, -8.0), (6.0, 0.0));
        assert_eq!(of(-14.0, -20.0, -4.5), (4.5, 1.5));
        // one that is over as it is, is not raised, and not lowered for its peak
        assert_eq!(of(-14.0, -15.0, 0.5), (0.0, 1.0));
        assert_eq!(of(-14.0, -13.5, 1.0), (-0.5, 0.0));
    }

    #[test]
    fn without_loudness_there_is_no_match_and_without_a_peak_no_bound() {
        assert_eq!(matched(None, Some(Lufs(-14.0)), None), None);
        assert_eq!(matched(Some(Lufs(-14.0)), None, Some(Dbtp(-1.0))), None);
        let free = matched(Some(Lufs(-14.0)), Some(Lufs(-20.0)), None);
        assert_eq!(free, Some(Matched { gain: Db(6.0), short: Lu(0.0) }));
    }
}
