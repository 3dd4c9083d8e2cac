//! What a plugin and its window share beside parameters and gauges: what the link says, and what is asked of it.
//!
//! The link writes and the window reads plain values; nobody waits for an audio thread.

use super::document::songs::SongRange;
use super::listening::Listening;
use super::reel::Exchange;
use super::room::{History, ListenRequest, Proposal, StemCard, TrimRequest};
use super::sheet::SessionExport;
use super::whereabouts::TransportPosition;
use session::audition::{Audition, Auditions};
use session::prediction::Prediction;
use session::record::StemId;
use session::view::Session;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use units::{Lufs, Ms};

/// What a Master says of a Stem.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Master {
    /// None has been seen.
    #[default]
    Waiting,
    /// One sees this Stem.
    Sees(Seen),
    /// One was there and has gone.
    Lost,
}

/// How a Master sees a Stem.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// Stems in the session, this one included.
    pub stems: usize,
    /// This stem's share of the mix's loudness; `None` before it is known.
    pub share: Option<f64>,
    /// How long a programme the share is of.
    pub heard: Ms,
    /// Predictions are exact, else estimates.
    pub exact: bool,
}

/// What a Master's window shows of its session.
#[derive(Clone, Debug)]
pub struct Room {
    /// The session.
    pub session: Session,
    /// What its stems are called, in its order.
    pub names: Vec<String>,
    /// The last move that was asked for.
    pub prediction: Option<Prediction>,
    /// What leaves the Master without and with that move, and over how much of the song that was simulated.
    pub out: Option<([Lufs; 2], Ms)>,
    /// What was heard of the timeline.
    pub history: History,
}

/// What a person does at a Master that its analysis has to know.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PendingCommands {
    /// A move to be predicted.
    pub proposal: Option<Proposal>,
    /// Stems whose mute is meant.
    pub muted: Vec<StemId>,
    /// Whom the rest of the mix follows has changed.
    pub follows: bool,
    /// The songs have changed.
    pub songs: bool,
}

