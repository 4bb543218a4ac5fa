//! Instruments and bodies: bell, gong, drum, guitar, flute, whistle, applause, heartbeat.

use super::Draw;

/// Concepts and what they look like.
pub(super) const DRAW: &[(&str, Draw)] = &[];
