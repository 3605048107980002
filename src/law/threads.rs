//! A batch over threads.

use super::{Batch, BatchInput, BatchOutput, MaterialLaw, Status, check_batch};
use crate::error::BatchError;
use rayon::prelude::*;
use std::cell::RefCell;
use std::mem::take;
use std::sync::{Mutex, PoisonError};

/// Points that a thread takes at a time: their arrays stay in its cache, and a thread whose points
/// are quickly done takes more of them.
const CHUNK: usize = 256;

/// [`MaterialLaw::update_batch`] on up to `threads` of rayon's threads.
///
/// The answer is the same, bit for bit, for any number of threads, as no point of a batch depends on
/// another. Errors are those of `update_batch`. One thread, or few points, are the plain call; more
/// threads copy the points to memory of their own and back, which pays where an update takes more
/// than a tenth of a microsecond.
pub fn update_batch_on_threads<L: MaterialLaw + ?Sized>(
    law: &L,
    input: &BatchInput,
    output: &mut BatchOutput,
    threads: usize,
) -> Result<(), BatchError> {
    check_batch(law, input, output)?;
    let threads = threads.min(input.points.div_ceil(CHUNK));
    if threads <= 1 {
        return law.update_batch(input, output);
    }
    let rest = Mutex::new(Rest::new(input.points, output));
    let next = || rest.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = |_| {
        // Taken, not borrowed: a law may itself run a batch on threads.
        let mut chunk = CHUNKS.with(RefCell::take);
        let complete = std::iter::from_fn(next).all(|part| part.update(law, input, &mut chunk));
        CHUNKS.with(|cell| cell.replace(chunk));
        complete
    };
    // Not `all`, which need not start every worker.
    let complete: Vec<bool> = (0..threads).into_par_iter().map(work).collect();
    match complete.into_iter().all(|complete| complete) {
        true => Ok(()),
        // The first point that fails is found as it is without threads.
        false => law.update_batch(input, output),
    }
}

thread_local! {
    static CHUNKS: RefCell<Batch> = RefCell::default();
}

/// The outputs that no thread has taken, row by row.
struct Rest<'a> {
    first: usize,
    points: usize,
    rows: Vec<&'a mut [f64]>,
    status: &'a mut [Status],
}

/// The outputs of some points.
struct Part<'a> {
    first: usize,
    rows: Vec<&'a mut [f64]>,
    status: &'a mut [Status],
}

impl<'a> Rest<'a> {
    fn new(points: usize, output: &'a mut BatchOutput) -> Self {
        let arrays = [
            &mut *output.state,
            &mut *output.stress,
            &mut *output.tangent,
            &mut *output.stored_energy,
            &mut *output.dissipation,
        ];
        Self {
            first: 0,
            points,
            rows: arrays
                .into_iter()
                .flat_map(|array| array.chunks_mut(points))
                .collect(),
            status: output.status,
        }
    }

    fn next(&mut self) -> Option<Part<'a>> {
        let (first, count) = (self.first, CHUNK.min(self.points - self.first));
        self.first += count;
        let rows = self.rows.iter_mut();
        (count > 0).then(|| Part {
            first,
            rows: rows.map(|row| split_off(row, count)).collect(),
            status: split_off(&mut self.status, count),
        })
    }
}

/// Takes the first entries of a slice.
fn split_off<'a, T>(slice: &mut &'a mut [T], count: usize) -> &'a mut [T] {
    let (taken, rest) = take(slice).split_at_mut(count);
    *slice = rest;
    taken
}

impl Part<'_> {
    /// Whether all points have an answer.
    fn update<L: MaterialLaw + ?Sized>(
        self,
        law: &L,
        input: &BatchInput,
        chunk: &mut Batch,
    ) -> bool {
        let count = self.status.len();
        chunk.resize(law, count);
        for (from, to) in [
            (input.strain_old, &mut chunk.strain_old),
            (input.strain_new, &mut chunk.strain_new),
            (input.dt, &mut chunk.dt),
            (input.external_old, &mut chunk.external_old),
            (input.external_new, &mut chunk.external_new),
            (input.state, &mut chunk.state_old),
        ] {
            let rows = from.chunks(input.points);
            for (to, from) in to.chunks_mut(count).zip(rows) {
                to.copy_from_slice(&from[self.first..][..count]);
            }
        }
        if chunk.update(law).is_err() {
            return false;
        }
        let arrays = [
            &chunk.state_new,
            &chunk.stress,
            &chunk.tangent,
            &chunk.stored_energy,
            &chunk.dissipation,
        ];
        let rows = arrays.into_iter().flat_map(|array| array.chunks(count));
        for (to, from) in self.rows.into_iter().zip(rows) {
            to.copy_from_slice(from);
        }
        self.status.copy_from_slice(&chunk.status);
        true
    }
}
