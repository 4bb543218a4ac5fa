//! Playing a hit with whatever player is installed.
//!
//! Invariant: file names are arguments of their own, never part of a shell's line, and absolute, so that no player can
//! take one for an option.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, anyhow, bail};

use crate::cli::{note, show};
use crate::grpc::proto;

/// The arguments that make a player play a file from some second on.
type Arguments = fn(&Path, f64) -> Vec<OsString>;

/// Programs that play sounds, in the order in which they are looked for, with their arguments.
const PLAYERS: [(&str, Arguments); 4] = [
    ("ffplay", |path, start_s| {
        let mut line = words(&["-nodisp", "-autoexit", "-loglevel", "error", "-ss"]);
        line.extend([format!("{start_s:.3}").into(), "-i".into(), path.into()]);
        line
    }),
    ("mpv", |path, start_s| {
        let mut line = words(&["--no-video", "--really-quiet"]);
        line.extend([format!("--start={start_s:.3}").into(), "--".into(), path.into()]);
        line
    }),
    ("play", |path, start_s| {
        let mut line = words(&["-q"]);
        line.extend([path.into(), "trim".into(), format!("{start_s:.3}").into()]);
        line
    }),
    // It can only start at the beginning.
    ("afplay", |path, _| vec![path.into()]),
];

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

/// Plays the first sound among the hits from where it was found, until it ends or the user has heard enough.
pub(super) fn play_best(hits: &[proto::Hit]) -> anyhow::Result<()> {
    let mut sounds = hits.iter().filter(|hit| hit.kind() == proto::MediaKind::Audio);
    let Some(hit) = sounds.next() else { bail!("there is no sound among the hits to play") };
    let paths: Vec<PathBuf> = hit.files.iter().map(show::path_of).collect();
    let there = paths.iter().find(|path| path.is_absolute() && path.is_file());
    let path = there.ok_or_else(|| match paths.first() {
        Some(path) => anyhow!("{}: is not there to be played", path.display()),
        None => anyhow!("the hit has no file to play"),
    })?;
    let (player, arguments) = find_player(&std::env::var_os("PATH").unwrap_or_default())?;
    let start_s = std::time::Duration::from_millis(hit.span.unwrap_or_default().start_ms).as_secs_f64();
    note(format_args!("playing {}", show::printable(&path.to_string_lossy())));
    let status = Command::new(&player).args(arguments(path, start_s)).status();
    let status = status.with_context(|| player.display().to_string())?;
    if status.success() { Ok(()) } else { bail!("{}: ended with {status}", player.display()) }
}

fn find_player(search_path: &OsString) -> anyhow::Result<(PathBuf, Arguments)> {
    for (name, arguments) in PLAYERS {
        // An empty or relative entry would be the current directory, where anything may lie.
        let folders = std::env::split_paths(search_path).filter(|folder| folder.is_absolute());
        if let Some(program) = folders.map(|folder| folder.join(name)).find(|program| is_executable(program)) {
            return Ok((program, arguments));
        }
    }
    let names: Vec<&str> = PLAYERS.iter().map(|(name, _)| *name).collect();
    bail!("no player is installed, expected one of {} on the PATH", names.join(", "))
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_arguments_of_their_own() {
        let path = Path::new("/a b/-x; rm.wav");
        for (name, arguments) in PLAYERS {
            let line = arguments(path, 65.0);
            assert_eq!(line.iter().filter(|it| *it == path.as_os_str()).count(), 1, "{name}: {line:?}");
            let start = line.iter().any(|it| it.to_string_lossy().contains("65.000"));
            assert!(start || name == "afplay", "{name}: {line:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_first_player_on_the_path_is_taken() {
        use std::os::unix::fs::PermissionsExt as _;

        let directory = tempfile::tempdir().unwrap();
        let search_path = directory.path().as_os_str().to_owned();
        let error = find_player(&search_path).unwrap_err().to_string();
        assert!(error.contains("ffplay, mpv, play, afplay"), "{error}");
        for (name, mode) in [("afplay", 0o755), ("mpv", 0o755), ("ffplay", 0o644)] {
            let program = directory.path().join(name);
            std::fs::write(&program, "").unwrap();
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        assert_eq!(find_player(&search_path).unwrap().0, directory.path().join("mpv"));
        assert!(find_player(&"".into()).is_err());
    }
}
