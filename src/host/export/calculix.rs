//! The job of a UMAT: an input deck of CalculiX.

use super::Host;
use super::check::built_calculix;
use super::job::{CORNERS, CYCLE, FACES, STEPS, amplitude, face};
use super::subject::Subject;

/// Deck and README.
pub(super) fn files(subject: &Subject) -> Vec<(String, String)> {
    vec![
        (format!("{}.inp", subject.name), deck(subject)),
        ("README.md".into(), readme(subject)),
    ]
}

/// The temperature of the model, in the unit of the law.
fn initial_conditions(subject: &Subject) -> String {
    match subject.law.external_variables().is_empty() {
        true => String::new(),
        false => format!(
            "*INITIAL CONDITIONS,TYPE=TEMPERATURE\nALL,{:?}\n",
            subject.typical(0)
        ),
    }
}

fn deck(subject: &Subject) -> String {
    let Subject { name, law, .. } = subject;
    let states = law.state_layout().len();
    let mut text = format!(
        "** One element with the law {name}, strained to {strain:.6e} and back.\n*NODE,NSET=ALL\n",
        strain = amplitude(law)
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
    text += &initial_conditions(subject);
    let cycle: Vec<_> = CYCLE.iter().map(|[t, u]| format!("{t:?},{u:?}")).collect();
    text += &format!("*AMPLITUDE,NAME=CYCLE\n{}\n", cycle.join(","));
    let (end, strain) = (CYCLE[3][0], amplitude(law));
    text += &format!(
        "*BOUNDARY\nLEFT,1,1\nFRONT,2,2\nBOTTOM,3,3\n*STEP,INC=1000\n*STATIC\n{dt:?},{end:?},1e-5,\
         {dt:?}\n*BOUNDARY,AMPLITUDE=CYCLE\nRIGHT,1,1,{strain:.6e}\n*EL PRINT,ELSET=BODY\nE\n\
         *EL PRINT,ELSET=BODY\nS\n*END STEP\n",
        dt = end / STEPS as f64
    );
    text
}

fn readme(subject: &Subject) -> String {
    let Subject { name, law, .. } = subject;
    let states = law.state_layout().len();
    let (program, origin) = match built_calculix() {
        Some(program) => (program.display().to_string(), "is the one that"),
        None => ("ccx".into(), "must be built with external behaviours, as"),
    };
    let depvar = match states {
        0 => String::new(),
        _ => format!(", `*DEPVAR` with {states}"),
    };
    let inputs = law.external_variables().iter().enumerate();
    let inputs: Vec<_> = inputs
        .map(|(index, input)| {
            format!(
                "`{input}`: the temperature of the host, in the unit of the law. CalculiX and Abaqus: `*INITIAL \
                 CONDITIONS,TYPE=TEMPERATURE`, then `*TEMPERATURE` where it changes. This job has {:?}, the mean of \
                 the training. Where the host gives none the law refuses.",
                subject.typical(index)
            )
        })
        .collect();
    subject.heading()
        + &format!(
            "```sh\nexport LD_LIBRARY_PATH=$PWD\n{program} -i {name}\ncat {name}.dat\n```\n\nThis `ccx` {origin} \
             hysteron's `tests/hosts/calculix` builds on Debian; packaged ones cannot load laws.\n\nIn a deck of your own: \
             `*MATERIAL,NAME=@ABAQUS_{name}`, `*USER MATERIAL,CONSTANTS=1` with one MPa in your stress unit (1 for N \
             and mm, 1e6 for SI){depvar}. Further names of the same law: `@ABAQUS_{name}@B`. Other laws may stand \
             beside it. Where the geometry is nonlinear: in CalculiX `*STEP,NLGEOM` and \
             `*MATERIAL,NAME=@ABAQUSNL_{name}`; in Abaqus `CONSTANTS=2`, the second 2, and `*DEPVAR` with {}, the last \
             nine for the rotation of the material.\n",
            states + 9
        )
        + &subject.description(Host::Umat, &inputs, &law.state_layout().labels())
}
