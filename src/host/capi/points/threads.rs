//! Points over threads, each with a share of them.

use super::{BLOCK, Buffers, Points, batch_input, batch_output, read, status_code, write};
use crate::error::BatchError;
use crate::host::HostError;
use crate::host::error::panicked;
use crate::law::{MaterialLaw, Status};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

/// Points that several threads advance, each its own range.
struct SharedPoints<'a>(&'a Points);
// SAFETY: each thread writes entries of its own points only, and nobody writes the inputs.
unsafe impl Sync for SharedPoints<'_> {}

impl Points {
    /// # Safety
    /// As [`Points::advance_one`].
    pub(super) unsafe fn advance_in_threads(
        &self,
        law: &dyn MaterialLaw,
        threads: usize,
    ) -> Result<(), HostError> {
        let share = self.points.div_ceil(threads);
        let (shared, failed) = (&SharedPoints(self), &AtomicBool::new(false));
        std::thread::scope(|scope| {
            let starts = (0..self.points).step_by(share);
            let spawned = starts.map(|first| {
                let range = first..(first + share).min(self.points);
                // SAFETY: as the caller promises; the ranges do not overlap.
                let work = move || unsafe { shared.advance_range(law, range, failed) };
                std::thread::Builder::new()
                    .spawn_scoped(scope, work)
                    .map_err(|e| HostError::call(format!("no more threads can be had: {e}")))
            });
            // All are started before the first is waited for; the first error counts.
            let spawned: Vec<_> = spawned.collect();
            let mut result = Ok(());
            for thread in spawned {
                let done = thread.and_then(|thread| match thread.join() {
                    Ok(done) => done,
                    Err(payload) => Err(panicked(payload.as_ref())),
                });
                result = result.and(done);
            }
            result
        })
    }
}

impl SharedPoints<'_> {
    /// # Safety
    /// As [`Points::advance_one`], and no other thread has these points.
    unsafe fn advance_range(
        &self,
        law: &dyn MaterialLaw,
        range: Range<usize>,
        failed: &AtomicBool,
    ) -> Result<(), HostError> {
        let all = self.0;
        let p = all.points;
        let mut buffers = Buffers::default();
        for first in range.clone().step_by(BLOCK) {
            // After the failure of another thread the outputs are not used.
            if failed.load(Ordering::Relaxed) {
                return Ok(());
            }
            let count = BLOCK.min(range.end - first);
            for ((_, from, rows), to) in all.inputs().into_iter().zip(&mut buffers.inputs) {
                to.clear();
                for row in 0..rows {
                    // SAFETY: within the array, as the caller promises.
                    to.extend_from_slice(unsafe { read(from.add(row * p + first), count) });
                }
            }
            for ((_, _, rows, _), to) in all.outputs().into_iter().zip(&mut buffers.outputs) {
                to.resize(rows * count, 0.0);
            }
            buffers.status.resize(count, Status::Inside);
            let input = batch_input(count, buffers.inputs.each_ref().map(Vec::as_slice));
            let outputs = buffers.outputs.each_mut().map(Vec::as_mut_slice);
            law.update_batch(&input, &mut batch_output(outputs, &mut buffers.status))
                .map_err(|error| {
                    failed.store(true, Ordering::Relaxed);
                    BatchError {
                        point: first + error.point,
                        ..error
                    }
                })?;
            for ((_, to, rows, _), from) in all.outputs().into_iter().zip(&buffers.outputs) {
                for row in (0..rows).filter(|_| !to.is_null()) {
                    // SAFETY: within the array, entries of this thread's points.
                    unsafe { write(to.add(row * p + first), count) }
                        .copy_from_slice(&from[row * count..][..count]);
                }
            }
            for (i, status) in buffers.status.iter().enumerate() {
                if !all.status.is_null() {
                    // SAFETY: as above.
                    unsafe { *all.status.add(first + i) = status_code(*status) };
                }
            }
        }
        Ok(())
    }
}
