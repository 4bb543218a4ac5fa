//! What is logged, and how it looks.

use std::io::{self, IsTerminal as _};

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, LogSettings};

const VARIABLE: &str = "EARMARK_LOG";

/// For commands that end: warnings by default. `EARMARK_LOG` takes the usual filter syntax, and shows where in the code
/// a line comes from.
pub(super) fn for_people() {
    let detailed = std::env::var_os(VARIABLE).is_some();
    let filter = EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new("warn"));
    let ansi = io::stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_target(detailed).with_ansi(ansi).without_time();
    log.with_writer(io::stderr).log_internal_errors(false).init();
}

/// For the daemon: as configured, with times.
pub(super) fn for_daemon(settings: &LogSettings) -> anyhow::Result<()> {
    let filter = match std::env::var(VARIABLE) {
        Ok(text) => EnvFilter::try_new(&text).with_context(|| format!("{VARIABLE}: {text:?} is no filter"))?,
        Err(_) => {
            let text = &settings.filter;
            EnvFilter::try_new(text).with_context(|| format!("log.filter: {text:?} is no filter"))?
        }
    };
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).log_internal_errors(false);
    match settings.format {
        LogFormat::Text => log.with_ansi(io::stderr().is_terminal()).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    Ok(())
}
