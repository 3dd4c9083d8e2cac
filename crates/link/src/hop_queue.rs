//! Wait-free queue of finished hops, from a Master's audio thread to its analysis thread.

use super::audio_ring::SettingsMark;
use super::identity::InstanceId;
use rtrb::chunks::ChunkError;
use rtrb::{Consumer, Producer, RingBuffer};
use session::accumulate::ChainProducts;
use session::hop_builder::{FinishedHop, MAX_STEMS};
use session::joint::joint_len;
use session::nested::NestedProducts;
use units::Db;

/// Words of a queue: half a minute of 32 stems in real time, several minutes of eight.
const QUEUE_WORDS: usize = 1 << 20;
/// Words of a hop before its lists.
const HEADER_WORDS: usize = 8;
/// Words of a stem's [`HopSettings`].
const SETTINGS_WORDS: usize = 5;
/// Words of a stem's [`ChainProducts`].
const CHAIN_WORDS: usize = 12;

/// Settings that a stem's part of a hop was made with.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HopSettings {
    /// Hash of all settings but level and trim; zero if they are not known.
    pub revision: u64,
    /// Delay at which the stem was read, frames.
    pub delay: i64,
    /// Gain after everything else by the level parameter.
    pub level: Db,
    /// The trim on top of it.
    pub trim: Db,
    /// True if chain or trim changed within the hop; all values are those at its end.
    pub changed: bool,
    /// True if the level moved within the hop.
    pub level_moved: bool,
}

impl HopSettings {
    /// Takes the settings of the next chunk of the hop, its first and last frame; `before`: those of the last frame
    /// before it in the same hop.
    pub fn update(&mut self, before: Option<SettingsMark>, chunk: [Option<SettingsMark>; 2]) {
        let [first, last] = chunk;
        for (a, b) in [(before.or(first), first), (first, last)] {
            // marks that are forgotten say nothing: the chain counts as it was, the level does not
            self.changed |=
                a.zip(b).is_some_and(|(a, b)| a.has_other_chain(&b)) || a.is_some() != b.is_some();
            self.level_moved |= a.zip(b).is_none_or(|(a, b)| a.level != b.level);
        }
        let mark = last.unwrap_or_default();
        (self.revision, self.level, self.trim) = (mark.revision, mark.level, mark.trim);
    }

    /// Begins a hop: changes before its first frame are no changes within it.
    pub fn begin_hop(&mut self) {
        (self.changed, self.level_moved) = (false, false);
    }
}

/// Message of the queue.
#[derive(Clone, Debug)]
pub enum HopMessage {
    /// The stems of all hops with this set number, in their order.
    Set {
        /// Number of the set, growing with every change.
        set: u64,
        /// The stems.
        stems: Vec<InstanceId>,
    },
    /// A hop and the settings of each of its stems.
    Hop(FinishedHop, Vec<HopSettings>),
}

/// Returns the two ends of a queue, one for an audio thread and one for a reader. Allocates 8 MiB.
pub fn hop_queue() -> (HopSender, HopReceiver) {
    let (producer, consumer) = RingBuffer::new(QUEUE_WORDS);
    (HopSender { producer, lost_hops: 0 }, HopReceiver { consumer })
}

/// The audio thread's end. No method allocates or waits.
#[derive(Debug)]
pub struct HopSender {
    producer: Producer<u64>,
    lost_hops: u64,
}

impl HopSender {
    /// Number of hops for which the queue had no room.
    pub fn lost_hops(&self) -> u64 {
        self.lost_hops
    }

    /// Sends the stems of the hops of `set`; `false` if the queue has no room now.
    pub fn send_set(&mut self, set: u64, stems: &[InstanceId]) -> bool {
        let head = [set, u64::MAX, stems.len() as u64];
        self.send_words(head.into_iter().chain(stems.iter().map(|stem| stem.get())), 3 + stems.len())
    }