impl PendingCommands {
    /// Nothing was done.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Where wishes go.
type Post = dyn Fn(TrimRequest) + Send + Sync;

/// Where goes how Stems are to be heard: all of it, every time.
type Hear = dyn Fn(&[ListenRequest]) + Send + Sync;

/// The Stems in reach as they are at the moment, and whether another Master of the session sits last.
type Look = dyn Fn() -> (Vec<StemCard>, bool) + Send + Sync;

/// The session as it is set at the moment.
type Account = dyn Fn() -> SessionExport + Send + Sync;

/// The board.
#[derive(Default)]
pub struct Board {
    /// What is heard instead of the output.
    pub listening: Listening,
    /// Songs to be heard instead of it.
    pub references: Exchange,
    /// Where the transport is.
    pub whereabouts: TransportPosition,
    master: Mutex<Master>,
    room: Mutex<Option<Arc<Room>>>,
    trouble: Mutex<String>,
    post: Mutex<Option<Box<Post>>>,
    look: Mutex<Option<Box<Look>>>,
    account: Mutex<Option<Box<Account>>>,
    deeds: Mutex<PendingCommands>,
    follows: Mutex<Option<StemId>>,
    songs: Mutex<Vec<SongRange>>,
    nested: Mutex<Vec<(StemId, StemId)>>,
    hear: Mutex<Option<Box<Hear>>>,
    auditions: Mutex<Heard>,
}

/// What a person at a Master hears otherwise.
#[derive(Debug, Default)]
struct Heard {
    wanted: Auditions,
    /// What the Stems were asked for.
    asked: Vec<ListenRequest>,
    /// The number of listening when that began: with another one it is over.
    number: u64,
}

impl std::fmt::Debug for Board {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Board").field("master", &self.master).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // plain values: whoever panicked left them whole
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Board {
    /// What a Master says of this Stem.
    pub fn master(&self) -> Master {
        lock(&self.master).clone()
    }

    /// A Master sees this Stem so; `None`: none does.
    pub fn show_master(&self, seen: Option<Seen>) {
        let mut master = lock(&self.master);
        *master = match (seen, &*master) {
            (Some(seen), _) => Master::Sees(seen),
            (None, Master::Waiting) => Master::Waiting,
            (None, _) => Master::Lost,
        };
    }

    /// This Master's session, as known at the moment.
    pub fn room(&self) -> Option<Arc<Room>> {
        lock(&self.room).clone()
    }

    /// This Master's session is known so.
    pub fn show_room(&self, room: Room) {
        *lock(&self.room) = Some(Arc::new(room));
    }

    /// Why instances of other processes are not seen, with a cure; empty if all is well.
    pub fn trouble(&self) -> String {
        lock(&self.trouble).clone()
    }

    /// Says why instances of other processes are not seen.
    pub fn show_trouble(&self, trouble: &str) {
        let mut shown = lock(&self.trouble);
        if *shown != trouble {
            trouble.clone_into(&mut shown);
        }
    }

    /// Asks a Stem for a trim; without a link nothing happens. For a person's action, never for automation.
    pub fn ask(&self, wish: TrimRequest) {
        if let Some(post) = &*lock(&self.post) {
            post(wish);
        }
    }

    /// The Stems in reach as they are at the moment, none without a link; and whether another Master of the session sits
    /// last.
    pub fn look(&self) -> (Vec<StemCard>, bool) {
        lock(&self.look).as_ref().map_or_else(Default::default, |look| look())
    }

    /// From now on Stems are looked at so; costs little, for windows do it with every frame.
    pub fn look_by(&self, look: impl Fn() -> (Vec<StemCard>, bool) + Send + Sync + 'static) {
        *lock(&self.look) = Some(Box::new(look));
    }

    /// A person wants a stem heard otherwise, or no more; `None`: the mix as it is.
    pub fn audition(&self, audition: Option<(StemId, Audition)>) {
        let mut heard = lock(&self.auditions);
        if heard.number != self.listening.number() {
            (heard.wanted, heard.number) = (Auditions::default(), self.listening.number());
        }
        match audition {
            Some((stem, audition)) => heard.wanted.toggle(stem, audition),
            None => heard.wanted = Auditions::default(),
        }
        drop(heard);
        self.tend();
    }

    /// Which stems are heard otherwise.
    pub fn auditions(&self) -> Auditions {
        lock(&self.auditions).wanted.clone()
    }

    /// Asks Stems to be heard as a person at this Master wants them: those that have come since, too, and none any more that has
    /// ended it by itself. Costs next to nothing while the mix is heard as it is.
    pub fn tend(&self) {
        let mut heard = lock(&self.auditions);
        if heard.number != self.listening.number() {
            heard.wanted = Auditions::default();
        }
        if heard.wanted.is_empty() && heard.asked.is_empty() {
            return;
        }
        let (stems, _) = self.look();
        for asked in heard.asked.clone() {
            match stems.iter().find(|stem| stem.id == asked.stem && stem.presence.is_linked()) {
                None => heard.wanted.gone(asked.stem),
                Some(stem) if stem.audition != asked.base => heard.wanted.refused(asked.stem),
                Some(_) => {}
            }
        }
        let wish = |stem: &StemCard| {
            let hearing = heard.wanted.hearing(stem.id, |stem| self.outer(stem))?;
            Some(ListenRequest { stem: stem.id, base: stem.audition, hearing })
        };
        let linked = stems.iter().filter(|stem| stem.presence.is_linked());
        let wishes: Vec<ListenRequest> = linked.filter_map(wish).collect();
        if wishes != heard.asked {
            if let Some(hear) = &*lock(&self.hear) {
                hear(&wishes);
            }
            heard.asked = wishes;
        }
    }

    /// From now on that is how Stems are asked to be heard.
    pub fn hear_by(&self, hear: impl Fn(&[ListenRequest]) + Send + Sync + 'static) {
        *lock(&self.hear) = Some(Box::new(hear));
    }

    /// The session as it is set at the moment, for export; `None` without a link.
    pub fn sheet(&self) -> Option<SessionExport> {
        lock(&self.account).as_ref().map(|account| account())
    }

    /// From now on that is how the session is set.
    pub fn account_by(&self, account: impl Fn() -> SessionExport + Send + Sync + 'static) {
        *lock(&self.account) = Some(Box::new(account));
    }

    /// Stems that sit inside others, each with the one that it is inside.
    pub fn show_nested(&self, nested: Vec<(StemId, StemId)>) {
        *lock(&self.nested) = nested;
    }

    /// The Stem that `stem` sits inside: it is metered, not summed.
    pub fn outer(&self, stem: StemId) -> Option<StemId> {
        lock(&self.nested).iter().find(|(inner, _)| *inner == stem).map(|(_, outer)| *outer)
    }

    /// A move is to be predicted; `None`: none is wanted any more.
    pub fn predict(&self, proposal: Option<Proposal>) {
        lock(&self.deeds).proposal = proposal;
    }

    /// That a stem is missing from the mix is meant.
    pub fn confirm_mute(&self, stem: StemId) {
        lock(&self.deeds).muted.push(stem);
    }

    /// What is in the mix beside the stems is made of this one, or of none.
    pub fn follow(&self, stem: Option<StemId>) {
        *lock(&self.follows) = stem;
        lock(&self.deeds).follows = true;
    }

    /// Of which stem the rest of the mix is made, as a person has said.
    pub fn follows(&self) -> Option<StemId> {
        *lock(&self.follows)
    }

    /// The timeline is divided into these songs.
    pub fn divide(&self, songs: &[SongRange]) {
        let mut kept = lock(&self.songs);
        if *kept != songs {
            *kept = songs.to_vec();
            lock(&self.deeds).songs = true;
        }
    }

    /// The songs that the timeline is divided into.
    pub fn songs(&self) -> Vec<SongRange> {
        lock(&self.songs).clone()
    }

    /// What a person has done since the last call.
    pub fn take_deeds(&self) -> PendingCommands {
        std::mem::take(&mut *lock(&self.deeds))
    }

    /// From now on wishes go there.
    pub fn post_to(&self, post: impl Fn(TrimRequest) + Send + Sync + 'static) {
        *lock(&self.post) = Some(Box::new(post));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::songs::with_song;
    use crate::room::Presence;
    use session::audition::Hearing;
    use units::Db;

    #[test]
    fn a_master_that_goes_is_lost_and_one_that_never_came_is_awaited() {
        let board = Board::default();
        board.show_master(None);
        assert_eq!(board.master(), Master::Waiting);
        board.show_master(Some(Seen { stems: 2, ..Seen::default() }));
        assert!(matches!(board.master(), Master::Sees(Seen { stems: 2, .. })));
        board.show_master(None);
        assert_eq!(board.master(), Master::Lost);
    }

    #[test]
    fn deeds_are_taken_once_and_a_forgotten_move_is_none() {
        let board = Board::default();
        let proposal = Proposal { stem: StemId(7), gain: Db(1.0) };
        board.predict(Some(proposal));
        board.confirm_mute(StemId(3));
        board.follow(Some(StemId(7)));
        let deeds = board.take_deeds();
        let expected =
            PendingCommands { proposal: Some(proposal), muted: vec![StemId(3)], follows: true, songs: false };
        assert_eq!(deeds, expected);
        assert!(board.take_deeds().is_empty() && board.follows() == Some(StemId(7)));
        board.predict(Some(proposal));
        board.predict(None);
        assert!(board.take_deeds().is_empty());
        let songs = with_song(&[], 0.0, 9.0);
        board.divide(&songs);
        assert!(board.take_deeds().songs && board.songs() == songs);
        board.divide(&songs);
        assert!(board.take_deeds().is_empty(), "nothing has changed");
    }

    /// A board with stems, and what they are asked for.
    fn heard(stems: &Arc<Mutex<Vec<StemCard>>>) -> (Board, Arc<Mutex<Vec<ListenRequest>>>) {
        let (board, asked) = (Board::default(), Arc::<Mutex<Vec<ListenRequest>>>::default());
        let (cards, wishes) = (Arc::clone(stems), Arc::clone(&asked));
        board.look_by(move || (lock(&cards).clone(), false));
        board.hear_by(move |all| *lock(&wishes) = all.to_vec());
        board.listening.start(false);
        (board, asked)
    }

    fn stem(id: u64) -> StemCard {
        StemCard { audition: 100 + id, ..StemCard::new(StemId(id), "") }
    }

    fn muted(wishes: &Mutex<Vec<ListenRequest>>) -> Vec<u64> {
        let wishes = lock(wishes);
        assert!(wishes.iter().all(|wish| wish.hearing == Hearing::Muted && wish.base == 100 + wish.stem.0));
        wishes.iter().map(|wish| wish.stem.0).collect()
    }

    #[test]
    fn stems_are_asked_to_be_heard_otherwise_for_as_long_as_it_is_wanted() {
        let stems = Arc::new(Mutex::new(vec![stem(1), stem(2), stem(3)]));
        let (board, asked) = heard(&stems);
        board.audition(Some((StemId(2), Audition::Listen)));
        assert_eq!(muted(&asked), [1, 3]);
        assert!(board.auditions().has(StemId(2), Audition::Listen));
        lock(&stems).push(stem(4));
        board.tend();
        assert_eq!(muted(&asked), [1, 3, 4], "one that has come since");
        lock(&stems)[0].presence = Presence::Gone;
        board.tend();
        assert_eq!(muted(&asked), [3, 4]);
        board.audition(None);
        assert_eq!(muted(&asked), [0; 0]);
        board.audition(Some((StemId(3), Audition::Mute)));
        assert_eq!(muted(&asked), [3]);
        // the Master's host activates it, or it loads a state
        board.listening.end_all();
        board.tend();
        assert!(muted(&asked).is_empty() && board.auditions().is_empty());
        board.audition(Some((StemId(4), Audition::Mute)));
        assert_eq!(muted(&asked), [4], "and begins anew");
    }

    #[test]
    fn a_stem_that_is_heard_as_it_is_again_ends_what_was_wanted_of_it() {
        let stems = Arc::new(Mutex::new(vec![stem(1), stem(2)]));
        let (board, asked) = heard(&stems);
        board.audition(Some((StemId(1), Audition::Mute)));
        lock(&stems)[0].audition += 1;
        board.tend();
        assert!(lock(&asked).is_empty() && board.auditions().is_empty());
        board.audition(Some((StemId(1), Audition::Listen)));
        lock(&stems)[1].audition += 1;
        board.tend();
        assert!(lock(&asked).is_empty() && board.auditions().is_empty(), "left out, it would not be");
        board.audition(Some((StemId(1), Audition::Mute)));
        lock(&stems)[0].presence = Presence::Gone;
        board.tend();
        lock(&stems)[0].presence = Presence::Live;
        board.tend();
        assert!(lock(&asked).is_empty(), "whoever comes in its place is not muted");
    }

    #[test]
    fn stems_are_those_that_the_link_sees() {
        let board = Board::default();
        assert_eq!(board.look(), (Vec::new(), false));
        board.look_by(|| (Vec::new(), true));
        assert_eq!(board.look(), (Vec::new(), true));
    }

    #[test]
    fn wishes_go_where_the_link_takes_them() {
        let board = Board::default();
        let wish = TrimRequest { stem: StemId(7), base: 1, trim: Db(-2.0) };
        board.ask(wish);
        let (sender, receiver) = std::sync::mpsc::channel();
        board.post_to(move |wish| sender.send(wish).expect("somebody listens"));
        board.ask(wish);
        assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [wish]);
    }
}
