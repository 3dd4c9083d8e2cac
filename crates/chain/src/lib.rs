//! The chain: THE signal path, one for both plugins and the command line.
//!
//! ```text
//! Stem:   sanitize -> trim, polarity -> align -> DC -> denoise -> EQ -> compressor -> saturator -> width -> limiter -> level
//! Master: sanitize -> trim, polarity -> align -> DC -> denoise -> EQ -> compressor -> saturator -> width -> level -> limiter -> dither
//! ```
//!
//! A Stem's level is last, so that a trim asked for by the Master is an exact gain of what leaves it. A Master's
//! limiter comes after its level, and nothing but dither after the limiter: nothing may raise the peak again.

mod linear_stage;
pub mod monitor;
pub mod parameters;

use dsp::align::{Align, AlignSettings};
use dsp::compressor::{Compressor, CompressorSettings};
use dsp::dc::{DcFilter, DcSettings};
use dsp::delay::Delay;
use dsp::denoise::{DenoiseSettings, NoisePrint};
use dsp::denormals::FlushToZero;
use dsp::dither::{Dither, Quantizer};
use dsp::edges::{all_finite, flush_to_f32};
use dsp::equalizer::{BANDS, Equalizer, EqualizerSettings};
use dsp::limiter::{Limiter, LimiterSettings};
use dsp::saturator::{Saturator, SaturatorSettings};
use dsp::trim::{Polarity, Trim, TrimSettings};
use dsp::width::{Width, WidthSettings};
use dsp::{Block, GainLog, Process, Ramp, RecordGain, Smoother, Ticks};
use linear_stage::LinearStage;
use monitor::{Monitor, MonitorMode, Sources};
use simd::Isa;
use units::{Db, Hz, Ms, Samples};

/// Where a chain sits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainKind {
    /// Last on a stem bus.
    Stem,
    /// On the master bus.
    Master,
}

/// How much latency a chain has, and so which units it can offer. Constant within a class, whatever is switched.
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
    /// All classes, each offering what the ones before it do.
    pub const ALL: [Self; 3] = [Self::Zero, Self::Lookahead, Self::LinearDenoise];

    /// The name in session files.
    pub fn id(self) -> &'static str {
        match self {
            Self::Zero => "zero",
            Self::Lookahead => "lookahead",
            Self::LinearDenoise => "linear_denoise",
        }
    }
}

impl ChainKind {
    /// The class that a new chain has.
    pub fn default_class(self) -> LatencyClass {
        match self {
            Self::Stem => LatencyClass::Zero,
            Self::Master => LatencyClass::Lookahead,
        }
    }
}

/// Everything a chain can be told, in plain values. The default changes nothing, to the bit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChainSettings {
    /// The input passes through, delayed by the latency.
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
    /// Whether a chain set so only delays; what dither adds aside.
    pub fn only_delays(&self) -> bool {
        self.bypass || *self == Self { dither: self.dither, ..Self::default() }
    }
}

/// The signal path of a stem or master bus. Stereo; a mono signal is fed as two equal channels.
///
/// Thread: any one at a time. `process` neither allocates nor locks, and flushes subnormal numbers itself.
pub struct Chain {
    isa: Isa,
    chain_kind: ChainKind,
    input: Trim,
    align: Align,
    dc: DcFilter,
    /// `None` below class Linear & Denoise.
    front: Option<LinearStage>,
    equalizer: Equalizer,
    compressor: Compressor,
    /// `None` in class Zero.
    saturator: Option<Saturator>,
    width: Width,
    /// `None` in class Zero.
    limiter: Option<Limiter>,
    level: Trim,
    dither: Quantizer,
    bypass: Crossfade,
    monitor: Monitor,
    protect: Protect,
    sanitized: u64,
}

