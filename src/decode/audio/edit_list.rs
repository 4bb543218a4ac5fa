//! Which part of an MP4 sound track is to be heard: edit lists, and Apple's `iTunSMPB` note.
//!
//! Encoders put up to some thousand samples before the first real one; only these two say how many. The demuxer does
//! not pass them on, so the few boxes are walked here (ISO/IEC 14496-12 sections 8.2 to 8.6). Anything odd is taken as
//! "says nothing": whether the file is sound is for the demuxer to judge.

use std::io;
use std::ops::Range;

use super::source::Source;

/// Boxes looked at on one level. Long fragmented films have some ten thousand.
const MAX_BOXES: usize = 1 << 16;

/// Entries of an edit list looked at: whether there is one or more is all that counts.
const MAX_ENTRIES: u32 = 16;

/// Length of the text of an `iTunSMPB` note that is looked at; the interesting numbers come first.
const NOTE_BYTES: usize = 64;

/// What an MP4 file says about the start and the end of its tracks.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Mp4Timing {
    /// Where the sound of each track with an edit list starts and how long it is, by track number.
    pub(super) edits: Vec<(u32, Edit)>,
    /// The `iTunSMPB` note.
    pub(super) gapless: Option<Gapless>,
}

/// A stretch of a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edit {
    /// Where it starts, in ticks of the track.
    pub(super) media_start: u64,
    /// Ticks of the track a second.
    pub(super) media_timescale: u32,
    /// How long it is, in ticks of the film; 0 means to the end.
    pub(super) duration: u64,
    /// Ticks of the film a second.
    pub(super) movie_timescale: u32,
}

/// Frames to drop and frames to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gapless {
    pub(super) delay: u64,
    pub(super) frames: u64,
}

/// Reads the timing of an MP4 file; `None` when the file is something else.
pub(super) fn read_timing(source: &mut Source) -> io::Result<Option<Mp4Timing>> {
    let whole = 0..source.len();
    if source.array_at::<8>(0)?.is_none_or(|head| &head[4..] != b"ftyp") {
        return Ok(None);
    }
    let Some(movie) = find(source, whole, b"moov")? else { return Ok(None) };
    let mut timing = Mp4Timing { gapless: read_note(source, movie.clone())?, ..Mp4Timing::default() };
    let Some(header) = find(source, movie.clone(), b"mvhd")? else { return Ok(Some(timing)) };
    let Some(movie_timescale) = read_timescale(source, header.start)? else { return Ok(Some(timing)) };
    for (_, track) in children(source, movie)?.into_iter().filter(|(kind, _)| kind == b"trak") {
        if let Some((id, edit)) = read_edit(source, track, movie_timescale)? {
            timing.edits.push((id, edit));
        }
    }
    Ok(Some(timing))
}

fn read_edit(source: &mut Source, track: Range<u64>, movie_timescale: u32) -> io::Result<Option<(u32, Edit)>> {
    let Some(header) = find(source, track.clone(), b"tkhd")? else { return Ok(None) };
    let Some(media_header) = find_path(source, track.clone(), &[b"mdia", b"mdhd"])? else { return Ok(None) };
    let Some(list) = find_path(source, track, &[b"edts", b"elst"])? else { return Ok(None) };
    let Some(media_timescale) = read_timescale(source, media_header.start)? else { return Ok(None) };
    let Some(id) = read_after_times(source, header.start)? else { return Ok(None) };
    let Some(head) = source.array_at::<8>(list.start)? else { return Ok(None) };
    let (version, count) = (head[0], be_u32(&head, 4));
    // Entries with a negative start are silence before the track: they delay the picture, not the sound.
    let mut position = list.start + 8;
    let mut edits = Vec::new();
    for _ in 0..count.min(MAX_ENTRIES) {
        let (duration, media_start) = if version == 1 {
            let Some(entry) = source.array_at::<20>(position)? else { break };
            position += 20;
            (be_u64(&entry, 0), i64::from_be_bytes(be_u64(&entry, 8).to_be_bytes()))
        } else {
            let Some(entry) = source.array_at::<12>(position)? else { break };
            position += 12;
            (u64::from(be_u32(&entry, 0)), i64::from(i32::from_be_bytes(be_u32(&entry, 4).to_be_bytes())))
        };
        if let Ok(media_start) = u64::try_from(media_start) {
            edits.push(Edit { media_start, media_timescale, duration, movie_timescale });
        }
    }
    Ok(match edits[..] {
        [] => None,
        [edit] => Some((id, edit)),
        // A film cut from pieces: better too much of its sound than too little.
        [first, ..] => Some((id, Edit { duration: 0, ..first })),
    })
}

