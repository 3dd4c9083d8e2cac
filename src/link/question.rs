//! What a viewer asks a Master, "what if these stems were louder or softer?", and what the Master answers. Plain values.
//!
//! A question is posted for all to see; the Master that it names answers with a [`Forecast`] that names the question. A
//! Master has room for one answer: the last asked.

use super::identity::InstanceId;
use super::snapshot::READING_WORDS;
use super::words::{Eye, Pen, Record};
use crate::meter::Reading;
use crate::units::{Db, Dbtp, Lu};

/// Moves in a question.
pub const MOVES: usize = 8;

/// The largest move, up and down.
pub const LARGEST_MOVE: Db = Db(60.0);

/// "What if": moves of stems.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Question {
    /// Grows with every question of one who asks.
    pub counter: u64,
    /// The Master that is asked; `None`: nobody is.
    pub master: Option<InstanceId>,
    moves: [Option<(InstanceId, Db)>; MOVES],
}

/// Words of a [`Question`].
pub const QUESTION_WORDS: usize = 2 + 2 * MOVES;

impl Question {
    /// What `master` is asked: gains for stems, on top of what they have. `None` if there are none, or more than
    /// [`MOVES`].
    pub fn new(counter: u64, master: InstanceId, moves: &[(InstanceId, Db)]) -> Option<Self> {
        let mut question = Self { counter, master: Some(master), moves: [None; MOVES] };
        for (place, &(stem, gain)) in question.moves.get_mut(..moves.len())?.iter_mut().zip(moves) {
            *place = Some((stem, Db(gain.0.clamp(-LARGEST_MOVE.0, LARGEST_MOVE.0))));
        }
        (!moves.is_empty()).then_some(question)
    }

    /// The moves.
    pub fn moves(&self) -> impl Iterator<Item = (InstanceId, Db)> {
        self.moves.iter().flatten().copied()
    }
}

impl Record for Question {
    fn write(&self, pen: &mut Pen<'_>) {
        pen.word(self.counter);
        pen.word(self.master.map_or(0, InstanceId::get));
        for place in &self.moves {
            pen.word(place.map_or(0, |(stem, _)| stem.get()));
            pen.number(place.map_or(0.0, |(_, gain)| gain.0));
        }
    }

    fn read(eye: &mut Eye<'_>) -> Option<Self> {
        let mut question =
            Self { counter: eye.word()?, master: InstanceId::new(eye.word()?), moves: [None; MOVES] };
        for place in &mut question.moves {
            let (stem, gain) = (InstanceId::new(eye.word()?), eye.db()?);
            if gain.0.abs() > LARGEST_MOVE.0 {
                return None;
            }
            *place = stem.map(|stem| (stem, gain));
        }
        Some(question)
    }
}

/// Why a Master has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing has been heard of the song with everything as it is set now.
    NothingHeard,
    /// It does not sum one of the stems.
    NotSummed,
    /// It does not own the session: it only shows, or sits last.
    NotTheOwner,
}

impl Refusal {
    const ALL: [Self; 3] = [Self::NothingHeard, Self::NotSummed, Self::NotTheOwner];
}

/// Out of the master: the Master's own chain run over what was captured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Simulation {
    /// Seconds of the song that it was run over.
    pub seconds: f64,
    /// What came out of it.
    pub before: Reading,
    /// What came out of it with the moves made.
    pub after: Reading,
}

/// A Master's answer: the loudness of the mix with the moves made.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outlook {
    /// How far off the integrated loudness may be: zero if it is exact; `None` if that is not known.
    pub half_width: Option<Lu>,
    /// True if returns of a moved stem may be in the mix that nobody has named.
    pub returns_not_included: bool,
    /// Seconds of the song that it is made from.
    pub heard: f64,
    /// The mix as it enters the Master.
    pub before: Reading,
    /// The same with the moves made, without peaks.
    pub after: Reading,
    /// The true peak with the moves made is not lower and not higher than this.
    pub peak: [Option<Dbtp>; 2],
    /// The stem with most of that peak.
    pub loudest_peak: Option<InstanceId>,
    /// Out of the master, if its chain is not linear.
    pub simulation: Option<Simulation>,
}

/// What a Master says to a question.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Forecast {
    /// Whose question, and its counter; `None`: nobody has asked.
    pub question: Option<(InstanceId, u64)>,
    /// The answer, or why there is none.
    pub outcome: Option<Result<Outlook, Refusal>>,
}

/// Words of a [`Forecast`].
pub const FORECAST_WORDS: usize = 11 + 4 * READING_WORDS;

