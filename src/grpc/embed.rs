//! `Embed`: vectors for words and media, without storing anything.

use std::sync::Arc;

use tokio::sync::mpsc;
use tonic::{Request, Response, Status, async_trait};

use super::edge::{Edge, MOST_OF_A_BATCH};
use super::proto::{self, embed_server};
use super::status::Malformed;
use super::{convert, status};
use crate::embedding::Embedding;
use crate::engine::content::{ContentFacts, Source, Window, read_content};
use crate::engine::encoder::{Encoder, ImagePreparation};
use crate::media::MediaKind;

/// Windows that the model gets at once: so few that queries need not wait for long.
const WINDOWS_AT_ONCE: usize = 8;
/// Bytes of a segment on the wire, beside its vector, at most.
const SEGMENT_BYTES: usize = 64;
/// Most windows of one answer, whatever the message limit.
const MOST_WINDOWS: usize = 4_096;

/// See `proto/earmark/v1/embed.proto`.
pub(super) struct EmbedService(pub(super) Arc<Edge>);

impl EmbedService {
    fn encoder(&self) -> Result<Encoder, Status> {
        self.0.engine()?.encoder().cloned().ok_or_else(status::no_model)
    }

    /// Reads content on a thread of its own and embeds its windows as they come; a few are in memory at a time.
    async fn embed(
        &self,
        kind: MediaKind,
        content: Arc<[u8]>,
        encoder: Encoder,
    ) -> Result<(Vec<proto::SegmentVector>, ContentFacts), Status> {
        let most = most_windows(self.0.options.message_bytes, encoder.facts().dimensions);
        let (sender, mut windows) = mpsc::channel::<Window>(WINDOWS_AT_ONCE);
        let options = self.0.engine()?.searcher().content;
        let prepare: ImagePreparation = {
            let encoder = encoder.clone();
            Arc::new(move |image| encoder.image_input(image))
        };
        // Reading ends at the next window once nobody receives, which is so when the caller has left.
        let reading = self.0.blocking(move |_| {
            let mut emit = |window| sender.blocking_send(window).is_ok();
            read_content(&Source::Bytes(content), kind, &options, &prepare, &mut emit)
        });
        let embedding = async move {
            let (mut segments, mut batch) = (Vec::new(), Vec::with_capacity(WINDOWS_AT_ONCE));
            while windows.recv_many(&mut batch, WINDOWS_AT_ONCE).await > 0 {
                if segments.len() + batch.len() > most {
                    let reason = format!("has more than {most} windows, whose vectors no message can hold; send parts");
                    return Err(Malformed::new("content", reason).into());
                }
                segments.extend(embed_windows(&encoder, std::mem::take(&mut batch)).await?);
            }
            Ok::<_, Status>(segments)
        };
        let (segments, facts) = tokio::try_join!(embedding, reading)?;
        let facts = facts.map_err(|error| Malformed::new("content", error.to_string()))?;
        Ok((segments, facts))
    }
}

#[async_trait]
impl embed_server::Embed for EmbedService {
    async fn embed_text(
        &self,
        request: Request<proto::EmbedTextRequest>,
    ) -> Result<Response<proto::EmbedTextResponse>, Status> {
        let prompts = request.into_inner().prompts;
        checked(&prompts)?;
        let encoder = self.encoder()?;
        let embedded = encoder.text(prompts).await.map_err(|error| status::of_encoder(&error))?;
        let vectors = embedded.iter().map(|embedded| unit(&embedded.vector)).collect::<Result<_, _>>()?;
        let notes = embedded.into_iter().filter_map(|embedded| embedded.note).collect();
        self.0.answer(proto::EmbedTextResponse { vectors, space_id: encoder.facts().space.to_string(), notes })
    }

    async fn embed_media(
        &self,
        request: Request<proto::EmbedMediaRequest>,
    ) -> Result<Response<proto::EmbedMediaResponse>, Status> {
        let request = request.into_inner();
        let kind = convert::kind("kind", request.kind)?;
        if request.content.is_empty() {
            return Err(Malformed::new("content", "is empty").into());
        }
        let encoder = self.encoder()?;
        let space_id = encoder.facts().space.to_string();
        let _place = self.0.embeddings.acquire().await.map_err(|_| status::stopping())?;
        let (segments, read) = self.embed(kind, request.content.into(), encoder).await?;
        let facts = Some(convert::facts(&read.facts));
        self.0.answer(proto::EmbedMediaResponse { segments, space_id, facts })
    }
}

fn checked(prompts: &[String]) -> Result<(), Malformed> {
    if prompts.is_empty() || prompts.len() > MOST_OF_A_BATCH {
        let reason = format!("{} prompts, expected 1 to {MOST_OF_A_BATCH}", prompts.len());
        return Err(Malformed::new("prompts", reason));
    }
    prompts.iter().enumerate().try_for_each(|(index, prompt)| convert::text(&format!("prompts[{index}]"), prompt))
}

/// How many windows a message can hold.
fn most_windows(message_bytes: usize, dimensions: usize) -> usize {
    (message_bytes / (dimensions * size_of::<f32>() + SEGMENT_BYTES)).clamp(1, MOST_WINDOWS)
}

async fn embed_windows(encoder: &Encoder, windows: Vec<Window>) -> Result<Vec<proto::SegmentVector>, Status> {
    let (marks, inputs): (Vec<_>, Vec<_>) =
        windows.into_iter().map(|window| ((window.span, window.silent), window.input)).unzip();
    let vectors = encoder.query(inputs).await.map_err(|error| status::of_encoder(&error))?;
    let segment = |((span, silent), vector): (_, Vec<f32>)| {
        Ok(proto::SegmentVector { span: Some(convert::span(span)), silent, vector: Some(unit(&vector)?) })
    };
    marks.into_iter().zip(vectors).map(segment).collect()
}

/// A model's vector at unit length.
fn unit(raw: &[f32]) -> Result<proto::Vector, Status> {
    let embedding =
        Embedding::normalized(raw).map_err(|error| status::internal("the model gave no direction", &error))?;
    Ok(proto::Vector { values: embedding.as_slice().into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_say_something() {
        assert_eq!(checked(&vec!["door".into(); 256]), Ok(()));
        let check = |prompts: &[String], field: &str| assert_eq!(checked(prompts).unwrap_err().field, field);
        check(&[], "prompts");
        check(&vec!["door".into(); 257], "prompts");
        check(&["door".into(), "\t".into()], "prompts[1]");
    }

    #[test]
    fn what_a_message_can_hold_fits_in_it() {
        use prost::Message as _;
        for (bytes, dimensions) in [(100_000, 16), (1_000_000, 1_024), (16 * 1024 * 1024, 1_024)] {
            let segment = proto::SegmentVector {
                span: Some(proto::Span { start_ms: 14_395_000, end_ms: 14_400_000 }),
                silent: true,
                vector: Some(unit(&vec![1.0; dimensions]).unwrap()),
            };
            let segments = vec![segment; most_windows(bytes, dimensions)];
            let length = proto::EmbedMediaResponse { segments, ..Default::default() }.encoded_len();
            assert!(length <= bytes, "{length} of {bytes}");
        }
        assert_eq!(most_windows(1, 1_024), 1);
        assert_eq!(most_windows(usize::MAX, 16), MOST_WINDOWS);
    }

    #[test]
    fn vectors_have_unit_length() {
        assert_eq!(unit(&[3.0, -4.0]).unwrap().values, [0.6, -0.8]);
        assert_eq!(unit(&[0.0, f32::NAN]).unwrap_err().code(), tonic::Code::Internal);
    }
}
