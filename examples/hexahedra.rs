//! A finite element program in Rust: hexahedra, Newton's method, and a learned law that answers all
//! integration points in one call.
//!
//! ```text
//! cargo run --release --example hexahedra [MODEL]
//! ```
//!
//! A bar with a waist is clamped at both ends, pulled and pushed. With the consistent tangent the
//! corrections of Newton's method fall with the square of the ones before; a step that does not
//! converge, or that the law refuses, is halved. First a patch test: a distorted block whose outside
//! follows a linear field must do so inside, too, and its stress must be that of one point.

#[path = "hexahedra/mesh.rs"]
mod mesh;

use faer::prelude::Solve;
use faer::sparse::{SparseColMat, Triplet};
use hysteron::card::Card;
use hysteron::law::{Batch, MaterialLaw, Status};
use hysteron::mandel::{self, Mandel};
use hysteron::model::Model;
use hysteron::plot::{self, Axis, Series, Style};
use hysteron::{Error, Result};
use mesh::{Mesh, write_vtu};
use nalgebra::{Matrix3, Matrix6, SMatrix, SVector, Vector3};
use std::path::Path;

const OUT: &str = "out/hexahedra";
/// Hexahedra and length of the bar along each axis, mm.
const COUNTS: [usize; 3] = [14, 5, 4];
const SIZES: [f64; 3] = [20.0, 10.0, 7.0];
/// Stretch at the reversals, over the length.
const STRETCH: f64 = 3e-3;
/// Steps from rest to the first reversal.
const STEPS: usize = 6;
const MAX_ITERATIONS: usize = 12;
/// How often a step may be halved.
const MAX_CUTS: usize = 5;
/// Correction over displacement at which the iteration has converged.
const TOLERANCE: f64 = 1e-10;
/// How much larger displacements are drawn.
const MAGNIFICATION: f64 = 40.0;

/// A mesh of a material and its state.
struct Body<'a> {
    mesh: &'a Mesh,
    law: &'a dyn MaterialLaw,
    points: Batch,
    displacement: Vec<f64>,
}

impl<'a> Body<'a> {
    fn new(mesh: &'a Mesh, law: &'a dyn MaterialLaw) -> Self {
        let mut points = Batch::new(law, mesh.points.len());
        points.dt.fill(1.0);
        Self {
            mesh,
            law,
            points,
            displacement: vec![0.0; 3 * mesh.nodes.len()],
        }
    }

    fn stress(&self, point: usize) -> Mandel {
        Mandel::from_fn(|i, _| self.points.stress[i * self.points.points + point])
    }

    /// Asks the law at all points.
    fn ask(&mut self, displacement: &[f64]) -> Result<()> {
        let count = self.points.points;
        for (q, (operator, _)) in self.mesh.points.iter().enumerate() {
            let unknowns = self.mesh.unknowns(q / 8);
            let strain = operator * SVector::<f64, 24>::from_fn(|i, _| displacement[unknowns[i]]);
            (0..6).for_each(|c| self.points.strain_new[c * count + q] = strain[c]);
        }
        Ok(self.points.update(self.law)?)
    }

    fn internal_forces(&self) -> Vec<f64> {
        let mut forces = vec![0.0; self.displacement.len()];
        for (q, (operator, volume)) in self.mesh.points.iter().enumerate() {
            let local = operator.transpose() * self.stress(q) * *volume;
            let unknowns = self.mesh.unknowns(q / 8);
            (0..24).for_each(|i| forces[unknowns[i]] += local[i]);
        }
        forces
    }

    fn stiffness(&self) -> Vec<Triplet<usize, usize, f64>> {
        let count = self.points.points;
        let mut triplets = Vec::with_capacity(24 * 24 * self.mesh.cells.len());
        for cell in 0..self.mesh.cells.len() {
            let mut stiffness = SMatrix::<f64, 24, 24>::zeros();
            for q in 8 * cell..8 * cell + 8 {
                let (operator, volume) = &self.mesh.points[q];
                let entry = |i, j| self.points.tangent[(6 * i + j) * count + q];
                let tangent: Matrix6<f64> = Matrix6::from_fn(entry);
                stiffness += operator.transpose() * (tangent * operator) * *volume;
            }
            let places = self.mesh.unknowns(cell);
            for (i, row) in places.into_iter().enumerate() {
                let entries = places.into_iter().enumerate();
                triplets.extend(entries.map(|(j, col)| Triplet::new(row, col, stiffness[(i, j)])));
            }
        }
        triplets
    }

