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

fn names_in(folder: &std::path::Path) -> usize {
    names(folder).len()
}