/// The timescale of an `mvhd` or `mdhd` box: the field after its two times.
fn read_timescale(source: &mut Source, body: u64) -> io::Result<Option<u32>> {
    Ok(read_after_times(source, body)?.filter(|&ticks| ticks > 0))
}

/// The field after the version and the two times at the start of a header box.
fn read_after_times(source: &mut Source, body: u64) -> io::Result<Option<u32>> {
    let Some([version, ..]) = source.array_at::<4>(body)? else { return Ok(None) };
    let offset = if version == 1 { 20 } else { 12 };
    Ok(source.array_at::<4>(body + offset)?.map(u32::from_be_bytes))
}

fn read_note(source: &mut Source, movie: Range<u64>) -> io::Result<Option<Gapless>> {
    let Some(mut meta) = find_path(source, movie, &[b"udta", b"meta"])? else { return Ok(None) };
    meta.start += 4; // version and flags
    let Some(tags) = find(source, meta, b"ilst")? else { return Ok(None) };
    for (_, tag) in children(source, tags)?.into_iter().filter(|(kind, _)| kind == b"----") {
        let Some(name) = find(source, tag.clone(), b"name")? else { continue };
        if source.array_at::<8>(name.start + 4)? != Some(*b"iTunSMPB") {
            continue;
        }
        let Some(data) = find(source, tag, b"data")? else { continue };
        let mut text = [0; NOTE_BYTES];
        let read = source.read_at(data.start + 8, &mut text)?;
        return Ok(parse_note(&String::from_utf8_lossy(&text[..read])));
    }
    Ok(None)
}

/// Hexadecimal fields: reserved, delay, padding, frames.
fn parse_note(text: &str) -> Option<Gapless> {
    let mut fields = text.split_ascii_whitespace().skip(1).map(|field| u64::from_str_radix(field, 16).ok());
    let (delay, _padding, frames) = (fields.next()??, fields.next()??, fields.next()??);
    (frames > 0).then_some(Gapless { delay, frames })
}

fn find_path(source: &mut Source, mut range: Range<u64>, path: &[&[u8; 4]]) -> io::Result<Option<Range<u64>>> {
    for kind in path {
        match find(source, range, kind)? {
            Some(body) => range = body,
            None => return Ok(None),
        }
    }
    Ok(Some(range))
}

fn find(source: &mut Source, range: Range<u64>, kind: &[u8; 4]) -> io::Result<Option<Range<u64>>> {
    Ok(children(source, range)?.into_iter().find(|(found, _)| found == kind).map(|(_, body)| body))
}

/// The boxes in `range`: kind and body of each.
fn children(source: &mut Source, range: Range<u64>) -> io::Result<Vec<([u8; 4], Range<u64>)>> {
    let mut boxes = Vec::new();
    let mut position = range.start;
    while boxes.len() < MAX_BOXES && position + 8 <= range.end {
        let Some(head) = source.array_at::<8>(position)? else { break };
        let (header_bytes, size) = match be_u32(&head, 0) {
            0 => (8, range.end - position),
            1 => (16, source.array_at::<8>(position + 8)?.map_or(0, u64::from_be_bytes)),
            size => (8, u64::from(size)),
        };
        if size < header_bytes || size > range.end - position {
            break;
        }
        boxes.push(([head[4], head[5], head[6], head[7]], position + header_bytes..position + size));
        position += size;
    }
    Ok(boxes)
}

fn be_u32(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn be_u64(bytes: &[u8], at: usize) -> u64 {
    u64::from(be_u32(bytes, at)) << 32 | u64::from(be_u32(bytes, at + 4))
}

#[cfg(test)]
mod tests;
