//! Summary that a Master publishes of its session, as plain values for all processes.

use super::identity::InstanceId;
use super::records::READING_WORDS;
use super::text::Text;
use super::wire::{Decoder, Encoder, WireValue};
use meter::Reading;
use session::heard_part::{HeardPart, WholeInterval};
use session::session_report::StemState;
use units::{Db, Dbtp, Lu, Lufs, Ms};

/// Stems that a Master sums at most.
pub const MAX_STEMS: usize = 32;

/// Bytes of [`SessionSummary::cause`]: a sentence or two.
pub const CAUSE_BYTES: usize = 192;

/// Position of a Master on the master bus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MasterPlacement {
    /// First: it relates the stems to its input.
    #[default]
    Mix,
    /// Last, or in a monitoring slot: its output is what is heard.
    Final,
}

/// Finding of a Master about one stem of its session.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StemFinding {
    /// The Stem.
    pub stem: InstanceId,
    /// The Stem whose bus contains it; `None` of a summed stem. Of a nested one, share, gain and chain cost are `None`.
    pub inside: Option<InstanceId>,
    /// Present in the mix, missing, or elsewhere.
    pub state: StemState,
    /// Share of the mix's loudness: its change per change of this stem's gain, 0 to 1 unless stems cancel each other;
    /// `None` if no audio passes the gates.
    pub share: Option<f64>,
    /// Gain with which it arrives in the mix; `None` if it was not found there.
    pub gain: Option<Db>,
    /// The same as a linear matrix `[to][from]` of left and right: fader and pan.
    pub matrix: Option<[[f64; 2]; 2]>,
    /// Delay with which it arrives in the mix, frames.
    pub delay: Option<i64>,
    /// Cost of its chain: loudness of the mix with the chain minus loudness without it.
    pub chain_cost: Option<Lu>,
    /// True if it was played muted and nobody has said yet whether that is part of the mix.
    pub mute_waits: bool,
}

/// Prediction of a move, in answer to a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forecast {
    /// Sender of the request.
    pub sender: InstanceId,
    /// The request's counter.
    pub counter: u64,
    /// The stem that moves.
    pub stem: InstanceId,
    /// Gain of the move.
    pub gain: Db,
    /// Loudness into the master before and after; `None` without loudness, or if the stem is not part of the session.
    pub into_master: Option<[Lufs; 2]>,
    /// Upper bound of the true peak into the master, before and after.
    pub peak: [Option<Dbtp>; 2],
    /// Largest error of the loudness after the move; zero if it is exact.
    pub half_width: Lu,
    /// True if effect returns may follow the stem, which the prediction leaves out.
    pub returns_not_included: bool,
    /// Simulated loudness out of the master's chain before and after; `None` if the chain does not change the move.
    pub out_of_master: Option<[Lufs; 2]>,
    /// Largest error of the simulated loudness after the move; infinite if it is unknown.
    pub simulated_half_width: Lu,
    /// Length of the simulated audio, seconds.
    pub simulated_seconds: f64,
    /// Length of the song that the answer was made from, seconds.
    pub heard: f64,
    /// Length of the song, or of the timeline that was played, seconds.
    pub length: f64,
    /// Coverage of the mix by the stems, 0 to 1.
    pub coverage: Option<f64>,
    /// If a part of the song was not heard: interval of the change for the whole song, and of the loudness after the
    /// move.
    pub whole: Option<WholeInterval>,
}

/// Words of a [`Forecast`].
const FORECAST_WORDS: usize = 21;

impl Forecast {
    /// Part of the song that the answer was made from.
    pub fn part(&self) -> HeardPart {
        HeardPart { heard: Ms(1000.0 * self.heard), whole: Ms(1000.0 * self.length.max(self.heard)) }
    }
}

