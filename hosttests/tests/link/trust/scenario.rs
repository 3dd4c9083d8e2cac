//! Random sessions, by kind.

use super::rig::{BusPlan, Lane, Place};
use super::route::{Leveller, Mute, Ride, Route};
use super::song::{near_copy, part, rms};
use super::truth::Silenced;
use crate::link::desk::{Audio, RATE};
use hosttests::Random;
use std::ops::Range;
use units::{Db, linear};

/// Kinds of sessions: what lies between Stems and Master beside faders and pans, and what host and people do.
pub(super) const KINDS: [&str; 20] = [
    "plain",
    "ride",
    "compressor",
    "limiter",
    "slow: leveller",
    "slow: bus compressor",
    "ducking",
    "slow: ducking",
    "unlinked",
    "removed",
    "level automated",
    "changed at rest",
    "mute",
    "solo",
    "late join",
    "other process",
    "delays",
    "identical",
    "nearly identical",
    "combination",
];

/// Change of a Stem while the transport stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum RestChange {
    /// Its trim, asked for by the Master.
    Trim,
    /// Its level, by a person, where the transport has stopped.
    LevelAtStop,
    /// The same after the host has gone back to the beginning.
    LevelAtStart,
    /// Its level, as the host goes to another place: it reads automation there.
    LevelWithJump,
}

/// Doings of host and people with the song.
#[derive(Clone, Debug)]
pub(super) enum Plan {
    Play,
    /// Plays with a mute that is part of the mix, so many times; a person confirms it if `confirms` says so.
    Mute {
        passes: usize,
        confirms: bool,
    },
    /// Plays with a solo, which is not part of the mix, so many times; before that without, if `is_known` says so.
    Solo {
        passes: usize,
        is_known: bool,
    },
    /// The Stem of bus 1 joins at a frame.
    Join(usize),
    /// Stems change at rest, each by a gain; then a part of the song is played again, from the beginning to a frame.
    Rest {
        change: RestChange,
        stems: Vec<(usize, Db)>,
        again: usize,
    },
}

/// A session.
pub(super) struct Scenario {
    pub(super) kind: &'static str,
    pub(super) buses: Vec<BusPlan>,
    pub(super) route: Route,
    /// Stems that are muted, for good or by a solo.
    pub(super) mute: Option<Mute>,
    pub(super) plan: Plan,
    /// True if the host calls the plugins while the transport stands.
    pub(super) processes_at_rest: bool,
}

fn leveller(random: &mut Random, level: f64, attack: [f64; 2], release: [f64; 2]) -> Leveller {
    Leveller {
        threshold: level * linear(random.between(-3.0, 6.0)),
        ratio: random.between(1.5, 8.0),
        attack: random.between(attack[0], attack[1]),
        release: random.between(release[0], release[1]),
    }
}

fn sign(random: &mut Random) -> f64 {
    random.one_of(&[-1.0, 1.0])
}

/// A level that is automated over so many frames.
fn lane(random: &mut Random, frames: usize) -> Lane {
    if random.chance(0.5) {
        let count = 2 + random.below(5);
        let mut places: Vec<usize> = (1..count).map(|_| random.below(frames)).collect();
        places.sort_unstable();
        let places = std::iter::once(0).chain(places);
        return Lane::Steps(places.map(|frame| (frame, Db(random.between(-9.0, 6.0)))).collect());
    }
    Lane::Ride {
        depth: Db(random.between(1.0, 6.0)),
        rate: random.between(0.1, 1.5),
        grid: 64 << random.below(6),
    }
}

/// A third or less of the song, away from its ends.
fn place(random: &mut Random, frames: usize) -> Range<usize> {
    let length = random.between(0.15, 0.33) * frames as f64;
    let start = random.between(0.1 * frames as f64, 0.9 * frames as f64 - length);
    start as usize..(start + length) as usize
}

