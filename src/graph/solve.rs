//! Roots of a residual: what an implicit update is made of.
//!
//! A root of `R(x) = 0` is found point by point, without a tape of the iteration. One Newton step at
//! the root, `x = x̄ − J⁻¹ R(x̄)` with the constant `J = ∂R/∂x`, then carries the exact first
//! derivatives of whatever `R` depends on, `∂x/∂p = −J⁻¹ ∂R/∂p`: the implicit function theorem.
//! Derivatives of derivatives would need a second step.
//!
//! The method is Newton's, damped by shortening the step until the residual falls, with further steps
//! by the same Jacobian while the residual decreases well. Every point has its own step and its own
//! end: a point that has converged stays as it is, so that no other point can change it. Where `J` is
//! regular wherever the iteration comes, a point that it stops at is a root (Dennis & Schnabel, 1983,
//! Numerical methods for unconstrained optimization and nonlinear equations, chapter 6).

use super::nodes::{Graph, Rewritten, Routine};
use super::operation::{Concat, Root, Unknown};
use super::program::newton::NonlinearSolve;
use super::vector::Vector;
use super::view::View;
use std::sync::Arc;

/// A root and the inverse Jacobian there; both count as constants.
#[derive(Clone, Copy, Debug)]
pub struct Solution<'g> {
    /// `x̄ [n]`; NaN at the points where no root was found.
    pub value: Vector<'g>,
    /// `J⁻¹ [n·n]`, row by row.
    pub inverse: Vector<'g>,
}

/// A nonlinear solve that found no root.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unsolved {
    /// Evaluations of the Jacobian.
    pub iterations: usize,
    /// Norm of the least residual.
    pub residual: f64,
}

impl<'g> Vector<'g> {
    /// The root `x [n]` of as many equations `residual(x) = 0`, starting from this guess, with the exact
    /// derivatives of the implicit function theorem. The residual reads whatever vectors it likes. The
    /// unknowns should be of order one: convergence below `10⁻⁸` is judged against that.
    ///
    /// A point where no root is found is NaN, and the update there an error.
    #[track_caller]
    pub fn solve(self, residual: impl Fn(Self) -> Self) -> Self {
        let root = self.root(&residual);
        root.value - root.inverse.matrix_times(residual(root.value))
    }

    /// The root alone: no derivative flows through it.
    #[track_caller]
    pub fn root(self, residual: impl Fn(Self) -> Self) -> Solution<'g> {
        let (graph, n) = (self.graph(), self.len());
        let id = graph.len();
        let unknown = graph.push(Unknown { id, len: n });
        let equations = residual(graph.vector(unknown)).of(graph);
        assert_eq!(equations.len, n, "as many equations as unknowns");
        let (routine, read) = extract(graph, unknown, equations);
        let mut known: Vec<View> = read;
        known.push(self.of(graph));
        let x = match known[..] {
            [guess] => guess,
            _ => graph.push(Concat(known)),
        };
        let solve = Arc::new(NonlinearSolve::new(&routine, n));
        let both = graph.push(Root {
            solve,
            x: graph.spread(x),
        });
        let [value, inverse] = [both.slice(0..n), both.slice(n..n + n * n)];
        Solution {
            value: graph.vector(value),
            inverse: graph.vector(inverse),
        }
    }
}

/// The equations as a routine of their own, from what they read of the graph and the unknown; and
/// what they read. What is the same at every point comes with the routine; what does not depend on
/// the unknown stays outside, where it is computed once.
fn extract(graph: &Graph, unknown: View, equations: View) -> (Routine, Vec<View>) {
    let all = graph.finish(&[equations]);
    let needed = all.needed(&[equations]);
    let mut depends = vec![false; all.nodes.len()];
    depends[unknown.node] = true;
    for n in unknown.node + 1..all.nodes.len() {
        let operands = all.nodes[n].operation.operands();
        depends[n] = operands.iter().any(|x| depends[x.node]);
    }
    assert!(
        depends[equations.node],
        "a residual that does not depend on its unknown"
    );
    let inside = |n: usize| needed[n] && (depends[n] || all.nodes[n].uniform);
    let mut read: Vec<View> = Vec::new();
    for n in (0..all.nodes.len()).filter(|n| needed[*n] && depends[*n]) {
        for x in all.nodes[n].operation.operands() {
            if !depends[x.node] && !all.nodes[x.node].uniform {
                let whole = all.whole(x.node);
                assert_eq!(whole.count, 1, "a residual reads vectors");
                if !read.contains(&whole) {
                    read.push(whole);
                }
            }
        }
    }
    let mut new = Rewritten::of(&all);
    let known = new
        .graph
        .input("known", read.iter().map(|x| x.len).sum())
        .view();
    new.moved[unknown.node] = Some(new.graph.input("unknown", unknown.len).view());
    let mut at = 0;
    for x in &read {
        new.moved[x.node] = Some(known.slice(at..at + x.len));
        at += x.len;
    }
    for n in (0..all.nodes.len()).filter(|n| inside(*n) && *n != unknown.node) {
        let operation = new.operation(&all, n);
        new.moved[n] = Some(new.graph.push(operation));
    }
    let equations = new.view(equations);
    (new.graph.finish(&[equations]), read)
}
