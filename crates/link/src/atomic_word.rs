//! Shared 64-bit word and the fences between accesses to it, as a trait that tests implement for a model checker.

use std::sync::atomic::{AtomicU64, Ordering, fence};

/// A 64-bit word shared by threads. Code that is generic over it runs on [`AtomicU64`] in the plugin and on the words of
/// the model checker `loom` in tests, without a `cfg` in the build.
pub trait AtomicWord {
    /// A word with the value zero.
    fn zero() -> Self;
    /// Loads the value.
    fn load(&self, order: Ordering) -> u64;
    /// Stores `value`.
    fn store(&self, value: u64, order: Ordering);
    /// Keeps loads before it ahead of all accesses after it.
    fn acquire_fence();
    /// Keeps all accesses before it ahead of stores after it.
    fn release_fence();
}

impl AtomicWord for AtomicU64 {
    #[inline]
    fn zero() -> Self {
        Self::new(0)
    }

    #[inline]
    fn load(&self, order: Ordering) -> u64 {
        Self::load(self, order)
    }

    #[inline]
    fn store(&self, value: u64, order: Ordering) {
        Self::store(self, value, order);
    }

    #[inline]
    fn acquire_fence() {
        fence(Ordering::Acquire);
    }

    #[inline]
    fn release_fence() {
        fence(Ordering::Release);
    }
}

/// Words of the model checker `loom`, with and without the fences: a law that holds with both fences has to fail
/// without either, or the model does not reach the case.
#[cfg(test)]
pub(super) mod model {
    use super::AtomicWord;
    use loom::sync::atomic::{AtomicU64, Ordering, fence};

    /// A word of loom; `ACQUIRE` and `RELEASE` enable the two fences.
    pub(crate) struct LoomWord<const ACQUIRE: bool, const RELEASE: bool>(AtomicU64);

    impl<const ACQUIRE: bool, const RELEASE: bool> AtomicWord for LoomWord<ACQUIRE, RELEASE> {
        fn zero() -> Self {
            Self(AtomicU64::new(0))
        }

        fn load(&self, order: Ordering) -> u64 {
            self.0.load(order)
        }

        fn store(&self, value: u64, order: Ordering) {
            self.0.store(value, order);
        }

        fn acquire_fence() {
            if ACQUIRE {
                fence(Ordering::Acquire);
            }
        }

        fn release_fence() {
            if RELEASE {
                fence(Ordering::Release);
            }
        }
    }

    /// True if some interleaving makes `model` panic.
    pub(crate) fn fails(model: impl Fn() + Sync + Send + 'static) -> bool {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(model))).is_err()
    }

    /// Runs `model` in every interleaving with at most three preemptions. The model spawns its readers and writes on
    /// its own thread: loom lets a load return any earlier store that is visible to it, but does not move a store
    /// before a load that has already run.
    pub(crate) fn check(model: impl Fn() + Sync + Send + 'static) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(3);
        builder.check(model);
    }
}
