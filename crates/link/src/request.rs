//! What a Master asks of a Stem, and what the Stem answers. Plain values.
//!
//! A request is posted in the sender's [`Outbox`] for all to see; its target looks there. It names the revision of the
//! trim that the person saw who made it: if the Stem has moved on since, it is refused. So a request acts once, in
//! whatever order requests of several senders are seen.
//!
//! A Master is asked in the same way what a move of one of its stems would change; its answer is in its
//! [`super::summary::Summary`].

use super::identity::InstanceId;
use super::order::{ORDERS_WORDS, Order, Orders};
use super::snapshot::Trim;
use super::words::{Decoder, Encoder, Record};
pub use session::solve::MAX_TRIM;
use units::Db;

/// Requests that stay in an outbox: a Master may ask all of its stems at once.
pub const REQUESTS: usize = 32;

/// A change of a Stem's remote trim, made by a person at a Master; or what a Master is asked to predict.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Request {
    /// Grows with every request of a sender.
    pub counter: u64,
    /// Who is asked: the Stem, or the Master that is to predict.
    pub target: InstanceId,
    /// The stem whose move a Master is to predict; `None` asks a Stem for a trim.
    pub about: Option<InstanceId>,
    /// The revision of the target's trim that the person saw.
    pub base: u64,
    /// The trim that is wanted; of a prediction the move.
    pub trim: Db,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Who asked.
    pub sender: InstanceId,
    /// The request's counter.
    pub counter: u64,
    /// Whether it was done.
    pub verdict: Verdict,
}

/// Whether a request was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The trim is what was asked for.
    Accepted,
    /// The trim had changed meanwhile: nothing was done.
    Stale,
}

impl Verdict {
    pub(super) const ALL: [Self; 2] = [Self::Accepted, Self::Stale];
}

impl Trim {
    /// A trim of `offset` that no request made so far may change.
    pub fn new(offset: Db) -> Self {
        Self { offset, revision: super::identity::unique().get(), answer: None }
    }

    /// The Stem's own user has set it, or taken it into the parameter: requests on their way become stale.
    pub fn set(&mut self, offset: Db) {
        self.offset = Db(offset.0.clamp(-MAX_TRIM.0, MAX_TRIM.0));
        self.revision = self.revision.wrapping_add(1);
    }

    /// Takes the request of `sender` or refuses it, and remembers the answer.
    pub fn consider(&mut self, sender: InstanceId, request: &Request) {
        let verdict = if request.base == self.revision { Verdict::Accepted } else { Verdict::Stale };
        if verdict == Verdict::Accepted {
            self.set(request.trim);
        }
        self.answer = Some(Answer { sender, counter: request.counter, verdict });
    }
}

/// The last requests of a sender, and what it orders.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outbox {
    /// Newest last; by counter modulo [`REQUESTS`] they would be overwritten.
    requests: [Option<Request>; REQUESTS],
    next: u64,
    orders: Orders,
}

/// Words of an [`Outbox`].
pub const OUTBOX_WORDS: usize = 1 + 5 * REQUESTS + ORDERS_WORDS;

impl Outbox {
    /// An empty outbox. `first` is the first request's counter: later than any that a former life of the sender used,
    /// so the time will do.
    pub fn new(first: u64) -> Self {
        Self { requests: [None; REQUESTS], next: first, orders: Orders::default() }
    }

    /// Posts a request and returns its counter.
    pub fn post(&mut self, target: InstanceId, base: u64, trim: Db) -> u64 {
        self.add(Request { counter: self.next, target, about: None, base, trim })
    }

    /// Posts a question to a Master: what a move of `stem` would change. Returns its counter.
    pub fn post_question(&mut self, master: InstanceId, stem: InstanceId, gain: Db) -> u64 {
        self.add(Request { counter: self.next, target: master, about: Some(stem), base: 0, trim: gain })
    }

    fn add(&mut self, request: Request) -> u64 {
        self.next = self.next.wrapping_add(1);
        self.requests.rotate_left(1);
        self.requests[REQUESTS - 1] = Some(request);
        request.counter
    }

    /// The requests to `target`, oldest first.
    pub fn requests_to(&self, target: InstanceId) -> impl Iterator<Item = &Request> {
        self.requests.iter().flatten().filter(move |request| request.target == target)
    }

    /// Orders this and nothing else from now on.
    pub fn order(&mut self, orders: Orders) {
        self.orders = orders;
    }

    /// The order for `target`.
    pub fn order_to(&self, target: InstanceId) -> Option<&Order> {
        self.orders.to(target)
    }
}

impl Record for Outbox {
    fn write(&self, pen: &mut Encoder<'_>) {
        pen.word(self.next);
        for request in &self.requests {
            pen.word(request.map_or(0, |request| request.target.get()));
            pen.word(request.and_then(|request| request.about).map_or(0, InstanceId::get));
            pen.word(request.map_or(0, |request| request.counter));
            pen.word(request.map_or(0, |request| request.base));
            pen.number(request.map_or(0.0, |request| request.trim.0));
        }
        self.orders.write(pen);
    }

