//! Our own 5.1 render: the balance panner of BS.2127 for Cartesian positions.
//!
//! Speakers stand in planes (Z), rows (Y) and columns (X). A position between two planes, rows or columns is given to
//! both with the gains cos and sin of its way between them, so that their powers sum to one; outside of all it goes to the
//! nearest. Objects without extent and bed channels that are no speakers of the layout are rendered alike.
//! Source: ITU-R BS.2127-1, "allocentric" point source panner and loudspeaker positions of the layout 0+5+0.

use project::placement::RoomPosition;

/// The channels of a 5.1 render, in order: L R C LFE Ls Rs.
pub(super) const CHANNELS: usize = 6;
/// The index of the LFE.
pub(super) const LFE: usize = 3;

/// The speakers of 5.1 with their channel.
const SPEAKERS: [(usize, RoomPosition); 5] = [
    (0, [-1.0, 1.0, 0.0]),
    (1, [1.0, 1.0, 0.0]),
    (2, [0.0, 1.0, 0.0]),
    (4, [-1.0, -1.0, 0.0]),
    (5, [1.0, -1.0, 0.0]),
];

/// The gains of a source at `position` in the channels of a 5.1 render.
pub(super) fn gains(position: RoomPosition) -> [f64; CHANNELS] {
    let mut gains = [0.0; CHANNELS];
    let all: Vec<usize> = (0..SPEAKERS.len()).collect();
    spread(&all, &[2, 1, 0], position, 1.0, &mut gains);
    gains
}

/// Shares `gain` among `speakers` along the first of `axes`, and each part along the others.
fn spread(
    speakers: &[usize],
    axes: &[usize],
    position: RoomPosition,
    gain: f64,
    gains: &mut [f64; CHANNELS],
) {
    let [axis, rest @ ..] = axes else {
        speakers.iter().for_each(|&s| gains[SPEAKERS[s].0] = gain);
        return;
    };
    let place = |speaker: usize| SPEAKERS[speaker].1[*axis];
    let value = position[*axis];
    let below = speakers.iter().map(|&s| place(s)).filter(|&p| p <= value).fold(f64::NEG_INFINITY, f64::max);
    let above = speakers.iter().map(|&s| place(s)).filter(|&p| p >= value).fold(f64::INFINITY, f64::min);
    let mut part = |at: f64, share: f64| {
        let there: Vec<usize> = speakers.iter().copied().filter(|&s| place(s) == at).collect();
        spread(&there, rest, position, gain * share, gains);
    };
    match (below.is_finite(), above.is_finite()) {
        (true, true) if below < above => {
            let way = std::f64::consts::FRAC_PI_2 * (value - below) / (above - below);
            part(below, way.cos());
            part(above, way.sin());
        }
        (true, _) => part(below, 1.0),
        (false, _) => part(above, 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(gains: [f64; CHANNELS], expected: [f64; CHANNELS]) -> bool {
        gains.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12)
    }

    #[test]
    fn a_speaker_gets_what_is_at_its_place() {
        for (channel, position) in SPEAKERS {
            let mut expected = [0.0; CHANNELS];
            expected[channel] = 1.0;
            assert!(close(gains(position), expected), "{position:?}");
        }
    }

    #[test]
    fn between_speakers_power_is_kept() {
        for i in 0..200 {
            let at = |k: f64| (i as f64 * k).sin();
            let gains = gains([at(1.1), at(2.3), at(3.7)]);
            let power: f64 = gains.iter().map(|g| g * g).sum();
            assert!((power - 1.0).abs() < 1e-12, "{gains:?}");
            assert_eq!(gains[LFE], 0.0);
        }
    }

    #[test]
    fn sides_and_tops_fold_into_front_and_back() {
        let half = std::f64::consts::FRAC_1_SQRT_2;
        assert!(close(gains([-1.0, 0.0, 0.0]), [half, 0.0, 0.0, 0.0, half, 0.0]));
        assert!(close(gains([1.0, 0.0, 1.0]), [0.0, half, 0.0, 0.0, 0.0, half]));
        assert!(close(gains([-0.5, 1.0, 0.0]), [half, 0.0, half, 0.0, 0.0, 0.0]));
        assert!(close(gains([0.0, 0.0, 0.0]), [0.0, 0.0, half, 0.0, 0.5, 0.5]));
    }
}
