//! The system's limits on watching, and how to raise them.

use std::fmt;
use std::fs;

/// How many folders one user may watch.
const FOLDERS: &str = "fs.inotify.max_user_watches";

/// How many programs of one user may watch; one of ours counts as one for each root.
const INSTANCES: &str = "fs.inotify.max_user_instances";

/// Where a limit is set for good.
const SYSTEM_FILE: &str = "/etc/sysctl.d/60-earmark.conf";

/// No more folders can be watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct FolderLimit {
    /// Folders of the root.
    pub(super) folders: usize,
    /// The limit as it is, where it can be read.
    pub(super) limit: Option<usize>,
}

/// No more programs can watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InstanceLimit {
    /// The limit as it is, where it can be read.
    pub(super) limit: Option<usize>,
}

impl FolderLimit {
    /// For a root with this many folders.
    pub(super) fn read(folders: usize) -> Self {
        Self { folders, limit: current(FOLDERS) }
    }

    /// Room for all that others watch, and for this root to double.
    fn wanted(&self) -> usize {
        (self.limit.unwrap_or(0) + 2 * self.folders).next_power_of_two()
    }
}

impl InstanceLimit {
    pub(super) fn read() -> Self {
        Self { limit: current(INSTANCES) }
    }

    fn wanted(&self) -> usize {
        (2 * self.limit.unwrap_or(0)).max(1024).next_power_of_two()
    }
}

fn current(name: &str) -> Option<usize> {
    fs::read_to_string(format!("/proc/sys/{}", name.replace('.', "/"))).ok()?.trim().parse().ok()
}

/// In words, e.g. "128" or "unknown".
fn number(limit: Option<usize>) -> String {
    limit.map_or_else(|| "unknown".to_owned(), |limit| limit.to_string())
}

fn remedy(name: &str, wanted: usize) -> String {
    let setting = format!("{name}={wanted}");
    format!("run `sudo sysctl {setting}`, write `{setting}` to {SYSTEM_FILE} to make it last, and restart")
}

impl fmt::Display for FolderLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (limit, folders) = (number(self.limit), self.folders);
        write!(f, "no more folders can be watched (limit {limit}, this root has {folders}): ")?;
        f.write_str(&remedy(FOLDERS, self.wanted()))
    }
}

impl fmt::Display for InstanceLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no more watchers, or open files, are allowed (limit of watchers {}): ", number(self.limit))?;
        f.write_str(&remedy(INSTANCES, self.wanted()))?;
        f.write_str("; if that does not help, raise `ulimit -n`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remedy_leaves_room_for_others_and_for_growth() {
        let text = FolderLimit { folders: 210_000, limit: Some(192_536) }.to_string();
        for part in ["limit 192536", "has 210000", "sudo sysctl fs.inotify.max_user_watches=1048576", SYSTEM_FILE] {
            assert!(text.contains(part), "{text}: expected {part}");
        }
        let text = InstanceLimit { limit: Some(128) }.to_string();
        assert!(text.contains("sudo sysctl fs.inotify.max_user_instances=1024"), "{text}");
        assert!(InstanceLimit { limit: None }.to_string().contains("unknown"));
    }
}