impl Chain {
    /// A chain with default settings for audio at `rate`.
    pub fn new(chain_kind: ChainKind, class: LatencyClass, rate: Hz) -> Self {
        let (lookahead, limiter) = match (class, chain_kind) {
            (LatencyClass::Zero, _) => (Ms(0.0), None),
            (_, ChainKind::Stem) => (Compressor::LOOKAHEAD, Some(Limiter::new(rate, Limiter::STEM))),
            (_, ChainKind::Master) => (Compressor::LOOKAHEAD, Some(Limiter::new(rate, Limiter::MASTER))),
        };
        let compressor = Compressor::new(rate, lookahead);
        let saturator = (class >= LatencyClass::Lookahead).then(|| Saturator::new(rate));
        let front = (class >= LatencyClass::LinearDenoise).then(|| LinearStage::new(rate));
        let front_latency = front.as_ref().map_or(Samples(0), LinearStage::latency);
        let latency = front_latency
            + compressor.latency()
            + saturator.as_ref().map_or(Samples(0), Process::latency)
            + limiter.as_ref().map_or(Samples(0), Process::latency);
        Self {
            isa: Isa::widest(),
            chain_kind,
            input: Trim::new(rate),
            align: Align::new(rate),
            dc: DcFilter::new(rate),
            monitor: Monitor::new(
                rate,
                Samples(latency.0 - front.as_ref().map_or(latency, LinearStage::removed_latency).0),
            ),
            front,
            equalizer: Equalizer::new(rate),
            compressor,
            saturator,
            width: Width::new(rate),
            limiter,
            level: Trim::new(rate),
            dither: Quantizer::new(rate),
            bypass: Crossfade::new(rate, latency),
            protect: Protect::new(rate),
            sanitized: 0,
        }
    }

    /// Where the chain sits.
    pub fn chain_kind(&self) -> ChainKind {
        self.chain_kind
    }

    /// What dynamics add to the gain of each band of the equalizer now; 0 dB for static bands.
    pub fn band_movements(&self) -> [Db; BANDS] {
        self.equalizer.movements()
    }

    /// What the compressor takes away at most in the last block, dB, never negative.
    pub fn compressor_reduction(&self) -> Db {
        self.compressor.gain_reduction()
    }

    /// What the limiter takes away at most in the last block, dB, never negative.
    pub fn limiter_reduction(&self) -> Db {
        self.limiter.as_ref().map_or(Db(0.0), Limiter::gain_reduction)
    }

    /// The most the limiter has taken away since reset, and the frame of the limiter's input since reset at which it did.
    pub fn most_limiter_reduction(&self) -> (Db, u64) {
        self.limiter.as_ref().map_or((Db(0.0), 0), |l| (l.max_gain_reduction(), l.max_gain_reduction_at()))
    }

    /// What entered with the last block, as late as the chain is: up to 512 frames of it, for whoever compares. Longer
    /// blocks leave their last part only.
    pub fn dry(&self) -> [&[f64]; 2] {
        [0, 1].map(|side: usize| &self.bypass.kept[side][..self.bypass.frames])
    }

    /// Non-finite input samples since reset; each became silence.
    pub fn sanitized(&self) -> u64 {
        self.sanitized
    }

    /// How often since reset a non-finite output had to be muted and the chain restarted.
    pub fn faults(&self) -> u64 {
        self.protect.faults
    }

    /// Makes something else heard than the output, fading in 20 ms; until told otherwise, or `reset`.
    pub fn listen(&mut self, listen: MonitorMode) {
        self.monitor.listen(listen);
        self.equalizer.hear(listen.heard());
    }

    /// What is heard.
    pub fn listening(&self) -> MonitorMode {
        self.monitor.wanted()
    }

    /// True when nothing else than the output is heard: a fade back to it is over, too.
    pub fn is_heard_as_it_is(&self) -> bool {
        self.monitor.rests()
    }

    /// Starts to learn the noise that passes the input, or stops; see [`Self::learned_noise`]. Without effect below class
    /// Linear & Denoise.
    pub fn learn_noise(&mut self, on: bool) {
        if let Some(front) = &mut self.front {
            front.learn(on);
        }
    }

