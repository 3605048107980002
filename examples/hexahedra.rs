//! A finite element program in Rust: hexahedra, Newton's method, and a law learned beforehand that
//! answers all integration points in one call.
//!
//! ```text
//! cargo run --release --example hexahedra [MODEL]
//! ```
//!
//! A bar with a waist is pulled and pushed. Without a saved law one is trained for some seconds on the
//! card of a steel; it is rough, but it is a law: the corrections of Newton's method fall with the
//! square of the ones before.

use faer::prelude::Solve;
use faer::sparse::{SparseColMat, Triplet};
use hysteron::card::Card;
use hysteron::law::{BatchInput, BatchOutput, MaterialLaw, Status};
use hysteron::model::Model;
use hysteron::plot::{self, Axis, Series, Style};
use hysteron::train::{Resume, train};
use hysteron::{Error, Result};
use nalgebra::{Matrix3, SMatrix, Vector3};
use std::fmt::Write;
use std::ops::ControlFlow;
use std::path::Path;

const OUT: &str = "out/hexahedra";
const COUNTS: [usize; 3] = [10, 4, 3];
const SIZES: [f64; 3] = [2.0, 1.0, 0.6];
/// Stretch at the reversals, over the length.
const STRETCH: f64 = 3e-3;
const STEPS: usize = 10;
const MAX_ITERATIONS: usize = 20;
/// Correction over displacement at which the iteration has converged.
const TOLERANCE: f64 = 1e-10;
/// Corners of a hexahedron in the order of VTK, in coordinates −1 and 1.
const CORNERS: [[f64; 3]; 8] = [
    [-1.0, -1.0, -1.0],
    [1.0, -1.0, -1.0],
    [1.0, 1.0, -1.0],
    [-1.0, 1.0, -1.0],
    [-1.0, -1.0, 1.0],
    [1.0, -1.0, 1.0],
    [1.0, 1.0, 1.0],
    [-1.0, 1.0, 1.0],
];

/// Strain of the 24 displacements of a hexahedron at a point, Mandel.
type StrainOperator = SMatrix<f64, 6, 24>;

struct Mesh {
    nodes: Vec<Vector3<f64>>,
    cells: Vec<[usize; 8]>,
    /// Strain operator and volume of each integration point, eight in a cell.
    points: Vec<(StrainOperator, f64)>,
}

impl Mesh {
    /// A bar along x whose cross-section narrows in the middle.
    fn bar() -> Self {
        let [nx, ny, nz] = COUNTS;
        let node = |i: usize, j: usize, k: usize| i + (nx + 1) * (j + (ny + 1) * k);
        let mut nodes = Vec::new();
        for k in 0..=nz {
            for j in 0..=ny {
                for i in 0..=nx {
                    let at = |i: usize, axis: usize| SIZES[axis] * i as f64 / COUNTS[axis] as f64;
                    let x = at(i, 0);
                    let waist = 1.0 - 0.35 * (-(4.0 * (x - 0.5 * SIZES[0])).powi(2)).exp();
                    let y = 0.5 * SIZES[1] + waist * (at(j, 1) - 0.5 * SIZES[1]);
                    nodes.push(Vector3::new(x, y, at(k, 2)));
                }
            }
        }
        let mut cells = Vec::new();
        for k in 0..nz {
            for j in 0..ny {
                for i in 0..nx {
                    cells.push(CORNERS.map(|[a, b, c]| {
                        let up = |i: usize, side: f64| i + usize::from(side > 0.0);
                        node(up(i, a), up(j, b), up(k, c))
                    }));
                }
            }
        }
        let points = cells
            .iter()
            .flat_map(|cell| {
                let corners = cell.map(|n| nodes[n]);
                CORNERS.map(|place| strain_operator(&corners, place.map(|x| x / 3f64.sqrt())))
            })
            .collect();
        Self {
            nodes,
            cells,
            points,
        }
    }

    fn unknowns(&self) -> usize {
        3 * self.nodes.len()
    }

    /// Unknowns of a cell.
    fn places(&self, cell: usize) -> [usize; 24] {
        std::array::from_fn(|i| 3 * self.cells[cell][i / 3] + i % 3)
    }

