//! Forms: urlencoded ones by `Form`, those with files by `Multipart`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use callboard_core::media_type::MediaType;
use callboard_core::multipart::{Boundary, MultipartLimits, Part, Writer};
use callboard_web::extract::MultipartRejection;
use callboard_web::{App, Body, Bytes, Form, Method, Multipart, Request, Response, Service, any, post};
use futures_lite::future::block_on;
use futures_lite::stream;
use serde::Deserialize;

#[derive(Deserialize)]
struct Note {
    title: String,
    stars: u8,
    #[serde(default)]
    tag: Vec<String>,
}

fn service() -> Service {
    App::new()
        .body_limit(16 * 1024)
        .route("/note", any(async |Form(note): Form<Note>| format!("{} {} {:?}", note.title, note.stars, note.tag)))
        .route("/fields", post(async |Form(fields): Form<BTreeMap<String, String>>| fields.len().to_string()))
        .route("/parts", post(parts))
        .route("/skip", post(skip))
        .route("/nested", post(nested))
        .into_service()
        .expect("a service")
}

async fn parts(multipart: Multipart) -> Result<String, MultipartRejection> {
    let mut multipart = multipart.limits(MultipartLimits { parts: 3, ..MultipartLimits::default() });
    let mut report = String::new();
    while let Some(part) = multipart.next_part().await? {
        let (name, filename) = (part.name().map(str::to_owned), part.safe_filename());
        let text = part.text().await?;
        writeln!(report, "{name:?} {filename:?} {text:?}").unwrap();
    }
    Ok(report)
}

/// Reads one chunk of each part.
async fn skip(mut multipart: Multipart) -> Result<String, MultipartRejection> {
    let mut report = String::new();
    while let Some(mut part) = multipart.next_part().await? {
        let length = part.chunk().await?.map_or(0, |chunk| chunk.len());
        write!(report, "{} {length};", part.name().unwrap_or_default()).unwrap();
    }
    assert!(multipart.next_part().await?.is_none());
    Ok(report)
}

async fn nested(mut multipart: Multipart) -> Result<String, MultipartRejection> {
    let mut report = String::new();
    while let Some(part) = multipart.next_part().await? {
        let mut inner = part.nested().await?;
        while let Some(part) = inner.next_part().await? {
            report += &part.text().await?;
        }
    }
    Ok(report)
}

fn answer(response: Response) -> (u16, String) {
    let status = response.status().code();
    let body = block_on(response.bytes(100_000)).expect("a body");
    (status, String::from_utf8(body.to_vec()).expect("text"))
}

fn send(target: &str, media_type: &str, body: impl Into<Body>) -> (u16, String) {
    let request = Request::new(Method::Post, target).unwrap().with_header("Content-Type", media_type).unwrap();
    answer(block_on(service().call(request.with_body(body))))
}

const FORM: &str = "application/x-www-form-urlencoded";

#[test]
fn a_form_in_the_body() {
    let body = "title=two+words%21&stars=5&tag=a&tag=%C3%A9";
    let expected = (200, "two words! 5 [\"a\", \"\u{e9}\"]".to_owned());
    for media_type in [FORM, "Application/X-WWW-Form-Urlencoded; charset=utf-8"] {
        assert_eq!(send("/note", media_type, body), expected);
    }
}

#[test]
fn a_form_in_the_query_of_a_get() {
    let get = |target| answer(block_on(service().call(Request::new(Method::Get, target).unwrap())));
    assert_eq!(get("/note?title=x&stars=1"), (200, "x 1 []".to_owned()));
    assert_eq!(get("/note?title=x&stars=many").0, 400);
}

