//! The `earmark` command.

fn main() -> std::process::ExitCode {
    earmark::cli::run()
}
