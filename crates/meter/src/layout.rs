//! Channel layouts: loudspeaker positions and their weights in a loudness measurement.

/// Loudspeaker position of the WAVE channel mask, in mask bit order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the names are the documentation: WAVEFORMATEXTENSIBLE's speaker positions
pub enum SpeakerPosition {
    FrontLeft,
    FrontRight,
    FrontCenter,
    LowFrequency,
    BackLeft,
    BackRight,
    FrontLeftOfCenter,
    FrontRightOfCenter,
    BackCenter,
    SideLeft,
    SideRight,
    TopCenter,
    TopFrontLeft,
    TopFrontCenter,
    TopFrontRight,
    TopBackLeft,
    TopBackCenter,
    TopBackRight,
    /// Unknown position, weight 1.
    Unknown,
}

use SpeakerPosition::*;

const BY_BIT: [SpeakerPosition; 18] = [
    FrontLeft,
    FrontRight,
    FrontCenter,
    LowFrequency,
    BackLeft,
    BackRight,
    FrontLeftOfCenter,
    FrontRightOfCenter,
    BackCenter,
    SideLeft,
    SideRight,
    TopCenter,
    TopFrontLeft,
    TopFrontCenter,
    TopFrontRight,
    TopBackLeft,
    TopBackCenter,
    TopBackRight,
];

/// Order and weights of a file's channels.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    positions: Vec<SpeakerPosition>,
    weights: Vec<f64>,
    assumed: bool,
}

impl Layout {
    /// Loudness weight of side loudspeakers, +1.5 dB (BS.1770-5 Table 3: |elevation| < 30°, azimuth 60° to 120°).
    pub const SURROUND_WEIGHT: f64 = 1.41;

    /// Returns the layout of one channel, weight 1.
    pub fn mono() -> Self {
        Self::from_positions(vec![FrontCenter], false)
    }

    /// Returns the layout of one channel that plays from both sides: weight 2, 3.01 LU more.
    pub fn dual_mono() -> Self {
        Self { weights: vec![2.0], ..Self::mono() }
    }

    /// Returns the layout of left and right.
    pub fn stereo() -> Self {
        Self::from_positions(vec![FrontLeft, FrontRight], false)
    }

    /// Returns the layout of `channels` channels with a WAVE channel mask.
    ///
    /// Without a mask (or with mask 0) the usual order is assumed: mono, stereo, L R C, L R Ls Rs, 5.0, 5.1, 6.1, 7.1
    /// and 7.1.4 in WAVE order; any other number of channels has unknown positions. Channels beyond the mask's bits
    /// have unknown positions too.
    pub fn new(channels: usize, mask: Option<u32>) -> Self {
        let (mask, assumed) = match mask {
            Some(mask) if mask != 0 => (mask, false),
            _ => (usual_mask(channels), channels > 2),
        };
        let mut positions: Vec<SpeakerPosition> =
            (0..BY_BIT.len()).filter(|bit| mask >> bit & 1 == 1).map(|bit| BY_BIT[bit]).collect();
        positions.resize(channels, Unknown);
        Self::from_positions(positions, assumed)
    }

    fn from_positions(positions: Vec<SpeakerPosition>, assumed: bool) -> Self {
        let has_sides = positions.iter().any(|p| matches!(p, SideLeft | SideRight));
        let weight = |position: &SpeakerPosition| match position {
            LowFrequency => 0.0,
            SideLeft | SideRight => Self::SURROUND_WEIGHT,
            // Without sides, "back" is the ±110° surround pair of quad, 5.0 and 5.1; beside sides it is the
            // ±135° rear pair of 7.1, outside the weighted sector.
            BackLeft | BackRight if !has_sides => Self::SURROUND_WEIGHT,
            _ => 1.0,
        };
        Self { weights: positions.iter().map(weight).collect(), positions, assumed }
    }

    /// Number of channels.
    pub fn channels(&self) -> usize {
        self.positions.len()
    }

    /// Position of each channel.
    pub fn positions(&self) -> &[SpeakerPosition] {
        &self.positions
    }

    /// Loudness weight of each channel: 0 for LFE, 1.41 for sides, 1 for all others; 2 for dual mono.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// True if there was no mask and the order had to be assumed.
    pub fn is_assumed(&self) -> bool {
        self.assumed
    }

    /// Usual name, such as "stereo" or "7.1.4".
    pub fn name(&self) -> String {
        if self.positions.contains(&Unknown) {
            return format!("{} channels, positions unknown", self.channels());
        }
        let lfe = self.positions.iter().filter(|p| **p == LowFrequency).count();
        let top = self.positions.iter().filter(|p| {
            matches!(
                p,
                TopCenter
                    | TopFrontLeft
                    | TopFrontCenter
                    | TopFrontRight
                    | TopBackLeft
                    | TopBackCenter
                    | TopBackRight
            )
        });
        let top = top.count();
        match (self.channels() - lfe - top, lfe, top) {
            (1, 0, 0) if self.weights == [2.0] => "dual mono".into(),
            (1, 0, 0) => "mono".into(),
            (2, 0, 0) => "stereo".into(),
            (ear_level, lfe, 0) => format!("{ear_level}.{lfe}"),
            (ear_level, lfe, top) => format!("{ear_level}.{lfe}.{top}"),
        }
    }
}

fn usual_mask(channels: usize) -> u32 {
    match channels {
        1 => 0x4,
        2 => 0x3,
        3 => 0x7,
        4 => 0x33,
        5 => 0x37,
        6 => 0x3f,
        7 => 0x70f,
        8 => 0x63f,
        12 => 0x2d63f,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_follow_bs_1770_5_table_3() {
        let s = Layout::SURROUND_WEIGHT;
        let cases: [(usize, Option<u32>, &str, &[f64]); 9] = [
            (1, None, "mono", &[1.0]),
            (2, None, "stereo", &[1.0, 1.0]),
            (5, None, "5.0", &[1.0, 1.0, 1.0, s, s]),
            (6, Some(0x3f), "5.1", &[1.0, 1.0, 1.0, 0.0, s, s]),
            (6, Some(0x60f), "5.1", &[1.0, 1.0, 1.0, 0.0, s, s]),
            (8, Some(0x63f), "7.1", &[1.0, 1.0, 1.0, 0.0, 1.0, 1.0, s, s]),
            (12, Some(0x2d63f), "7.1.4", &[1.0, 1.0, 1.0, 0.0, 1.0, 1.0, s, s, 1.0, 1.0, 1.0, 1.0]),
            (4, Some(0x33), "4.0", &[1.0, 1.0, s, s]),
            (3, Some(0x3), "3 channels, positions unknown", &[1.0, 1.0, 1.0]),
        ];
        for (channels, mask, name, weights) in cases {
            let layout = Layout::new(channels, mask);
            assert_eq!(layout.weights(), weights, "{name}");
            assert_eq!(layout.name(), name);
        }
    }

    #[test]
    fn a_surround_layout_without_mask_is_marked_as_assumed() {
        assert!(!Layout::new(2, None).is_assumed());
        assert!(Layout::new(6, None).is_assumed());
        assert!(!Layout::new(6, Some(0x3f)).is_assumed());
    }
}