#[test]
fn what_is_no_form_has_its_status() {
    for (media_type, body, status, text) in [
        ("text/plain", "title=x&stars=1", 415, "the body must be a form, with Content-Type: application/x-www-form"),
        ("multipart/form-data; boundary=B", "title=x&stars=1", 415, "the body must be a form"),
        (FORM, "title=x", 422, "form: missing field `stars`"),
        (FORM, "title=x&stars=300", 422, "form: key `stars`: \"300\" is not an integer of 8 bits without sign"),
        (FORM, "title=x&title=y&stars=3", 422, "form: key `title`: given 2 times"),
    ] {
        let (found, answer) = send("/note", media_type, body);
        assert_eq!(found, status, "{body}");
        assert!(answer.starts_with(text), "{answer}");
    }
    let request = Request::new(Method::Post, "/note").unwrap().with_body("title=x&stars=1");
    assert_eq!(answer(block_on(service().call(request))).0, 415);
}

#[test]
fn forms_are_limited_by_bytes_and_fields() {
    assert_eq!(send("/note", FORM, "x".repeat(16 * 1024 + 1)).0, 413);
    let fields = |count: usize| (0..count).map(|number| format!("{number}=&")).collect::<Vec<_>>().concat();
    assert_eq!(send("/fields", FORM, fields(1024)), (200, "1024".to_owned()));
    assert_eq!(send("/fields", FORM, fields(1025)).0, 413);
    assert_eq!(send("/fields", FORM, "&".repeat(10_000)), (200, "0".to_owned()));
}

fn form(parts: &[(&str, &str, &str)]) -> (String, Bytes) {
    let mut writer: Writer = Writer::form_data(Boundary::new("B").unwrap());
    for (name, filename, content) in parts {
        let content = (*content).to_owned();
        let part = match *filename {
            "" => Part::field(name, content),
            _ => Part::file(name, filename, "text/plain", content),
        };
        writer.add(part.unwrap()).unwrap();
    }
    (writer.content_type().to_string(), writer.into_bytes().into())
}

/// A body that comes byte by byte, of unknown length.
fn dribble(bytes: Bytes) -> Body {
    Body::stream(stream::iter((0..bytes.len()).map(move |place| Ok::<_, std::io::Error>(bytes.slice(place..=place)))))
}

#[test]
fn parts_one_after_the_other() {
    let (media_type, body) = form(&[("a", "", "1"), ("f", "../x.txt", "hi\r\n--"), ("e", "", "")]);
    let expected = "Some(\"a\") None \"1\"\nSome(\"f\") Some(\"x.txt\") \"hi\\r\\n--\"\nSome(\"e\") None \"\"\n";
    assert_eq!(send("/parts", &media_type, body.clone()), (200, expected.to_owned()));
    assert_eq!(send("/parts", &media_type, dribble(body)), (200, expected.to_owned()));
}

#[test]
fn a_part_that_is_not_read_is_skipped() {
    let long = "x".repeat(5_000);
    let (media_type, body) = form(&[("a", "", &long), ("b", "", ""), ("c", "", &long)]);
    assert_eq!(send("/skip", &media_type, body.clone()), (200, "a 5000;b 0;c 5000;".to_owned()));
    assert_eq!(send("/skip", &media_type, dribble(body)), (200, "a 1;b 0;c 1;".to_owned()));
}

#[test]
fn text_in_the_charset_that_is_named() {
    let body = |value: &[u8], charset: &str| {
        let head =
            format!("--B\r\nContent-Disposition: form-data; name=a\r\nContent-Type: text/plain{charset}\r\n\r\n");
        [head.as_bytes(), value, b"\r\n--B--\r\n"].concat()
    };
    let send = |body: Vec<u8>| send("/parts", "multipart/form-data; boundary=B", body);
    assert_eq!(send(body(b"\xe9", "; charset=iso-8859-1")), (200, "Some(\"a\") None \"\u{e9}\"\n".to_owned()));
    assert_eq!(send(body(b"\xe9", "")).0, 400);
    assert_eq!(send(body(b"x", "; charset=koi8-r")).0, 415);
    let charset = b"--B\r\nContent-Disposition: form-data; name=_charset_\r\n\r\nlatin1\r\n";
    let (status, text) = send([&charset[..], &body(b"\xe9", "")].concat());
    assert_eq!(status, 200);
    assert!(text.ends_with("Some(\"a\") None \"\u{e9}\"\n"), "{text}");
}

