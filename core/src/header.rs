//! Names of fields in daily use, as they are written on the wire. Names compare without case, so these are for
//! reading too.
//!
//! ```
//! use callboard_core::{Headers, header};
//!
//! let mut headers = Headers::new();
//! headers.set(header::CONTENT_TYPE, "text/plain")?;
//! assert_eq!(headers.text("content-type"), Some("text/plain"));
//! # Ok::<(), callboard_core::InvalidHeader>(())
//! ```

/// `Accept`
pub const ACCEPT: &str = "Accept";
/// `Accept-Charset`
pub const ACCEPT_CHARSET: &str = "Accept-Charset";
/// `Accept-Encoding`
pub const ACCEPT_ENCODING: &str = "Accept-Encoding";
/// `Accept-Language`
pub const ACCEPT_LANGUAGE: &str = "Accept-Language";
/// `Accept-Patch`
pub const ACCEPT_PATCH: &str = "Accept-Patch";
/// `Accept-Post`
pub const ACCEPT_POST: &str = "Accept-Post";
/// `Accept-Ranges`
pub const ACCEPT_RANGES: &str = "Accept-Ranges";
/// `Access-Control-Allow-Credentials`
pub const ACCESS_CONTROL_ALLOW_CREDENTIALS: &str = "Access-Control-Allow-Credentials";
/// `Access-Control-Allow-Headers`
pub const ACCESS_CONTROL_ALLOW_HEADERS: &str = "Access-Control-Allow-Headers";
/// `Access-Control-Allow-Methods`
pub const ACCESS_CONTROL_ALLOW_METHODS: &str = "Access-Control-Allow-Methods";
/// `Access-Control-Allow-Origin`
pub const ACCESS_CONTROL_ALLOW_ORIGIN: &str = "Access-Control-Allow-Origin";
/// `Access-Control-Expose-Headers`
pub const ACCESS_CONTROL_EXPOSE_HEADERS: &str = "Access-Control-Expose-Headers";
/// `Access-Control-Max-Age`
pub const ACCESS_CONTROL_MAX_AGE: &str = "Access-Control-Max-Age";
/// `Access-Control-Request-Headers`
pub const ACCESS_CONTROL_REQUEST_HEADERS: &str = "Access-Control-Request-Headers";
/// `Access-Control-Request-Method`
pub const ACCESS_CONTROL_REQUEST_METHOD: &str = "Access-Control-Request-Method";
/// `Age`
pub const AGE: &str = "Age";
/// `Allow`
pub const ALLOW: &str = "Allow";
/// `Alt-Svc`
pub const ALT_SVC: &str = "Alt-Svc";
/// `Authentication-Info`
pub const AUTHENTICATION_INFO: &str = "Authentication-Info";
/// `Authorization`
pub const AUTHORIZATION: &str = "Authorization";
/// `Cache-Control`
pub const CACHE_CONTROL: &str = "Cache-Control";
/// `Connection`
pub const CONNECTION: &str = "Connection";
/// `Content-Disposition`
pub const CONTENT_DISPOSITION: &str = "Content-Disposition";
/// `Content-Encoding`
pub const CONTENT_ENCODING: &str = "Content-Encoding";
/// `Content-Language`
pub const CONTENT_LANGUAGE: &str = "Content-Language";
/// `Content-Length`
pub const CONTENT_LENGTH: &str = "Content-Length";
/// `Content-Location`
pub const CONTENT_LOCATION: &str = "Content-Location";
/// `Content-Range`
pub const CONTENT_RANGE: &str = "Content-Range";
/// `Content-Security-Policy`
pub const CONTENT_SECURITY_POLICY: &str = "Content-Security-Policy";
/// `Content-Type`
pub const CONTENT_TYPE: &str = "Content-Type";
/// `Cookie`
pub const COOKIE: &str = "Cookie";
/// `Cross-Origin-Embedder-Policy`
pub const CROSS_ORIGIN_EMBEDDER_POLICY: &str = "Cross-Origin-Embedder-Policy";
/// `Cross-Origin-Opener-Policy`
pub const CROSS_ORIGIN_OPENER_POLICY: &str = "Cross-Origin-Opener-Policy";
/// `Cross-Origin-Resource-Policy`
pub const CROSS_ORIGIN_RESOURCE_POLICY: &str = "Cross-Origin-Resource-Policy";
/// `Date`
pub const DATE: &str = "Date";
/// `ETag`
pub const ETAG: &str = "ETag";
/// `Expect`
pub const EXPECT: &str = "Expect";
/// `Expires`
pub const EXPIRES: &str = "Expires";
/// `Forwarded`
pub const FORWARDED: &str = "Forwarded";
/// `From`
pub const FROM: &str = "From";
/// `Host`
pub const HOST: &str = "Host";
/// `HTTP2-Settings`
pub const HTTP2_SETTINGS: &str = "HTTP2-Settings";
/// `If-Match`
pub const IF_MATCH: &str = "If-Match";
/// `If-Modified-Since`
pub const IF_MODIFIED_SINCE: &str = "If-Modified-Since";
/// `If-None-Match`
pub const IF_NONE_MATCH: &str = "If-None-Match";
/// `If-Range`
pub const IF_RANGE: &str = "If-Range";
/// `If-Unmodified-Since`
pub const IF_UNMODIFIED_SINCE: &str = "If-Unmodified-Since";
/// `Keep-Alive`
pub const KEEP_ALIVE: &str = "Keep-Alive";
/// `Last-Event-ID`
pub const LAST_EVENT_ID: &str = "Last-Event-ID";
/// `Last-Modified`
pub const LAST_MODIFIED: &str = "Last-Modified";
/// `Link`
pub const LINK: &str = "Link";
/// `Location`
pub const LOCATION: &str = "Location";
/// `Max-Forwards`
pub const MAX_FORWARDS: &str = "Max-Forwards";
/// `Origin`
pub const ORIGIN: &str = "Origin";
/// `Pragma`
pub const PRAGMA: &str = "Pragma";
/// `Prefer`
pub const PREFER: &str = "Prefer";
/// `Priority`
pub const PRIORITY: &str = "Priority";
/// `Proxy-Authenticate`
pub const PROXY_AUTHENTICATE: &str = "Proxy-Authenticate";
/// `Proxy-Authentication-Info`
pub const PROXY_AUTHENTICATION_INFO: &str = "Proxy-Authentication-Info";
/// `Proxy-Authorization`
pub const PROXY_AUTHORIZATION: &str = "Proxy-Authorization";
/// `Proxy-Connection`
pub const PROXY_CONNECTION: &str = "Proxy-Connection";
/// `Range`
pub const RANGE: &str = "Range";
/// `Referer`
pub const REFERER: &str = "Referer";
/// `Referrer-Policy`
pub const REFERRER_POLICY: &str = "Referrer-Policy";
/// `Retry-After`
pub const RETRY_AFTER: &str = "Retry-After";
/// `Sec-Fetch-Dest`
pub const SEC_FETCH_DEST: &str = "Sec-Fetch-Dest";
/// `Sec-Fetch-Mode`
pub const SEC_FETCH_MODE: &str = "Sec-Fetch-Mode";
/// `Sec-Fetch-Site`
pub const SEC_FETCH_SITE: &str = "Sec-Fetch-Site";
/// `Sec-WebSocket-Accept`
pub const SEC_WEBSOCKET_ACCEPT: &str = "Sec-WebSocket-Accept";
/// `Sec-WebSocket-Extensions`
pub const SEC_WEBSOCKET_EXTENSIONS: &str = "Sec-WebSocket-Extensions";
/// `Sec-WebSocket-Key`
pub const SEC_WEBSOCKET_KEY: &str = "Sec-WebSocket-Key";
/// `Sec-WebSocket-Protocol`
pub const SEC_WEBSOCKET_PROTOCOL: &str = "Sec-WebSocket-Protocol";
/// `Sec-WebSocket-Version`
pub const SEC_WEBSOCKET_VERSION: &str = "Sec-WebSocket-Version";
/// `Server`
pub const SERVER: &str = "Server";
/// `Server-Timing`
pub const SERVER_TIMING: &str = "Server-Timing";
/// `Set-Cookie`
pub const SET_COOKIE: &str = "Set-Cookie";
/// `Strict-Transport-Security`
pub const STRICT_TRANSPORT_SECURITY: &str = "Strict-Transport-Security";
/// `TE`
pub const TE: &str = "TE";
/// `Trailer`
pub const TRAILER: &str = "Trailer";
/// `Transfer-Encoding`
pub const TRANSFER_ENCODING: &str = "Transfer-Encoding";
/// `Upgrade`
pub const UPGRADE: &str = "Upgrade";
/// `Upgrade-Insecure-Requests`
pub const UPGRADE_INSECURE_REQUESTS: &str = "Upgrade-Insecure-Requests";
/// `User-Agent`
pub const USER_AGENT: &str = "User-Agent";
/// `Vary`
pub const VARY: &str = "Vary";
/// `Via`
pub const VIA: &str = "Via";
/// `WWW-Authenticate`
pub const WWW_AUTHENTICATE: &str = "WWW-Authenticate";
/// `X-Content-Type-Options`
pub const X_CONTENT_TYPE_OPTIONS: &str = "X-Content-Type-Options";
/// `X-Forwarded-For`
pub const X_FORWARDED_FOR: &str = "X-Forwarded-For";
/// `X-Forwarded-Host`
pub const X_FORWARDED_HOST: &str = "X-Forwarded-Host";
/// `X-Forwarded-Proto`
pub const X_FORWARDED_PROTO: &str = "X-Forwarded-Proto";
/// `X-Frame-Options`
pub const X_FRAME_OPTIONS: &str = "X-Frame-Options";
/// `X-Real-IP`
pub const X_REAL_IP: &str = "X-Real-IP";
/// `X-Request-ID`
pub const X_REQUEST_ID: &str = "X-Request-ID";
