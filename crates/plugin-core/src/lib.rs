//! Host parameters, saved state, meters, and the state that a plugin shares with its window.
//!
//! [`chain::parameters`](chain::parameters) is the one parameter table. [`groups`] lists the rows that a plugin has,
//! [`control`] makes a host parameter of a row, [`normalized`] and [`text`] convert values, [`document`] is saved
//! beside the parameters. [`ChainParams::settings`] turns all of it into plain [`ChainSettings`]: no parameter type
//! reaches the signal path.
//!
//! [`context`] is the value that plugin and window share: [`gauges`] and [`shared`] state, with [`session_view`] as
//! the snapshot and [`command`] as the way back.

pub mod command;
pub mod context;
pub mod control;
pub mod document;
pub mod gauges;
pub mod groups;
pub mod landing;
pub mod monitor;
pub mod noise;
pub mod normalized;
pub mod presets;
pub mod reference_clip;
pub mod references;
pub mod session_export;
pub mod session_view;
pub mod shared;
pub mod text;
pub mod track;
pub mod transport;

use chain::parameters::Parameter;
use chain::{ChainKind, ChainSettings, LatencyClass};
use control::{Changes, Control};
use document::{ParameterSnapshot, Store};
use groups::{
    Band, Compressor, Denoise, Group, Input, Limiter, MasterOutput, Saturator, StemOutput, Visitor, Width,
};
use nice_plug::prelude::{IntParam, IntRange, Param, Params};
use std::sync::Arc;
use units::Db;

/// Parameter group that differs between the plugins.
#[expect(private_bounds, reason = "groups are this module's own")]
pub trait Output: Group {
    /// Kind of the chain.
    const CHAIN_KIND: ChainKind;
}

impl Output for StemOutput {
    const CHAIN_KIND: ChainKind = ChainKind::Stem;
}

impl Output for MasterOutput {
    const CHAIN_KIND: ChainKind = ChainKind::Master;
}

/// Parameters of Stemlink Stem.
pub type StemParams = ChainParams<StemOutput>;
/// Parameters of Stemlink Master.
pub type MasterParams = ChainParams<MasterOutput>;

/// Bands of the equalizer, each a group of the group *Equalizer*.
#[derive(Params)]
pub struct Bands {
    /// Band 1.
    #[nested(id_prefix = "eq1", group = "EQ 1")]
    pub band1: Box<Band>,
    /// Band 2.
    #[nested(id_prefix = "eq2", group = "EQ 2")]
    pub band2: Box<Band>,
    /// Band 3.
    #[nested(id_prefix = "eq3", group = "EQ 3")]
    pub band3: Box<Band>,
    /// Band 4.
    #[nested(id_prefix = "eq4", group = "EQ 4")]
    pub band4: Box<Band>,
    /// Band 5.
    #[nested(id_prefix = "eq5", group = "EQ 5")]
    pub band5: Box<Band>,
    /// Band 6.
    #[nested(id_prefix = "eq6", group = "EQ 6")]
    pub band6: Box<Band>,
    /// Band 7.
    #[nested(id_prefix = "eq7", group = "EQ 7")]
    pub band7: Box<Band>,
    /// Band 8.
    #[nested(id_prefix = "eq8", group = "EQ 8")]
    pub band8: Box<Band>,
}

/// All parameters of a plugin. The groups are on the heap: hosts make plugins on threads with little stack.
#[derive(Params)]
pub struct ChainParams<O: Output> {
    /// The latency class; takes effect when the host activates the plugin. Automatable, because some hosts (Ardour) drop
    /// changes of VST3 parameters that are not; modulation has no effect.
    #[id = "latency_class"]
    pub latency_class: IntParam,
    /// Input.
    #[nested(group = "Input")]
    pub input: Box<Input>,
    /// Noise reduction.
    #[nested(group = "Denoise")]
    pub denoise: Box<Denoise>,
    /// Bands of the equalizer.
    #[nested(group = "Equalizer")]
    pub equalizer: Box<Bands>,
    /// Compressor.
    #[nested(group = "Compressor")]
    pub compressor: Box<Compressor>,
    /// Saturator.
    #[nested(group = "Saturator")]
    pub saturator: Box<Saturator>,
    /// Width.
    #[nested(group = "Width")]
    pub width: Box<Width>,
    /// Limiter.
    #[nested(group = "Limiter")]
    pub limiter: Box<Limiter>,
    /// Output.
    #[nested(group = "Output")]
    pub output: O,
    /// Saved document beside the parameters.
    #[persist = "document"]
    pub store: Store,
    changes: Changes,
}

