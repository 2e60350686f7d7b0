//! Content-Disposition: what is read, what is written, and names that are safe to save under.

use callboard_core::Random;
use callboard_core::disposition::{Disposition, InvalidDisposition, safe_filename};

fn filename(field: &str) -> Option<String> {
    Disposition::parse(field.as_bytes()).expect("a disposition").filename().map(str::to_owned)
}

/// RFC 6266 §5.
#[test]
fn the_examples_of_rfc_6266() {
    for (field, kind, name) in [
        ("Attachment; filename=example.html", "attachment", Some("example.html")),
        ("INLINE; FILENAME= \"an example.html\"", "inline", Some("an example.html")),
        ("attachment; filename*= UTF-8''%e2%82%ac%20rates", "attachment", Some("\u{20ac} rates")),
        (
            "attachment; filename=\"EURO rates\"; filename*=utf-8''%e2%82%ac%20rates",
            "attachment",
            Some("\u{20ac} rates"),
        ),
        ("attachment", "attachment", None),
    ] {
        let disposition = Disposition::parse(field.as_bytes()).expect("a disposition");
        assert_eq!((disposition.kind(), disposition.filename()), (kind, name), "{field}");
        assert_eq!(disposition.is_attachment(), kind == "attachment");
    }
    assert!(Disposition::parse(b"unknown").unwrap().is_attachment(), "RFC 6266 section 4.2");
}

/// RFC 8187 §3.2.3 and §4.2; RFC 2231 §3, §4 and §4.1.
#[test]
fn the_examples_of_rfc_8187_and_rfc_2231() {
    for (parameters, name, value) in [
        ("title=Economy", "title", "Economy"),
        ("title=\"US-$ rates\"", "title", "US-$ rates"),
        ("title*=utf-8'en'%C2%A3%20rates", "title", "\u{a3} rates"),
        ("title*=iso-8859-1'en'%A3%20rates", "title", "\u{a3} rates"),
        ("title*=UTF-8''%c2%a3%20and%20%e2%82%ac%20rates", "title", "\u{a3} and \u{20ac} rates"),
        (
            "title=\"EURO exchange rates\"; title*=utf-8''%e2%82%ac%20exchange%20rates",
            "title",
            "\u{20ac} exchange rates",
        ),
        (
            "access-type=URL; URL*0=\"ftp://\"; URL*1=\"cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar\"",
            "url",
            "ftp://cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar",
        ),
        ("title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A", "title", "This is ***fun***"),
        (
            "title*0*=us-ascii'en'This%20is%20even%20more%20; title*1*=%2A%2A%2Afun%2A%2A%2A%20; \
             title*2=\"isn't it!\"",
            "title",
            "This is even more ***fun*** isn't it!",
        ),
    ] {
        let disposition = Disposition::parse(format!("attachment; {parameters}").as_bytes()).unwrap();
        assert_eq!(disposition.parameter(name), Some(value), "{parameters}");
    }
}

#[test]
fn extended_values() {
    for (value, name) in [
        ("UTF-8''a%20b", Some("a b")),
        ("utf-8'en-GB'%C2%A3%20rates", Some("\u{a3} rates")),
        ("iso-8859-1'en'%A3%20rates", Some("\u{a3} rates")),
        ("us-ascii''abc", Some("abc")),
        ("UTF-8''", Some("")),
        ("\"UTF-8''quoted\"", Some("quoted")),
        // Only the parameter is lost.
        ("koi8-r''%C1", None),
        ("''abc", None),
        ("abc", None),
        ("UTF-8'abc", None),
        ("UTF-8''%", None),
        ("UTF-8''%4", None),
        ("UTF-8''%zz", None),
        ("UTF-8''%E4", None),
        ("us-ascii''%E4", None),
    ] {
        assert_eq!(filename(&format!("attachment; filename*={value}")).as_deref(), name, "{value}");
        let other = filename(&format!("attachment; filename*={value}; filename=plain"));
        assert_eq!(other.as_deref(), name.or(Some("plain")), "{value}");
    }
}

/// RFC 2231 §3 and §4.1.
#[test]
fn values_in_pieces() {
    for (parameters, name) in [
        ("filename*0=\"a.\"; filename*1=\"html\"", Some("a.html")),
        ("filename*1=b; filename*0=a", Some("ab")),
        ("filename*0*=UTF-8''%E2%82; filename*1*=%AC; filename*2=\" %20\"", Some("\u{20ac} %20")),
        ("filename*0*=UTF-8'de'a; filename*1=b", Some("ab")),
        ("filename*0=a; filename*2=c", Some("a")),
        ("filename*1=b", None),
        ("filename*01=b; filename=c", Some("c")),
        ("filename*0*=koi8-r''%C1; filename=c", Some("c")),
        ("filename*0=a; filename*=UTF-8''best; filename=c", Some("best")),
        ("filename*0=a; filename=c", Some("a")),
        ("filename*99999999999=a; filename*-1=b", None),
    ] {
        assert_eq!(filename(&format!("attachment; {parameters}")).as_deref(), name, "{parameters}");
    }
    let ten: Vec<String> = (0..12).map(|number| format!("filename*{number}={number}.")).collect();
    assert_eq!(filename(&format!("attachment; {}", ten.join(";"))).as_deref(), Some("0.1.2.3.4.5.6.7.8.9.10.11."));
}

