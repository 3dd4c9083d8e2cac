//! Export of a session: settings of the Master and its Stems, and the session file that `stems master` reads.
//!
//! Anything unknown becomes a remark in the file; it does not stop the export.

use chain::LatencyClass;
use chain::parameters::{Parameter, Value};
use dsp::denoise::{NoisePrint, ThresholdCurve};
use project::fader::Fader;
use project::session::MasterLoudness;
use project::session_file::{ChainDraft, SessionDraft, StemDraft};
use session::role::Role;
use units::Db;

/// Settings of a chain.
#[derive(Clone, Debug, PartialEq)]
pub struct ChainExport {
    /// Latency class in use.
    pub class: LatencyClass,
    /// Values of all parameters.
    pub values: Vec<(&'static Parameter, Value)>,
    /// Learned noise print; `None`: the noise is tracked.
    pub noise: Option<NoisePrint>,
    /// Threshold offsets of noise reduction per octave.
    pub curve: ThresholdCurve,
}

/// Arrival of a stem in the mix.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Arrival {
    /// Not heard yet.
    #[default]
    Unknown,
    /// The stem plays, but is not in the mix.
    Muted,
    /// Linear gains `[to][from]`, and the delay relative to the other stems, frames.
    Found([[f64; 2]; 2], i64),
}

/// Export of one stem.
#[derive(Clone, Debug, PartialEq)]
pub struct StemExport {
    /// Name of the stem.
    pub name: String,
    /// Role of the stem.
    pub role: Role,
    /// Its chain; else the reason for which it is unknown.
    pub chain: Result<ChainExport, String>,
    /// Change of its level that a Master has requested.
    pub trim: Db,
    /// Gain and delay behind its chain.
    pub arrival: Arrival,
}

/// Export of a session.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionExport {
    /// Name of the Master's track.
    pub name: String,
    /// The Master's chain; else the reason for which it is unknown.
    pub master: Result<ChainExport, String>,
    /// Stems of the mix.
    pub stems: Vec<StemExport>,
    /// Names of Stems in reach that are not in this mix.
    pub left_out: Vec<String>,
    /// Share of the mix that the stems explain, 0 to 1; `None` before it is known.
    pub coverage: Option<f64>,
}

/// Distance from unity, or from zero, within which a gain is rounded to it: -100 dB, the uncertainty of the fit.
const UNITY_TOLERANCE: f64 = 1e-5;

/// Coverage from which the mix counts as complete: a residual of -60 dB.
const COMPLETE_COVERAGE: f64 = 0.999_999;

impl Arrival {
    /// Gains where they are known, with unity and zero rounded.
    fn gains(self) -> Option<[[f64; 2]; 2]> {
        let tidy = |gain: f64| match gain {
            gain if (gain - 1.0).abs() < UNITY_TOLERANCE => 1.0,
            gain if gain.abs() < UNITY_TOLERANCE => 0.0,
            gain => gain,
        };
        if let Self::Found(gains, _) = self { Some(gains.map(|row| row.map(tidy))) } else { None }
    }
}

impl StemExport {
    fn remarks(&self) -> Vec<String> {
        let name = &self.name;
        let mut remarks = Vec::new();
        if let Err(why) = &self.chain {
            remarks.push(format!("{name}: settings unknown ({why}); its chain is neutral in this file"));
        }
        match self.arrival {
            Arrival::Unknown => {
                remarks.push(format!("{name}: fader and pan are unknown; play the song and export again"));
            }
            Arrival::Muted => {
                remarks.push(format!("{name}: plays, but is not in the mix; muted in this file, too"));
            }
            Arrival::Found(_, delay) if delay != 0 => remarks.push(format!(
                "{name}: arrives {} samples {} in the project; in time in this file",
                delay.abs(),
                if delay > 0 { "late" } else { "early" }
            )),
            Arrival::Found(..) => {}
        }
        remarks
    }
}

impl SessionExport {
    /// Returns one sentence for everything that is unknown or differs from the project.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if let Err(why) = &self.master {
            remarks.push(format!("Master: settings unknown ({why}); its chain is neutral in this file"));
        }
        if self.stems.is_empty() {
            remarks.push("no Stems are linked".into());
        }
        if let Some(coverage) = self.coverage.filter(|coverage| *coverage < COMPLETE_COVERAGE) {
            let percent = (coverage * 1e5).floor() / 1e3;
            remarks.push(format!(
                "the stems explain only {percent} % of the mix: faders and pans may be inexact, and the rest is missing in this file"
            ));
        }
        remarks.extend(self.stems.iter().flat_map(StemExport::remarks));
        for name in &self.left_out {
            remarks.push(format!("{name}: not in this mix, or inside another Stem; left out"));
        }
        remarks
    }

    /// Returns the text of the session file.
    pub fn write(&self) -> String {
        let mut comment = vec![
            format!(
                "Stemlink session of {}, exported by Stemlink Master {}.",
                self.name,
                env!("CARGO_PKG_VERSION")
            ),
            "Export each stem as it enters its Stem, to a file named like its track; then".into(),
            "stems master FOLDER --session FILE renders what the plugins play.".into(),
        ];
        let remarks = self.remarks();
        if !remarks.is_empty() {
            comment.extend([String::new(), "Differences from the project:".into()]);
        }
        comment.extend(remarks.iter().map(|remark| format!("- {remark}")));
        SessionDraft {
            comment,
            loudness: MasterLoudness::AsHeard,
            master: self.master.as_ref().ok().map(ChainExport::draft),
            stems: self.stems.iter().map(StemExport::draft).collect(),
        }
        .text()
    }
}

