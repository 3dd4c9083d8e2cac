//! Zip archives, as Windows opens them, by PKWARE's APPNOTE 6.3: deflated, names in UTF-8, no ZIP64 (nothing here is near 4 GiB).

use std::io::Write;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

use super::Content;
use super::archive::Entry;

/// The format's first day, 1 January 1980: its times are of a time zone that nobody knows.
const DATE: u16 = 1 << 5 | 1;
/// Version 2.0, made on Unix, so that permissions count.
const MADE_BY: u16 = 3 << 8 | 20;
const NEEDED: u16 = 20;
/// Bit 11: the name is UTF-8.
const FLAGS: u16 = 1 << 11;
const DEFLATED: u16 = 8;
/// `S_IFREG` of a Unix mode.
const REGULAR_FILE: u32 = 0o100_000;

/// Fields that both headers of a file have in common.
struct Packed {
    name: Vec<u8>,
    bytes: Vec<u8>,
    crc: u32,
    length: u32,
}

/// Packs `content` below the folder `folder`.
pub(super) fn zip(folder: &str, content: &Content) -> Result<Vec<u8>, String> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for entry in &content.entries {
        let packed = pack(&format!("{folder}/{}", entry.path), entry)?;
        let offset = small(archive.len())?;
        archive.extend(0x0403_4B50_u32.to_le_bytes());
        push_common(&mut archive, &packed)?;
        archive.extend(&packed.name);
        archive.extend(&packed.bytes);
        directory.extend(0x0201_4B50_u32.to_le_bytes());
        directory.extend(MADE_BY.to_le_bytes());
        push_common(&mut directory, &packed)?;
        // no comment, first disk, binary
        directory.extend([0; 6]);
        directory.extend(((REGULAR_FILE | entry.mode()) << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(&packed.name);
    }
    let count = u16::try_from(content.entries.len()).map_err(|_| "too many files for a zip")?;
    let (offset, length) = (small(archive.len())?, small(directory.len())?);
    archive.extend(directory);
    archive.extend(0x0605_4B50_u32.to_le_bytes());
    archive.extend([0; 4]);
    archive.extend(count.to_le_bytes());
    archive.extend(count.to_le_bytes());
    archive.extend(length.to_le_bytes());
    archive.extend(offset.to_le_bytes());
    archive.extend([0; 2]);
    Ok(archive)
}

fn pack(name: &str, entry: &Entry) -> Result<Packed, String> {
    let mut deflated = DeflateEncoder::new(Vec::new(), Compression::best());
    deflated.write_all(&entry.bytes).map_err(|error| error.to_string())?;
    let bytes = deflated.finish().map_err(|error| error.to_string())?;
    let mut crc = Crc::new();
    crc.update(&entry.bytes);
    Ok(Packed { name: name.as_bytes().to_vec(), bytes, crc: crc.sum(), length: small(entry.bytes.len())? })
}

/// Adds the fields that a file's header and its row of the directory have in common.
fn push_common(out: &mut Vec<u8>, packed: &Packed) -> Result<(), String> {
    let name = u16::try_from(packed.name.len()).map_err(|_| "a name is too long for a zip")?;
    for number in [NEEDED, FLAGS, DEFLATED, 0, DATE] {
        out.extend(number.to_le_bytes());
    }
    for number in [packed.crc, small(packed.bytes.len())?, packed.length] {
        out.extend(number.to_le_bytes());
    }
    out.extend(name.to_le_bytes());
    // no extra field
    out.extend([0; 2]);
    Ok(())
}

fn small(number: usize) -> Result<u32, String> {
    u32::try_from(number).map_err(|_| "too large for a zip".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn python_finds_in_a_zip_what_went_in_and_two_runs_give_the_same_bytes() {
        let entries = vec![
            Entry::file("presets/Master - ceiling \u{2212}1 dBTP.vstpreset", vec![1, 2, 3]),
            Entry::program("stems.exe", vec![7; 5000]),
        ];
        let content = Content { version: "1.2.3".into(), time: 1_700_000_000, entries };
        let packed = zip("stemlink", &content).expect("packed");
        assert_eq!(packed, zip("stemlink", &content).expect("packed"));
        let path = std::env::temp_dir().join(format!("stemlink-{}.zip", std::process::id()));
        std::fs::write(&path, &packed).expect("written");
        let script = "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\n\
                      for i in z.infolist(): print(ascii(i.filename), len(z.read(i)), oct(i.external_attr >> 16))";
        let run = Command::new("python3").arg("-c").arg(script).arg(&path).output();
        std::fs::remove_file(&path).expect("removed");
        let Ok(run) = run else { return };
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let found = String::from_utf8_lossy(&run.stdout).replace('\r', "");
        let expected = "'stemlink/presets/Master - ceiling \\u22121 dBTP.vstpreset' 3 0o100644\n\
                        'stemlink/stems.exe' 5000 0o100755\n";
        assert_eq!(found, expected);
    }
}
