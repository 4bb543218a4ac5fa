//! Progress bars, on standard error, and only where someone is looking.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How often a bar moves when nothing is reported.
const TICK: Duration = Duration::from_millis(200);

/// A bar over a number of files.
pub(super) fn files(total: usize, what: &'static str) -> ProgressBar {
    let template = "{msg} {wide_bar} {pos}/{len} {per_sec} ETA {eta}";
    bar(total as u64, template, what)
}

/// A bar over a number of bytes.
pub(super) fn bytes(total: u64, what: &'static str) -> ProgressBar {
    let template = "{msg} {wide_bar} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} ETA {eta}";
    bar(total, template, what)
}

/// A bar over bytes whose message says the rest, with figures of its own.
pub(super) fn work(what: &'static str) -> ProgressBar {
    bar(0, "{msg} {wide_bar} {binary_bytes}/{binary_total_bytes}", what)
}

/// Something that takes a while and cannot say how far it is.
pub(super) fn spinner(what: &'static str) -> ProgressBar {
    let spinner = ProgressBar::new_spinner().with_message(what);
    spinner.enable_steady_tick(TICK);
    spinner
}

/// Starts a bar at a position that was reached earlier, which is no part of the speed.
pub(super) fn resume_at(bar: &ProgressBar, position: u64) {
    bar.set_position(position);
    // The estimate takes note of the position when the length is set, and forgets how fast it came there when reset.
    bar.set_length(bar.length().unwrap_or(position));
    bar.reset_eta();
}

fn bar(total: u64, template: &str, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).expect("the templates above are valid");
    let bar = ProgressBar::new(total).with_style(style).with_message(what);
    bar.enable_steady_tick(TICK);
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_before_is_no_part_of_the_speed() {
        let bar = ProgressBar::hidden();
        bar.set_length(1_000_000_000);
        resume_at(&bar, 400_000_000);
        std::thread::sleep(Duration::from_millis(20));
        bar.set_position(400_001_000);
        bar.tick();
        assert!((1.0..1_000_000.0).contains(&bar.per_sec()), "{} a second", bar.per_sec());
    }
}
