//! What a plugin tells others when the link's thread asks, and what it does when others ask for something.
//!
//! Runs on the link's thread, a few times a second; the audio thread's part is [`super::broadcast`].

use super::analysis::AnalysisShared;
use super::spectrum::Spectrum;
use chain::ChainKind;
use link::bridge::{self, InstanceSource, State};
use link::identity::InstanceId;
use link::order::Order;
use link::request::{Answer, Request, Verdict};
use link::snapshot::{Format, InstanceInfo, Kind, StemReadings, Trim};
use link::summary::{Placement, Summary};
use link::words::Text;
use link::{BRIDGE, PeerView, ROSTER, SessionId};
use meter::Reading;
use plugin_core::board::{Board, Seen};
use plugin_core::document::Identity;
use plugin_core::gauges::Gauges;
use plugin_core::room::{OPEN_TWICE, OTHER_VERSION};
use plugin_core::track::Track;
use plugin_core::{ChainParams, Output};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;
use units::Ms;

/// From this many hops on, integrated figures are derived once a second only: gates go over all of them.
const LONG: u64 = 36_000;

/// An instance's voice in the link.
pub struct LinkPublisher<O: Output> {
    params: Arc<ChainParams<O>>,
    gauges: Arc<Gauges>,
    track: Arc<Track>,
    board: Arc<Board>,
    format: Format,
    /// The instance as others see it, once it has joined.
    me: OnceLock<PeerView>,
    /// A number for this life, to which changes of the trim are added: no request of a former life fits.
    base: u64,
    answer: Mutex<Option<Answer>>,
    reading: Mutex<Read>,
    spectrum: Mutex<Spectrum>,
    /// A Master's.
    studio: Option<Arc<AnalysisShared>>,
}

/// A reading, and what the gauges had when it was derived.
#[derive(Clone, Copy, Default)]
struct Read {
    hops: u64,
    heard: Ms,
    reading: Reading,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // plain values: whoever panicked left them whole
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<O: Output> LinkPublisher<O> {
    /// The voice of a plugin that `format` has loaded; `studio` of a Master.
    pub fn new(
        params: Arc<ChainParams<O>>,
        gauges: Arc<Gauges>,
        track: Arc<Track>,
        board: Arc<Board>,
        format: Format,
        studio: Option<Arc<AnalysisShared>>,
    ) -> Self {
        Self {
            params,
            gauges,
            track,
            board,
            format,
            me: OnceLock::new(),
            base: link::identity::unique().get(),
            answer: Mutex::default(),
            reading: Mutex::default(),
            spectrum: Mutex::default(),
            studio,
        }
    }

    /// The instance has joined as `me`: its state says so from now on.
    pub fn joined(&self, me: PeerView) {
        // there is one life per voice
        let _ = self.me.set(me);
        self.remember(None);
    }

    /// Keeps id and session in the state; the id may have changed, because a duplicate elsewhere is older.
    fn remember(&self, belongs_to: Option<SessionId>) {
        let Some(id) = self.me.get().and_then(PeerView::id) else { return };
        let saved = self.params.store.identity();
        let number = |id: u64| std::num::NonZeroU64::new(id);
        let session = belongs_to.and_then(|session| number(session.get())).or(saved.session);
        self.params.store.live_as(Identity { instance: number(id.get()), session });
    }

    fn session(&self) -> Option<SessionId> {
        self.params.store.identity().session.and_then(|session| SessionId::new(session.get()))
    }

    /// Looks for the Master that sums this Stem, and shows what it says.
    fn look_for_master(&self) {
        let Some(id) = self.me.get().and_then(PeerView::id) else { return };
        let masters = ROSTER.peers().filter_map(|peer| {
            let label = peer.label().filter(|label| label.kind == Kind::Master)?;
            let summary = peer.summary()?;
            let stem = *summary.stems().find(|stem| stem.stem == id)?;
            Some((label, summary, stem))
        });
        // of several the one of before, then the earliest
        let hint = self.session();
        let found = masters.min_by_key(|(label, ..)| (label.session != hint, label.born));
        self.board.show_master(found.as_ref().map(|(_, summary, stem)| Seen {
            stems: summary.stems().count(),
            share: stem.share,
            heard: Ms(1000.0 * summary.heard),
            exact: summary.half_width.is_some_and(|width| width.0 == 0.0),
        }));
        self.remember(found.and_then(|(label, ..)| label.session));
    }

    fn reading(&self) -> Reading {
        let (hops, heard) = (self.gauges.hops(), self.gauges.heard());
        let mut last = lock(&self.reading);
        let pause = if hops > LONG { 10 } else { 1 };
        if hops >= last.hops + pause || heard.0 < last.heard.0 {
            *last = Read { hops, heard, reading: self.gauges.reading() };
        }
        last.reading
    }

    fn trim(&self, offset: units::Db, changes: u64) -> Trim {
        Trim { offset, revision: self.base.wrapping_add(changes), answer: *lock(&self.answer) }
    }
}

impl<O: Output> InstanceSource for LinkPublisher<O> {
    fn label(&self) -> InstanceInfo {
        let kind = match O::CHAIN_KIND {
            ChainKind::Stem => Kind::Stem,
            ChainKind::Master => Kind::Master,
        };
        InstanceInfo {
            kind,
            format: self.format,
            role: self.params.store.role().unwrap_or_else(|| self.track.role()),
            colour: self.track.colour(),
            name: Text::new(&self.track.name()),
            session: self.session(),
            ..InstanceInfo::default()
        }
    }

