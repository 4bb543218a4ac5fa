//! What is searched for: words, files and assets as typed, and how they are sent.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use clap::{ArgGroup, Args};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio_stream::wrappers::ReceiverStream;

use crate::cli::connection::{Session, refused};
use crate::cli::{index, show};
use crate::grpc::proto::query_upload_request::Part;
use crate::grpc::proto::term::What;
use crate::grpc::proto::{self, MediaKind};
use crate::library::AssetId;

/// Bytes of a message that are not media: far more than words and filters need.
const MESSAGE_RESERVE_BYTES: u64 = 64 * 1024;
/// Bytes of media that are sent at a time, if the server takes that many.
const CHUNK_BYTES: usize = 256 * 1024;
/// Chunks that are read ahead.
const CHUNKS_AHEAD: usize = 4;

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("terms").required(true).multiple(true))]
pub(super) struct TermArgs {
    /// Words, e.g. "creaky wooden door"
    #[arg(group = "terms", value_name = "TEXT")]
    texts: Vec<String>,
    /// A sound file, which need not be in the library
    #[arg(long, group = "terms", value_name = "FILE")]
    audio: Vec<PathBuf>,
    /// A picture file, which need not be in the library
    #[arg(long, group = "terms", value_name = "FILE")]
    image: Vec<PathBuf>,
    /// Something in the library: its path, or its id as in --json, also as ID:SEGMENT
    #[arg(long, group = "terms", value_name = "ID|PATH")]
    like: Vec<String>,
    /// Words to lead away from
    #[arg(long, value_name = "TEXT")]
    not: Vec<String>,
}

/// One ingredient of the query.
#[derive(Debug, PartialEq)]
pub(in crate::cli) enum Ingredient {
    Words { text: String, weight: f32 },
    Media { path: PathBuf, kind: MediaKind },
    Asset { id: AssetId, segment: Option<u32> },
    Known(PathBuf),
}

impl Ingredient {
    pub(in crate::cli) fn needs_model(&self) -> bool {
        matches!(self, Self::Words { .. } | Self::Media { .. })
    }
}

impl TermArgs {
    /// What was typed, in the order of the kinds.
    pub(super) fn read(&self) -> anyhow::Result<Vec<Ingredient>> {
        let words = |weight| move |text: &String| Ingredient::Words { text: text.clone(), weight };
        let mut terms: Vec<Ingredient> = self.texts.iter().map(words(1.0)).collect();
        terms.extend(self.not.iter().map(words(-1.0)));
        for (paths, kind) in [(&self.audio, MediaKind::Audio), (&self.image, MediaKind::Image)] {
            for path in paths {
                // Before anything is loaded.
                let metadata = path.metadata().with_context(|| path.display().to_string())?;
                if metadata.is_dir() {
                    bail!("{}: is a directory, expected a file", path.display());
                }
                terms.push(Ingredient::Media { path: path.clone(), kind });
            }
        }
        for text in &self.like {
            terms.push(reference(text)?);
        }
        Ok(terms)
    }
}

/// Something in the library, by id or by path.
fn reference(text: &str) -> anyhow::Result<Ingredient> {
    let (id, segment) = text.split_once(':').map_or((text, None), |(id, segment)| (id, Some(segment)));
    if let Ok(id) = id.parse() {
        let number = |text: &str| text.parse().map_err(|_| anyhow!("{text:?} is no number of a segment"));
        return Ok(Ingredient::Asset { id, segment: segment.map(number).transpose()? });
    }
    let path = Path::new(text).canonicalize().or_else(|_| std::path::absolute(text));
    Ok(Ingredient::Known(path.with_context(|| text.to_owned())?))
}

/// Sends the query: media within it as long as they fit into a message, otherwise behind it.
pub(in crate::cli) async fn ask(
    session: &Session,
    mut query: proto::QueryRequest,
    terms: Vec<Ingredient>,
) -> anyhow::Result<proto::QueryResponse> {
    let media: Vec<PathBuf> = terms.iter().filter_map(Ingredient::file).collect();
    let message_bytes = if media.is_empty() { 0 } else { message_limit(session).await? };
    let upload = !media.is_empty() && !fit_in_message(message_bytes, &media)?;
    for term in terms {
        query.terms.push(term.to_wire(session, upload).await?);
    }
    let mut client = session.search();
    if !upload {
        return Ok(client.query(query).await.map_err(refused)?.into_inner());
    }
    let (sender, receiver) = mpsc::channel(CHUNKS_AHEAD);
    // A chunk is a message, with a little around it.
    let chunk_bytes = usize::try_from(message_bytes / 2).unwrap_or(CHUNK_BYTES).clamp(1, CHUNK_BYTES);
    let reading = spawn_blocking(move || send_files(query, &media, chunk_bytes, &sender));
    let answer = client.query_upload(ReceiverStream::new(receiver)).await;
    // First of all: what was sent of a file that could not be read to its end is not what was asked.
    reading.await.context("reading the media broke down")??;
    Ok(answer.map_err(refused)?.into_inner())
}

/// Bytes that a message to the server may have.
async fn message_limit(session: &Session) -> anyhow::Result<u64> {
    let info = session.info().get_info(proto::GetInfoRequest {}).await.map_err(refused)?.into_inner();
    Ok(info.limits.unwrap_or_default().message_bytes)
}

