//! The chain over its public interface: contract, laws, automation, parts that add up.

mod automation;
mod laws;
mod linear_stage;
mod monitor;
mod parts;
#[path = "../../../dsp/tests/rig/mod.rs"]
mod rig;
