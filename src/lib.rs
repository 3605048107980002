//! Learned material laws: recurrent constitutive models that a finite element solver can use.
//!
//! A law is a free energy and an evolution of internal variables, both learned from stress–strain
//! records. Its equations are written once, over a small vector algebra; training, prediction, the
//! consistent tangent and the audit are readings of the same text.
//!
//! | module | what it is |
//! |---|---|
//! | [`law`] | [`MaterialLaw`], the contract between a law and a solver |
//! | [`mandel`] | Kelvin–Mandel vectors, component orders of the hosts, rotations |
//! | [`laws`] | classical laws, and the stress states around them |
//! | [`graph`], [`network`] | the text of a law as a value, and the parts that laws are built of |
//! | [`recurrent`] | laws that can be learned: [`RecurrentLaw`](recurrent::RecurrentLaw), the list |
//! | `train` | roll-outs, loss and optimiser on burn (feature `train`) |
//! | [`record`], [`card`], [`loading`] | test records, material cards, loading programmes |
//! | [`driver`] | the material-point driver: strain, stress and mixed control |
//! | [`evaluate`] | how well a law predicts records |
//! | [`audit`] | what makes a law fit for a solver, measured |
//! | [`model`], [`open()`] | a trained law in physical units with its tangent, and its file; opening one, or a card, from its path |
//! | [`finite_strain`] | any law of small strain as an objective law of the deformation gradient |
//! | [`host`] | laws inside finite element programs: C, UMAT, MGIS (exported with feature `capi`) |
//! | `plot` | figures as SVG and PNG (feature `plot`) |
//!
//! Without its default features the crate only evaluates laws, for embedding in a solver.
//!
//! A classical law under stress control, and its audit:
//!
//! ```
//! use hysteron::audit::{AuditOptions, audit};
//! use hysteron::driver::drive;
//! use hysteron::laws::{PlasticityParameters, ReferenceLaw};
//! use hysteron::loading::{Control, LoadStep, Programme};
//!
//! let law = ReferenceLaw::J2(PlasticityParameters {
//!     young: 200e3,
//!     poisson: 0.3,
//!     yield_stress: 250.0,
//!     voce: Vec::new(),
//!     linear_hardening: 2e3,
//!     backstress: Vec::new(),
//! })
//! .build(6)?;
//! let programme = Programme {
//!     name: "tension and back".into(),
//!     components: 1,
//!     external_names: Vec::new(),
//!     steps: [300.0, 0.0]
//!         .map(|stress| LoadStep { dt: 1.0, targets: vec![Control::Stress(stress)], external: Vec::new() })
//!         .to_vec(),
//! };
//! let curve = drive(law.as_ref(), &programme)?;
//! // What stays is the plastic strain (300 − 250) / H.
//! assert!((curve.record.strain[2] - 0.025).abs() < 1e-9);
//! assert!(curve.dissipation.iter().all(|d| *d >= 0.0));
//! assert!(audit(law.as_ref(), &AuditOptions::default()).pass);
//! # Ok::<(), hysteron::Error>(())
//! ```

pub mod audit;
pub mod card;
pub mod driver;
pub mod error;
pub mod evaluate;
mod file;
pub mod finite_strain;
pub mod graph;
pub mod host;
mod kernels;
pub mod law;
pub mod laws;
pub mod loading;
pub mod mandel;
pub mod model;
pub mod network;
mod open;
#[cfg(feature = "plot")]
pub mod plot;
pub mod record;
pub mod recurrent;
pub mod symmetry;

pub mod train;

pub use error::{Error, Result, UpdateError};
pub use law::{Increment, MaterialLaw, Response};
pub use open::{LawSource, open};

/// The code of the README and of the book is compiled and run.
#[cfg(doctest)]
mod documents {
    macro_rules! documents {
        ($($name:ident => $file:literal),+ $(,)?) => {
            $(#[doc = include_str!($file)] struct $name;)+
        };
    }
    documents! {
        ReadMe => "../README.md",
        MainJob => "../docs/src/main_job.md",
        Conventions => "../docs/src/conventions.md",
        AddingALaw => "../docs/src/adding_a_law.md",
        Records => "../docs/src/records.md",
    }
}
