//! Requests between instances, as plain values: a Master asks a Stem for a trim, or is asked for a prediction.
//!
//! A request is posted in the sender's [`Outbox`], which every instance reads. A request for a trim names the revision
//! of the trim that the person saw who made it; if the trim has changed since, the Stem refuses. So a request acts
//! once, in whatever order the requests of several senders are read. The answer is in the Stem's
//! [`RemoteTrim`](super::remote_trim::RemoteTrim).
//!
//! The answer to a request for a prediction is in the Master's [`SessionSummary`](super::summary::SessionSummary).

use super::audition::{AUDITION_ORDERS_WORDS, AuditionOrder, AuditionOrders};
use super::identity::InstanceId;
use super::wire::{Decoder, Encoder, WireValue};
use units::Db;

/// Requests that an outbox holds: a Master may ask all of its Stems at once.
pub const MAX_REQUESTS: usize = 32;

/// A request of a person: to change a Stem's remote trim, or to a Master, to predict a move or to take a mute for a part
/// of the mix.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PeerRequest {
    /// Number that grows with every request of a sender.
    pub counter: u64,
    /// The Stem, or the Master that is to predict.
    pub target: InstanceId,
    /// The stem whose move a Master is to predict, or whose mute is meant; to a Stem, the stem that covers it in a band.
    /// `None` in a request for a trim.
    pub predicted_stem: Option<InstanceId>,
    /// True if the mute of the stem is meant and nothing is to be predicted; without a stem, if the target's meters are to
    /// be reset and no trim is meant.
    pub confirms_mute: bool,
    /// The revision of the target's trim that the person saw; the band, where one is marked; else zero.
    pub base: u64,
    /// The trim that is requested, or the gain of the move.
    pub gain: Db,
}

impl PeerRequest {
    /// Returns true for a request to reset the target's meters.
    pub fn resets_meters(&self) -> bool {
        self.predicted_stem.is_none() && self.confirms_mute
    }
}

/// The last requests of a sender, and its current audition orders.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outbox {
    /// Oldest first.
    requests: [Option<PeerRequest>; MAX_REQUESTS],
    next_counter: u64,
    orders: AuditionOrders,
}

/// Words of an [`Outbox`].
pub const OUTBOX_WORDS: usize = 1 + 6 * MAX_REQUESTS + AUDITION_ORDERS_WORDS;

impl Outbox {
    /// An empty outbox. `first_counter` has to be above those that the sender used before it was reloaded; the time is.
    pub fn new(first_counter: u64) -> Self {
        Self {
            requests: [None; MAX_REQUESTS],
            next_counter: first_counter,
            orders: AuditionOrders::default(),
        }
    }

    /// Posts a request to a Stem for a trim of `gain` on top of the trim's revision `base`; returns its counter.
    pub fn post_trim_request(&mut self, target: InstanceId, base: u64, gain: Db) -> u64 {
        let counter = self.next_counter;
        let confirms_mute = false;
        self.push_request(PeerRequest { counter, target, predicted_stem: None, confirms_mute, base, gain })
    }

    /// Posts a request to a Master to predict a move of `stem` by `gain`; returns its counter.
    pub fn post_prediction_request(&mut self, master: InstanceId, stem: InstanceId, gain: Db) -> u64 {
        self.push_request(self.master_request(master, stem, gain, false))
    }

    /// Posts the statement to a Master that the mute of `stem` is part of the mix; returns its counter.
    pub fn post_mute_confirmation(&mut self, master: InstanceId, stem: InstanceId) -> u64 {
        self.push_request(self.master_request(master, stem, Db(0.0), true))
    }

    /// Posts a request to a Stem to reset its meters; returns its counter.
    pub fn post_meter_reset(&mut self, target: InstanceId) -> u64 {
        let counter = self.next_counter;
        let (predicted_stem, confirms_mute) = (None, true);
        self.push_request(PeerRequest {
            counter,
            target,
            predicted_stem,
            confirms_mute,
            base: 0,
            gain: Db(0.0),
        })
    }

    /// Posts a request to a Stem to show that the stem `by` covers it in a third-octave band; returns its counter.
    pub fn post_band_mark(&mut self, target: InstanceId, by: InstanceId, band: u64) -> u64 {
        let request = PeerRequest { base: band, ..self.master_request(target, by, Db(0.0), false) };
        self.push_request(request)
    }

    fn master_request(
        &self,
        target: InstanceId,
        stem: InstanceId,
        gain: Db,
        confirms_mute: bool,
    ) -> PeerRequest {
        let counter = self.next_counter;
        PeerRequest { counter, target, predicted_stem: Some(stem), confirms_mute, base: 0, gain }
    }

    fn push_request(&mut self, request: PeerRequest) -> u64 {
        self.next_counter = self.next_counter.wrapping_add(1);
        self.requests.rotate_left(1);
        self.requests[MAX_REQUESTS - 1] = Some(request);
        request.counter
    }

    /// The requests to `target`, oldest first.
    pub fn requests_for(&self, target: InstanceId) -> impl Iterator<Item = &PeerRequest> {
        self.requests.iter().flatten().filter(move |request| request.target == target)
    }

