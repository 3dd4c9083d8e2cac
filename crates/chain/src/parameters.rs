//! Parameters of the chain: permanent id, name, range, default, unit. Session files, plugins and documents are made
//! from this table.

use super::{ChainKind, ChainSettings, LatencyClass};
use dsp::KeySource;
use dsp::align::Align;
use dsp::detector::Detector;
use dsp::dither::Dither;
use dsp::equalizer::{BANDS, Placement, Shape};
use dsp::limiter::Limiter;
use dsp::saturator::SaturationCurve;
use dsp::trim::Polarity;
use std::sync::LazyLock;
use units::hash::fnv1a;
use units::{Db, Dbtp, Hz, Ms};

/// Value of a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// On or off.
    Switch(bool),
    /// A number in the parameter's unit; `None` is "off", where the parameter has that.
    Number(Option<f64>),
    /// One of the parameter's choices, by index.
    Choice(usize),
}

/// Mapping of a control's normalized value, 0 to 1, to a range of numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Skew {
    /// Linear.
    Linear,
    /// Linear in the logarithm.
    Log,
    /// Linear in this power of the normalized value.
    Power(f64),
    /// Linear, in steps of this size.
    Steps(f64),
}

/// Values that a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ParameterKind {
    /// Off or on.
    Switch,
    /// A number.
    Number {
        /// The smallest value.
        min: f64,
        /// The largest value.
        max: f64,
        /// Unit as displayed: dB, ms, Hz, %, :1; empty for none.
        unit: &'static str,
        /// Mapping of a control.
        skew: Skew,
        /// May be "off", below the smallest value.
        may_be_off: bool,
    },
    /// One of several.
    Choice(&'static [&'static str]),
}

/// One parameter of the chain.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Permanent id, such as `comp_threshold` or `eq3_freq`.
    pub id: String,
    /// Displayed name.
    pub name: String,
    /// Group in windows and hosts.
    pub group: String,
    /// Type and range of its values.
    pub kind: ParameterKind,
    /// Value at which, with all others at theirs, the chain changes nothing.
    pub default: Value,
    /// Only kind of chain that has it; `None`: both.
    pub only: Option<ChainKind>,
    band: usize,
    get: fn(&ChainSettings, usize) -> Value,
    set: fn(&mut ChainSettings, usize, Value),
}

impl PartialEq for Parameter {
    /// Ids are unique.
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Parameter {
    /// Value in `settings`.
    pub fn get(&self, settings: &ChainSettings) -> Value {
        (self.get)(settings, self.band)
    }

    /// Sets it, clamped into its range; a value of another kind is ignored.
    pub fn set(&self, settings: &mut ChainSettings, value: Value) {
        let value = match (self.kind, value) {
            (ParameterKind::Switch, Value::Switch(_)) => value,
            (ParameterKind::Number { min, max, .. }, Value::Number(Some(x))) if !x.is_nan() => {
                Value::Number(Some(x.clamp(min, max)))
            }
            (ParameterKind::Number { may_be_off: true, .. }, Value::Number(None)) => value,
            (ParameterKind::Choice(choices), Value::Choice(i)) if i < choices.len() => value,
            _ => return,
        };
        (self.set)(settings, self.band, value);
    }

    /// Lowest latency class whose chains have it; in a lower one it is without effect.
    pub fn needs(&self) -> LatencyClass {
        match (self.group.as_str(), self.id.as_str()) {
            ("Denoise", _) => LatencyClass::LinearDenoise,
            ("Saturator" | "Limiter", _) | (_, "comp_lookahead") => LatencyClass::Lookahead,
            _ => LatencyClass::Zero,
        }
    }

    /// Value at a normalized position, 0 to 1.
    pub fn at_fraction(&self, fraction: f64) -> Value {
        let fraction = fraction.clamp(0.0, 1.0);
        match self.kind {
            ParameterKind::Switch => Value::Switch(fraction >= 0.5),
            ParameterKind::Choice(choices) => {
                Value::Choice(((fraction * choices.len() as f64) as usize).min(choices.len() - 1))
            }
            ParameterKind::Number { may_be_off: true, .. } if fraction == 0.0 => Value::Number(None),
            ParameterKind::Number { min, max, skew, .. } => Value::Number(Some(match skew {
                Skew::Linear => min + (max - min) * fraction,
                Skew::Log => min * (max / min).powf(fraction),
                Skew::Power(power) => min + (max - min) * fraction.powf(power),
                Skew::Steps(size) => min + ((max - min) * fraction / size).round() * size,
            })),
        }
    }

    /// Value as text, without unit: `off`, `-18`, `low shelf`.
    pub fn text(&self, value: Value) -> String {
        match (value, self.kind) {
            (Value::Switch(on), _) => if on { "on" } else { "off" }.into(),
            (Value::Number(None), _) => "off".into(),
            (Value::Number(Some(x)), _) => format!("{x}"),
            (Value::Choice(i), ParameterKind::Choice(choices)) => {
                choices.get(i).copied().unwrap_or_default().to_lowercase()
            }
            (Value::Choice(i), _) => format!("{i}"),
        }
    }

    /// Choice that `text` names, spaces and capitals ignored.
    pub fn choice(&self, text: &str) -> Option<Value> {
        let ParameterKind::Choice(choices) = self.kind else { return None };
        let plain = |s: &str| s.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
        choices.iter().position(|choice| plain(choice) == plain(text)).map(Value::Choice)
    }

    /// Range as displayed: `-60 to 0 dB`, `on or off`.
    pub fn range(&self) -> String {
        match self.kind {
            ParameterKind::Switch => "on or off".into(),
            ParameterKind::Choice(choices) => choices.join(", ").to_lowercase(),
            ParameterKind::Number { min, max, unit, may_be_off, .. } => {
                let off = if may_be_off { "off, " } else { "" };
                let space = if unit.is_empty() || unit == ":1" { "" } else { " " };
                format!("{off}{min} to {max}{space}{unit}")
            }
        }
    }
}

/// All parameters.
pub struct ParameterTable(Vec<Parameter>);

impl ParameterTable {
    /// All parameters in signal order.
    pub fn all(&self) -> &[Parameter] {
        &self.0
    }

