//! Owners of the limiting.

use serde_json::Value;

use super::tool::*;

fn rows(stage: &Value) -> Vec<(String, f64)> {
    let row = |row: &Value| (row["row"].as_str().unwrap().to_owned(), number(&row["decibel_seconds"]));
    stage["rows"].as_array().unwrap().iter().map(row).collect()
}

#[test]
fn limiting_is_told_apart_by_stem_and_event() {
    let folder = temporary();
    song(folder.path(), 5.0, 0.4);
    // a kick that stands out of everything
    let mut kick = vec![vec![0.0; 5 * 48_000]; 2];
    for at in [60_000, 180_000] {
        kick.iter_mut().for_each(|side| (0..30).for_each(|n| side[at + n] = 0.9 * (n as f64 * 0.2).sin()));
    }
    write_plain(&folder.path().join("04_Kick_Stem.wav"), &kick);
    std::fs::write(
        folder.path().join("session.toml"),
        "schema = \"stemlink.session/1\"\n[master]\nloudness = \"as-is\"\n[master.chain]\ncomp_on = true\ncomp_threshold = -30\n\
         sat_on = true\nsat_drive = 3\nlim_ceiling = -6\nlevel = 3\n",
    )
    .unwrap();
    let dir = text(folder.path());
    let answer = json(0, &["limiting", dir]);
    let limiter = rows(&answer["limiter"]);
    let names: Vec<&str> = limiter.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Drums", "Bass", "Vocals", "Kick", "Saturator"]);
    let all: f64 = limiter.iter().map(|(_, dbs)| dbs).sum();
    assert!((all - number(&answer["limiter"]["decibel_seconds"])).abs() < 1e-9, "{answer}");
    assert_eq!(rows(&answer["compressor"]).len(), 4, "the compressor comes before the saturator");
    let events = answer["events"].as_array().unwrap();
    let deepest =
        events.iter().max_by(|a, b| number(&a["depth_db"]).total_cmp(&number(&b["depth_db"]))).unwrap();
    let at = number(&deepest["at_s"]);
    assert!([1.25, 3.75].iter().any(|kick| (at - kick).abs() < 0.002), "{deepest}");
    let parts = deepest["parts"].as_array().unwrap();
    assert!(number(&parts[3]["part"]) > 0.6, "the kick has most of it: {deepest}");
    assert!((parts.iter().map(|part| number(&part["part"])).sum::<f64>() - 1.0).abs() < 1e-9);

    let shown = stems(&["limiting", dir, "--events", "1"]);
    assert!(shown.code == 0 && shown.out.contains("Kick") && shown.out.contains("1 of "), "{}", shown.out);
    assert_eq!(names_in(folder.path()), 5, "nothing is written");
    // the same gain as the master's
    let master = json(0, &["master", dir, "--target", "spotify", "--out", text(&folder.path().join("out"))]);
    let told = json(0, &["limiting", dir, "--target", "spotify"]);
    assert!((number(&told["gain_db"]) - 3.0 - number(&master["gain_db"])).abs() < 1e-6, "{told}");
    fails(&["limiting", dir, "--target", "nowhere"], &["nowhere"]);
    fails(&["limiting", text(&folder.path().join("none"))], &["none"]);
}

