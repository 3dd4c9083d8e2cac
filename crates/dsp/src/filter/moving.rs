//! Sections in series that move by what they hear, side by side in vectors.

use core::cell::Cell;
use core::ops::Range;

use super::cascade::{LANES, NOTHING, PLACES, load};
use super::kernel::{COEFFICIENTS, Kernel as Section, State};
use crate::flush_invalid;
use simd::{Isa, Kernel, Pairs, Registers, Simd, Vector};

/// How far a section has gone to its goal in each frame of a step of all; and one that follows another, a frame later.
const fn ways(follows: bool) -> [f64; Moving::STEP] {
    let mut ways = [0.0; Moving::STEP];
    let mut phase = 0;
    while phase < ways.len() {
        let gone = if follows { (phase + Moving::STEP - 1) % Moving::STEP } else { phase };
        ways[phase] = (gone + 1) as f64 / Moving::STEP as f64;
        phase += 1;
    }
    ways
}

/// Up to eight sections in series, for two channels, each of which glides to a new goal in every step of
/// [`Self::STEP`] frames; and beside each the filter, of two sections, through which it hears what it is about to act on,
/// or a sidechain. The loudest moment of a step is what its next goal may depend on.
///
/// Lanes are those of a [`Cascade`](super::Cascade): each section works on the frame before the one that the section
/// before it works on. All begin their steps at once, so each a frame earlier in the audio than the one before it: but those
/// that follow the one before them begin with it. There is no latency, and what comes out does not depend on how audio is
/// cut into runs. Equal to [`Section::glide`] one after another, but for the last bits.
#[derive(Clone, Debug)]
pub struct Moving {
    isa: Isa,
    count: usize,
    /// At the start of a step, as of [`Section::lane`].
    from: [[f64; LANES]; COEFFICIENTS],
    /// From there to its end.
    way: [[f64; LANES]; COEFFICIENTS],
    /// How far each lane has gone on it in each frame of a step.
    ways: [[f64; LANES]; Self::STEP],
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
    /// Sections that follow others.
    follows: [bool; Self::MOST],
}

