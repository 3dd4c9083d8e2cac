//! Reference clips on their way to the audio thread and back: passed without locks, freed by another thread.

use parking_lot::Mutex;
use rtrb::{Consumer, Producer, RingBuffer};
use std::sync::Arc;
use units::Hz;

/// Capacity of the queue in either direction.
const QUEUE_CAPACITY: usize = 8;

/// Excerpt of a reference song in memory, at the playback rate.
pub struct ReferenceClip {
    /// Sampling rate.
    pub rate: Hz,
    /// Position of the first frame in the song, frames.
    pub start: usize,
    /// Left and right sample of each frame.
    pub frames: Box<[[f32; 2]]>,
}

impl std::fmt::Debug for ReferenceClip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ReferenceClip({} frames from {} at {} Hz)", self.frames.len(), self.start, self.rate.0)
    }
}

/// Played range and its timing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlayMode {
    /// Loops over a range of the clip, from and to, frames, independent of the transport.
    Loop(usize, usize),
    /// Follows the transport: the song starts at this timeline position, frames, and repeats when it ends.
    FollowTransport(i64),
}

/// Request to the audio thread for the playback of a clip.
#[derive(Debug)]
pub struct PlayRequest {
    /// Number by which [`MonitorMode::Reference`](chain::monitor::MonitorMode::Reference) selects the song.
    pub song: u16,
    /// The audio.
    pub clip: Arc<ReferenceClip>,
    /// Range and timing.
    pub mode: PlayMode,
}

/// Queues of clips to an audio thread and back.
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

/// Methods for every thread but the audio thread.
impl ClipExchange {
    /// Sends a request, or with `None` asks for the last one back. Returns false if the queue is full: try again.
    pub fn send_request(&self, request: Option<PlayRequest>) -> bool {
        self.outer.lock().0.push(request).is_ok()
    }

    /// Frees the requests that the audio thread has returned.
    pub fn free_returned(&self) {
        let mut outer = self.outer.lock();
        while outer.1.pop().is_ok() {}
    }

    /// Takes the audio thread's end; `None` if it was taken before.
    pub fn take_inbox(&self) -> Option<ClipInbox> {
        self.inner.lock().take()
    }
}

/// Audio thread's end of the queues. Neither allocates nor frees nor waits.
#[derive(Debug)]
pub struct ClipInbox {
    incoming: Consumer<Option<PlayRequest>>,
    retired: Producer<PlayRequest>,
}

impl ClipInbox {
    /// Replaces `held` by the newest request, if there is one, and returns the replaced ones to be freed. Takes
    /// nothing while the return queue is full.
    pub fn take_newest(&mut self, held: &mut Option<PlayRequest>) {
        while !self.incoming.is_empty() && self.retired.slots() > 0 {
            let Ok(next) = self.incoming.pop() else { return };
            if let Some(old) = std::mem::replace(held, next) {
                // slots were checked above
                let _ = self.retired.push(old);
            }
        }
    }

    /// Returns true if a newer request waits.
    pub fn has_pending_request(&self) -> bool {
        !self.incoming.is_empty()
    }

    /// Frees the waiting requests, while no audio thread runs.
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
    fn the_newest_request_is_held_and_the_others_are_freed_outside_the_audio_thread() {
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
