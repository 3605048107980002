//! A folder that goes away with the test, and names that two test programs need.

// Each test program uses a part of this.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The rows of an audit in their order.
pub const AUDIT_ROWS: [&str; 20] = [
    "tangent_error",
    "taylor_slope",
    "min_dissipation_end",
    "min_dissipation_split",
    "negative_share",
    "stationarity",
    "self_consistency_strain",
    "self_consistency_stress",
    "closed_loop",
    "rollback",
    "min_tangent_eigenvalue",
    "state_growth",
    "objectivity",
    "rest_stress",
    "energy_gradient",
    "dissipation_gradient",
    "min_dissipation_work",
    "material_symmetry",
    "start_tangent",
    "cyclic_drift",
];

static COUNT: AtomicUsize = AtomicUsize::new(0);

pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("hysteron-test-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Writes a file, with the folders on its way.
    pub fn file(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, contents).unwrap();
        path
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
