//! Which fields of a hit are filled.

use crate::grpc::proto;
use crate::grpc::status::Malformed;

/// Fields of `Hit` that are filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::grpc) struct HitFields {
    pub(super) files: bool,
    pub(super) confidence: bool,
    pub(super) span: bool,
    pub(super) ordinal: bool,
    pub(super) other_segments: bool,
    pub(super) facts: bool,
    pub(super) description: bool,
}

impl HitFields {
    /// Every field.
    pub(super) const ALL: Self = Self {
        files: true,
        confidence: true,
        span: true,
        ordinal: true,
        other_segments: true,
        facts: true,
        description: true,
    };
    const NONE: Self = Self {
        files: false,
        confidence: false,
        span: false,
        ordinal: false,
        other_segments: false,
        facts: false,
        description: false,
    };

    /// The fields that a mask names; all without one. `asset_id`, `kind` and `score` are filled in any case.
    pub(super) fn of(mask: Option<&prost_types::FieldMask>) -> Result<Self, Malformed> {
        let Some(mask) = mask.filter(|mask| !mask.paths.is_empty()) else { return Ok(Self::ALL) };
        let mut fields = Self::NONE;
        for path in &mask.paths {
            match path.as_str() {
                "asset_id" | "kind" | "score" => {}
                "files" => fields.files = true,
                "confidence" => fields.confidence = true,
                "span" => fields.span = true,
                "ordinal" => fields.ordinal = true,
                "other_segments" => fields.other_segments = true,
                "facts" => fields.facts = true,
                "description" => fields.description = true,
                unknown => {
                    let unknown: String = unknown.chars().take(40).collect();
                    return Err(Malformed::new(
                        "fields",
                        format!(
                            "{unknown:?} is no field of a hit, expected some of asset_id, kind, files, score, \
                             confidence, span, ordinal, other_segments, facts, description"
                        ),
                    ));
                }
            }
        }
        Ok(fields)
    }

    /// Empties what was not asked for.
    pub(super) fn apply(self, hit: proto::Hit) -> proto::Hit {
        fn kept<T: Default>(keep: bool, value: T) -> T {
            if keep { value } else { T::default() }
        }
        proto::Hit {
            files: kept(self.files, hit.files),
            confidence: kept(self.confidence, hit.confidence),
            span: kept(self.span, hit.span),
            ordinal: kept(self.ordinal, hit.ordinal),
            other_segments: kept(self.other_segments, hit.other_segments),
            facts: kept(self.facts, hit.facts),
            description: kept(self.description, hit.description),
            ..hit
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(paths: &[&str]) -> Result<HitFields, Malformed> {
        let paths = paths.iter().map(ToString::to_string).collect();
        HitFields::of(Some(&prost_types::FieldMask { paths }))
    }

    #[test]
    fn masks_name_fields() {
        assert_eq!(HitFields::of(None), Ok(HitFields::ALL));
        assert_eq!(of(&[]), Ok(HitFields::ALL));
        assert_eq!(of(&["score"]), Ok(HitFields::NONE));
        assert_eq!(of(&["files", "span"]), Ok(HitFields { files: true, span: true, ..HitFields::NONE }));
    }

    #[test]
    fn unknown_fields_are_answered_with_the_known_ones() {
        for wrong in ["file", "files.path", "*", ""] {
            let error = of(&["files", wrong]).unwrap_err();
            assert!(error.reason.contains("other_segments") && error.reason.contains(wrong), "{error}");
        }
    }

    #[test]
    fn the_known_ones_are_those_of_the_protocol() {
        use prost::Message as _;
        let set = prost_types::FileDescriptorSet::decode(proto::DESCRIPTORS).unwrap();
        let mut messages = set.file.iter().flat_map(|file| &file.message_type);
        let hit = messages.find(|message| message.name() == "Hit").unwrap();
        let names: Vec<&str> = hit.field.iter().map(prost_types::FieldDescriptorProto::name).collect();
        assert_eq!(of(&names), Ok(HitFields::ALL));
    }
}
