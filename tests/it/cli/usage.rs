//! Help, version and wrong usage.

use super::workplace::{Workplace, args, contains};

#[test]
fn help_and_version_are_there() {
    let workplace = Workplace::new();
    let help = workplace.succeed(args!["--help"]);
    contains(&help, &["model", "embed", "classify", "eval", "--config"]);
    contains(&workplace.succeed(args!["embed", "--help"]), &["--text-file", "--skip-errors", "--protocol", "npy"]);
    let version = format!("earmark {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(workplace.succeed(args!["--version"]), version);
}

#[test]
fn wrong_usage_is_exit_code_2() {
    let workplace = Workplace::new();
    for line in ["", "nonsense", "model", "--nonsense", "eval folders"] {
        let words: Vec<_> = line.split_whitespace().map(std::ffi::OsString::from).collect();
        contains(&workplace.fail(2, &words), &["Usage:"]);
    }
}