    /// The correction of all unknowns where the held ones change by so much, the others by `None`.
    fn correction(&self, change: &[Option<f64>]) -> Result<Vec<f64>> {
        let mut next = 0..;
        let number = |held: &Option<f64>| held.is_none().then(|| next.next()).flatten();
        let free: Vec<Option<usize>> = change.iter().map(number).collect();
        let count = free.iter().flatten().count();
        let mut right = faer::Mat::<f64>::zeros(count, 1);
        for (row, force) in free.iter().zip(self.internal_forces()) {
            if let Some(row) = row {
                right[(*row, 0)] -= force;
            }
        }
        let mut inner = Vec::new();
        for t in self.stiffness() {
            match (free[t.row], free[t.col], change[t.col]) {
                (Some(row), Some(col), _) => inner.push(Triplet::new(row, col, t.val)),
                (Some(row), None, Some(held)) => right[(row, 0)] -= t.val * held,
                _ => {}
            }
        }
        let failed = |e: &dyn std::fmt::Debug| Error::invalid(format!("linear system: {e:?}"));
        let matrix = SparseColMat::try_new_from_triplets(count, count, &inner);
        let factors = matrix.map_err(|e| failed(&e))?.sp_lu();
        let solution = factors.map_err(|e| failed(&e))?.solve(&right);
        let value = |(held, row): (&Option<f64>, &Option<usize>)| {
            held.or(row.map(|row| solution[(row, 0)])).unwrap_or(0.0)
        };
        Ok(change.iter().zip(&free).map(value).collect())
    }

    /// Equilibrium with the held displacements; the corrections of Newton's method over the
    /// displacement. After a failure the body is as it was.
    fn balance(&mut self, held: &[Option<f64>]) -> Result<Vec<f64>> {
        let norm = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
        let mut displacement = self.displacement.clone();
        let mut corrections = Vec::new();
        self.ask(&displacement)?;
        while corrections.len() < MAX_ITERATIONS {
            let pairs = held.iter().zip(&displacement);
            let change: Vec<_> = pairs.map(|(held, u)| held.map(|held| held - u)).collect();
            let du = self.correction(&change)?;
            displacement
                .iter_mut()
                .zip(&du)
                .for_each(|(u, du)| *u += du);
            self.ask(&displacement)?;
            corrections.push(norm(&du) / norm(&displacement));
            if corrections.last() < Some(&TOLERANCE) {
                self.points.accept();
                self.displacement = displacement;
                return Ok(corrections);
            }
        }
        Err(Error::invalid("Newton's method does not converge"))
    }
}

/// A distorted block whose outside follows `u = G x` in one step.
fn patch_test(law: &dyn MaterialLaw) -> Result<()> {
    let bent = |[x, y, z]: [f64; 3]| {
        let inside = |x: f64| x * (1.0 - x);
        let shift = 4.0 * inside(x) * inside(y) * inside(z);
        [x + 0.7 * shift, y - shift, z + 0.4 * shift]
    };
    let mesh = Mesh::block([3, 3, 3], bent);
    let gradient: Matrix3<f64> =
        Matrix3::new(3.0, 1.0, -0.5, 0.2, -1.0, 0.8, 0.4, 0.6, -1.2) * 1e-3;
    let field = |node: &[f64; 3]| -> Vector3<f64> { gradient * Vector3::from(*node) };
    let expected: Vec<f64> = mesh
        .nodes
        .iter()
        .flat_map(|n| [0, 1, 2].map(|k| field(n)[k]))
        .collect();
    let outside = |node: &[f64; 3]| node.iter().any(|x| *x == 0.0 || *x == 1.0);
    let held: Vec<Option<f64>> = expected
        .iter()
        .enumerate()
        .map(|(i, u)| outside(&mesh.nodes[i / 3]).then_some(*u))
        .collect();
    let mut body = Body::new(&mesh, law);
    body.balance(&held)?;

    let strain = mandel::from_tensor(&((gradient + gradient.transpose()) * 0.5));
    let mut point = Batch::new(law, 1);
    point.dt.fill(1.0);
    point.strain_new.copy_from_slice(strain.as_slice());
    point.update(law)?;
    let one = Mandel::from_column_slice(&point.stress);
    let largest =
        |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, |m: f64, v| m.max(v.abs()));
    let pairs = body.displacement.iter().zip(&expected);
    let moved = largest(&mut pairs.map(|(u, v)| u - v)) / largest(&mut expected.iter().copied());
    let points = 0..mesh.points.len();
    let stressed = largest(&mut points.map(|q| (body.stress(q) - one).norm())) / one.norm();
    println!("patch test: displacements within {moved:.0e}, stresses within {stressed:.0e}");
    match moved < 1e-9 && stressed < 1e-9 {
        true => Ok(()),
        false => Err(Error::invalid("the patch test fails")),
    }
}

/// A bar along x whose cross-section narrows in the middle.
fn bar() -> Mesh {
    Mesh::block(COUNTS, |at| {
        let waist = 1.0 - 0.35 * (-(8.0 * (at[0] - 0.5)).powi(2)).exp();
        let across = |k: usize| SIZES[k] * waist * (at[k] - 0.5);
        [SIZES[0] * at[0], across(1), across(2)]
    })
}

