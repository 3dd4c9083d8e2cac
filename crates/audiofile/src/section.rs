//! The audio in a file: all of it but the tags that programs put in front of and behind any kind of file.

use std::fs::File;
use std::io::{Read, Result as IoResult, Seek, SeekFrom};
use std::path::Path;

use super::error::{Error, Result};
use super::open::open_file;
use super::pcm::read_up_to;

/// The bytes of an open file between its tags: ID3v2 in front; ID3v1, Lyrics3 v2 and APE behind.
///
/// Sources: id3.org (ID3v2.4.0 structure, section 3.1; ID3v1), APEv2 specification (hydrogenaudio).
pub struct Section {
    file: File,
    start: u64,
    len: u64,
    /// Position within the section.
    at: u64,
}

/// The most tags that are stepped over at either end.
const MAX_TAGS: usize = 8;

impl Section {
    /// Opens a regular file and stands at the first byte behind the tags in front.
    ///
    /// # Errors
    /// If it cannot be opened or read.
    pub fn open(path: &Path) -> Result<Self> {
        Self::new(open_file(path)?).map_err(Error::read(path))
    }

    fn new(mut file: File) -> IoResult<Self> {
        let file_len = file.seek(SeekFrom::End(0))?;
        let mut start = 0;
        for _ in 0..MAX_TAGS {
            match id3v2_len(&mut file, start)? {
                Some(len) if start + len <= file_len => start += len,
                _ => break,
            }
        }
        let mut end = file_len;
        for _ in 0..MAX_TAGS {
            match tag_behind(&mut file, start, end)? {
                Some(len) => end -= len,
                None => break,
            }
        }
        file.seek(SeekFrom::Start(start))?;
        Ok(Self { file, start, len: end - start, at: 0 })
    }

    /// Bytes between the tags.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// True if there is nothing between the tags.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Reads up to `buffer` from byte `at` on and returns how many bytes that are.
    ///
    /// # Errors
    /// If the system fails.
    pub fn read_at(&mut self, at: u64, buffer: &mut [u8]) -> IoResult<usize> {
        self.seek(SeekFrom::Start(at))?;
        read_up_to(self, buffer)
    }
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> IoResult<usize> {
        let left = self.len.saturating_sub(self.at);
        let most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let len = self.file.read(&mut buffer[..most])?;
        self.at += len as u64;
        Ok(len)
    }
}

impl Seek for Section {
    fn seek(&mut self, to: SeekFrom) -> IoResult<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.len.checked_add_signed(by),
        };
        self.at =
            at.filter(|at| *at <= i64::MAX as u64 - self.start).ok_or(std::io::ErrorKind::InvalidInput)?;
        self.file.seek(SeekFrom::Start(self.start + self.at))?;
        Ok(self.at)
    }
}

/// The length of the ID3v2 tag at `at`, header and footer included.
fn id3v2_len(file: &mut File, at: u64) -> IoResult<Option<u64>> {
    let mut header = [0; 10];
    file.seek(SeekFrom::Start(at))?;
    let found = read_up_to(file, &mut header)? == 10 && header.starts_with(b"ID3");
    let [.., flags, a, b, c, d] = header;
    let valid = found && header[3] != 0xff && header[4] != 0xff && (a | b | c | d) & 0x80 == 0;
    let size = [a, b, c, d].iter().fold(0, |size, &seven| size << 7 | u64::from(seven));
    Ok(valid.then_some(10 + size + if flags & 0x10 != 0 { 10 } else { 0 }))
}

/// The length of the tag that ends at `end` and does not begin before `start`.
fn tag_behind(file: &mut File, start: u64, end: u64) -> IoResult<Option<u64>> {
    let mut last = |len: u64, bytes: &mut [u8]| -> IoResult<bool> {
        if end - start < len {
            return Ok(false);
        }
        file.seek(SeekFrom::Start(end - len))?;
        Ok(read_up_to(file, bytes)? == bytes.len())
    };
    let mut id3v1 = [0; 3];
    if last(128, &mut id3v1)? && id3v1 == *b"TAG" {
        return Ok(Some(128));
    }
    let mut footer = [0; 32];
    if last(32, &mut footer)? && footer.starts_with(b"APETAGEX") {
        let word = |at: usize| u32::from_le_bytes(footer[at..at + 4].try_into().expect("four bytes"));
        let header = if word(20) & 1 << 31 != 0 { 32 } else { 0 };
        let len = u64::from(word(12)) + header;
        return Ok(Some(len).filter(|len| *len >= 32 && *len <= end - start));
    }
    let mut lyrics = [0; 15];
    if last(15, &mut lyrics)? && lyrics.ends_with(b"LYRICS200") {
        let size = std::str::from_utf8(&lyrics[..6]).ok().and_then(|digits| digits.parse::<u64>().ok());
        return Ok(size.map(|size| size + 15).filter(|len| *len <= end - start));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(bytes: &[u8]) -> Vec<u8> {
        let mut file = tempfile::tempfile().expect("a temporary file can be made");
        std::io::Write::write_all(&mut file, bytes).expect("writes");
        let mut section = Section::new(file).expect("opens");
        let mut content = Vec::new();
        section.read_to_end(&mut content).expect("reads");
        assert_eq!(section.len(), content.len() as u64);
        assert_eq!(section.seek(SeekFrom::End(-1)).ok(), (!content.is_empty()).then(|| section.len() - 1));
        content
    }

    fn id3v2(size: u8) -> Vec<u8> {
        [b"ID3\x04\0\0\0\0\0", &[size][..], &vec![7; usize::from(size)]].concat()
    }

    fn ape(flags: u32) -> Vec<u8> {
        let block = |flags: u32| {
            [
                &b"APETAGEX"[..],
                &2000u32.to_le_bytes(),
                &42u32.to_le_bytes(),
                &1u32.to_le_bytes(),
                &flags.to_le_bytes(),
                &[0; 8],
            ]
            .concat()
        };
        let header = if flags & 1 << 31 != 0 { block(flags | 1 << 29) } else { Vec::new() };
        [&header[..], &[5; 10], &block(flags)].concat()
    }

    #[test]
    fn tags_at_both_ends_are_stepped_over() {
        let id3v1 = [b"TAG".to_vec(), vec![0; 125]].concat();
        let lyrics = b"LYRICSBEGINabc000014LYRICS200".to_vec();
        for front in [vec![], id3v2(0), id3v2(100), [id3v2(3), id3v2(9)].concat()] {
            for behind in [
                vec![],
                id3v1.clone(),
                ape(0),
                ape(1 << 31),
                [ape(1 << 31), lyrics.clone(), id3v1.clone()].concat(),
            ] {
                let bytes = [&front[..], b"RIFF audio", &behind].concat();
                assert_eq!(content(&bytes), b"RIFF audio", "{} {}", front.len(), behind.len());
            }
        }
    }

    #[test]
    fn what_only_resembles_a_tag_is_content() {
        for bytes in [
            &b"ID3\x04\0\0\0\0\0\x64short"[..],
            b"ID3\x04\0\0\x80\0\0\0x",
            b"TAG",
            b"ID3",
            b"",
            &ape(0)[11..],
        ] {
            assert_eq!(content(bytes), bytes);
        }
    }
}
