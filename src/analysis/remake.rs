//! Hops made from the backlog, once it is known how late each stem arrives.

use super::backlog::{Backlog, BacklogTrack, CHUNK_FRAMES, TrackRange};
use super::stem_routing::RoutedStem;
use link::audio_ring::SettingsMark;
use link::hop_queue::HopSettings;
use link::identity::InstanceId;
use session::hop_builder::{FinishedHop, HopBuilder, StemBlock};
use session::timeline::HopIndex;
use units::Hz;

/// Time by which a Stem may lag behind the mix, seconds.
const MAX_LAG_SECONDS: f64 = 0.5;

/// A hop and the settings of its stems.
pub(super) type MadeHop = (FinishedHop, Vec<HopSettings>);

/// Builder of hops from the backlog's audio, in the order in which it was played.
pub(super) struct HopRemaker {
    builder: HopBuilder,
    rate: Hz,
    routed: Vec<RoutedStem>,
    stems: Vec<RemadeStem>,
    /// Counter of the next frame of the mix.
    next: u64,
    /// Audio of the mix and of one chunk of every stem: left and right output, left and right input.
    buffers: Vec<[Vec<f64>; 4]>,
}

/// One stem of the remade hops.
struct RemadeStem {
    id: InstanceId,
    delay: i64,
    is_open: bool,
    next: Option<u64>,
    source: RemadeSource,
    mark: Option<SettingsMark>,
    settings: HopSettings,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum RemadeSource {
    Audio,
    Silence,
    Missing,
}

impl HopRemaker {
    /// Creates a remaker of hops of `stems` with their delays. Allocates some megabytes.
    pub(super) fn new(rate: Hz, stems: &[RoutedStem]) -> Self {
        let mut builder = HopBuilder::new(rate);
        builder.set_stems(0, stems.len());
        let stem = |&RoutedStem { id, delay, is_open, .. }: &RoutedStem| RemadeStem {
            id,
            delay,
            is_open,
            next: None,
            source: RemadeSource::Silence,
            mark: None,
            settings: HopSettings { delay, ..HopSettings::default() },
        };
        let buffer = || [(); 4].map(|()| vec![0.0; CHUNK_FRAMES]);
        Self {
            builder,
            rate,
            routed: stems.to_vec(),
            stems: stems.iter().map(stem).collect(),
            next: 0,
            buffers: (0..=stems.len()).map(|_| buffer()).collect(),
        }
    }

    /// Returns the stems of the hops.
    pub(super) fn stems(&self) -> Vec<RoutedStem> {
        self.routed.clone()
    }

    /// Makes the hops that the backlog allows, of content that was not used yet. `pause` is called ten times per second
    /// of the song.
    pub(super) fn run(&mut self, backlog: &mut Backlog, pause: impl Fn(&mut Backlog)) -> Vec<MadeHop> {
        let mut hops = Vec::new();
        let Some(mix) = backlog.mix() else { return hops };
        let ranges = mix.ranges();
        let stem_ranges: Vec<Vec<TrackRange>> = self
            .stems
            .iter()
            .map(|stem| backlog.stem(stem.id).map_or(Vec::new(), BacklogTrack::ranges))
            .collect();
        for range in ranges {
            let skipped = self.next.saturating_sub(range.counter).min(range.frames);
            let mut at = skipped;
            while at < range.frames {
                let position = range.position + at as i64;
                let hop = self.builder.hop_frames() as i64;
                let to_hop = hop - position.rem_euclid(hop);
                let frames = (range.frames - at).min(CHUNK_FRAMES as u64).min(to_hop as u64);
                let counter = range.counter + at;
                let Some(frames) =
                    self.process(backlog, &stem_ranges, position, counter, frames, to_hop == hop)
                else {
                    return hops;
                };
                let settings = |stem: &RemadeStem| stem.settings;
                let (summed, nested) = indices_by_level(&self.routed);
                while self.builder.take_hop(|hop| {
                    hops.push((hop.of_stems(&summed, &nested), self.stems.iter().map(settings).collect()));
                }) {}
                at += frames;
                self.next = range.counter + at;
                if to_hop as u64 == frames {
                    pause(backlog);
                }
            }
        }
        hops
    }

