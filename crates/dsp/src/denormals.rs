//! Subnormal numbers flushed to zero by the processor, for as long as a guard lives.
//!
//! Subnormal arithmetic is slow enough to drop out an audio thread; hosts do not always flush. One of the two places
//! of the crate where `unsafe` is allowed (ARCHITECTURE.md).
#![allow(unsafe_code)]

/// Guard under which this thread's floating-point unit flushes subnormal results to zero and reads subnormal operands as
/// zero. Dropping it restores the mode that it found. On other processors than x86-64 and AArch64 it does
/// nothing.
pub struct FlushToZero {
    #[cfg_attr(not(any(target_arch = "x86_64", target_arch = "aarch64")), allow(dead_code))]
    before: FpControl,
}

/// Control register of the floating-point unit: MXCSR on x86-64, FPCR on AArch64.
type FpControl = u64;

/// Flush-to-zero (bit 15) and denormals-are-zero (bit 6) of MXCSR.
#[cfg(target_arch = "x86_64")]
const FLUSH: FpControl = 1 << 15 | 1 << 6;
/// Flush-to-zero (bit 24) of FPCR, operands included.
#[cfg(target_arch = "aarch64")]
const FLUSH: FpControl = 1 << 24;

impl FlushToZero {
    /// Starts flushing.
    #[inline]
    #[must_use = "flushing ends when the guard is dropped"]
    #[allow(clippy::new_without_default)] // a guard is made on purpose
    pub fn new() -> Self {
        let before = mode();
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        set_mode(before | FLUSH);
        Self { before }
    }
}

impl Drop for FlushToZero {
    #[inline]
    fn drop(&mut self) {
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        set_mode(self.before);
    }
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn mode() -> FpControl {
    let mut mode: u32 = 0;
    // SAFETY: stmxcsr stores MXCSR into the four bytes of `mode`, which live on this stack frame; SSE is part of
    // x86-64.
    unsafe { core::arch::asm!("stmxcsr [{}]", in(reg) &raw mut mode, options(nostack, preserves_flags)) };
    FpControl::from(mode)
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn set_mode(mode: FpControl) {
    let mode = mode as u32; // MXCSR has 32 bits
    // SAFETY: `mode` came from stmxcsr with only FTZ and DAZ added, bits every x86-64 processor has, so ldmxcsr sets
    // no reserved bit. Rust code must not run long with another mode: the guard restores it, and within it nothing
    // relies on subnormals.
    unsafe { core::arch::asm!("ldmxcsr [{}]", in(reg) &raw const mode, options(nostack, preserves_flags)) };
}

#[cfg(target_arch = "aarch64")]
#[inline]
fn mode() -> FpControl {
    let mode: u64;
    // SAFETY: reading FPCR has no effect and is allowed in user mode.
    unsafe { core::arch::asm!("mrs {}, fpcr", out(reg) mode, options(nomem, nostack, preserves_flags)) };
    mode
}

#[cfg(target_arch = "aarch64")]
#[inline]
fn set_mode(mode: FpControl) {
    // SAFETY: `mode` came from FPCR with only FZ added; the guard restores it.
    unsafe { core::arch::asm!("msr fpcr, {}", in(reg) mode, options(nomem, nostack, preserves_flags)) };
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn mode() -> FpControl {
    0
}

#[cfg(all(test, any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tests {
    use super::*;
    use std::hint::black_box;

    #[test]
    fn subnormals_are_zero_inside_and_back_outside() {
        let half = |x: f64| black_box(x) * black_box(0.5);
        assert!(half(f64::MIN_POSITIVE) > 0.0);
        {
            let _flush = FlushToZero::new();
            assert_eq!(half(f64::MIN_POSITIVE), 0.0);
        }
        assert!(half(f64::MIN_POSITIVE) > 0.0);
    }
}
