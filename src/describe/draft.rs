//! A description in the making: what the readers of the single sources find goes in here.
//!
//! Owns precedence between sources, the union of keywords, and the bounds on all of it. Invariant: whatever is put in,
//! in whatever amount, a draft takes bounded memory.

use std::collections::{BTreeMap, HashSet};

use super::text::{LONGEST_TEXT_BYTES, cut, trimmed};
use super::ucs;
use crate::library::Description;

/// More than any writer has; a file with more was made to be a burden.
const MOST_FIELDS: usize = 512;
const MOST_FIELD_BYTES: usize = 2 * 1024 * 1024;
const LONGEST_NAME_BYTES: usize = 64;
const MOST_KEYWORDS: usize = 512;
const LONGEST_KEYWORD_BYTES: usize = 256;

/// Where something is written, in order of precedence within each kind of media.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    /// iXML's block of the Audio Standards Working Group.
    Aswg,
    /// iXML's block for the user, where sound libraries keep theirs.
    IxmlUser,
    /// The broadcast extension chunk.
    Bext,
    /// The rest of iXML.
    Ixml,
    /// RIFF `LIST INFO`, and AIFF's text chunks.
    Info,
    Id3v2,
    Vorbis,
    Mp4,
    Ape,
    Id3v1,
    Iptc,
    Xmp,
    Exif,
    /// Comments of the picture format itself.
    Picture,
}

/// What a text says about the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Title,
    Text,
    Creator,
    Category,
    Subcategory,
    /// A CatID of the Universal Category System.
    CatId,
    Keywords,
}

/// What is known so far.
#[derive(Default)]
pub(super) struct Draft {
    fields: BTreeMap<String, String>,
    field_bytes: usize,
    title: Pick,
    text: Pick,
    creator: Pick,
    category: Pick,
    subcategory: Pick,
    cat_id: Pick,
    keywords: Vec<String>,
    known_keywords: HashSet<String>,
}

/// The text of the source of highest precedence; of several in one source, the first.
#[derive(Default)]
struct Pick(Option<(Source, String)>);

impl Pick {
    fn offer(&mut self, source: Source, text: &str) {
        if self.0.as_ref().is_none_or(|(best, _)| source < *best) {
            self.0 = Some((source, text.to_owned()));
        }
    }

    fn into_text(self) -> Option<String> {
        self.0.map(|(_, text)| text)
    }
}

impl Draft {
    /// Notes a field, and what it says about the content if `role` is known.
    pub(super) fn note(&mut self, source: Source, name: &str, role: Option<Role>, value: &str) {
        let Some(value) = trimmed(value) else { return };
        self.field(name, value);
        match role {
            Some(Role::Title) => self.title.offer(source, value),
            Some(Role::Text) => self.text.offer(source, value),
            Some(Role::Creator) => self.creator.offer(source, value),
            Some(Role::Category) => self.category.offer(source, value),
            Some(Role::Subcategory) => self.subcategory.offer(source, value),
            Some(Role::CatId) => self.cat_id.offer(source, value),
            Some(Role::Keywords) => self.keywords(value),
            None => {}
        }
    }

    /// A name that occurs again has all its values, separated by semicolons.
    fn field(&mut self, name: &str, value: &str) {
        let room = MOST_FIELD_BYTES - self.field_bytes;
        let name = field_name(name);
        if let Some(known) = self.fields.get_mut(&name) {
            let is_new = known.split("; ").all(|part| part != value);
            let room = room.min(LONGEST_TEXT_BYTES.saturating_sub(known.len()));
            if is_new && value.len() + 2 <= room {
                known.push_str("; ");
                known.push_str(value);
                self.field_bytes += value.len() + 2;
            }
        } else if self.fields.len() < MOST_FIELDS && name.len() + value.len() <= room {
            self.field_bytes += name.len() + value.len();
            self.fields.insert(name, value.to_owned());
        }
    }

    fn keywords(&mut self, list: &str) {
        for keyword in list.split([',', ';', '\0', '\n']).filter_map(trimmed) {
            if self.keywords.len() >= MOST_KEYWORDS {
                return;
            }
            let keyword = cut(keyword, LONGEST_KEYWORD_BYTES);
            if self.known_keywords.insert(keyword.to_lowercase()) {
                self.keywords.push(keyword.to_owned());
            }
        }
    }

