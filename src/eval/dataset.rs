//! Labelled sounds on disk, in the layouts that ESC-50, UrbanSound8K and folders of classes have.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A labelled set of sounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Prompts of the classes, in the order of their index.
    pub classes: Vec<String>,
    /// The sounds, in a fixed order.
    pub clips: Vec<Clip>,
    /// How its sounds are padded, cropped and scaled.
    pub protocol: EvalProtocol,
    /// Top-1 accuracy that AudioCLIP's authors report for the whole of it, as a fraction.
    pub published_top1: Option<f64>,
}

/// A labelled sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clip {
    /// The file.
    pub path: PathBuf,
    /// Index into the classes.
    pub class: usize,
    /// Fold that it belongs to, where there are folds.
    pub fold: Option<u32>,
}

/// Whose treatment of length and level applies (SPEC 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvalProtocol {
    /// Five seconds, mono.
    Esc50,
    /// Four seconds, two channels, stretched to full scale.
    Us8k,
}

/// Why a dataset cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// A file or directory cannot be read.
    #[error("{}: {source} (expected {expected})", path.display())]
    Io {
        /// What cannot be read.
        path: PathBuf,
        /// What the layout has there.
        expected: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The table of clips is not as the dataset has it.
    #[error("{}: {reason}", path.display())]
    Table {
        /// The table.
        path: PathBuf,
        /// What is wrong, and where.
        reason: String,
    },
    /// There is nothing to evaluate.
    #[error("{}: no clips{}", path.display(), if *folds { " in the given folds" } else { "" })]
    Empty {
        /// The root of the dataset.
        path: PathBuf,
        /// Whether folds were chosen.
        folds: bool,
    },
}

/// Columns of a table that say what a clip is.
struct Columns {
    file: &'static str,
    fold: &'static str,
    class: &'static str,
    label: &'static str,
}

impl Dataset {
    /// ESC-50: `meta/esc50.csv` and `audio/`.
    pub fn esc50(root: &Path) -> Result<Self, DatasetError> {
        let columns = Columns { file: "filename", fold: "fold", class: "target", label: "category" };
        let (classes, clips) =
            read_table(&root.join("meta/esc50.csv"), &columns, |file, _| root.join("audio").join(file))?;
        Ok(Self { classes, clips, protocol: EvalProtocol::Esc50, published_top1: Some(0.6940) })
    }

    /// UrbanSound8K: `metadata/UrbanSound8K.csv` and `audio/foldN/`.
    pub fn us8k(root: &Path) -> Result<Self, DatasetError> {
        let columns = Columns { file: "slice_file_name", fold: "fold", class: "classID", label: "class" };
        let (classes, clips) = read_table(&root.join("metadata/UrbanSound8K.csv"), &columns, |file, fold| {
            root.join("audio").join(format!("fold{fold}")).join(file)
        })?;
        Ok(Self { classes, clips, protocol: EvalProtocol::Us8k, published_top1: Some(0.6878) })
    }

    /// One directory a class, named `Class name` or `NNN - Class name`; a file named `F-…` belongs to fold F.
    pub fn folders(root: &Path) -> Result<Self, DatasetError> {
        let (mut classes, mut clips) = (Vec::new(), Vec::new());
        for directory in sorted_entries(root)?.into_iter().filter(|path| path.is_dir()) {
            let name = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let files = sorted_entries(&directory)?.into_iter().filter(|path| path.is_file());
            clips.extend(files.map(|path| Clip { fold: fold_of(&path), class: classes.len(), path }));
            let numbered =
                name.split_once(" - ").filter(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit()));
            classes.push(numbered.map_or(name.as_str(), |(_, label)| label).replace('_', " "));
        }
        Ok(Self { classes, clips, protocol: EvalProtocol::Esc50, published_top1: None })
    }

    /// Only the clips of `folds`, or all if there are none given. An error if that leaves nothing.
    pub fn restricted_to(mut self, folds: &[u32], root: &Path) -> Result<Self, DatasetError> {
        if !folds.is_empty() {
            self.clips.retain(|clip| clip.fold.is_some_and(|fold| folds.contains(&fold)));
        }
        if self.clips.is_empty() {
            return Err(DatasetError::Empty { path: root.into(), folds: !folds.is_empty() });
        }
        Ok(self)
    }
}

/// Visible entries of a directory, sorted by name.
fn sorted_entries(directory: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    let error = |source| DatasetError::Io { path: directory.into(), expected: "a directory of classes", source };
    let entries = std::fs::read_dir(directory).map_err(error)?.collect::<Result<Vec<_>, _>>().map_err(error)?;
    let visible = entries.iter().filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'));
    let mut paths: Vec<PathBuf> = visible.map(std::fs::DirEntry::path).collect();
    paths.sort();
    Ok(paths)
}

fn fold_of(path: &Path) -> Option<u32> {
    path.file_name()?.to_str()?.split_once('-')?.0.parse().ok()
}

