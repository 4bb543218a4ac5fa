//! Tables of answers, honest and otherwise.

use super::*;

const TOTAL: u64 = 1000;

#[test]
fn content_ranges_are_read_strictly() {
    let range = |first, last, total| Some(ContentRange { first, last, total });
    for (text, expected) in [
        ("bytes 0-0/1", range(0, 0, Some(1))),
        ("bytes 500-999/1000", range(500, 999, Some(1000))),
        ("Bytes 500-999/*", range(500, 999, None)),
        ("  bytes   5-9/10 ", range(5, 9, Some(10))),
        ("bytes 18446744073709551614-18446744073709551614/*", range(u64::MAX - 1, u64::MAX - 1, None)),
        ("bytes */1000", None),
        ("bytes 500-1000/1000", None),
        ("bytes 9-5/10", None),
        ("bytes -5-9/10", None),
        ("bytes +5-9/10", None),
        ("bytes 5-/10", None),
        ("bytes 5-9", None),
        ("bytes 5-99999999999999999999/*", None),
        ("items 5-9/10", None),
        ("bytes=5-9/10", None),
        ("", None),
    ] {
        assert_eq!(parse_content_range(text), expected, "{text:?}");
    }
}

#[test]
fn retry_after_is_read_in_seconds_only() {
    for (text, expected_s) in [
        ("0", Some(0)),
        (" 120 ", Some(120)),
        ("-1", None),
        ("1.5", None),
        ("", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ] {
        assert_eq!(parse_retry_after(text), expected_s.map(Duration::from_secs), "{text:?}");
    }
}

#[test]
fn if_range_takes_the_strongest_validator() {
    let version = |etag: &str, modified: &str| {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Version { etag: some(etag), last_modified: some(modified) }
    };
    for (version, expected) in [
        (version("\"a\"", "Tue"), Some("\"a\"")),
        (version("W/\"a\"", "Tue"), Some("Tue")),
        (version("W/\"a\"", ""), None),
        (version("", "Tue"), Some("Tue")),
        (version("", ""), None),
    ] {
        assert_eq!(version.if_range(), expected, "{version:?}");
    }
}

/// Judges an answer to a request for the bytes from `start`, and compares the verdict's debug form, or its beginning.
fn check(start: u64, head: &Head, expected: &str) {
    let version = Version { etag: Some("\"a\"".to_owned()), last_modified: None };
    let verdict = judge(head, &Asked { url: "u", start, total: TOTAL, version: &version });
    let got = match verdict {
        Ok(placement) => format!("{placement:?}"),
        Err(error) => format!("{error:?}"),
    };
    assert!(got.starts_with(expected), "{head:?}: got {got}, expected {expected}");
}

fn status(status: u16) -> Head {
    Head { status, ..Head::default() }
}

#[test]
fn a_whole_file_is_judged_by_its_length() {
    check(0, &status(200), "FromStart");
    check(0, &Head { content_length: Some(TOTAL), ..status(200) }, "FromStart");
    check(0, &Head { content_length: Some(TOTAL - 1), ..status(200) }, "WrongSize");
    check(0, &Head { content_length: Some(TOTAL + 1), ..status(200) }, "WrongSize");
    check(0, &Head { content_encoding: Some("gzip".to_owned()), ..status(200) }, "Encoded");
    check(0, &Head { content_encoding: Some("Identity".to_owned()), ..status(200) }, "FromStart");
}

#[test]
fn a_server_that_ignores_ranges_starts_over_unless_the_size_is_wrong() {
    check(400, &Head { content_length: Some(TOTAL), ..status(200) }, "FromStart");
    check(400, &Head { content_length: Some(TOTAL - 400), ..status(200) }, "WrongSize");
}

#[test]
fn a_rest_has_to_fit_to_the_byte() {
    let rest =
        |range: &str, length| Head { content_range: Some(range.to_owned()), content_length: length, ..status(206) };
    check(400, &rest("bytes 400-999/1000", None), "Append");
    check(400, &rest("bytes 400-999/*", Some(600)), "Append");
    check(400, &rest("bytes 399-999/1000", None), "Range");
    check(400, &rest("bytes 401-999/1000", None), "Range");
    check(400, &rest("bytes 0-999/1000", None), "Range");
    check(400, &rest("bytes 400-998/1000", None), "Range");
    check(400, &rest("bytes 400-999/1001", None), "Range");
    check(400, &rest("bytes 400-999/1000", Some(599)), "Range");
    check(400, &status(206), "Range");
    check(400, &status(416), "Range");
    check(0, &rest("bytes 0-999/1000", None), "Protocol");
    check(400, &Head { content_encoding: Some("br".to_owned()), ..rest("bytes 400-999/1000", None) }, "Encoded");
}

#[test]
fn a_rest_of_another_version_is_refused() {
    let rest = |etag: &str| Head {
        content_range: Some("bytes 400-999/1000".to_owned()),
        version: Version { etag: Some(etag.to_owned()), last_modified: None },
        ..status(206)
    };
    check(400, &rest("\"a\""), "Append");
    check(400, &rest("\"b\""), "Range");
}

#[test]
fn other_statuses_are_errors() {
    check(0, &status(404), "NotFound");
    check(400, &status(410), "NotFound");
    check(0, &status(416), "Status");
    check(0, &status(403), "Status");
    check(0, &status(204), "Status");
    check(0, &status(304), "Status");
    let wait = Head { retry_after: Some("7".to_owned()), ..status(503) };
    check(0, &wait, "Status { url: \"u\", status: 503, retry_after: Some(7s) }");
}
