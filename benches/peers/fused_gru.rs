//! A training step of the GRU of `models::PlainGru`, fused by hand: forward, backward and Adam.
//!
//! It is the limit that the sweep is compared to, and knows nothing but this one network: histories
//! side by side in the lanes of a vector, the weights of a gate row by row against registers, every
//! value of the forward sweep kept, weight gradients deferred and summed in register tiles over many
//! steps, registers of AVX2 also where the processor has wider ones. Blocks of lanes run on rayon's threads and are summed in their order.

use rayon::prelude::*;

const INPUTS: usize = 7;
const OUTPUTS: usize = 6;
/// Rows of a matrix–vector product, and of a tile of a weight gradient, that stay in registers.
const ROWS: usize = 4;
/// Columns of a tile of a weight gradient.
const COLUMNS: usize = 3;
/// The outputs, filled up to a multiple of [`ROWS`].
const PADDED: usize = 8;
/// Steps whose weight gradients are summed at once.
const DEFERRED: usize = 16;

/// `f32` or `f64`.
pub trait Real: Copy + Send + Sync + Default + std::ops::AddAssign {
    fn new(value: f64) -> Self;
    fn value(self) -> f64;
    fn add(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    fn div(self, other: Self) -> Self;
    fn sqrt(self) -> Self;
    /// `self · x + y`
    fn fma(self, x: Self, y: Self) -> Self;
    fn exp(self) -> Self;

    /// A register of 256 bits, half of the lanes of a block.
    type Register: Copy;
    fn load(from: &[Self]) -> Self::Register;
    fn store(register: Self::Register, to: &mut [Self]);
    fn splat(self) -> Self::Register;
    /// `x y + z`
    fn multiply_add(x: Self::Register, y: Self::Register, z: Self::Register) -> Self::Register;
}

macro_rules! real {
    ($t:ident, $bits:ident, $mantissa:literal, $bias:literal, $limit:literal, $high:literal, $low:literal, $degree:literal,
     $register:ident, $n:literal, $load:ident, $store:ident, $splat:ident, $fused:ident) => {
        impl Real for $t {
            #[inline(always)]
            fn new(value: f64) -> Self {
                value as $t
            }
            #[inline(always)]
            fn value(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                self + other
            }
            #[inline(always)]
            fn mul(self, other: Self) -> Self {
                self * other
            }
            #[inline(always)]
            fn div(self, other: Self) -> Self {
                self / other
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                self.sqrt()
            }
            #[inline(always)]
            fn fma(self, x: Self, y: Self) -> Self {
                self.mul_add(x, y)
            }
            /// `2^k e^r` with `|r| ≤ ln 2 / 2` and a Taylor polynomial of `e^r`; no branch.
            #[inline(always)]
            fn exp(self) -> Self {
                // Adding 1.5·2^mantissa rounds to an integer, which is left in the low bits.
                const SHIFT: $t = (3u64 << ($mantissa - 1)) as $t + $bias as $t;
                const COEFFICIENTS: [$t; $degree + 1] = {
                    let mut c = [1.0; $degree + 1];
                    let mut i = 1;
                    while i <= $degree {
                        c[i] = c[i - 1] / i as $t;
                        i += 1;
                    }
                    c
                };
                let x = self.clamp(-$limit, $limit);
                let shifted = x.mul_add(std::$t::consts::LOG2_E, SHIFT);
                let k = shifted - SHIFT;
                let r = k.mul_add(-$low, k.mul_add(-$high, x));
                let mut p = COEFFICIENTS[$degree];
                let mut i = $degree;
                while i > 0 {
                    i -= 1;
                    p = p.mul_add(r, COEFFICIENTS[i]);
                }
                p * $t::from_bits(shifted.to_bits() << $mantissa)
            }

            #[cfg(target_arch = "x86_64")]
            type Register = std::arch::x86_64::$register;
            #[cfg(not(target_arch = "x86_64"))]
            type Register = [$t; $n];
            #[inline(always)]
            fn load(from: &[Self]) -> Self::Register {
                let from: &[$t; $n] = from[..$n].try_into().expect("a register");
                #[cfg(target_arch = "x86_64")]
                // SAFETY: so many numbers are there; the sweep runs with AVX2 and FMA.
                return unsafe { std::arch::x86_64::$load(from.as_ptr()) };
                #[cfg(not(target_arch = "x86_64"))]
                return *from;
            }
            #[inline(always)]
            fn store(register: Self::Register, to: &mut [Self]) {
                let to: &mut [$t; $n] = (&mut to[..$n]).try_into().expect("a register");
                #[cfg(target_arch = "x86_64")]
                // SAFETY: as above.
                unsafe {
                    std::arch::x86_64::$store(to.as_mut_ptr(), register);
                }
                #[cfg(not(target_arch = "x86_64"))]
                to.copy_from_slice(&register);
            }
            #[inline(always)]
            fn splat(self) -> Self::Register {
                #[cfg(target_arch = "x86_64")]
                // SAFETY: the sweep runs with AVX2 and FMA.
                return unsafe { std::arch::x86_64::$splat(self) };
                #[cfg(not(target_arch = "x86_64"))]
                return [self; $n];
            }
            #[inline(always)]
            fn multiply_add(
                x: Self::Register,
                y: Self::Register,
                z: Self::Register,
            ) -> Self::Register {
                #[cfg(target_arch = "x86_64")]
                // SAFETY: the sweep runs with AVX2 and FMA.
                return unsafe { std::arch::x86_64::$fused(x, y, z) };
                #[cfg(not(target_arch = "x86_64"))]
                return std::array::from_fn(|i| x[i].mul_add(y[i], z[i]));
            }
        }
    };
}
real!(
    f32,
    u32,
    23,
    127,
    80.0,
    0.693_359_4,
    -2.121_944_4e-4,
    7,
    __m256,
    8,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_set1_ps,
    _mm256_fmadd_ps
);
real!(
    f64,
    u64,
    52,
    1023,
    700.0,
    0.693_147_180_369_123_8,
    1.908_214_929_270_587_7e-10,
    12,
    __m256d,
    4,
    _mm256_loadu_pd,
    _mm256_storeu_pd,
    _mm256_set1_pd,
    _mm256_fmadd_pd
);

/// `W` histories side by side.
type Lanes<T, const W: usize> = [T; W];

#[inline(always)]
fn lanes<T: Real, const W: usize>(f: impl Fn(usize) -> T) -> Lanes<T, W> {
    let mut out = [T::default(); W];
    for (w, out) in out.iter_mut().enumerate() {
        *out = f(w);
    }
    out
}

#[inline(always)]
fn sigmoid<T: Real>(x: T) -> T {
    let one = T::new(1.0);
    one.div(one.add(x.mul(T::new(-1.0)).exp()))
}

#[inline(always)]
fn tanh<T: Real>(x: T) -> T {
    sigmoid(x.add(x)).fma(T::new(2.0), T::new(-1.0))
}

/// One of the two registers of a block.
#[inline(always)]
fn half<T: Real, const W: usize>(x: &Lanes<T, W>, first: usize) -> T::Register {
    T::load(&x[first..first + W / 2])
}

/// `y += M x`, the weights in panels of [`ROWS`] rows.
#[inline(always)]
fn product<T: Real, const W: usize>(y: &mut [Lanes<T, W>], panels: &[T], x: &[Lanes<T, W>]) {
    let panels = panels.chunks_exact(ROWS * x.len());
    for (y, panel) in y.chunks_exact_mut(ROWS).zip(panels) {
        let mut sums = [[T::default().splat(); 2]; ROWS];
        for (sum, y) in sums.iter_mut().zip(&*y) {
            *sum = [half(y, 0), half(y, W / 2)];
        }
        for (x, weights) in x.iter().zip(panel.chunks_exact(ROWS)) {
            let [low, high] = [half(x, 0), half(x, W / 2)];
            for (sum, weight) in sums.iter_mut().zip(weights) {
                let weight = weight.splat();
                sum[0] = T::multiply_add(low, weight, sum[0]);
                sum[1] = T::multiply_add(high, weight, sum[1]);
            }
        }
        for (y, sum) in y.iter_mut().zip(sums) {
            T::store(sum[0], &mut y[..W / 2]);
            T::store(sum[1], &mut y[W / 2..]);
        }
    }
}

/// Panels of a matrix given by its entries.
fn pack<T: Real>([rows, columns]: [usize; 2], entry: impl Fn(usize, usize) -> T) -> Vec<T> {
    let panels = (0..rows).step_by(ROWS);
    let entry = &entry;
    panels
        .flat_map(|i| (0..columns).flat_map(move |j| (i..i + ROWS).map(move |i| entry(i, j))))
        .collect()
}

/// Rows of the steps of a sweep, one after the other.
#[derive(Clone, Copy)]
struct Steps<'a, T, const W: usize> {
    values: &'a [Lanes<T, W>],
    stride: usize,
    first: usize,
    len: usize,
}

