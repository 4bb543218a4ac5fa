//! What the library holds arrives whole, and paths as they are.

use std::path::Path;

use super::*;
use crate::library::{
    Asset, FailureCode, FileRecord, FileStat, FileState, RelativePath, Root, RootId, Slot, Span, TechnicalFacts,
};

/// A sound of two segments with metadata.
pub(in crate::grpc) fn asset() -> Asset {
    let segment = |start_ms, slot| Segment {
        span: Span { start_ms, end_ms: start_ms + 5_000 },
        silent: slot == 8,
        slot: Slot(slot),
    };
    Asset {
        id: AssetId::from_hash([7; 32]),
        kind: MediaKind::Audio,
        facts: TechnicalFacts { bytes: 44, format: "wave".into(), channels: Some(2), ..Default::default() },
        description: Description {
            category: Some("DOORS".into()),
            keywords: vec!["creak".into()],
            fields: [("bext.originator".to_owned(), "me".to_owned())].into(),
            ..Default::default()
        },
        damage: Some("cut short".into()),
        added_ms: 5,
        segments: vec![segment(0, 8), segment(5_000, 9)],
    }
}

/// A file of root 3 with the content of [`asset`].
pub(in crate::grpc) fn file_in_library(root: &str, name: &[u8], offline: bool) -> FileInLibrary {
    let path = RelativePath::from_bytes(name).unwrap();
    FileInLibrary {
        path: path.below(Path::new(root)),
        key: FileKey { root: RootId(3), path },
        record: FileRecord {
            stat: FileStat { size: 44, modified_ns: -1, inode: None },
            state: FileState::Indexed(AssetId::from_hash([7; 32])),
        },
        offline,
    }
}

fn root_3() -> Root {
    let rules = RootRules { include: vec!["**/*.wav".into()], kinds: vec![MediaKind::Audio], ..Default::default() };
    Root { id: RootId(3), path: "/sounds".into(), rules, identity: None }
}

fn catalog() -> Catalog {
    let mut catalog = Catalog::default();
    catalog.put_root(root_3());
    catalog.put_asset(asset().into());
    let known = file_in_library("/sounds", b"a.wav", false);
    catalog.put_file(known.key, known.record);
    catalog
}

#[test]
fn files_tell_their_path_as_it_is() {
    let wire = file(&file_in_library("/sounds", b"a.wav", true));
    let expected = proto::File {
        root_id: 3,
        path: "/sounds/a.wav".into(),
        raw_path: Vec::new(),
        bytes: 44,
        modified_ms: -1,
        offline: true,
    };
    assert_eq!(wire, expected);
}

#[cfg(unix)]
#[test]
fn paths_that_are_not_unicode_come_as_bytes_too() {
    let wire = file(&file_in_library("/sounds", b"\xff.wav", false));
    assert_eq!((wire.path.as_str(), wire.raw_path.as_slice()), ("/sounds/\u{fffd}.wav", &b"/sounds/\xff.wav"[..]));
}

#[test]
fn assets_arrive_whole() {
    let files = vec![file_in_library("/sounds", b"a.wav", false)];
    let wire = super::asset(&AssetInLibrary { asset: asset().into(), files });
    assert_eq!((wire.id, wire.damage.as_deref(), wire.added_ms), ("07".repeat(32), Some("cut short"), 5));
    let segments: Vec<(u32, bool)> = wire.segments.iter().map(|segment| (segment.ordinal, segment.silent)).collect();
    assert_eq!(segments, [(0, true), (1, false)]);
    let description = wire.description.unwrap();
    assert_eq!((description.category.as_deref(), description.subcategory), (Some("DOORS"), None));
    assert_eq!(description.fields["bext.originator"], "me");
}

#[test]
fn rules_come_in_and_go_out() {
    let wire = root(catalog().root(RootId(3)).unwrap());
    assert_eq!((wire.id, wire.path.as_str(), wire.state()), (3, "/sounds", proto::RootState::Unwatched));
    assert_eq!(wire.files_indexed, 1);
    assert_eq!(root_rules(wire.rules), Ok(root_3().rules));
    assert_eq!(root_rules(None), Ok(RootRules::default()));

    let check = |wire: proto::RootRules, field: &str| assert_eq!(root_rules(Some(wire)).unwrap_err().field, field);
    check(proto::RootRules { watch: 3, ..Default::default() }, "rules.watch");
    check(proto::RootRules { kinds: vec![0], ..Default::default() }, "rules.kinds[0]");
    check(proto::RootRules { include: vec![" ".into()], ..Default::default() }, "rules.include[0]");
    check(proto::RootRules { exclude: vec!["a".into(); 1_001], ..Default::default() }, "rules.exclude");
}

#[test]
fn states_say_why() {
    let mut catalog = catalog();
    let entry = catalog.root_mut(RootId(3)).unwrap();
    let mut check = |state, expected, reason: &str| {
        entry.state = state;
        let wire = root(entry);
        assert_eq!((wire.state(), wire.state_reason.as_str()), (expected, reason));
    };
    check(RootState::Watched, proto::RootState::Watched, "");
    check(RootState::Polled("nfs".into()), proto::RootState::Polled, "nfs");
    check(RootState::Offline("gone".into()), proto::RootState::Offline, "gone");
}

#[test]
fn events_know_files_that_are_there_and_name_those_that_are_gone() {
    let catalog = catalog();
    let key = |name: &[u8]| FileKey { root: RootId(3), path: RelativePath::from_bytes(name).unwrap() };
    let id = AssetId::from_hash([7; 32]);
    let wire = |event| super::event(&Numbered { sequence: 4, event }, &catalog).event.unwrap();

    let WireEvent::Moved(moved) = wire(Event::Moved { from: key(b"old.wav"), to: key(b"a.wav"), asset: id }) else {
        panic!("a move became something else");
    };
    let (from, to) = (moved.from.unwrap(), moved.to.unwrap());
    assert_eq!((from.path.as_str(), from.bytes), ("/sounds/old.wav", 0));
    assert_eq!((to.path.as_str(), to.bytes), ("/sounds/a.wav", 44));

    let WireEvent::Indexed(change) = wire(Event::Indexed { file: key(b"a.wav"), asset: id, embedded: true }) else {
        panic!("an indexed file became something else");
    };
    assert!(change.embedded && change.asset_id == "07".repeat(32));

    let failure = Failure { content: None, code: FailureCode::TooLarge, reason: "9 > 8".into(), at_ms: 1 };
    let WireEvent::Failed(failed) = wire(Event::Failed { file: key(b"b.wav"), failure }) else {
        panic!("a failure became something else");
    };
    assert_eq!((failed.code.as_str(), failed.content.as_str()), ("too_large", ""));

    assert_eq!(wire(Event::RootRemoved(RootId(9))), WireEvent::RootRemoved(9));
    assert!(matches!(wire(Event::Root(RootId(3))), WireEvent::Root(root) if root.path == "/sounds"));
    assert!(matches!(wire(Event::Root(RootId(9))), WireEvent::Root(root) if root.id == 9 && root.path.is_empty()));
    assert!(matches!(wire(Event::Progress(Progress::default())), WireEvent::Progress(now) if now.idle));
}
