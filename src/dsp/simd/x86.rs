//! Registers of x86-64. One of the few places where `unsafe` is allowed (ARCHITECTURE.md).
//!
//! Why it is sound: a token is only made where the processor has the instructions, a register only through a token,
//! and what is done to a register needs one to begin with.
#![allow(unsafe_code)]

use core::arch::x86_64::*;
use core::ops::{Add, Mul, Sub};

use super::{Kernel, Registers, Simd, Vector, portable};

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

register! {
    /// Two numbers.
    F64x2(__m128d): 2 f64 through Sse2;
    _mm_set1_pd _mm_loadu_pd _mm_storeu_pd _mm_add_pd _mm_sub_pd _mm_mul_pd _mm_max_pd;
    mul_add(a, b, c) _mm_add_pd(_mm_mul_pd(a, b), c);
    abs(x) _mm_andnot_pd(_mm_set1_pd(-0.0), x);
    finite(x) _mm_and_pd(x.0, _mm_cmple_pd(x.abs().0, _mm_set1_pd(f64::MAX)));
    any_above(a, b) _mm_movemask_pd(_mm_cmpgt_pd(a, b)) != 0;
}

register! {
    /// Four numbers.
    F32x4(__m128): 4 f32 through Sse2;
    _mm_set1_ps _mm_loadu_ps _mm_storeu_ps _mm_add_ps _mm_sub_ps _mm_mul_ps _mm_max_ps;
    mul_add(a, b, c) _mm_add_ps(_mm_mul_ps(a, b), c);
    abs(x) _mm_andnot_ps(_mm_set1_ps(-0.0), x);
    finite(x) _mm_and_ps(x.0, _mm_cmple_ps(x.abs().0, _mm_set1_ps(f32::MAX)));
    any_above(a, b) _mm_movemask_ps(_mm_cmpgt_ps(a, b)) != 0;
}

register! {
    /// Four numbers.
    F64x4(__m256d): 4 f64 through Avx2;
    _mm256_set1_pd _mm256_loadu_pd _mm256_storeu_pd _mm256_add_pd _mm256_sub_pd _mm256_mul_pd _mm256_max_pd;
    mul_add(a, b, c) _mm256_fmadd_pd(a, b, c);
    abs(x) _mm256_andnot_pd(_mm256_set1_pd(-0.0), x);
    finite(x) _mm256_and_pd(x.0, _mm256_cmp_pd::<_CMP_LE_OQ>(x.abs().0, _mm256_set1_pd(f64::MAX)));
    any_above(a, b) _mm256_movemask_pd(_mm256_cmp_pd::<_CMP_GT_OQ>(a, b)) != 0;
}

register! {
    /// Eight numbers.
    F32x8(__m256): 8 f32 through Avx2;
    _mm256_set1_ps _mm256_loadu_ps _mm256_storeu_ps _mm256_add_ps _mm256_sub_ps _mm256_mul_ps _mm256_max_ps;
    mul_add(a, b, c) _mm256_fmadd_ps(a, b, c);
    abs(x) _mm256_andnot_ps(_mm256_set1_ps(-0.0), x);
    finite(x) _mm256_and_ps(x.0, _mm256_cmp_ps::<_CMP_LE_OQ>(x.abs().0, _mm256_set1_ps(f32::MAX)));
    any_above(a, b) _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(a, b)) != 0;
}

register! {
    /// Eight numbers.
    F64x8(__m512d): 8 f64 through Avx512;
    _mm512_set1_pd _mm512_loadu_pd _mm512_storeu_pd _mm512_add_pd _mm512_sub_pd _mm512_mul_pd _mm512_max_pd;
    mul_add(a, b, c) _mm512_fmadd_pd(a, b, c);
    abs(x) _mm512_abs_pd(x);
    finite(x) _mm512_maskz_mov_pd(_mm512_cmp_pd_mask::<_CMP_LE_OQ>(x.abs().0, _mm512_set1_pd(f64::MAX)), x.0);
    any_above(a, b) _mm512_cmp_pd_mask::<_CMP_GT_OQ>(a, b) != 0;
}

register! {
    /// Sixteen numbers.
    F32x16(__m512): 16 f32 through Avx512;
    _mm512_set1_ps _mm512_loadu_ps _mm512_storeu_ps _mm512_add_ps _mm512_sub_ps _mm512_mul_ps _mm512_max_ps;
    mul_add(a, b, c) _mm512_fmadd_ps(a, b, c);
    abs(x) _mm512_abs_ps(x);
    finite(x) _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_LE_OQ>(x.abs().0, _mm512_set1_ps(f32::MAX)), x.0);
    any_above(a, b) _mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, b) != 0;
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
        Avx2(()).unpack_24(from, big_endian, to); // AVX-512 is only found beside AVX2
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

/// Where the bytes of eight words come from that hold, in their upper three bytes, samples of three bytes.
#[inline(always)]
fn to_tops(big_endian: bool) -> __m256i {
    const LITTLE: [i8; 16] = [-1, 0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11];
    const BIG: [i8; 16] = [-1, 2, 1, 0, -1, 5, 4, 3, -1, 8, 7, 6, -1, 11, 10, 9];
    let half = if big_endian { &BIG } else { &LITTLE };
    // SAFETY: sixteen bytes are read of sixteen, at any alignment; only AVX2's `unpack_24` asks.
    unsafe { _mm256_broadcastsi128_si256(_mm_loadu_si128(half.as_ptr().cast())) }
}
