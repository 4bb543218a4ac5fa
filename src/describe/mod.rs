//! What the makers of a file wrote into it, and into its name.
//!
//! Owns the readers of descriptive metadata: BWF `bext` and iXML, RIFF INFO, ID3 and Vorbis comments, EXIF and IPTC,
//! and the Universal Category System's file names. Invariant: bad metadata costs the metadata, never the file; sizes
//! are bounded before memory is asked for. Does not decode sound or pictures.
//!
//! Fields are named by where they come from and what they are called there, in small letters: `bext.*`, `ixml.*` (with
//! the path below the root, e.g. `ixml.user.fxname` or `ixml.aswg.catid`), `info.*` and `cue.labels` (RIFF), `aiff.*`,
//! `id3.*`, `vorbis.*`, `mp4.*`, `ape.*`; `exif.*`, `iptc.*`, `xmp.*`, and `jpeg.comment` or `png.*`.

mod bext;
mod chunks;
mod draft;
mod id3;
mod iptc;
mod ixml;
mod metered;
mod photograph;
mod pictures;
mod riff;
mod tags;
mod text;
mod tiff;
pub mod ucs;
mod xml;
mod xmp;

use std::io::{Read, Seek};

use crate::library::Description;
use crate::media::MediaKind;

/// Reads what there is to read about content of the given kind; what is absent, unknown or broken is left out.
///
/// Where several sources say the same thing, production metadata (iXML, `bext`) is believed before `INFO`, and that
/// before tags; of pictures, IPTC before XMP and that before EXIF.
pub fn describe<R: Read + Seek>(content: &mut R, kind: MediaKind) -> Description {
    let mut draft = draft::Draft::default();
    match kind {
        MediaKind::Audio => {
            if !riff::read(content, &mut draft) {
                tags::read(content, &mut draft);
            }
        }
        MediaKind::Image => pictures::read(content, &mut draft),
    }
    draft.finish()
}
