//! Work on many things, shared by threads of its own: a query that shares its work with the process's threads must not
//! find all of them busy here.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Things that a thread takes at once.
const AT_ONCE: usize = 64;

/// What `work` makes of each of `things`, in their order. Threads have the priority of the one that calls.
pub(super) fn together<T: Sync, R: Send>(things: &[T], threads: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let take = || {
        let part = || {
            let number = next.fetch_add(1, Ordering::Relaxed);
            Some((number, things.chunks(AT_ONCE).nth(number)?.iter().map(&work).collect::<Vec<R>>()))
        };
        std::iter::from_fn(part).collect::<Vec<_>>()
    };
    let mut parts = thread::scope(|scope| {
        let start = |_| thread::Builder::new().name("graph".into()).spawn_scoped(scope, take).ok();
        let helpers = threads.min(things.len().div_ceil(AT_ONCE));
        let started: Vec<_> = (1..helpers).map_while(start).collect();
        let mut parts = take();
        for helper in started {
            parts.extend(helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        parts
    });
    parts.sort_unstable_by_key(|&(number, _)| number);
    parts.into_iter().flat_map(|(_, part)| part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_things_whoever_worked_on_them() {
        let things: Vec<u32> = (0..1_000).collect();
        for threads in [0, 1, 2, 7] {
            let doubled = together(&things, threads, |thing| 2 * thing);
            assert!(doubled.iter().zip(&things).all(|(doubled, thing)| *doubled == 2 * thing));
            assert_eq!(doubled.len(), things.len());
        }
        assert!(together(&[0u32; 0], 2, |thing| *thing).is_empty());
    }
}