/// Findings of a Master about its session.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SessionSummary {
    /// Position of the Master on the master bus.
    pub placement: MasterPlacement,
    /// Reading of the Master's input over the audio that was heard.
    pub mix: Reading,
    /// The stem with the largest part in the mix's highest peak.
    pub loudest_peak: Option<InstanceId>,
    /// Coverage: part of the mix that the stems account for, 0 to 1.
    pub coverage: Option<f64>,
    /// Reason for missing coverage, as a sentence or two; empty if there is none.
    pub cause: Text<CAUSE_BYTES>,
    /// Share of the rest that the stems do not account for.
    pub unlinked_share: Option<f64>,
    /// Largest error of a prediction for a move by 1 dB; zero if it is exact, `None` before there can be one.
    pub half_width: Option<Lu>,
    /// Length of the song that was heard, seconds.
    pub heard: f64,
    /// Length of the song, or of the timeline that was played, seconds.
    pub length: f64,
    /// Answer to the last request for a prediction.
    pub forecast: Option<Forecast>,
    /// The stems of the session, in no particular order.
    pub stems: [Option<StemFinding>; MAX_STEMS],
}

impl Default for SessionSummary {
    fn default() -> Self {
        Self {
            placement: MasterPlacement::default(),
            mix: Reading::default(),
            loudest_peak: None,
            coverage: None,
            cause: Text::default(),
            unlinked_share: None,
            half_width: None,
            heard: 0.0,
            length: 0.0,
            forecast: None,
            stems: [None; MAX_STEMS],
        }
    }
}

impl SessionSummary {
    /// Adds a stem; those beyond [`MAX_STEMS`] are dropped.
    pub fn push_stem(&mut self, stem: StemFinding) {
        if let Some(place) = self.stems.iter_mut().find(|place| place.is_none()) {
            *place = Some(stem);
        }
    }

    /// Part of the song that all findings are made from.
    pub fn part(&self) -> HeardPart {
        HeardPart { heard: Ms(1000.0 * self.heard), whole: Ms(1000.0 * self.length.max(self.heard)) }
    }

    /// The summed stems of the session, in no particular order.
    pub fn stems(&self) -> impl Iterator<Item = &StemFinding> {
        self.findings().filter(|stem| stem.inside.is_none())
    }

    /// The same with the stems inside others.
    pub fn findings(&self) -> impl Iterator<Item = &StemFinding> {
        self.stems.iter().flatten()
    }
}

/// Words of a [`SessionSummary`].
pub const SUMMARY_WORDS: usize = 7 + READING_WORDS + CAUSE_BYTES / 8 + FORECAST_WORDS + 13 * MAX_STEMS;

impl WireValue for SessionSummary {
    fn write_to(&self, encoder: &mut Encoder<'_>) {
        encoder.push_word(self.placement as u64);
        self.mix.write_to(encoder);
        encoder.push_word(self.loudest_peak.map_or(0, InstanceId::get));
        encoder.push_optional(self.coverage);
        encoder.push_text(&self.cause);
        encoder.push_optional(self.unlinked_share);
        encoder.push_optional(self.half_width.map(|x| x.0));
        encoder.push_number(self.heard);
        encoder.push_number(self.length);
        write_forecast(self.forecast.as_ref(), encoder);
        for stem in &self.stems {
            encoder.push_word(stem.map_or(0, |stem| stem.stem.get()));
            encoder.push_word(stem.and_then(|stem| stem.inside).map_or(0, InstanceId::get));
            encoder.push_word(stem.map_or(0, |stem| stem.state as u64));
            encoder.push_optional(stem.and_then(|stem| stem.share));
            encoder.push_optional(stem.and_then(|stem| stem.gain).map(|x| x.0));
            let matrix = stem.and_then(|stem| stem.matrix);
            (0..4).for_each(|n| encoder.push_optional(matrix.map(|rows| rows[n / 2][n % 2])));
            encoder.push_word(stem.is_some_and(|stem| stem.delay.is_some()).into());
            encoder.push_signed(stem.and_then(|stem| stem.delay).unwrap_or(0));
            encoder.push_optional(stem.and_then(|stem| stem.chain_cost).map(|x| x.0));
            encoder.push_word(stem.is_some_and(|stem| stem.mute_waits).into());
        }
    }

