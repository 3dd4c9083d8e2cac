//! Remote trim: a gain that belongs to a Stem and that Masters may ask to change.

use super::identity::{InstanceId, unique_id};
use super::request::PeerRequest;
pub use session::solve::MAX_TRIM;
use units::Db;

/// A Stem's gain on top of its own level parameter, saved with the Stem.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RemoteTrim {
    /// Gain, at most [`MAX_TRIM`] in either direction.
    pub offset: Db,
    /// Number that differs after every change by anybody; a request names the one that its sender saw.
    pub revision: u64,
    /// Answer to the last request.
    pub answer: Option<TrimAnswer>,
}

/// Answer of a Stem to a request for a trim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrimAnswer {
    /// Sender of the request.
    pub sender: InstanceId,
    /// The request's counter.
    pub counter: u64,
    /// Accepted or refused.
    pub verdict: TrimVerdict,
}

/// Outcome of a request for a trim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrimVerdict {
    /// The trim was set as requested.
    Accepted,
    /// Refused: the trim had changed since its sender saw it.
    Stale,
}

impl TrimVerdict {
    pub(super) const ALL: [Self; 2] = [Self::Accepted, Self::Stale];
}

impl RemoteTrim {
    /// A trim of `offset` that refuses every request made so far.
    pub fn new(offset: Db) -> Self {
        Self { offset, revision: unique_id().get(), answer: None }
    }

    /// Sets the offset, clamped to [`MAX_TRIM`]; requests on their way become stale.
    pub fn set_offset(&mut self, offset: Db) {
        self.offset = Db(offset.0.clamp(-MAX_TRIM.0, MAX_TRIM.0));
        self.revision = self.revision.wrapping_add(1);
    }

    /// Accepts the request of `sender` or refuses it, and stores the answer.
    pub fn answer_request(&mut self, sender: InstanceId, request: &PeerRequest) {
        let is_current = request.base == self.revision;
        let verdict = if is_current { TrimVerdict::Accepted } else { TrimVerdict::Stale };
        if is_current {
            self.set_offset(request.gain);
        }
        self.answer = Some(TrimAnswer { sender, counter: request.counter, verdict });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_acts_once_and_only_on_the_trim_that_its_sender_saw() {
        let (me, sender) = (InstanceId::mint(), InstanceId::mint());
        let mut trim = RemoteTrim::new(Db(0.0));
        let request = PeerRequest {
            counter: 1,
            target: me,
            predicted_stem: None,
            confirms_mute: false,
            base: trim.revision,
            gain: Db(3.0),
        };
        trim.answer_request(sender, &request);
        assert_eq!(trim.offset, Db(3.0));
        assert_eq!(trim.answer, Some(TrimAnswer { sender, counter: 1, verdict: TrimVerdict::Accepted }));
        let revision = trim.revision;
        trim.answer_request(sender, &PeerRequest { counter: 2, gain: Db(-9.0), ..request });
        assert_eq!((trim.offset, trim.revision), (Db(3.0), revision));
        assert_eq!(trim.answer.map(|answer| answer.verdict), Some(TrimVerdict::Stale));
        trim.set_offset(Db(1.0));
        trim.answer_request(sender, &PeerRequest { base: revision, ..request });
        assert_eq!(trim.offset, Db(1.0), "the Stem's user came first");
    }

    #[test]
    fn a_trim_stays_in_its_range() {
        let mut trim = RemoteTrim::new(Db(0.0));
        let target = InstanceId::mint();
        let request = PeerRequest {
            counter: 1,
            target,
            predicted_stem: None,
            confirms_mute: false,
            base: trim.revision,
            gain: Db(1e9),
        };
        trim.answer_request(InstanceId::mint(), &request);
        assert_eq!(trim.offset, MAX_TRIM);
    }
}