/// One section of a [`Moving`], by channel.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    /// Where it stands until its next step; `None`: it does nothing to the channel.
    pub stands: [Option<&'a Section>; 2],
    /// It belongs to the section before it and goes with it, frame by frame.
    pub follows: bool,
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
    /// A step begins for the sections of these indices; `loudest` is, by section, the largest square that each heard in
    /// its last one. `#[inline(always)]`.
    fn begin<S: Simd>(&mut self, simd: S, sections: Range<usize>, loudest: &[f64; Moving::MOST]);

    /// Where the section of this index starts in the step that began, and where it goes; `None`: where it is it stays, and
    /// was for a step. Asked once, in order; one that follows another is asked a frame later.
    fn glide(&mut self, section: usize) -> Option<[&Section; 2]>;
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
            ways: ways(false).map(|way| [way; LANES]),
            states: [[0.0; LANES]; 2],
            ears: [[[0.0; LANES]; COEFFICIENTS]; 2],
            ear_states: [[[0.0; LANES]; 2]; 2],
            loudest: [0.0; LANES],
            beside: [0.0; LANES],
            acts: [[false; 2]; Self::MOST],
            follows: [false; Self::MOST],
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
    pub fn push(&mut self, section: &Part<'_>) {
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
            self.acts[self.count][channel] = section.stands[channel].is_some();
            for (ways, way) in self.ways.iter_mut().zip(ways(section.follows)) {
                ways[lane] = way;
            }
        }
        self.follows[self.count] = section.follows;
        if let Some(&stands) = section.stands.iter().flatten().next() {
            self.glide(self.count, [stands; 2]);
        }
        self.count += 1;
    }

    /// Lets a section glide from one kernel to another in this step.
    #[inline(always)]
    fn glide(&mut self, section: usize, [from, to]: [&Section; 2]) {
        let (from, to) = (from.lane(), to.lane());
        let lane = 2 * section;
        let acts = self.acts[section];
        for c in 0..COEFFICIENTS {
            let (here, way) = ([from[c]; 2], [to[c] - from[c]; 2]);
            if acts == [true; 2] {
                self.from[c][lane..lane + 2].copy_from_slice(&here);
                self.way[c][lane..lane + 2].copy_from_slice(&way);
            } else if let Some(channel) = acts.iter().position(|&acts| acts) {
                (self.from[c][lane + channel], self.way[c][lane + channel]) = (here[0], way[0]);
            }
        }
    }

    /// The share of its step that the section of this index has gone, when as many frames have been played as steps are long.
    pub fn gone(&self, section: usize) -> f64 {
        let frames = (section - usize::from(self.follows[section])) % Self::STEP;
        if frames == 0 { 1.0 } else { frames as f64 / Self::STEP as f64 }
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
    pub fn flush_invalid(&mut self) {
        let ears = self.ear_states.as_flattened_mut().as_flattened_mut();
        let states = self.states.as_flattened_mut().iter_mut().chain(ears);
        states.for_each(|state| *state = flush_invalid(*state));
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
    /// The largest squares heard.
    loudest: [V; N],
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
    /// Steps begin for these sections, or for those of them that follow others.
    #[inline(always)]
    fn begin<S: Simd>(&mut self, simd: S, phase: usize, places: Range<usize>, director: &mut impl Director) {
        if places.is_empty() {
            return;
        }
        if phase == 0 {
            let mut loudest = [0.0; Self::MOST];
            for place in 0..Self::MOST {
                loudest[place] = self.loudest(place);
            }
            director.begin(simd, places.clone(), &loudest);
            if places.len() == Self::MOST {
                self.loudest = [0.0; LANES];
            } else {
                self.loudest[2 * places.start..2 * places.end].fill(0.0);
            }
        }
        for place in places {
            if self.follows[place] == (phase == 1)
                && let Some(glide) = director.glide(place)
            {
                self.glide(place, glide);
            }
        }
    }

    /// A frame for the first section, the one before it for the second, and so on; gives what the last one makes of its.
    /// `ENDS`: where some sections have no frame and rest, `range` as of [`in_range`].
    #[inline(always)]
    fn frame<S: Simd, const N: usize, const ENDS: bool>(
        &self,
        simd: S,
        playing: &mut Playing<<S as Registers<f64>>::Vector, N>,
        phase: usize,
        (frame, key): ([f64; 2], Option<[f64; 2]>),
        range: [<S as Registers<f64>>::Vector; 2],
    ) -> [f64; 2] {
        let lanes = <S as Registers<f64>>::Vector::LANES;
        let zero: <S as Registers<f64>>::Vector = simd.splat(0.0);
        // Short loops: they are unrolled.
        let mut x = [zero; N];
        for n in 0..N {
            x[n] = if n == 0 { playing.y[0].push(frame) } else { playing.y[n].after(playing.y[n - 1]) };
        }
        let mut heard = x;
        if let Some(key) = key {
            let last = playing.beside;
            for n in 0..N {
                let now = if n == 0 { last[0].push(key) } else { last[n].after(last[n - 1]) };
                heard[n] = now.where_above(x[n], simd.load(&self.beside[n * lanes..]), zero);
                playing.beside[n] = now;
            }
        }
        for i in 0..2 {
            for n in 0..N {
                let before = playing.ears[i][n];
                let (y, after) = section(heard[n], before, coefficients(simd, &self.ears[i], n));
                playing.ears[i][n] = if ENDS { in_range(simd, n, before, after, range) } else { after };
                heard[n] = y;
            }
        }
        for n in 0..N {
            let before = [playing.loudest[n]];
            let after = [(heard[n] * heard[n]).max(before[0])];
            [playing.loudest[n]] = if ENDS { in_range(simd, n, before, after, range) } else { after };
        }
        for n in 0..N {
            let way: <S as Registers<f64>>::Vector = simd.load(&self.ways[phase][n * lanes..]);
            let mut now = coefficients(simd, &self.from, n);
            let goes = coefficients(simd, &self.way, n);
            for c in 0..COEFFICIENTS {
                now[c] = way.mul_add(goes[c], now[c]);
            }
            let before = playing.own[n];
            let (y, after) = section(x[n], before, now);
            playing.own[n] = if ENDS { in_range(simd, n, before, after, range) } else { after };
            playing.y[n] = y;
        }
        playing.y[N - 1].last()
    }

    /// The frames of these numbers, up to a step of all.
    #[inline(always)]
    fn frames<S: Simd, const N: usize>(
        &mut self,
        simd: S,
        playing: &mut Playing<<S as Registers<f64>>::Vector, N>,
        audio: &Audio<'_>,
        numbers: Range<usize>,
    ) {
        let lanes = <S as Registers<f64>>::Vector::LANES;
        let frames = audio.left.len();
        // The last section is so many frames behind the first.
        let lag = N * lanes / 2 - 1;
        let mut phase = (audio.since + numbers.start) % Self::STEP;
        playing.loudest = load(simd, &self.loudest);
        if numbers.start >= lag && numbers.end <= frames {
            let ins = audio.left[numbers.clone()].iter().zip(&audio.right[numbers.clone()]);
            let outs = numbers.start - lag..numbers.end - lag;
            let outs = audio.left[outs.clone()].iter().zip(&audio.right[outs]);
            let all = [simd.splat(0.0); 2];
            for (((left, right), (left_out, right_out)), number) in ins.zip(outs).zip(numbers) {
                let input = ([left.get(), right.get()], audio.key(number));
                let [left, right] = self.frame::<S, N, false>(simd, playing, phase, input, all);
                left_out.set(left);
                right_out.set(right);
                phase += 1;
            }
        } else {
            for number in numbers {
                let range = [simd.splat(number as f64), simd.splat(number as f64 - frames as f64)];
                let has_frame = number < frames;
                let frame =
                    if has_frame { [audio.left[number].get(), audio.right[number].get()] } else { [0.0; 2] };
                let input = (frame, audio.key(number));
                let [left, right] = self.frame::<S, N, true>(simd, playing, phase, input, range);
                if number >= lag {
                    audio.left[number - lag].set(left);
                    audio.right[number - lag].set(right);
                }
                phase += 1;
            }
        }
        for n in 0..N {
            playing.loudest[n].store(&mut self.loudest[n * lanes..]);
        }
    }
}

/// What a run works on. As cells: a frame is read, an earlier one written.
struct Audio<'a> {
    /// Frames from the start of a step of all to the first.
    since: usize,
    left: &'a [Cell<f64>],
    right: &'a [Cell<f64>],
    /// Something hears the sidechain.
    keyed: bool,
    /// As long; empty: there is none.
    key: [&'a [f64]; 2],
}

impl Audio<'_> {
    /// The sidechain in a frame, if anything hears it.
    #[inline(always)]
    fn key(&self, number: usize) -> Option<[f64; 2]> {
        if !self.keyed {
            return None;
        }
        let [left, right] = [self.key[0].get(number), self.key[1].get(number)];
        Some([*left.unwrap_or(&0.0), *right.unwrap_or(&0.0)])
    }
}

