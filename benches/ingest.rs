//! Indexing: files a second, end to end.

use criterion::{Criterion, criterion_group, criterion_main};

fn ingest(_criterion: &mut Criterion) {}

criterion_group!(benches, ingest);
criterion_main!(benches);
