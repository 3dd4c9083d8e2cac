//! Every parameter of a plugin is in its window, as a control with the name of the host's list.

use chain::parameters::PARAMETERS;
use chain::{ChainKind, LatencyClass};
use editor::theme::Palette;
use editor::view_model::ViewModel;
use egui::accesskit::Role;
use egui::vec2;
use egui_kittest::kittest::{NodeT, Queryable};
use plugin_core::control::full_name;
use std::collections::BTreeSet;
use viewtests::bench::{self, Driven};
use viewtests::hands::press;
use viewtests::{scene, session};

const BANDS: usize = 8;

/// A chain with every unit on, in the highest latency class.
fn model(chain_kind: ChainKind) -> ViewModel {
    let model = if chain_kind == ChainKind::Stem { scene::vocals() } else { session::five() };
    ViewModel { class: LatencyClass::LinearDenoise, ..model }
}

/// The view of the chain.
fn chain(model: ViewModel) -> Driven {
    let chain_kind = model.chain_kind;
    let mut driven = bench::view(model, Palette::DARK, vec2(1000.0, 640.0), 1.0);
    if chain_kind == ChainKind::Master {
        press(&mut driven, "Chain");
    }
    driven
}

/// Names of all controls that can be set.
fn controls(driven: &Driven) -> BTreeSet<String> {
    const SETTABLE: [Role; 5] = [Role::SpinButton, Role::Slider, Role::ComboBox, Role::Switch, Role::Button];
    let all = driven.query_all_by(|node| SETTABLE.contains(&node.role()) && !node.is_disabled());
    all.filter_map(|node| node.accesskit_node().label()).collect()
}

#[test]
fn every_parameter_is_a_control_of_the_window() {
    for chain_kind in [ChainKind::Stem, ChainKind::Master] {
        let mut found = controls(&chain(model(chain_kind)));
        let units = ["Denoise", "Compressor", "Saturator", "Width", "Limiter"]
            .map(|unit| format!("{unit}: everything"));
        for opener in units.iter().map(String::as_str).chain(["Input and output"]) {
            let mut driven = chain(model(chain_kind));
            press(&mut driven, opener);
            found.extend(controls(&driven));
        }
        for band in 1..=BANDS {
            // a band shows what its shape has: a bell that moves all but the slope, which is a cut's
            for shape in ["bell", "low cut"] {
                let mut model = model(chain_kind);
                for (id, value) in [("on", "on"), ("shape", shape), ("range", "-6")] {
                    scene::set(&mut model.settings, &format!("eq{band}_{id}"), value);
                }
                let mut driven = chain(model);
                press(&mut driven, &format!("Band {band}"));
                found.extend(controls(&driven));
            }
        }
        let names = PARAMETERS.for_kind(chain_kind).map(full_name).chain(["Latency class".into()]);
        let missing: Vec<String> = names.filter(|name| !found.contains(name)).collect();
        assert!(missing.is_empty(), "{chain_kind:?}: in no view: {missing:?}");
    }
}
