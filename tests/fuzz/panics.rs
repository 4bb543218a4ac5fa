//! Panics while media are decoded. The library turns a panic of a third-party decoder into an error, so the fuzzer must
//! let it pass; libFuzzer's own hook would end the run. A panic in our code, contained or not, is a finding.

/// Replaces libFuzzer's hook. Panics that reach the fuzz target end the run as before.
pub fn end_the_run_on_ours() {
    std::panic::set_hook(Box::new(|panic| {
        if !panic.location().is_some_and(|location| location.file().contains("/registry/src/")) {
            eprintln!("{panic}\n{}", std::backtrace::Backtrace::force_capture());
            std::process::abort();
        }
    }));
}
