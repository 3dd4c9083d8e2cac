//! `docs/sound.md` and its pictures.

use std::fmt::Write as _;
use std::fs;

use dsp::dither::Dither;
use dsp::equalizer::Shape;
use dsp::limiter::Limiter;
use dsp::saturator::SaturationCurve;

use crate::figure::{Figure, WRITING};
use crate::plots::{PlotAxis, PlotLine, bars, lines};
use crate::{denoise, dither, equalizer, limiter, meters, saturator, whole_chain};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A section of the page.
struct PageSection {
    title: &'static str,
    text: &'static str,
    /// File of the tests that hold its figures.
    tests: &'static str,
    figures: Vec<Figure>,
    /// Name of the picture's file, and its alternative text.
    picture: Option<(&'static str, &'static str)>,
}

/// `cargo xtask measure-sound` runs this one.
#[test]
#[ignore = "writes docs/sound.md: cargo xtask measure-sound"]
fn page() {
    let when = std::env::var(WRITING).expect("cargo xtask measure-sound says when and where");
    fs::create_dir_all(format!("{ROOT}/docs/sound")).expect("can be made");
    let sections = [
        chain_section(),
        equalizer_section(),
        saturator_section(),
        limiter_section(),
        denoise_section(),
        meter_section(),
        dither_section(),
    ];
    let mut page = format!(
        "# Sound

Written by `cargo xtask measure-sound`; not edited by hand. {when}

Every figure is measured by a test that fails beyond the limit, and when this page no longer says what is measured. What
the tests do beyond these figures is in [testing.md](testing.md). Peaks between samples are read by an interpolation of the
tests' own (16 times, 64 taps per phase, Kaiser window), never by the code that is measured. Whatever is below -150 dB is shown as -150.
"
    );
    for PageSection { title, text, tests, figures, picture } in &sections {
        let _ = write!(
            page,
            "\n## {title}\n\n{text} (`{tests}`)\n\n| what | measured | limit |\n|---|---:|---:|\n"
        );
        for figure in figures {
            let _ = writeln!(page, "{}", figure.row());
        }
        if let Some((name, seen)) = picture {
            let _ = write!(page, "\n![{seen}](sound/{name}.svg)\n");
        }
    }
    fs::write(format!("{ROOT}/docs/sound.md"), page).expect("can be written");
    let missed = sections.iter().flat_map(|section| &section.figures).filter(|figure| !figure.is_met());
    let missed: Vec<String> = missed.map(Figure::message).collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

/// Amplitudes in dB.
fn levels(bins: impl Iterator<Item = f64>, hertz_per_bin: f64) -> Vec<(f64, f64)> {
    bins.enumerate().skip(1).map(|(k, x)| (k as f64 * hertz_per_bin, 20.0 * x.max(1e-20).log10())).collect()
}

/// At most 700 points, each the largest of its neighbours: as much as can be seen, and no peak is lost.
fn thinned(points: &[(f64, f64)], decades: bool) -> Vec<(f64, f64)> {
    let place = |at: f64| if decades { at.ln() } else { at };
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Vec::new() };
    let width = (place(last.0) - place(first.0)) / 700.0;
    let column = |at: f64| ((place(at) - place(first.0)) / width) as usize;
    let highest = |a: (f64, f64), b: &(f64, f64)| if b.1 > a.1 { *b } else { a };
    points
        .chunk_by(|a, b| column(a.0) == column(b.0))
        .map(|chunk| chunk.iter().fold(chunk[0], highest))
        .collect()
}

fn line(name: impl Into<String>, points: Vec<(f64, f64)>, colour: usize, width: u32) -> PlotLine {
    PlotLine { name: name.into(), points, colour, width }
}

fn chain_section() -> PageSection {
    PageSection {
        title: "The chain",
        text: "A neutral chain of either kind and any class is its latency and nothing else. What is left over are the \
               last bits of the sine and of the transform that measures.",
        tests: "tests/sound/whole_chain.rs",
        figures: whole_chain::figures(),
        picture: None,
    }
}

