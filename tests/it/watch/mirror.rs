//! Storms of changes: whoever looks where he is told to look always ends with what a fresh scan says.

use std::collections::BTreeMap;

use super::*;

/// What somebody knows of a root who only looks where the watcher points.
struct Mirror<'a> {
    watched: &'a Watched,
    files: BTreeMap<RelativePath, FileStat>,
    rescans: usize,
}

impl<'a> Mirror<'a> {
    fn new(watched: &'a Watched) -> Self {
        let mut mirror = Self { watched, files: BTreeMap::new(), rescans: 0 };
        mirror.look_at(&RelativePath::root());
        mirror
    }

    fn look_at(&mut self, under: &RelativePath) {
        let report = scan(&self.watched.root, &self.watched.rules, under, &AtomicBool::new(false)).unwrap();
        assert_eq!(report.unreadable, []);
        self.files.retain(|path, _| !path.starts_with(under));
        self.files.extend(report.files);
    }

    fn take(&mut self, event: WatchEvent) {
        match event {
            WatchEvent::Changed { paths, .. } => paths.iter().for_each(|path| self.look_at(path)),
            WatchEvent::Rescan { .. } => {
                self.rescans += 1;
                self.look_at(&RelativePath::root());
            }
            WatchEvent::State { state, .. } => panic!("{state:?}: expected changes"),
        }
    }

    /// Follows the watcher until it knows all, or has been told nothing new for long.
    fn settle(&mut self) {
        let truth: BTreeMap<_, _> = scan_all(&self.watched.root, &self.watched.rules).files.into_iter().collect();
        let deadline = Instant::now() + LONG;
        while self.files != truth {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(event) = self.watched.events.recv_timeout(left) else {
                let stale = self.files.iter().filter(|(path, stat)| truth.get(path) != Some(stat));
                let unknown = truth.iter().filter(|(path, stat)| self.files.get(path) != Some(stat));
                panic!("never told: stale {:?}, unknown {:?}", stale.collect::<Vec<_>>(), unknown.collect::<Vec<_>>());
            };
            self.take(event);
        }
    }

    /// The folders with watches are the folders there are.
    fn check_watches(&self) {
        let mut folders = vec![self.watched.root.clone()];
        let mut next = 0;
        while next < folders.len() {
            let entries = fs::read_dir(&folders[next]).unwrap().map(Result::unwrap);
            folders.extend(entries.filter(|it| it.file_type().unwrap().is_dir()).map(|it| it.path()));
            next += 1;
        }
        folders.sort();
        let deadline = Instant::now() + LONG;
        while self.watched.watcher.watched_folders() != folders {
            assert!(Instant::now() < deadline, "{:?}: expected {folders:?}", self.watched.watcher.watched_folders());
            std::thread::yield_now();
        }
    }
}

/// Numbers that look random, and are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }

    /// A path of one to three of few names, so that operations often meet.
    fn path(&mut self, root: &Path) -> PathBuf {
        let depth = 1 + self.below(3);
        (0..depth).fold(root.to_owned(), |path, _| path.join(["a", "b", "c", "d"][self.below(4)]))
    }
}

/// Does something at random. What cannot be done is not done.
fn disturb(root: &Path, dice: &mut Dice, step: usize) {
    let path = dice.path(root);
    let _ = match dice.below(10) {
        0 | 1 => fs::create_dir_all(&path),
        2..=4 => fs::write(&path, "x".repeat(step)),
        5 => fs::remove_file(&path),
        6 => fs::remove_dir_all(&path),
        7 => fs::write(path.join("file.wav"), "y".repeat(step)),
        _ => fs::rename(&path, dice.path(root)),
    };
}

#[test]
fn random_storms_end_with_what_a_fresh_scan_says() {
    for seed in 1..=12 {
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
        let watched = Watched::new(RootRules::default(), |root| {
            (0..100).for_each(|step| disturb(root, &mut dice, step));
        });
        let mut mirror = Mirror::new(&watched);
        for round in 1..=6 {
            for step in 0..150 {
                disturb(&watched.root, &mut dice, 1000 * round + step);
                // Somebody who looks during the storm sees folders before they are watched.
                if let Ok(event) = watched.events.try_recv() {
                    mirror.take(event);
                }
            }
            mirror.settle();
            mirror.check_watches();
        }
        assert_eq!(mirror.rescans, 0, "seed {seed}: such a storm is no reason to look at everything");
    }
}

#[test]
fn a_deep_tree_that_is_copied_in_is_found_in_full() {
    let watched = Watched::new(RootRules::default(), |root| {
        let source = root.parent().unwrap().join("source");
        for folder in 0..30 {
            write(&source.join(format!("{folder}/a/b/c/{folder}/e/file.wav")), "deep");
            write(&source.join(format!("{folder}/a/file.wav")), "less deep");
        }
    });
    let mut mirror = Mirror::new(&watched);
    let source = watched.place.path().join("source");
    for copy in 0..4 {
        let target = watched.root.join(format!("copy {copy}"));
        let copied = std::process::Command::new("cp").arg("-r").arg(&source).arg(&target).status().unwrap();
        assert!(copied.success());
    }
    mirror.settle();
    assert_eq!(mirror.files.len(), 4 * 60);
    fs::rename(watched.root.join("copy 0"), watched.root.join("copy 1/inner")).unwrap();
    fs::remove_dir_all(watched.root.join("copy 2")).unwrap();
    mirror.settle();
    mirror.check_watches();
}

#[test]
fn thousands_of_changes_at_once_are_found() {
    let watched = Watched::new(RootRules::default(), |_| {});
    let mut mirror = Mirror::new(&watched);
    (0..6000).for_each(|index| fs::write(watched.root.join(format!("{index}.wav")), "").unwrap());
    mirror.settle();
    assert_eq!(mirror.files.len(), 6000);
    (0..3000).for_each(|index| fs::remove_file(watched.root.join(format!("{index}.wav"))).unwrap());
    mirror.settle();
    assert_eq!(mirror.files.len(), 3000);
}
