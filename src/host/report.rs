//! Failures, and what is outside the trained range, on the standard error: hosts drop the messages, or have no
//! place for any.

use super::HostError;
use super::error::warn;
use std::fmt::Display;
use std::sync::Mutex;

/// Most kinds of failures that are told apart.
const MAX_KINDS: usize = 64;

/// A kind of failure, the first of it, and how many there were.
struct Kind {
    name: String,
    first: String,
    count: u64,
}

static SEEN: Mutex<Vec<Kind>> = Mutex::new(Vec::new());

/// Writes a failure when it is the first of its kind, the tenth, the hundredth, …; two failures that differ
/// in numbers only are of one kind. `place` is where it happened.
pub(super) fn report(place: impl Display, error: &HostError) {
    let text = error.to_string();
    let kind = text.chars().filter(|c| !is_of_a_number(*c)).collect();
    report_kind(place, kind, text);
}

/// The same of a kind that the caller names.
pub(super) fn report_kind(place: impl Display, kind: String, text: impl Display) {
    match count(kind, &text) {
        Some(1) => warn(format_args!("{place}: {text}")),
        Some(count) if is_power_of_ten(count) => {
            warn(format_args!("{place}: {text} ({count} times so far)"));
        }
        _ => {}
    }
}

/// Writes at the end of the process how often each kind was met that was met more than once.
pub(super) fn summarise_at_exit() {
    #[cfg(unix)]
    {
        extern "C" fn summarise() {
            let seen = SEEN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            for Kind { first, count, .. } in seen.iter().filter(|kind| kind.count > 1) {
                warn(format_args!("{count} times in all, first: {first}"));
            }
        }
        static ONCE: std::sync::Once = std::sync::Once::new();
        // SAFETY: the function is part of this library, which the C runtime asks when it is unloaded. Where
        // there is no room for it, nothing is written.
        ONCE.call_once(|| unsafe {
            libc::atexit(summarise);
        });
    }
}

/// How many there were of this kind, with this one.
fn count(name: String, text: impl Display) -> Option<u64> {
    // A panic elsewhere leaves a list that can be used.
    let mut seen = SEEN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(kind) = seen.iter_mut().find(|kind| kind.name == name) {
        kind.count += 1;
        return Some(kind.count);
    }
    if seen.len() == MAX_KINDS {
        return None;
    }
    seen.push(Kind {
        name,
        first: text.to_string(),
        count: 1,
    });
    Some(1)
}

/// Digits, signs, points and exponents.
fn is_of_a_number(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e')
}

fn is_power_of_ten(count: u64) -> bool {
    count == 10_u64.pow(count.ilog10())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_that_differ_in_numbers_are_of_one_kind() {
        let texts = [
            "a residual of 1.0e-3",
            "a residual of 23",
            "a residuum of 2",
        ];
        let kind = |text: &str| text.chars().filter(|c| !is_of_a_number(*c)).collect();
        let counts = texts.map(|text| count(kind(text), text).unwrap());
        assert_eq!(counts, [1, 2, 1]);
        let said: Vec<u64> = (1..=1000).filter(|count| is_power_of_ten(*count)).collect();
        assert_eq!(said, [1, 10, 100, 1000]);
    }
}