fn equalizer_section() -> PageSection {
    const RATE: f64 = 48_000.0;
    let frequencies: Vec<f64> = (0..600).map(|i| 20.0 * 1180f64.powf(f64::from(i) / 599.0)).collect();
    let mut drawn = Vec::new();
    let bands = [
        equalizer::band(Shape::Bell, 100.0, 9.0, 1.0),
        equalizer::band(Shape::Bell, 1000.0, -9.0, 2.0),
        equalizer::band(Shape::Bell, 8000.0, 9.0, 1.0),
        equalizer::band(Shape::Bell, 16_000.0, -9.0, 2.0),
        equalizer::band(Shape::HighShelf, 12_000.0, 6.0, 0.7),
    ];
    for (i, band) in bands.iter().enumerate() {
        let [analogue, ours] = equalizer::curves(band, RATE, &frequencies);
        let name = |text: &str| if i == 0 { text.to_owned() } else { String::new() };
        drawn.push(line(name("analogue prototype"), analogue, 1, 5));
        drawn.push(line(name("Stemlink at 48 kHz"), ours, 0, 2));
    }
    let y = PlotAxis::even("dB", -12.0, 16.0);
    lines(
        "equalizer",
        "Bands against their analogue prototypes",
        &PlotAxis::hertz(20.0, 23_600.0),
        &y,
        &drawn,
    );
    PageSection {
        title: "Equalizer",
        text: "The largest differences from the analogue prototype over a grid of frequency, gain and Q (0.1 to 40) at 44.1, 48, 96 \
               and 192 kHz, where the prototype is above -24 dB.",
        tests: "tests/sound/equalizer.rs",
        figures: equalizer::figures(),
        picture: Some(("equalizer", "Five bands at 48 kHz lie on their analogue prototypes up to Nyquist")),
    }
}

fn saturator_section() -> PageSection {
    const RATE: f64 = 48_000.0;
    let drawn = [("clip", SaturationCurve::Clip, 1), ("soft", SaturationCurve::Soft, 0)].map(
        |(name, curve, colour)| {
            let (bins, _) = saturator::saturated_sine(5000.0 / RATE, &saturator::driven(curve, 6.0));
            let hertz = 0.5 * RATE / (bins.len() - 1) as f64;
            line(name, thinned(&levels(bins.into_iter(), hertz), false), colour, 1)
        },
    );
    let (x, y) = (PlotAxis::even("Hz", 0.0, 24_000.0), PlotAxis::even("dBFS", -180.0, 0.0));
    lines("saturator", "5 kHz of full scale, 6 dB of drive, at 48 kHz", &x, &y, &drawn);
    PageSection {
        title: "Saturator and clipper",
        text: "The largest component of a saturated full-scale sine that is none of its harmonics. Off, or below what a clipper \
               reaches, it keeps every bit.",
        tests: "tests/sound/saturator.rs",
        figures: saturator::figures(),
        picture: Some((
            "saturator",
            "Spectra of a driven sine: harmonics at multiples of 5 kHz, everything else below -96 (clip) and -130 dBFS (soft)",
        )),
    }
}

fn limiter_section() -> PageSection {
    let frequencies =
        [20, 22, 25, 28, 31, 35, 40, 45, 50, 56, 63, 71, 80, 90, 100, 125, 160, 200, 250, 315, 400, 500];
    let releases = [("release 10 ms", 10.0, 1), ("release 200 ms", 200.0, 0)];
    let drawn = releases.map(|(name, release, colour)| {
        let found = frequencies.map(|f| (f as f64, limiter::distortion(f, release, Limiter::STEM)));
        line(name, found.to_vec(), colour, 2)
    });
    let (x, y) = (PlotAxis::hertz(20.0, 500.0), PlotAxis::even("dB", -150.0, 0.0));
    lines("limiter", "THD+N of sines at 3 dB of reduction", &x, &y, &drawn);
    PageSection {
        title: "Limiter",
        text: "How far the true peak of what leaves is above the ceiling: the worst at 44.1, 48, 88.2, 96 and 192 kHz, with 18 dB of \
               drive into material that peaks at full scale. Material to 20 kHz is not needlessly low either: its peaks are \
               within 0.1 dB below the ceiling. And what is added to a bass.",
        tests: "tests/sound/limiter.rs",
        figures: limiter::figures(),
        picture: Some((
            "limiter",
            "What limiting adds to sines of 20 to 500 Hz: next to nothing from 31 Hz on",
        )),
    }
}

