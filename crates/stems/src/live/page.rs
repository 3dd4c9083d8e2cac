//! Live sessions as text for people.

use std::fmt::Write;

use audiofile::error::one_line;
use link::bridge::onlooker::Observer;
use link::snapshot::{Format, Kind};
use link::survey::{Instance, Session, Survey};
use meter::Reading;
use session::coverage::TRUSTED_COVERAGE;
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
    let alone: Vec<&Instance> = (survey.instances.iter().enumerate())
        .filter(|(number, _)| !survey.sessions.iter().any(|session| is_part(session, *number)))
        .map(|(_, one)| one)
        .collect();
    if !alone.is_empty() {
        line(&mut page, "Summed by no Master");
        line(&mut page, &instances(alone.into_iter()));
    }
    if survey.instances.is_empty() {
        line(&mut page, "No Stemlink plugin is alive on this machine.");
    }
    for version in onlooker.incompatible() {
        line(&mut page, &format!("Incompatible: plugins of another version are there (link {version})."));
    }
    page
}

fn line(page: &mut String, text: &str) {
    page.push_str(text);
    page.push('\n');
}

fn is_part(session: &Session, number: usize) -> bool {
    session.owner == number
        || session.last == Some(number)
        || session.doubles.contains(&number)
        || session.stems.contains(&number)
}

fn one_session(survey: &Survey, session: &Session, targets: &[NormalizationTarget]) -> String {
    let (owner, end) = (&survey.instances[session.owner], &survey.instances[session.end()]);
    let summary = &session.summary;
    let mut page = String::new();
    let id = session.id.map(|id| format!(" {id}")).unwrap_or_default();
    line(&mut page, &format!("Session{id}: {} in {}", one_line(name(&owner.label)), one_line(&host(owner))));
    let certainty = match summary.half_width {
        None => "no prediction yet".to_owned(),
        Some(off) if off.0 == 0.0 => "exact".to_owned(),
        Some(off) => format!("estimate ±{:.2} LU", off.0),
    };
    let covered = match summary.coverage {
        None => "the stems are not found in the mix yet".to_owned(),
        Some(coverage) => format!("the stems account for {:.2} % of the mix", coverage * 100.0),
    };
    line(&mut page, &format!("{} heard, {covered}, {certainty}", clock(summary.heard)));
    if summary.coverage.is_some_and(|coverage| coverage < TRUSTED_COVERAGE) {
        line(&mut page, "The stems are not the whole mix.");
    }
    if !summary.cause.as_str().is_empty() {
        line(&mut page, &one_line(summary.cause.as_str()));
    }
    for &double in &session.doubles {
        let double = &survey.instances[double];
        let text = format!(
            "{} in {} has the same session: the project is open twice, this one only shows.",
            name(&double.label),
            host(double)
        );
        line(&mut page, &one_line(&text));
    }
    let mut mixes = Rows::new(["", "I LUFS", "LRA LU", "max M LUFS", "max S LUFS", "TP dBTP"], 1);
    mixes.push(mix("into the master", &summary.mix));
    mixes.push(mix(after_what(session), &end.reading));
    line(&mut page, &mixes.text(6));
    let masters = [Some(session.owner), session.last.filter(|&last| last != session.owner)];
    let members = masters.into_iter().flatten().chain(session.doubles.iter().copied());
    let members = members.chain(session.stems.iter().copied()).map(|number| &survey.instances[number]);
    line(&mut page, &instances(members));
    if let Some(share) = summary.unlinked_share {
        line(&mut page, &format!("Unlinked: {:.1} % of the loudness", share * 100.0));
    }
    let whose = summary.loudest_peak.and_then(|id| survey.find(id));
    let whose = whose.map(|number| name(&survey.instances[number].label));
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
    line(&mut page, &rows.text(2));
    page
}

/// The delay of the session's end.
pub(super) fn after_what(session: &Session) -> &'static str {
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

fn instances<'a>(members: impl Iterator<Item = &'a Instance>) -> String {
    let mut rows = Rows::new(COLUMNS, 6);
    members.for_each(|one| rows.push(row(one)));
    rows.text(14)
}

fn row(one: &Instance) -> [String; 16] {
    let heard = one.heard;
    let reduction = one.pulse.compressor_reduction.0 + one.pulse.limiter_reduction.0;
    let is_stem = one.label.kind == Kind::Stem;
    [
        name(&one.label).to_owned(),
        plugin(one),
        if is_stem { one.label.role.name().to_owned() } else { String::new() },
        host(one),
        if one.pulse.rate.0 > 0.0 { format!("{}", one.pulse.rate.0 / 1000.0) } else { "-".to_owned() },
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
        state(one),
        one.id.to_string(),
    ]
}

/// Status of a stem, and its part in the mix where that is remarkable.
fn state(one: &Instance) -> String {
    let word = match one.status {
        StemStatus::OtherRate => "incompatible: another sampling rate",
        StemStatus::OtherSession => "other session",
        status => status.id(),
    };
    match one.heard.map(|heard| heard.state) {
        Some(StemState::Missing) => format!("{word}, missing from the mix"),
        Some(StemState::Away) => format!("{word}, not heard"),
        Some(StemState::Silent) => format!("{word}, silent"),
        Some(StemState::InTheMix) | None => word.to_owned(),
    }
}

fn plugin(one: &Instance) -> String {
    let kind = if one.label.kind == Kind::Master { "Master" } else { "Stem" };
    match format(one.label.format) {
        Some(format) => format!("{kind} {format}"),
        None => kind.to_owned(),
    }
}

pub(super) fn format(format: Format) -> Option<&'static str> {
    match format {
        Format::None => None,
        Format::Clap => Some("CLAP"),
        Format::Vst3 => Some("VST3"),
    }
}

/// The program that hosts it, and its process.
pub(super) fn host(one: &Instance) -> String {
    format!("{} {}", one.label.host.as_str(), one.label.process.pid)
}

fn transport(one: &Instance) -> String {
    let position = one.pulse.position.filter(|_| one.pulse.rate.0 > 0.0);
    let at = position.map(|position| format!(" {}", clock(position as f64 / one.pulse.rate.0)));
    format!("{}{}", if one.pulse.playing { "plays" } else { "stands" }, at.unwrap_or_default())
}
