//! The Master's session as text.

use super::desk::Desk;
use super::find;
use link::records::InstanceKind;
use link::summary::{Forecast, SessionSummary};
use meter::Reading;
use session::playback::{HEADING, sentence};
use session::target::NormalizationTarget;

/// A figure, or a dash.
fn figure(value: Option<f64>, digits: usize) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.digits$}"))
}

/// The mix before and after, as platforms see it.
pub(crate) fn ends(mix: &Reading, forecast: &Forecast) -> [Reading; 2] {
    [0, 1].map(|side| Reading {
        integrated: forecast.into_master.map(|pair| pair[side]),
        true_peak: forecast.peak[side],
        ..*mix
    })
}

pub(crate) fn session(
    desk: &Desk,
    summary: &SessionSummary,
    targets: &[NormalizationTarget],
) -> Result<(), String> {
    println!("\nWhat the Master sees");
    println!("  stem       I LUFS  share %   arrives at  (fader)  delay  trim dB  chain LU");
    for bus in &desk.buses {
        let peer = find(InstanceKind::Stem, bus.name)?;
        let id = peer.id().ok_or("a Stem is gone")?;
        let seen = summary.stems().find(|stem| stem.stem == id);
        let reading = peer.reading().and_then(|reading| reading.integrated);
        println!(
            "  {:<8} {:>8} {:>8} {:>9} dB {:>8} {:>6} {:>8} {:>9}",
            bus.name,
            figure(reading.map(|x| x.0), 1),
            figure(seen.and_then(|stem| stem.share).map(|share| share * 100.0), 1),
            figure(seen.and_then(|stem| stem.gain).map(|gain| gain.0), 2),
            format!("({:+.1})", bus.fader.0),
            seen.and_then(|stem| stem.delay).map_or("-".to_owned(), |delay| delay.to_string()),
            figure(peer.stem_readings().map(|figures| figures.trim.offset.0), 1),
            figure(seen.and_then(|stem| stem.chain_cost).map(|cost| cost.0), 2),
        );
    }
    let certainty = match summary.half_width {
        Some(half_width) if half_width.0 == 0.0 => "predictions are exact".to_owned(),
        Some(half_width) => format!("predictions are estimates, ±{:.2} LU", half_width.0),
        None => "no predictions yet".to_owned(),
    };
    let coverage = figure(summary.coverage.map(|coverage| coverage * 100.0), 2);
    println!("  {:.1} s heard; the stems account for {coverage} % of the mix; {certainty}", summary.heard);
    if !summary.cause.as_str().is_empty() {
        println!("  {}", summary.cause.as_str());
    }
    let mix = &summary.mix;
    println!(
        "  mix: {} LUFS, LRA {} LU, true peak {} dBTP",
        figure(mix.integrated.map(|x| x.0), 2),
        figure(mix.range.map(|x| x.0), 1),
        figure(mix.true_peak.map(|x| x.0), 1)
    );
    let whose = desk.buses.iter().map(|bus| bus.name).find(|name| {
        find(InstanceKind::Stem, name)
            .is_ok_and(|peer| peer.id().is_some() && peer.id() == summary.loudest_peak)
    });
    println!("{HEADING}");
    targets.iter().for_each(|target| println!("  {}", sentence(mix, target, whose)));
    Ok(())
}
