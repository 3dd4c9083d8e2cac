//! View models as plugins would give them: nothing heard yet, and a vocal in the middle of a song.

use chain::monitor::MonitorMode;
use chain::parameters::{PARAMETERS, Value};
use chain::{ChainKind, ChainSettings, LatencyClass};
use editor::analyser::{AnalyserFrame, FLOOR_DB, NamedSpectrum, SPECTRUM_POINTS, frequency};
use editor::display::DisplaySettings;
use editor::refusals::Refusals;
use editor::view_model::{Clash, MasterModel, ViewModel};
use egui::Color32;
use meter::Reading;
use plugin_core;
use plugin_core::gauges::Health;
use plugin_core::gauges::history::{LoudnessHistory, LoudnessPoint};
use plugin_core::session_view::{LinkedMaster, MasterLink, SessionSnapshot};
use session::audition::AuditionEffect;
use session::heard_part::HeardPart;
use session::role::Role;
use std::sync::Arc;
use units::{Db, Dbtp, Hz, Lu, Lufs, Ms};

/// Sets a parameter from typed text; ids that the table lacks are ignored.
pub fn set(settings: &mut ChainSettings, id: &str, text: &str) {
    if let Some(row) = PARAMETERS.find(id) {
        let value = plugin_core::text::parse(row, text).unwrap_or_else(|| panic!("{id}: {text}"));
        row.set(settings, value);
    }
}

/// A Stem just inserted.
pub fn empty() -> ViewModel {
    ViewModel {
        chain_kind: ChainKind::Stem,
        name: String::new(),
        colour: None,
        role: Role::Other,
        role_is_guessed: true,
        settings: ChainSettings::default(),
        class: ChainKind::Stem.default_class(),
        classes: plugin_core::classes(),
        refusals: Refusals::default(),
        latency: 0,
        rate: Some(Hz(48_000.0)),
        slot: 0,
        used: [false; 4],
        reading: Reading::default(),
        peaks: [None; 2],
        display: DisplaySettings::default(),
        recent: Arc::default(),
        song: Arc::default(),
        playhead: None,
        heard: Ms(0.0),
        restarts_with_play: false,
        health: Health::default(),
        broken: false,
        notice: None,
        picture: AnalyserFrame::silent(),
        others: Vec::new(),
        clashes: Vec::new(),
        learning: None,
        trim: Db(0.0),
        listen: MonitorMode::Off,
        asked: None,
        match_gain: None,
        presets: Vec::new(),
        snapshot: Arc::default(),
        master: MasterModel::default(),
    }
}

/// Published session of a Stem with this link.
pub fn linked(master: MasterLink) -> Arc<SessionSnapshot> {
    Arc::new(SessionSnapshot { master, ..SessionSnapshot::default() })
}

/// Stem in the latency class with noise reduction, which is on.
pub fn denoised() -> ViewModel {
    let mut model = ViewModel { class: LatencyClass::LinearDenoise, ..vocals() };
    set(&mut model.settings, "dn_on", "on");
    model
}

/// A ragged spectrum around `centre`, as music's are.
fn spectrum(centre: f64, top: f64, slope: f64, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut noise = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1u32 << 24) - 0.5
    };
    let mut drift = 0.0;
    (0..SPECTRUM_POINTS)
        .map(|i| {
            drift = 0.7 * drift + 3.2 * noise();
            let octaves = (frequency(i).0 / centre).log2();
            let level = top - slope * octaves.abs().powf(1.35) + drift;
            (level as f32).max(FLOOR_DB)
        })
        .collect()
}

/// Loudness of a song around -18 LUFS with a pause, a point every 100 ms.
pub fn history(start: Ms, count: usize) -> LoudnessHistory {
    let point = |index: usize| {
        let at = start.0 / 1000.0 + index as f64 * 0.1;
        let level = -18.0 + 2.5 * (at * 0.26).sin() + if at < 24.0 { -8.0 } else { 0.0 };
        let sounds = !(80.0..95.0).contains(&at);
        LoudnessPoint {
            momentary: sounds.then_some(Lufs(level + 1.2 + 2.2 * (at * 7.3).sin())),
            short_term: (sounds || at < 83.0).then_some(Lufs(level)),
        }
    };
    LoudnessHistory { start, points: (0..count).map(point).collect() }
}

