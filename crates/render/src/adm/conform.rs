//! Our own conformance check of an ADM BWF: what the file says, read back, against the rules of the Dolby Atmos Master
//! ADM profile. It shares no code with the writer but the table of the bed.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use roxmltree::{Document, Node};

use super::bed::BED;
use super::chunks::{SUPPLEMENT, checksum};
use super::plan::MAX_OBJECTS;
use audiofile::error::Result;
use audiofile::wav::WavReader;
use audiofile::{Container, SampleFormat};
use project::placement::RoomPosition;

/// The most contents, objects and packs.
const MAX_GROUPS: usize = 123;
/// The most channels, streams, tracks.
const MAX_TRACKS: usize = 128;

/// The findings of the conformance check.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conformance {
    /// The rules that are broken, a sentence each; none if the file conforms.
    pub faults: Vec<String>,
    /// The position of every track, as the file says.
    pub positions: Vec<RoomPosition>,
}

/// Checks a file.
///
/// # Errors
/// If it cannot be read as WAV.
pub(super) fn check(path: &Path) -> Result<Conformance> {
    let mut reader = WavReader::open(path)?;
    let mut found = Conformance::default();
    let info = reader.info().clone();
    let fault = |found: &mut Conformance, line: String| found.faults.push(line);
    if !matches!(info.container, Container::Wav | Container::Rf64) {
        fault(&mut found, "is neither RIFF nor RF64".into());
    }
    if info.rate.0 != 48_000.0 || info.format != (SampleFormat::Int { bits: 24 }) {
        fault(&mut found, format!("is not 48 kHz, 24 bit ({} Hz, {:?})", info.rate.0, info.format));
    }
    if info.channels > MAX_TRACKS {
        fault(&mut found, format!("has {} tracks, more than {MAX_TRACKS}", info.channels));
    }
    let order: Vec<[u8; 4]> = reader.chunks().iter().map(|chunk| chunk.id).collect();
    let order: Vec<&[u8; 4]> = order.iter().filter(|id| !matches!(*id, b"JUNK" | b"ds64")).collect();
    if order != [b"fmt ", b"data", b"axml", b"chna", b"dbmd"] {
        let names: Vec<String> = order.iter().map(|id| id.escape_ascii().to_string()).collect();
        fault(&mut found, format!("its chunks are {}, not fmt, data, axml, chna, dbmd", names.join(", ")));
    }
    let [axml, chna, dbmd] = [b"axml", b"chna", b"dbmd"].map(|id| reader.chunk(id));
    let (axml, chna, dbmd) =
        (axml?.unwrap_or_default(), chna?.unwrap_or_default(), dbmd?.unwrap_or_default());
    let text = String::from_utf8_lossy(&axml);
    match Document::parse(&text) {
        Ok(document) => {
            let model = Model { root: document.root(), faults: &mut found.faults };
            found.positions = model.check(info.channels, &chna);
        }
        Err(error) => fault(&mut found, format!("its axml chunk is no XML: {error}")),
    }
    found.faults.extend(dbmd_faults(&dbmd, info.channels));
    Ok(found)
}

/// The elements of `axml`.
struct Model<'a, 'd> {
    root: Node<'d, 'd>,
    faults: &'a mut Vec<String>,
}

fn named<'d>(node: Node<'d, 'd>, name: &'static str) -> impl Iterator<Item = Node<'d, 'd>> {
    node.descendants().filter(move |n| n.is_element() && n.tag_name().name() == name)
}

fn text<'d>(node: Node<'d, 'd>, name: &'static str) -> Option<&'d str> {
    named(node, name).next()?.text()
}

