//! Requests of an instance: to others, and for its saved id.

use super::member::LocalMember;
use super::shared::BridgeShared;
use crate::audition::AuditionOrders;
use crate::identity::InstanceId;
use std::sync::Weak;
use units::Db;

/// Sender of requests for one instance; any thread. It may outlive the instance, and has no effect then.
#[derive(Clone, Debug)]
pub struct Requester {
    pub(super) member: Weak<LocalMember>,
    pub(super) shared: &'static BridgeShared,
}

impl Requester {
    /// Asks `target` for a trim of `gain`, for a person who saw the trim's revision `base`. Returns the request's
    /// counter, which the answer in the target's readings repeats; `None` if this instance is gone.
    pub fn request_trim(&self, target: InstanceId, base: u64, gain: Db) -> Option<u64> {
        let counter = self.member.upgrade()?.control_writer.lock().request_trim(target, base, gain);
        self.shared.wake_worker();
        Some(counter)
    }

    /// Asks the Stem `target` to reset its meters.
    pub fn request_meter_reset(&self, target: InstanceId) {
        if let Some(member) = self.member.upgrade() {
            member.control_writer.lock().request_meter_reset(target);
            self.shared.wake_worker();
        }
    }

    /// Asks the Stem `target` to show that the stem `by` covers it in a third-octave band.
    pub fn mark_band(&self, target: InstanceId, by: InstanceId, band: u64) {
        if let Some(member) = self.member.upgrade() {
            member.control_writer.lock().mark_band(target, by, band);
            self.shared.wake_worker();
        }
    }

    /// Takes the id `wanted` for this instance unless another one has it. Returns the id that the instance then has; `None`
    /// if it is gone.
    pub fn claim_id(&self, wanted: InstanceId) -> Option<InstanceId> {
        let id = self.member.upgrade()?.control_writer.lock().claim_id(wanted);
        self.shared.wake_worker();
        id
    }

    /// Replaces all audition orders of this Master; they hold until the next call or until the instance is gone.
    pub fn post_orders(&self, orders: AuditionOrders) {
        if let Some(member) = self.member.upgrade() {
            member.control_writer.lock().post_orders(orders);
            self.shared.wake_worker();
        }
    }

    /// Asks `master` to predict a move of `stem` by `gain`. Returns the request's counter, which the answer in the
    /// Master's summary repeats; `None` if this instance is gone.
    pub fn request_prediction(&self, master: InstanceId, stem: InstanceId, gain: Db) -> Option<u64> {
        let counter = self.member.upgrade()?.control_writer.lock().request_prediction(master, stem, gain);
        self.shared.wake_worker();
        Some(counter)
    }

    /// Tells `master` that the mute of `stem` is part of the mix. Returns the request's counter; `None` if this instance is
    /// gone.
    pub fn confirm_mute(&self, master: InstanceId, stem: InstanceId) -> Option<u64> {
        let counter = self.member.upgrade()?.control_writer.lock().confirm_mute(master, stem);
        self.shared.wake_worker();
        Some(counter)
    }
}
