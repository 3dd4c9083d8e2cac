//! The page that answers moves by itself, in a browser, against `what-if`.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json as literal};

use super::tool::*;

/// Sets the faders as [`browse`] asks, move by move, and leaves what the page shows as JSON in the document.
const DRIVER: &str = r##"
const asked = JSON.parse(document.getElementById("asked").textContent);
const told = asked.map((moves) => {
  moves.forEach((gain, i) => {
    const input = document.getElementById(`gain${i}`);
    input.value = String(gain);
    input.dispatchEvent(new Event("input"));
  });
  const values = (selector, key) => Array.from(document.querySelectorAll(selector), (cell) => cell.dataset[key] ?? null);
  return {
    figures: values("#answer [data-value]", "value"), words: Array.from(document.querySelectorAll("#answer table:first-child tr td:last-child"), (cell) => cell.textContent),
    peak: [values("#answer table:first-child [data-low]", "low")[0], values("#answer table:first-child [data-high]", "high")[0]],
    targets: values("[data-target]", "target"), low: values("[data-target]", "low"), high: values("[data-target]", "high"),
    shares: values(".share", "value"), said: document.getElementById("said").textContent, session: document.getElementById("ask").sessionText(),
  };
});
document.body.appendChild(document.createElement("pre")).textContent = "TOLD" + btoa(unescape(encodeURIComponent(JSON.stringify(told)))) + "END";
"##;

