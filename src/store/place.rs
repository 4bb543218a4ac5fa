//! Where the database lies: `store/N`, with N in the file `store/current`.
//!
//! Every database gets a number that none had before in this data directory, because sled writes to its path from
//! threads that outlive it: a database that takes the place of another one must not take its path. Replacing one is the
//! replacement of `current`; what it does not name was never finished or is done with, and goes when a store is opened.

use std::fs;
use std::path::{Path, PathBuf};

use super::StoreError;
use super::durable::{self, at};

const STORE: &str = "store";
const CURRENT: &str = "current";

/// The place of a data directory's databases.
#[derive(Debug, Clone)]
pub(super) struct Place {
    data_directory: PathBuf,
}

impl Place {
    pub(super) fn of(data_directory: &Path) -> Self {
        Self { data_directory: data_directory.into() }
    }

    /// The directory of all of them.
    pub(super) fn store(&self) -> PathBuf {
        self.data_directory.join(STORE)
    }

    /// The directory of one.
    pub(super) fn path(&self, number: u32) -> PathBuf {
        self.store().join(number.to_string())
    }

    /// The number of the one that counts; `None` if there is none.
    ///
    /// Should `current` be damaged, it is the lowest: the one before is kept until the next one is whole.
    pub(super) fn current(&self) -> Result<Option<u32>, StoreError> {
        let numbers = self.numbers()?;
        let named = durable::read(&self.store().join(CURRENT))?;
        let named = named.and_then(|bytes| std::str::from_utf8(&bytes).ok()?.trim_end().parse().ok());
        Ok(named.filter(|number| numbers.contains(number)).or_else(|| numbers.into_iter().min()))
    }

    /// A number that is not in use, above `last` and all that are there.
    pub(super) fn unused(&self, last: u32) -> Result<u32, StoreError> {
        Ok(self.numbers()?.into_iter().max().unwrap_or(0).max(last) + 1)
    }

    /// Makes one the one that counts; on disk when it returns.
    pub(super) fn make_current(&self, number: u32) -> Result<(), StoreError> {
        durable::replace(&self.store().join(CURRENT), format!("{number}\n").as_bytes())
    }

    /// Removes all but one.
    pub(super) fn remove_others(&self, kept: u32) -> Result<(), StoreError> {
        for number in self.numbers()?.into_iter().filter(|&number| number != kept) {
            let path = self.path(number);
            fs::remove_dir_all(&path).map_err(at(&path))?;
        }
        Ok(())
    }

    /// Renames the whole to `store.damaged-N`, and says to what.
    pub(super) fn set_aside(&self) -> Result<PathBuf, StoreError> {
        let named = |number| self.data_directory.join(format!("{STORE}.damaged-{number}"));
        let aside = (1u32..).map(named).find(|path| fs::symlink_metadata(path).is_err());
        let aside = aside.expect("no directory has four thousand million entries of one name");
        fs::rename(self.store(), &aside).map_err(at(&aside))?;
        durable::sync_directory(&self.data_directory)?;
        Ok(aside)
    }

    /// Bytes of everything in it.
    pub(super) fn size(&self) -> Result<u64, StoreError> {
        durable::size(&self.store())
    }

    fn numbers(&self) -> Result<Vec<u32>, StoreError> {
        let store = self.store();
        fs::create_dir_all(&store).map_err(at(&store))?;
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&store).map_err(at(&store))? {
            let name = entry.map_err(at(&store))?.file_name();
            numbers.extend(name.to_str().and_then(|name| name.parse::<u32>().ok()));
        }
        Ok(numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_named_one_counts_and_the_lowest_if_none_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let place = Place::of(directory.path());
        assert_eq!(place.current().unwrap(), None);
        fs::create_dir(place.path(9)).unwrap();
        fs::create_dir(place.path(10)).unwrap();
        assert_eq!((place.current().unwrap(), place.unused(3).unwrap()), (Some(9), 11));
        place.make_current(10).unwrap();
        assert_eq!(place.current().unwrap(), Some(10));
        for damaged in ["x", "", "7", "10 "] {
            fs::write(place.store().join(CURRENT), damaged).unwrap();
            let expected = if damaged == "10 " { 10 } else { 9 };
            assert_eq!(place.current().unwrap(), Some(expected), "{damaged:?}");
        }
        place.make_current(10).unwrap();
        place.remove_others(10).unwrap();
        assert_eq!((place.current().unwrap(), place.numbers().unwrap()), (Some(10), vec![10]));
        let aside = place.set_aside().unwrap();
        assert!(aside.ends_with("store.damaged-1") && aside.join("10").is_dir());
        fs::create_dir(place.store()).unwrap();
        assert!(place.set_aside().unwrap().ends_with("store.damaged-2"));
    }
}
