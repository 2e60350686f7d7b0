//! The netrc reader, as tables.

use callboard_core::netrc::{Netrc, NetrcEntry, NetrcError, NetrcProblem};

fn found(text: &str, host: &str) -> Option<(String, String)> {
    let netrc = Netrc::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    netrc.look_up(host).map(|entry| (entry.user().to_owned(), entry.password().to_owned()))
}

#[test]
fn entries_in_any_layout() {
    let rows = [
        ("machine a login u password p", Some(("u", "p"))),
        ("machine\na\n\tlogin u\r\n  password p\r\n", Some(("u", "p"))),
        ("machine A login u password p", Some(("u", "p"))),
        ("machine a user u password p", Some(("u", "p"))),
        ("machine a account u password p", Some(("u", "p"))),
        ("machine a login u account x password p", Some(("u", "p"))),
        ("machine a password p", Some(("", "p"))),
        ("machine a", Some(("", ""))),
        ("machine b login u password p", None),
        ("default login u password p", Some(("u", "p"))),
        ("default login x machine a login u password p", Some(("u", "p"))),
        ("machine a login u password p machine a login v password q", Some(("u", "p"))),
        ("machine a login \"u v\" password \"p\\\"q\\\\r\\n\"", Some(("u v", "p\"q\\r\n"))),
        ("machine a login \"\" password \"#\"", Some(("", "#"))),
        ("# machine a login x\nmachine a # here\nlogin u #there\npassword #p", Some(("u", "#p"))),
        ("#machine b\n#\nmachine a login #u password p#q # r", Some(("#u", "p#q"))),
        ("machine b\nmacdef init\nmachine a login x\n\nmachine a login u password p", Some(("u", "p"))),
        ("macdef init\ncd /\n \nmachine a login u password p\nmacdef last\nbin", Some(("u", "p"))),
        ("machine a login machine password default", Some(("machine", "default"))),
        ("\u{feff}machine a login u password p", Some(("u", "p"))),
        ("machine a login \u{fc} password \u{1f511}", Some(("\u{fc}", "\u{1f511}"))),
        ("", None),
        (" \n\n", None),
    ];
    for (text, expected) in rows {
        let expected = expected.map(|(user, password): (&str, &str)| (user.to_owned(), password.to_owned()));
        assert_eq!(found(text, "a"), expected, "{text}");
    }
}

#[test]
fn an_entry_that_names_the_host_is_told_from_the_default() {
    let netrc = Netrc::parse("machine a login u\ndefault login w").unwrap();
    let user = |host| netrc.look_up_machine(host).map(|entry| entry.user().to_owned());
    assert_eq!((user("A").as_deref(), user("b")), (Some("u"), None));
    assert_eq!(netrc.look_up("b").map(NetrcEntry::user), Some("w"));
}

#[test]
fn users_of_one_host_are_told_apart() {
    let netrc = Netrc::parse("machine a login u password 1\nmachine a login v password 2\ndefault login w").unwrap();
    let password = |user| netrc.look_up_user("a", user).map(|entry| entry.password().to_owned());
    assert_eq!(password("u").as_deref(), Some("1"));
    assert_eq!(password("v").as_deref(), Some("2"));
    assert_eq!(password("w").as_deref(), Some(""));
    assert_eq!(password("x"), None);
    assert!(!format!("{netrc:?}").contains('2'));
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let rows = [
        ("machine", NetrcProblem::ValueMissing, 1),
        ("machine a\nlogin", NetrcProblem::ValueMissing, 2),
        ("\n\nlogin u", NetrcProblem::EntryMissing, 3),
        ("macdef x\ny\n\npassword u", NetrcProblem::EntryMissing, 4),
        ("machine a\nLOGIN u", NetrcProblem::UnknownWord, 2),
        ("machine a login u secret", NetrcProblem::UnknownWord, 1),
        ("machine a\n\nlogin \"u\npassword p\"", NetrcProblem::QuoteMissing, 3),
        ("machine \"a", NetrcProblem::QuoteMissing, 1),
        ("machine \"a\\", NetrcProblem::QuoteMissing, 1),
    ];
    for (text, problem, line) in rows {
        assert_eq!(Netrc::parse(text).err(), Some(NetrcError { problem, line }), "{text}");
    }
    let error = NetrcError { problem: NetrcProblem::UnknownWord, line: 7 };
    assert_eq!(error.to_string(), "netrc, line 7: a word that is no keyword");
}

#[test]
fn long_files_are_refused() {
    let too_long = |text: &str| Netrc::parse(text).err().map(|error| error.problem) == Some(NetrcProblem::TooLong);
    assert!(too_long(&" ".repeat(1024 * 1024 + 1)) && !too_long(&" ".repeat(1024 * 1024)));
    assert!(too_long(&"machine a ".repeat(4097)) && !too_long(&"machine a ".repeat(4096)));
}
