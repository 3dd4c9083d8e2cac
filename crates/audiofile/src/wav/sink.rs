//! The bytes of a WAV file, onto anything that can be written and sought.

use std::io::{Result, Seek, SeekFrom, Write};

use super::bext::{LOUDNESS_AT, Loudness};
use super::samples::{Losses, encode};
use super::spec::{LargeForm, Place, WavSpec, Written};

/// Room for `ds64` between the RIFF header and the first chunk, header included.
const RESERVED: usize = 80;
/// The content of `ds64` without a table.
const DS64: usize = 28;
/// Bytes gathered before they are written.
const BUFFER: usize = 1 << 17;
/// Bytes of frames that are interleaved at once, to stay in the nearest cache.
const AT_ONCE: usize = 1 << 14;
/// The size that stands for: see `ds64`.
const OPEN_ENDED: u32 = u32::MAX;

/// Writes one file. After an error it must be dropped.
pub(super) struct Sink<W> {
    out: W,
    spec: WavSpec,
    /// Bytes not yet written.
    buffer: Vec<u8>,
    /// Byte at which the content of these chunks starts.
    bext_at: u64,
    fact_at: u64,
    data_at: u64,
    frames: u64,
    losses: Losses,
    /// Sizes from here on need 64 bits; smaller only in tests.
    pub(super) limit: u64,
}

impl<W: Write + Seek> Sink<W> {
    /// Writes all that comes before the audio.
    pub(super) fn new(out: W, spec: WavSpec) -> Result<Self> {
        let mut head = Head(b"RIFF\0\0\0\0WAVE".to_vec());
        head.chunk(b"JUNK", &[0; RESERVED - 8]);
        let bext_at = spec.bext.as_ref().map_or(0, |bext| head.chunk(b"bext", &bext.bytes()));
        head.chunk(b"fmt ", &spec.format_chunk());
        let fact_at = if spec.format.is_float() { head.chunk(b"fact", &[0; 4]) } else { 0 };
        for chunk in spec.chunks.iter().filter(|chunk| chunk.place == Place::BeforeData) {
            head.chunk(&chunk.id, &chunk.bytes);
        }
        let data_at = head.chunk(b"data", &[]);
        let limit = u64::from(OPEN_ENDED);
        let mut sink = Self {
            out,
            spec,
            buffer: head.0,
            bext_at,
            fact_at,
            data_at,
            frames: 0,
            losses: Losses::default(),
            limit,
        };
        sink.flush()?;
        Ok(sink)
    }

    /// Appends frames: one plane for each channel, all of one length.
    pub(super) fn write_planar(&mut self, planes: &[impl AsRef<[f64]>]) -> Result<()> {
        assert_eq!(planes.len(), self.spec.channels, "one plane for each channel");
        let frames = planes[0].as_ref().len();
        assert!(planes.iter().all(|plane| plane.as_ref().len() == frames), "planes of one length");
        let stride = self.spec.format.bytes() * self.spec.channels;
        let at_once = (AT_ONCE / stride).max(1);
        let mut done = 0;
        while done < frames {
            let until = frames.min(done + at_once);
            let at = self.buffer.len();
            self.buffer.resize(at + (until - done) * stride, 0);
            let losses = encode(self.spec.format, planes, done..until, &mut self.buffer[at..]);
            self.losses.saturated += losses.saturated;
            self.losses.not_finite += losses.not_finite;
            if self.buffer.len() >= BUFFER {
                self.flush()?;
            }
            done = until;
        }
        self.frames += frames as u64;
        Ok(())
    }

    /// Puts the loudness fields of the broadcast extension, if the file has one.
    pub(super) fn set_loudness(&mut self, loudness: Loudness) {
        if let Some(bext) = &mut self.spec.bext {
            bext.loudness = loudness;
        }
    }

