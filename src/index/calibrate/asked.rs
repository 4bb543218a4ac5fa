//! Queries that were asked lately: what recall is to be judged by.
//!
//! Invariant: nobody who asks waits for it.

use std::sync::atomic::Ordering;

use super::super::Index;

/// Queries that are kept.
const KEPT: usize = 64;
/// Of the queries after the first ones, one of so many is kept, in the place of the oldest.
const ONE_OF: usize = 16;

/// See the module's documentation.
#[derive(Default)]
pub(in crate::index) struct Asked {
    queries: Vec<Vec<f32>>,
    next: usize,
}

impl Asked {
    fn keep(&mut self, query: &[f32]) {
        if self.queries.len() < KEPT {
            self.queries.push(query.to_vec());
        } else {
            let oldest = &mut self.queries[self.next];
            oldest.clear();
            oldest.extend_from_slice(query);
            self.next = (self.next + 1) % KEPT;
        }
    }

    pub(super) fn queries(&self) -> Vec<Vec<f32>> {
        self.queries.clone()
    }
}

impl Index {
    /// Remembers some of the queries, each of which is a direction.
    pub(in crate::index) fn remember(&self, query: &[f32]) {
        let number = self.asked_so_far.fetch_add(1, Ordering::Relaxed);
        if (number < KEPT || number.is_multiple_of(ONE_OF))
            && let Ok(mut asked) = self.asked.try_lock()
        {
            asked.keep(query);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_queries_make_room() {
        let mut asked = Asked::default();
        (0..100).for_each(|number| asked.keep(&[number as f32]));
        let mut kept: Vec<f32> = asked.queries().into_iter().flatten().collect();
        kept.sort_unstable_by(f32::total_cmp);
        assert_eq!(kept, (36..100).map(|number| number as f32).collect::<Vec<_>>());
    }
}
