use super::*;

fn stat(modified_ns: i64) -> FileStat {
    FileStat { size: 1, modified_ns, inode: None }
}

#[test]
fn files_settle_with_time() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
    let check = |ago_ms: i64, expected| {
        let modified_ns = 1_000_000_000_000_000 - ago_ms * 1_000_000;
        assert_eq!(is_settled(&stat(modified_ns), Duration::from_secs(1), now), expected, "{ago_ms} ms ago");
    };
    check(0, false);
    check(999, false);
    check(1000, true);
    // The clock of another machine, and one that is wrong.
    check(-999, false);
    check(-1001, true);
    check(-1_000_000_000, true);
    assert!(is_settled(&stat(i64::MIN), Duration::from_secs(1), now));
    assert!(is_settled(&stat(1_000_000_000_000_000), Duration::ZERO, now));
}

#[test]
fn every_error_has_a_meaning() {
    let name = MediaName::of("a.wav".as_ref());
    let io = |kind: io::ErrorKind| DecodeError::Io(kind.into());
    let unsupported = || DecodeError::Unsupported { expected: "sound", reason: "it is text".into() };
    assert_eq!(refuse(&io(io::ErrorKind::NotFound), stat(1), name.as_ref(), None), Refusal::Gone);
    assert_eq!(refuse(&io(io::ErrorKind::TimedOut), stat(1), name.as_ref(), None), Refusal::Unsettled);
    assert_eq!(refuse(&unsupported(), stat(1), None, None), Refusal::Ignored(stat(1)));
    let check = |error: &DecodeError, code, reason: &str| {
        let expected = FileFailure { code, reason: reason.into() };
        let content = Some(AssetId::from_hash([7; 32]));
        let refusal = refuse(error, stat(1), name.as_ref(), content);
        assert_eq!(refusal, Refusal::Failed { stat: stat(1), failure: expected, content });
    };
    let denied = io(io::ErrorKind::PermissionDenied);
    check(&denied, FailureCode::Unreadable, "cannot be read: permission denied");
    check(&unsupported(), FailureCode::Unsupported, "named .wav, but not a known sound format: it is text");
    let damaged = DecodeError::Damaged { format: "wave", reason: "it is torn".into() };
    check(&damaged, FailureCode::Damaged, "damaged wave: it is torn");
    check(&DecodeError::Empty("data"), FailureCode::Empty, "empty: it holds no data");
    let error = DecodeError::TooLarge { what: "the weight", actual: 2, limit: 1, key: "limits.weight" };
    let reason = "too large: the weight is 2, the limit is 1 (raise limits.weight in the configuration)";
    check(&error, FailureCode::TooLarge, reason);
}
