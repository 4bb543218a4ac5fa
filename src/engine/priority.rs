//! Giving way: a thread whose work can wait gets what nobody else wants of the processor.
//!
//! On Linux threads that it starts later give way, too. Other Unix systems know no priority of a thread: there the
//! whole process gives way.

/// Whether a thread gives way alone.
pub(super) const PER_THREAD: bool = cfg!(target_os = "linux");

/// Lets the calling thread give way to all others.
///
/// # Errors
/// Why it does not.
#[cfg(unix)]
pub(super) fn yield_to_others() -> Result<(), String> {
    rustix::process::setpriority_process(None, 19).map_err(|error| error.to_string())
}

/// Lets the calling thread give way to all others.
///
/// # Errors
/// Why it does not.
#[cfg(not(unix))]
pub(super) fn yield_to_others() -> Result<(), String> {
    Err("this system has no such thing".into())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_gives_way_with_those_that_it_starts_and_no_other() {
        let nice = || rustix::process::getpriority_process(None).unwrap();
        let before = nice();
        let given = std::thread::spawn(move || {
            yield_to_others().unwrap();
            [nice(), std::thread::spawn(nice).join().unwrap()]
        });
        assert_eq!((given.join().unwrap(), nice()), ([19, 19], before));
    }
}
