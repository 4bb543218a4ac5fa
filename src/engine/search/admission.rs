//! Who may search now, who waits, and who is told to come back.
//!
//! Invariant: work of a query on a blocking thread counts as long as it runs, even if nobody waits for it any more.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::engine::query::QueryError;

/// Limits the queries under way and those that wait. Clones share the limits.
#[derive(Clone)]
pub(super) struct Admission {
    places: Arc<Semaphore>,
    queue: Arc<AtomicUsize>,
    waiting: usize,
}

impl Admission {
    /// `concurrent` queries at once, at least one, and `waiting` more that wait for it.
    pub(super) fn new(concurrent: usize, waiting: usize) -> Self {
        let concurrent = concurrent.clamp(1, Semaphore::MAX_PERMITS);
        Self { places: Arc::new(Semaphore::new(concurrent)), queue: Arc::default(), waiting }
    }

    /// Waits for a place, if there is room to wait.
    pub(super) async fn enter(&self) -> Result<Ticket, QueryError> {
        let permit = if let Ok(permit) = self.places.clone().try_acquire_owned() {
            permit
        } else {
            let _queued = self.queue_up()?;
            self.places.clone().acquire_owned().await.expect("the semaphore is never closed")
        };
        Ok(Ticket { permit: Arc::new(permit), presence: Arc::new(()) })
    }

    fn queue_up(&self) -> Result<Queued, QueryError> {
        let join = |waiting: usize| (waiting < self.waiting).then_some(waiting + 1);
        match self.queue.fetch_update(Ordering::Relaxed, Ordering::Relaxed, join) {
            Ok(_) => Ok(Queued(self.queue.clone())),
            Err(_) => Err(QueryError::Overloaded { limit: self.waiting }),
        }
    }
}

/// A place in the queue.
struct Queued(Arc<AtomicUsize>);

impl Drop for Queued {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The right to search, held by the query's future. Dropping it tells the query's work that nobody waits for it.
pub(super) struct Ticket {
    permit: Arc<OwnedSemaphorePermit>,
    presence: Arc<()>,
}

/// Whoever waits for a piece of work.
pub(super) struct Caller(Weak<()>);

impl Caller {
    /// Whether nobody waits any more.
    pub(super) fn is_gone(&self) -> bool {
        self.0.strong_count() == 0
    }
}

impl Ticket {
    /// Does `work` on a thread where it may take its time; not at all if the caller is gone before it begins.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Caller) -> Result<T, QueryError> + Send + 'static,
    ) -> Result<T, QueryError> {
        let permit = self.permit.clone();
        let caller = Caller(Arc::downgrade(&self.presence));
        let done = tokio::task::spawn_blocking(move || {
            let outcome = (!caller.is_gone()).then(|| work(&caller));
            drop(permit);
            outcome
        });
        match done.await {
            Ok(Some(outcome)) => outcome,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Ok(None) | Err(_) => Err(QueryError::Model("the program is ending".into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn what_finds_no_room_to_wait_is_refused() {
        let admission = Admission::new(1, 1);
        let inside = admission.enter().await.unwrap();
        let mut waiting = Box::pin(admission.enter());
        assert!(poll_once(&mut waiting).await.is_none());
        assert!(matches!(admission.enter().await, Err(QueryError::Overloaded { limit: 1 })));
        drop(inside);
        let inside = waiting.await.unwrap();
        // Whoever gives up waiting makes room.
        let mut waiting = Box::pin(admission.enter());
        assert!(poll_once(&mut waiting).await.is_none());
        drop(waiting);
        let mut waiting = Box::pin(admission.enter());
        assert!(poll_once(&mut waiting).await.is_none());
        drop(inside);
        assert!(waiting.await.is_ok());
    }

    #[tokio::test]
    async fn work_holds_its_place_until_it_ends_and_learns_that_nobody_waits() {
        let admission = Admission::new(1, 1);
        let ticket = admission.enter().await.unwrap();
        let (begun, begins) = mpsc::channel();
        let (go_on, goes_on) = mpsc::channel::<()>();
        let (gone, was_gone) = mpsc::channel();
        let mut work = Box::pin(async move {
            let work = ticket.blocking(move |caller| {
                begun.send(()).unwrap();
                goes_on.recv().unwrap();
                gone.send(caller.is_gone()).unwrap();
                Ok(())
            });
            work.await
        });
        assert!(poll_once(&mut work).await.is_none());
        tokio::task::spawn_blocking(move || begins.recv().unwrap()).await.unwrap();
        drop(work);
        assert_eq!(admission.places.available_permits(), 0);
        let mut next = Box::pin(admission.enter());
        assert!(poll_once(&mut next).await.is_none());
        go_on.send(()).unwrap();
        assert!(next.await.is_ok());
        assert!(was_gone.recv().unwrap());
    }

    /// What the future has to say now.
    async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        std::future::poll_fn(|context| {
            std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
                std::task::Poll::Ready(output) => Some(output),
                std::task::Poll::Pending => None,
            })
        })
        .await
    }

    #[test]
    fn work_that_has_not_begun_is_not_done_for_nobody() {
        let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
        runtime.block_on(async {
            let (free, blocked) = mpsc::channel::<()>();
            // The only blocking thread is busy, so the work cannot begin.
            let busy = tokio::task::spawn_blocking(move || blocked.recv().unwrap());
            let admission = Admission::new(1, 1);
            let ticket = admission.enter().await.unwrap();
            let (done, was_done) = mpsc::channel();
            let mut work = Box::pin(async move {
                let work = ticket.blocking(move |_| {
                    done.send(()).unwrap();
                    Ok(())
                });
                work.await
            });
            assert!(poll_once(&mut work).await.is_none());
            drop(work);
            free.send(()).unwrap();
            busy.await.unwrap();
            assert!(admission.enter().await.is_ok());
            assert!(was_done.recv().is_err(), "the channel closes without a word");
        });
    }
}
