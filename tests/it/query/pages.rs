//! Pages of an answer: together they are the answer, each hit once.

use std::collections::HashSet;

use earmark::engine::query::Query;
use earmark::library::{AssetId, Filter};
use proptest::prelude::*;

use super::filters::random;
use super::library::{DIMENSIONS, options, query, vector};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pages_cover_each_hit_once(
        assets in random::libraries(1..40), limit in 1usize..7, grouped: bool, filtered: bool, axis in 0..DIMENSIONS,
    ) {
        let opened = random::library(&assets).open(None, options(), 10_000);
        let mut direction = [0.0; DIMENSIONS];
        direction[axis] = 1.0;
        let filter = Filter { path_prefix: filtered.then(|| "/lib".into()), ..Filter::default() };
        let whole = Query { grouped, silent: true, filter, limit: 500, ..query(vector(&direction)) };
        let hits = |query: Query| -> (Vec<(AssetId, u32)>, bool) {
            let answer = opened.ask(query).unwrap();
            (answer.hits.iter().map(|hit| (hit.asset.id, hit.best.ordinal)).collect(), answer.more)
        };
        let (all, more) = hits(whole.clone());
        prop_assert!(!more);
        prop_assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
        let mut pages = Vec::new();
        loop {
            let (page, more) = hits(Query { offset: pages.len(), limit, ..whole.clone() });
            prop_assert!(page.len() == limit || !more, "a page with more behind it is full");
            pages.extend(page);
            if !more {
                break;
            }
        }
        prop_assert_eq!(pages, all);
    }
}