    /// A CatID fills in the category or subcategory that the file does not spell out.
    pub(super) fn finish(self) -> Description {
        let (mut category, mut subcategory) = (self.category.into_text(), self.subcategory.into_text());
        let by_id = self.cat_id.into_text().and_then(|id| ucs::category_of(&id));
        if let Some((of_id, sub_of_id)) = by_id {
            if category.as_ref().is_none_or(|category| category.eq_ignore_ascii_case(of_id)) && subcategory.is_none() {
                subcategory = Some(sub_of_id.into_owned());
            }
            category.get_or_insert_with(|| of_id.to_owned());
        }
        Description {
            title: self.title.into_text(),
            text: self.text.into_text(),
            creator: self.creator.into_text(),
            category,
            subcategory,
            keywords: self.keywords,
            fields: self.fields,
        }
    }
}

/// Small letters, no white space or control characters, bounded.
fn field_name(name: &str) -> String {
    let name = cut(name, LONGEST_NAME_BYTES).chars().map(|c| if c.is_whitespace() { '_' } else { c });
    let name: String = name.filter(|c| !c.is_control()).collect();
    name.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_take_precedence_and_keywords_unite() {
        let mut draft = Draft::default();
        draft.note(Source::Info, "info.title", Some(Role::Title), "low");
        draft.note(Source::Bext, "bext.title", Some(Role::Title), " high ");
        draft.note(Source::Bext, "bext.title", Some(Role::Title), "second");
        draft.note(Source::Info, "info.keywords", Some(Role::Keywords), "Dog; bark,, dog\0wolf");
        draft.note(Source::Info, "Info.Big\tName", None, "x");
        draft.note(Source::Info, "info.empty", None, " \0");
        let description = draft.finish();
        assert_eq!(description.title.as_deref(), Some("high"));
        assert_eq!(description.keywords, ["Dog", "bark", "wolf"]);
        let fields: Vec<(&str, &str)> = description.fields.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let expected = [
            ("bext.title", "high; second"),
            ("info.big_name", "x"),
            ("info.keywords", "Dog; bark,, dog\0wolf"),
            ("info.title", "low"),
        ];
        assert_eq!(fields, expected);
    }

    #[test]
    fn a_cat_id_fills_the_gaps() {
        let check = |category: &str, subcategory: &str, expected: (&str, Option<&str>)| {
            let mut draft = Draft::default();
            draft.note(Source::Aswg, "id", Some(Role::CatId), "DOORWood");
            draft.note(Source::Aswg, "category", Some(Role::Category), category);
            draft.note(Source::Aswg, "subcategory", Some(Role::Subcategory), subcategory);
            let description = draft.finish();
            assert_eq!(
                (description.category.as_deref(), description.subcategory.as_deref()),
                (Some(expected.0), expected.1)
            );
        };
        check("", "", ("DOORS", Some("WOOD")));
        check("Doors", "", ("Doors", Some("WOOD")));
        check("", "OAK", ("DOORS", Some("OAK")));
        check("GATES", "", ("GATES", None));
    }

    #[test]
    fn memory_is_bounded() {
        let mut draft = Draft::default();
        let long = "word ".repeat(LONGEST_TEXT_BYTES);
        for index in 0..2000 {
            draft.note(Source::Info, &format!("info.{index}{long}"), Some(Role::Text), &long);
            draft.note(Source::Info, "info.same", None, &format!("{index}{long}"));
            draft.note(Source::Info, "info.k", Some(Role::Keywords), &format!("k{index} {long}"));
        }
        let description = draft.finish();
        let bytes = |text: &str| text.len();
        assert!(description.fields.iter().map(|(k, v)| bytes(k) + bytes(v)).sum::<usize>() <= MOST_FIELD_BYTES);
        assert!(description.fields.values().all(|value| value.len() <= LONGEST_TEXT_BYTES));
        assert!(description.fields.len() <= MOST_FIELDS);
        assert_eq!(description.keywords.len(), MOST_KEYWORDS);
        assert!(description.keywords.iter().all(|keyword| keyword.len() <= LONGEST_KEYWORD_BYTES));
    }
}