/// Classes by index, with `_` as a space (SPEC 9), and the clips in the order of the table.
fn read_table(
    path: &Path,
    columns: &Columns,
    locate: impl Fn(&str, u32) -> PathBuf,
) -> Result<(Vec<String>, Vec<Clip>), DatasetError> {
    let expected = "the table of the dataset; is --root its top directory?";
    let text =
        std::fs::read_to_string(path).map_err(|source| DatasetError::Io { path: path.into(), expected, source })?;
    let wrong = |line: usize, reason: String| DatasetError::Table {
        path: path.into(),
        reason: format!("line {line}: {reason}"),
    };
    let mut lines = text.lines().enumerate();
    let header: Vec<&str> =
        lines.next().map_or("", |(_, line)| line).trim_start_matches('\u{feff}').split(',').collect();
    let column = |name: &str| {
        let position = header.iter().position(|title| *title == name);
        position.ok_or_else(|| wrong(1, format!("no column {name}, found {}", header.join(", "))))
    };
    let (file, fold) = (column(columns.file)?, column(columns.fold)?);
    let (class, label) = (column(columns.class)?, column(columns.label)?);
    let mut labels = BTreeMap::new();
    let mut clips = Vec::new();
    for (index, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let cells: Vec<&str> = line.split(',').collect();
        let cell = |column: usize| {
            let found = cells.get(column).copied();
            found.ok_or_else(|| wrong(index + 1, format!("{} cells, expected {}", cells.len(), header.len())))
        };
        let number = |column: usize| {
            let text = cell(column)?;
            text.parse::<u32>()
                .map_err(|_| wrong(index + 1, format!("{} is {text:?}, expected a number", header[column])))
        };
        let (fold, class) = (number(fold)?, number(class)?);
        labels.insert(class, cell(label)?.replace('_', " "));
        clips.push((locate(cell(file)?, fold), class, fold));
    }
    let order: Vec<u32> = labels.keys().copied().collect();
    let position = |class| order.binary_search(&class).expect("every clip's class was entered");
    let clips = clips.into_iter().map(|(path, class, fold)| Clip { path, class: position(class), fold: Some(fold) });
    let clips = clips.collect();
    Ok((labels.into_values().collect(), clips))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, file: &str, content: &str) {
        let path = root.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    #[test]
    fn reads_esc50s_table() {
        let root = tempfile::tempdir().unwrap();
        let table = "filename,fold,target,category,esc10,src_file,take\n\
                     1-1-A-9.wav,1,9,crying_baby,False,1,A\n5-2-B-0.wav,5,0,dog,True,2,B\n";
        write(root.path(), "meta/esc50.csv", table);
        let dataset = Dataset::esc50(root.path()).unwrap();
        assert_eq!(dataset.classes, ["dog", "crying baby"]);
        let audio = root.path().join("audio");
        let clip = |file, class, fold| Clip { path: audio.join(file), class, fold: Some(fold) };
        assert_eq!(dataset.clips, [clip("1-1-A-9.wav", 1, 1), clip("5-2-B-0.wav", 0, 5)]);
        let fold = dataset.clone().restricted_to(&[5], root.path()).unwrap();
        assert_eq!(fold.clips, [clip("5-2-B-0.wav", 0, 5)]);
        assert_eq!(fold.classes, dataset.classes);
        let error = dataset.restricted_to(&[3], root.path()).unwrap_err().to_string();
        assert!(error.ends_with("no clips in the given folds"), "{error}");
    }

    #[test]
    fn reads_urbansound8ks_table() {
        let root = tempfile::tempdir().unwrap();
        let table = "slice_file_name,fsID,start,end,salience,fold,classID,class\n7-1-0-0.wav,7,0,1.2,1,10,1,car_horn\n";
        write(root.path(), "metadata/UrbanSound8K.csv", table);
        let dataset = Dataset::us8k(root.path()).unwrap();
        assert_eq!(dataset.classes, ["car horn"]);
        assert_eq!(dataset.clips[0].path, root.path().join("audio/fold10/7-1-0-0.wav"));
    }

    #[test]
    fn reads_folders_of_classes() {
        let root = tempfile::tempdir().unwrap();
        for file in ["001 - Dog bark/4-1-A.ogg", "001 - Dog bark/1-2-A.ogg", "sea_waves/x.wav", "notes.txt", ".git/x"] {
            write(root.path(), file, "");
        }
        let dataset = Dataset::folders(root.path()).unwrap();
        assert_eq!(dataset.classes, ["Dog bark", "sea waves"]);
        let found: Vec<_> = dataset.clips.iter().map(|clip| (clip.class, clip.fold)).collect();
        assert_eq!(found, [(0, Some(1)), (0, Some(4)), (1, None)]);
    }

    #[test]
    fn says_where_a_table_is_wrong() {
        let check = |table: &str, expected: &str| {
            let root = tempfile::tempdir().unwrap();
            write(root.path(), "meta/esc50.csv", table);
            let error = Dataset::esc50(root.path()).unwrap_err().to_string();
            assert!(error.contains(expected), "{expected:?} in {error:?}");
        };
        check("", "line 1: no column filename");
        check("filename,fold,target,category\nx.wav,one,0,dog\n", "line 2: fold is \"one\", expected a number");
        check("filename,fold,target,category\n\nx.wav,1\n", "line 3: 2 cells, expected 4");
        let error = Dataset::esc50(Path::new("/nonexistent")).unwrap_err().to_string();
        assert!(error.contains("meta/esc50.csv") && error.contains("--root"), "{error}");
    }
}