#[test]
fn what_is_no_multipart_has_its_status() {
    let form_data = "multipart/form-data; boundary=B";
    let many = "--B\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n".repeat(4) + "--B--";
    let long = format!("--B\r\n\r\n{}\r\n--B--", "x".repeat(16 * 1024));
    for (media_type, body, status, text) in [
        ("text/plain", "", 415, "the body is not multipart"),
        ("multipart/form-data", "", 400, "the multipart type has no boundary"),
        (form_data, "", 400, "the multipart body has no delimiter"),
        (form_data, "--B\r\n\r\nx", 400, "the multipart body ends inside a part"),
        (form_data, "--B\r\ngarbage\r\n\r\n", 400, "a field line of a part is not `name: value`"),
        (form_data, &many, 413, "the multipart body has too many parts"),
        (form_data, &long, 413, "the body is longer than 16384 bytes"),
    ] {
        assert_eq!(send("/parts", media_type, body.to_owned()), (status, text.to_owned()), "{media_type}");
        assert_eq!(send("/parts", media_type, dribble(body.to_owned().into())), (status, text.to_owned()));
    }
}

#[test]
fn parts_inside_parts() {
    let mut inner: Writer = Writer::mixed(Boundary::new("I").unwrap());
    inner.add(Part::bytes("one")).unwrap();
    inner.add(Part::bytes("two")).unwrap();
    let mut outer: Writer = Writer::mixed(Boundary::new("O").unwrap());
    outer.add(Part::nested(inner).unwrap()).unwrap();
    let media_type = outer.content_type().to_string();
    assert_eq!(send("/nested", &media_type, outer.into_bytes()), (200, "onetwo".to_owned()));
}

/// A body of parts outside of a form, each with fields of its own.
fn mixed(parts: Vec<Part>) -> Multipart {
    let mut writer: Writer = Writer::mixed(Boundary::new("B").unwrap());
    for part in parts {
        writer.add(part).unwrap();
    }
    Multipart::new(writer.content_type(), dribble(writer.into_bytes().into()), 100_000).unwrap()
}

#[test]
fn a_part_by_line_by_count_and_as_a_stream() {
    let text = || Part::bytes("one\r\n\r\ntwo\nlast");
    let mut multipart = mixed(vec![text(), text(), text()]);
    block_on(async {
        let mut reader = multipart.next_part().await.unwrap().unwrap().reader();
        let mut lines = Vec::new();
        while let Some(line) = reader.line(8).await.unwrap() {
            lines.push(line);
        }
        assert_eq!(lines, ["one", "", "two", "last"]);
        let mut reader = multipart.next_part().await.unwrap().unwrap().reader();
        assert!(reader.line(4).await.is_err(), "a line is longer than the limit");
        assert_eq!(reader.exactly(6).await.unwrap(), "one\r\n\r");
        let stream = multipart.next_part().await.unwrap().unwrap();
        let chunks: Vec<_> = stream::StreamExt::collect(stream).await;
        let chunks: Vec<_> = chunks.into_iter().map(Result::unwrap).collect();
        assert_eq!(chunks.concat(), b"one\r\n\r\ntwo\nlast");
        assert!(multipart.next_part().await.unwrap().is_none());
    });
}

#[test]
fn a_part_as_json_or_form_or_within_a_limit() {
    let parts = ["[1,2]", "[1,", "{}", "title=x&stars=3", "title=x", &"a&".repeat(1025), "12345", "end"];
    let mut multipart = mixed(parts.into_iter().map(|text| Part::bytes(text.to_owned())).collect());
    block_on(async {
        assert_eq!(multipart.next_part().await.unwrap().unwrap().json::<Vec<u8>>().await.unwrap(), [1, 2]);
        for status in [400, 422] {
            let error = multipart.next_part().await.unwrap().unwrap().json::<Vec<u8>>().await.unwrap_err();
            assert_eq!(error.status().code(), status, "{error}");
        }
        let note: Note = multipart.next_part().await.unwrap().unwrap().form().await.unwrap();
        assert_eq!((&*note.title, note.stars), ("x", 3));
        for (status, text) in [(422, "a part's form: missing field `stars`"), (413, "a part has too many form fields")]
        {
            let error = multipart.next_part().await.unwrap().unwrap().form::<Note>().await.err().unwrap();
            assert_eq!((error.status().code(), &*error.to_string()), (status, text));
        }
        let error = multipart.next_part().await.unwrap().unwrap().bytes_within(4).await.unwrap_err();
        assert_eq!((error.status().code(), &*error.to_string()), (413, "a part is longer than 4 bytes"));
        assert_eq!(multipart.next_part().await.unwrap().unwrap().bytes_within(3).await.unwrap(), "end");
    });
}

