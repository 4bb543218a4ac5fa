//! Everything at once.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;

#[test]
fn insertions_removals_searches_and_maintenance_do_not_disturb_each_other() {
    let mut clusters = Clusters::new(21, 40, DIMENSION);
    let start = Oracle::of(&clusters.vectors(1_500, 0.8));
    let coming = clusters.vectors(2_000, 0.8);
    let queries = clusters.vectors(50, 0.8);
    let index = start.index(SMALL);
    let (done, searches) = (AtomicBool::new(false), AtomicUsize::new(0));
    let ended = || done.load(Ordering::Acquire);
    std::thread::scope(|scope| {
        for seed in 0..2 {
            let (index, queries, searches, ended) = (&index, &queries, &searches, &ended);
            scope.spawn(move || {
                let mut random = Random(seed);
                while !ended() {
                    let query = &queries[random.below(queries.len())];
                    let found = index.search(query.as_slice(), nearest(10)).neighbours;
                    // Slots below 1,000 stay, and there are always ten.
                    assert_eq!(found.len(), 10);
                    assert!(found.windows(2).all(|pair| pair[0].cosine >= pair[1].cosine));
                    searches.fetch_add(1, Ordering::AcqRel);
                }
            });
        }
        scope.spawn(|| {
            while !ended() {
                if !index.maintain() {
                    index.request_compaction();
                }
            }
        });
        for (number, vector) in (0..).zip(&coming) {
            let slot = Slot(2 * number + 1);
            index.insert(slot, vector, number % 10 == 0);
            // Read back what was just written, and remove two for every three.
            assert!(index.vector(slot).is_some());
            if number % 3 != 0 {
                index.remove(Slot(2 * (500 + number / 3 * 2 + number % 3)));
            }
            if number % 4 == 0 {
                index.remove(Slot(number + 1 - number % 2));
            }
        }
        let enough = || searches.load(Ordering::Acquire) >= 200;
        while !enough() {
            std::thread::yield_now();
        }
        done.store(true, Ordering::Release);
    });
    let oracle = after(start, coming);
    assert_eq!(index.stats().live, oracle.0.len());
    for round in 0..2 {
        for query in &queries {
            let wanted = Wanted { count: 20, silent: true, effort: Effort::Exact };
            let found = index.search(query.as_slice(), wanted);
            assert!(found.exact);
            assert_equal(&found.neighbours, &oracle.nearest(query, 20, |_, _| true));
            let all: RoaringBitmap = oracle.0.keys().map(|slot| slot.0).collect();
            assert_eq!(index.search_among(query.as_slice(), &all, wanted), found);
        }
        let found = recall(&index, &oracle, &queries, 10);
        assert!(found >= 0.95, "recall {found} in round {round}");
        index.request_compaction();
        maintain_fully(&index);
    }
}

/// What the insertions and removals above leave.
fn after(start: Oracle, coming: Vec<Embedding>) -> Oracle {
    let mut oracle = start;
    for (number, vector) in (0..).zip(coming) {
        oracle.0.insert(Slot(2 * number + 1), (vector, number % 10 == 0));
        if number % 3 != 0 {
            oracle.0.remove(&Slot(2 * (500 + number / 3 * 2 + number % 3)));
        }
        if number % 4 == 0 {
            oracle.0.remove(&Slot(number + 1 - number % 2));
        }
    }
    oracle
}
