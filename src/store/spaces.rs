//! Which space counts, and where those are kept that were set aside.
//!
//! The first space of a data directory has its store in the directory itself, every later one in `spaces/ID`, laid out
//! alike. The file `space` names the one that counts; without that file the first does. To switch is to replace the
//! file: a kill at any time leaves one of them whole, and nothing is ever moved. Root ids and the count of embeddings
//! go on from one store to the next, because they are the library's and not the space's.

use std::fs;
use std::path::{Path, PathBuf};

use super::changes::Changes;
use super::commit;
use super::durable::{self, at};
use super::place::Place;
use super::roots_file::{Found, RootsFile};
use super::state::State;
use super::{Batch, DirectoryLock, Recovery, Store, StoreError, codec, keys, ledger, roots_file};
use crate::embedding::SpaceId;
use crate::library::{FileKey, Root, RootId};

const NAMED: &str = "space";
const SPACES: &str = "spaces";

/// A store that does not count at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// The space of its vectors, as far as it can be told.
    pub space: Option<SpaceId>,
    /// Where it is.
    pub directory: PathBuf,
    /// Bytes on disk.
    pub bytes: u64,
}

/// The homes of a data directory's stores.
#[derive(Debug, Clone)]
pub(super) struct Spaces {
    data_directory: PathBuf,
}

impl Spaces {
    pub(super) fn of(data_directory: &Path) -> Self {
        Self { data_directory: data_directory.into() }
    }

    /// The space that is named as the one that counts; `None` if it is the first.
    pub(super) fn named(&self) -> Result<Option<SpaceId>, StoreError> {
        let path = self.data_directory.join(NAMED);
        let Some(bytes) = durable::read(&path)? else { return Ok(None) };
        let space = std::str::from_utf8(&bytes).ok().and_then(|text| SpaceId::from_hex(text.strip_suffix('\n')?));
        let home = space.as_ref().map(|space| self.own_home(space));
        match home {
            None => Err(StoreError::NoSpace { path, reason: "is damaged, expected the 64 digits of a space".into() }),
            Some(home) if !home.is_dir() => {
                Err(StoreError::NoSpace { path, reason: format!("names {}, which is gone", home.display()) })
            }
            Some(_) => Ok(space),
        }
    }

    /// Where the store lies that counts if this is named.
    pub(super) fn home(&self, named: Option<&SpaceId>) -> PathBuf {
        named.map_or_else(|| self.data_directory.clone(), |space| self.own_home(space))
    }

    /// What is to be named so that this space counts.
    fn name_of(&self, space: &SpaceId) -> Result<Option<SpaceId>, StoreError> {
        let is_first = self.first()?.as_ref() == Some(space);
        Ok((!is_first).then(|| space.clone()))
    }

    /// Makes it count; on disk when it returns.
    fn name(&self, named: Option<&SpaceId>) -> Result<(), StoreError> {
        let path = self.data_directory.join(NAMED);
        match named {
            Some(space) => durable::replace(&path, format!("{space}\n").as_bytes()),
            None => {
                fs::remove_file(&path).map_err(at(&path))?;
                durable::sync_directory(&self.data_directory)
            }
        }
    }

    /// Makes the directory of a space last.
    fn make_home(&self, home: &Path) -> Result<(), StoreError> {
        fs::create_dir_all(home).map_err(at(home))?;
        durable::sync_directory(&self.data_directory.join(SPACES))?;
        durable::sync_directory(&self.data_directory)
    }

    /// The stores that do not count.
    pub(super) fn set_aside(&self, named: Option<&SpaceId>) -> Result<Vec<SetAside>, StoreError> {
        let mut all = Vec::new();
        if named.is_some() {
            all.push(SetAside { space: self.first()?, directory: self.data_directory.clone(), bytes: 0 });
        }
        let spaces = self.data_directory.join(SPACES);
        let entries = match fs::read_dir(&spaces) {
            Ok(entries) => entries.collect::<Result<Vec<_>, _>>().map_err(at(&spaces))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(at(&spaces)(error)),
        };
        let own = entries.iter().filter_map(|entry| SpaceId::from_hex(entry.file_name().to_str()?));
        let others = own.filter(|space| Some(space) != named);
        all.extend(others.map(|space| SetAside { directory: self.own_home(&space), space: Some(space), bytes: 0 }));
        for store in &mut all {
            store.bytes = disk_bytes(&store.directory)?;
        }
        all.sort_by(|a, b| a.space.cmp(&b.space));
        Ok(all)
    }

