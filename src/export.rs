//! Export of a session from the link: settings of every Stem, of any process. Runs on a user's request, never on the
//! audio thread.

use super::lag::misalignments;
use super::stem_list::StemList;
use chain::parameters::{PARAMETERS, Parameter, ParameterKind, Value};
use chain::{Chain, ChainKind, ChainSettings, LatencyClass};
use dsp::Process;
use dsp::denoise::{BANDS, CURVE_POINTS, NoisePrint, ThresholdCurve};
use link::records::PublishedSettings;
use link::summary::{SessionSummary, StemFinding};
use link::{InstanceId, PeerView, Roster};
use plugin_core::normalized::{normalized_from_value, value_from_normalized};
use plugin_core::session_export::{Arrival, ChainExport, SessionExport, StemExport};
use plugin_core::session_view::StemCard;
use session::session_report::StemState;
use std::time::Instant;
use units::{Db, Hz};

/// Collects the session of the Master `own_view` with the Stems of its mix; before it has heard any, with all Stems in
/// reach.
pub fn session_export(roster: &'static Roster, own_view: PeerView) -> SessionExport {
    let summary = own_view.summary().unwrap_or_default();
    let heard = summary.stems().next().is_some();
    let mut latencies = ClassLatencies::default();
    let mut export = SessionExport {
        name: own_view.info().map(|info| info.name.as_str().to_owned()).unwrap_or_default(),
        master: chain(ChainKind::Master, &own_view, &mut latencies),
        stems: Vec::new(),
        left_out: Vec::new(),
        coverage: summary.coverage,
    };
    let stems = StemList::new(roster, own_view).stems(Instant::now());
    for card in stems.into_iter().filter(|card| card.status.is_linked()) {
        let found = find(&summary, &card);
        if heard && found.is_none() {
            export.left_out.push(card.name().to_owned());
            continue;
        }
        let view = InstanceId::new(card.id.0).and_then(|id| roster.find(id));
        let gone = || Err("it has left the session".to_owned());
        export.stems.push(StemExport {
            name: card.name().to_owned(),
            role: card.role,
            chain: view.map_or_else(gone, |view| chain(ChainKind::Stem, &view, &mut latencies)),
            trim: card.trim,
            arrival: found.map_or(Arrival::Unknown, |stem| arrival(stem, view)),
        });
    }
    make_delays_relative(
        &mut export.stems,
        own_view.block_status().map_or(0, |status| status.latency as i64),
    );
    export
}

/// Makes delays relative to the most common one, without those that the host compensates.
fn make_delays_relative(stems: &mut [StemExport], master_latency: i64) {
    let lag = |stem: &StemExport| if let Arrival::Found(_, lag) = stem.arrival { Some(lag) } else { None };
    let lags: Vec<Option<i64>> = stems.iter().map(lag).collect();
    for (stem, misalignment) in stems.iter_mut().zip(misalignments(&lags, master_latency)) {
        if let Arrival::Found(_, late) = &mut stem.arrival {
            *late = misalignment;
        }
    }
}

fn find<'a>(summary: &'a SessionSummary, card: &StemCard) -> Option<&'a StemFinding> {
    summary.stems().find(|stem| stem.stem.get() == card.id.0)
}

/// Arrival of a stem in the mix, with its chain's latency added to the delay.
fn arrival(stem: &StemFinding, view: Option<PeerView>) -> Arrival {
    let latency = view.and_then(|view| view.block_status()).map_or(0, |status| status.latency as i64);
    match (stem.matrix, stem.state) {
        (Some(gains), _) => Arrival::Found(gains, stem.delay.unwrap_or(0).saturating_add(latency)),
        (None, StemState::Missing) => Arrival::Muted,
        (None, _) => Arrival::Unknown,
    }
}

/// Settings of the chain of `view`; the error is the reason why they are unknown.
fn chain(
    chain_kind: ChainKind,
    view: &PeerView,
    latencies: &mut ClassLatencies,
) -> Result<ChainExport, String> {
    let silent = "its host has not processed audio with it yet: play the song";
    let settings = view.settings().ok_or(silent)?;
    let status = view.block_status().ok_or(silent)?;
    let class = latencies
        .class(chain_kind, status.rate, status.latency)
        .ok_or("its latency matches no latency class")?;
    let (values, noise, curve) = values(chain_kind, &settings).ok_or("its plugin has another version")?;
    Ok(ChainExport { class, values, noise, curve })
}

