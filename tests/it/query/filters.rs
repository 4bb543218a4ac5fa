//! Filters against a plain reading of what they say, and filtered queries against looking at everything.
//!
//! Libraries as small as those drawn here are always looked at in full; `recall` has larger ones.

mod naive;
pub mod random;

use earmark::engine::catalog::RootState;
use earmark::engine::filter::CompiledFilter;
use earmark::library::{Filter, Range, RootId};
use earmark::media::MediaKind;
use proptest::prelude::*;

use super::library::{Library, Made, query, vector};
use random::{filters, libraries};

/// Paths of the files that pass, of all assets, sorted.
fn passing(library: &Library, filter: &Filter) -> Vec<String> {
    let filter = CompiledFilter::new(filter).unwrap();
    let files = library.catalog.assets().flat_map(|entry| filter.files(&library.catalog, entry));
    let mut paths: Vec<String> = files.map(|key| format!("{}:{}", key.root.0, key.path)).collect();
    paths.sort();
    paths
}

fn doors() -> Library {
    let mut library = Library::new(&[(1, "/lib/doors"), (2, "/lib/doors2"), (3, "/rain")]);
    let file = |files: &[(u32, &str)]| {
        let files = files.iter().map(|&(root, path)| (root, path.to_owned(), 0)).collect();
        Made { files, ..Made::sound("", &[&[1.0]]) }
    };
    library.add(1, &file(&[(1, "Wood/Creak.WAV"), (2, "copy.aiff")]));
    library.add(2, &file(&[(1, "Woodpecker.wav"), (3, "x/y/z.wav")]));
    library.add(3, &file(&[]));
    library
}

#[test]
fn places_are_told_by_whole_names() {
    let library = doors();
    let below = |prefix: &str| passing(&library, &Filter { path_prefix: Some(prefix.into()), ..Filter::default() });
    assert_eq!(below("/lib/doors"), ["1:Wood/Creak.WAV", "1:Woodpecker.wav"]);
    assert_eq!(below("/lib/doors/"), ["1:Wood/Creak.WAV", "1:Woodpecker.wav"]);
    assert_eq!(below("/lib/doors/Wood"), ["1:Wood/Creak.WAV"]);
    assert_eq!(below("/lib//doors/./Wood/"), ["1:Wood/Creak.WAV"]);
    assert_eq!(below("/lib/doors/Woodpecker.wav"), ["1:Woodpecker.wav"]);
    assert_eq!(below("/lib"), ["1:Wood/Creak.WAV", "1:Woodpecker.wav", "2:copy.aiff"]);
    assert_eq!(below("/").len(), 4);
    // Folders whose names differ in case are different folders.
    assert!(below("/lib/doors/wood").is_empty() && below("/elsewhere").is_empty() && below("/lib/door").is_empty());
    let rooted = |roots: &[u32]| {
        let roots = roots.iter().copied().map(RootId).collect();
        passing(&library, &Filter { roots, path_prefix: Some("/lib".into()), ..Filter::default() })
    };
    assert_eq!(rooted(&[2, 3]), ["2:copy.aiff"]);
}

#[test]
fn globs_and_extensions_do_not_mind_case() {
    let library = doors();
    let glob = |glob: &str| passing(&library, &Filter { path_glob: Some(glob.into()), ..Filter::default() });
    assert_eq!(glob("wood/*.wav"), ["1:Wood/Creak.WAV"]);
    assert_eq!(glob("*.{WAV,aiff}"), ["1:Woodpecker.wav", "2:copy.aiff"]);
    assert_eq!(glob("**/*.wav").len(), 3);
    assert_eq!(glob("x/**"), ["3:x/y/z.wav"]);
    assert_eq!(glob("[V-X]ood*"), ["1:Woodpecker.wav"]);
    let extensions = |names: &[&str]| {
        let extensions = names.iter().map(|&name| name.into()).collect();
        passing(&library, &Filter { extensions, ..Filter::default() })
    };
    assert_eq!(extensions(&["wav"]).len(), 3);
    assert_eq!(extensions(&[".WAV", "Aiff"]).len(), 4);
    assert!(extensions(&["av", ""]).is_empty());
}

#[test]
fn malformed_filters_say_what_is_wrong() {
    let check = |filter: Filter, field: &str, reason: &str| {
        let error = CompiledFilter::new(&filter).unwrap_err();
        assert_eq!(error.field, field);
        assert!(error.reason.contains(reason), "{error}");
    };
    let prefix = |prefix: &str| Filter { path_prefix: Some(prefix.into()), ..Filter::default() };
    let glob = |glob: &str| Filter { path_glob: Some(glob.into()), ..Filter::default() };
    check(prefix("doors"), "filter.path_prefix", "\"doors\", expected an absolute path");
    check(prefix(""), "filter.path_prefix", "absolute");
    check(prefix("/lib/../etc"), "filter.path_prefix", "without ..");
    check(glob("[a"), "filter.path_glob", "[a");
    check(glob("{A"), "filter.path_glob", "{A");
    check(glob(&"a".repeat(5_000)), "filter.path_glob", "at most 4096");
    check(glob(&"{".repeat(4_000)), "filter.path_glob", "");
    check(glob(&format!("{}{}", "{a,".repeat(1_000), "}".repeat(1_000))), "filter.path_glob", "");
}