    fn read_from(decoder: &mut Decoder<'_>) -> Option<Self> {
        let mut summary = Self {
            placement: [MasterPlacement::Mix, MasterPlacement::Final][decoder.next_index(2)?],
            mix: WireValue::read_from(decoder)?,
            loudest_peak: InstanceId::new(decoder.next_word()?),
            coverage: decoder.next_optional()?,
            cause: decoder.next_text()?,
            unlinked_share: decoder.next_optional()?,
            half_width: decoder.next_optional()?.map(Lu),
            heard: decoder.next_number()?,
            length: decoder.next_number()?,
            forecast: read_forecast(decoder)?,
            stems: [None; MAX_STEMS],
        };
        for place in &mut summary.stems {
            let stem = InstanceId::new(decoder.next_word()?);
            let inside = InstanceId::new(decoder.next_word()?);
            let state = StemState::ALL[decoder.next_index(StemState::ALL.len())?];
            let (share, gain) = (decoder.next_optional()?, decoder.next_optional()?.map(Db));
            let mut cells = [None; 4];
            for cell in &mut cells {
                *cell = decoder.next_optional()?;
            }
            let matrix = match cells {
                [Some(a), Some(b), Some(c), Some(d)] => Some([[a, b], [c, d]]),
                _ => None,
            };
            let (has_delay, delay) = (decoder.next_index(2)? == 1, decoder.next_signed()?);
            let (delay, chain_cost) = (has_delay.then_some(delay), decoder.next_optional()?.map(Lu));
            let mute_waits = decoder.next_index(2)? == 1;
            *place = stem.map(|stem| StemFinding {
                stem,
                inside,
                state,
                share,
                gain,
                matrix,
                delay,
                chain_cost,
                mute_waits,
            });
        }
        Some(summary)
    }
}

fn write_forecast(forecast: Option<&Forecast>, encoder: &mut Encoder<'_>) {
    let two = |pair: Option<[Lufs; 2]>| [0, 1].map(|n| pair.map(|pair| pair[n].0));
    encoder.push_word(forecast.map_or(0, |forecast| forecast.sender.get()));
    encoder.push_word(forecast.map_or(0, |forecast| forecast.counter));
    encoder.push_word(forecast.map_or(0, |forecast| forecast.stem.get()));
    encoder.push_number(forecast.map_or(0.0, |forecast| forecast.gain.0));
    let into = two(forecast.and_then(|forecast| forecast.into_master));
    let peak = forecast.map_or([None; 2], |forecast| forecast.peak.map(|peak| peak.map(|x| x.0)));
    let out_of = two(forecast.and_then(|forecast| forecast.out_of_master));
    into.into_iter().chain(peak).for_each(|number| encoder.push_optional(number));
    encoder.push_number(forecast.map_or(0.0, |forecast| forecast.half_width.0));
    encoder.push_word(forecast.is_some_and(|forecast| forecast.returns_not_included).into());
    out_of.into_iter().for_each(|number| encoder.push_optional(number));
    encoder.push_optional(
        forecast.map(|forecast| forecast.simulated_half_width.0).filter(|half_width| half_width.is_finite()),
    );
    encoder.push_number(forecast.map_or(0.0, |forecast| forecast.simulated_seconds));
    encoder.push_number(forecast.map_or(0.0, |forecast| forecast.heard));
    encoder.push_number(forecast.map_or(0.0, |forecast| forecast.length));
    encoder.push_optional(forecast.and_then(|forecast| forecast.coverage));
    let whole = forecast.and_then(|forecast| forecast.whole);
    let ends = whole.map(|WholeInterval { change: [a, b], after: [c, d] }| [a.0, b.0, c.0, d.0]);
    (0..4).for_each(|n| encoder.push_optional(ends.map(|ends| ends[n])));
}