    /// Writes what comes behind the audio and puts all sizes right.
    pub(super) fn finish(mut self) -> Result<(W, Written)> {
        let data_len = self.frames * (self.spec.channels * self.spec.format.bytes()) as u64;
        let mut tail = Head(std::mem::take(&mut self.buffer));
        if !data_len.is_multiple_of(2) {
            tail.0.push(0);
        }
        let mut end = self.data_at + data_len + data_len % 2;
        for chunk in self.spec.chunks.iter().filter(|chunk| chunk.place == Place::AfterData) {
            let before = tail.0.len();
            tail.chunk(&chunk.id, &chunk.bytes);
            end += (tail.0.len() - before) as u64;
        }
        self.buffer = tail.0;
        self.flush()?;

        let riff_len = end - 8;
        if riff_len >= self.limit {
            self.promote(riff_len, data_len)?;
        } else {
            self.patch(4, &(riff_len as u32).to_le_bytes())?;
            self.patch(self.data_at - 4, &(data_len as u32).to_le_bytes())?;
            if self.fact_at > 0 {
                self.patch(self.fact_at, &(self.frames as u32).to_le_bytes())?;
            }
        }
        if let Some(bext) = &self.spec.bext {
            let bytes = bext.loudness.bytes();
            self.patch(self.bext_at + LOUDNESS_AT as u64, &bytes)?;
        }
        self.out.flush()?;
        let Losses { saturated, not_finite } = self.losses;
        Ok((self.out, Written { frames: self.frames, saturated, not_finite }))
    }

    /// Turns the file into its 64-bit form: `ds64` takes the reserved room.
    fn promote(&mut self, riff_len: u64, data_len: u64) -> Result<()> {
        let mut head = Head(match self.spec.large {
            LargeForm::Rf64 => b"RF64".to_vec(),
            LargeForm::Bw64 => b"BW64".to_vec(),
        });
        head.0.extend(OPEN_ENDED.to_le_bytes());
        head.0.extend(b"WAVE");
        let mut ds64 = Vec::with_capacity(DS64);
        for size in [riff_len, data_len, self.frames] {
            ds64.extend(size.to_le_bytes());
        }
        ds64.extend(0u32.to_le_bytes());
        head.chunk(b"ds64", &ds64);
        head.chunk(b"JUNK", &[0; RESERVED - 8 - DS64 - 8]);
        self.patch(0, &head.0)?;
        self.patch(self.data_at - 4, &OPEN_ENDED.to_le_bytes())?;
        if self.fact_at > 0 {
            let frames = u32::try_from(self.frames).unwrap_or(OPEN_ENDED);
            self.patch(self.fact_at, &frames.to_le_bytes())?;
        }
        Ok(())
    }

