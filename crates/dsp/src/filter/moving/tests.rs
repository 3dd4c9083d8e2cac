use super::super::Section as Polynomials;
use super::*;
use core::ops::Range;
use testkit::noise;

const FRAMES: usize = 700;
/// Frames from the start of a step to the first of all.
const SINCE: usize = 3;

/// A bell whose gain swings from step to step.
fn goal(section: usize, step: usize) -> Section {
    let (place, width) = (0.002 * 3f64.powi(section as i32), 0.1 + 0.1 * section as f64);
    let gain = 1.0 + 0.8 * ((step * (section + 2)) as f64 * 0.7).sin();
    Section::new(&Polynomials { numerator: [place, gain * width, 1.0], denominator: [place, width, 1.0] })
}

fn ears(section: usize) -> [Section; 2] {
    [0.01, 0.013].map(|place| Section::new(&Polynomials::passes(place * (section + 1) as f64, 0.8)[1]))
}

/// What every fourth section does nothing to.
fn acts(section: usize) -> [bool; 2] {
    [true, section % 4 != 1]
}

fn beside(section: usize, mixed: bool) -> bool {
    mixed && section.is_multiple_of(3)
}

/// Of a pair of sections the second goes with the first.
fn follows(section: usize) -> bool {
    section == 3 || section == 6
}

/// Frames from the start of a step of the section to the first of all.
fn since(section: usize) -> usize {
    (SINCE + section - usize::from(follows(section))) % Moving::STEP
}

/// Goes from goal to goal and writes down what it is told.
#[derive(PartialEq)]
struct Swinging {
    step: Vec<usize>,
    /// What each heard, by step.
    heard: Vec<Vec<f64>>,
    goals: [[Section; 2]; Moving::MOST],
}

impl Swinging {
    fn new(count: usize) -> Self {
        let goals = [[Section::IDENTITY; 2]; Moving::MOST];
        Self { step: vec![0; count], heard: vec![Vec::new(); count], goals }
    }
}

impl Director for Swinging {
    #[inline(always)]
    fn begin<S: Simd>(&mut self, _: S, sections: Range<usize>, loudest: &[f64; Moving::MOST]) {
        for section in sections.filter(|&section| !follows(section)) {
            let step = &mut self.step[section];
            let pair = if follows(section + 1) { section..section + 2 } else { section..section + 1 };
            for one in pair {
                self.goals[one] = [goal(one, *step), goal(one, *step + 1)];
            }
            *step += 1;
            self.heard[section].push(loudest[section]);
        }
    }

    fn glide(&mut self, section: usize) -> Option<[&Section; 2]> {
        Some(self.goals[section].each_ref())
    }
}

fn make(isa: Isa, count: usize, mixed: bool) -> Moving {
    let mut moving = Moving::new(isa);
    for i in 0..count {
        let (stands, ears) = (goal(i, 0), ears(i));
        moving.push(&Part {
            stands: acts(i).map(|acts| acts.then_some(&stands)),
            follows: follows(i),
            states: Default::default(),
            ears: [true, beside(i, mixed) || acts(i)[1]].map(|hears| hears.then_some(&ears)),
            ear_states: Default::default(),
            loudest: 0.0,
            beside: beside(i, mixed),
        });
    }
    moving
}

/// The same, one after another; what each section hears in each step, the states and those of its ears, by channel.
type Alone = (Vec<Vec<f64>>, Vec<[State; 2]>, Vec<[[State; 2]; 2]>);

fn in_series(count: usize, mixed: bool, audio: &mut [Vec<f64>; 2], key: &[Vec<f64>; 2]) -> Alone {
    let mut all: Alone = Default::default();
    for i in 0..count {
        let starts = ((Moving::STEP - since(i)) % Moving::STEP..FRAMES).step_by(Moving::STEP);
        let steps: Vec<Range<usize>> = core::iter::once(0)
            .chain(starts.clone())
            .zip(starts.chain([FRAMES]))
            .map(|(start, end)| start..end)
            .collect();
        let mut heard = vec![0.0f64; steps.len()];
        let (mut states, mut ear_states) = ([State::default(); 2], [[State::default(); 2]; 2]);
        for channel in 0..2 {
            if beside(i, mixed) || acts(i)[channel] {
                let mut ear = if beside(i, mixed) { &key[channel] } else { &audio[channel] }.clone();
                for (kernel, state) in ears(i).iter().zip(&mut ear_states[channel]) {
                    kernel.process(state, &mut ear);
                }
                for (heard, step) in heard.iter_mut().zip(&steps) {
                    *heard = ear[step.clone()].iter().fold(*heard, |m, x| m.max(x * x));
                }
            }
            if acts(i)[channel] {
                for (number, step) in steps.iter().enumerate() {
                    let since = if number == 0 { since(i) } else { 0 };
                    let samples = &mut audio[channel][step.clone()];
                    let [from, to] = [number.saturating_sub(1), number].map(|step| goal(i, step));
                    from.glide(&to, since, Moving::STEP, &mut states[channel], samples);
                }
            }
        }
        all.0.push(heard);
        all.1.push(states);
        all.2.push(ear_states);
    }
    all
}

