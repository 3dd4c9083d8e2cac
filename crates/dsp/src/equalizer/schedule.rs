//! Order of work on the audio: static bands are filtered together, all others one after another.

use super::band::{Band, Role};
use super::band_solo::{BandSolo, SoloTarget};
use super::dynamics::STEP;
use crate::filter::Cascade;
use crate::{Block, GainLog};
use simd::{Isa, Kernel, Simd};

/// One piece of work on the audio.
#[derive(Clone, Copy, Debug)]
enum Pass {
    /// From left and right to mid and side with a scale of a half, and back with one.
    MidSide(f64),
    /// The sections of static bands, by the index of their cascade.
    Static(usize),
    /// A band that moves. If only dynamics move it, its steps begin `lead` frames before the control ticks.
    Moving { band: usize, lead: Option<usize> },
    /// Copies the key of a band for its solo.
    SoloKey(usize),
}

/// Sections lent by static bands.
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
    passes: Vec<Pass>,
    cascades: Vec<StaticBands>,
    /// The channels are mid and side after the last pass.
    mid_side: bool,
}

impl Schedule {
    /// An empty one, for so many bands. Allocates all it will need.
    pub(super) fn new(bands: usize) -> Self {
        // A cascade begins after another pass or a full one, which is of two bands or more: there are never more
        // than bands. A band adds a conversion, a cascade (two if one gets full) and a solo's key.
        let (passes, cascades) = (Vec::with_capacity(4 * bands + 2), Vec::with_capacity(bands));
        Self { isa: Isa::widest(), passes, cascades, mid_side: false }
    }

    /// Forgets all passes and the states that were lent.
    pub(super) fn clear(&mut self) {
        self.passes.clear();
        self.cascades.clear();
        self.mid_side = false;
    }

    /// True when there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        self.passes.is_empty()
    }

    /// Makes the passes of the bands' roles, unless they are made already.
    pub(super) fn make(&mut self, bands: &mut [Band], solo: Option<SoloTarget>) {
        if !self.is_empty() {
            return;
        }
        let mut row = Row::default();
        for (i, band) in bands.iter_mut().enumerate() {
            if solo == Some(SoloTarget::Key(i)) {
                self.convert(false);
                self.passes.push(Pass::SoloKey(i));
                row = Row::default();
            }
            let (sections, mid_side) = (band.filter.series.count(), band.filter.made.placement.is_mid_side());
            match band.role() {
                Role::Neutral => {}
                Role::Static => {
                    self.convert(mid_side);
                    (0..sections).for_each(|section| self.lend(band, (i, section)));
                    row = Row::default();
                }
                Role::Moving => {
                    self.convert(false);
                    let lead = if band.is_only_dynamic() {
                        if mid_side != row.mid_side || row.sections + sections > Cascade::MAX_SECTIONS {
                            row = Row { sections: 0, mid_side };
                        }
                        // Until its first step it stays where it is.
                        band.filter.halt(1.0);
                        row.sections += sections;
                        Some(row.sections - sections)
                    } else {
                        row = Row::default();
                        None
                    };
                    self.passes.push(Pass::Moving { band: i, lead });
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
        let full = |bands: &StaticBands| bands.cascade.count == Cascade::MAX_SECTIONS;
        if !matches!(self.passes.last(), Some(Pass::Static(_))) || self.cascades.last().is_none_or(full) {
            self.passes.push(Pass::Static(self.cascades.len()));
            let owners = [(0, 0); Cascade::MAX_SECTIONS];
            self.cascades.push(StaticBands { cascade: Cascade::new(self.isa), owners });
        }
        if let Some(StaticBands { cascade, owners }) = self.cascades.last_mut() {
            owners[cascade.count] = owner;
            band.filter.lend(owner.1, cascade);
        }
    }

    /// Gives the bands' states back before a control tick.
    pub(super) fn give_back(&mut self, bands: &mut [Band]) {
        for StaticBands { cascade, owners } in &self.cascades {
            for (place, &(band, section)) in owners[..cascade.count].iter().enumerate() {
                bands[band].filter.take_back(section, |channel| cascade.state(place, channel));
            }
        }
        for pass in &self.passes {
            if let Pass::Moving { band, lead: Some(lead) } = *pass {
                bands[band].filter.halt(if lead == 0 { 1.0 } else { lead as f64 / STEP as f64 });
            }
        }
        self.clear();
    }

    /// Filters in place; `since`: frames from the last tick to the first of these.
    pub(super) fn run(
        &mut self,
        since: usize,
        bands: &mut [Band],
        solo: &mut BandSolo,
        block: &mut Block<'_>,
        gain_log: &mut GainLog<'_>,
    ) {
        for pass in &self.passes {
            let (left, right) = block.channels();
            match *pass {
                Pass::MidSide(scale) => convert(left, right, scale),
                Pass::Static(i) => self.cascades[i].cascade.run(left, right),
                Pass::Moving { band, lead } => {
                    let band = &mut bands[band];
                    self.isa.run(Alone { band, since: since + lead.unwrap_or(0), block, gain_log });
                    if lead.is_some() {
                        band.flush_invalid();
                    }
                }
                Pass::SoloKey(i) => solo.copy_key(&bands[i].goal, block),
            }
        }
    }
}

/// [`Band::process`], compiled for an instruction set: the same bits with each.
struct Alone<'a, 'b, 'c> {
    band: &'a mut Band,
    since: usize,
    block: &'a mut Block<'b>,
    gain_log: &'a mut GainLog<'c>,
}

impl Kernel for Alone<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        self.band.process(self.since, self.block, self.gain_log);
    }
}

/// Sum and difference of the channels, scaled.
fn convert(left: &mut [f64], right: &mut [f64], scale: f64) {
    for (left, right) in left.iter_mut().zip(right) {
        (*left, *right) = (scale * (*left + *right), scale * (*left - *right));
    }
}
