//! Finished hops on their way from the Master's audio thread to whoever analyses them.

use super::identity::InstanceId;
use rtrb::chunks::ChunkError;
use rtrb::{Consumer, Producer, RingBuffer};
use session::accumulate::ChainProducts;
use session::hop_builder::{FinishedHop, MAX_STEMS};
use session::joint::joint_len;
use units::Db;

/// Words of a queue: half a minute of 32 stems at real time, several minutes of eight.
const WORDS: usize = 1 << 20;
/// Words before a hop's lists.
const HEADER: usize = 8;
/// Words of a stem's [`ChainProducts`].
const CHAIN: usize = 12;

/// The settings a stem's part of a hop was made with.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MadeWith {
    /// Revision of all settings but the level, and of the delay at which it was heard.
    pub revision: u64,
    /// Gain behind everything else.
    pub level: Db,
    /// Some of it changed within the hop; the figures are those of its end.
    pub changed: bool,
}

/// What arrives.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// The hops of `set` are of these stems, in this order.
    Set {
        /// Counts up with every change.
        set: u64,
        /// The stems.
        stems: Vec<InstanceId>,
    },
    /// A hop, and what each of its stems was made with.
    Hop(FinishedHop, Vec<MadeWith>),
}

/// A queue for one audio thread and one reader. Allocates.
pub fn queue() -> (Sender, Receiver) {
    let (producer, consumer) = RingBuffer::new(WORDS);
    (Sender { producer, lost: 0 }, Receiver { consumer })
}

/// The audio thread's end. Neither allocates nor waits.
#[derive(Debug)]
pub struct Sender {
    producer: Producer<u64>,
    lost: u64,
}

impl Sender {
    /// Hops for which there was no room, because nobody took them in time.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Says which stems the hops of `set` are of; false: no room now, try again.
    pub fn send_set(&mut self, set: u64, stems: &[InstanceId]) -> bool {
        let head = [set, u64::MAX, stems.len() as u64];
        self.send(head.into_iter().chain(stems.iter().map(|stem| stem.get())), 3 + stems.len())
    }

    /// Sends a hop; one for which there is no room is lost.
    pub fn send_hop(&mut self, hop: &FinishedHop, made_with: &[MadeWith]) {
        let chained = |stem: usize| hop.has_chain >> stem & 1 == 1;
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
        let chains = hop.chains.iter().enumerate().filter(|(stem, _)| chained(*stem));
        let numbers = hop
            .joint
            .iter()
            .chain(&hop.peaks)
            .chain(chains.flat_map(|(_, products)| products.as_flattened()))
            .map(|number| number.to_bits());
        let made = (0..hop.stems).flat_map(|stem| {
            let made = made_with.get(stem).copied().unwrap_or_default();
            [made.revision, made.level.0.to_bits(), u64::from(made.changed)]
        });
        let words = words_of(hop.stems, hop.has_chain);
        if !self.send(head.into_iter().chain(numbers).chain(made), words) {
            self.lost += 1;
        }
    }

    fn send(&mut self, words: impl Iterator<Item = u64>, count: usize) -> bool {
        match self.producer.write_chunk_uninit(count) {
            Ok(chunk) => chunk.fill_from_iter(words) == count,
            Err(ChunkError::TooFewSlots(_)) => false,
        }
    }
}

/// Words of a hop.
fn words_of(stems: usize, has_chain: u32) -> usize {
    HEADER + joint_len(stems + 1) + stems + 1 + CHAIN * has_chain.count_ones() as usize + 3 * stems
}

/// The reader's end.
#[derive(Debug)]
pub struct Receiver {
    consumer: Consumer<u64>,
}

impl Iterator for Receiver {
    type Item = Delivery;

