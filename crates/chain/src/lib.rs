//! Signal path of both plugins and of the command line, one for all.
//!
//! ```text
//! Stem:   sanitize -> trim -> align -> DC filter -> denoise -> linear-phase EQ -> EQ -> compressor -> saturator -> width -> limiter -> level
//! Master: sanitize -> trim -> align -> DC filter -> denoise -> linear-phase EQ -> EQ -> compressor -> saturator -> width -> level -> limiter -> dither
//! ```
//!
//! [`ChainKind::path`] is this list, and what [`Chain`] follows. Output protection, bypass and monitor come after it.

mod bypass;
mod linear_stage;
pub mod monitor;
mod output_protection;
pub mod parameters;
mod path;

pub use path::ChainUnit;

use dsp::align::{Align, AlignSettings};
use dsp::compressor::{Compressor, CompressorSettings};
use dsp::dc::{DcFilter, DcSettings};
use dsp::denoise::{DenoiseSettings, NoisePrint};
use dsp::denormals::FlushToZero;
use dsp::dither::{Dither, Quantizer};
use dsp::equalizer::{BANDS, Equalizer, EqualizerSettings};
use dsp::limiter::{Limiter, LimiterSettings};
use dsp::sanitize::{all_finite, flush_to_f32};
use dsp::saturator::{Saturator, SaturatorSettings};
use dsp::trim::{Polarity, Trim, TrimSettings};
use dsp::width::{Width, WidthSettings};
use dsp::{Block, GainLog, Process, RecordGain, boxed};
use simd::Isa;
use units::{Db, Hz, Ms, Samples};

use bypass::BypassCrossfade;
use linear_stage::LinearStage;
use monitor::{MonitorMode, MonitorSources, MonitorStage};
use output_protection::OutputProtection;

/// Place of a chain in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainKind {
    /// Last on a stem bus.
    Stem,
    /// On the master bus.
    Master,
}

/// Latency of a chain, and with it the units that it can offer; constant within a class, whatever is switched.
///
/// Each class offers what the ones before it do; [`parameters::Parameter::needs`] says which one a unit needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LatencyClass {
    /// No latency: no lookahead, no saturator, no limiter.
    Zero,
    /// Compressor lookahead (5 ms), saturator (64 samples) and limiter (2 ms in a Stem, 5 ms in a Master).
    Lookahead,
    /// Noise reduction (43 ms), and static bands of the equalizer without phase shift (107 ms); dynamic bands stay of minimum
    /// phase.
    LinearDenoise,
}

impl LatencyClass {
    /// All classes, by increasing latency.
    pub const ALL: [Self; 3] = [Self::Zero, Self::Lookahead, Self::LinearDenoise];

    /// Name in session files.
    pub fn id(self) -> &'static str {
        match self {
            Self::Zero => "zero",
            Self::Lookahead => "lookahead",
            Self::LinearDenoise => "linear_denoise",
        }
    }
}

impl ChainKind {
    /// Class of a new chain.
    pub fn default_class(self) -> LatencyClass {
        match self {
            Self::Stem => LatencyClass::Zero,
            Self::Master => LatencyClass::Lookahead,
        }
    }
}

/// Settings of all units, in plain values. The default changes nothing, to the bit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChainSettings {
    /// Passes the input through, delayed by the latency.
    pub bypass: bool,
    /// Input trim and polarity.
    pub input: TrimSettings,
    /// Delay against other stems.
    pub align: AlignSettings,
    /// DC filter.
    pub dc: DcSettings,
    /// Noise reduction; without effect below class Linear & Denoise.
    pub denoise: DenoiseSettings,
    /// Equalizer.
    pub equalizer: EqualizerSettings,
    /// Compressor.
    pub compressor: CompressorSettings,
    /// Saturator and clipper; without effect in class Zero.
    pub saturator: SaturatorSettings,
    /// Stereo width.
    pub width: WidthSettings,
    /// True-peak limiter; without effect in class Zero.
    pub limiter: LimiterSettings,
    /// Output level.
    pub level: Db,
    /// Dither; without effect in a Stem.
    pub dither: Dither,
}

impl ChainSettings {
    /// True if a chain with these settings only delays; dither not counted.
    pub fn is_plain_delay(&self) -> bool {
        self.bypass || *self == Self { dither: self.dither, ..Self::default() }
    }

