//! `Forwarded` (RFC 7239), `X-Forwarded-*`, and who the client is.

use std::net::IpAddr;

use callboard_core::fields::forwarded::{
    Client, Convention, End, Hop, Network, Node, NodeName, NodePort, Proxies, Trust,
};
use callboard_core::fields::{Field, Forwarded};

use super::support::headers;

fn forwarded(lines: &[&str]) -> Option<Forwarded> {
    Forwarded::read(&headers(&lines.iter().map(|line| ("Forwarded", *line)).collect::<Vec<_>>()))
}

fn node(text: &str) -> Option<Node> {
    Node::parse(text)
}

#[test]
fn the_examples_of_the_rfc() {
    let first = |line: &str| forwarded(&[line]).unwrap().0.remove(0);
    // RFC 7239 §4.
    assert_eq!(first("for=\"_gazonk\"").client.unwrap().name, NodeName::Obfuscated("_gazonk".into()));
    assert_eq!(first("For=\"[2001:db8:cafe::17]:4711\"").client, node("[2001:db8:cafe::17]:4711"));
    let hop = first("for=192.0.2.60;proto=http;by=203.0.113.43");
    assert_eq!((hop.client, hop.by, hop.protocol), (node("192.0.2.60"), node("203.0.113.43"), Some("http".into())));
    assert_eq!(forwarded(&["for=192.0.2.43, for=198.51.100.17"]).unwrap().0.len(), 2);
    // RFC 7239 §6.3.
    let hop = first("for=_hidden, for=_SEVKISEK");
    assert_eq!(hop.client, node("_hidden"));
    // RFC 7239 §7.1: one list, however it is spread over lines.
    let whole = forwarded(&["for=192.0.2.43,for=\"[2001:db8:cafe::17]\",for=unknown"]).unwrap();
    assert_eq!(forwarded(&["for=192.0.2.43, for=\"[2001:db8:cafe::17]\", for=unknown"]).unwrap(), whole);
    assert_eq!(forwarded(&["for=192.0.2.43", "for=\"[2001:db8:cafe::17]\", for=unknown"]).unwrap(), whole);
    // RFC 7239 §7.4 and §7.5.
    let line = "for=192.0.2.43, for=\"[2001:db8:cafe::17]\"";
    assert_eq!(forwarded(&[line]).unwrap().to_string(), line);
    let line = "for=192.0.2.43, for=198.51.100.17;by=203.0.113.60;proto=http;host=example.com";
    let rewritten = "for=192.0.2.43, for=198.51.100.17;by=203.0.113.60;host=example.com;proto=http";
    assert_eq!(forwarded(&[line]).unwrap().to_string(), rewritten);
}

#[test]
fn nodes() {
    let address = |text: &str| NodeName::Address(text.parse().unwrap());
    let table = [
        ("192.0.2.43", Some((address("192.0.2.43"), None))),
        ("192.0.2.43:47011", Some((address("192.0.2.43"), Some(NodePort::Number(47_011))))),
        ("[2001:db8:cafe::17]:47011", Some((address("2001:db8:cafe::17"), Some(NodePort::Number(47_011))))),
        ("[::1]", Some((address("::1"), None))),
        ("unknown", Some((NodeName::Unknown, None))),
        ("Unknown:80", Some((NodeName::Unknown, Some(NodePort::Number(80))))),
        ("_a.b-c_d", Some((NodeName::Obfuscated("_a.b-c_d".into()), None))),
        ("_a:_b", Some((NodeName::Obfuscated("_a".into()), Some(NodePort::Obfuscated("_b".into()))))),
        ("2001:db8::1", None),
        ("[2001:db8::1", None),
        ("[2001:db8::1]80", None),
        ("[2001:db8::1]:", None),
        ("[192.0.2.1]", None),
        ("[fe80::1%eth0]", None),
        ("192.0.2.256", None),
        ("192.0.2", None),
        ("0192.0.2.1", None),
        ("192.0.2.1:65536", None),
        ("192.0.2.1:000080", None),
        ("192.0.2.1:+80", None),
        ("192.0.2.1:", None),
        ("192.0.2.1 ", None),
        ("_", None),
        ("_a b", None),
        ("hidden", None),
        ("", None),
    ];
    for (text, expected) in table {
        let found = node(text);
        assert_eq!(found.clone().map(|node| (node.name, node.port)), expected, "{text}");
        if let Some(found) = found {
            assert_eq!(node(&found.to_string()), Some(found), "{text}");
        }
    }
    assert_eq!(Node::parse_loosely("2001:db8::1").unwrap().address(), Some("2001:db8::1".parse().unwrap()));
    assert_eq!(node("[::ffff:192.0.2.1]").unwrap().address(), Some("192.0.2.1".parse().unwrap()));
}

