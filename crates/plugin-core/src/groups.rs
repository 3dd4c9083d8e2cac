//! Parameter groups as hosts show them. This file lists the parameters; name, range, default and unit come from the
//! chain's table. A group keeps the table row of each parameter under the same field name, so that they are paired by
//! id.

use super::control::{Changes, Control};
use chain::parameters::{PARAMETERS, Parameter};
use nice_plug::prelude::{BoolParam, FloatParam, IntParam, Params};

/// Visitor of parameters in the table's order.
pub trait Visitor {
    /// Visits one parameter with its row of the table.
    fn visit<C: Control>(&mut self, row: &'static Parameter, control: &C);
}

/// Group of host parameters.
pub(crate) trait Group: Params + Sized {
    /// Creates the parameters; `prefix` precedes each id, and changes are counted in `changes`.
    fn make(changes: &Changes, prefix: &str) -> Self;

    /// Visits the parameters in the order of their declaration.
    fn each(&self, visitor: &mut impl Visitor);
}

/// Returns the table's row `prefix` + `id`.
fn row(prefix: &str, id: &str) -> &'static Parameter {
    PARAMETERS.find(&format!("{prefix}{id}")).expect("groups name the table's parameters")
}

/// Defines a group from its fields, id and kind each, and the struct of their rows.
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
    /// Input of the chain.
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
    /// Output of a Stem.
    StemOutput, StemOutputRows {
        "level" level: FloatParam,
    }
}

group! {
    /// Output of a Master.
    MasterOutput, MasterOutputRows {
        "level" level: FloatParam,
        "dither" dither: IntParam,
    }
}
