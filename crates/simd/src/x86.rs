//! Registers of x86-64. One of the few places where `unsafe` is allowed (ARCHITECTURE.md).
//!
//! Why it is sound: a token is only made where the processor has the instructions, a register only through a token,
//! and what is done to a register needs one to begin with.
#![allow(unsafe_code)]

use core::arch::x86_64::*;
use core::ops::{Add, Div, Mul, Sub};

use super::{BIAS, Binary, FRACTION, Kernel, MAGIC, Pairs, Registers, Simd, Vector, portable};

/// Every x86-64 processor.
#[derive(Clone, Copy)]
pub(super) struct Sse2(());

/// AVX2 and FMA.
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

/// AVX-512: F, DQ and VL, beside AVX2 and FMA.
#[derive(Clone, Copy)]
pub(super) struct Avx512(());

impl Sse2 {
    pub(super) fn new() -> Self {
        Self(())
    }
}

impl Avx2 {
    pub(super) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Self(()))
    }
}

impl Avx512 {
    pub(super) fn detect() -> Option<Self> {
        let wide = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl");
        Avx2::detect().filter(|_| wide).map(|_| Self(()))
    }

    /// AVX2, beside which it was found.
    pub(super) fn narrow(self) -> Avx2 {
        Avx2(())
    }
}

