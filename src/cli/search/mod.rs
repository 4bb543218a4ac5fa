//! `earmark search`: what is like these words, sounds and pictures.

mod filter;
mod hits;
mod play;
mod terms;

use clap::Args;

pub(super) use self::filter::Kind;
pub(super) use self::hits::table;
pub(super) use self::terms::{Ingredient, ask};

use self::filter::FilterArgs;
use self::terms::TermArgs;
use super::connection::{LibraryArgs, Need, Session, refused, with_session};
use super::{ModelArgs, Outcome};
use crate::config::Config;
use crate::grpc::proto;

#[derive(Debug, Args)]
#[command(after_help = "\
Words, sounds and pictures may be combined: the direction between them is searched. Quote words that belong together.

With --json, one object a line and hit: path (absolute), kind (audio or image), score (cosine, -1 to 1), confidence, \
start_ms and end_ms of the best place, asset, segment, paths (every file with this content), segments (other places), \
facts, and title, description, creator, category, subcategory, keywords and fields as far as known; raw_path, in hex, \
if the path is not Unicode.

Exit codes: 0 searched, whether or not anything was found; 1 failed; 2 wrong usage.")]
pub(super) struct Search {
    #[command(flatten)]
    terms: TermArgs,
    #[command(flatten)]
    filter: FilterArgs,
    /// Most hits
    #[arg(short = 'k', long = "limit", default_value_t = 20, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Hits to pass over
    #[arg(long, default_value_t = 0, value_name = "N")]
    offset: u32,
    /// Leave out what scores less
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true, value_parser = score)]
    min_score: Option<f32>,
    /// Leave out what is closer to the library's average than to the best hit
    #[arg(long)]
    cutoff: bool,
    /// Look at every vector that passes, however large the library
    #[arg(long)]
    exact: bool,
    /// Places in which nothing is to be heard, too
    #[arg(long)]
    silent: bool,
    /// One hit for each place, not for each sound
    #[arg(long)]
    segments: bool,
    /// One JSON object a line and hit
    #[arg(long, conflicts_with = "paths0")]
    json: bool,
    /// Only paths, as the file system has them, each followed by a zero byte, as for `xargs -0`
    #[arg(long)]
    paths0: bool,
    /// Play the best sound from where it fits best, with ffplay, mpv, play (SoX) or afplay
    #[arg(long)]
    play: bool,
    #[command(flatten)]
    library: LibraryArgs,
    #[command(flatten)]
    model: ModelArgs,
}

fn score(text: &str) -> Result<f32, String> {
    let score: f32 = text.parse().map_err(|_| "expected a number from -1 to 1".to_owned())?;
    if (-1.0..=1.0).contains(&score) { Ok(score) } else { Err("expected a number from -1 to 1".into()) }
}

pub(super) fn run(command: &Search, config: &Config) -> anyhow::Result<Outcome> {
    let mut config = config.clone();
    command.model.apply(&mut config);
    let terms = command.terms.read()?;
    let need = if terms.iter().any(Ingredient::needs_model) { Need::SEARCH } else { Need::READ };
    with_session(&command.library, &config, need, async |session| {
        let query = proto::QueryRequest {
            filter: Some(command.filter.resolve(session).await?),
            limit: command.limit,
            offset: command.offset,
            min_score: command.min_score,
            relative_cutoff: command.cutoff,
            ungrouped: command.segments,
            include_silent: command.silent,
            exact: command.exact,
            ..proto::QueryRequest::default()
        };
        let answer = ask(session, query, terms).await?;
        for text in &answer.notes {
            super::note(format_args!("note: {text}"));
        }
        if answer.hits.is_empty() {
            note_nothing(session).await?;
        }
        command.print(&answer.hits)?;
        if command.play {
            play::play_best(&answer.hits)?;
        }
        Ok(Outcome::Complete)
    })
}

impl Search {
    fn print(&self, found: &[proto::Hit]) -> anyhow::Result<()> {
        if self.json {
            found.iter().try_for_each(|hit| super::print(hits::json_line(hit)?))
        } else if self.paths0 {
            hits::print_paths(found)
        } else if found.is_empty() {
            Ok(())
        } else {
            super::print(table(found, self.offset, std::env::current_dir().ok().as_deref()))
        }
    }
}

async fn note_nothing(session: &Session) -> anyhow::Result<()> {
    let stats = session.admin().get_stats(proto::GetStatsRequest {}).await.map_err(refused)?.into_inner();
    super::note(if stats.segments == 0 {
        "nothing found: the library is empty (`earmark index PATH` fills it)"
    } else {
        "nothing found"
    });
    Ok(())
}
