//! Host of a session: Stems, a Master, a transport, automation, and a viewer that asks.

use super::elsewhere::Elsewhere;
use super::route::Mixer;
use crate::link::desk::{Audio, LONGEST, RATE};
use hosttests::host::{standing, transport};
use hosttests::viewer::{Viewer, id};
use hosttests::{Change, Library, MASTER, Plugin, Row, STEM};
use link::summary::{Forecast, SessionSummary};
use link::{InstanceId, ROSTER};
use std::ops::Range;
use std::time::{Duration, Instant};
use units::Db;

/// Frames of a block.
const BLOCK: usize = 1024;
/// Frames that are played before another process is waited for, and how much faster than the song.
const STRIDE: usize = 4 * BLOCK;
const ELSEWHERE_SPEED: f64 = 5.0;
/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Level of a Stem along the song.
#[derive(Clone, Debug)]
pub(super) enum Lane {
    Still,
    /// Frames from which on a level holds; the first is 0.
    Steps(Vec<(usize, Db)>),
    /// A sine of that depth, radians per second and so many frames between values.
    Ride {
        depth: Db,
        rate: f64,
        grid: usize,
    },
}

impl Lane {
    /// Frames of `block` at which the level changes, and the level there.
    fn values(&self, block: &Range<usize>) -> Vec<(usize, Db)> {
        match self {
            Self::Still => Vec::new(),
            Self::Steps(steps) => {
                let first = steps.iter().rfind(|(frame, _)| *frame <= block.start).map(|step| step.1);
                let rest = steps.iter().filter(|(frame, _)| block.start < *frame && *frame < block.end);
                first.map(|level| (block.start, level)).into_iter().chain(rest.copied()).collect()
            }
            Self::Ride { depth, rate, grid } => {
                let level = |frame: usize| *depth * (rate * frame as f64 / RATE).sin();
                let grid = block.clone().filter(|frame| frame % grid == 0);
                grid.map(|frame| (frame, level(frame))).collect()
            }
        }
    }
}

/// A Stem and what is on its bus.
struct Bus {
    /// `None`: in another process, or not there yet.
    plugin: Option<Plugin>,
    /// Its level.
    level: Option<Row>,
    song: Audio,
    lane: Lane,
    /// Frames by which the host stamps it ahead of the Master.
    ahead: i64,
    /// Its last output, along the song.
    output: Audio,
}

impl Bus {
    /// Change of its level at a frame of a block.
    fn level_change(&mut self, at: u32, level: Db) -> Change {
        let (plugin, row) = self.plugin.as_mut().zip(self.level.as_ref()).expect("it is here");
        let value = plugin.parse(row.id, &format!("{:.6}", level.0)).expect("a level");
        Change { at, id: row.id, value }
    }
}

/// A Stem on its bus, to be made.
pub(super) struct BusPlan {
    pub(super) song: Audio,
    pub(super) lane: Lane,
    pub(super) ahead: i64,
    /// Its place when the session begins.
    pub(super) place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Here,
    /// In another process.
    Elsewhere,
    /// It joins later.
    Nowhere,
}

pub(super) struct Rig {
    viewer: Viewer,
    master: Plugin,
    master_id: InstanceId,
    buses: Vec<Bus>,
    elsewhere: Option<Elsewhere>,
    ids: Vec<Option<InstanceId>>,
}

fn make(library: &Library, id: &str, track: &str) -> Plugin {
    let mut plugin = Plugin::on_track(library, id, track).expect("the library has it");
    plugin.open(None, RATE, LONGEST);
    plugin
}

/// A Stem of a session, active.
pub(super) fn make_stem(library: &Library, number: usize) -> Plugin {
    make(library, STEM, &format!("Bus {number}"))
}

/// A block of `audio`.
fn cut(audio: &Audio, block: &Range<usize>) -> Audio {
    audio.iter().map(|side| side[block.clone()].to_vec()).collect()
}

impl Rig {
    /// Opens a session; the Stems of another process are those of the session of `seed`.
    pub(super) fn new(library: &Library, seed: u64, plans: &[BusPlan]) -> Self {
        let mut master = make(library, MASTER, "Mix");
        let has_others = plans.iter().any(|plan| plan.place == Place::Elsewhere);
        let (mut buses, mut ids) = (Vec::new(), Vec::new());
        for (n, plan) in plans.iter().enumerate() {
            let mut plugin = (plan.place == Place::Here).then(|| make_stem(library, n));
            ids.push(plugin.as_mut().map(id));
            buses.push(Bus {
                level: plugin.as_mut().map(|plugin| plugin.row("Level")),
                plugin,
                song: plan.song.clone(),
                lane: plan.lane.clone(),
                ahead: plan.ahead,
                output: plan.song.clone(),
            });
        }
        let viewer = Viewer::new();
        let master_id = id(&mut master);
        viewer.find(master_id);
        let elsewhere = has_others.then(|| Elsewhere::start(seed));
        if let Some(elsewhere) = &elsewhere {
            for (number, id) in elsewhere.stems(&viewer) {
                ids[number] = Some(id);
            }
        }
        Self { viewer, master, master_id, buses, elsewhere, ids }
    }

    /// Adds the Stem of a bus that had none.
    pub(super) fn join(&mut self, library: &Library, stem: usize) {
        let bus = &mut self.buses[stem];
        let plugin = bus.plugin.insert(make_stem(library, stem));
        bus.level = Some(plugin.row("Level"));
        self.ids[stem] = Some(id(plugin));
    }

