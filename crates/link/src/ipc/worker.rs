//! Worker thread of the link: round after round until the last local instance has left.

use super::export::InstanceExport;
use super::file_layout::MAX_WANTED_STEMS;
use super::import::{self, InstanceImport};
use super::intervals::Intervals;
use super::member::LocalMember;
use super::runtime_dir::RuntimeDir;
use super::shared::{BridgeShared, BridgeState};
use crate::identity::ProcessIdentity;
use crate::records::InstanceKind;
use crate::request::HandledRequests;
use crate::roster::PeerView;
use crate::slot::Presence;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Runs until the bridge has no members.
pub(super) fn run(shared: &'static BridgeShared, process: ProcessIdentity, folders: Vec<PathBuf>) {
    let outcome = catch_unwind(AssertUnwindSafe(|| LinkWorker::new(shared, process, folders).run()));
    if outcome.is_err() {
        let fault = "the link has failed: reload the plugin".into();
        *shared.state.lock() = BridgeState { fault, ..BridgeState::default() };
    }
}

/// State of the worker thread.
struct LinkWorker {
    shared: &'static BridgeShared,
    process: ProcessIdentity,
    /// Folders to meet in, in order of preference.
    folders: Vec<PathBuf>,
    locals: Vec<LocalInstance>,
    /// The folder in use; `None` while none works.
    runtime_dir: Option<RuntimeDir>,
    /// Time of the next attempt to open a folder.
    next_attempt: Instant,
    /// Time of the next attempt to write audio, after there was no space for it.
    next_audio_attempt: Option<Instant>,
    /// Time of the next listing of the folder.
    next_scan: Instant,
    /// Time of the next exchange of records.
    next_records: Instant,
}

/// The worker's memory of a local instance.
struct LocalInstance {
    member: Arc<LocalMember>,
    handled: HandledRequests,
    /// The last count of blocks.
    blocks: u64,
    /// Time at which the count was last seen to change.
    last_block: Instant,
    export: Option<InstanceExport>,
}

impl LinkWorker {
    fn new(shared: &'static BridgeShared, process: ProcessIdentity, folders: Vec<PathBuf>) -> Self {
        let now = Instant::now();
        Self {
            shared,
            process,
            folders,
            locals: Vec::new(),
            runtime_dir: None,
            next_attempt: now,
            next_audio_attempt: None,
            next_scan: now,
            next_records: now,
        }
    }

    fn run(&mut self) {
        let mut is_woken = true;
        while self.update_members() {
            let is_audio_exchanged = self.run_round(Instant::now(), is_woken);
            let pause = if is_audio_exchanged {
                self.shared.intervals.audio
            } else {
                self.next_records.saturating_duration_since(Instant::now())
            };
            let before = Instant::now();
            std::thread::park_timeout(pause);
            is_woken = before.elapsed() < pause;
        }
    }

    /// Updates the local instances to the bridge's members; `false` if there are none.
    fn update_members(&mut self) -> bool {
        let members = self.shared.members.lock().clone();
        let now = Instant::now();
        self.locals.retain(|local| members.iter().any(|member| Arc::ptr_eq(member, &local.member)));
        for member in &members {
            if !self.locals.iter().any(|local| Arc::ptr_eq(member, &local.member)) {
                self.locals.push(LocalInstance {
                    member: Arc::clone(member),
                    handled: HandledRequests::default(),
                    blocks: 0,
                    last_block: now,
                    export: None,
                });
            }
        }
        !members.is_empty()
    }

    /// Runs one round; true if audio is exchanged. Records are exchanged when they are due or the worker was woken.
    fn run_round(&mut self, now: Instant, is_woken: bool) -> bool {
        let shared = self.shared;
        let with_records = is_woken || now >= self.next_records;
        if with_records {
            self.locals.iter_mut().for_each(|local| local.refresh(shared, now));
        }
        self.open_runtime_dir(now);
        let Some(runtime_dir) = &mut self.runtime_dir else {
            self.next_records = now + shared.intervals.idle;
            return false;
        };
        if now >= self.next_scan {
            self.next_scan = now + shared.intervals.idle;
            let incompatible = runtime_dir.scan(now);
            shared.state.lock().incompatible = incompatible;
        }
        if with_records {
            runtime_dir
                .imports
                .retain_mut(|import| import.poll_record(shared.roster, now, &shared.intervals));
            self.renew_duplicate_ids();
        }
        let is_audio_exchanged = self.exchange(now, with_records).unwrap_or_else(|error| {
            self.close_after(now, &error);
            false
        });
        if with_records {
            let Intervals { records, idle, .. } = shared.intervals;
            self.next_records = now + if is_audio_exchanged { records } else { idle };
        }
        is_audio_exchanged
    }

    /// Opens the first folder that works, if none is open or the open one was removed.
    fn open_runtime_dir(&mut self, now: Instant) {
        let exports = || self.locals.iter().filter_map(|local| local.export.as_ref());
        let is_in_place = |dir: &RuntimeDir| dir.is_in_place() && exports().all(InstanceExport::is_in_place);
        if self.runtime_dir.as_ref().is_some_and(|dir| !is_in_place(dir)) {
            self.close_runtime_dir();
        }
        if self.runtime_dir.is_some() || now < self.next_attempt {
            return;
        }
        let mut fault = String::new();
        for path in &self.folders {
            match RuntimeDir::open(path, self.process) {
                Ok(runtime_dir) => {
                    *self.shared.state.lock() =
                        BridgeState { folder: Some(path.clone()), ..BridgeState::default() };
                    self.runtime_dir = Some(runtime_dir);
                    return;
                }
                Err(error) => fault = fault_text(path, &error),
            }
        }
        self.next_attempt = now + self.shared.intervals.retry;
        *self.shared.state.lock() = BridgeState { fault, ..BridgeState::default() };
    }

