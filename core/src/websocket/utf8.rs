//! UTF-8 checked as it arrives, in any split: what cannot become valid is refused at its first byte.

/// The check of one text: holds the bytes of a character that is not complete yet.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Utf8 {
    held: [u8; 4],
    count: u8,
}

/// The text is not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InvalidText;

impl Utf8 {
    /// Takes the next part.
    pub(super) fn push(&mut self, mut part: &[u8]) -> Result<(), InvalidText> {
        while self.count > 0 {
            let Some((&byte, rest)) = part.split_first() else { return Ok(()) };
            part = rest;
            self.held[usize::from(self.count)] = byte;
            self.count += 1;
            match str::from_utf8(&self.held[..usize::from(self.count)]) {
                Ok(_) => self.count = 0,
                // A fourth byte completes or refutes, so the count stays below four.
                Err(error) if error.error_len().is_some() => return Err(InvalidText),
                Err(_) => {}
            }
        }
        let Err(error) = str::from_utf8(part) else { return Ok(()) };
        if error.error_len().is_some() {
            return Err(InvalidText);
        }
        let tail = &part[error.valid_up_to()..];
        self.held[..tail.len()].copy_from_slice(tail);
        self.count = u8::try_from(tail.len()).map_err(|_| InvalidText)?;
        Ok(())
    }

    /// The text is complete: no character may be open.
    pub(super) const fn finish(self) -> Result<(), InvalidText> {
        if self.count == 0 { Ok(()) } else { Err(InvalidText) }
    }
}
