//! The limit that memory sets: how long it takes to read a row of codes, and nothing else.
//!
//! Rows lie in memory as those of the index do, in huge pages where the system has them. Whole cache lines are summed,
//! so that the compiler cannot leave any out.

use std::hint::black_box;
use std::time::Instant;

use memmap2::{Advice, MmapMut};
use serde_json::{Value, json};

/// One int8 code of 1,024 values.
const BYTES_A_ROW: usize = 1_024;
const READS: usize = 2_000_000;
const ROUNDS: usize = 3;
/// An odd factor of random bits: multiples of it visit rows in an order that no cache foresees.
const SCATTER: u64 = 0x9e37_79b9_7f4a_7c15;

/// Seconds to read a row, of the fastest round: in order, and at random.
pub(super) fn measure(rows: usize) -> Value {
    let mut memory = MmapMut::map_anon(rows * BYTES_A_ROW).expect("there is room");
    #[cfg(target_os = "linux")]
    let _ = memory.advise(Advice::HugePage);
    for (number, row) in memory.chunks_exact_mut(BYTES_A_ROW).enumerate() {
        row.fill(number.to_le_bytes()[0]);
    }
    let in_order = fastest(&memory, |read| read % rows);
    let scattered = |read: usize| ((((read as u64).wrapping_mul(SCATTER) >> 32) * rows as u64) >> 32) as usize;
    let at_random = fastest(&memory, scattered);
    json!({ "sequential_s": in_order, "random_s": at_random, "row_bytes": BYTES_A_ROW })
}

fn fastest(memory: &[u8], row: impl Fn(usize) -> usize) -> f64 {
    let round = |_| {
        let start = Instant::now();
        let sum = (0..READS).fold(0, |sum: u64, read| {
            let begin = row(read) * BYTES_A_ROW;
            sum.wrapping_add(summed(&memory[begin..begin + BYTES_A_ROW]))
        });
        black_box(sum);
        start.elapsed().as_secs_f64() / READS as f64
    };
    (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min)
}

fn summed(row: &[u8]) -> u64 {
    row.as_chunks::<8>().0.iter().fold(0, |sum, &word| sum.wrapping_add(u64::from_le_bytes(word)))
}
