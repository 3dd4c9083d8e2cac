//! Values of tags: tempo, key and product code.

use super::setting_fault::SettingFault;

/// The slowest and the fastest tempo, beats per minute.
const BPM_RANGE: [f64; 2] = [10.0, 999.0];

/// A tempo in beats per minute, with at most two decimals.
///
/// # Errors
/// If it is out of range.
pub fn tempo(bpm: f64) -> Result<f64, SettingFault> {
    let [slowest, fastest] = BPM_RANGE;
    if (slowest..=fastest).contains(&bpm) {
        return Ok((bpm * 100.0).round() / 100.0);
    }
    Err(SettingFault::new(format!("bpm cannot be {bpm}"), format!("it takes {slowest} to {fastest}")))
}

/// A key as ID3 writes it: `Am`, `F#`, `Bbm`, from that or from words such as `A minor`, `F♯ major`.
///
/// # Errors
/// If it is none.
pub fn musical_key(text: &str) -> Result<String, SettingFault> {
    read_key(text).ok_or_else(|| {
        SettingFault::new(
            format!("{text:?} is no key"),
            "write a note and m for minor, such as Am, F# or Bbm, or words such as \"B flat minor\"",
        )
    })
}

fn read_key(text: &str) -> Option<String> {
    let text = text.trim();
    let note = text.chars().next()?.to_ascii_uppercase();
    if !('A'..='G').contains(&note) {
        return None;
    }
    let mut rest = text[1..].trim_start_matches([' ', '-']);
    let mut accidental = "";
    for (word, sign) in
        [("sharp", "#"), ("flat", "b"), ("#", "#"), ("\u{266f}", "#"), ("b", "b"), ("\u{266d}", "b")]
    {
        let start = rest.get(..word.len());
        if let Some(after) =
            start.filter(|start| start.eq_ignore_ascii_case(word)).map(|start| &rest[start.len()..])
        {
            accidental = sign;
            rest = after.trim_start_matches([' ', '-']);
            break;
        }
    }
    // One letter is minor or, as some write it, major by its case.
    let minor = match rest.trim() {
        "m" => true,
        "" => false,
        word => match word.to_ascii_lowercase().as_str() {
            "min" | "minor" => true,
            "maj" | "major" => false,
            _ => return None,
        },
    };
    Some(format!("{note}{accidental}{}", if minor { "m" } else { "" }))
}

/// A product code (UPC or EAN, GS1 General Specifications 7.9) as its 12 or 13 digits; spaces and hyphens do not count.
///
/// # Errors
/// If it is none.
pub fn product_code(text: &str) -> Result<String, SettingFault> {
    let code: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let refuse = |fault: &str, remedy: String| Err(SettingFault::new(format!("{text:?} {fault}"), remedy));
    if !matches!(code.len(), 12 | 13) || !code.bytes().all(|c| c.is_ascii_digit()) {
        return refuse("is no UPC", "it has 12 digits, or 13 as an EAN".into());
    }
    let digits = |code: &str| code.bytes().map(|c| u32::from(c - b'0')).collect::<Vec<_>>();
    let digits = digits(&code);
    let (check, body) = digits.split_last().expect("12 or 13");
    let sum: u32 =
        body.iter().rev().enumerate().map(|(i, digit)| digit * if i % 2 == 0 { 3 } else { 1 }).sum();
    let expected = (10 - sum % 10) % 10;
    if *check != expected {
        return refuse(
            "is no UPC: its last digit checks the others and is wrong",
            format!("it would be {expected}; compare all digits"),
        );
    }
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_people_write_them() {
        for (text, key) in [
            ("Am", "Am"),
            ("a minor", "Am"),
            ("F#", "F#"),
            ("F\u{266f} major", "F#"),
            ("Bbm", "Bbm"),
            ("B flat minor", "Bbm"),
            ("c-sharp min", "C#m"),
            ("Bb", "Bb"),
            ("B", "B"),
            ("E Maj", "E"),
        ] {
            assert_eq!(musical_key(text).as_deref(), Ok(key), "{text}");
        }
        for text in ["", "H", "AM", "Amm", "A blues", "8A", "é", "Aé", "#"] {
            assert!(musical_key(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_product_code_has_its_check_digit() {
        // A UPC-A and an EAN-13 as printed.
        assert_eq!(product_code("6 14141-00734 9").as_deref(), Ok("614141007349"));
        assert_eq!(product_code("4006381333931").as_deref(), Ok("4006381333931"));
        for text in ["614141007348", "61414100036", "61414100036x", "", "40063813339311"] {
            assert!(product_code(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_tempo_has_a_range_and_two_decimals() {
        assert_eq!(tempo(92.456), Ok(92.46));
        assert!([0.0, -120.0, 1e9, f64::NAN].into_iter().all(|bpm| tempo(bpm).is_err()));
    }
}