    fn read(eye: &mut Decoder<'_>) -> Option<Self> {
        let mut outbox = Self::new(eye.word()?);
        for place in &mut outbox.requests {
            let target = InstanceId::new(eye.word()?);
            let about = InstanceId::new(eye.word()?);
            let (counter, base, trim) = (eye.word()?, eye.word()?, eye.db()?);
            *place = target.map(|target| Request { counter, target, about, base, trim });
        }
        outbox.orders = Record::read(eye)?;
        Some(outbox)
    }
}

/// What a Stem has seen of all outboxes.
#[derive(Clone, Debug, Default)]
pub struct Inbox {
    /// The last counter of each sender.
    seen: Vec<(InstanceId, u64)>,
}

impl Inbox {
    /// Senders that are remembered: more than a roster has places.
    const SENDERS: usize = 256;

    /// Whether `request` of `sender` has not been seen before; from now on it has.
    pub fn is_new(&mut self, sender: InstanceId, request: &Request) -> bool {
        match self.seen.iter_mut().find(|(known, _)| *known == sender) {
            Some((_, last)) if *last >= request.counter => false,
            Some((_, last)) => {
                *last = request.counter;
                true
            }
            None => {
                if self.seen.len() == Self::SENDERS {
                    self.seen.remove(0);
                }
                self.seen.push((sender, request.counter));
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
    fn a_request_acts_once_and_only_on_what_its_sender_saw() {
        let (me, sender) = (InstanceId::mint(), InstanceId::mint());
        let mut trim = Trim::new(Db(0.0));
        let request = Request { counter: 1, target: me, about: None, base: trim.revision, trim: Db(3.0) };
        trim.consider(sender, &request);
        assert_eq!(trim.offset, Db(3.0));
        assert_eq!(trim.answer, Some(Answer { sender, counter: 1, verdict: Verdict::Accepted }));
        let revision = trim.revision;
        trim.consider(sender, &Request { counter: 2, trim: Db(-9.0), ..request });
        assert_eq!((trim.offset, trim.revision), (Db(3.0), revision));
        assert_eq!(trim.answer.map(|answer| answer.verdict), Some(Verdict::Stale));
        trim.set(Db(1.0));
        trim.consider(sender, &Request { base: revision, ..request });
        assert_eq!(trim.offset, Db(1.0), "the Stem's user came first");
    }

    #[test]
    fn a_trim_stays_in_its_range() {
        let mut trim = Trim::new(Db(0.0));
        let target = InstanceId::mint();
        let request = Request { counter: 1, target, about: None, base: trim.revision, trim: Db(1e9) };
        trim.consider(InstanceId::mint(), &request);
        assert_eq!(trim.offset, MAX_TRIM);
    }

    #[test]
    fn an_outbox_keeps_as_many_as_it_can_and_comes_back() {
        let (drums, bass) = (InstanceId::mint(), InstanceId::mint());
        let mut outbox = Outbox::new(100);
        let posted = REQUESTS as u64 + 4;
        for n in 0..posted {
            let target = if n % 2 == 0 { drums } else { bass };
            assert_eq!(outbox.post(target, n, Db(n as f64)), 100 + n);
        }
        assert_eq!(outbox.post_question(drums, bass, Db(2.0)), 100 + posted);
        let words: [u64; OUTBOX_WORDS] = outbox.encode();
        let back = Outbox::decode(&words).unwrap();
        assert_eq!(back, outbox);
        let counters: Vec<u64> = back.requests_to(drums).map(|request| request.counter).collect();
        let kept: Vec<u64> = (105..=100 + posted).filter(|counter| counter % 2 == 0).collect();
        assert_eq!(counters, kept);
        assert_eq!(back.requests_to(drums).last().unwrap().about, Some(bass));
        assert!(Outbox::decode(&words[..OUTBOX_WORDS - 1]).is_none());
    }

    #[test]
    fn a_request_is_new_once() {
        let (sender, other) = (InstanceId::mint(), InstanceId::mint());
        let request = |counter| Request { counter, target: other, about: None, base: 0, trim: Db(0.0) };
        let mut inbox = Inbox::default();
        assert!(inbox.is_new(sender, &request(5)));
        assert!(!inbox.is_new(sender, &request(5)));
        assert!(!inbox.is_new(sender, &request(4)));
        assert!(inbox.is_new(other, &request(4)));
        assert!(inbox.is_new(sender, &request(6)));
        for _ in 0..1000 {
            inbox.is_new(InstanceId::mint(), &request(0));
        }
        assert!(inbox.seen.len() <= Inbox::SENDERS);
    }
}
