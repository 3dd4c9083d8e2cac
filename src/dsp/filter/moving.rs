//! Sections in series that move by what they hear, side by side in vectors.

use super::cascade::{LANES, NOTHING, PLACES, load};
use super::kernel::{COEFFICIENTS, Kernel as Section, State};
use crate::dsp::settle;
use crate::dsp::simd::{Isa, Kernel, Pairs, Registers, Simd, Vector};

/// How far a section has gone to its goal, by the frames since the step began. From the end of this on, the lanes of the
/// first section are in the last frame of a step, those of the second in the one before, and so on.
const WAYS: [f64; LANES + 2 * (Moving::STEP - 1)] = {
    let mut ways = [0.0; LANES + 2 * (Moving::STEP - 1)];
    let mut lane = 0;
    while lane < ways.len() {
        ways[lane] = (Moving::STEP - (lane / 2) % Moving::STEP) as f64 / Moving::STEP as f64;
        lane += 1;
    }
    ways
};

/// Up to eight sections in series, for two channels, each of which glides to a new goal in every step of
/// [`Self::STEP`] frames; and beside each the filter, of two sections, through which it hears what it is about to act on,
/// or a sidechain. The loudest moment of a step is what its next goal may depend on.
///
/// Lanes are those of a [`Cascade`](super::Cascade): each section works on the frame before the one that the section
/// before it works on. So in every frame one section of eight begins a step. There is no latency, and what comes out does
/// not depend on how audio is cut into runs. Equal to [`Section::glide`] one after another, but for the last bits.
#[derive(Clone, Debug)]
pub struct Moving {
    isa: Isa,
    count: usize,
    /// At the start of a step, as of [`Section::lane`].
    from: [[f64; LANES]; COEFFICIENTS],
    /// From there to its end.
    way: [[f64; LANES]; COEFFICIENTS],
    /// `s` and `t` of each lane.
    states: [[f64; LANES]; 2],
    /// The sections through which it hears, in series.
    ears: [[[f64; LANES]; COEFFICIENTS]; 2],
    ear_states: [[[f64; LANES]; 2]; 2],
    /// The largest square heard in this step.
    loudest: [f64; LANES],
    /// One where the sidechain is heard.
    beside: [f64; LANES],
    /// Whether a section acts on a channel.
    acts: [[bool; 2]; Self::MOST],
}

