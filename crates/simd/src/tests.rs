use super::*;
use testkit::noise;

/// Every operation on a few `f64`, as one list.
struct Everything<'a> {
    a: &'a [f64],
    b: &'a [f64],
}

impl Kernel for Everything<'_> {
    type Output = [Vec<f64>; 9];

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Self::Output {
        let lanes = <S as Registers<f64>>::Vector::LANES;
        let mut out = [const { Vec::new() }; 9];
        for (a, b) in self.a.chunks_exact(lanes).zip(self.b.chunks_exact(lanes)) {
            let (x, y) = (simd.load(a), simd.load(b));
            let narrow: Vec<f32> = a.iter().map(|&x| x as f32).collect();
            let results = [
                x + y,
                x - y,
                x * y,
                x.mul_add(y, simd.splat(0.5)),
                x.abs(),
                x.max(y),
                (x * simd.splat(1e308) * simd.splat(10.0)).finite(),
                simd.widen(&narrow),
                simd.splat(x.largest()),
            ];
            for (out, result) in out.iter_mut().zip(results) {
                let mut numbers = [0.0; 8];
                result.store(&mut numbers);
                out.extend(&numbers[..lanes]);
            }
        }
        out
    }
}

/// Every operation on a few `f32`, as one list.
struct Narrow<'a> {
    a: &'a [f32],
    b: &'a [f32],
}

impl Kernel for Narrow<'_> {
    type Output = [Vec<f32>; 8];

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Self::Output {
        let lanes = <S as Registers<f32>>::Vector::LANES;
        let mut out = [const { Vec::new() }; 8];
        for (a, b) in self.a.chunks_exact(lanes).zip(self.b.chunks_exact(lanes)) {
            let (x, y) = (simd.load(a), simd.load(b));
            let results = [
                x + y,
                x - y,
                x * y,
                x.mul_add(y, simd.splat(0.5f32)),
                x.abs(),
                x.max(y),
                (x * simd.splat(1e38f32) * simd.splat(10.0f32)).finite(),
                simd.splat(x.largest()),
            ];
            for (out, result) in out.iter_mut().zip(results) {
                let mut numbers = [0.0; 16];
                result.store(&mut numbers);
                out.extend(&numbers[..lanes]);
            }
        }
        out
    }
}

/// In every run of equal values of `largest`, they are the largest of that run of `all`.
fn are_largest<T: Copy + PartialOrd + std::fmt::Debug>(all: &[T], largest: &[T]) {
    for (group, values) in largest.chunk_by(|a, b| a == b).scan(0, |at, run| {
        let group = &all[*at..*at + run.len()];
        *at += run.len();
        Some((group, run))
    }) {
        let expected = group.iter().copied().reduce(|m, x| if x > m { x } else { m });
        assert_eq!(Some(values[0]), expected);
    }
    assert!(largest.windows(2).any(|pair| pair[0] != pair[1]));
}

#[test]
fn every_instruction_set_computes_what_numbers_do() {
    let mut a = noise(1, 32, 1.0);
    let b = noise(2, 32, 1.0);
    (a[3], a[9]) = (0.0, -0.0);
    let expect = |f: fn(f64, f64) -> f64| -> Vec<f64> { a.iter().zip(&b).map(|(&a, &b)| f(a, b)).collect() };
    let huge = |a: f64, _: f64| if (a * 1e308 * 10.0).is_finite() { a * 1e308 * 10.0 } else { 0.0 };
    for isa in Isa::all() {
        let [sum, difference, product, fused, abs, max, finite, widened, largest] =
            isa.run(Everything { a: &a, b: &b });
        assert_eq!(sum, expect(|a, b| a + b), "{isa:?}");
        assert_eq!(difference, expect(|a, b| a - b), "{isa:?}");
        assert_eq!(product, expect(|a, b| a * b), "{isa:?}");
        for (fused, exact) in fused.iter().zip(expect(|a, b| a.mul_add(b, 0.5))) {
            assert!((fused - exact).abs() < 2e-16, "{isa:?}");
        }
        assert_eq!(abs, expect(|a, _| a.abs()), "{isa:?}");
        assert_eq!(max, expect(f64::max), "{isa:?}");
        assert_eq!(finite, expect(huge), "{isa:?}");
        assert!(finite.iter().any(|x| *x != 0.0) && finite.contains(&0.0), "both cases occur");
        assert_eq!(widened, expect(|a, _| f64::from(a as f32)), "{isa:?}");
        are_largest(&a, &largest);
    }
}

#[test]
fn narrow_numbers_too() {
    let a: Vec<f32> = noise(3, 32, 1.0).iter().map(|&x| x as f32).collect();
    let b: Vec<f32> = noise(4, 32, 1.0).iter().map(|&x| x as f32).collect();
    let expect = |f: fn(f32, f32) -> f32| -> Vec<f32> { a.iter().zip(&b).map(|(&a, &b)| f(a, b)).collect() };
    let huge = |a: f32, _: f32| if (a * 1e38 * 10.0).is_finite() { a * 1e38 * 10.0 } else { 0.0 };
    for isa in Isa::all() {
        let [sum, difference, product, fused, abs, max, finite, largest] = isa.run(Narrow { a: &a, b: &b });
        are_largest(&a, &largest);
        assert_eq!(sum, expect(|a, b| a + b), "{isa:?}");
        assert_eq!(difference, expect(|a, b| a - b), "{isa:?}");
        assert_eq!(product, expect(|a, b| a * b), "{isa:?}");
        for (fused, exact) in fused.iter().zip(expect(|a, b| a.mul_add(b, 0.5))) {
            assert!((fused - exact).abs() < 2e-7, "{isa:?}");
        }
        assert_eq!(abs, expect(|a, _| a.abs()), "{isa:?}");
        assert_eq!(max, expect(f32::max), "{isa:?}");
        assert_eq!(finite, expect(huge), "{isa:?}");
    }
}

