//! The one place where a panic of decoder code, ours or others', becomes a damaged file.
//!
//! Does not know any format. Whether such a panic is also printed is up to the process, through [`is_contained`].

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::DecodeError;

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is running a decoder whose panic will become an error: a panic hook need not report it.
pub fn is_contained() -> bool {
    CONTAINED.get()
}

/// Runs decoder code on a file of the given format. A panic in it costs the file, not the process.
///
/// What `work` leaves half done must be dropped or never used again.
pub(super) fn contain_panics<T>(
    format: &'static str,
    work: impl FnOnce() -> Result<T, DecodeError>,
) -> Result<T, DecodeError> {
    let outer = CONTAINED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    CONTAINED.set(outer);
    result.unwrap_or_else(|payload| {
        let reason = format!("the decoder broke down on it: {}", message(payload.as_ref()));
        Err(DecodeError::Damaged { format, reason })
    })
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&'static str>().copied()).unwrap_or("no reason given")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error() {
        let check = |work: fn() -> Result<(), DecodeError>, expected: &str| {
            assert_eq!(contain_panics("gif", work).unwrap_err().to_string(), expected);
            assert!(!is_contained());
        };
        check(|| panic!("index {} out of range", 7), "damaged gif: the decoder broke down on it: index 7 out of range");
        check(|| panic!("plain"), "damaged gif: the decoder broke down on it: plain");
        check(|| std::panic::panic_any(7), "damaged gif: the decoder broke down on it: no reason given");
        check(|| Err(DecodeError::Empty("data")), "empty: it holds no data");
        assert!(contain_panics("gif", || Ok(is_contained())).unwrap());
    }
}