/// `gradient += Σ_steps left rightᵀ`, summed over the lanes.
#[inline(always)]
fn outer<T: Real, const W: usize>(
    gradient: &mut [T],
    left: Steps<T, W>,
    right: Steps<T, W>,
    steps: usize,
) {
    for i in (0..left.len).step_by(ROWS) {
        for j in (0..right.len).step_by(COLUMNS) {
            let (rows, columns) = (ROWS.min(left.len - i), COLUMNS.min(right.len - j));
            let mut sums = [[T::default().splat(); COLUMNS]; ROWS];
            for s in 0..steps {
                // A tile over the edge reads what stands behind it, and does not write it.
                let l = &left.values[s * left.stride + left.first + i..][..ROWS];
                let r = &right.values[s * right.stride + right.first + j..][..COLUMNS];
                for first in [0, W / 2] {
                    let columns = [half(&r[0], first), half(&r[1], first), half(&r[2], first)];
                    for (sums, l) in sums.iter_mut().zip(l) {
                        let l = half(l, first);
                        for (sum, r) in sums.iter_mut().zip(columns) {
                            *sum = T::multiply_add(l, r, *sum);
                        }
                    }
                }
            }
            for (r, sums) in sums.iter().enumerate().take(rows) {
                for (c, sum) in sums.iter().enumerate().take(columns) {
                    let mut lanes = [T::default(); W];
                    T::store(*sum, &mut lanes);
                    for lane in &lanes[..W / 2] {
                        gradient[(i + r) * right.len + j + c] += *lane;
                    }
                }
            }
        }
    }
}