impl<O: Output> Default for ChainParams<O> {
    fn default() -> Self {
        let changes = Changes::default();
        let c = &changes;
        Self {
            latency_class: latency_class(O::CHAIN_KIND),
            input: group(c, ""),
            denoise: group(c, ""),
            equalizer: dsp::boxed(|| Bands {
                band1: group(c, "eq1_"),
                band2: group(c, "eq2_"),
                band3: group(c, "eq3_"),
                band4: group(c, "eq4_"),
                band5: group(c, "eq5_"),
                band6: group(c, "eq6_"),
                band7: group(c, "eq7_"),
                band8: group(c, "eq8_"),
            }),
            compressor: group(c, ""),
            saturator: group(c, ""),
            width: group(c, ""),
            limiter: group(c, ""),
            output: O::make(c, ""),
            store: Store::new(O::CHAIN_KIND, changes.clone()),
            changes,
        }
    }
}

/// Makes a group on the heap.
fn group<G: Group>(changes: &Changes, prefix: &str) -> Box<G> {
    dsp::boxed(|| G::make(changes, prefix))
}

impl<O: Output> ChainParams<O> {
    /// Visits every parameter of the chain in the table's order.
    pub fn each(&self, visitor: &mut impl Visitor) {
        self.input.each(visitor);
        self.denoise.each(visitor);
        let bands = &self.equalizer;
        for band in [
            &bands.band1,
            &bands.band2,
            &bands.band3,
            &bands.band4,
            &bands.band5,
            &bands.band6,
            &bands.band7,
            &bands.band8,
        ] {
            band.each(visitor);
        }
        self.compressor.each(visitor);
        self.saturator.each(visitor);
        self.width.each(visitor);
        self.limiter.each(visitor);
        self.output.each(visitor);
    }

    /// Returns the number of changes of parameters and document. The [settings](Self::settings) change only with it.
    pub fn changes(&self) -> u64 {
        self.changes.count()
    }

    /// Returns the chain's current settings. Does not allocate.
    pub fn settings(&self) -> ChainSettings {
        struct Read(ChainSettings);
        impl Visitor for Read {
            fn visit<C: Control>(&mut self, row: &'static Parameter, control: &C) {
                row.set(&mut self.0, control.value(row));
            }
        }
        let mut read = Read(ChainSettings::default());
        self.each(&mut read);
        let Read(mut settings) = read;
        settings.denoise.print = self.store.noise().print();
        settings.denoise.curve = self.store.noise().curve();
        settings
    }

    /// Returns the level change that a Master has requested, on top of [`Self::settings`].
    pub fn trim(&self) -> Db {
        match O::CHAIN_KIND {
            ChainKind::Stem => self.store.trim(),
            ChainKind::Master => Db(0.0),
        }
    }

    /// Returns the current parameters for a slot.
    pub fn snapshot(&self) -> ParameterSnapshot {
        struct Keep(ParameterSnapshot);
        impl Visitor for Keep {
            fn visit<C: Control>(&mut self, row: &'static Parameter, control: &C) {
                self.0.set_value(row, control.value(row));
            }
        }
        let mut keep = Keep(ParameterSnapshot::default());
        self.each(&mut keep);
        keep.0
    }

    /// Returns the selected latency class.
    pub fn class(&self) -> LatencyClass {
        CLASSES[usize::try_from(self.latency_class.unmodulated_plain_value())
            .unwrap_or(0)
            .min(CLASSES.len() - 1)]
        .0
    }
}

/// Id of the latency class. Permanent.
const LATENCY_CLASS: &str = "latency_class";

/// Latency classes in the parameter's order, which is permanent.
const CLASSES: [(LatencyClass, &str); 3] = [
    (LatencyClass::Zero, "Zero"),
    (LatencyClass::Lookahead, "Lookahead"),
    (LatencyClass::LinearDenoise, "Linear & Denoise"),
];

