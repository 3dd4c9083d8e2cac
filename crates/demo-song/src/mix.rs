//! The mix: how loud each stem is, and clean edges.

use super::canvas::StemBuffer;
use super::filter::Filter;
use super::role::SongPart;
use super::wave::ease;
use units::{Db, Ms};

/// The fader of each stem, set by ear and meter: the lead on top, -18 LUFS together.
fn fader(role: SongPart) -> Db {
    match role {
        SongPart::Drums => Db(-11.0),
        SongPart::Bass => Db(-9.5),
        SongPart::Keys => Db(-15.0),
        SongPart::Vocals => Db(-7.0),
        SongPart::Effects => Db(-11.0),
    }
}

/// Brings a stem to its level, takes away what lies below hearing, and lets it end in silence.
pub(super) fn finish(role: SongPart, stem: &mut StemBuffer) {
    const FADE_MS: Ms = Ms(800.0);
    let gain = fader(role).gain();
    let fade_frames = FADE_MS.samples(stem.rate).0;
    for channel in [&mut stem.left, &mut stem.right] {
        let mut subsonic = Filter::new(18.0, 0.707, stem.rate);
        for sample in channel.iter_mut() {
            *sample = subsonic.next(*sample).high * gain;
        }
        // the tails have died by now; the fade removes what a listener could not hear
        for (left, sample) in channel.iter_mut().rev().take(fade_frames).enumerate() {
            *sample *= ease(left as f64 / fade_frames as f64);
        }
    }
}