    /// Sends a hop; one for which the queue has no room is lost and counted.
    pub fn send_hop(&mut self, hop: &FinishedHop, settings: &[HopSettings]) {
        let has_chain = |stem: usize| hop.has_chain >> stem & 1 == 1;
        let head = [
            hop.set,
            hop.stems as u64,
            u64::from(hop.index.is_some()),
            hop.index.unwrap_or(0).cast_unsigned(),
            hop.segment,
            u64::from(hop.heard),
            u64::from(hop.has_chain),
            0,
        ];
        let chains = hop.chains.iter().enumerate().filter(|(stem, _)| has_chain(*stem));
        let numbers = hop
            .joint
            .iter()
            .chain(&hop.peaks)
            .chain(chains.flat_map(|(_, products)| products.as_flattened()))
            .map(|number| number.to_bits());
        let settings = (0..hop.stems).flat_map(|stem| {
            let one = settings.get(stem).copied().unwrap_or_default();
            let flags = u64::from(one.changed) | u64::from(one.level_moved) << 1;
            [one.revision, one.level.0.to_bits(), one.trim.0.to_bits(), flags, one.delay.cast_unsigned()]
        });
        let count = hop_words(hop.stems, hop.has_chain);
        if !self.send_words(head.into_iter().chain(numbers).chain(settings), count) {
            self.lost_hops += 1;
        }
    }

    fn send_words(&mut self, words: impl Iterator<Item = u64>, count: usize) -> bool {
        match self.producer.write_chunk_uninit(count) {
            Ok(chunk) => chunk.fill_from_iter(words) == count,
            Err(ChunkError::TooFewSlots(_)) => false,
        }
    }
}

/// Words of a hop with `stems` stems, of which those in `has_chain` have products of their chain.
fn hop_words(stems: usize, has_chain: u32) -> usize {
    HEADER_WORDS
        + joint_len(stems + 1)
        + stems
        + 1
        + CHAIN_WORDS * has_chain.count_ones() as usize
        + SETTINGS_WORDS * stems
}

/// The reader's end: an iterator over the messages that have arrived.
#[derive(Debug)]
pub struct HopReceiver {
    consumer: Consumer<u64>,
}

impl Iterator for HopReceiver {
    type Item = HopMessage;

    /// The oldest message; `None` if the queue is empty. Allocates.
    fn next(&mut self) -> Option<HopMessage> {
        let head = self.consumer.read_chunk(3).ok()?;
        let (a, b) = head.as_slices();
        let word = |n: usize| a.get(n).or_else(|| b.get(n - a.len())).copied().unwrap_or(0);
        let (set, stems, count) = (word(0), word(1), word(2));
        if stems == u64::MAX {
            let words = self.take_words(3 + count as usize)?;
            let stems = words[3..].iter().filter_map(|&id| InstanceId::new(id)).collect();
            return Some(HopMessage::Set { set, stems });
        }
        let head = self.consumer.read_chunk(HEADER_WORDS).ok()?;
        let (a, b) = head.as_slices();
        let has_chain = a.get(6).or_else(|| b.get(6 - a.len())).copied().unwrap_or(0) as u32;
        let words = self.take_words(hop_words((stems as usize).min(MAX_STEMS), has_chain))?;
        Some(parse_hop(&words))
    }
}

impl HopReceiver {
    fn take_words(&mut self, count: usize) -> Option<Vec<u64>> {
        Some(self.consumer.read_chunk(count).ok()?.into_iter().collect())
    }
}