impl<'d> Model<'_, 'd> {
    fn all(&self, name: &'static str) -> Vec<Node<'d, 'd>> {
        named(self.root, name).collect()
    }

    fn require(&mut self, holds: bool, rule: impl FnOnce() -> String) {
        if !holds {
            self.faults.push(rule());
        }
    }

    /// Checks everything and returns the tracks' positions.
    fn check(mut self, channels: usize, chna: &[u8]) -> Vec<RoomPosition> {
        let end = self.programme();
        self.counts(channels);
        self.references();
        self.objects();
        let positions = self.channels(&end);
        self.tracks(channels, chna);
        positions
    }

    fn programme(&mut self) -> String {
        let programmes = self.all("audioProgramme");
        self.require(programmes.len() == 1, || format!("has {} programmes, not one", programmes.len()));
        let Some(programme) = programmes.first() else { return String::new() };
        let is = |attribute, value| programme.attribute(attribute) == Some(value);
        self.require(is("audioProgrammeName", "Atmos_Master"), || {
            "its programme is not called Atmos_Master".into()
        });
        self.require(is("start", "00:00:00.00000"), || "its programme does not start at 0".into());
        programme.attribute("end").unwrap_or_default().to_owned()
    }

    fn counts(&mut self, channels: usize) {
        for (name, most) in [
            ("audioContent", MAX_GROUPS),
            ("audioObject", MAX_GROUPS),
            ("audioPackFormat", MAX_GROUPS),
            ("audioChannelFormat", MAX_TRACKS),
            ("audioStreamFormat", MAX_TRACKS),
            ("audioTrackFormat", MAX_TRACKS),
            ("audioTrackUID", MAX_TRACKS),
        ] {
            let count = self.all(name).len();
            self.require((1..=most).contains(&count), || format!("has {count} of {name}, not 1 to {most}"));
        }
        for name in ["audioChannelFormat", "audioStreamFormat", "audioTrackFormat", "audioTrackUID"] {
            let count = self.all(name).len();
            self.require(count == channels, || format!("has {count} of {name} for {channels} tracks"));
        }
        for content in self.all("audioContent") {
            let dialogue = named(content, "dialogue").next();
            let is = dialogue
                .is_some_and(|d| d.text() == Some("2") && d.attribute("mixedContentKind") == Some("0"));
            self.require(is, || "a content is not of mixed kind (dialogue 2, mixedContentKind 0)".into());
        }
    }

    /// Every identifier is there once, and every reference leads to one.
    fn references(&mut self) {
        let mut ids = HashSet::new();
        for node in self.root.descendants().filter(Node::is_element) {
            let own = node
                .attributes()
                .find(|a| a.name() == "UID" || a.name() == format!("{}ID", node.tag_name().name()));
            if let Some(id) = own {
                self.require(ids.insert(id.value()), || format!("{} is there twice", id.value()));
            }
        }
        for node in self.root.descendants().filter(Node::is_element) {
            if node.tag_name().name().ends_with("Ref") {
                let to = node.text().unwrap_or_default();
                self.require(ids.contains(to), || format!("{to} is referred to but not there"));
            }
        }
    }

    fn objects(&mut self) {
        let objects = self.all("audioObject");
        let dynamic = objects.len().saturating_sub(1);
        self.require(dynamic <= MAX_OBJECTS, || format!("has {dynamic} objects, more than {MAX_OBJECTS}"));
        for (i, object) in objects.iter().enumerate() {
            let expected = if i == 0 { "AO_1001".into() } else { format!("AO_{:04x}", 0x100a + i) };
            let id = object.attribute("audioObjectID").unwrap_or_default();
            self.require(id == expected, || format!("object {} is numbered {id}, not {expected}", i + 1));
            let tracks = named(*object, "audioTrackUIDRef").count();
            let wanted = if i == 0 { BED.len() } else { 1 };
            self.require(tracks == wanted, || format!("{id} has {tracks} tracks, not {wanted}"));
        }
    }

    fn channels(&mut self, end: &str) -> Vec<RoomPosition> {
        let mut positions = Vec::new();
        for (i, channel) in self.all("audioChannelFormat").iter().enumerate() {
            let name = channel.attribute("audioChannelFormatName").unwrap_or_default();
            let blocks: Vec<_> = named(*channel, "audioBlockFormat").collect();
            self.require(!blocks.is_empty(), || format!("{name} has no block"));
            for (at, block) in blocks.iter().enumerate() {
                let position = self.position(*block, name);
                if at == 0 {
                    positions.push(position);
                }
                let timed = (block.attribute("rtime"), block.attribute("duration"));
                if let Some(bed) = BED.get(i) {
                    self.require(blocks.len() == 1 && timed == (None, None), || {
                        format!("{name} is a bed channel with timed blocks")
                    });
                    let is = name == bed.name
                        && channel.attribute("typeLabel") == Some("0001")
                        && text(*block, "speakerLabel") == Some(bed.label)
                        && position == bed.position;
                    self.require(is, || format!("bed channel {} is not {} at its place", i + 1, bed.name));
                } else {
                    self.require(channel.attribute("typeLabel") == Some("0003"), || {
                        format!("{name} is no object")
                    });
                    self.require(at > 0 || timed == (Some("00:00:00.00000"), Some(end)), || {
                        format!("{name} does not last from the start to the end")
                    });
                    let jump = named(*block, "jumpPosition").next();
                    let glide = if at == 0 { "0" } else { "0.005208" };
                    let is = jump.is_some_and(|jump| {
                        jump.text() == Some("1") && jump.attribute("interpolationLength") == Some(glide)
                    });
                    self.require(is, || format!("{name} does not jump within {glide} s"));
                }
            }
        }
        positions
    }

    fn position(&mut self, block: Node<'d, 'd>, name: &str) -> RoomPosition {
        self.require(text(block, "cartesian") == Some("1"), || format!("{name} is not Cartesian"));
        ["X", "Y", "Z"].map(|axis| {
            let value = named(block, "position").find(|p| p.attribute("coordinate") == Some(axis));
            let value = value.and_then(|p| p.text()?.parse::<f64>().ok()).unwrap_or(f64::NAN);
            self.require((-1.0..=1.0).contains(&value), || format!("{name} has no {axis} from -1 to 1"));
            value
        })
    }

    /// `chna` names every track once, and as the document does.
    fn tracks(&mut self, channels: usize, chna: &[u8]) {
        let mut uids = HashMap::new();
        for uid in self.all("audioTrackUID") {
            let is = uid.attribute("sampleRate") == Some("48000") && uid.attribute("bitDepth") == Some("24");
            let id = uid.attribute("UID").unwrap_or_default();
            self.require(is, || format!("{id} is not 48000 Hz, 24 bit"));
            uids.insert(id, (text(uid, "audioTrackFormatIDRef"), text(uid, "audioPackFormatIDRef")));
        }
        let Some((head, rows)) = chna.split_at_checked(4) else {
            return self.faults.push("has no chna chunk".into());
        };
        let count = |at: usize| usize::from(u16::from_le_bytes([head[at], head[at + 1]]));
        self.require(count(0) == channels && count(2) == channels && rows.len() == 40 * channels, || {
            format!("its chna chunk is not for {channels} tracks")
        });
        for (i, row) in rows.chunks_exact(40).enumerate() {
            let field = |from: usize, to: usize| {
                let end = row[from..to].iter().position(|&b| b == 0).map_or(to, |at| from + at);
                std::str::from_utf8(&row[from..end]).unwrap_or_default()
            };
            let (uid, of) = (field(2, 14), (Some(field(14, 28)), Some(field(28, 39))));
            let is = usize::from(u16::from_le_bytes([row[0], row[1]])) == i + 1 && uids.get(uid) == Some(&of);
            self.require(is, || format!("row {} of its chna chunk ({uid}) is not as in axml", i + 1));
        }
    }
}

