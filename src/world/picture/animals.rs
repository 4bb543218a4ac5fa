//! Animals: bird, cat, cricket, dog, frog, owl, rooster, bee.

use super::Draw;

/// Concepts and what they look like.
pub(super) const DRAW: &[(&str, Draw)] = &[];
