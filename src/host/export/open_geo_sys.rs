//! The job of an MGIS behaviour: a project of OpenGeoSys.

use super::Host;
use super::job::{CORNERS, CYCLE, FACES, STEPS, amplitude, face};
use super::subject::Subject;
use crate::host::mgis::{ZERO_CELSIUS, is_temperature, state_name};

/// Project, meshes and README.
pub(super) fn files(subject: &Subject) -> Vec<(String, String)> {
    let corners: Vec<usize> = (0..CORNERS.len()).collect();
    let mut files = vec![
        (format!("{}.prj", subject.name), project(subject)),
        ("cube.vtu".into(), mesh(&corners, Cells::Hexahedron)),
        ("README.md".into(), readme(subject)),
    ];
    for (axis, value, file) in FACES {
        let nodes: Vec<usize> = face(axis, value).collect();
        files.push((format!("{file}.vtu"), mesh(&nodes, Cells::Vertices)));
    }
    files
}

/// The temperature of the model in kelvin, where the law knows one.
fn temperature(subject: &Subject) -> Option<f64> {
    let names = subject.law.external_variables();
    let index = names.iter().position(|name| is_temperature(name))?;
    let celsius = names[index].eq_ignore_ascii_case("temperature_C");
    Some(subject.typical(index) + if celsius { ZERO_CELSIUS } else { 0.0 })
}

fn project(subject: &Subject) -> String {
    let Subject { name, law, .. } = subject;
    let strain = amplitude(law);
    let (reference, parameter) = match temperature(subject) {
        None => (String::new(), String::new()),
        Some(kelvin) => (
            "            <reference_temperature>temperature</reference_temperature>\n".into(),
            format!(
                "        <!-- Kelvin; the mean of the training. -->\n        <parameter><name>temperature</name>\
                 <type>Constant</type><value>{kelvin:?}</value></parameter>\n"
            ),
        ),
    };
    let end = CYCLE[3][0];
    let column = |i: usize| CYCLE.map(|entry| format!("{:?}", entry[i])).join(" ");
    format!(
        include_str!("open_geo_sys.prj"),
        name = name,
        strain = strain,
        reference = reference,
        temperature = parameter,
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

fn readme(subject: &Subject) -> String {
    let Subject { name, law, .. } = subject;
    let inputs = law.external_variables().iter();
    let inputs: Vec<_> = inputs
        .map(|input| match (is_temperature(input), temperature(subject)) {
            (true, Some(kelvin)) => format!(
                "`{input}`: the temperature of the host, which is in kelvin and is converted. OpenGeoSys: \
                 `<reference_temperature>` in the process names a parameter. This project has {kelvin:?} K, the mean \
                 of the training. Where the host gives none the law refuses."
            ),
            _ => format!(
                "`{input}`: an external state variable of that name. OpenGeoSys gives none: this project stops at \
                 its first step."
            ),
        })
        .collect();
    let names: Vec<_> = law.state_layout().labels();
    let names: Vec<_> = names.iter().map(|label| state_name(label)).collect();
    subject.heading()
        + &format!(
            "```sh\npip install ogs==6.5.9\nogs -o . {name}.prj\ngrep -A2 sigma \
             {name}_{STEPS}_*.vtu\n```\n\nIn a project of your own: `<library>lib{name}.so</library>` \
             (relative to the project file) and `<behaviour>Hysteron</behaviour>`, or \
             `HysteronFiniteStrain` in a process of large deformation; the material property \
             `StressUnit` is one MPa in your stress unit (1 for N and mm, 1e6 for SI).\n"
        )
        + &subject.description(Host::Mgis, &inputs, &names)
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
