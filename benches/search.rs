//! Search: latency by size of the library, memory a vector, cold start.

#[path = "search/index.rs"]
mod index;
#[path = "search/library.rs"]
mod library;
mod support;
#[allow(dead_code, unreachable_pub, reason = "shared with the tests")]
#[path = "../tests/support/vectors.rs"]
mod vectors;

fn main() {
    support::run(&[index::searches, |_| library::figures()]);
}