#[test]
fn equals_the_sections_one_after_another_in_runs_of_any_length() {
    let key = [noise(5, FRAMES, 0.5), noise(6, FRAMES, 0.5)];
    for (isa, mixed) in Isa::all().flat_map(|isa| [(isa, false), (isa, true)]) {
        for count in 0..=Moving::MOST {
            let mut audio = [noise(1, FRAMES, 0.5), noise(2, FRAMES, 0.5)];
            let mut expected = audio.clone();
            let (heard, states, ear_states) = in_series(count, mixed, &mut expected, &key);
            let mut moving = make(isa, count, mixed);
            let mut director = Swinging::new(count);
            let mut at = 0;
            for length in [1, 2, 7, 8, 9, 40, 1, 3, 200, 5, 424] {
                let range = at..at + length;
                let [left, right] = audio.each_mut().map(|channel| &mut channel[range.clone()]);
                let beside = mixed.then(|| key.each_ref().map(|channel| &channel[range.clone()]));
                moving.run(SINCE + at, [left, right], beside, &mut director);
                at += length;
            }
            assert_eq!(at, FRAMES);
            let case = format!("{isa:?}, {count} sections, {mixed}");
            for (got, want) in audio.iter().flatten().zip(expected.iter().flatten()) {
                assert!((got - want).abs() < 1e-12, "{case}: {got} {want}");
            }
            let near = |a: State, b: State| (0..2).all(|k| (a.0[k] - b.0[k]).abs() < 1e-12);
            for i in 0..count {
                // Those that follow begin with the one before them, and have no ears of their own.
                let (last, done) = heard[i].split_last().expect("steps");
                if !follows(i) {
                    assert_eq!(director.heard[i].len(), done.len(), "{case}: steps of {i}");
                    for (got, want) in director.heard[i].iter().zip(done) {
                        assert!((got - want).abs() < 1e-12, "{case}: {i} hears {got}, not {want}");
                    }
                    assert!((moving.loudest(i) - last).abs() < 1e-12, "{case}: {i} still hears");
                }
                for channel in 0..2 {
                    if acts(i)[channel] {
                        assert!(near(moving.state(i, channel), states[i][channel]), "{case}: state {i}");
                    }
                    for (got, want) in moving.ear_states(i, channel).into_iter().zip(ear_states[i][channel]) {
                        assert!(near(got, want), "{case}: ear {i}");
                    }
                }
            }
        }
    }
}

#[test]
fn bits_do_not_depend_on_runs() {
    let key = [noise(5, FRAMES, 0.5), noise(6, FRAMES, 0.5)];
    for isa in Isa::all() {
        let run = |length: usize| {
            let mut audio = [noise(3, FRAMES, 0.5), noise(4, FRAMES, 0.5)];
            let (mut moving, mut director) = (make(isa, 6, true), Swinging::new(6));
            let [left, right] = &mut audio;
            for (i, (left, right)) in left.chunks_mut(length).zip(right.chunks_mut(length)).enumerate() {
                let key = key.each_ref().map(|key| &key[i * length..][..left.len()]);
                moving.run(SINCE + i * length, [left, right], Some(key), &mut director);
            }
            (audio, director.heard)
        };
        assert!(run(11) == run(FRAMES) && run(1) == run(FRAMES), "{isa:?}");
    }
}

#[test]
fn a_section_that_stays_where_it_is_costs_no_bit_and_nan_is_forgotten() {
    struct Still;
    impl Director for Still {
        #[inline(always)]
        fn begin<S: Simd>(&mut self, _: S, _: Range<usize>, _: &[f64; Moving::MOST]) {}

        fn glide(&mut self, _: usize) -> Option<[&Section; 2]> {
            None
        }
    }
    let (nothing, ears) = (Section::IDENTITY, ears(0));
    for isa in Isa::all() {
        let mut moving = Moving::new(isa);
        for _ in 0..3 {
            moving.push(&Part {
                stands: [Some(&nothing); 2],
                follows: false,
                states: Default::default(),
                ears: [Some(&ears); 2],
                ear_states: Default::default(),
                loudest: 0.0,
                beside: false,
            });
        }
        let mut audio = [noise(3, 100, 0.5), noise(4, 100, 0.5)];
        let input = audio.clone();
        let [left, right] = &mut audio;
        moving.run(0, [left, right], None, &mut Still);
        assert!(audio == input, "{isa:?}");
        moving.run(4, [&mut [f64::NAN; 9], &mut [f64::INFINITY; 9]], None, &mut Still);
        moving.flush_invalid();
        let [left, right] = &mut audio;
        moving.run(5, [left, right], None, &mut Still);
        assert!(audio == input && !moving.loudest(0).is_nan(), "{isa:?}");
    }
}
