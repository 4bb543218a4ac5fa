//! Evaluation: the datasets' layouts on disk, and the figures that come of predictions and similarities.
//!
//! Owns SPEC 9. Invariant: the figures depend on predictions and similarities alone, whoever made them. Does not run
//! models, nor print.

mod dataset;
mod report;
mod retrieval;

pub use dataset::{Clip, Dataset, DatasetError, EvalProtocol};
pub use report::{ClassAccuracy, Report};
pub use retrieval::{NEAREST, Precision, RetrievalFigures, Retrievals};
