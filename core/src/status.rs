//! Response status codes (RFC 9110 §15). All that IANA registers have a constant; any of 100 to 999 is representable.

use core::fmt;

/// A status code, from 100 to 999.
///
/// ```
/// use callboard_core::Status;
///
/// assert_eq!(Status::NOT_FOUND.code(), 404);
/// assert_eq!(Status::NOT_FOUND.to_string(), "404 Not Found");
/// assert!(Status::new(599)?.is_server_error());
/// assert!(Status::new(99).is_err());
/// # Ok::<(), callboard_core::InvalidStatus>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status(u16);

/// One constant per line, and the table of reasons from the same lines.
macro_rules! registered {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $reason:literal;)*) => {
        impl Status {
            $($(#[$doc])* pub const $name: Self = Self($code);)*

            /// The registered reason phrase, or `""`.
            pub const fn reason(self) -> &'static str {
                match self.0 {
                    $($code => $reason,)*
                    _ => "",
                }
            }
        }
    };
}

registered! {
    /// The request may go on with its body.
    CONTINUE = 100, "Continue";
    /// The connection now speaks what `Upgrade` names.
    SWITCHING_PROTOCOLS = 101, "Switching Protocols";
    /// The request is being worked on (RFC 2518).
    PROCESSING = 102, "Processing";
    /// Fields that the final response will probably have (RFC 8297).
    EARLY_HINTS = 103, "Early Hints";
    /// The request succeeded.
    OK = 200, "OK";
    /// A resource was made.
    CREATED = 201, "Created";
    /// The request was taken on and is not done.
    ACCEPTED = 202, "Accepted";
    /// A proxy changed the content.
    NON_AUTHORITATIVE_INFORMATION = 203, "Non-Authoritative Information";
    /// Success, and no body follows.
    NO_CONTENT = 204, "No Content";
    /// Success; reset the form.
    RESET_CONTENT = 205, "Reset Content";
    /// The ranges that were asked for.
    PARTIAL_CONTENT = 206, "Partial Content";
    /// Several outcomes in the body (RFC 4918).
    MULTI_STATUS = 207, "Multi-Status";
    /// Members listed before (RFC 5842).
    ALREADY_REPORTED = 208, "Already Reported";
    /// The content is a delta (RFC 3229).
    IM_USED = 226, "IM Used";
    /// Choose one of several representations.
    MULTIPLE_CHOICES = 300, "Multiple Choices";
    /// Use the new location from now on.
    MOVED_PERMANENTLY = 301, "Moved Permanently";
    /// Use the other location this time.
    FOUND = 302, "Found";
    /// Get the answer at the other location.
    SEE_OTHER = 303, "See Other";
    /// The cached representation is still right.
    NOT_MODIFIED = 304, "Not Modified";
    /// Deprecated.
    USE_PROXY = 305, "Use Proxy";
    /// The same request, at the other location, this time.
    TEMPORARY_REDIRECT = 307, "Temporary Redirect";
    /// The same request, at the new location, from now on.
    PERMANENT_REDIRECT = 308, "Permanent Redirect";
    /// The request is malformed.
    BAD_REQUEST = 400, "Bad Request";
    /// Credentials are missing or wrong.
    UNAUTHORIZED = 401, "Unauthorized";
    /// Reserved.
    PAYMENT_REQUIRED = 402, "Payment Required";
    /// Understood and refused.
    FORBIDDEN = 403, "Forbidden";
    /// There is no such resource.
    NOT_FOUND = 404, "Not Found";
    /// The resource does not take this method; `Allow` lists those it takes.
    METHOD_NOT_ALLOWED = 405, "Method Not Allowed";
    /// No representation suits the `Accept` fields.
    NOT_ACCEPTABLE = 406, "Not Acceptable";
    /// The proxy wants credentials.
    PROXY_AUTHENTICATION_REQUIRED = 407, "Proxy Authentication Required";
    /// The request came too slowly.
    REQUEST_TIMEOUT = 408, "Request Timeout";
    /// The resource's state forbids it.
    CONFLICT = 409, "Conflict";
    /// The resource was removed for good.
    GONE = 410, "Gone";
    /// A `Content-Length` is needed.
    LENGTH_REQUIRED = 411, "Length Required";
    /// An `If-` condition did not hold.
    PRECONDITION_FAILED = 412, "Precondition Failed";
    /// The body is larger than is taken here.
    CONTENT_TOO_LARGE = 413, "Content Too Large";
    /// The target is longer than is taken here.
    URI_TOO_LONG = 414, "URI Too Long";
    /// The body's format is not taken here.
    UNSUPPORTED_MEDIA_TYPE = 415, "Unsupported Media Type";
    /// None of the ranges exists.
    RANGE_NOT_SATISFIABLE = 416, "Range Not Satisfiable";
    /// The `Expect` field cannot be met.
    EXPECTATION_FAILED = 417, "Expectation Failed";
    /// This server does not answer for that authority.
    MISDIRECTED_REQUEST = 421, "Misdirected Request";
    /// The body is well-formed and makes no sense.
    UNPROCESSABLE_CONTENT = 422, "Unprocessable Content";
    /// The resource is locked (RFC 4918).
    LOCKED = 423, "Locked";
    /// A request that this one needs has failed (RFC 4918).
    FAILED_DEPENDENCY = 424, "Failed Dependency";
    /// Not processed, as it could be a replay (RFC 8470).
    TOO_EARLY = 425, "Too Early";
    /// Another protocol is needed; `Upgrade` names it.
    UPGRADE_REQUIRED = 426, "Upgrade Required";
    /// The request must be conditional (RFC 6585).
    PRECONDITION_REQUIRED = 428, "Precondition Required";
    /// The rate limit is passed (RFC 6585).
    TOO_MANY_REQUESTS = 429, "Too Many Requests";
    /// The head is larger than is taken here (RFC 6585).
    REQUEST_HEADER_FIELDS_TOO_LARGE = 431, "Request Header Fields Too Large";
    /// The law forbids it (RFC 7725).
    UNAVAILABLE_FOR_LEGAL_REASONS = 451, "Unavailable For Legal Reasons";
    /// The server failed.
    INTERNAL_SERVER_ERROR = 500, "Internal Server Error";
    /// The server lacks what the request needs.
    NOT_IMPLEMENTED = 501, "Not Implemented";
    /// The server behind gave an invalid answer.
    BAD_GATEWAY = 502, "Bad Gateway";
    /// Overloaded or down for now; `Retry-After` may say how long.
    SERVICE_UNAVAILABLE = 503, "Service Unavailable";
    /// The server behind did not answer in time.
    GATEWAY_TIMEOUT = 504, "Gateway Timeout";
    /// The request's major version is not spoken here.
    HTTP_VERSION_NOT_SUPPORTED = 505, "HTTP Version Not Supported";
    /// Negotiation runs in a circle (RFC 2295).
    VARIANT_ALSO_NEGOTIATES = 506, "Variant Also Negotiates";
    /// No room to store it (RFC 4918).
    INSUFFICIENT_STORAGE = 507, "Insufficient Storage";
    /// The resource contains itself (RFC 5842).
    LOOP_DETECTED = 508, "Loop Detected";
    /// Deprecated (RFC 2774).
    NOT_EXTENDED = 510, "Not Extended";
    /// The network wants a login (RFC 6585).
    NETWORK_AUTHENTICATION_REQUIRED = 511, "Network Authentication Required";
}

