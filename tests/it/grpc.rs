//! The services over real sockets.
