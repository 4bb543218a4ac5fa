//! Machines: engine, helicopter, chainsaw, train, jet, camera, keyboard, cash register.

use super::Render;

/// Concepts and what they sound like.
pub(super) const RENDER: &[(&str, Render)] = &[];
