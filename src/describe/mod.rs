//! What the makers of a file wrote into it, and into its name.
//!
//! Owns the readers of descriptive metadata: BWF `bext` and iXML, RIFF INFO, ID3 and Vorbis comments, EXIF and IPTC, and
//! the Universal Category System's file names. Invariant: bad metadata costs the metadata, never the file; sizes are
//! bounded before memory is asked for. Does not decode sound or pictures.

pub mod ucs;

use std::io::{Read, Seek};

use crate::library::Description;
use crate::media::MediaKind;

/// Reads what there is to read about content of the given kind; what is absent, unknown or broken is left out.
pub fn describe<R: Read + Seek>(_content: &mut R, _kind: MediaKind) -> Description {
    todo!()
}
