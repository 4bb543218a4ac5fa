//! A pickle reader that builds data and calls nothing.
//!
//! Reads protocols 2 to 5 as far as `torch.save` and TorchScript use them, into a [`Graph`] of plain values. A class or
//! function is a pair of strings there, and a call is a record of what would have been called with what.
//! Invariants: a class or function that the given policy does not know is refused where it is named, an
//! instruction outside the list is refused by name, and memory stays within a constant factor of the input.
//! Does not know tensors.

mod cursor;
mod graph;
mod machine;
mod opcode;

pub(super) use graph::{Graph, NodeId, Value};
pub(super) use machine::read;