#[test]
fn nan_is_not_finite_either() {
    struct Clean;
    impl Kernel for Clean {
        type Output = Vec<f64>;

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> Vec<f64> {
            let mut out = vec![1.0; <S as Registers<f64>>::Vector::LANES];
            let bad = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::NAN, 2.0, -3.0, f64::NAN];
            Registers::<f64>::load(simd, &bad).finite().store(&mut out);
            out
        }
    }
    for isa in Isa::all() {
        let out = isa.run(Clean);
        assert_eq!(out, [0.0, 0.0, 0.0, f64::MAX, 0.0, 2.0, -3.0, 0.0][..out.len()], "{isa:?}");
    }
}

#[test]
fn packed_integers_are_exact_at_any_length() {
    let values: Vec<i32> = noise(5, 100, 8_388_608.0).iter().map(|&x| x as i32).collect();
    for isa in Isa::all() {
        for len in (0..=40).chain([99, 100]) {
            for big_endian in [false, true] {
                let bytes: Vec<u8> = (values[..len].iter())
                    .flat_map(|v| {
                        let [a, b, c, _] = v.to_le_bytes();
                        if big_endian { [c, b, a] } else { [a, b, c] }
                    })
                    .collect();
                let mut to = vec![9.0; len];
                isa.run(Unpack24 { from: &bytes, big_endian, to: &mut to });
                let expected: Vec<f32> = values[..len].iter().map(|&v| v as f32 / 8_388_608.0).collect();
                assert_eq!(to, expected, "{isa:?} {len} {big_endian}");
            }
        }
    }
}

#[test]
fn the_widest_is_the_last_of_all_and_the_narrow_has_four_lanes_at_most() {
    struct Lanes;
    impl Kernel for Lanes {
        type Output = usize;

        #[inline(always)]
        fn run<S: Simd>(self, _: S) -> usize {
            <S as Registers<f64>>::Vector::LANES
        }
    }
    assert!(Isa::all().all(|isa| isa.narrow().run(Lanes) <= 4));
    assert!(Isa::all().filter(|isa| isa.run(Lanes) <= 4).all(|isa| isa.narrow().name() == isa.name()));
    assert!(Isa::all().all(|isa| isa.run(Lanes) <= Isa::widest().run(Lanes).max(4)));
}

/// Pairs of a few vectors, as numbers.
struct Paired;

impl Kernel for Paired {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let lanes = <S as Registers<f64>>::Vector::LANES;
        let numbers: Vec<f64> = (0..2 * lanes).map(|i| i as f64).collect();
        let (lower, upper) = (simd.load(&numbers), simd.load(&numbers[lanes..]));
        let list = |vector: <S as Registers<f64>>::Vector| {
            let mut list = vec![0.0; lanes];
            vector.store(&mut list);
            list
        };
        let mut pushed = vec![-1.0, -2.0];
        pushed.extend(&numbers[..lanes - 2]);
        assert_eq!(list(lower.push([-1.0, -2.0])), pushed);
        assert_eq!(list(upper.after(lower)), numbers[lanes - 2..2 * lanes - 2]);
        assert_eq!(upper.last(), [2.0 * lanes as f64 - 2.0, 2.0 * lanes as f64 - 1.0]);
        let chosen = upper.where_above(simd.splat(-3.0), lower, simd.splat(0.5));
        let expected: Vec<f64> = (0..lanes).map(|i| if i == 0 { -3.0 } else { (lanes + i) as f64 }).collect();
        assert_eq!(list(chosen), expected);
    }
}

#[test]
fn pairs_move_up() {
    Isa::all().for_each(|isa| isa.run(Paired));
}

/// Pairs of two numbers each, as bits.
fn paired<R: Registers<f64, Vector: Pairs>>(registers: R) -> Vec<u64> {
    let (a, b) = (noise(1, 64, 1e3), noise(2, 64, 1.0));
    let mut bits = Vec::new();
    for (a, b) in a.as_chunks::<2>().0.iter().zip(b.as_chunks::<2>().0) {
        let (x, y) = (registers.splat(0.0).push(*a), registers.load(b));
        for pair in [x + y, x - y, x * y, x.max(y), x.abs(), y.after(x)] {
            let mut stored = [0.0; 2];
            pair.store(&mut stored);
            assert_eq!(stored, pair.last());
            bits.extend(stored.map(f64::to_bits));
        }
    }
    bits
}

#[test]
fn two_channels_have_the_same_bits_on_every_processor() {
    assert_eq!(paired(stereo()), paired(portable::PortableStereo));
}