impl ChainExport {
    /// Chain for the session file.
    fn draft(&self) -> ChainDraft<'_> {
        ChainDraft {
            latency: self.class,
            values: &self.values,
            noise: self.noise.as_ref(),
            curve: &self.curve,
        }
    }
}

impl StemExport {
    /// Stem for the session file.
    fn draft(&self) -> StemDraft<'_> {
        StemDraft {
            name: &self.name,
            role: self.role,
            chain: self.chain.as_ref().ok().map(ChainExport::draft),
            trim: self.trim,
            fader: self.arrival.gains().map(Fader::new),
            mute: self.arrival == Arrival::Muted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chain::ChainKind;
    use chain::parameters::PARAMETERS;

    fn chain(chain_kind: ChainKind, class: LatencyClass, set: &[(&str, Value)]) -> ChainExport {
        let value = |row: &'static Parameter| {
            set.iter().find(|(id, _)| *id == row.id).map_or(row.default, |(_, value)| *value)
        };
        ChainExport {
            class,
            values: PARAMETERS.for_kind(chain_kind).map(|row| (row, value(row))).collect(),
            noise: None,
            curve: ThresholdCurve::default(),
        }
    }

    fn stem(name: &str, arrival: Arrival) -> StemExport {
        let level = ("level", Value::Number(Some(-1.5)));
        StemExport {
            name: name.into(),
            role: Role::Drums,
            chain: Ok(chain(ChainKind::Stem, LatencyClass::Zero, &[level, ("sat_on", Value::Switch(true))])),
            trim: Db(0.0),
            arrival,
        }
    }

    fn session(stems: Vec<StemExport>) -> SessionExport {
        let dither = ("dither", Value::Choice(1));
        let master = Ok(chain(ChainKind::Master, LatencyClass::Lookahead, &[dither]));
        SessionExport { name: "Mix".into(), master, stems, left_out: Vec::new(), coverage: Some(0.999_999_9) }
    }

    #[test]
    fn only_what_is_set_is_written_and_units_that_are_absent_are_comments() {
        let found = Arrival::Found([[0.999_999_9, 1e-7], [0.0, 0.5]], 0);
        let mut one = stem("Kick \"A\"", found);
        one.trim = Db(2.25);
        let text = session(vec![one]).write();
        let of = |start: &str| text.lines().find(|line| line.starts_with(start));
        assert_eq!(of("dither"), Some("dither = \"24 bit\""));
        assert_eq!(of("name"), Some(r#"name = "Kick \"A\"""#));
        assert_eq!((of("trim"), of("fader")), (Some("trim = 2.25"), Some("fader = [1.0, 0.5]")));
        assert_eq!((of("level"), of("sat_on")), (Some("level = -1.5"), None));
        assert!(of("# not in this latency class: sat_on = true").is_some() && of("# -").is_none(), "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with("comp_")).count(), 0);
        assert_eq!(of("dn_print"), None);
    }

    #[test]
    fn what_could_not_be_had_is_said_and_the_rest_is_written() {
        let mut lost = stem("Bass", Arrival::Unknown);
        lost.chain = Err("its plugin has another version".into());
        let crossed = Arrival::Found([[0.5, 0.25], [0.0, 0.5]], 64);
        let mut session = session(vec![lost, stem("Bass", Arrival::Muted), stem("bass", crossed)]);
        session.left_out.push("Drums\nschema = 3".into());
        session.coverage = Some(0.987_65);
        let text = session.write();
        for part in [
            "# - Bass: settings unknown (its plugin has another version); its chain is neutral in this file\n",
            "# - Bass: fader and pan are unknown",
            "# - Bass: plays, but is not in the mix",
            "# - bass: arrives 64 samples late",
            "# - the stems explain only 98.765 % of the mix",
            "# - Drums schema = 3: not in this mix",
            "name = \"Bass 2\"\n",
            "name = \"bass 3\"\n",
            "mute = true\n",
            "fader = [[0.5, 0.25], [0.0, 0.5]]\n",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert_eq!(session.remarks().len(), 6);
        assert_eq!(text.matches("level = -1.5").count(), 2);
    }

    #[test]
    fn the_text_is_toml_whatever_the_names_are() {
        for name in ["", "a \"quoted\" \\ name", "new\nline # [x]", "B\u{e4}ss \u{200b}\u{7f}"] {
            let mut session = session(vec![stem(name, Arrival::Unknown)]);
            session.name = name.into();
            session.left_out = vec![name.into()];
            let table: toml::Table = session.write().parse().expect(name);
            assert_eq!(table["stems"][0]["role"].as_str(), Some("drums"));
        }
    }
}
