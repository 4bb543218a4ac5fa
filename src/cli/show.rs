//! Things as people read them: paths, timecodes, sizes, lengths of time.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use crate::grpc::proto;

/// The path of a file as the file system has it.
pub(super) fn path_of(file: &proto::File) -> PathBuf {
    #[cfg(unix)]
    if !file.raw_path.is_empty() {
        return <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(&file.raw_path).into();
    }
    PathBuf::from(&file.path)
}

/// The bytes of a path that is not Unicode, in hex: for JSON, which cannot have them.
pub(super) fn raw_path(file: &proto::File) -> Option<String> {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    (!file.raw_path.is_empty()).then(|| hex(&file.raw_path))
}

/// A path for people: relative to the current directory if it lies below that.
pub(super) fn short_path(path: &Path, current: Option<&Path>) -> String {
    let below = current.and_then(|current| path.strip_prefix(current).ok());
    let short = below.filter(|below| !below.as_os_str().is_empty()).unwrap_or(path);
    printable(&short.to_string_lossy()).into_owned()
}

/// A text without anything that would move a terminal's cursor or change its colours: file names can have all that.
pub(super) fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return text.into();
    }
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect::<String>().into()
}

/// `1:05–1:10`; with tenths where whole seconds would not tell.
pub(super) fn timecodes(span: &proto::Span) -> String {
    let tenths = !span.start_ms.is_multiple_of(1_000) || span.end_ms.saturating_sub(span.start_ms) < 1_000;
    format!("{}–{}", timecode(span.start_ms, tenths), timecode(span.end_ms, tenths))
}

fn timecode(ms: u64, tenths: bool) -> String {
    // Rounded before it is cut into minutes, so that 59.96 s is 1:00.0.
    let (rounded, fraction) = if tenths {
        let tenths = ms.saturating_add(50) / 100;
        (tenths / 10, format!(".{}", tenths % 10))
    } else {
        (ms.saturating_add(500) / 1_000, String::new())
    };
    let (hours, minutes, seconds) = (rounded / 3_600, rounded / 60 % 60, rounded % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}{fraction}")
    } else {
        format!("{minutes}:{seconds:02}{fraction}")
    }
}

/// `1.5 GiB`.
pub(super) fn size(bytes: u64) -> String {
    indicatif::BinaryBytes(bytes).to_string()
}

/// `3.2 s`, `4 min 5 s` or `2 h 3 min`.
pub(super) fn elapsed(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{seconds:.1} s");
    }
    #[expect(clippy::cast_sign_loss, reason = "at least a minute")]
    let whole = seconds.round() as u64;
    if whole < 3_600 {
        format!("{} min {} s", whole / 60, whole % 60)
    } else {
        format!("{} h {} min", whole / 3_600, whole / 60 % 60)
    }
}

/// `1 file`, `2 files`.
pub(super) fn count(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// The word for a media kind, in tables and in JSON.
pub(super) fn kind_name(kind: proto::MediaKind) -> &'static str {
    match kind {
        proto::MediaKind::Audio => "audio",
        proto::MediaKind::Image => "image",
        proto::MediaKind::Unspecified => "unknown",
    }
}

/// The word for how a root fares.
pub(super) fn root_state_name(state: proto::RootState) -> &'static str {
    match state {
        proto::RootState::Watched => "watched",
        proto::RootState::Polled => "polled",
        proto::RootState::Offline => "offline",
        proto::RootState::Unwatched => "unwatched",
        proto::RootState::Unspecified => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timecodes_have_tenths_only_where_they_tell() {
        let check = |start_ms, end_ms, expected: &str| {
            assert_eq!(timecodes(&proto::Span { start_ms, end_ms }), expected);
        };
        check(0, 5_000, "0:00–0:05");
        check(5_000, 9_960, "0:05–0:10");
        check(65_000, 70_000, "1:05–1:10");
        check(3_600_000, 3_605_000, "1:00:00–1:00:05");
        check(2_345, 7_345, "0:02.3–0:07.3");
        check(0, 250, "0:00.0–0:00.3");
        check(59_960, 64_960, "1:00.0–1:05.0");
    }

    #[test]
    fn paths_are_shortened_and_cannot_talk_to_the_terminal() {
        let short = |path: &str, current: Option<&str>| short_path(Path::new(path), current.map(Path::new));
        assert_eq!(short("/a/b/c.wav", Some("/a")), "b/c.wav");
        assert_eq!(short("/a/b/c.wav", Some("/x")), "/a/b/c.wav");
        assert_eq!(short("/a", Some("/a")), "/a");
        assert_eq!(short("/a/\x1b[31mred\n.wav", None), "/a/\u{fffd}[31mred\u{fffd}.wav");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_not_unicode_comes_back_as_it_was() {
        use std::os::unix::ffi::OsStrExt as _;

        let file = proto::File { path: "/a/\u{fffd}".into(), raw_path: b"/a/\xff".to_vec(), ..Default::default() };
        assert_eq!(path_of(&file).as_os_str().as_bytes(), b"/a/\xff");
        assert_eq!(raw_path(&file).as_deref(), Some("2f612fff"));
        let file = proto::File { path: "/a/b".into(), ..Default::default() };
        assert_eq!((path_of(&file), raw_path(&file)), (PathBuf::from("/a/b"), None));
    }

    #[test]
    fn figures_are_readable() {
        assert_eq!(elapsed(3.21), "3.2 s");
        assert_eq!(elapsed(245.4), "4 min 5 s");
        assert_eq!(elapsed(7_380.0), "2 h 3 min");
        assert_eq!((count(1, "file"), count(0, "file")), ("1 file".into(), "0 files".into()));
        assert_eq!(size(1_610_612_736), "1.50 GiB");
    }
}
