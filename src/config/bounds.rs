//! Bounds of the configuration's figures, beyond what their types say.

use super::{Config, ConfigError, invalid};

/// Refuses figures with which nothing could be done, or something for ever.
pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    let Config { ingest, watch, index, search, server, .. } = config;
    let at_least_one: [(&str, u64); 12] = [
        ("ingest.hop_ms", ingest.hop_ms),
        ("ingest.commit_files", ingest.commit_files as u64),
        ("watch.poll_interval_s", watch.poll_interval_s),
        ("index.construction_candidates", index.construction_candidates as u64),
        ("search.concurrent", search.concurrent as u64),
        ("search.hits", search.hits as u64),
        ("search.terms", search.terms as u64),
        ("search.query_audio_s", search.query_audio_s),
        ("server.message_bytes", server.message_bytes as u64),
        ("server.concurrent_uploads", server.concurrent_uploads as u64),
        ("server.requests", server.requests as u64),
        ("server.streams_per_connection", server.streams_per_connection.into()),
    ];
    if let Some((key, _)) = at_least_one.into_iter().find(|&(_, value)| value == 0) {
        return Err(invalid("configuration", &format!("{key} is 0, expected at least 1")));
    }
    let unfit = |key: &str, got: &dyn std::fmt::Display, expected: &str| {
        Err(invalid("configuration", &format!("{key} is {got}, expected {expected}")))
    };
    if !(2..=256).contains(&index.links) {
        return unfit("index.links", &index.links, "2 to 256");
    }
    if !(index.target_recall > 0.0 && index.target_recall < 1.0) {
        return unfit("index.target_recall", &index.target_recall, "more than 0, and less than 1");
    }
    if !(index.compact_above > 0.0 && index.compact_above <= 1.0) {
        return unfit("index.compact_above", &index.compact_above, "more than 0, and at most 1");
    }
    if ingest.silence_dbfs.is_nan() || ingest.silence_dbfs > 0.0 {
        return unfit("ingest.silence_dbfs", &ingest.silence_dbfs, "at most 0");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::load;

    #[test]
    fn figures_with_which_nothing_could_be_done_are_refused() {
        let check = |file: &str, expected: &str| {
            let error = load(file, &[]).unwrap_err().to_string();
            assert_eq!(error, format!("configuration: {expected}"));
        };
        check("[ingest]\nhop_ms = 0", "ingest.hop_ms is 0, expected at least 1");
        check("[search]\nconcurrent = 0", "search.concurrent is 0, expected at least 1");
        check("[index]\nlinks = 1", "index.links is 1, expected 2 to 256");
        check("[index]\ncompact_above = 0.0", "index.compact_above is 0, expected more than 0, and at most 1");
        check("[index]\ncompact_above = nan", "index.compact_above is NaN, expected more than 0, and at most 1");
        check("[index]\ntarget_recall = 1.0", "index.target_recall is 1, expected more than 0, and less than 1");
        check("[ingest]\nsilence_dbfs = 3.0", "ingest.silence_dbfs is 3, expected at most 0");
    }
}