/// One section of a [`Moving`], by channel.
#[derive(Clone, Debug)]
pub struct Moved<'a> {
    /// At the start of its step and at the end; `None`: it does nothing to the channel.
    pub glide: [Option<[&'a Section; 2]>; 2],
    /// Its states.
    pub states: [State; 2],
    /// What it hears through; `None`: it does not hear the channel.
    pub ears: [Option<&'a [Section; 2]>; 2],
    /// Their states, by channel, then section.
    pub ear_states: [[State; 2]; 2],
    /// The largest square heard so far in this step.
    pub loudest: f64,
    /// It hears the sidechain.
    pub beside: bool,
}

/// Tells sections where to go.
pub trait Director {
    /// A step of the section of this index begins; `loudest` is the largest square that it heard in the last one. Gives
    /// where it starts and where it goes; `None`: where it is it stays, and was for a step.
    fn direct(&mut self, section: usize, loudest: f64) -> Option<[&Section; 2]>;
}

impl Default for Moving {
    fn default() -> Self {
        Self::new(Isa::widest())
    }
}

impl Moving {
    /// The most sections.
    pub const MOST: usize = super::Cascade::MOST;

    /// Frames from one goal to the next.
    pub const STEP: usize = 8;

    /// No sections, to be run with `isa`.
    pub fn new(isa: Isa) -> Self {
        Self {
            isa,
            count: 0,
            from: NOTHING,
            way: [[0.0; LANES]; COEFFICIENTS],
            states: [[0.0; LANES]; 2],
            ears: [[[0.0; LANES]; COEFFICIENTS]; 2],
            ear_states: [[[0.0; LANES]; 2]; 2],
            loudest: [0.0; LANES],
            beside: [0.0; LANES],
            acts: [[false; 2]; Self::MOST],
        }
    }

    /// No sections any more.
    pub fn clear(&mut self) {
        *self = Self::new(self.isa);
    }

    /// How many sections there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// True without sections.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds a section.
    ///
    /// # Panics
    /// If there are as many as [`Self::MOST`] already.
    pub fn push(&mut self, section: &Moved<'_>) {
        for channel in 0..2 {
            let lane = 2 * self.count + channel;
            for k in 0..2 {
                self.states[k][lane] = section.states[channel].0[k];
            }
            for (i, (ear, states)) in self.ears.iter_mut().zip(&mut self.ear_states).enumerate() {
                let Some(heard) = section.ears[channel] else { continue };
                for (to, from) in ear.iter_mut().zip(heard[i].lane()) {
                    to[lane] = from;
                }
                for k in 0..2 {
                    states[k][lane] = section.ear_states[channel][i].0[k];
                }
            }
            self.loudest[lane] = section.loudest;
            self.beside[lane] = if section.beside { 1.0 } else { 0.0 };
            self.acts[self.count][channel] = section.glide[channel].is_some();
        }
        if let Some(glide) = section.glide.iter().flatten().next() {
            self.glide(self.count, *glide);
        }
        self.count += 1;
    }

    /// Lets a section glide from one kernel to another in this step.
    #[inline(always)]
    fn glide(&mut self, section: usize, [from, to]: [&Section; 2]) {
        let (from, to) = (from.lane(), to.lane());
        for channel in 0..2 {
            if self.acts[section][channel] {
                let lane = 2 * section + channel;
                for c in 0..COEFFICIENTS {
                    (self.from[c][lane], self.way[c][lane]) = (from[c], to[c] - from[c]);
                }
            }
        }
    }

    /// The state of the section of this index.
    pub fn state(&self, section: usize, channel: usize) -> State {
        State(self.states.map(|states| states[2 * section + channel]))
    }

    /// The states of what it hears through.
    pub fn ear_states(&self, section: usize, channel: usize) -> [State; 2] {
        [0, 1].map(|i| State(self.ear_states[i].map(|states| states[2 * section + channel])))
    }

    /// The largest square that the section has heard in this step.
    pub fn loudest(&self, section: usize) -> f64 {
        let [left, right] = [self.loudest[2 * section], self.loudest[2 * section + 1]];
        if left > right { left } else { right }
    }

    /// Makes unsound states sound, those of lanes without a section too: what is no number times nothing is none.
    pub fn settle(&mut self) {
        let ears = self.ear_states.as_flattened_mut().as_flattened_mut();
        let states = self.states.as_flattened_mut().iter_mut().chain(ears);
        states.for_each(|state| *state = settle(*state));
    }

    /// Filters both channels in place. `since`: frames from the start of a step to the first of these; `key`: the
    /// sidechain, as long; without one it is silent.
    pub fn run(
        &mut self,
        since: usize,
        [left, right]: [&mut [f64]; 2],
        key: Option<[&[f64]; 2]>,
        director: &mut impl Director,
    ) {
        let isa = self.isa;
        isa.run(Run { moving: self, since, left, right, key, director });
    }
}

struct Run<'a, D> {
    moving: &'a mut Moving,
    since: usize,
    left: &'a mut [f64],
    right: &'a mut [f64],
    key: Option<[&'a [f64]; 2]>,
    director: &'a mut D,
}

impl<D: Director> Kernel for Run<'_, D> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let lanes = <S as Registers<f64>>::Vector::LANES;
        // What there cannot be for so many lanes need not be compiled.
        match (lanes, (2 * self.moving.count).div_ceil(lanes)) {
            (_, 0) => {}
            (_, 1) => self.vectors::<S, 1>(simd),
            (8, _) | (_, 2) => self.vectors::<S, 2>(simd),
            (4, _) | (_, 3 | 4) => self.vectors::<S, 4>(simd),
            _ => self.vectors::<S, 8>(simd),
        }
    }
}

/// What a section does to a frame: its output and its next states.
#[inline(always)]
fn section<V: Pairs>(x: V, [s, t]: [V; 2], [a, b0, b1, c0, c1, d]: [V; COEFFICIENTS]) -> (V, [V; 2]) {
    let u = x - t;
    // What comes last is multiplied last: only it has to be waited for.
    let y = x.mul_add(d, s.mul_add(c0, t * c1));
    (y, [u.mul_add(b0, a * s), u.mul_add(b1, s.mul_add(b0, t))])
}

/// The states of a section for every lane, by vector.
type States<V, const N: usize> = [[V; 2]; N];

/// What one step changes.
#[derive(Clone, Copy)]
struct Playing<V, const N: usize> {
    own: States<V, N>,
    ears: [States<V, N>; 2],
    /// What each section gave last.
    y: [V; N],
    /// The sidechain, delayed to the sections.
    beside: [V; N],
}

// Loops instead of closures below: what is a closure of its own may not be compiled for the instruction set.

#[inline(always)]
fn load_states<S: Simd, const N: usize>(
    simd: S,
    from: &[[f64; LANES]; 2],
) -> States<<S as Registers<f64>>::Vector, N> {
    let [s, t]: [[<S as Registers<f64>>::Vector; N]; 2] = [load(simd, &from[0]), load(simd, &from[1])];
    let mut states = [[simd.splat(0.0); 2]; N];
    for n in 0..N {
        states[n] = [s[n], t[n]];
    }
    states
}

#[inline(always)]
fn store_states<V: Pairs, const N: usize>(states: &States<V, N>, to: &mut [[f64; LANES]; 2]) {
    for n in 0..N {
        states[n][0].store(&mut to[0][n * V::LANES..]);
        states[n][1].store(&mut to[1][n * V::LANES..]);
    }
}

/// Each coefficient for the vector of index `n`.
#[inline(always)]
fn coefficients<S: Simd>(
    simd: S,
    from: &[[f64; LANES]; COEFFICIENTS],
    n: usize,
) -> [<S as Registers<f64>>::Vector; COEFFICIENTS] {
    let mut all = [simd.splat(0.0); COEFFICIENTS];
    for c in 0..COEFFICIENTS {
        all[c] = simd.load(&from[c][n * <S as Registers<f64>>::Vector::LANES..]);
    }
    all
}

