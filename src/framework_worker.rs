//! Care for the framework's worker thread, which all VST3 instances of a class share on Linux (nice-plug 0.4).
//!
//! The worker ends when it meets a task of an instance that has gone, and the last instance that goes then aborts the
//! host; so does one that the worker itself drops last. `docs/decisions/065-framework-worker.md` has the traces.
//! Therefore one instance of each class is kept for the life of the process, and an instance that is deactivated first
//! waits until its own tasks are done: hosts deactivate before they release, and audio threads post no more then. Nor may
//! the worker execute a task while a host opens a window: an instance waits for its tasks before that, too, when the host
//! asks for the size of the window.

use super::plugin::{PluginIdentity, StemlinkPlugin};
use chain::ChainKind;
use nice_plug::context::gui::AsyncExecutor;
use nice_plug::wrapper::vst3::Wrapper;
use std::sync::Once;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

/// Name of the worker thread.
const WORKER_NAME: &str = "bg-worker";

/// Longest wait for the worker. It may be waiting for this very thread.
const MAX_WAIT: Duration = Duration::from_millis(200);

/// Task that tells by its execution, or its end, that all tasks before it are over.
pub struct Fence(SyncSender<()>);

impl Fence {
    /// Executes the task.
    pub(super) fn pass(&self) {
        // the one who waited may have given up
        let _ = self.0.try_send(());
    }
}

/// Keeps an instance of the class for the life of the process, from the first call on.
pub(super) fn keep_instance<O: PluginIdentity>() {
    static KEPT: [Once; 2] = [Once::new(), Once::new()];
    let class = match O::CHAIN_KIND {
        ChainKind::Stem => &KEPT[0],
        ChainKind::Master => &KEPT[1],
    };
    class.call_once(|| std::mem::forget(dsp::boxed(Wrapper::<StemlinkPlugin<O>>::new)));
}

/// Waits until the worker has executed the tasks that this instance has posted; not for an audio thread.
pub(super) fn drain<O: PluginIdentity>(executor: &AsyncExecutor<StemlinkPlugin<O>>) {
    // a host that is asked to restart on the worker deactivates there
    if std::thread::current().name() == Some(WORKER_NAME) {
        return;
    }
    let (sender, receiver) = sync_channel(1);
    executor.execute_background(Fence(sender));
    // without a worker, or with a full queue, the fence is dropped and the channel closed
    let _ = receiver.recv_timeout(MAX_WAIT);
}
