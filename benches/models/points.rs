//! Memory of an update of one point or of many.

use hysteron::error::{BatchError, UpdateError};
use hysteron::law::{BatchInput, BatchOutput, Increment, MaterialLaw, Response, Status};

/// Inputs and answers of a batch, component-major; no time passes in which none is set.
pub struct Batch {
    points: usize,
    pub strain_old: Vec<f64>,
    pub strain: Vec<f64>,
    pub dt: Vec<f64>,
    pub state_old: Vec<f64>,
    pub state: Vec<f64>,
    pub stress: Vec<f64>,
    pub tangent: Vec<f64>,
    stored_energy: Vec<f64>,
    dissipation: Vec<f64>,
    status: Vec<Status>,
}

impl Batch {
    /// From virgin material without strain to `strain [n][points]`, in a tenth of a second.
    pub fn new(law: &dyn MaterialLaw, strain: Vec<f64>) -> Self {
        let (n, states) = (law.components(), law.state_layout().len());
        let points = strain.len() / n;
        let start = law.new_state();
        let of = |n: usize| vec![0.0; n * points];
        Self {
            points,
            strain_old: of(n),
            strain,
            dt: vec![0.1; points],
            state_old: (0..states * points).map(|k| start[k / points]).collect(),
            state: of(states),
            stress: of(n),
            tangent: of(n * n),
            stored_energy: of(1),
            dissipation: of(1),
            status: vec![Status::Inside; points],
        }
    }

    pub fn update(&mut self, law: &dyn MaterialLaw) -> Result<(), BatchError> {
        let input = BatchInput {
            points: self.points,
            strain_old: &self.strain_old,
            strain_new: &self.strain,
            dt: &self.dt,
            external_old: &[],
            external_new: &[],
            state: &self.state_old,
        };
        let mut output = BatchOutput {
            state: &mut self.state,
            stress: &mut self.stress,
            tangent: &mut self.tangent,
            stored_energy: &mut self.stored_energy,
            dissipation: &mut self.dissipation,
            status: &mut self.status,
        };
        law.update_batch(&input, &mut output)
    }

    /// The first point of the batch, by itself.
    pub fn first(&self) -> Point {
        let first = |values: &[f64]| values.iter().step_by(self.points).copied().collect();
        Point {
            strain_old: first(&self.strain_old),
            strain: first(&self.strain),
            dt: self.dt[0],
            state_old: first(&self.state_old),
            state: first(&self.state),
            response: Response::default(),
        }
    }
}

/// Inputs and answers of one point.
pub struct Point {
    strain_old: Vec<f64>,
    strain: Vec<f64>,
    dt: f64,
    state_old: Vec<f64>,
    state: Vec<f64>,
    response: Response,
}

impl Point {
    pub fn update(&mut self, law: &dyn MaterialLaw) -> Result<(), UpdateError> {
        let increment = Increment {
            strain_old: &self.strain_old,
            strain_new: std::hint::black_box(&self.strain),
            dt: self.dt,
            external_old: &[],
            external_new: &[],
        };
        law.update(
            &increment,
            &self.state_old,
            &mut self.state,
            &mut self.response,
        )
    }
}