/// A register type: `$lanes` numbers, made through `$token`.
macro_rules! register {
    (
        $(#[$documentation:meta])*
        $name:ident($register:ident): $lanes:literal $number:ident through $token:ident;
        $set:ident $load:ident $store:ident $add:ident $sub:ident $mul:ident $max:ident;
        mul_add($a:ident, $b:ident, $c:ident) $mul_add:expr;
        abs($x:ident) $abs:expr;
        finite($y:ident) $finite:expr;
        any_above($d:ident, $e:ident) $any_above:expr;
        largest($w:ident) $largest:expr;
    ) => {
        $(#[$documentation])*
        #[derive(Clone, Copy)]
        pub(super) struct $name($register);

        impl Add for $name {
            type Output = Self;
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                // SAFETY: registers exist only where the processor has their instructions (see above).
                Self(unsafe { $add(self.0, other.0) })
            }
        }

        impl Sub for $name {
            type Output = Self;
            #[inline(always)]
            fn sub(self, other: Self) -> Self {
                // SAFETY: registers exist only where the processor has their instructions (see above).
                Self(unsafe { $sub(self.0, other.0) })
            }
        }

        impl Mul for $name {
            type Output = Self;
            #[inline(always)]
            fn mul(self, other: Self) -> Self {
                // SAFETY: registers exist only where the processor has their instructions (see above).
                Self(unsafe { $mul(self.0, other.0) })
            }
        }

        impl Vector<$number> for $name {
            const LANES: usize = $lanes;

            #[inline(always)]
            fn mul_add(self, factor: Self, addend: Self) -> Self {
                let ($a, $b, $c) = (self.0, factor.0, addend.0);
                // SAFETY: registers exist only where the processor has their instructions (see above).
                Self(unsafe { $mul_add })
            }

            #[inline(always)]
            fn abs(self) -> Self {
                let $x = self.0;
                // SAFETY: registers exist only where the processor has their instructions (see above).
                Self(unsafe { $abs })
            }

            #[inline(always)]
            fn max(self, other: Self) -> Self {
                // SAFETY: registers exist only where the processor has their instructions (see above).
                Self(unsafe { $max(self.0, other.0) })
            }

            #[inline(always)]
            fn finite(self) -> Self {
                let $y = self;
                // SAFETY: registers exist only where the processor has their instructions (see above).
                Self(unsafe { $finite })
            }

            #[inline(always)]
            fn any_above(self, other: Self) -> bool {
                let ($d, $e) = (self.0, other.0);
                // SAFETY: registers exist only where the processor has their instructions (see above).
                unsafe { $any_above }
            }

            #[inline(always)]
            fn largest(self) -> $number {
                let $w = self.0;
                // SAFETY: registers exist only where the processor has their instructions (see above).
                unsafe { $largest }
            }

            #[inline(always)]
            fn store(self, to: &mut [$number]) {
                let to = &mut to[..$lanes];
                // SAFETY: `to` is as long as what is written; the instruction takes any alignment.
                unsafe { $store(to.as_mut_ptr(), self.0) }
            }
        }

        impl Registers<$number> for $token {
            type Vector = $name;

            #[inline(always)]
            fn splat(self, value: $number) -> $name {
                // SAFETY: the token exists only where the processor has its instructions.
                $name(unsafe { $set(value) })
            }

            #[inline(always)]
            fn load(self, from: &[$number]) -> $name {
                let from = &from[..$lanes];
                // SAFETY: `from` is as long as what is read; the instruction takes any alignment. The token exists
                // only where the processor has its instructions.
                $name(unsafe { $load(from.as_ptr()) })
            }
        }
    };
}

/// The larger of two.
///
/// # Safety
/// None: SSE2 is part of x86-64. Unsafe like the intrinsics it stands beside.
#[inline(always)]
unsafe fn half_pd(x: __m128d) -> f64 {
    // SAFETY: SSE2 is part of x86-64.
    unsafe { _mm_cvtsd_f64(_mm_max_sd(x, _mm_unpackhi_pd(x, x))) }
}

/// The largest of four.
///
/// # Safety
/// None: SSE2 is part of x86-64. Unsafe like the intrinsics it stands beside.
#[inline(always)]
unsafe fn quarter_ps(x: __m128) -> f32 {
    // SAFETY: SSE2 is part of x86-64.
    unsafe {
        let pair = _mm_max_ps(x, _mm_movehl_ps(x, x));
        _mm_cvtss_f32(_mm_max_ss(pair, _mm_shuffle_ps::<1>(pair, pair)))
    }
}

register! {
    /// Two numbers.
    F64x2(__m128d): 2 f64 through Sse2;
    _mm_set1_pd _mm_loadu_pd _mm_storeu_pd _mm_add_pd _mm_sub_pd _mm_mul_pd _mm_max_pd;
    mul_add(a, b, c) _mm_add_pd(_mm_mul_pd(a, b), c);
    abs(x) _mm_andnot_pd(_mm_set1_pd(-0.0), x);
    finite(x) _mm_and_pd(x.0, _mm_cmple_pd(x.abs().0, _mm_set1_pd(f64::MAX)));
    any_above(a, b) _mm_movemask_pd(_mm_cmpgt_pd(a, b)) != 0;
    largest(x) half_pd(x);
}

register! {
    /// Four numbers.
    F32x4(__m128): 4 f32 through Sse2;
    _mm_set1_ps _mm_loadu_ps _mm_storeu_ps _mm_add_ps _mm_sub_ps _mm_mul_ps _mm_max_ps;
    mul_add(a, b, c) _mm_add_ps(_mm_mul_ps(a, b), c);
    abs(x) _mm_andnot_ps(_mm_set1_ps(-0.0), x);
    finite(x) _mm_and_ps(x.0, _mm_cmple_ps(x.abs().0, _mm_set1_ps(f32::MAX)));
    any_above(a, b) _mm_movemask_ps(_mm_cmpgt_ps(a, b)) != 0;
    largest(x) quarter_ps(x);
}

register! {
    /// Four numbers.
    F64x4(__m256d): 4 f64 through Avx2;
    _mm256_set1_pd _mm256_loadu_pd _mm256_storeu_pd _mm256_add_pd _mm256_sub_pd _mm256_mul_pd _mm256_max_pd;
    mul_add(a, b, c) _mm256_fmadd_pd(a, b, c);
    abs(x) _mm256_andnot_pd(_mm256_set1_pd(-0.0), x);
    finite(x) _mm256_and_pd(x.0, _mm256_cmp_pd::<_CMP_LE_OQ>(x.abs().0, _mm256_set1_pd(f64::MAX)));
    any_above(a, b) _mm256_movemask_pd(_mm256_cmp_pd::<_CMP_GT_OQ>(a, b)) != 0;
    largest(x) half_pd(_mm_max_pd(_mm256_castpd256_pd128(x), _mm256_extractf128_pd::<1>(x)));
}

register! {
    /// Eight numbers.
    F32x8(__m256): 8 f32 through Avx2;
    _mm256_set1_ps _mm256_loadu_ps _mm256_storeu_ps _mm256_add_ps _mm256_sub_ps _mm256_mul_ps _mm256_max_ps;
    mul_add(a, b, c) _mm256_fmadd_ps(a, b, c);
    abs(x) _mm256_andnot_ps(_mm256_set1_ps(-0.0), x);
    finite(x) _mm256_and_ps(x.0, _mm256_cmp_ps::<_CMP_LE_OQ>(x.abs().0, _mm256_set1_ps(f32::MAX)));
    any_above(a, b) _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(a, b)) != 0;
    largest(x) quarter_ps(_mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x)));
}

