//! What a scan says against what is remembered: pure, so that every case is a test.
//!
//! Invariant: a file is only taken for deleted when the folder it was in can be seen and belongs to the same disk as
//! the file did. Anything else may be an unmounted disk, which must not cost anybody a library.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::library::{FileKey, FileRecord, FileStat, FileState, RelativePath, RootId};
use crate::watch::ScanReport;

/// What follows from a scan.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Difference {
    /// To be read: unknown, or changed.
    pub(super) read: Vec<(FileKey, FileStat)>,
    /// Another name for what is remembered: from, to, and the record under the new name.
    pub(super) moved: Vec<(FileKey, FileKey, FileRecord)>,
    /// Another name beside the one that is remembered: a hard link.
    pub(super) linked: Vec<(FileKey, FileRecord)>,
    /// Deleted.
    pub(super) gone: Vec<FileKey>,
    /// Not to be seen, and perhaps on a disk that is not there.
    pub(super) withheld: usize,
    /// Remembered, and still there.
    pub(super) present: usize,
}

/// What the comparison asks the disk.
pub(super) trait Disk {
    /// The device of the nearest folder above a file that is there.
    fn device_above(&mut self, path: &RelativePath) -> Option<u64>;
    /// Whether something is at a file's path.
    fn exists(&mut self, key: &FileKey) -> bool;
}

/// Compares a scan at or below a path of a root with the files remembered there, and with all files remembered by
/// inode.
pub(super) fn compare(
    root: RootId,
    report: &ScanReport,
    remembered: &BTreeMap<RelativePath, FileRecord>,
    by_inode: &HashMap<(u64, u64), Vec<(FileKey, FileRecord)>>,
    disk: &mut dyn Disk,
) -> Difference {
    let mut difference = Difference::default();
    let found: HashSet<&RelativePath> = report.files.iter().map(|(path, _)| path).collect();
    let mut devices: HashMap<u64, u64> = HashMap::new();
    let mut left: HashSet<FileKey> = HashSet::new();
    for (path, stat) in &report.files {
        let key = FileKey { root, path: path.clone() };
        match remembered.get(path) {
            Some(record) if record.stat.same_content(stat) => {
                difference.present += 1;
                if let (Some((then, _)), Some((now, _))) = (record.stat.inode, stat.inode) {
                    devices.insert(then, now);
                }
            }
            Some(_) => {
                difference.present += 1;
                difference.read.push((key, *stat));
            }
            None => match known_elsewhere(stat, by_inode, &left) {
                Some((from, record)) => {
                    let record = FileRecord { stat: *stat, state: record.state.clone() };
                    let same_scan = from.root == root && found.contains(&from.path);
                    if same_scan || disk.exists(from) {
                        difference.linked.push((key, record));
                    } else {
                        left.insert(from.clone());
                        difference.moved.push((from.clone(), key, record));
                    }
                }
                None => difference.read.push((key, *stat)),
            },
        }
    }
    for (path, record) in remembered {
        let key = FileKey { root, path: path.clone() };
        if found.contains(path) || left.contains(&key) {
            continue;
        }
        let hidden = report.unreadable.iter().any(|(folder, _)| path.starts_with(folder));
        if !hidden && same_disk(path, record, &devices, disk) {
            difference.gone.push(key);
        } else {
            difference.withheld += 1;
        }
    }
    difference
}

/// A remembered file with this inode, size and time, whose name was not given to another one yet.
fn known_elsewhere<'a>(
    stat: &FileStat,
    by_inode: &'a HashMap<(u64, u64), Vec<(FileKey, FileRecord)>>,
    left: &HashSet<FileKey>,
) -> Option<&'a (FileKey, FileRecord)> {
    let candidates = by_inode.get(&stat.inode?)?;
    let usable = |(key, record): &&(FileKey, FileRecord)| {
        record.stat.same_content(stat) && matches!(record.state, FileState::Indexed(_)) && !left.contains(key)
    };
    candidates.iter().find(usable)
}

