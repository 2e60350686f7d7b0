//! Proxy choice, as tables.

use callboard_core::proxy::{Choice, InvalidProxy, NoProxy, Proxy, ProxyRules, ProxyScheme, connect_target};

#[test]
fn proxies() {
    use ProxyScheme::{Http, Https, Socks4, Socks4a, Socks5, Socks5h};
    let rows = [
        ("http://proxy:3128", Http, "proxy:3128", None),
        ("http://proxy", Http, "proxy:80", None),
        ("HTTPS://Proxy.Example/", Https, "proxy.example:443", None),
        ("proxy:3128", Http, "proxy:3128", None),
        ("proxy", Http, "proxy:80", None),
        (" proxy:1/path?query#part ", Http, "proxy:1", None),
        ("socks4://p", Socks4, "p:1080", None),
        ("socks4a://p", Socks4a, "p:1080", None),
        ("socks://p", Socks5, "p:1080", None),
        ("socks5://u:p@127.0.0.1:9050", Socks5, "127.0.0.1:9050", Some(("u", "p"))),
        ("socks5h://p:1", Socks5h, "p:1", None),
        ("http://[::1]:8080", Http, "[::1]:8080", None),
        ("[fe80::1%25eth0]", Http, "[fe80::1%25eth0]:80", None),
        ("http://u:p@proxy", Http, "proxy:80", Some(("u", "p"))),
        ("http://u@proxy", Http, "proxy:80", Some(("u", ""))),
        ("http://@proxy", Http, "proxy:80", None),
        ("http://:p@proxy", Http, "proxy:80", Some(("", "p"))),
        ("u%40h:p%3A%2f@q@proxy:1", Http, "proxy:1", Some(("u@h", "p:/@q"))),
    ];
    for (text, scheme, authority, credentials) in rows {
        let proxy = Proxy::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((proxy.scheme(), &*proxy.authority()), (scheme, authority), "{text}");
        let pair = proxy.credentials().map(|basic| {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            (text(basic.user()), text(basic.password()))
        });
        let expected = credentials.map(|(user, password): (&str, &str)| (user.to_owned(), password.to_owned()));
        assert_eq!(pair, expected, "{text}");
        assert_eq!(proxy.authorization().is_some(), credentials.is_some() && !scheme.is_socks());
    }
    let proxy = Proxy::parse("http://Aladdin:open%20sesame@p").unwrap();
    assert_eq!(proxy.authorization().as_deref(), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
    assert!(!format!("{proxy:?}").contains("sesame"));
    assert!(Socks5h.resolves() && Http.resolves() && !Socks5.resolves() && Socks5.name() == "socks5");
    assert_eq!((connect_target("::1", 443), connect_target("a", 1)), ("[::1]:443".to_owned(), "a:1".to_owned()));
}

#[test]
fn what_is_no_proxy_is_named() {
    let rows = [
        ("ftp://p", InvalidProxy::SchemeUnknown),
        ("://p", InvalidProxy::SchemeUnknown),
        ("", InvalidProxy::BadHost),
        ("http://", InvalidProxy::BadHost),
        ("http://u:p@", InvalidProxy::BadHost),
        ("http://:80", InvalidProxy::BadHost),
        ("http://a b", InvalidProxy::BadHost),
        ("http://a\r\nb", InvalidProxy::BadHost),
        ("http://[::1", InvalidProxy::BadHost),
        ("http://[a]", InvalidProxy::BadHost),
        ("http://[::1]x", InvalidProxy::BadPort),
        ("http://a:", InvalidProxy::BadPort),
        ("http://a:0", InvalidProxy::BadPort),
        ("http://a:65536", InvalidProxy::BadPort),
        ("http://a:+1", InvalidProxy::BadPort),
        ("::1", InvalidProxy::BadHost),
        ("http://u%3Av:p@a", InvalidProxy::BadCredentials),
        ("http://u:%0a@a", InvalidProxy::BadCredentials),
    ];
    for (text, expected) in rows {
        assert_eq!(Proxy::parse(text).err(), Some(expected), "{text}");
    }
}

#[test]
fn hosts_that_are_asked_directly() {
    let rows = [
        ("example.com", "example.com", 80, true),
        ("example.com", "www.example.com", 80, true),
        ("example.com", "badexample.com", 80, false),
        ("example.com", "com", 80, false),
        ("example.com", "example.com.evil", 80, false),
        (".example.com", "www.example.com", 80, true),
        (".example.com", "example.com", 80, true),
        ("*.example.com", "www.example.com", 80, true),
        ("example.com", "EXAMPLE.Com.", 80, true),
        ("Example.COM.", "example.com", 80, true),
        ("*", "anything", 80, true),
        ("a,*", "anything", 80, true),
        ("*", "::1", 80, true),
        ("*:8080", "a", 8080, true),
        ("*:8080", "a", 80, false),
        ("", "example.com", 80, false),
        (".", "example.com", 80, false),
        ("a:8080", "a", 8080, true),
        ("a:8080", "www.a", 8080, true),
        ("a:8080", "a", 80, false),
        ("a:x", "a", 80, false),
        (",, a ,\tb", "b", 80, true),
        ("a b", "a", 80, true),
        ("localhost", "localhost", 1, true),
        ("127.0.0.1", "127.0.0.1", 8080, true),
        ("127.0.0.1:80", "127.0.0.1", 8080, false),
        ("0.0.1", "127.0.0.1", 80, false),
        ("127.0.0.1", "a.127.0.0.1", 80, false),
        ("1", "127.0.0.1", 80, false),
        ("10.0.0.0/8", "10.255.1.2", 80, true),
        ("10.0.0.0/8", "11.0.0.1", 80, false),
        ("10.0.0.0/8", "a", 80, false),
        ("10.1.2.3/9", "10.127.0.0", 80, true),
        ("10.1.2.3/9", "10.128.0.0", 80, false),
        ("0.0.0.0/0", "1.2.3.4", 80, true),
        ("0.0.0.0/0", "::1", 80, false),
        ("10.0.0.1/32", "10.0.0.1", 80, true),
        ("10.0.0.1/33", "10.0.0.1", 80, false),
        ("10.0.0.1/", "10.0.0.1", 80, false),
        ("10.0.0.1/+8", "10.0.0.1", 80, false),
        ("::1", "::1", 80, true),
        ("::1", "[::1]", 80, true),
        ("[::1]", "0:0::1", 80, true),
        ("[::1]:80", "::1", 80, true),
        ("[::1]:80", "::1", 81, false),
        ("fd00::/8", "fd12::3", 80, true),
        ("[fd00::]/8", "fd12::3", 80, true),
        ("fd00::/8", "fe00::1", 80, false),
        ("::/0", "::2", 80, true),
        ("::/0", "1.2.3.4", 80, true),
        ("::ffff:10.0.0.0/104", "10.1.2.3", 80, true),
        ("::ffff:10.0.0.0/104", "11.1.2.3", 80, false),
        ("10.0.0.0/8", "::ffff:10.1.2.3", 80, true),
        ("fe80::1", "fe80::1%eth0", 80, true),
    ];
    for (list, host, port, expected) in rows {
        assert_eq!(NoProxy::parse(list).fits(host, port), expected, "no_proxy={list} for {host}:{port}");
    }
}

fn chosen<'a>(rules: &'a ProxyRules, scheme: &str) -> Option<&'a str> {
    match rules.choose(scheme, "a", 80) {
        Choice::Through(proxy) => Some(proxy.host()),
        Choice::Direct => None,
    }
}

