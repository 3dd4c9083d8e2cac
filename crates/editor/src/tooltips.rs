//! Tooltips: one or two sentences for each parameter, reading and way of listening.

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
        "on" => "Whether this band is heard.",
        "shape" => {
            "What the band does: a bell around its frequency, a shelf beside it, a cut beyond it, a notch at it, a tilt about it."
        }
        "freq" => "Where the band acts.",
        "gain" => "How much the band raises or lowers. Boost and cut of equal gain and Q cancel exactly.",
        "q" => "How narrow the band is. For cuts it sharpens the corner; 1 is a pure Butterworth.",
        "slope" => "How steeply a cut falls.",
        "place" => "What part of the stereo field the band acts on.",
        "range" => {
            "How far the level may move the band's gain: down when negative, up when positive. At 0 the band is static."
        }
        "threshold" => "The level within the band from which on it moves.",
        "attack" => "How fast the band moves when the level rises: the time for 63 % of the way.",
        "release" => "How fast the band returns when the level falls: the time for 63 % of the way.",
        "key" => "What moves the band: its own signal, or what the host sends to the sidechain.",
        _ => "",
    }
}

fn of(id: &str) -> &'static str {
    match id {
        "bypass" => "The input passes unchanged, as late as before, so that nothing shifts.",
        "in_trim" => "Gain before everything else.",
        "in_polarity" => "Turns the waveform upside down.",
        "align_delay" => "Delays this stem, to bring it into time with another.",
        "dc_on" => "Removes a constant offset, which wastes headroom and makes edits click.",
        "dn_on" => {
            "Lowers steady noise: by a learned print, else by the floor of the last two seconds, which it tracks."
        }
        "dn_reduction" => "How much noise is lowered at most.",
        "dn_threshold" => "How far above the noise print something must be to count as signal.",
        "comp_on" => "Whether the compressor is heard.",
        "comp_threshold" => "The level from which on the compressor turns down.",
        "comp_ratio" => "How many decibels more in make one decibel more out, above the threshold.",
        "comp_knee" => "How gradually compression begins: the width of the bend around the threshold.",
        "comp_attack" => "How fast it turns down: the time for 63 % of the way.",
        "comp_release" => "How fast it lets go: the time for 63 % of the way.",
        "comp_auto" => "The release follows the programme: fast after peaks, slow after dense passages.",
        "comp_cap" => "The most it may ever turn down.",
        "comp_detector" => "What it listens to: the highest sample, or the power (RMS).",
        "comp_lookahead" => "How long it sees ahead, so that it has turned down when a peak arrives.",
        "comp_hp" => "Keeps bass out of what the compressor listens to; the sound keeps it.",
        "comp_key" => "What the compressor listens to: this signal, or what the host sends to the sidechain.",
        "comp_link" => "How much both sides are turned down alike; 100 % keeps the stereo image still.",
        "comp_mix" => "Compressed beside uncompressed: 100 % is compressed alone.",
        "comp_makeup" => "Gain after compression.",
        "sat_on" => "Whether the saturator is heard.",
        "sat_drive" => "How hard the curve is driven.",
        "sat_curve" => "Soft bends peaks, Clip cuts them.",
        "sat_mix" => "Saturated beside clean: 100 % is saturated alone.",
        "width" => "The side signal's gain: 0 % is mono, 100 % as it came, 200 % twice as wide.",
        "mono_below" => "Makes everything below this frequency mono.",
        "lim_on" => "Whether the limiter is heard. It keeps true peaks below the ceiling.",
        "lim_drive" => "Gain into the limiter.",
        "lim_ceiling" => "The highest true peak that leaves the limiter (BS.1770 Annex 2).",
        "lim_lookahead" => {
            "How long before a peak the limiter starts to turn down: longer is cleaner, shorter is punchier."
        }
        "lim_release" => "How fast it lets go after a peak.",
        "lim_link" => "How much both sides are turned down alike.",
        "level" => "Gain of what leaves.",
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
        "Integrated" => {
            "Loudness of everything heard since the meter was started, without what is too quiet to count (BS.1770)."
        }
        "Heard" => "How much programme the integrated figures are of. Click to start anew.",
        "Range" => "Loudness range: how far quiet and loud passages lie apart (EBU Tech 3342).",
        "True peak" => {
            "The highest level between samples, too, since the meter was started (BS.1770 Annex 2)."
        }
        "PLR" => "Peak to loudness: true peak over integrated loudness. Small is dense.",
        "PSR" => {
            "Peak to short-term loudness: true peak of the last 3 s over the loudness of the same 3 s. Small is dense."
        }
        "Gain reduction" => "What compressor and limiter take away at this moment.",
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
        "Hear" => {
            "Hear it instead of the mix, equally loud; again: the mix. The meters go on saying what leaves."
        }
        "Loudest 20 s" => {
            "Its loudest 20 s again and again, whatever the transport does: its densest part beside yours."
        }
        "With the transport" => {
            "Where the transport is in your song, and from the beginning again when it ends. Of a very long file, the eleven minutes around its loudest part."
        }
        "Add a song\u{2026}" => {
            "WAV, AIFF or FLAC in mono or stereo, at any rate. The project remembers where the file is, not what is in it."
        }
        _ => "",
    }
}

/// Explains a way of listening.
pub fn listening(listen: MonitorMode) -> &'static str {
    match listen {
        MonitorMode::Off => "What leaves the plugin, and what a render contains.",
        MonitorMode::Delta => "Output less input: what the chain adds and takes.",
        MonitorMode::Bypass(_) => {
            "The input, as loud as the output was over the last three seconds (K-weighted, BS.1770): what the chain does, without being louder."
        }
        MonitorMode::Gain(_) => {
            "The output with the gain that the platform gives it, once the song is normalized."
        }
        MonitorMode::Mono => "Half the sum of both sides: what a telephone plays.",
        MonitorMode::Side => "Half the difference of both sides: what mono loses.",
        MonitorMode::Left => "The left side alone, on both.",
        MonitorMode::Right => "The right side alone, on both.",
        MonitorMode::Band(_) => {
            "The part of the spectrum that this band acts on, through the rest of the chain."
        }
        MonitorMode::Key(_) => "What moves this band: its key, through the rest of the chain.",
        MonitorMode::Removed => "What noise reduction has taken out. Music in it is too much reduction.",
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