/// Lead vocals, linked, in the second chorus.
pub fn vocals() -> ViewModel {
    let mut settings = ChainSettings::default();
    for (id, text) in [
        ("eq1_on", "on"),
        ("eq1_shape", "low cut"),
        ("eq1_freq", "80"),
        ("eq1_slope", "24"),
        ("eq2_on", "on"),
        ("eq2_freq", "320"),
        ("eq2_gain", "-2.5"),
        ("eq3_on", "on"),
        ("eq3_freq", "3k"),
        ("eq3_gain", "1.5"),
        ("eq3_q", "0.8"),
        ("eq4_on", "on"),
        ("eq4_freq", "6.5k"),
        ("eq4_q", "2"),
        ("eq4_gain", "-1"),
        ("eq4_range", "-4"),
        ("eq4_threshold", "-31"),
        ("eq4_attack", "1"),
        ("eq4_release", "60"),
        ("eq5_on", "on"),
        ("eq5_shape", "high shelf"),
        ("eq5_freq", "11k"),
        ("eq5_gain", "2"),
        ("comp_on", "on"),
        ("comp_threshold", "-18"),
        ("comp_attack", "15 ms"),
    ] {
        set(&mut settings, id, text);
    }
    // ends where the figure says
    let wave = |i: usize| {
        let beat = ((i + 32) % 94) as f32 / 94.0;
        2.6 * (-3.0 * beat).exp() + 0.35 * ((i as f32) * 0.7).sin().abs()
    };
    let level = |i: usize| {
        let beat = ((i + 32) % 94) as f32 / 94.0;
        0.5 * (-2.2 * beat).exp() + 0.04 * ((i as f32) * 1.7).sin().abs()
    };
    let field = (0..2048)
        .map(|i| {
            let t = i as f32 * 0.11;
            let (mid, side) =
                (0.5 * (t.sin() + 0.6 * (2.7 * t).sin()), 0.11 * (3.1 * t + 1.0).sin() * (0.37 * t).cos());
            [mid + side, mid - side]
        })
        .collect();
    let after = spectrum(900.0, -26.0, 4.4, 7);
    let named = |name: &str, colour, levels| NamedSpectrum { name: name.into(), colour, levels };
    ViewModel {
        name: "Lead Vocals".into(),
        colour: Some([0xD9, 0x8B, 0xB8]),
        role: Role::Vocals,
        settings,
        used: [true, true, false, false],
        reading: Reading {
            momentary: Some(Lufs(-16.9)),
            short_term: Some(Lufs(-17.8)),
            momentary_max: Some(Lufs(-12.0)),
            short_term_max: Some(Lufs(-14.1)),
            integrated: Some(Lufs(-18.4)),
            range: Some(Lu(6.1)),
            true_peak: Some(Dbtp(-3.2)),
            sample_peak: Some(Db(-3.3)),
            psr: Some(Db(12.6)),
            correlation: Some(0.9),
        },
        peaks: [Some(Dbtp(-3.2)), Some(Dbtp(-3.9))],
        recent: Arc::new(history(Ms(107_000.0), 600)),
        song: Arc::new(history(Ms(0.0), 1670)),
        playhead: Some(Ms(163_000.0)),
        heard: Ms(167_000.0),
        health: Health { compressor_reduction: Db(1.4), ..Health::default() },
        picture: AnalyserFrame {
            before: after.iter().enumerate().map(|(i, l)| l + 3.0 * (i as f32 * 0.09).sin() + 1.0).collect(),
            after,
            levels: [-14.0, -15.5],
            holds: [-6.0, -6.6],
            field,
            correlation: Some(0.86),
            reductions: (0..1024).map(|i| [wave(i), 0.0]).collect(),
            highest_reduction: 4.8,
            highest_reductions: [4.8, 0.0],
            peaks: (0..1024).map(|i| [level(i) * 1.3, level(i)]).collect(),
            ..AnalyserFrame::default()
        },
        others: vec![
            named("Drums", Color32::from_rgb(0xE6, 0x9F, 0), spectrum(75.0, -28.0, 3.4, 1)),
            named("Bass", Color32::from_rgb(0x56, 0xB4, 0xE9), spectrum(65.0, -24.0, 5.0, 2)),
            named("Keys", Color32::from_rgb(0x2F, 0xB6, 0x8E), spectrum(420.0, -38.0, 4.0, 3)),
        ],
        clashes: vec![Clash {
            name: "Keys".into(),
            colour: Color32::from_rgb(0x2F, 0xB6, 0x8E),
            low: Hz(280.0),
            high: Hz(620.0),
        }],
        snapshot: linked(MasterLink::Linked(LinkedMaster {
            inside: None,
            stems: 5,
            share: Some(0.46),
            part: HeardPart { heard: Ms(167_000.0), whole: Ms(167_000.0) },
            exact: true,
        })),
        trim: Db(-1.0),
        match_gain: Some(Db(1.8)),
        ..empty()
    }
}

