//! Filters from the wire.

use super::{few, kinds, text, texts};
use crate::grpc::proto;
use crate::grpc::status::Malformed;
use crate::library::{Filter, Range, RootId};

/// The conditions of a request; all that is missing is no condition.
pub(in crate::grpc) fn filter(wire: Option<proto::Filter>) -> Result<Filter, Malformed> {
    let Some(wire) = wire else { return Ok(Filter::default()) };
    checked(wire).map_err(|malformed| malformed.within("filter"))
}

fn checked(wire: proto::Filter) -> Result<Filter, Malformed> {
    few("kinds", &wire.kinds)?;
    few("root_ids", &wire.root_ids)?;
    texts("extensions", &wire.extensions)?;
    texts("keywords", &wire.keywords)?;
    let singles = [
        ("path_prefix", &wire.path_prefix),
        ("path_glob", &wire.path_glob),
        ("category", &wire.category),
        ("subcategory", &wire.subcategory),
        ("text", &wire.text),
    ];
    for (field, value) in singles {
        if let Some(value) = value {
            text(field, value)?;
        }
    }
    if let Some(prefix) = &wire.path_prefix
        && !std::path::Path::new(prefix).is_absolute()
    {
        return Err(Malformed::new("path_prefix", format!("{prefix:?} is not absolute")));
    }
    Ok(Filter {
        kinds: kinds("kinds", &wire.kinds)?,
        roots: wire.root_ids.into_iter().map(RootId).collect(),
        path_prefix: wire.path_prefix,
        path_glob: wire.path_glob,
        extensions: wire.extensions,
        duration_ms: unsigned("duration_ms", wire.duration_ms)?,
        sample_rate_hz: narrow("sample_rate_hz", wire.sample_rate_hz)?,
        channels: narrow("channels", wire.channels)?,
        modified_ms: time("modified_ms", wire.modified_ms)?,
        category: wire.category,
        subcategory: wire.subcategory,
        keywords: wire.keywords,
        text: wire.text,
    })
}

fn unsigned(field: &str, wire: Option<proto::UnsignedRange>) -> Result<Range<u64>, Malformed> {
    let wire = wire.unwrap_or_default();
    ordered(field, Range { min: wire.min, max: wire.max })
}

fn time(field: &str, wire: Option<proto::TimeRange>) -> Result<Range<i64>, Malformed> {
    let wire = wire.unwrap_or_default();
    ordered(field, Range { min: wire.min, max: wire.max })
}

/// Bounds of something that has 32 bits in files.
fn narrow(field: &str, wire: Option<proto::UnsignedRange>) -> Result<Range<u32>, Malformed> {
    let wide = unsigned(field, wire)?;
    let bound = |side: &str, value: Option<u64>| {
        let too_large = |value| Malformed::new(format!("{field}.{side}"), format!("is {value}, beyond {}", u32::MAX));
        value.map(|value| u32::try_from(value).map_err(|_| too_large(value))).transpose()
    };
    Ok(Range { min: bound("min", wide.min)?, max: bound("max", wide.max)? })
}

fn ordered<T: PartialOrd + std::fmt::Display>(field: &str, range: Range<T>) -> Result<Range<T>, Malformed> {
    match (&range.min, &range.max) {
        (Some(min), Some(max)) if min > max => {
            Err(Malformed::new(field, format!("min is {min} and max is {max}, so nothing can pass")))
        }
        _ => Ok(range),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::media::MediaKind;

    #[test]
    fn conditions_arrive_where_they_belong() {
        let range = |min, max| Some(proto::UnsignedRange { min, max });
        let wire = proto::Filter {
            kinds: vec![1],
            root_ids: vec![7],
            path_prefix: Some("/a".into()),
            path_glob: Some("**/*.wav".into()),
            extensions: vec!["wav".into()],
            duration_ms: range(Some(1), Some(u64::MAX)),
            sample_rate_hz: range(Some(44_100), Some(48_000)),
            channels: range(None, Some(2)),
            modified_ms: Some(proto::TimeRange { min: Some(-5), max: None }),
            category: Some("DOORS".into()),
            subcategory: Some("WOOD".into()),
            keywords: vec!["creak".into()],
            text: Some("old".into()),
        };
        let expected = Filter {
            kinds: vec![MediaKind::Audio],
            roots: vec![RootId(7)],
            path_prefix: Some("/a".into()),
            path_glob: Some("**/*.wav".into()),
            extensions: vec!["wav".into()],
            duration_ms: Range { min: Some(1), max: Some(u64::MAX) },
            sample_rate_hz: Range { min: Some(44_100), max: Some(48_000) },
            channels: Range { min: None, max: Some(2) },
            modified_ms: Range { min: Some(-5), max: None },
            category: Some("DOORS".into()),
            subcategory: Some("WOOD".into()),
            keywords: vec!["creak".into()],
            text: Some("old".into()),
        };
        assert_eq!(filter(Some(wire)), Ok(expected));
        assert!(filter(None).unwrap().is_empty());
        assert!(filter(Some(proto::Filter::default())).unwrap().is_empty());
    }

    #[test]
    fn nonsense_is_named() {
        let check = |wire: proto::Filter, field: &str| assert_eq!(filter(Some(wire)).unwrap_err().field, field);
        let range = |min, max| Some(proto::UnsignedRange { min: Some(min), max: Some(max) });
        check(proto::Filter { kinds: vec![9], ..Default::default() }, "filter.kinds[0]");
        check(proto::Filter { root_ids: vec![1; 1_001], ..Default::default() }, "filter.root_ids");
        check(proto::Filter { extensions: vec![String::new()], ..Default::default() }, "filter.extensions[0]");
        check(proto::Filter { path_prefix: Some("a/b".into()), ..Default::default() }, "filter.path_prefix");
        check(proto::Filter { text: Some(" ".into()), ..Default::default() }, "filter.text");
        check(proto::Filter { duration_ms: range(2, 1), ..Default::default() }, "filter.duration_ms");
        check(proto::Filter { channels: range(0, 1 << 32), ..Default::default() }, "filter.channels.max");
        check(
            proto::Filter { sample_rate_hz: range(1 << 32, 1 << 33), ..Default::default() },
            "filter.sample_rate_hz.min",
        );
        let modified_ms = Some(proto::TimeRange { min: Some(0), max: Some(-1) });
        check(proto::Filter { modified_ms, ..Default::default() }, "filter.modified_ms");
    }

    proptest! {
        #[test]
        fn ranges_pass_if_and_only_if_they_make_sense(min in any::<Option<u64>>(), max in any::<Option<u64>>()) {
            let wire = proto::Filter { channels: Some(proto::UnsignedRange { min, max }), ..Default::default() };
            let fits = |bound: Option<u64>| bound.is_none_or(|bound| bound <= u64::from(u32::MAX));
            let sense = fits(min) && fits(max) && !matches!((min, max), (Some(min), Some(max)) if min > max);
            prop_assert_eq!(filter(Some(wire)).is_ok(), sense);
        }
    }
}
