//! Thread of an analysis, which runs while the host has the plugin active.

use super::MasterAnalysis;
use chain::LatencyClass;
use link::hop_queue::HopReceiver;
use link::routing::RoutingTable;
use parking_lot::Mutex;
use plugin_core::Output;
use plugin_core::session_view::FaultSource;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use units::Hz;

/// Time between two polls of the queue: a fifth of a hop.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// An analysis and its thread. Dropping it joins the thread.
#[derive(Debug)]
pub struct AnalysisWorker<O: Output> {
    analysis: Arc<Mutex<MasterAnalysis<O>>>,
    running: Option<(JoinHandle<()>, Arc<AtomicBool>)>,
}

impl<O: Output> AnalysisWorker<O> {
    /// Creates a worker whose thread does not run yet.
    pub fn new(analysis: MasterAnalysis<O>) -> Self {
        Self { analysis: Arc::new(Mutex::new(analysis)), running: None }
    }

    /// Starts the thread, with the hops of `receiver` if there is a new queue; returns the routing table for the audio
    /// thread. If no thread can be started, nothing is analysed.
    pub fn start(
        &mut self,
        rate: Hz,
        class: LatencyClass,
        receiver: Option<HopReceiver>,
    ) -> Arc<RoutingTable> {
        self.stop();
        let stop = Arc::new(AtomicBool::new(false));
        let mut analysis = self.analysis.lock();
        let routes = analysis.activate(rate, class, receiver);
        analysis.stop = Arc::clone(&stop);
        analysis.context.shared.set_fault(FaultSource::Analysis, None);
        drop(analysis);
        let (analysis, stopped) = (Arc::clone(&self.analysis), Arc::clone(&stop));
        let run = move || {
            let mut analysis = analysis.lock();
            *analysis.analysis_shared.thread.lock() = Some(std::thread::current());
            loop {
                let is_last = stopped.load(Ordering::Acquire);
                let round = || if is_last { analysis.finish() } else { analysis.run_round() };
                if catch_unwind(AssertUnwindSafe(round)).is_err() {
                    let fault = "The analysis has failed: reload the plugin".into();
                    analysis.context.shared.set_fault(FaultSource::Analysis, Some(fault));
                    break;
                }
                if is_last {
                    break;
                }
                std::thread::park_timeout(POLL_INTERVAL);
            }
            *analysis.analysis_shared.thread.lock() = None;
        };
        let spawned = std::thread::Builder::new().name("stemlink mix".into()).spawn(run);
        self.running = spawned.ok().map(|handle| (handle, stop));
        routes
    }

    /// Stops and joins the thread.
    pub fn stop(&mut self) {
        if let Some((handle, stop)) = self.running.take() {
            stop.store(true, Ordering::Release);
            handle.thread().unpark();
            // the thread contains its panics
            drop(handle.join());
        }
    }
}

impl<O: Output> Drop for AnalysisWorker<O> {
    fn drop(&mut self) {
        self.stop();
    }
}
