//! The report: one page, the same as JSON and CSV, and a browser that has nothing to complain of.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::tool::*;

fn report(dir: &Path, page: &Path, more: &[&str]) -> Value {
    let mut args = vec!["report", text(dir), "--out", text(page)];
    args.extend(more);
    json(0, &args)
}

#[test]
fn page_json_and_csv_say_the_same_and_need_nothing_else() {
    let folder = temporary();
    let (dir, page) = (folder.path().join("song"), folder.path().join("song.html"));
    song(&dir, 5.0, 1.0);
    fs::rename(dir.join("02_Bass_Stem.wav"), dir.join("02_Bass <b>&\"x\"_Stem.wav")).unwrap();
    let files: Vec<_> =
        ["01_Drums_Stem.wav", "02_Bass <b>&\"x\"_Stem.wav", "03_Vocals_Stem.wav"].map(|f| dir.join(f)).into();
    let mix = folder.path().join("mix.wav");
    render(&files, &[0.0; 3], 48_000.0, &mix);
    let answer =
        report(&dir, &page, &["--mix", text(&mix), "--master", text(&mix), "--title", "A <i>song</i>"]);
    assert_eq!(names(folder.path()), ["mix.wav", "song", "song.csv", "song.html", "song.json"]);
    let kept: Value = serde_json::from_slice(&fs::read(folder.path().join("song.json")).unwrap()).unwrap();
    assert_eq!(kept, answer);
    assert_eq!(answer["nulls"][0]["verdict"], "PASS");
    assert_eq!(answer["deliverables"][0]["verified"], true);
    let sum = Command::new("sha256sum").arg(&mix).output().unwrap();
    assert!(
        String::from_utf8_lossy(&sum.stdout)
            .starts_with(answer["deliverables"][0]["sha256"].as_str().unwrap())
    );

    // The figures are those of the other commands.
    let said = json(0, &["what-if", text(&dir), "--move", "Drums=1"]);
    let sources = answer["sources"].as_array().unwrap();
    assert_eq!(sources.len(), 4);
    let shares: f64 = sources.iter().filter_map(|source| source["share"].as_f64()).sum();
    assert!((shares - 1.0).abs() < 1e-9);
    let change = number(&said["after"]["integrated_lufs"]) - number(&said["before"]["integrated_lufs"]);
    assert!((number(&answer["what_if"][0]["mix_change_lu"]) - change).abs() < 1e-9);
    for (source, stem) in sources.iter().zip(said["stems"].as_array().unwrap()) {
        assert_eq!((&source["reading"], &source["share"]), (&stem["reading"], &stem["share"]));
    }
    let history = sources[3]["history_lufs"].as_array().unwrap();
    let highest = history.iter().filter_map(Value::as_f64).fold(f64::NEG_INFINITY, f64::max);
    assert!((highest - number(&answer["mix"]["short_term_max_lufs"])).abs() < 1e-9, "{highest}");
    let gain = &answer["playback"][0]["playback_gain_db"];
    assert_eq!(gain, &said["targets"][0]["playback_gain_before_db"]);

    let limiting = json(0, &["limiting", text(&dir)]);
    assert_eq!(answer["limiting"]["rows"], limiting["limiter"]["rows"]);
    assert_eq!(answer["limiting"]["max_db"], limiting["limiter"]["max_db"]);
    assert!(fs::read_to_string(&page).unwrap().contains("<h2>Limiting</h2>"));

    let csv = fs::read_to_string(folder.path().join("song.csv")).unwrap();
    assert_eq!(csv.lines().count(), 5);
    assert!(csv.lines().nth(1).unwrap().starts_with("Drums,drums,"), "{csv}");

    let html = fs::read_to_string(&page).unwrap();
    assert!(html.contains("A &lt;i&gt;song&lt;/i&gt;") && html.contains("Bass b x"));
    let from_elsewhere = ["<script", " src=", "<link", "@import", "url(", "<iframe", "<img"];
    assert!(from_elsewhere.iter().all(|word| !html.contains(word)));
    let place = |word: &str| html.find(word).unwrap_or_else(|| panic!("{word} is missing"));
    let order = [
        "<h2>Deliverables",
        "<h2>Null tests",
        "<h2>Findings",
        "<h2>Mix",
        "<h2>Playback",
        "<h2>Stems",
        "<h2>What if",
        "<h2>Spectrum",
        "<h2>Files",
    ];
    assert!(order.windows(2).all(|pair| place(pair[0]) < place(pair[1])));
    for plot in html.match_indices("<svg class=\"plot\"").map(|(at, _)| &html[at..at + 200]) {
        assert!(plot.contains("role=\"img\"") && plot.contains("aria-labelledby"), "{plot}");
    }
}