    /// True if a unit may react to the level of what passes, so that the gain of one part depends on the others.
    pub fn reacts(&self) -> bool {
        let units = [self.denoise.on, self.compressor.on, self.saturator.on, self.limiter.on];
        let bands = self.equalizer.bands.iter().map(|band| band.is_dynamic());
        !self.bypass && units.into_iter().chain(bands).any(|reacts| reacts)
    }
}

/// Signal path of a stem or master bus. Stereo; a mono signal is fed as two equal channels.
///
/// Thread: any one at a time; large units are on the heap, so that a host's thread with a small stack can make one.
/// `process` neither allocates nor locks, and flushes subnormal numbers itself.
/// Latency: that of its class, constant.
pub struct Chain {
    isa: Isa,
    chain_kind: ChainKind,
    input: Trim,
    align: Box<Align>,
    dc: DcFilter,
    /// `None` below class Linear & Denoise.
    linear_stage: Option<Box<LinearStage>>,
    equalizer: Box<Equalizer>,
    compressor: Box<Compressor>,
    /// `None` in class Zero.
    saturator: Option<Box<Saturator>>,
    width: Box<Width>,
    /// `None` in class Zero.
    limiter: Option<Box<Limiter>>,
    level: Trim,
    dither: Quantizer,
    bypass: BypassCrossfade,
    monitor: MonitorStage,
    protection: OutputProtection,
    sanitized: u64,
}

impl Chain {
    /// Chain with default settings for audio at `rate`.
    pub fn new(chain_kind: ChainKind, class: LatencyClass, rate: Hz) -> Self {
        let (lookahead, limiter) = match (class, chain_kind) {
            (LatencyClass::Zero, _) => (Ms(0.0), None),
            (_, ChainKind::Stem) => {
                (Compressor::LOOKAHEAD, Some(boxed(|| Limiter::new(rate, Limiter::STEM))))
            }
            (_, ChainKind::Master) => {
                (Compressor::LOOKAHEAD, Some(boxed(|| Limiter::new(rate, Limiter::MASTER))))
            }
        };
        let compressor = boxed(|| Compressor::new(rate, lookahead));
        let saturator = (class >= LatencyClass::Lookahead).then(|| boxed(|| Saturator::new(rate)));
        let linear_stage = (class >= LatencyClass::LinearDenoise).then(|| boxed(|| LinearStage::new(rate)));
        let latency = linear_stage.as_deref().map_or(Samples(0), LinearStage::latency)
            + compressor.latency()
            + saturator.as_deref().map_or(Samples(0), Process::latency)
            + limiter.as_deref().map_or(Samples(0), Process::latency);
        let removed_latency = linear_stage.as_deref().map_or(latency, LinearStage::removed_latency);
        Self {
            isa: Isa::widest(),
            chain_kind,
            input: Trim::new(rate),
            align: boxed(|| Align::new(rate)),
            dc: DcFilter::new(rate),
            monitor: MonitorStage::new(rate, Samples(latency.0 - removed_latency.0)),
            linear_stage,
            equalizer: boxed(|| Equalizer::new(rate)),
            compressor,
            saturator,
            width: boxed(|| Width::new(rate)),
            limiter,
            level: Trim::new(rate),
            dither: Quantizer::new(rate),
            bypass: BypassCrossfade::new(rate, latency),
            protection: OutputProtection::new(rate),
            sanitized: 0,
        }
    }

    /// Place of the chain.
    pub fn chain_kind(&self) -> ChainKind {
        self.chain_kind
    }

    /// Gain that dynamics add to each band of the equalizer now; 0 dB for static bands.
    pub fn band_movements(&self) -> [Db; BANDS] {
        self.equalizer.movements()
    }

    /// Largest reduction of the compressor in the last block, in dB, at least 0.
    pub fn compressor_reduction(&self) -> Db {
        self.compressor.gain_reduction()
    }

    /// Largest reduction of the limiter in the last block, in dB, at least 0.
    pub fn limiter_reduction(&self) -> Db {
        self.limiter.as_deref().map_or(Db(0.0), Limiter::gain_reduction)
    }