/// Returns the latency classes with their names, in order of latency.
pub fn classes() -> &'static [(LatencyClass, &'static str)] {
    &CLASSES
}

fn latency_class(chain_kind: ChainKind) -> IntParam {
    let last = CLASSES.len() as i32 - 1;
    let default =
        CLASSES.iter().position(|(class, _)| *class == chain_kind.default_class()).unwrap_or(0) as i32;
    IntParam::new("Latency", default, IntRange::Linear { min: 0, max: last })
        .with_value_to_string(Arc::new(move |index| CLASSES[index.clamp(0, last) as usize].1.into()))
        .with_string_to_value(Arc::new(|text| {
            let index = CLASSES.iter().position(|(_, name)| name.eq_ignore_ascii_case(text.trim()))?;
            i32::try_from(index).ok()
        }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chain::parameters::PARAMETERS;
    use nice_plug::prelude::ParamPtr;
    use std::collections::HashSet;

    fn ids<O: Output>() -> Vec<(String, String)> {
        let params = ChainParams::<O>::default();
        params.param_map().into_iter().map(|(id, _, group)| (id, group)).collect()
    }

    fn table(chain_kind: ChainKind) -> Vec<(String, String)> {
        // the bands of the equalizer are groups of a group
        let group =
            |name: &str| if name.starts_with("EQ ") { format!("Equalizer/{name}") } else { name.to_owned() };
        let rows = PARAMETERS.for_kind(chain_kind).map(|p| (p.id.clone(), group(&p.group)));
        std::iter::once(("latency_class".into(), String::new())).chain(rows).collect()
    }

    #[test]
    fn the_plugins_have_the_table_s_parameters_in_its_order_and_groups() {
        assert_eq!(ids::<StemOutput>(), table(ChainKind::Stem));
        assert_eq!(ids::<MasterOutput>(), table(ChainKind::Master));
    }

    #[test]
    fn defaults_are_the_chain_s() {
        assert_eq!(StemParams::default().settings(), ChainSettings::default());
        assert_eq!(MasterParams::default().settings(), ChainSettings::default());
        assert_eq!(StemParams::default().class(), LatencyClass::Zero);
        assert_eq!(MasterParams::default().class(), LatencyClass::Lookahead);
    }

    #[test]
    fn what_noise_reduction_is_set_to_beside_the_table_is_saved_and_comes_back() {
        use nice_plug::params::persist::PersistentField;
        let (params, again) = (StemParams::default(), StemParams::default());
        let curve = core::array::from_fn(|n| Db(n as f64 - 3.5));
        params.store.noise().set_curve(&curve);
        let text = serde_json::to_string(&params.store.map(Clone::clone)).expect("plain");
        again.store.set(serde_json::from_str(&text).expect("its own"));
        assert_eq!((params.settings().denoise.curve, again.settings().denoise.curve), (curve, curve));
        assert!(again.changes() > 0, "the audio thread looks again");
    }

    #[test]
    fn every_control_is_the_one_that_a_host_knows_by_its_row_s_id() {
        struct Check(Vec<(String, ParamPtr)>, HashSet<String>);
        impl Visitor for Check {
            fn visit<C: Control>(&mut self, row: &'static Parameter, control: &C) {
                assert!(self.0.contains(&(row.id.clone(), control.as_ptr())), "{}", row.id);
                assert!(C::fits(row), "{}", row.id);
                assert!(self.1.insert(control.name().into()), "two are called {}", control.name());
                assert_eq!(control.value(row), row.default, "{}", row.id);
                let shown = control.normalized_value_to_string(control.default_normalized_value(), true);
                let read = control.string_to_normalized_value(&shown);
                let plain = read.map(|read| control.preview_plain(read));
                assert!(plain == Some(control.default_plain_value()), "{}: {shown}", row.id);
            }
        }
        let params = MasterParams::default();
        let known = params.param_map().into_iter().map(|(id, pointer, _)| (id, pointer)).collect();
        let mut check = Check(known, HashSet::new());
        params.each(&mut check);
        // the latency class is no row of the table
        assert_eq!(check.1.len() + 1, check.0.len());
    }
}
