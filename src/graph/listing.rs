//! A graph as a text that one can read.

use super::nodes::{Graph, Routine};
use super::operation::Operation;
use super::parameters::{Parameter, ParameterLayout};
use super::view::View;
use std::fmt;

/// `%7`, or a part of it: `%7[3..5]`; `6 × %7` for a bundle.
fn name(routine: &Routine, x: View) -> String {
    let node = &routine.nodes[x.node];
    let all = View::whole(x.node, node.shape);
    let vector = match (&node.operation, x == all) {
        (Operation::Input(input), true) => input.name.to_string(),
        (_, true) => format!("%{}", x.node),
        (Operation::Input(input), false) => format!("{}[{:?}]", input.name, x.nth(0)),
        (_, false) => format!("%{}[{:?}]", x.node, x.nth(0)),
    };
    match x.count {
        1 => vector,
        count => format!("{count} × {vector}"),
    }
}

impl fmt::Display for Routine {
    /// A line for each operation that the outputs need: the line of the law that wrote it, its number, how
    /// many vectors `[n]` it makes, and the formula; `:=` where that is the same at every point.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for n in self.alive() {
            let node = &self.nodes[n];
            let [count, len] = node.shape;
            let shape = match count {
                1 => format!("[{len}]"),
                _ => format!("{count} × [{len}]"),
            };
            let sign = if node.uniform { ":=" } else { "=" };
            let formula = node.operation.rules().print(&|x| name(self, x));
            let file = node.at.file().rsplit('/').next().unwrap_or_default();
            let line = format!("{file}:{}", node.at.line());
            writeln!(f, "{line:<24} %{n:<4} {shape:>9} {sign:<2} {formula}")?;
        }
        let outputs = self.outputs.iter().map(|x| name(self, *x));
        writeln!(f, "outputs: {}", outputs.collect::<Vec<_>>().join(", "))
    }
}

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outputs: Vec<View> = (0..self.len())
            .map(|n| View::whole(n, self.node(n).shape))
            .collect();
        for line in self.unspread(&outputs).to_string().lines() {
            if !line.starts_with("outputs: ") {
                writeln!(f, "{line}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Parameter {
    /// By its place among all parameters; see [`ParameterLayout::named`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [rows, columns] = self.shape();
        match columns {
            1 => write!(f, "p{}[{rows}]", self.offset),
            _ => write!(f, "p{}[{rows}, {columns}]", self.offset),
        }
    }
}

impl ParameterLayout {
    /// A listing in which parameters have their names.
    pub fn named(&self, listing: &str) -> String {
        let tensors = self.tensors().iter();
        tensors.fold(listing.to_string(), |text, tensor| {
            text.replace(&tensor.parameter.to_string(), &tensor.name)
        })
    }
}
