//! What a wrapper of a law leaves to the law inside.

/// Methods of [`MaterialLaw`](super::MaterialLaw) that are those of the law in a field:
/// `delegate!(law: name, components)`.
macro_rules! delegate {
    ($law:ident: $($method:ident),+ $(,)?) => {
        $($crate::law::delegate!(@ $law $method);)+
    };
    (@ $law:ident name) => {
        fn name(&self) -> &str {
            self.$law.name()
        }
    };
    (@ $law:ident components) => {
        fn components(&self) -> usize {
            self.$law.components()
        }
    };
    (@ $law:ident external_variables) => {
        fn external_variables(&self) -> &[String] {
            self.$law.external_variables()
        }
    };
    (@ $law:ident state_layout) => {
        fn state_layout(&self) -> &$crate::law::StateLayout {
            self.$law.state_layout()
        }
    };
    (@ $law:ident initial_state) => {
        fn initial_state(&self, state: &mut [f64]) {
            self.$law.initial_state(state);
        }
    };
    (@ $law:ident free_energy) => {
        fn free_energy(&self, strain: &[f64], state: &[f64], external: &[f64]) -> f64 {
            self.$law.free_energy(strain, state, external)
        }
    };
    (@ $law:ident guarantees) => {
        fn guarantees(&self) -> $crate::law::Guarantees {
            self.$law.guarantees()
        }
    };
    (@ $law:ident typical_external) => {
        fn typical_external(&self) -> Vec<f64> {
            self.$law.typical_external()
        }
    };
    (@ $law:ident departure) => {
        fn departure(&self, increment: &$crate::law::Increment) -> Option<$crate::law::Departure> {
            self.$law.departure(increment)
        }
    };
    (@ $law:ident trained_path) => {
        fn trained_path(&self) -> Option<f64> {
            self.$law.trained_path()
        }
    };
    (@ $law:ident scales) => {
        fn scales(&self) -> $crate::law::Scales {
            self.$law.scales()
        }
    };
}

pub(crate) use delegate;