    fn close_runtime_dir(&mut self) {
        self.runtime_dir = None;
        self.locals.iter_mut().for_each(|local| local.export = None);
    }

    /// Closes the folder and reports the error; the next attempt is made after a while.
    fn close_after(&mut self, now: Instant, error: &io::Error) {
        let path = self.runtime_dir.as_ref().map(|dir| dir.folder.path().to_owned()).unwrap_or_default();
        self.close_runtime_dir();
        self.next_attempt = now + self.shared.intervals.retry;
        *self.shared.state.lock() = BridgeState { fault: fault_text(&path, error), ..BridgeState::default() };
    }

    /// Gives new ids to local instances whose id an older instance of another process has.
    fn renew_duplicate_ids(&mut self) {
        let Some(runtime_dir) = &self.runtime_dir else { return };
        for (id, theirs) in runtime_dir.imports.iter().filter_map(InstanceImport::seniority) {
            for local in &self.locals {
                let mut control_writer = local.member.control_writer.lock();
                let ours = (local.member.origin.born, local.member.key);
                if control_writer.view().id() == Some(id) && theirs < ours {
                    control_writer.renew_id();
                }
            }
        }
    }

    /// Writes records and, where another process needs it, audio of local instances; reads the audio that is needed
    /// here. True if audio is exchanged.
    fn exchange(&mut self, now: Instant, with_records: bool) -> io::Result<bool> {
        let Some(runtime_dir) = &mut self.runtime_dir else { return Ok(false) };
        let mut is_audio_exchanged = false;
        let mut all_wanted = Vec::new();
        for local in &mut self.locals {
            let wanted = local.wanted_stems(&runtime_dir.imports);
            all_wanted.extend(wanted.into_iter().filter(|&key| key != 0));
            let export = match &mut local.export {
                Some(export) => export,
                none => none.insert(runtime_dir.create_export(local.member.key)?),
            };
            let peer = local.member.control_writer.lock().view();
            if with_records {
                export.write_record(peer, wanted)?;
            }
            let key = local.member.key;
            let is_heard = runtime_dir.imports.iter().any(|import| import.wants_audio_of(key));
            let has_space = self.next_audio_attempt.is_none_or(|time| now >= time);
            let ring = peer.audio().filter(|_| is_heard && has_space);
            match ring.map(|ring| export.write_audio(ring)) {
                None => export.stop_audio(),
                Some(Ok(())) => {}
                Some(Err(error)) => {
                    export.stop_audio();
                    self.next_audio_attempt = Some(now + self.shared.intervals.retry);
                    self.shared.state.lock().fault = fault_text(runtime_dir.folder.path(), &error);
                }
            }
            is_audio_exchanged |= export.is_writing_audio();
        }
        if self.next_audio_attempt.is_some_and(|time| now >= time) {
            self.next_audio_attempt = None;
            self.shared.state.lock().fault.clear();
        }
        for import in &mut runtime_dir.imports {
            if all_wanted.contains(&import.key()) {
                import.read_audio();
                is_audio_exchanged = true;
            } else {
                import.stop_audio();
            }
        }
        let locals = &self.locals;
        runtime_dir.remove_unused_exports(|name| locals.iter().any(|local| local.is_exported_as(name)));
        Ok(is_audio_exchanged)
    }
}

impl LocalInstance {
    /// Has the source keep house, passes requests and audition order to it, publishes its values, and updates its presence.
    fn refresh(&mut self, shared: &BridgeShared, now: Instant) {
        let LocalMember { source, control_writer, .. } = &*self.member;
        source.housekeep();
        let peer = control_writer.lock().view();
        let id = peer.id();
        let requests = id.map(|id| shared.roster.requests_for(id)).unwrap_or_default();
        for (sender, request) in &requests {
            if self.handled.insert(*sender, request) {
                source.handle_request(*sender, request);
            }
        }
        source.apply_audition(id.and_then(|id| shared.roster.order_for(id)).as_ref());
        let (info, readings, summary) = (self.member.info(), source.readings(), source.summary());
        let blocks = peer.block_status().map_or(0, |status| status.blocks);
        if blocks != self.blocks {
            self.blocks = blocks;
            self.last_block = now;
        }
        let is_asleep = now.saturating_duration_since(self.last_block) >= shared.intervals.asleep_after;
        let mut control_writer = control_writer.lock();
        control_writer.publish_info(&info);
        control_writer.publish_readings(&readings);
        control_writer.publish_summary(&summary);
        control_writer.set_presence(if is_asleep { Presence::Asleep } else { Presence::Awake });
    }

    /// Keys of the Stems of other processes whose audio the instance needs.
    fn wanted_stems(&self, imports: &[InstanceImport]) -> [u64; MAX_WANTED_STEMS] {
        let is_stem = |peer: &PeerView| peer.info().is_some_and(|info| info.kind == InstanceKind::Stem);
        import::wanted_stems(imports, |peer| is_stem(peer) && self.member.source.wants_audio(peer))
    }

    fn is_exported_as(&self, name: &str) -> bool {
        self.export.as_ref().is_some_and(|export| export.name() == name)
    }
}

/// Text for a folder that cannot be used: path, error, cure.
fn fault_text(path: &Path, error: &io::Error) -> String {
    let path = path.display();
    let cure = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room there",
        io::ErrorKind::PermissionDenied => "remove it, or change its owner to yourself",
        _ => "check that it is a folder of yours",
    };
    format!("no link to other processes: {path}: {error}; {cure}")
}
