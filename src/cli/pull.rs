//! `earmark model pull`: a published checkpoint from the network to an installed model.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};

use super::progress;
use crate::checkpoint::pull::{DownloadError, DownloadOptions, Source, catalog, download};
use crate::config::Config;
use crate::model_store::{BUNDLED, ImportOptions, InstalledModel, ModelName, ModelStore};

/// Set by Ctrl-C, so that a download ends in a state from which it can be resumed.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Downloads into the model directory, imports, and removes the download.
pub(super) fn pull(
    checkpoint: &str,
    url: Option<&str>,
    store: &ModelStore,
    config: &Config,
) -> anyhow::Result<InstalledModel> {
    let source = Source::named(checkpoint).ok_or_else(|| unknown(checkpoint))?;
    let source = match url {
        Some(url) => source.with_url(url),
        None => source,
    };
    if let Some(installed) = already_installed(&source, store)? {
        return Ok(installed);
    }
    let directory = store.directory();
    std::fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
    let destination = directory.join(&source.file_name);
    let options = DownloadOptions {
        stall: Duration::from_secs(config.download.stall_timeout_s),
        retries: config.download.retries,
        ..DownloadOptions::default()
    };
    ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::Relaxed)).context("cannot catch Ctrl-C")?;
    let bar = progress::bytes(source.bytes, "downloading");
    let mut started = false;
    let fetched = download(&source, &destination, &options, &INTERRUPTED, &mut |progress| {
        if std::mem::replace(&mut started, true) {
            bar.set_position(progress.done);
        } else {
            progress::resume_at(&bar, progress.done);
        }
    });
    bar.finish_and_clear();
    fetched.map_err(|error| with_hint(error, &source))?;
    let spinner = progress::spinner("importing");
    let name = ModelName::new(&source.name)?;
    let limits = config.limits.checkpoint;
    let options = ImportOptions { name: Some(name), replace: true, limits, ..ImportOptions::default() };
    let installed = store.import(&destination, &options)?;
    spinner.finish_and_clear();
    std::fs::remove_file(&destination).with_context(|| destination.display().to_string())?;
    Ok(installed)
}

/// The model if it is there and undamaged. A model of this name from another file is not for us to replace.
fn already_installed(source: &Source, store: &ModelStore) -> anyhow::Result<Option<InstalledModel>> {
    let name = ModelName::new(&source.name)?;
    match store.find(&name) {
        Ok(found) if found.metadata.source_sha256 == source.sha256.to_string() => Ok(store.verify(&name).ok()),
        Ok(_) => bail!(
            "a model {name} from another file is installed already (`earmark model remove {name}` makes room for it)"
        ),
        Err(_) => Ok(None),
    }
}

fn unknown(checkpoint: &str) -> anyhow::Error {
    if checkpoint == BUNDLED {
        return anyhow!("{BUNDLED} is built in: there is nothing to download");
    }
    let known: Vec<String> = catalog().into_iter().map(|source| source.name).collect();
    anyhow!("unknown checkpoint {checkpoint:?}, expected {}", known.join(" or "))
}

fn with_hint(error: DownloadError, source: &Source) -> anyhow::Error {
    match error.hint(source) {
        Some(hint) => anyhow!("{error}\n{hint}"),
        None => error.into(),
    }
}
