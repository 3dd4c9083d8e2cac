//! Everything that is made from a project's files: mixes, masters, deliveries, measurements, checks and reports.

pub mod adm;
pub mod advise;
pub mod album;
pub mod ceiling;
pub mod check;
pub mod clock;
pub mod codec;
pub mod compensated;
pub mod deliver;
pub mod hash;
pub mod json;
mod markup;
pub mod master;
pub mod measure;
pub mod mixdown;
pub mod organize;
mod output;
pub mod progress;
pub mod report;
pub mod small_file;
pub mod verify;
mod wav_loudness;
pub mod what_if;
mod wrong_rate;
