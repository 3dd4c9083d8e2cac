//! Another song on its mode to the audio thread and back: handed over without locks, freed by somebody else.

use parking_lot::Mutex;
use rtrb::{Consumer, Producer, RingBuffer};
use std::sync::Arc;
use units::Hz;

/// What waits on either mode.
const QUEUE_CAPACITY: usize = 8;

/// A song in memory, at the rate that it is played at.
pub struct ReferenceClip {
    /// The rate.
    pub rate: Hz,
    /// Which frame of the song its first is.
    pub start: usize,
    /// Left and right.
    pub frames: Box<[[f32; 2]]>,
}

impl std::fmt::Debug for ReferenceClip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ReferenceClip({} frames from {} at {} Hz)", self.frames.len(), self.start, self.rate.0)
    }
}

/// Which part of a song is played, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlayMode {
    /// From here to there again and again, whatever the transport does; frames of the clip.
    Loop(usize, usize),
    /// FollowTransport with the transport, from the beginning at this frame of the timeline, and from the beginning again when it ends.
    FollowTransport(i64),
}

/// What the audio thread is to play.
#[derive(Debug)]
pub struct PlayRequest {
    /// Which song: listening says by this number that it is to be heard.
    pub song: u16,
    /// Its sound.
    pub clip: Arc<ReferenceClip>,
    /// How.
    pub mode: PlayMode,
}

/// The mode to an audio thread and back.
#[derive(Debug)]
pub struct ClipExchange {
    outer: Mutex<(Producer<Option<PlayRequest>>, Consumer<PlayRequest>)>,
    inner: Mutex<Option<ClipInbox>>,
}

impl Default for ClipExchange {
    fn default() -> Self {
        let ((sender, incoming), (retired, back)) =
            (RingBuffer::new(QUEUE_CAPACITY), RingBuffer::new(QUEUE_CAPACITY));
        let inbox = ClipInbox { incoming, retired };
        Self { outer: Mutex::new((sender, back)), inner: Mutex::new(Some(inbox)) }
    }
}

/// For every thread but the audio thread.
impl ClipExchange {
    /// Hands a request over, or, with `None`, asks for the last one back; false: too many wait, try again.
    pub fn send_request(&self, request: Option<PlayRequest>) -> bool {
        self.outer.lock().0.push(request).is_ok()
    }

    /// Frees what the audio thread has given back.
    pub fn free_returned(&self) {
        let mut outer = self.outer.lock();
        while outer.1.pop().is_ok() {}
    }

    /// The audio thread's end; there is one.
    pub fn take_inbox(&self) -> Option<ClipInbox> {
        self.inner.lock().take()
    }
}

/// The audio thread's end. Neither allocates nor frees, and never waits.
#[derive(Debug)]
pub struct ClipInbox {
    incoming: Consumer<Option<PlayRequest>>,
    retired: Producer<PlayRequest>,
}

impl ClipInbox {
    /// Exchanges `held` for the newest request, if there is one: what it held goes back, to be freed. While there is no room to
    /// give back, nothing is taken.
    pub fn take_newest(&mut self, held: &mut Option<PlayRequest>) {
        while !self.incoming.is_empty() && self.retired.slots() > 0 {
            let Ok(next) = self.incoming.pop() else { return };
            if let Some(old) = std::mem::replace(held, next) {
                // there is room
                let _ = self.retired.push(old);
            }
        }
    }

    /// True when there is something newer.
    pub fn has_pending_request(&self) -> bool {
        !self.incoming.is_empty()
    }

    /// Frees what it has, when no audio thread runs.
    pub fn clear(&mut self) {
        while self.incoming.pop().is_ok() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(song: u16) -> (PlayRequest, Arc<ReferenceClip>) {
        let clip = Arc::new(ReferenceClip { rate: Hz(48e3), start: 0, frames: Box::new([[0.0; 2]; 4]) });
        (PlayRequest { song, clip: Arc::clone(&clip), mode: PlayMode::FollowTransport(0) }, clip)
    }

    #[test]
    fn the_newest_cue_is_held_and_the_others_are_freed_by_whoever_collects() {
        let exchange = ClipExchange::default();
        let mut inbox = exchange.take_inbox().expect("there is one");
        assert!(exchange.take_inbox().is_none(), "and no second");
        let (mut held, mut clips) = (None, Vec::new());
        for song in 0..3 {
            let (request, clip) = request(song);
            clips.push(clip);
            assert!(exchange.send_request(Some(request)));
        }
        inbox.take_newest(&mut held);
        assert_eq!(held.as_ref().map(|request| request.song), Some(2));
        let counts = |clips: &[Arc<ReferenceClip>]| clips.iter().map(Arc::strong_count).collect::<Vec<_>>();
        assert_eq!(counts(&clips), [2, 2, 2], "the audio thread frees nothing");
        exchange.free_returned();
        assert_eq!(counts(&clips), [1, 1, 2]);
        assert!(exchange.send_request(None));
        inbox.take_newest(&mut held);
        exchange.free_returned();
        assert!(held.is_none());
        assert_eq!(counts(&clips), [1, 1, 1]);
    }

    #[test]
    fn what_cannot_be_given_back_is_not_taken() {
        let exchange = ClipExchange::default();
        let mut inbox = exchange.take_inbox().expect("there is one");
        let mut held = None;
        let mut sent = 0;
        // nobody collects
        for _ in 0..4 * QUEUE_CAPACITY {
            sent += u16::from(exchange.send_request(Some(request(sent).0)));
            inbox.take_newest(&mut held);
        }
        assert_eq!(
            held.as_ref().map(|request| request.song),
            Some(QUEUE_CAPACITY as u16),
            "as many as there is room for, and one"
        );
        assert_eq!(usize::from(sent), 2 * QUEUE_CAPACITY + 1);
        exchange.free_returned();
        inbox.take_newest(&mut held);
        assert_eq!(held.map(|request| request.song), Some(sent - 1));
        inbox.clear();
        assert!(exchange.send_request(None));
    }
}
