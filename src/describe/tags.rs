//! ID3, Vorbis comments, MP4 and APE tags, as read by `lofty`.
//!
//! Fields are named by the kind of tag and, for Vorbis comments and texts that users name themselves, that name; for
//! others by the names below, or else the one that `lofty` gives. Invariant: `lofty` may panic, loop or believe what it
//! reads: it does so contained, on a reader that ends, without pictures, and sees no compressed ID3v2 frame.

use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};

use lofty::config::{GlobalOptions, ParseOptions, ParsingMode, apply_global_options};
use lofty::file::{AudioFile, FileType, TaggedFileExt};
use lofty::flac::FlacFile;
use lofty::id3::v1::Id3v1Tag;
use lofty::id3::v2::{Frame, Id3v2Tag};
use lofty::mpeg::MpegFile;
use lofty::ogg::tag::VorbisComments;
use lofty::ogg::{OpusFile, SpeexFile, VorbisFile};
use lofty::probe::Probe;
use lofty::tag::{ItemKey, ItemValue, Tag, TagType};

use super::draft::{Draft, Role, Source};
use super::id3;
use super::metered::Metered;
use crate::containment::contain;

/// Tags are read, pictures in them mostly skipped, the sound never.
const MOST_BYTES: u64 = 32 * 1024 * 1024;
const MOST_SEEKS: u64 = 100_000;
const LARGEST_ITEM_BYTES: usize = 4 * 1024 * 1024;
/// More than any tag has.
const MOST_ITEMS: usize = 1024;
const ID3V1_BYTES: usize = 128;

/// Source, field name, role and text.
type Noted = (Source, String, Option<Role>, String);

/// Notes what the tags say, if there are any that can be read.
pub(super) fn read<R: Read + Seek>(content: &mut R, draft: &mut Draft) {
    let (tags, end) = id3::leading(content).unwrap_or_default();
    for tag in tags {
        read_harmless(tag, draft);
    }
    if let Some(noted) = contained(|| notes(content, end)) {
        note(noted, draft);
    } else if let Some(tag) = trailing_id3(content) {
        // One broken tag spoils the others of a file, unless they are read apart.
        let noted = contained(|| Some(items(Tag::from(Id3v1Tag::parse(tag, ParsingMode::BestAttempt).ok()?))));
        note(noted.unwrap_or_default(), draft);
    }
}

/// Notes what an ID3v2 tag says that stands alone.
pub(super) fn read_id3(tag: &[u8], draft: &mut Draft) {
    if let Some(tag) = id3::harmless(tag) {
        read_harmless(tag, draft);
    }
}

fn read_harmless(mut tag: Vec<u8>, draft: &mut Draft) {
    // Something must follow it, or the search for other tags fails.
    tag.resize(tag.len() + 256, 0);
    let noted = contained(|| {
        let file = MpegFile::read_from(&mut Cursor::new(tag), options()).ok()?;
        Some(items(Tag::from(file.id3v2()?.clone())))
    });
    note(noted.unwrap_or_default(), draft);
}

/// The bytes of an ID3v1 tag at the end.
fn trailing_id3<R: Read + Seek>(content: &mut R) -> Option<[u8; ID3V1_BYTES]> {
    let mut tag = [0; ID3V1_BYTES];
    content.seek(SeekFrom::End(-128)).ok()?;
    content.read_exact(&mut tag).ok()?;
    tag.starts_with(b"TAG").then_some(tag)
}

/// What `work` yields, if it does not panic.
fn contained<T>(work: impl FnOnce() -> Option<T>) -> Option<T> {
    let result = contain(|| {
        // Applies to this thread; nobody else uses the library.
        apply_global_options(GlobalOptions::new().allocation_limit(LARGEST_ITEM_BYTES).use_custom_resolvers(false));
        work()
    });
    result.ok().flatten()
}

fn options() -> ParseOptions {
    ParseOptions::new().read_properties(false).read_cover_art(false)
}

fn note(noted: Vec<Noted>, draft: &mut Draft) {
    for (source, name, role, value) in noted {
        draft.note(source, &name, role, &value);
    }
}