/// `after` where the sections of the vector of index `n` have a frame, else `before`: those up to the first limit and above
/// the second.
#[inline(always)]
fn in_range<S: Simd, const K: usize>(
    simd: S,
    n: usize,
    before: [<S as Registers<f64>>::Vector; K],
    mut after: [<S as Registers<f64>>::Vector; K],
    [newest, oldest]: [<S as Registers<f64>>::Vector; 2],
) -> [<S as Registers<f64>>::Vector; K] {
    let places: <S as Registers<f64>>::Vector =
        simd.load(&PLACES[n * <S as Registers<f64>>::Vector::LANES..]);
    for k in 0..K {
        let begun = before[k].where_above(after[k], places, newest);
        after[k] = begun.where_above(before[k], places, oldest);
    }
    after
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
            loudest: [zero; N],
            beside: [zero; N],
        };
        let frames = left.len();
        let keyed = moving.beside.iter().any(|&beside| beside > 0.0);
        let follow = moving.follows.contains(&true);
        let audio = Audio {
            since,
            left: Cell::from_mut(left).as_slice_of_cells(),
            right: Cell::from_mut(&mut right[..frames]).as_slice_of_cells(),
            keyed,
            key: key.unwrap_or([&[]; 2]),
        };
        // The last section is so many frames behind the first.
        let lag = N * <S as Registers<f64>>::Vector::LANES / 2 - 1;
        let mut number = 0;
        while number < frames + lag {
            let phase = (since + number) % Moving::STEP;
            if phase == 0 || phase == 1 && follow {
                // Those that have a frame now.
                let places = (number + 1).saturating_sub(frames)..moving.count.min(number + 1);
                moving.begin(simd, phase, places, director);
            }
            let step = if phase == 0 && follow { 1 } else { Moving::STEP - phase };
            let ends = number < lag || number >= frames;
            let until = if number < lag {
                lag
            } else if ends {
                frames + lag
            } else {
                frames
            };
            let numbers = number..until.min(number + step);
            number = numbers.end;
            moving.frames::<S, N>(simd, &mut playing, &audio, numbers);
        }
        store_states(&playing.own, &mut moving.states);
        store_states(&playing.ears[0], &mut moving.ear_states[0]);
        store_states(&playing.ears[1], &mut moving.ear_states[1]);
    }
}

#[cfg(test)]
mod tests;