#[test]
fn malformed_elements() {
    for bad in [
        "",
        ";",
        "for",
        "for=",
        "for=a",
        "for=192.0.2.1:80",
        "for=[::1]",
        "for=\"::1\"",
        "for=192.0.2.1;for=192.0.2.1",
        "for=192.0.2.1;For=192.0.2.2",
        "proto=http;proto=http",
        "for=\"192.0.2.1",
        "for=192.0.2.1\"",
        "for=192.0.2.1 by=_a",
        "host=\"a b\"",
        "host=\"\"",
        "host=\"a@b\"",
        "host=\"a/b\"",
        "proto=\"ht tp\"",
        "proto=1http",
        "x=1;X=2",
        "=a",
        "for=\"192.0.2.1\"x",
    ] {
        assert_eq!(Hop::parse(bad.as_bytes()), None, "{bad}");
    }
    for good in ["for=192.0.2.1;", ";;for=192.0.2.1", "FOR = 192.0.2.1", "for=\"192.0.2.1\"", "f\\or=1;for=192.0.2.1"] {
        assert_eq!(Hop::parse(good.as_bytes()).is_some(), !good.contains('\\'), "{good}");
    }
    assert_eq!(forwarded(&["for=192.0.2.1, junk"]), None);
    let many = |count| (0..count).map(|place| format!("x{place}=1")).collect::<Vec<_>>().join(";");
    assert_eq!(Hop::parse(many(16).as_bytes()).map(|hop| hop.extensions.len()), Some(Hop::MOST_EXTENSIONS));
    assert_eq!(Hop::parse(many(17).as_bytes()), None);
    let hop = Hop::parse(b"host=\"a.example:8080\";secret=\"x, y\"").unwrap();
    assert_eq!(hop.to_string(), "host=\"a.example:8080\";secret=\"x, y\"");
}

#[test]
fn networks() {
    let table = [
        ("10.0.0.0/8", "10.255.0.1", true),
        ("10.0.0.0/8", "11.0.0.1", false),
        ("10.1.2.3/8", "10.9.9.9", true),
        ("0.0.0.0/0", "1.2.3.4", true),
        ("0.0.0.0/0", "::1", false),
        ("192.0.2.1/32", "192.0.2.1", true),
        ("192.0.2.1/32", "192.0.2.2", false),
        ("192.0.2.1", "192.0.2.1", true),
        ("192.0.2.0/31", "192.0.2.1", true),
        ("10.0.0.0/8", "::ffff:10.1.1.1", true),
        ("::ffff:10.0.0.1", "10.0.0.1", true),
        ("2001:db8::/32", "2001:db8:ffff::1", true),
        ("2001:db8::/32", "2001:db9::1", false),
        ("::/0", "2001:db9::1", true),
        ("::1/128", "::1", true),
        ("::1/128", "::2", false),
    ];
    for (network, address, expected) in table {
        let network: Network = network.parse().unwrap();
        assert_eq!(network.contains(address.parse().unwrap()), expected, "{network} {address}");
        assert_eq!(network.to_string().parse(), Ok(network));
    }
    for bad in [
        "",
        "/8",
        "10.0.0.0/",
        "10.0.0.0/33",
        "::/129",
        "10.0.0.0/-1",
        "10.0.0.0/+8",
        "10.0.0.0/256",
        "10/8",
        "a/8",
        "10.0.0.0/8/8",
    ] {
        assert!(bad.parse::<Network>().is_err(), "{bad}");
    }
}

fn proxies(trust: Trust, convention: Convention) -> Proxies {
    Proxies { trust, convention }
}

fn inside() -> Trust {
    Trust::Networks(vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()])
}

fn found(policy: &Proxies, peer: &str, fields: &[(&str, &str)]) -> Client {
    policy.client(Some(peer.parse().unwrap()), &headers(fields))
}

/// Address, hops, and why the walk ended.
type Short = (Option<String>, usize, End);

fn short(client: &Client) -> Short {
    (client.address.as_ref().map(IpAddr::to_string), client.hops, client.end)
}

