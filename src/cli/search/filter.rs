//! Which assets are searched: filters as typed, and what they mean.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};

use crate::cli::connection::Session;
use crate::cli::{index, roots, values};
use crate::grpc::proto;
use crate::library::Range;

/// Where to look, as people call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Kind {
    /// Sounds
    #[value(alias = "sound", alias = "sounds")]
    Audio,
    /// Pictures
    #[value(alias = "image", alias = "picture", alias = "pictures")]
    Images,
}

impl Kind {
    pub(in crate::cli) fn to_wire(self) -> proto::MediaKind {
        match self {
            Self::Audio => proto::MediaKind::Audio,
            Self::Images => proto::MediaKind::Image,
        }
    }
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Filters, all of which must hold")]
pub(super) struct FilterArgs {
    /// Only these kinds
    #[arg(long = "in", value_enum, value_delimiter = ',', value_name = "KIND")]
    kinds: Vec<Kind>,
    /// In this folder of the library, by path or number (see `earmark roots`); may be given several times
    #[arg(long = "root", value_name = "PATH|ID")]
    roots: Vec<String>,
    /// At or below this path
    #[arg(long, value_name = "PATH")]
    under: Option<PathBuf>,
    /// Path below the library's folder, e.g. 'doors/**/*.wav'
    #[arg(long)]
    glob: Option<String>,
    /// File name extensions
    #[arg(long = "ext", value_delimiter = ',', value_name = "EXT")]
    extensions: Vec<String>,
    /// Sounds at least this long: 90, 1.5, 2m, 1m30s
    #[arg(long, value_name = "TIME", value_parser = values::duration_ms)]
    min_duration: Option<u64>,
    /// Sounds at most this long
    #[arg(long, value_name = "TIME", value_parser = values::duration_ms)]
    max_duration: Option<u64>,
    /// Samples a second: 48000, 44100-96000, 48000-
    #[arg(long, value_name = "N|N-M", value_parser = values::range, allow_hyphen_values = true)]
    sample_rate: Option<Range<u64>>,
    /// Channels: 2, 1-2, 3-
    #[arg(long, value_name = "N|N-M", value_parser = values::range, allow_hyphen_values = true)]
    channels: Option<Range<u64>>,
    /// Modified since a date (2026-03-31, UTC) or for at most this long (3d, 2h)
    #[arg(long, value_name = "WHEN", value_parser = values::moment_ms)]
    newer: Option<i64>,
    /// Modified before a date, or longer ago
    #[arg(long, value_name = "WHEN", value_parser = values::moment_ms)]
    older: Option<i64>,
    /// Category of the Universal Category System, e.g. DOORS
    #[arg(long)]
    category: Option<String>,
    /// Subcategory of the Universal Category System, e.g. WOOD
    #[arg(long)]
    subcategory: Option<String>,
    /// Keyword in the metadata; may be given several times
    #[arg(long = "keyword", value_name = "WORD")]
    keywords: Vec<String>,
    /// Words that occur in the metadata or the file's name
    #[arg(long = "text", value_name = "WORDS")]
    text: Option<String>,
}

impl FilterArgs {
    /// The filter as the protocol has it; folders are looked up.
    pub(super) async fn resolve(&self, session: &Session) -> anyhow::Result<proto::Filter> {
        let mut root_ids = Vec::new();
        for root in &self.roots {
            root_ids.push(roots::find(session, root).await?.id);
        }
        Ok(proto::Filter { root_ids, ..self.plain()? })
    }

    fn plain(&self) -> anyhow::Result<proto::Filter> {
        let under = |path: &PathBuf| -> anyhow::Result<String> {
            // What is not there, on a disk that is not mounted, can be searched all the same.
            let absolute = path.canonicalize().or_else(|_| std::path::absolute(path));
            index::wire_path(&absolute.with_context(|| path.display().to_string())?)
        };
        let unsigned = |min, max| (min, max) != (None, None);
        let (longer, shorter) = (self.min_duration, self.max_duration);
        let range = |range: Range<u64>| proto::UnsignedRange { min: range.min, max: range.max };
        let modified = proto::TimeRange { min: self.newer, max: self.older.map(|older| older.saturating_sub(1)) };
        Ok(proto::Filter {
            kinds: self.kinds.iter().map(|kind| kind.to_wire().into()).collect(),
            path_prefix: self.under.as_ref().map(under).transpose()?,
            path_glob: self.glob.clone(),
            extensions: self.extensions.iter().map(|it| it.trim_start_matches('.').to_lowercase()).collect(),
            duration_ms: unsigned(longer, shorter).then_some(proto::UnsignedRange { min: longer, max: shorter }),
            sample_rate_hz: self.sample_rate.map(range),
            channels: self.channels.map(range),
            modified_ms: (self.newer.is_some() || self.older.is_some()).then_some(modified),
            category: self.category.clone(),
            subcategory: self.subcategory.clone(),
            keywords: self.keywords.clone(),
            text: self.text.clone(),
            ..proto::Filter::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        filter: FilterArgs,
    }

    fn filter(line: &str) -> proto::Filter {
        Line::try_parse_from(["x"].into_iter().chain(line.split_whitespace())).unwrap().filter.plain().unwrap()
    }

    #[test]
    fn what_is_typed_becomes_what_it_means() {
        assert_eq!(filter(""), proto::Filter::default());
        let check = |line: &str, expected: proto::Filter| assert_eq!(filter(line), expected, "{line}");
        let none = proto::Filter::default;
        let unsigned = |min, max| Some(proto::UnsignedRange { min, max });
        check("--in audio,images", proto::Filter { kinds: vec![1, 2], ..none() });
        check("--in image", proto::Filter { kinds: vec![2], ..none() });
        check(
            "--ext .WAV --ext ogg,flac",
            proto::Filter { extensions: vec!["wav".into(), "ogg".into(), "flac".into()], ..none() },
        );
        check("--min-duration 1m30s", proto::Filter { duration_ms: unsigned(Some(90_000), None), ..none() });
        check("--sample-rate 44100-", proto::Filter { sample_rate_hz: unsigned(Some(44_100), None), ..none() });
        check("--channels -2", proto::Filter { channels: unsigned(None, Some(2)), ..none() });
        let modified_ms = Some(proto::TimeRange { min: Some(0), max: Some(86_399_999) });
        check("--newer 1970-01-01 --older 1970-01-02", proto::Filter { modified_ms, ..none() });
        check("--under /none/../such", proto::Filter { path_prefix: Some("/none/../such".into()), ..none() });
    }
}
