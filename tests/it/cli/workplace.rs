//! A directory in which the binary finds nothing but what a test put there.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use assert_cmd::Command;
use assert_cmd::cargo::cargo_bin;

pub(crate) const TINY: &str = "audioclip/tiny/audioclip_tiny.pt";

/// Arguments of different types, as the strings they are.
macro_rules! args {
    ($($arg:expr),* $(,)?) => { &[$(std::ffi::OsString::from(&$arg)),*] };
}
pub(crate) use args;

/// A home directory that is also the current directory of the binary.
pub(crate) struct Workplace(tempfile::TempDir);

/// What a run of the binary left.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Workplace {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// With the tiny model installed as `tiny`.
    pub(crate) fn with_model() -> Self {
        let workplace = Self::new();
        workplace.succeed(args!["model", "import", crate::shared(TINY), "--name", "tiny"]);
        workplace
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.0.path().join(relative)
    }

    /// Where models go if nothing else is said.
    pub(crate) fn models(&self) -> PathBuf {
        self.path("data/earmark/models")
    }

    pub(crate) fn tiny(&self) -> PathBuf {
        self.models().join("tiny.safetensors")
    }

    pub(crate) fn write(&self, relative: &str, content: impl AsRef<[u8]>) {
        let path = self.path(relative);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Copies a file of the test material.
    pub(crate) fn bring(&self, shared: &str, relative: &str) {
        self.write(relative, std::fs::read(crate::shared(shared)).unwrap());
    }

    pub(crate) fn command(&self, args: &[OsString]) -> std::process::Command {
        let mut command = std::process::Command::new(cargo_bin!("earmark"));
        for (name, _) in std::env::vars_os() {
            let known = name.to_string_lossy().to_uppercase();
            if known.starts_with("EARMARK") || known.ends_with("_PROXY") {
                command.env_remove(name);
            }
        }
        command.current_dir(self.0.path()).env("HOME", self.0.path());
        command.env("XDG_CONFIG_HOME", self.path("config")).env("XDG_DATA_HOME", self.path("data"));
        command.args(args);
        command
    }

    pub(crate) fn run(&self, args: &[OsString]) -> Run {
        self.run_with(&[], args)
    }

    pub(crate) fn run_with(&self, environment: &[(&str, &str)], args: &[OsString]) -> Run {
        let mut command = self.command(args);
        command.envs(environment.iter().copied());
        let output = Command::from_std(command).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!stderr.contains("panicked"), "{args:?}: {stderr}");
        Run { code: output.status.code().unwrap(), stdout: output.stdout, stderr }
    }

    /// Runs the binary, which has to succeed, and gives its standard output.
    pub(crate) fn succeed(&self, args: &[OsString]) -> String {
        let run = self.run(args);
        assert_eq!(run.code, 0, "{args:?}: {}", run.stderr);
        String::from_utf8(run.stdout).unwrap()
    }

    /// Runs the binary, which has to end with `code`, and gives its standard error.
    pub(crate) fn fail(&self, code: i32, args: &[OsString]) -> String {
        let run = self.run(args);
        assert_eq!(run.code, code, "{args:?}: {}", run.stderr);
        run.stderr
    }

    /// Runs the binary with a standard output that is closed already, and gives its standard error.
    pub(crate) fn run_unread(&self, args: &[OsString]) -> String {
        let mut child = self.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap()
    }
}

/// The names in a directory, hidden ones too; none if there is no directory.
pub(crate) fn names_in(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

pub(crate) fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

/// Every expected part is in the text.
pub(crate) fn contains(text: &str, expected: &[&str]) {
    for part in expected {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}
