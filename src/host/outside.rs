//! Increments outside the range that a law was trained in.

use super::HostError;
use super::report::{report_kind, summarise_at_exit};
use crate::error::{Error, Result};
use crate::law::{Departure, Status};
use std::fmt::Display;
use std::io::ErrorKind;
use std::path::Path;

/// Extension of the file beside a law that says what a host does.
pub(super) const FILE: &str = "outside";

/// What a host does with an increment outside the trained range of its law.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outside {
    /// It goes on, and the standard error says what is outside: the first time of each quantity, the tenth, …,
    /// and how often at the end.
    #[default]
    Warn,
    /// The increment fails.
    Reject,
    /// It goes on without a word.
    Ignore,
}

impl Outside {
    /// The word in the file `NAME.outside` beside a law: `warn`, `reject` or `ignore`; `warn` without the file.
    ///
    /// # Errors
    /// A file that cannot be read, or another word.
    pub(super) fn beside(law: &Path) -> Result<Self> {
        let file = law.with_extension(FILE);
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(Error::io(&file, error)),
        };
        match text.trim() {
            "warn" => Ok(Self::Warn),
            "reject" => Ok(Self::Reject),
            "ignore" => Ok(Self::Ignore),
            word => Err(Error::invalid(format!(
                "{}: `{}`: warn, reject or ignore is possible",
                file.display(),
                word.chars().take(40).collect::<String>()
            ))),
        }
    }

    /// Judges an increment; `departure` says in what it is outside, `place` where.
    ///
    /// # Errors
    /// Where it is to be rejected.
    pub(super) fn judge(
        self,
        status: Status,
        departure: impl FnOnce() -> Option<Departure>,
        place: impl Display,
    ) -> std::result::Result<(), HostError> {
        if status == Status::Inside || self == Self::Ignore {
            return Ok(());
        }
        let departure = departure();
        let unknown = "a strain, a rate or an input";
        let (what, words): (&str, &dyn Display) = match &departure {
            Some(departure) => (&departure.what, departure),
            None => (unknown, &unknown),
        };
        if self == Self::Reject {
            return Err(HostError::call(format!(
                "outside the trained range of the law: {words}"
            )));
        }
        summarise_at_exit();
        let kind = format!("outside the trained range of the law in {what}");
        report_kind(
            place,
            kind,
            format_args!("outside the trained range of the law: {words}"),
        );
        Ok(())
    }
}
