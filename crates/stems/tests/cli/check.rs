//! `stems check`, and the null test of `stems master --mix`.

use serde_json::Value;

use super::tool::*;

fn ids(answer: &Value) -> Vec<&str> {
    answer["faults"].as_array().unwrap().iter().map(|fault| fault["check"].as_str().unwrap()).collect()
}

#[test]
fn check_answers_to_the_key() {
    let folder = temporary();
    let dir = folder.path().join("song");
    song(&dir, 5.0, 0.3);
    let clean = json(0, &["check", text(&dir)]);
    assert_eq!(keys(&clean), ["schema", "faults", "null"]);
    assert_eq!((&clean["schema"], &clean["null"]), (&"stemlink.check/1".into(), &Value::Null));
    assert_eq!(ids(&clean), Vec::<&str>::new(), "{clean}");
    write_plain(&dir.join("04_FX_Stem.wav"), &vec![vec![0.0; 240_000]; 2]);
    let answer = json(1, &["check", text(&dir)]);
    for fault in answer["faults"].as_array().unwrap() {
        assert_eq!(keys(fault), ["check", "severity", "file", "fault", "cure"]);
    }
    assert_eq!(ids(&answer), ["silent"]);
    let run = stems(&["check", text(&dir)]);
    assert!(run.code == 1 && run.err.is_empty());
    assert!(
        run.out.contains("fault: 04_FX_Stem.wav: is silent; ") && run.out.contains("4 stems: 1 fault"),
        "{}",
        run.out
    );
    let csv = stems(&["check", text(&dir), "--csv"]).out;
    assert_eq!((csv.lines().next().unwrap(), csv.lines().count()), ("check,severity,file,fault,cure", 2));
}

#[test]
fn the_null_test_passes_a_sum_and_names_what_is_missing() {
    let folder = temporary();
    let (dir, mix) = (folder.path().join("song"), folder.path().join("mix.wav"));
    song(&dir, 5.0, 0.3);
    let files: Vec<_> = names(&dir).iter().map(|name| dir.join(name)).collect();
    render(&files, &[0.0; 3], 48_000.0, &mix);
    let answer = json(0, &["check", text(&dir), "--mix", text(&mix)]);
    let null = &answer["null"];
    let expected = [
        "residual_peak_dbfs",
        "residual_rms_dbfs",
        "pass_dbfs",
        "verdict",
        "worst_time_s",
        "worst_stem",
        "coverage",
        "corrected_peak_dbfs",
        "corrected_rms_dbfs",
        "cause",
        "stems",
    ];
    assert_eq!(keys(null), expected);
    assert_eq!(null["verdict"], "PASS");
    assert_eq!(keys(&null["stems"][0]), ["stem", "gain_db", "inverted", "delay_samples", "missing", "again"]);
    let out = folder.path().join("out");
    let master = json(0, &["master", text(&dir), "--out", text(&out), "--mix", text(&mix)]);
    assert_eq!(master["null_dbfs"], null["residual_peak_dbfs"]);
    assert_eq!(master["null_pass_dbfs"], null["pass_dbfs"]);

    // A mix without its bass: the master is made, and the exit code says that the stems are not the mix.
    render(&[files[0].clone(), files[2].clone()], &[0.0; 2], 48_000.0, &mix);
    let answer = json(1, &["check", text(&dir), "--mix", text(&mix)]);
    assert_eq!(answer["null"]["verdict"], "audible");
    assert_eq!(answer["null"]["stems"][1]["missing"], true, "{answer}");
    let master = json(1, &["master", text(&dir), "--out", text(&out), "--mix", text(&mix), "--force"]);
    assert_eq!(master["deliverables"][0]["verified"], true);
    assert!(number(&master["null_dbfs"]) > number(&master["null_pass_dbfs"]));
}

#[test]
fn what_cannot_be_checked_is_named() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("song"), folder.path().join("out"));
    song(&dir, 1.0, 0.3);
    fails(&["check", text(&folder.path().join("none"))], &["none", "no such file or folder"]);
    fails(&["check", text(&dir.join("01_Drums_Stem.wav"))], &["01_Drums_Stem.wav", "not a folder"]);
    fails(&["check", text(&dir), "--mix", "none.wav"], &["none.wav", "no such file"]);
    fails(&["master", text(&dir), "--out", text(&out), "--mix", "none.wav"], &["none.wav", "no such file"]);
    assert!(!out.exists(), "the null test comes before the work");
    fails(&["check", text(folder.path())], &["holds no stems"]);
}

#[test]
fn broken_stems_are_faults_of_the_bundle() {
    let folder = temporary();
    let dir = folder.path().join("song");
    song(&dir, 2.0, 0.3);
    std::fs::write(dir.join("04_FX_Stem.wav"), "lyrics").unwrap();
    std::fs::write(dir.join("05_Keys_Stem.wav"), "").unwrap();
    let whole = std::fs::read(dir.join("01_Drums_Stem.wav")).unwrap();
    std::fs::write(dir.join("06_Horns_Stem.wav"), &whole[..5000]).unwrap();
    let answer = json(1, &["check", text(&dir)]);
    let faults = answer["faults"].as_array().unwrap();
    for file in ["04_FX_Stem.wav", "05_Keys_Stem.wav", "06_Horns_Stem.wav"] {
        assert!(faults.iter().any(|fault| fault["file"] == file), "{file}: {answer}");
    }
    assert!(faults.iter().all(|fault| fault["file"] != "01_Drums_Stem.wav"), "{answer}");
}
