//! The memory that programs run in.

use super::instruction::{Place, Space};
use crate::kernels::Real;
use crate::kernels::combine::Factor;

/// A cache line.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// Numbers that start at a cache line, so that no register is loaded from two.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    lines: Vec<Line>,
}

impl Buffer {
    pub const EMPTY: Self = Self { lines: Vec::new() };

    /// Room for so many entries; what is there stays. New memory is zero.
    pub fn reserve<E: Copy>(&mut self, entries: usize) {
        let lines = (entries * size_of::<E>()).div_ceil(size_of::<Line>());
        if self.lines.len() < lines {
            self.lines.resize(lines, Line([0; 64]));
        }
    }

    /// The first entries.
    pub fn entries<T: Real, const W: usize>(&self, n: usize) -> &[[T; W]] {
        assert!(n * size_of::<[T; W]>() <= size_of_val(&self.lines[..]));
        // SAFETY: the size was checked; the lines are initialised, aligned beyond any number, and
        // every bit pattern is a number.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), n) }
    }

    /// The same, to be written.
    pub fn entries_mut<T: Real, const W: usize>(&mut self, n: usize) -> &mut [[T; W]] {
        assert!(n * size_of::<[T; W]>() <= size_of_val(&self.lines[..]));
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), n) }
    }
}

/// The segments of memory that the instructions of one step work on.
pub(super) struct Memory<'a, T, const W: usize> {
    /// By the number of the space.
    bases: [*mut [T; W]; Space::COUNT],
    table: &'a [T],
}

impl<'a, T: Real, const W: usize> Memory<'a, T, W> {
    pub fn new(table: &'a [T]) -> Self {
        Self {
            bases: [std::ptr::NonNull::dangling().as_ptr(); Space::COUNT],
            table,
        }
    }

    /// The segment must be as long as the program says of this space.
    pub fn with(mut self, space: Space, segment: &'a mut [[T; W]]) -> Self {
        self.bases[space as usize] = segment.as_mut_ptr();
        self
    }

    pub fn is_uniform(place: &Place) -> bool {
        place.space == Space::Table
    }

    /// The `k`-th vector of what is the same at every point.
    #[inline(always)]
    pub fn uniform(&self, place: &Place, k: usize) -> &[T] {
        let start = place.start as usize + k * place.step as usize;
        &self.table[start..start + place.len as usize]
    }

    /// A vector or bundle as a factor of a result with `n` entries.
    #[inline(always)]
    pub fn factor(&self, place: &Place, n: u32) -> Factor<T> {
        let start = place.start as usize;
        let (uniform, spread) = (Self::is_uniform(place), place.len == 1 && n > 1);
        Factor {
            from: match uniform {
                true => self.table.as_ptr().wrapping_add(start),
                false => self.bases[place.space as usize].wrapping_add(start).cast(),
            },
            // A single point has one lane: there, only what stands for all entries is the same.
            uniform: if W == 1 { spread } else { uniform },
            step: match (spread, uniform) {
                (true, _) => 0,
                (_, true) => 1,
                _ => W,
            },
            next: place.step as usize * if uniform { 1 } else { W },
        }
    }

    /// The `k`-th vector.
    ///
    /// # Safety
    /// The place belongs to the program whose segments these are, and nobody writes to it
    /// meanwhile.
    #[inline(always)]
    pub unsafe fn read(&self, place: &Place, k: usize) -> &[[T; W]] {
        let start = place.start as usize + k * place.step as usize;
        // SAFETY: the caller's.
        unsafe {
            let base = self.bases[place.space as usize].add(start);
            std::slice::from_raw_parts(base, place.len as usize)
        }
    }

    /// Where a vector or bundle begins, for one that reads and writes it as a whole.
    #[inline(always)]
    pub fn address(&self, place: &Place) -> *mut [T; W] {
        self.bases[place.space as usize].wrapping_add(place.start as usize)
    }

    /// The `k`-th vector, to be written.
    ///
    /// # Safety
    /// As above; the operands of an instruction do not overlap its result.
    #[inline(always)]
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn write(&self, place: &Place, k: usize) -> &mut [[T; W]] {
        let start = place.start as usize + k * place.step as usize;
        // SAFETY: the caller's.
        unsafe {
            let base = self.bases[place.space as usize].add(start);
            std::slice::from_raw_parts_mut(base, place.len as usize)
        }
    }
}
