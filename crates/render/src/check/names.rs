//! File names: what they are made of, what they say, and which is the mix.

use super::fault::{Check, Fault};
use super::subject::file_name;
use project::bundle::words;
use std::path::{Path, PathBuf};

/// Advice on the names of stems.
pub(super) fn advice(stems: &[PathBuf], folder: &str) -> Vec<Fault> {
    let mut advice = Vec::new();
    let mut unlabelled = Vec::new();
    for path in stems {
        let (plain, label) = (is_plain(path), is_label(path));
        if !plain {
            let fault = "has a name with characters that not every system keeps";
            let cure = "use letters A to Z, digits, _ and -";
            advice.push(Fault::new(Check::FileName, &file_name(path), fault, cure).advice());
        } else if !label {
            unlabelled.push(path);
        }
    }
    let cure = "number and name it as in 01_Drums_Stem.wav";
    if unlabelled.len() == stems.len() && stems.len() > 1 {
        let fault = "has no stem called as 01_Drums_Stem.wav is";
        let cure = "number and name the stems, so that they sort and are known everywhere";
        advice.push(Fault::new(Check::Label, folder, fault, cure).advice());
    } else {
        let label = |path: &&PathBuf| {
            Fault::new(Check::Label, &file_name(path), "has no label of number, name and Stem", cure).advice()
        };
        advice.extend(unlabelled.iter().map(label));
    }
    advice
}

/// True for a name of printable ASCII.
fn is_plain(path: &Path) -> bool {
    path.file_name()
        .is_none_or(|name| name.to_string_lossy().chars().all(|c| c == ' ' || c.is_ascii_graphic()))
}

/// True for `01_Drums_Stem.wav`: a number of two or three digits, a name of letters, digits, `_` and `-`, `Stem`.
fn is_label(path: &Path) -> bool {
    let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let Some((number, rest)) = name.split_once('_') else { return false };
    let Some((name, stem)) = rest.rsplit_once('_') else { return false };
    (2..=3).contains(&number.len())
        && number.chars().all(|c| c.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
        && stem.eq_ignore_ascii_case("stem")
}

/// Chooses the mix among the files left out as mixes and masters: the only one that is not called a master or a
/// reference. Advice says what was not chosen.
pub(super) fn mix_among(left_out: &[PathBuf]) -> (Option<PathBuf>, Vec<Fault>) {
    let is_final = |path: &PathBuf| {
        let named = |word: &String| {
            ["master", "masters", "mastered", "ref", "refs", "reference", "references"]
                .contains(&word.to_lowercase().as_str())
        };
        words(path).iter().any(named)
    };
    let (finals, mixes): (Vec<&PathBuf>, Vec<&PathBuf>) = left_out.iter().partition(|path| is_final(path));
    let mut advice: Vec<Fault> = (finals.iter())
        .map(|path| {
            let fault = "is called a master or reference and was left out";
            let cure = "if it is the sum of the stems, test against it with --mix";
            Fault::new(Check::MixFile, &file_name(path), fault, cure).advice()
        })
        .collect();
    let [mix] = mixes[..] else {
        advice.extend(mixes.iter().map(|path| {
            let fault = "is one of several files that are called mix; none was compared";
            Fault::new(Check::MixFile, &file_name(path), fault, "name the right one with --mix").advice()
        }));
        return (None, advice);
    };
    (Some(mix.clone()), advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_have_number_name_and_stem() {
        for (name, label) in [
            ("01_Drums_Stem.wav", true),
            ("10_Lead-Vox_2_stem.flac", true),
            ("1_Drums_Stem.wav", false),
            ("01_Stem.wav", false),
            ("Drums.wav", false),
            ("01_Lead Vox_Stem.wav", false),
        ] {
            assert_eq!(is_label(Path::new(name)), label, "{name}");
        }
    }

    #[test]
    fn names_are_plain_ascii() {
        for (name, plain) in [("a b.wav", true), ("B\u{e4}sse.wav", false), ("a\tb.wav", false)] {
            assert_eq!(is_plain(Path::new(name)), plain, "{name:?}");
        }
    }

    #[test]
    fn one_mix_is_chosen_and_masters_are_not() {
        let paths = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
        let (mix, advice) = mix_among(&paths(&["Song_Mix.wav", "Song_Master.wav"]));
        assert_eq!(mix, Some(PathBuf::from("Song_Mix.wav")));
        assert_eq!(advice.len(), 1);
        assert!(advice[0].cure.contains("--mix"));
        let (mix, advice) = mix_among(&paths(&["Mix 1.wav", "Mix 2.wav"]));
        assert_eq!((mix, advice.len()), (None, 2));
        assert_eq!(mix_among(&[]), (None, Vec::new()));
    }
}