impl Status {
    /// The status with this code.
    pub const fn new(code: u16) -> Result<Self, InvalidStatus> {
        if code >= 100 && code <= 999 { Ok(Self(code)) } else { Err(InvalidStatus) }
    }

    /// The code: 100 to 999.
    #[inline]
    pub const fn code(self) -> u16 {
        self.0
    }

    /// The code's three digits, as on the wire.
    #[inline]
    pub const fn digits(self) -> [u8; 3] {
        [b'0' + (self.0 / 100 % 10) as u8, b'0' + (self.0 / 10 % 10) as u8, b'0' + (self.0 % 10) as u8]
    }

    /// 1xx: an interim response, a final one follows.
    pub const fn is_informational(self) -> bool {
        self.0 / 100 == 1
    }

    /// 2xx.
    pub const fn is_success(self) -> bool {
        self.0 / 100 == 2
    }

    /// 3xx.
    pub const fn is_redirection(self) -> bool {
        self.0 / 100 == 3
    }

    /// 4xx.
    pub const fn is_client_error(self) -> bool {
        self.0 / 100 == 4
    }

    /// 5xx.
    pub const fn is_server_error(self) -> bool {
        self.0 / 100 == 5
    }

    /// Whether a response with this status never has a body: 1xx, 204 and 304 (RFC 9110 §6.4.1).
    pub const fn forbids_body(self) -> bool {
        self.is_informational() || matches!(self.0, 204 | 304)
    }
}

/// 200 OK.
impl Default for Status {
    fn default() -> Self {
        Self::OK
    }
}

/// `404 Not Found`, or `599` where no reason is registered.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason() {
            "" => write!(f, "{}", self.0),
            reason => write!(f, "{} {reason}", self.0),
        }
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Status({})", self.0)
    }
}

impl TryFrom<u16> for Status {
    type Error = InvalidStatus;

    fn try_from(code: u16) -> Result<Self, InvalidStatus> {
        Self::new(code)
    }
}

impl From<Status> for u16 {
    fn from(status: Status) -> Self {
        status.0
    }
}

impl PartialEq<u16> for Status {
    fn eq(&self, code: &u16) -> bool {
        self.0 == *code
    }
}

/// A code outside 100 to 999.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidStatus;

impl fmt::Display for InvalidStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a status: codes go from 100 to 999")
    }
}

impl core::error::Error for InvalidStatus {}