    /// What was learned since learning last started, as it is behind input trim and DC filter; `None` before 43 ms of sound
    /// were heard.
    pub fn learned_noise(&self) -> Option<NoisePrint> {
        self.front.as_ref().and_then(LinearStage::learned)
    }

    /// How much sound has been learned from since learning last started.
    pub fn learned_from(&self) -> Ms {
        self.front.as_ref().map_or(Ms(0.0), LinearStage::learned_from)
    }

    /// The noise that is taken out: the print of the settings, or what is tracked.
    pub fn noise(&self) -> Option<&NoisePrint> {
        self.front.as_ref().map(LinearStage::noise)
    }

    fn reset_units(&mut self) {
        self.input.reset();
        self.align.reset();
        self.dc.reset();
        if let Some(front) = &mut self.front {
            front.reset();
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
        // A Master has no sidechain to listen to and never will.
        let keyed = self.chain_kind == ChainKind::Stem;
        let equalizer =
            if keyed { settings.equalizer.clone() } else { settings.equalizer.without_sidechain() };
        let compressor =
            if keyed { settings.compressor.clone() } else { settings.compressor.without_sidechain() };
        match &mut self.front {
            Some(front) => self.equalizer.set(&front.set(&settings.denoise, &equalizer)),
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
        self.bypass.dry[0].length()
    }

    fn reset(&mut self) {
        self.reset_units();
        self.bypass.reset();
        self.monitor.reset();
        self.protect.reset();
        self.sanitized = 0;
    }

    fn process(&mut self, block: &mut Block<'_>) {
        self.run(block, &mut GainLog::Off);
    }
}

/// What follows a recorded chain is not dithered: that is for whoever rounds it.
impl RecordGain for Chain {
    fn run(&mut self, block: &mut Block<'_>, gain_log: &mut GainLog<'_>) {
        let _flush = FlushToZero::new();
        let mut at = 0;
        while at < block.len() {
            let frames = (block.len() - at).min(PART);
            self.run_part(&mut block.part(at..at + frames), gain_log);
            at += frames;
        }
    }
}

/// Frames that the chain works on at once: the size of its dry buffer.
const PART: usize = 512;

impl Chain {
    fn run_part(&mut self, block: &mut Block<'_>, gain_log: &mut GainLog<'_>) {
        self.sanitized += sanitize(self.isa, block);
        self.bypass.keep_dry(block);

        self.input.process(block);
        self.align.process(block);
        self.dc.process(block);
        let key = match &mut self.front {
            Some(front) => front.run(block, self.monitor.wants_removed(), gain_log),
            None => block.key(),
        };
        let mut keyed = block.keyed(key);
        self.equalizer.run(&mut keyed, gain_log);
        self.compressor.run(&mut keyed, gain_log);
        if let Some(saturator) = &mut self.saturator {
            saturator.run(block, gain_log);
        }
        self.width.process(block);
        match (self.chain_kind, &mut self.limiter) {
            (ChainKind::Stem, limiter) => {
                if let Some(limiter) = limiter {
                    limiter.run(block, gain_log);
                }
                self.level.process(block);
            }
            (ChainKind::Master, limiter) => {
                self.level.process(block);
                if let Some(limiter) = limiter {
                    limiter.run(block, gain_log); // nothing may raise the peak after it
                }
                if gain_log.computes() {
                    self.dither.process(block);
                }
            }
        }

        // Parts of a sum fall silent with it.
        if gain_log.value(|| f64::from(u8::from(!is_finite(self.isa, block)))) != 0.0 {
            self.protect.mute(block);
            self.reset_units();
        }
        self.protect.process(block);
        self.bypass.process(block);
        let removed = self.front.as_ref().map(LinearStage::removed);
        self.monitor.process(block, &Sources { dry: &self.bypass.kept, removed });
        let (left, right) = block.channels();
        flush_to_f32(self.isa, left);
        flush_to_f32(self.isa, right);
    }
}

/// Non-finite samples become silence; returns how many.
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

/// Latency-preserving bypass: a crossfade of 20 ms between the processed and the delayed input.
struct Crossfade {
    ticks: Ticks,
    wet: Smoother,
    /// Weight of the processed signal.
    weight: Ramp,
    dry: [Delay; 2],
    kept: [Vec<f64>; 2],
    /// Frames that are kept.
    frames: usize,
    fresh: bool,
}

impl Crossfade {
    fn new(rate: Hz, latency: Samples) -> Self {
        Self {
            ticks: Ticks::default(),
            wet: Smoother::new(1.0, Smoother::TIME, rate),
            weight: Ramp::new(1.0),
            dry: [Delay::new(latency), Delay::new(latency)],
            kept: [vec![0.0; PART], vec![0.0; PART]],
            frames: 0,
            fresh: true,
        }
    }

    fn set(&mut self, bypass: bool) {
        let target = if bypass { 0.0 } else { 1.0 };
        if self.fresh {
            self.wet.set_now(target);
            self.weight = Ramp::new(target);
        } else {
            self.wet.aim(target);
        }
        self.fresh = false;
    }

    fn reset(&mut self) {
        self.ticks.reset();
        self.wet.set_now(self.wet.target());
        self.weight = Ramp::new(self.wet.value());
        self.dry.iter_mut().for_each(|delay| delay.fill(0.0));
        self.fresh = true;
    }

    /// Delays a copy of the input by the chain's latency.
    fn keep_dry(&mut self, block: &mut Block<'_>) {
        let frames = block.len();
        self.frames = frames;
        let (left, right) = block.channels();
        for ((kept, delay), samples) in self.kept.iter_mut().zip(&mut self.dry).zip([left, right]) {
            kept[..frames].copy_from_slice(samples);
            delay.process(&mut kept[..frames]);
        }
    }

    fn process(&mut self, block: &mut Block<'_>) {
        self.fresh = false;
        let mut at = 0;
        while at < block.len() {
            let step = self.ticks.next(block.len() - at);
            if step.tick {
                self.weight.tick(self.wet.tick());
            }
            if !self.weight.is_settled_at(1.0) {
                let dry_only = self.weight.is_settled_at(0.0);
                let mut part = block.part(at..at + step.frames);
                let (left, right) = part.channels();
                for (samples, kept) in [left, right].into_iter().zip(&self.kept) {
                    for (i, (wet, &dry)) in samples.iter_mut().zip(&kept[at..]).enumerate() {
                        *wet = if dry_only { dry } else { dry + self.weight.at(i) * (*wet - dry) };
                    }
                }
            }
            self.weight.advance(step.frames);
            at += step.frames;
        }
    }
}

/// Output protection: a non-finite output is muted, the chain starts anew and fades back in over 20 ms.
struct Protect {
    rise_per_frame: f64,
    gain: f64,
    faults: u64,
}

impl Protect {
    fn new(rate: Hz) -> Self {
        let frames = Smoother::TIME.samples(rate).0.max(1) as f64;
        Self { rise_per_frame: 1.0 / frames, gain: 1.0, faults: 0 }
    }

    fn reset(&mut self) {
        (self.gain, self.faults) = (1.0, 0);
    }

    /// Mutes a block, and what follows until it has faded back in.
    fn mute(&mut self, block: &mut Block<'_>) {
        let (left, right) = block.channels();
        left.fill(0.0);
        right.fill(0.0);
        self.gain = 0.0;
        self.faults += 1;
    }

    fn process(&mut self, block: &mut Block<'_>) {
        if self.gain == 1.0 {
            return;
        }
        let (left, right) = block.channels();
        for (l, r) in left.iter_mut().zip(right) {
            *l *= self.gain;
            *r *= self.gain;
            self.gain = (self.gain + self.rise_per_frame).min(1.0);
        }
    }
}