    /// The first space, by the file of its roots.
    fn first(&self) -> Result<Option<SpaceId>, StoreError> {
        Ok(match RootsFile::read(&self.data_directory)? {
            Found::Whole(file) => file.space,
            Found::Damaged | Found::Nothing => None,
        })
    }

    fn own_home(&self, space: &SpaceId) -> PathBuf {
        self.data_directory.join(SPACES).join(space.as_str())
    }
}

/// Bytes of the store in a home.
pub(super) fn disk_bytes(home: &Path) -> Result<u64, StoreError> {
    Ok(Place::of(home).size()? + ledger::size(home)? + roots_file::size(home)?)
}

impl Store {
    /// Has another space count from now on: its store of earlier, or a new one, with this one's roots. This one is set
    /// aside as it is. What was done is told in [`Recovery`].
    ///
    /// # Errors
    /// [`StoreError`]; then this one still counts.
    pub fn switch(self, lock: &DirectoryLock, space: &SpaceId) -> Result<(Self, Recovery), StoreError> {
        let spaces = self.inner.spaces.clone();
        let (named, old) = (spaces.name_of(space)?, self.inner.now().clone());
        let home = spaces.home(named.as_ref());
        if named.is_some() {
            spaces.make_home(&home)?;
        }
        let (store, mut recovery) = Self::open_home(lock, spaces.clone(), named.clone())?;
        store.adopt(space, &old.roots, old.state)?;
        spaces.name(named.as_ref())?;
        let (left, known) = (old.state.totals.files, store.totals().files);
        let of = old.space.map_or_else(|| "no space".into(), |space| format!("space {}", short(&space)));
        recovery.notes.push(format!(
            "switched to another model, of space {}: {}; the vectors of {of} stay in {} until their model is used \
             again",
            short(space),
            if known > 0 {
                format!("what it knows of {known} files is taken up again, and changes since then are embedded")
            } else {
                format!("everything is embedded again in the background, {left} files")
            },
            self.inner.directory.display()
        ));
        Ok((store, recovery))
    }

    /// Takes over roots and counts from the store that counted before.
    fn adopt(&self, space: &SpaceId, roots: &[Root], old: State) -> Result<(), StoreError> {
        let mut writer = self.inner.writer()?;
        let database = self.inner.database();
        let now = self.inner.now().clone();
        if let Some(stored) = now.space.filter(|stored| stored != space) {
            return Err(StoreError::OtherSpace { stored, model: space.clone() });
        }
        let gone = |id: &RootId| !roots.iter().any(|root| root.id == *id);
        let dropped: Vec<RootId> = now.roots.iter().map(|root| root.id).filter(gone).collect();
        let files = self.files().filter(|file| file.as_ref().map_or(true, |(key, _)| dropped.contains(&key.root)));
        let files = files.map(|file| file.map(|(key, _)| key)).collect::<Result<Vec<FileKey>, _>>()?;
        let mut changes = Changes::new(&database, now.state);
        changes.put(keys::SPACE.to_vec(), codec::encode_space(space))?;
        // The ids of what is new here were given out elsewhere.
        changes.state.next_root = 1;
        let batch = Batch { put_roots: roots.to_vec(), delete_roots: dropped, delete_files: files, ..Batch::default() };
        let mut outcome = commit::plan(&mut changes, &writer.known, batch)?;
        changes.state.next_root = changes.state.next_root.max(now.state.next_root).max(old.next_root);
        let embedded = &mut changes.state.totals.embedded_total;
        *embedded = (*embedded).max(old.totals.embedded_total);
        self.inner.write(&mut writer, &database, changes, &mut outcome, Some(space))
    }

    /// The stores of other spaces, that were switched away from.
    pub fn set_aside(&self) -> Result<Vec<SetAside>, StoreError> {
        self.inner.spaces.set_aside(self.inner.named.as_ref())
    }
}

/// Enough of a space to tell it from others.
fn short(space: &SpaceId) -> &str {
    &space.as_str()[..12]
}
