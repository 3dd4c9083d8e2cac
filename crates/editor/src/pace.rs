//! Sixty frames a second on X11. The framework (baseview 0.4.2) draws when the X server's Present extension tells it of a
//! refresh of the screen, and always asks for the second after the one it has just drawn at: thirty frames a second on a
//! usual screen.
//!
//! Answers go to everybody who listens at a window, and carry the number of the request, which counts up. So here is
//! a second connection that hears the answer that a frame is drawn for, and asks for the *next* refresh with the
//! number that the framework will use next. If the framework has asked meanwhile, it takes that answer for its own and draws;
//! its own answer, a refresh later, carries a number that is over by then, and is passed over. If it has not, ours is. It
//! never draws twice at one refresh, whoever asks. A version of it that counts otherwise passes over all of ours.
//!
//! It is all done by the window's own thread, between drawing and showing a frame that something moves in: nothing wakes
//! for it, nothing waits, and what fails (no such extension, a window that is gone) leaves the framework's pace.

use nice_plug_egui::baseview::WindowContext;
use raw_window_handle::{HasWindowHandle, RawWindowHandle};
use x11rb::connection::Connection;
use x11rb::errors::ReplyOrIdError;
use x11rb::protocol::Event;
use x11rb::protocol::present::{CompleteKind, CompleteNotifyEvent, ConnectionExt, EventMask};
use x11rb::rust_connection::RustConnection;

/// A screen that is refreshed more often, microseconds, is fast enough at every second time.
const LEAST_PERIOD: u64 = 12_000;
/// What is longer is no screen's, but a pause.
const MOST_PERIOD: u64 = 100_000;

/// What sets a window's pace.
#[derive(Default)]
pub(super) enum Pace {
    /// Nothing has moved yet.
    #[default]
    Unknown,
    Listening(Box<Listener>),
    /// It cannot be had here.
    Given,
}

impl Pace {
    /// The window is being drawn, and will want to be again at the screen's next refresh.
    pub(super) fn hasten(&mut self, window: &WindowContext) {
        if let Self::Unknown = self {
            let listener = id(window).and_then(|window| Listener::at(window).ok());
            *self = listener.map_or(Self::Given, |listener| Self::Listening(Box::new(listener)));
        }
        if let Self::Listening(listener) = self
            && listener.hasten().is_err()
        {
            *self = Self::Given;
        }
    }
}

/// The number that the X server knows a window by.
fn id(window: &WindowContext) -> Option<u32> {
    match window.window_handle().map(|handle| handle.as_raw()) {
        Ok(RawWindowHandle::Xcb(handle)) => Some(handle.window.get()),
        Ok(RawWindowHandle::Xlib(handle)) => u32::try_from(handle.window).ok(),
        _ => None,
    }
}

/// Hears of refreshes at a window.
pub(super) struct Listener {
    connection: RustConnection,
    window: u32,
    beats: Beats,
}

impl Listener {
    fn at(window: u32) -> Result<Self, ReplyOrIdError> {
        let (connection, _) = RustConnection::connect(None).map_err(|_| ReplyOrIdError::IdsExhausted)?;
        let id = connection.generate_id()?;
        connection.present_select_input(id, window, EventMask::COMPLETE_NOTIFY)?.check()?;
        Ok(Self { connection, window, beats: Beats::default() })
    }

    fn hasten(&mut self) -> Result<(), ReplyOrIdError> {
        while let Some(event) = self.connection.poll_for_event()? {
            match event {
                Event::PresentCompleteNotify(event) if event.kind == CompleteKind::NOTIFY_MSC => {
                    self.beats.heard(Beat::from(event));
                }
                Event::Error(error) => return Err(error.into()),
                _ => {}
            }
        }
        if let Some(Beat { serial, refresh, .. }) = self.beats.next() {
            // not at once, whatever is late: at that refresh, or at the first one after it
            self.connection.present_notify_msc(self.window, serial, refresh, 1, 0)?;
            self.connection.flush()?;
        }
        Ok(())
    }
}

/// An answer: the request's number, and the refresh's, and when that was, microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Beat {
    serial: u32,
    refresh: u64,
    time: u64,
}

impl From<CompleteNotifyEvent> for Beat {
    fn from(event: CompleteNotifyEvent) -> Self {
        Self { serial: event.serial, refresh: event.msc, time: event.ust }
    }
}

/// The answers so far.
#[derive(Debug, Default)]
struct Beats {
    newest: Option<Beat>,
    /// Between two refreshes, microseconds.
    period: Option<u64>,
    /// The number that was last asked for.
    asked: Option<u32>,
}

