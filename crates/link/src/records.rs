//! Records that an instance publishes: plain values of a fixed size, one for each kind of thread that writes.
//!
//! [`BlockStatus`] and [`PublishedSettings`] come from the audio thread, [`InstanceInfo`] and [`StemReadings`] from the
//! link's worker. Each is consistent in itself; two of them may be of different moments.

use super::identity::{InstanceId, ProcessIdentity, SessionId};
use super::remote_trim::{RemoteTrim, TrimAnswer, TrimVerdict};
use super::text::Text;
use super::wire::{Decoder, Encoder, WireValue};
use meter::Reading;
use session::role::Role;
use units::{Db, Dbtp, Hz, Lu, Lufs};

/// Kind of an instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum InstanceKind {
    /// The plugin on a stem bus.
    #[default]
    Stem,
    /// The plugin on the master bus.
    Master,
    /// A program without audio that reads and asks: the command line tool.
    Viewer,
}

impl InstanceKind {
    const ALL: [Self; 3] = [Self::Stem, Self::Master, Self::Viewer];
}

/// Format in which the host has loaded the plugin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PluginFormat {
    /// Not loaded by a host.
    #[default]
    None,
    /// CLAP.
    Clap,
    /// VST3.
    Vst3,
}

impl PluginFormat {
    const ALL: [Self; 3] = [Self::None, Self::Clap, Self::Vst3];
}

/// Description of an instance: values that seldom change.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct InstanceInfo {
    /// Stem, Master or viewer.
    pub kind: InstanceKind,
    /// CLAP or VST3.
    pub format: PluginFormat,
    /// The role of a Stem.
    pub role: Role,
    /// The track's colour: red, green, blue.
    pub colour: Option<[u8; 3]>,
    /// The track's name.
    pub name: Text,
    /// The program name of the host's process.
    pub host: Text,
    /// A Master's own session; a Stem's as it was saved, which is only a hint.
    pub session: Option<SessionId>,
    /// Time of creation, [`super::identity::unix_nanoseconds`]: of two instances with one id the earlier keeps it.
    pub born: u64,
    /// The process of the instance.
    pub process: ProcessIdentity,
}

/// Words of an [`InstanceInfo`].
pub const INSTANCE_INFO_WORDS: usize = 26;

impl WireValue for InstanceInfo {
    fn write_to(&self, encoder: &mut Encoder<'_>) {
        encoder.push_word(self.kind as u64);
        encoder.push_word(self.format as u64);
        encoder.push_word(Role::ALL.iter().position(|&role| role == self.role).unwrap_or(0) as u64);
        encoder.push_word(
            self.colour.map_or(0, |[red, green, blue]| u64::from_be_bytes([0, 0, 0, 0, 1, red, green, blue])),
        );
        encoder.push_text(&self.name);
        encoder.push_text(&self.host);
        encoder.push_word(self.session.map_or(0, SessionId::get));
        encoder.push_word(self.born);
        let ProcessIdentity { boot, pid, start, nonce } = self.process;
        [boot, pid, start, nonce].into_iter().for_each(|word| encoder.push_word(word));
    }

    #[inline]
    fn read_from(decoder: &mut Decoder<'_>) -> Option<Self> {
        Some(Self {
            kind: InstanceKind::ALL[decoder.next_index(InstanceKind::ALL.len())?],
            format: PluginFormat::ALL[decoder.next_index(PluginFormat::ALL.len())?],
            role: Role::ALL[decoder.next_index(Role::ALL.len())?],
            colour: match decoder.next_word()?.to_be_bytes() {
                [0, 0, 0, 0, 0, 0, 0, 0] => None,
                [0, 0, 0, 0, 1, red, green, blue] => Some([red, green, blue]),
                _ => return None,
            },
            name: decoder.next_text()?,
            host: decoder.next_text()?,
            session: decoder.next_session()?,
            born: decoder.next_word()?,
            process: ProcessIdentity {
                boot: decoder.next_word()?,
                pid: decoder.next_word()?,
                start: decoder.next_word()?,
                nonce: decoder.next_word()?,
            },
        })
    }
}

/// Values that change with every audio block.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BlockStatus {
    /// Blocks processed so far; while it stands still, the host lets the instance sleep.
    pub blocks: u64,
    /// Sampling rate; zero before the first activation.
    pub rate: Hz,
    /// Latency of the chain in samples.
    pub latency: u64,
    /// True while the transport runs.
    pub playing: bool,
    /// Position of the block's first frame on the project's timeline; `None` if the host gives none.
    pub position: Option<i64>,
    /// True while a person listens to something else than the output.
    pub listens: bool,
    /// Momentary loudness of the output.
    pub momentary: Option<Lufs>,
    /// Short-term loudness of the output.
    pub short_term: Option<Lufs>,
    /// Gain reduction of the compressor, never negative.
    pub compressor_reduction: Db,
    /// Gain reduction of the limiter, never negative.
    pub limiter_reduction: Db,
    /// Non-finite input samples since reset.
    pub sanitized: u64,
    /// Non-finite output samples since reset.
    pub faults: u64,
    /// Revision of the settings in use, [`PublishedSettings::revision`].
    pub revision: u64,
}