/// Answers of the page to each of `moves`, one gain for each stem; none without a browser.
fn browse(page: &Path, moves: &[Vec<f64>]) -> Option<Vec<Value>> {
    let browser = ["chromium", "google-chrome"].into_iter().find(|name| present(name, &["--version"]))?;
    let html = fs::read_to_string(page).unwrap();
    // the driver is a second program, which the page's own policy would not run
    let (policy, end) = (html.find("<meta http-equiv").unwrap(), "\">");
    let policy_end = policy + html[policy..].find(end).unwrap() + end.len();
    let driver = format!(
        "<script type=\"application/json\" id=\"asked\">{}</script><script>{DRIVER}</script></body>",
        serde_json::to_string(moves).unwrap()
    );
    let driven = page.with_file_name("driven.html");
    fs::write(&driven, (html[..policy].to_owned() + &html[policy_end..]).replace("</body>", &driver))
        .unwrap();
    let run = |page: &Path| {
        let profile = format!("--user-data-dir={}", text(&page.with_file_name("profile")));
        let address = format!("file://{}", text(page));
        let fixed = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"];
        let output = Command::new(browser).args(fixed).args([&profile, &address]).output().unwrap();
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!log.contains("CONSOLE"), "{log}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    // with its policy the page's own program runs
    assert!(run(page).contains("Integrated, LUFS"), "the page answers");
    let dom = run(&driven);
    let told = dom.split_once("<pre>TOLD").unwrap().1.split_once("END").unwrap().0;
    use base64::Engine as _;
    let told = base64::engine::general_purpose::STANDARD.decode(told).unwrap();
    Some(serde_json::from_slice(&told).unwrap())
}

fn parsed(value: &Value) -> f64 {
    value.as_str().unwrap().parse().unwrap()
}

/// Four stems of 14 s, of which some pause, so that the gates differ from move to move.
fn changing_song(dir: &Path) {
    fs::create_dir(dir).unwrap();
    for (n, name) in ["Drums", "Bass", "Vocals", "FX"].into_iter().enumerate() {
        let mut audio = part(90 + n as u64, 48_000.0, 14.0, 2, 0.12);
        for channel in &mut audio {
            for (at, x) in channel.iter_mut().enumerate() {
                let quarter = at / (3 * 48_000 + 17_000);
                let level = [
                    [1.0, 0.1, 1.0, 0.02],
                    [0.3, 1.0, 0.0, 0.02],
                    [0.0, 1.0, 1.0, 0.0],
                    [0.05, 0.5, 0.0, 0.05],
                ];
                *x *= level[n][quarter.min(3)];
            }
        }
        write_plain(&dir.join(format!("0{}_{name}_Stem.wav", n + 1)), &audio);
    }
}

#[test]
fn the_page_answers_moves_as_what_if_does() {
    let folder = temporary();
    let (dir, page) = (folder.path().join("song"), folder.path().join("song.html"));
    changing_song(&dir);
    json(0, &["report", text(&dir), "--out", text(&page), "--ask"]);
    let mut random = Random::new(41);
    let mut moves: Vec<Vec<f64>> = vec![vec![0.0; 4], vec![0.0, 3.0, 0.0, 0.0], vec![0.0, 0.0, -2.5, 0.0]];
    let more = if testkit::is_thorough() { 200 } else { 12 };
    moves.extend((0..more).map(|_| {
        (0..4)
            .map(|_| {
                if random.bits() & 1 == 0 {
                    0.0
                } else {
                    (random.between(-12.0, 12.0) * 100.0).round() / 100.0
                }
            })
            .collect()
    }));
    let Some(told) = browse(&page, &moves) else { return };
    let names = ["Drums", "Bass", "Vocals", "FX"];
    for (moves, told) in moves.iter().zip(&told) {
        let asked: Vec<String> =
            names.iter().zip(moves).map(|(name, gain)| format!("--move={name}={gain}")).collect();
        let mut args = vec!["what-if", text(&dir)];
        args.extend(asked.iter().map(String::as_str));
        let answer = json(0, &args);
        let after = &answer["after"];
        let shown: Vec<f64> = told["figures"].as_array().unwrap().iter().map(parsed).collect();
        for (key, shown) in ["integrated_lufs", "loudness_range_lu", "short_term_max_lufs"].iter().zip(&shown)
        {
            assert!((number(&after[*key]) - shown).abs() < 0.01, "{moves:?} {key}: {shown} {}", after[*key]);
        }
        // a maximum of every 100 ms is not above one of every 10 ms, and hardly below
        let momentary = number(&after["momentary_max_lufs"]);
        assert!(shown[3] < momentary + 0.01 && shown[3] > momentary - 1.0, "{moves:?}");
        let peak = number(&after["true_peak_dbtp"]);
        let ends = told["peak"].as_array().unwrap();
        let (low, high) = (parsed(&ends[0]), parsed(&ends[1]));
        assert!(low < peak + 1e-6 && peak < high + 1e-6, "{moves:?}: {low} {peak} {high}");
        let moved: Vec<f64> = moves.iter().copied().filter(|gain| *gain != 0.0).collect();
        if moved.is_empty() || moved == [3.0] {
            assert!((high - low).abs() < 1e-9 && told["words"][4] == "exact", "{told}");
        } else if moved.len() == 1 {
            assert!(high - low < 0.3, "{moves:?}: {low} to {high}");
        }
        for (n, target) in answer["targets"].as_array().unwrap().iter().enumerate() {
            if target["bound_by"] == "loudness" && target["others_change_db"].is_number() {
                let others = number(&target["others_change_db"]);
                // a rise that a peak could stop, of several stems whose peak is a bound
                if moved.len() > 1 && told["low"][n].is_null() {
                    continue;
                }
                let (low, high) = (parsed(&told["low"][n]), parsed(&told["high"][n]));
                assert!(low - 0.1 < others && others < high + 0.1, "{moves:?} {target}: {low} {high}");
            }
        }
    }
    let shares: f64 = told[0]["shares"].as_array().unwrap().iter().map(parsed).sum();
    assert!((shares - 1.0).abs() < 1e-9);
    assert!(told[0]["said"].as_str().unwrap().starts_with("No move: "), "{}", told[0]["said"]);
}

#[test]
fn what_was_asked_is_saved_as_a_session_file_that_renders_so() {
    let folder = temporary();
    let (dir, page) = (folder.path().join("song"), folder.path().join("song.html"));
    song(&dir, 5.0, 1.0);
    let session = dir.join("session.toml");
    let own = "schema = \"stemlink.session/1\"\n# mine\n[[stems]]\nname = \"Vocals\"\ntrim = 14 # loud\n[stems.chain]\nlevel = -12\n";
    fs::write(&session, own).unwrap();
    json(0, &["report", text(&dir), "--out", text(&page), "--ask"]);
    let Some(told) = browse(&page, &[vec![1.5, 0.0, -3.25], vec![0.0, 0.0, 11.0]]) else { return };
    let asked = folder.path().join("asked.toml");
    fs::write(&asked, told[0]["session"].as_str().unwrap()).unwrap();
    assert!(told[0]["session"].as_str().unwrap().contains("# mine"), "{}", told[0]["session"]);
    let moved = json(0, &["what-if", text(&dir), "--move", "Drums=1.5", "--move", "Vocals=-3.25"]);
    let rendered = json(0, &["what-if", text(&dir), "--session", text(&asked), "--move", "Drums=0"]);
    let off = number(&moved["after"]["integrated_lufs"]) - number(&rendered["before"]["integrated_lufs"]);
    assert!(off.abs() < 1e-9, "{off}");
    // a trim ends at 24 dB
    assert!(told[1]["session"].as_str().unwrap().contains("trim = 24 # loud"), "{}", told[1]["session"]);
}

#[test]
fn behind_a_master_chain_the_page_gives_an_estimate_and_no_peak() {
    let folder = temporary();
    let (dir, page) = (folder.path().join("song"), folder.path().join("song.html"));
    song(&dir, 5.0, 1.0);
    let own = "schema = \"stemlink.session/1\"\n[master.chain]\ncomp_on = true\ncomp_threshold = -30\n";
    fs::write(dir.join("session.toml"), own).unwrap();
    let report = json(0, &["report", text(&dir), "--out", text(&page), "--ask"]);
    assert_eq!(report["ask"], literal!(null), "the page alone has it");
    let Some(told) = browse(&page, &[vec![0.0; 3], vec![2.0, 0.0, 0.0]]) else { return };
    assert!((parsed(&told[0]["figures"][0]) - number(&report["mix"]["integrated_lufs"])).abs() < 1e-9);
    assert_eq!(told[1]["words"][0], "estimate");
    assert_eq!(told[1]["peak"], literal!([null, null]));
}
