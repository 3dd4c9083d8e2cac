//! Looks at the mix: the stems in some seconds of it.

use super::likely::likely_delays;
use super::{PlacementState, StemPlacement, StemRouting};
use crate::analysis::backlog::{Backlog, BacklogTrack, SOUNDING_AMPLITUDE, StereoF32, TrackRange};
use link::PeerView;
use link::identity::InstanceId;
use session::coverage::{FULL_COVERAGE, coverage};
use session::joint::{GramMeter, JointHops};
use session::mix_membership::{MixMembership, memberships};
use session::placement::{PlacementEvidence, confirm_likely, locate_stems};
use session::record::Recorder;
use units::Hz;

/// Length of a look that searches, seconds.
const LOOK_SECONDS: f64 = 1.5;
/// Length of a look that only confirms likely delays, and the least of one whose stretch of the timeline has ended.
const QUICK_LOOK_SECONDS: f64 = 0.75;
/// Length of a review, seconds.
const REVIEW_SECONDS: f64 = 3.0;
/// Longest delay that is found, seconds.
const REACH_SECONDS: f64 = 1.0;
/// Time for which a look waits for the audio of a Stem that is behind, seconds.
const MAX_BEHIND_SECONDS: f64 = 1.5;
/// Amplitude below which the mix is silent.
const SILENT_AMPLITUDE: f32 = 1e-5;
/// Looks whose audio decides first which stem is inside another.
const MEMBERSHIP_LOOKS: usize = 2;
/// Hops in which memberships are found later, as reviews add them: half a minute.
const MAX_MEMBERSHIP_HOPS: usize = 300;
/// Reviews in a row that change which stem a stem is inside.
const MAX_NESTING_DOUBTS: u32 = 2;

/// Effort of a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LookDepth {
    /// Likely delays are confirmed.
    Confirm,
    /// All delays are searched.
    Search,
}

/// Memberships of the placed stems.
#[derive(Default)]
struct Memberships {
    /// By the stretches that were asked for.
    now: Vec<(InstanceId, MixMembership)>,
    /// By these and those before.
    all: Vec<(InstanceId, MixMembership)>,
}

fn frames(seconds: f64, rate: Hz) -> u64 {
    (seconds * rate.0) as u64
}

impl StemRouting {
    /// Looks at the next stretch of the mix; returns true if it has, so that there may be more.
    pub(in crate::analysis) fn look(
        &mut self,
        backlog: &mut Backlog,
        master: PeerView,
        rate: Hz,
        is_playing: bool,
    ) -> bool {
        let quick = frames(QUICK_LOOK_SECONDS, rate);
        if let Some(look) = self.next_window(backlog, rate, quick, is_playing)
            && look.0.counter >= self.confirmed_until
        {
            self.confirmed_until = look.0.counter + look.1 as u64;
            if self.look_at(backlog, master, rate, look, LookDepth::Confirm) {
                self.looked_until = self.confirmed_until;
            }
            return true;
        }
        let whole = frames(LOOK_SECONDS, rate);
        let Some(look) = self.next_window(backlog, rate, whole, is_playing) else { return false };
        self.looked_until = look.0.counter + look.1 as u64;
        self.look_at(backlog, master, rate, look, LookDepth::Search);
        true
    }

