//! The versions of a delivery: their stems, those that are left out.

use project::bundle::Bundle;
use project::delivery::{DeliverSettings, Make, Version, VersionName};
use project::session::Session;

/// The kind of versions of the user's own.
const OWN_VERSION: &str = "version";

/// A version to make.
pub(super) struct PlannedVersion {
    pub(super) version: VersionName,
    pub(super) kind: &'static str,
    pub(super) stems: Vec<usize>,
    pub(super) isrc: Option<String>,
}

/// The versions that a delivery makes, and a line for each that it leaves out: those that every song may have are left out where
/// they would be empty, the master or another version.
pub(super) fn planned_versions(
    bundle: &Bundle,
    session: &Session,
    settings: &DeliverSettings,
) -> (Vec<PlannedVersion>, Vec<String>) {
    let heard: Vec<usize> = (0..bundle.stems.len()).filter(|&i| !session.stems[i].mute).collect();
    let mut planned: Vec<PlannedVersion> = Vec::new();
    let mut notes = Vec::new();
    for version in Version::ALL.into_iter().filter(|version| settings.makes(&Make::Version(*version))) {
        let stems: Vec<usize> = heard.iter().copied().filter(|&i| session.stems[i].is_in(version)).collect();
        let why = match planned.iter().find(|other| other.stems == stems) {
            _ if stems.is_empty() => "would hold no stem".to_owned(),
            _ if stems == heard => "would be the master".to_owned(),
            Some(twin) => format!("would be the {}", twin.version.name()),
            None => {
                let isrc = settings.isrc.iter().find(|(whose, _)| *whose == Some(version));
                planned.push(PlannedVersion {
                    version: VersionName::BuiltIn(version),
                    kind: version.id(),
                    stems,
                    isrc: isrc.map(|(_, code)| code.clone()),
                });
                continue;
            }
        };
        notes.push(format!(
            "no {}: it {why}; roles and [stems.deliver] in session.toml say which stems are in it",
            version.name()
        ));
    }
    for own in &settings.versions {
        if !settings.makes(&Make::Own(own.name.clone())) {
            notes.push(format!("no {}: make does not list it", own.name));
            continue;
        }
        // It was asked for by name, so it is made whatever it is.
        let twin = planned.iter().find(|other| other.stems == own.stems).map(|twin| twin.version.name());
        if let Some(twin) = twin.or((own.stems == heard).then_some("master")) {
            notes.push(format!("{} holds the same stems as the {twin}", own.name));
        }
        planned.push(PlannedVersion {
            version: VersionName::Own(own.name.clone()),
            kind: OWN_VERSION,
            stems: own.stems.clone(),
            isrc: own.isrc.clone(),
        });
    }
    (planned, notes)
}

/// The versions that a delivery makes, each by its name with the names of its stems.
pub fn version_members(
    bundle: &Bundle,
    session: &Session,
    settings: &DeliverSettings,
) -> Vec<(String, Vec<String>)> {
    let names = |stems: &[usize]| stems.iter().map(|&i| bundle.stems[i].name.clone()).collect();
    let (planned, _) = planned_versions(bundle, session, settings);
    planned.iter().map(|version| (version.version.name().to_owned(), names(&version.stems))).collect()
}
