//! The towers against the reference's golden vectors.
