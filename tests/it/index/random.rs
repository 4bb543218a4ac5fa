//! Whatever happens to an index, in whatever order, its answers are held against looking at everything.

use proptest::prelude::*;

use super::*;

/// Few candidates and small graphs, so that graphs answer, and grow, and are left behind, within a few steps.
const TINY: IndexOptions = IndexOptions { exact_below: 300, compact_above: 0.3, ..SMALL };
const FEW: Effort = Effort::Candidates(16);
const VALUES: usize = 16;

/// Something that happens.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// So many new vectors come; of a hundred so many are silent, and so many are identical to one that is there.
    Insert {
        count: u16,
        silent: u8,
        twins: u8,
    },
    /// So many of a hundred go.
    Remove {
        percent: u8,
    },
    /// So many of those that went come back to their slots.
    ComeBack {
        count: u16,
    },
    /// A slot that is there is added again, with another vector; a vector of another size comes; a slot that never was
    /// there goes.
    Repeat,
    Maintain {
        pieces: u8,
    },
    Compact,
    Snapshot,
    /// The process ends, with a snapshot or without, and another opens what is left.
    Reopen {
        orderly: bool,
    },
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1u16..700, 0u8..30, 0u8..30).prop_map(|(count, silent, twins)| Step::Insert { count, silent, twins }),
        2 => (0u8..60).prop_map(|percent| Step::Remove { percent }),
        1 => (1u16..200).prop_map(|count| Step::ComeBack { count }),
        1 => Just(Step::Repeat),
        4 => (0u8..5).prop_map(|pieces| Step::Maintain { pieces }),
        1 => Just(Step::Compact),
        1 => Just(Step::Snapshot),
        1 => any::<bool>().prop_map(|orderly| Step::Reopen { orderly }),
    ]
}

/// An index, what should be in it, and what was.
struct Trial {
    options: IndexOptions,
    directory: tempfile::TempDir,
    index: Index,
    oracle: Oracle,
    gone: BTreeMap<Slot, (Embedding, bool)>,
    next: u32,
    clusters: Clusters,
    random: Random,
    /// What searches of the graph found, of how many.
    found: (usize, usize),
}

impl Trial {
    fn new(options: IndexOptions, seed: u64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (index, _) = Oracle::default().open(options, directory.path());
        let (clusters, random) = (Clusters::new(seed, 12, VALUES), Random(seed));
        let (oracle, gone) = (Oracle::default(), BTreeMap::new());
        Self { options, directory, index, oracle, gone, next: 0, clusters, random, found: (0, 0) }
    }

    fn happens(&mut self, percent: u8) -> bool {
        self.random.below(100) < usize::from(percent)
    }

