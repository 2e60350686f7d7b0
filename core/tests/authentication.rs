//! Challenges and credentials: the grammar, Basic and Bearer, as tables.

use callboard_core::authentication::{
    AuthenticationError, Basic, Bearer, BearerProblem, Challenge, Content, Credentials, CredentialsError, Parameters,
    challenges, is_same_secret, parse_challenges,
};
use callboard_core::{Headers, Random, header};

/// A list as one text: scheme, then `=token68` or `(name=value;..)`.
fn shown(challenges: &[Challenge]) -> String {
    let one = |challenge: &Challenge| match challenge.content() {
        Content::Nothing => challenge.scheme().to_owned(),
        Content::Token68(text) => format!("{}:{text}", challenge.scheme()),
        Content::Parameters(parameters) => {
            let parameters =
                parameters.iter().map(|(name, value)| format!("{name}={}", String::from_utf8_lossy(value)));
            format!("{}({})", challenge.scheme(), parameters.collect::<Vec<_>>().join(";"))
        }
    };
    challenges.iter().map(one).collect::<Vec<_>>().join(" | ")
}

#[test]
fn lists_of_challenges() {
    let rows = [
        ("", ""),
        (" , ,, ", ""),
        ("Basic", "Basic"),
        ("Basic realm=\"simple\"", "Basic(realm=simple)"),
        // RFC 9110 §11.6.1.
        (
            r#"Basic realm="simple", Newauth realm="apps", type=1, title="Login to \"apps\"""#,
            "Basic(realm=simple) | Newauth(realm=apps;type=1;title=Login to \"apps\")",
        ),
        (
            r#"Newauth realm="apps", type=1, title="Login to \"apps\"", Basic realm="simple""#,
            "Newauth(realm=apps;type=1;title=Login to \"apps\") | Basic(realm=simple)",
        ),
        ("Negotiate, NTLM", "Negotiate | NTLM"),
        ("Negotiate YII=, Basic realm=x", "Negotiate:YII= | Basic(realm=x)"),
        ("Negotiate abc==,Digest a=b,c=d,NTLM", "Negotiate:abc== | Digest(a=b;c=d) | NTLM"),
        ("Token a/b+c-d._~", "Token:a/b+c-d._~"),
        (",Basic ,realm=\"x\",, ,charset=UTF-8, , Bearer,", "Basic(realm=x;charset=UTF-8) | Bearer"),
        ("Basic   realm  =\t\"x\" , Digest\trealm=y", "Basic(realm=x) | Digest(realm=y)"),
        (r#"Digest realm="a, Basic b=\"c\"", nonce="n,m""#, "Digest(realm=a, Basic b=\"c\";nonce=n,m)"),
        (r#"X a="\\\"\a", b="""#, "X(a=\\\"a;b=)"),
        ("Digest domain=/a?b=c, nonce=abc==, opaque=", "Digest(domain=/a?b=c;nonce=abc==;opaque=)"),
        (r#"Digest realm=, nonce="n""#, "Digest(realm=;nonce=n)"),
        ("Digest, realm=x", "Digest(realm=x)"),
        ("Basic realm=\"caf\u{e9}\"", "Basic(realm=caf\u{e9})"),
        ("Basic realm=\"a\tb\"", "Basic(realm=a\tb)"),
    ];
    for (field, expected) in rows {
        let read = parse_challenges(field.as_bytes()).unwrap_or_else(|error| panic!("{field}: {error}"));
        assert_eq!(shown(&read), expected, "{field}");
        let written: Vec<_> = read.iter().map(Challenge::to_field).collect();
        assert_eq!(parse_challenges(&written.join(&b", "[..])).as_ref(), Ok(&read), "{field}");
    }
}

#[test]
fn what_is_no_list_is_named() {
    let rows: [(&[u8], AuthenticationError); 19] = [
        (b"realm=\"x\"", AuthenticationError::SchemeMissing),
        (b"=x", AuthenticationError::TokenExpected),
        (b"\"Basic\"", AuthenticationError::TokenExpected),
        (b"Ba:sic", AuthenticationError::TokenExpected),
        (b"Basic/", AuthenticationError::TokenExpected),
        (b"Basic realm=\"x", AuthenticationError::BadQuotedString),
        (b"Basic realm=\"x\\\"", AuthenticationError::BadQuotedString),
        (b"Basic realm=\"x\\", AuthenticationError::BadQuotedString),
        (b"Basic realm=\"a\r\nb\"", AuthenticationError::BadQuotedString),
        (b"Basic realm=\"a\\\0b\"", AuthenticationError::BadQuotedString),
        (b"Basic realm=a\0b", AuthenticationError::ControlByte),
        (b"Basic realm=\"x\" type=1", AuthenticationError::CommaExpected),
        (b"Basic realm=\"x\"y", AuthenticationError::CommaExpected),
        (b"Basic realm=x\"y\"", AuthenticationError::CommaExpected),
        (b"Basic two words", AuthenticationError::CommaExpected),
        (b"Negotiate abc==, realm=x", AuthenticationError::Token68AndParameters),
        (b"Negotiate a/b, realm=x", AuthenticationError::Token68AndParameters),
        (b"Digest realm=x, REALM=y", AuthenticationError::ParameterRepeated),
        (b"Digest realm=, realm=y", AuthenticationError::ParameterRepeated),
    ];
    for (field, expected) in rows {
        assert_eq!(parse_challenges(field), Err(expected), "{}", field.escape_ascii());
        assert_eq!(expected.status().code(), 400);
    }
    let many = |count: usize| (0..count).map(|number| format!("S{number}")).collect::<Vec<_>>().join(",");
    assert_eq!(parse_challenges(many(32).as_bytes()).unwrap().len(), 32);
    assert_eq!(parse_challenges(many(33).as_bytes()), Err(AuthenticationError::TooMany));
    let wide = |count: usize| (0..count).map(|number| format!("p{number}=")).collect::<Vec<_>>().join(",");
    assert!(parse_challenges(format!("S {}", wide(64)).as_bytes()).is_ok());
    assert_eq!(parse_challenges(format!("S {}", wide(65)).as_bytes()), Err(AuthenticationError::TooMany));
}

#[test]
fn several_fields_make_one_list_and_a_broken_one_hides_none() {
    let mut headers = Headers::new();
    for field in ["Negotiate", "Digest realm=\"x", "Basic realm=a, Bearer", "=,"] {
        headers.append(header::WWW_AUTHENTICATE, field).unwrap();
    }
    headers.append(header::PROXY_AUTHENTICATE, "Basic realm=proxy").unwrap();
    assert_eq!(shown(&challenges(&headers, header::WWW_AUTHENTICATE)), "Negotiate | Basic(realm=a) | Bearer");
    assert_eq!(shown(&challenges(&headers, header::PROXY_AUTHENTICATE)), "Basic(realm=proxy)");
    for _ in 0..40 {
        headers.append(header::WWW_AUTHENTICATE, "S").unwrap();
    }
    assert_eq!(challenges(&headers, header::WWW_AUTHENTICATE).len(), 32);
}

#[test]
fn any_parameters_are_read_back_as_written() {
    let mut random = Random::from_seed(3);
    for _ in 0..2_000 {
        let mut parameters = Parameters::new();
        for number in 0..random.below(5) {
            let mut value = vec![0; usize::try_from(random.below(12)).unwrap()];
            random.fill(&mut value);
            for byte in &mut value {
                *byte = b"\"\\, =a\t\xff(;"[usize::from(*byte) % 10];
            }
            // A token is written as such only if it is one.
            let name = format!("p{number}");
            if random.below(2) == 0 {
                parameters.append(&name, &value).unwrap();
            } else {
                parameters.append_token(&name, &value).unwrap();
            }
        }
        // Empty parameters cannot be told from none.
        if parameters.is_empty() {
            continue;
        }
        assert_eq!(Parameters::parse(&parameters.to_field()), Ok(parameters.clone()));
        let written = Challenge::new("S", Content::Parameters(parameters)).unwrap();
        assert_eq!(parse_challenges(&written.to_field()), Ok(vec![written]));
    }
}

#[test]
fn what_cannot_be_written_is_refused() {
    let mut parameters = Parameters::new();
    assert_eq!(parameters.append("a b", ""), Err(AuthenticationError::NotAToken));
    assert_eq!(parameters.append("a", "b\r\nSet-Cookie: c=d"), Err(AuthenticationError::ControlByte));
    assert_eq!(parameters.append_token("a", "b\n"), Err(AuthenticationError::ControlByte));
    parameters.append("a", "").unwrap();
    assert_eq!(parameters.append("A", ""), Err(AuthenticationError::ParameterRepeated));
    assert_eq!(parameters.to_field(), b"a=\"\"");
    for (scheme, content) in [
        ("a b", Content::Nothing),
        ("", Content::Nothing),
        ("a", Content::Token68("b c".into())),
        ("a", Content::Token68("".into())),
        ("a", Content::Token68("=".into())),
        ("a", Content::Token68("b=c".into())),
    ] {
        assert_eq!(Challenge::new(scheme, content.clone()).err(), Some(AuthenticationError::NotAToken));
        assert_eq!(Credentials::new(scheme, content).err(), Some(AuthenticationError::NotAToken));
    }
    assert!(Basic::challenge("a\nb").is_err() && Bearer::challenge("a\nb", None).is_err());
}

#[test]
fn basic_credentials() {
    let rows = [
        ("Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        // RFC 7617 §2.1.
        ("test", "123\u{a3}", "Basic dGVzdDoxMjPCow=="),
        ("", "", "Basic Og=="),
        ("", "p", "Basic OnA="),
        ("u", "a:b", "Basic dTphOmI="),
    ];
    for (user, password, field) in rows {
        let basic = Basic::new(user, password).unwrap();
        assert_eq!(basic.to_field(), field);
        for field in [field.to_owned(), field.replace("Basic ", "bASIC   "), field.replace('=', "")] {
            assert_eq!(Basic::parse(field.as_bytes()).as_ref(), Ok(&basic), "{field}");
        }
        assert!(basic.is(user, password) && !basic.is(user, "x") && !basic.is("x", password));
        assert!(!format!("{basic:?}").contains("sesame"));
    }
    let latin = Basic::new(b"t", b"\xa3").unwrap();
    assert_eq!(Basic::parse(latin.to_field().as_bytes()).unwrap().password(), b"\xa3");
}

#[test]
fn basic_credentials_that_are_refused() {
    let coded = |text: &str| Basic::new("", text).unwrap().to_field();
    let rows: [(&[u8], CredentialsError); 10] = [
        (b"Bearer abc", CredentialsError::OtherScheme),
        (b"Basic", CredentialsError::NotBase64),
        (b"Basic realm=x", CredentialsError::NotBase64),
        (b"Basic QQ=", CredentialsError::NotBase64),
        (b"Basic Q-_=", CredentialsError::NotBase64),
        (b"Basic YWJj", CredentialsError::ColonMissing),
        (b"Basic YQo6Yg==", CredentialsError::ControlCharacter),
        (b"Basic YTpifw==", CredentialsError::ControlCharacter),
        (b"Basic Og==, Bearer x", CredentialsError::Malformed),
        (b"", CredentialsError::Malformed),
    ];
    for (field, expected) in rows {
        assert_eq!(Basic::parse(field), Err(expected), "{}", field.escape_ascii());
    }
    assert_eq!(Basic::new("a:b", "").err(), Some(CredentialsError::ColonInUser));
    assert_eq!(Basic::new("a\n", "").err(), Some(CredentialsError::ControlCharacter));
    assert_eq!(Basic::new("a", "\0").err(), Some(CredentialsError::ControlCharacter));
    assert_eq!(coded("x"), "Basic Ong=");
    assert_eq!(CredentialsError::OtherScheme.status().code(), 401);
    assert_eq!(CredentialsError::NotBase64.status().code(), 400);
}

#[test]
fn bearer_tokens() {
    for token in ["mF_9.B5f-4.1JqM", "a", "a==", "~+/"] {
        let bearer = Bearer::new(token).unwrap();
        assert_eq!(bearer.to_field(), format!("Bearer {token}"));
        assert_eq!(Bearer::parse(format!("BEARER {token}").as_bytes()), Ok(bearer.clone()));
        assert!(bearer.is(token) && !bearer.is("b"));
        assert!(!format!("{bearer:?}").contains("mF"));
    }
    for token in ["", "=", "a b", "a=b", "\u{e9}", "a\"", "a,b"] {
        assert_eq!(Bearer::new(token).err(), Some(CredentialsError::BadToken), "{token}");
    }
    assert_eq!(Bearer::parse(b"Bearer"), Err(CredentialsError::BadToken));
    assert_eq!(Bearer::parse(b"Basic Og=="), Err(CredentialsError::OtherScheme));
    let rows = [
        (None, "Bearer realm=\"r\"", 0),
        (Some(BearerProblem::InvalidRequest), "Bearer realm=\"r\", error=\"invalid_request\"", 400),
        (Some(BearerProblem::InvalidToken), "Bearer realm=\"r\", error=\"invalid_token\"", 401),
        (
            Some(BearerProblem::InsufficientScope("read write")),
            "Bearer realm=\"r\", error=\"insufficient_scope\", scope=\"read write\"",
            403,
        ),
    ];
    for (problem, expected, status) in rows {
        assert_eq!(Bearer::challenge("r", problem).unwrap().to_field(), expected.as_bytes());
        assert_eq!(problem.map_or(0, |problem| problem.status().code()), status);
    }
}

#[test]
fn secrets_do_not_show() {
    let credentials = Credentials::parse(b"Digest response=\"secret\"").unwrap();
    assert!(!format!("{credentials:?} {:?}", credentials.content()).contains("secret"));
    assert!(is_same_secret(b"", b"") && !is_same_secret(b"a", b"") && !is_same_secret(b"ab", b"ac"));
    assert_eq!(Credentials::parse(b"A, B"), Err(AuthenticationError::SeveralSchemes));
}
