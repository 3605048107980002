//! The job of a UMAT: an input deck of CalculiX.

use super::job::{CORNERS, CYCLE, FACES, STEPS, amplitude, face, heading};
use crate::law::MaterialLaw;

/// Deck and README.
pub(super) fn files(name: &str, law: &dyn MaterialLaw) -> Vec<(String, String)> {
    vec![
        (format!("{name}.inp"), deck(name, law)),
        ("README.md".into(), readme(name, law)),
    ]
}

fn deck(name: &str, law: &dyn MaterialLaw) -> String {
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

fn readme(name: &str, law: &dyn MaterialLaw) -> String {
    let states = law.state_layout().len();
    heading(name, law)
        + &format!(
            "```sh\nexport LD_LIBRARY_PATH=$PWD\nccx -i {name}\ncat {name}.dat\n```\n\n`ccx` must \
             be built with external behaviours; hysteron's `tests/hosts/calculix` does so on \
             Debian.\n\nIn a deck of your own: `*MATERIAL,NAME=@ABAQUS_{name}`, `*USER \
             MATERIAL,CONSTANTS=1` with one MPa in your stress unit (1 for N and mm, 1e6 for SI), \
             `*DEPVAR` with {states}. Where the geometry is nonlinear: in CalculiX \
             `*STEP,NLGEOM` and `*MATERIAL,NAME=@ABAQUSNL_{name}`; in Abaqus `CONSTANTS=2`, the second 2, and \
             `*DEPVAR` with {}, the last nine for the rotation of the material.\n",
            states + 9
        )
}