impl Beats {
    fn heard(&mut self, beat: Beat) {
        let Some(last) = self.newest else {
            self.newest = Some(beat);
            return;
        };
        // what comes a refresh later with an old number is the framework's own answer, which is passed over
        if beat.serial.wrapping_sub(last.serial) as i32 <= 0 {
            return;
        }
        let (refreshes, time) =
            (beat.refresh.saturating_sub(last.refresh), beat.time.saturating_sub(last.time));
        if let Some(period) = time.checked_div(refreshes).filter(|period| *period < MOST_PERIOD) {
            self.period = Some(period);
        }
        self.newest = Some(beat);
    }

    /// What to ask for: number and refresh. Nothing before it is known how fast the screen is, and nothing twice.
    fn next(&mut self) -> Option<Beat> {
        let Beat { serial, refresh, time } = self.newest?;
        let next = Beat { serial: serial.wrapping_add(1), refresh: refresh.wrapping_add(1), time };
        let is_slow = self.period.is_some_and(|period| period >= LEAST_PERIOD);
        if !is_slow || self.asked == Some(next.serial) {
            return None;
        }
        self.asked = Some(next.serial);
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: u64 = 16_667;

    fn beat(serial: u32, refresh: u64, period: u64) -> Beat {
        Beat { serial, refresh, time: 7_000_000 + refresh * period }
    }

    /// The X server and the framework, refresh by refresh: how many frames are drawn at so many of them, and how many of the
    /// answers it hears are of no use to the framework.
    fn drawn(period: u64, refreshes: u64, first: u32, mut wants: impl FnMut(u64) -> bool) -> (u64, u64) {
        let mut beats = Beats::default();
        // requests that wait for their refresh
        let mut waiting = vec![(first, 1)];
        let (mut asked, mut received): (u32, Option<(u32, u64)>) = (first, None);
        let (mut frames, mut passed_over) = (0, 0);
        for refresh in 1..=refreshes {
            let due: Vec<u32> =
                waiting.iter().filter(|(_, at)| *at == refresh).map(|(serial, _)| *serial).collect();
            waiting.retain(|(_, at)| *at > refresh);
            let mut draws = false;
            for serial in due {
                beats.heard(beat(serial, refresh, period));
                // baseview 0.4.2, `handle_present_complete_notify`
                let is_ours =
                    serial == asked && received.is_none_or(|(was, at)| was != serial && refresh > at);
                passed_over += u64::from(!is_ours);
                if is_ours {
                    received = Some((serial, refresh));
                    assert!(!std::mem::replace(&mut draws, true), "twice at one refresh");
                }
            }
            if draws {
                frames += 1;
                if let Some(next) = beats.next() {
                    waiting.push((next.serial, next.refresh));
                }
            }
            // and `handle_present_notify`: only when the last one was answered
            if let Some((serial, at)) = received
                && asked == serial
                && wants(refresh)
            {
                asked = serial.wrapping_add(1);
                waiting.push((asked, (at + 2).max(refresh + 1)));
            }
        }
        (frames, passed_over)
    }

    #[test]
    fn every_refresh_of_a_usual_screen_is_drawn_and_every_second_of_a_fast_one() {
        for first in [0, u32::MAX - 30] {
            let (frames, _) = drawn(PERIOD, 600, first, |_| true);
            assert!((597..=600).contains(&frames), "{frames}");
            // 144 Hz
            let (frames, passed_over) = drawn(6_944, 600, first, |_| true);
            assert!((299..=301).contains(&frames) && passed_over == 0, "{frames}, {passed_over}");
        }
    }

    #[test]
    fn a_window_that_wants_no_frame_gets_none() {
        let (frames, passed_over) = drawn(PERIOD, 600, 0, |refresh| refresh % 60 == 0);
        assert!((10..=12).contains(&frames), "{frames}");
        assert!(passed_over <= 11, "one for each frame: {passed_over}");
    }

    #[test]
    fn the_same_is_never_asked_twice() {
        let mut beats = Beats::default();
        assert_eq!(beats.next(), None);
        beats.heard(beat(4, 10, PERIOD));
        assert_eq!(beats.next(), None, "how fast is the screen?");
        beats.heard(beat(5, 12, PERIOD));
        assert_eq!(beats.next().map(|next| (next.serial, next.refresh)), Some((6, 13)));
        assert_eq!(beats.next(), None);
        // the framework's own answer to a number that is over
        beats.heard(beat(5, 14, PERIOD));
        assert_eq!(beats.next(), None);
    }
}
