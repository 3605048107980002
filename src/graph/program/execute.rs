//! One step of a program, instruction by instruction.

use super::instruction::{Action, Begin, Instruction, Place};
use super::memory::Memory;
use crate::kernels::Real;
use crate::kernels::combine::{Term, combine};
use crate::kernels::simd::Isa;
use crate::kernels::{self, Columns, MAX_TERMS, Start, accumulate, elementwise};

/// What instructions need beside the memory.
pub(super) struct Context<'a, T> {
    pub parameters: &'a [T],
    /// The weights by columns, at the same places.
    pub columns: &'a [T],
}

/// Runs a nonlinear solve: its number, what is known with the guess, the root with the inverse.
pub(super) type Solver<'a, T, const W: usize> = &'a mut dyn FnMut(usize, &[[T; W]], &mut [[T; W]]);

/// For a program without nonlinear solves.
pub(super) fn nothing<T, const W: usize>(_: usize, _: &[[T; W]], _: &mut [[T; W]]) {}

kernels::dispatched!(
    /// Every instruction in its order.
    pub(super) fn execute [T: Real, const W: usize] [T, W] = execute_body(
        instructions: &[Instruction<Place>], memory: &Memory<T, W>, context: &Context<T>,
        solver: Solver<T, W>)
);

#[inline(always)]
fn execute_body<I: Isa, T: Real, const W: usize>(
    instructions: &[Instruction<Place>],
    memory: &Memory<T, W>,
    context: &Context<T>,
    solver: Solver<T, W>,
) {
    for instruction in instructions {
        let (x, to) = (&instruction.operands, &instruction.to);
        // SAFETY: the program's places lie in the segments that it asks for, and the layout keeps
        // the result of an instruction apart from its operands.
        macro_rules! lanes {
            ($operand:expr, $k:expr) => {
                unsafe { memory.read(&x[$operand], $k) }
            };
        }
        macro_rules! result {
            ($k:expr) => {
                unsafe { memory.write(to, $k) }
            };
        }
        macro_rules! uniform {
            ($operand:expr) => {
                Memory::<T, W>::is_uniform(&x[$operand])
            };
            ($operand:expr, $k:expr) => {
                memory.uniform(&x[$operand], $k)
            };
        }
        match &instruction.action {
            Action::Copy => {
                for k in 0..to.count as usize {
                    match uniform!(0) {
                        true => elementwise::spread(uniform!(0, k), result!(k)),
                        false => result!(k).copy_from_slice(lanes!(0, k)),
                    }
                }
            }
            Action::Constant(values) => {
                for (to, value) in result!(0).iter_mut().zip(values) {
                    *to = [T::of(*value); W];
                }
            }
            Action::Parameter(parameter) => {
                elementwise::spread(parameter.of(context.parameters), result!(0));
            }
            Action::Product {
                weight,
                begin,
                transposed,
                rows,
            } => {
                // `A` by columns is `Aᵀ` by rows.
                let [height, width] = weight.shape();
                let (columns, stride) = match transposed {
                    true => (context.parameters, width),
                    false => (context.columns, height),
                };
                let columns = Columns {
                    from: &weight.of(columns)[rows.start..],
                    stride,
                };
                let start = match begin {
                    Begin::Zero => Start::Zero,
                    Begin::Bias(bias) => Start::Bias(&bias.of(context.parameters)[rows.clone()]),
                    Begin::Present => Start::Present,
                };
                if W == 1 {
                    let [count, step] = [to.count as usize, x[0].step as usize];
                    // SAFETY: as above; the vectors of a result follow each other.
                    let (all, result) = unsafe {
                        (
                            memory.read(&x[0].all(count), 0).as_flattened(),
                            memory.write(&to.all(count), 0).as_flattened_mut(),
                        )
                    };
                    let shape = [count, step, x[0].len as usize];
                    // SAFETY: the instruction set is that of the dispatch, as below.
                    unsafe { kernels::dense_single::<I, T>(columns, start, all, shape, result) };
                } else {
                    for k in 0..to.count as usize {
                        let (x, result) = (lanes!(0, k), result!(k));
                        unsafe { kernels::dense::<I, T, W>(columns, start, x, result) };
                    }
                }
            }
            Action::Derivatives { function, order } => {
                let (x, y) = (lanes!(0, 0).as_flattened(), result!(0).as_flattened_mut());
                elementwise::derivatives::<T>(*function, *order, x, y);
            }
            Action::Combine(terms) => {
                let shape = [to.count as usize, to.len as usize, to.step as usize * W];
                let result = memory.address(to).cast();
                let mut rest = &x[..];
                let mut term = |i: usize| {
                    let (factor, count) = terms[i];
                    let (factor, (these, others)) = (T::of(factor), rest.split_at(count));
                    rest = others;
                    let numbers = |place| memory.factor(place, to.len);
                    match these {
                        [] => Term::number(factor),
                        [x] => Term::one(factor, numbers(x)),
                        [x, y, ..] => Term::two(factor, numbers(x), numbers(y)),
                    }
                };
                macro_rules! of {
                    ($($i:literal)+) => {
                        // SAFETY: as above; the instruction set is that of the dispatch.
                        unsafe { combine::<I, T, W>(&mut [$(term($i)),+], result, shape) }
                    };
                }
                match terms.len() {
                    1 => of!(0),
                    2 => of!(0 1),
                    3 => of!(0 1 2),
                    n => {
                        assert_eq!(n, MAX_TERMS, "terms of a sum");
                        of!(0 1 2 3);
                    }
                }
            }
            Action::Dot => {
                for k in 0..to.count as usize {
                    let result = &mut result!(k)[0];
                    *result = match (uniform!(0), uniform!(1)) {
                        (false, false) => elementwise::dot::<I, T, W>(lanes!(0, k), lanes!(1, k)),
                        (false, true) => {
                            elementwise::dot_uniform::<I, T, W>(lanes!(0, k), uniform!(1, k))
                        }
                        _ => elementwise::dot_uniform::<I, T, W>(lanes!(1, k), uniform!(0, k)),
                    };
                }
            }
            Action::Broadcast => {
                for k in 0..to.count as usize {
                    result!(k).fill(lanes!(0, k)[0]);
                }
            }
            Action::Select => {
                for k in 0..to.count as usize {
                    let condition = &lanes!(0, 0)[0];
                    elementwise::select(condition, lanes!(1, k), lanes!(2, k), result!(k));
                }
            }
            Action::Solve(index) => solver(*index, lanes!(0, 0), result!(0)),
            Action::Matrix => {
                for k in 0..to.count as usize {
                    kernels::matrix::<T, W>(lanes!(0, 0), lanes!(1, k), result!(k));
                }
            }
            Action::Zero => result!(0).fill([T::ZERO; W]),
            Action::AccumulateSum { set } => {
                accumulate::sum::<T, W>(lanes!(0, 0), &mut result!(0)[0], *set);
            }
            Action::AccumulateChain { slope, count, set } => accumulate::chain(
                *slope,
                *count,
                lanes!(1, 0).as_flattened(),
                lanes!(0, 0).as_flattened(),
                result!(0).as_flattened_mut(),
                *set,
            ),
            Action::AccumulateChosen { positive, set } => {
                let condition = &lanes!(0, 0)[0];
                accumulate::chosen::<T, W>(condition, *positive, lanes!(1, 0), result!(0), *set);
            }
            Action::AccumulateMatrix { set } => {
                let (matrix, y, to) = (lanes!(0, 0), lanes!(1, 0), result!(0));
                if *set {
                    to.fill([T::ZERO; W]);
                }
                kernels::matrix_transposed_add::<T, W>(matrix, y, to);
            }
        }
    }
}
