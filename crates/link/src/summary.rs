//! What a Master has found out about its session: plain values for whoever asks, in this process or another.

use super::identity::InstanceId;
use super::snapshot::READING_WORDS;
use super::words::{Decoder, Encoder, Record, Text};
use meter::Reading;
use session::session_report::StemState;
use units::{Db, Dbtp, Lu, Lufs};

/// Stems that a Master sums at most.
pub const STEMS: usize = 32;

/// Bytes of a cause: a sentence or two.
pub const CAUSE: usize = 192;

/// Where on the master bus a Master sits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Placement {
    /// First: it relates stems to what enters it.
    #[default]
    Mix,
    /// Last, or in a monitoring slot: what it puts out is what is heard.
    Final,
}

/// What a Master says of one stem.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StemSummary {
    /// The Stem.
    pub stem: InstanceId,
    /// What it does in the mix at the moment.
    pub state: StemState,
    /// How the loudness of the mix follows this stem's gain, 0 to 1 unless stems cancel each other; `None` if nothing
    /// passes the gates.
    pub share: Option<f64>,
    /// The gain with which it arrives in the mix; `None` if it was not found there.
    pub gain: Option<Db>,
    /// The same as a matrix, linear, `[to][from]`: fader and pan.
    pub matrix: Option<[[f64; 2]; 2]>,
    /// How many frames later than on the timeline it arrives.
    pub delay: Option<i64>,
    /// What its chain costs the mix: loudness with it minus loudness without.
    pub chain_cost: Option<Lu>,
}

/// What a Master predicts of a move that somebody has asked about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forecast {
    /// Who has asked.
    pub sender: InstanceId,
    /// The question's counter.
    pub counter: u64,
    /// The stem that is moved.
    pub stem: InstanceId,
    /// By how much.
    pub gain: Db,
    /// Loudness into the master before and after; `None` without loudness, or when the stem is not one of the session.
    pub into: Option<[Lufs; 2]>,
    /// The highest that the true peak into the master may be, before and after.
    pub peak: [Option<Dbtp>; 2],
    /// How far the loudness after may be off; zero if it is exact.
    pub half_width: Lu,
    /// Something may follow the stem, and nobody has said whether: returns not included.
    pub returns_not_included: bool,
    /// Loudness out of the master's chain, simulated before and after; `None` where the chain changes a move by nothing.
    pub out_of: Option<[Lufs; 2]>,
    /// Seconds of audio that were simulated.
    pub simulated: f64,
}

const FORECAST_WORDS: usize = 13;

/// What a Master says of its session.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Where it sits.
    pub placement: Placement,
    /// The mix as it enters the Master, of what was heard.
    pub mix: Reading,
    /// The stem with most of the mix's highest peak.
    pub loudest_peak: Option<InstanceId>,
    /// How much of the mix the stems account for, 0 to 1.
    pub coverage: Option<f64>,
    /// Why not all of it, in words; empty if there is nothing to say.
    pub cause: Text<CAUSE>,
    /// The share of what the stems do not account for.
    pub unlinked_share: Option<f64>,
    /// How far a prediction may be off; zero if it is exact; `None` before there can be one.
    pub half_width: Option<Lu>,
    /// Seconds of the song that were heard.
    pub heard: f64,
    /// The answer to the last question.
    pub forecast: Option<Forecast>,
    /// The stems of the session, in no particular order.
    pub stems: [Option<StemSummary>; STEMS],
}

impl Default for Summary {
    fn default() -> Self {
        Self {
            placement: Placement::default(),
            mix: Reading::default(),
            loudest_peak: None,
            coverage: None,
            cause: Text::default(),
            unlinked_share: None,
            half_width: None,
            heard: 0.0,
            forecast: None,
            stems: [None; STEMS],
        }
    }
}

impl Summary {
    /// Adds a stem; those beyond [`STEMS`] are dropped.
    pub fn push(&mut self, stem: StemSummary) {
        if let Some(place) = self.stems.iter_mut().find(|place| place.is_none()) {
            *place = Some(stem);
        }
    }

    /// The stems that there are.
    pub fn stems(&self) -> impl Iterator<Item = &StemSummary> {
        self.stems.iter().flatten()
    }
}

/// Words of a [`Summary`].
pub const SUMMARY_WORDS: usize = 6 + READING_WORDS + CAUSE / 8 + FORECAST_WORDS + 11 * STEMS;

impl Record for Summary {
    fn write(&self, pen: &mut Encoder<'_>) {
        pen.word(self.placement as u64);
        self.mix.write(pen);
        pen.word(self.loudest_peak.map_or(0, InstanceId::get));
        pen.perhaps(self.coverage);
        pen.text(&self.cause);
        pen.perhaps(self.unlinked_share);
        pen.perhaps(self.half_width.map(|x| x.0));
        pen.number(self.heard);
        write_forecast(self.forecast.as_ref(), pen);
        for stem in &self.stems {
            pen.word(stem.map_or(0, |stem| stem.stem.get()));
            pen.word(stem.map_or(0, |stem| stem.state as u64));
            pen.perhaps(stem.and_then(|stem| stem.share));
            pen.perhaps(stem.and_then(|stem| stem.gain).map(|x| x.0));
            let matrix = stem.and_then(|stem| stem.matrix);
            (0..4).for_each(|n| pen.perhaps(matrix.map(|rows| rows[n / 2][n % 2])));
            pen.word(stem.is_some_and(|stem| stem.delay.is_some()).into());
            pen.signed(stem.and_then(|stem| stem.delay).unwrap_or(0));
            pen.perhaps(stem.and_then(|stem| stem.chain_cost).map(|x| x.0));
        }
    }

