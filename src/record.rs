//! Test records: what was measured, as CSV in and out.

/// One strain–stress history with `n` components, Mandel, row-major (`[row * n + component]`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    pub name: String,
    /// 1, 3 or 6.
    pub components: usize,
    /// Seconds, non-decreasing.
    pub time: Vec<f64>,
    /// `[rows * n]`
    pub strain: Vec<f64>,
    /// `[rows * n]`, MPa
    pub stress: Vec<f64>,
    pub external_names: Vec<String>,
    /// `[rows * m]`
    pub external: Vec<f64>,
}

impl Record {
    pub fn rows(&self) -> usize {
        self.time.len()
    }

    pub fn strain_at(&self, row: usize) -> &[f64] {
        &self.strain[row * self.components..][..self.components]
    }

    pub fn stress_at(&self, row: usize) -> &[f64] {
        &self.stress[row * self.components..][..self.components]
    }

    pub fn external_at(&self, row: usize) -> &[f64] {
        let m = self.external_names.len();
        &self.external[row * m..][..m]
    }
}