/// All tags from `start` on but ID3v2; `None` if one of them cannot be read.
fn notes<R: Read + Seek>(content: &mut R, start: u64) -> Option<Vec<Noted>> {
    let metered = Metered::new(BufReader::new(content), start, MOST_BYTES, MOST_SEEKS).ok()?;
    let probe = Probe::new(metered).guess_file_type().ok()?;
    let kind = probe.file_type()?;
    let mut reader = probe.into_inner();
    let options = options();
    Some(match kind {
        FileType::Flac => vorbis(FlacFile::read_from(&mut reader, options).ok()?.vorbis_comments()?),
        FileType::Vorbis => vorbis(VorbisFile::read_from(&mut reader, options).ok()?.vorbis_comments()),
        FileType::Opus => vorbis(OpusFile::read_from(&mut reader, options).ok()?.vorbis_comments()),
        FileType::Speex => vorbis(SpeexFile::read_from(&mut reader, options).ok()?.vorbis_comments()),
        _ => {
            let file = Probe::with_file_type(reader, kind).options(options).read().ok()?;
            file.tags().iter().flat_map(|tag| items(tag.clone())).collect()
        }
    })
}

fn items(tag: Tag) -> Vec<Noted> {
    let (source, prefix) = match tag.tag_type() {
        TagType::Id3v2 => (Source::Id3v2, "id3"),
        TagType::Id3v1 => (Source::Id3v1, "id3"),
        TagType::Mp4Ilst => (Source::Mp4, "mp4"),
        TagType::Ape => (Source::Ape, "ape"),
        _ => (Source::Info, "tag"),
    };
    let mut noted: Vec<Noted> = tag
        .items()
        .take(MOST_ITEMS)
        .filter_map(|item| {
            let (ItemValue::Text(text) | ItemValue::Locator(text)) = item.value() else { return None };
            let (name, role) = known(item.key());
            Some((source, format!("{prefix}.{name}"), role, text.clone()))
        })
        .collect();
    if source == Source::Id3v2 {
        noted.extend(named_by_users(tag));
    }
    noted
}

fn vorbis(comments: &VorbisComments) -> Vec<Noted> {
    let noted = |(name, value): (&str, &str)| {
        let name = name.to_lowercase();
        (Source::Vorbis, format!("vorbis.{name}"), role_by_name(&name), value.to_owned())
    };
    comments.items().take(MOST_ITEMS).map(noted).collect()
}

/// Texts that users name themselves, where the common names do not cover them.
fn named_by_users(tag: Tag) -> Vec<Noted> {
    let is_common = |name: &str| ItemKey::from_key(TagType::Id3v2, name).is_some();
    Id3v2Tag::from(tag)
        .into_iter()
        .take(MOST_ITEMS)
        .filter_map(|frame| match frame {
            Frame::UserText(frame) if !is_common(&frame.description) => {
                let name = frame.description.trim().to_lowercase();
                let role = role_by_name(&name);
                let name = if name.is_empty() { "text" } else { &name };
                Some((Source::Id3v2, format!("id3.{name}"), role, frame.content.into_owned()))
            }
            _ => None,
        })
        .collect()
}

/// Names of Vorbis comments, and those that users give their texts.
fn role_by_name(name: &str) -> Option<Role> {
    match name {
        "title" | "fxname" => Some(Role::Title),
        "description" | "comment" => Some(Role::Text),
        "artist" | "author" | "designer" | "recordist" | "creatorid" => Some(Role::Creator),
        "genre" | "keywords" | "keyword" | "grouping" | "tags" => Some(Role::Keywords),
        "category" => Some(Role::Category),
        "subcategory" => Some(Role::Subcategory),
        "catid" => Some(Role::CatId),
        _ => None,
    }
}

/// Name and role of what all kinds of tags have in common.
fn known(key: ItemKey) -> (String, Option<Role>) {
    let (name, role) = match key {
        ItemKey::TrackTitle => ("title", Some(Role::Title)),
        ItemKey::TrackArtist => ("artist", Some(Role::Creator)),
        ItemKey::Comment => ("comment", Some(Role::Text)),
        ItemKey::Description | ItemKey::PodcastDescription => ("description", Some(Role::Text)),
        ItemKey::Genre => ("genre", Some(Role::Keywords)),
        ItemKey::ContentGroup | ItemKey::AppleId3v2ContentGroup => ("grouping", Some(Role::Keywords)),
        ItemKey::PodcastKeywords => ("keywords", Some(Role::Keywords)),
        ItemKey::Mood => ("mood", Some(Role::Keywords)),
        ItemKey::AlbumTitle => ("album", None),
        ItemKey::TrackSubtitle => ("subtitle", None),
        ItemKey::RecordingDate => ("date", None),
        ItemKey::CopyrightMessage => ("copyright", None),
        ItemKey::EncoderSoftware | ItemKey::EncoderSettings => ("encoder", None),
        ItemKey::IntegerBpm | ItemKey::Bpm => ("bpm", None),
        ItemKey::Lyrics | ItemKey::UnsyncLyrics => ("lyrics", None),
        _ => return (snake_case(&format!("{key:?}")), None),
    };
    (name.to_owned(), role)
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}