impl Scenario {
    /// The session of a seed; the generator goes on to its questions.
    pub(super) fn random(seed: u64) -> (Self, Random) {
        let mut random = Random::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491);
        let kind = KINDS[(seed % KINDS.len() as u64) as usize];
        let (count, seconds) = (3 + random.below(3), 16 + random.below(15));
        let frames = seconds * RATE as usize;
        let stems: Vec<Audio> = (0..count).map(|_| part(&mut random, seconds)).collect();
        let gains = stems.iter().map(|_| [0, 1].map(|_| random.between(0.4, 1.3) as f32)).collect();
        let route = Route {
            gains,
            ride: None,
            insert: None,
            ducker: None,
            bus: None,
            extra: None,
            late: vec![0; count],
        };
        let bus = |song: Audio| BusPlan { song, lane: Lane::Still, ahead: 0, place: Place::Here };
        let mut session = Self {
            kind,
            buses: stems.into_iter().map(bus).collect(),
            route,
            mute: None,
            plan: Plan::Play,
            processes_at_rest: random.chance(0.5),
        };
        if kind == "combination" {
            let all = ["compressor", "ride", "level automated", "delays", "unlinked", "ducking"];
            let first = random.below(all.len());
            let second = (first + 1 + random.below(all.len() - 1)) % all.len();
            [first, second].iter().for_each(|one| session.add(&mut random, all[*one], frames));
        } else {
            session.add(&mut random, kind, frames);
        }
        (session, random)
    }

    /// Length of the song, frames.
    pub(super) fn frames(&self) -> usize {
        self.buses[0].song[0].len()
    }

    /// True if no Stem lives in another process.
    pub(super) fn is_in_one_process(&self) -> bool {
        self.buses.iter().all(|bus| bus.place != Place::Elsewhere)
    }

    /// The stems of a mute, where they are not heard.
    pub(super) fn silenced(&self, mute: &Mute) -> Silenced {
        let mut songs: Vec<Audio> = self.buses.iter().map(|bus| bus.song.clone()).collect();
        for (song, gains) in songs.iter_mut().zip(&self.route.gains) {
            song.iter_mut().zip(gains).for_each(|(side, gain)| side.iter_mut().for_each(|x| *x *= gain));
        }
        Silenced::new(mute.frames.clone(), &songs, &mute.stems)
    }

    /// True if the level of a Stem is.
    pub(super) fn is_automated(&self, stem: usize) -> bool {
        !matches!(self.buses[stem].lane, Lane::Still)
    }

    fn add(&mut self, random: &mut Random, kind: &str, frames: usize) {
        let count = self.buses.len();
        let level = |stem: usize| rms(&self.buses[stem].song);
        let seconds = frames / RATE as usize;
        match kind {
            "ride" => {
                let (depth, rate) = (Db(random.between(1.0, 6.0)), random.between(0.2, 1.5));
                self.route.ride = Some(Ride { stem: 0, depth, rate });
            }
            "compressor" => {
                self.route.insert = Some((0, leveller(random, level(0), [0.001, 0.03], [0.05, 0.5])));
            }
            "limiter" => {
                let device = leveller(random, 1.5 * level(0), [0.0005, 0.001], [0.02, 0.2]);
                self.route.insert = Some((0, Leveller { ratio: 1e3, ..device }));
            }
            "slow: leveller" => {
                self.route.insert = Some((0, leveller(random, level(0), [0.05, 2.0], [1.0, 10.0])));
            }
            "slow: bus compressor" => {
                let all = (0..count).map(|stem| level(stem).powi(2)).sum::<f64>().sqrt();
                self.route.bus = Some(leveller(random, all, [0.1, 0.3], [1.0, 4.0]));
            }
            "ducking" => {
                self.route.ducker = Some((0, 1, leveller(random, level(0), [0.001, 0.02], [0.05, 0.4])));
            }
            "slow: ducking" => {
                let other = 1 + random.below(count - 1);
                self.route.ducker = Some((0, other, leveller(random, level(0), [0.05, 0.3], [1.0, 4.0])));
            }
            "unlinked" | "removed" => {
                let mut extra = part(random, seconds);
                let gain = if kind == "unlinked" { Db(random.between(-20.0, 0.0)) } else { Db(0.0) };
                super::song::amplify(&mut extra, gain);
                self.route.extra = Some(extra);
            }
            "level automated" => {
                let stems = 1 + random.below(2);
                self.buses[..stems].iter_mut().for_each(|bus| bus.lane = lane(random, frames));
            }
            "changed at rest" => {
                let all = [
                    RestChange::Trim,
                    RestChange::LevelAtStop,
                    RestChange::LevelAtStart,
                    RestChange::LevelWithJump,
                ];
                if random.chance(0.2) {
                    self.buses[1].lane = lane(random, frames);
                }
                let stems = (0..1 + random.below(2)).map(|stem| {
                    let gain = sign(random) * random.between(0.5, 9.0);
                    // a trim has steps
                    (stem, Db((100.0 * gain).round() / 100.0))
                });
                self.plan = Plan::Rest {
                    stems: stems.collect(),
                    change: all[random.below(all.len())].clone(),
                    again: random.one_of(&[0, 0, frames / 3]),
                };
                self.processes_at_rest = true;
            }
            "mute" => {
                let stems = if count > 3 && random.chance(0.3) { vec![0, 1] } else { vec![0] };
                self.mute = Some(Mute { stems, frames: place(random, frames) });
                let (passes, confirms) = random.one_of(&[(1, false), (2, false), (1, true)]);
                self.plan = Plan::Mute { passes, confirms };
            }
            "solo" => {
                self.mute = Some(Mute { stems: (1..count).collect(), frames: place(random, frames) });
                let (passes, is_known) = random.one_of(&[(1, true), (1, false), (2, true), (2, false)]);
                self.plan = Plan::Solo { passes, is_known };
            }
            "late join" => {
                self.buses[1].place = Place::Nowhere;
                self.plan = Plan::Join((random.between(0.15, 0.5) * frames as f64) as usize);
            }
            "other process" => {
                let elsewhere = 1 + random.below(count - 1);
                self.buses[..elsewhere].iter_mut().for_each(|bus| bus.place = Place::Elsewhere);
            }
            "delays" => {
                let reach = random.log_between(50.0, 10_000.0);
                let (stamps, delays) = random.one_of(&[(true, false), (true, true), (false, true)]);
                for (bus, late) in self.buses.iter_mut().zip(&mut self.route.late) {
                    if stamps && random.chance(0.8) {
                        bus.ahead = (random.between(-0.2, 1.0) * reach) as i64;
                    }
                    if delays && random.chance(0.5) {
                        *late = (random.unit() * 0.5 * reach) as usize;
                    }
                }
            }
            "identical" => {
                let song = self.buses[0].song.clone();
                let copies = 2 + random.below(count - 1).min(1);
                self.buses[1..copies].iter_mut().for_each(|bus| bus.song.clone_from(&song));
            }
            "nearly identical" => self.buses[1].song = near_copy(random, &self.buses[0].song),
            _ => {}
        }
    }
}