/// Pipes have no length, and are sent behind the query.
fn fit_in_message(message_bytes: u64, media: &[PathBuf]) -> anyhow::Result<bool> {
    let mut total = MESSAGE_RESERVE_BYTES;
    for path in media {
        let metadata = path.metadata().with_context(|| path.display().to_string())?;
        if !metadata.is_file() {
            return Ok(false);
        }
        total = total.saturating_add(metadata.len());
    }
    Ok(total <= message_bytes)
}

/// Sends the query and then the files. An end of the receiver is none of our business: it has an answer already.
fn send_files(
    query: proto::QueryRequest,
    media: &[PathBuf],
    chunk_bytes: usize,
    sender: &mpsc::Sender<proto::QueryUploadRequest>,
) -> anyhow::Result<()> {
    let send = |part| sender.blocking_send(proto::QueryUploadRequest { part: Some(part) }).is_ok();
    let mut wanted = send(Part::Query(query));
    for (index, path) in media.iter().enumerate() {
        let context = || path.display().to_string();
        let mut file = File::open(path).with_context(context)?;
        wanted = wanted && (index == 0 || send(Part::NextUpload(true)));
        while wanted {
            let mut chunk = Vec::with_capacity(chunk_bytes);
            io::Read::by_ref(&mut file).take(chunk_bytes as u64).read_to_end(&mut chunk).with_context(context)?;
            if chunk.is_empty() {
                break;
            }
            wanted = send(Part::Chunk(chunk));
        }
    }
    Ok(())
}

impl Ingredient {
    fn file(&self) -> Option<PathBuf> {
        match self {
            Self::Media { path, .. } => Some(path.clone()),
            _ => None,
        }
    }

    async fn to_wire(&self, session: &Session, upload: bool) -> anyhow::Result<proto::Term> {
        let mut weight = 1.0;
        let stored = |asset_id, segment| What::Stored(proto::StoredTerm { asset_id, segment });
        let what = match self {
            Self::Words { text, weight: given } => {
                weight = *given;
                What::Text(text.clone())
            }
            Self::Media { kind, .. } if upload => What::Upload((*kind).into()),
            Self::Media { path, kind } => {
                let content = std::fs::read(path).with_context(|| path.display().to_string())?;
                if *kind == MediaKind::Audio { What::Audio(content) } else { What::Image(content) }
            }
            Self::Asset { id, segment } => stored(id.to_string(), *segment),
            Self::Known(path) => stored(asset_at(session, path).await?, None),
        };
        Ok(proto::Term { weight, what: Some(what) })
    }
}

/// The id of what a file of the library contains.
async fn asset_at(session: &Session, path: &Path) -> anyhow::Result<String> {
    let filter = proto::Filter { path_prefix: Some(index::wire_path(path)?), ..proto::Filter::default() };
    let request = proto::ListAssetsRequest { filter: Some(filter), page_size: 1, page_token: String::new() };
    let found = session.library().list_assets(request).await.map_err(refused)?.into_inner().assets;
    // A folder is a prefix as well.
    let of_path = |asset: &proto::Asset| asset.files.iter().any(|file| show::path_of(file) == path);
    match found.into_iter().find(of_path) {
        Some(asset) => Ok(asset.id),
        None => bail!("{}: is not in the library; --audio and --image take any file", path.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_told_from_paths() {
        let id = "0f".repeat(32);
        let check = |text: &str, expected: Ingredient| assert_eq!(reference(text).unwrap(), expected, "{text}");
        let parsed = id.parse().unwrap();
        check(&id, Ingredient::Asset { id: parsed, segment: None });
        check(&format!("{id}:3"), Ingredient::Asset { id: parsed, segment: Some(3) });
        check("/none/such:3", Ingredient::Known("/none/such:3".into()));
        check("/0f", Ingredient::Known("/0f".into()));
        assert!(reference(&format!("{id}:x")).unwrap_err().to_string().contains("no number of a segment"));
    }

    #[test]
    fn files_are_sent_in_order_and_an_unreadable_one_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        std::fs::write(path("a"), vec![1; CHUNK_BYTES + 1]).unwrap();
        std::fs::write(path("b"), [2]).unwrap();
        let sent = |names: &[&str]| {
            let (sender, mut receiver) = mpsc::channel(100);
            let media: Vec<PathBuf> = names.iter().map(|name| path(name)).collect();
            let result = send_files(proto::QueryRequest::default(), &media, CHUNK_BYTES, &sender);
            drop(sender);
            let parts = std::iter::from_fn(|| receiver.blocking_recv()).map(|request| match request.part.unwrap() {
                Part::Query(_) => "query".to_owned(),
                Part::Chunk(bytes) => format!("{}×{}", bytes.len(), bytes[0]),
                Part::NextUpload(_) => "next".into(),
            });
            (parts.collect::<Vec<_>>(), result)
        };
        let (parts, result) = sent(&["a", "b"]);
        assert_eq!(parts, ["query", "262144×1", "1×1", "next", "1×2"]);
        assert!(result.is_ok());
        assert!(sent(&["a", "none"]).1.unwrap_err().to_string().ends_with("none"));
    }
}
