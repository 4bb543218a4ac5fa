//! Signals: siren, alarm, telephone, doorbell, sonar, geiger counter, laser, car horn.

use super::Render;

/// Concepts and what they sound like.
pub(super) const RENDER: &[(&str, Render)] = &[];
