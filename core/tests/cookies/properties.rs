//! Random cookies from random places: what must hold of whatever a jar gives, by a plain statement of the rules.

use callboard_core::Random;
use callboard_core::cookies::{Access, CookieJar, JarSettings, SetCookie, Site, StoredCookie};
use url::{Host, Url};

const HOSTS: [&str; 9] = [
    "example.org",
    "www.example.org",
    "a.www.example.org",
    "other.example.org",
    "me.github.io",
    "localhost",
    "127.0.0.1",
    "[::1]",
    "org",
];
const PATHS: [&str; 6] = ["/", "/a", "/a/", "/a/b", "/ab", "/a/b/c"];

fn any<'a>(random: &mut Random, choices: &[&'a str]) -> &'a str {
    choices[usize::try_from(random.below(choices.len() as u64)).unwrap()]
}

fn any_url(random: &mut Random) -> Url {
    let text = format!("{}://{}{}", any(random, &["http", "https"]), any(random, &HOSTS), any(random, &PATHS));
    Url::parse(&text).unwrap()
}

fn any_access(random: &mut Random) -> Access {
    let site = [Site::Same, Site::Same, Site::Navigation, Site::UnsafeNavigation, Site::Cross];
    Access { site: site[usize::try_from(random.below(5)).unwrap()], is_script: random.below(4) == 0 }
}

fn any_field(random: &mut Random) -> String {
    let names = ["a", "b", "c", "", "__Host-a", "__secure-b"];
    let mut field = format!("{}={}", any(random, &names), any(random, &["1", "", "\"q\"", "x=y", "__Host-a=2"]));
    for _ in 0..random.below(5) {
        let (host, path) = (any(random, &HOSTS), any(random, &PATHS));
        let dynamic = [format!("Domain={host}"), format!("Path={path}"), format!("Max-Age={}", random.below(20))];
        let fixed =
            ["Secure", "Secure", "HttpOnly", "SameSite=Lax", "SameSite=Strict", "SameSite=None", "Path=", "; ="];
        let pick = usize::try_from(random.below(12)).unwrap();
        field.push_str("; ");
        field.push_str(fixed.get(pick).copied().unwrap_or_else(|| &dynamic[pick % 3]));
    }
    field
}

/// Whether `cookie` may go to `url`, said anew.
fn may_go(cookie: &StoredCookie, url: &Url, access: Access, now: u64) -> bool {
    let host = url.host_str().unwrap();
    let is_name = matches!(url.host(), Some(Host::Domain(_)));
    let of_host = cookie.domain() == host
        || is_name && !cookie.is_host_only() && host.ends_with(&format!(".{}", cookie.domain()));
    let path = core::str::from_utf8(cookie.path()).unwrap();
    let folder = if path.ends_with('/') { path.to_owned() } else { format!("{path}/") };
    let of_path = url.path() == path || url.path().starts_with(&folder);
    let of_site = match cookie.same_site().map_or("Lax", |kind| kind.as_str()) {
        "None" => true,
        "Strict" => access.site == Site::Same,
        _ => access.site == Site::Same || access.site == Site::Navigation && !access.is_script,
    };
    let of_scheme = url.scheme() == "https" || !cookie.is_secure();
    let of_reader = !(access.is_script && cookie.is_http_only());
    let lives = cookie.expires().is_none_or(|expires| now < expires);
    of_host && of_path && of_site && of_scheme && of_reader && lives
}

/// What no cookie in a jar may be.
fn assert_allowed(cookie: &StoredCookie) {
    let name = cookie.name().to_ascii_lowercase();
    assert!(!name.starts_with(b"__secure-") || cookie.is_secure(), "{cookie:?}");
    let is_bound = cookie.is_secure() && cookie.is_host_only() && cookie.path() == b"/";
    assert!(!name.starts_with(b"__host-") || is_bound, "{cookie:?}");
    assert!(!name.is_empty() || !cookie.value().starts_with(b"__"), "{cookie:?}");
    let is_suffix = ["org", "localhost", "github.io"].contains(&cookie.domain());
    assert!(!is_suffix || cookie.is_host_only(), "{cookie:?}");
    assert!(cookie.same_site().is_none_or(|kind| kind.as_str() != "None" || cookie.is_secure()), "{cookie:?}");
}

#[test]
fn whatever_comes_in_only_what_may_go_goes_out() {
    let mut sent = 0;
    for seed in 0..600 {
        let random = &mut Random::from_seed(seed);
        let (per_domain, total) = (1 + random.below(6), 2 + random.below(10));
        let (per_domain, total) = (usize::try_from(per_domain).unwrap(), usize::try_from(total).unwrap());
        let mut jar = CookieJar::new(JarSettings { per_domain, total, ..JarSettings::default() });
        let mut now = 1_000_000;
        for _ in 0..40 {
            now += random.below(4);
            let (field, url, access) = (any_field(random), any_url(random), any_access(random));
            let before: Vec<_> = jar.iter().cloned().collect();
            let result = jar.set_field(field.as_bytes(), &url, access, now);
            if result.is_err() {
                assert!(jar.iter().eq(&before), "seed {seed}: {field} was refused and changed the jar");
            }
            assert!(jar.len() <= total && jar.len() == jar.iter().count());
            jar.iter().for_each(assert_allowed);
            let (url, access) = (any_url(random), any_access(random));
            let given: Vec<_> = jar.get(&url, access, now).into_iter().cloned().collect();
            let mut expected = jar.iter().filter(|cookie| may_go(cookie, &url, access, now)).count();
            for cookie in &given {
                assert!(may_go(cookie, &url, access, now), "seed {seed}: {cookie:?} to {url} as {access:?}");
                expected -= 1;
            }
            assert_eq!(expected, 0, "seed {seed}: {url} misses some");
            assert!(given.is_sorted_by_key(|cookie| usize::MAX - cookie.path().len()));
            let field = jar.cookie_field(&url, access, now);
            assert_eq!(field.is_some(), !given.is_empty());
            sent += given.len();
        }
    }
    assert!(sent > 2_000, "only {sent} cookies were sent: the cases are too poor");
}

#[test]
fn a_restored_jar_gives_what_the_saved_one_gives() {
    for seed in 0..300 {
        let random = &mut Random::from_seed(seed);
        let mut jar = CookieJar::default();
        for _ in 0..20 {
            let _ = jar.set_field(any_field(random).as_bytes(), &any_url(random), Access::default(), 50);
        }
        let text = jar.save(55);
        let mut other = CookieJar::default();
        let restored = other.restore(&text, 55);
        assert!(restored.refused.is_empty(), "seed {seed}: {restored:?}\n{}", String::from_utf8_lossy(&text));
        assert_eq!(other.save(55), text, "seed {seed}");
        for _ in 0..20 {
            let (url, access) = (any_url(random), any_access(random));
            assert_eq!(other.cookie_field(&url, access, 55), jar.cookie_field(&url, access, 55), "seed {seed}: {url}");
        }
    }
}

#[test]
fn what_can_be_written_is_read_back() {
    let mut written = 0;
    for seed in 0..5_000 {
        let random = &mut Random::from_seed(seed);
        let Ok(cookie) = SetCookie::parse(any_field(random).as_bytes()) else { continue };
        let Ok(field) = cookie.write() else { continue };
        assert_eq!(SetCookie::parse(&field), Ok(cookie), "{}", field.escape_ascii());
        written += 1;
    }
    assert!(written > 1_000, "only {written} were written: the cases are too poor");
}
