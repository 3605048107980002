//! A beam's cross-section of fibres under cyclic bending: a learned law of one component where
//! frames and towers are calculated.
//!
//! ```text
//! cargo run --release --example fibre_section
//! ```
//!
//! Each fibre sees `ε = ε₀ − κ y`; all of them are advanced in one call. At a curvature `κ` and a
//! normal force `N` the strain `ε₀` of the axis is the root of `Σ σ A = N`. A learned law is not smooth
//! where a fibre turns, and `minimal-state` has no stiffness at all in an increment of nothing, so that
//! Newton's method alone would not do: it runs between bounds that hold the root.
//!
//! The section itself is checked first, with ideal plasticity, against the closed form
//! `M = M_p (1 − ⅓ (κ_y/κ)²)`.

use hysteron::card::Card;
use hysteron::law::{Batch, MaterialLaw};
use hysteron::laws::{J2, PlasticityParameters, UniaxialStress};
use hysteron::model::Model;
use hysteron::plot::{Axis, Series, Style, lines};
use hysteron::{Error, Result};
use std::path::Path;

const OUT: &str = "out/fibre_section";
/// A solid rectangle, mm.
const HEIGHT: f64 = 200.0;
const WIDTH: f64 = 100.0;
const FIBRES: usize = 40;
/// Curvature at the reversals, 1/mm: 1 % strain at the edge.
const CURVATURE: f64 = 1e-4;
/// Compression, N: a third of what makes the section flow.
const NORMAL_FORCE: f64 = -1.5e6;
/// Increments from the first peak to the next.
const STEPS: usize = 60;
const MAX_ITERATIONS: usize = 60;
/// How often an increment may be halved.
const MAX_CUTS: usize = 6;

struct Section<'a> {
    law: &'a dyn MaterialLaw,
    fibres: Batch,
    /// Strain of the axis, curvature in 1/mm, normal force in N.
    axis: f64,
    curvature: f64,
    force: f64,
    iterations: usize,
}

impl<'a> Section<'a> {
    fn new(law: &'a dyn MaterialLaw) -> Self {
        let mut fibres = Batch::new(law, FIBRES);
        fibres.dt.fill(1.0);
        Self {
            law,
            fibres,
            axis: 0.0,
            curvature: 0.0,
            force: 0.0,
            iterations: 0,
        }
    }

    /// Height of each fibre over the axis, mm.
    fn places() -> impl Iterator<Item = f64> {
        (0..FIBRES).map(|i| HEIGHT * ((i as f64 + 0.5) / FIBRES as f64 - 0.5))
    }

    fn area() -> f64 {
        WIDTH * HEIGHT / FIBRES as f64
    }

    /// Normal force and its derivative by the strain of the axis.
    fn force(&mut self, axis: f64, curvature: f64) -> Result<(f64, f64)> {
        for (strain, y) in self.fibres.strain_new.iter_mut().zip(Self::places()) {
            *strain = axis - curvature * y;
        }
        self.fibres.update(self.law)?;
        let sum = |values: &[f64]| Self::area() * values.iter().sum::<f64>();
        Ok((sum(&self.fibres.stress), sum(&self.fibres.tangent)))
    }

    /// Bends to a curvature at a normal force; the moment in N mm.
    fn bend(&mut self, curvature: f64, force: f64, cuts: usize) -> Result<f64> {
        match self.balance(curvature, force) {
            Ok(axis) => {
                (self.axis, self.curvature, self.force) = (axis, curvature, force);
                self.fibres.accept();
                let moments = self.fibres.stress.iter().zip(Self::places());
                Ok(-Self::area() * moments.map(|(stress, y)| stress * y).sum::<f64>())
            }
            Err(_) if cuts > 0 => {
                let middle = |a: f64, b: f64| 0.5 * (a + b);
                let half = middle(self.curvature, curvature);
                self.bend(half, middle(self.force, force), cuts - 1)?;
                self.bend(curvature, force, cuts - 1)
            }
            Err(error) => Err(error),
        }
    }

    /// The strain of the axis: Newton's method, and bisection where it would leave the bounds.
    fn balance(&mut self, curvature: f64, force: f64) -> Result<f64> {
        let scales = self.law.scales();
        let tolerance = 1e-9 * scales.stress * WIDTH * HEIGHT;
        let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
        let (mut axis, mut reach) = (self.axis, 1e-3 * scales.strain);
        for _ in 0..MAX_ITERATIONS {
            let (found, slope) = self.force(axis, curvature)?;
            self.iterations += 1;
            let excess = found - force;
            if excess.abs() <= tolerance {
                return Ok(axis);
            }
            match excess > 0.0 {
                true => high = axis,
                false => low = axis,
            }
            let newton = axis - excess / slope;
            axis = if slope > 0.0 && low < newton && newton < high {
                newton
            } else if low.is_finite() && high.is_finite() {
                0.5 * (low + high)
            } else {
                // The root lies beyond what has been seen yet.
                reach *= 2.0;
                axis - reach * excess.signum()
            };
        }
        Err(Error::invalid(format!(
            "no equilibrium at the curvature {curvature:e} 1/mm"
        )))
    }
}

