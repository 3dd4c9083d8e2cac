//! Live sessions as text for people.

use std::fmt::Write;

use audiofile::error::one_line;
use link::ipc::Observer;
use link::records::{InstanceKind, PluginFormat};
use link::survey::{Survey, SurveyedInstance, SurveyedSession};
use meter::Reading;
use session::coverage::TRUSTED_COVERAGE;
use session::heard_part::EXACT_FOOTNOTE;
use session::playback::{HEADING, playback, sentence};
use session::stem_status::StemStatus;
use session::target::NormalizationTarget;

use super::name::name;
use crate::output::{Rows, change, clock, figure};

/// The columns of instances.
const COLUMNS: [&str; 16] = [
    "",
    "plugin",
    "role",
    "host",
    "kHz",
    "transport",
    "I LUFS",
    "S LUFS",
    "TP dBTP",
    "GR dB",
    "trim dB",
    "share %",
    "fader dB",
    "delay",
    "state",
    "id",
];

pub(super) fn text(survey: &Survey, onlooker: &Observer, targets: &[NormalizationTarget]) -> String {
    let mut page = String::new();
    for session in &survey.sessions {
        page += &one_session(survey, session, targets);
        page.push('\n');
    }
    let alone: Vec<&SurveyedInstance> = (survey.instances.iter().enumerate())
        .filter(|(number, _)| !survey.sessions.iter().any(|session| is_part(session, *number)))
        .map(|(_, one)| one)
        .collect();
    if !alone.is_empty() {
        line(&mut page, "Summed by no Master");
        line(&mut page, &instances(survey, alone.into_iter()));
    }
    if survey.instances.is_empty() {
        line(&mut page, "No Stemlink plugin is alive on this machine.");
    }
    for version in onlooker.incompatible_versions() {
        line(&mut page, &format!("Incompatible: plugins of another version are there (link {version})."));
    }
    page
}

fn line(page: &mut String, text: &str) {
    page.push_str(text);
    page.push('\n');
}

fn is_part(session: &SurveyedSession, number: usize) -> bool {
    session.owner == number
        || session.last == Some(number)
        || session.duplicates.contains(&number)
        || session.stems.contains(&number)
        || session.nested.contains(&number)
}

fn one_session(survey: &Survey, session: &SurveyedSession, targets: &[NormalizationTarget]) -> String {
    let (owner, end) = (&survey.instances[session.owner], &survey.instances[session.output_master()]);
    let summary = &session.summary;
    let mut page = String::new();
    let id = session.id.map(|id| format!(" {id}")).unwrap_or_default();
    line(&mut page, &format!("Session{id}: {} in {}", one_line(name(&owner.info)), one_line(&host(owner))));
    let part = summary.part();
    let certainty = match summary.half_width {
        None => format!("no prediction yet, {}", part.words()),
        Some(off) => part.certainty_words(off),
    };
    let covered = match summary.coverage {
        None => "the stems are not found in the mix yet".to_owned(),
        Some(coverage) => format!("the stems account for {:.2} % of the mix", coverage * 100.0),
    };
    line(&mut page, &format!("{certainty}, {covered}"));
    if summary.half_width.is_some_and(|off| off.0 == 0.0) {
        line(&mut page, EXACT_FOOTNOTE);
    }
    for stem in summary.stems().filter(|stem| stem.mute_waits) {
        let Some(number) = survey.index_of(stem.stem) else { continue };
        let name = one_line(name(&survey.instances[number].info));
        let cure = format!("if it is part of the mix: stems live --confirm-mute {name:?}");
        line(&mut page, &format!("{name} was played muted; {cure}"));
    }
    if summary.coverage.is_some_and(|coverage| coverage < TRUSTED_COVERAGE) {
        line(&mut page, "The stems are not the whole mix.");
    }
    if !summary.cause.as_str().is_empty() {
        line(&mut page, &one_line(summary.cause.as_str()));
    }
    for &double in &session.duplicates {
        let double = &survey.instances[double];
        let text = format!(
            "{} in {} has the same session: the project is open twice, this one only shows.",
            name(&double.info),
            host(double)
        );
        line(&mut page, &one_line(&text));
    }
    let mut mixes = Rows::new(["", "I LUFS", "LRA LU", "max M LUFS", "max S LUFS", "TP dBTP"], 1);
    mixes.push(mix("into the master", &summary.mix));
    mixes.push(mix(after_what(session), &end.reading));
    line(&mut page, &mixes.text(6, None));
    let masters = [Some(session.owner), session.last.filter(|&last| last != session.owner)];
    let members = masters.into_iter().flatten().chain(session.duplicates.iter().copied());
    let members = members.chain(session.all_stems(&survey.instances));
    line(&mut page, &instances(survey, members.map(|number| &survey.instances[number])));
    if let Some(share) = summary.unlinked_share {
        line(&mut page, &format!("Unlinked: {:.1} % of the loudness", share * 100.0));
    }
    let whose = summary.loudest_peak.and_then(|id| survey.index_of(id));
    let whose = whose.map(|number| name(&survey.instances[number].info));
    let _ = writeln!(page, "\n{HEADING}");
    let mut rows = Rows::new(["platform", "dB", ""], 1);
    for target in targets {
        let gain = playback(&end.reading, target).and_then(|playback| playback.gain);
        rows.push([
            target.id.clone(),
            change(gain.map(|gain| gain.0)),
            sentence(&end.reading, target, whose),
        ]);
    }
    line(&mut page, &rows.text(2, None));
    page
}

