//! The one place where errors become gRPC statuses, with details that a program can act on.
//!
//! What the caller can mend is told in full; what it cannot is logged here and told in a few neutral words.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::engine::EngineError;
use crate::engine::encoder::EncoderError;
use crate::engine::filter::MalformedFilter;
use crate::engine::query::QueryError;

/// Who says so, in every `ErrorInfo`.
const DOMAIN: &str = "earmark";
/// Statuses travel in headers, for which common clients take 8 KiB, and what they quote is up to the caller.
const LONGEST_TEXT_CHARS: usize = 400;
/// When to come back after an overload.
const RETRY_AFTER: Duration = Duration::from_millis(250);

/// A part of a request that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub(super) struct Malformed {
    /// Which part, as in the protocol, e.g. "terms[2].weight".
    pub(super) field: String,
    /// What was got, what was expected.
    pub(super) reason: String,
}

impl Malformed {
    /// A part and what is wrong with it.
    pub(super) fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }

    /// The same within a larger part.
    pub(super) fn within(self, outer: &str) -> Self {
        Self { field: format!("{outer}.{}", self.field), ..self }
    }
}

impl From<Malformed> for Status {
    fn from(malformed: Malformed) -> Self {
        invalid("INVALID_FIELD", &malformed.field, &malformed.reason)
    }
}

/// `INVALID_ARGUMENT` about one part of the request.
fn invalid(reason_code: &str, field: &str, reason: &str) -> Status {
    let (field, reason) = (shortened(field), shortened(reason));
    let mut details = ErrorDetails::with_bad_request_violation(field.clone(), reason.clone());
    details.set_error_info(reason_code, DOMAIN, []);
    Status::with_error_details(Code::InvalidArgument, format!("{field}: {reason}"), details)
}

/// A status with its reason in one word.
fn plain(code: Code, reason_code: &str, message: &str) -> Status {
    let details = ErrorDetails::with_error_info(reason_code, DOMAIN, []);
    Status::with_error_details(code, shortened(message), details)
}

/// `NOT_FOUND` for a thing of a type, e.g. "earmark.v1.Asset".
pub(super) fn not_found(resource_type: &str, name: &str, message: &str) -> Status {
    let mut details = ErrorDetails::with_resource_info(resource_type, shortened(name), "", shortened(message));
    details.set_error_info("NOT_IN_LIBRARY", DOMAIN, []);
    Status::with_error_details(Code::NotFound, shortened(message), details)
}

/// `RESOURCE_EXHAUSTED`, with when to come back.
pub(super) fn overloaded(message: &str) -> Status {
    let mut details = ErrorDetails::with_retry_info(Some(RETRY_AFTER));
    details.set_error_info("OVERLOADED", DOMAIN, []);
    Status::with_error_details(Code::ResourceExhausted, shortened(message), details)
}

/// `RESOURCE_EXHAUSTED` for an answer that no message can hold: coming back will not help, asking for less will.
pub(super) fn answer_too_large(bytes: usize, limit: usize) -> Status {
    let message = format!("the answer has {bytes} bytes, the limit is {limit}; ask for fewer items or fields");
    plain(Code::ResourceExhausted, "ANSWER_TOO_LARGE", &message)
}

/// `DEADLINE_EXCEEDED`.
pub(super) fn too_late(message: &str) -> Status {
    plain(Code::DeadlineExceeded, "TOO_LATE", message)
}

/// `UNAVAILABLE` as long as the library is being opened.
pub(super) fn not_ready() -> Status {
    plain(Code::Unavailable, "NOT_READY", "the library is being opened; health says when it is ready")
}

/// `UNAVAILABLE` to work that outlasts the server's grace.
pub(super) fn stopping() -> Status {
    plain(Code::Unavailable, "STOPPING", "the server is stopping")
}

/// `FAILED_PRECONDITION` for what needs a model.
pub(super) fn no_model() -> Status {
    plain(Code::FailedPrecondition, "NO_MODEL", "no model is loaded; start the server with --model")
}

/// `INTERNAL`: logged in full, told in a few words.
pub(super) fn internal(what: &str, error: &dyn std::fmt::Display) -> Status {
    tracing::error!(%error, "{what}");
    plain(Code::Internal, "INTERNAL", &format!("{what}; the server's log says why"))
}

/// For a query without an answer.
pub(super) fn of_query(error: &QueryError) -> Status {
    match error {
        QueryError::Invalid { field, reason } => invalid("INVALID_FIELD", field, reason),
        QueryError::NotFound { what } => not_found("earmark.v1.Asset", what, &error.to_string()),
        QueryError::Overloaded { .. } => overloaded(&error.to_string()),
        QueryError::NoModel => no_model(),
        QueryError::Model(_) => internal("the query could not be embedded", error),
    }
}

/// For words or media that were not embedded.
pub(super) fn of_encoder(error: &EncoderError) -> Status {
    match error {
        EncoderError::Overloaded => overloaded(&error.to_string()),
        EncoderError::Gone => plain(Code::Unavailable, "MODEL_GONE", &error.to_string()),
        EncoderError::Model(_) => internal("the model failed", error),
    }
}