/// Bends a virgin section of ideal plasticity once, far beyond yield.
fn check_ideal_plasticity() -> Result<()> {
    let (young, yield_stress) = (200e3, 250.0);
    let law = UniaxialStress::new(J2::new(&PlasticityParameters {
        young,
        poisson: 0.3,
        yield_stress,
        voce: Vec::new(),
        linear_hardening: 0.0,
        backstress: Vec::new(),
    })?)?;
    let first = 2.0 * yield_stress / (young * HEIGHT);
    let mut section = Section::new(&law);
    for ratio in [0.5, 2.0, 5.0] {
        let moment = section.bend(ratio * first, 0.0, 0)?;
        let expected = match ratio < 1.0 {
            true => ratio * yield_stress * WIDTH * HEIGHT.powi(2) / 6.0,
            false => yield_stress * WIDTH * HEIGHT.powi(2) / 4.0 * (1.0 - ratio.powi(-2) / 3.0),
        };
        let error = moment / expected - 1.0;
        println!(
            "ideal plasticity, κ = {ratio} κ_y: {:7.2} kNm, closed form {:7.2} kNm ({:+.2} %)",
            1e-6 * moment,
            1e-6 * expected,
            100.0 * error
        );
        // The midpoint rule over 40 fibres.
        if error.abs() > 1e-3 {
            return Err(Error::invalid("the section does not bend as it must"));
        }
    }
    Ok(())
}

fn main() -> Result<()> {
    std::fs::create_dir_all(OUT).map_err(|e| Error::io(OUT, e))?;
    check_ideal_plasticity()?;

    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("materials/steel_s355_voce_chaboche");
    let card = Card::open(&folder)?;
    let reference = card
        .reference
        .ok_or_else(|| Error::invalid("the card names no law"))?;
    let reference = reference.build(1)?;
    let learned = Model::load(folder.join("law.safetensors"))?.law;

    // The normal force first, then growing cycles.
    let ramp = (1..=10).map(|i| (0.0, NORMAL_FORCE * i as f64 / 10.0));
    let peaks = [0.0, 0.4, -0.4, 0.7, -0.7, 1.0, -1.0, 1.0, -1.0, 0.0];
    let cycles = peaks.windows(2).flat_map(|pair| {
        let at = |i: usize| pair[0] + (pair[1] - pair[0]) * i as f64 / STEPS as f64;
        (1..=STEPS).map(move |i| (CURVATURE * at(i), NORMAL_FORCE))
    });
    let path: Vec<(f64, f64)> = ramp.chain(cycles).collect();

    let laws: [(&str, &dyn MaterialLaw, Style); 2] = [
        ("learned law", &learned, Style::Solid),
        (
            "the law that it learned from",
            reference.as_ref(),
            Style::Dashed,
        ),
    ];
    let mut curves = Vec::new();
    for (label, law, style) in laws {
        let mut section = Section::new(law);
        let moments = path
            .iter()
            .map(|(curvature, force)| section.bend(*curvature, *force, MAX_CUTS))
            .collect::<Result<Vec<f64>>>()?;
        println!(
            "{label:28} largest moment {:5.1} kNm, shortened by {:.3} %, {:.1} iterations a step",
            1e-6 * moments.iter().fold(0.0, |most: f64, m| most.max(m.abs())),
            -100.0 * section.axis,
            section.iterations as f64 / path.len() as f64
        );
        curves.push(Series {
            label: label.into(),
            x: path.iter().map(|(curvature, _)| 1e6 * curvature).collect(),
            y: moments.iter().map(|m| 1e-6 * m).collect(),
            style,
        });
    }
    let [ours, theirs] = [&curves[0].y, &curves[1].y];
    let squares = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>();
    let difference = squares(&mut ours.iter().zip(theirs).map(|(a, b)| a - b))
        / squares(&mut theirs.iter().copied());
    println!(
        "the moments differ by {:.1} % of their root mean square",
        100.0 * difference.sqrt()
    );
    let (x, y) = (
        Axis::linear("curvature", "1/km"),
        Axis::linear("moment", "kNm"),
    );
    let file = format!("{OUT}/moment.png");
    let title = format!(
        "{FIBRES} fibres of S355, {WIDTH} × {HEIGHT} mm, compressed by {:.1} MN",
        1e-6 * NORMAL_FORCE.abs()
    );
    lines(&curves, &x, &y, &title, &file)?;
    println!("picture: {file}");
    Ok(())
}
