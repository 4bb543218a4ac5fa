//! Sounds: every container and codec decoded, and broken ones refused.