    /// Strains `[6][points]`.
    fn strain(&self, displacement: &[f64]) -> Vec<f64> {
        let p = self.points.len();
        let mut strain = vec![0.0; 6 * p];
        for (q, (operator, _)) in self.points.iter().enumerate() {
            let places = self.places(q / 8);
            let local = SMatrix::<f64, 24, 1>::from_fn(|i, _| displacement[places[i]]);
            let value = operator * local;
            (0..6).for_each(|c| strain[c * p + q] = value[c]);
        }
        strain
    }
}

/// Strain operator and volume of the trilinear hexahedron at a point of the reference cube.
fn strain_operator(corners: &[Vector3<f64>; 8], at: [f64; 3]) -> (StrainOperator, f64) {
    let slopes = CORNERS.map(|corner| {
        let factor = |i: usize| 0.5 * (1.0 + corner[i] * at[i]);
        let slope = |i: usize| 0.5 * corner[i] * factor((i + 1) % 3) * factor((i + 2) % 3);
        Vector3::new(slope(0), slope(1), slope(2))
    });
    let jacobian: Matrix3<f64> = corners
        .iter()
        .zip(&slopes)
        .map(|(x, slope)| x * slope.transpose())
        .sum();
    // The cells of the bar are not turned inside out.
    let inverse = jacobian.try_inverse().unwrap_or_default();
    let half = 0.5f64.sqrt();
    let mut operator = StrainOperator::zeros();
    for (node, slope) in slopes.iter().enumerate() {
        let g = inverse.transpose() * slope;
        for i in 0..3 {
            operator[(i, 3 * node + i)] = g[i];
        }
        for (row, i, j) in [(3, 0, 1), (4, 0, 2), (5, 1, 2)] {
            operator[(row, 3 * node + i)] = half * g[j];
            operator[(row, 3 * node + j)] = half * g[i];
        }
    }
    (operator, jacobian.determinant())
}

/// What the law answers to all points.
struct Answer {
    state: Vec<f64>,
    stress: Vec<f64>,
    tangent: Vec<f64>,
}

fn ask(law: &dyn MaterialLaw, old: &[f64], new: &[f64], state: &[f64]) -> Result<Answer> {
    let p = old.len() / 6;
    let mut answer = Answer {
        state: state.to_vec(),
        stress: vec![0.0; 6 * p],
        tangent: vec![0.0; 36 * p],
    };
    let input = BatchInput {
        points: p,
        strain_old: old,
        strain_new: new,
        dt: &vec![1.0; p],
        external_old: &[],
        external_new: &[],
        state,
    };
    law.update_batch(
        &input,
        &mut BatchOutput {
            state: &mut answer.state,
            stress: &mut answer.stress,
            tangent: &mut answer.tangent,
            stored_energy: &mut vec![0.0; p],
            dissipation: &mut vec![0.0; p],
            status: &mut vec![Status::Inside; p],
        },
    )?;
    Ok(answer)
}

/// Stiffness as triplets, and internal forces.
fn assemble(mesh: &Mesh, answer: &Answer) -> (Vec<Triplet<usize, usize, f64>>, Vec<f64>) {
    let p = mesh.points.len();
    let mut forces = vec![0.0; mesh.unknowns()];
    let mut triplets = Vec::with_capacity(24 * 24 * mesh.cells.len());
    for cell in 0..mesh.cells.len() {
        let places = mesh.places(cell);
        let mut stiffness = SMatrix::<f64, 24, 24>::zeros();
        for q in 8 * cell..8 * cell + 8 {
            let (operator, volume) = &mesh.points[q];
            let tangent = SMatrix::<f64, 6, 6>::from_fn(|i, j| answer.tangent[(6 * i + j) * p + q]);
            let stress = SMatrix::<f64, 6, 1>::from_fn(|i, _| answer.stress[i * p + q]);
            stiffness += operator.transpose() * tangent * operator * *volume;
            let local = operator.transpose() * stress * *volume;
            (0..24).for_each(|i| forces[places[i]] += local[i]);
        }
        for i in 0..24 {
            triplets.extend((0..24).map(|j| Triplet::new(places[i], places[j], stiffness[(i, j)])));
        }
    }
    (triplets, forces)
}

