//! Instruments and bodies: bell, gong, drum, guitar, flute, whistle, applause, heartbeat.

use super::Render;

/// Concepts and what they sound like.
pub(super) const RENDER: &[(&str, Render)] = &[];