/// Words of a [`BlockStatus`].
pub const BLOCK_STATUS_WORDS: usize = 12;

impl WireValue for BlockStatus {
    fn write_to(&self, encoder: &mut Encoder<'_>) {
        encoder.push_word(self.blocks);
        encoder.push_number(self.rate.0);
        encoder.push_word(self.latency);
        let flags = [self.playing, self.position.is_some(), self.listens];
        encoder.push_word(flags.iter().rev().fold(0, |word, &flag| word << 1 | u64::from(flag)));
        encoder.push_signed(self.position.unwrap_or(0));
        encoder.push_optional(self.momentary.map(|x| x.0));
        encoder.push_optional(self.short_term.map(|x| x.0));
        encoder.push_number(self.compressor_reduction.0);
        encoder.push_number(self.limiter_reduction.0);
        encoder.push_word(self.sanitized);
        encoder.push_word(self.faults);
        encoder.push_word(self.revision);
    }

    #[inline]
    fn read_from(decoder: &mut Decoder<'_>) -> Option<Self> {
        let blocks = decoder.next_word()?;
        let rate = Hz(decoder.next_number()?);
        let latency = decoder.next_word()?;
        let flags = decoder.next_index(8)?;
        let position = decoder.next_signed()?;
        Some(Self {
            blocks,
            rate,
            latency,
            playing: flags & 1 != 0,
            position: (flags & 2 != 0).then_some(position),
            listens: flags & 4 != 0,
            momentary: decoder.next_optional()?.map(Lufs),
            short_term: decoder.next_optional()?.map(Lufs),
            compressor_reduction: decoder.next_db()?,
            limiter_reduction: decoder.next_db()?,
            sanitized: decoder.next_word()?,
            faults: decoder.next_word()?,
            revision: decoder.next_word()?,
        })
    }
}

/// Words of a [`Reading`].
pub const READING_WORDS: usize = 10;

impl WireValue for Reading {
    fn write_to(&self, encoder: &mut Encoder<'_>) {
        encoder.push_optional(self.momentary.map(|x| x.0));
        encoder.push_optional(self.short_term.map(|x| x.0));
        encoder.push_optional(self.momentary_max.map(|x| x.0));
        encoder.push_optional(self.short_term_max.map(|x| x.0));
        encoder.push_optional(self.integrated.map(|x| x.0));
        encoder.push_optional(self.range.map(|x| x.0));
        encoder.push_optional(self.true_peak.map(|x| x.0));
        encoder.push_optional(self.sample_peak.map(|x| x.0));
        encoder.push_optional(self.psr.map(|x| x.0));
        encoder.push_optional(self.correlation);
    }

    #[inline]
    fn read_from(decoder: &mut Decoder<'_>) -> Option<Self> {
        Some(Self {
            momentary: decoder.next_optional()?.map(Lufs),
            short_term: decoder.next_optional()?.map(Lufs),
            momentary_max: decoder.next_optional()?.map(Lufs),
            short_term_max: decoder.next_optional()?.map(Lufs),
            integrated: decoder.next_optional()?.map(Lufs),
            range: decoder.next_optional()?.map(Lu),
            true_peak: decoder.next_optional()?.map(Dbtp),
            sample_peak: decoder.next_optional()?.map(Db),
            psr: decoder.next_optional()?.map(Db),
            correlation: decoder.next_optional()?,
        })
    }
}

/// Third-octave bands of a spectrum, 20 Hz to 20 kHz.
pub const SPECTRUM_BANDS: usize = 31;

/// Values derived from loudness hops, at most ten times a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StemReadings {
    /// Reading of the output; momentary and short-term loudness are `None` here, [`BlockStatus`] has them.
    pub reading: Reading,
    /// Level of each third-octave band.
    pub spectrum: [Option<Db>; SPECTRUM_BANDS],
    /// The trim that Masters may ask to change.
    pub trim: RemoteTrim,
    /// The settings at this moment, whether audio is processed or not; `None` in instances without a chain.
    pub present: Option<PresentSettings>,
    /// Number that an [`AuditionOrder`](super::audition::AuditionOrder) has to name; changes with every activation
    /// and every loaded state.
    pub audition: u64,
}

/// Settings of a Stem at one moment, comparable with those that its audio was made with; its trim is in
/// [`StemReadings::trim`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PresentSettings {
    /// Hash of all settings but level and trim; never zero.
    pub revision: u64,
    /// Gain by the level parameter.
    pub level: Db,
    /// The trim as far as it has an effect.
    pub trim: Db,
}