fn dbmd_faults(bytes: &[u8], channels: usize) -> Vec<String> {
    let mut faults = Vec::new();
    if bytes.len() < 4 || bytes[3] != 1 {
        return vec!["has no dbmd chunk of version 1".into()];
    }
    let mut rest = &bytes[4..];
    let mut seen = Vec::new();
    while let [id, low, high, after @ ..] = rest {
        if *id == 0 {
            break;
        }
        let len = usize::from(u16::from_le_bytes([*low, *high]));
        let Some((payload, [sum, next @ ..])) = after.split_at_checked(len) else {
            faults.push(format!("segment {id} of its dbmd chunk is cut off"));
            return faults;
        };
        if checksum(payload) != *sum {
            faults.push(format!("segment {id} of its dbmd chunk has a wrong sum"));
        }
        match id {
            9 if len != 248 => faults.push(format!("segment 9 of its dbmd chunk has {len} bytes, not 248")),
            10 => {
                let start = payload.get(..6).map(|b| {
                    (u32::from_le_bytes([b[0], b[1], b[2], b[3]]), u16::from_le_bytes([b[4], b[5]]))
                });
                let size = 7 + 9 * 15 + 2 * channels;
                if start != Some((SUPPLEMENT, channels as u16)) || len != size {
                    faults.push(format!("segment 10 of its dbmd chunk is not for {channels} tracks"));
                }
            }
            _ => {}
        }
        seen.push(*id);
        rest = next;
    }
    if seen != [7, 9, 10] {
        faults.push(format!("its dbmd chunk has the segments {seen:?}, not 7, 9, 10"));
    }
    faults
}
