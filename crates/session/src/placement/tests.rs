use super::*;
use testkit::{Random, cases, noise};

const RATE: Hz = Hz(48_000.0);
const LOOK: usize = 96_000;
const REACH: usize = 48_000;

type Stereo = [Vec<f32>; 2];

/// Stems, the delays and gains with which they arrive, and a track without a Stem.
struct Session {
    stems: Vec<Stereo>,
    delays: Vec<i64>,
    gains: Vec<[f32; 2]>,
    extra: Option<Stereo>,
    likely: Vec<Vec<i64>>,
}

impl Session {
    fn new(stems: Vec<Stereo>, delays: &[i64]) -> Self {
        let gains = (0..stems.len()).map(|i| [0.9 - 0.05 * (i % 7) as f32, 0.6 + 0.05 * (i % 5) as f32]);
        let likely = vec![vec![0; stems.len()], vec![-544; stems.len()]];
        Self { gains: gains.collect(), stems, delays: delays.to_vec(), extra: None, likely }
    }

    /// A look at the mix from `start` on.
    fn scene(&self, start: usize) -> PlacementScene {
        let at = |audio: &[f32], n: i64| {
            usize::try_from(n).ok().and_then(|n| audio.get(n)).copied().unwrap_or(0.0)
        };
        let mix = [0, 1].map(|side| {
            let mut mix = vec![0.0f32; LOOK];
            for (n, mix) in mix.iter_mut().enumerate() {
                let stems = self.stems.iter().zip(&self.delays).zip(&self.gains);
                let sum: f32 = stems
                    .map(|((stem, delay), gain)| gain[side] * at(&stem[side], (start + n) as i64 - delay))
                    .sum();
                *mix = sum + self.extra.as_ref().map_or(0.0, |extra| at(&extra[side], (start + n) as i64));
            }
            mix
        });
        let around = |stem: &Stereo| {
            stem.each_ref().map(|side| {
                let frames = (0..LOOK + 2 * REACH).map(|n| at(side, (start + n) as i64 - REACH as i64));
                frames.collect::<Vec<f32>>()
            })
        };
        PlacementScene {
            rate: RATE,
            reach: REACH,
            mix,
            stems: self.stems.iter().map(around).collect(),
            likely: self.likely.clone(),
        }
    }

    fn look(&self, start: usize) -> PlacementResult {
        locate_stems(&self.scene(start), &mut || {})
    }

    /// Share of a stem in the energy of a look. A trace at its edge may be mistaken; no other look agrees on that.
    fn brings(&self, stem: usize, start: usize) -> f64 {
        let scene = self.scene(start);
        let from = (REACH as i64 - self.delays[stem]) as usize;
        let power = |x: &[f32]| x.iter().map(|x| f64::from(x * x)).sum::<f64>();
        let own: f64 = (scene.stems[stem].iter().zip(self.gains[stem]))
            .map(|(side, gain)| f64::from(gain * gain) * power(&side[from..from + LOOK]))
            .sum();
        own / scene.mix.iter().map(|side| power(side)).sum::<f64>()
    }

    /// Two looks find all that sounds at its delay.
    fn is_found(&self, what: &str) {
        for start in [0, LOOK] {
            let result = self.look(start);
            for (n, (found, delay)) in result.stems.iter().zip(&self.delays).enumerate() {
                if found.evidence != PlacementEvidence::Silent && self.brings(n, start) > 1e-4 {
                    let right = found.evidence == PlacementEvidence::Found && found.delay == *delay;
                    assert!(
                        right,
                        "{what} from {start}: stem {n} at {delay} of {:?}: {result:?}",
                        self.delays
                    );
                }
            }
        }
    }
}

/// Dull or bright noise that swells in its own rhythm.
fn noises(seed: u64, count: usize, seconds: usize) -> Vec<Stereo> {
    let frames = seconds * RATE.0 as usize;
    (0..count as u64)
        .map(|i| {
            [0, 1].map(|side| {
                let pole = 0.1 + 0.85 * (i + 1) as f64 / count as f64;
                let mut low = 0.0;
                let raw = noise(seed * 1000 + i * 2 + side, frames, 0.3);
                let swell = |n: usize| 0.5 + 0.5 * (n as f64 / RATE.0 * (1.0 + 0.37 * i as f64)).sin();
                raw.iter()
                    .enumerate()
                    .map(|(n, x)| {
                        low = pole * low + (1.0 - pole) * x;
                        (low * swell(n)) as f32
                    })
                    .collect()
            })
        })
        .collect()
}

fn demo() -> Vec<Stereo> {
    let narrow = |side: &[f64]| side.iter().map(|x| *x as f32).collect::<Vec<f32>>();
    demo_song::render(RATE).iter().map(|stem| [narrow(&stem.left), narrow(&stem.right)]).collect()
}