impl Moving {
    /// The frame of this number for the first section, the one before it for the second, and so on. `ENDS`: where some
    /// sections have no frame, of `frames`, and rest.
    #[inline(always)]
    fn frame<S: Simd, const N: usize, const ENDS: bool>(
        &mut self,
        simd: S,
        playing: &mut Playing<<S as Registers<f64>>::Vector, N>,
        place: usize,
        (number, frames): (usize, usize),
        (frame, key): ([f64; 2], Option<[f64; 2]>),
    ) {
        let lanes = <S as Registers<f64>>::Vector::LANES;
        let newest: <S as Registers<f64>>::Vector = simd.splat(number as f64);
        let oldest: <S as Registers<f64>>::Vector = simd.splat(number as f64 - frames as f64);
        let zero: <S as Registers<f64>>::Vector = simd.splat(0.0);
        for n in (0..N).rev() {
            let from = n * lanes;
            let x = match n {
                0 => playing.y[0].push(frame),
                _ => playing.y[n].after(playing.y[n - 1]),
            };
            let mut heard = x;
            if let Some(key) = key {
                playing.beside[n] = match n {
                    0 => playing.beside[0].push(key),
                    _ => playing.beside[n].after(playing.beside[n - 1]),
                };
                heard = playing.beside[n].where_above(x, simd.load(&self.beside[from..]), zero);
            }
            let places: <S as Registers<f64>>::Vector = simd.load(&PLACES[from..]);
            for i in 0..2 {
                let before = playing.ears[i][n];
                let (y, after) = section(heard, before, coefficients(simd, &self.ears[i], n));
                playing.ears[i][n] = after;
                if ENDS {
                    for k in 0..2 {
                        let begun = before[k].where_above(after[k], places, newest);
                        playing.ears[i][n][k] = begun.where_above(before[k], places, oldest);
                    }
                }
                heard = y;
            }
            let before = simd.load(&self.loudest[from..]);
            let mut loudest = (heard * heard).max(before);
            if ENDS {
                let begun = before.where_above(loudest, places, newest);
                loudest = begun.where_above(before, places, oldest);
            }
            loudest.store(&mut self.loudest[from..]);
            let way: <S as Registers<f64>>::Vector = simd.load(&WAYS[2 * (Self::STEP - 1 - place) + from..]);
            let mut now = coefficients(simd, &self.from, n);
            let goes = coefficients(simd, &self.way, n);
            for c in 0..COEFFICIENTS {
                now[c] = way.mul_add(goes[c], now[c]);
            }
            let before = playing.own[n];
            let (y, after) = section(x, before, now);
            playing.own[n] = after;
            if ENDS {
                for k in 0..2 {
                    let begun = before[k].where_above(after[k], places, newest);
                    playing.own[n][k] = begun.where_above(before[k], places, oldest);
                }
            }
            playing.y[n] = y;
        }
    }
}

impl<D: Director> Run<'_, D> {
    #[inline(always)]
    fn vectors<S: Simd, const N: usize>(self, simd: S) {
        let Self { moving, since, left, right, key, director } = self;
        let zero: <S as Registers<f64>>::Vector = simd.splat(0.0);
        let mut playing: Playing<<S as Registers<f64>>::Vector, N> = Playing {
            own: load_states(simd, &moving.states),
            ears: [load_states(simd, &moving.ear_states[0]), load_states(simd, &moving.ear_states[1])],
            y: [zero; N],
            beside: [zero; N],
        };
        let frames = left.len();
        let right = &mut right[..frames];
        let keyed = moving.beside.iter().any(|&beside| beside > 0.0);
        // The last section is so many frames behind the first.
        let lag = N * <S as Registers<f64>>::Vector::LANES / 2 - 1;
        for number in 0..frames + lag {
            let place = (since + number) % Moving::STEP;
            if place < moving.count && number.wrapping_sub(place) < frames {
                let loudest = moving.loudest(place);
                moving.loudest[2 * place..][..2].fill(0.0);
                if let Some(glide) = director.direct(place, loudest) {
                    moving.glide(place, glide);
                }
            }
            let frame = if number < frames { [left[number], right[number]] } else { [0.0; 2] };
            let beside = match key {
                _ if !keyed => None,
                Some([left, right]) if number < frames => Some([left[number], right[number]]),
                _ => Some([0.0; 2]),
            };
            if number >= lag && number < frames {
                moving.frame::<S, N, false>(simd, &mut playing, place, (number, frames), (frame, beside));
            } else {
                moving.frame::<S, N, true>(simd, &mut playing, place, (number, frames), (frame, beside));
            }
            if number >= lag {
                [left[number - lag], right[number - lag]] = playing.y[N - 1].last();
            }
        }
        store_states(&playing.own, &mut moving.states);
        store_states(&playing.ears[0], &mut moving.ear_states[0]);
        store_states(&playing.ears[1], &mut moving.ear_states[1]);
    }
}

#[cfg(test)]
mod tests;