/// Whether the folder that a missing file was in is on the disk that the file was on.
fn same_disk(path: &RelativePath, record: &FileRecord, devices: &HashMap<u64, u64>, disk: &mut dyn Disk) -> bool {
    let Some((then, _)) = record.stat.inode else { return true };
    // Numbers of devices may change when a disk is mounted again: files that are still there tell how.
    let expected = devices.get(&then).copied().unwrap_or(then);
    disk.device_above(path).is_some_and(|device| device == expected || device == then)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::library::AssetId;

    const ROOT: RootId = RootId(1);
    const DEVICE: u64 = 7;

    /// A disk on which every folder is on one device, and some files exist.
    struct FakeDisk {
        device: u64,
        exist: Vec<&'static str>,
    }

    impl Disk for FakeDisk {
        fn device_above(&mut self, _: &RelativePath) -> Option<u64> {
            Some(self.device)
        }

        fn exists(&mut self, key: &FileKey) -> bool {
            self.exist.iter().any(|path| key.path == relative(path))
        }
    }

    fn relative(path: &str) -> RelativePath {
        RelativePath::new(Path::new(path)).unwrap()
    }

    fn key(path: &str) -> FileKey {
        FileKey { root: ROOT, path: relative(path) }
    }

    fn stat(inode: u64, time: i64) -> FileStat {
        FileStat { size: 10, modified_ns: time, inode: Some((DEVICE, inode)) }
    }

    fn indexed(stat: FileStat) -> FileRecord {
        FileRecord { stat, state: FileState::Indexed(AssetId::from_hash([1; 32])) }
    }

    /// Compares what is remembered, name and inode, with what is found.
    fn check(remembered: &[(&str, FileStat)], found: &[(&str, FileStat)], disk: FakeDisk) -> Difference {
        let report = ScanReport {
            files: found.iter().map(|(path, stat)| (relative(path), *stat)).collect(),
            ..ScanReport::default()
        };
        against(&report, remembered, disk)
    }

    fn against(report: &ScanReport, remembered: &[(&str, FileStat)], mut disk: FakeDisk) -> Difference {
        let known: BTreeMap<_, _> = remembered.iter().map(|(path, stat)| (relative(path), indexed(*stat))).collect();
        let mut by_inode: HashMap<_, Vec<_>> = HashMap::new();
        for (path, stat) in remembered {
            by_inode.entry(stat.inode.unwrap()).or_default().push((key(path), indexed(*stat)));
        }
        compare(ROOT, report, &known, &by_inode, &mut disk)
    }

    fn disk(exist: &[&'static str]) -> FakeDisk {
        FakeDisk { device: DEVICE, exist: exist.to_vec() }
    }

    #[test]
    fn new_and_changed_files_are_read_and_others_are_not() {
        let got = check(
            &[("same", stat(1, 1)), ("changed", stat(2, 1))],
            &[("changed", stat(2, 2)), ("new", stat(3, 1)), ("same", stat(1, 1))],
            disk(&[]),
        );
        assert_eq!(got.read, [(key("changed"), stat(2, 2)), (key("new"), stat(3, 1))]);
        assert_eq!((got.present, got.gone.len(), got.moved.len()), (2, 0, 0));
    }

    #[test]
    fn a_rename_is_told_by_the_inode() {
        let got = check(&[("a/x", stat(1, 1))], &[("b/x", stat(1, 1))], disk(&[]));
        assert_eq!(got.moved, [(key("a/x"), key("b/x"), indexed(stat(1, 1)))]);
        assert_eq!((got.gone.len(), got.read.len()), (0, 0));
        // An inode that was used again is another file.
        let got = check(&[("a/x", stat(1, 1))], &[("b/x", stat(1, 2))], disk(&[]));
        assert_eq!((got.moved.len(), got.read.len(), got.gone.len()), (0, 1, 1));
    }

    #[test]
    fn a_hard_link_is_another_name() {
        let got = check(&[("a", stat(1, 1))], &[("a", stat(1, 1)), ("b", stat(1, 1))], disk(&["a"]));
        assert_eq!(got.linked, [(key("b"), indexed(stat(1, 1)))]);
        assert_eq!((got.moved.len(), got.gone.len()), (0, 0));
    }

    #[test]
    fn one_name_is_left_once_only() {
        let got = check(&[("a", stat(1, 1))], &[("b", stat(1, 1)), ("c", stat(1, 1))], disk(&[]));
        assert_eq!((got.moved.len(), got.read.len(), got.gone.len()), (1, 1, 0));
    }

    #[test]
    fn deleted_is_only_what_was_on_the_disk_that_can_be_seen() {
        let remembered = [("a", stat(1, 1)), ("b", stat(2, 1))];
        let got = check(&remembered, &[("a", stat(1, 1))], disk(&[]));
        assert_eq!((got.gone, got.withheld), (vec![key("b")], 0));
        let unmounted = FakeDisk { device: DEVICE + 1, exist: Vec::new() };
        let got = check(&remembered, &[], unmounted);
        assert_eq!((got.gone.len(), got.withheld), (0, 2));
        // Mounted again under another number, which the file that is still there tells.
        let again = FileStat { inode: Some((DEVICE + 1, 1)), ..stat(1, 1) };
        let got = check(&remembered, &[("a", again)], FakeDisk { device: DEVICE + 1, exist: Vec::new() });
        assert_eq!((got.gone, got.withheld), (vec![key("b")], 0));
    }

    #[test]
    fn what_is_below_an_unreadable_folder_stays() {
        let report = ScanReport { unreadable: vec![(relative("a"), "no".into())], ..ScanReport::default() };
        let got = against(&report, &[("a/x", stat(1, 1)), ("ab", stat(2, 1))], disk(&[]));
        assert_eq!((got.gone, got.withheld), (vec![key("ab")], 1));
    }
}
