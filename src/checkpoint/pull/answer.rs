//! What a response means for the part of the file that is already here: pure, from status and headers alone.
//!
//! Invariant: [`judge`] lets a body be appended only if the server says that it starts at the very byte asked for, ends
//! at the last one, and belongs to the version whose beginning is on disk.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::DownloadError;

/// What names one version of a remote file, as far as the server tells.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Version {
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
}

impl Version {
    /// The value for `If-Range`. Weak tags may not be used there (RFC 9110, section 13.1.5).
    pub(super) fn if_range(&self) -> Option<&str> {
        self.etag.as_deref().filter(|tag| tag.starts_with('"')).or(self.last_modified.as_deref())
    }
}

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) url: &'a str,
    /// The first byte wanted; 0 asks for the file without a range.
    pub(super) start: u64,
    /// Bytes of the whole file.
    pub(super) total: u64,
    /// The version that the bytes before `start` came from.
    pub(super) version: &'a Version,
}

impl Asked<'_> {
    /// The value for `Range`, if only a part is wanted.
    pub(super) fn range(&self) -> Option<String> {
        (self.start > 0).then(|| format!("bytes={}-", self.start))
    }
}

/// Status and headers of a response, without the library that read them.
#[derive(Debug, Clone, Default)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) content_length: Option<u64>,
    pub(super) content_range: Option<String>,
    pub(super) content_encoding: Option<String>,
    pub(super) retry_after: Option<String>,
    pub(super) chunked: bool,
    pub(super) version: Version,
}

/// Where the body belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placement {
    /// It is the whole file: what is on disk has to go.
    FromStart,
    /// It continues what is on disk.
    Append,
}

/// Decides where the body of a response belongs, or why it is of no use.
pub(super) fn judge(head: &Head, asked: &Asked<'_>) -> Result<Placement, DownloadError> {
    let url = || asked.url.to_owned();
    match head.status {
        200 => {
            check_encoding(head, asked)?;
            match head.content_length {
                Some(got) if got != asked.total => {
                    Err(DownloadError::WrongSize { url: url(), got, expected: asked.total })
                }
                _ => Ok(Placement::FromStart),
            }
        }
        206 if asked.start > 0 => {
            check_encoding(head, asked)?;
            check_range(head, asked)
        }
        206 => Err(DownloadError::Protocol { url: url(), reason: "a part, asked for the whole".to_owned() }),
        416 if asked.start > 0 => Err(range_error(asked, "status 416".to_owned())),
        404 | 410 => Err(DownloadError::NotFound { url: url(), status: head.status }),
        status => {
            let retry_after = head.retry_after.as_deref().and_then(parse_retry_after);
            Err(DownloadError::Status { url: url(), status, retry_after })
        }
    }
}

fn check_encoding(head: &Head, asked: &Asked<'_>) -> Result<(), DownloadError> {
    match &head.content_encoding {
        Some(encoding) if !encoding.trim().eq_ignore_ascii_case("identity") => {
            Err(DownloadError::Encoded { url: asked.url.to_owned(), encoding: encoding.clone() })
        }
        _ => Ok(()),
    }
}

fn check_range(head: &Head, asked: &Asked<'_>) -> Result<Placement, DownloadError> {
    let Some(text) = &head.content_range else {
        return Err(range_error(asked, "no Content-Range".to_owned()));
    };
    let wanted = ContentRange { first: asked.start, last: asked.total - 1, total: Some(asked.total) };
    let fits =
        parse_content_range(text).is_some_and(|got| got == wanted || got == ContentRange { total: None, ..wanted });
    if !fits {
        return Err(range_error(asked, format!("{text:?}")));
    }
    if let Some(length) = head.content_length
        && length != asked.total - asked.start
    {
        return Err(range_error(asked, format!("{text:?} in {length} bytes")));
    }
    // If-Range should have brought the whole new file; a server that ignores it gives itself away here.
    match (&head.version.etag, &asked.version.etag) {
        (Some(got), Some(had)) if got != had => Err(range_error(asked, format!("version {got} after {had}"))),
        _ => Ok(Placement::Append),
    }
}

fn range_error(asked: &Asked<'_>, got: String) -> DownloadError {
    let range = format!("bytes {}-{}/{}", asked.start, asked.total - 1, asked.total);
    DownloadError::Range { url: asked.url.to_owned(), got, asked: range }
}

/// A satisfied `Content-Range` (RFC 9110, section 14.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ContentRange {
    first: u64,
    last: u64,
    /// `None` where the server wrote `*`.
    total: Option<u64>,
}

/// Reads `bytes first-last/total`; `None` for other units, unsatisfied ranges and nonsense.
fn parse_content_range(text: &str) -> Option<ContentRange> {
    let (unit, rest) = text.trim().split_once(' ')?;
    let (range, total) = rest.trim().split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let total = if total == "*" { None } else { Some(parse_number(total)?) };
    let (first, last) = (parse_number(first)?, parse_number(last)?);
    let sane = unit.eq_ignore_ascii_case("bytes") && first <= last && total.is_none_or(|total| last < total);
    sane.then_some(ContentRange { first, last, total })
}

/// Digits only: `u64::from_str` would also take a plus sign.
fn parse_number(digits: &str) -> Option<u64> {
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

/// Reads `Retry-After` in seconds. The form with a date depends on two clocks; our own backoff stands in for it.
fn parse_retry_after(text: &str) -> Option<Duration> {
    parse_number(text.trim()).map(Duration::from_secs)
}

#[cfg(test)]
mod tests;
