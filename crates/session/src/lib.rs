//! Loudness of a mix and its stems: analysis of sessions, predictions of moves, playback on platforms. Plain values,
//! without clock, threads or files.
//!
//! The sources of a session are its stems as they arrive in the mix and, last, *Unlinked*, the residual
//! ([`fit::resolve`]), so that sources sum to the mix exactly. From their Gram matrices per 100 ms hop ([`gram`])
//! follow the loudness for any gains ([`predict`]), the shares ([`shares`]), the trims that reach a target
//! ([`solve`]), the playback gain of a platform ([`playback`]), the share of the mix that the stems account for and
//! the cause of what they do not ([`coverage`], [`cause`]), and the certainty of all that ([`certainty`]).
//!
//! In a plugin, [`hop_builder`] on the audio thread turns mix and stems into hops of the project's timeline;
//! [`record`] stores them; [`range_report`] summarizes a range of them for the present settings; from that come the
//! [`session_report`] and the [`prediction`] of moves. [`mix_membership`] decides which Stems belong to the mix.
//! `docs/analysis.md` has the whole description.

pub mod accumulate;
pub mod align;
pub mod audition;
pub mod cause;
pub mod certainty;
pub mod coverage;
pub mod finding;
pub mod fit;
pub mod gram;
pub mod heard_part;
pub mod hop_builder;
pub mod joint;
pub mod masking;
pub mod mix_membership;
pub mod nested;
pub mod placement;
pub mod playback;
pub mod predict;
pub mod prediction;
pub mod range_report;
pub mod record;
pub mod reference;
pub mod role;
pub mod session_report;
pub mod shares;
pub mod solve;
pub mod stem_status;
pub mod surprise;
pub mod target;
pub mod timeline;
