//! Downloading a checkpoint from a server that misbehaves in every way we could think of.
