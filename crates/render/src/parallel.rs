//! Work on several items at once, as many as there are processors.

use std::panic::resume_unwind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::{available_parallelism, scope};

use crate::progress::Progress;
use audiofile::error::{Error, Result};

/// Does `work` on every item; an idle thread takes the next one.
///
/// # Errors
/// One of those of the work, if there are any.
pub(crate) fn each_in_parallel<T: Send>(
    items: &mut [T],
    work: impl Fn(&mut T) -> Result<()> + Sync,
) -> Result<()> {
    let threads = available_parallelism().map_or(1, |n| n.get()).min(items.len());
    if threads <= 1 {
        return items.iter_mut().try_for_each(work);
    }
    let queue = Mutex::new(items.iter_mut());
    let next = || queue.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).next();
    let run = || {
        while let Some(item) = next() {
            work(item)?;
        }
        Ok(())
    };
    scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let results =
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        // What was stopped because something else has failed says nothing.
        let (stopped, failed): (Vec<Error>, Vec<Error>) =
            results.filter_map(Result::err).partition(|error| matches!(error, Error::Interrupted { .. }));
        failed.into_iter().chain(stopped).next().map_or(Ok(()), Err)
    })
}

/// As [`each_in_parallel`], for work that tells how far it is: the steps of all items are told together, under the name that
/// `progress` began with.
///
/// # Errors
/// One of those of the work; all of it stops where the listener says so.
pub(crate) fn each_with_progress<T: Send>(
    items: &mut [T],
    progress: &mut dyn Progress,
    work: impl Fn(&mut T, &mut dyn Progress) -> Result<()> + Sync,
) -> Result<()> {
    let stop = AtomicBool::new(false);
    let (steps, told) = channel();
    scope(|scope| {
        let (stop, steps, work) = (&stop, Mutex::new(steps), &work);
        let threads = scope.spawn(move || {
            each_in_parallel(items, |item| {
                let steps = steps.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
                let result = work(item, &mut SharedProgress { steps, stop });
                stop.fetch_or(result.is_err(), Ordering::Relaxed);
                result
            })
        });
        for steps in told {
            stop.fetch_or(!progress.advance(steps), Ordering::Relaxed);
        }
        threads.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// Progress of one of several items.
struct SharedProgress<'a> {
    steps: Sender<u64>,
    stop: &'a AtomicBool,
}

impl Progress for SharedProgress<'_> {
    fn begin(&mut self, _: &str, _: u64) {}

    fn advance(&mut self, steps: u64) -> bool {
        // There is always somebody who listens.
        self.steps.send(steps).ok();
        !self.stop.load(Ordering::Relaxed)
    }
}

/// Progress of work whose steps do not count beside others: it can only be stopped.
pub(crate) struct Uncounted<'a>(pub(crate) &'a mut dyn Progress);

impl Progress for Uncounted<'_> {
    fn begin(&mut self, _: &str, _: u64) {}

    fn advance(&mut self, _: u64) -> bool {
        self.0.advance(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::advance;
    use std::path::Path;

    /// Counts steps, and stops after so many.
    struct Counter {
        steps: u64,
        most: u64,
    }

    impl Progress for Counter {
        fn begin(&mut self, _: &str, _: u64) {}

        fn advance(&mut self, steps: u64) -> bool {
            self.steps += steps;
            self.steps <= self.most
        }
    }

    #[test]
    fn every_item_is_worked_on_once_and_all_steps_are_told() {
        let mut items: Vec<u64> = (0..100).collect();
        let mut counter = Counter { steps: 0, most: u64::MAX };
        let work = |item: &mut u64, progress: &mut dyn Progress| {
            *item += 1000;
            advance(&mut Uncounted(progress), 77, Path::new("song.wav"))?;
            advance(progress, 2, Path::new("song.wav"))
        };
        each_with_progress(&mut items, &mut counter, work).expect("nothing fails");
        assert_eq!(items, (1000..1100).collect::<Vec<_>>());
        assert_eq!(counter.steps, 200);
        each_with_progress(&mut Vec::<u64>::new(), &mut counter, work).expect("nothing to do");
    }

    #[test]
    fn a_stop_and_a_failure_end_all_work() {
        for fails in [false, true] {
            let mut items: Vec<u64> = (0..10_000).collect();
            let mut counter = Counter { steps: 0, most: if fails { u64::MAX } else { 20 } };
            let result = each_with_progress(&mut items, &mut counter, |item, progress| {
                let path = Path::new("song.wav");
                if fails && *item == 7 {
                    return Err(Error::malformed(path, "the reason", "the cure"));
                }
                (0..1000).try_for_each(|_| advance(progress, 1, path))
            });
            assert_eq!(matches!(result, Err(Error::Interrupted { .. })), !fails);
            assert!(result.is_err());
            assert!(counter.steps < 10_000_000, "{}", counter.steps);
        }
    }
}