/// The parameters of a step, ready for [`product`].
struct Weights<'a, T> {
    input_bias: &'a [T],
    recurrent_bias: &'a [T],
    readout_bias: &'a [T],
    /// Reset and update gates from `[x; h]`.
    gates: Vec<T>,
    candidate_input: Vec<T>,
    candidate_recurrent: Vec<T>,
    readout: Vec<T>,
    recurrent_transposed: Vec<T>,
    readout_transposed: Vec<T>,
}

impl<'a, T: Real> Weights<'a, T> {
    fn new(parameters: &'a [T], h: usize) -> Self {
        let [
            input,
            input_bias,
            recurrent,
            recurrent_bias,
            readout,
            readout_bias,
        ] = split(parameters, h);
        let of_input = |i: usize, j: usize| input[i * INPUTS + j];
        let of_state = |i: usize, j: usize| recurrent[i * h + j];
        let of_output = |i: usize, j: usize| match i < OUTPUTS {
            true => readout[i * h + j],
            false => T::default(),
        };
        Self {
            input_bias,
            recurrent_bias,
            readout_bias,
            gates: pack([2 * h, INPUTS + h], |i, j| match j.checked_sub(INPUTS) {
                None => of_input(i, j),
                Some(j) => of_state(i, j),
            }),
            candidate_input: pack([h, INPUTS], |i, j| of_input(2 * h + i, j)),
            candidate_recurrent: pack([h, h], |i, j| of_state(2 * h + i, j)),
            readout: pack([PADDED, h], of_output),
            recurrent_transposed: pack([h, 3 * h], |i, j| of_state(j, i)),
            readout_transposed: pack([h, PADDED], |i, j| of_output(j, i)),
        }
    }
}

