//! Zero-shot evaluation: the datasets' layouts on disk, and the figures that come of predictions.
//!
//! Owns SPEC 9. Invariant: the figures depend on predictions alone, whoever made them. Does not run models, nor print.

mod dataset;
mod report;

pub use dataset::{Clip, Dataset, DatasetError, EvalProtocol};
pub use report::{ClassAccuracy, Report};
