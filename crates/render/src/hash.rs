//! SHA-256 of files.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::progress::{Progress, advance};
use audiofile::error::{Error, Result};

/// The SHA-256 of a file's bytes, in lower-case hexadecimal; for a stream of a stem file, that of the stem file.
///
/// # Errors
/// If it cannot be read, or the listener stops it.
pub fn sha256(path: &Path, progress: &mut dyn Progress) -> Result<String> {
    let mut file = File::open(audiofile::file_of(path)).map_err(Error::open(path))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        let len = file.read(&mut buffer).map_err(Error::read(path))?;
        if len == 0 {
            break;
        }
        hash.update(&buffer[..len]);
        advance(progress, 0, path)?;
    }
    Ok(digits(hash))
}

/// The SHA-256 of a text, likewise.
pub fn sha256_of(text: &str) -> String {
    digits(Sha256::new_with_prefix(text))
}

fn digits(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;

    #[test]
    fn the_example_of_the_standard() {
        // FIPS 180-2, appendix B.1.
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("abc");
        std::fs::write(&path, "abc").expect("writes");
        let hash = sha256(&path, &mut Silent).expect("reads");
        assert_eq!(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(hash, sha256_of("abc"));
    }
}
