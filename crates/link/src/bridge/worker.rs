//! The worker thread: round after round until the last instance has gone.

use super::export::Export;
use super::folder::Folder;
use super::format::WANTS;
use super::import::{self, Import};
use super::lock::{self, Lock};
use super::names;
use super::{Bridge, Member, State};
use crate::identity::ProcessIdentity;
use crate::request::Inbox;
use crate::roster::{order_to, requests_to};
use crate::slot::Presence;
use crate::snapshot::Kind;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// What one round found out.
#[derive(Clone, Copy, Debug, Default)]
struct Round {
    /// Audio crosses the bridge.
    busy: bool,
}

/// Runs until the bridge has no member.
pub(super) fn run(bridge: &'static Bridge, process: ProcessIdentity, places: Vec<PathBuf>) {
    let worked = catch_unwind(AssertUnwindSafe(|| Worker::new(bridge, process, places).work()));
    if worked.is_err() {
        *super::lock(&bridge.state) =
            State { trouble: "the link has failed: reload the plugin".into(), ..State::default() };
    }
}

struct Worker {
    bridge: &'static Bridge,
    process: ProcessIdentity,
    /// Where to meet others, the best first.
    places: Vec<PathBuf>,
    locals: Vec<Local>,
    home: Option<RuntimeDir>,
    /// When a home may be looked for again.
    retry: Instant,
    /// When audio may be written again, if there was no room for it.
    cramped: Option<Instant>,
    /// When the folder is to be listed, and when everything but audio is to be looked at.
    scan: Instant,
    tell: Instant,
}

/// What the worker remembers of an instance here.
struct Local {
    member: Arc<Member>,
    inbox: Inbox,
    /// The last count of blocks, and when it was seen to grow.
    blocks: (u64, Instant),
    export: Option<Export>,
}

/// The folder where processes meet, with all that is ours or known in it. Dropped, it leaves nothing of ours.
struct RuntimeDir {
    folder: Folder,
    lock: Lock,
    process: ProcessIdentity,
    imports: Vec<Import>,
    exported: Vec<String>,
}

impl Drop for RuntimeDir {
    fn drop(&mut self) {
        for name in &self.exported {
            drop(self.folder.remove(name));
        }
        if self.lock.is_in_place() {
            drop(self.folder.remove(&names::lock(self.process.nonce)));
        }
    }
}

impl Worker {
    fn new(bridge: &'static Bridge, process: ProcessIdentity, places: Vec<PathBuf>) -> Self {
        let now = Instant::now();
        let (retry, scan, tell) = (now, now, now);
        Self { bridge, process, places, locals: Vec::new(), home: None, retry, cramped: None, scan, tell }
    }

    fn work(&mut self) {
        let mut woken = true;
        while self.follow_members() {
            let round = self.round(Instant::now(), woken);
            let pause = if round.busy {
                self.bridge.pace.busy
            } else {
                self.tell.saturating_duration_since(Instant::now())
            };
            let before = Instant::now();
            std::thread::park_timeout(pause);
            woken = before.elapsed() < pause;
        }
    }

    /// Takes note of who has come and gone; `false` if nobody is left.
    fn follow_members(&mut self) -> bool {
        let members = super::lock(&self.bridge.members).clone();
        let now = Instant::now();
        self.locals.retain(|local| members.iter().any(|member| Arc::ptr_eq(member, &local.member)));
        for member in &members {
            if !self.locals.iter().any(|local| Arc::ptr_eq(member, &local.member)) {
                self.locals.push(Local {
                    member: Arc::clone(member),
                    inbox: Inbox::default(),
                    blocks: (0, now),
                    export: None,
                });
            }
        }
        !members.is_empty()
    }