    fn any_of(random: &mut Random, from: &BTreeMap<Slot, (Embedding, bool)>) -> Option<Slot> {
        let place = random.below(from.len().max(1));
        from.keys().nth(place).copied()
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Insert { count, silent, twins } => (0..count).for_each(|_| self.insert(silent, twins)),
            Step::Remove { percent } => {
                let slots: Vec<Slot> = self.oracle.0.keys().copied().collect();
                for slot in slots {
                    if self.happens(percent) {
                        self.gone.insert(slot, self.oracle.0[&slot].clone());
                        self.oracle.remove(&self.index, slot);
                    }
                }
            }
            Step::ComeBack { count } => {
                for _ in 0..count {
                    let Some(slot) = Self::any_of(&mut self.random, &self.gone) else { return };
                    let (vector, silent) = self.gone.remove(&slot).unwrap();
                    self.oracle.insert(&self.index, slot, vector, silent);
                }
            }
            Step::Repeat => {
                let other = self.clusters.vector(0.8);
                if let Some(slot) = Self::any_of(&mut self.random, &self.oracle.0) {
                    self.index.insert(slot, &other, true);
                    self.index.insert(Slot(self.next), &unit(&[1.0; VALUES + 1]), false);
                }
                self.index.remove(Slot(self.next));
                self.next += 1;
            }
            Step::Maintain { pieces } => {
                // Those that have nothing to do are pieces, too.
                (0..pieces).for_each(|_| _ = self.index.maintain());
            }
            Step::Compact => self.index.request_compaction(),
            Step::Snapshot => self.index.snapshot().unwrap(),
            Step::Reopen { orderly } => {
                if orderly && self.index.snapshot_due() {
                    self.index.snapshot().unwrap();
                }
                let (index, refused) = self.oracle.open(self.options, self.directory.path());
                assert_eq!(refused, None);
                self.index = index;
            }
        }
    }

    fn insert(&mut self, silent: u8, twins: u8) {
        let twin = if self.happens(twins) { Self::any_of(&mut self.random, &self.oracle.0) } else { None };
        let vector = twin.map_or_else(|| self.clusters.vector(0.8), |slot| self.oracle.0[&slot].0.clone());
        let silent = self.happens(silent);
        self.oracle.insert(&self.index, Slot(self.next), vector, silent);
        // Slots ascend, with gaps.
        self.next += 1 + u32::from(self.happens(20));
    }

    /// Asks for the nearest to something in all ways there are.
    fn ask(&mut self) {
        assert_eq!(self.index.stats().live, self.oracle.0.len());
        let twin = if self.happens(30) { Self::any_of(&mut self.random, &self.oracle.0) } else { None };
        let query = twin.map_or_else(|| self.clusters.vector(0.8), |slot| self.oracle.0[&slot].0.clone());
        let share = [0.0, 0.02, 0.2, 0.7, 1.0][self.random.below(5)];
        let (random, count) = (&mut self.random, [1, 10, 40][self.next as usize % 3]);
        let among: RoaringBitmap = (0..self.next + 5).filter(|_| random.fraction() < share).collect();
        for effort in [Effort::Exact, Effort::Calibrated, FEW] {
            for silent in [true, false] {
                let wanted = Wanted { count, silent, effort };
                let found = self.index.search(query.as_slice(), wanted);
                let expected = self.oracle.nearest(&query, count, |_, is_silent| silent || !is_silent);
                self.compare(&query, &found, &expected, effort);
            }
            let found = self.index.search_among(query.as_slice(), &among, Wanted { count, silent: true, effort });
            let expected = self.oracle.nearest(&query, count, |slot, _| among.contains(slot.0));
            assert!(found.neighbours.iter().all(|hit| among.contains(hit.slot.0)), "it is not allowed");
            self.compare(&query, &found, &expected, effort);
        }
    }

    fn compare(&mut self, query: &Embedding, found: &Found, expected: &[(Slot, f32)], effort: Effort) {
        if found.exact || effort == Effort::Exact {
            assert!(found.exact, "{effort:?}");
            return assert_equal(&found.neighbours, expected);
        }
        // Each is where it should be, with its own cosine; it may only be another one.
        let mut cosine = as_it_is_kept(query.as_slice());
        let own = |hit: &Neighbour| {
            let (vector, _) = self.oracle.0.get(&hit.slot).unwrap_or_else(|| panic!("{hit:?} is not there"));
            (hit.slot, cosine(vector))
        };
        assert_equal(&found.neighbours, &found.neighbours.iter().map(own).collect::<Vec<_>>());
        assert_eq!(found.neighbours.len(), expected.len(), "fewer than there are");
        let worst = expected.last().map_or(f32::INFINITY, |(_, cosine)| cosine - 1e-5);
        self.found.0 += found.neighbours.iter().filter(|hit| hit.cosine >= worst).count();
        self.found.1 += expected.len();
    }

    /// What searches of the graph found of what there was to find.
    fn recall(&self) -> f64 {
        self.found.0 as f64 / self.found.1.max(1) as f64
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_answers_are_right(steps in prop::collection::vec(steps(), 1..20), seed: u64) {
        let mut trial = Trial::new(TINY, seed);
        for step in steps {
            trial.step(step);
            trial.ask();
        }
        maintain_fully(&trial.index);
        trial.ask();
        prop_assert!(trial.found.1 < 500 || trial.recall() >= 0.9, "{:?}", trial.found);
    }
}

#[test]
fn a_long_life_is_right_to_the_end() {
    let mut trial = Trial::new(TINY, 61);
    let mut graphs = 0;
    for round in 0..8u8 {
        let life = [
            Step::Insert { count: 1_200, silent: 5, twins: 10 },
            Step::Maintain { pieces: 1 },
            Step::Remove { percent: 10 + 4 * round },
            Step::Maintain { pieces: 2 },
            Step::Insert { count: 400, silent: 0, twins: 50 },
            Step::ComeBack { count: 150 },
            if round % 3 == 0 { Step::Compact } else { Step::Snapshot },
            Step::Maintain { pieces: 1 },
            Step::Repeat,
            if round % 4 == 3 { Step::Reopen { orderly: round % 8 == 3 } } else { Step::Maintain { pieces: 9 } },
        ];
        for step in life {
            trial.step(step);
            trial.ask();
        }
        graphs += usize::from(trial.index.stats().graph_nodes > 1_000);
    }
    assert!(graphs >= 4, "there were graphs in {graphs} rounds");
    assert!(trial.found.1 > 1_000 && trial.recall() >= 0.9, "{:?}", trial.found);
}
