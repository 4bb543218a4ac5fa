//! The system's notifications. The one file that knows `notify`.
//!
//! Watches are placed on single folders only: asked to watch a tree, `notify` loses what happens in new folders, and
//! gives up on the siblings of a folder that it cannot read.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind, RemoveKind};
use notify::{Config, ErrorKind, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::inbox::{Hint, Inbox};

/// Notifications about single folders: what they are called, and which entries of theirs come, go or change.
pub(super) trait Notifications: Send {
    /// Watches a folder, but not its subfolders. Watching it again does no harm, and renews a watch that went.
    fn watch(&mut self, folder: &Path) -> Result<(), Refusal>;

    /// Watches it no more, if it was watched.
    fn unwatch(&mut self, folder: &Path);
}

/// Why there are no notifications about a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No more folders can be watched.
    Folders,
    /// No more programs can watch, or no more files can be open.
    Instances,
    /// There is no such folder.
    Gone,
    /// It may not be read: nothing in it can be found, either.
    Forbidden,
    /// Anything else, in the system's words.
    Other(String),
}

/// Opens the notifications of one root; they leave their hints in the inbox.
pub(super) type Connect = dyn Fn(&Arc<Inbox>) -> Result<Box<dyn Notifications>, Refusal> + Send + Sync;

/// Opens the system's own notifications.
pub(super) fn connect(inbox: &Arc<Inbox>) -> Result<Box<dyn Notifications>, Refusal> {
    let inbox = Arc::clone(inbox);
    let handler = move |event| tell(&inbox, event);
    let watcher = RecommendedWatcher::new(handler, Config::default().with_follow_symlinks(false));
    Ok(Box::new(Notify { watcher: Some(watcher.map_err(|error| refusal(error.kind))?) }))
}

/// Its thread may die, e.g. where there is none to be had, and then every call panics.
struct Notify {
    watcher: Option<RecommendedWatcher>,
}

impl Notify {
    fn call(&mut self, work: impl FnOnce(&mut RecommendedWatcher) -> notify::Result<()>) -> Result<(), Refusal> {
        let dead = || Refusal::Other("the thread that receives notifications has died".to_owned());
        let watcher = self.watcher.as_mut().ok_or_else(dead)?;
        let result = catch_unwind(AssertUnwindSafe(|| work(watcher))).map_err(|_| dead())?;
        result.map_err(|error| refusal(error.kind))
    }
}

impl Notifications for Notify {
    fn watch(&mut self, folder: &Path) -> Result<(), Refusal> {
        self.call(|watcher| watcher.watch(folder, RecursiveMode::NonRecursive))
    }

    fn unwatch(&mut self, folder: &Path) {
        // It fails where the watch went with its folder, which is what is wanted.
        let _ = self.call(|watcher| watcher.unwatch(folder));
    }
}

impl Drop for Notify {
    fn drop(&mut self) {
        let watcher = self.watcher.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(watcher)));
    }
}

fn refusal(kind: ErrorKind) -> Refusal {
    match kind {
        ErrorKind::MaxFilesWatch => Refusal::Folders,
        ErrorKind::PathNotFound => Refusal::Gone,
        ErrorKind::Io(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Refusal::Gone,
            io::ErrorKind::PermissionDenied => Refusal::Forbidden,
            io::ErrorKind::StorageFull => Refusal::Folders,
            _ if is_out_of_descriptors(&error) => Refusal::Instances,
            _ => Refusal::Other(error.to_string()),
        },
        other => Refusal::Other(notify::Error::new(other).to_string()),
    }
}

#[cfg(unix)]
fn is_out_of_descriptors(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let codes = [Errno::MFILE, Errno::NFILE].map(Errno::raw_os_error);
    error.raw_os_error().is_some_and(|code| codes.contains(&code))
}

#[cfg(not(unix))]
fn is_out_of_descriptors(_: &io::Error) -> bool {
    false
}