    /// Last outputs of the Stems, along the song.
    pub(super) fn outputs(&self) -> Vec<Audio> {
        self.buses.iter().map(|bus| bus.output.clone()).collect()
    }

    /// Plays a range of the song, whose beginning the mixer's state is of.
    pub(super) fn play(&mut self, range: Range<usize>, mut mixer: Mixer<'_>) {
        let mut players: Vec<_> =
            self.buses.iter_mut().map(|bus| bus.plugin.as_mut().map(Plugin::lend)).collect();
        let mut master = self.master.lend();
        let start = Instant::now();
        for stride in range.clone().step_by(STRIDE) {
            let stride = stride..range.end.min(stride + STRIDE);
            if let Some(elsewhere) = &mut self.elsewhere {
                elsewhere.play(&stride);
                let played = (stride.end - range.start) as f64 / RATE / ELSEWHERE_SPEED;
                std::thread::sleep(Duration::from_secs_f64(played).saturating_sub(start.elapsed()));
            }
            for at in stride.clone().step_by(BLOCK) {
                let block = at..stride.end.min(at + BLOCK);
                for (bus, player) in self.buses.iter_mut().zip(&mut players) {
                    let mut audio = cut(&bus.song, &block);
                    if let Some(player) = player {
                        let values = bus.lane.values(&block).into_iter();
                        let changes: Vec<Change> = values
                            .map(|(frame, level)| bus.level_change((frame - at) as u32, level))
                            .collect();
                        let seconds = (at as i64 + bus.ahead) as f64 / RATE;
                        player.play_automated(&mut audio, Some(&transport(0, seconds, 120.0)), &changes);
                    }
                    for (output, audio) in bus.output.iter_mut().zip(audio) {
                        output[block.clone()].copy_from_slice(&audio);
                    }
                }
                let stems: Vec<Audio> = self.buses.iter().map(|bus| cut(&bus.output, &block)).collect();
                let mut mix = mixer.mix(&stems, at);
                master.play(&mut mix, Some(&transport(0, at as f64 / RATE, 120.0)));
            }
        }
        self.master.take_back(master);
        for (bus, player) in self.buses.iter_mut().zip(players) {
            if let Some((plugin, player)) = bus.plugin.as_mut().zip(player) {
                plugin.take_back(player);
            }
        }
    }

    /// Processes silence while the transport stands at a frame, for half a second of the host's time.
    pub(super) fn stand(&mut self, at: usize) {
        let until = Instant::now() + Duration::from_millis(500);
        while Instant::now() < until {
            self.process_at_rest(at);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn process_at_rest(&mut self, at: usize) {
        let buses = self.buses.iter_mut().filter_map(|bus| Some((bus.plugin.as_mut()?, bus.ahead)));
        for (plugin, ahead) in buses.chain([(&mut self.master, 0)]) {
            let mut player = plugin.lend();
            let now = standing((at as i64 + ahead) as f64 / RATE);
            player.play(&mut [vec![0.0; BLOCK], vec![0.0; BLOCK]], Some(&now));
            plugin.take_back(player);
        }
    }

    /// A person or the host sets the level of a Stem while nothing plays.
    pub(super) fn set_level(&mut self, stem: usize, level: Db) {
        let bus = &mut self.buses[stem];
        let change = bus.level_change(0, level);
        bus.plugin.as_mut().expect("it is here").flush(&[change]);
    }

    /// Asks a Stem for a trim, as the Master's window does; true once it is done.
    pub(super) fn set_trim(&mut self, stem: usize, trim: Db, at: usize) -> bool {
        let Some(id) = self.ids[stem] else { return false };
        let (start, mut asked) = (Instant::now(), None);
        while start.elapsed() < PATIENCE {
            let present = ROSTER.find(id).and_then(|view| view.stem_readings()).map(|readings| readings.trim);
            if let Some(present) = present {
                if (present.offset - trim).0.abs() < 1e-3 {
                    return true;
                }
                if asked != Some(present.revision) {
                    self.viewer.requester().request_trim(id, present.revision, trim);
                    asked = Some(present.revision);
                }
            }
            self.process_at_rest(at);
            self.buses[stem].plugin.as_mut().expect("it is here").idle();
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    /// A person confirms the mutes of a stem.
    pub(super) fn confirm_mute(&self, stem: usize) {
        let asks = |summary: &SessionSummary| summary.stems().any(|one| one.mute_waits);
        if let Some(id) = self.ids[stem].filter(|_| self.wait(asks)) {
            self.viewer.requester().confirm_mute(self.master_id, id);
            self.wait(|summary| !asks(summary));
        }
    }

    /// Waits for what the Master says; false if it does not say so within the time that a person waits.
    pub(super) fn wait(&self, is: impl Fn(&SessionSummary) -> bool) -> bool {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if ROSTER.find(self.master_id).and_then(|peer| peer.summary()).is_some_and(|now| is(&now)) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    /// The Master's answer to a move, while the host processes at rest at frame `at`; `None`: it does not process.
    pub(super) fn ask(&mut self, stem: usize, gain: Db, at: Option<usize>) -> Option<Forecast> {
        let stem = self.ids[stem]?;
        let counter = self.viewer.requester().request_prediction(self.master_id, stem, gain)?;
        let start = Instant::now();
        loop {
            let seen = self.viewer.find(self.master_id).summary().and_then(|summary| summary.forecast);
            let own = |one: &Forecast| one.counter == counter && one.sender == self.viewer.id();
            match seen.filter(own) {
                Some(forecast) => return Some(forecast),
                None if start.elapsed() > PATIENCE => return None,
                None => {}
            }
            if let Some(at) = at {
                self.process_at_rest(at);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