#[test]
fn fields_that_can_be_read_in_two_ways() {
    use InvalidDisposition::{ControlByte, Kind, ParameterRepeated, TooManyParameters};
    for (field, error) in [
        ("", Kind),
        (";filename=a", Kind),
        ("\"inline\"", Kind),
        ("filename=a", Kind),
        ("a b; filename=c", Kind),
        ("attachment; filename=a; filename=a", ParameterRepeated),
        ("attachment; filename=a; FileName=b", ParameterRepeated),
        ("attachment; filename*=UTF-8''a; filename*=UTF-8''b", ParameterRepeated),
        ("attachment; filename*0=a; filename*0*=UTF-8''b", ParameterRepeated),
        ("attachment; filename=a\r\nb", ControlByte),
        ("attachment\0", ControlByte),
    ] {
        assert_eq!(Disposition::parse(field.as_bytes()), Err(error), "{field:?}");
    }
    let many: Vec<String> = (0..65).map(|number| format!("p{number}=x")).collect();
    assert_eq!(Disposition::parse(format!("inline; {}", many.join(";")).as_bytes()), Err(TooManyParameters));
}

#[test]
fn text_that_is_not_ascii() {
    let read = |field: &[u8]| Disposition::parse(field).unwrap().filename().map(str::to_owned);
    assert_eq!(read(b"attachment; filename=\"na\xc3\xafve\"").as_deref(), Some("na\u{ef}ve"));
    assert_eq!(read(b"attachment; filename=\"na\xefve\"").as_deref(), Some("na\u{ef}ve"));
}

#[test]
fn what_is_written() {
    let attachment = |name: &str| Disposition::attachment().with_filename(name).unwrap().to_string();
    assert_eq!(attachment("plain.txt"), "attachment; filename=plain.txt");
    assert_eq!(attachment("two words"), "attachment; filename=\"two words\"");
    assert_eq!(attachment("a\"b\\c"), "attachment; filename=\"a\\\"b\\\\c\"");
    assert_eq!(attachment("\u{20ac} 5%"), "attachment; filename=\"? 5%\"; filename*=UTF-8''%E2%82%AC%205%25");
    assert_eq!(attachment("a%20b"), "attachment; filename=a%20b; filename*=UTF-8''a%2520b");
    assert_eq!(Disposition::inline().to_string(), "inline");
    let form = Disposition::form_data("a\"b\r\nc\u{e9}\\").unwrap().with_filename("\u{3042}.txt").unwrap();
    assert_eq!(form.to_string(), "form-data; name=\"a%22b%0D%0Ac\u{e9}\\\"; filename=\"\u{3042}.txt\"");
    let extended = form.to_extended_form_data();
    assert_eq!(extended, form.to_string() + "; filename*=UTF-8''%E3%81%82.txt");
    let replaced = Disposition::attachment().with_filename("a").unwrap().with_filename("b").unwrap();
    assert_eq!(replaced.to_string(), "attachment; filename=b");
}

#[test]
fn what_is_not_written() {
    use InvalidDisposition::{ControlByte, Kind, ParameterName};
    for bad in ["a\r\nb", "a\nb", "a\0b", "\u{7f}", "\u{85}"] {
        assert_eq!(Disposition::attachment().with_filename(bad), Err(ControlByte), "{bad:?}");
    }
    for bad in ["a\0b", "\u{7f}", "\u{1b}"] {
        assert_eq!(Disposition::form_data(bad), Err(ControlByte), "{bad:?}");
    }
    for bad in ["", "a b", "filename*", "a\r\n", "a=b"] {
        assert_eq!(Disposition::attachment().with_parameter(bad, "x"), Err(ParameterName), "{bad:?}");
    }
    for bad in ["", "a b", "a\r\n", "a;b"] {
        assert_eq!(Disposition::new(bad), Err(Kind), "{bad:?}");
    }
}

/// A value that is percent-encoded as a whole is decoded once, in forms too.
#[test]
fn extended_names_of_forms_are_decoded_once() {
    for (field, name) in [
        ("form-data; filename*=UTF-8''a%2522%250D%0A", "a%22%0D\n"),
        ("form-data; filename*0*=UTF-8''a%2522; filename*1=%22", "a%22%22"),
        ("form-data; filename=\"a%22%250D\"", "a\"%250D"),
        ("form-data; filename=old%22; filename*=UTF-8''new%2522", "new%22"),
        ("form-data; filename=old%22; filename*=koi8-r''%C1", "old\""),
    ] {
        assert_eq!(Disposition::parse_form_data(field.as_bytes()).unwrap().filename(), Some(name), "{field}");
    }
    let form = Disposition::form_data("a").unwrap().with_filename("\u{3042}%22\"").unwrap();
    let written = form.to_extended_form_data();
    assert_eq!(Disposition::parse_form_data(written.as_bytes()).unwrap().filename(), form.filename(), "{written}");
}