    /// Looks at a stretch of the mix; false if a look that only confirms has confirmed nothing.
    fn look_at(
        &mut self,
        backlog: &mut Backlog,
        master: PeerView,
        rate: Hz,
        look: (TrackRange, usize),
        depth: LookDepth,
    ) -> bool {
        let (window, length) = look;
        let reach = frames(REACH_SECONDS, rate) as usize;
        let seen: Vec<&StemPlacement> =
            self.placements.iter().filter(|placement| backlog.stem(placement.id).is_some()).collect();
        let ids: Vec<InstanceId> = seen.iter().map(|placement| placement.id).collect();
        let likely = likely_delays(&seen, master);
        let Some(scene) = backlog.scene(rate, (window, length, reach), &ids, likely) else { return false };
        if scene.mix.iter().flatten().all(|x| x.abs() <= SILENT_AMPLITUDE) {
            return true;
        }
        let result = match depth {
            LookDepth::Confirm => confirm_likely(&scene, &mut || backlog.pump()),
            LookDepth::Search => Some(locate_stems(&scene, &mut || backlog.pump())),
        };
        let Some(result) = result else { return false };
        // a stem that sounds only later is not waited for yet
        let sounds = |audio: &StereoF32| {
            audio.iter().any(|side| side[reach..reach + length].iter().any(|x| x.abs() > SOUNDING_AMPLITUDE))
        };
        let seconds: Vec<f64> = scene
            .stems
            .iter()
            .map(|audio| if sounds(audio) { length as f64 / rate.0 } else { 0.0 })
            .collect();
        drop(scene);
        self.windows.push(look);
        if self.windows.len() > MEMBERSHIP_LOOKS {
            self.windows.remove(0);
        }
        let mut has_changed = false;
        for ((id, sighting), seconds) in ids.iter().zip(&result.stems).zip(seconds) {
            if let Some(placement) = self.placements.iter_mut().find(|placement| placement.id == *id) {
                has_changed |= placement.decide(*sighting, seconds);
                // what it may have begun after the look is still to be seen
                placement.sounds = sighting.evidence != PlacementEvidence::Silent
                    || placement.loud_until > window.position + length as i64;
            }
        }
        if has_changed {
            self.find_nested(backlog, rate);
        }
        self.publish_routes();
        true
    }

    /// The next stretch of the mix, `whole` frames long, that no look has seen; `None` if there is not enough yet.
    fn next_window(
        &mut self,
        backlog: &Backlog,
        rate: Hz,
        whole: u64,
        is_playing: bool,
    ) -> Option<(TrackRange, usize)> {
        let ranges = backlog.mix().map(BacklogTrack::ranges)?;
        let count = ranges.len();
        for (n, range) in ranges.into_iter().enumerate() {
            let skipped = self.looked_until.saturating_sub(range.counter);
            if skipped >= range.frames {
                continue;
            }
            let left = range.frames - skipped;
            let is_last = n + 1 == count;
            let length = left.min(whole);
            let is_whole = length == whole;
            if !is_whole && is_last && is_playing {
                return None;
            }
            if !is_whole && length < frames(QUICK_LOOK_SECONDS, rate) {
                if !is_last {
                    self.looked_until = range.counter + range.frames;
                }
                continue;
            }
            let window = TrackRange {
                position: range.position + skipped as i64,
                counter: range.counter + skipped,
                frames: length,
            };
            let is_recent = is_last && is_playing && left < length + frames(MAX_BEHIND_SECONDS, rate);
            if is_recent && self.is_behind(backlog, window.position + length as i64, rate) {
                return None;
            }
            return Some((window, length as usize));
        }
        None
    }

    /// True if the audio of a stem that plays has not come as far as `position`.
    fn is_behind(&self, backlog: &Backlog, position: i64, rate: Hz) -> bool {
        let longest = frames(MAX_BEHIND_SECONDS, rate) as i64;
        self.placements.iter().any(|placement| {
            let Some(track) = backlog.stem(placement.id).filter(|track| track.is_awake()) else {
                return false;
            };
            let end = track.ranges().last().map(|range| range.position + range.frames as i64);
            end.is_some_and(|end| (1..longest).contains(&(position - end)))
        })
    }

    /// Finds which of the placed stems are inside others, in the last looks.
    fn find_nested(&mut self, backlog: &mut Backlog, rate: Hz) {
        let windows = self.windows.clone();
        let found = self.memberships(backlog, rate, &windows);
        self.take_nesting(&found.all, 1);
    }

    /// Takes which stems are inside which, once it was found `times` times in a row.
    fn take_nesting(&mut self, found: &[(InstanceId, MixMembership)], times: u32) {
        for (id, membership) in found {
            let inside = match membership {
                MixMembership::Inside(index) => found.get(*index).map(|(id, _)| *id),
                MixMembership::Silent => continue,
                // a stem that is muted for a while is where it was
                MixMembership::Elsewhere if times > 1 => continue,
                _ => None,
            };
            let Some(placement) = self.placements.iter_mut().find(|placement| placement.id == *id) else {
                continue;
            };
            placement.nesting_doubts =
                if placement.inside == inside { 0 } else { placement.nesting_doubts + 1 };
            if placement.nesting_doubts >= times {
                (placement.inside, placement.nesting_doubts) = (inside, 0);
            }
        }
    }

