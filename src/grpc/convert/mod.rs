//! The one place where wire types become ours and ours become wire types.
//!
//! Inwards, everything is checked, and what makes no sense is [`Malformed`]; outwards, nothing can fail. Pure: neither
//! the library nor the clock is asked.

mod answer;
mod fields;
mod filter;
mod library;
mod query;

pub(super) use answer::{facts, response, span};
pub(super) use fields::HitFields;
pub(super) use filter::filter;
pub(super) use library::{asset, event, failure, index_stats, progress, root, root_rules, set_aside};
pub(super) use query::{Asked, QueryLimits, query};

use super::proto;
use super::status::Malformed;
use crate::library::AssetId;
use crate::media::MediaKind;

/// Longest text of a request, be it a prompt, a path or a glob.
pub(super) const LONGEST_TEXT_BYTES: usize = 16 * 1024;
/// Most items of a list in a filter or in rules.
const MOST_ITEMS: usize = 1_000;

/// A kind of media that was named.
pub(super) fn kind(field: &str, wire: i32) -> Result<MediaKind, Malformed> {
    match proto::MediaKind::try_from(wire) {
        Ok(proto::MediaKind::Audio) => Ok(MediaKind::Audio),
        Ok(proto::MediaKind::Image) => Ok(MediaKind::Image),
        Ok(proto::MediaKind::Unspecified) => Err(Malformed::new(field, "is unspecified, expected audio or image")),
        Err(_) => Err(Malformed::new(field, format!("is {wire}, expected MEDIA_KIND_AUDIO or MEDIA_KIND_IMAGE"))),
    }
}

/// A kind of media on the wire.
fn wire_kind(kind: MediaKind) -> i32 {
    let wire = match kind {
        MediaKind::Audio => proto::MediaKind::Audio,
        MediaKind::Image => proto::MediaKind::Image,
    };
    wire.into()
}

/// Kinds of media, without repetitions.
fn kinds(field: &str, wire: &[i32]) -> Result<Vec<MediaKind>, Malformed> {
    let mut kinds = Vec::new();
    for (index, &wire) in wire.iter().enumerate() {
        let kind = kind(&format!("{field}[{index}]"), wire)?;
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    Ok(kinds)
}

/// The id of an asset.
pub(super) fn asset_id(field: &str, text: &str) -> Result<AssetId, Malformed> {
    text.parse().map_err(|error: crate::library::MalformedAssetId| Malformed::new(field, error.to_string()))
}

/// A text that says something, and not too much.
pub(super) fn text(field: &str, text: &str) -> Result<(), Malformed> {
    if text.trim().is_empty() {
        return Err(Malformed::new(field, "is empty"));
    }
    short(field, text)
}

/// A text that may be empty.
pub(super) fn short(field: &str, text: &str) -> Result<(), Malformed> {
    let bytes = text.len();
    if bytes > LONGEST_TEXT_BYTES {
        return Err(Malformed::new(field, format!("has {bytes} bytes, the limit is {LONGEST_TEXT_BYTES}")));
    }
    Ok(())
}

/// A list that is not too long.
fn few<T>(field: &str, items: &[T]) -> Result<(), Malformed> {
    let count = items.len();
    if count > MOST_ITEMS {
        return Err(Malformed::new(field, format!("has {count} items, the limit is {MOST_ITEMS}")));
    }
    Ok(())
}

/// Texts that say something.
fn texts(field: &str, texts: &[String]) -> Result<(), Malformed> {
    few(field, texts)?;
    texts.iter().enumerate().try_for_each(|(index, item)| text(&format!("{field}[{index}]"), item))
}

/// How many items a page has: `wire`, or the default for 0.
pub(super) fn page_size(wire: u32) -> Result<usize, Malformed> {
    const DEFAULT: usize = 100;
    const MOST: usize = 1_000;
    match usize::try_from(wire) {
        Ok(0) => Ok(DEFAULT),
        Ok(size) if size <= MOST => Ok(size),
        _ => Err(Malformed::new("page_size", format!("is {wire}, the limit is {MOST}"))),
    }
}

/// Where a page starts; `None` for the first.
pub(super) fn page_token(token: &str) -> Result<Option<&str>, Malformed> {
    short("page_token", token)?;
    Ok(Some(token).filter(|token| !token.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_must_be_known_and_are_not_repeated() {
        assert_eq!(kinds("kinds", &[2, 1, 2]), Ok(vec![MediaKind::Image, MediaKind::Audio]));
        for wrong in [0, 3, -1, i32::MAX] {
            assert_eq!(kinds("kinds", &[1, wrong]).unwrap_err().field, "kinds[1]");
        }
    }

    #[test]
    fn pages_have_a_default_and_a_limit() {
        assert_eq!(page_size(0), Ok(100));
        assert_eq!(page_size(1_000), Ok(1_000));
        assert!(page_size(1_001).unwrap_err().reason.contains("1000"));
        assert!(page_size(u32::MAX).is_err());
    }

    #[test]
    fn texts_say_something_within_bounds() {
        assert_eq!(text("a", "x"), Ok(()));
        assert!(text("a", " \n").is_err());
        assert!(text("a", &"x".repeat(LONGEST_TEXT_BYTES)).is_ok());
        assert!(text("a", &"x".repeat(LONGEST_TEXT_BYTES + 1)).is_err());
        assert_eq!(texts("list", &["x".into(), String::new()]).unwrap_err().field, "list[1]");
    }
}
