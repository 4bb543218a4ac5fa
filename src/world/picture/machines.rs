//! Machines: engine, helicopter, chainsaw, train, jet, camera, keyboard, cash register.

use super::Draw;

/// Concepts and what they look like.
pub(super) const DRAW: &[(&str, Draw)] = &[];
