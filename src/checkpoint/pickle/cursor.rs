//! The bytes of a pickle, taken off the front piece by piece.
//!
//! Invariant: nothing is taken that is not there, and lengths are compared with what is left before they are used.

use super::super::CheckpointError;

pub(super) struct Cursor<'p> {
    input: &'p [u8],
    /// The first byte not taken yet.
    next: usize,
    /// Where the current instruction starts, for messages.
    instruction: usize,
}

impl<'p> Cursor<'p> {
    pub(super) fn new(input: &'p [u8]) -> Self {
        Self { input, next: 0, instruction: 0 }
    }

    /// Takes the byte that starts an instruction.
    pub(super) fn opcode(&mut self) -> Result<u8, CheckpointError> {
        self.instruction = self.next;
        self.byte()
    }

    /// Where the current instruction starts.
    pub(super) fn instruction(&self) -> usize {
        self.instruction
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.next == self.input.len()
    }

    pub(super) fn byte(&mut self) -> Result<u8, CheckpointError> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn word(&mut self) -> Result<u32, CheckpointError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], CheckpointError> {
        let bytes = self.input[self.next..].first_chunk::<N>().ok_or_else(|| self.damage("the pickle is cut short"))?;
        self.next += N;
        Ok(*bytes)
    }

    pub(super) fn bytes(&mut self, length: u64) -> Result<&'p [u8], CheckpointError> {
        let rest = &self.input[self.next..];
        let length = usize::try_from(length).ok().filter(|length| *length <= rest.len());
        let length = length.ok_or_else(|| self.damage("a string reaches past the end"))?;
        self.next += length;
        Ok(&rest[..length])
    }

    /// Two's complement of the given length, little-endian.
    pub(super) fn long(&mut self) -> Result<i64, CheckpointError> {
        let length = self.byte()?;
        let digits = self.bytes(length.into())?;
        if digits.len() > 8 {
            return Err(self.damage(format!("an integer has {length} bytes, expected at most 8")));
        }
        let negative = digits.last().is_some_and(|top| top & 0x80 != 0);
        let mut bytes = [if negative { 0xff } else { 0 }; 8];
        bytes[..digits.len()].copy_from_slice(digits);
        Ok(i64::from_le_bytes(bytes))
    }

    /// A line without its end, as older instructions have it.
    pub(super) fn line(&mut self) -> Result<&'p str, CheckpointError> {
        let rest = &self.input[self.next..];
        let end = rest.iter().position(|byte| *byte == b'\n').ok_or_else(|| self.damage("the pickle is cut short"))?;
        self.next += end + 1;
        std::str::from_utf8(&rest[..end]).map_err(|_| self.damage("the name of a class is not UTF-8"))
    }

    pub(super) fn damage(&self, reason: impl Into<String>) -> CheckpointError {
        CheckpointError::Pickle { offset: self.instruction, reason: reason.into() }
    }
}