    /// Parameters of a chain of this kind, in signal order.
    pub fn for_kind(&self, chain_kind: ChainKind) -> impl Iterator<Item = &Parameter> {
        self.0.iter().filter(move |p| p.only.is_none_or(|only| only == chain_kind))
    }

    /// Hash of ids, kinds and order: two builds with the same schema give a list of values the same meaning.
    pub fn schema(&self, chain_kind: ChainKind) -> u64 {
        let text = self.for_kind(chain_kind).map(|p| format!("{} {:?};", p.id, p.kind)).collect::<String>();
        fnv1a(text.bytes())
    }

    /// Parameter with this id.
    pub fn find(&self, id: &str) -> Option<&Parameter> {
        self.0.iter().find(|p| p.id == id)
    }
}

/// Table of all parameters.
pub static PARAMETERS: LazyLock<ParameterTable> = LazyLock::new(|| ParameterTable(table()));

/// Choices as enum values in the order of their names.
trait Choices: Copy + PartialEq + 'static {
    const NAMES: &'static [&'static str];
    const VALUES: &'static [Self];

    fn index(self) -> Value {
        Value::Choice(Self::VALUES.iter().position(|v| *v == self).unwrap_or(0))
    }

    fn from_value(value: Value) -> Option<Self> {
        if let Value::Choice(i) = value { Self::VALUES.get(i).copied() } else { None }
    }
}

macro_rules! choices {
    ($type:ty: $($value:ident = $name:literal),*) => {
        impl Choices for $type {
            const NAMES: &'static [&'static str] = &[$($name),*];
            const VALUES: &'static [Self] = &[$(Self::$value),*];
        }
    };
}
choices!(Polarity: None = "None", Left = "Left", Right = "Right", Both = "Both");
choices!(Shape: Bell = "Bell", LowShelf = "Low Shelf", HighShelf = "High Shelf", LowCut = "Low Cut",
    HighCut = "High Cut", Notch = "Notch", Tilt = "Tilt");
choices!(Placement: Stereo = "Stereo", Mid = "Mid", Side = "Side", Left = "Left", Right = "Right");
choices!(Detector: Peak = "Peak", Rms = "RMS");
choices!(SaturationCurve: Soft = "Soft", Clip = "Clip");
choices!(KeySource: Own = "Self", Sidechain = "Sidechain");
choices!(Dither: Off = "Off", Bits24 = "24 bit", Bits16 = "16 bit", Bits16Shaped = "16 bit shaped");

const DB: &str = "dB";
const MS: &str = "ms";
const HZ: &str = "Hz";
const PERCENT: &str = "%";

const fn number(min: f64, max: f64, unit: &'static str, skew: Skew) -> ParameterKind {
    ParameterKind::Number { min, max, unit, skew, may_be_off: false }
}

