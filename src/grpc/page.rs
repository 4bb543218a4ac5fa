//! Page tokens of queries: where to go on, and which query they are of.
//!
//! Nothing is remembered between pages. A token is hex digits of a version, the offset and a hash of the query, so that
//! one of another query is told apart. It is no secret and no promise: what changes meanwhile may move hits.

use prost::Message as _;

use super::proto::QueryRequest;
use super::status::Malformed;

/// First byte of a token.
const VERSION: u8 = 1;
const OFFSET_BYTES: usize = 4;
const HASH_BYTES: usize = 8;

/// Names a query, but for the page that is asked for.
#[derive(Clone)]
pub(super) struct Fingerprint(blake3::Hasher);

impl Fingerprint {
    /// Of a query whose `offset` and `page_token` have been taken out.
    pub(super) fn new(request: &QueryRequest) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&request.encode_to_vec());
        Self(hasher)
    }

    /// Takes media that came beside the query into account.
    pub(super) fn add(&mut self, upload: &[u8]) {
        self.0.update(&(upload.len() as u64).to_le_bytes());
        self.0.update(upload);
    }

    fn short(&self) -> [u8; HASH_BYTES] {
        let mut short = [0; HASH_BYTES];
        short.copy_from_slice(&self.0.finalize().as_bytes()[..HASH_BYTES]);
        short
    }

    /// The token of the page from `offset` on.
    pub(super) fn token(&self, offset: u32) -> String {
        let bytes = [&[VERSION][..], &offset.to_le_bytes(), &self.short()].concat();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Where the page of a token starts.
    pub(super) fn offset(&self, token: &str) -> Result<u32, Malformed> {
        let malformed = |reason: &str| Malformed::new("page_token", reason);
        let bytes = hex(token).filter(|bytes| bytes.len() == 1 + OFFSET_BYTES + HASH_BYTES && bytes[0] == VERSION);
        let bytes = bytes.ok_or_else(|| malformed("is no page token; give next_page_token as it was received"))?;
        let (offset, hash) = bytes[1..].split_at(OFFSET_BYTES);
        if hash != self.short() {
            return Err(malformed("is of another query; repeat the query it came from, without any change"));
        }
        Ok(u32::from_le_bytes(offset.try_into().expect("it was split off with this length")))
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let digits = text.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn query(limit: u32) -> Fingerprint {
        Fingerprint::new(&QueryRequest { limit, ..Default::default() })
    }

    #[test]
    fn tokens_lead_to_their_offset_in_their_query_only() {
        let token = query(3).token(70_000);
        assert_eq!(query(3).offset(&token), Ok(70_000));
        assert!(query(4).offset(&token).unwrap_err().reason.contains("another query"));
        let mut with_upload = query(3);
        with_upload.add(b"sound");
        assert!(with_upload.offset(&token).unwrap_err().reason.contains("another query"));
    }

    #[test]
    fn uploads_are_told_apart_by_where_they_end() {
        let fingerprint = |uploads: [&[u8]; 2]| {
            let mut fingerprint = query(1);
            for upload in uploads {
                fingerprint.add(upload);
            }
            fingerprint.token(0)
        };
        assert_ne!(fingerprint([b"ab", b"c"]), fingerprint([b"a", b"bc"]));
    }

    #[test]
    fn tokens_of_other_versions_and_lengths_are_refused() {
        let token = query(3).token(1);
        for wrong in [&token[2..], &format!("02{}", &token[2..]), &format!("{token}00"), &token[..token.len() - 1], ""]
        {
            assert!(query(3).offset(wrong).unwrap_err().reason.contains("no page token"), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in any::<String>()) {
            prop_assert!(query(3).offset(&text).is_err());
        }

        #[test]
        fn a_changed_digit_is_noticed(place in 10_usize..26, offset in any::<u32>()) {
            let mut token = query(3).token(offset).into_bytes();
            token[place] = if token[place] == b'0' { b'1' } else { b'0' };
            prop_assert!(query(3).offset(std::str::from_utf8(&token).unwrap()).is_err());
        }
    }
}
