//! Weather, water, fire and the ground: rain, thunder, sea waves, wind, fire, water drop, bubbles, footsteps.

use super::Draw;

/// Concepts and what they look like.
pub(super) const DRAW: &[(&str, Draw)] = &[];
