//! What the master knows about its stems, and what follows from it: pure values, no clock, thread or file.
//!
//! The sources of a session are its stems as they arrive in the mix and, last, whatever else is in the mix
//! ([`fit::resolve`] makes it: *Unlinked*), so that sources always sum to the mix exactly. From their Gram matrices
//! per 100 ms hop ([`gram`]) loudness follows for any gains ([`predict`]), the shares ([`shares`]), the trims that
//! land on a target ([`solve`]), what a platform does with it ([`playback`]), how much of the mix is accounted
//! for and why not all of it ([`coverage`], [`cause`]), and how sure all of that is ([`certainty`]).
//!
//! In a plugin the way is: [`watch`] on the audio thread turns mix and stems into hops of the project's timeline;
//! [`record`] keeps them; [`heard`] is what was heard of a range as things are set now; from that come the [`view`]
//! of a session and the [`prediction`] of moves. [`belong`] says which Stems make up the mix. `docs/analysis.md` tells
//! the whole of it.

pub mod accumulate;
pub mod align;
pub mod audition;
pub mod belong;
pub mod cause;
pub mod certainty;
pub mod coverage;
pub mod finding;
pub mod fit;
pub mod gram;
pub mod heard;
pub mod joint;
pub mod masking;
pub mod playback;
pub mod predict;
pub mod prediction;
pub mod record;
pub mod reference;
pub mod role;
pub mod shares;
pub mod solve;
pub mod stem_status;
pub mod target;
pub mod timeline;
pub mod view;
pub mod watch;
