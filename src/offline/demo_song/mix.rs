//! The mix: how loud each stem is, and clean edges.

use super::Role;
use super::canvas::Canvas;
use super::filter::Filter;
use super::wave::ease;
use crate::units::Db;

/// The fader of each stem, set by ear and meter: the lead on top, -18 LUFS together.
fn fader(role: Role) -> Db {
    match role {
        Role::Drums => Db(-10.5),
        Role::Bass => Db(-9.0),
        Role::Keys => Db(-15.0),
        Role::Vocals => Db(-6.5),
        Role::Effects => Db(-11.0),
    }
}

/// Brings a stem to its level, takes away what lies below hearing, and lets it end in silence.
pub(super) fn finish(role: Role, stem: &mut Canvas) {
    const FADE_SECONDS: f64 = 0.8;
    let gain = fader(role).gain();
    let fade_frames = FADE_SECONDS * stem.rate.0;
    for channel in [&mut stem.left, &mut stem.right] {
        let mut subsonic = Filter::new(18.0, 0.707, stem.rate);
        let frames = channel.len();
        for (i, sample) in channel.iter_mut().enumerate() {
            // the tails have died by then; the fade removes what a listener could not hear
            let out = ease((frames - 1 - i) as f64 / fade_frames);
            *sample = subsonic.next(*sample).high * gain * out;
        }
    }
}
