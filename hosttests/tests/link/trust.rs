//! Trust test in the host: predictions of Masters that hear real Stems, with devices behind them, against renders.
//!
//! `cargo xtask trust [SESSIONS] [--seed SEED]` runs more sessions than CI does.

use super::alone::alone;
use super::desk::{Audio, LONGEST, RATE, measure};
use hosttests::host::transport;
use hosttests::viewer::{Viewer, id};
use hosttests::{Library, MASTER, Player, Plugin, Random, STEM};
use link::summary::Forecast;
use std::time::{Duration, Instant};
use testkit::trust::{TrustAnswer, TrustFigures, trust_table};
use units::{Db, linear};

/// Frames of a block.
const BLOCK: usize = 1024;
/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Questions per session.
const QUESTIONS: usize = 3;

/// Kinds of sessions: what lies between Stems and Master, beside faders and pans.
const KINDS: [&str; 10] = [
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
];

/// Compressor, leveller or limiter.
#[derive(Clone, Copy)]
struct Leveller {
    threshold: f64,
    ratio: f64,
    /// Seconds.
    attack: f64,
    release: f64,
}

impl Leveller {
    /// Gain per frame for a key.
    fn gains(&self, key: &Audio) -> Vec<f32> {
        let pole = |seconds: f64| (-1.0 / (seconds * RATE)).exp();
        let (attack, release, fall) = (pole(self.attack), pole(self.release), pole(0.02));
        let (mut level, mut gain) = (0.0f64, 0.0f64);
        key[0]
            .iter()
            .zip(&key[1])
            .map(|(left, right)| {
                level = f64::from(left.abs().max(right.abs())).max(fall * level);
                let over = Db::from_gain((level / self.threshold).max(1.0)).0;
                let wanted = over * (1.0 / self.ratio - 1.0);
                let pole = if wanted < gain { attack } else { release };
                gain = pole * gain + (1.0 - pole) * wanted;
                linear(gain) as f32
            })
            .collect()
    }
}

/// So many seconds of a stem: notes that decay, of its own pitches, rhythm and colour, in sections of different loudness
/// of which some pause.
fn part(random: &mut Random, seconds: usize) -> Audio {
    let frames = seconds * RATE as usize;
    let mut audio = vec![vec![0.0f32; frames]; 2];
    let (density, colour, pitch) =
        (random.between(1.0, 5.0), random.unit(), 50.0 * 2f64.powf(random.between(0.0, 4.0)));
    let pan = [0, 1].map(|_| random.between(0.5, 1.0));
    let (mut at, mut section_end, mut section) = (0usize, 0usize, 0.0);
    while at < frames {
        if at >= section_end {
            section = if random.unit() < 0.15 { 0.0 } else { linear(random.between(-10.0, 0.0)) };
            section_end = at + (random.between(1.5, 4.0) * RATE) as usize;
        }
        let level = 0.3 * section * linear(random.between(-9.0, 0.0));
        let decay = random.between(0.08, 0.8);
        let step = std::f64::consts::TAU * pitch * 2f64.powf((12.0 * random.unit()).floor() / 12.0) / RATE;
        for n in at..frames.min(at + (3.0 * decay * RATE) as usize) {
            let time = (n - at) as f64;
            let note = (1.0 - colour) * ((step * time).sin() + 0.3 * (3.0 * step * time).sin())
                + colour * (2.0 * random.unit() - 1.0);
            let x = level * note * (-time / (decay * RATE)).exp() * (time / 96.0).min(1.0);
            (0..2).for_each(|side| audio[side][n] += (pan[side] * x) as f32);
        }
        at += (random.between(0.5, 1.5) / density * RATE) as usize;
    }
    audio
}

/// Devices between Stems and Master.
struct Route {
    gains: Vec<[f32; 2]>,
    /// Stem and its gain per frame.
    ride: Option<(usize, Vec<f32>)>,
    /// Device after a stem.
    insert: Option<(usize, Leveller)>,
    /// Key, ducked stem, device.
    ducker: Option<(usize, usize, Leveller)>,
    bus: Option<Leveller>,
    /// A track without a Stem.
    extra: Option<Audio>,
}

fn scale(audio: &mut Audio, gains: &[f32]) {
    audio.iter_mut().for_each(|side| side.iter_mut().zip(gains).for_each(|(x, gain)| *x *= gain));
}