/// A mark of a form without a name before it: found by the fuzz target.
#[test]
fn a_parameter_has_a_name() {
    let read = Disposition::parse(b"attachment; *0=a; *=UTF-8''b; *1*=c; a=d").unwrap();
    let parameters: Vec<_> = read.parameters().collect();
    assert_eq!(parameters, [("*", "UTF-8''b"), ("*0", "a"), ("*1*", "c"), ("a", "d")]);
}

/// What came percent-encoded may hold what no field can: it goes out as it came.
#[test]
fn control_characters_that_were_read_are_written_encoded() {
    let read = Disposition::parse(b"attachment; filename*=UTF-8''a%0D%0AX:%20y%00%7F%09").unwrap();
    assert_eq!(read.filename(), Some("a\r\nX: y\0\u{7f}\t"));
    let written = read.to_string();
    assert_eq!(written, "attachment; filename=\"a??X: y???\"; filename*=UTF-8''a%0D%0AX%3A%20y%00%7F%09");
    assert_eq!(Disposition::parse(written.as_bytes()), Ok(read));
}

#[test]
fn what_is_written_is_read() {
    let pieces = ["a", " ", "\"", "\\", ";", "=", "%41", "%", "'", "*", "\u{e9}", "\u{3042}", "/", "."];
    for seed in 0..2_000 {
        let mut random = Random::from_seed(seed);
        let name: String = (0..random.below(7)).map(|_| pieces[usize::try_from(random.below(14)).unwrap()]).collect();
        let written = Disposition::attachment().with_filename(&name).unwrap();
        assert_eq!(Disposition::parse(written.to_string().as_bytes()), Ok(written), "{name:?}");
    }
}

#[test]
fn safe_names() {
    for (name, safe) in [
        ("a.txt", Some("a.txt")),
        ("/etc/passwd", Some("passwd")),
        ("../../etc/passwd", Some("passwd")),
        (r"..\..\boot.ini", Some("boot.ini")),
        (r"C:\dir/file", Some("file")),
        ("dir/", None),
        ("", None),
        (".", None),
        ("..", None),
        ("a/..", None),
        (" . ", None),
        ("...", None),
        (".bashrc", Some("_bashrc")),
        ("..hidden", Some("_.hidden")),
        ("a\0b\r\nc\u{1b}", Some("abc")),
        ("exe.\u{202e}txt.doc", Some("exe.txt.doc")),
        ("name. . ", Some("name")),
        ("a<b>c:d\"e|f?g*h", Some("a_b_c_d_e_f_g_h")),
        ("con", Some("_con")),
        ("NUL.txt", Some("_NUL.txt")),
        ("com1", Some("_com1")),
        ("Lpt9.a.b", Some("_Lpt9.a.b")),
        ("com\u{b9}.txt", Some("_com\u{b9}.txt")),
        ("aux .txt", Some("_aux .txt")),
        ("com10", Some("com10")),
        ("console", Some("console")),
        ("\u{3042}.txt", Some("\u{3042}.txt")),
    ] {
        assert_eq!(safe_filename(name).as_deref(), safe, "{name:?}");
    }
    let disposition = Disposition::attachment().with_filename("../x").unwrap();
    assert_eq!((disposition.filename(), disposition.safe_filename().as_deref()), (Some("../x"), Some("x")));
}

#[test]
fn safe_names_are_short_and_safe_for_any_input() {
    assert_eq!(
        safe_filename(&("x".repeat(300) + ".tar")).map(|name| (name.len(), name.ends_with("x.tar"))),
        Some((255, true))
    );
    assert_eq!(safe_filename(&("\u{3042}".repeat(100) + ".t")).map(|name| name.len()), Some(84 * 3 + 2));
    assert_eq!(safe_filename(&("x.".to_owned() + &"y".repeat(300))).map(|name| name.len()), Some(255));
    let pieces = [".", " ", "/", "\\", "\0", "con", "\u{202e}", ":", "a", "\u{a0}", "\u{2028}", "\n"];
    for seed in 0..5_000 {
        let mut random = Random::from_seed(seed);
        let name: String = (0..random.below(300)).map(|_| pieces[usize::try_from(random.below(12)).unwrap()]).collect();
        let Some(safe) = safe_filename(&name) else { continue };
        assert!(
            !safe.is_empty() && safe.len() <= 255 && !safe.starts_with('.') && !safe.ends_with(['.', ' ']),
            "{safe:?}"
        );
        assert!(!safe.contains(['/', '\\', ':', '\u{202e}']) && !safe.contains(char::is_control), "{safe:?}");
        assert_eq!(safe_filename(&safe).as_ref(), Some(&safe), "a safe name is safe");
    }
}