#[test]
fn nothing_is_believed_without_trust() {
    let fields = [("Forwarded", "for=192.0.2.1;proto=https;host=evil"), ("X-Forwarded-For", "192.0.2.1")];
    for convention in [Convention::Forwarded, Convention::XForwarded] {
        for trust in [Trust::Nobody, Trust::Hops(0), Trust::Networks(vec![]), inside()] {
            let client = found(&proxies(trust, convention), "203.0.113.7", &fields);
            assert_eq!(short(&client), (Some("203.0.113.7".into()), 0, End::Untrusted));
            assert_eq!((client.protocol, client.host, client.node), (None, None, None));
        }
    }
}

#[test]
fn the_rightmost_untrusted_is_the_client() {
    let some = |text: &str| Some(text.to_owned());
    let table: &[(Trust, &str, &str, Short)] = &[
        (inside(), "10.0.0.1", "203.0.113.9", (some("203.0.113.9"), 1, End::Untrusted)),
        (inside(), "10.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.2", (some("203.0.113.9"), 2, End::Untrusted)),
        (inside(), "::ffff:10.0.0.1", "6.6.6.6, 203.0.113.9", (some("203.0.113.9"), 1, End::Untrusted)),
        (inside(), "10.0.0.1", "10.0.0.3, 10.0.0.2", (some("10.0.0.3"), 3, End::Complete)),
        (inside(), "10.0.0.1", "", (some("10.0.0.1"), 1, End::Complete)),
        (inside(), "10.0.0.1", "203.0.113.9, unknown", (None, 1, End::Hidden)),
        (inside(), "10.0.0.1", "203.0.113.9, _x", (None, 1, End::Hidden)),
        (inside(), "10.0.0.1", "203.0.113.9, junk, 10.0.0.2", (some("10.0.0.2"), 2, End::Malformed)),
        (inside(), "10.0.0.1", "203.0.113.9, <script>", (some("10.0.0.1"), 1, End::Malformed)),
        (inside(), "10.0.0.1", "junk, 203.0.113.9", (some("203.0.113.9"), 1, End::Untrusted)),
        (inside(), "fd00::1", "2001:db8::9, fd00::2", (some("2001:db8::9"), 2, End::Untrusted)),
        (inside(), "fd00::1", "[2001:db8::9]:99", (some("2001:db8::9"), 1, End::Untrusted)),
        (Trust::Hops(1), "192.0.2.1", "6.6.6.6, 203.0.113.9", (some("203.0.113.9"), 1, End::Untrusted)),
        (Trust::Hops(2), "192.0.2.1", "6.6.6.6, 203.0.113.9, 198.51.100.1", (some("203.0.113.9"), 2, End::Untrusted)),
        (Trust::Hops(2), "192.0.2.1", "203.0.113.9, unknown", (some("203.0.113.9"), 2, End::Untrusted)),
        (Trust::Hops(1), "192.0.2.1", "203.0.113.9, unknown", (None, 1, End::Hidden)),
        (Trust::Hops(9), "192.0.2.1", "203.0.113.9", (some("203.0.113.9"), 2, End::Complete)),
        (Trust::Hops(2), "192.0.2.1", "203.0.113.9, junk", (some("192.0.2.1"), 1, End::Malformed)),
    ];
    for (trust, peer, list, expected) in table {
        let client = found(&proxies(trust.clone(), Convention::XForwarded), peer, &[("X-Forwarded-For", list)]);
        assert_eq!(short(&client), *expected, "{trust:?} {peer} {list}");
        if *list == "203.0.113.9, <script>" {
            continue;
        }
        // The same in the other convention.
        let nodes = list.split(", ").filter(|node| !node.is_empty()).map(|node| {
            let node = Node::parse_loosely(node).map_or(node.to_owned(), |node| node.to_string());
            format!("for=\"{node}\"")
        });
        let list = nodes.collect::<Vec<_>>().join(", ");
        let client = found(&proxies(trust.clone(), Convention::Forwarded), peer, &[("Forwarded", &list)]);
        assert_eq!(short(&client), *expected, "{trust:?} {peer} {list}");
    }
}

#[test]
fn a_quote_that_a_client_leaves_open_does_not_hide_it() {
    let policy = proxies(inside(), Convention::Forwarded);
    for sent in ["for=\"", "for=6.6.6.6;x=\"", "for=\"6.6.6.6, for=", "for=6.6.6.6, x=\"\\"] {
        // What the proxy adds ends up inside the quotes, or behind them: nothing left of it is believed.
        for added in ["for=203.0.113.9", "for=\"[2001:db8::9]\""] {
            let client = found(&policy, "10.0.0.1", &[("Forwarded", &format!("{sent}, {added}"))]);
            assert_ne!(client.address, Some("6.6.6.6".parse().unwrap()), "{sent}, {added}");
            assert_eq!(short(&client), (Some("10.0.0.1".into()), 1, End::Malformed), "{sent}, {added}");
        }
        // In a line of its own it cannot reach the proxy's.
        let client = found(&policy, "10.0.0.1", &[("Forwarded", sent), ("Forwarded", "for=203.0.113.9")]);
        assert_eq!(short(&client), (Some("203.0.113.9".into()), 1, End::Untrusted));
    }
}