    /// Memberships of the placed stems at their delays, in stretches of the mix, and in those before as long as stems and
    /// delays are the same.
    fn memberships(
        &mut self,
        backlog: &mut Backlog,
        rate: Hz,
        windows: &[(TrackRange, usize)],
    ) -> Memberships {
        let placed: Vec<(InstanceId, i64)> = self
            .placements
            .iter()
            .filter(|placement| placement.state == PlacementState::Placed)
            .map(|placement| (placement.id, placement.delay))
            .collect();
        if placed.is_empty() || windows.is_empty() {
            return Memberships::default();
        }
        let stems = placed.len();
        let wide = |side: &Vec<f32>| side.iter().map(|x| f64::from(*x)).collect::<Vec<f64>>();
        let mut hops = JointHops::new(2 * stems + 1);
        for &(window, length) in windows {
            let mut sources = Vec::with_capacity(2 * stems + 1);
            let mut inputs = Vec::with_capacity(stems);
            for (id, delay) in &placed {
                let (output, input) = backlog.around(*id, window.position - delay, length);
                sources.push(output.each_ref().map(wide));
                inputs.push(input.each_ref().map(wide));
            }
            sources.extend(inputs);
            sources.push(backlog.mix_at(window, length).each_ref().map(wide));
            let mut meter = GramMeter::new(rate, sources.len());
            let second = rate.0 as usize;
            for start in (0..length).step_by(second) {
                let end = length.min(start + second);
                meter.process(end - start, |source, side| &sources[source][side][start..end]);
                backlog.pump();
            }
            meter.hops().row().into_iter().flatten().for_each(|packed| hops.push(packed));
        }
        let name = |found: Vec<MixMembership>| placed.iter().map(|(id, _)| *id).zip(found).collect();
        let now = name(memberships(&hops, stems));
        let known = self.evidence.take().filter(|(known, _)| *known == placed);
        let mut all = known.map_or_else(|| JointHops::new(2 * stems + 1), |(_, all)| all);
        hops.row().into_iter().flatten().for_each(|packed| all.push(packed));
        all.keep_newest(MAX_MEMBERSHIP_HOPS);
        let found = Memberships { now, all: name(memberships(&all, stems)) };
        self.evidence = Some((placed, all));
        found
    }

    /// Reviews the last seconds of the mix; true if nothing is unclear, `None` without enough audio.
    pub(super) fn try_review(
        &mut self,
        backlog: &mut Backlog,
        rate: Hz,
        recorder: &Recorder,
    ) -> Option<bool> {
        let range = backlog.mix().map(BacklogTrack::ranges)?.pop()?;
        let ends_at = |seconds: f64| {
            let frames = frames(seconds, rate);
            let offset = range.frames.checked_sub(frames)?;
            let window = TrackRange {
                position: range.position + offset as i64,
                counter: range.counter + offset,
                frames,
            };
            Some((window, frames as usize))
        };
        let window = ends_at(REVIEW_SECONDS)?;
        let master = backlog.mix()?.view();
        let found = self.memberships(backlog, rate, &[window]);
        self.take_nesting(&found.all, MAX_NESTING_DOUBTS);
        let is_lost = found.now.iter().any(|(_, membership)| *membership == MixMembership::Elsewhere);
        let has_left_out = self.placements.iter().any(|placement| {
            let sounds = backlog.stem(placement.id).is_some_and(|track| track.sounds);
            placement.state == PlacementState::LeftOut && sounds
        });
        let is_incomplete = last_coverage(recorder).is_some_and(|coverage| coverage < FULL_COVERAGE);
        let look = ends_at(LOOK_SECONDS)?;
        // a passage that does not repeat decides
        let is_ambiguous = self.is_ambiguous();
        if (is_lost || has_left_out || is_incomplete || is_ambiguous) && look.0.counter >= self.looked_until {
            self.looked_until = look.0.counter + look.0.frames;
            self.look_at(backlog, master, rate, look, LookDepth::Search);
        }
        self.find_causes(backlog, rate, recorder, is_incomplete.then_some(window));
        Some(!is_lost && !is_incomplete && !is_ambiguous)
    }
}

/// Share of the mix that the stems explain in the recent hops, 0 to 1.
fn last_coverage(recorder: &Recorder) -> Option<f64> {
    if recorder.recent().is_empty() { None } else { coverage(&recorder.live_report().fitted_range.sources) }
}