register! {
    /// Eight numbers.
    F64x8(__m512d): 8 f64 through Avx512;
    _mm512_set1_pd _mm512_loadu_pd _mm512_storeu_pd _mm512_add_pd _mm512_sub_pd _mm512_mul_pd _mm512_max_pd;
    mul_add(a, b, c) _mm512_fmadd_pd(a, b, c);
    abs(x) _mm512_abs_pd(x);
    finite(x) _mm512_maskz_mov_pd(_mm512_cmp_pd_mask::<_CMP_LE_OQ>(x.abs().0, _mm512_set1_pd(f64::MAX)), x.0);
    any_above(a, b) _mm512_cmp_pd_mask::<_CMP_GT_OQ>(a, b) != 0;
    largest(x) _mm512_reduce_max_pd(x);
}

register! {
    /// Sixteen numbers.
    F32x16(__m512): 16 f32 through Avx512;
    _mm512_set1_ps _mm512_loadu_ps _mm512_storeu_ps _mm512_add_ps _mm512_sub_ps _mm512_mul_ps _mm512_max_ps;
    mul_add(a, b, c) _mm512_fmadd_ps(a, b, c);
    abs(x) _mm512_abs_ps(x);
    finite(x) _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_LE_OQ>(x.abs().0, _mm512_set1_ps(f32::MAX)), x.0);
    any_above(a, b) _mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, b) != 0;
    largest(x) _mm512_reduce_max_ps(x);
}

/// [`Pairs`] of a register type of several.
macro_rules! pairs {
    (
        $name:ident;
        push($x:ident, $pair:ident) $push:expr;
        after($y:ident, $lower:ident) $after:expr;
        last($z:ident) $last:expr;
        where_above($a:ident, $b:ident, $place:ident, $limit:ident) $where_above:expr;
    ) => {
        impl Pairs for $name {
            #[inline(always)]
            fn push(self, [first, second]: [f64; 2]) -> Self {
                // SAFETY: SSE2 is part of x86-64.
                let $pair = unsafe { _mm_set_pd(second, first) };
                let $x = self.0;
                // SAFETY: registers exist only where the processor has their instructions (see above).
                Self(unsafe { $push })
            }

            #[inline(always)]
            fn after(self, lower: Self) -> Self {
                let ($y, $lower) = (self.0, lower.0);
                // SAFETY: registers exist only where the processor has their instructions (see above).
                Self(unsafe { $after })
            }

            #[inline(always)]
            fn last(self) -> [f64; 2] {
                let $z = self.0;
                let mut pair = [0.0; 2];
                // SAFETY: registers exist only where the processor has their instructions (see above); two numbers are
                // written to two, at any alignment.
                unsafe { _mm_storeu_pd(pair.as_mut_ptr(), $last) };
                pair
            }

            #[inline(always)]
            fn where_above(self, other: Self, place: Self, limit: Self) -> Self {
                let ($a, $b, $place, $limit) = (self.0, other.0, place.0, limit.0);
                // SAFETY: registers exist only where the processor has their instructions (see above).
                Self(unsafe { $where_above })
            }
        }
    };
}

impl Pairs for F64x2 {
    #[inline(always)]
    fn push(self, [first, second]: [f64; 2]) -> Self {
        // SAFETY: SSE2 is part of x86-64.
        Self(unsafe { _mm_set_pd(second, first) })
    }

    #[inline(always)]
    fn after(self, lower: Self) -> Self {
        lower
    }

    #[inline(always)]
    fn last(self) -> [f64; 2] {
        let mut pair = [0.0; 2];
        self.store(&mut pair);
        pair
    }