#[test]
fn protocol_host_and_port_are_of_the_outermost_trusted_proxy() {
    let policy = proxies(inside(), Convention::Forwarded);
    let line = "for=6.6.6.6;proto=gopher;host=evil, for=203.0.113.9;proto=HTTPS;host=shop.example, \
                for=10.0.0.2;proto=http;host=inner";
    let client = found(&policy, "10.0.0.1", &[("Forwarded", line)]);
    assert_eq!((client.protocol.as_deref(), client.host.as_deref()), (Some("https"), Some("shop.example")));
    let client = found(&policy, "10.0.0.1", &[("Forwarded", "proto=https;host=a")]);
    assert_eq!((short(&client), client.protocol.as_deref()), ((None, 1, End::Hidden), Some("https")));

    let policy = proxies(inside(), Convention::XForwarded);
    let of = |fields: &[(&str, &str)]| {
        let client = found(&policy, "10.0.0.1", fields);
        (client.protocol, client.host, client.host_port)
    };
    let chain = ("X-Forwarded-For", "6.6.6.6, 203.0.113.9, 10.0.0.2");
    let all = of(&[
        chain,
        ("X-Forwarded-Proto", "gopher, HTTPS, http"),
        ("X-Forwarded-Host", "evil, shop.example, inner"),
        ("X-Forwarded-Port", "1, 8443, 80"),
    ]);
    assert_eq!(all, (Some("https".into()), Some("shop.example".into()), Some(8_443)));
    // A single value is that of all proxies; too few values are none.
    assert_eq!(of(&[chain, ("X-Forwarded-Proto", "https")]).0.as_deref(), Some("https"));
    let far = ("X-Forwarded-For", "203.0.113.9, 10.0.0.3, 10.0.0.2");
    assert_eq!(of(&[far, ("X-Forwarded-Proto", "https, http")]).0, None);
    // No list of addresses: what the peer says counts.
    assert_eq!(of(&[("X-Forwarded-Proto", "gopher, https")]).0.as_deref(), Some("https"));
    // All proxies are known: the one farthest away asked.
    let known = ("X-Forwarded-For", "10.0.0.3, 10.0.0.2");
    assert_eq!(of(&[known, ("X-Forwarded-Proto", "https, http")]).0.as_deref(), Some("https"));
    for (name, bad) in [
        ("X-Forwarded-Proto", "ht tp"),
        ("X-Forwarded-Proto", ""),
        ("X-Forwarded-Host", "a b"),
        ("X-Forwarded-Host", "a@b"),
        ("X-Forwarded-Host", "a/b"),
        ("X-Forwarded-Port", "65536"),
        ("X-Forwarded-Port", "+80"),
        ("X-Forwarded-Port", "x"),
    ] {
        assert_eq!(of(&[chain, (name, bad)]), (None, None, None), "{name}: {bad}");
    }
    // A client past the proxies is not listened to.
    let client = found(&policy, "203.0.113.9", &[("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "evil")]);
    assert_eq!((client.protocol, client.host), (None, None));
}

#[test]
fn ports_nodes_and_peers_without_an_address() {
    let client = found(&proxies(inside(), Convention::Forwarded), "10.0.0.1", &[("Forwarded", "for=\"192.0.2.1:99\"")]);
    assert_eq!((client.port, client.node), (Some(99), node("192.0.2.1:99")));
    let client = found(&proxies(inside(), Convention::Forwarded), "10.0.0.1", &[("Forwarded", "for=\"_id:_port\"")]);
    assert_eq!((client.port, client.node), (None, node("_id:_port")));
    let fields = headers(&[("X-Forwarded-For", "203.0.113.9")]);
    let client = proxies(Trust::Hops(1), Convention::XForwarded).client(None, &fields);
    assert_eq!(short(&client), (Some("203.0.113.9".into()), 1, End::Untrusted));
    let client = proxies(inside(), Convention::XForwarded).client(None, &fields);
    assert_eq!(short(&client), (None, 0, End::Untrusted));
}
