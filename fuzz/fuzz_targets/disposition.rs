//! Any bytes as Content-Disposition, media type and form: declared errors, and what is read is written so that it is
//! read again as the same; a safe name is safe.
#![no_main]

use callboard_core::disposition::{Disposition, safe_filename};
use callboard_core::form::{self, FormLimits, FormReader};
use callboard_core::media_type::MediaType;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(disposition) = Disposition::parse(bytes) {
        // A name with control characters can be read (percent-encoded), but is never written.
        let mut written = Disposition::new(disposition.kind()).expect("a token");
        let is_written = disposition.parameters().all(|(name, value)| {
            let added = written.clone().with_parameter(name, value);
            added.map(|added| written = added).is_ok()
        });
        let text = written.to_string();
        assert!(!text.contains(|character: char| character.is_control()));
        // In a form a backslash and a percent sign are not written so that RFC 6266 reads them.
        if is_written && !disposition.is_form_data() {
            let mut again: Vec<_> = written.parameters().collect();
            again.sort_unstable();
            let read = Disposition::parse(text.as_bytes()).expect("what is written");
            assert_eq!(read.parameters().collect::<Vec<_>>(), again);
        }
        // As it is, what came percent-encoded goes out so.
        if !disposition.is_form_data() && disposition.parameters().all(|(name, _)| !name.contains('*')) {
            let text = disposition.to_string();
            assert!(!text.contains(|character: char| character.is_ascii_control()) && text.is_ascii());
            assert_eq!(Disposition::parse(text.as_bytes()).as_ref(), Ok(&disposition));
        }
        if let Some(safe) = disposition.safe_filename() {
            assert!(!safe.is_empty() && safe.len() <= 255);
            assert!(!safe.contains(['/', '\\']) && !safe.contains(|character: char| character.is_control()));
            assert_eq!(safe_filename(&safe).as_ref(), Some(&safe));
        }
    }
    // Never an error that the other way of reading does not have.
    assert_eq!(Disposition::parse(bytes).is_ok(), Disposition::parse_form_data(bytes).is_ok());

    if let Ok(media_type) = MediaType::parse(bytes) {
        assert_eq!(media_type.to_string().parse(), Ok(media_type));
    }

    let whole: Vec<_> = form::pairs(bytes).collect();
    let mut reader = FormReader::new(FormLimits { pairs: usize::MAX, ..FormLimits::default() });
    let mut pieces = Vec::new();
    for byte in bytes {
        pieces.extend(reader.read(&mut &[*byte][..]).expect("within the limits"));
    }
    pieces.extend(reader.finish().expect("within the limits"));
    assert!(
        whole
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .eq(pieces.iter().map(|(name, value)| (&**name, &**value)))
    );
    let written = form::write(pieces.iter().map(|(name, value)| (name, value)));
    assert!(form::pairs(written.as_bytes()).eq(pieces.iter().map(|(name, value)| (name.into(), value.into()))));
});
