//! People and the house: clock, glass, zipper, baby, sneeze, explosion, spring, door.

use super::Draw;

/// Concepts and what they look like.
pub(super) const DRAW: &[(&str, Draw)] = &[];