    fn read(eye: &mut Decoder<'_>) -> Option<Self> {
        let mut summary = Self {
            placement: [Placement::Mix, Placement::Final][eye.index(2)?],
            mix: Record::read(eye)?,
            loudest_peak: InstanceId::new(eye.word()?),
            coverage: eye.perhaps()?,
            cause: eye.text()?,
            unlinked_share: eye.perhaps()?,
            half_width: eye.perhaps()?.map(Lu),
            heard: eye.number()?,
            forecast: read_forecast(eye)?,
            stems: [None; STEMS],
        };
        for place in &mut summary.stems {
            let stem = InstanceId::new(eye.word()?);
            let state = StemState::ALL[eye.index(StemState::ALL.len())?];
            let (share, gain) = (eye.perhaps()?, eye.perhaps()?.map(Db));
            let mut cells = [None; 4];
            for cell in &mut cells {
                *cell = eye.perhaps()?;
            }
            let matrix = match cells {
                [Some(a), Some(b), Some(c), Some(d)] => Some([[a, b], [c, d]]),
                _ => None,
            };
            let (has_delay, delay) = (eye.index(2)? == 1, eye.signed()?);
            let (delay, chain_cost) = (has_delay.then_some(delay), eye.perhaps()?.map(Lu));
            *place = stem.map(|stem| StemSummary { stem, state, share, gain, matrix, delay, chain_cost });
        }
        Some(summary)
    }
}

fn write_forecast(forecast: Option<&Forecast>, pen: &mut Encoder<'_>) {
    let two = |pair: Option<[Lufs; 2]>| [0, 1].map(|n| pair.map(|pair| pair[n].0));
    pen.word(forecast.map_or(0, |forecast| forecast.sender.get()));
    pen.word(forecast.map_or(0, |forecast| forecast.counter));
    pen.word(forecast.map_or(0, |forecast| forecast.stem.get()));
    pen.number(forecast.map_or(0.0, |forecast| forecast.gain.0));
    let into = two(forecast.and_then(|forecast| forecast.into));
    let peak = forecast.map_or([None; 2], |forecast| forecast.peak.map(|peak| peak.map(|x| x.0)));
    let out_of = two(forecast.and_then(|forecast| forecast.out_of));
    into.into_iter().chain(peak).for_each(|number| pen.perhaps(number));
    pen.number(forecast.map_or(0.0, |forecast| forecast.half_width.0));
    pen.word(forecast.is_some_and(|forecast| forecast.returns_not_included).into());
    out_of.into_iter().for_each(|number| pen.perhaps(number));
    pen.number(forecast.map_or(0.0, |forecast| forecast.simulated));
}

/// Outer `None`: the words are no forecast.
fn read_forecast(eye: &mut Decoder<'_>) -> Option<Option<Forecast>> {
    let both = |a: Option<f64>, b: Option<f64>| Some([Lufs(a?), Lufs(b?)]);
    let (sender, counter, stem) = (eye.word()?, eye.word()?, eye.word()?);
    let gain = eye.db()?;
    let into = both(eye.perhaps()?, eye.perhaps()?);
    let peak = [eye.perhaps()?.map(Dbtp), eye.perhaps()?.map(Dbtp)];
    let (half_width, returns_not_included) = (Lu(eye.number()?), eye.index(2)? == 1);
    let out_of = both(eye.perhaps()?, eye.perhaps()?);
    let simulated = eye.number()?;
    let ids = InstanceId::new(sender).zip(InstanceId::new(stem));
    Some(ids.map(|(sender, stem)| Forecast {
        sender,
        counter,
        stem,
        gain,
        into,
        peak,
        half_width,
        returns_not_included,
        out_of,
        simulated,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::tests::reading;

    #[test]
    fn a_session_comes_back() {
        let mut summary = Summary {
            placement: Placement::Final,
            mix: reading(),
            loudest_peak: Some(InstanceId::mint()),
            unlinked_share: Some(-0.01),
            coverage: Some(0.9998),
            cause: Text::new("unlinked track"),
            half_width: Some(Lu(0.2)),
            heard: 92.5,
            forecast: Some(Forecast {
                sender: InstanceId::mint(),
                counter: 7,
                stem: InstanceId::mint(),
                gain: Db(-2.0),
                into: Some([Lufs(-14.0), Lufs(-14.5)]),
                peak: [Some(Dbtp(-1.0)), None],
                half_width: Lu(0.1),
                returns_not_included: true,
                out_of: Some([Lufs(-9.0), Lufs(-9.1)]),
                simulated: 20.0,
            }),
            ..Summary::default()
        };
        for n in 0..STEMS as i64 + 3 {
            summary.push(StemSummary {
                stem: InstanceId::mint(),
                state: StemState::ALL[n as usize % StemState::ALL.len()],
                share: Some(0.25),
                gain: (n % 2 == 0).then_some(Db(-3.0)),
                matrix: (n % 2 == 0).then_some([[0.5, 0.0], [-0.1, n as f64]]),
                delay: (n % 3 == 0).then_some(-n),
                chain_cost: Some(Lu(0.5)),
            });
        }
        for summary in [summary, Summary::default()] {
            let words: [u64; SUMMARY_WORDS] = summary.encode();
            assert_eq!(Summary::decode(&words), Some(summary));
            assert_eq!(Summary::decode(&words[..SUMMARY_WORDS - 1]), None);
        }
        assert_eq!(summary.stems().count(), STEMS);
    }
}
