//! The demo: a small library out of the procedural world, and a tour of what can be found in it.
//!
//! Owns what the library consists of, how its files are made, and what each query of the tour promises. Invariants:
//! the same program makes the same bytes everywhere; what a file is of is known from the plan, never from its name, and
//! half of the sounds and pictures have names that say nothing. Knows neither servers nor models: who asks the queries
//! and prints the answers is not its business.

mod files;
mod make;
mod plan;
mod tour;

pub use make::{Made, MakeError, Progress, make};
pub use plan::{Content, Event, Plan, Planned};
pub use tour::{Ask, Promise, Seen, Step, TOUR};
