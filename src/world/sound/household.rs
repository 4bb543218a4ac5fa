//! People and the house: clock, glass, zipper, baby, sneeze, explosion, spring, door.

use super::Render;

/// Concepts and what they sound like.
pub(super) const RENDER: &[(&str, Render)] = &[];
