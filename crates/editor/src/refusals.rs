//! Wishes of a window that only its host can grant, and which of them it has not granted in time.

use chain::LatencyClass;

/// Time that a host has to grant a wish, seconds.
pub(super) const HOST_TIMEOUT_SECONDS: f64 = 1.0;

/// Wishes that the host has not granted in time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Refusals {
    /// The host has not restarted the plugin, which runs in another latency class than the one asked for.
    pub restart: bool,
    /// Scale asked for, if the host leaves the window too small for it.
    pub scale: Option<f32>,
}

/// Latency class asked for, and since when, seconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ClassWish(Option<(LatencyClass, f64)>);

impl ClassWish {
    /// Returns the time that the host has left to activate `wanted`, 0 if it has none left; `None` if that class is active.
    /// `active`: the class of the last activation, `None` before the first, which takes any class.
    pub(super) fn time_left(
        &mut self,
        wanted: LatencyClass,
        active: Option<LatencyClass>,
        time: f64,
    ) -> Option<f64> {
        if active.is_none_or(|active| active == wanted) {
            self.0 = None;
            return None;
        }
        let (class, since) = *self.0.get_or_insert((wanted, time));
        if class != wanted {
            self.0 = Some((wanted, time));
            return Some(HOST_TIMEOUT_SECONDS);
        }
        Some((since + HOST_TIMEOUT_SECONDS - time).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use LatencyClass::{LinearDenoise, Lookahead, Zero};

    #[test]
    fn a_host_has_a_second_for_each_choice() {
        let mut wish = ClassWish::default();
        assert_eq!(wish.time_left(Zero, None, 0.0), None, "it will be activated so");
        assert_eq!(wish.time_left(Zero, Some(Zero), 1.0), None);
        assert_eq!(wish.time_left(Lookahead, Some(Zero), 5.0), Some(1.0));
        assert_eq!(wish.time_left(Lookahead, Some(Zero), 5.75), Some(0.25));
        assert_eq!(wish.time_left(LinearDenoise, Some(Zero), 5.75), Some(1.0), "another choice");
        assert_eq!(wish.time_left(LinearDenoise, Some(Zero), 9.0), Some(0.0));
        assert_eq!(wish.time_left(LinearDenoise, Some(LinearDenoise), 9.5), None);
        assert_eq!(wish.time_left(Zero, Some(LinearDenoise), 20.0), Some(1.0));
    }
}
