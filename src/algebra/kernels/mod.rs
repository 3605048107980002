//! The arithmetic behind the readings over lanes: dense products, activations and weight
//! gradients, compiled for AVX-512, AVX2 and any machine, and chosen at run time.

pub(crate) mod math;

use super::Activation;
use super::activation::Visitor;
use math::fma;

/// Compiles one body for each instruction set and picks at run time. The body is generic over
/// `FMA` (whether the machine has a fused multiply-add) and `W`, and must be `#[inline(always)]`.
macro_rules! dispatched {
    ($(#[$doc:meta])* $visibility:vis fn $name:ident = $body:ident ( $($arg:ident : $type:ty),* $(,)? )) => {
        $(#[$doc])*
        #[inline]
        $visibility fn $name<const W: usize>($($arg: $type),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512dq,fma")]
                fn avx512<const W: usize>($($arg: $type),*) {
                    $body::<true, W>($($arg),*)
                }
                #[target_feature(enable = "avx2,fma")]
                fn avx2<const W: usize>($($arg: $type),*) {
                    $body::<true, W>($($arg),*)
                }
                if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") {
                    // SAFETY: the features were just detected.
                    return unsafe { avx512($($arg),*) };
                }
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    // SAFETY: the features were just detected.
                    return unsafe { avx2($($arg),*) };
                }
            }
            $body::<{ cfg!(target_arch = "aarch64") }, W>($($arg),*)
        }
    };
}

pub(crate) use dispatched;

dispatched!(
    /// `y += W x` at every lane; `weight` row-major `[y.len(), x.len()]`.
    pub(crate) fn dense_add = dense_body(weight: &[f64], x: &[[f64; W]], y: &mut [[f64; W]])
);
dispatched!(
    /// `x += Wᵀ y` at every lane.
    pub(crate) fn dense_transposed_add = dense_transposed_body(weight: &[f64], y: &[[f64; W]], x: &mut [[f64; W]])
);
dispatched!(
    pub(crate) fn activate = activate_body(f: Activation, order: u8, x: &[[f64; W]], y: &mut [[f64; W]])
);
dispatched!(
    /// `x̄ += f^{(order + 1)}(x) ȳ`, `y = f^{(order)}(x)`.
    pub(crate) fn activate_adjoint = activate_adjoint_body(
        f: Activation, order: u8, x: &[[f64; W]], y: &[[f64; W]], y_bar: &[[f64; W]],
        x_bar: &mut [[f64; W]])
);
dispatched!(
    /// `gradient[i, j] += Σ_calls Σ_lanes ȳ_i x_j`, `calls` being pairs of starts of `ȳ` in
    /// `adjoints` and of `x` in `values`: each register tile runs through all calls.
    pub(crate) fn outer_add = outer_body(
        calls: &[(usize, usize)], adjoints: &[[f64; W]], values: &[[f64; W]],
        rows: usize, columns: usize, gradient: &mut [f64])
);

#[inline(always)]
fn multiply_add<const FMA: bool, const W: usize>(acc: &mut [f64; W], a: f64, x: &[f64; W]) {
    for w in 0..W {
        acc[w] = fma::<FMA>(a, x[w], acc[w]);
    }
}

#[inline(always)]
fn dense_body<const FMA: bool, const W: usize>(weight: &[f64], x: &[[f64; W]], y: &mut [[f64; W]]) {
    let m = x.len();
    let mut i = 0;
    while i + 4 <= y.len() {
        let rows: [&[f64]; 4] = std::array::from_fn(|k| &weight[(i + k) * m..(i + k + 1) * m]);
        let mut acc: [[f64; W]; 4] = std::array::from_fn(|k| y[i + k]);
        for (j, x) in x.iter().enumerate() {
            for k in 0..4 {
                multiply_add::<FMA, W>(&mut acc[k], rows[k][j], x);
            }
        }
        y[i..i + 4].copy_from_slice(&acc);
        i += 4;
    }
    for i in i..y.len() {
        for (a, x) in weight[i * m..(i + 1) * m].iter().zip(x) {
            multiply_add::<FMA, W>(&mut y[i], *a, x);
        }
    }
}

