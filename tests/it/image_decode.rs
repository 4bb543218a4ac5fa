//! Pictures: decoded, oriented, and preprocessed as the model expects.