    fn patch(&mut self, at: u64, bytes: &[u8]) -> Result<()> {
        self.out.seek(SeekFrom::Start(at))?;
        self.out.write_all(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

/// Chunks in the making.
struct Head(Vec<u8>);

impl Head {
    /// Appends a chunk, padded, and returns where in these bytes its content starts.
    fn chunk(&mut self, id: &[u8; 4], bytes: &[u8]) -> u64 {
        self.0.extend(id);
        self.0.extend((bytes.len() as u32).to_le_bytes());
        let at = self.0.len() as u64;
        self.0.extend(bytes);
        if !bytes.len().is_multiple_of(2) {
            self.0.push(0);
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::bext::{Bext, example};
    use super::super::build::{open, read_all};
    use super::super::samples::StoredFormat;
    use super::super::spec::Chunk;
    use super::*;
    use crate::{Container, SampleFormat};
    use units::{Hz, Lufs};

    fn spec(channels: usize, format: StoredFormat) -> WavSpec {
        WavSpec::new(Hz(48_000.0), channels, format)
    }

    fn write(spec: WavSpec, planes: &[Vec<f64>]) -> Vec<u8> {
        let mut sink = Sink::new(Cursor::new(Vec::new()), spec).expect("starts");
        sink.write_planar(planes).expect("writes");
        sink.finish().expect("finishes").0.into_inner()
    }

    fn at(bytes: &[u8], id: &[u8; 4]) -> Option<usize> {
        bytes.windows(4).position(|four| four == id)
    }

    #[test]
    fn a_small_file_is_riff_with_room_for_ds64() {
        let bytes = write(spec(2, StoredFormat::Int24), &[vec![0.5; 3], vec![-0.5; 3]]);
        assert_eq!(&bytes[..4], b"RIFF");
        assert_eq!(bytes[4..8], (bytes.len() as u32 - 8).to_le_bytes());
        assert_eq!(&bytes[12..20], b"JUNK\x48\0\0\0");
        assert_eq!(&bytes[92..96], b"fmt ", "the reservation is 80 bytes");
        assert_eq!(bytes[96], 16, "two channels need no extensible format");
        assert_eq!(read_all(&bytes).1, Vec::<String>::new());
    }

    #[test]
    fn odd_audio_is_padded_and_chunks_stand_where_they_should() {
        let mut spec = spec(1, StoredFormat::Int24);
        spec.bext = Some(example());
        for (id, place) in [(b"chna", Place::BeforeData), (b"axml", Place::AfterData)] {
            spec.chunks.push(Chunk { id: *id, bytes: vec![7; 5], place });
        }
        let bytes = write(spec, &[vec![0.25; 3]]);
        assert_eq!(bytes.len() % 2, 0);
        let order = [b"JUNK", b"bext", b"fmt ", b"chna", b"data", b"axml"].map(|id| at(&bytes, id));
        assert!(order.is_sorted() && order[0].is_some(), "{order:?}");
        let mut reader = open(&bytes).expect("opens");
        assert_eq!(reader.info().bext, Some(example()));
        assert_eq!(reader.chunk(b"axml").expect("reads"), Some(vec![7; 5]));
        assert_eq!(reader.info().frames, 3);
        assert!(reader.chunks().iter().all(|span| span.position.is_multiple_of(2)));
    }

    #[test]
    fn float_files_carry_their_length_in_a_fact_chunk() {
        let bytes = write(spec(2, StoredFormat::Float32), &[vec![2.5; 4], vec![-0.1; 4]]);
        let fact = at(&bytes, b"fact").expect("has a fact chunk");
        assert_eq!(bytes[fact + 8..][..4], 4u32.to_le_bytes());
        let (planes, _) = read_all(&bytes);
        assert_eq!(planes[0][0], 2.5 * 32_768.0, "floats go beyond full scale");
        assert_eq!(open(&bytes).expect("opens").info().format, SampleFormat::Float { bits: 32 });
    }

    #[test]
    fn past_the_limit_the_file_takes_its_64_bit_form_in_place() {
        for (large, id, container) in
            [(LargeForm::Rf64, b"RF64", Container::Rf64), (LargeForm::Bw64, b"BW64", Container::Bw64)]
        {
            let spec = WavSpec { large, ..spec(1, StoredFormat::Float32) };
            let mut sink = Sink::new(Cursor::new(Vec::new()), spec.clone()).expect("starts");
            sink.limit = 200;
            sink.write_planar(&[vec![0.5; 100]]).expect("writes");
            let bytes = sink.finish().expect("finishes").0.into_inner();
            let small = write(spec, &[vec![0.5; 100]]);
            assert_eq!(bytes.len(), small.len());
            assert_eq!(&bytes[..4], id);
            assert_eq!(&bytes[12..20], b"ds64\x1c\0\0\0");
            assert_eq!(bytes[20..28], (bytes.len() as u64 - 8).to_le_bytes());
            assert_eq!(&bytes[48..52], b"JUNK");
            assert_eq!(read_all(&bytes), read_all(&small));
            assert_eq!(open(&bytes).expect("opens").info().container, container);
        }
    }

    #[test]
    fn the_loudness_may_come_last() {
        let mut spec = spec(1, StoredFormat::Int16);
        spec.bext = Some(example());
        let mut sink = Sink::new(Cursor::new(Vec::new()), spec).expect("starts");
        sink.write_planar(&[vec![0.5; 3]]).expect("writes");
        let loudness = Loudness { integrated: Some(Lufs(-23.0)), ..Loudness::default() };
        sink.set_loudness(loudness);
        let bytes = sink.finish().expect("finishes").0.into_inner();
        let bext = open(&bytes).expect("opens").info().bext.clone().expect("has a bext");
        assert_eq!(bext, Bext { loudness, ..example() });
    }

    #[test]
    fn how_the_frames_are_cut_into_calls_does_not_matter() {
        let planes: Vec<Vec<f64>> = (0..3)
            .map(|c| (0..70_000).map(|i| f64::from(i * (c + 1) % 200) / 200.0 - 0.5).collect())
            .collect();
        let whole = write(spec(3, StoredFormat::Int24), &planes);
        let mut sink = Sink::new(Cursor::new(Vec::new()), spec(3, StoredFormat::Int24)).expect("starts");
        for start in (0..70_000).step_by(777) {
            let end = (start + 777).min(70_000);
            let parts: Vec<&[f64]> = planes.iter().map(|plane| &plane[start..end]).collect();
            sink.write_planar(&parts).expect("writes");
        }
        let (cut, written) = sink.finish().expect("finishes");
        assert!(cut.into_inner() == whole);
        assert_eq!(written, Written { frames: 70_000, saturated: 0, not_finite: 0 });
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let mut sink = Sink::new(Cursor::new(Vec::new()), spec(2, StoredFormat::Int24)).expect("starts");
        sink.write_planar(&[[1.0, -1.0, 2.0], [0.0, f64::NAN, -3.0]]).expect("writes");
        let written = sink.finish().expect("finishes").1;
        assert_eq!(written, Written { frames: 3, saturated: 3, not_finite: 1 });
    }

    /// A file of any length of which only the two ends are kept; what lies between reads as zero.
    #[derive(Default)]
    struct Ends {
        head: Vec<u8>,
        /// The last block that was written behind the head, and where.
        tail: (u64, Vec<u8>),
        position: u64,
        len: u64,
    }

    const HEAD: usize = 1000;

    impl Write for Ends {
        fn write(&mut self, bytes: &[u8]) -> Result<usize> {
            let at = self.position as usize;
            if at < HEAD {
                let now = bytes.len().min(HEAD - at);
                self.head.resize(self.head.len().max(at + now), 0);
                self.head[at..at + now].copy_from_slice(&bytes[..now]);
                self.position += now as u64;
                self.len = self.len.max(self.position);
                return Ok(now);
            }
            assert_eq!(self.position, self.len, "behind the head all is appended");
            self.tail.0 = self.position;
            self.tail.1.clear();
            self.tail.1.extend(bytes);
            self.position += bytes.len() as u64;
            self.len = self.position;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> Result<()> {
            Ok(())
        }
    }

    impl std::io::Read for Ends {
        fn read(&mut self, bytes: &mut [u8]) -> Result<usize> {
            let now = bytes.len().min((self.len - self.position) as usize);
            for (i, byte) in bytes[..now].iter_mut().enumerate() {
                let at = self.position + i as u64;
                *byte = match at.checked_sub(self.tail.0) {
                    Some(at) => self.tail.1[at as usize],
                    None => self.head.get(at as usize).copied().unwrap_or(0),
                };
            }
            self.position += now as u64;
            Ok(now)
        }
    }

    impl Seek for Ends {
        fn seek(&mut self, to: SeekFrom) -> Result<u64> {
            self.position = match to {
                SeekFrom::Start(at) => at,
                SeekFrom::End(by) => self.len.checked_add_signed(by).expect("is inside"),
                SeekFrom::Current(_) => unreachable!("nobody seeks so"),
            };
            Ok(self.position)
        }
    }

    #[test]
    fn more_than_four_gigabytes_are_written_and_read_back() {
        let mut spec = spec(64, StoredFormat::Float32);
        spec.chunks.push(Chunk { id: *b"axml", bytes: vec![b'x'; 9], place: Place::AfterData });
        let mut sink = Sink::new(Ends::default(), spec).expect("starts");
        let silence = vec![vec![0.0; 1 << 16]; 64];
        let calls = (1u64 << 32) / ((64 * 4) << 16);
        for _ in 0..calls {
            sink.write_planar(&silence).expect("writes");
        }
        let marker: Vec<[f64; 1]> = (0..64).map(|channel| [f64::from(channel) / 64.0]).collect();
        sink.write_planar(&marker).expect("writes");
        let (file, written) = sink.finish().expect("finishes");
        assert_eq!(written.frames, (calls << 16) + 1);
        assert!(file.len > 1 << 32 && file.head.starts_with(b"RF64"));

        let mut reader = super::super::WavReader::new(file, "large.wav").expect("opens");
        assert_eq!(reader.info().warnings, Vec::<String>::new());
        assert_eq!(reader.info().frames, written.frames);
        assert_eq!(reader.chunk(b"axml").expect("reads"), Some(vec![b'x'; 9]));
        let mut planes = vec![Vec::new(); 64];
        reader.seek(written.frames - 2);
        assert_eq!(reader.read_planar(&mut planes, 9).expect("reads"), 2);
        for (channel, plane) in planes.iter().enumerate() {
            assert_eq!(plane[1], channel as f64 / 64.0);
        }
    }
}