    fn figures(&self) -> StemReadings {
        match O::CHAIN_KIND {
            ChainKind::Stem => self.look_for_master(),
            ChainKind::Master => {
                self.remember(None);
                // whoever goes on hearing something else has a window open, which may have nothing to draw
                self.board.tend();
            }
        }
        let me = self.me.get();
        let owns = me.is_none_or(|me| ROSTER.owns_session(*me));
        self.board.show_trouble(&trouble(&BRIDGE.state(), owns));
        // what a window has taken back is freed even after it was closed
        self.board.references.collect();
        let (offset, changes) = self.params.store.trim_and_changes();
        // the pulse says what of it is of the moment
        let reading = Reading { momentary: None, short_term: None, ..self.reading() };
        let spectrum = me.map(|me| lock(&self.spectrum).look(*me, Instant::now())).unwrap_or_default();
        let audition = self.base.wrapping_add(self.board.listening.number());
        StemReadings { reading, spectrum, trim: self.trim(offset, changes), audition }
    }

    fn summary(&self) -> Summary {
        let Some(studio) = &self.studio else { return Summary::default() };
        let placement = if self.params.store.is_last() { Placement::Final } else { Placement::Mix };
        Summary { placement, ..studio.summary() }
    }

    fn listens(&self, stem: &PeerView) -> bool {
        self.studio.as_ref().is_some_and(|studio| studio.listens(stem))
    }

    fn hear(&self, order: Option<&Order>) {
        if O::CHAIN_KIND == ChainKind::Stem {
            let number = order.map_or(0, |order| order.base.wrapping_sub(self.base));
            self.board.listening.ask(number, order.map(|order| order.hearing));
        }
    }

    fn consider(&self, sender: InstanceId, request: &Request) {
        match (&self.studio, request.about) {
            (Some(studio), Some(stem)) => studio.ask(sender, request, stem),
            (None, None) => {
                let mut answer = None;
                self.params.store.change_trim(|offset, changes| {
                    let mut trim = self.trim(offset, changes);
                    trim.consider(sender, request);
                    answer = trim.answer;
                    let accepted = answer.is_some_and(|answer| answer.verdict == Verdict::Accepted);
                    accepted.then_some(trim.offset)
                });
                *lock(&self.answer) = answer;
            }
            // nobody asks a Master for a trim, or a Stem what it cannot know
            _ => {}
        }
    }
}

/// What keeps others from being seen, the worst of it; empty if nothing does. `owns`: no earlier Master has the session.
fn trouble(state: &State, owns: bool) -> String {
    if !state.trouble.is_empty() {
        return state.trouble.clone();
    }
    if !owns {
        return OPEN_TWICE.into();
    }
    let mut versions: Vec<String> = state.incompatible.iter().map(u64::to_string).collect();
    versions.sort();
    versions.dedup();
    match versions.len() {
        0 => String::new(),
        _ => format!("{OTHER_VERSION} (link {}, this is {})", versions.join(", "), bridge::VERSION),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugins_of_another_version_are_said_to_be_there_after_what_is_worse() {
        let state = |trouble: &str, versions: &[u64]| State {
            trouble: trouble.into(),
            incompatible: versions.to_vec(),
            ..State::default()
        };
        assert_eq!(trouble(&state("", &[]), true), "");
        let own = bridge::VERSION;
        let words = format!("{OTHER_VERSION} (link 2, 3, this is {own})");
        assert_eq!(trouble(&state("", &[2, 2, 3]), true), words);
        assert_eq!(trouble(&state("", &[2]), false), OPEN_TWICE);
        assert_eq!(trouble(&state("no folder", &[2]), false), "no folder");
    }
}
