//! Why a multipart body was not read to its end.

use crate::Status;
use crate::reasons::reasons;

reasons! {
    /// Why a multipart body was not read to its end. Each ends the reader.
    MultipartError {
        /// The media type is not `multipart/…` (RFC 2046 §5.1).
        NotMultipart => "the body is not multipart",
        /// The media type has no boundary (RFC 2046 §5.1.1).
        BoundaryMissing => "the multipart type has no boundary",
        /// The media type has two boundaries: two readers would see two bodies.
        BoundaryRepeated => "the multipart type has more than one boundary",
        /// The boundary is not 1 to 70 of the characters that it may have (RFC 2046 §5.1.1).
        BoundaryInvalid => "the boundary of the multipart type is not well-formed",
        /// The body ended before the first delimiter (RFC 2046 §5.1.1).
        DelimiterMissing => "the multipart body has no delimiter",
        /// Something other than white space and CRLF follows a delimiter on its line (RFC 2046 §5.1.1).
        DelimiterInvalid => "a delimiter of the multipart body is followed by something else on its line",
        /// The body ended in the fields of a part, or after a delimiter that announces a part.
        CutInHead => "the multipart body ends inside the fields of a part",
        /// The body ended inside a part, without the closing delimiter (RFC 2046 §5.1.1).
        CutInPart => "the multipart body ends inside a part",
        /// A line of a part's fields has no colon, or white space before it (RFC 2046 §5.1, RFC 5322 §2.2).
        FieldName => "a field line of a part is not `name: value`",
        /// A control byte in a field of a part, or a line that does not end in CRLF (RFC 5322 §2.2).
        FieldValue => "a field line of a part has a control byte or a bare line end",
        /// A field that decides how the part is read stands twice: `Content-Disposition`, `Content-Type`,
        /// `Content-Transfer-Encoding`, `Content-Length`.
        FieldRepeated => "a part has one of its deciding fields twice",
        /// A line of fields is longer than [`MultipartLimits::header_line`](super::MultipartLimits::header_line).
        FieldLineTooLong => "a field line of a part is too long",
        /// The fields of a part are longer than [`MultipartLimits::head`](super::MultipartLimits::head).
        HeadTooLong => "the fields of a part are too long",
        /// A part has more fields than [`MultipartLimits::header_count`](super::MultipartLimits::header_count).
        TooManyFields => "a part has too many fields",
        /// There are more parts than [`MultipartLimits::parts`](super::MultipartLimits::parts).
        TooManyParts => "the multipart body has too many parts",
        /// A part is longer than [`MultipartLimits::part`](super::MultipartLimits::part).
        PartTooLarge => "a part of the multipart body is too large",
        /// The body is longer than [`MultipartLimits::total`](super::MultipartLimits::total).
        BodyTooLarge => "the multipart body is too large",
        /// Parts are nested deeper than [`MultipartLimits::depth`](super::MultipartLimits::depth).
        TooDeep => "the multipart body is nested too deep",
        /// The `Content-Length` of a part is not decimal digits (RFC 9110 §8.6).
        LengthInvalid => "the Content-Length of a part is not a number",
        /// A part, outside of forms, is not as long as its `Content-Length` says.
        LengthMismatch => "a part is not as long as its Content-Length says",
        /// A `Content-Transfer-Encoding` that RFC 2045 §6.1 does not have.
        TransferEncodingUnknown => "the Content-Transfer-Encoding of a part is not known",
        /// The data of a part is not base64 (RFC 2045 §6.8).
        Base64Invalid => "a part is not base64",
        /// The data of a part is not quoted-printable (RFC 2045 §6.7).
        QuotedPrintableInvalid => "a part is not quoted-printable",
        /// The value of the field `_charset_` is not the name of a charset (RFC 7578 §4.6).
        CharsetInvalid => "the _charset_ field of the form is not the name of a charset",
    }
}

impl MultipartError {
    /// The status to answer with: 415 if it is not multipart, 413 past a limit, else 400.
    pub const fn status(self) -> Status {
        match self {
            Self::NotMultipart => Status::UNSUPPORTED_MEDIA_TYPE,
            Self::FieldLineTooLong
            | Self::HeadTooLong
            | Self::TooManyFields
            | Self::TooManyParts
            | Self::PartTooLarge
            | Self::BodyTooLarge
            | Self::TooDeep => Status::CONTENT_TOO_LARGE,
            _ => Status::BAD_REQUEST,
        }
    }
}
