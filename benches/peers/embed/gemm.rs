//! What the machine could do at most, as candle multiplies matrices.

use std::time::Instant;

use candle_core::{Device, Tensor};
use serde_json::{Value, json};

/// Floating point operations a second, of square matrices in f32, in the best round.
pub(super) fn measure(size: usize, rounds: usize) -> Value {
    let random = || Tensor::rand(-1f32, 1., (size, size), &Device::Cpu).expect("there is memory");
    let (left, right) = (random(), random());
    let product = || left.matmul(&right).expect("they fit together");
    let seconds = |_| {
        let start = Instant::now();
        drop(product());
        start.elapsed().as_secs_f64()
    };
    let best = (0..rounds).map(seconds).fold(f64::INFINITY, f64::min);
    json!({ "gflops": 2e-9 * (size as f64).powi(3) / best })
}
