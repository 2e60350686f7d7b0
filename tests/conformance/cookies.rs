//! Runs the cookie cases: Set-Cookie fields into a jar of the core and Cookie fields out of it, and dates of Expires.

use callboard::client::Url;
use callboard::core::cookies::{Access, CookieJar, cookie_date};
use serde::Deserialize;

use crate::case::{Failures, Job, Title, load};

/// When the cases are played: their dates are far from it, on both sides.
const NOW: u64 = 1_800_000_000;

#[derive(Deserialize)]
#[serde(untagged)]
enum Case {
    Jar(JarCase),
    Date(DateCase),
}

/// An empty jar, what is set and asked for in order, and what each question may be answered with.
#[derive(Deserialize)]
struct JarCase {
    #[serde(flatten)]
    title: Title,
    steps: Vec<Step>,
    allow: Vec<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Verb {
    Set,
    Get,
}

/// With its URL; to set, the fields of its answer follow.
#[derive(Deserialize)]
struct Step(Verb, String, #[serde(default)] Vec<String>);

#[derive(Deserialize)]
struct DateCase {
    #[serde(flatten)]
    title: Title,
    date: String,
    allow: Vec<Option<i64>>,
}

impl Job for Case {
    fn title(&self) -> &Title {
        match self {
            Self::Jar(case) => &case.title,
            Self::Date(case) => &case.title,
        }
    }
}

/// A text with characters below U+0100 only stands for bytes, another for itself.
fn bytes(text: &str) -> Vec<u8> {
    let bytes: Result<Vec<u8>, _> = text.chars().map(|character| u8::try_from(u32::from(character))).collect();
    bytes.unwrap_or_else(|_| text.as_bytes().to_vec())
}

/// Runs every case and panics with what failed.
pub(crate) fn check() {
    let cases: Vec<Case> = load("cookies/cookie_cases.json");
    assert!(cases.len() > 230, "only {} cases", cases.len());
    let mut failures = Failures::default();
    failures.gather(&cases, 2, |case| match case {
        Case::Jar(case) => play(case),
        Case::Date(case) => read(case),
    });
    failures.assert_none("cookie cases");
}

fn play(case: &JarCase) -> Result<(), String> {
    let mut jar = CookieJar::default();
    let mut allowed = case.allow.iter();
    for Step(verb, url, fields) in &case.steps {
        let parsed = Url::parse(url).map_err(|error| error.to_string())?;
        match verb {
            Verb::Set => {
                for field in fields {
                    // What is refused is not in the answers.
                    let _ = jar.set_field(&bytes(field), &parsed, Access::default(), NOW);
                }
            }
            Verb::Get => {
                let saw = jar.cookie_field(&parsed, Access::default(), NOW).unwrap_or_default();
                let allowed = allowed.next().ok_or("more questions than answers")?;
                if !allowed.iter().any(|allowed| bytes(allowed) == saw) {
                    return Err(format!("{url}: saw {}, allowed {allowed:?}", saw.escape_ascii()));
                }
            }
        }
    }
    if allowed.next().is_some() { Err("more answers than questions".to_owned()) } else { Ok(()) }
}

fn read(case: &DateCase) -> Result<(), String> {
    let saw = cookie_date(&bytes(&case.date));
    if case.allow.contains(&saw) {
        return Ok(());
    }
    Err(format!("{:?}: saw {saw:?}, allowed {:?}", case.date, case.allow))
}
