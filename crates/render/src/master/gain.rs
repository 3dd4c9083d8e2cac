//! The gain of a master, and the reason for it.

use units::{Db, Lufs};

/// Reason for the gain of a master.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GainReason {
    /// The loudness aimed at is reached.
    Reached,
    /// More gain would limit by more than 2 dB.
    Peak,
    /// The sum is as loud already; it is not turned down for loudness.
    LouderAlready,
    /// As it is, by request.
    AsIs,
    /// No gain reaches the target; this one comes nearest.
    OutOfReach,
    /// There is nothing to hear.
    Silence,
}

/// The constant gain of a master, and the limiting that follows from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MasterGain {
    /// The constant gain before the limiter, on top of the session's own level.
    pub gain: Db,
    /// The gain with the session's level.
    pub level: Db,
    /// The loudness aimed at.
    pub aim: Option<Lufs>,
    /// The reason for it.
    pub reason: GainReason,
    /// The frame of the song whose peak would be limited most, isolated bursts left out.
    pub stopped_at: u64,
    /// The most the limiter takes away at any instant.
    pub reduction: Db,
    /// The frame of the song where it does.
    pub reduction_at: u64,
}
