//! Weather, water, fire and the ground: rain, thunder, sea waves, wind, fire, water drop, bubbles, footsteps.

use super::Render;

/// Concepts and what they sound like.
pub(super) const RENDER: &[(&str, Render)] = &[];