#[test]
fn silence_and_shortness_have_a_page_too() {
    let folder = temporary();
    let dir = folder.path().join("song");
    fs::create_dir(&dir).unwrap();
    write_plain(&dir.join("Drums.wav"), &vec![vec![0.0; 4800]; 2]);
    let run = stems(&["report", text(&dir), "--out", text(&folder.path().join("a.html"))]);
    assert!(run.code <= 1, "{}", run.err);
    let html = fs::read_to_string(folder.path().join("a.html")).unwrap();
    assert!(!html.contains("NaN") && !html.contains("inf"), "{html}");
}

#[test]
fn nothing_is_overwritten_and_the_page_goes_first_and_comes_last() {
    let folder = temporary();
    let (dir, page) = (folder.path().join("song"), folder.path().join("song.html"));
    song(&dir, 1.0, 1.0);
    for taken in ["song.html", "song.json", "song.csv"] {
        fs::write(folder.path().join(taken), "mine").unwrap();
        fails(&["report", text(&dir), "--out", text(&page)], &[taken, "already exists", "--force"]);
        assert_eq!(names(folder.path()), ["song", taken]);
        fs::remove_file(folder.path().join(taken)).unwrap();
    }
    fails(&["report", text(&dir), "--out", text(&folder.path().join("song.pdf"))], &["song.pdf", ".html"]);
    fails(
        &["report", text(&dir), "--out", text(&folder.path().join("no/a.html"))],
        &["no/a", "check the path"],
    );
    report(&dir, &page, &[]);
    report(&dir, &page, &["--force"]);
    assert_eq!(names(folder.path()), ["song", "song.csv", "song.html", "song.json"]);
}

#[test]
fn a_browser_shows_it_without_complaint() {
    let Some(browser) = ["chromium", "google-chrome"].into_iter().find(|name| present(name, &["--version"]))
    else {
        return;
    };
    let folder = temporary();
    let (dir, page) = (folder.path().join("song"), folder.path().join("song.html"));
    song(&dir, 4.0, 1.0);
    report(&dir, &page, &[]);
    let run = |more: &str| {
        let profile = format!("--user-data-dir={}", text(&folder.path().join("profile")));
        let address = format!("file://{}", text(&page));
        let args = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--enable-logging=stderr",
            &profile,
            more,
            &address,
        ];
        Command::new(browser).args(args).output().unwrap()
    };
    let output = run("--dump-dom");
    let (dom, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(dom.contains("<h2>Spectrum</h2>"), "{log}");
    assert!(!log.contains("CONSOLE"), "{log}");
    let pdf = folder.path().join("a.pdf");
    run(&format!("--print-to-pdf={}", text(&pdf)));
    assert!(fs::metadata(&pdf).is_ok_and(|found| found.len() > 20_000), "it prints");
}

#[test]
fn a_delivery_is_shown_first_and_what_was_changed_since_is_not_verified() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("song"), folder.path().join("out"));
    song(&dir, 2.0, 1.0);
    let manifest = json(0, &["deliver", text(&dir), "--out", text(&out), "--make", "stems"]);
    let page = folder.path().join("song.html");
    let args = ["report", text(&dir), "--out", text(&page), "--delivery", text(&out), "--force"];
    let report = json(0, &args);
    let files = report["deliverables"].as_array().unwrap();
    assert_eq!(files.len(), manifest["deliverables"].as_array().unwrap().len());
    assert_eq!((files[0]["kind"].as_str(), files[0]["verified"].as_bool()), (Some("master"), Some(true)));
    assert_eq!(report["nulls"][0]["verdict"], "PASS");
    assert_eq!(report["nulls"][0]["residual_peak_dbfs"], manifest["null_dbfs"]);
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(html.contains("Stems/01_Drums_Stem.wav") && html.contains("the delivered master less its stems"));

    let stem = out.join("Stems/01_Drums_Stem.wav");
    let mut audio = read(&stem);
    audio[0][1000] += 0.1;
    write_plain(&stem, &audio);
    let report = json(1, &args);
    let bad: Vec<&Value> =
        report["deliverables"].as_array().unwrap().iter().filter(|file| file["verified"] == false).collect();
    assert!(bad.len() == 1 && bad[0]["file"] == "Stems/01_Drums_Stem.wav", "{bad:?}");
    fails(
        &["report", text(&dir), "--out", text(&page), "--force", "--delivery", text(&dir)],
        &["manifest.json"],
    );
}