/// Where each tensor ends in the order of the layout.
fn ends(h: usize) -> [usize; 6] {
    let mut end = 0;
    [
        3 * h * INPUTS,
        3 * h,
        3 * h * h,
        3 * h,
        OUTPUTS * h,
        OUTPUTS,
    ]
    .map(|n| {
        end += n;
        end
    })
}

fn split<T>(parameters: &[T], h: usize) -> [&[T]; 6] {
    let mut start = 0;
    ends(h).map(|end| &parameters[std::mem::replace(&mut start, end)..end])
}

/// `W` histories and the memory of their sweep.
struct Block<T, const W: usize> {
    /// `[rows][INPUTS]`
    inputs: Vec<Lanes<T, W>>,
    /// `[rows][OUTPUTS]`
    target: Vec<Lanes<T, W>>,
    /// One for a history, zero for a lane without one.
    valid: Lanes<T, W>,
    /// Of each step `[x, h, r, z, n, W_hn h + b_hn]`; an odd number, so that the steps of a tile
    /// do not share the sets of the cache.
    kept: Vec<Lanes<T, W>>,
    /// `[rows][PADDED]`: derivatives of the outputs.
    outputs: Vec<Lanes<T, W>>,
    /// Derivatives of `[r, z, W_hn h, n, y]` before their activations in the deferred steps.
    deferred: Vec<Lanes<T, W>>,
    gradient: Vec<T>,
    loss: T,
}

#[inline(always)]
fn sweep<T: Real, const W: usize>(
    weights: &Weights<T>,
    block: &mut Block<T, W>,
    h: usize,
    scale: T,
) {
    let (stride, rows) = (INPUTS + 5 * h, block.target.len() / OUTPUTS);
    block.kept[INPUTS..INPUTS + h].fill([T::default(); W]);
    let mut loss = [T::default(); W];
    let mut from_input = vec![[T::default(); W]; h];
    for t in 0..rows {
        let (now, next) = block.kept[t * stride..].split_at_mut(stride);
        let (right, rest) = now.split_at_mut(INPUTS + h);
        right[..INPUTS].copy_from_slice(&block.inputs[t * INPUTS..][..INPUTS]);
        let state = &right[INPUTS..];
        let (gates, rest) = rest.split_at_mut(2 * h);
        let (candidate, recurrent) = rest.split_at_mut(h);
        let biases = weights.input_bias.iter().zip(weights.recurrent_bias);
        for (i, (a, b)) in biases.enumerate() {
            match i.checked_sub(2 * h) {
                None => gates[i] = [a.add(*b); W],
                Some(i) => (from_input[i], recurrent[i]) = ([*a; W], [*b; W]),
            }
        }
        product(gates, &weights.gates, right);
        product(&mut from_input, &weights.candidate_input, &right[..INPUTS]);
        product(recurrent, &weights.candidate_recurrent, state);
        for gate in gates.iter_mut() {
            *gate = lanes(|w| sigmoid(gate[w]));
        }
        let new = &mut next[INPUTS..INPUTS + h];
        for i in 0..h {
            let (r, z) = (gates[i], gates[h + i]);
            let n: Lanes<T, W> = lanes(|w| tanh(r[w].fma(recurrent[i][w], from_input[i][w])));
            new[i] = lanes(|w| z[w].fma(state[i][w].add(n[w].mul(T::new(-1.0))), n[w]));
            candidate[i] = n;
        }
        let outputs = &mut block.outputs[t * PADDED..][..PADDED];
        for (output, bias) in outputs.iter_mut().zip(weights.readout_bias) {
            *output = [*bias; W];
        }
        product(outputs, &weights.readout, new);
        for (output, target) in outputs
            .iter_mut()
            .zip(&block.target[t * OUTPUTS..][..OUTPUTS])
        {
            let error: Lanes<T, W> = lanes(|w| {
                output[w]
                    .add(target[w].mul(T::new(-1.0)))
                    .mul(block.valid[w])
            });
            loss = lanes(|w| error[w].fma(error[w], loss[w]));
            *output = lanes(|w| error[w].mul(scale.add(scale)));
        }
        outputs[OUTPUTS..].fill([T::default(); W]);
    }
    block.loss = T::new(loss.iter().map(|l| l.value()).sum::<f64>()).mul(scale);
    backward::<T, W>(weights, block, h);
}

