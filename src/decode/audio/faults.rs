//! What goes wrong in a stream and can be worked around, put in words for the user.

/// Faults of one file.
#[derive(Debug, Default)]
pub(super) struct Faults {
    lost_packets: u64,
    first_loss: Option<String>,
    /// Why decoding ended before the container did.
    pub(super) broken_off: Option<String>,
    /// Why the file could only be read from the front, without what its end may tell.
    pub(super) cut_short: Option<String>,
    /// Frames promised and not found.
    pub(super) missing_frames: u64,
}

impl Faults {
    /// Counts a packet that did not decode.
    pub(super) fn lose_packet(&mut self, reason: String) {
        self.lost_packets += 1;
        self.first_loss.get_or_insert(reason);
    }

    /// One line, or `None` if all went well.
    pub(super) fn describe(&self) -> Option<String> {
        let mut notes = Vec::new();
        if let Some(reason) = &self.cut_short {
            notes.push(format!("it was read from the front only: {reason}"));
        }
        if let Some(reason) = &self.first_loss {
            notes.push(format!("{} packets could not be decoded, the first: {reason}", self.lost_packets));
        }
        if let Some(reason) = &self.broken_off {
            notes.push(format!("it breaks off: {reason}"));
        }
        if self.missing_frames > 0 {
            notes.push(format!("{} frames fewer than promised", self.missing_frames));
        }
        (!notes.is_empty()).then(|| notes.join("; "))
    }
}
