//! From disk to index: what is there is found, once, and nothing else.