#[inline(always)]
fn backward<T: Real, const W: usize>(weights: &Weights<T>, block: &mut Block<T, W>, h: usize) {
    let one = T::new(1.0);
    let minus = T::new(-1.0);
    let (stride, rows) = (INPUTS + 5 * h, block.target.len() / OUTPUTS);
    let width = 4 * h + PADDED + 1;
    let mut bias = vec![[T::default(); W]; width];
    let mut carry = vec![[T::default(); W]; h];
    block.gradient.fill(T::default());
    for first in (0..rows).step_by(DEFERRED).rev() {
        let last = (first + DEFERRED).min(rows);
        for t in (first..last).rev() {
            let kept = &block.kept[t * stride + INPUTS..][..5 * h];
            let (state, gates) = kept.split_at(h);
            let deferred = &mut block.deferred[(t - first) * width..][..width];
            let outputs = &block.outputs[t * PADDED..][..PADDED];
            deferred[4 * h..4 * h + PADDED].copy_from_slice(outputs);
            product(&mut carry, &weights.readout_transposed, outputs);
            for i in 0..h {
                let (r, z, n) = (gates[i], gates[h + i], gates[2 * h + i]);
                let (from_state, d, old) = (gates[3 * h + i], carry[i], state[i]);
                let candidate: Lanes<T, W> = lanes(|w| {
                    let slope = n[w].mul(minus).fma(n[w], one);
                    d[w].mul(z[w].mul(minus).add(one)).mul(slope)
                });
                let slope = |s: T| s.mul(s.mul(minus).add(one));
                deferred[i] = lanes(|w| candidate[w].mul(from_state[w]).mul(slope(r[w])));
                deferred[h + i] = lanes(|w| d[w].mul(n[w].fma(minus, old[w])).mul(slope(z[w])));
                deferred[2 * h + i] = lanes(|w| candidate[w].mul(r[w]));
                deferred[3 * h + i] = candidate;
                carry[i] = lanes(|w| d[w].mul(z[w]));
            }
            product(
                &mut carry,
                &weights.recurrent_transposed,
                &deferred[..3 * h],
            );
            for (sum, d) in bias.iter_mut().zip(&*deferred) {
                *sum = lanes(|w| sum[w].add(d[w]));
            }
        }
        let [a, b, c, d, e, _] = ends(h);
        let left = |first_row: usize, len: usize| Steps {
            values: &block.deferred,
            stride: width,
            first: first_row,
            len,
        };
        let right = |step: usize, first_row: usize, len: usize| Steps {
            values: &block.kept[(first + step) * stride..],
            stride,
            first: first_row,
            len,
        };
        let steps = last - first;
        let gradient = &mut block.gradient;
        let (gates, candidate) = gradient[..a].split_at_mut(2 * h * INPUTS);
        outer(gates, left(0, 2 * h), right(0, 0, INPUTS), steps);
        outer(candidate, left(3 * h, h), right(0, 0, INPUTS), steps);
        outer(
            &mut gradient[b..c],
            left(0, 3 * h),
            right(0, INPUTS, h),
            steps,
        );
        outer(
            &mut gradient[d..e],
            left(4 * h, OUTPUTS),
            right(1, INPUTS, h),
            steps,
        );
    }
    let sum = |i: usize| bias[i].iter().fold(T::default(), |a, b| a.add(*b));
    let ends = ends(h);
    for i in 0..2 * h {
        block.gradient[ends[0] + i] = sum(i);
        block.gradient[ends[2] + i] = sum(i);
    }
    for i in 0..h {
        block.gradient[ends[0] + 2 * h + i] = sum(3 * h + i);
        block.gradient[ends[2] + 2 * h + i] = sum(2 * h + i);
    }
    for i in 0..OUTPUTS {
        block.gradient[ends[4] + i] = sum(4 * h + i);
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn sweep_avx2<T: Real, const W: usize>(
    weights: &Weights<T>,
    block: &mut Block<T, W>,
    h: usize,
    scale: T,
) {
    sweep::<T, W>(weights, block, h, scale);
}

/// Whether the processor has what the sweep is written for.
pub fn available() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    return true;
}

fn sweep_best<T: Real, const W: usize>(
    weights: &Weights<T>,
    block: &mut Block<T, W>,
    h: usize,
    scale: T,
) {
    assert!(available());
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the features of the function are there.
    unsafe {
        sweep_avx2(weights, block, h, scale);
    }
    #[cfg(not(target_arch = "x86_64"))]
    sweep(weights, block, h, scale);
}

/// Histories, parameters and Adam's moments. `W` histories fill two registers.
pub struct FusedGru<T, const W: usize> {
    states: usize,
    scale: T,
    blocks: Vec<Block<T, W>>,
    parameters: Vec<T>,
    moments: [Vec<T>; 2],
    steps: i32,
}

impl<T: Real, const W: usize> FusedGru<T, W> {
    /// `inputs [rows, 7, records]`, `target [rows, 6, records]`, parameters in the order of the
    /// layout of `PlainGru`.
    pub fn new(
        states: usize,
        [rows, records]: [usize; 2],
        inputs: &[f64],
        target: &[f64],
        parameters: &[f64],
    ) -> Self {
        let block = |first: usize| {
            let gather = |from: &[f64]| {
                let row = |row: &[f64]| {
                    lanes(|w| row.get(first + w).map_or(T::default(), |v| T::new(*v)))
                };
                from.chunks_exact(records)
                    .map(row)
                    .collect::<Vec<Lanes<T, W>>>()
            };
            let empty = |n: usize| vec![[T::default(); W]; n];
            Block {
                inputs: gather(inputs),
                target: gather(target),
                valid: lanes(|w| T::new(f64::from(u8::from(first + w < records)))),
                kept: empty((rows + 1) * (INPUTS + 5 * states) + COLUMNS),
                outputs: empty(rows * PADDED),
                deferred: empty(DEFERRED * (4 * states + PADDED + 1)),
                gradient: vec![T::default(); parameters.len()],
                loss: T::default(),
            }
        };
        Self {
            states,
            scale: T::new(1.0 / (rows * records * OUTPUTS) as f64),
            blocks: (0..records).step_by(W).map(block).collect(),
            parameters: parameters.iter().map(|p| T::new(*p)).collect(),
            moments: [(); 2].map(|()| vec![T::default(); parameters.len()]),
            steps: 0,
        }
    }

    /// Loss and gradient.
    pub fn gradient(&mut self) -> (f64, Vec<T>) {
        let (h, scale) = (self.states, self.scale);
        let weights = Weights::new(&self.parameters, h);
        self.blocks
            .par_iter_mut()
            .for_each(|block| sweep_best::<T, W>(&weights, block, h, scale));
        let mut gradient = vec![T::default(); self.parameters.len()];
        for block in &self.blocks {
            for (sum, part) in gradient.iter_mut().zip(&block.gradient) {
                *sum += *part;
            }
        }
        (self.blocks.iter().map(|b| b.loss.value()).sum(), gradient)
    }

    /// One step of Adam.
    pub fn step(&mut self) {
        let (_, gradient) = self.gradient();
        self.steps += 1;
        let [b1, b2] =
            [0.9, 0.999].map(|b: f64| (T::new(b), T::new(1.0 - b), 1.0 - b.powi(self.steps)));
        let rate = T::new(-1e-3 / b1.2);
        let root = T::new(1.0 / b2.2.sqrt());
        let [first, second] = &mut self.moments;
        let moments = first.iter_mut().zip(second);
        for ((p, g), (m, v)) in self.parameters.iter_mut().zip(gradient).zip(moments) {
            *m = b1.0.fma(*m, b1.1.mul(g));
            *v = b2.0.fma(*v, b2.1.mul(g.mul(g)));
            *p += rate.mul(*m).div(v.sqrt().fma(root, T::new(1e-8)));
        }
    }
}
