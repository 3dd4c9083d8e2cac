//! Tooltips: one or two sentences for each parameter, reading and monitor mode.

use chain::monitor::MonitorMode;
use chain::parameters::Parameter;

/// Explains a parameter.
pub fn meaning(row: &Parameter) -> &'static str {
    // bands share their words: eq3_gain is eq_gain
    let band = row.id.strip_prefix("eq").and_then(|rest| rest.split_once('_')).map(|(_, rest)| rest);
    match band {
        Some(rest) => of_band(rest),
        None => of(&row.id),
    }
}

fn of_band(id: &str) -> &'static str {
    match id {
        "on" => "Switches the band on or off.",
        "shape" => {
            "What the band does: a bell around its frequency, a shelf beside it, a cut beyond it, a notch at it, a tilt about it."
        }
        "freq" => "Frequency at which the band acts.",
        "gain" => "How much the band raises or lowers. Boost and cut of equal gain and Q cancel exactly.",
        "q" => "How narrow the band is. For cuts it sharpens the corner; 1 is a pure Butterworth.",
        "slope" => "How steeply a cut falls.",
        "place" => "What part of the stereo field the band acts on.",
        "range" => {
            "Range over which the level moves the band's gain: down when negative, up when positive. At 0 the band is static."
        }
        "threshold" => "Level within the band above which its gain moves.",
        "attack" => "Attack time of the band: 63 % of the change when the level rises.",
        "release" => "Release time of the band: 63 % of the change when the level falls.",
        "key" => "Key of the band: its own signal, or the host's sidechain.",
        _ => "",
    }
}

fn of(id: &str) -> &'static str {
    match id {
        "bypass" => "The input passes unchanged, as late as before, so that nothing shifts.",
        "in_trim" => "Input gain, before everything else.",
        "in_polarity" => "Inverts the polarity.",
        "align_delay" => "Delays this stem, to bring it into time with another.",
        "dc_on" => "Removes a constant offset, which wastes headroom and makes edits click.",
        "dn_on" => {
            "Lowers steady noise: by a learned print, else by the floor of the last two seconds, which it tracks."
        }
        "dn_reduction" => "How much noise is lowered at most.",
        "dn_threshold" => "How far above the noise print something must be to count as signal.",
        "comp_on" => "Switches the compressor on or off.",
        "comp_threshold" => "Level above which the compressor reduces the gain.",
        "comp_ratio" => "Decibels of input per decibel of output, above the threshold.",
        "comp_knee" => "Width of the soft knee around the threshold.",
        "comp_attack" => "Attack time: 63 % of the gain reduction.",
        "comp_release" => "Release time: 63 % of the recovery.",
        "comp_auto" => "The release follows the programme: fast after peaks, slow after dense passages.",
        "comp_cap" => "Largest gain reduction.",
        "comp_detector" => "Level detection: peak or RMS.",
        "comp_lookahead" => "Lookahead: the gain is already reduced when a peak arrives.",
        "comp_hp" => "High-pass of the key signal: keeps bass out of the detector, not out of the sound.",
        "comp_key" => "Key of the compressor: this signal, or the host's sidechain.",
        "comp_link" => {
            "Stereo link: at 100 % both channels get the same gain reduction and the image stays still."
        }
        "comp_mix" => "Mix of compressed and dry signal: 100 % is compressed only.",
        "comp_makeup" => "Gain after compression.",
        "sat_on" => "Switches the saturator on or off.",
        "sat_drive" => "How hard the curve is driven.",
        "sat_curve" => "Soft bends peaks, Clip cuts them.",
        "sat_mix" => "Mix of saturated and dry signal: 100 % is saturated only.",
        "width" => "The side signal's gain: 0 % is mono, 100 % as it came, 200 % twice as wide.",
        "mono_below" => "Makes everything below this frequency mono.",
        "lim_on" => "Switches the limiter on or off. It keeps true peaks below the ceiling.",
        "lim_drive" => "Gain into the limiter.",
        "lim_ceiling" => "The highest true peak that leaves the limiter (BS.1770 Annex 2).",
        "lim_lookahead" => {
            "How long before a peak the limiter starts to turn down: longer is cleaner, shorter is punchier."
        }
        "lim_release" => "Release time after a peak.",
        "lim_link" => "Stereo link: at 100 % both channels get the same gain reduction.",
        "level" => "Output gain.",
        "dither" => {
            "Noise that makes the rounding to fewer bits inaudible as distortion. Only for the final format."
        }
        _ => "",
    }
}

