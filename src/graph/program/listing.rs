//! A compiled graph as a text that one can read.

use super::Program;
use super::instruction::{Action, Begin, Instruction, Place, Space};
use std::fmt;

/// `scratch 12 [6]`: where a vector lies and how long it is; `6 × scratch 12 [6] +8` for a bundle whose
/// vectors are 8 entries apart.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let space = match self.space {
            Space::Scratch => "s",
            Space::Tape => "tape ",
            Space::Table => "table ",
            Space::Adjoints => "a",
            Space::Held => "held ",
            Space::Sums => "sums ",
        };
        match self.count {
            1 => write!(f, "{space}{}[{}]", self.start, self.len),
            count => write!(f, "{count} × {space}{}[{}]", self.start, self.len),
        }
    }
}

impl fmt::Display for Instruction<Place> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let x = &self.operands;
        write!(f, "{:<14} = ", self.to.to_string())?;
        let set = |set: bool| if set { "" } else { " + what is there" };
        match &self.action {
            Action::Copy => write!(f, "{}", x[0]),
            Action::Constant(values) => {
                let values: Vec<_> = values.iter().map(f64::to_string).collect();
                write!(f, "constant {}", values.join(", "))
            }
            Action::Parameter(parameter) => write!(f, "{parameter}"),
            Action::Product {
                weight,
                begin,
                transposed,
                rows,
            } => {
                let transposed = if *transposed { "ᵀ" } else { "" };
                write!(f, "{weight}{transposed} {}", x[0])?;
                match begin {
                    Begin::Zero => (),
                    Begin::Bias(bias) => write!(f, " + {bias}")?,
                    Begin::Present => write!(f, " + what is there")?,
                }
                write!(f, ", rows {rows:?}")
            }
            Action::Derivatives { function, order } => {
                let function = format!("{function:?}").to_lowercase();
                let last = order + (self.to.len / x[0].len.max(1)).saturating_sub(1) as u8;
                write!(f, "{function} of {}, derivatives {order} to {last}", x[0])
            }
            Action::Combine(terms) => {
                let mut operands = x.iter();
                for (i, (factor, count)) in terms.iter().enumerate() {
                    let sum = if i > 0 { " + " } else { "" };
                    let factors: Vec<_> = operands
                        .by_ref()
                        .take(*count)
                        .map(Place::to_string)
                        .collect();
                    match (*factor, factors.is_empty()) {
                        (1.0, false) => write!(f, "{sum}{}", factors.join(" · "))?,
                        (factor, true) => write!(f, "{sum}{factor}")?,
                        (factor, false) => write!(f, "{sum}{factor} · {}", factors.join(" · "))?,
                    }
                }
                Ok(())
            }
            Action::Dot => write!(f, "dot({}, {})", x[0], x[1]),
            Action::Broadcast => write!(f, "{} {} times", x[0], self.to.len),
            Action::Select => write!(f, "{} where {} > 0, else {}", x[1], x[0], x[2]),
            Action::Solve(index) => write!(f, "nonlinear solve {index} from {}", x[0]),
            Action::Matrix => write!(f, "matrix {} times {}", x[0], x[1]),
            Action::Zero => write!(f, "0"),
            Action::AccumulateSum { set: first } => write!(f, "Σ {}{}", x[0], set(*first)),
            Action::AccumulateChain {
                slope, set: first, ..
            } => {
                let slope = format!("{slope:?}").to_lowercase();
                write!(f, "{} · {slope} slope of {}{}", x[0], x[1], set(*first))
            }
            Action::AccumulateChosen {
                positive,
                set: first,
            } => {
                let sign = if *positive { ">" } else { "≤" };
                write!(f, "{} where {} {sign} 0{}", x[1], x[0], set(*first))
            }
            Action::AccumulateMatrix { set: first } => {
                write!(
                    f,
                    "transposed matrix {} times {}{}",
                    x[0],
                    x[1],
                    set(*first)
                )
            }
        }
    }
}

impl fmt::Display for Program {
    /// What is computed once for the parameters, a line for each instruction of a step, the nonlinear
    /// solves, and the reverse pass. `s` is scratch memory, its numbers are entries.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(uniform) = &self.uniform {
            writeln!(f, "once for the parameters, {} entries:", uniform.tape)?;
            for instruction in &uniform.instructions {
                // The tape of what is computed once is the table of the program.
                writeln!(
                    f,
                    "  {}",
                    instruction.to_string().replace("tape ", "table ")
                )?;
            }
        }
        let list = |places: &[Place]| {
            let places: Vec<_> = places.iter().map(Place::to_string).collect();
            places.join(", ")
        };
        writeln!(
            f,
            "a step, {} entries of scratch memory, {} of tape:",
            self.scratch, self.tape
        )?;
        writeln!(f, "  inputs: {}", list(&self.inputs))?;
        for instruction in &self.instructions {
            writeln!(f, "  {instruction}")?;
        }
        writeln!(f, "  outputs: {}", list(&self.outputs))?;
        for (i, solve) in self.solves.iter().enumerate() {
            writeln!(f, "nonlinear solve {i}, {} unknowns:", solve.unknowns)?;
            for line in solve.program.to_string().lines() {
                writeln!(f, "  {line}")?;
            }
        }
        if let Some(reverse) = &self.reverse {
            writeln!(f, "backward, {} entries of adjoints:", reverse.adjoints)?;
            writeln!(f, "  derivatives of the outputs: {}", list(&reverse.seeds))?;
            for instruction in &reverse.instructions {
                writeln!(f, "  {instruction}")?;
            }
            writeln!(f, "  carried: {}", list(&reverse.carried))?;
        }
        Ok(())
    }
}
