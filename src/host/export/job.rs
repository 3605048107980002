//! The jobs of exported folders: one element of unit size, stretched through a cycle.

use super::Host;
use crate::law::{Increment, MaterialLaw, Response, Status};

/// Steps of the cycle: up, down beyond zero, back.
const STEPS: usize = 40;

/// Corners of the unit cube in the order of a hexahedron.
const CORNERS: [[u8; 3]; 8] = [
    [0, 0, 0],
    [1, 0, 0],
    [1, 1, 0],
    [0, 1, 0],
    [0, 0, 1],
    [1, 0, 1],
    [1, 1, 1],
    [0, 1, 1],
];

/// The largest strain of the cycle: a typical one of the law, or less where that is outside the
/// range of its training.
fn amplitude(law: &dyn MaterialLaw) -> f64 {
    let (state, mut next) = (law.new_state(), law.new_state());
    let external = vec![0.0; law.external_variables().len()];
    let mut inside = |strain: f64| {
        let mut response = Response::default();
        let increment = Increment {
            strain_old: &[0.0; 6],
            strain_new: &[strain, -0.5 * strain, -0.5 * strain, 0.0, 0.0, 0.0],
            dt: 1.0,
            external_old: &external,
            external_new: &external,
        };
        law.update(&increment, &state, &mut next, &mut response)
            .is_ok()
            && response.status == Status::Inside
    };
    let mut strain = law.scales().strain;
    for _ in 0..8 {
        if inside(strain) && inside(-strain) {
            break;
        }
        strain *= 0.5;
    }
    strain
}

/// Files of a job by name, the README among them.
pub(super) fn files(host: Host, name: &str, law: &dyn MaterialLaw) -> Vec<(String, String)> {
    match host {
        Host::Umat => vec![
            (format!("{name}.inp"), calculix(name, law)),
            ("README.md".into(), calculix_readme(name, law)),
        ],
        Host::Mgis => {
            let mut files = vec![
                (format!("{name}.prj"), open_geo_sys(name, law)),
                ("cube.vtu".into(), mesh(&[0, 1, 2, 3, 4, 5, 6, 7], None)),
                ("README.md".into(), open_geo_sys_readme(name, law)),
            ];
            for (axis, value, file) in FACES {
                let nodes: Vec<usize> = face(axis, value).collect();
                files.push((format!("{file}.vtu"), mesh(&nodes, Some(()))));
            }
            files
        }
    }
}

/// Faces that are held or moved: axis, coordinate, name.
const FACES: [(usize, u8, &str); 4] = [
    (0, 0, "left"),
    (1, 0, "front"),
    (2, 0, "bottom"),
    (0, 1, "right"),
];

/// The corners of a face, from 0.
fn face(axis: usize, value: u8) -> impl Iterator<Item = usize> {
    (0..8).filter(move |&corner| CORNERS[corner][axis] == value)
}

/// Time and stretch, over the largest, of the corners of the cycle.
const CYCLE: [[f64; 2]; 4] = [[0.0, 0.0], [1.0, 1.0], [3.0, -1.0], [4.0, 0.0]];

fn calculix(name: &str, law: &dyn MaterialLaw) -> String {
    let states = law.state_layout().len();
    let mut text = format!(
        "** One element with the law {name}, stretched to {stretch:.6e} and back.\n*NODE,NSET=ALL\n",
        stretch = amplitude(law)
    );
    for (i, [x, y, z]) in CORNERS.iter().enumerate() {
        text += &format!("{},{x}.,{y}.,{z}.\n", i + 1);
    }
    text += "*ELEMENT,TYPE=C3D8,ELSET=BODY\n1,1,2,3,4,5,6,7,8\n";
    for (axis, value, face_name) in FACES {
        let nodes: Vec<_> = face(axis, value).map(|n| (n + 1).to_string()).collect();
        text += &format!(
            "*NSET,NSET={}\n{}\n",
            face_name.to_uppercase(),
            nodes.join(",")
        );
    }
    text += &format!(
        "*MATERIAL,NAME=@ABAQUS_{name}\n** One MPa in the stress unit of this model.\n\
         *USER MATERIAL,CONSTANTS=1\n1.\n"
    );
    if states > 0 {
        text += &format!("*DEPVAR\n{states}\n");
    }
    text += &format!("*SOLID SECTION,ELSET=BODY,MATERIAL=@ABAQUS_{name}\n");
    let cycle: Vec<_> = CYCLE.iter().map(|[t, u]| format!("{t:?},{u:?}")).collect();
    text += &format!("*AMPLITUDE,NAME=CYCLE\n{}\n", cycle.join(","));
    let (end, stretch) = (CYCLE[3][0], amplitude(law));
    text += &format!(
        "*BOUNDARY\nLEFT,1,1\nFRONT,2,2\nBOTTOM,3,3\n*STEP,INC=1000\n*STATIC\n{dt:?},{end:?},1e-5,\
         {dt:?}\n*BOUNDARY,AMPLITUDE=CYCLE\nRIGHT,1,1,{stretch:.6e}\n*EL PRINT,ELSET=BODY\nE\n\
         *EL PRINT,ELSET=BODY\nS\n*END STEP\n",
        dt = end / STEPS as f64
    );
    text
}

