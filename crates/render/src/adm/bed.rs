//! The channels of the bed.

use project::placement::RoomPosition;

/// The channels of the bed, in the order of the profile.
pub const BED: [BedChannel; 10] = [
    BedChannel { short: "L", name: "RoomCentricLeft", label: "RC_L", position: [-1.0, 1.0, 0.0] },
    BedChannel { short: "R", name: "RoomCentricRight", label: "RC_R", position: [1.0, 1.0, 0.0] },
    BedChannel { short: "C", name: "RoomCentricCenter", label: "RC_C", position: [0.0, 1.0, 0.0] },
    BedChannel { short: "LFE", name: "RoomCentricLFE", label: "RC_LFE", position: [-1.0, 1.0, -1.0] },
    BedChannel {
        short: "Lss",
        name: "RoomCentricLeftSideSurround",
        label: "RC_Lss",
        position: [-1.0, 0.0, 0.0],
    },
    BedChannel {
        short: "Rss",
        name: "RoomCentricRightSideSurround",
        label: "RC_Rss",
        position: [1.0, 0.0, 0.0],
    },
    BedChannel {
        short: "Lrs",
        name: "RoomCentricLeftRearSurround",
        label: "RC_Lrs",
        position: [-1.0, -1.0, 0.0],
    },
    BedChannel {
        short: "Rrs",
        name: "RoomCentricRightRearSurround",
        label: "RC_Rrs",
        position: [1.0, -1.0, 0.0],
    },
    BedChannel {
        short: "Lts",
        name: "RoomCentricLeftTopSurround",
        label: "RC_Lts",
        position: [-1.0, 0.0, 1.0],
    },
    BedChannel {
        short: "Rts",
        name: "RoomCentricRightTopSurround",
        label: "RC_Rts",
        position: [1.0, 0.0, 1.0],
    },
];

/// The LFE in [`BED`].
pub(super) const BED_LFE: usize = 3;

/// A channel of the 7.1.2 bed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BedChannel {
    /// Its common name.
    pub short: &'static str,
    /// Its name in the profile.
    pub name: &'static str,
    /// The profile's speaker label.
    pub label: &'static str,
    /// The profile's position.
    pub position: RoomPosition,
}