const fn number_or_off(min: f64, max: f64, unit: &'static str, skew: Skew) -> ParameterKind {
    ParameterKind::Number { min, max, unit, skew, may_be_off: true }
}

/// Getter and setter of a field: `field!(switch | number | percent | optional Unit | choice, path)`.
macro_rules! field {
    (switch, $s:ident, $n:ident, $($path:tt)+) => {
        (|$s, $n| { let _ = $n; Value::Switch($($path)+) },
         |$s, $n, value| { let _ = $n; if let Value::Switch(on) = value { $($path)+ = on; } })
    };
    (plain, $s:ident, $n:ident, $($path:tt)+) => {
        (|$s, $n| { let _ = $n; Value::Number(Some($($path)+)) },
         |$s, $n, value| { let _ = $n; if let Value::Number(Some(x)) = value { $($path)+ = x; } })
    };
    (percent, $s:ident, $n:ident, $($path:tt)+) => {
        (|$s, $n| { let _ = $n; Value::Number(Some($($path)+ * 100.0)) },
         |$s, $n, value| { let _ = $n; if let Value::Number(Some(x)) = value { $($path)+ = x / 100.0; } })
    };
    (whole, $s:ident, $n:ident, $($path:tt)+) => {
        (|$s, $n| { let _ = $n; Value::Number(Some(f64::from($($path)+))) },
         |$s, $n, value| { let _ = $n; if let Value::Number(Some(x)) = value { $($path)+ = x.round() as u32; } })
    };
    (optional $unit:ident, $s:ident, $n:ident, $($path:tt)+) => {
        (|$s, $n| { let _ = $n; Value::Number($($path)+.map(|u| u.0)) },
         |$s, $n, value| { let _ = $n; if let Value::Number(x) = value { $($path)+ = x.map($unit); } })
    };
    (choice, $s:ident, $n:ident, $($path:tt)+) => {
        (|$s, $n| { let _ = $n; $($path)+.index() },
         |$s, $n, value| { let _ = $n; if let Some(choice) = Choices::from_value(value) { $($path)+ = choice; } })
    };
    ($unit:ident, $s:ident, $n:ident, $($path:tt)+) => {
        (|$s, $n| { let _ = $n; Value::Number(Some($($path)+.0)) },
         |$s, $n, value| { let _ = $n; if let Value::Number(Some(x)) = value { $($path)+ = $unit(x); } })
    };
}

type Access = (fn(&ChainSettings, usize) -> Value, fn(&mut ChainSettings, usize, Value));