    /// Largest reduction of the limiter since reset, and its frame in the chain's input, counted from reset.
    pub fn max_limiter_reduction(&self) -> (Db, u64) {
        let Some(limiter) = &self.limiter else { return (Db(0.0), 0) };
        let before = self.latency().0 - limiter.latency().0;
        (limiter.max_gain_reduction(), limiter.max_gain_reduction_at().saturating_sub(before as u64))
    }

    /// Input of the last block, delayed by the latency, left and right: up to 512 frames, the last ones of a longer block.
    pub fn dry_input(&self) -> [&[f64]; 2] {
        let [left, right] = self.bypass.dry();
        let frames = self.bypass.frames();
        [&left[..frames], &right[..frames]]
    }

    /// Non-finite input samples since reset; each was replaced by zero.
    pub fn sanitized(&self) -> u64 {
        self.sanitized
    }

    /// Number of times since reset that a non-finite output was muted and the chain restarted.
    pub fn faults(&self) -> u64 {
        self.protection.faults()
    }

    /// Sets the signal that is heard in place of the output, crossfading over 20 ms; `reset` ends it.
    pub fn set_monitor_mode(&mut self, mode: MonitorMode) {
        self.monitor.set_mode(mode);
        self.equalizer.set_solo(mode.solo_target());
    }

    /// Signal that is heard, as set.
    pub fn monitor_mode(&self) -> MonitorMode {
        self.monitor.mode()
    }

    /// True when the output is heard as it is: monitoring is off and its crossfade is over.
    pub fn is_monitor_off(&self) -> bool {
        self.monitor.is_off()
    }

    /// Starts or stops learning the noise at the input; see [`Self::learned_noise`]. Without effect below class Linear &
    /// Denoise.
    pub fn set_noise_learning(&mut self, on: bool) {
        if let Some(linear_stage) = &mut self.linear_stage {
            linear_stage.set_learning(on);
        }
    }

    /// Noise learned since learning last started, as it is behind input trim and DC filter; `None` before 43 ms of sound
    /// were heard.
    pub fn learned_noise(&self) -> Option<NoisePrint> {
        self.linear_stage.as_deref().and_then(LinearStage::learned_print)
    }

    /// Duration of the sound that learning has used since it last started.
    pub fn learned_duration(&self) -> Ms {
        self.linear_stage.as_deref().map_or(Ms(0.0), LinearStage::learned_duration)
    }

    /// Noise that is taken out: the print of the settings, or the tracked one; `None` below class Linear & Denoise.
    pub fn noise_print(&self) -> Option<&NoisePrint> {
        self.linear_stage.as_deref().map(LinearStage::noise_print)
    }

    fn reset_units(&mut self) {
        self.input.reset();
        self.align.reset();
        self.dc.reset();
        if let Some(linear_stage) = &mut self.linear_stage {
            linear_stage.reset();
        }
        self.equalizer.reset();
        self.compressor.reset();
        if let Some(saturator) = &mut self.saturator {
            saturator.reset();
        }
        self.width.reset();
        if let Some(limiter) = &mut self.limiter {
            limiter.reset();
        }
        self.level.reset();
        self.dither.reset();
    }
}

impl Process for Chain {
    type Settings = ChainSettings;

    fn set(&mut self, settings: &ChainSettings) {
        self.input.set(&settings.input);
        self.align.set(&settings.align);
        self.dc.set(&settings.dc);
        // A Master has no sidechain.
        let keyed = self.chain_kind == ChainKind::Stem;
        let equalizer =
            if keyed { settings.equalizer.clone() } else { settings.equalizer.without_sidechain() };
        let compressor =
            if keyed { settings.compressor.clone() } else { settings.compressor.without_sidechain() };
        match &mut self.linear_stage {
            Some(stage) => self.equalizer.set(&stage.set(&settings.denoise, &equalizer)),
            None => self.equalizer.set(&equalizer),
        }
        self.compressor.set(&compressor);
        if let Some(saturator) = &mut self.saturator {
            saturator.set(&settings.saturator);
        }
        self.width.set(&settings.width);
        if let Some(limiter) = &mut self.limiter {
            limiter.set(&settings.limiter);
        }
        self.level.set(&TrimSettings { gain: settings.level, polarity: Polarity::None });
        self.dither.set(&settings.dither);
        self.bypass.set(settings.bypass);
    }

