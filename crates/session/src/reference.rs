//! Loudness match of a reference song to the mix.

use units::{Db, Dbtp, Lu, Lufs};

/// True peak up to which a reference may be raised: higher peaks clip in most converters.
pub const MAX_TRUE_PEAK: Dbtp = Dbtp(0.0);

/// Gain of a reference for equal loudness.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MatchedGain {
    /// Gain to play it with.
    pub gain: Db,
    /// Loudness that it lacks to the mix, because its true peak allows no more gain; usually 0.
    pub shortfall: Lu,
}

/// Returns the gain with which a reference is as loud as the mix by integrated loudness (BS.1770), or as loud as its
/// true peak allows; `None` while either has no loudness. A reference is never raised above [`MAX_TRUE_PEAK`]; one
/// that exceeds it already is lowered only as far as equal loudness requires.
pub fn match_gain(mix: Option<Lufs>, reference: Option<Lufs>, peak: Option<Dbtp>) -> Option<MatchedGain> {
    let wanted = mix? - reference?;
    let room = peak.map_or(f64::INFINITY, |peak| (MAX_TRUE_PEAK.0 - peak.0).max(0.0));
    let gain = wanted.0.min(room);
    Some(MatchedGain { gain: Db(gain), shortfall: Lu(wanted.0 - gain) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(mix: f64, reference: f64, peak: f64) -> (f64, f64) {
        let match_gain = match_gain(Some(Lufs(mix)), Some(Lufs(reference)), Some(Dbtp(peak)))
            .expect("both have a loudness");
        (match_gain.gain.0, match_gain.shortfall.0)
    }

    #[test]
    fn a_louder_reference_comes_down_to_the_mix_and_a_quieter_one_comes_up_as_far_as_its_peak_allows() {
        assert_eq!(of(-14.0, -8.0, 0.75), (-6.0, 0.0));
        assert_eq!(of(-14.0, -20.0, -8.0), (6.0, 0.0));
        assert_eq!(of(-14.0, -20.0, -4.5), (4.5, 1.5));
        // A reference above 0 dBTP is not raised, and not lowered because of its peak.
        assert_eq!(of(-14.0, -15.0, 0.5), (0.0, 1.0));
        assert_eq!(of(-14.0, -13.5, 1.0), (-0.5, 0.0));
    }

    #[test]
    fn without_loudness_there_is_no_match_and_without_a_peak_no_bound() {
        assert_eq!(match_gain(None, Some(Lufs(-14.0)), None), None);
        assert_eq!(match_gain(Some(Lufs(-14.0)), None, Some(Dbtp(-1.0))), None);
        let free = match_gain(Some(Lufs(-14.0)), Some(Lufs(-20.0)), None);
        assert_eq!(free, Some(MatchedGain { gain: Db(6.0), shortfall: Lu(0.0) }));
    }
}