#[test]
fn only_the_empty_filter_passes_everything() {
    assert!(CompiledFilter::new(&Filter::default()).unwrap().passes_all());
    let filters = [
        Filter { kinds: vec![MediaKind::Audio], ..Filter::default() },
        Filter { roots: vec![RootId(1)], ..Filter::default() },
        Filter { path_prefix: Some("/".into()), ..Filter::default() },
        Filter { path_glob: Some("**".into()), ..Filter::default() },
        Filter { extensions: vec![String::new()], ..Filter::default() },
        Filter { duration_ms: Range { min: Some(0), max: None }, ..Filter::default() },
        Filter { sample_rate_hz: Range { min: None, max: Some(1) }, ..Filter::default() },
        Filter { channels: Range { min: Some(0), max: None }, ..Filter::default() },
        Filter { modified_ms: Range { min: Some(0), max: None }, ..Filter::default() },
        Filter { category: Some("A".into()), ..Filter::default() },
        Filter { subcategory: Some("A".into()), ..Filter::default() },
        Filter { keywords: vec!["a".into()], ..Filter::default() },
        Filter { text: Some("a".into()), ..Filter::default() },
    ];
    for filter in filters {
        assert!(!CompiledFilter::new(&filter).unwrap().passes_all(), "{filter:?}");
    }
}

#[test]
fn only_files_that_pass_are_returned_with_their_root_s_state() {
    let mut library = doors();
    library.catalog.root_mut(RootId(3)).unwrap().state = RootState::Offline("unmounted".into());
    let opened = library.open_plainly();
    let filter = Filter { path_glob: Some("**/{y,Wood}/*".into()), ..Filter::default() };
    let answer = opened.ask(earmark::engine::query::Query { filter, ..query(vector(&[1.0])) }).unwrap();
    let files: Vec<(String, bool)> = answer
        .hits
        .iter()
        .flat_map(|hit| &hit.files)
        .map(|file| (file.path.to_str().unwrap().to_owned(), file.offline))
        .collect();
    assert_eq!(files, [("/lib/doors/Wood/Creak.WAV".to_owned(), false), ("/rain/x/y/z.wav".to_owned(), true)]);
    assert!(answer.exact && !answer.more);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn filters_pass_what_a_plain_reading_passes(assets in libraries(0..12), filter in filters()) {
        let library = random::library(&assets);
        let compiled = CompiledFilter::new(&filter).unwrap();
        let mut passing: Vec<_> =
            compiled.bind(&library.catalog).assets().iter().map(|entry| entry.asset.id).collect();
        for entry in library.catalog.assets() {
            let expected = naive::files(&filter, &library.catalog, entry);
            prop_assert_eq!(compiled.files(&library.catalog, entry), expected.clone());
            prop_assert_eq!(compiled.bind(&library.catalog).passes(entry), !expected.is_empty());
            let found = passing.extract_if(.., |id| *id == entry.asset.id).count();
            prop_assert_eq!(found, usize::from(!expected.is_empty()));
        }
    }

    #[test]
    fn filtered_queries_find_what_looking_at_everything_finds(
        assets in libraries(0..30), filter in filters(), axis in 0..super::library::DIMENSIONS, limit in 1usize..8,
        offset in 0usize..4, grouped: bool, silent: bool, graph: bool, exact: bool,
        min_score in prop::option::of(-0.5f32..0.5),
    ) {
        let mut direction = [0.0; super::library::DIMENSIONS];
        direction[axis] = 1.0;
        let query = earmark::engine::query::Query {
            filter, limit, offset, grouped, silent, exact, min_score, ..query(vector(&direction))
        };
        let opened = random::library(&assets).open(None, super::library::options(), if graph { 0 } else { 10_000 });
        let expected = naive::answer(&opened, &query, axis);
        let answer = opened.ask(query.clone()).unwrap();
        let got: Vec<_> = answer.hits.iter().map(|hit| (hit.asset.id, hit.best.ordinal, hit.best.score)).collect();
        let page: Vec<_> = expected.iter().skip(offset).take(limit).map(naive::Expected::best).collect();
        prop_assert!(answer.exact);
        prop_assert_eq!(got, page);
        prop_assert_eq!(answer.more, expected.len() > offset + limit);
        for (hit, expected) in answer.hits.iter().zip(expected.iter().skip(offset)) {
            let others: Vec<_> = hit.others.iter().map(|other| (other.ordinal, other.score)).collect();
            prop_assert_eq!(&others, &expected.others());
            let files: Vec<_> = hit.files.iter().map(|file| &file.key).collect();
            let catalog = opened.searcher.catalog.read().unwrap();
            let entry = catalog.asset(&hit.asset.id).unwrap();
            prop_assert_eq!(files, naive::files(&query.filter, &catalog, entry));
        }
    }
}