impl Record for Forecast {
    fn write(&self, pen: &mut Pen<'_>) {
        pen.word(self.question.map_or(0, |(sender, _)| sender.get()));
        pen.word(self.question.map_or(0, |(_, counter)| counter));
        let answer = match self.outcome {
            None => return pen.word(0),
            Some(Err(refusal)) => return pen.word(2 + refusal as u64),
            Some(Ok(answer)) => answer,
        };
        pen.word(1);
        pen.perhaps(answer.half_width.map(|x| x.0));
        pen.word(answer.returns_not_included.into());
        pen.number(answer.heard);
        answer.before.write(pen);
        answer.after.write(pen);
        answer.peak.iter().for_each(|peak| pen.perhaps(peak.map(|x| x.0)));
        pen.word(answer.loudest_peak.map_or(0, InstanceId::get));
        pen.word(answer.simulation.is_some().into());
        let simulation = answer.simulation.unwrap_or_default();
        pen.number(simulation.seconds);
        simulation.before.write(pen);
        simulation.after.write(pen);
    }

    fn read(eye: &mut Eye<'_>) -> Option<Self> {
        let (sender, counter) = (InstanceId::new(eye.word()?), eye.word()?);
        let question = sender.map(|sender| (sender, counter));
        let outcome = match eye.index(2 + Refusal::ALL.len())? {
            0 => None,
            1 => Some(Ok(read_outlook(eye)?)),
            refusal => Some(Err(Refusal::ALL[refusal - 2])),
        };
        Some(Self { question, outcome })
    }
}

fn read_outlook(eye: &mut Eye<'_>) -> Option<Outlook> {
    let half_width = eye.perhaps()?.map(Lu);
    let returns_not_included = eye.index(2)? == 1;
    let heard = eye.number()?;
    let (before, after) = (Record::read(eye)?, Record::read(eye)?);
    let peak = [eye.perhaps()?.map(Dbtp), eye.perhaps()?.map(Dbtp)];
    let loudest_peak = InstanceId::new(eye.word()?);
    let is_simulated = eye.index(2)? == 1;
    let simulation =
        Simulation { seconds: eye.number()?, before: Record::read(eye)?, after: Record::read(eye)? };
    let simulation = is_simulated.then_some(simulation);
    Some(Outlook { half_width, returns_not_included, heard, before, after, peak, loudest_peak, simulation })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

    use super::*;
    use crate::link::snapshot::tests::reading;

    #[test]
    fn a_question_comes_back() {
        let stem = || InstanceId::mint();
        let moves = [(stem(), Db(3.0)), (stem(), Db(-1.5))];
        let question = Question::new(5, InstanceId::mint(), &moves).unwrap();
        assert!(question.moves().eq(moves));
        for question in [question, Question::default()] {
            let words: [u64; QUESTION_WORDS] = question.encode();
            assert_eq!(Question::decode(&words), Some(question));
            assert_eq!(Question::decode(&words[..QUESTION_WORDS - 1]), None);
        }
        let mut words: [u64; QUESTION_WORDS] = question.encode();
        words[3] = 60.1f64.to_bits();
        assert_eq!(Question::decode(&words), None, "a move out of range");
    }

    #[test]
    fn a_question_has_one_to_eight_moves() {
        let (master, one) = (InstanceId::mint(), (InstanceId::mint(), Db(99.0)));
        assert_eq!(Question::new(0, master, &[]), None);
        assert_eq!(Question::new(0, master, &[one; MOVES + 1]), None);
        let moves: Vec<_> = Question::new(0, master, &[one; MOVES]).unwrap().moves().collect();
        assert_eq!(moves, [(one.0, LARGEST_MOVE); MOVES]);
    }

    #[test]
    fn an_answer_comes_back() {
        let simulation = Simulation { seconds: 20.0, before: reading(), after: Reading::default() };
        let answer = Outlook {
            half_width: Some(Lu(0.2)),
            returns_not_included: true,
            heard: 92.5,
            before: reading(),
            after: Reading { range: Some(Lu(4.0)), ..reading() },
            peak: [Some(Dbtp(-3.0)), None],
            loudest_peak: Some(InstanceId::mint()),
            simulation: Some(simulation),
        };
        let plain = Outlook { half_width: None, simulation: None, ..answer };
        let question = Some((InstanceId::mint(), 7));
        for outcome in
            [Ok(answer), Ok(plain)].into_iter().chain(Refusal::ALL.map(Err)).map(Some).chain([None])
        {
            let forecast = Forecast { question, outcome };
            let words: [u64; FORECAST_WORDS] = forecast.encode();
            assert_eq!(Forecast::decode(&words), Some(forecast));
        }
        let words: [u64; FORECAST_WORDS] = Forecast { question, outcome: Some(Ok(answer)) }.encode();
        assert_eq!(Forecast::decode(&words[..FORECAST_WORDS - 1]), None);
        let words: [u64; FORECAST_WORDS] = Forecast::default().encode();
        assert_eq!(Forecast::decode(&words), Some(Forecast::default()));
    }
}
