//! File names of the Universal Category System: `CatID-UserCategory_FXName_CreatorID_SourceID….wav`.

/// What a file name of the Universal Category System says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UcsName {
    /// E.g. "DOORWood".
    pub cat_id: String,
    /// E.g. "DOORS".
    pub category: &'static str,
    /// E.g. "WOOD".
    pub subcategory: &'static str,
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
pub fn parse(_file_name: &str) -> Option<UcsName> {
    todo!()
}