    #[inline(always)]
    fn where_above(self, other: Self, place: Self, limit: Self) -> Self {
        // SAFETY: SSE2 is part of x86-64.
        Self(unsafe {
            let mask = _mm_cmpgt_pd(place.0, limit.0);
            _mm_or_pd(_mm_and_pd(mask, self.0), _mm_andnot_pd(mask, other.0))
        })
    }
}

pairs! {
    F64x4;
    push(x, pair) _mm256_insertf128_pd::<1>(_mm256_castpd128_pd256(pair), _mm256_castpd256_pd128(x));
    after(x, lower) _mm256_permute2f128_pd::<0x21>(lower, x);
    last(x) _mm256_extractf128_pd::<1>(x);
    where_above(a, b, place, limit) _mm256_blendv_pd(b, a, _mm256_cmp_pd::<_CMP_GT_OQ>(place, limit));
}

pairs! {
    F64x8;
    push(x, pair) aligned(x, _mm512_broadcast_f64x2(pair));
    after(x, lower) aligned(x, lower);
    last(x) _mm512_extractf64x2_pd::<3>(x);
    where_above(a, b, place, limit) _mm512_mask_mov_pd(b, _mm512_cmp_pd_mask::<_CMP_GT_OQ>(place, limit), a);
}

/// The highest two of `lower`, then the lowest six of `x`.
///
/// # Safety
/// The processor must have AVX-512 F.
#[inline(always)]
unsafe fn aligned(x: __m512d, lower: __m512d) -> __m512d {
    // SAFETY: the caller has the instructions.
    unsafe {
        let moved = _mm512_alignr_epi64::<6>(_mm512_castpd_si512(x), _mm512_castpd_si512(lower));
        _mm512_castsi512_pd(moved)
    }
}

/// [`Binary`] of a register type.
macro_rules! binary {
    (
        $name:ident:
        $set:ident $as_bits:ident $as_numbers:ident $set_bits:ident $and:ident $or:ident $right:ident $left:ident
        $add:ident $sub:ident $mul:ident $div:ident
    ) => {
        impl Div for $name {
            type Output = Self;
            #[inline(always)]
            fn div(self, other: Self) -> Self {
                // SAFETY: registers exist only where the processor has their instructions (see above).
                Self(unsafe { $div(self.0, other.0) })
            }
        }

        impl Binary for $name {
            #[inline(always)]
            fn split(self) -> (Self, Self) {
                // SAFETY: registers exist only where the processor has their instructions (see above).
                unsafe {
                    let bits = $as_bits(self.0);
                    let magic = $set_bits(MAGIC.to_bits().cast_signed());
                    let exponent = $as_numbers($or($right::<{ FRACTION as _ }>(bits), magic));
                    let fraction = $and(bits, $set_bits((1 << FRACTION) - 1));
                    let fraction = $as_numbers($or(fraction, $set_bits(1f64.to_bits().cast_signed())));
                    (Self($sub(exponent, $set(MAGIC + BIAS))), Self(fraction))
                }
            }

            #[inline(always)]
            fn scaled(self, exponent: Self) -> Self {
                // SAFETY: registers exist only where the processor has their instructions (see above).
                Self(unsafe {
                    let power = $as_bits($add(exponent.0, $set(MAGIC + BIAS)));
                    $mul(self.0, $as_numbers($left::<{ FRACTION as _ }>(power)))
                })
            }
        }
    };
}

binary! {
    F64x2:
    _mm_set1_pd _mm_castpd_si128 _mm_castsi128_pd _mm_set1_epi64x _mm_and_si128 _mm_or_si128
    _mm_srli_epi64 _mm_slli_epi64 _mm_add_pd _mm_sub_pd _mm_mul_pd _mm_div_pd
}

binary! {
    F64x4:
    _mm256_set1_pd _mm256_castpd_si256 _mm256_castsi256_pd _mm256_set1_epi64x _mm256_and_si256 _mm256_or_si256
    _mm256_srli_epi64 _mm256_slli_epi64 _mm256_add_pd _mm256_sub_pd _mm256_mul_pd _mm256_div_pd
}

