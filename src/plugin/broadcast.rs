//! The audio thread's part in the link: what a plugin tells others, and a Master's ears.

use crate::chain::parameters::{PARAMETERS, Value};
use crate::chain::{ChainSettings, Seat};
use crate::gauges::{Gauges, Health};
use crate::link::Outlet;
use crate::link::observe::Observer;
use crate::link::snapshot::{Pulse, Settings};
use crate::session::timeline::Flywheel;
use crate::units::{Db, Hz};
use std::sync::Arc;

/// What the host says about a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// Whether the transport runs.
    pub playing: bool,
    /// Where the block begins on the project's timeline, in frames; `None` if the host does not say.
    pub position: Option<i64>,
}

impl Moment {
    /// Where on the timeline the frame `frames` into the block is played; `None` while nothing is.
    fn place(self, frames: usize) -> Option<i64> {
        self.position.filter(|_| self.playing).map(|position| position.saturating_add(frames as i64))
    }
}

/// Tells others of a plugin's audio. Neither allocates nor waits after [`Self::prepare`].
#[derive(Debug)]
pub struct Broadcast {
    seat: Seat,
    /// Of the table's rows: those who have the same understand each other's settings.
    schema: u64,
    outlet: Outlet,
    /// A Master's.
    observer: Option<Observer>,
    wheel: Flywheel,
    pulse: Pulse,
    /// The settings in force, at unity level.
    settings: ChainSettings,
    /// Of the settings in force.
    revision: u64,
    gauges: Arc<Gauges>,
    /// Hops that the gauges had when their loudness was last told.
    told_hops: u64,
}

impl Broadcast {
    /// A broadcast through `outlet` for a plugin in `seat`.
    pub fn new(seat: Seat, outlet: Outlet, gauges: Arc<Gauges>) -> Self {
        Self {
            seat,
            schema: PARAMETERS.schema(seat),
            outlet,
            observer: None,
            wheel: Flywheel::default(),
            pulse: Pulse::default(),
            settings: ChainSettings::default(),
            revision: 0,
            gauges,
            told_hops: 0,
        }
    }

    /// The host activates: audio at `rate`, a chain of `latency` frames; `observer` for a Master. Allocates.
    pub fn prepare(&mut self, rate: Hz, latency: usize, observer: Option<Observer>) {
        self.outlet.prepare(rate);
        self.observer = observer;
        self.pulse = Pulse { rate, latency: latency as u64, ..self.pulse };
        self.outlet.tell(&self.pulse);
        self.interrupt();
    }

    /// What comes does not continue what came.
    pub fn interrupt(&mut self) {
        self.wheel.break_off();
        if let Some(observer) = &mut self.observer {
            observer.interrupt();
        }
    }

    /// The chain's settings from here on.
    pub fn set(&mut self, settings: &ChainSettings) {
        let rest = ChainSettings { level: Db(0.0), ..settings.clone() };
        if self.revision == 0 || rest != self.settings {
            self.revision += 1;
            self.settings = rest;
        }
        self.outlet.mark(self.revision, settings.level);
        self.pulse.revision += 1;
        let mut values = Settings::new(self.schema, self.pulse.revision);
        for row in PARAMETERS.of(self.seat) {
            values.push(match row.get(settings) {
                Value::Switch(on) => Some(f64::from(u8::from(on))),
                Value::Number(number) => number,
                Value::Choice(index) => Some(index as f64),
            });
        }
        self.outlet.set(&values);
    }

    /// A part of a block before the chain: `at` frames into the block of `moment`.
    pub fn hear(&mut self, moment: Moment, at: usize, mix: [&[f64]; 2]) {
        if let Some(observer) = &mut self.observer {
            observer.process(moment.place(at), mix);
        }
    }

    /// The same part behind the chain, and as it entered, as late as the chain is.
    pub fn send(&mut self, moment: Moment, at: usize, input: [&[f64]; 2], output: [&[f64]; 2]) {
        let place = self.wheel.locate(moment.place(at), output[0].len());
        self.outlet.write(place, input, output);
    }

    /// The block is over.
    pub fn tell(&mut self, moment: Moment, health: &Health) {
        let hops = self.gauges.hops();
        if hops != self.told_hops {
            self.told_hops = hops;
            (self.pulse.momentary, self.pulse.short_term) = self.gauges.now();
        }
        self.pulse = Pulse {
            blocks: self.pulse.blocks.wrapping_add(1),
            playing: moment.playing,
            position: moment.position,
            compressor_reduction: health.compressor_reduction,
            limiter_reduction: health.limiter_reduction,
            sanitized: health.sanitized,
            faults: health.faults,
            ..self.pulse
        };
        self.outlet.tell(&self.pulse);
    }
}
