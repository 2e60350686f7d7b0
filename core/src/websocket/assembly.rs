//! A message that arrives in pieces: fragments, or compressed bytes. Pieces are taken as they come, and limits are
//! checked before anything is kept.

use alloc::boxed::Box;

use bytes::BytesMut;

use super::deflate::Inflater;
use super::utf8::Utf8;
use super::{Message, ReceiveError, Settings, Text};

/// The message so far.
#[derive(Debug)]
pub(super) struct Assembly {
    data: BytesMut,
    utf8: Option<Utf8>,
    fragments: u32,
    inflater: Option<Box<Inflater>>,
}

impl Assembly {
    /// A message begins. Compressed if there is an inflater, which is given back at its end.
    pub(super) fn new(is_text: bool, inflater: Option<Box<Inflater>>) -> Self {
        Self { data: BytesMut::new(), utf8: is_text.then(Utf8::default), fragments: 0, inflater }
    }

    /// A frame of the message is announced.
    pub(super) fn begin_frame(&mut self, length: u64, settings: &Settings) -> Result<(), ReceiveError> {
        if self.fragments >= settings.max_fragments {
            return Err(ReceiveError::TooManyFragments);
        }
        self.fragments += 1;
        let total = (self.data.len() as u64).saturating_add(length);
        if self.inflater.is_none() && total > settings.max_message as u64 {
            return Err(ReceiveError::MessageTooBig);
        }
        Ok(())
    }

    /// Takes an unmasked part of a frame.
    pub(super) fn push(&mut self, part: &[u8], settings: &Settings) -> Result<(), ReceiveError> {
        let Self { data, utf8, inflater, .. } = self;
        let mut keep = |piece: &[u8]| {
            let fitting = piece.len().min(settings.max_message.saturating_sub(data.len()));
            data.extend_from_slice(&piece[..fitting]);
            if let Some(utf8) = utf8 {
                utf8.push(&piece[..fitting]).map_err(|_| ReceiveError::TextInvalid)?;
            }
            if fitting == piece.len() { Ok(()) } else { Err(ReceiveError::MessageTooBig) }
        };
        match inflater {
            None => keep(part),
            Some(inflater) => inflater.push(part, &mut keep),
        }
    }

    /// The message is complete.
    pub(super) fn finish(mut self) -> Result<(Message, Option<Box<Inflater>>), ReceiveError> {
        if let Some(inflater) = &mut self.inflater {
            inflater.finish()?;
        }
        let bytes = self.data.freeze();
        let message = match self.utf8 {
            None => Message::Binary(bytes),
            Some(utf8) => {
                utf8.finish().map_err(|_| ReceiveError::TextInvalid)?;
                Message::Text(Text::from_checked(bytes))
            }
        };
        Ok((message, self.inflater))
    }
}
