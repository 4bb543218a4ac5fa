//! The parts of an upload: a query first, then its media in chunks.

use std::sync::Arc;
use std::time::Duration;

use tokio_stream::{Stream, StreamExt as _};
use tonic::Status;

use super::proto::{QueryRequest, QueryUploadRequest, query_upload_request::Part};
use super::status::{self, Malformed};

/// What a client sends, part by part.
pub(super) struct Parts<S> {
    stream: S,
    patience: Duration,
}

impl<S: Stream<Item = Result<QueryUploadRequest, Status>> + Unpin> Parts<S> {
    /// Waits for each part as long as `patience`.
    pub(super) fn new(stream: S, patience: Duration) -> Self {
        Self { stream, patience }
    }

    async fn next(&mut self) -> Result<Option<Part>, Status> {
        let patience = self.patience;
        let late = |_| status::too_late(&format!("nothing was uploaded for {patience:?}"));
        match tokio::time::timeout(patience, self.stream.next()).await.map_err(late)?.transpose()? {
            None => Ok(None),
            Some(QueryUploadRequest { part: Some(part) }) => Ok(Some(part)),
            Some(QueryUploadRequest { part: None }) => Err(wrong("is missing, expected query, chunk or next_upload")),
        }
    }

    /// The query, which is the first part.
    pub(super) async fn query(&mut self) -> Result<QueryRequest, Status> {
        match self.next().await? {
            Some(Part::Query(query)) => Ok(query),
            Some(Part::Chunk(_)) => Err(wrong("is a chunk, expected the query first")),
            Some(Part::NextUpload(_)) => Err(wrong("is next_upload, expected the query first")),
            None => Err(wrong("is missing: nothing was sent, expected the query first")),
        }
    }

    /// The uploads, all the rest: `expected` of them, with `most_bytes` together.
    pub(super) async fn uploads(mut self, expected: usize, most_bytes: u64) -> Result<Vec<Arc<[u8]>>, Status> {
        let (mut complete, mut current, mut total) = (Vec::new(), Vec::new(), 0_u64);
        if expected == 0 {
            return Err(Malformed::new("query.terms", "name no upload; send such a query with Query").into());
        }
        while let Some(part) = self.next().await? {
            match part {
                Part::Query(_) => return Err(wrong("is a second query, expected chunks")),
                Part::Chunk(chunk) => {
                    total += chunk.len() as u64;
                    if total > most_bytes {
                        return Err(wrong(&format!("makes {total} bytes, the limit is {most_bytes}")));
                    }
                    current.extend_from_slice(&chunk);
                }
                Part::NextUpload(false) => return Err(wrong("is next_upload without being true")),
                Part::NextUpload(true) => {
                    if complete.len() + 1 == expected {
                        return Err(wrong(&format!("begins another upload, the query names {expected}")));
                    }
                    complete.push(finished(std::mem::take(&mut current), complete.len())?);
                }
            }
        }
        complete.push(finished(current, complete.len())?);
        if complete.len() != expected {
            let reason = format!("name {expected} uploads, {} came", complete.len());
            return Err(Malformed::new("query.terms", reason).into());
        }
        Ok(complete)
    }
}

fn finished(upload: Vec<u8>, index: usize) -> Result<Arc<[u8]>, Status> {
    if upload.is_empty() {
        return Err(Malformed::new("chunk", format!("upload {index} is empty")).into());
    }
    Ok(upload.into())
}

fn wrong(reason: &str) -> Status {
    Malformed::new("part", reason).into()
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(600);

    fn query() -> Part {
        Part::Query(QueryRequest { limit: 7, ..Default::default() })
    }

    fn chunk(bytes: &[u8]) -> Part {
        Part::Chunk(bytes.into())
    }

    async fn receive(parts: &[Part], expected: usize) -> Result<Vec<Arc<[u8]>>, Status> {
        let requests = parts.iter().map(|part| Ok(QueryUploadRequest { part: Some(part.clone()) }));
        let mut parts = Parts::new(tokio_stream::iter(requests.collect::<Vec<_>>()), PATIENCE);
        assert_eq!(parts.query().await?.limit, 7);
        parts.uploads(expected, 6).await
    }

    #[tokio::test]
    async fn chunks_become_uploads() {
        let next = || Part::NextUpload(true);
        let one = receive(&[query(), chunk(b"ab"), chunk(b""), chunk(b"c")], 1).await.unwrap();
        assert_eq!(one, [Arc::from(&b"abc"[..])]);
        let two = receive(&[query(), chunk(b"ab"), next(), chunk(b"c"), chunk(b"def")], 2).await.unwrap();
        assert_eq!(two, [Arc::from(&b"ab"[..]), Arc::from(&b"cdef"[..])]);
    }

    #[tokio::test]
    async fn disorder_is_refused() {
        let next = || Part::NextUpload(true);
        let cases: [(&[Part], usize, &str); 12] = [
            (&[], 1, "nothing was sent"),
            (&[chunk(b"a")], 1, "expected the query first"),
            (&[next()], 1, "expected the query first"),
            (&[query(), query()], 1, "second query"),
            (&[query(), Part::NextUpload(false)], 1, "without being true"),
            (&[query()], 1, "upload 0 is empty"),
            (&[query(), next(), chunk(b"a")], 2, "upload 0 is empty"),
            (&[query(), chunk(b"a"), next()], 2, "upload 1 is empty"),
            (&[query(), chunk(b"a"), next(), chunk(b"b")], 1, "the query names 1"),
            (&[query(), chunk(b"a")], 2, "name 2 uploads, 1 came"),
            (&[query(), chunk(b"abcd"), chunk(b"efg")], 1, "7 bytes, the limit is 6"),
            (&[query(), chunk(b"a")], 0, "no upload"),
        ];
        for (parts, expected, message) in cases {
            let status = receive(parts, expected).await.unwrap_err();
            assert_eq!(status.code(), Code::InvalidArgument, "{status}");
            assert!(status.message().contains(message), "{status}");
        }
    }

    #[tokio::test]
    async fn who_stands_still_is_not_waited_for() {
        let mut parts = Parts::new(tokio_stream::pending(), Duration::from_millis(1));
        assert_eq!(parts.query().await.unwrap_err().code(), Code::DeadlineExceeded);
    }
}