impl Route {
    fn random(random: &mut Random, kind: &str, stems: &[Audio], extra: Audio) -> Self {
        let (count, frames) = (stems.len(), stems[0][0].len());
        let gains = stems.iter().map(|_| [0, 1].map(|_| random.between(0.4, 1.3) as f32)).collect();
        let mut route = Self { gains, ride: None, insert: None, ducker: None, bus: None, extra: None };
        let level = |audio: &Audio| {
            let squares = audio.iter().flatten().map(|x| f64::from(*x).powi(2)).sum::<f64>();
            (squares / (2 * frames) as f64).sqrt().max(1e-6)
        };
        let leveller = |random: &mut Random, level: f64, attack: [f64; 2], release: [f64; 2]| Leveller {
            threshold: level * linear(random.between(-3.0, 6.0)),
            ratio: random.between(1.5, 8.0),
            attack: random.between(attack[0], attack[1]),
            release: random.between(release[0], release[1]),
        };
        match kind {
            "ride" => {
                let (depth, rate) = (random.between(1.0, 6.0), random.between(0.2, 1.5));
                let gain = |n: usize| linear(depth * (rate * n as f64 / RATE).sin()) as f32;
                route.ride = Some((0, (0..frames).map(gain).collect()));
            }
            "compressor" => {
                route.insert = Some((0, leveller(random, level(&stems[0]), [0.001, 0.03], [0.05, 0.5])));
            }
            "limiter" => {
                let device = leveller(random, 1.5 * level(&stems[0]), [0.0005, 0.001], [0.02, 0.2]);
                route.insert = Some((0, Leveller { ratio: 1e3, ..device }));
            }
            "slow: leveller" => {
                route.insert = Some((0, leveller(random, level(&stems[0]), [0.05, 2.0], [1.0, 10.0])));
            }
            "slow: bus compressor" => {
                let all = stems.iter().map(|stem| level(stem).powi(2)).sum::<f64>().sqrt();
                route.bus = Some(leveller(random, all, [0.1, 0.3], [1.0, 4.0]));
            }
            "ducking" => {
                route.ducker = Some((0, 1, leveller(random, level(&stems[0]), [0.001, 0.02], [0.05, 0.4])));
            }
            "slow: ducking" => {
                let other = 1 + random.bits() as usize % (count - 1);
                route.ducker = Some((0, other, leveller(random, level(&stems[0]), [0.05, 0.3], [1.0, 4.0])));
            }
            "unlinked" => {
                let gain = linear(random.between(-20.0, 0.0)) as f32;
                route.extra =
                    Some(extra.into_iter().map(|side| side.iter().map(|x| gain * x).collect()).collect());
            }
            "removed" => route.extra = Some(extra),
            _ => {}
        }
        route
    }

    fn mix(&self, stems: &[Audio]) -> Audio {
        let mut mix = self.extra.clone().unwrap_or_else(|| vec![vec![0.0; stems[0][0].len()]; 2]);
        for (n, (stem, gains)) in stems.iter().zip(&self.gains).enumerate() {
            let mut audio = stem.clone();
            if let Some((_, device)) = self.insert.filter(|(stem, _)| *stem == n) {
                let gains = device.gains(&audio);
                scale(&mut audio, &gains);
            }
            if let Some((key, _, device)) = self.ducker.filter(|(_, ducked, _)| *ducked == n) {
                scale(&mut audio, &device.gains(&stems[key]));
            }
            if let Some((_, ride)) = self.ride.as_ref().filter(|(stem, _)| *stem == n) {
                scale(&mut audio, ride);
            }
            for side in 0..2 {
                mix[side].iter_mut().zip(&audio[side]).for_each(|(mix, x)| *mix += gains[side] * x);
            }
        }
        if let Some(device) = self.bus {
            let gains = device.gains(&mix);
            scale(&mut mix, &gains);
        }
        mix
    }
}

/// Plays `audio` from the timeline's beginning; what leaves is dropped.
fn play(player: &mut Player, audio: &Audio, at: usize) {
    let end = audio[0].len().min(at + BLOCK);
    let mut block: Audio = audio.iter().map(|side| side[at..end].to_vec()).collect();
    player.play(&mut block, Some(&transport(0, at as f64 / RATE, 120.0)));
}

