//! Animals: bird, cat, cricket, dog, frog, owl, rooster, bee.

use super::Render;

/// Concepts and what they sound like.
pub(super) const RENDER: &[(&str, Render)] = &[];
