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

/// What comes and goes, in this order, and where each is in it.
struct Course {
    vectors: Vec<Embedding>,
    /// Numbers of vectors, in the order in which they are removed.
    removals: Vec<usize>,
    /// For each vector, its place in that order.
    removed_as: Vec<usize>,
    /// Vectors whose insertion has returned; removals that have begun; removals that have returned.
    inserted: AtomicUsize,
    removing: AtomicUsize,
    removed: AtomicUsize,
}

impl Course {
    /// Of five vectors two stay.
    fn new(vectors: Vec<Embedding>) -> Self {
        let removals: Vec<usize> = (0..vectors.len()).filter(|number| number % 5 > 1).collect();
        let mut removed_as = vec![usize::MAX; vectors.len()];
        (0..).zip(&removals).for_each(|(place, &number)| removed_as[number] = place);
        let [inserted, removing, removed] = [const { AtomicUsize::new(0) }; 3];
        Self { vectors, removals, removed_as, inserted, removing, removed }
    }

    fn run(&self, index: &Index) {
        let mut removals = self.removals.iter();
        for (number, vector) in (0..).zip(&self.vectors) {
            index.insert(Slot(number), vector, number % 7 == 0);
            self.inserted.fetch_add(1, Ordering::AcqRel);
            // Whatever has been there for a while goes.
            if let Some(&old) = removals.as_slice().first().filter(|&&old| old + 1_000 < number as usize) {
                removals.next();
                self.removing.fetch_add(1, Ordering::AcqRel);
                index.remove(Slot(old as u32));
                self.removed.fetch_add(1, Ordering::AcqRel);
            }
        }
    }

    /// Looks for a vector that is there, and holds what is found against what came and went before and meanwhile.
    fn look(&self, index: &Index, random: &mut Random, filtered: bool) {
        let (inserted, removed) = (self.inserted.load(Ordering::Acquire), self.removed.load(Ordering::Acquire));
        let Some(number) = (inserted > 0).then(|| random.below(inserted)) else { return };
        let effort = if random.below(2) == 0 { Effort::Exact } else { Effort::Calibrated };
        let wanted = Wanted { count: 10, silent: true, effort };
        let query = self.vectors[number].as_slice();
        let found = if filtered {
            // Others come and go, this one is among them.
            let slots: RoaringBitmap = (0..inserted as u32).filter(|slot| slot % 3 == number as u32 % 3).collect();
            index.search_among(query, &slots, wanted)
        } else {
            index.search(query, wanted)
        };
        let removing = self.removing.load(Ordering::Acquire);
        for hit in &found.neighbours {
            assert!(self.removed_as[hit.slot.0 as usize] >= removed, "{hit:?} was removed before");
        }
        assert!(found.neighbours.windows(2).all(|pair| pair[0].cosine >= pair[1].cosine));
        if self.removed_as[number] >= removing && found.exact {
            let best = found.neighbours.first().map(|hit| hit.slot.0 as usize);
            assert_eq!(best, Some(number), "it was there all the time: {found:?}");
        }
    }
}

#[test]
fn a_search_sees_what_was_inserted_before_and_nothing_that_was_removed_before() {
    let mut clusters = Clusters::new(22, 40, DIMENSION);
    let course = Course::new(clusters.vectors(6_000, 0.8));
    let directory = tempfile::tempdir().unwrap();
    let (index, _) = Oracle::default().open(SMALL, directory.path());
    let (done, looks) = (AtomicBool::new(false), AtomicUsize::new(0));
    let ended = || done.load(Ordering::Acquire) && looks.load(Ordering::Acquire) >= 500;
    std::thread::scope(|scope| {
        for seed in 0..2 {
            let (course, index, looks, ended) = (&course, &index, &looks, &ended);
            scope.spawn(move || {
                let mut random = Random(seed);
                while !ended() {
                    course.look(index, &mut random, seed == 1);
                    looks.fetch_add(1, Ordering::AcqRel);
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
        scope.spawn(|| {
            while !ended() {
                index.snapshot().unwrap();
                std::thread::yield_now();
            }
        });
        course.run(&index);
        done.store(true, Ordering::Release);
    });
    maintain_fully(&index);
    let removed = course.removed.load(Ordering::Acquire);
    assert!(removed > 2_500);
    assert_eq!(index.stats().live, course.vectors.len() - removed);
    // What the last snapshot has, and what came and went since, is the same library.
    let kept = |number: &usize| course.removed_as[*number] >= removed;
    let known = |number: usize| (Slot(number as u32), (course.vectors[number].clone(), number.is_multiple_of(7)));
    let oracle = Oracle((0..course.vectors.len()).filter(kept).map(known).collect());
    drop(index);
    let (again, refused) = oracle.open(SMALL, directory.path());
    assert_eq!((refused, again.stats().live), (None, oracle.0.len()));
    let queries = clusters.vectors(50, 0.8);
    for query in &queries {
        let wanted = Wanted { count: 20, silent: true, effort: Effort::Exact };
        let found = again.search(query.as_slice(), wanted);
        assert_equal(&found.neighbours, &oracle.nearest(query, 20, |_, _| true));
    }
    let found = recall(&again, &oracle, &queries, 10);
    assert!(found >= 0.95, "recall {found}");
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
