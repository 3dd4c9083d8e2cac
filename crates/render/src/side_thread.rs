//! Work on a stream of blocks in a thread of its own, beside the work that makes the stream.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{JoinHandle, available_parallelism, spawn};

use audiofile::error::Result;

/// Blocks on their way to the thread: enough that neither side waits for the other at every block.
const BLOCKS_AHEAD: usize = 8;

/// The work on one block: one slice for each channel, of equal length.
type BlockWork<T> = fn(&mut T, &[&[f64]]) -> Result<()>;

/// A block on its way.
type OwnedBlock = Vec<Vec<f64>>;

/// Work on a stream of blocks, in a thread of its own where there are two processors.
pub(crate) struct SideThread<T>(Worker<T>);

enum Worker<T> {
    /// At once, in the thread that pushes.
    Here { state: T, work: BlockWork<T> },
    /// Beside it.
    Beside {
        blocks: SyncSender<OwnedBlock>,
        /// Blocks that are done, to be filled again.
        spent: Receiver<OwnedBlock>,
        thread: JoinHandle<Result<T>>,
    },
    /// The work has failed.
    Over,
}

impl<T: Send + 'static> SideThread<T> {
    /// Gives every block that is pushed to `work`, with `state`.
    pub(crate) fn new(state: T, work: BlockWork<T>) -> Self {
        let is_alone = available_parallelism().is_ok_and(|processors| processors.get() == 1);
        if is_alone { Self::here(state, work) } else { Self::beside(state, work) }
    }

    fn here(state: T, work: BlockWork<T>) -> Self {
        Self(Worker::Here { state, work })
    }

    fn beside(mut state: T, work: BlockWork<T>) -> Self {
        let (blocks, incoming) = sync_channel::<OwnedBlock>(BLOCKS_AHEAD);
        let (outgoing, spent): (Sender<OwnedBlock>, _) = channel();
        let thread = spawn(move || {
            for block in incoming {
                let planes: Vec<&[f64]> = block.iter().map(Vec::as_slice).collect();
                work(&mut state, &planes)?;
                drop(planes);
                // Nobody takes it once all is pushed.
                outgoing.send(block).ok();
            }
            Ok(state)
        });
        Self(Worker::Beside { blocks, spent, thread })
    }

    /// Takes the next block.
    ///
    /// # Errors
    /// If the work on this or an earlier block has failed; then there is no more to push.
    pub(crate) fn push(&mut self, planes: &[&[f64]]) -> Result<()> {
        match &mut self.0 {
            Worker::Here { state, work } => return work(state, planes),
            Worker::Beside { blocks, spent, .. } => {
                let mut block = spent.try_recv().unwrap_or_default();
                block.resize_with(planes.len(), Vec::new);
                for (plane, from) in block.iter_mut().zip(planes) {
                    plane.clear();
                    plane.extend_from_slice(from);
                }
                if blocks.send(block).is_ok() {
                    return Ok(());
                }
            }
            Worker::Over => return Ok(()),
        }
        // Its thread takes no more blocks: it has failed.
        Self(std::mem::replace(&mut self.0, Worker::Over)).finish().map(drop)
    }

    /// The state after the last block.
    ///
    /// # Errors
    /// If the work on a block has failed.
    pub(crate) fn finish(self) -> Result<T> {
        match self.0 {
            Worker::Here { state, .. } => Ok(state),
            Worker::Beside { blocks, thread, .. } => {
                drop(blocks);
                thread.join().unwrap_or_else(|panic| resume_unwind(panic))
            }
            Worker::Over => unreachable!("the failure was returned by push"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use audiofile::error::Error;
    use std::path::PathBuf;

    fn add(sums: &mut Vec<f64>, planes: &[&[f64]]) -> Result<()> {
        if planes[0][0] < 0.0 {
            return Err(Error::Interrupted { path: PathBuf::from("song.wav") });
        }
        sums.push(planes.iter().copied().flatten().sum());
        Ok(())
    }

    fn both() -> [SideThread<Vec<f64>>; 2] {
        [SideThread::here(Vec::new(), add), SideThread::beside(Vec::new(), add)]
    }

    #[test]
    fn every_block_is_worked_on_in_order() {
        for mut side in both() {
            for n in 0..100 {
                let plane = vec![f64::from(n); n as usize % 7 + 1];
                side.push(&[&plane, &[1.0]]).expect("no failure");
            }
            let sums = side.finish().expect("no failure");
            let expected: Vec<f64> = (0..100).map(|n| f64::from(n * (n % 7 + 1)) + 1.0).collect();
            assert_eq!(sums, expected);
        }
    }

    #[test]
    fn a_failure_ends_the_stream() {
        for mut side in both() {
            let result = (0..100).try_for_each(|n| side.push(&[&[f64::from(10 - n)]]));
            let is_interrupted = |error| matches!(error, Error::Interrupted { .. });
            assert!(result.is_err_and(is_interrupted));
        }
        let [_, mut late] = both();
        late.push(&[&[-1.0]]).expect("takes the block");
        assert!(late.finish().is_err());
    }

    #[test]
    #[should_panic(expected = "out of bounds")]
    fn a_panic_of_the_work_is_one_of_its_owner() {
        let [_, mut side] = both();
        side.push(&[&[]]).expect("takes the block");
        side.finish().ok();
    }
}