/// Near Nyquist the limiter's detector reads a little less than the strict peak: the ceiling is lowered after the search for the
/// gain, and with the gain that was found the file would be limited by 2.3 dB.
#[test]
fn a_master_is_limited_as_it_says_after_its_ceiling_was_lowered_too() {
    let folder = temporary();
    let dir = folder.path().join("song");
    std::fs::create_dir(&dir).unwrap();
    let frames = 5 * 48_000;
    let wave = |hertz: f64, n: usize| (std::f64::consts::TAU * hertz * n as f64 / 48_000.0).sin();
    let hits = |seed: u64| -> Vec<f64> {
        let noise = testkit::noise(seed, frames, 0.09);
        noise.iter().enumerate().map(|(n, x)| if wave(0.7, n) > 0.9 { 5.0 * x } else { *x }).collect()
    };
    let high: Vec<f64> =
        (0..frames).map(|n| if wave(1.3, n) > 0.8 { 0.6 * wave(17_500.0, n) } else { 0.0 }).collect();
    write_plain(&dir.join("01_Drums_Stem.wav"), &[hits(1), hits(2)]);
    let high = [high.clone(), high];
    write_plain(&dir.join("02_Keys_Stem.wav"), &high);
    let out = folder.path().join("out");
    let deepest = |more: &[&str]| {
        let base = ["master", text(&dir), "--out", text(&out), "--force"];
        let master = json(0, &[&base[..], more].concat());
        let limiting = json(0, &[&["limiting", text(&dir)], more].concat());
        let depths = limiting["events"].as_array().unwrap().iter().map(|event| number(&event["depth_db"]));
        let deepest = depths.fold(0.0, f64::max);
        assert!((number(&master["limiting_db"]) - deepest).abs() < 1e-6, "{more:?}: {master} {deepest}");
        deepest
    };
    let gentle = deepest(&[]);
    assert!((1.9..2.01).contains(&gentle), "without a target it stops at 2 dB: {gentle}");
    assert!(deepest(&["--target", "youtube-music"]) > 2.01, "whatever it takes");
}

#[test]
fn the_least_cure_is_a_move_that_what_if_and_master_take() {
    let folder = temporary();
    song(folder.path(), 4.0, 1.0);
    let head = "schema = \"stemlink.session/1\"\n[master]\nloudness = \"as-is\"\n[master.chain]\nlevel = 4\n";
    std::fs::write(folder.path().join("session.toml"), head).unwrap();
    let dir = text(folder.path());
    let answer = json(0, &["limiting", dir, "--less", "1", "--events", "1"]);
    let asked = &answer["cures"][0];
    let (goal, at) = (number(&asked["goal"]), number(&asked["at_s"]));
    assert!((number(&asked["before"]) - goal - 1.0).abs() < 1e-9 && asked["unit"] == "dB", "{asked}");
    let cures = asked["cures"].as_array().unwrap();
    let time = cures.iter().find(|cure| cure["family"] == "time").expect("a trim in time reaches it");
    let range = &time["ranges"][0];
    let one = format!(
        "--move={}={}@{}-{}",
        time["stem"].as_str().unwrap(),
        -number(&time["amount_db"]),
        number(&range["from_s"]),
        number(&range["to_s"])
    );
    let saved = folder.path().join("cured.toml");
    json(0, &["what-if", dir, &one, "--save", text(&saved)]);
    let after = json(0, &["limiting", dir, "--session", text(&saved)]);
    let left = after["events"].as_array().unwrap().iter();
    let left = left.filter(|event| {
        number(&event["at_s"]) > number(&range["from_s"]) && number(&event["at_s"]) < number(&range["to_s"])
    });
    let left = left.map(|event| number(&event["depth_db"])).fold(0.0, f64::max);
    // the limiter's ceiling follows the strict peak, which the cure has changed too
    let predicted = number(&time["predicted"]);
    assert!(
        (left - predicted).abs() < 0.1f64.max(0.1 * predicted) && left < number(&asked["before"]),
        "{left} {time}"
    );
    assert!(at > number(&range["from_s"]) && at < number(&range["to_s"]));

    let song = json(0, &["limiting", dir, "--less-song", "20"]);
    let asked = &song["cures"][0];
    assert!(asked["at_s"].is_null() && asked["unit"] == "dB s");
    assert!((number(&asked["goal"]) - 0.8 * number(&asked["before"])).abs() < 1e-9);
    assert!(
        asked["cures"]
            .as_array()
            .unwrap()
            .iter()
            .all(|cure| number(&cure["predicted"]) <= number(&asked["goal"]))
    );
    let shown = stems(&["limiting", dir, "--less", "0.5", "--events", "2"]);
    assert!(
        shown.code == 0 && shown.out.contains("at the same gain") && shown.out.contains("--move"),
        "{}",
        shown.out
    );
    fails(&["limiting", dir, "--less", "0"], &["0.1 to 12"]);
    fails(&["limiting", dir, "--less-song", "0"], &["1 to 100"]);
}

fn names_in(folder: &std::path::Path) -> usize {
    names(folder).len()
}
