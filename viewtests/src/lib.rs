//! Tests of the editors' views: driven by accessible names, drawn by a small painter of our own, without host, window
//! or graphics card.

pub mod bench;
pub mod hands;
pub mod painter;
pub mod references;
pub mod scene;
pub mod session;
pub mod whole;
