//! The laws that cards, saved models and the command line know by name. A program adds its own.

use super::{
    Architecture, DecayingMemory, FiniteWindow, GeneralizedStandard, Gru, Lstm, MinimalState,
    PhysicallyRecurrent, RecurrentLaw, Relaxation,
};
use crate::error::{Error, Result};
use crate::graph::ParameterLayout;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

/// A law that can be learned, by its name.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// In cards and saved models, as `generalized-standard`.
    pub name: &'static str,
    /// Whether it can have a [`Symmetry`](super::Symmetry).
    pub symmetric: bool,
    /// Whether it can have [linear hardening](Architecture::linear_hardening).
    pub hardens_linearly: bool,
    /// What is asked of its sizes beyond what is asked of every law: the key at fault and the cause.
    pub check: fn(&Architecture) -> std::result::Result<(), (&'static str, String)>,
    /// Lays out the parameters and builds the law; the sizes have been checked.
    pub build: fn(&mut ParameterLayout, &Architecture) -> Arc<dyn RecurrentLaw>,
}

impl Entry {
    /// A law that needs nothing but positive sizes and has no symmetry.
    pub const fn new(
        name: &'static str,
        build: fn(&mut ParameterLayout, &Architecture) -> Arc<dyn RecurrentLaw>,
    ) -> Self {
        Self {
            name,
            symmetric: false,
            hardens_linearly: false,
            check: |_| Ok(()),
            build,
        }
    }

    const fn symmetric(self) -> Self {
        Self {
            symmetric: true,
            ..self
        }
    }
}

/// The laws of the library.
const OWN: [Entry; 8] = [
    Entry::new("gru", |layout, sizes| Arc::new(Gru::new(layout, sizes))),
    Entry::new("lstm", |layout, sizes| Arc::new(Lstm::new(layout, sizes))),
    Entry::new("finite-window", |layout, sizes| {
        Arc::new(FiniteWindow::new(layout, sizes))
    }),
    Entry::new("minimal-state", |layout, sizes| {
        Arc::new(MinimalState::new(layout, sizes))
    }),
    Entry::new("decaying-memory", |layout, sizes| {
        Arc::new(DecayingMemory::new(layout, sizes))
    })
    .symmetric(),
    Entry::new("relaxation", |layout, sizes| {
        Arc::new(Relaxation::new(layout, sizes))
    })
    .symmetric(),
    Entry {
        hardens_linearly: true,
        ..Entry::new("physically-recurrent", |layout, sizes| {
            Arc::new(PhysicallyRecurrent::new(layout, sizes))
        })
        .symmetric()
    },
    Entry {
        check: GeneralizedStandard::check,
        ..Entry::new("generalized-standard", |layout, sizes| {
            Arc::new(GeneralizedStandard::new(layout, sizes))
        })
        .symmetric()
    },
];

static ENTRIES: LazyLock<RwLock<Vec<Entry>>> = LazyLock::new(|| RwLock::new(OWN.to_vec()));

fn entries() -> Vec<Entry> {
    // Whoever panicked while writing left a whole list.
    ENTRIES
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

/// Makes a law known by its name, to this process: cards can name it, and models of it can be loaded.
///
/// # Errors
/// [`Error::Invalid`] where a law of this name is known already, or the name is not made of lower-case
/// letters, digits and hyphens.
pub fn register(entry: Entry) -> Result<()> {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if entry.name.is_empty() || !entry.name.chars().all(letter) {
        return Err(Error::invalid(format!(
            "the law \"{}\": a name is made of lower-case letters, digits and hyphens",
            entry.name
        )));
    }
    let mut entries = ENTRIES.write().unwrap_or_else(PoisonError::into_inner);
    if entries.iter().any(|known| known.name == entry.name) {
        return Err(Error::invalid(format!(
            "a law \"{}\" is known already",
            entry.name
        )));
    }
    entries.push(entry);
    Ok(())
}

/// Makes a law known as soon as the program or shared library that this stands in is loaded: so a
/// library for finite element programs knows the laws of its own crate.
///
/// ```ignore
/// hysteron::register_at_load!(MY_LAW);
/// ```
#[macro_export]
macro_rules! register_at_load {
    ($entry:expr) => {
        #[used]
        #[cfg_attr(
            all(unix, not(target_vendor = "apple")),
            unsafe(link_section = ".init_array")
        )]
        #[cfg_attr(
            target_vendor = "apple",
            unsafe(link_section = "__DATA,__mod_init_func")
        )]
        #[cfg_attr(windows, unsafe(link_section = ".CRT$XCU"))]
        static REGISTER_AT_LOAD: extern "C" fn() = {
            extern "C" fn register() {
                // No panic leaves this function, and no caller could be told of an error: a law that
                // is not known is missed where it is loaded.
                let _ = ::std::panic::catch_unwind(|| $crate::recurrent::register($entry));
            }
            register
        };
    };
}

/// Names of the laws that can be learned, those of this program behind those of the library.
pub fn laws() -> Vec<&'static str> {
    entries().iter().map(|entry| entry.name).collect()
}

/// Names of the laws that can have a [`Symmetry`](super::Symmetry).
pub fn symmetric_laws() -> Vec<&'static str> {
    let entries = entries().into_iter();
    entries
        .filter(|entry| entry.symmetric)
        .map(|entry| entry.name)
        .collect()
}

/// The law of a name, or a message where there is none.
pub(super) fn find(name: &str) -> std::result::Result<Entry, String> {
    let known = entries().into_iter().find(|entry| entry.name == name);
    known.ok_or_else(|| {
        let known = laws().join(", ");
        format!("\"{name}\", there are {known}; a law of one's own is registered first (`recurrent::register`)")
    })
}
