//! What an instance tells of itself: plain values of fixed size, one record for each thread that writes.
//!
//! [`BlockStatus`] and [`Settings`] come from the audio thread, [`InstanceInfo`] and [`StemReadings`] from elsewhere. Each is whole in
//! itself; two of them may be a moment apart.

use super::identity::{ProcessIdentity, SessionId};
use super::request::{Answer, Verdict};
use super::words::{Decoder, Encoder, Record, Text};
use meter::Reading;
use session::role::Role;
use units::{Db, Dbtp, Hz, Lu, Lufs};

/// What an instance is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Kind {
    /// On a stem bus.
    #[default]
    Stem,
    /// On the master bus.
    Master,
    /// Looks and asks, without audio: the command line tool.
    Viewer,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Stem, Self::Master, Self::Viewer];
}

/// How the host has loaded the plugin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// Not by a host.
    #[default]
    None,
    /// As CLAP.
    Clap,
    /// As VST3.
    Vst3,
}

impl Format {
    const ALL: [Self; 3] = [Self::None, Self::Clap, Self::Vst3];
}

/// What seldom changes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct InstanceInfo {
    /// Stem or Master.
    pub kind: Kind,
    /// CLAP or VST3.
    pub format: Format,
    /// The role of the stem.
    pub role: Role,
    /// The track's colour: red, green, blue.
    pub colour: Option<[u8; 3]>,
    /// The track's name.
    pub name: Text,
    /// The host's process: the name of its program.
    pub host: Text,
    /// A Master's session; of a Stem the one it belonged to when it was saved, a hint.
    pub session: Option<SessionId>,
    /// When the instance came to life, [`super::identity::now`]: the earlier of two keeps an id.
    pub born: u64,
    /// The process it lives in.
    pub process: ProcessIdentity,
}

/// Words of a [`InstanceInfo`].
pub const LABEL_WORDS: usize = 26;

impl Record for InstanceInfo {
    fn write(&self, pen: &mut Encoder<'_>) {
        pen.word(self.kind as u64);
        pen.word(self.format as u64);
        pen.word(Role::ALL.iter().position(|&role| role == self.role).unwrap_or(0) as u64);
        pen.word(
            self.colour.map_or(0, |[red, green, blue]| u64::from_be_bytes([0, 0, 0, 0, 1, red, green, blue])),
        );
        pen.text(&self.name);
        pen.text(&self.host);
        pen.word(self.session.map_or(0, SessionId::get));
        pen.word(self.born);
        let ProcessIdentity { boot, pid, start, nonce } = self.process;
        [boot, pid, start, nonce].into_iter().for_each(|word| pen.word(word));
    }

    #[inline]
    fn read(eye: &mut Decoder<'_>) -> Option<Self> {
        Some(Self {
            kind: Kind::ALL[eye.index(Kind::ALL.len())?],
            format: Format::ALL[eye.index(Format::ALL.len())?],
            role: Role::ALL[eye.index(Role::ALL.len())?],
            colour: match eye.word()?.to_be_bytes() {
                [0, 0, 0, 0, 0, 0, 0, 0] => None,
                [0, 0, 0, 0, 1, red, green, blue] => Some([red, green, blue]),
                _ => return None,
            },
            name: eye.text()?,
            host: eye.text()?,
            session: eye.session()?,
            born: eye.word()?,
            process: ProcessIdentity {
                boot: eye.word()?,
                pid: eye.word()?,
                start: eye.word()?,
                nonce: eye.word()?,
            },
        })
    }
}

/// What changes with every block.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BlockStatus {
    /// Blocks that the host has had processed: when it stands still, the host lets the instance sleep.
    pub blocks: u64,
    /// Sampling rate.
    pub rate: Hz,
    /// Latency in samples.
    pub latency: u64,
    /// Whether the transport runs.
    pub playing: bool,
    /// Where the block began on the project's timeline, in frames; `None` if the host does not say.
    pub position: Option<i64>,
    /// A person listens to something else than the output.
    pub listens: bool,
    /// Momentary loudness.
    pub momentary: Option<Lufs>,
    /// Short-term loudness.
    pub short_term: Option<Lufs>,
    /// What the compressor takes away, never negative.
    pub compressor_reduction: Db,
    /// What the limiter takes away, never negative.
    pub limiter_reduction: Db,
    /// Non-finite input samples since reset.
    pub sanitized: u64,
    /// Non-finite outputs since reset.
    pub faults: u64,
    /// Revision of the settings in force, that of [`Settings::revision`].
    pub revision: u64,
}

/// Words of a [`BlockStatus`].
pub const PULSE_WORDS: usize = 12;

impl Record for BlockStatus {
    fn write(&self, pen: &mut Encoder<'_>) {
        pen.word(self.blocks);
        pen.number(self.rate.0);
        pen.word(self.latency);
        let flags = [self.playing, self.position.is_some(), self.listens];
        pen.word(flags.iter().rev().fold(0, |word, &flag| word << 1 | u64::from(flag)));
        pen.signed(self.position.unwrap_or(0));
        pen.perhaps(self.momentary.map(|x| x.0));
        pen.perhaps(self.short_term.map(|x| x.0));
        pen.number(self.compressor_reduction.0);
        pen.number(self.limiter_reduction.0);
        pen.word(self.sanitized);
        pen.word(self.faults);
        pen.word(self.revision);
    }