    fn latency(&self) -> Samples {
        self.bypass.latency()
    }

    fn reset(&mut self) {
        self.reset_units();
        self.bypass.reset();
        self.monitor.reset();
        self.protection.reset();
        self.sanitized = 0;
    }

    fn process(&mut self, block: &mut Block<'_>) {
        self.run(block, &mut GainLog::Off);
    }
}

/// A chain that follows a log is not dithered: dither belongs to the final rounding of a file.
impl RecordGain for Chain {
    fn run(&mut self, block: &mut Block<'_>, gain_log: &mut GainLog<'_>) {
        let _flush = FlushToZero::new();
        let mut at = 0;
        while at < block.len() {
            let frames = (block.len() - at).min(MAX_PART);
            self.run_part(&mut block.part(at..at + frames), gain_log);
            at += frames;
        }
    }
}

/// Largest number of frames that the chain processes at once: the size of its buffers.
const MAX_PART: usize = 512;

impl Chain {
    fn run_part(&mut self, block: &mut Block<'_>, gain_log: &mut GainLog<'_>) {
        for unit in self.chain_kind.path() {
            self.run_unit(*unit, block, gain_log);
        }
        // Parts of a sum fall silent with it.
        if gain_log.value(|| f64::from(u8::from(!is_finite(self.isa, block)))) != 0.0 {
            self.protection.mute(block);
            self.reset_units();
        }
        self.protection.process(block);
        self.bypass.process(block);
        let removed = self.linear_stage.as_deref().map(LinearStage::removed);
        self.monitor.process(block, &MonitorSources { dry: self.bypass.dry(), removed });
        let (left, right) = block.channels();
        flush_to_f32(self.isa, left);
        flush_to_f32(self.isa, right);
    }

    #[inline]
    fn run_unit(&mut self, unit: ChainUnit, block: &mut Block<'_>, gain_log: &mut GainLog<'_>) {
        let Self { linear_stage, saturator, limiter, .. } = self;
        match unit {
            ChainUnit::Sanitize => {
                self.sanitized += sanitize(self.isa, block);
                self.bypass.keep_dry(block);
            }
            ChainUnit::InputTrim => self.input.process(block),
            ChainUnit::Align => self.align.process(block),
            ChainUnit::DcFilter => self.dc.process(block),
            ChainUnit::Denoise => {
                if let Some(stage) = linear_stage {
                    stage.denoise(block, self.monitor.needs_removed(), gain_log);
                }
            }
            ChainUnit::LinearEqualizer => {
                if let Some(stage) = linear_stage {
                    stage.equalize(block);
                }
            }
            ChainUnit::Equalizer | ChainUnit::Compressor => {
                let key = match linear_stage {
                    Some(stage) => stage.key(block.len()),
                    None => block.key(),
                };
                let mut keyed = block.keyed(key);
                match unit {
                    ChainUnit::Equalizer => self.equalizer.run(&mut keyed, gain_log),
                    _ => self.compressor.run(&mut keyed, gain_log),
                }
            }
            ChainUnit::Saturator => {
                if let Some(saturator) = saturator {
                    saturator.run(block, gain_log);
                }
            }
            ChainUnit::Width => self.width.process(block),
            ChainUnit::Limiter => {
                if let Some(limiter) = limiter {
                    limiter.run(block, gain_log);
                }
            }
            ChainUnit::Level => self.level.process(block),
            ChainUnit::Dither => {
                if gain_log.computes() {
                    self.dither.process(block);
                }
            }
        }
    }
}

/// Replaces non-finite samples by zero; returns their number.
fn sanitize(isa: Isa, block: &mut Block<'_>) -> u64 {
    let (left, right) = block.channels();
    let mut count = 0;
    for channel in [left, right] {
        if !all_finite(isa, channel) {
            for sample in channel.iter_mut().filter(|sample| !sample.is_finite()) {
                *sample = 0.0;
                count += 1;
            }
        }
    }
    count
}

/// True if all samples are finite.
fn is_finite(isa: Isa, block: &mut Block<'_>) -> bool {
    let (left, right) = block.channels();
    all_finite(isa, left) && all_finite(isa, right)
}