/// Leaves the hint that an event is. Called from the thread that empties the system's queue, and so never waits.
fn tell(inbox: &Inbox, event: notify::Result<Event>) {
    let event = match event {
        Ok(event) => event,
        Err(error) => return inbox.lose(format!("the system's notifications failed: {error}")),
    };
    if event.need_rescan() {
        return inbox.lose("the system dropped notifications".to_owned());
    }
    let Some(hint) = hint(&event.kind) else { return };
    if event.paths.is_empty() {
        return inbox.lose(format!("the system did not say where something happened: {:?}", event.kind));
    }
    for path in event.paths {
        inbox.hint(path, hint);
    }
}

/// What an event may mean; `None` where nothing changed.
fn hint(kind: &EventKind) -> Option<Hint> {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Some(Hint::File),
        // Reading changes nothing, and most of it is our own.
        EventKind::Access(_) => None,
        EventKind::Create(CreateKind::File)
        | EventKind::Remove(RemoveKind::File)
        | EventKind::Modify(ModifyKind::Data(_)) => Some(Hint::File),
        // New permissions may open a folder that could not be entered.
        EventKind::Create(_) | EventKind::Remove(_) | EventKind::Modify(_) | EventKind::Any | EventKind::Other => {
            Some(Hint::Anything)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use notify::event::{DataChange, Flag, MetadataKind, RenameMode};

    use super::*;

    #[test]
    fn reading_is_no_change_and_everything_else_is() {
        let check = |kind, expected| {
            let inbox = Inbox::default();
            tell(&inbox, Ok(Event::new(kind).add_path("/a".into())));
            let hints = inbox.take(Instant::now());
            assert_eq!(hints.paths.get(Path::new("/a")).copied(), expected, "{kind:?}");
            assert!(hints.lost.is_none(), "{kind:?}");
        };
        check(EventKind::Access(AccessKind::Open(AccessMode::Any)), None);
        check(EventKind::Access(AccessKind::Close(AccessMode::Read)), None);
        check(EventKind::Access(AccessKind::Close(AccessMode::Write)), Some(Hint::File));
        check(EventKind::Modify(ModifyKind::Data(DataChange::Any)), Some(Hint::File));
        check(EventKind::Create(CreateKind::File), Some(Hint::File));
        check(EventKind::Remove(RemoveKind::File), Some(Hint::File));
        check(EventKind::Create(CreateKind::Folder), Some(Hint::Anything));
        check(EventKind::Remove(RemoveKind::Other), Some(Hint::Anything));
        check(EventKind::Modify(ModifyKind::Name(RenameMode::From)), Some(Hint::Anything));
        check(EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any)), Some(Hint::Anything));
        check(EventKind::Other, Some(Hint::Anything));
    }

    #[test]
    fn what_is_uncertain_is_a_loss() {
        let check = |event: notify::Result<Event>, reason: &str| {
            let inbox = Inbox::default();
            tell(&inbox, event);
            let lost = inbox.take(Instant::now()).lost;
            assert!(lost.as_deref().is_some_and(|lost| lost.contains(reason)), "{lost:?}: expected {reason}");
        };
        check(Ok(Event::new(EventKind::Other).set_flag(Flag::Rescan)), "dropped");
        check(Ok(Event::new(EventKind::Create(CreateKind::File))), "did not say where");
        check(Err(notify::Error::generic("broken")), "broken");
    }

    #[test]
    fn refusals_are_told_apart() {
        let check = |kind, expected| assert_eq!(refusal(kind), expected);
        check(ErrorKind::MaxFilesWatch, Refusal::Folders);
        check(ErrorKind::PathNotFound, Refusal::Gone);
        check(ErrorKind::Io(io::ErrorKind::PermissionDenied.into()), Refusal::Forbidden);
        check(ErrorKind::Io(io::ErrorKind::NotADirectory.into()), Refusal::Gone);
        check(ErrorKind::Generic("odd".into()), Refusal::Other("odd".into()));
        #[cfg(unix)]
        {
            let code = |errno: rustix::io::Errno| ErrorKind::Io(io::Error::from_raw_os_error(errno.raw_os_error()));
            check(code(rustix::io::Errno::MFILE), Refusal::Instances);
            check(code(rustix::io::Errno::NOSPC), Refusal::Folders);
        }
    }
}
