//! Text files as people's editors save them: UTF-8 or UTF-16, with or without a byte order mark.

use std::path::Path;

use audiofile::error::{Error, Result};

/// The text of a file, without its byte order mark.
///
/// # Errors
/// If it cannot be read, or is no text in UTF-8 or UTF-16.
pub fn read(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).map_err(Error::open(path))?;
    decode(&bytes).ok_or_else(|| Error::Bundle {
        path: path.to_owned(),
        fault: "is no text in UTF-8 or UTF-16".into(),
        cure: "save it as UTF-8".into(),
    })
}

/// Text in UTF-8, or in UTF-16 with a byte order mark, or in UTF-16 that begins with an ASCII character.
fn decode(bytes: &[u8]) -> Option<String> {
    let utf16 = |bytes: &[u8], word: fn([u8; 2]) -> u16| {
        let (words, rest) = bytes.as_chunks::<2>();
        if rest.is_empty() {
            String::from_utf16(&words.iter().map(|b| word(*b)).collect::<Vec<_>>()).ok()
        } else {
            None
        }
    };
    match bytes {
        [0xef, 0xbb, 0xbf, text @ ..] => String::from_utf8(text.to_vec()).ok(),
        [0xff, 0xfe, text @ ..] => utf16(text, u16::from_le_bytes),
        [0xfe, 0xff, text @ ..] => utf16(text, u16::from_be_bytes),
        [first, 0, ..] if *first != 0 => utf16(bytes, u16::from_le_bytes),
        [0, second, ..] if *second != 0 => utf16(bytes, u16::from_be_bytes),
        _ => String::from_utf8(bytes.to_vec()).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_gives_the_same_text() {
        let text = "schema = \"x\" # \u{fc}ber\r\n";
        let words = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
        let (little, big) = (words(u16::to_le_bytes), words(u16::to_be_bytes));
        for bytes in [
            text.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            [&b"\xff\xfe"[..], &little].concat(),
            [&b"\xfe\xff"[..], &big].concat(),
            little.clone(),
            big,
        ] {
            assert_eq!(decode(&bytes).as_deref(), Some(text), "{bytes:?}");
        }
        assert_eq!(decode(b"\xff\xfea"), None, "half a character");
        assert_eq!(decode(b"caf\xe9"), None, "Latin-1");
        assert_eq!(decode(b""), Some(String::new()));
    }
}
