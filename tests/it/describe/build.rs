//! Files, made byte by byte.

/// A chunk of RIFF, padded to even length.
pub fn riff_chunk(id: &[u8; 4], data: &[u8]) -> Vec<u8> {
    chunk(id, data, u32::to_le_bytes)
}

/// A chunk of AIFF, padded to even length.
pub fn aiff_chunk(id: &[u8; 4], data: &[u8]) -> Vec<u8> {
    chunk(id, data, u32::to_be_bytes)
}

fn chunk(id: &[u8; 4], data: &[u8], size: fn(u32) -> [u8; 4]) -> Vec<u8> {
    let mut chunk = [id, &size(u32::try_from(data.len()).unwrap())[..], data].concat();
    chunk.resize(chunk.len().next_multiple_of(2), 0);
    chunk
}

/// A WAV file: format, sound, then the given chunks.
pub fn wav(chunks: &[Vec<u8>]) -> Vec<u8> {
    let format = riff_chunk(b"fmt ", &[1, 0, 1, 0, 0x44, 0xac, 0, 0, 0x88, 0x58, 1, 0, 2, 0, 16, 0]);
    let body = [format, riff_chunk(b"data", &[7; 9]), chunks.concat()].concat();
    [b"RIFF", &u32::try_from(body.len() + 4).unwrap().to_le_bytes()[..], b"WAVE", &body].concat()
}

/// A `bext` chunk of version 2 with a loudness of −23 LUFS.
pub fn bext(description: &str) -> Vec<u8> {
    let mut data = vec![0; 602];
    let mut put = |at: usize, bytes: &[u8]| data[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, description.as_bytes());
    put(256, b"Recorder 7");
    put(288, b"REF123");
    put(320, b"2024-05-0612:34:56");
    put(338, &(5_000_000_000_u64).to_le_bytes());
    put(346, &[2, 0]);
    put(412, &(-2300_i16).to_le_bytes());
    for loudness in 1..5 {
        put(412 + 2 * loudness, &0x7fff_i16.to_le_bytes());
    }
    data.extend(b"A=PCM,F=48000,W=24,M=mono,T=x\r\n\0");
    riff_chunk(b"bext", &data)
}

/// A `LIST INFO` chunk.
pub fn info(texts: &[(&[u8; 4], &str)]) -> Vec<u8> {
    let texts: Vec<u8> =
        texts.iter().flat_map(|(id, text)| riff_chunk(id, &[text.as_bytes(), b"\0"].concat())).collect();
    riff_chunk(b"LIST", &[b"INFO", &texts[..]].concat())
}

/// An ID3v2 tag of version 2.3 or 2.4.
pub fn id3(version: u8, frames: &[Vec<u8>]) -> Vec<u8> {
    let frames = frames.concat();
    [b"ID3", &[version, 0, 0][..], &synchsafe(frames.len()), &frames].concat()
}

/// A frame of ID3v2; the data begins with the encoding.
pub fn id3_frame(version: u8, id: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let size = if version == 4 { synchsafe(data.len()) } else { u32::try_from(data.len()).unwrap().to_be_bytes() };
    [id, &size[..], &[0, 0], data].concat()
}

/// Seven bits a byte.
fn synchsafe(size: usize) -> [u8; 4] {
    [21, 14, 7, 0].map(|shift| u8::try_from((size >> shift) & 0x7f).unwrap())
}

/// UTF-16 with byte order mark and terminator, as ID3 has it.
pub fn utf16(text: &str) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16()).chain([0]);
    units.flat_map(u16::to_le_bytes).collect()
}

/// Frames of silence, MPEG 1 layer 3, 128 kbit/s, 44.1 kHz.
pub fn mp3_frames() -> Vec<u8> {
    let mut frame = vec![0; 417];
    frame[..4].copy_from_slice(&[0xff, 0xfb, 0x90, 0x64]);
    frame.repeat(4)
}

/// A block of Vorbis comments: sizes are little-endian.
pub fn vorbis_comments(comments: &[&str]) -> Vec<u8> {
    let text = |text: &str| [&u32::try_from(text.len()).unwrap().to_le_bytes()[..], text.as_bytes()].concat();
    let count = u32::try_from(comments.len()).unwrap().to_le_bytes().to_vec();
    let comments = comments.iter().flat_map(|comment| text(comment)).collect();
    [text("maker"), count, comments].concat()
}

/// A FLAC file without sound.
pub fn flac(comments: &[&str]) -> Vec<u8> {
    let mut stream_info = [0; 34];
    stream_info[..4].copy_from_slice(&[0x10, 0, 0x10, 0]);
    // 44,100 Hz, one channel, 16 bits, 4096 samples.
    stream_info[10..18].copy_from_slice(&[0x0a, 0xc4, 0x40, 0xf0, 0, 0, 0x10, 0]);
    let comments = vorbis_comments(comments);
    let size = u32::try_from(comments.len()).unwrap().to_be_bytes();
    [b"fLaC\0\0\0\x22", &stream_info[..], &[0x84], &size[1..], &comments].concat()
}

