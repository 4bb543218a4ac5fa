//! File names of the Universal Category System: `CatID-UserCategory_FXName_CreatorID_SourceID….wav`.
//!
//! Owns the list of CatIDs, `ucs.tsv`: all 753 of version 8.2 in their 82 categories (the list is in the public
//! domain). Invariant: a name that a person gave without the system in mind is not taken for one of its. What looks
//! like a CatID by accident (`Rain`, `MIX`, `Birdsong`) therefore counts only if the rest of the name has the system's
//! form.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

/// One CatID a line: CatID, category, subcategory, separated by tabs.
const LIST: &str = include_str!("ucs.tsv");

/// What a file name of the Universal Category System says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UcsName {
    /// E.g. "DOORWood", spelt as in the list.
    pub cat_id: String,
    /// E.g. "DOORS".
    pub category: &'static str,
    /// E.g. "WOOD"; for a CatID of another version of the list, its end in capitals.
    pub subcategory: Cow<'static, str>,
    /// The optional part behind the CatID.
    pub user_category: Option<String>,
    /// The name of the effect.
    pub fx_name: Option<String>,
    /// Who made it.
    pub creator_id: Option<String>,
    /// The library or show that it is from.
    pub source_id: Option<String>,
}

/// Reads a file name; `None` if it does not start with a CatID of the system's list.
///
/// A CatID in the list's own spelling with both capitals and small letters stands for itself. One that is a plain word,
/// is spelt otherwise, or is not in the list although its category is, must be followed by an effect's name, a creator
/// and a source.
pub fn parse(file_name: &str) -> Option<UcsName> {
    let stem = file_name.rsplit_once('.').map_or(file_name, |(stem, _)| stem);
    let mut parts = stem.split('_').map(str::trim);
    let head = parts.next()?;
    let (cat_id, user_category) =
        head.split_once('-').map_or((head, None), |(id, user)| (id.trim(), Some(user.trim())));
    let mut next = || parts.next().filter(|part| !part.is_empty());
    let (fx_name, creator_id, source_id) = (next(), next(), next());
    let is_complete = fx_name.is_some() && source_id.is_some() && creator_id.is_some_and(has_letter);

    let entry = match find(cat_id) {
        Some(entry) if is_complete || entry.is_unmistakable(cat_id) => Some(entry),
        Some(_) => None,
        None if is_complete => of_another_version(cat_id),
        None => None,
    }?;
    let owned = |part: Option<&str>| part.filter(|part| !part.is_empty()).map(str::to_owned);
    Some(UcsName {
        cat_id: entry.cat_id.to_owned(),
        category: entry.category,
        subcategory: entry.subcategory,
        user_category: owned(user_category),
        fx_name: owned(fx_name),
        creator_id: owned(creator_id),
        source_id: owned(source_id),
    })
}

/// Category and subcategory of a CatID of the list, however it is capitalised.
pub(super) fn category_of(cat_id: &str) -> Option<(&'static str, Cow<'static, str>)> {
    find(cat_id).map(|entry| (entry.category, entry.subcategory))
}

#[derive(Clone)]
struct Entry<'a> {
    cat_id: &'a str,
    category: &'static str,
    subcategory: Cow<'static, str>,
}

impl Entry<'_> {
    /// Whether `written` is the list's spelling, and no word that people write anyway.
    fn is_unmistakable(&self, written: &str) -> bool {
        self.cat_id == written && written.contains(|c: char| c.is_ascii_lowercase())
    }
}

fn entries() -> impl Iterator<Item = Entry<'static>> {
    LIST.lines().filter_map(|line| {
        let mut columns = line.split('\t');
        let (cat_id, category) = (columns.next()?, columns.next()?);
        Some(Entry { cat_id, category, subcategory: Cow::Borrowed(columns.next()?) })
    })
}

/// By CatID in small letters.
static BY_CAT_ID: LazyLock<HashMap<String, Entry<'static>>> =
    LazyLock::new(|| entries().map(|entry| (entry.cat_id.to_ascii_lowercase(), entry)).collect());

/// Categories by the capitals that their CatIDs begin with.
static BY_SHORT: LazyLock<HashMap<&'static str, &'static str>> =
    LazyLock::new(|| entries().filter_map(|entry| Some((split(entry.cat_id)?.0, entry.category))).collect());

fn find(cat_id: &str) -> Option<Entry<'static>> {
    BY_CAT_ID.get(&cat_id.to_ascii_lowercase()).cloned()
}

