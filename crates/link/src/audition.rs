//! Audition orders of a Master: Stems that are muted or bypassed while a person compares. Plain values.
//!
//! Unlike a request, an order holds as long as it is posted and its sender exists: a Stem looks for it in every round of
//! the link, and plays its output without one. It names the Stem's number
//! [`StemReadings::audition`](super::records::StemReadings::audition), which changes whenever the Stem's host has
//! activated it or loaded a state: older orders have no effect afterwards, so no render begins with one.

use super::identity::InstanceId;
use super::wire::{Decoder, Encoder, WireValue};
use session::audition::AuditionEffect;

/// Orders that a Master can have posted: one for each Stem that it sums.
pub const MAX_AUDITION_ORDERS: usize = 32;

/// Order to one Stem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditionOrder {
    /// The Stem.
    pub target: InstanceId,
    /// The Stem's audition number, as the sender has read it.
    pub base: u64,
    /// Muted, or bypassed.
    pub hearing: AuditionEffect,
}

/// All orders of a Master.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuditionOrders([Option<AuditionOrder>; MAX_AUDITION_ORDERS]);

/// Words of [`AuditionOrders`].
pub const AUDITION_ORDERS_WORDS: usize = 3 * MAX_AUDITION_ORDERS;

impl AuditionOrders {
    /// Collects `orders`; those beyond [`MAX_AUDITION_ORDERS`] are dropped.
    pub fn new(orders: impl IntoIterator<Item = AuditionOrder>) -> Self {
        let mut all = Self::default();
        all.0.iter_mut().zip(orders).for_each(|(place, order)| *place = Some(order));
        all
    }

    /// The order for `target`.
    pub fn order_for(&self, target: InstanceId) -> Option<&AuditionOrder> {
        self.0.iter().flatten().find(|order| order.target == target)
    }
}

impl WireValue for AuditionOrders {
    fn write_to(&self, encoder: &mut Encoder<'_>) {
        for order in &self.0 {
            encoder.push_word(order.map_or(0, |order| order.target.get()));
            encoder.push_word(order.map_or(0, |order| order.base));
            encoder.push_word(order.map_or(0, |order| order.hearing as u64));
        }
    }

    fn read_from(decoder: &mut Decoder<'_>) -> Option<Self> {
        let mut orders = Self::default();
        for place in &mut orders.0 {
            let (target, base) = (InstanceId::new(decoder.next_word()?), decoder.next_word()?);
            let hearing = [AuditionEffect::Muted, AuditionEffect::Bypassed][decoder.next_index(2)?];
            *place = target.map(|target| AuditionOrder { target, base, hearing });
        }
        Some(orders)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

    use super::*;

    #[test]
    fn orders_survive_a_round_trip_and_surplus_ones_are_dropped() {
        let hearing = |n| if n % 2 == 0 { AuditionEffect::Muted } else { AuditionEffect::Bypassed };
        let all: Vec<AuditionOrder> = (0..MAX_AUDITION_ORDERS as u64 + 2)
            .map(|n| AuditionOrder { target: InstanceId::mint(), base: n, hearing: hearing(n) })
            .collect();
        for count in [0, 1, MAX_AUDITION_ORDERS, MAX_AUDITION_ORDERS + 2] {
            let orders = AuditionOrders::new(all[..count].iter().copied());
            let words: [u64; AUDITION_ORDERS_WORDS] = orders.encode();
            let back = AuditionOrders::decode(&words).unwrap();
            assert_eq!(back, orders);
            for (n, order) in all.iter().enumerate() {
                let is_kept = n < count.min(MAX_AUDITION_ORDERS);
                assert_eq!(back.order_for(order.target), is_kept.then_some(order));
            }
            assert!(AuditionOrders::decode(&words[..AUDITION_ORDERS_WORDS - 1]).is_none());
        }
    }
}
