//! A beam's cross-section of fibres under cyclic bending: a uniaxial learned law in a section.
//!
//! ```text
//! cargo run --release --example fibre_section
//! ```
//!
//! The section is bent to and fro at a given normal force. Each fibre sees `ε = ε₀ − κ y`; the strain
//! `ε₀` of the axis follows from the normal force by Newton's method, the slope of the moment over the
//! curvature by condensation. All fibres are advanced in one call.

use hysteron::law::{BatchInput, BatchOutput, MaterialLaw, Status};
use hysteron::model::Model;
use hysteron::plot::{self, Axis, Series, Style};
use hysteron::{Error, Result};

const OUT: &str = "out/fibre_section";
/// A solid rectangle, mm.
const HEIGHT: f64 = 200.0;
const WIDTH: f64 = 100.0;
const FIBRES: usize = 40;
/// Curvature at the reversals, 1/mm: 1 % strain at the edge.
const CURVATURE: f64 = 1e-4;
const STEPS: usize = 20;
const MAX_ITERATIONS: usize = 25;

struct Section<'a> {
    law: &'a dyn MaterialLaw,
    /// Places of the fibres over the axis, mm.
    places: Vec<f64>,
    /// Area of each, mm².
    area: f64,
    strain: Vec<f64>,
    state: Vec<f64>,
}

/// Resultants with their derivatives by the strain of the axis and the curvature.
struct Resultants {
    force: f64,
    moment: f64,
    /// `∂(N, M)/∂(ε₀, κ)`
    slopes: [[f64; 2]; 2],
    strain: Vec<f64>,
    state: Vec<f64>,
}

impl<'a> Section<'a> {
    fn new(law: &'a dyn MaterialLaw) -> Self {
        let place = |i: usize| HEIGHT * ((i as f64 + 0.5) / FIBRES as f64 - 0.5);
        Self {
            places: (0..FIBRES).map(place).collect(),
            area: WIDTH * HEIGHT / FIBRES as f64,
            strain: vec![0.0; FIBRES],
            state: law
                .new_state()
                .iter()
                .flat_map(|z| vec![*z; FIBRES])
                .collect(),
            law,
        }
    }

    fn resultants(&self, axis: f64, curvature: f64) -> Result<Resultants> {
        let strain: Vec<f64> = self.places.iter().map(|y| axis - curvature * y).collect();
        let mut state = self.state.clone();
        let (mut stress, mut tangent) = (vec![0.0; FIBRES], vec![0.0; FIBRES]);
        self.law.update_batch(
            &BatchInput {
                points: FIBRES,
                strain_old: &self.strain,
                strain_new: &strain,
                dt: &[1.0; FIBRES],
                external_old: &[],
                external_new: &[],
                state: &self.state,
            },
            &mut BatchOutput {
                state: &mut state,
                stress: &mut stress,
                tangent: &mut tangent,
                stored_energy: &mut [0.0; FIBRES],
                dissipation: &mut [0.0; FIBRES],
                status: &mut [Status::Inside; FIBRES],
            },
        )?;
        let sum = |f: &dyn Fn(usize) -> f64| self.area * (0..FIBRES).map(f).sum::<f64>();
        let y = &self.places;
        let coupling = -sum(&|i| tangent[i] * y[i]);
        Ok(Resultants {
            force: sum(&|i| stress[i]),
            moment: -sum(&|i| stress[i] * y[i]),
            slopes: [
                [sum(&|i| tangent[i]), coupling],
                [coupling, sum(&|i| tangent[i] * y[i] * y[i])],
            ],
            strain,
            state,
        })
    }

    /// Bends to a curvature at a normal force in N; the moment in N mm, the bending stiffness, and
    /// the iterations.
    fn bend(&mut self, curvature: f64, force: f64) -> Result<(f64, f64, usize)> {
        let mean = self.strain.iter().sum::<f64>() / FIBRES as f64;
        let mut axis = mean;
        for iteration in 1..=MAX_ITERATIONS {
            let r = self.resultants(axis, curvature)?;
            let [[stiffness, coupling], [_, bending]] = r.slopes;
            if (r.force - force).abs() <= 1e-9 * stiffness {
                self.strain = r.strain;
                self.state = r.state;
                return Ok((
                    r.moment,
                    bending - coupling * coupling / stiffness,
                    iteration,
                ));
            }
            axis -= (r.force - force) / stiffness;
        }
        Err(Error::invalid(format!(
            "no equilibrium at the curvature {curvature}"
        )))
    }
}

fn main() -> Result<()> {
    std::fs::create_dir_all(OUT).map_err(|e| Error::io(OUT, e))?;
    let law = Model::load("materials/steel_s355_voce_chaboche/law.safetensors")?.law;
    let mut curves = Vec::new();
    for (label, force) in [("no normal force", 0.0), ("compression 2 MN", -2e6)] {
        let mut section = Section::new(&law);
        let (mut x, mut y, mut most) = (vec![0.0], vec![0.0], 0);
        let ramp = (0..=10).map(|i| (0.0, force * i as f64 / 10.0));
        let reversals = [0.0, 1.0, -1.0, 1.0, -1.0, 1.0];
        let cycles = reversals.windows(2).flat_map(|pair| {
            let [from, to] = [pair[0], pair[1]];
            let bend = move |i: usize| from + (to - from) * i as f64 / STEPS as f64;
            (1..=STEPS).map(move |i| (CURVATURE * bend(i), force))
        });
        for (curvature, force) in ramp.chain(cycles) {
            let (moment, stiffness, iterations) = section.bend(curvature, force)?;
            most = most.max(iterations);
            x.push(1e6 * curvature);
            y.push(1e-6 * moment);
            if !stiffness.is_finite() {
                return Err(Error::invalid("the bending stiffness is not finite"));
            }
        }
        let peak = y.iter().fold(0.0f64, |a, b| a.max(b.abs()));
        println!("{label:18} largest moment {peak:6.1} kNm, at most {most} iterations a step");
        curves.push(Series {
            label: label.into(),
            x,
            y,
            style: if curves.is_empty() {
                Style::Solid
            } else {
                Style::Dashed
            },
        });
    }
    let (x, y) = (
        Axis::linear("Curvature", "1/km"),
        Axis::linear("Moment", "kNm"),
    );
    let file = format!("{OUT}/moment.png");
    plot::lines(&curves, &x, &y, "A section of 40 fibres", &file)?;
    println!("wrote {file}");
    Ok(())
}