/// Material that repeats every `period` frames from the start on.
fn loops(seed: u64, count: usize, period: usize, seconds: usize) -> Vec<Stereo> {
    let whole = noises(seed, count, seconds);
    whole
        .into_iter()
        .map(|stem| stem.map(|side| (0..side.len()).map(|n| side[n % period]).collect()))
        .collect()
}

fn delays(seed: u64, count: usize, from: f64, to: f64) -> Vec<i64> {
    let mut random = Random::new(seed);
    (0..count).map(|_| (from + (to - from) * random.unit()).round() as i64).collect()
}

#[test]
fn common_delays_are_found_at_once() {
    for &delay in cases(&[-544, 31_000, 0, -7712, 7712], 2) {
        Session::new(demo(), &[delay; 5]).is_found("demo song");
        Session::new(noises(3, 8, 5), &[delay; 8]).is_found("noise");
    }
}

#[test]
fn delays_of_up_to_30_ms_different_for_each_are_found() {
    for &seed in cases(&[0, 1, 2, 3, 4, 5], 2) {
        Session::new(demo(), &delays(seed, 5, -1440.0, 0.0)).is_found("demo song");
        Session::new(noises(seed, 12, 5), &delays(seed + 50, 12, -1440.0, 1440.0)).is_found("noise");
    }
}

#[test]
fn delays_of_up_to_a_second_different_for_each_are_found() {
    for &seed in cases(&[0, 1, 2, 3], 2) {
        Session::new(demo(), &delays(seed + 100, 5, -47_000.0, 47_000.0)).is_found("demo song");
        Session::new(noises(seed + 20, 6, 5), &delays(seed + 150, 6, -47_000.0, 47_000.0)).is_found("noise");
    }
}

#[test]
fn loops_are_found_at_the_delay_that_their_start_shows() {
    for seed in 0..3 {
        let session = Session::new(loops(seed, 6, 24_000, 5), &delays(seed + 200, 6, -1440.0, 0.0));
        let found = session.look(0);
        for (found, delay) in found.stems.iter().zip(&session.delays) {
            assert_eq!(found.delay, *delay, "{found:?} {:?}", session.delays);
        }
        // later nothing tells the repeats apart: the nearest counts, and the rival is named
        for (found, delay) in session.look(LOOK).stems.iter().zip(&session.delays) {
            assert_eq!(found.delay, *delay, "{found:?} {:?}", session.delays);
            let distance = found.rival.map(|rival| (rival - delay).rem_euclid(24_000));
            let repeats = distance.is_some_and(|distance| distance.min(24_000 - distance) < 64);
            assert!(repeats, "{found:?} {:?}", session.delays);
        }
    }
}

#[test]
fn a_stem_that_is_not_in_the_mix_is_not_found_and_moves_no_other() {
    for seed in 0..4 {
        let mut session = Session::new(noises(seed + 40, 6, 5), &delays(seed + 300, 6, -1440.0, 1440.0));
        session.gains[2] = [0.0; 2];
        let looks = [0, LOOK].map(|start| session.look(start));
        for (n, delay) in session.delays.iter().enumerate().filter(|(n, _)| *n != 2) {
            assert!(looks.iter().all(|look| look.stems[n].delay == *delay));
        }
        let agree = looks[0].stems[2].delay == looks[1].stems[2].delay;
        let found = looks.iter().all(|look| look.stems[2].evidence == PlacementEvidence::Found);
        assert!(!(agree && found), "{looks:?}");
    }
}

#[test]
fn an_unlinked_track_as_loud_as_the_rest_moves_no_stem() {
    for seed in 0..4 {
        let mut session = Session::new(noises(seed + 60, 5, 5), &delays(seed + 400, 5, -20_000.0, 20_000.0));
        session.extra = noises(seed + 61, 1, 5).pop();
        session.extra.as_mut().into_iter().flatten().flatten().for_each(|x| *x *= 2.0);
        session.is_found("beside an unlinked track");
    }
}

#[test]
fn a_stem_35_db_below_the_rest_and_dull_is_found() {
    for seed in 0..4 {
        let mut stems = noises(seed + 80, 4, 5);
        stems[3].iter_mut().flatten().for_each(|x| *x *= 0.02);
        Session::new(stems, &delays(seed + 500, 4, -20_000.0, 20_000.0)).is_found("quiet and dull");
    }
}

#[test]
fn a_stem_inside_a_bus_is_found_where_the_bus_is() {
    let mut stems = noises(90, 4, 5);
    let inner = stems[0].clone();
    stems[3]
        .iter_mut()
        .zip(&inner)
        .for_each(|(bus, inner)| bus.iter_mut().zip(inner).for_each(|(b, x)| *b += x));
    let mut session = Session::new(stems, &[-544, 300, 10, -544]);
    session.gains[0] = [0.0; 2];
    session.is_found("inside");
}