    /// The oldest that has arrived; `None` if nothing has. Allocates.
    fn next(&mut self) -> Option<Delivery> {
        let head = self.consumer.read_chunk(3).ok()?;
        let (a, b) = head.as_slices();
        let word = |n: usize| a.get(n).or_else(|| b.get(n - a.len())).copied().unwrap_or(0);
        let (set, stems, count) = (word(0), word(1), word(2));
        if stems == u64::MAX {
            let words = self.take(3 + count as usize)?;
            let stems = words[3..].iter().filter_map(|&id| InstanceId::new(id)).collect();
            return Some(Delivery::Set { set, stems });
        }
        let head = self.consumer.read_chunk(HEADER).ok()?;
        let (a, b) = head.as_slices();
        let has_chain = a.get(6).or_else(|| b.get(6 - a.len())).copied().unwrap_or(0) as u32;
        let words = self.take(words_of((stems as usize).min(MAX_STEMS), has_chain))?;
        Some(hop(&words))
    }
}

impl Receiver {
    fn take(&mut self, count: usize) -> Option<Vec<u64>> {
        Some(self.consumer.read_chunk(count).ok()?.into_iter().collect())
    }
}

/// A hop from its words, as many as [`words_of`] says.
fn hop(words: &[u64]) -> Delivery {
    let stems = words[1] as usize;
    let has_chain = words[6] as u32;
    let (joint, rest) = words[HEADER..].split_at(joint_len(stems + 1));
    let (peaks, rest) = rest.split_at(stems + 1);
    let (chains, made) = rest.split_at(CHAIN * has_chain.count_ones() as usize);
    let numbers = |words: &[u64]| words.iter().map(|&word| f64::from_bits(word)).collect::<Vec<_>>();
    let mut given = chains.chunks_exact(CHAIN);
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
    let made = made.chunks_exact(3).map(|word| MadeWith {
        revision: word[0],
        level: Db(f64::from_bits(word[1])),
        changed: word[2] != 0,
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
    };
    Delivery::Hop(hop, made.collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

    use super::*;

    fn sample(stems: usize, has_chain: u32, seed: f64) -> (FinishedHop, Vec<MadeWith>) {
        let numbers = |count: usize, from: f64| (0..count).map(|n| from + n as f64).collect::<Vec<_>>();
        let mut chains = vec![ChainProducts::default(); stems];
        for (stem, products) in chains.iter_mut().enumerate().filter(|(stem, _)| has_chain >> stem & 1 == 1) {
            products.as_flattened_mut().copy_from_slice(&numbers(CHAIN, seed * stem as f64));
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
        };
        let made = (0..stems)
            .map(|n| MadeWith { revision: n as u64, level: Db(-(n as f64)), changed: n % 2 == 1 })
            .collect();
        (hop, made)
    }

    #[test]
    fn hops_and_sets_arrive_in_order_and_whole_however_the_queue_wraps() {
        let (mut sender, mut receiver) = queue();
        assert!(receiver.next().is_none());
        let ids = [InstanceId::mint(), InstanceId::mint()];
        for round in 0..3000 {
            let stems = round % 6;
            let (hop, made) = sample(stems, 0b1010 & ((1 << stems) - 1), round as f64);
            assert!(sender.send_set(9, &ids));
            sender.send_hop(&hop, &made);
            assert!(matches!(receiver.next().unwrap(), Delivery::Set { set: 9, stems } if stems == ids));
            let Delivery::Hop(back, with) = receiver.next().unwrap() else { panic!("a hop was sent") };
            assert_eq!(format!("{back:?} {with:?}"), format!("{hop:?} {made:?}"));
        }
        assert!(receiver.next().is_none());
        assert_eq!(sender.lost(), 0);
    }

    #[test]
    fn what_does_not_fit_is_lost_whole_and_counted() {
        let (mut sender, receiver) = queue();
        let (hop, made) = sample(MAX_STEMS, u32::MAX, 1.0);
        let words = words_of(MAX_STEMS, u32::MAX);
        for _ in 0..WORDS / words + 5 {
            sender.send_hop(&hop, &made);
        }
        assert_eq!(sender.lost(), 5);
        let arrived = receiver.filter(|delivery| matches!(delivery, Delivery::Hop(..))).count();
        assert_eq!(arrived, WORDS / words);
    }
}
