//! Search: latency by stage, memory a vector, cold start.

use criterion::{Criterion, criterion_group, criterion_main};

fn search(_criterion: &mut Criterion) {}

criterion_group!(benches, search);
criterion_main!(benches);
