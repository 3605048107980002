//! The forward derivative: a graph with the tangents of what it makes.
//!
//! A tangent is the derivative in one direction; those of all directions are a bundle. Each operation
//! is followed by that of its tangents, so that both find their operands in the cache. What does not
//! depend on the directions has no tangents, and nothing is computed for it.

use super::nodes::{Graph, Rewritten, Routine};
use super::operation::{Constant, Operation, Product, Units, WeightTangent};
use super::parameters::Parameter;
use super::vector::Vector;
use super::view::{Term, View};

/// With respect to what the derivative is taken.
#[derive(Clone, Debug)]
pub enum Seeds {
    /// The input of this number: one direction for each entry.
    Input(usize),
    /// Inputs by their numbers, with the directions in which they move: bundles of as many vectors, in
    /// the same graph.
    Along(Vec<(usize, Direction)>),
    /// Entries of parameters, after their constraints: one direction for each, in this order.
    Parameters(Vec<Parameter>),
}

/// The directions in which an input moves.
#[derive(Clone, Copy, Debug)]
pub struct Direction(View);

impl Seeds {
    /// One direction for each entry of an input.
    ///
    /// # Panics
    /// Where the vector is not a whole input.
    #[track_caller]
    pub fn input(input: Vector) -> Self {
        Self::Input(index(input))
    }

    /// Inputs with the directions in which they move, bundles of as many vectors.
    ///
    /// # Panics
    /// Where a vector is not a whole input.
    #[track_caller]
    pub fn along(inputs: &[(Vector, Vector)]) -> Self {
        let seed =
            |(input, tangents): &(Vector, Vector)| (index(*input), Direction(tangents.view()));
        Self::Along(inputs.iter().map(seed).collect())
    }
}

#[track_caller]
fn index(input: Vector) -> usize {
    let view = input.view();
    let node = input.graph().node(view.node);
    assert_eq!(
        view,
        View::whole(view.node, node.shape),
        "not a whole input"
    );
    match node.operation {
        Operation::Input(input) => input.index,
        _ => panic!("derivatives are with respect to inputs"),
    }
}

/// The tangents of what was written so far, for the rules of the operations.
pub(crate) struct Tangents<'a> {
    graph: &'a Graph,
    /// By node of the new graph.
    known: &'a [Option<View>],
    parameters: &'a [Parameter],
}

impl<'a> Tangents<'a> {
    pub fn graph(&self) -> &'a Graph {
        self.graph
    }

    /// Of a vector that is an operand.
    pub fn of(&self, x: View) -> Option<View> {
        let all = self.known.get(x.node).copied().flatten()?;
        assert_eq!(x.count, 1, "tangents of a bundle");
        Some(all.slice(x.start..x.start + x.len))
    }

    /// The number of all directions of parameters, and the first one of a parameter.
    fn directions(&self, parameter: Parameter) -> Option<[usize; 2]> {
        let at = self.parameters.iter().position(|p| *p == parameter)?;
        let len = |parameters: &[Parameter]| parameters.iter().map(Parameter::len).sum();
        Some([len(self.parameters), len(&self.parameters[..at])])
    }

    /// Of a parameter as a vector.
    pub fn of_vector(&self, parameter: Parameter) -> Option<View> {
        let [all, first] = self.directions(parameter)?;
        let n = parameter.len();
        let mut units = vec![0.0; all * n];
        (0..n).for_each(|i| units[(first + i) * n + i] = 1.0);
        Some(self.graph.push(Constant::bundle(&units, [all, n])))
    }

    /// Of a product, with respect to its weight.
    pub fn of_weight(&self, product: &Product) -> Option<View> {
        let [directions, first] = self.directions(product.weight)?;
        Some(self.graph.push(WeightTangent {
            weight: product.weight,
            transposed: product.transposed,
            first,
            directions,
            x: product.x,
        }))
    }

    /// The sum of those that are there.
    pub fn added<const N: usize>(&self, parts: [Option<View>; N]) -> Option<View> {
        let parts = parts.into_iter().flatten();
        parts.reduce(|sum, x| self.graph.add(sum, x))
    }

    pub fn sum(&self, terms: Vec<Term>) -> Option<View> {
        match &terms[..] {
            [] => None,
            [Term { factor, factors }] if factor.value() == 1.0 && factors.len() == 1 => {
                Some(factors[0])
            }
            _ => Some(self.graph.sum(terms)),
        }
    }
}

impl Routine {
    /// The same, and behind its outputs the tangents of some of them: bundles with a vector for each
    /// direction, zero where an output does not depend on it.
    pub fn with_tangents(&self, seeds: &Seeds, of: &[usize]) -> Self {
        let parameters: &[Parameter] = match seeds {
            Seeds::Parameters(parameters) => parameters,
            _ => &[],
        };
        let along: &[(usize, Direction)] = match seeds {
            Seeds::Along(along) => along,
            _ => &[],
        };
        let mut first = self.needed(&along.iter().map(|(_, x)| x.0).collect::<Vec<_>>());
        let inputs = self.inputs();
        inputs.iter().for_each(|n| first[*n] = true);
        let others = self.alive().into_iter().filter(|n| !first[*n]);

        // Inputs and what the seeds are made of, which has no tangents; then the rest.
        let mut new = Rewritten::of(self);
        for n in (0..self.nodes.len()).filter(|n| first[*n]) {
            let operation = new.operation(self, n);
            new.moved[n] = Some(new.graph.push(operation));
        }
        let mut known: Vec<Option<View>> = vec![None; new.graph.len()];
        let mut directions = parameters.iter().map(Parameter::len).sum();
        for (index, n) in inputs.into_iter().enumerate() {
            let input = new.view(self.whole(n));
            let tangents = match seeds {
                Seeds::Input(seed) if *seed == index => Some(new.graph.push(Units(input.len))),
                _ => {
                    let seed = along.iter().find(|(seed, _)| *seed == index);
                    seed.map(|(_, tangents)| new.view(tangents.0))
                }
            };
            directions = tangents.map_or(0, |x| x.count).max(directions);
            known.resize(new.graph.len(), None);
            known[input.node] = tangents;
        }
        for n in others {
            let operation = new.operation(self, n);
            let view = new.graph.push(operation.clone());
            new.moved[n] = Some(view);
            known.resize(new.graph.len(), None);
            if known[view.node].is_none() {
                let tangents = Tangents {
                    graph: &new.graph,
                    known: &known,
                    parameters,
                };
                let along = operation.rules().forward(&tangents);
                known.resize(new.graph.len(), None);
                known[view.node] = along;
            }
        }
        new.graph.set_line(None);
        let graph = &new.graph;
        let mut outputs = new.views(&self.outputs);
        for output in of {
            let x = outputs[*output];
            let tangents = Tangents {
                graph,
                known: &known,
                parameters,
            };
            // Where nothing depends on the directions, zeros for each of them.
            let zeros = || {
                let zeros = vec![0.0; directions * x.len];
                graph.push(Constant::bundle(&zeros, [directions, x.len]))
            };
            outputs.push(tangents.of(x).unwrap_or_else(zeros));
        }
        graph.finish(&outputs)
    }
}
