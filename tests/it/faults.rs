//! What the daemon must survive: the faults a disk, a file system and a user come up with.