fn heading(name: &str, law: &dyn MaterialLaw) -> String {
    format!(
        "# {name}\n\nThe law `{}` with {} internal variables. The library reads the law that lies \
         beside it under the same name: keep the two together.\n\n",
        law.name(),
        law.state_layout().len()
    )
}

fn calculix_readme(name: &str, law: &dyn MaterialLaw) -> String {
    let states = law.state_layout().len();
    heading(name, law)
        + &format!(
            "```sh\nexport LD_LIBRARY_PATH=$PWD\nccx -i {name}\ncat {name}.dat\n```\n\n`ccx` must \
             be built with external behaviours; hysteron's `tests/hosts/calculix` does so on \
             Debian.\n\nIn a deck of your own: `*MATERIAL,NAME=@ABAQUS_{name}`, `*USER \
             MATERIAL,CONSTANTS=1` with one MPa in your stress unit (1 for N and mm, 1e6 for SI), \
             `*DEPVAR` with {states}. Where the geometry is nonlinear: in CalculiX \
             `*MATERIAL,NAME=@ABAQUSNL_{name}` with `CONSTANTS=2`, the second 1; in Abaqus {} \
             variables, the last nine of which hold the rotation of the material.\n",
            states + 9
        )
}

fn open_geo_sys_readme(name: &str, law: &dyn MaterialLaw) -> String {
    heading(name, law)
        + &format!(
            "```sh\npip install ogs==6.5.9\nogs -o . {name}.prj\ngrep -A2 sigma \
             {name}_{STEPS}_*.vtu\n```\n\nIn a project of your own: `<library>lib{name}.so</library>` \
             (relative to the project file) and `<behaviour>Hysteron</behaviour>`, or \
             `HysteronFiniteStrain` in a process of large deformation; the material property \
             `StressUnit` is one MPa in your stress unit (1 for N and mm, 1e6 for SI).\n"
        )
}

/// A mesh in text: the hexahedron, or some of its nodes as points for a support.
fn mesh(nodes: &[usize], support: Option<()>) -> String {
    let list = |values: &[usize]| {
        let values: Vec<_> = values.iter().map(ToString::to_string).collect();
        values.join(" ")
    };
    let points: Vec<_> = nodes
        .iter()
        .map(|&n| CORNERS[n].map(|x| x.to_string()).join(" "))
        .collect();
    let count = nodes.len();
    let (cells, width, kind) = match support {
        Some(()) => (count, 1, "1"),
        None => (1, 8, "12"),
    };
    let array = |kind: &str, name: &str, components: usize, text: &str| {
        format!(
            "<DataArray type=\"{kind}\" Name=\"{name}\" NumberOfComponents=\"{components}\" \
             format=\"ascii\">{text}</DataArray>\n"
        )
    };
    let bulk = match support {
        Some(()) => array("UInt64", "bulk_node_ids", 1, &list(nodes)),
        None => String::new(),
    };
    let all: Vec<usize> = (0..count).collect();
    let offsets: Vec<usize> = (1..=cells).map(|cell| cell * width).collect();
    format!(
        "<?xml version=\"1.0\"?>\n<VTKFile type=\"UnstructuredGrid\" version=\"1.0\" \
         byte_order=\"LittleEndian\" header_type=\"UInt64\">\n<UnstructuredGrid>\n<Piece \
         NumberOfPoints=\"{count}\" NumberOfCells=\"{cells}\">\n<PointData>\n{bulk}</PointData>\n\
         <Points>\n{}</Points>\n<Cells>\n{}{}{}</Cells>\n</Piece>\n</UnstructuredGrid>\n</VTKFile>\n",
        array("Float64", "Points", 3, &points.join(" ")),
        array("Int64", "connectivity", 1, &list(&all)),
        array("Int64", "offsets", 1, &list(&offsets)),
        array("UInt8", "types", 1, &vec![kind; cells].join(" ")),
    )
}

