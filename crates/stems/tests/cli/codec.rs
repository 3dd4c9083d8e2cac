//! Codec previews by ffmpeg.

use std::path::Path;
use std::process::Command;

use audiofile::wav::StoredFormat;

use super::tool::*;

#[test]
fn codecs_lose_little_and_peaks_are_told() {
    if !present("ffmpeg", &["-version"]) {
        return;
    }
    let folder = temporary();
    let at = |name: &str| folder.path().join(name);
    // Loud, and at the edge of full scale: every codec goes over it.
    let mut audio = part(3, 44_100.0, 6.0, 2, 2.5);
    audio.iter_mut().flatten().for_each(|x| *x = x.clamp(-0.999, 0.999));
    write(&at("-loud.wav"), 44_100.0, StoredFormat::Int24, &audio);
    // Two decibels below.
    let mut audio = part(3, 44_100.0, 6.0, 2, 1.0);
    let most = audio.iter().flatten().fold(0.0f64, |most, x| most.max(x.abs()));
    audio.iter_mut().flatten().for_each(|x| *x *= 0.8 / most);
    write(&at("quiet.wav"), 44_100.0, StoredFormat::Int24, &audio);
    let loud = text(&at("-loud.wav")).to_owned();
    let run = command(&["codec", "--json", "--", &loud]).output().unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    let codecs = answer["codecs"].as_array().unwrap();
    assert!(codecs.len() >= 2, "{answer}");
    for codec in codecs {
        let id = &codec["id"];
        assert_eq!(codec["delay_samples"], 0, "{id}: ffmpeg takes the encoder's delay away");
        assert!(number(&codec["overs"]) > 0.0 && number(&codec["reading"]["true_peak_dbtp"]) > 0.0, "{id}");
        let change =
            number(&codec["reading"]["integrated_lufs"]) - number(&answer["reading"]["integrated_lufs"]);
        assert!(change.abs() < 0.5, "{id}: {change}");
        let residue = number(&codec["residue_rms_dbfs"]);
        assert!((-90.0..-15.0).contains(&residue), "{id}: {residue}");
        let played = number(&codec["reading"]["true_peak_dbtp"]) + number(&codec["playback_gain_db"]);
        assert!((number(&codec["played_peak_dbtp"]) - played).abs() < 1e-9);
    }
    // Counted once more in what ffmpeg makes of it, by itself.
    let [encoded, decoded] = ["again.m4a", "again.wav"].map(|name| text(&at(name)).to_owned());
    for args in [["-c:a", "aac", "-b:a", "128k", &encoded], ["-c:a", "pcm_f32le", "-f", "wav", &decoded]] {
        let from = if args[4] == encoded { &loud } else { &encoded };
        let ffmpeg = Command::new("ffmpeg").args(["-nostdin", "-v", "error", "-i", from]).args(args).status();
        assert!(ffmpeg.unwrap().success());
    }
    let beyond = read(Path::new(&decoded)).iter().flatten().filter(|x| !(-1.0..=1.0).contains(*x)).count();
    let aac = codecs.iter().find(|codec| codec["id"] == "youtube-aac-128").unwrap();
    assert_eq!(number(&aac["overs"]), beyond as f64);
    [encoded, decoded].iter().for_each(|file| std::fs::remove_file(file).unwrap());
    let quiet = json(0, &["codec", text(&at("quiet.wav"))]);
    for codec in quiet["codecs"].as_array().unwrap() {
        assert_eq!(codec["overs"], 0);
    }
    assert_eq!(names(folder.path()), ["-loud.wav", "quiet.wav"]);
    let surround = at("surround.wav");
    write_plain(&surround, &part(1, 48_000.0, 1.0, 6, 0.1));
    fails(&["codec", text(&surround)], &["surround.wav", "6 channels"]);
    write_plain(&surround, &part(1, 48_000.0, 1.0, 1, 0.1));
    fails(&["codec", text(&surround)], &["surround.wav", "one channel"]);
    fails(&["codec", text(&at("none.wav"))], &["none.wav", "check the path"]);
}

#[test]
fn without_ffmpeg_it_says_so() {
    let folder = temporary();
    let file = folder.path().join("a.wav");
    write_plain(&file, &part(1, 48_000.0, 1.0, 2, 0.1));
    let output = command(&["codec", text(&file)]).env("PATH", folder.path()).output().unwrap();
    let run = judge(&output);
    assert!(run.code == 2 && run.err.contains("ffmpeg: is not installed"), "{}", run.err);
}
