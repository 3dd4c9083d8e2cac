//! The `axml` chunk: what the tracks are, in the words of the Dolby Atmos Master ADM profile (BS.2076 elements).

use std::fmt::Write as _;

use super::bed::BED;
use super::plan::AtmosTrack;
use crate::markup;
use units::Hz;

/// Objects count from here in the profile's numbering of audioObjects; the bed is 1001.
const FIRST_OBJECT: usize = 0x100b;
/// Everything else counts from here.
const FIRST: usize = 0x1001;

/// A time as the profile writes it: `hh:mm:ss.fffff`.
pub(super) fn time(frames: u64, rate: Hz) -> String {
    let rate = rate.0 as u64;
    let (seconds, rest) = (frames / rate, frames % rate);
    // To the nearest of the five digits, carried over.
    let ticks = (rest * 100_000 + rate / 2) / rate;
    let (seconds, ticks) = (seconds + ticks / 100_000, ticks % 100_000);
    format!("{:02}:{:02}:{:02}.{ticks:05}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// The identifiers of a track, which `chna` repeats.
pub(super) struct Ids {
    /// `ATU_00000001`.
    pub(super) uid: String,
    /// `AT_00011001_01`.
    pub(super) track: String,
    /// `AP_00011001`.
    pub(super) pack: String,
    /// `00011001`: type and number, of channel and stream.
    number: String,
}

impl Ids {
    /// Of the track at `index`: bed first, then objects.
    pub(super) fn of(index: usize) -> Self {
        let uid = format!("ATU_{:08x}", index + 1);
        let (number, pack) = match index.checked_sub(BED.len()) {
            None => (format!("0001{:04x}", FIRST + index), format!("AP_0001{FIRST:04x}")),
            Some(object) => (format!("0003{:04x}", FIRST + object), format!("AP_0003{:04x}", FIRST + object)),
        };
        Self { uid, track: format!("AT_{number}_01"), pack, number }
    }
}

/// The document for these tracks, `frames` long.
pub(super) fn document(tracks: &[AtmosTrack], frames: u64, rate: Hz) -> String {
    let end = time(frames, rate);
    let mut xml = Xml(String::new());
    xml.line(0, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    xml.line(
        0,
        "<ebuCoreMain xmlns=\"urn:ebu:metadata-schema:ebuCore_2016\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xml:lang=\"en\">",
    );
    xml.line(1, "<coreMetadata>");
    xml.line(2, "<format>");
    xml.line(3, "<audioFormatExtended>");
    programme(&mut xml, tracks, &end);
    formats(&mut xml, tracks, &end);
    for i in 0..tracks.len() {
        let Ids { uid, track, pack, .. } = Ids::of(i);
        xml.line(
            4,
            &format!("<audioTrackUID UID=\"{uid}\" sampleRate=\"{}\" bitDepth=\"24\">", rate.0 as u64),
        );
        xml.element(5, "audioTrackFormatIDRef", &track);
        xml.element(5, "audioPackFormatIDRef", &pack);
        xml.line(4, "</audioTrackUID>");
    }
    xml.line(3, "</audioFormatExtended>");
    xml.line(2, "</format>");
    xml.line(1, "</coreMetadata>");
    xml.line(0, "</ebuCoreMain>");
    xml.0
}

/// Programme, content, and the objects with the tracks that they take.
fn programme(xml: &mut Xml, tracks: &[AtmosTrack], end: &str) {
    let objects = tracks.len() - BED.len();
    xml.line(
        4,
        &format!(
            "<audioProgramme audioProgrammeID=\"APR_1001\" audioProgrammeName=\"Atmos_Master\" start=\"00:00:00.00000\" end=\"{end}\">"
        ),
    );
    xml.element(5, "audioContentIDRef", "ACO_1001");
    xml.line(4, "</audioProgramme>");
    xml.line(4, "<audioContent audioContentID=\"ACO_1001\" audioContentName=\"Atmos_Master_Content\">");
    xml.element(5, "audioObjectIDRef", "AO_1001");
    for object in 0..objects {
        xml.element(5, "audioObjectIDRef", &format!("AO_{:04x}", FIRST_OBJECT + object));
    }
    xml.line(5, "<dialogue mixedContentKind=\"0\">2</dialogue>");
    xml.line(4, "</audioContent>");
    let mut object = |id: usize, name: &str, of: std::ops::Range<usize>| {
        let name = escaped(name);
        xml.line(
            4,
            &format!(
                "<audioObject audioObjectID=\"AO_{id:04x}\" audioObjectName=\"{name}\" start=\"00:00:00.00000\" duration=\"{end}\">"
            ),
        );
        xml.element(5, "audioPackFormatIDRef", &Ids::of(of.start).pack);
        for track in of {
            xml.element(5, "audioTrackUIDRef", &Ids::of(track).uid);
        }
        xml.line(4, "</audioObject>");
    };
    object(FIRST, "Bed", 0..BED.len());
    for (i, track) in tracks[BED.len()..].iter().enumerate() {
        let at = BED.len() + i;
        object(FIRST_OBJECT + i, &track.name, at..at + 1);
    }
}

/// Packs, channels with their positions, streams and tracks.
fn formats(xml: &mut Xml, tracks: &[AtmosTrack], end: &str) {
    let kind = |i: usize| if i < BED.len() { ("DirectSpeakers", "0001") } else { ("Objects", "0003") };
    let mut pack = |name: &str, of: std::ops::Range<usize>| {
        let (definition, label) = kind(of.start);
        xml.line(
            4,
            &format!(
                "<audioPackFormat audioPackFormatID=\"{}\" audioPackFormatName=\"{}\" typeLabel=\"{label}\" typeDefinition=\"{definition}\">",
                Ids::of(of.start).pack,
                escaped(name)
            ),
        );
        for track in of {
            xml.element(5, "audioChannelFormatIDRef", &format!("AC_{}", Ids::of(track).number));
        }
        xml.line(4, "</audioPackFormat>");
    };
    pack("Bed", 0..BED.len());
    for (i, track) in tracks.iter().enumerate().skip(BED.len()) {
        pack(&track.name, i..i + 1);
    }
    for (i, track) in tracks.iter().enumerate() {
        let (definition, label) = kind(i);
        let number = Ids::of(i).number;
        let name = escaped(&track.name);
        xml.line(
            4,
            &format!(
                "<audioChannelFormat audioChannelFormatID=\"AC_{number}\" audioChannelFormatName=\"{name}\" typeLabel=\"{label}\" typeDefinition=\"{definition}\">"
            ),
        );
        let block = format!("<audioBlockFormat audioBlockFormatID=\"AB_{number}_00000001\"");
        if let Some(channel) = BED.get(i) {
            xml.line(5, &format!("{block}>"));
            xml.element(6, "speakerLabel", channel.label);
        } else {
            xml.line(5, &format!("{block} rtime=\"00:00:00.00000\" duration=\"{end}\">"));
        }
        xml.element(6, "cartesian", "1");
        for (coordinate, value) in ["X", "Y", "Z"].iter().zip(track.position) {
            xml.line(6, &format!("<position coordinate=\"{coordinate}\">{value:.10}</position>"));
        }
        if i >= BED.len() {
            xml.line(6, "<jumpPosition interpolationLength=\"0\">1</jumpPosition>");
        }
        xml.line(5, "</audioBlockFormat>");
        xml.line(4, "</audioChannelFormat>");
    }
    for (i, track) in tracks.iter().enumerate() {
        let Ids { track: id, pack, number, .. } = Ids::of(i);
        let name = escaped(&track.name);
        xml.line(
            4,
            &format!(
                "<audioStreamFormat audioStreamFormatID=\"AS_{number}\" audioStreamFormatName=\"PCM_{name}\" formatLabel=\"0001\" formatDefinition=\"PCM\">"
            ),
        );
        xml.element(5, "audioChannelFormatIDRef", &format!("AC_{number}"));
        xml.element(5, "audioPackFormatIDRef", &pack);
        xml.element(5, "audioTrackFormatIDRef", &id);
        xml.line(4, "</audioStreamFormat>");
        xml.line(
            4,
            &format!(
                "<audioTrackFormat audioTrackFormatID=\"{id}\" audioTrackFormatName=\"PCM_{name}\" formatLabel=\"0001\" formatDefinition=\"PCM\">"
            ),
        );
        xml.element(5, "audioStreamFormatIDRef", &format!("AS_{number}"));
        xml.line(4, "</audioTrackFormat>");
    }
}

struct Xml(String);

impl Xml {
    fn line(&mut self, depth: usize, text: &str) {
        let _ = writeln!(self.0, "{:width$}{text}", "", width = 2 * depth);
    }

    /// An element whose content is an identifier or a number.
    fn element(&mut self, depth: usize, name: &str, content: &str) {
        self.line(depth, &format!("<{name}>{content}</{name}>"));
    }
}

/// Text as it stands in an attribute, at most 64 characters of it.
fn escaped(text: &str) -> String {
    markup::escaped(&text.chars().take(64).collect::<String>(), '?')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_five_digits_and_carry() {
        let rate = Hz(48_000.0);
        assert_eq!(time(0, rate), "00:00:00.00000");
        assert_eq!(time(48_000 * 3725 + 24_000, rate), "01:02:05.50000");
        assert_eq!(time(47_999, rate), "00:00:00.99998");
        assert_eq!(time(1, rate), "00:00:00.00002");
        assert_eq!(time(191_999, Hz(192_000.0)), "00:00:00.99999");
        assert_eq!(time(1_535_999, Hz(1_536_000.0)), "00:00:01.00000");
    }

    #[test]
    fn names_cannot_break_the_document() {
        assert_eq!(escaped("a<b>&\"c\"\u{7}\u{ffff}"), "a&lt;b&gt;&amp;&quot;c&quot;??");
        assert_eq!(escaped(&"x".repeat(200)).len(), 64);
    }
}
