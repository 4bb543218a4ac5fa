//! The one place where an asynchronous runtime is built.

use std::future::Future;

use anyhow::Context as _;

/// Runs a future to its end. Threads that wait for the disk or the model then are not waited for: whatever has to be
/// finished, the future finishes.
pub(super) fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.context("the runtime cannot be started")?;
    let result = runtime.block_on(future);
    runtime.shutdown_background();
    result
}
