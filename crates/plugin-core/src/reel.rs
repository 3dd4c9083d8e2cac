//! Another song on its way to the audio thread and back: handed over without locks, freed by somebody else.

use rtrb::{Consumer, Producer, RingBuffer};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use units::Hz;

/// What waits on either way.
const WAITING: usize = 8;

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
        write!(f, "Reel({} frames from {} at {} Hz)", self.frames.len(), self.start, self.rate.0)
    }
}

/// Which part of a song is played, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlayMode {
    /// From here to there again and again, whatever the transport does; frames of the reel.
    Again(usize, usize),
    /// Along with the transport, from the beginning at this frame of the timeline, and from the beginning again when it ends.
    Along(i64),
}

/// What the audio thread is to play.
#[derive(Debug)]
pub struct PlayRequest {
    /// Which song: listening says by this number that it is to be heard.
    pub song: u16,
    /// Its sound.
    pub reel: Arc<ReferenceClip>,
    /// How.
    pub way: PlayMode,
}

/// The way to an audio thread and back.
#[derive(Debug)]
pub struct Exchange {
    outer: Mutex<(Producer<Option<PlayRequest>>, Consumer<PlayRequest>)>,
    inner: Mutex<Option<Inbox>>,
}

impl Default for Exchange {
    fn default() -> Self {
        let ((to, incoming), (retired, back)) = (RingBuffer::new(WAITING), RingBuffer::new(WAITING));
        let inbox = Inbox { incoming, retired };
        Self { outer: Mutex::new((to, back)), inner: Mutex::new(Some(inbox)) }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // whoever panicked left queues whole
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// For every thread but the audio thread.
impl Exchange {
    /// Hands a cue over, or, with `None`, asks for the last one back; false: too many wait, try again.
    pub fn cue(&self, cue: Option<PlayRequest>) -> bool {
        lock(&self.outer).0.push(cue).is_ok()
    }

    /// Frees what the audio thread has given back.
    pub fn collect(&self) {
        let mut outer = lock(&self.outer);
        while outer.1.pop().is_ok() {}
    }

    /// The audio thread's end; there is one.
    pub fn take_inbox(&self) -> Option<Inbox> {
        lock(&self.inner).take()
    }
}

/// The audio thread's end. Neither allocates nor frees, and never waits.
#[derive(Debug)]
pub struct Inbox {
    incoming: Consumer<Option<PlayRequest>>,
    retired: Producer<PlayRequest>,
}

impl Inbox {
    /// Exchanges `held` for the newest cue, if there is one: what it held goes back, to be freed. While there is no room to
    /// give back, nothing is taken.
    pub fn exchange(&mut self, held: &mut Option<PlayRequest>) {
        while !self.incoming.is_empty() && self.retired.slots() > 0 {
            let Ok(next) = self.incoming.pop() else { return };
            if let Some(old) = std::mem::replace(held, next) {
                // there is room
                let _ = self.retired.push(old);
            }
        }
    }

    /// True when there is something newer.
    pub fn has_mail(&self) -> bool {
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

    fn cue(song: u16) -> (PlayRequest, Arc<ReferenceClip>) {
        let reel = Arc::new(ReferenceClip { rate: Hz(48e3), start: 0, frames: Box::new([[0.0; 2]; 4]) });
        (PlayRequest { song, reel: Arc::clone(&reel), way: PlayMode::Along(0) }, reel)
    }

    #[test]
    fn the_newest_cue_is_held_and_the_others_are_freed_by_whoever_collects() {
        let exchange = Exchange::default();
        let mut inbox = exchange.take_inbox().expect("there is one");
        assert!(exchange.take_inbox().is_none(), "and no second");
        let (mut held, mut reels) = (None, Vec::new());
        for song in 0..3 {
            let (cue, reel) = cue(song);
            reels.push(reel);
            assert!(exchange.cue(Some(cue)));
        }
        inbox.exchange(&mut held);
        assert_eq!(held.as_ref().map(|cue| cue.song), Some(2));
        let counts = |reels: &[Arc<ReferenceClip>]| reels.iter().map(Arc::strong_count).collect::<Vec<_>>();
        assert_eq!(counts(&reels), [2, 2, 2], "the audio thread frees nothing");
        exchange.collect();
        assert_eq!(counts(&reels), [1, 1, 2]);
        assert!(exchange.cue(None));
        inbox.exchange(&mut held);
        exchange.collect();
        assert!(held.is_none());
        assert_eq!(counts(&reels), [1, 1, 1]);
    }

    #[test]
    fn what_cannot_be_given_back_is_not_taken() {
        let exchange = Exchange::default();
        let mut inbox = exchange.take_inbox().expect("there is one");
        let mut held = None;
        let mut sent = 0;
        // nobody collects
        for _ in 0..4 * WAITING {
            sent += u16::from(exchange.cue(Some(cue(sent).0)));
            inbox.exchange(&mut held);
        }
        assert_eq!(
            held.as_ref().map(|cue| cue.song),
            Some(WAITING as u16),
            "as many as there is room for, and one"
        );
        assert_eq!(usize::from(sent), 2 * WAITING + 1);
        exchange.collect();
        inbox.exchange(&mut held);
        assert_eq!(held.map(|cue| cue.song), Some(sent - 1));
        inbox.clear();
        assert!(exchange.cue(None));
    }
}
