//! One shared word and the fences between accesses to it: the seam where tests put a model checker.

use std::sync::atomic::{AtomicU64, Ordering, fence};

/// A 64-bit word that threads share. Code generic over it runs on [`AtomicU64`] in the plugin and on a model
/// checker's words in tests, without any switch in the build.
pub trait Word {
    /// A word holding zero.
    fn zero() -> Self;
    /// Reads the word.
    fn load(&self, order: Ordering) -> u64;
    /// Writes the word.
    fn store(&self, value: u64, order: Ordering);
    /// Loads before it stay before accesses after it.
    fn acquire_fence();
    /// Accesses before it stay before stores after it.
    fn release_fence();
}

impl Word for AtomicU64 {
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

/// Words of the model checker `loom`, and such that lack one of the fences: what is proven with the first must fail
/// with the second, or the proof proves nothing.
#[cfg(test)]
pub(super) mod model {
    use super::Word;
    use loom::sync::atomic::{AtomicU64, Ordering, fence};

    /// A word of loom; `ACQUIRE` and `RELEASE` say which fences it has.
    pub(crate) struct Modelled<const ACQUIRE: bool, const RELEASE: bool>(AtomicU64);

    impl<const ACQUIRE: bool, const RELEASE: bool> Word for Modelled<ACQUIRE, RELEASE> {
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

    /// Whether some interleaving makes `model` panic.
    pub(crate) fn fails(model: impl Fn() + Sync + Send + 'static) -> bool {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(model))).is_err()
    }

    /// Runs `model` in every interleaving with at most three preemptions. Its readers are spawned and its writer is
    /// the thread that spawns them: loom lets a load take any earlier store it may see, but does not move a store
    /// before a load that has already run.
    pub(crate) fn check(model: impl Fn() + Sync + Send + 'static) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(3);
        builder.check(model);
    }
}
