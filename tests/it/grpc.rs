//! The gRPC edge over real sockets: what is refused and how, health, reflection, and every service on a real library.

mod fixture;
mod library;
mod life;
mod pages;
mod reflection;
mod refusals;
mod uploads;
