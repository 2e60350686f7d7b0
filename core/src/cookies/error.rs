//! Why a cookie was not taken.

use crate::reasons::reasons;

reasons! {
    /// Why a cookie was not taken. A jar ignores such a cookie and goes on; the reason is for logs and tests.
    CookieError {
        /// Neither name nor value (RFC 6265bis §5.6).
        Empty => "a cookie without name and value",
        /// A control character other than the tab (§5.6 step 1).
        ControlCharacter => "a control character in a Set-Cookie field",
        /// Name and value together are longer than 4096 bytes (§5.6).
        TooLong => "a cookie whose name and value are longer than 4096 bytes",
        /// The URL that it came from has no host.
        NoHost => "a cookie from a URL without a host",
        /// The host is an IP address, and the jar takes none from those.
        AddressHost => "a cookie of an IP address",
        /// `Domain` is not ASCII, or ends with a dot (§5.7).
        DomainInvalid => "a Domain attribute that is no domain name",
        /// `Domain` is a public suffix, as `com` or `github.io` are (§5.7).
        PublicSuffix => "a cookie for a public suffix",
        /// The host is not within `Domain` (§5.7).
        DomainMismatch => "a Domain attribute that does not cover the host",
        /// `Secure`, but not from a secure origin (§5.7).
        NotSecureOrigin => "a Secure cookie from an origin that is not secure",
        /// `HttpOnly`, but set by a script, or one that would replace such a cookie (§5.7).
        HttpOnly => "a script may not set or replace an HttpOnly cookie",
        /// It would hide a Secure cookie, but comes from an origin that is not secure (§5.7).
        HidesSecure => "a cookie that would hide a Secure one",
        /// `SameSite` as Lax, Strict or not given, but from another site (§5.7).
        CrossSite => "a SameSite cookie from another site",
        /// `SameSite=None` without `Secure` (§5.7).
        SameSiteNone => "SameSite=None without Secure",
        /// The name begins with `__Secure-`, without `Secure` (§4.1.3.1).
        SecurePrefix => "a __Secure- cookie without Secure",
        /// The name begins with `__Host-`, without `Secure` and `Path=/`, or with `Domain` (§4.1.3.2).
        HostPrefix => "a __Host- cookie that is not bound to its host",
        /// No name, and a value that looks like a prefixed cookie (§5.7).
        HiddenPrefix => "a nameless cookie that looks like a prefixed one",
        /// Made by hand, with what a field would end or change at: a semicolon, a control character, a space at an end,
        /// `=` in the name, a path without its slash (§5.6).
        Unwritable => "a cookie that no Set-Cookie field could have brought",
        /// A line of a saved jar that has not the three fields before its cookie.
        Line => "a line that no jar has written",
    }
}
