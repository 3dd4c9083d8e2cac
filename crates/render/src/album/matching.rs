//! Trims that match the tracks of an album: one constant gain each.

use super::{Album, AlbumTrack};
use crate::ceiling::StrictPeak;
use crate::mixdown::{Mixdown, master_chain};
use crate::progress::{Progress, advance};
use audiofile::error::{Error, Result};
use session::target::builtin;
use units::{Db, Dbtp, Lu, Lufs};

/// Measure by which tracks are matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchBy {
    /// Integrated loudness of each track.
    Integrated,
    /// Highest short-term loudness of each track.
    ShortTerm,
    /// Integrated loudness of the loudest track, which sets one gain for all: the steps between tracks stay (AES TD1008).
    LoudestTrack,
}

impl MatchBy {
    /// Loudness of a track by this measure.
    pub fn loudness(self, track: &AlbumTrack) -> Option<Lufs> {
        match self {
            Self::Integrated | Self::LoudestTrack => track.reading.integrated,
            Self::ShortTerm => track.reading.short_term_max,
        }
    }
}

/// Order for a match.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MatchOrder {
    /// The measure.
    pub by: MatchBy,
    /// The loudness wanted; none: the median of the tracks, or that of AES TD1008 for the loudest track.
    pub aim: Option<Lufs>,
    /// The ceiling of every track.
    pub ceiling: Dbtp,
    /// Tracks that would pass the ceiling are limited; else the whole album comes down alike.
    pub limiter: bool,
}

/// Trims of an album.
#[derive(Clone, Debug, PartialEq)]
pub struct AlbumTrims {
    /// The loudness that the measure has before the album comes down for its ceiling.
    pub aim: Lufs,
    /// Gain of each track, the way down included.
    pub trims: Vec<Db>,
    /// The way down of the whole album for the ceiling, 0 or more.
    pub down: Db,
    /// The track whose peak asks for it.
    pub bound_by: Option<usize>,
}

impl Album {
    /// Trims by `order`: one constant gain for each track. A track without loudness keeps its level, but for the way down.
    ///
    /// # Errors
    /// If no track has a loudness, one cannot be read again, or the listener stops it.
    pub fn match_tracks(&self, order: &MatchOrder, progress: &mut dyn Progress) -> Result<AlbumTrims> {
        let loudness: Vec<Option<Lufs>> = self.tracks.iter().map(|track| order.by.loudness(track)).collect();
        let mut there: Vec<f64> = loudness.iter().flatten().map(|loudness| loudness.0).collect();
        there.sort_by(f64::total_cmp);
        let Some(loudest) = there.last().copied().map(Lufs) else {
            return Err(Error::Bundle {
                path: self.tracks.first().map(|track| track.path.clone()).unwrap_or_default(),
                fault: "has no loudness to match, as no other track has".into(),
                cure: "give tracks that can be heard, and for short-term loudness of 3 s at least".into(),
            });
        };
        let aim = order.aim.unwrap_or_else(|| match order.by {
            MatchBy::LoudestTrack => builtin()
                .iter()
                .find_map(|target| target.loudest_track())
                .expect("AES TD1008 is in the table"),
            _ => Lufs((there[(there.len() - 1) / 2] + there[there.len() / 2]) / 2.0),
        });
        let gain = |by: Lu| Db(by.0);
        let mut trims: Vec<Db> = match order.by {
            MatchBy::LoudestTrack => vec![gain(aim - loudest); self.tracks.len()],
            _ => loudness.iter().map(|there| there.map_or(Db(0.0), |there| gain(aim - there))).collect(),
        };
        let (mut down, mut bound_by) = (Db(0.0), None);
        if !order.limiter {
            (down, bound_by) = self.way_down(&trims, order.ceiling, progress)?;
            trims.iter_mut().for_each(|trim| *trim = *trim - down);
        }
        Ok(AlbumTrims { aim, trims, down, bound_by })
    }

    /// The way down after which every track holds the ceiling by the strict true peak, and the track that asks for it.
    fn way_down(
        &self,
        trims: &[Db],
        ceiling: Dbtp,
        progress: &mut dyn Progress,
    ) -> Result<(Db, Option<usize>)> {
        let over = |track: &AlbumTrack, trim: Db| Some((track.reading.true_peak? + trim).0 - ceiling.0);
        let overs: Vec<Option<f64>> =
            self.tracks.iter().zip(trims).map(|(track, trim)| over(track, *trim)).collect();
        let mut worst = (0.0, None);
        for (index, over) in overs.iter().enumerate() {
            if let Some(over) = over.filter(|over| *over > worst.0) {
                worst = (over, Some(index));
            }
        }
        // the strict reading finds more than the meter's, by less than this
        let by_meter = worst.0;
        for (index, _) in
            overs.iter().enumerate().filter(|(_, over)| over.is_some_and(|o| o > by_meter - NEAR))
        {
            let gain = trims[index] - Db(by_meter);
            let strict = self.tracks[index].strict_peak(gain, ceiling, progress)?;
            let over = by_meter + Dbtp::from_amplitude(strict).map_or(f64::NEG_INFINITY, |p| p.0 - ceiling.0);
            if over > worst.0 {
                worst = (over, Some(index));
            }
        }
        Ok((Db(worst.0), worst.1))
    }
}

/// Distance below the ceiling from which a track's peak is read strictly, dB.
const NEAR: f64 = 0.8;

impl AlbumTrack {
    /// The strict true peak of the track with a gain, linear, near `ceiling`.
    fn strict_peak(&self, gain: Db, ceiling: Dbtp, progress: &mut dyn Progress) -> Result<f64> {
        let (bundle, session) = self.source(progress)?;
        let mut mixdown = Mixdown::open(&bundle, &session)?;
        let mut chain = master_chain(&session.master, &session, bundle.rate()?);
        let mut strict = StrictPeak::new(ceiling);
        let mut sum = [Vec::new(), Vec::new()];
        let gain = gain.gain();
        progress.begin(&self.name, mixdown.frames());
        while let Some((frames, out)) = mixdown.next(&mut chain, &mut sum, |_| ())? {
            let [left, right] = out.map(|side| side.iter().map(|x| gain * x).collect::<Vec<f64>>());
            strict.process([&left, &right]);
            advance(progress, frames, &self.path)?;
        }
        Ok(strict.finish())
    }
}
