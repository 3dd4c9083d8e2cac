//! What a plugin and its window share beside parameters and gauges: what the link says, and what is asked of it.
//!
//! The link writes and the window reads plain values; nobody waits for an audio thread.

use super::document::songs::SongRange;
use super::listening::Listening;
use super::reel::Exchange;
use super::room::{History, Proposal, StemCard, TrimWish};
use super::sheet::Sheet;
use super::whereabouts::Whereabouts;
use crate::session::prediction::Prediction;
use crate::session::record::StemId;
use crate::session::view::Session;
use crate::units::{Lufs, Ms};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
pub struct Deeds {
    /// A move to be predicted.
    pub proposal: Option<Proposal>,
    /// Stems whose mute is meant.
    pub muted: Vec<StemId>,
    /// Whom the rest of the mix follows has changed.
    pub follows: bool,
    /// The songs have changed.
    pub songs: bool,
}

impl Deeds {
    /// Nothing was done.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Where wishes go.
type Post = dyn Fn(TrimWish) + Send + Sync;

/// The Stems in reach as they are at the moment, and whether another Master of the session sits last.
type Look = dyn Fn() -> (Vec<StemCard>, bool) + Send + Sync;

/// The session as it is set at the moment.
type Account = dyn Fn() -> Sheet + Send + Sync;

/// The board.
#[derive(Default)]
pub struct Board {
    /// What is heard instead of the output.
    pub listening: Listening,
    /// Songs to be heard instead of it.
    pub references: Exchange,
    /// Where the transport is.
    pub whereabouts: Whereabouts,
    master: Mutex<Master>,
    room: Mutex<Option<Arc<Room>>>,
    trouble: Mutex<String>,
    post: Mutex<Option<Box<Post>>>,
    look: Mutex<Option<Box<Look>>>,
    account: Mutex<Option<Box<Account>>>,
    deeds: Mutex<Deeds>,
    follows: Mutex<Option<StemId>>,
    songs: Mutex<Vec<SongRange>>,
    nested: Mutex<Vec<(StemId, StemId)>>,
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
    pub fn ask(&self, wish: TrimWish) {
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

    /// The session as it is set at the moment, for export; `None` without a link.
    pub fn sheet(&self) -> Option<Sheet> {
        lock(&self.account).as_ref().map(|account| account())
    }

    /// From now on that is how the session is set.
    pub fn account_by(&self, account: impl Fn() -> Sheet + Send + Sync + 'static) {
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
    pub fn take_deeds(&self) -> Deeds {
        std::mem::take(&mut *lock(&self.deeds))
    }

    /// From now on wishes go there.
    pub fn post_to(&self, post: impl Fn(TrimWish) + Send + Sync + 'static) {
        *lock(&self.post) = Some(Box::new(post));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::document::songs::with_song;
    use crate::units::Db;

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
            Deeds { proposal: Some(proposal), muted: vec![StemId(3)], follows: true, songs: false };
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
        let wish = TrimWish { stem: StemId(7), base: 1, trim: Db(-2.0) };
        board.ask(wish);
        let (sender, receiver) = std::sync::mpsc::channel();
        board.post_to(move |wish| sender.send(wish).expect("somebody listens"));
        board.ask(wish);
        assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [wish]);
    }
}
