//! Order of work on the audio: static bands are filtered together, all others one after another.

use super::band::{Band, Role};
use super::band_solo::{BandSolo, SoloTarget};
use super::dynamics::STEP;
use crate::filter::Cascade;
use crate::{GainLog, Key};
use simd::{Isa, Kernel, Simd};

/// One piece of work on the audio.
#[derive(Clone, Copy, Debug)]
enum Pass {
    /// From left and right to mid and side with a scale of a half, and back with one.
    MidSide(f64),
    /// The sections of static bands, by the index of their cascade.
    Static(usize),
    /// A band that only dynamics move. Its steps begin `lead` frames before the control ticks.
    Dynamic { band: usize, lead: usize },
    /// A band that glides or crossfades.
    Crossfading(usize),
    /// Copies the key of a band for its solo.
    SoloKey(usize),
}

/// Sections lent by static bands.
#[derive(Default)]
struct StaticBands {
    cascade: Cascade,
    /// Band and section of each.
    owners: [(usize, usize); Cascade::MAX_SECTIONS],
}

/// Consecutive dynamic bands of one stereo format: each starts its steps a frame before the band in front of it, two if
/// that has two sections.
#[derive(Clone, Copy, Default)]
struct Row {
    sections: usize,
    mid_side: bool,
}

/// The passes that bands make, from one control tick to the next or as long as nothing changes. Meanwhile the cascades own
/// the states of static bands.
///
/// Static bands of mid and side are filtered as mid and side: the part that they leave alone is a sum and a difference, which
/// cost a rounding each way.
pub(super) struct Schedule {
    isa: Isa,
    made: bool,
    passes: Vec<Pass>,
    cascades: Vec<StaticBands>,
    /// Number of them in use.
    used: usize,
    /// The channels are mid and side after the last pass.
    mid_side: bool,
}

impl Schedule {
    /// An empty one, for so many bands. Allocates all it will need.
    pub(super) fn new(bands: usize) -> Self {
        // A cascade begins after another pass or a full one, which is of two bands or more: there are never more
        // than bands. A band adds a conversion, a cascade (two if one gets full) and a solo's key.
        Self {
            isa: Isa::widest(),
            made: false,
            passes: Vec::with_capacity(4 * bands + 2),
            cascades: (0..bands).map(|_| StaticBands::default()).collect(),
            used: 0,
            mid_side: false,
        }
    }

    /// Forgets all passes and the states that were lent.
    pub(super) fn clear(&mut self) {
        self.cascades[..self.used].iter_mut().for_each(|bands| bands.cascade.clear());
        self.passes.clear();
        (self.made, self.used, self.mid_side) = (false, 0, false);
    }

    /// True when there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        self.passes.is_empty()
    }

    /// Makes the passes of the bands' roles, unless they are made already.
    pub(super) fn make(&mut self, bands: &mut [Band], solo: Option<SoloTarget>) {
        if self.made {
            return;
        }
        self.made = true;
        let mut row = Row::default();
        for (i, band) in bands.iter_mut().enumerate() {
            if solo == Some(SoloTarget::Key(i)) {
                self.convert(false);
                self.passes.push(Pass::SoloKey(i));
                row = Row::default();
            }
            match band.role() {
                Role::Neutral => {}
                Role::Static => {
                    self.convert(band.filter().is_mid_side());
                    (0..band.filter().sections()).for_each(|section| self.lend(band, (i, section)));
                    row = Row::default();
                }
                Role::Dynamic => {
                    self.convert(false);
                    let (sections, mid_side) = (band.filter().sections(), band.filter().is_mid_side());
                    if mid_side != row.mid_side || row.sections + sections > Cascade::MAX_SECTIONS {
                        row = Row { sections: 0, mid_side };
                    }
                    // Until its first step it stays where it is.
                    band.filter_mut().halt(1.0);
                    self.passes.push(Pass::Dynamic { band: i, lead: row.sections });
                    row.sections += sections;
                }
                Role::Crossfading => {
                    self.convert(false);
                    self.passes.push(Pass::Crossfading(i));
                    row = Row::default();
                }
            }
        }
        self.convert(false);
    }

    fn convert(&mut self, mid_side: bool) {
        if mid_side != self.mid_side {
            self.mid_side = mid_side;
            self.passes.push(Pass::MidSide(if mid_side { 0.5 } else { 1.0 }));
        }
    }

    fn lend(&mut self, band: &Band, owner: (usize, usize)) {
        let full = |bands: &StaticBands| bands.cascade.len() == Cascade::MAX_SECTIONS;
        let last = match self.passes.last() {
            Some(&Pass::Static(last)) if !full(&self.cascades[last]) => last,
            _ => {
                self.used += 1;
                self.passes.push(Pass::Static(self.used - 1));
                self.used - 1
            }
        };
        let StaticBands { cascade, owners } = &mut self.cascades[last];
        owners[cascade.len()] = owner;
        band.filter().lend(owner.1, cascade);
    }

    /// Gives the bands' states back before a control tick. Flushes invalid states.
    pub(super) fn give_back(&mut self, bands: &mut [Band]) {
        for StaticBands { cascade, owners } in &self.cascades[..self.used] {
            for (place, &(band, section)) in owners[..cascade.len()].iter().enumerate() {
                bands[band].filter_mut().take_back(section, |channel| cascade.state(place, channel));
            }
        }
        for pass in &self.passes {
            if let Pass::Dynamic { band, lead } = *pass {
                let elapsed = lead % STEP;
                let share = if elapsed == 0 { 1.0 } else { elapsed as f64 / STEP as f64 };
                bands[band].filter_mut().halt(share);
            }
        }
        self.clear();
    }

    /// Filters in place; `since`: frames from the last tick to the first of these.
    pub(super) fn run(
        &mut self,
        since: usize,
        (bands, solo): (&mut [Band], &mut BandSolo),
        [left, right]: [&mut [f64]; 2],
        key: Option<Key<'_>>,
        gain_log: &mut GainLog<'_>,
    ) {
        for pass in &self.passes {
            match *pass {
                Pass::MidSide(scale) => convert(left, right, scale),
                Pass::Static(i) => self.cascades[i].cascade.run(left, right),
                Pass::Dynamic { band, lead } => {
                    let band = &mut bands[band];
                    self.isa.run(Alone { band, since: since + lead, left, right, key, gain_log });
                    band.flush_invalid();
                }
                Pass::Crossfading(i) => bands[i].process(since, left, right, key, gain_log),
                Pass::SoloKey(i) => solo.copy_key(bands[i].goal(), [left, right], key),
            }
        }
    }
}

/// [`Band::process`], compiled for an instruction set: the same bits with each.
struct Alone<'a, 'b> {
    band: &'a mut Band,
    since: usize,
    left: &'a mut [f64],
    right: &'a mut [f64],
    key: Option<Key<'a>>,
    gain_log: &'a mut GainLog<'b>,
}

impl Kernel for Alone<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        self.band.process(self.since, self.left, self.right, self.key, self.gain_log);
    }
}

/// Sum and difference of the channels, scaled.
fn convert(left: &mut [f64], right: &mut [f64], scale: f64) {
    for (left, right) in left.iter_mut().zip(right) {
        (*left, *right) = (scale * (*left + *right), scale * (*left - *right));
    }
}
