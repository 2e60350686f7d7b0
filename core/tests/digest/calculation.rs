//! The calculation, as tables: examples of RFC 2069, 2617 and 7616, and what other implementations compute.

use callboard_core::digest::{Algorithm, Hash, PasswordHash, Proof, Quality, response};

struct Row {
    algorithm: &'static str,
    user: &'static str,
    realm: &'static str,
    password: &'static str,
    nonce: &'static str,
    client_nonce: &'static str,
    quality: Option<Quality>,
    method: &'static str,
    target: &'static str,
    body: &'static str,
    expected: &'static str,
}

const RFC_7616: Row = Row {
    algorithm: "MD5",
    user: "Mufasa",
    realm: "http-auth@example.org",
    password: "Circle of Life",
    nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
    client_nonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    quality: Some(Quality::Authentication),
    method: "GET",
    target: "/dir/index.html",
    body: "",
    expected: "8ca523f5e9506fed4657c9700eebdbec",
};

const SHORT: Row = Row {
    algorithm: "MD5",
    user: "u",
    realm: "r",
    password: "p",
    nonce: "n",
    client_nonce: "0a4f113b",
    quality: Some(Quality::Integrity),
    method: "POST",
    target: "/x",
    body: "hello",
    expected: "302771baf519bcdb21776bbe823fbcc7",
};

#[test]
fn examples() {
    let rows = [
        RFC_7616,
        Row {
            algorithm: "SHA-256",
            expected: "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            ..RFC_7616
        },
        // RFC 7616 §3.9.2, with SHA-512/256 as erratum 4897 has it.
        Row {
            algorithm: "SHA-512-256",
            user: "J\u{e4}s\u{f8}n Doe",
            realm: "api@example.org",
            password: "Secret, or not?",
            nonce: "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",
            client_nonce: "NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm",
            target: "/doe.json",
            expected: "7a4e1192babbba02e91182d2895bfdbf7adafc6e48d4e517ca301974843d840c",
            ..RFC_7616
        },
        // RFC 2617 §3.5.
        Row {
            realm: "testrealm@host.com",
            password: "Circle Of Life",
            nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
            client_nonce: "0a4f113b",
            expected: "6629fae49393a05397450978507c4ef1",
            ..RFC_7616
        },
        // RFC 2069 §2.4, with the answer of its erratum 749.
        Row {
            realm: "testrealm@host.com",
            password: "CircleOfLife",
            nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
            quality: None,
            expected: "1949323746fe6a43ef61f9606e7febea",
            ..RFC_7616
        },
        SHORT,
        Row { method: "GET", body: "", expected: "c2a240e034ebf85103c1880ca21c83f6", ..SHORT },
        Row {
            algorithm: "MD5-sess",
            quality: Some(Quality::Authentication),
            method: "GET",
            expected: "3d786447eca0a10a9e9c961284b566d5",
            ..SHORT
        },
        Row {
            algorithm: "MD5-sess",
            method: "PUT",
            target: "/x?y=z",
            body: "b",
            expected: "d5b855caf7cf9d3123664aee568f5e82",
            ..SHORT
        },
    ];
    for row in rows {
        let algorithm = Algorithm::from_name(row.algorithm.as_bytes()).unwrap();
        let (user, realm, password) = (row.user.as_bytes(), row.realm.as_bytes(), row.password.as_bytes());
        let secret = PasswordHash::new(algorithm.hash, user, realm, password);
        let proof = Proof {
            nonce: row.nonce.as_bytes(),
            client_nonce: row.client_nonce.as_bytes(),
            nonce_count: b"00000001",
            quality: row.quality,
            method: row.method,
            target: row.target.as_bytes(),
            body: row.body.as_bytes(),
        };
        assert_eq!(response(algorithm, &secret, &proof), row.expected, "{} {}", row.algorithm, row.target);
    }
}

#[test]
fn algorithms_are_read_without_case_and_have_one_name() {
    let names = ["MD5", "SHA", "SHA-256", "SHA-512-256", "SHA-512"];
    let mut strength = Vec::new();
    for name in names {
        for (name, is_session) in [(name.to_owned(), false), (format!("{name}-sess"), true)] {
            for spelled in [name.clone(), name.to_ascii_lowercase(), name.to_ascii_uppercase()] {
                let algorithm = Algorithm::from_name(spelled.as_bytes()).unwrap();
                assert_eq!((algorithm.name(), algorithm.is_session), (&*name, is_session));
            }
        }
        strength.push(Algorithm::from_name(name.as_bytes()).unwrap().hash);
    }
    assert!(strength.is_sorted());
    assert_eq!(Algorithm::from_name(b"SHA-1").unwrap().hash, Hash::Sha1);
    for unknown in ["", "MD4", "MD5 ", "MD5-", "SHA-384", "sess", "\"MD5\""] {
        assert_eq!(Algorithm::from_name(unknown.as_bytes()), None, "{unknown}");
    }
}

#[test]
fn a_kept_hash_is_as_good_as_the_password() {
    for hash in [Hash::Md5, Hash::Sha1, Hash::Sha256, Hash::Sha512Short, Hash::Sha512] {
        let made = PasswordHash::new(hash, b"u", b"r", b"p");
        let text = made.as_hexadecimal();
        assert_eq!(text.len(), hash.digits());
        assert_eq!(PasswordHash::from_hexadecimal(hash, &text.to_ascii_uppercase()), Some(made.clone()));
        assert_eq!(PasswordHash::from_hexadecimal(hash, &text[1..]), None);
        assert_eq!(PasswordHash::from_hexadecimal(hash, &text.replace(&text[..1], "g")), None);
        assert!(!format!("{made:?}").contains(text));
    }
}
