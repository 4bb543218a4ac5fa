//! The thread that owns the model, and reading content into windows.
