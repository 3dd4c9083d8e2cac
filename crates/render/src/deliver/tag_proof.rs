//! Proof of the tags of a delivered file.

use std::path::Path;

use super::manifest::Deliverable;
use super::proof::finding;
use crate::tags::FileTags;
use audiofile::error::Result;
use audiofile::wav::WavReader;

/// Findings on the tags of a WAV file: title, artist and recording code in INFO and `axml`, and all of them in ID3.
pub(super) fn judge_tags(path: &Path, listed: &Deliverable, artist: Option<&str>) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    if listed.title.is_empty() {
        return Ok(findings); // a manifest of an earlier version does not say
    }
    let tags =
        WavReader::open(path).and_then(|mut reader| Ok((reader.chunk(b"LIST")?, reader.chunk(b"axml")?)));
    let (list, axml) = match tags {
        Ok(tags) => tags,
        Err(error) => {
            findings.push(finding(error, path)?);
            return Ok(findings);
        }
    };
    let list = list.unwrap_or_default();
    for (id, what, wanted) in [
        (b"INAM", "title", Some(listed.title.as_str())),
        (b"IART", "artist", artist.filter(|a| !a.is_empty())),
    ] {
        let tag = info_text(&list, id);
        if tag.as_deref() != wanted {
            let word = |text: Option<&str>| text.map_or("none".into(), |text| format!("{text:?}"));
            findings.push(format!("has the {what} {}, {} was delivered", word(tag.as_deref()), word(wanted)));
        }
    }
    let axml = axml.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let code = axml.as_deref().and_then(|text| {
        let start = text.find("ISRC:")? + "ISRC:".len();
        text[start..].split('<').next()
    });
    if code != listed.isrc.as_deref() {
        let word = |code: Option<&str>| code.unwrap_or("none").to_owned();
        findings.push(format!("has the ISRC {}, {} was delivered", word(code), word(listed.isrc.as_deref())));
    }
    if let Some(tags) = &listed.tags {
        match FileTags::read_id3(path) {
            Ok(now) => findings.extend(now.differences(tags, "ID3")),
            Err(error) => findings.push(finding(error, path)?),
        }
    }
    Ok(findings)
}

/// The text of an item of a LIST chunk of type INFO.
fn info_text(list: &[u8], id: &[u8; 4]) -> Option<String> {
    let mut rest = list.strip_prefix(b"INFO")?;
    loop {
        let (head, tail) = rest.split_at_checked(8)?;
        let len = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        let text = tail.get(..len)?;
        if head[..4] == *id {
            let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
            return Some(String::from_utf8_lossy(text).into_owned());
        }
        rest = tail.get(len + len % 2..)?;
    }
}