/// Words of [`StemReadings`].
pub const STEM_READINGS_WORDS: usize = READING_WORDS + SPECTRUM_BANDS + 9;

impl WireValue for StemReadings {
    fn write_to(&self, encoder: &mut Encoder<'_>) {
        self.reading.write_to(encoder);
        self.spectrum.iter().for_each(|band| encoder.push_optional(band.map(|x| x.0)));
        encoder.push_number(self.trim.offset.0);
        encoder.push_word(self.trim.revision);
        encoder.push_word(self.trim.answer.map_or(0, |answer| answer.sender.get()));
        encoder.push_word(self.trim.answer.map_or(0, |answer| answer.counter));
        encoder.push_word(self.trim.answer.map_or(0, |answer| answer.verdict as u64));
        encoder.push_word(self.present.map_or(0, |present| present.revision));
        encoder.push_number(self.present.map_or(0.0, |present| present.level.0));
        encoder.push_number(self.present.map_or(0.0, |present| present.trim.0));
        encoder.push_word(self.audition);
    }

    #[inline]
    fn read_from(decoder: &mut Decoder<'_>) -> Option<Self> {
        let reading = WireValue::read_from(decoder)?;
        let mut bands = [0.0; SPECTRUM_BANDS];
        if !decoder.fill_numbers(&mut bands) {
            return None;
        }
        let spectrum = bands.map(|band| (!band.is_nan()).then_some(Db(band)));
        let (offset, revision) = (decoder.next_db()?, decoder.next_word()?);
        let (sender, counter) = (decoder.next_word()?, decoder.next_word()?);
        let verdict = TrimVerdict::ALL[decoder.next_index(TrimVerdict::ALL.len())?];
        let answer = InstanceId::new(sender).map(|sender| TrimAnswer { sender, counter, verdict });
        let trim = RemoteTrim { offset, revision, answer };
        let (revision, level, offset) = (decoder.next_word()?, decoder.next_db()?, decoder.next_db()?);
        let present = (revision != 0).then_some(PresentSettings { revision, level, trim: offset });
        Some(Self { reading, spectrum, trim, present, audition: decoder.next_word()? })
    }
}

/// Values of parameters that fit into [`PublishedSettings`].
pub const MAX_SETTINGS: usize = 256;

/// Every parameter of an instance's chain, in the order of the parameter table that `schema` identifies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PublishedSettings {
    /// Hash of the parameters' ids and ranges; builds with different ones do not interpret each other's values.
    pub schema: u64,
    /// Number that differs after every change.
    pub revision: u64,
    values: [f64; MAX_SETTINGS],
    count: usize,
}

/// Words of [`PublishedSettings`].
pub const SETTINGS_WORDS: usize = 3 + MAX_SETTINGS;

impl PublishedSettings {
    /// Settings without values yet.
    pub fn new(schema: u64, revision: u64) -> Self {
        Self { schema, revision, values: [0.0; MAX_SETTINGS], count: 0 }
    }

    /// Appends the next value; `None` stands for "off". Values beyond [`MAX_SETTINGS`] are dropped.
    pub fn push(&mut self, value: Option<f64>) {
        if let Some(place) = self.values.get_mut(self.count) {
            *place = value.unwrap_or(f64::NAN);
            self.count += 1;
        }
    }

    /// The values in order; `None` stands for "off".
    pub fn values(&self) -> impl ExactSizeIterator<Item = Option<f64>> {
        self.values[..self.count].iter().map(|&value| (!value.is_nan()).then_some(value))
    }
}

impl WireValue for PublishedSettings {
    fn write_to(&self, encoder: &mut Encoder<'_>) {
        encoder.push_word(self.schema);
        encoder.push_word(self.revision);
        encoder.push_word(self.count as u64);
        self.values[..self.count].iter().for_each(|&value| encoder.push_number(value));
    }

