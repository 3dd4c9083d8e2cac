//! The thread of an analysis: it runs while the host has the plugin active.

use super::{Analysis, lock};
use chain::LatencyClass;
use link::hop_queue::HopReceiver;
use link::routing::RoutingTable;
use plugin_core::Output;
use plugin_core::session_view::FaultSource;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use units::Hz;

/// Between two looks at the queue: a fifth of a hop.
const PACE: Duration = Duration::from_millis(20);

/// An analysis and its thread. Dropped, the thread has ended.
#[derive(Debug)]
pub struct Worker<O: Output> {
    analysis: Arc<Mutex<Analysis<O>>>,
    running: Option<(JoinHandle<()>, Arc<AtomicBool>)>,
}

impl<O: Output> Worker<O> {
    /// A worker that does not run yet.
    pub fn new(analysis: Analysis<O>) -> Self {
        Self { analysis: Arc::new(Mutex::new(analysis)), running: None }
    }

    /// Runs, from now on with the hops of `receiver`. Without a thread (the system has none left) nothing is analysed.
    pub fn start(&mut self, rate: Hz, class: LatencyClass, receiver: HopReceiver) -> Arc<RoutingTable> {
        self.stop();
        let stop = Arc::new(AtomicBool::new(false));
        let mut analysis = lock(&self.analysis);
        let advice = analysis.begin(rate, class, receiver);
        analysis.stop = Arc::clone(&stop);
        analysis.context.shared.set_fault(FaultSource::Analysis, None);
        drop(analysis);
        let (analysis, stopped) = (Arc::clone(&self.analysis), Arc::clone(&stop));
        let run = move || {
            let mut analysis = lock(&analysis);
            *lock(&analysis.studio.thread) = Some(std::thread::current());
            while !stopped.load(Ordering::Acquire) {
                if catch_unwind(AssertUnwindSafe(|| analysis.round())).is_err() {
                    let fault = "The analysis has failed: reload the plugin".into();
                    analysis.context.shared.set_fault(FaultSource::Analysis, Some(fault));
                    break;
                }
                std::thread::park_timeout(PACE);
            }
            *lock(&analysis.studio.thread) = None;
        };
        let spawned = std::thread::Builder::new().name("stemlink mix".into()).spawn(run);
        self.running = spawned.ok().map(|handle| (handle, stop));
        advice
    }

    /// Ends the thread.
    pub fn stop(&mut self) {
        if let Some((handle, stop)) = self.running.take() {
            stop.store(true, Ordering::Release);
            handle.thread().unpark();
            // it has contained its panics
            drop(handle.join());
        }
    }
}

impl<O: Output> Drop for Worker<O> {
    fn drop(&mut self) {
        self.stop();
    }
}