/// Answers of the session of a seed; `None` where none came.
fn session(library: &Library, seed: u64) -> Vec<Option<TrustAnswer>> {
    let mut random = Random::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491);
    let kind = KINDS[(seed % KINDS.len() as u64) as usize];
    let (count, seconds) = (3 + random.bits() as usize % 3, 16 + random.bits() as usize % 15);
    let stems: Vec<Audio> = (0..count).map(|_| part(&mut random, seconds)).collect();
    let extra = part(&mut random, seconds);
    let route = Route::random(&mut random, kind, &stems, extra);
    let mix = route.mix(&stems);

    let make = |id: &str, track: String| {
        let mut plugin = Plugin::on_track(library, id, &track).expect("the library has it");
        plugin.open(None, RATE, LONGEST);
        plugin
    };
    let mut master = make(MASTER, "Mix".into());
    let mut buses: Vec<Plugin> = (0..count).map(|n| make(STEM, format!("Bus {n}"))).collect();
    let viewer = Viewer::new();
    let (master_id, ids) = (id(&mut master), buses.iter_mut().map(id).collect::<Vec<_>>());
    viewer.find(master_id);
    // once through, and the beginning again: the last hop waits for what follows
    let frames = mix[0].len();
    let mut players: Vec<Player> = buses.iter_mut().map(Plugin::lend).collect();
    let mut out = master.lend();
    for at in (0..frames).step_by(BLOCK).chain((0..RATE as usize / 2).step_by(BLOCK)) {
        players.iter_mut().zip(&stems).for_each(|(player, stem)| play(player, stem, at));
        play(&mut out, &mix, at);
    }
    buses.iter_mut().zip(players).for_each(|(bus, player)| bus.take_back(player));
    master.take_back(out);
    let heard = |heard: f64| heard > seconds as f64 - 0.15;
    viewer.summary(master_id, |summary| heard(summary.heard));

    (0..QUESTIONS)
        .map(|question| {
            let stem = if question < 2 { 0 } else { random.bits() as usize % count };
            let sign = if random.bits() & 1 == 0 { 1.0 } else { -1.0 };
            let gain =
                if random.bits().is_multiple_of(4) { Db(-12.0) } else { Db(sign * random.between(1.0, 6.0)) };
            let counter = viewer.requester().request_prediction(master_id, ids[stem], gain)?;
            let start = Instant::now();
            let forecast: Forecast = loop {
                let seen = viewer.summary(master_id, |_| true).forecast;
                match seen.filter(|forecast| forecast.counter == counter && forecast.sender == viewer.id()) {
                    Some(forecast) => break forecast,
                    None if start.elapsed() > PATIENCE => return None,
                    None => std::thread::sleep(Duration::from_millis(10)),
                }
            };
            let [_, predicted] = forecast.into_master?;
            let mut moved = stems.clone();
            let factor = gain.gain() as f32;
            moved[stem].iter_mut().flatten().for_each(|x| *x *= factor);
            let truth = measure(&route.mix(&moved)).integrated.expect("sounds");
            Some(TrustAnswer {
                kind: kind.to_owned(),
                half_width: Some(forecast.half_width.0).filter(|half_width| *half_width > 0.0),
                error: (truth - predicted).0,
            })
        })
        .collect()
}

/// Runs sessions from `seed` on and holds their answers to what they say.
#[allow(clippy::print_stdout, reason = "the table is what it is for")]
fn run(seed: u64, sessions: u64) {
    let library = Library::open();
    let answers: Vec<Option<TrustAnswer>> =
        (seed..seed + sessions).flat_map(|seed| session(&library, seed)).collect();
    let missing = answers.iter().filter(|answer| answer.is_none()).count();
    let answers: Vec<TrustAnswer> = answers.into_iter().flatten().collect();
    println!("{}", trust_table(&answers));
    let figures = TrustFigures::new(answers.iter());
    println!("{missing} questions without an answer");
    assert!(figures.worst_exact <= 0.01, "exact, but off by {} LU", figures.worst_exact);
    assert!(figures.held_share() >= 0.97, "{} of {} hold", figures.held, figures.estimates());
    assert!(missing * 100 <= answers.len(), "{missing} questions without an answer");
}

#[test]
fn what_masters_predict_in_a_host_can_be_trusted() {
    alone("link::trust::what_masters_predict_in_a_host_can_be_trusted", || {
        let number =
            |name: &str, usual| std::env::var(name).map_or(usual, |text| text.parse().expect("a number"));
        run(number("STEMLINK_TRUST_SEED", 1), number("STEMLINK_TRUST_SESSIONS", 20));
    });
}