/// Returns the hop that consists of these [`hop_words`] words.
fn parse_hop(words: &[u64]) -> HopMessage {
    let stems = words[1] as usize;
    let has_chain = words[6] as u32;
    let (joint, rest) = words[HEADER_WORDS..].split_at(joint_len(stems + 1));
    let (peaks, rest) = rest.split_at(stems + 1);
    let (chains, settings) = rest.split_at(CHAIN_WORDS * has_chain.count_ones() as usize);
    let numbers = |words: &[u64]| words.iter().map(|&word| f64::from_bits(word)).collect::<Vec<_>>();
    let mut given = chains.chunks_exact(CHAIN_WORDS);
    let chains = (0..stems)
        .map(|stem| {
            let mut products = ChainProducts::default();
            if has_chain >> stem & 1 == 1
                && let Some(words) = given.next()
            {
                products.as_flattened_mut().copy_from_slice(&numbers(words));
            }
            products
        })
        .collect();
    let settings = settings.chunks_exact(SETTINGS_WORDS).map(|word| HopSettings {
        revision: word[0],
        level: Db(f64::from_bits(word[1])),
        trim: Db(f64::from_bits(word[2])),
        changed: word[3] & 1 != 0,
        level_moved: word[3] & 2 != 0,
        delay: word[4].cast_signed(),
    });
    let hop = FinishedHop {
        index: (words[2] != 0).then(|| words[3].cast_signed()),
        segment: words[4],
        set: words[0],
        stems,
        heard: words[5] as u32,
        has_chain,
        joint: numbers(joint),
        chains,
        peaks: numbers(peaks),
        nested: NestedProducts::default(),
    };
    HopMessage::Hop(hop, settings.collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

    use super::*;

    fn sample(stems: usize, has_chain: u32, seed: f64) -> (FinishedHop, Vec<HopSettings>) {
        let numbers = |count: usize, from: f64| (0..count).map(|n| from + n as f64).collect::<Vec<_>>();
        let mut chains = vec![ChainProducts::default(); stems];
        for (stem, products) in chains.iter_mut().enumerate().filter(|(stem, _)| has_chain >> stem & 1 == 1) {
            products.as_flattened_mut().copy_from_slice(&numbers(CHAIN_WORDS, seed * stem as f64));
        }
        let hop = FinishedHop {
            index: (stems != 2).then_some(-7),
            segment: 3,
            set: 9,
            stems,
            heard: 0b101,
            has_chain,
            joint: numbers(joint_len(stems + 1), seed),
            chains,
            peaks: numbers(stems + 1, 0.5),
            nested: NestedProducts::default(),
        };
        let settings = (0..stems)
            .map(|n| HopSettings {
                revision: n as u64,
                delay: 3 - n as i64,
                level: Db(-(n as f64)),
                trim: Db(0.5 * n as f64),
                changed: n % 2 == 1,
                level_moved: n % 3 == 1,
            })
            .collect();
        (hop, settings)
    }

    #[test]
    fn hops_and_sets_arrive_in_order_and_complete_wherever_the_queue_wraps() {
        let (mut sender, mut receiver) = hop_queue();
        assert!(receiver.next().is_none());
        let ids = [InstanceId::mint(), InstanceId::mint()];
        for round in 0..3000 {
            let stems = round % 6;
            let (hop, settings) = sample(stems, 0b1010 & ((1 << stems) - 1), round as f64);
            assert!(sender.send_set(9, &ids));
            sender.send_hop(&hop, &settings);
            assert!(matches!(receiver.next().unwrap(), HopMessage::Set { set: 9, stems } if stems == ids));
            let HopMessage::Hop(back, with) = receiver.next().unwrap() else { panic!("a hop was sent") };
            assert_eq!(format!("{back:?} {with:?}"), format!("{hop:?} {settings:?}"));
        }
        assert!(receiver.next().is_none());
        assert_eq!(sender.lost_hops(), 0);
    }

    #[test]
    fn hops_without_room_are_lost_as_a_whole_and_counted() {
        let (mut sender, receiver) = hop_queue();
        let (hop, settings) = sample(MAX_STEMS, u32::MAX, 1.0);
        let words = hop_words(MAX_STEMS, u32::MAX);
        for _ in 0..QUEUE_WORDS / words + 5 {
            sender.send_hop(&hop, &settings);
        }
        assert_eq!(sender.lost_hops(), 5);
        let arrived = receiver.filter(|message| matches!(message, HopMessage::Hop(..))).count();
        assert_eq!(arrived, QUEUE_WORDS / words);
    }
}
