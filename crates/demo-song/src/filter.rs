//! Filters of the synthesizer.

use core::f64::consts::PI;

use units::Hz;

/// The outputs of [`Filter`] for one sample.
pub(super) struct BandFilters {
    pub(super) low: f64,
    /// Unity gain at the corner.
    pub(super) band: f64,
    pub(super) high: f64,
}

/// A two-pole state variable filter, trapezoidal, safe to sweep
/// (Zavalishin, "The Art of VA Filter Design", rev. 2.1.2, section 4.4).
#[derive(Clone)]
pub(super) struct Filter {
    states: [f64; 2],
    g: f64,
    damping: f64,
    norm: f64,
    rate: f64,
}

impl Filter {
    /// A filter with its corner at `hertz` and quality `q`.
    pub(super) fn new(hertz: f64, q: f64, rate: Hz) -> Self {
        let mut filter = Self { states: [0.0; 2], g: 0.0, damping: 1.0, norm: 1.0, rate: rate.0 };
        filter.tune(hertz, q);
        filter
    }

    /// Moves the corner, held below 0.45 of the rate; the state is kept.
    pub(super) fn tune(&mut self, hertz: f64, q: f64) {
        self.g = (PI * hertz.min(0.45 * self.rate) / self.rate).tan();
        self.damping = 1.0 / q;
        self.norm = 1.0 / (1.0 + self.g * (self.g + self.damping));
    }

    #[inline]
    pub(super) fn next(&mut self, input: f64) -> BandFilters {
        let [s1, s2] = self.states;
        let high = (input - (self.g + self.damping) * s1 - s2) * self.norm;
        let v1 = self.g * high;
        let band = v1 + s1;
        let v2 = self.g * band;
        let low = v2 + s2;
        self.states = [band + v1, low + v2];
        BandFilters { low, band: band * self.damping, high }
    }
}

/// A two-pole resonance with unity gain at 0 Hz; a chain of them is a vocal tract
/// (Klatt, "Software for a cascade/parallel formant synthesizer", JASA 67(3), 1980, eq. 1 and 2).
#[derive(Clone, Default)]
pub(super) struct Resonance {
    states: [f64; 2],
    a: f64,
    b: f64,
    c: f64,
}

impl Resonance {
    /// Moves the resonance; the state is kept.
    pub(super) fn tune(&mut self, hertz: f64, bandwidth: f64, rate: Hz) {
        let radius = (-PI * bandwidth / rate.0).exp();
        self.c = -radius * radius;
        self.b = 2.0 * radius * (2.0 * PI * hertz / rate.0).cos();
        self.a = 1.0 - self.b - self.c;
    }

    #[inline]
    pub(super) fn next(&mut self, input: f64) -> f64 {
        let output = self.a * input + self.b * self.states[0] + self.c * self.states[1];
        self.states = [output, self.states[0]];
        output
    }
}

/// A one-pole low-pass: 63 % of a step after `seconds`.
#[derive(Clone, Copy)]
pub(super) struct Smooth {
    state: f64,
    share: f64,
}

impl Smooth {
    pub(super) fn new(start: f64, seconds: f64, rate: Hz) -> Self {
        Self { state: start, share: 1.0 - (-1.0 / (seconds * rate.0)).exp() }
    }

    #[inline]
    pub(super) fn next(&mut self, goal: f64) -> f64 {
        self.state += self.share * (goal - self.state);
        self.state
    }
}