/// The correction at the free unknowns for a change of the held ones.
fn correction(
    free: &[Option<usize>],
    triplets: &[Triplet<usize, usize, f64>],
    forces: &[f64],
    change: &[f64],
) -> Result<Vec<f64>> {
    let count = free.iter().flatten().count();
    let mut right = faer::Mat::<f64>::zeros(count, 1);
    for (place, number) in free.iter().enumerate() {
        if let Some(row) = number {
            right[(*row, 0)] -= forces[place];
        }
    }
    let mut inner = Vec::with_capacity(triplets.len());
    for t in triplets {
        match (free[t.row], free[t.col]) {
            (Some(row), Some(col)) => inner.push(Triplet::new(row, col, t.val)),
            (Some(row), None) => right[(row, 0)] -= t.val * change[t.col],
            _ => {}
        }
    }
    let failed = |what: String| Error::invalid(format!("the linear system: {what}"));
    let matrix = SparseColMat::try_new_from_triplets(count, count, &inner)
        .map_err(|e| failed(format!("{e:?}")))?;
    let factors = matrix.sp_lu().map_err(|e| failed(format!("{e:?}")))?;
    let solution = factors.solve(&right);
    let mut all = change.to_vec();
    for (place, number) in free.iter().enumerate() {
        if let Some(row) = number {
            all[place] = solution[(*row, 0)];
        }
    }
    Ok(all)
}

fn main() -> Result<()> {
    std::fs::create_dir_all(OUT).map_err(|e| Error::io(OUT, e))?;
    let law = law()?;
    let law: &dyn MaterialLaw = law.as_ref();
    let mesh = Mesh::bar();
    let p = mesh.points.len();
    println!("{} hexahedra, {p} integration points", mesh.cells.len());

    // Held: x at both ends, and what keeps the bar in place.
    let at_end = |n: &Vector3<f64>| n.x == 0.0 || n.x == SIZES[0];
    let held = |place: &usize| {
        let node = &mesh.nodes[place / 3];
        match place % 3 {
            0 => at_end(node),
            1 => node.x == 0.0 && node.y == 0.0,
            _ => node.x == 0.0 && node.z == 0.0,
        }
    };
    let mut next = 0..;
    let free: Vec<Option<usize>> = (0..mesh.unknowns())
        .map(|place| if held(&place) { None } else { next.next() })
        .collect();

    let mut displacement = vec![0.0; mesh.unknowns()];
    let mut strain_old = vec![0.0; 6 * p];
    let mut state: Vec<f64> = law.new_state().iter().flat_map(|z| vec![*z; p]).collect();
    let (mut path, mut pull) = (vec![0.0], vec![0.0]);
    for (step, target) in [1.0, -1.0, 1.0]
        .into_iter()
        .scan(0.0, |from, to| {
            let steps = if *from == 0.0 { STEPS } else { 2 * STEPS };
            let start = std::mem::replace(from, to);
            let at = move |i| start + (to - start) * i as f64 / steps as f64;
            Some((1..=steps).map(at))
        })
        .flatten()
        .enumerate()
    {
        let moved = target * STRETCH * SIZES[0];
        let mut change: Vec<f64> = (0..mesh.unknowns())
            .map(
                |place| match mesh.nodes[place / 3].x == SIZES[0] && place % 3 == 0 {
                    true => moved - displacement[place],
                    false => 0.0,
                },
            )
            .collect();
        let mut corrections = Vec::new();
        let mut answer = ask(law, &strain_old, &mesh.strain(&displacement), &state)?;
        loop {
            let (triplets, forces) = assemble(&mesh, &answer);
            let du = correction(&free, &triplets, &forces, &change)?;
            change.fill(0.0);
            displacement
                .iter_mut()
                .zip(&du)
                .for_each(|(u, du)| *u += du);
            answer = ask(law, &strain_old, &mesh.strain(&displacement), &state)?;
            let norm = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
            corrections.push(norm(&du) / norm(&displacement).max(f64::MIN_POSITIVE));
            if corrections.len() > 1 && corrections[corrections.len() - 1] < TOLERANCE {
                break;
            }
            if corrections.len() == MAX_ITERATIONS {
                return Err(Error::invalid(format!("step {}: no convergence", step + 1)));
            }
        }
        let shown: Vec<_> = corrections.iter().map(|c| format!("{c:.0e}")).collect();
        println!(
            "step {:2}  stretch {:+.4}  {}",
            step + 1,
            target * STRETCH,
            shown.join("  ")
        );
        let (_, forces) = assemble(&mesh, &answer);
        let ends = (0..mesh.unknowns()).filter(|place| place % 3 == 0);
        let right = ends.filter(|place| mesh.nodes[place / 3].x == SIZES[0]);
        pull.push(right.map(|place| forces[place]).sum());
        path.push(target * STRETCH);
        strain_old = mesh.strain(&displacement);
        state = answer.state;
        if step + 1 == 5 * STEPS {
            write_vtu(&mesh, &displacement, &answer.stress)?;
        }
    }

    let series = Series {
        label: law.name().into(),
        x: path.iter().map(|e| 100.0 * e).collect(),
        y: pull,
        style: Style::Marked,
    };
    let (x, y) = (Axis::linear("Stretch", "%"), Axis::linear("Force", "N"));
    let file = format!("{OUT}/force.png");
    plot::lines(&[series], &x, &y, "A bar with a waist", &file)?;
    println!("wrote {OUT}/bar.vtu, {file}");
    Ok(())
}