    #[inline]
    fn read(eye: &mut Decoder<'_>) -> Option<Self> {
        let blocks = eye.word()?;
        let rate = Hz(eye.number()?);
        let latency = eye.word()?;
        let flags = eye.index(8)?;
        let position = eye.signed()?;
        Some(Self {
            blocks,
            rate,
            latency,
            playing: flags & 1 != 0,
            position: (flags & 2 != 0).then_some(position),
            listens: flags & 4 != 0,
            momentary: eye.perhaps()?.map(Lufs),
            short_term: eye.perhaps()?.map(Lufs),
            compressor_reduction: eye.db()?,
            limiter_reduction: eye.db()?,
            sanitized: eye.word()?,
            faults: eye.word()?,
            revision: eye.word()?,
        })
    }
}

/// Words of a [`Reading`].
pub const READING_WORDS: usize = 10;

impl Record for Reading {
    fn write(&self, pen: &mut Encoder<'_>) {
        pen.perhaps(self.momentary.map(|x| x.0));
        pen.perhaps(self.short_term.map(|x| x.0));
        pen.perhaps(self.momentary_max.map(|x| x.0));
        pen.perhaps(self.short_term_max.map(|x| x.0));
        pen.perhaps(self.integrated.map(|x| x.0));
        pen.perhaps(self.range.map(|x| x.0));
        pen.perhaps(self.true_peak.map(|x| x.0));
        pen.perhaps(self.sample_peak.map(|x| x.0));
        pen.perhaps(self.psr.map(|x| x.0));
        pen.perhaps(self.correlation);
    }

    #[inline]
    fn read(eye: &mut Decoder<'_>) -> Option<Self> {
        Some(Self {
            momentary: eye.perhaps()?.map(Lufs),
            short_term: eye.perhaps()?.map(Lufs),
            momentary_max: eye.perhaps()?.map(Lufs),
            short_term_max: eye.perhaps()?.map(Lufs),
            integrated: eye.perhaps()?.map(Lufs),
            range: eye.perhaps()?.map(Lu),
            true_peak: eye.perhaps()?.map(Dbtp),
            sample_peak: eye.perhaps()?.map(Db),
            psr: eye.perhaps()?.map(Db),
            correlation: eye.perhaps()?,
        })
    }
}

/// Third-octave bands of a spectrum, 20 Hz to 20 kHz.
pub const BANDS: usize = 31;

/// What is derived from hops, ten times a second at most.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StemReadings {
    /// The stem's own reading; what [`BlockStatus`] says of the moment is `None` here.
    pub reading: Reading,
    /// Level of each third-octave band.
    pub spectrum: [Option<Db>; BANDS],
    /// The trim that Masters may ask to change.
    pub trim: Trim,
    /// The number under which it may be listened to: another one after every activation and every state.
    pub audition: u64,
}

/// A remote trim, owned by its Stem.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Trim {
    /// Gain on top of the Stem's own trim parameter.
    pub offset: Db,
    /// Differs after every change, whoever made it; a request names the one it was made for.
    pub revision: u64,
    /// What became of the last request.
    pub answer: Option<Answer>,
}

/// Words of [`StemReadings`].
pub const FIGURES_WORDS: usize = READING_WORDS + BANDS + 6;

impl Record for StemReadings {
    fn write(&self, pen: &mut Encoder<'_>) {
        self.reading.write(pen);
        self.spectrum.iter().for_each(|band| pen.perhaps(band.map(|x| x.0)));
        pen.number(self.trim.offset.0);
        pen.word(self.trim.revision);
        pen.word(self.trim.answer.map_or(0, |answer| answer.sender.get()));
        pen.word(self.trim.answer.map_or(0, |answer| answer.counter));
        pen.word(self.trim.answer.map_or(0, |answer| answer.verdict as u64));
        pen.word(self.audition);
    }

    #[inline]
    fn read(eye: &mut Decoder<'_>) -> Option<Self> {
        let reading = Record::read(eye)?;
        let mut bands = [0.0; BANDS];
        eye.numbers(&mut bands)?;
        let spectrum = bands.map(|band| (!band.is_nan()).then_some(Db(band)));
        let (offset, revision) = (eye.db()?, eye.word()?);
        let (sender, counter) = (eye.word()?, eye.word()?);
        let verdict = Verdict::ALL[eye.index(Verdict::ALL.len())?];
        let answer = super::InstanceId::new(sender).map(|sender| Answer { sender, counter, verdict });
        Some(Self { reading, spectrum, trim: Trim { offset, revision, answer }, audition: eye.word()? })
    }
}

/// Values of parameters that fit.
pub const VALUES: usize = 256;

/// Every parameter of an instance's chain, in the order of the table that `schema` stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Hash of the parameters' ids and ranges, so that two builds understand each other or know that they do not.
    pub schema: u64,
    /// Differs after every change.
    pub revision: u64,
    values: [f64; VALUES],
    count: usize,
}