#[test]
fn variables_in_both_cases() {
    /// Variables, a scheme, and the proxy for it.
    type Row = (&'static [(&'static str, &'static str)], &'static str, Option<&'static str>);
    let rows: [Row; 22] = [
        (&[], "http", None),
        (&[("http_proxy", "p")], "http", Some("p")),
        (&[("http_proxy", "p")], "https", None),
        (&[("HTTP_PROXY", "p")], "http", Some("p")),
        (&[("Http_Proxy", "p")], "http", Some("p")),
        (&[("HTTP_PROXY", "upper"), ("http_proxy", "lower")], "http", Some("lower")),
        (&[("http_proxy", "lower"), ("HTTP_PROXY", "upper")], "http", Some("lower")),
        (&[("http_proxy", ""), ("HTTP_PROXY", "upper")], "http", None),
        (&[("HTTPS_PROXY", "p")], "https", Some("p")),
        (&[("all_proxy", "p")], "http", Some("p")),
        (&[("ALL_PROXY", "p")], "gopher", Some("p")),
        (&[("all_proxy", "p"), ("https_proxy", "q")], "https", Some("q")),
        (&[("http_proxy", "p")], "ws", Some("p")),
        (&[("https_proxy", "p")], "wss", Some("p")),
        (&[("https_proxy", "p")], "ws", None),
        (&[("http_proxy", "p"), ("ws_proxy", "q")], "ws", Some("q")),
        (&[("wss_proxy", "q"), ("https_proxy", "p")], "wss", Some("q")),
        (&[("http_proxy", "p"), ("no_proxy", "a")], "http", None),
        (&[("http_proxy", "p"), ("NO_PROXY", "a"), ("no_proxy", "b")], "http", Some("p")),
        // What a CGI program gets as `HTTP_PROXY` is a field of the request.
        (&[("HTTP_PROXY", "evil"), ("REQUEST_METHOD", "GET")], "http", None),
        (&[("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "evil"), ("http_proxy", "p")], "http", Some("p")),
        (&[("REQUEST_METHOD", "GET"), ("HTTPS_PROXY", "p")], "https", Some("p")),
    ];
    for (variables, scheme, expected) in rows {
        let rules = ProxyRules::from_variables(variables.iter().copied()).unwrap();
        assert_eq!(chosen(&rules, scheme), expected, "{variables:?} for {scheme}");
    }
    let error = ProxyRules::from_variables([("HTTPS_PROXY", "http://u:secret@:80")]).unwrap_err();
    assert_eq!(error.to_string(), "HTTPS_PROXY: the proxy has no valid host");
    assert_eq!(chosen(&ProxyRules::none(), "http"), None);
    assert_eq!(chosen(&ProxyRules::through(Proxy::parse("p").unwrap()), "https"), Some("p"));
}

#[test]
fn each_hop_is_decided_anew() {
    let variables =
        [("http_proxy", "http://one"), ("https_proxy", "http://u:p@two"), ("no_proxy", "direct.example:443")];
    let rules = ProxyRules::from_variables(variables).unwrap();
    let hops = [
        ("http", "a.example", 80, Some("one")),
        ("https", "a.example", 443, Some("two")),
        ("https", "direct.example", 443, None),
        ("https", "direct.example", 8443, Some("two")),
        ("http", "a.example", 80, Some("one")),
    ];
    for (scheme, host, port, expected) in hops {
        let proxy = match rules.choose(scheme, host, port) {
            Choice::Through(proxy) => Some(proxy),
            Choice::Direct => None,
        };
        assert_eq!(proxy.map(Proxy::host), expected, "{scheme}://{host}:{port}");
        // The credentials of one proxy never go to another.
        assert_eq!(proxy.is_some_and(|proxy| proxy.authorization().is_some()), expected == Some("two"));
    }
}
