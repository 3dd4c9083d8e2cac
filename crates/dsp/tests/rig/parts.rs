//! Stems that follow the unit of their sum.

use dsp::{Block, GainLog, RecordGain, Share};
use testkit::{Stereo, difference, noise, stems, sum};

/// Asserts that recording changes no bit, and that the stems of a sum and the residual, each followed by a unit of its
/// own, add up to what the recorder made of the sum, within `rounding`; whatever the blocks.
pub(crate) fn parts_add_up<U: RecordGain>(
    make: impl Fn() -> U,
    changes: &[(usize, U::Settings)],
    rounding: f64,
) {
    let frames = 20_000;
    let stems = stems(3, frames, 0.4);
    let input = sum(&stems);
    let mut terms = stems.clone();
    terms.push(Stereo::silence(frames));
    let mut whole = input.clone();
    let mut plain = input.clone();
    let mut version = input.clone();
    let (mut lead, mut alone, mut together) = (make(), make(), make());
    let mut followers: Vec<U> = terms.iter().map(|_| make()).collect();
    let sizes = noise(4, frames, 1.0);
    let (mut at, mut gain_log) = (0, Vec::new());
    while at < frames {
        for (_, settings) in changes.iter().filter(|(from, _)| *from == at) {
            lead.set(settings);
            alone.set(settings);
            together.set(settings);
            followers.iter_mut().for_each(|unit| unit.set(settings));
        }
        let next = changes.iter().map(|(from, _)| *from).find(|from| *from > at).unwrap_or(frames);
        let end = (at + 1 + (sizes[at].abs() * 600.0) as usize).min(next).min(frames);
        let block = |signal: &mut Stereo, unit: &mut U, gain_log: &mut GainLog<'_>| {
            let (left, right) = (&mut signal.left[at..end], &mut signal.right[at..end]);
            unit.run(&mut Block::new(left, right), gain_log);
        };
        gain_log.clear();
        block(&mut whole, &mut lead, &mut GainLog::Record(&mut gain_log));
        block(&mut plain, &mut alone, &mut GainLog::Off);
        let mut follow = GainLog::follow(&gain_log, Share::Version);
        block(&mut version, &mut together, &mut follow);
        assert!(follow.is_at_end(), "all of the log is used");
        for (i, (term, unit)) in terms.iter_mut().zip(&mut followers).enumerate() {
            let part = if i < stems.len() { Share::Stem } else { Share::Residual };
            let mut follow = GainLog::follow(&gain_log, part);
            block(term, unit, &mut follow);
            assert!(follow.is_at_end(), "all of the log is used");
        }
        at = end;
    }
    assert!(whole == plain, "recording changes nothing");
    assert!(version == whole, "all terms together are the sum");
    assert!(difference(&whole, &input) > 1e-3, "the unit does something");
    let error = difference(&sum(&terms), &whole);
    assert!(error <= rounding, "the terms miss the sum by {error:e}");
}
