//! The loop that all vector kernels share: blocks of both rows, four sums side by side, then what is left.
//!
//! Owns the order of the additions. Invariant: every position of the rows is visited once, and four registers are
//! written out: the compiler, left to unroll a loop over an array of them, spills them to memory. A macro, because the
//! compiler inlines functions of an instruction set only into functions of the same set. Does not know what is summed.

/// Sums over two rows of the same length, as four partial sums.
///
/// `whole` adds a block of each row (references to arrays of `block` values) to a sum; `rest` adds what is left at the
/// end (slices, shorter than a block), and is called only if something is.
macro_rules! sum_four_ways {
    ($a:expr, $b:expr; block $block:expr, zero $zero:expr, whole $add:ident, rest $add_rest:ident) => {{
        let (a, a_rest) = $a.as_chunks::<{ $block }>();
        let (b, b_rest) = $b.as_chunks::<{ $block }>();
        let (a, a_few) = a.as_chunks::<4>();
        let (b, b_few) = b.as_chunks::<4>();
        let [mut first, mut second, mut third, mut fourth] = [$zero; 4];
        for (a, b) in a.iter().zip(b) {
            first = $add(first, &a[0], &b[0]);
            second = $add(second, &a[1], &b[1]);
            third = $add(third, &a[2], &b[2]);
            fourth = $add(fourth, &a[3], &b[3]);
        }
        for (a, b) in a_few.iter().zip(b_few) {
            first = $add(first, a, b);
        }
        if !a_rest.is_empty() && !b_rest.is_empty() {
            second = $add_rest(second, a_rest, b_rest);
        }
        [first, second, third, fourth]
    }};
}

/// `values`, and zeros behind them.
///
/// # Panics
///
/// If there are more than `N` values.
#[inline]
pub(super) fn padded<T: Copy, const N: usize>(values: &[T], zero: T) -> [T; N] {
    let mut padded = [zero; N];
    padded[..values.len()].copy_from_slice(values);
    padded
}