/// The delay of the session's end.
pub(super) fn after_what(session: &SurveyedSession) -> &'static str {
    if session.last.is_some() { "out of the last Master" } else { "out of the Master, before its fader" }
}

fn mix(what: &str, reading: &Reading) -> [String; 6] {
    [
        what.to_owned(),
        figure(reading.integrated.map(|v| v.0)),
        figure(reading.range.map(|v| v.0)),
        figure(reading.momentary_max.map(|v| v.0)),
        figure(reading.short_term_max.map(|v| v.0)),
        figure(reading.true_peak.map(|v| v.0)),
    ]
}

fn instances<'a>(survey: &Survey, members: impl Iterator<Item = &'a SurveyedInstance>) -> String {
    let mut rows = Rows::new(COLUMNS, 6);
    members.for_each(|one| rows.push(row(survey, one)));
    rows.text(14, None)
}

fn row(survey: &Survey, one: &SurveyedInstance) -> [String; 16] {
    let heard = one.finding;
    let reduction = one.block_status.compressor_reduction.0 + one.block_status.limiter_reduction.0;
    let is_stem = one.info.kind == InstanceKind::Stem;
    [
        name(&one.info).to_owned(),
        plugin(one),
        if is_stem { one.info.role.name().to_owned() } else { String::new() },
        host(one),
        if one.block_status.rate.0 > 0.0 {
            format!("{}", one.block_status.rate.0 / 1000.0)
        } else {
            "-".to_owned()
        },
        transport(one),
        figure(one.reading.integrated.map(|v| v.0)),
        figure(one.reading.short_term.map(|v| v.0)),
        figure(one.reading.true_peak.map(|v| v.0)),
        figure(Some(reduction)),
        if is_stem { change(Some(one.trim.0)) } else { String::new() },
        if is_stem {
            figure(heard.and_then(|heard| heard.share).map(|share| share * 100.0))
        } else {
            String::new()
        },
        if is_stem { change(heard.and_then(|heard| heard.gain).map(|gain| gain.0)) } else { String::new() },
        match heard.and_then(|heard| heard.delay) {
            Some(delay) => delay.to_string(),
            None if is_stem => "-".to_owned(),
            None => String::new(),
        },
        state(survey, one),
        one.id.to_string(),
    ]
}

/// Status of a stem, and its part in the mix where that is remarkable.
fn state(survey: &Survey, one: &SurveyedInstance) -> String {
    let word = match one.status {
        StemStatus::OtherRate => "incompatible: another sampling rate",
        StemStatus::OtherSession => "other session",
        status => status.id(),
    };
    let word = match outer(survey, one) {
        Some(outer) => format!("{word}, inside {}", name(&outer.info)),
        None => word.to_owned(),
    };
    match one.finding.map(|heard| heard.state) {
        Some(session::session_report::StemState::Missing) => format!("{word}, missing from the mix"),
        Some(session::session_report::StemState::Away) => format!("{word}, not heard"),
        Some(session::session_report::StemState::Silent) => format!("{word}, silent"),
        Some(session::session_report::StemState::InTheMix) | None => word,
    }
}

/// The Stem whose bus contains this one.
pub(super) fn outer<'a>(survey: &'a Survey, one: &SurveyedInstance) -> Option<&'a SurveyedInstance> {
    one.finding?.inside.and_then(|id| survey.index_of(id)).map(|number| &survey.instances[number])
}

fn plugin(one: &SurveyedInstance) -> String {
    let kind = if one.info.kind == InstanceKind::Master { "Master" } else { "Stem" };
    match format(one.info.format) {
        Some(format) => format!("{kind} {format}"),
        None => kind.to_owned(),
    }
}

pub(super) fn format(format: PluginFormat) -> Option<&'static str> {
    match format {
        PluginFormat::None => None,
        PluginFormat::Clap => Some("CLAP"),
        PluginFormat::Vst3 => Some("VST3"),
    }
}

/// The program that hosts it, and its process.
pub(super) fn host(one: &SurveyedInstance) -> String {
    format!("{} {}", one.info.host.as_str(), one.info.process.pid)
}

fn transport(one: &SurveyedInstance) -> String {
    let position = one.block_status.position.filter(|_| one.block_status.rate.0 > 0.0);
    let at = position.map(|position| format!(" {}", clock(position as f64 / one.block_status.rate.0)));
    format!("{}{}", if one.block_status.playing { "plays" } else { "stands" }, at.unwrap_or_default())
}
