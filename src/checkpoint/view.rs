//! A tensor as PyTorch stores it: a strided view of a flat storage.
//!
//! Owns the bounds arithmetic and the gathering of elements into row-major order.
//! Invariant: a [`TensorView`] that exists reads only inside the storage it declares. Does not know files.

use super::{CheckpointError, CheckpointLimits, Dtype};

/// As many dimensions as PyTorch allows.
const MAX_DIMENSIONS: usize = 64;

/// A flat run of elements in an archive, as a tensor record declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Storage {
    /// The entry's name under `data/`.
    pub(super) key: String,
    pub(super) dtype: Dtype,
    pub(super) elements: u64,
}

impl Storage {
    /// Size of the storage; `None` on overflow.
    pub(super) fn bytes(&self) -> Option<u64> {
        self.elements.checked_mul(self.dtype.size() as u64)
    }
}

/// A checked view. Offsets and strides count elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TensorView {
    pub(super) storage: Storage,
    pub(super) shape: Vec<usize>,
    strides: Vec<usize>,
    offset: usize,
    /// Elements of the tensor.
    elements: usize,
    /// Elements of storage from the first to the last that is used.
    span: usize,
}

impl TensorView {
    /// Checks a view against its storage and the limits. `shape` and `strides` are as found in the file.
    pub(super) fn new(
        tensor: &str,
        storage: Storage,
        offset: u64,
        shape: &[u64],
        strides: &[u64],
        limits: &CheckpointLimits,
    ) -> Result<Self, CheckpointError> {
        let damage = |reason: String| CheckpointError::tensor(tensor, reason);
        if shape.len() != strides.len() || shape.len() > MAX_DIMENSIONS {
            return Err(damage(format!(
                "it has {} dimensions and {} strides, expected as many of each, at most {MAX_DIMENSIONS}",
                shape.len(),
                strides.len()
            )));
        }
        let size = storage.dtype.size() as u64;
        let elements = product(shape).ok_or_else(|| damage(format!("shape {shape:?} overflows")))?;
        limits.check_tensor("tensor size in bytes", elements.saturating_mul(size))?;
        let span = if elements == 0 { 0 } else { span(shape, strides).unwrap_or(u64::MAX) };
        // An empty tensor reads nothing, so where it would start does not matter.
        if elements > 0 && offset.checked_add(span).is_none_or(|end| end > storage.elements) {
            return Err(damage(format!(
                "offset {offset}, shape {shape:?} and strides {strides:?} reach past its storage of {} elements",
                storage.elements
            )));
        }
        limits.check_tensor("stretch of a strided tensor in bytes", span.saturating_mul(size))?;
        let narrow = |number: u64| usize::try_from(number).map_err(|_| damage(format!("{number} is out of range")));
        // A dimension of one is never stepped along, so its stride may be anything and must not overflow.
        let steps = shape.iter().zip(strides).map(|(extent, stride)| if *extent == 1 { 0 } else { *stride });
        Ok(Self {
            shape: shape.iter().map(|extent| narrow(*extent)).collect::<Result<_, _>>()?,
            strides: steps.map(narrow).collect::<Result<_, _>>()?,
            offset: narrow(offset)?,
            elements: narrow(elements)?,
            span: narrow(span)?,
            storage,
        })
    }

    /// Bytes of the tensor in row-major order.
    pub(super) fn bytes(&self) -> usize {
        self.elements * self.storage.dtype.size()
    }

    /// Start and length in bytes of the stretch of storage that holds the tensor.
    pub(super) fn stretch(&self) -> (usize, usize) {
        let size = self.storage.dtype.size();
        if self.elements == 0 { (0, 0) } else { (self.offset * size, self.span * size) }
    }

    /// Whether the tensor is all of its storage, from the first element to the last.
    pub(super) fn is_whole_storage(&self) -> bool {
        self.offset == 0 && self.span as u64 == self.storage.elements
    }

