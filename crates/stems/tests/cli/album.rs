//! Albums.

use audiofile::wav::StoredFormat;
use serde_json::json as value;

use super::tool::*;

#[test]
fn an_album_is_its_tracks_as_one_programme() {
    let folder = temporary();
    let at = |name: &str| folder.path().join(name);
    let three = at("three");
    for (name, seconds, gain) in [("one.wav", 8.0, 0.3), ("two.wav", 5.0, 0.1)] {
        write(&at(name), 48_000.0, StoredFormat::Float32, &part(seconds as u64, 48_000.0, seconds, 2, gain));
    }
    song(&three, 6.0, 2.0);
    let parts: Vec<_> = names(&three).into_iter().map(|name| three.join(name)).collect();
    render(&parts, &[0.0; 3], 48_000.0, &at("three.wav"));
    let mut whole = read(&at("one.wav"));
    for file in ["two.wav", "three.wav"] {
        whole.iter_mut().zip(read(&at(file))).for_each(|(plane, more)| plane.extend(more));
    }
    write(&at("whole.wav"), 48_000.0, StoredFormat::Float32, &whole);

    let answer = json(0, &["album", text(&at("one.wav")), text(&at("two.wav")), text(&three)]);
    let album = &answer["album"];
    let expected = reading(&at("whole.wav"));
    for (key, tolerance) in [("integrated_lufs", 0.01), ("loudness_range_lu", 0.05), ("true_peak_dbtp", 0.01)]
    {
        let (a, b) = (number(&album[key]), number(&expected[key]));
        assert!((a - b).abs() <= tolerance, "{key}: {a} against {b}");
    }
    let tracks = answer["tracks"].as_array().unwrap();
    assert_eq!(tracks[2]["track"], "three");
    let loudness = |i: usize| number(&tracks[i]["reading"]["integrated_lufs"]);
    let summed = number(&reading(&at("three.wav"))["integrated_lufs"]);
    assert!((loudness(2) - summed).abs() < 1e-4, "{} against {summed}", loudness(2));
    assert_eq!(tracks[0]["step_lu"], value!(null));
    assert!((number(&tracks[1]["step_lu"]) - (loudness(1) - loudness(0))).abs() < 1e-9);
    let over = number(&tracks[1]["over_album_lu"]);
    assert!((over - (loudness(1) - number(&album["integrated_lufs"]))).abs() < 1e-9);

    // Down by the whole difference: the loudest tracks by themselves, all by the same in album mode.
    let target =
        |id: &str| answer["targets"].as_array().unwrap().iter().find(|t| t["id"] == id).unwrap().clone();
    let quiet = target("spotify-quiet");
    let track = number(&quiet["track_gains_db"][2]);
    assert!(loudness(2) > -19.0 && (track - (-19.0 - loudness(2))).abs() < 1e-9, "{track}");
    let gain = number(&quiet["album_gain_db"]);
    assert!((gain - (-19.0 - number(&album["integrated_lufs"]))).abs() < 1e-9, "{gain}");
    assert_eq!(target("youtube")["album_gain_db"], value!(null), "YouTube has no album mode");

    let shown = stems(&["album", text(&at("one.wav")), text(&three), "--target", "spotify"]);
    assert!(
        shown.code == 0 && shown.out.contains("album mode") && shown.out.contains("three"),
        "{}",
        shown.out
    );
    fails(&["album", text(&at("none.wav"))], &["none.wav", "check the path"]);
    fails(&["album", text(&three), "--target", "nowhere"], &["nowhere"]);
    std::fs::create_dir(at("empty")).unwrap();
    fails(&["album", text(&at("empty"))], &["holds no stems"]);
}
