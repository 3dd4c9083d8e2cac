//! The plugins in a CLAP host. clap-validator's list of tests is covered by those here and in the files beside it;
//! docs/testing.md says which by which.

#![allow(clippy::print_stdout, reason = "what is measured, and never judged, is printed")]

mod clap {
    mod audio;
    mod automation;
    mod golden;
    mod layouts;
    mod parameters;
    mod presets;
    mod scan;
    mod state;
    mod transport;

    use chain::{ChainKind, ChainSettings, LatencyClass};
    use hosttests::reference::{self, TYPED};
    use hosttests::{Change, MASTER, Plugin, Random, STEM};

    pub(crate) const RATE: f64 = 48_000.0;
    pub(crate) const PLUGINS: [(&str, ChainKind); 2] = [(STEM, ChainKind::Stem), (MASTER, ChainKind::Master)];

    /// Output of the chain itself.
    pub(crate) fn through_chain(
        chain_kind: ChainKind,
        class: LatencyClass,
        settings: &ChainSettings,
        main: &[Vec<f32>],
        key: Option<&[Vec<f32>]>,
    ) -> Vec<Vec<f32>> {
        reference::through_chain((chain_kind, class, RATE), settings, main, key)
    }

    /// The changes that set what a person would type.
    pub(crate) fn typed(plugin: &mut Plugin) -> Vec<Change> {
        TYPED.iter().map(|(name, text, _, _)| plugin.typed(0, name, text)).collect()
    }

    /// A value at random for every parameter, the same for the same seed; `extreme` takes lowest and highest only.
    pub(crate) fn scrambled(plugin: &mut Plugin, seed: u64, extreme: bool) -> Vec<Change> {
        let mut random = Random::new(seed);
        let fraction = |unit: f64| if extreme { unit.round() } else { unit };
        let rows = plugin.rows();
        rows.iter().map(|row| Change { at: 0, id: row.id, value: row.at(fraction(random.unit())) }).collect()
    }
}
