//! Hexahedra with their strain operators, and how they are written for ParaView.

use hysteron::{Error, Result};
use nalgebra::{Matrix3, SMatrix, Vector3};
use std::fmt::Write;

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
pub type StrainOperator = SMatrix<f64, 6, 24>;

pub struct Mesh {
    pub nodes: Vec<[f64; 3]>,
    pub cells: Vec<[usize; 8]>,
    /// Strain operator and volume of each integration point, eight in a cell.
    pub points: Vec<(StrainOperator, f64)>,
}

impl Mesh {
    /// A block of `counts` cells; `place` moves its nodes.
    pub fn block(counts: [usize; 3], place: impl Fn([f64; 3]) -> [f64; 3]) -> Self {
        let number = |at: [usize; 3]| at[0] + (counts[0] + 1) * (at[1] + (counts[1] + 1) * at[2]);
        let grid = |counts: [usize; 3]| {
            let [nx, ny, nz] = counts;
            (0..nx * ny * nz).map(move |i| [i % nx, i / nx % ny, i / (nx * ny)])
        };
        let nodes: Vec<[f64; 3]> = grid(counts.map(|n| n + 1))
            .map(|at| place(std::array::from_fn(|k| at[k] as f64 / counts[k] as f64)))
            .collect();
        let cells: Vec<[usize; 8]> = grid(counts)
            .map(|at| {
                let up = |k: usize, side: f64| at[k] + usize::from(side > 0.0);
                CORNERS.map(|corner| number(std::array::from_fn(|k| up(k, corner[k]))))
            })
            .collect();
        let points = cells.iter().flat_map(|cell| {
            let corners = cell.map(|n| Vector3::from(nodes[n]));
            CORNERS.map(|place| strain_operator(&corners, place.map(|x| x / 3f64.sqrt())))
        });
        Self {
            points: points.collect(),
            nodes,
            cells,
        }
    }

    /// Unknowns of a cell.
    pub fn unknowns(&self, cell: usize) -> [usize; 24] {
        std::array::from_fn(|i| 3 * self.cells[cell][i / 3] + i % 3)
    }
}

/// Strain operator and volume of the trilinear hexahedron at a point of the reference cube.
fn strain_operator(corners: &[Vector3<f64>; 8], at: [f64; 3]) -> (StrainOperator, f64) {
    let slopes = CORNERS.map(|corner| {
        let factor = |i: usize| 0.5 * (1.0 + corner[i] * at[i]);
        let slope = |i: usize| 0.5 * corner[i] * factor((i + 1) % 3) * factor((i + 2) % 3);
        Vector3::new(slope(0), slope(1), slope(2))
    });
    let pairs = corners.iter().zip(&slopes);
    let jacobian: Matrix3<f64> = pairs.map(|(x, slope)| x * slope.transpose()).sum();
    // No cell here is turned inside out.
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

/// Writes displacements and equivalent stress at the nodes for ParaView.
pub fn write_vtu(mesh: &Mesh, displacement: &[f64], stress: &[f64], file: &str) -> Result<()> {
    fn list(values: impl IntoIterator<Item = impl ToString>) -> String {
        let texts: Vec<_> = values.into_iter().map(|v| v.to_string()).collect();
        texts.join(" ")
    }
    let array = |kind: &str, name: &str, components: usize, values: String| {
        format!(
            "<DataArray type=\"{kind}\" Name=\"{name}\" NumberOfComponents=\"{components}\" \
             format=\"ascii\">{values}</DataArray>\n"
        )
    };
    let Mesh { nodes, cells, .. } = mesh;
    let mut text = String::from("<?xml version=\"1.0\"?>\n<VTKFile type=\"UnstructuredGrid\">\n");
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "<UnstructuredGrid>\n<Piece NumberOfPoints=\"{}\" NumberOfCells=\"{}\">\n\
         <PointData>\n{}{}</PointData>\n<Points>\n{}</Points>\n<Cells>\n{}{}{}</Cells>\n\
         </Piece>\n</UnstructuredGrid>\n</VTKFile>\n",
        nodes.len(),
        cells.len(),
        array("Float64", "displacement", 3, list(displacement)),
        array("Float64", "equivalent_stress", 1, list(stress)),
        array("Float64", "Points", 3, list(nodes.as_flattened())),
        array("Int64", "connectivity", 1, list(cells.as_flattened())),
        array(
            "Int64",
            "offsets",
            1,
            list((1..=cells.len()).map(|c| 8 * c))
        ),
        array("UInt8", "types", 1, list(cells.iter().map(|_| 12))),
    );
    std::fs::write(file, text).map_err(|e| Error::io(file, e))
}
