//! Filters and queries against brute force.