/// Reads a forecast that may be absent; the outer `None` stands for words out of range.
fn read_forecast(decoder: &mut Decoder<'_>) -> Option<Option<Forecast>> {
    let both = |a: Option<f64>, b: Option<f64>| Some([Lufs(a?), Lufs(b?)]);
    let (sender, counter, stem) = (decoder.next_word()?, decoder.next_word()?, decoder.next_word()?);
    let gain = decoder.next_db()?;
    let into_master = both(decoder.next_optional()?, decoder.next_optional()?);
    let peak = [decoder.next_optional()?.map(Dbtp), decoder.next_optional()?.map(Dbtp)];
    let (half_width, returns_not_included) = (Lu(decoder.next_number()?), decoder.next_index(2)? == 1);
    let out_of_master = both(decoder.next_optional()?, decoder.next_optional()?);
    let simulated_half_width = Lu(decoder.next_optional()?.unwrap_or(f64::INFINITY));
    let simulated_seconds = decoder.next_number()?;
    let (heard, length) = (decoder.next_number()?, decoder.next_number()?);
    let coverage = decoder.next_optional()?;
    let mut ends = [None; 4];
    for end in &mut ends {
        *end = decoder.next_optional()?;
    }
    let whole = match ends {
        [Some(a), Some(b), Some(c), Some(d)] => {
            Some(WholeInterval { change: [Lu(a), Lu(b)], after: [Lufs(c), Lufs(d)] })
        }
        _ => None,
    };
    let ids = InstanceId::new(sender).zip(InstanceId::new(stem));
    Some(ids.map(|(sender, stem)| Forecast {
        sender,
        counter,
        stem,
        gain,
        into_master,
        peak,
        half_width,
        returns_not_included,
        out_of_master,
        simulated_half_width,
        simulated_seconds,
        heard,
        length,
        coverage,
        whole,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::tests::reading;

    #[test]
    fn a_summary_survives_a_round_trip() {
        let mut summary = SessionSummary {
            placement: MasterPlacement::Final,
            mix: reading(),
            loudest_peak: Some(InstanceId::mint()),
            unlinked_share: Some(-0.01),
            coverage: Some(0.9998),
            cause: Text::new("unlinked track"),
            half_width: Some(Lu(0.2)),
            heard: 92.5,
            length: 100.0,
            forecast: Some(Forecast {
                sender: InstanceId::mint(),
                counter: 7,
                stem: InstanceId::mint(),
                gain: Db(-2.0),
                into_master: Some([Lufs(-14.0), Lufs(-14.5)]),
                peak: [Some(Dbtp(-1.0)), None],
                half_width: Lu(0.1),
                returns_not_included: true,
                out_of_master: Some([Lufs(-9.0), Lufs(-9.1)]),
                simulated_half_width: Lu(0.05),
                simulated_seconds: 20.0,
                heard: 13.0,
                length: 21.0,
                coverage: Some(0.99),
                whole: Some(WholeInterval { change: [Lu(0.25), Lu(0.5)], after: [Lufs(-14.0), Lufs(-13.0)] }),
            }),
            ..SessionSummary::default()
        };
        for n in 0..MAX_STEMS as i64 + 3 {
            summary.push_stem(StemFinding {
                stem: InstanceId::mint(),
                inside: (n % 5 == 4).then(InstanceId::mint),
                state: StemState::ALL[n as usize % StemState::ALL.len()],
                share: Some(0.25),
                gain: (n % 2 == 0).then_some(Db(-3.0)),
                matrix: (n % 2 == 0).then_some([[0.5, 0.0], [-0.1, n as f64]]),
                delay: (n % 3 == 0).then_some(-n),
                chain_cost: Some(Lu(0.5)),
                mute_waits: n % 4 == 1,
            });
        }
        for summary in [summary, SessionSummary::default()] {
            let words: [u64; SUMMARY_WORDS] = summary.encode();
            assert_eq!(SessionSummary::decode(&words), Some(summary));
            assert_eq!(SessionSummary::decode(&words[..SUMMARY_WORDS - 1]), None);
        }
        assert_eq!(summary.findings().count(), MAX_STEMS);
        assert_eq!(summary.stems().count(), MAX_STEMS - MAX_STEMS / 5, "nested stems are not summed");
    }
}