/// Decodes published settings; `None` if they follow another parameter table.
pub(super) fn chain_settings(chain_kind: ChainKind, settings: &PublishedSettings) -> Option<ChainSettings> {
    let (values, ..) = values(chain_kind, settings)?;
    let mut chain = ChainSettings::default();
    values.into_iter().for_each(|(row, value)| row.set(&mut chain, value));
    Some(chain)
}

/// Words of a noise print followed by threshold offsets.
const BANDS_AND_CURVE: usize = BANDS + CURVE_POINTS;

type ChainValues = Vec<(&'static Parameter, Value)>;

/// Decodes published settings: a valid value for each parameter, then noise print and threshold offsets, each
/// complete or absent; `None` if they follow another parameter table.
fn values(
    chain_kind: ChainKind,
    settings: &PublishedSettings,
) -> Option<(ChainValues, Option<NoisePrint>, ThresholdCurve)> {
    let rows = PARAMETERS.for_kind(chain_kind).count();
    let behind: Vec<f64> = settings.values().skip(rows).collect::<Option<_>>()?;
    let (levels, points) = match behind.len() {
        0 | CURVE_POINTS => behind.split_at(0),
        BANDS | BANDS_AND_CURVE => behind.split_at(BANDS),
        _ => return None,
    };
    let print = NoisePrint::new(&levels.iter().map(|level| *level as f32).collect::<Vec<_>>());
    let whole = settings.values().len() >= rows && print.is_some() != levels.is_empty();
    if settings.schema != PARAMETERS.schema(chain_kind) || !whole {
        return None;
    }
    let mut curve = ThresholdCurve::default();
    curve.iter_mut().zip(points).for_each(|(to, point)| *to = Db(*point));
    let values = PARAMETERS.for_kind(chain_kind).zip(settings.values());
    let values = values.map(|(row, value)| Some((row, self::value(row, value)?))).collect::<Option<_>>()?;
    Some((values, print, curve))
}

fn value(row: &Parameter, published: Option<f64>) -> Option<Value> {
    match (row.kind, published) {
        (ParameterKind::Switch, Some(on)) => Some(Value::Switch(on != 0.0)),
        (ParameterKind::Choice(choices), Some(index)) => {
            (0..choices.len()).find(|&one| one as f64 == index).map(Value::Choice)
        }
        (ParameterKind::Number { may_be_off: true, .. }, None) => Some(Value::Number(None)),
        // through the normalized value, so that numbers come back exactly as the parameter has them
        (ParameterKind::Number { .. }, Some(x)) => {
            Some(value_from_normalized(row, normalized_from_value(row, Value::Number(Some(x)))))
        }
        (_, None) => None,
    }
}

/// Latencies of the classes by kind and rate, computed when needed: each takes a new chain.
#[derive(Default)]
struct ClassLatencies(Vec<(ChainKind, Hz, [u64; 3])>);

impl ClassLatencies {
    /// Returns the class that has `latency` samples at `rate`.
    fn class(&mut self, chain_kind: ChainKind, rate: Hz, latency: u64) -> Option<LatencyClass> {
        if !(1000.0..=1e6).contains(&rate.0) {
            return None;
        }
        let known =
            self.0.iter().find(|(of, at, _)| (*of, *at) == (chain_kind, rate)).map(|(.., known)| *known);
        let known = known.unwrap_or_else(|| {
            let made = LatencyClass::ALL.map(|class| Chain::new(chain_kind, class, rate).latency().0 as u64);
            self.0.push((chain_kind, rate, made));
            made
        });
        LatencyClass::ALL.into_iter().zip(known).find(|(_, of)| *of == latency).map(|(class, _)| class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn published(chain_kind: ChainKind, fraction: impl Fn(usize) -> f64) -> (PublishedSettings, Vec<Value>) {
        let mut settings = PublishedSettings::new(PARAMETERS.schema(chain_kind), 1);
        let mut values = Vec::new();
        for (n, row) in PARAMETERS.for_kind(chain_kind).enumerate() {
            let mut chain = chain::ChainSettings::default();
            let value = value_from_normalized(row, fraction(n) as f32);
            row.set(&mut chain, value);
            settings.push(match row.get(&chain) {
                Value::Switch(on) => Some(f64::from(u8::from(on))),
                Value::Number(number) => number,
                Value::Choice(index) => Some(index as f64),
            });
            values.push(value);
        }
        (settings, values)
    }

    #[test]
    fn every_value_that_a_plugin_can_have_comes_back() {
        for chain_kind in [ChainKind::Stem, ChainKind::Master] {
            for step in 0..=1000 {
                let (settings, expected) =
                    published(chain_kind, |n| ((step * (n + 1)) % 1001) as f64 / 1000.0);
                let (found, print, curve) = values(chain_kind, &settings).expect("is of this table");
                assert_eq!((print, curve), (None, ThresholdCurve::default()));
                for ((row, value), expected) in found.into_iter().zip(expected) {
                    assert_eq!(value, expected, "{}", row.id);
                }
            }
        }
    }

    #[test]
    fn a_noise_print_comes_behind_the_parameters_whole_or_not_at_all() {
        let levels: Vec<f32> = (0..BANDS).map(|band| -100.0 + band as f32 / 7.0).collect();
        for chain_kind in [ChainKind::Stem, ChainKind::Master] {
            let (mut settings, _) = published(chain_kind, |_| 0.5);
            for (band, level) in levels.iter().enumerate() {
                let whole = band == 0 || band == CURVE_POINTS;
                assert!(whole || values(chain_kind, &settings).is_none(), "{band} levels");
                settings.push(Some(f64::from(*level)));
            }
            let (_, print, curve) = values(chain_kind, &settings).expect("is of this table");
            assert_eq!((print, curve), (NoisePrint::new(&levels), ThresholdCurve::default()));
            let points: ThresholdCurve = core::array::from_fn(|n| Db(n as f64 / 7.0));
            for (n, point) in points.iter().enumerate() {
                assert!(n == 0 || values(chain_kind, &settings).is_none(), "{n} points");
                settings.push(Some(point.0));
            }
            let (_, print, curve) = values(chain_kind, &settings).expect("there is room for both");
            assert_eq!((print, curve), (NoisePrint::new(&levels), points));
            let (mut settings, _) = published(chain_kind, |_| 0.5);
            points.iter().for_each(|point| settings.push(Some(point.0)));
            let (_, print, curve) = values(chain_kind, &settings).expect("is of this table");
            assert_eq!((print, curve), (None, points));
        }
    }

    #[test]
    fn only_a_delay_other_than_the_most_common_one_counts() {
        let stem = |arrival| StemExport {
            name: String::new(),
            role: session::role::Role::Other,
            chain: Err(String::new()),
            trim: units::Db(0.0),
            arrival,
        };
        let at = |late| stem(Arrival::Found([[1.0; 2]; 2], late));
        let mut stems = vec![at(7000), stem(Arrival::Muted), at(400), at(400), at(464)];
        make_delays_relative(&mut stems, 0);
        assert_eq!(stems, [at(6600), stem(Arrival::Muted), at(0), at(0), at(64)]);
        let mut two = [at(64), at(0)];
        make_delays_relative(&mut two, 0);
        assert_eq!(two, [at(64), at(0)]);
    }

    #[test]
    fn settings_of_another_table_are_not_taken_for_ours() {
        let (stem, _) = published(ChainKind::Stem, |_| 0.5);
        assert!(values(ChainKind::Stem, &stem).is_some() && values(ChainKind::Master, &stem).is_none());
        assert_eq!(
            values(ChainKind::Stem, &PublishedSettings::new(PARAMETERS.schema(ChainKind::Stem), 1)),
            None
        );
    }

    #[test]
    fn the_class_in_force_follows_from_its_latency() {
        let mut latencies = ClassLatencies::default();
        for (rate, chain_kind) in
            [(44_100.0, ChainKind::Stem), (192_000.0, ChainKind::Master), (44_100.0, ChainKind::Stem)]
        {
            for class in LatencyClass::ALL {
                let latency = Chain::new(chain_kind, class, Hz(rate)).latency().0 as u64;
                assert_eq!(latencies.class(chain_kind, Hz(rate), latency), Some(class));
                assert_eq!(latencies.class(chain_kind, Hz(rate), latency + 1), None);
            }
        }
        assert_eq!(latencies.class(ChainKind::Stem, Hz(f64::NAN), 0), None);
    }

    proptest! {
        #[test]
        fn every_decoded_value_is_valid(
            numbers in proptest::collection::vec(proptest::option::of(any::<f64>()), 256),
        ) {
            let mut settings = PublishedSettings::new(PARAMETERS.schema(ChainKind::Stem), 1);
            numbers.into_iter().take(PARAMETERS.for_kind(ChainKind::Stem).count()).for_each(|x| settings.push(x));
            for (row, value) in values(ChainKind::Stem, &settings).into_iter().flat_map(|(values, ..)| values) {
                if let (ParameterKind::Number { min, max, .. }, Value::Number(Some(x))) = (row.kind, value) {
                    prop_assert!((min..=max).contains(&x), "{} {x}", row.id);
                }
            }
        }
    }
}