    fn round(&mut self, now: Instant, woken: bool) -> Round {
        let telling = woken || now >= self.tell;
        if telling {
            self.locals.iter_mut().for_each(|local| local.refresh(self.bridge, now));
        }
        self.settle(now);
        let Some(home) = &mut self.home else {
            self.tell = now + self.bridge.pace.idle;
            return Round::default();
        };
        if now >= self.scan {
            self.scan = now + self.bridge.pace.idle;
            let incompatible = home.scan(now);
            super::lock(&self.bridge.state).incompatible = incompatible;
        }
        if telling {
            home.imports.retain_mut(|import| import.look(self.bridge.roster, now, &self.bridge.pace));
            self.give_way();
        }
        let round = match self.exchange(now, telling) {
            Ok(round) => round,
            Err(error) => {
                self.fail(now, &error);
                Round::default()
            }
        };
        if telling {
            self.tell = now + if round.busy { self.bridge.pace.telling } else { self.bridge.pace.idle };
        }
        round
    }

    /// Finds a home if there is none, or ours has been taken away.
    fn settle(&mut self, now: Instant) {
        let taken = |home: &RuntimeDir, locals: &[Local]| {
            let exports = || locals.iter().filter_map(|local| local.export.as_ref());
            !home.lock.is_in_place() || !exports().all(Export::is_in_place)
        };
        if self.home.as_ref().is_some_and(|home| taken(home, &self.locals)) {
            self.abandon();
        }
        if self.home.is_some() || now < self.retry {
            return;
        }
        let mut trouble = String::new();
        for place in &self.places {
            match RuntimeDir::open(place, self.process) {
                Ok(home) => {
                    *super::lock(&self.bridge.state) =
                        State { folder: Some(place.clone()), ..State::default() };
                    self.home = Some(home);
                    return;
                }
                Err(error) => trouble = unavailable(place, &error),
            }
        }
        self.retry = now + self.bridge.pace.retry;
        *super::lock(&self.bridge.state) = State { trouble, ..State::default() };
    }

    fn abandon(&mut self) {
        self.home = None;
        self.locals.iter_mut().for_each(|local| local.export = None);
    }

    fn fail(&mut self, now: Instant, error: &io::Error) {
        let place = self.home.as_ref().map(|home| home.folder.path().to_owned()).unwrap_or_default();
        self.abandon();
        self.retry = now + self.bridge.pace.retry;
        *super::lock(&self.bridge.state) = State { trouble: unavailable(&place, error), ..State::default() };
    }

    /// Younger instances here give way to older ones elsewhere with the same id.
    fn give_way(&mut self) {
        let Some(home) = &self.home else { return };
        for (id, theirs) in home.imports.iter().filter_map(Import::seniority) {
            for local in &self.locals {
                let mut card = local.member.card();
                let ours = (local.member.stamp.born, local.member.key);
                if card.peer().id() == Some(id) && theirs < ours {
                    card.rename();
                }
            }
        }
    }

    /// Writes what instances here tell and, where it is wanted, their audio; reads the audio that is wanted here.
    fn exchange(&mut self, now: Instant, telling: bool) -> io::Result<Round> {
        let Some(home) = &mut self.home else { return Ok(Round::default()) };
        let mut round = Round::default();
        let mut wanted = Vec::new();
        for local in &mut self.locals {
            let wants = local.wants(&home.imports);
            wanted.extend(wants.into_iter().filter(|&key| key != 0));
            let export = match &mut local.export {
                Some(export) => export,
                none => none.insert(home.export(local.member.key)?),
            };
            let peer = local.member.card().peer();
            if telling {
                export.tell(peer, wants)?;
            }
            let heard = home.imports.iter().any(|import| import.wants(local.member.key));
            let has_room = self.cramped.is_none_or(|until| now >= until);
            match peer.audio().filter(|_| heard && has_room).map(|ring| export.play(ring)) {
                None => export.hush(),
                Some(Ok(())) => {}
                Some(Err(error)) => {
                    export.hush();
                    self.cramped = Some(now + self.bridge.pace.retry);
                    super::lock(&self.bridge.state).trouble = unavailable(home.folder.path(), &error);
                }
            }
            round.busy |= export.plays();
        }
        if self.cramped.is_some_and(|until| now >= until) {
            self.cramped = None;
            super::lock(&self.bridge.state).trouble.clear();
        }
        for import in &mut home.imports {
            if wanted.contains(&import.key()) {
                import.listen();
                round.busy = true;
            } else {
                import.ignore();
            }
        }
        let here = |name: &String| self.locals.iter().any(|local| local.is_exported_as(name));
        let (kept, left) = std::mem::take(&mut home.exported).into_iter().partition(here);
        home.exported = kept;
        left.iter().for_each(|name: &String| drop(home.folder.remove(name)));
        Ok(round)
    }
}

