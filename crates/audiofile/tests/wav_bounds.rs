//! Memory stays bounded and sizes past 4 GiB are real, on files of this machine's own disk.

#![cfg(target_os = "linux")]

use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use audiofile::AudioReader;
use audiofile::wav::WavReader;
use testkit::Random;
use testkit::hostile::corrupt;

/// The most address space this process has ever had, which an allocation counts against even if never touched.
fn peak_bytes() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("this is Linux");
    let line = status.lines().find(|line| line.starts_with("VmPeak")).expect("has a peak");
    let kilobytes = line.split_whitespace().nth(1).and_then(|field| field.parse::<usize>().ok());
    1024 * kilobytes.expect("is a number")
}

/// RF64 with one channel of 16 bits and `declared` bytes of audio.
fn header(declared: u64) -> Vec<u8> {
    let mut bytes = b"RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0".to_vec();
    for size in [declared + 72, declared, declared / 2] {
        bytes.extend(size.to_le_bytes());
    }
    bytes.extend(
        b"\0\0\0\0fmt \x10\0\0\0\x01\0\x01\0\x80\xbb\0\0\0\x77\x01\0\x02\0\x10\0data\xff\xff\xff\xff",
    );
    bytes
}

fn open_and_read(path: &Path) -> Option<u64> {
    let mut reader = AudioReader::open(path).ok()?;
    let mut planes = vec![Vec::new(); reader.info().channels];
    let mut frames = 0;
    loop {
        match reader.read_planar(&mut planes, 4096) {
            Ok(0) => break Some(frames),
            Ok(now) => frames += now as u64,
            Err(_) => break None,
        }
    }
}

// One test, so that no other shares the process and its peak.
#[test]
fn neither_lying_sizes_nor_large_files_take_memory() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("a");
    let before = peak_bytes();

    let mut liar = header(10 << 30);
    liar.extend(b"abcd".repeat(200));
    fs::write(&path, &liar).expect("writes");
    assert_eq!(open_and_read(&path), Some(400));

    let aiff = |id: &[u8; 4]| [b"FORM\x7f\xff\xff\xffAIFF", &id[..], b"\x7f\xff\xff\xff", &[0; 60]].concat();
    let flac = [b"fLaC\0\0\0\x22", &[0x10; 34][..], b"\x84\xff\xff\xff", &[0; 60]].concat();
    let mut random = Random::new(1);
    for (which, original) in [liar, aiff(b"COMM"), aiff(b"SSND"), aiff(b"ANNO"), flac].into_iter().enumerate()
    {
        for _ in 0..200 {
            let mut bytes = original.clone();
            corrupt(&mut bytes, 120, &mut random);
            fs::write(&path, &bytes).expect("writes");
            let frames = open_and_read(&path).unwrap_or(0);
            assert!(frames <= bytes.len() as u64, "{which}");
        }
    }

    // Five gigabytes, all hole but the last frames.
    let audio = 5u64 << 30;
    let mut file = File::create(&path).expect("creates");
    let head = header(audio);
    file.write_all(&head).expect("writes");
    file.set_len(head.len() as u64 + audio).expect("makes a hole");
    let mut file = OpenOptions::new().write(true).open(&path).expect("opens");
    file.seek(SeekFrom::End(-4)).expect("seeks");
    file.write_all(&[0, 0x40, 0, 0xc0]).expect("writes");
    let mut reader = AudioReader::open(&path).expect("opens");
    assert_eq!((reader.info().frames, reader.info().warnings.len()), (audio / 2, 0));
    let mut planes = vec![Vec::new()];
    reader.seek(audio / 2 - 3).expect("seeks");
    assert_eq!(reader.read_planar(&mut planes, 100).expect("reads"), 3);
    assert_eq!(planes[0], [0.0, 0.5, -0.5]);

    // A chunk of 65 MiB is more than is ever read.
    let mut file = File::create(&path).expect("creates");
    file.write_all(&[&head[..12], &head[48..72], b"data\0\0\0\0axml\0\0\x10\x04"].concat()).expect("writes");
    file.set_len(52 + (65 << 20)).expect("makes a hole");
    let mut reader = WavReader::open(&path).expect("opens");
    assert_eq!(reader.chunks().last().map(|span| span.len), Some(65 << 20));
    let line = reader.chunk(b"axml").expect_err("is refused").to_string();
    assert!(line.contains("its axml chunk of 65 MiB cannot be read"), "{line}");

    let grown = peak_bytes() - before;
    assert!(grown < 32 << 20, "grew by {grown} bytes");
}
