//! What was heard of the timeline, for the window.

use crate::meter::loudness::{integrated, windows};
use crate::params::room::{HOP, History, Moment};
use crate::session::heard::{Heard, Places};
use crate::session::record::{Mark, Recorder};
use crate::units::{Ms, Power};

/// Hops of short-term loudness, and of the stretch that is called loudest.
const SHORT: usize = 30;
const STRETCH: usize = 200;
/// Places at which integrated loudness is told: gates go over all that was before.
const READINGS: usize = 48;

/// The history of `range`, which `heard` is of.
pub(super) fn history(recorder: &Recorder, heard: &Heard, range: &Places) -> History {
    let sources = &heard.ground.sources;
    let powers = sources.powers(&vec![1.0; sources.sources()]);
    let mut points: Vec<Moment> = range
        .clone()
        .map(|place| Moment {
            mark: recorder.mark(place),
            short_term: None,
            integrated: None,
            reduction: None,
        })
        .collect();
    for (index, power) in windows(&powers, SHORT).enumerate() {
        // not heard is not a number, and not louder than nothing
        if let Some(point) = points.get_mut(index + SHORT - 1) {
            point.short_term = power.loudness().filter(|_| point.mark == Mark::Heard);
        }
    }
    let step = (powers.len() / READINGS).max(1);
    for end in (step..=powers.len()).step_by(step) {
        if let Some(point) = points.get_mut(end - 1) {
            point.integrated = integrated(&powers[..end]);
        }
    }
    let at = |hop: usize| Ms((range.start + hop as i64) as f64 * HOP.0);
    let loudest = windows(&powers, STRETCH)
        .enumerate()
        .filter(|(_, power)| *power > Power(0.0))
        .max_by(|(_, a), (_, b)| a.0.total_cmp(&b.0))
        .map(|(hop, _)| (at(hop), at(hop + STRETCH)));
    History { start: at(0), step: HOP, points, songs: Vec::new(), playhead: None, loudest }
}
