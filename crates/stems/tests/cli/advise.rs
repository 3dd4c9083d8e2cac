//! `stems check --advise`: what is planted is found with its number, what is said is marked as said, and a good song is left alone.

use std::path::Path;

use serde_json::Value;

use super::tool::*;

/// A tone on both sides in bursts, or without a pause.
fn tone(frequency: f64, gain: f64, seconds: f64) -> Audio {
    let one = sine(frequency, 48_000.0, seconds, 1, gain).remove(0);
    vec![one.clone(), one]
}

fn added(mut a: Audio, b: &Audio) -> Audio {
    for (a, b) in a.iter_mut().zip(b) {
        a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
    }
    a
}

/// Drums, bass and vocals that nothing is wrong with: bursts at different times, tones in different places.
fn fine(dir: &Path) {
    std::fs::create_dir_all(dir).unwrap();
    let frames = 48_000 * 4;
    let gate = |audio: Audio, odd: usize| -> Audio {
        let cut = |(i, x): (usize, f64)| if (i / 12_000) % 2 == odd { x } else { 0.0 };
        audio.into_iter().map(|plane| plane.into_iter().enumerate().map(cut).collect()).collect()
    };
    let hiss = part(5, 48_000.0, 4.0, 2, 0.12);
    write_plain(&dir.join("01_Drums_Stem.wav"), &gate(added(tone(50.0, 0.15, 4.0), &hiss), 0));
    write_plain(
        &dir.join("02_Bass_Stem.wav"),
        &gate(added(tone(85.0, 0.15, 4.0), &tone(170.0, 0.05, 4.0)), 1),
    );
    let voice = added(tone(440.0, 0.12, 4.0), &tone(5000.0, 0.015, 4.0));
    write_plain(&dir.join("03_Vocals_Stem.wav"), &voice);
    assert_eq!(voice[0].len(), frames);
}

fn advice(dir: &Path, more: &[&str]) -> Value {
    let run = stems(&[&["check", text(dir), "--advise", "--json"], more].concat());
    assert!(run.code <= 1, "{}", run.err);
    serde_json::from_str::<Value>(&run.out).unwrap()["advice"].clone()
}

fn reasons(advice: &Value) -> &Vec<Value> {
    advice["reasons"].as_array().unwrap()
}

/// The one reason of a topic.
#[track_caller]
fn the<'a>(advice: &'a Value, topic: &str) -> &'a Value {
    let found: Vec<&Value> = reasons(advice).iter().filter(|reason| reason["topic"] == topic).collect();
    assert_eq!(found.len(), 1, "{topic} in {advice}");
    found[0]
}

#[test]
fn a_good_song_is_left_alone() {
    let folder = temporary();
    let dir = folder.path().join("song");
    fine(&dir);
    let all = advice(&dir, &[]);
    assert_eq!((all["conclusion"].as_str(), reasons(&all).len()), (Some("leave_it_alone"), 0), "{all}");
    stems(&["demo", "--out", text(folder.path())]);
    let demo = advice(&folder.path().join("Demo Song"), &[]);
    assert_eq!(demo["conclusion"], "leave_it_alone", "{demo}");
    let run = stems(&["check", text(&dir), "--advise"]);
    assert!(run.out.contains("Leave it alone"), "{}", run.out);
}

