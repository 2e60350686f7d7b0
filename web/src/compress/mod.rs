//! Encodes responses as the request's `Accept-Encoding` asks (RFC 9110 §12.5.3).

mod eligible;
mod encoded;

use callboard_core::coding::{Coding, Encoder, Level};
use callboard_core::fields::{AcceptEncoding, EntityTag, EntityTags, Field, Vary};
use callboard_core::{BodyLength, Headers, Method, Status, header};

use crate::running::Running;
use crate::service::Middleware;
use crate::{Body, BodyError, Next, Request, Response};

use eligible::{is_eligible, is_event_stream};
use encoded::Encoded;

/// The largest body that is encoded at once and keeps a `Content-Length`, bytes. Above, and where the body is a stream,
/// it is encoded as it is sent.
const AT_ONCE: usize = 128 * 1024;

/// Encodes the bodies of responses, by the coding that the request wants most of those offered.
///
/// Left as they are: bodies shorter than [`minimum`](Self::minimum), types that are compressed in themselves or not
/// known, responses with a `Content-Encoding`, a `Content-Range`, a digest or `Cache-Control: no-transform`, and
/// answers without a body. An encoded response says `Vary: Accept-Encoding` and so does one that another request would
/// get encoded; its `ETag` is weak and `Accept-Ranges` is gone, for both told of other bytes (§8.8.3.3). A 304 says the
/// same of the answer that it stands for (§15.4.5): its `ETag` is weak if the request had the weak one. What is
/// streamed is flushed whenever the source pauses, and server-sent events after every part.
///
/// A secret in a body beside text of the requester's choice can be guessed from the lengths of encoded answers
/// (BREACH): do not compress such, or say `no-transform`.
///
/// ```
/// use callboard_web::{App, Compress, get};
///
/// let app = App::new().route("/", get(async || "a".repeat(5000))).compress(Compress::new().minimum(500));
/// ```
#[derive(Clone, Debug)]
pub struct Compress {
    codings: Vec<Coding>,
    level: Level,
    minimum: u64,
}

impl Compress {
    /// All codings that are compiled in, at their default levels, from 1 KiB.
    pub fn new() -> Self {
        Self { codings: Coding::ALL.to_vec(), level: Level::Default, minimum: 1024 }
    }

    /// The codings that are offered, the preferred first.
    pub fn codings(mut self, codings: &[Coding]) -> Self {
        self.codings = codings.to_vec();
        self
    }

    /// How much work goes into smaller output, and how much memory each response holds while it is sent: see [`Level`].
    /// The default takes up to 4 MiB, the best of br and zstd many times that. For event streams the default is
    /// [`Level::Fastest`], which takes up to 2 MiB with zstd, 100 KiB with br.
    pub fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// The shortest body that is encoded, bytes; those of unknown length always are. Default 1,024.
    pub fn minimum(mut self, bytes: u64) -> Self {
        self.minimum = bytes;
        self
    }

    /// The coding that a request wants most; none where it wants no coding as much, or accepts nothing at all.
    fn choose(&self, headers: &Headers) -> Option<Coding> {
        if !headers.contains(header::ACCEPT_ENCODING) {
            return None;
        }
        let names: Vec<&str> = self.codings.iter().map(|coding| coding.name()).collect();
        let accept = AcceptEncoding::parse(headers.get_all(header::ACCEPT_ENCODING));
        accept.choose(&names).and_then(Coding::from_name)
    }

    fn apply(&self, mut response: Response, wanted: &Wanted) -> Result<Response, BodyError> {
        if response.status() == Status::NOT_MODIFIED {
            describe_known(response.headers_mut(), wanted.known.as_ref());
            return Ok(response);
        }
        let is_short = match response.body().length() {
            BodyLength::Empty => true,
            BodyLength::Known(length) => length < self.minimum.max(1),
            BodyLength::Unknown => false,
        };
        if is_short || !is_eligible(&response) {
            return Ok(response);
        }
        // It cannot fail: the name is one. Another request may get another answer, even if this one gets it plain.
        let _ = Vary::add(response.headers_mut(), header::ACCEPT_ENCODING);
        let Some(coding) = wanted.coding else { return Ok(response) };
        let is_event_stream = is_event_stream(response.headers());
        // Such stay open, many at a time: at the default level br and zstd would hold megabytes for each.
        let level = if is_event_stream && self.level == Level::Default { Level::Fastest } else { self.level };
        let mut encoder = Encoder::new(coding, level);
        let mut body = response.take_body();
        if wanted.is_head {
            // The length that GET would have is known only by encoding (RFC 9110 §9.3.2).
            body = Body::stream(futures_lite::stream::empty::<Result<_, BodyError>>());
        } else if let Some(whole) = body.take_whole_within(AT_ONCE) {
            let mut output = Vec::with_capacity(whole.len() / 2);
            let outcome = encoder.encode(&whole, &mut output).and_then(|()| encoder.finish(&mut output));
            outcome.map_err(|error| BodyError::Source(error.into()))?;
            if output.len() >= whole.len() {
                return Ok(response.with_body(whole));
            }
            body = output.into();
        } else {
            body = Body::coded(Encoded::new(body, encoder, is_event_stream));
        }
        describe(response.headers_mut(), coding);
        Ok(response.with_body(body))
    }
}

/// Makes the fields tell of the encoded body.
fn describe(headers: &mut Headers, coding: Coding) {
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::ACCEPT_RANGES);
    weaken(headers);
    // It cannot fail: the name of a coding is a field value.
    let _ = headers.set(header::CONTENT_ENCODING, coding.name());
}

/// Makes the fields tell of the answer that the requester has, which may be an encoded one.
fn describe_known(headers: &mut Headers, known: Option<&EntityTags>) {
    let _ = Vary::add(headers, header::ACCEPT_ENCODING);
    let (Some(EntityTags::Listed(known)), Some(own)) = (known, EntityTag::read(headers)) else { return };
    let has_weak = known.iter().any(|tag| tag.is_weak() && tag.weakly_equals(&own));
    if has_weak && !known.iter().any(|tag| tag.strongly_equals(&own)) {
        weaken(headers);
    }
}

fn weaken(headers: &mut Headers) {
    let weak = headers.get(header::ETAG).filter(|tag| tag.starts_with(b"\"")).map(|tag| [b"W/", tag].concat());
    // It cannot fail: a weak tag is a field value if the strong one is.
    if let Some(weak) = weak {
        let _ = headers.set(header::ETAG, weak);
    }
}

/// What of a request has a part in its answer.
struct Wanted {
    coding: Option<Coding>,
    is_head: bool,
    /// Which answers the requester has.
    known: Option<EntityTags>,
}

impl Default for Compress {
    fn default() -> Self {
        Self::new()
    }
}

impl Middleware for Compress {
    fn start(&self, request: Request, next: Next) -> Running {
        let headers = request.headers();
        let wanted = Wanted {
            coding: self.choose(headers),
            is_head: *request.method() == Method::Head,
            known: EntityTags::parse(headers.get_all(header::IF_NONE_MATCH)),
        };
        let settings = self.clone();
        Running::start(async move {
            use crate::response::IntoResponse;

            let response = next.run(request).await;
            settings.apply(response, &wanted).unwrap_or_else(IntoResponse::into_response)
        })
    }
}
