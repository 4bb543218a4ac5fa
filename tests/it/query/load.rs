//! Too many queries at once, and queries that nobody waits for any more.

use std::pin::{Pin, pin};
use std::sync::mpsc;
use std::task::Poll;

use earmark::engine::options::SearchOptions;
use earmark::engine::query::QueryError;

use super::library::{DIMENSIONS, Library, Made, options, query, runtime, text, vector};
use super::model::PlantedModel;

/// What a future has to say now.
async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        Poll::Ready(match future.as_mut().poll(context) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        })
    })
    .await
}

#[test]
fn more_than_may_wait_are_sent_away() {
    let (open, gate) = mpsc::channel();
    let tight = SearchOptions { concurrent: 1, waiting: 2, ..options() };
    let library = Library::of(&[Made::sound("a.wav", &[&[1.0]])]);
    let opened = library.open(Some(PlantedModel::start(Some(gate))), tight, 10_000);
    runtime().block_on(async {
        // Clones share the limit.
        let (searcher, clone) = (opened.searcher.clone(), opened.searcher.clone());
        let mut first = pin!(searcher.search(query(text("1"))));
        let mut second = pin!(clone.search(query(vector(&[1.0]))));
        let mut third = Box::pin(searcher.search(query(vector(&[1.0]))));
        assert!(poll_once(first.as_mut()).await.is_none());
        assert!(poll_once(second.as_mut()).await.is_none());
        assert!(poll_once(third.as_mut()).await.is_none());
        let error = clone.search(query(vector(&[1.0]))).await.unwrap_err();
        assert!(matches!(error, QueryError::Overloaded { limit: 2 }), "{error:?}");
        // Whoever gives up makes room for another.
        drop(third);
        let mut fourth = pin!(searcher.search(query(vector(&[1.0]))));
        assert!(poll_once(fourth.as_mut()).await.is_none());
        open.send(()).unwrap();
        let (first, second, fourth) = tokio::join!(first, second, fourth);
        let (first, second) = (first.unwrap(), second.unwrap());
        assert_eq!((first.hits.len(), second.hits.len(), fourth.unwrap().hits.len()), (1, 1, 1));
        assert!(second.timing.queue > first.timing.queue);
    });
}

#[test]
fn a_query_that_was_given_up_leaves_its_place() {
    let (open, gate) = mpsc::channel();
    let tight = SearchOptions { concurrent: 1, waiting: 1, ..options() };
    let library = Library::of(&[Made::sound("a.wav", &[&[1.0]])]);
    let opened = library.open(Some(PlantedModel::start(Some(gate))), tight, 10_000);
    runtime().block_on(async {
        let mut given_up = Box::pin(opened.searcher.search(query(text("1"))));
        assert!(poll_once(given_up.as_mut()).await.is_none());
        drop(given_up);
        // The model is still held up; this query does not need it.
        assert_eq!(opened.searcher.search(query(vector(&[1.0]))).await.unwrap().hits.len(), 1);
        drop(open);
    });
}

#[test]
fn many_queries_at_once_all_get_their_answer() {
    let wide = SearchOptions { concurrent: 2, waiting: 200, ..options() };
    // One axis and some of another, so that no two are near each other.
    let between = |index: usize| {
        let mut values = [0.0; DIMENSIONS];
        values[index % DIMENSIONS] = 1.0;
        values[(index + 1 + index / DIMENSIONS) % DIMENSIONS] = 0.5;
        values
    };
    let sounds: Vec<Made> = (0..50).map(|index| Made::sound(&format!("{index}.wav"), &[&between(index)])).collect();
    let opened = Library::of(&sounds).open(None, wide, 10_000);
    runtime().block_on(async {
        let ask = |index: usize| {
            let searcher = opened.searcher.clone();
            tokio::spawn(async move { searcher.search(query(vector(&between(index)))).await })
        };
        let queries: Vec<_> = (0..100u32).map(|index| (index, ask(index as usize % 50))).collect();
        for (index, query) in queries {
            let answer = query.await.unwrap().unwrap();
            assert_eq!(answer.hits[0].asset.id, super::library::id(index % 50));
        }
    });
}
