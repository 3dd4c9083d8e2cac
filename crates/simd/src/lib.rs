//! Vector arithmetic: one kernel, written once, run with whatever registers the processor has.
//!
//! A [`Kernel`] is generic code over a [`Simd`], which makes vectors ([`Vector`]) of `f64` and `f32`. [`Isa::run`]
//! runs it inside a function compiled for that instruction set; the choice is made at run time, once per call.
//!
//! | instruction set | lanes of `f64`, `f32` | where |
//! |---|---|---|
//! | portable: arrays, which the compiler vectorizes | 4, 8 | everywhere; on AArch64 with fused multiply-add |
//! | SSE2 | 2, 4 | every x86-64 |
//! | AVX2 and FMA | 4, 8 | x86-64, found at run time |
//! | AVX-512 (F, DQ, VL) | 8, 16 | x86-64, found at run time |
//!
//! Vectors can only be made through a token such as `x86::Avx2`, and a token only exists where the processor was
//! asked; so every kernel is safe code. A kernel's `run` and whatever it calls with vectors must be
//! `#[inline(always)]`: only what is inlined is compiled for the instruction set.

mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

use core::fmt;
use core::ops::{Add, Div, Mul, Sub};

use portable::Portable;
#[cfg(target_arch = "x86_64")]
use x86::{Avx2, Avx512, Sse2};

/// Numbers side by side in a register.
pub trait Vector<T>: Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> {
    /// Number of lanes.
    const LANES: usize;

    /// `self * factor + addend`, rounded once where the processor can, never by a library call.
    fn mul_add(self, factor: Self, addend: Self) -> Self;

    /// Magnitudes.
    fn abs(self) -> Self;

    /// The larger of each pair; that of `other` where one is NaN.
    fn max(self, other: Self) -> Self;

    /// NaN and infinities replaced by zero.
    fn finite(self) -> Self;

    /// True if any lane is larger than the same lane of `other`.
    fn any_above(self, other: Self) -> bool;

    /// The largest lane. Not for NaN.
    fn largest(self) -> T;

    /// Writes the lanes to the front of `to`. Panics if it is shorter.
    fn store(self, to: &mut [T]);
}

/// Numbers side by side as pairs, such as the two channels of a frame.
pub trait Pairs: Vector<f64> {
    /// All pairs one place up: `pair` comes in below, the highest falls out.
    fn push(self, pair: [f64; 2]) -> Self;

    /// All pairs one place up: the highest of `lower` comes in below.
    fn after(self, lower: Self) -> Self;

    /// The highest pair.
    fn last(self) -> [f64; 2];

    /// The lanes of `self` where `place` is above `limit`, else those of `other`.
    fn where_above(self, other: Self, place: Self, limit: Self) -> Self;
}

/// Numbers as `fraction * 2^exponent`.
pub trait Binary: Vector<f64> + Div<Output = Self> {
    /// The whole exponent and the fraction, 1 to 2, of positive normal numbers.
    fn split(self) -> (Self, Self);

    /// `self * 2^exponent` for whole exponents from -1022 to 1023.
    fn scaled(self, exponent: Self) -> Self;
}

/// Added to a whole number from 0 to 2^52 this shows its bits in the lowest of the sum.
const MAGIC: f64 = (1u64 << 52) as f64;
/// Added to the exponent in a number's bits.
const BIAS: f64 = 1023.0;
/// Bits of a fraction.
const FRACTION: u32 = 52;

/// Vectors of `T` that an instruction set has.
pub trait Registers<T>: Copy {
    /// Register of `T`.
    type Vector: Vector<T>;

    /// Vector with `value` in every lane.
    fn splat(self, value: T) -> Self::Vector;

    /// The first values of `from`. Panics if there are fewer than lanes.
    fn load(self, from: &[T]) -> Self::Vector;
}

/// Widest vector of `f64` of an instruction set.
pub type F64Vector<S> = <S as Registers<f64>>::Vector;