fn table() -> Vec<Parameter> {
    use Skew::{Linear, Log, Power, Steps};
    let defaults = ChainSettings::default();
    let mut table: Vec<Parameter> = Vec::new();
    let mut add = |group: &str,
                   band: usize,
                   only: Option<ChainKind>,
                   id: String,
                   name: &str,
                   kind: ParameterKind,
                   (get, set): Access| {
        let default = get(&defaults, band);
        table.push(Parameter {
            id,
            name: name.into(),
            group: group.into(),
            kind,
            default,
            only,
            band,
            get,
            set,
        });
    };
    let mut one = |group: &str, id: &str, name: &str, kind: ParameterKind, access: Access| {
        let only = (id == "dither").then_some(ChainKind::Master);
        add(group, 0, only, id.into(), name, kind, access);
    };

    one("Input", "bypass", "Bypass", ParameterKind::Switch, field!(switch, s, n, s.bypass));
    one("Input", "in_trim", "Input", number(-24.0, 24.0, DB, Linear), field!(Db, s, n, s.input.gain));
    one(
        "Input",
        "in_polarity",
        "Polarity",
        ParameterKind::Choice(Polarity::NAMES),
        field!(choice, s, n, s.input.polarity),
    );
    let delay = number(0.0, Align::MAX_DELAY.0, MS, Power(2.0));
    one("Input", "align_delay", "Align", delay, field!(Ms, s, n, s.align.delay));
    one("Input", "dc_on", "DC Filter", ParameterKind::Switch, field!(switch, s, n, s.dc.on));

    let d = "Denoise";
    one(d, "dn_on", "On", ParameterKind::Switch, field!(switch, s, n, s.denoise.on));
    one(d, "dn_reduction", "Reduction", number(0.0, 24.0, DB, Linear), field!(Db, s, n, s.denoise.reduction));
    one(
        d,
        "dn_threshold",
        "Threshold",
        number(-12.0, 12.0, DB, Linear),
        field!(Db, s, n, s.denoise.threshold),
    );

    let c = "Compressor";
    one(c, "comp_on", "On", ParameterKind::Switch, field!(switch, s, n, s.compressor.on));
    one(
        c,
        "comp_threshold",
        "Threshold",
        number(-60.0, 0.0, "dBFS", Linear),
        field!(Db, s, n, s.compressor.threshold),
    );
    one(c, "comp_ratio", "Ratio", number(1.0, 10.0, ":1", Log), field!(plain, s, n, s.compressor.ratio));
    one(c, "comp_knee", "Knee", number(0.0, 24.0, DB, Linear), field!(Db, s, n, s.compressor.knee));
    one(c, "comp_attack", "Attack", number(0.05, 200.0, MS, Log), field!(Ms, s, n, s.compressor.attack));
    one(c, "comp_release", "Release", number(10.0, 2000.0, MS, Log), field!(Ms, s, n, s.compressor.release));
    one(
        c,
        "comp_auto",
        "Auto Release",
        ParameterKind::Switch,
        field!(switch, s, n, s.compressor.auto_release),
    );
    one(c, "comp_cap", "Max Reduction", number(1.0, 24.0, DB, Linear), field!(Db, s, n, s.compressor.cap));
    one(
        c,
        "comp_detector",
        "Detector",
        ParameterKind::Choice(Detector::NAMES),
        field!(choice, s, n, s.compressor.detector),
    );
    one(
        c,
        "comp_lookahead",
        "Lookahead",
        number(0.0, 5.0, MS, Linear),
        field!(Ms, s, n, s.compressor.lookahead),
    );
    let hp = number_or_off(20.0, 500.0, HZ, Log);
    one(c, "comp_hp", "Key High-Pass", hp, field!(optional Hz, s, n, s.compressor.key_highpass));
    one(
        c,
        "comp_key",
        "Key",
        ParameterKind::Choice(KeySource::NAMES),
        field!(choice, s, n, s.compressor.key),
    );
    one(
        c,
        "comp_link",
        "Stereo Link",
        number(0.0, 100.0, PERCENT, Linear),
        field!(percent, s, n, s.compressor.link),
    );
    one(c, "comp_mix", "Mix", number(0.0, 100.0, PERCENT, Linear), field!(percent, s, n, s.compressor.mix));
    one(c, "comp_makeup", "Makeup", number(-12.0, 24.0, DB, Linear), field!(Db, s, n, s.compressor.makeup));

    let t = "Saturator";
    one(t, "sat_on", "On", ParameterKind::Switch, field!(switch, s, n, s.saturator.on));
    one(t, "sat_drive", "Drive", number(0.0, 24.0, DB, Power(2.0)), field!(Db, s, n, s.saturator.drive));
    one(
        t,
        "sat_curve",
        "Curve",
        ParameterKind::Choice(SaturationCurve::NAMES),
        field!(choice, s, n, s.saturator.curve),
    );
    one(t, "sat_mix", "Mix", number(0.0, 100.0, PERCENT, Linear), field!(percent, s, n, s.saturator.mix));

    one("Width", "width", "Width", number(0.0, 200.0, PERCENT, Linear), field!(percent, s, n, s.width.width));
    let below = number_or_off(20.0, 300.0, HZ, Log);
    one("Width", "mono_below", "Mono Below", below, field!(optional Hz, s, n, s.width.mono_below));

    let l = "Limiter";
    one(l, "lim_on", "On", ParameterKind::Switch, field!(switch, s, n, s.limiter.on));
    one(l, "lim_drive", "Drive", number(0.0, 24.0, DB, Linear), field!(Db, s, n, s.limiter.drive));
    one(
        l,
        "lim_ceiling",
        "Ceiling",
        number(-12.0, 0.0, "dBTP", Linear),
        field!(Dbtp, s, n, s.limiter.ceiling),
    );
    // A Stem's limiter has 2 ms; a longer setting is held to that.
    let ahead = number(0.1, Limiter::MASTER.0, MS, Log);
    one(l, "lim_lookahead", "Lookahead", ahead, field!(Ms, s, n, s.limiter.lookahead));
    one(l, "lim_release", "Release", number(10.0, 1000.0, MS, Log), field!(Ms, s, n, s.limiter.release));
    one(
        l,
        "lim_link",
        "Stereo Link",
        number(0.0, 100.0, PERCENT, Linear),
        field!(percent, s, n, s.limiter.link),
    );

    one("Output", "level", "Level", number(-24.0, 12.0, DB, Linear), field!(Db, s, n, s.level));
    one("Output", "dither", "Dither", ParameterKind::Choice(Dither::NAMES), field!(choice, s, n, s.dither));

    for band in 0..BANDS {
        let group = format!("EQ {}", band + 1);
        let mut eq = |id: &str, name: &str, kind: ParameterKind, access: Access| {
            add(&group, band, None, format!("eq{}_{id}", band + 1), name, kind, access);
        };
        eq("on", "On", ParameterKind::Switch, field!(switch, s, n, s.equalizer.bands[n].on));
        eq(
            "shape",
            "Shape",
            ParameterKind::Choice(Shape::NAMES),
            field!(choice, s, n, s.equalizer.bands[n].shape),
        );
        let range = number(10.0, 30_000.0, HZ, Log);
        eq("freq", "Frequency", range, field!(Hz, s, n, s.equalizer.bands[n].frequency));
        eq("gain", "Gain", number(-18.0, 18.0, DB, Linear), field!(Db, s, n, s.equalizer.bands[n].gain));
        eq("q", "Q", number(0.1, 40.0, "", Log), field!(plain, s, n, s.equalizer.bands[n].q));
        let steps = number(6.0, 48.0, "dB/oct", Steps(6.0));
        eq("slope", "Slope", steps, field!(whole, s, n, s.equalizer.bands[n].slope));
        eq(
            "place",
            "Placement",
            ParameterKind::Choice(Placement::NAMES),
            field!(choice, s, n, s.equalizer.bands[n].placement),
        );
        let range = number(-18.0, 18.0, DB, Linear);
        eq("range", "Dynamic Range", range, field!(Db, s, n, s.equalizer.bands[n].dynamic.range));
        let threshold = number(-80.0, 0.0, "dBFS", Linear);
        eq("threshold", "Threshold", threshold, field!(Db, s, n, s.equalizer.bands[n].dynamic.threshold));
        let attack = number(0.1, 200.0, MS, Log);
        eq("attack", "Attack", attack, field!(Ms, s, n, s.equalizer.bands[n].dynamic.attack));
        let release = number(5.0, 2000.0, MS, Log);
        eq("release", "Release", release, field!(Ms, s, n, s.equalizer.bands[n].dynamic.release));
        let key = ParameterKind::Choice(KeySource::NAMES);
        eq("key", "Key", key, field!(choice, s, n, s.equalizer.bands[n].dynamic.key));
    }
    // Signal order: the equalizer stands before the compressor.
    table.sort_by_key(|p| match p.group.as_str() {
        "Input" => 0,
        "Denoise" => 1,
        group if group.starts_with("EQ") => 2,
        "Compressor" => 3,
        "Saturator" => 4,
        "Width" => 5,
        "Limiter" => 6,
        _ => 7,
    });
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique() {
        let all = PARAMETERS.all();
        for (i, p) in all.iter().enumerate() {
            assert!(all[..i].iter().all(|other| other.id != p.id), "{}", p.id);
        }
    }

    #[test]
    fn every_parameter_reads_back_what_was_set() {
        for p in PARAMETERS.all() {
            for fraction in [0.0, 0.3, 0.9, 1.0] {
                let mut settings = ChainSettings::default();
                p.set(&mut settings, p.at_fraction(fraction));
                let (got, expected) = (p.get(&settings), p.at_fraction(fraction));
                match (got, expected) {
                    (Value::Number(Some(a)), Value::Number(Some(b))) => {
                        assert!((a - b).abs() <= 1e-12 * b.abs(), "{}: {a} {b}", p.id);
                    }
                    _ => assert_eq!(got, expected, "{}", p.id),
                }
            }
        }
    }

    #[test]
    fn values_out_of_range_are_clamped_and_foreign_kinds_ignored() {
        let mut settings = ChainSettings::default();
        let threshold = PARAMETERS.find("comp_threshold").expect("exists");
        threshold.set(&mut settings, Value::Number(Some(1e39)));
        assert_eq!(settings.compressor.threshold, Db(0.0));
        threshold.set(&mut settings, Value::Switch(true));
        threshold.set(&mut settings, Value::Number(Some(f64::NAN)));
        threshold.set(&mut settings, Value::Number(None));
        assert_eq!(settings.compressor.threshold, Db(0.0));
    }

    #[test]
    fn choices_are_found_however_they_are_written() {
        let shape = PARAMETERS.find("eq1_shape").expect("exists");
        for text in ["low shelf", "Low_Shelf", "LOW-SHELF", "lowshelf"] {
            assert_eq!(shape.choice(text), Some(Value::Choice(1)), "{text}");
        }
        assert_eq!(shape.choice("shelf"), None);
    }
}
