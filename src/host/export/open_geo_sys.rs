//! The job of an MGIS behaviour: a project of OpenGeoSys.

use super::job::{CORNERS, CYCLE, FACES, STEPS, amplitude, face, heading};
use crate::law::MaterialLaw;

/// Project, meshes and README.
pub(super) fn files(name: &str, law: &dyn MaterialLaw) -> Vec<(String, String)> {
    let corners: Vec<usize> = (0..CORNERS.len()).collect();
    let mut files = vec![
        (format!("{name}.prj"), project(name, law)),
        ("cube.vtu".into(), mesh(&corners, Cells::Hexahedron)),
        ("README.md".into(), readme(name, law)),
    ];
    for (axis, value, file) in FACES {
        let nodes: Vec<usize> = face(axis, value).collect();
        files.push((format!("{file}.vtu"), mesh(&nodes, Cells::Vertices)));
    }
    files
}

fn project(name: &str, law: &dyn MaterialLaw) -> String {
    let strain = amplitude(law);
    let end = CYCLE[3][0];
    let column = |i: usize| CYCLE.map(|entry| format!("{:?}", entry[i])).join(" ");
    format!(
        include_str!("open_geo_sys.prj"),
        name = name,
        strain = strain,
        meshes = mesh_list(),
        conditions = boundary_conditions(),
        tolerance = 1e-10 * strain,
        end = end,
        steps = STEPS,
        dt = end / STEPS as f64,
        times = column(0),
        values = column(1),
    )
}

fn mesh_list() -> String {
    let files = FACES.iter().map(|(_, _, file)| file);
    files
        .map(|file| format!("        <mesh>{file}.vtu</mesh>\n"))
        .collect()
}

fn boundary_conditions() -> String {
    let condition = |(axis, value, file): &(usize, u8, &str)| {
        let parameter = if *value == 1 {
            "prescribed_displacement"
        } else {
            "zero"
        };
        format!(
            "                <boundary_condition><mesh>{file}</mesh><type>Dirichlet</type>\
             <component>{axis}</component><parameter>{parameter}</parameter>\
             </boundary_condition>\n"
        )
    };
    FACES.iter().map(condition).collect()
}

fn readme(name: &str, law: &dyn MaterialLaw) -> String {
    heading(name, law)
        + &format!(
            "```sh\npip install ogs==6.5.9\nogs -o . {name}.prj\ngrep -A2 sigma \
             {name}_{STEPS}_*.vtu\n```\n\nIn a project of your own: `<library>lib{name}.so</library>` \
             (relative to the project file) and `<behaviour>Hysteron</behaviour>`, or \
             `HysteronFiniteStrain` in a process of large deformation; the material property \
             `StressUnit` is one MPa in your stress unit (1 for N and mm, 1e6 for SI).\n"
        )
}

/// The cells of a mesh.
#[derive(Clone, Copy, PartialEq)]
enum Cells {
    /// One, of all nodes.
    Hexahedron,
    /// One per node: a boundary of the hexahedron.
    Vertices,
}

/// A mesh of some corners, as VTU in text.
fn mesh(nodes: &[usize], cells: Cells) -> String {
    let list = |values: &[usize]| {
        let values: Vec<_> = values.iter().map(ToString::to_string).collect();
        values.join(" ")
    };
    let points: Vec<_> = nodes
        .iter()
        .map(|&n| CORNERS[n].map(|x| x.to_string()).join(" "))
        .collect();
    let count = nodes.len();
    let (cell_count, width, kind) = match cells {
        Cells::Vertices => (count, 1, "1"),
        Cells::Hexahedron => (1, 8, "12"),
    };
    let array = |kind: &str, name: &str, components: usize, text: &str| {
        format!(
            "<DataArray type=\"{kind}\" Name=\"{name}\" NumberOfComponents=\"{components}\" \
             format=\"ascii\">{text}</DataArray>\n"
        )
    };
    let bulk = match cells {
        Cells::Vertices => array("UInt64", "bulk_node_ids", 1, &list(nodes)),
        Cells::Hexahedron => String::new(),
    };
    let all: Vec<usize> = (0..count).collect();
    let offsets: Vec<usize> = (1..=cell_count).map(|cell| cell * width).collect();
    format!(
        "<?xml version=\"1.0\"?>\n<VTKFile type=\"UnstructuredGrid\" version=\"1.0\" \
         byte_order=\"LittleEndian\" header_type=\"UInt64\">\n<UnstructuredGrid>\n<Piece \
         NumberOfPoints=\"{count}\" NumberOfCells=\"{cell_count}\">\n<PointData>\n{bulk}</PointData>\n\
         <Points>\n{}</Points>\n<Cells>\n{}{}{}</Cells>\n</Piece>\n</UnstructuredGrid>\n</VTKFile>\n",
        array("Float64", "Points", 3, &points.join(" ")),
        array("Int64", "connectivity", 1, &list(&all)),
        array("Int64", "offsets", 1, &list(&offsets)),
        array("UInt8", "types", 1, &vec![kind; cell_count].join(" ")),
    )
}
