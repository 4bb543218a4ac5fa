//! Watches on real folders, placed with notifications of our own that can refuse.

use std::collections::BTreeSet;
use std::fs;

use tempfile::TempDir;

use super::*;
use crate::library::RootRules;

/// Keeps the books of the system: which paths have been asked for.
#[derive(Default)]
struct Books {
    watched: BTreeSet<PathBuf>,
    most: Option<usize>,
}

impl Notifications for Books {
    fn watch(&mut self, folder: &Path) -> Result<(), Refusal> {
        if self.most.is_some_and(|most| self.watched.len() >= most) {
            return Err(Refusal::Folders);
        }
        self.watched.insert(folder.into());
        Ok(())
    }

    fn unwatch(&mut self, folder: &Path) {
        self.watched.remove(folder);
    }
}

struct Trial {
    root: TempDir,
    rules: Rules,
    books: Books,
    folders: Mutex<Folders>,
    inbox: Inbox,
}

impl Trial {
    fn new(folders: &[&str]) -> Self {
        let root = tempfile::tempdir().unwrap();
        folders.iter().for_each(|folder| fs::create_dir_all(root.path().join(folder)).unwrap());
        let rules = RootRules { exclude: vec!["no".to_owned()], ..RootRules::default() };
        let rules = Rules::new(&rules, &[], false).unwrap();
        let (books, folders, inbox) = (Books::default(), Mutex::default(), Inbox::default());
        Self { root, rules, books, folders, inbox }
    }

    fn placing(&mut self) -> Placing<'_> {
        Placing {
            root: self.root.path(),
            rules: &self.rules,
            notifications: &mut self.books,
            folders: &self.folders,
            inbox: &self.inbox,
        }
    }

    /// Whether there was a folder, which now is gone.
    fn forget(&mut self, text: &str) -> bool {
        let was_folder = self.folders.lock().unwrap().mark_gone(&path(text));
        self.placing().sweep();
        was_folder
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.root.path().join(from), self.root.path().join(to)).unwrap();
    }

    /// The system's books and ours say that these folders are watched.
    fn check(&self, expected: &[&str]) {
        let expected: BTreeSet<PathBuf> = expected.iter().map(|it| path(it).below(self.root.path())).collect();
        assert_eq!(self.books.watched, expected);
        let ours = self.folders.lock().unwrap().below(&RelativePath::root());
        assert_eq!(ours.iter().map(|it| it.below(self.root.path())).collect::<BTreeSet<_>>(), expected);
    }
}

fn path(text: &str) -> RelativePath {
    RelativePath::new(Path::new(text)).unwrap()
}

#[test]
fn every_folder_is_watched_but_for_excluded_and_hidden_ones_and_links() {
    let mut trial = Trial::new(&["a/b/c", "a/no/d", ".git/e", "f"]);
    fs::write(trial.root.path().join("a/file"), "").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("..", trial.root.path().join("a/loop")).unwrap();
    trial.placing().place(&RelativePath::root()).unwrap();
    trial.check(&["", "a", "a/b", "a/b/c", "f"]);
}

#[test]
fn a_moved_folder_is_watched_under_its_new_path_only() {
    let mut trial = Trial::new(&["a/b", "c"]);
    trial.placing().place(&RelativePath::root()).unwrap();
    trial.rename("a", "c/d");
    trial.placing().place(&path("c")).unwrap();
    trial.check(&["", "c", "c/d", "c/d/b"]);
    assert!(!trial.forget("a"), "nothing is left under the former path");
    trial.check(&["", "c", "c/d", "c/d/b"]);
}

#[test]
fn what_is_gone_is_not_watched() {
    let mut trial = Trial::new(&["a/b/c", "a/d", "e"]);
    trial.placing().place(&RelativePath::root()).unwrap();
    fs::remove_dir_all(trial.root.path().join("a/b")).unwrap();
    trial.placing().place(&path("a")).unwrap();
    trial.check(&["", "a", "a/d", "e"]);
    trial.rename("a", "no");
    assert!(trial.forget("a"));
    trial.check(&["", "e"]);
    fs::remove_dir(trial.root.path().join("e")).unwrap();
    fs::write(trial.root.path().join("e"), "").unwrap();
    trial.placing().place(&path("e")).unwrap();
    trial.check(&[""]);
}

#[test]
fn a_folder_that_went_and_turns_up_elsewhere_keeps_its_watch() {
    let mut trial = Trial::new(&["a/b", "c"]);
    trial.placing().place(&RelativePath::root()).unwrap();
    trial.rename("a", "c/d");
    assert!(trial.folders.lock().unwrap().mark_gone(&path("a")));
    trial.placing().place(&path("c/d")).unwrap();
    trial.check(&["", "c", "c/d", "c/d/b"]);
    trial.placing().sweep();
    trial.check(&["", "c", "c/d", "c/d/b"]);
}

#[test]
fn two_folders_that_change_places_are_watched_both() {
    let mut trial = Trial::new(&["a/x", "b/y"]);
    trial.placing().place(&RelativePath::root()).unwrap();
    trial.rename("a", "c");
    trial.rename("b", "a");
    trial.rename("c", "b");
    trial.placing().place(&path("a")).unwrap();
    trial.placing().place(&path("b")).unwrap();
    trial.check(&["", "a", "a/y", "b", "b/x"]);
}

#[test]
fn the_limit_is_told_with_the_number_of_folders() {
    let mut trial = Trial::new(&["a/b", "a/c", "d/e", "no/f"]);
    trial.books.most = Some(2);
    let Err(Unwatchable::Folders(limit)) = trial.placing().place(&RelativePath::root()) else {
        panic!("the limit was not noticed");
    };
    assert_eq!(limit.folders, 6);
}