/// For what the engine cannot do.
pub(super) fn of_engine(error: &EngineError) -> Status {
    match error {
        EngineError::Root { exists: true, path, reason } => {
            let (path, reason) = (shortened(&path.display().to_string()), shortened(reason));
            let mut details = ErrorDetails::with_resource_info("earmark.v1.Root", path, "", reason);
            details.set_error_info("ROOT_EXISTS", DOMAIN, []);
            Status::with_error_details(Code::AlreadyExists, shortened(&error.to_string()), details)
        }
        EngineError::Root { exists: false, .. } => invalid("INVALID_ROOT", "path", &error.to_string()),
        EngineError::Glob(glob) => invalid("MALFORMED_GLOB", "rules", &glob.to_string()),
        EngineError::NoSuchRoot(id) => not_found("earmark.v1.Root", &id.to_string(), &error.to_string()),
        EngineError::Inactive(_) => plain(Code::FailedPrecondition, "INACTIVE", &error.to_string()),
        EngineError::Store(_) if error.needs_restart() => {
            tracing::error!("{error}");
            plain(
                Code::Unavailable,
                "STORE_FAILED",
                "the store failed: nothing can be changed until earmark is restarted",
            )
        }
        EngineError::Store(_) => internal("the store failed", error),
        EngineError::Snapshot(_) => internal("the snapshot was not written", error),
    }
}

/// For a filter, or a page's token, that cannot be understood.
pub(super) fn of_filter(error: &MalformedFilter) -> Status {
    invalid("INVALID_FIELD", &error.field, &error.reason)
}

/// Cut where headers would be too long for clients.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// The code, and the reason and domain of `ErrorInfo`, which every status has.
    fn parts(status: &Status) -> (Code, String) {
        let info = status.get_details_error_info().unwrap();
        assert_eq!(info.domain, "earmark");
        (status.code(), info.reason)
    }

    #[test]
    fn what_the_caller_can_mend_is_told_in_full() {
        let status = of_query(&QueryError::Invalid { field: "terms[0].text".into(), reason: "is empty".into() });
        assert_eq!(parts(&status), (Code::InvalidArgument, "INVALID_FIELD".into()));
        assert_eq!(status.message(), "terms[0].text: is empty");
        let violations = status.get_details_bad_request().unwrap().field_violations;
        assert_eq!((violations[0].field.as_str(), violations[0].description.as_str()), ("terms[0].text", "is empty"));

        let status = of_query(&QueryError::NotFound { what: "asset 00".into() });
        assert_eq!(parts(&status), (Code::NotFound, "NOT_IN_LIBRARY".into()));
        assert_eq!(status.get_details_resource_info().unwrap().resource_name, "asset 00");

        let status = of_query(&QueryError::Overloaded { limit: 3 });
        assert_eq!(parts(&status), (Code::ResourceExhausted, "OVERLOADED".into()));
        assert_eq!(status.get_details_retry_info().unwrap().retry_delay, Some(RETRY_AFTER));
    }

    #[test]
    fn every_error_has_its_code() {
        let check = |status: Status, code, reason: &str| assert_eq!(parts(&status), (code, reason.into()));
        let root = |exists| EngineError::Root { path: PathBuf::from("/a"), reason: "is watched".into(), exists };
        check(of_engine(&root(true)), Code::AlreadyExists, "ROOT_EXISTS");
        check(of_engine(&root(false)), Code::InvalidArgument, "INVALID_ROOT");
        check(of_engine(&EngineError::NoSuchRoot(7)), Code::NotFound, "NOT_IN_LIBRARY");
        check(of_engine(&EngineError::Inactive("no".into())), Code::FailedPrecondition, "INACTIVE");
        check(of_query(&QueryError::NoModel), Code::FailedPrecondition, "NO_MODEL");
        check(of_query(&QueryError::Model("x".into())), Code::Internal, "INTERNAL");
        check(of_encoder(&EncoderError::Gone), Code::Unavailable, "MODEL_GONE");
        check(of_encoder(&EncoderError::Overloaded), Code::ResourceExhausted, "OVERLOADED");
        let filter = MalformedFilter { field: "filter.path_glob".into(), reason: "unclosed".into() };
        check(of_filter(&filter), Code::InvalidArgument, "INVALID_FIELD");
    }

    #[test]
    fn inner_faults_are_not_told() {
        let status = of_query(&QueryError::Model("tensor at 0x7f: secret".into()));
        assert!(!status.message().contains("secret") && !format!("{:?}", status.details()).contains("secret"));
    }

    #[test]
    fn statuses_fit_in_the_headers_of_common_clients() {
        let long = "\u{fffd}".repeat(1_000_000);
        let statuses = [
            invalid("X", &long, &long),
            not_found("x", &long, &long),
            of_engine(&EngineError::Root { path: long.clone().into(), reason: long, exists: true }),
        ];
        for status in statuses {
            let headers = status.into_http::<()>().into_parts().0.headers;
            let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum();
            assert!(bytes < 16 * 1024, "{bytes}");
        }
    }
}
