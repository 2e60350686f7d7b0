//! What goes when there are too many.

use callboard_core::cookies::{Access, CookieJar, JarSettings};

use super::jar::{NOW, get, set, url};

fn small(per_domain: usize, total: usize) -> CookieJar {
    CookieJar::new(JarSettings { per_domain, total, ..JarSettings::default() })
}

#[test]
fn of_a_domain_the_one_unused_for_longest_goes() {
    let mut jar = small(3, 100);
    for name in ["a", "b", "c"] {
        set(&mut jar, "http://one.example/", &format!("{name}=1; Path=/{name}")).unwrap();
    }
    set(&mut jar, "http://two.example/", "d=1").unwrap();
    // Looking is not using; sending is.
    assert_eq!(jar.get(&url("http://one.example/b"), Access::default(), NOW).len(), 1);
    assert_eq!(get(&mut jar, "http://one.example/a"), "a=1");
    set(&mut jar, "http://one.example/", "e=1").unwrap();
    let names: Vec<_> = jar.iter().map(|cookie| cookie.name()[0]).collect();
    assert_eq!(names, *b"aced");
}

#[test]
fn expired_ones_go_first_then_those_that_are_not_secure() {
    let mut jar = small(3, 100);
    set(&mut jar, "https://a.example/", "s1=1; Secure").unwrap();
    set(&mut jar, "https://a.example/", "plain=1").unwrap();
    set(&mut jar, "https://a.example/", "old=1; Max-Age=5").unwrap();
    jar.set_field(b"s2=1; Secure", &url("https://a.example/"), Access::default(), NOW + 5).unwrap();
    assert_eq!(get(&mut jar, "https://a.example/"), "s1=1; plain=1; s2=1");
    set(&mut jar, "https://a.example/", "s3=1; Secure").unwrap();
    assert_eq!(get(&mut jar, "https://a.example/"), "s1=1; s2=1; s3=1");
    // One that is not secure finds no room among those that are.
    set(&mut jar, "http://a.example/", "flood=1").unwrap();
    assert_eq!(get(&mut jar, "https://a.example/"), "s1=1; s2=1; s3=1");
    set(&mut jar, "https://a.example/", "s4=1; Secure").unwrap();
    assert_eq!(get(&mut jar, "https://a.example/"), "s2=1; s3=1; s4=1");
}

#[test]
fn in_total_the_one_unused_for_longest_goes() {
    let mut jar = small(10, 3);
    for host in ["a", "b", "c", "d"] {
        set(&mut jar, &format!("http://{host}.example/"), "x=1; Max-Age=60").unwrap();
        get(&mut jar, "http://a.example/");
    }
    let domains: Vec<_> = jar.iter().map(|cookie| cookie.domain().to_owned()).collect();
    assert_eq!(domains, ["a.example", "c.example", "d.example"]);
    // The same cookie once more needs no room.
    set(&mut jar, "http://c.example/", "x=2").unwrap();
    assert_eq!(jar.len(), 3);
    let mut none = small(10, 0);
    set(&mut none, "http://a.example/", "x=1").unwrap();
    assert!(none.is_empty());
}

#[test]
fn the_limits_that_are_set_by_default() {
    let mut jar = CookieJar::default();
    for number in 0..200 {
        set(&mut jar, "http://a.example/", &format!("n{number}=1")).unwrap();
    }
    assert_eq!(jar.len(), 180);
    assert!(get(&mut jar, "http://a.example/").starts_with("n20=1; n21=1; "));
    for number in 0..3_000 {
        set(&mut jar, &format!("http://h{number}.example/"), "a=1").unwrap();
    }
    assert_eq!(jar.len(), 3_000);
    assert_eq!(get(&mut jar, "http://a.example/"), "");
}
