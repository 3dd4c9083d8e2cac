//! The groups of parameters, as hosts show them. Which parameters there are is said here; everything about them
//! (name, range, default, unit) comes from the chain's table, and a test holds the two together.

use super::control::{Changes, Control};
use chain::parameters::{PARAMETERS, Parameter};
use nice_plug::prelude::{BoolParam, FloatParam, IntParam, Params};

/// Sees every parameter of a group, in the table's order.
pub trait Visitor {
    /// Called for each.
    fn visit<C: Control>(&mut self, control: &C);
}

/// What makes a group's parameters.
pub(crate) struct Maker<'a> {
    /// Told when a parameter changes.
    pub(crate) changes: &'a Changes,
    /// Every parameter that was made, in order.
    pub(crate) made: Vec<&'static Parameter>,
}

impl Maker<'_> {
    /// The control of the table's parameter `prefix` + `id`.
    fn make<C: Control>(&mut self, prefix: &str, id: &str) -> C {
        let parameter =
            PARAMETERS.find(&format!("{prefix}{id}")).expect("groups name the table's parameters");
        self.made.push(parameter);
        C::make(parameter, self.changes)
    }
}

/// Parameters that belong together.
pub(crate) trait Group: Params + Sized {
    /// Makes them all; `prefix` comes before each id.
    fn make(maker: &mut Maker<'_>, prefix: &str) -> Self;

    /// Shows them all to `visitor`, in the order in which they were made.
    fn each(&self, visitor: &mut impl Visitor);
}

/// A group from its fields: id (field name) and kind.
macro_rules! group {
    ($(#[$doc:meta])* $name:ident { $($id:tt $field:ident: $kind:ident,)+ }) => {
        $(#[$doc])*
        #[derive(Params)]
        pub struct $name {
            $(
                #[doc = concat!("Parameter `", $id, "`, or with the band's prefix.")]
                #[id = $id]
                pub $field: $kind,
            )+
        }

        impl Group for $name {
            fn make(maker: &mut Maker<'_>, prefix: &str) -> Self {
                Self { $($field: maker.make(prefix, $id),)+ }
            }

            fn each(&self, visitor: &mut impl Visitor) {
                $(visitor.visit(&self.$field);)+
            }
        }
    };
}

group! {
    /// What comes in.
    Input {
        "bypass" bypass: BoolParam,
        "in_trim" trim: FloatParam,
        "in_polarity" polarity: IntParam,
        "align_delay" align: FloatParam,
        "dc_on" dc: BoolParam,
    }
}

group! {
    /// Noise reduction.
    Denoise {
        "dn_on" on: BoolParam,
        "dn_reduction" reduction: FloatParam,
        "dn_threshold" threshold: FloatParam,
    }
}

group! {
    /// One band of the equalizer.
    Band {
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
    Compressor {
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
    Saturator {
        "sat_on" on: BoolParam,
        "sat_drive" drive: FloatParam,
        "sat_curve" curve: IntParam,
        "sat_mix" mix: FloatParam,
    }
}

group! {
    /// Stereo width.
    Width {
        "width" width: FloatParam,
        "mono_below" mono_below: FloatParam,
    }
}

group! {
    /// True-peak limiter.
    Limiter {
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
    StemOutput {
        "level" level: FloatParam,
    }
}

group! {
    /// What leaves a Master.
    MasterOutput {
        "level" level: FloatParam,
        "dither" dither: IntParam,
    }
}
