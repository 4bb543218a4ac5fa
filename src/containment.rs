//! The one place where a panic of somebody else's code becomes an error.
//!
//! Knows nothing of that code. Whether such a panic is also printed is up to the process, through [`is_contained`].

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is running code whose panic will become an error: a panic hook need not report it.
pub fn is_contained() -> bool {
    CONTAINED.get()
}

/// Runs code that may panic; the error is what the panic said.
///
/// What `work` leaves half done must be dropped or never used again.
pub fn contain<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    let outer = CONTAINED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    CONTAINED.set(outer);
    result.map_err(|payload| message(payload.as_ref()).to_owned())
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
        let check = |work: fn(), expected: &str| {
            assert_eq!(contain(work).unwrap_err(), expected);
            assert!(!is_contained());
        };
        check(|| panic!("index {} out of range", 7), "index 7 out of range");
        check(|| panic!("plain"), "plain");
        check(|| std::panic::panic_any(7), "no reason given");
        assert!(contain(is_contained).unwrap());
    }
}