fn open_geo_sys(name: &str, law: &dyn MaterialLaw) -> String {
    let stretch = amplitude(law);
    let (end, dt) = (CYCLE[3][0], CYCLE[3][0] / STEPS as f64);
    let column = |i: usize| CYCLE.map(|entry| format!("{:?}", entry[i])).join(" ");
    let (times, values) = (column(0), column(1));
    let meshes: String = FACES
        .iter()
        .map(|(_, _, file)| format!("        <mesh>{file}.vtu</mesh>\n"))
        .collect();
    let conditions: String = FACES
        .iter()
        .map(|(axis, value, file)| {
            let parameter = if *value == 1 { "stretch" } else { "zero" };
            format!(
                "                <boundary_condition><mesh>{file}</mesh><type>Dirichlet</type>\
                 <component>{axis}</component><parameter>{parameter}</parameter>\
                 </boundary_condition>\n"
            )
        })
        .collect();
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<!-- One element with the law {name}, stretched to {stretch:e} and back. -->
<OpenGeoSysProject>
    <meshes>
        <mesh>cube.vtu</mesh>
{meshes}    </meshes>
    <processes>
        <process>
            <name>mechanics</name>
            <type>SMALL_DEFORMATION</type>
            <integration_order>2</integration_order>
            <constitutive_relation>
                <type>MFront</type>
                <library>lib{name}.so</library>
                <behaviour>Hysteron</behaviour>
                <material_properties>
                    <material_property name="StressUnit" parameter="StressUnit"/>
                </material_properties>
            </constitutive_relation>
            <specific_body_force>0 0 0</specific_body_force>
            <process_variables>
                <process_variable>displacement</process_variable>
            </process_variables>
            <secondary_variables>
                <secondary_variable name="sigma"/>
                <secondary_variable name="epsilon"/>
            </secondary_variables>
        </process>
    </processes>
    <media>
        <medium><phases><phase><type>Solid</type><properties>
            <property><name>density</name><type>Constant</type><value>1</value></property>
        </properties></phase></phases></medium>
    </media>
    <time_loop>
        <processes>
            <process ref="mechanics">
                <nonlinear_solver>newton</nonlinear_solver>
                <convergence_criterion>
                    <type>DeltaX</type><norm_type>NORM2</norm_type><reltol>1e-10</reltol>
                    <abstol>{tolerance:e}</abstol>
                </convergence_criterion>
                <time_discretization><type>BackwardEuler</type></time_discretization>
                <time_stepping>
                    <type>FixedTimeStepping</type>
                    <t_initial>0</t_initial>
                    <t_end>{end:?}</t_end>
                    <timesteps>
                        <pair><repeat>{STEPS}</repeat><delta_t>{dt:?}</delta_t></pair>
                    </timesteps>
                </time_stepping>
            </process>
        </processes>
        <output>
            <type>VTK</type>
            <prefix>{name}</prefix>
            <suffix>_{{:timestep}}_{{:time}}</suffix>
            <data_mode>Ascii</data_mode>
            <compress_output>false</compress_output>
            <timesteps><pair><repeat>1</repeat><each_steps>1</each_steps></pair></timesteps>
            <variables/>
        </output>
    </time_loop>
    <parameters>
        <!-- One MPa in the stress unit of this model. -->
        <parameter><name>StressUnit</name><type>Constant</type><value>1</value></parameter>
        <parameter><name>rest</name><type>Constant</type><values>0 0 0</values></parameter>
        <parameter><name>zero</name><type>Constant</type><value>0</value></parameter>
        <parameter><name>amplitude</name><type>Constant</type><value>{stretch:e}</value></parameter>
        <parameter>
            <name>stretch</name><type>CurveScaled</type><curve>cycle</curve>
            <parameter>amplitude</parameter>
        </parameter>
    </parameters>
    <curves>
        <curve><name>cycle</name><coords>{times}</coords><values>{values}</values></curve>
    </curves>
    <process_variables>
        <process_variable>
            <name>displacement</name>
            <components>3</components>
            <order>1</order>
            <initial_condition>rest</initial_condition>
            <boundary_conditions>
{conditions}            </boundary_conditions>
        </process_variable>
    </process_variables>
    <nonlinear_solvers>
        <nonlinear_solver>
            <name>newton</name><type>Newton</type><max_iter>30</max_iter>
            <linear_solver>direct</linear_solver>
        </nonlinear_solver>
    </nonlinear_solvers>
    <linear_solvers>
        <linear_solver>
            <name>direct</name>
            <eigen><solver_type>SparseLU</solver_type><scaling>true</scaling></eigen>
        </linear_solver>
    </linear_solvers>
</OpenGeoSysProject>
"#,
        tolerance = 1e-10 * stretch,
    )
}