/// The same while the Master's window mutes it.
pub fn muted() -> ViewModel {
    ViewModel { listen: MonitorMode::Mute, asked: Some(AuditionEffect::Muted), ..vocals() }
}

/// Every band in use, every unit on, long names.
pub fn crowded() -> ViewModel {
    let mut model = vocals();
    for band in 1..=8 {
        set(&mut model.settings, &format!("eq{band}_on"), "on");
        set(&mut model.settings, &format!("eq{band}_gain"), if band % 2 == 0 { "-18" } else { "18" });
    }
    set(&mut model.settings, "eq2_place", "side");
    set(&mut model.settings, "eq3_place", "mid");
    for (id, text) in [
        ("dn_on", "on"),
        ("sat_on", "on"),
        ("lim_on", "on"),
        ("width", "140"),
        ("mono_below", "120"),
        ("level", "-24"),
        ("comp_threshold", "-60"),
    ] {
        set(&mut model.settings, id, text);
    }
    model.name = "Backing Vocals Double Left High Octave (comped)".into();
    model.role = Role::Backing;
    model.class = model.classes.last().map_or(model.class, |(class, _)| *class);
    model.latency = 12_345;
    model.heard = Ms(3_725_000.0);
    model.listen = MonitorMode::Bypass(Db(-12.5));
    let colour = Color32::from_rgb(0x56, 0xB4, 0xE9);
    let clash = |name: &str, low, high| Clash { name: name.into(), colour, low: Hz(low), high: Hz(high) };
    model.clashes = vec![
        clash("Drums", 22.0, 45.0),
        clash("Keys", 180.0, 280.0),
        clash("Backing Vocals", 280.0, 620.0),
        clash("Acoustic Guitar Left", 800.0, 1100.0),
        clash("Strings", 14_000.0, 22_000.0),
    ];
    model.reading.true_peak = Some(Dbtp(1.3));
    model.peaks = [Some(Dbtp(1.3)), Some(Dbtp(-12.5))];
    model.reading.short_term = Some(Lufs(-101.2));
    model.health.limiter_reduction = Db(12.5);
    model.picture.correlation = Some(-0.34);
    model.picture.reductions.iter_mut().for_each(|r| r[1] = r[0] * 4.0);
    if let MasterLink::Linked(linked) = &mut Arc::make_mut(&mut model.snapshot).master {
        (linked.stems, linked.exact, linked.share) = (32, false, Some(-0.12));
        model.trim = Db(-12.5);
    }
    model
}

/// Returns the value of a parameter.
pub fn value(model: &ViewModel, id: &str) -> Value {
    PARAMETERS.find(id).map_or(Value::Number(None), |row| row.get(&model.settings))
}

/// Returns the number of a parameter.
pub fn number(model: &ViewModel, id: &str) -> f64 {
    if let Value::Number(Some(x)) = value(model, id) { x } else { f64::NAN }
}