    #[inline]
    fn read_from(decoder: &mut Decoder<'_>) -> Option<Self> {
        let mut settings = Self::new(decoder.next_word()?, decoder.next_word()?);
        settings.count = decoder.next_index(MAX_SETTINGS + 1)?;
        decoder.fill_numbers(&mut settings.values[..settings.count]).then_some(settings)
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

    use super::*;
    use proptest::prelude::*;

    /// Information with a value in every field.
    pub(crate) fn info(name: &str, born: u64) -> InstanceInfo {
        InstanceInfo {
            kind: InstanceKind::Stem,
            format: PluginFormat::Vst3,
            role: Role::Bass,
            colour: Some([0, 20, 255]),
            name: Text::new(name),
            host: Text::new("reaper"),
            session: Some(SessionId::mint()),
            born,
            process: ProcessIdentity { boot: 1, pid: 2, start: 3, nonce: 4 },
        }
    }

    /// A reading with a value in nearly every field.
    pub(crate) fn reading() -> Reading {
        Reading {
            momentary: Some(Lufs(-20.0)),
            short_term: Some(Lufs(-21.0)),
            momentary_max: Some(Lufs(-12.0)),
            short_term_max: Some(Lufs(-13.0)),
            integrated: Some(Lufs(-14.0)),
            range: None,
            true_peak: Some(Dbtp(-1.0)),
            sample_peak: Some(Db(-1.5)),
            psr: Some(Db(12.0)),
            correlation: Some(0.7),
        }
    }

    fn block_status() -> BlockStatus {
        BlockStatus {
            blocks: 7,
            rate: Hz(44_100.0),
            latency: 240,
            playing: true,
            position: Some(-100),
            listens: true,
            momentary: Some(Lufs(-20.5)),
            short_term: None,
            compressor_reduction: Db(2.5),
            limiter_reduction: Db(0.25),
            sanitized: 3,
            faults: 4,
            revision: 5,
        }
    }

    fn stem_readings() -> StemReadings {
        let mut spectrum = [None; SPECTRUM_BANDS];
        spectrum[0] = Some(Db(-40.0));
        spectrum[SPECTRUM_BANDS - 1] = Some(Db(-60.0));
        StemReadings {
            reading: reading(),
            spectrum,
            trim: RemoteTrim {
                offset: Db(1.5),
                revision: 9,
                answer: Some(TrimAnswer {
                    sender: InstanceId::mint(),
                    counter: 3,
                    verdict: TrimVerdict::Stale,
                }),
            },
            present: Some(PresentSettings { revision: 12, level: Db(-2.0), trim: Db(1.5) }),
            audition: 11,
        }
    }

    fn settings(count: usize) -> PublishedSettings {
        let mut settings = PublishedSettings::new(1, 2);
        for n in 0..count {
            settings.push((n % 3 != 0).then_some(n as f64));
        }
        settings
    }

    /// Checks that the value survives a round trip and uses all its words.
    fn survives<const N: usize, R: WireValue + Copy + PartialEq + core::fmt::Debug>(record: R, used: usize) {
        let words: [u64; N] = record.encode();
        assert_eq!(R::decode(&words), Some(record));
        assert_eq!(R::decode(&words[..used - 1]), None);
        assert!(R::decode(&words[..used]).is_some());
    }

    #[test]
    fn every_field_survives_a_round_trip() {
        survives::<INSTANCE_INFO_WORDS, _>(info("Bass", 1), INSTANCE_INFO_WORDS);
        survives::<INSTANCE_INFO_WORDS, _>(InstanceInfo::default(), INSTANCE_INFO_WORDS);
        survives::<BLOCK_STATUS_WORDS, _>(block_status(), BLOCK_STATUS_WORDS);
        survives::<BLOCK_STATUS_WORDS, _>(
            BlockStatus { position: None, ..block_status() },
            BLOCK_STATUS_WORDS,
        );
        survives::<STEM_READINGS_WORDS, _>(stem_readings(), STEM_READINGS_WORDS);
        survives::<STEM_READINGS_WORDS, _>(StemReadings::default(), STEM_READINGS_WORDS);
    }

    #[test]
    fn any_number_of_settings_survives_a_round_trip() {
        for count in [0, 1, 100, MAX_SETTINGS, MAX_SETTINGS + 1] {
            let words: [u64; SETTINGS_WORDS] = settings(count).encode();
            let back = PublishedSettings::decode(&words).unwrap();
            assert_eq!((back.schema, back.revision, back.values().len()), (1, 2, count.min(MAX_SETTINGS)));
            for (n, value) in back.values().enumerate() {
                assert_eq!(value, (n % 3 != 0).then_some(n as f64));
            }
        }
        let mut words: [u64; SETTINGS_WORDS] = settings(3).encode();
        words[2] = MAX_SETTINGS as u64 + 1;
        assert_eq!(PublishedSettings::decode(&words), None);
    }

    proptest! {
        #[test]
        fn arbitrary_words_are_refused_or_a_value_that_is_in_range(
            words in proptest::collection::vec(prop_oneof![any::<u64>(), 0u64..5], SETTINGS_WORDS),
        ) {
            if let Some(info) = InstanceInfo::decode(&words) {
                prop_assert!(!info.name.as_str().contains(char::is_control));
            }
            if let Some(status) = BlockStatus::decode(&words) {
                prop_assert!(status.rate.0.is_finite() && status.compressor_reduction.0.is_finite());
            }
            if let Some(readings) = StemReadings::decode(&words) {
                prop_assert!(readings.trim.offset.0.is_finite());
            }
            if let Some(settings) = PublishedSettings::decode(&words) {
                prop_assert!(settings.values().flatten().all(f64::is_finite));
            }
        }
    }
}
