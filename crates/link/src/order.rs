//! How a Master wants Stems heard while a person compares. Plain values.
//!
//! Unlike a request, an order holds for as long as it is posted, and for nobody but its sender's life: a Stem looks for it in
//! every round of the link, and without one is heard as it is. It names the number under which the Stem may be
//! listened to, [`StemReadings::audition`](super::snapshot::Figures::audition), which is another whenever the Stem's host has
//! activated it or loaded a state: what was ordered before has no effect after, so no render can begin with it.

use super::identity::InstanceId;
use super::words::{Decoder, Encoder, Record};
use session::audition::AuditionEffect;

/// Orders that a Master may have posted: one for each stem that it sums.
pub const ORDERS: usize = 32;

/// How one Stem is to be heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// The Stem.
    pub target: InstanceId,
    /// The number under which it may be listened to, as the sender has seen it.
    pub base: u64,
    /// How.
    pub hearing: AuditionEffect,
}

/// Everything that a Master orders at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Orders([Option<Order>; ORDERS]);

/// Words of [`Orders`].
pub const ORDERS_WORDS: usize = 3 * ORDERS;

impl Orders {
    /// Orders for some Stems; those beyond [`ORDERS`] are dropped.
    pub fn new(orders: impl IntoIterator<Item = Order>) -> Self {
        let mut all = Self::default();
        all.0.iter_mut().zip(orders).for_each(|(place, order)| *place = Some(order));
        all
    }

    /// The order for `target`.
    pub fn to(&self, target: InstanceId) -> Option<&Order> {
        self.0.iter().flatten().find(|order| order.target == target)
    }
}

impl Record for Orders {
    fn write(&self, pen: &mut Encoder<'_>) {
        for order in &self.0 {
            pen.word(order.map_or(0, |order| order.target.get()));
            pen.word(order.map_or(0, |order| order.base));
            pen.word(order.map_or(0, |order| order.hearing as u64));
        }
    }

    fn read(eye: &mut Decoder<'_>) -> Option<Self> {
        let mut orders = Self::default();
        for place in &mut orders.0 {
            let (target, base) = (InstanceId::new(eye.word()?), eye.word()?);
            let hearing = [AuditionEffect::Muted, AuditionEffect::Bypassed][eye.index(2)?];
            *place = target.map(|target| Order { target, base, hearing });
        }
        Some(orders)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

    use super::*;

    #[test]
    fn orders_come_back_and_those_too_many_are_dropped() {
        let hearing = |n| if n % 2 == 0 { AuditionEffect::Muted } else { AuditionEffect::Bypassed };
        let all: Vec<Order> = (0..ORDERS as u64 + 2)
            .map(|n| Order { target: InstanceId::mint(), base: n, hearing: hearing(n) })
            .collect();
        for count in [0, 1, ORDERS, ORDERS + 2] {
            let orders = Orders::new(all[..count].iter().copied());
            let words: [u64; ORDERS_WORDS] = orders.encode();
            let back = Orders::decode(&words).unwrap();
            assert_eq!(back, orders);
            for (n, order) in all.iter().enumerate() {
                assert_eq!(back.to(order.target), (n < count.min(ORDERS)).then_some(order));
            }
            assert!(Orders::decode(&words[..ORDERS_WORDS - 1]).is_none());
        }
    }
}