/// Words of [`Settings`].
pub const SETTINGS_WORDS: usize = 3 + VALUES;

impl Settings {
    /// The settings of `revision`, with no values yet.
    pub fn new(schema: u64, revision: u64) -> Self {
        Self { schema, revision, values: [0.0; VALUES], count: 0 }
    }

    /// Adds the next value; "off" is not a number. Values beyond [`VALUES`] are dropped.
    pub fn push(&mut self, value: Option<f64>) {
        if let Some(place) = self.values.get_mut(self.count) {
            *place = value.unwrap_or(f64::NAN);
            self.count += 1;
        }
    }

    /// The values, in order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = Option<f64>> {
        self.values[..self.count].iter().map(|&value| (!value.is_nan()).then_some(value))
    }
}

impl Record for Settings {
    fn write(&self, pen: &mut Encoder<'_>) {
        pen.word(self.schema);
        pen.word(self.revision);
        pen.word(self.count as u64);
        self.values[..self.count].iter().for_each(|&value| pen.number(value));
    }

    #[inline]
    fn read(eye: &mut Decoder<'_>) -> Option<Self> {
        let mut settings = Self::new(eye.word()?, eye.word()?);
        settings.count = eye.index(VALUES + 1)?;
        eye.numbers(&mut settings.values[..settings.count])?;
        Some(settings)
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

    use super::*;
    use crate::InstanceId;
    use proptest::prelude::*;

    /// A label with a value in every field.
    pub(crate) fn label(name: &str, born: u64) -> InstanceInfo {
        InstanceInfo {
            kind: Kind::Stem,
            format: Format::Vst3,
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

    fn pulse() -> BlockStatus {
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

    fn figures() -> StemReadings {
        let mut spectrum = [None; BANDS];
        spectrum[0] = Some(Db(-40.0));
        spectrum[BANDS - 1] = Some(Db(-60.0));
        StemReadings {
            reading: reading(),
            spectrum,
            trim: Trim {
                offset: Db(1.5),
                revision: 9,
                answer: Some(Answer { sender: InstanceId::mint(), counter: 3, verdict: Verdict::Stale }),
            },
            audition: 11,
        }
    }

    fn settings(count: usize) -> Settings {
        let mut settings = Settings::new(1, 2);
        for n in 0..count {
            settings.push((n % 3 != 0).then_some(n as f64));
        }
        settings
    }

    /// The value comes back, and it uses all its words.
    fn returns<const N: usize, R: Record + Copy + PartialEq + core::fmt::Debug>(record: R, used: usize) {
        let words: [u64; N] = record.encode();
        assert_eq!(R::decode(&words), Some(record));
        assert_eq!(R::decode(&words[..used - 1]), None);
        assert!(R::decode(&words[..used]).is_some());
    }

    #[test]
    fn every_field_comes_back() {
        returns::<LABEL_WORDS, _>(label("Bass", 1), LABEL_WORDS);
        returns::<LABEL_WORDS, _>(InstanceInfo::default(), LABEL_WORDS);
        returns::<PULSE_WORDS, _>(pulse(), PULSE_WORDS);
        returns::<PULSE_WORDS, _>(BlockStatus { position: None, ..pulse() }, PULSE_WORDS);
        returns::<FIGURES_WORDS, _>(figures(), FIGURES_WORDS);
        returns::<FIGURES_WORDS, _>(StemReadings::default(), FIGURES_WORDS);
    }

    #[test]
    fn settings_come_back_however_many() {
        for count in [0, 1, 100, VALUES, VALUES + 1] {
            let words: [u64; SETTINGS_WORDS] = settings(count).encode();
            let back = Settings::decode(&words).unwrap();
            assert_eq!((back.schema, back.revision, back.values().len()), (1, 2, count.min(VALUES)));
            for (n, value) in back.values().enumerate() {
                assert_eq!(value, (n % 3 != 0).then_some(n as f64));
            }
        }
        let mut words: [u64; SETTINGS_WORDS] = settings(3).encode();
        words[2] = VALUES as u64 + 1;
        assert_eq!(Settings::decode(&words), None);
    }

    proptest! {
        #[test]
        fn arbitrary_words_are_refused_or_a_value_that_is_in_range(
            words in proptest::collection::vec(prop_oneof![any::<u64>(), 0u64..5], SETTINGS_WORDS),
        ) {
            if let Some(label) = InstanceInfo::decode(&words) {
                prop_assert!(!label.name.as_str().contains(char::is_control));
            }
            if let Some(pulse) = BlockStatus::decode(&words) {
                prop_assert!(pulse.rate.0.is_finite() && pulse.compressor_reduction.0.is_finite());
            }
            if let Some(figures) = StemReadings::decode(&words) {
                prop_assert!(figures.trim.offset.0.is_finite());
            }
            if let Some(settings) = Settings::decode(&words) {
                prop_assert!(settings.values().flatten().all(f64::is_finite));
            }
        }
    }
}