    /// Replaces all audition orders.
    pub fn set_orders(&mut self, orders: AuditionOrders) {
        self.orders = orders;
    }

    /// The audition order for `target`.
    pub fn order_for(&self, target: InstanceId) -> Option<&AuditionOrder> {
        self.orders.order_for(target)
    }
}

impl WireValue for Outbox {
    fn write_to(&self, encoder: &mut Encoder<'_>) {
        encoder.push_word(self.next_counter);
        for request in &self.requests {
            encoder.push_word(request.map_or(0, |request| request.target.get()));
            encoder.push_word(request.and_then(|request| request.predicted_stem).map_or(0, InstanceId::get));
            encoder.push_word(request.is_some_and(|request| request.confirms_mute).into());
            encoder.push_word(request.map_or(0, |request| request.counter));
            encoder.push_word(request.map_or(0, |request| request.base));
            encoder.push_number(request.map_or(0.0, |request| request.gain.0));
        }
        self.orders.write_to(encoder);
    }

    fn read_from(decoder: &mut Decoder<'_>) -> Option<Self> {
        let mut outbox = Self::new(decoder.next_word()?);
        for place in &mut outbox.requests {
            let target = InstanceId::new(decoder.next_word()?);
            let predicted_stem = InstanceId::new(decoder.next_word()?);
            let confirms_mute = decoder.next_index(2)? == 1;
            let (counter, base, gain) = (decoder.next_word()?, decoder.next_word()?, decoder.next_db()?);
            *place = target.map(|target| PeerRequest {
                counter,
                target,
                predicted_stem,
                confirms_mute,
                base,
                gain,
            });
        }
        outbox.orders = WireValue::read_from(decoder)?;
        Some(outbox)
    }
}

/// Requests that an instance has handled, by sender.
#[derive(Clone, Debug, Default)]
pub struct HandledRequests {
    /// The last counter of each sender.
    last_counters: Vec<(InstanceId, u64)>,
}

impl HandledRequests {
    /// Senders that are remembered: more than a roster has slots.
    const MAX_SENDERS: usize = 256;

    /// Marks `request` of `sender` as handled; `false` if it already was.
    pub fn insert(&mut self, sender: InstanceId, request: &PeerRequest) -> bool {
        match self.last_counters.iter_mut().find(|(known, _)| *known == sender) {
            Some((_, last)) if *last >= request.counter => false,
            Some((_, last)) => {
                *last = request.counter;
                true
            }
            None => {
                if self.last_counters.len() == Self::MAX_SENDERS {
                    self.last_counters.remove(0);
                }
                self.last_counters.push((sender, request.counter));
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

    use super::*;

    #[test]
    fn an_outbox_keeps_the_last_requests_and_survives_a_round_trip() {
        let (drums, bass) = (InstanceId::mint(), InstanceId::mint());
        let mut outbox = Outbox::new(100);
        let posted = MAX_REQUESTS as u64 + 4;
        for n in 0..posted {
            let target = if n % 2 == 0 { drums } else { bass };
            assert_eq!(outbox.post_trim_request(target, n, Db(n as f64)), 100 + n);
        }
        assert_eq!(outbox.post_prediction_request(drums, bass, Db(2.0)), 100 + posted);
        assert_eq!(outbox.post_meter_reset(bass), 101 + posted);
        assert_eq!(outbox.post_band_mark(bass, drums, 14), 102 + posted);
        let words: [u64; OUTBOX_WORDS] = outbox.encode();
        let back = Outbox::decode(&words).unwrap();
        assert_eq!(back, outbox);
        let counters: Vec<u64> = back.requests_for(drums).map(|request| request.counter).collect();
        let kept: Vec<u64> = (107..=100 + posted).filter(|counter| counter % 2 == 0).collect();
        assert_eq!(counters, kept);
        assert_eq!(back.requests_for(drums).last().unwrap().predicted_stem, Some(bass));
        let mark = back.requests_for(bass).last().unwrap();
        assert_eq!((mark.predicted_stem, mark.base, mark.resets_meters()), (Some(drums), 14, false));
        assert_eq!(back.requests_for(bass).filter(|request| request.resets_meters()).count(), 1);
        assert!(Outbox::decode(&words[..OUTBOX_WORDS - 1]).is_none());
    }

    #[test]
    fn a_request_is_handled_once() {
        let (sender, other) = (InstanceId::mint(), InstanceId::mint());
        let request = |counter| PeerRequest {
            counter,
            target: other,
            predicted_stem: None,
            confirms_mute: false,
            base: 0,
            gain: Db(0.0),
        };
        let mut handled = HandledRequests::default();
        assert!(handled.insert(sender, &request(5)));
        assert!(!handled.insert(sender, &request(5)));
        assert!(!handled.insert(sender, &request(4)));
        assert!(handled.insert(other, &request(4)));
        assert!(handled.insert(sender, &request(6)));
        for _ in 0..1000 {
            handled.insert(InstanceId::mint(), &request(0));
        }
        assert!(handled.last_counters.len() <= HandledRequests::MAX_SENDERS);
    }
}
