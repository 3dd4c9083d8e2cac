//! Routes of Stems into a Master's mix: found by its analysis, followed by its audio thread.

use super::cell::SeqCell;
use super::identity::InstanceId;
use super::slot::Origin;

/// Stems that a table can hold a route for.
const MAX_ROUTES: usize = 128;
const TABLE_WORDS: usize = 1 + 2 * MAX_ROUTES;
/// Delay that stands for [`StemRoute::LeaveOut`].
const LEAVE_OUT: i64 = i64::MIN;

/// Routes of all Stems. One thread writes, one audio thread reads; neither waits.
#[derive(Debug, Default)]
pub struct RoutingTable(SeqCell<TABLE_WORDS>);

/// Route of a Stem into the mix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StemRoute {
    /// Not summed: it is part of another Stem's bus, or of another session.
    LeaveOut,
    /// Its frame at `position` is in the mix at `position + delay`.
    At {
        /// Delay in frames.
        delay: i64,
    },
}

impl RoutingTable {
    /// Replaces all routes. A Stem without one is summed without delay if it is in this process, and left out if not.
    /// One thread at a time.
    pub fn set_routes(&self, stems: &[(InstanceId, StemRoute)]) {
        let mut words = [0; TABLE_WORDS];
        let count = stems.len().min(MAX_ROUTES);
        words[0] = count as u64;
        for (pair, (id, route)) in words[1..].chunks_exact_mut(2).zip(&stems[..count]) {
            let delay = match route {
                StemRoute::LeaveOut => LEAVE_OUT,
                StemRoute::At { delay } => *delay,
            };
            pair.copy_from_slice(&[id.get(), delay.cast_unsigned()]);
        }
        self.0.write(&words);
    }

    /// A copy of the routes; empty if the writer interfered with every attempt.
    pub(super) fn routes(&self) -> Routes {
        let mut words = [0; TABLE_WORDS];
        if !self.0.read(&mut words) {
            words[0] = 0;
        }
        Routes(words)
    }
}

/// Routes of all Stems at one moment.
pub(super) struct Routes([u64; TABLE_WORDS]);

impl Routes {
    /// The route of the Stem `id`.
    pub(super) fn route(&self, id: InstanceId, origin: Origin) -> StemRoute {
        let pairs = self.0[1..].chunks_exact(2).take(self.0[0] as usize);
        match pairs.filter(|pair| pair[0] == id.get()).map(|pair| pair[1].cast_signed()).next() {
            Some(LEAVE_OUT) => StemRoute::LeaveOut,
            Some(delay) => StemRoute::At { delay },
            // audio of other processes comes later: the mix waits for it only if it belongs to the mix
            None if origin == Origin::Bridged => StemRoute::LeaveOut,
            None => StemRoute::At { delay: 0 },
        }
    }
}