/// Whoever waits for data may give up at any point and ask again.
#[test]
fn a_future_that_is_dropped_loses_no_data() {
    for patience in 1..4 {
        let body = "--B\r\nContent-Disposition: form-data; name=a\r\n\r\nhello\r\n--B\r\n\r\nx\r\n--B--";
        let (mut left, mut turn) = (Bytes::from_static(body.as_bytes()), 0);
        let source = stream::poll_fn(move |context| {
            turn += 1;
            if turn % 3 != 0 {
                context.waker().wake_by_ref();
                return std::task::Poll::Pending;
            }
            let byte = (!left.is_empty()).then(|| Ok::<_, std::io::Error>(left.split_to(1)));
            std::task::Poll::Ready(byte)
        });
        let media_type: MediaType = "multipart/form-data; boundary=B".parse().unwrap();
        let mut multipart = Multipart::new(media_type, Body::stream(source), 1000).unwrap();
        let mut found = String::new();
        block_on(async {
            let give_up = || futures_lite::future::yield_now();
            loop {
                let part = futures_lite::future::or(async { Some(multipart.next_part().await.unwrap()) }, async {
                    for _ in 0..patience {
                        give_up().await;
                    }
                    None
                });
                match part.await {
                    None => {}
                    Some(None) => break,
                    Some(Some(mut part)) => loop {
                        let chunk = futures_lite::future::or(async { Some(part.chunk().await.unwrap()) }, async {
                            give_up().await;
                            None
                        });
                        match chunk.await {
                            None => {}
                            Some(None) => {
                                found.push('|');
                                break;
                            }
                            Some(Some(chunk)) => found.push_str(std::str::from_utf8(&chunk).unwrap()),
                        }
                    },
                }
            }
        });
        assert_eq!(found, "hello|x|", "patience {patience}");
    }
}

#[cfg(feature = "compression")]
#[test]
fn codings_of_parts_are_undone_but_not_in_forms() {
    use callboard_web::{Coding, DecodeLimits, Level};

    let part = || Part::bytes("text".repeat(1000)).with_content_coding(Coding::Gzip, Level::Default).unwrap();
    let mut multipart = mixed(vec![part()]);
    let text = block_on(async { multipart.next_part().await.unwrap().unwrap().text().await.unwrap() });
    assert_eq!(text, "text".repeat(1000));
    for (multipart, status) in [
        (mixed(vec![part()]).decode(DecodeLimits { output: 3_999, ..DecodeLimits::default() }), 413),
        (mixed(vec![Part::bytes("x").with_header("Content-Encoding", "rot13").unwrap()]), 415),
        (mixed(vec![Part::bytes("no gzip").with_header("Content-Encoding", "gzip").unwrap()]), 400),
    ] {
        let mut multipart = multipart;
        let error = block_on(async { multipart.next_part().await.unwrap().unwrap().bytes().await.unwrap_err() });
        assert_eq!(error.status().code(), status, "{error}");
    }
    let body = "--B\r\nContent-Disposition: form-data; name=a\r\nContent-Encoding: gzip\r\n\r\nraw\r\n--B--";
    let expected = (200, "Some(\"a\") None \"raw\"\n".to_owned());
    assert_eq!(send("/parts", "multipart/form-data; boundary=B", body), expected);
}
