//! The arithmetic behind the readings over lanes: dense products, activations and weight
//! gradients, compiled for AVX-512, AVX2 and any machine, and chosen at run time.

pub(crate) mod math;

use super::Activation;
use math::fma;

/// Compiles one body for each instruction set and picks at run time. The body is generic over
/// `FMA` (whether the machine has a fused multiply-add) and `W`, and must be `#[inline(always)]`.
macro_rules! dispatched {
    ($(#[$doc:meta])* fn $name:ident = $body:ident ( $($arg:ident : $type:ty),* $(,)? )) => {
        $(#[$doc])*
        #[inline]
        pub(crate) fn $name<const W: usize>($($arg: $type),*) {
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

dispatched!(
    /// `y += W x` at every lane; `weight` row-major `[y.len(), x.len()]`.
    fn dense_add = dense_body(weight: &[f64], x: &[[f64; W]], y: &mut [[f64; W]])
);
dispatched!(
    /// `x += Wᵀ y` at every lane.
    fn dense_transposed_add = dense_transposed_body(weight: &[f64], y: &[[f64; W]], x: &mut [[f64; W]])
);
dispatched!(
    fn activate = activate_body(f: Activation, order: u8, x: &[[f64; W]], y: &mut [[f64; W]])
);
dispatched!(
    /// `x̄ += f^{(order)}(x) ȳ`.
    fn activate_adjoint = activate_adjoint_body(
        f: Activation, order: u8, x: &[[f64; W]], y_bar: &[[f64; W]], x_bar: &mut [[f64; W]])
);
dispatched!(
    /// `gradient[i, j] += Σ_calls Σ_lanes ȳ_i x_j`, `calls` being pairs of starts of `ȳ` in
    /// `adjoints` and of `x` in `values`: register tiles run through the whole history.
    fn outer_add = outer_body(
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
    for (y, x) in y.iter_mut().zip(x) {
        *y = f.evaluate::<FMA, W>(order, *x);
    }
}

#[inline(always)]
fn activate_adjoint_body<const FMA: bool, const W: usize>(
    f: Activation,
    order: u8,
    x: &[[f64; W]],
    y_bar: &[[f64; W]],
    x_bar: &mut [[f64; W]],
) {
    for ((x_bar, y_bar), x) in x_bar.iter_mut().zip(y_bar).zip(x) {
        let slope = f.evaluate::<FMA, W>(order, *x);
        for w in 0..W {
            x_bar[w] = fma::<FMA>(slope[w], y_bar[w], x_bar[w]);
        }
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
    const R: usize = 4;
    const C: usize = 4;
    for i in (0..rows).step_by(R) {
        for j in (0..columns).step_by(C) {
            let mut acc = [[[0.0; W]; C]; R];
            if i + R <= rows && j + C <= columns {
                for &(y, x) in calls {
                    let y = &adjoints[y + i..][..R];
                    let x = &values[x + j..][..C];
                    for r in 0..R {
                        for c in 0..C {
                            for w in 0..W {
                                acc[r][c][w] = fma::<FMA>(y[r][w], x[c][w], acc[r][c][w]);
                            }
                        }
                    }
                }
            } else {
                for &(y, x) in calls {
                    for r in 0..R.min(rows - i) {
                        for c in 0..C.min(columns - j) {
                            for w in 0..W {
                                acc[r][c][w] = fma::<FMA>(
                                    adjoints[y + i + r][w],
                                    values[x + j + c][w],
                                    acc[r][c][w],
                                );
                            }
                        }
                    }
                }
            }
            for r in 0..R.min(rows - i) {
                for c in 0..C.min(columns - j) {
                    gradient[(i + r) * columns + j + c] += acc[r][c].iter().sum::<f64>();
                }
            }
        }
    }
}