#[test]
fn what_is_planted_is_found_with_its_number() {
    let folder = temporary();
    let plant = |name: &str, stem: &str, audio: &Audio| {
        let dir = folder.path().join(name);
        fine(&dir);
        write_plain(&dir.join(stem), audio);
        advice(&dir, &[])
    };
    // Drums with a tone beside the bass', all the time; the bass too, so that they share it.
    let dir = folder.path().join("low");
    fine(&dir);
    write_plain(
        &dir.join("01_Drums_Stem.wav"),
        &added(tone(75.0, 0.2, 4.0), &part(5, 48_000.0, 4.0, 2, 0.12)),
    );
    write_plain(&dir.join("02_Bass_Stem.wav"), &tone(100.0, 0.16, 4.0));
    let low = advice(&dir, &[]);
    let reason = the(&low, "low-end");
    assert_eq!(
        (reason["basis"].as_str(), reason["band_hz"].to_string()),
        (Some("measured"), "[60.0,120.0]".into())
    );
    assert_eq!(reason["stems"].to_string(), r#"["Bass","Drums"]"#, "the lesser first");
    // Powers 0.16² and 0.2²: twice the lesser over the sum, and its part of the band.
    let (a, b) = (0.16f64.powi(2), 0.2f64.powi(2));
    assert!((number(&reason["value"]) - 2.0 * a / (a + b)).abs() < 0.05, "{reason}");
    assert!((number(&reason["reach"]) - a / (a + b)).abs() < 0.03, "{reason}");
    assert_eq!(low["conclusion"], "stems");

    write_plain(&dir.join("02_Bass_Stem.wav"), &tone(75.0, -0.16, 4.0));
    let opposed = advice(&dir, &[]);
    assert!((number(&the(&opposed, "cancellation")["value"]) + 1.0).abs() < 0.05);

    let loud = plant("loud", "03_Vocals_Stem.wav", &added(tone(440.0, 0.9, 4.0), &tone(5000.0, 0.1, 4.0)));
    let reason =
        reasons(&loud).iter().find(|r| r["topic"] == "level" && r["stems"][0] == "Vocals").unwrap().clone();
    assert!(
        number(&reason["value"]) > -0.5 && number(&reason["reach"]) == 0.0 && reason["unit"] == "LU",
        "{reason}"
    );

    let bright = plant("bright", "02_Bass_Stem.wav", &added(tone(85.0, 0.15, 4.0), &tone(6000.0, 0.05, 4.0)));
    let reason = the(&bright, "brightness");
    // 20 log10(0.05 / 0.15), and a little for the tone's own part of the whole.
    assert!((number(&reason["value"]) + 10.0).abs() < 0.1, "{reason}");

    let mut sides = added(tone(440.0, 0.12, 4.0), &tone(5000.0, 0.015, 4.0));
    sides[1].iter_mut().for_each(|x| *x *= -0.8);
    let opposed = plant("mono", "03_Vocals_Stem.wav", &sides);
    let loss = number(&the(&opposed, "mono")["value"]);
    // (1 - 0.8)² / 2 over 1 + 0.8².
    assert!((loss - 10.0 * (0.02f64 / 1.64).log10()).abs() < 0.1, "{loss}");

    let mut wide = tone(85.0, 0.15, 4.0);
    wide[1].iter_mut().for_each(|x| *x *= 0.1);
    let side = number(&the(&plant("wide", "02_Bass_Stem.wav", &wide), "low-width")["value"]);
    // (1 - 0.1)² / 2 over 1 + 0.1².
    assert!((side - 10.0 * (0.405f64 / 1.01).log10()).abs() < 0.2, "{side}");
}

#[test]
fn what_is_said_is_marked_and_weighed() {
    let folder = temporary();
    let dir = folder.path().join("song");
    fine(&dir);
    let all = advice(&dir, &["--atmos", "--sync", "--album", "--lofi"]);
    assert_eq!(all["conclusion"], "stems");
    for topic in ["sync", "album", "lofi"] {
        assert_eq!(the(&all, topic)["basis"], "you_said", "{topic}");
    }
    let atmos: Vec<&Value> = reasons(&all).iter().filter(|r| r["topic"] == "atmos").collect();
    assert_eq!(atmos[0]["basis"], "you_said");
    assert!(atmos[1..].iter().all(|r| r["basis"] == "measured") && atmos.len() >= 3, "{all}");
    for reason in reasons(&all) {
        assert!(reason["value"].is_number() && reason["text"].as_str().unwrap().len() > 20, "{reason}");
    }
    let said = stems(&["check", text(&dir), "--advise", "--sync"]).out;
    assert!(said.contains("you said") && said.contains("1 of 3 stems are voices"), "{said}");
    assert_eq!(advice(&dir, &["--lofi"])["conclusion"], "leave_it_alone");
    fails(&["check", text(&dir), "--sync"], &["--advise"]);
}