/// A value of a TIFF directory: its type, count and bytes in big-endian order.
pub struct Value(u16, u32, Vec<u8>);

pub fn ascii(text: &str) -> Value {
    bytes(2, &[text.as_bytes(), b"\0"].concat())
}

pub fn bytes(kind: u16, bytes: &[u8]) -> Value {
    Value(kind, u32::try_from(bytes.len()).unwrap(), bytes.to_vec())
}

pub fn short(number: u16) -> Value {
    Value(3, 1, number.to_be_bytes().to_vec())
}

pub fn long(number: u32) -> Value {
    Value(4, 1, number.to_be_bytes().to_vec())
}

pub fn rationals(numbers: &[(u32, u32)]) -> Value {
    let both = |&(top, bottom): &(u32, u32)| [top.to_be_bytes(), bottom.to_be_bytes()].concat();
    Value(5, u32::try_from(numbers.len()).unwrap(), numbers.iter().flat_map(both).collect())
}

/// A directory that starts at `start` of a big-endian TIFF structure, and its values behind it.
pub fn directory(start: usize, entries: &[(u16, Value)]) -> Vec<u8> {
    let mut values = Vec::<u8>::new();
    let mut directory = u16::try_from(entries.len()).unwrap().to_be_bytes().to_vec();
    let behind = start + 2 + 12 * entries.len() + 4;
    for (tag, Value(kind, count, bytes)) in entries {
        directory.extend([tag.to_be_bytes(), kind.to_be_bytes()].concat());
        directory.extend(count.to_be_bytes());
        let mut inside = bytes.clone();
        if bytes.len() > 4 {
            inside = u32::try_from(behind + values.len()).unwrap().to_be_bytes().to_vec();
            values.extend(bytes);
        }
        inside.resize(4, 0);
        directory.extend(inside);
    }
    directory.extend([0; 4]);
    directory.extend(values);
    directory
}

/// A big-endian TIFF structure with a first directory and those of EXIF and GPS; there may be anything before them.
pub fn tiff(before: &[u8], mut first: Vec<(u16, Value)>, camera: &[(u16, Value)], gps: &[(u16, Value)]) -> Vec<u8> {
    let camera_start = 8 + before.len();
    let camera = directory(camera_start, camera);
    let gps_start = camera_start + camera.len();
    let gps = directory(gps_start, gps);
    let start = gps_start + gps.len();
    first.push((0x8769, long(u32::try_from(camera_start).unwrap())));
    first.push((0x8825, long(u32::try_from(gps_start).unwrap())));
    first.sort_by_key(|(tag, _)| *tag);
    let header = [b"MM\0*", &u32::try_from(start).unwrap().to_be_bytes()[..]].concat();
    [&header, before, &camera, &gps, &directory(start, &first)].concat()
}

/// A segment of JPEG.
pub fn jpeg_segment(marker: u8, data: &[u8]) -> Vec<u8> {
    [&[0xff, marker], &u16::try_from(data.len() + 2).unwrap().to_be_bytes()[..], data].concat()
}

/// The segments and something like a picture behind them.
pub fn jpeg(segments: &[Vec<u8>]) -> Vec<u8> {
    let scan = jpeg_segment(0xda, &[1, 1, 0, 0, 63, 0]);
    [&[0xff, 0xd8], &segments.concat()[..], &scan, &[1, 2, 3], &[0xff, 0xd9]].concat()
}

/// A chunk of PNG, with a checksum that nobody looks at.
pub fn png_chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    [&u32::try_from(data.len()).unwrap().to_be_bytes()[..], kind, data, &[0; 4]].concat()
}

/// Data sets of record 2 of IPTC, in UTF-8.
pub fn iptc(texts: &[(u8, &str)]) -> Vec<u8> {
    let set = |record: u8, number: u8, data: &[u8]| {
        [&[0x1c, record, number], &u16::try_from(data.len()).unwrap().to_be_bytes()[..], data].concat()
    };
    let texts = texts.iter().flat_map(|(number, text)| set(2, *number, text.as_bytes()));
    set(1, 90, b"\x1b%G").into_iter().chain(texts).collect()
}

/// The segment of JPEG that has data sets of IPTC among other resources.
pub fn photoshop(iptc: &[u8]) -> Vec<u8> {
    let resource = |id: u16, data: &[u8]| {
        let size = u32::try_from(data.len()).unwrap().to_be_bytes();
        let mut resource = [b"8BIM", &id.to_be_bytes()[..], &[0, 0], &size, data].concat();
        resource.resize(resource.len().next_multiple_of(2), 0);
        resource
    };
    jpeg_segment(0xed, &[b"Photoshop 3.0\0", &resource(0x03ed, &[1, 2, 3])[..], &resource(0x0404, iptc)].concat())
}