/// A CatID that the list does not have, of a category that it has.
fn of_another_version(cat_id: &str) -> Option<Entry<'_>> {
    let (short, rest) = split(cat_id)?;
    let category = BY_SHORT.get(short)?;
    Some(Entry { cat_id, category, subcategory: Cow::Owned(rest.to_ascii_uppercase()) })
}

/// The capitals of a CatID, and its end: one capital and small letters.
fn split(cat_id: &str) -> Option<(&str, &str)> {
    let small = cat_id.find(|c: char| !c.is_ascii_uppercase())?;
    let (short, rest) = cat_id.split_at_checked(small.checked_sub(1)?)?;
    let is_end = rest.bytes().skip(1).all(|byte| byte.is_ascii_lowercase());
    (is_end && (2..=5).contains(&short.len())).then_some((short, rest))
}

fn has_letter(part: &str) -> bool {
    part.contains(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn name(cat_id: &str, category: &'static str, subcategory: &'static str, rest: [Option<&str>; 4]) -> UcsName {
        let [user_category, fx_name, creator_id, source_id] = rest.map(|part| part.map(str::to_owned));
        let (cat_id, subcategory) = (cat_id.to_owned(), Cow::Borrowed(subcategory));
        UcsName { cat_id, category, subcategory, user_category, fx_name, creator_id, source_id }
    }

    #[test]
    fn names_of_the_system_are_read() {
        #[track_caller]
        fn check(file_name: &str, expected: &UcsName) {
            assert_eq!(parse(file_name).as_ref(), Some(expected));
        }
        let creak = [None, Some("Creak Old"), Some("ABC"), Some("LIB01")];
        check("DOORWood_Creak Old_ABC_LIB01.wav", &name("DOORWood", "DOORS", "WOOD", creak));
        check("DOORWood_Creak Old_ABC_LIB01_48k_MS.wav", &name("DOORWood", "DOORS", "WOOD", creak));
        check("doorwood_Creak Old_ABC_LIB01.wav", &name("DOORWood", "DOORS", "WOOD", creak));
        check("DOORZzz_Creak Old_ABC_LIB01.wav", &name("DOORZzz", "DOORS", "ZZZ", creak));
        check("RAIN_Creak Old_ABC_LIB01.wav", &name("RAIN", "RAIN", "GENERAL", creak));
        let exterior = [Some("EXT"), Some("Gun-Burst.long"), Some("ABC"), Some("LIB")];
        check("GUNAuto-EXT_Gun-Burst.long_ABC_LIB.flac", &name("GUNAuto", "GUNS", "AUTOMATIC", exterior));
        check("AMBForst_Dawn.wav", &name("AMBForst", "AMBIENCE", "FOREST", [None, Some("Dawn"), None, None]));
        check("UIClick.ogg", &name("UIClick", "USER INTERFACE", "CLICK", [None; 4]));
    }

    #[test]
    fn ordinary_names_are_left_alone() {
        let ordinary = [
            "IMG_1234.jpg",
            "Rain_forest.wav",
            "RAIN_01.wav",
            "rain.wav",
            "Birdsong_morning.wav",
            "TEST_1_2_3.wav",
            "DSC_0001_b_c.jpg",
            "DOORWoods_a.wav",
            "DOORZzz_creak.wav",
            "MIXDown_a_b_c.wav",
            "ZZZZWood_a_b_c.wav",
            "Wood_a_b_c.wav",
            "_a_b_c.wav",
            "ÄÖÜBlow_a_b_c.wav",
            "-_-_-_-",
            ".wav",
            "",
        ];
        for file_name in ordinary {
            assert_eq!(parse(file_name), None, "{file_name}");
        }
    }

    #[test]
    fn the_list_is_whole() {
        assert_eq!(LIST.lines().count(), 753);
        assert_eq!(entries().count(), 753);
        assert_eq!(BY_CAT_ID.len(), 753);
        assert_eq!(entries().map(|entry| entry.category).collect::<BTreeSet<_>>().len(), 82);
        // ARCHIVED, SWOOSHES and WEATHER have no common beginning.
        assert_eq!(BY_SHORT.len(), 79);
        for entry in entries() {
            assert!(entry.cat_id.bytes().all(|byte| byte.is_ascii_alphabetic()), "{}", entry.cat_id);
            assert!(!entry.category.is_empty() && !entry.subcategory.is_empty(), "{}", entry.cat_id);
        }
    }
}