/// The force over the stretch of the bar, pulled, pushed and pulled again; `quiet` prints nothing.
fn cycle(body: &mut Body, quiet: bool) -> Result<(Vec<f64>, Vec<f64>)> {
    let nodes = &body.mesh.nodes;
    let held = |stretch: f64| -> Vec<Option<f64>> {
        let place = |i: usize| match (nodes[i / 3][0], i % 3) {
            (0.0, _) => Some(0.0),
            (x, 0) if x == SIZES[0] => Some(stretch * SIZES[0]),
            (x, _) if x == SIZES[0] => Some(0.0),
            _ => None,
        };
        (0..3 * nodes.len()).map(place).collect()
    };
    let (mut path, mut pull) = (vec![0.0], vec![0.0]);
    let peaks = [0.0, 1.0, -1.0, 1.0];
    for (from, to) in peaks.iter().zip(&peaks[1..]) {
        let steps = STEPS * (to - from as &f64).abs() as usize;
        // What is still to be reached, the next last.
        let at = |i: usize| STRETCH * (from + (to - from) * i as f64 / steps as f64);
        let mut targets: Vec<(f64, usize)> = (1..=steps).rev().map(|i| (at(i), MAX_CUTS)).collect();
        while let Some(&(stretch, cuts)) = targets.last() {
            let reached = path[path.len() - 1];
            match body.balance(&held(stretch)) {
                Ok(corrections) => {
                    targets.pop();
                    let shown: Vec<_> = corrections.iter().map(|c| format!("{c:.0e}")).collect();
                    if !quiet {
                        println!("stretch {:+.4} %  {}", 100.0 * stretch, shown.join("  "));
                    }
                    let forces = body.internal_forces();
                    let right = (0..nodes.len()).filter(|n| nodes[*n][0] == SIZES[0]);
                    pull.push(right.map(|n| forces[3 * n]).sum());
                    path.push(stretch);
                }
                Err(_) if cuts > 0 => {
                    let last = targets.len() - 1;
                    targets[last].1 -= 1;
                    targets.push((0.5 * (reached + stretch), cuts - 1));
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok((path, pull))
}

fn main() -> Result<()> {
    std::fs::create_dir_all(OUT).map_err(|e| Error::io(OUT, e))?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("materials/steel_s355_solid");
    let card = Card::open(&folder)?;
    let reference = card
        .reference
        .ok_or_else(|| Error::invalid("the card names no law"))?
        .build(6)?;
    let model = std::env::args_os().nth(1);
    let learned = Model::load(model.map_or(folder.join("law.safetensors"), Into::into))?.law;
    patch_test(reference.as_ref())?;
    patch_test(&learned)?;

    let mesh = bar();
    let (cells, count) = (mesh.cells.len(), mesh.points.len());
    println!("{cells} hexahedra, {count} integration points; corrections of Newton's method:");
    let mut body = Body::new(&mesh, &learned);
    let mut series = Vec::new();
    for (label, style, body) in [
        ("learned law", Style::Solid, &mut body),
        (
            "the law that it learned from",
            Style::Dashed,
            &mut Body::new(&mesh, reference.as_ref()),
        ),
    ] {
        let (path, pull) = cycle(body, !series.is_empty())?;
        series.push(Series {
            label: label.into(),
            x: path.iter().map(|e| 100.0 * e).collect(),
            y: pull.iter().map(|force| 1e-3 * force).collect(),
            style,
        });
    }
    let outside = body
        .points
        .status
        .iter()
        .filter(|s| **s == Status::Outside)
        .count();
    println!("{outside} of {count} points are outside the range that the law was trained in");

    let (x, y) = (Axis::linear("stretch", "%"), Axis::linear("force", "kN"));
    plot::lines(
        &series,
        &x,
        &y,
        "A bar of S355 with a waist",
        format!("{OUT}/force.png"),
    )?;
    let stress = equivalent_stress(&body);
    let moved: Vec<[f64; 3]> = mesh
        .nodes
        .iter()
        .enumerate()
        .map(|(n, x)| std::array::from_fn(|k| x[k] + MAGNIFICATION * body.displacement[3 * n + k]))
        .collect();
    let axis = Axis::linear("equivalent stress", "MPa");
    let title = format!("Pulled, pushed, pulled again: displacements times {MAGNIFICATION}");
    plot::solid(
        &moved,
        &mesh.cells,
        &stress,
        &axis,
        &title,
        format!("{OUT}/stress.png"),
    )?;
    let file = format!("{OUT}/bar.vtu");
    write_vtu(&mesh, &body.displacement, &stress, &file)?;
    println!("pictures: {OUT}/force.png, {OUT}/stress.png; for ParaView: {file}");
    Ok(())
}

/// Von Mises' stress at the nodes: the mean over the cells around of the means of their points.
fn equivalent_stress(body: &Body) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0); body.mesh.nodes.len()];
    for (cell, nodes) in body.mesh.cells.iter().enumerate() {
        let equivalent = |q| 1.5f64.sqrt() * mandel::deviator(&body.stress(q)).norm();
        let mean = (8 * cell..8 * cell + 8).map(equivalent).sum::<f64>() / 8.0;
        for node in nodes {
            sums[*node].0 += mean;
            sums[*node].1 += 1.0;
        }
    }
    sums.into_iter().map(|(sum, count)| sum / count).collect()
}
