//! Checkpoint files: read strictly, never executed.
