//! Vectors as arrays: for every processor, and the reference of the others.

use core::array;
use core::ops::{Add, Div, Mul, Sub};

use super::{BIAS, Binary, FRACTION, Kernel, MAGIC, Pairs, Registers, Simd, Vector};

/// Instruction set of every processor.
#[derive(Clone, Copy)]
pub(super) struct Portable;

/// The same with two numbers.
#[cfg(any(test, not(target_arch = "x86_64")))]
#[derive(Clone, Copy)]
pub(super) struct PortableStereo;

/// `N` numbers.
#[derive(Clone, Copy)]
pub(super) struct Numbers<T, const N: usize>([T; N]);

/// True where `mul_add` of a number is an instruction. Elsewhere it calls a library and takes a hundred times as long.
const FUSED: bool = cfg!(any(target_feature = "fma", target_arch = "aarch64"));

macro_rules! numbers {
    ($number:ident, $lanes:literal through $token:ident) => {
        impl Add for Numbers<$number, $lanes> {
            type Output = Self;
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                Self(array::from_fn(|i| self.0[i] + other.0[i]))
            }
        }

        impl Sub for Numbers<$number, $lanes> {
            type Output = Self;
            #[inline(always)]
            fn sub(self, other: Self) -> Self {
                Self(array::from_fn(|i| self.0[i] - other.0[i]))
            }
        }

        impl Mul for Numbers<$number, $lanes> {
            type Output = Self;
            #[inline(always)]
            fn mul(self, other: Self) -> Self {
                Self(array::from_fn(|i| self.0[i] * other.0[i]))
            }
        }

        impl Vector<$number> for Numbers<$number, $lanes> {
            const LANES: usize = $lanes;

            #[inline(always)]
            fn mul_add(self, factor: Self, addend: Self) -> Self {
                Self(array::from_fn(|i| {
                    if FUSED {
                        self.0[i].mul_add(factor.0[i], addend.0[i])
                    } else {
                        self.0[i] * factor.0[i] + addend.0[i]
                    }
                }))
            }

            #[inline(always)]
            fn abs(self) -> Self {
                Self(self.0.map($number::abs))
            }

            #[inline(always)]
            fn max(self, other: Self) -> Self {
                Self(array::from_fn(|i| if self.0[i] > other.0[i] { self.0[i] } else { other.0[i] }))
            }

            #[inline(always)]
            fn finite(self) -> Self {
                Self(self.0.map(|x| if x.is_finite() { x } else { 0.0 }))
            }

            #[inline(always)]
            fn any_above(self, other: Self) -> bool {
                self.0.iter().zip(&other.0).any(|(a, b)| a > b)
            }

            #[inline(always)]
            fn largest(self) -> $number {
                self.0.into_iter().reduce(|m, x| if x > m { x } else { m }).expect("there are lanes")
            }

            #[inline(always)]
            fn store(self, to: &mut [$number]) {
                to[..$lanes].copy_from_slice(&self.0);
            }
        }

        impl Registers<$number> for $token {
            type Vector = Numbers<$number, $lanes>;

            #[inline(always)]
            fn splat(self, value: $number) -> Self::Vector {
                Numbers([value; $lanes])
            }

            #[inline(always)]
            fn load(self, from: &[$number]) -> Self::Vector {
                Numbers(array::from_fn(|i| from[..$lanes][i]))
            }
        }
    };
}

numbers!(f64, 4 through Portable);
numbers!(f32, 8 through Portable);
#[cfg(any(test, not(target_arch = "x86_64")))]
numbers!(f64, 2 through PortableStereo);

impl<const N: usize> Pairs for Numbers<f64, N>
where
    Self: Vector<f64>,
{
    #[inline(always)]
    fn push(self, pair: [f64; 2]) -> Self {
        Self(array::from_fn(|i| if i < 2 { pair[i] } else { self.0[i - 2] }))
    }

    #[inline(always)]
    fn after(self, lower: Self) -> Self {
        self.push(lower.last())
    }

    #[inline(always)]
    fn last(self) -> [f64; 2] {
        [self.0[N - 2], self.0[N - 1]]
    }

    #[inline(always)]
    fn where_above(self, other: Self, place: Self, limit: Self) -> Self {
        Self(array::from_fn(|i| if place.0[i] > limit.0[i] { self.0[i] } else { other.0[i] }))
    }
}

impl Div for Numbers<f64, 4> {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        Self(array::from_fn(|i| self.0[i] / other.0[i]))
    }
}

impl Binary for Numbers<f64, 4> {
    #[inline(always)]
    fn split(self) -> (Self, Self) {
        let exponent = |x: f64| f64::from_bits(x.to_bits() >> FRACTION | MAGIC.to_bits()) - (MAGIC + BIAS);
        let fraction = |x: f64| f64::from_bits(x.to_bits() & ((1 << FRACTION) - 1) | 1f64.to_bits());
        (Self(self.0.map(exponent)), Self(self.0.map(fraction)))
    }

    #[inline(always)]
    fn scaled(self, exponent: Self) -> Self {
        let power = |exponent: f64| f64::from_bits((exponent + (MAGIC + BIAS)).to_bits() << FRACTION);
        Self(array::from_fn(|i| self.0[i] * power(exponent.0[i])))
    }
}

impl Simd for Portable {
    #[inline(always)]
    fn widen(self, from: &[f32]) -> Numbers<f64, 4> {
        Numbers(array::from_fn(|i| f64::from(from[..4][i])))
    }

    #[inline]
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }
}

/// [`Simd::unpack_24`], four samples at a time from three words.
#[inline(always)]
pub(super) fn unpack_24(from: &[u8], big_endian: bool, to: &mut [f32]) {
    const SCALE: f32 = 1.0 / (1u32 << 31) as f32;
    let from = &from[..3 * to.len()];
    if big_endian {
        for (sample, &[a, b, c]) in to.iter_mut().zip(from.as_chunks().0) {
            *sample = i32::from_be_bytes([a, b, c, 0]) as f32 * SCALE;
        }
        return;
    }
    let (fours, rest) = to.as_chunks_mut::<4>();
    let (bytes, last) = from.split_at(12 * fours.len());
    for (samples, bytes) in fours.iter_mut().zip(bytes.as_chunks::<12>().0) {
        let word = |i: usize| u32::from_le_bytes([bytes[i], bytes[i + 1], bytes[i + 2], bytes[i + 3]]);
        let (first, second, third) = (word(0), word(4), word(8));
        let tops = [
            first << 8,
            (first >> 16 & 0xff00) | second << 16,
            (second >> 8 & 0x00ff_ff00) | third << 24,
            third & 0xffff_ff00,
        ];
        *samples = tops.map(|top| top.cast_signed() as f32 * SCALE);
    }
    for (sample, &[a, b, c]) in rest.iter_mut().zip(last.as_chunks().0) {
        *sample = i32::from_le_bytes([0, a, b, c]) as f32 * SCALE;
    }
}