binary! {
    F64x8:
    _mm512_set1_pd _mm512_castpd_si512 _mm512_castsi512_pd _mm512_set1_epi64 _mm512_and_si512 _mm512_or_si512
    _mm512_srli_epi64 _mm512_slli_epi64 _mm512_add_pd _mm512_sub_pd _mm512_mul_pd _mm512_div_pd
}

impl Simd for Sse2 {
    #[inline(always)]
    fn widen(self, from: &[f32]) -> F64x2 {
        let pair = (f64::from(from[0]), f64::from(from[1]));
        // SAFETY: SSE2 is part of x86-64.
        F64x2(unsafe { _mm_set_pd(pair.1, pair.0) })
    }

    #[inline]
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }
}

impl Simd for Avx2 {
    #[inline(always)]
    fn widen(self, from: &[f32]) -> F64x4 {
        let from = &from[..4];
        // SAFETY: `from` is as long as what is read, at any alignment; the token proves AVX2.
        F64x4(unsafe { _mm256_cvtps_pd(_mm_loadu_ps(from.as_ptr())) })
    }

    #[inline(always)]
    fn unpack_24(self, from: &[u8], big_endian: bool, to: &mut [f32]) {
        let from = &from[..3 * to.len()];
        // Each half of a register takes sixteen bytes and uses twelve: stop where there are not as many.
        let eights = if from.len() < 28 { 0 } else { (from.len() - 28) / 24 + 1 };
        for (eight, to) in to.as_chunks_mut::<8>().0[..eights].iter_mut().enumerate() {
            let from = &from[24 * eight..][..28];
            // SAFETY: sixteen bytes are read at 0 and at 12 of 28, and eight numbers written to eight; the
            // instructions take any alignment; the token proves AVX2.
            unsafe {
                let low = _mm_loadu_si128(from.as_ptr().cast());
                let high = _mm_loadu_si128(from[12..].as_ptr().cast());
                let both = _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(low), high);
                let numbers = _mm256_cvtepi32_ps(_mm256_shuffle_epi8(both, to_tops(big_endian)));
                let scale = _mm256_set1_ps(1.0 / (1u32 << 31) as f32);
                _mm256_storeu_ps(to.as_mut_ptr(), _mm256_mul_ps(numbers, scale));
            }
        }
        portable::unpack_24(&from[24 * eights..], big_endian, &mut to[8 * eights..]);
    }

    #[inline]
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx2,fma")]
        fn compiled<K: Kernel>(simd: Avx2, kernel: K) -> K::Output {
            kernel.run(simd)
        }
        // SAFETY: the token proves AVX2 and FMA.
        unsafe { compiled(self, kernel) }
    }
}

impl Simd for Avx512 {
    #[inline(always)]
    fn widen(self, from: &[f32]) -> F64x8 {
        let from = &from[..8];
        // SAFETY: `from` is as long as what is read, at any alignment; the token proves AVX-512.
        F64x8(unsafe { _mm512_cvtps_pd(_mm256_loadu_ps(from.as_ptr())) })
    }

    #[inline(always)]
    fn unpack_24(self, from: &[u8], big_endian: bool, to: &mut [f32]) {
        self.narrow().unpack_24(from, big_endian, to);
    }

    #[inline]
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma")]
        fn compiled<K: Kernel>(simd: Avx512, kernel: K) -> K::Output {
            kernel.run(simd)
        }
        // SAFETY: the token proves AVX-512 F, DQ and VL, AVX2 and FMA.
        unsafe { compiled(self, kernel) }
    }
}

/// Source positions of the bytes of eight words that hold, in their upper three bytes, samples of three bytes.
#[inline(always)]
fn to_tops(big_endian: bool) -> __m256i {
    const LITTLE: [i8; 16] = [-1, 0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11];
    const BIG: [i8; 16] = [-1, 2, 1, 0, -1, 5, 4, 3, -1, 8, 7, 6, -1, 11, 10, 9];
    let half = if big_endian { &BIG } else { &LITTLE };
    // SAFETY: sixteen bytes are read of sixteen, at any alignment; only AVX2's `unpack_24` asks.
    unsafe { _mm256_broadcastsi128_si256(_mm_loadu_si128(half.as_ptr().cast())) }
}
