//! Signals: siren, alarm, telephone, doorbell, sonar, geiger counter, laser, car horn.

use super::Draw;

/// Concepts and what they look like.
pub(super) const DRAW: &[(&str, Draw)] = &[];