/// Widest vector of `f32` of an instruction set.
pub type F32Vector<S> = <S as Registers<f32>>::Vector;

/// Instruction set that this processor has.
pub trait Simd: Registers<f64, Vector: Pairs + Binary> + Registers<f32> {
    /// The first values of `from`, as many as a vector of `f64` has lanes, exactly. Panics if there are fewer.
    fn widen(self, from: &[f32]) -> <Self as Registers<f64>>::Vector;

    /// 24-bit two's complement integers as multiples of 2^-23, exactly: three bytes of `from` for each of `to`.
    /// Panics if `from` is shorter.
    fn unpack_24(self, from: &[u8], big_endian: bool, to: &mut [f32]) {
        portable::unpack_24(from, big_endian, to);
    }

    /// Runs `kernel` inside a function compiled for this instruction set.
    fn run<K: Kernel>(self, kernel: K) -> K::Output;
}

/// Registers of exactly two numbers, the channels of a frame: the same bits on every processor, detected or not, as long as
/// [`Vector::mul_add`] is not used.
#[inline(always)]
pub fn stereo() -> impl Registers<f64, Vector: Pairs> {
    #[cfg(target_arch = "x86_64")]
    let registers = Sse2::new();
    #[cfg(not(target_arch = "x86_64"))]
    let registers = portable::PortableStereo;
    registers
}

/// Work on vectors of any length.
pub trait Kernel {
    /// Result of the work.
    type Output;

    /// Does the work; implement it `#[inline(always)]`.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// Instruction set that this processor was found to have.
#[derive(Clone, Copy)]
pub struct Isa(Token);

#[derive(Clone, Copy)]
enum Token {
    Portable(Portable),
    #[cfg(target_arch = "x86_64")]
    Sse2(Sse2),
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
}

impl Isa {
    /// Arrays of numbers: everywhere.
    pub fn portable() -> Self {
        Self(Token::Portable(Portable))
    }

    /// All sets of this processor, the widest last.
    pub fn all() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let native = [
            Some(Token::Sse2(Sse2::new())),
            Avx2::detect().map(Token::Avx2),
            Avx512::detect().map(Token::Avx512),
        ];
        #[cfg(not(target_arch = "x86_64"))]
        let native = [None];
        [Self::portable()].into_iter().chain(native.into_iter().flatten().map(Self))
    }

    /// Widest set of this processor.
    pub fn widest() -> Self {
        Self::all().last().unwrap_or_else(Self::portable)
    }

    /// This set, or the widest with at most four lanes of `f64`: for kernels that have no more to do at once.
    pub fn narrow(self) -> Self {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Token::Avx512(simd) => Self(Token::Avx2(simd.narrow())),
            _ => self,
        }
    }

    /// Runs `kernel` with this set.
    #[inline]
    pub fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            Token::Portable(simd) => simd.run(kernel),
            #[cfg(target_arch = "x86_64")]
            Token::Sse2(simd) => simd.run(kernel),
            #[cfg(target_arch = "x86_64")]
            Token::Avx2(simd) => simd.run(kernel),
            #[cfg(target_arch = "x86_64")]
            Token::Avx512(simd) => simd.run(kernel),
        }
    }

    /// Name, as `AVX2`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Token::Portable(_) => "portable",
            #[cfg(target_arch = "x86_64")]
            Token::Sse2(_) => "SSE2",
            #[cfg(target_arch = "x86_64")]
            Token::Avx2(_) => "AVX2",
            #[cfg(target_arch = "x86_64")]
            Token::Avx512(_) => "AVX-512",
        }
    }
}

impl fmt::Debug for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// [`Simd::unpack_24`] as a kernel.
pub struct Unpack24<'a> {
    /// Three bytes for each sample.
    pub from: &'a [u8],
    /// The order of the bytes.
    pub big_endian: bool,
    /// Destination of the samples.
    pub to: &'a mut [f32],
}

impl Kernel for Unpack24<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        simd.unpack_24(self.from, self.big_endian, self.to);
    }
}

#[cfg(test)]
mod tests;
