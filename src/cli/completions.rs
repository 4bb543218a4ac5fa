//! `earmark completions`: the command line, for shells that complete it.

use std::io::Write as _;

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::Outcome;

#[derive(Debug, Args)]
#[command(after_help = "\
For example: earmark completions bash > ~/.local/share/bash-completion/completions/earmark
             earmark completions zsh > a directory of $fpath, as _earmark
             earmark completions fish > ~/.config/fish/completions/earmark.fish")]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(command: &Completions) -> anyhow::Result<Outcome> {
    // Into memory first, because the generator panics if nobody reads what it writes.
    let mut script = Vec::new();
    clap_complete::generate(command.shell, &mut super::Cli::command(), "earmark", &mut script);
    std::io::stdout().lock().write_all(&script).context("standard output")?;
    Ok(Outcome::Complete)
}