fn denoise_section() -> PageSection {
    let found = denoise::on_the_demo();
    let rows: Vec<(String, [f64; 2])> =
        found.iter().map(|(name, kind, (ours, best))| (format!("{name}, {kind}"), [*ours, *best])).collect();
    let y = PlotAxis::even("dB", 0.0, 18.0);
    bars(
        "denoise",
        "Improvement of the ratio of signal to noise, from 10 dB",
        &y,
        ["Stemlink", "oracle"],
        &rows,
    );
    let mut figures = denoise::figures(&found);
    figures.extend(denoise::band_figures());
    PageSection {
        title: "Noise reduction",
        text: "Steady noise is added to each stem of the demo song, 10 dB below it; the print is learned from other noise of the same \
               kind, reduction is 24 dB. The oracle is a Wiener filter on the same frames that knows signal and noise apart.",
        tests: "tests/sound/denoise.rs",
        figures,
        picture: Some(("denoise", "Improvements by stem and kind of noise, ours beside the oracle's")),
    }
}

fn meter_section() -> PageSection {
    let mut drawn = Vec::new();
    for (rate, colour) in [(44_100.0, 0), (96_000.0, 1)] {
        let frequencies = (1..=90).map(|k| f64::from(k) / 200.0 * rate).filter(|f| *f <= 20_000.0);
        let found: Vec<_> = frequencies.map(|f| (f, meters::true_peaks_of(f, rate))).collect();
        let name = format!("{} kHz: from the worst phase to the best", rate / 1000.0);
        drawn.push(line(name, found.iter().map(|(f, peaks)| (*f, peaks.0)).collect(), colour, 2));
        drawn.push(line("", found.iter().map(|(f, peaks)| (*f, peaks.1)).collect(), colour, 2));
    }
    let (x, y) = (PlotAxis::even("Hz", 0.0, 20_000.0), PlotAxis::even("dB", -0.8, 0.4));
    lines("true-peak", "True peak of sines: what is read, against what it is", &x, &y, &drawn);
    PageSection {
        title: "Meters",
        text: "Readings of sines against closed forms. The true peak is that of BS.1770's method at 4 times, whose grid keeps \
               missing the crests of frequencies that are simple fractions of the rate; the limiter's ceiling and the masters' check do not rely on it.",
        tests: "tests/sound/meters.rs",
        figures: meters::figures(),
        picture: Some((
            "true-peak",
            "Errors of the true peak of sines over frequency, at the worst and best phase",
        )),
    }
}

fn dither_section() -> PageSection {
    const RATE: f64 = 44_100.0;
    let kinds = [
        ("16 bits, shaped", Dither::Bits16Shaped, 0, 16),
        ("16 bits, triangular", Dither::Bits16, 1, 16),
        ("24 bits, triangular", Dither::Bits24, 2, 24),
    ];
    let drawn = kinds.map(|(name, dither, colour, bits)| {
        let bins = dither::error_spectrum(RATE, dither);
        // the power of a step squared, and of a hertz of the band, against a sine of full scale
        let step = -20.0 * 2f64.powi(bits - 1).log10() + 10.0 * (2.0 / (0.5 * RATE)).log10();
        let points = (0..200).map(|k| f64::from(k) * 105.0);
        let point = |from| (from + 500.0, dither::over_a_kilohertz(&bins, RATE, from) + step);
        line(name, points.map(point).collect(), colour, 2)
    });
    let (x, y) = (PlotAxis::even("Hz", 0.0, 22_050.0), PlotAxis::even("dBFS per hertz", -200.0, -90.0));
    lines("dither", "Spectra of dither, 44.1 kHz", &x, &y, &drawn);
    PageSection {
        title: "Dither",
        text: "The error of quantization with triangular dither has a quarter of a step squared, whatever the signal; shaping moves it \
               to where it is heard least (Lipshitz, Vanderkooy & Wannamaker 1991).",
        tests: "tests/sound/dither.rs",
        figures: dither::figures(),
        picture: Some((
            "dither",
            "Noise per hertz: flat for triangular dither, a valley at 4 kHz when shaped",
        )),
    }
}
