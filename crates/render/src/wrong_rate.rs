//! Headers whose sampling rate cannot be true.

use audiofile::AudioInfo;

/// The largest difference of lengths that are called equal, as a part of them.
const EQUAL: f64 = 0.001;

/// The rate that a file most likely has in truth, Hz, where its header gives another: files of the same song that have another
/// rate, and are no fewer, have exactly as many frames, or as many within a thousandth, so that by its header it lasts longer or shorter than all
/// of them. `files` are all files of the song, this one too. None if there is no such contradiction.
pub(crate) fn likely_rate<'a>(
    own: &AudioInfo,
    files: impl Iterator<Item = &'a AudioInfo> + Clone,
) -> Option<f64> {
    let near = |a: f64, b: f64| (a - b).abs() <= EQUAL * a.max(b);
    let seconds = |info: &AudioInfo| info.frames as f64 / info.rate.0;
    // In a second or two of audio, equal numbers of frames are no evidence.
    let long = own.frames as f64 > own.rate.0;
    let differ = || files.clone().filter(|other| other.rate != own.rate);
    let contradicts = |other: &&AudioInfo| near(other.frames as f64, own.frames as f64);
    let fits = differ().any(|other| near(seconds(other), seconds(own)));
    let count = differ().filter(contradicts).count();
    let like_this = files.clone().filter(|other| other.rate == own.rate).count();
    let rate = differ().find(contradicts)?.rate.0;
    (long && !fits && count >= like_this).then_some(rate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use audiofile::{Container, SampleFormat};
    use units::Hz;

    fn info(rate: f64, frames: u64) -> AudioInfo {
        let format = SampleFormat::Int { bits: 24 };
        AudioInfo { frames, ..AudioInfo::new(Container::Wav, Hz(rate), 2, format) }
    }

    #[test]
    fn as_many_frames_at_another_rate_are_a_contradiction_and_as_many_seconds_are_none() {
        let others = [info(48_000.0, 480_000), info(48_000.0, 480_000), info(48_000.0, 300_000)];
        let likely = |rate, frames| {
            let own = info(rate, frames);
            likely_rate(&own, others.iter().chain([&own]))
        };
        assert_eq!(likely(44_100.0, 480_000), Some(48_000.0));
        assert_eq!(likely(96_000.0, 480_100), Some(48_000.0));
        assert_eq!(likely(44_100.0, 441_000), None, "resampled");
        assert_eq!(likely(44_100.0, 333_333), None);
        assert_eq!(likely(48_000.0, 480_000), None);
        let odd = info(44_100.0, 480_000);
        assert_eq!(likely_rate(&others[0], others.iter().chain([&odd])), None, "most files have this rate");
        assert_eq!(
            likely_rate(&info(44_100.0, 9_000), [info(48_000.0, 9_000)].iter()),
            None,
            "a fifth of a second"
        );
    }
}