/// Explains a reading by its name.
pub fn reading(name: &str) -> &'static str {
    match name {
        "Momentary" => "Loudness of the last 400 ms, ungated (EBU Tech 3341).",
        "Short-term" => "Loudness of the last 3 s, ungated (EBU Tech 3341).",
        "Momentary max" => "Highest momentary loudness since the meter was started.",
        "Short-term max" => "Highest short-term loudness since the meter was started.",
        "Target" => {
            "Integrated loudness relative to the target: a platform's, or a figure of your own. Click: target, unit (LUFS or LU) and scale, for all windows."
        }
        "Peak L" | "Peak R" => {
            "Level of the channel in dBFS. The line holds for a moment, the figure holds the highest true peak, and the light stays red after one above 0 dBTP. Click: reset."
        }
        "Integrated" => {
            "Loudness of everything heard since the meter was started, without what is too quiet to count (BS.1770)."
        }
        "Heard" => {
            "Duration that the integrated figures cover; what was heard again counts once, as it was last. Click: begin anew."
        }
        "Range" => "Loudness range: how far quiet and loud passages lie apart (EBU Tech 3342).",
        "True peak" => {
            "The highest level between samples, too, since the meter was started (BS.1770 Annex 2)."
        }
        "PLR" => "Peak to loudness: true peak over integrated loudness. Small is dense.",
        "PSR" => {
            "Peak to short-term loudness: true peak of the last 3 s over the loudness of the same 3 s. Small is dense."
        }
        "Gain reduction" => "Momentary gain reduction of compressor and limiter.",
        "Correlation" => "+1: both sides are the same; 0: unrelated; below 0: they cancel in mono.",
        _ => "",
    }
}

/// Explains the threshold of noise reduction per octave.
pub fn noise_curve() -> &'static str {
    "Added to the threshold here: up takes more for noise, down spares it. Drag, Shift for fine, wheel; double-click: 0. Saved with the project, the same for A to D."
}

/// Explains the buttons of references by their words.
pub fn references(name: &str) -> &'static str {
    match name {
        "match" => {
            "Each gets the gain from its integrated loudness to the mix's so far (BS.1770), never more than brings its true peak to 0 dBTP. Never saved, never in a render; ends with the window."
        }
        "Play" => {
            "Plays it instead of the mix, equally loud; again: the mix. The meters keep showing the output."
        }
        "Loudest 20 s" => {
            "Its loudest 20 s again and again, whatever the transport does: its densest part beside yours."
        }
        "With the transport" => {
            "Where the transport is in your song, and from the beginning again when it ends. Of a very long file, the eleven minutes around its loudest part."
        }
        "Add a song\u{2026}" => {
            "WAV, AIFF, FLAC, CAF, MP3, M4A or Ogg in mono or stereo, at any rate. The project remembers where the file is, not what is in it."
        }
        _ => "",
    }
}

/// Explains a monitor mode.
pub fn listening(listen: MonitorMode) -> &'static str {
    match listen {
        MonitorMode::Off => "The plugin's output, as a render contains it.",
        MonitorMode::Delta => "Output minus input: what the chain adds and removes.",
        MonitorMode::Bypass(_) => {
            "The input, as loud as the output was over the last three seconds (K-weighted, BS.1770): what the chain does, without being louder."
        }
        MonitorMode::Gain(_) => {
            "The output with the gain that the platform gives it, once the song is normalized."
        }
        MonitorMode::Unity(_) => {
            "The output without the gain of the limiter's drive: what the limiter does, without being louder."
        }
        MonitorMode::Mono => "Mono: half the sum of both channels.",
        MonitorMode::Side => "Side: half the difference of both channels, which mono loses.",
        MonitorMode::Left => "The left channel on both sides.",
        MonitorMode::Right => "The right channel on both sides.",
        MonitorMode::Band(_) => {
            "The part of the spectrum that this band acts on, through the rest of the chain."
        }
        MonitorMode::Key(_) => "What moves this band: its key, through the rest of the chain.",
        MonitorMode::Removed => "The noise that was removed. If you hear music in it, reduce less.",
        MonitorMode::Mute => "Nothing.",
        MonitorMode::Reference { .. } => {
            "Another song, as loud as the mix was so far (integrated, BS.1770), or as loud as its own true peak allows."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chain::parameters::PARAMETERS;

    #[test]
    fn every_parameter_has_its_meaning() {
        for row in PARAMETERS.all() {
            assert!(!meaning(row).is_empty(), "{}", row.id);
        }
    }
}