/// The law of the argument, or one trained for some seconds.
fn law() -> Result<Box<dyn MaterialLaw>> {
    if let Some(path) = std::env::args().nth(1) {
        return Ok(Box::new(Model::load(path)?.law));
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("materials/steel_s355_solid");
    let mut card = Card::open(folder)?;
    card.train.epochs = 40;
    let records = card.all_records()?;
    let (training, validation) = card.split.apply(&records)?;
    let architecture = card.learn.architecture(card.components, 0);
    println!("training a law for some seconds …");
    let trained = train(
        &card.name,
        &architecture,
        &training,
        &validation,
        &card.train,
        &Resume::default(),
        &mut |_| ControlFlow::Continue(()),
    )?;
    Ok(Box::new(trained.law))
}

/// Displacements at the nodes, the equivalent stress in the cells.
fn write_vtu(mesh: &Mesh, displacement: &[f64], stress: &[f64]) -> Result<()> {
    let p = mesh.points.len();
    let equivalent = |q: usize| {
        let s = hysteron::mandel::Mandel::from_fn(|i, _| stress[i * p + q]);
        1.5f64.sqrt() * hysteron::mandel::deviator(&s).norm()
    };
    let list = |values: &mut dyn Iterator<Item = String>| values.collect::<Vec<_>>().join(" ");
    let array = |kind: &str, name: &str, components: usize, values: String| {
        format!(
            "<DataArray type=\"{kind}\" Name=\"{name}\" NumberOfComponents=\"{components}\" \
             format=\"ascii\">{values}</DataArray>\n"
        )
    };
    let cells = mesh.cells.len();
    let mut text = format!(
        "<?xml version=\"1.0\"?>\n<VTKFile type=\"UnstructuredGrid\" version=\"1.0\" \
         byte_order=\"LittleEndian\">\n<UnstructuredGrid>\n<Piece NumberOfPoints=\"{}\" \
         NumberOfCells=\"{cells}\">\n",
        mesh.nodes.len()
    );
    let nodes = list(
        &mut mesh
            .nodes
            .iter()
            .flat_map(|n| [n.x, n.y, n.z])
            .map(|x| x.to_string()),
    );
    let moved = list(&mut displacement.iter().map(|u| u.to_string()));
    let means = (0..cells).map(|c| (8 * c..8 * c + 8).map(equivalent).sum::<f64>() / 8.0);
    let means = list(&mut means.map(|s| s.to_string()));
    let corners = list(&mut mesh.cells.iter().flatten().map(|n| n.to_string()));
    let ends = list(&mut (1..=cells).map(|c| (8 * c).to_string()));
    let kinds = list(&mut (0..cells).map(|_| "12".to_string()));
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "<PointData>\n{}</PointData>\n<CellData>\n{}</CellData>\n<Points>\n{}</Points>\n<Cells>\n\
         {}{}{}</Cells>\n</Piece>\n</UnstructuredGrid>\n</VTKFile>\n",
        array("Float64", "displacement", 3, moved),
        array("Float64", "equivalent_stress", 1, means),
        array("Float64", "Points", 3, nodes),
        array("Int64", "connectivity", 1, corners),
        array("Int64", "offsets", 1, ends),
        array("UInt8", "types", 1, kinds),
    );
    let file = format!("{OUT}/bar.vtu");
    std::fs::write(&file, text).map_err(|e| Error::io(&file, e))
}
