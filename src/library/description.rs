//! What the makers of a file wrote into it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Descriptive metadata of content, from whatever its format offers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Description {
    /// Title or name.
    pub title: Option<String>,
    /// What is to be heard or seen.
    pub text: Option<String>,
    /// Who made it.
    pub creator: Option<String>,
    /// UCS category, where the file says so itself.
    pub category: Option<String>,
    /// UCS subcategory, where the file says so itself.
    pub subcategory: Option<String>,
    /// Keywords, genres and tags, in order of appearance, without repetitions.
    pub keywords: Vec<String>,
    /// Every field as it was read, by its source and name, e.g. `bext.originator` or `exif.model`.
    pub fields: BTreeMap<String, String>,
}

impl Description {
    /// Every text in it, in no particular order: what a search in metadata looks at.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let named = [&self.title, &self.text, &self.creator, &self.category, &self.subcategory];
        let named = named.into_iter().filter_map(|text| text.as_deref());
        named.chain(self.keywords.iter().map(String::as_str)).chain(self.fields.values().map(String::as_str))
    }
}