impl Local {
    /// Has the informant keep house, hands on requests, asks it, and sees whether the instance sleeps.
    fn refresh(&mut self, bridge: &Bridge, now: Instant) {
        let Member { informant, card, .. } = &*self.member;
        informant.housekeep();
        let peer = super::lock(card).peer();
        let requests = peer.id().map(|id| requests_to(bridge.roster, id)).unwrap_or_default();
        for (sender, request) in &requests {
            if self.inbox.is_new(*sender, request) {
                informant.consider(*sender, request);
            }
        }
        informant.hear(peer.id().and_then(|id| order_to(bridge.roster, id)).as_ref());
        let (label, figures, summary) = (self.member.label(), informant.figures(), informant.summary());
        let blocks = peer.pulse().map_or(0, |pulse| pulse.blocks);
        if blocks != self.blocks.0 {
            self.blocks = (blocks, now);
        }
        let stands = now.saturating_duration_since(self.blocks.1) >= bridge.pace.asleep;
        let mut card = super::lock(card);
        card.set_label(&label);
        card.set_figures(&figures);
        card.set_summary(&summary);
        card.set_presence(if stands { Presence::Asleep } else { Presence::Awake });
    }

    fn wants(&self, imports: &[Import]) -> [u64; WANTS] {
        let is_stem = |peer: &crate::PeerView| peer.label().is_some_and(|label| label.kind == Kind::Stem);
        import::wants(imports, |peer| is_stem(peer) && self.member.informant.listens(peer))
    }

    fn is_exported_as(&self, name: &str) -> bool {
        self.export.as_ref().is_some_and(|export| export.name() == name)
    }
}

impl RuntimeDir {
    fn open(place: &Path, process: ProcessIdentity) -> io::Result<Self> {
        let folder = Folder::open_or_make(place)?;
        let lock = Lock::take(&folder, process.nonce)?;
        Ok(Self { folder, lock, process, imports: Vec::new(), exported: Vec::new() })
    }

    fn export(&mut self, key: u64) -> io::Result<Export> {
        // whatever has this name is ours and stale
        drop(self.folder.remove(&names::link(self.process.nonce, key)));
        let export = Export::create(&self.folder, self.process, key)?;
        self.exported.push(export.name().to_owned());
        Ok(export)
    }

    /// Lists the folder: buries the dead, opens what is new. Returns the versions of what is incompatible.
    fn scan(&mut self, now: Instant) -> Vec<u64> {
        let Ok(names) = self.folder.names() else { return Vec::new() };
        let mut owners: Vec<u64> = names.iter().filter_map(|name| names::owner(name)).collect();
        owners.sort_unstable();
        owners.dedup();
        owners.retain(|&owner| owner != self.process.nonce && !lock::bury(&self.folder, owner, &names));
        let lives = |owner: u64| owners.binary_search(&owner).is_ok();
        let mut incompatible = import::follow(&mut self.imports, &self.folder, &names, lives, now);
        incompatible.extend(lock::strangers(&self.folder));
        incompatible
    }
}

fn unavailable(place: &Path, error: &io::Error) -> String {
    let place = place.display();
    let cure = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room there",
        io::ErrorKind::PermissionDenied => "remove it, or make it yours alone",
        _ => "see that it is a folder of yours",
    };
    format!("no link to other processes: {place}: {error}; {cure}")
}