    /// The tensor in row-major order, from the bytes of its [`stretch`](Self::stretch).
    pub(super) fn gather(&self, stretch: Vec<u8>) -> Vec<u8> {
        if self.is_row_major() {
            return stretch;
        }
        let size = self.storage.dtype.size();
        let mut gathered = Vec::with_capacity(self.bytes());
        let mut position = vec![0; self.shape.len()];
        let mut at = 0;
        for _ in 0..self.elements {
            gathered.extend_from_slice(&stretch[at * size..(at + 1) * size]);
            for axis in (0..position.len()).rev() {
                position[axis] += 1;
                at += self.strides[axis];
                if position[axis] < self.shape[axis] {
                    break;
                }
                at -= position[axis] * self.strides[axis];
                position[axis] = 0;
            }
        }
        gathered
    }

    /// Whether consecutive elements follow each other in storage.
    fn is_row_major(&self) -> bool {
        let mut expected = 1;
        self.elements == 0
            || self.shape.iter().zip(&self.strides).rev().filter(|(extent, _)| **extent != 1).all(|(extent, stride)| {
                let matches = *stride == expected;
                expected *= extent;
                matches
            })
    }
}

/// `None` on overflow, unless an extent is 0.
fn product(shape: &[u64]) -> Option<u64> {
    if shape.contains(&0) {
        return Some(0);
    }
    shape.iter().try_fold(1_u64, |product, extent| product.checked_mul(*extent))
}

/// Elements from the first to the last that a view of no empty dimension uses; `None` on overflow.
fn span(shape: &[u64], strides: &[u64]) -> Option<u64> {
    shape
        .iter()
        .zip(strides)
        .try_fold(1_u64, |span, (extent, stride)| span.checked_add(extent.checked_sub(1)?.checked_mul(*stride)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(elements: u64, offset: u64, shape: &[u64], strides: &[u64]) -> Result<TensorView, CheckpointError> {
        let storage = Storage { key: "0".into(), dtype: Dtype::U8, elements };
        let limits = CheckpointLimits { tensor_bytes: 100, ..Default::default() };
        TensorView::new("t", storage, offset, shape, strides, &limits)
    }

    #[test]
    fn gathers_in_row_major_order() {
        let check = |offset, shape: &[u64], strides: &[u64], expected: &[u8]| {
            let view = view(12, offset, shape, strides).unwrap();
            let (start, length) = view.stretch();
            let stretch: Vec<u8> = (0..12).skip(start).take(length).collect();
            assert_eq!(view.gather(stretch), expected, "{shape:?} {strides:?}");
        };
        check(0, &[3, 4], &[4, 1], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
        check(0, &[4, 3], &[1, 4], &[0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]);
        check(1, &[2, 2, 2], &[6, 2, 1], &[1, 2, 3, 4, 7, 8, 9, 10]);
        check(5, &[3], &[0], &[5, 5, 5]);
        check(2, &[1, 2, 1], &[u64::MAX, 1, 999], &[2, 3]);
        check(0, &[2, 1, 2], &[1, u64::MAX, 2], &[0, 2, 1, 3]);
        check(11, &[], &[], &[11]);
        check(0, &[3, 0], &[1, 1], &[]);
        check(999, &[0], &[1], &[]);
    }

    #[test]
    fn refuses_what_reaches_outside() {
        let check = |offset, shape: &[u64], strides: &[u64], expected: &str| {
            let message = view(12, offset, shape, strides).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        };
        check(0, &[13], &[1], "past its storage of 12");
        check(12, &[], &[], "past its storage");
        check(u64::MAX, &[2], &[1], "past its storage");
        check(0, &[2, 2], &[u64::MAX, u64::MAX], "past its storage");
        check(0, &[2], &[1, 1], "1 dimensions and 2 strides");
        check(0, &[1; 65], &[1; 65], "at most 64");
        check(0, &[u64::MAX, 2], &[0, 0], "overflows");
        check(0, &[101], &[0], "the limit is 100 (raise limits.checkpoint.tensor_bytes");
    }
}