#[inline(always)]
fn dense_transposed_body<const FMA: bool, const W: usize>(
    weight: &[f64],
    y: &[[f64; W]],
    x: &mut [[f64; W]],
) {
    let m = x.len();
    let mut j = 0;
    while j + 4 <= m {
        let mut acc: [[f64; W]; 4] = std::array::from_fn(|k| x[j + k]);
        for (i, y) in y.iter().enumerate() {
            let row = &weight[i * m + j..i * m + j + 4];
            for k in 0..4 {
                multiply_add::<FMA, W>(&mut acc[k], row[k], y);
            }
        }
        x[j..j + 4].copy_from_slice(&acc);
        j += 4;
    }
    for j in j..m {
        for (i, y) in y.iter().enumerate() {
            multiply_add::<FMA, W>(&mut x[j], weight[i * m + j], y);
        }
    }
}

#[inline(always)]
fn activate_body<const FMA: bool, const W: usize>(
    f: Activation,
    order: u8,
    x: &[[f64; W]],
    y: &mut [[f64; W]],
) {
    struct Apply<'a>(&'a [f64], &'a mut [f64]);
    impl Visitor for Apply<'_> {
        #[inline(always)]
        fn visit(self, f: impl Fn(f64) -> f64) {
            for (y, x) in self.1.iter_mut().zip(self.0) {
                *y = f(*x);
            }
        }
    }
    f.visit::<FMA>(order, Apply(x.as_flattened(), y.as_flattened_mut()));
}

#[inline(always)]
fn activate_adjoint_body<const FMA: bool, const W: usize>(
    f: Activation,
    order: u8,
    x: &[[f64; W]],
    y: &[[f64; W]],
    y_bar: &[[f64; W]],
    x_bar: &mut [[f64; W]],
) {
    struct Chain<'a>(&'a [f64], &'a [f64], &'a mut [f64]);
    impl Visitor for Chain<'_> {
        #[inline(always)]
        fn visit(self, f: impl Fn(f64) -> f64) {
            for ((x_bar, y_bar), at) in self.2.iter_mut().zip(self.1).zip(self.0) {
                *x_bar += f(*at) * y_bar;
            }
        }
    }
    let y_bar = y_bar.as_flattened();
    let chain = Chain(y.as_flattened(), y_bar, x_bar.as_flattened_mut());
    if let Some(Chain(_, y_bar, x_bar)) = f.visit_next(order, chain) {
        f.visit::<FMA>(order + 1, Chain(x.as_flattened(), y_bar, x_bar));
    }
}

#[inline(always)]
fn outer_body<const FMA: bool, const W: usize>(
    calls: &[(usize, usize)],
    adjoints: &[[f64; W]],
    values: &[[f64; W]],
    rows: usize,
    columns: usize,
    gradient: &mut [f64],
) {
    let mut outer = Outer {
        calls,
        adjoints,
        values,
        columns,
        gradient,
    };
    let mut i = 0;
    while i + 4 <= rows {
        outer.rows::<FMA, 4>(i);
        i += 4;
    }
    for i in i..rows {
        outer.rows::<FMA, 1>(i);
    }
}

struct Outer<'a, const W: usize> {
    calls: &'a [(usize, usize)],
    adjoints: &'a [[f64; W]],
    values: &'a [[f64; W]],
    columns: usize,
    gradient: &'a mut [f64],
}

impl<const W: usize> Outer<'_, W> {
    #[inline(always)]
    fn rows<const FMA: bool, const R: usize>(&mut self, i: usize) {
        let mut j = 0;
        while j + 4 <= self.columns {
            self.tile::<FMA, R, 4>(i, j);
            j += 4;
        }
        for j in j..self.columns {
            self.tile::<FMA, R, 1>(i, j);
        }
    }

    /// One register tile through all calls.
    #[inline(always)]
    fn tile<const FMA: bool, const R: usize, const C: usize>(&mut self, i: usize, j: usize) {
        let mut acc = [[[0.0; W]; C]; R];
        for &(y, x) in self.calls {
            let y = &self.adjoints[y + i..][..R];
            let x = &self.values[x + j..][..C];
            for r in 0..R {
                for c in 0..C {
                    for w in 0..W {
                        acc[r][c][w] = fma::<FMA>(y[r][w], x[c][w], acc[r][c][w]);
                    }
                }
            }
        }
        for (r, row) in acc.iter().enumerate() {
            for (c, lanes) in row.iter().enumerate() {
                self.gradient[(i + r) * self.columns + j + c] += lanes.iter().sum::<f64>();
            }
        }
    }
}
