//! Request heads: parsed and built, by callboard and by httparse with a table of offsets.
//!
//! Both take the head out of a `BytesMut` that is filled again for each, so that both end with a frozen head. What the
//! filling costs is a case of its own, to be subtracted.

use std::hint::black_box;
use std::mem::MaybeUninit;

use bytes::{Bytes, BytesMut};
use callboard_core::Limits;
use callboard_core::http1::RequestHead;

/// What a browser sends: 10 fields.
pub const BROWSER: &[u8] = b"GET /articles/index.html?page=2&sort=new HTTP/1.1\r\n\
Host: www.example.com\r\n\
Connection: keep-alive\r\n\
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36\r\n\
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8\r\n\
Accept-Language: en-GB,en;q=0.8\r\n\
Accept-Encoding: gzip, deflate, br, zstd\r\n\
Referer: https://www.example.com/articles/index.html?page=1&sort=n\r\n\
Cookie: id=7f3c9a2e51d84b06; theme=light; visits=12\r\n\
Cache-Control: max-age=0\r\n\
Upgrade-Insecure-Requests: 1\r\n\r\n";

/// What a test of load sends.
pub const SMALL: &[u8] = b"GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";

/// Room for several heads, so that most fillings only copy.
const ROOM: usize = 16 * 1024;

fn fill(input: &mut BytesMut, head: &[u8]) {
    if input.capacity() < head.len() {
        input.reserve(ROOM);
    }
    input.extend_from_slice(black_box(head));
}

/// Only filling, taking out and freezing.
pub fn refill(head: &'static [u8]) -> Box<dyn FnMut()> {
    let mut input = BytesMut::with_capacity(ROOM);
    Box::new(move || {
        fill(&mut input, head);
        black_box(input.split().freeze());
    })
}

/// httparse with slots that are not initialised; nothing is kept.
pub fn httparse_alone(head: &'static [u8]) -> Box<dyn FnMut()> {
    Box::new(move || {
        let mut slots = [const { MaybeUninit::uninit() }; 16];
        let mut request = httparse::Request::new(&mut []);
        let status = request.parse_with_uninit_headers(black_box(head), &mut slots).expect("a valid head");
        black_box((status, request.headers.len()));
    })
}

/// A head as small as it can be kept: offsets beside the frozen block.
struct Table {
    _block: Bytes,
    _method: (u32, u16),
    _target: (u32, u16),
    _version: u8,
    _count: usize,
    _fields: [(u32, u16, u32, u16); 16],
}

/// httparse, then the offsets of all fields over the frozen head.
pub fn httparse_table(head: &'static [u8]) -> Box<dyn FnMut()> {
    let mut input = BytesMut::with_capacity(ROOM);
    Box::new(move || {
        fill(&mut input, head);
        let mut slots = [const { MaybeUninit::uninit() }; 16];
        let mut request = httparse::Request::new(&mut []);
        let status = request.parse_with_uninit_headers(&input, &mut slots).expect("a valid head");
        let httparse::Status::Complete(length) = status else { panic!("a whole head") };
        let base = input.as_ptr().addr();
        let offset = |text: *const u8| u32::try_from(text.addr() - base).expect("a short head");
        let size = |length: usize| u16::try_from(length).expect("a short field");
        let mut fields = [(0, 0, 0, 0); 16];
        for (slot, field) in fields.iter_mut().zip(request.headers.iter()) {
            *slot = (
                offset(field.name.as_ptr()),
                size(field.name.len()),
                offset(field.value.as_ptr()),
                size(field.value.len()),
            );
        }
        let (method, path) = (request.method.expect("a method"), request.path.expect("a path"));
        let (method, target) =
            ((offset(method.as_ptr()), size(method.len())), (offset(path.as_ptr()), size(path.len())));
        let (version, count) = (request.version.expect("a version"), request.headers.len());
        let block = input.split_to(length).freeze();
        black_box(&Table {
            _block: block,
            _method: method,
            _target: target,
            _version: version,
            _count: count,
            _fields: fields,
        });
    })
}

/// callboard's head: method, target and fields checked, and framing judged.
pub fn callboard(head: &'static [u8]) -> Box<dyn FnMut()> {
    let mut input = BytesMut::with_capacity(ROOM);
    let limits = Limits::default();
    Box::new(move || {
        fill(&mut input, head);
        black_box(&RequestHead::take(&mut input, &limits).expect("a valid head").expect("a whole head"));
    })
}
