//! The groups of parameters, as hosts show them. Which parameters there are is said here; everything about them
//! (name, range, default, unit) comes from the chain's table. A group keeps the row of each of its parameters under the
//! same field name, so the two cannot be paired otherwise than by id.

use super::control::{Changes, Control};
use chain::parameters::{PARAMETERS, Parameter};
use nice_plug::prelude::{BoolParam, FloatParam, IntParam, Params};

/// Sees every parameter of a group, in the table's order.
pub trait Visitor {
    /// Called for each, with its row of the table.
    fn visit<C: Control>(&mut self, row: &'static Parameter, control: &C);
}

/// Parameters that belong together.
pub(crate) trait Group: Params + Sized {
    /// Makes them all; `prefix` comes before each id, and every change is counted in `changes`.
    fn make(changes: &Changes, prefix: &str) -> Self;

    /// Shows them all to `visitor`, in the order in which they are declared.
    fn each(&self, visitor: &mut impl Visitor);
}

/// The table's row `prefix` + `id`.
fn row(prefix: &str, id: &str) -> &'static Parameter {
    PARAMETERS.find(&format!("{prefix}{id}")).expect("groups name the table's parameters")
}

/// A group from its fields: id (field name) and kind; and the name of the struct with its rows.
macro_rules! group {
    ($(#[$doc:meta])* $name:ident, $rows:ident { $($id:tt $field:ident: $kind:ident,)+ }) => {
        $(#[$doc])*
        #[derive(Params)]
        pub struct $name {
            $(
                #[doc = concat!("Parameter `", $id, "`, or with the band's prefix.")]
                #[id = $id]
                pub $field: $kind,
            )+
            rows: $rows,
        }

        struct $rows {
            $($field: &'static Parameter,)+
        }

        impl Group for $name {
            fn make(changes: &Changes, prefix: &str) -> Self {
                let rows = $rows { $($field: row(prefix, $id),)+ };
                Self { $($field: Control::make(rows.$field, changes),)+ rows }
            }

            fn each(&self, visitor: &mut impl Visitor) {
                $(visitor.visit(self.rows.$field, &self.$field);)+
            }
        }
    };
}

group! {
    /// What comes in.
    Input, InputRows {
        "bypass" bypass: BoolParam,
        "in_trim" trim: FloatParam,
        "in_polarity" polarity: IntParam,
        "align_delay" align: FloatParam,
        "dc_on" dc: BoolParam,
    }
}

group! {
    /// Noise reduction.
    Denoise, DenoiseRows {
        "dn_on" on: BoolParam,
        "dn_reduction" reduction: FloatParam,
        "dn_threshold" threshold: FloatParam,
    }
}

group! {
    /// One band of the equalizer.
    Band, BandRows {
        "on" on: BoolParam,
        "shape" shape: IntParam,
        "freq" frequency: FloatParam,
        "gain" gain: FloatParam,
        "q" q: FloatParam,
        "slope" slope: IntParam,
        "place" placement: IntParam,
        "range" range: FloatParam,
        "threshold" threshold: FloatParam,
        "attack" attack: FloatParam,
        "release" release: FloatParam,
        "key" key: IntParam,
    }
}

group! {
    /// Compressor.
    Compressor, CompressorRows {
        "comp_on" on: BoolParam,
        "comp_threshold" threshold: FloatParam,
        "comp_ratio" ratio: FloatParam,
        "comp_knee" knee: FloatParam,
        "comp_attack" attack: FloatParam,
        "comp_release" release: FloatParam,
        "comp_auto" auto_release: BoolParam,
        "comp_cap" cap: FloatParam,
        "comp_detector" detector: IntParam,
        "comp_lookahead" lookahead: FloatParam,
        "comp_hp" key_highpass: FloatParam,
        "comp_key" key: IntParam,
        "comp_link" link: FloatParam,
        "comp_mix" mix: FloatParam,
        "comp_makeup" makeup: FloatParam,
    }
}

group! {
    /// Saturator and clipper.
    Saturator, SaturatorRows {
        "sat_on" on: BoolParam,
        "sat_drive" drive: FloatParam,
        "sat_curve" curve: IntParam,
        "sat_mix" mix: FloatParam,
    }
}

group! {
    /// Stereo width.
    Width, WidthRows {
        "width" width: FloatParam,
        "mono_below" mono_below: FloatParam,
    }
}

group! {
    /// True-peak limiter.
    Limiter, LimiterRows {
        "lim_on" on: BoolParam,
        "lim_drive" drive: FloatParam,
        "lim_ceiling" ceiling: FloatParam,
        "lim_lookahead" lookahead: FloatParam,
        "lim_release" release: FloatParam,
        "lim_link" link: FloatParam,
    }
}

group! {
    /// What leaves a Stem.
    StemOutput, StemOutputRows {
        "level" level: FloatParam,
    }
}

group! {
    /// What leaves a Master.
    MasterOutput, MasterOutputRows {
        "level" level: FloatParam,
        "dither" dither: IntParam,
    }
}
