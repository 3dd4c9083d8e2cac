//! ReferenceList as a Master's window has them, and what becomes of what a person does with them.

use chain::monitor::MonitorMode;
use editor::view_model::ViewModel;
use plugin_core::references::{FolderListing, Reference, ReferenceList, ReferenceReadings, ReferenceState};
use units::{Dbtp, Lufs, Ms};

fn checklist(path: &str, integrated: f64, peak: f64, seconds: f64) -> Reference {
    let figures = ReferenceReadings {
        integrated: Some(Lufs(integrated)),
        true_peak: Some(Dbtp(peak)),
        length: Ms(seconds * 1000.0),
        loudest: (Ms(40_000.0), Ms(60_000.0)),
    };
    Reference { path: path.into(), state: ReferenceState::Ready(figures) }
}

/// A Master that compares with four songs: a loud one, one that may not be raised as far as the mix, one that is missing,
/// one that is being measured.
pub fn compared() -> ViewModel {
    let mut model = crate::session::five();
    let missing = "/music/Gone.wav: cannot be opened, no such file or folder; check the path";
    model.master.references = ReferenceList {
        kept: vec![
            checklist("/music/Brightside (master 24-48).flac", -7.4, -0.2, 222.0),
            checklist("/music/Old And Quiet.aiff", -19.8, -3.1, 251.0),
            Reference { path: "/music/Gone.wav".into(), state: ReferenceState::Broken(missing.into()) },
            Reference { path: "/music/New.wav".into(), state: ReferenceState::Reading },
        ],
        mix: model.reading.integrated,
        ..ReferenceList::default()
    };
    model
}

/// The largest number of references, with long names, one of them playing.
pub fn many() -> ViewModel {
    let mut model = crate::session::crowded();
    let song = |n: usize| {
        checklist(
            &format!("/music/A Very Long Folder/{n} A Song With A Name That Goes On And On (Deluxe).flac"),
            -9.0,
            -0.3,
            4000.0,
        )
    };
    model.master.references = ReferenceList {
        kept: (1..=8).map(song).collect(),
        mix: Some(Lufs(-7.9)),
        along: true,
        ..ReferenceList::default()
    };
    play(&mut model, Some(&song(3).path));
    model
}

/// Sets the reference files.
pub fn set_files(model: &mut ViewModel, paths: &[String]) {
    let known = std::mem::take(&mut model.master.references.kept);
    let of = |path: &String| known.iter().find(|one| one.path == *path).cloned();
    model.master.references.kept = paths
        .iter()
        .map(|path| {
            of(path).unwrap_or_else(|| Reference { path: path.clone(), state: ReferenceState::Reading })
        })
        .collect();
}

/// Plays a reference; `None`: the mix.
pub fn play(model: &mut ViewModel, path: Option<&str>) {
    let references = &mut model.master.references;
    let place = references.kept.iter().position(|one| Some(one.path.as_str()) == path);
    references.heard = place;
    references.last = place.or(references.last);
    let gain = place.and_then(|place| references.matched_gain(place)).map(|matched| matched.gain);
    model.listen = gain.map_or(MonitorMode::Off, |gain| MonitorMode::Reference { song: 1, gain });
}

/// A folder of music.
pub fn listing(folder: Option<&str>) -> FolderListing {
    let folder = folder.unwrap_or("/music");
    let of = |name: &str| format!("{folder}/{name}");
    FolderListing {
        folder: folder.into(),
        above: Some("/".into()),
        folders: vec![of("Albums"), of("Stems")],
        files: vec![of("Brightside (master 24-48).flac"), of("New.wav"), of("Other.wav")],
        fault: String::new(),
    }
}
