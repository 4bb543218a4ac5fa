//! What `benches/peers/run.sh` drives: earmark without a daemon, told what to do by lines of JSON.
//!
//! The name of a part comes as the one argument; then each line on standard input is a request, and each is answered by
//! one line on standard output. Times are taken in here, so that what passes between the processes costs nothing.
//! Without arguments, or with those that `cargo bench` gives, it says who runs it and ends.
#![expect(clippy::print_stdout, reason = "its answers")]

mod embed;
mod index;
#[path = "../support/mod.rs"]
mod support;

use std::io::{self, BufRead, Write};

fn main() -> io::Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some("embed") => converse(embed::Session::default().answering()),
        Some("index") => converse(index::Session::new().answering()),
        _ => {
            println!("compared with other libraries by benches/peers/run.sh; does nothing on its own");
            Ok(())
        }
    }
}

/// Answers requests until there are no more.
fn converse(mut answer: impl FnMut(&str) -> serde_json::Value) -> io::Result<()> {
    for request in io::stdin().lock().lines() {
        println!("{}", answer(&request?));
        io::stdout().flush()?;
    }
    Ok(())
}