    /// Processes a chunk; returns its length, `None` if a stem's audio is still to come.
    fn process(
        &mut self,
        backlog: &Backlog,
        ranges: &[Vec<TrackRange>],
        position: i64,
        counter: u64,
        frames: u64,
        begins_hop: bool,
    ) -> Option<u64> {
        let mut frames = frames;
        let mut found = Vec::with_capacity(self.stems.len());
        let max_lag = (MAX_LAG_SECONDS * self.rate.0) as i64;
        for (stem, ranges) in self.stems.iter().zip(ranges) {
            let wanted = position - stem.delay;
            let audio = BacklogTrack::find(ranges, wanted, stem.next.unwrap_or(0));
            let next = ranges.iter().map(|range| range.position).filter(|start| *start > wanted).min();
            match audio {
                Some((_, some)) => frames = frames.min(some),
                None => {
                    let end = ranges.last().map(|range| range.position + range.frames as i64);
                    let is_late = end.is_some_and(|end| (0..max_lag).contains(&(wanted - end)));
                    if is_late && !stem.is_open && backlog.stem(stem.id).is_some_and(BacklogTrack::is_awake) {
                        return None;
                    }
                    frames = frames.min(next.map_or(frames, |next| (next - wanted) as u64));
                }
            }
            found.push(audio.map(|(counter, _)| counter));
        }
        if begins_hop {
            self.stems.iter_mut().for_each(|stem| stem.settings.begin_hop());
        }
        let count = frames as usize;
        let mut blocks = Vec::with_capacity(self.stems.len());
        let (stem_buffers, mix_buffers) = self.buffers.split_at_mut(self.stems.len());
        for ((stem, buffers), found) in self.stems.iter_mut().zip(stem_buffers.iter_mut()).zip(found) {
            let Some(track) = backlog.stem(stem.id) else {
                blocks.push((true, false, true));
                buffers.iter_mut().for_each(|side| side[..count].fill(0.0));
                continue;
            };
            let before = stem.source;
            let Some(counter) = found else {
                let is_before_start = position >= 0 && position < stem.delay;
                let is_elsewhere = track.is_awake() && !is_before_start && !stem.is_open;
                stem.source = if is_elsewhere { RemadeSource::Missing } else { RemadeSource::Silence };
                buffers.iter_mut().for_each(|side| side[..count].fill(0.0));
                blocks.push((!is_elsewhere, false, before != RemadeSource::Missing));
                continue;
            };
            let has_input = load(track, counter, count, buffers);
            let marks = track.marks(counter, frames);
            stem.settings.update(stem.mark.filter(|_| !begins_hop), marks);
            let continues = match before {
                RemadeSource::Audio => stem.next == Some(counter),
                RemadeSource::Silence => true,
                RemadeSource::Missing => false,
            };
            (stem.next, stem.source, stem.mark) = (Some(counter + frames), RemadeSource::Audio, marks[1]);
            blocks.push((true, has_input, continues));
        }
        let mix = &mut mix_buffers[0];
        load(backlog.mix()?, counter, count, mix);
        let blocks: Vec<StemBlock<'_>> = (blocks.iter().zip(stem_buffers.iter()))
            .map(|(&(has_output, has_input, continues), audio)| StemBlock {
                output: has_output.then(|| [&audio[0][..count], &audio[1][..count]]),
                input: has_input.then(|| [&audio[2][..count], &audio[3][..count]]),
                continues,
            })
            .collect();
        self.builder.process(Some(position), [&mix[0][..count], &mix[1][..count]], &blocks);
        Some(frames)
    }
}

/// Loads a chunk of a track; returns true if the input differs from the output.
fn load(track: &BacklogTrack, counter: u64, frames: usize, buffers: &mut [Vec<f64>; 4]) -> bool {
    let mut audio = [[0.0f32; CHUNK_FRAMES]; 4];
    let [left, right, left_in, right_in] = &mut audio;
    let output = [&mut left[..frames], &mut right[..frames]];
    let has_input = track.copy(counter, output, Some([&mut left_in[..frames], &mut right_in[..frames]]));
    for (buffer, audio) in buffers.iter_mut().zip(&audio) {
        buffer.iter_mut().zip(&audio[..frames]).for_each(|(x, sample)| *x = f64::from(*sample));
    }
    has_input
}

/// True if `made`, a hop of the stems `made_of`, was made with all of `stems` at their delays, whether they were there
/// or not.
pub(super) fn has_delays(made: &MadeHop, made_of: &[InstanceId], stems: &[RoutedStem]) -> bool {
    stems.iter().all(|stem| {
        let index = made_of.iter().position(|other| *other == stem.id);
        index.is_some_and(|index| stem.is_open || made.1[index].delay == stem.delay)
    })
}

/// True if `made`, a hop of the stems `made_of`, has all of `stems`, read at their delays; nested ones may be missing.
pub(super) fn is_right(made: &MadeHop, made_of: &[InstanceId], stems: &[RoutedStem]) -> bool {
    let (hop, settings) = made;
    stems.iter().all(|stem| {
        let Some(index) = made_of.iter().position(|other| *other == stem.id) else { return false };
        // silence that was read at another delay says nothing
        let is_heard = stem.inside.is_some() || hop.heard >> index & 1 == 1;
        stem.is_open || (is_heard && settings[index].delay == stem.delay)
    })
}

/// Indices of the summed stems, and of the nested ones.
fn indices_by_level(stems: &[RoutedStem]) -> (Vec<usize>, Vec<usize>) {
    (0..stems.len()).partition(|&index| stems[index].inside.is_none())
}

/// Hop of the part `stems` of its stems, in their order; stems that have not sounded yet are silent in it.
pub(super) fn reduce(made: &MadeHop, made_of: &[InstanceId], stems: &[RoutedStem]) -> Option<MadeHop> {
    let (hop, settings) = made;
    let indices: Option<Vec<usize>> =
        stems.iter().map(|stem| made_of.iter().position(|other| *other == stem.id)).collect();
    let indices = indices?;
    let of = |level: &[usize]| level.iter().map(|&index| indices[index]).collect::<Vec<usize>>();
    let (summed, nested) = indices_by_level(stems);
    let mut hop = hop.of_stems(&of(&summed), &of(&nested));
    for (index, _) in stems.iter().enumerate().filter(|(_, stem)| stem.is_open) {
        hop.heard |= 1 << index;
    }
    Some((hop, indices.iter().map(|&index| settings[index]).collect()))
}

/// Share of a hop's power that stems at their right delays leave at most.
const MAX_LEFT_SHARE: f64 = 1e-3;

/// True if the stems explain the hop: their delays held for it.
pub(super) fn is_explained(hop: &FinishedHop) -> bool {
    let [.., left, _, right] = hop.joint.as_slice() else { return false };
    hop.unexplained() <= MAX_LEFT_SHARE * (left + right)
}

/// Joins hops that were held with remade ones: all that are right, in the order of the song. Held ones come first.
pub(super) fn join(held: Vec<(HopIndex, MadeHop)>, remade: Vec<MadeHop>, row: u64) -> Vec<MadeHop> {
    let mut held: std::collections::BTreeMap<HopIndex, MadeHop> = held.into_iter().collect();
    let mut joined = Vec::new();
    for (mut hop, settings) in remade {
        hop.segment |= row;
        let right = hop.index.and_then(|index| held.remove(&index));
        joined.push(match right {
            Some((held, settings)) => (FinishedHop { segment: hop.segment, ..held }, settings),
            None => (hop, settings),
        });
    }
    let before = held.into_values();
    before.chain(joined).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hop_of_the_decided_delays_is_right_only_with_all_stems() {
        let ids = [1, 2].map(|id| InstanceId::new(id).expect("not zero"));
        let made = |delays: [i64; 2], heard: u32| -> MadeHop {
            let settings = delays.map(|delay| HopSettings { delay, ..HopSettings::default() });
            (FinishedHop { stems: 2, heard, ..FinishedHop::default() }, settings.into())
        };
        let stem = |index: usize, delay: i64, is_open: bool| RoutedStem {
            id: ids[index],
            delay,
            is_open,
            inside: None,
        };
        let stems = [stem(0, 0, false), stem(1, -544, false)];
        let judge = |made: &MadeHop, stems: &[RoutedStem]| {
            (has_delays(made, &ids, stems), is_right(made, &ids, stems))
        };
        assert_eq!(judge(&made([0, 0], 0b11), &stems), (false, false), "from before the decision");
        assert_eq!(judge(&made([0, -544], 0b01), &stems), (true, false), "one is missing");
        assert_eq!(judge(&made([0, -544], 0b11), &stems), (true, true));
        let open = [stem(0, 0, false), stem(1, 0, true)];
        assert_eq!(judge(&made([0, -544], 0b01), &open), (true, true), "one has not sounded yet");
        assert!(!has_delays(&made([0, -544], 0b11), &ids[..1], &stems), "one is not among its stems");
        let nested = [stem(0, 0, false), RoutedStem { inside: Some(ids[0]), ..stem(1, -544, false) }];
        assert_eq!(judge(&made([0, -544], 0b01), &nested), (true, true), "what is inside may be missing");
        assert_eq!(judge(&made([0, 0], 0b11), &nested), (false, false), "but not at another delay");
    }
}
