//! The direction of dependencies as a test: between crates, between the modules of a crate, and towards the outside.
//!
//! The picture is in `docs/architecture.md`. Crates are read from their manifests and from the paths that their code
//! names; modules from `use` declarations and paths, with re-exports followed to where a name is defined. The checkers
//! are in `modules/` and `packages/`; the end of this file feeds them bad samples, so that none can go blind.

mod modules;
mod packages;
mod source;

use modules::{Crate, circles};
use packages::{Metadata, Package, permits};

/// What each crate may name of ours. The facade may name all, and nothing names the facade.
const LAYERS: [(&str, &[&str]); 8] = [
    ("core", &[]),
    ("runtime", &["callboard-core"]),
    ("runtime-smol", &["callboard-core", "callboard-runtime"]),
    ("runtime-tokio", &["callboard-core", "callboard-runtime"]),
    ("runtime-sim", &["callboard-core", "callboard-runtime"]),
    ("client", &["callboard-core", "callboard-runtime"]),
    ("web", &["callboard-core", "callboard-runtime"]),
    (
        ".",
        &[
            "callboard-core",
            "callboard-runtime",
            "callboard-smol",
            "callboard-tokio",
            "callboard-sim",
            "callboard-client",
            "callboard-web",
        ],
    ),
];

/// What core may depend on of others': it has no I/O, and links without std.
const CORE_MAY_USE: [&str; 11] =
    ["bytes", "memchr", "slab", "sha1", "sha2", "md-5", "url", "psl", "flate2", "brotli", "zstd-safe"];

/// Crates that bring an event loop, a clock or an executor: each is the matter of one adapter.
const RUNTIMES: [(&str, &[&str]); 9] = [
    ("tokio", &["runtime-tokio"]),
    ("mio", &["runtime-tokio"]),
    ("async-io", &["runtime-smol"]),
    ("async-net", &["runtime-smol"]),
    ("async-executor", &["runtime-smol"]),
    ("async-signal", &["runtime-smol"]),
    ("polling", &["runtime-smol"]),
    ("smol", &["runtime-smol"]),
    ("async-task", &["runtime-sim", "runtime-smol"]),
];

fn crates() -> Vec<Crate> {
    LAYERS.iter().map(|(folder, _)| Crate::read(folder)).collect()
}

fn direction(folder: &str, allowed: &[&str], manifest: &Package, krate: &Crate) -> Vec<String> {
    let mut findings = Vec::new();
    for dependency in manifest.dependencies() {
        if dependency.starts_with("callboard") && !allowed.contains(&dependency) {
            findings.push(format!("{folder}/Cargo.toml: depends on {dependency}"));
        }
        if folder == "core" && !CORE_MAY_USE.contains(&dependency) {
            findings.push(format!("core/Cargo.toml: depends on {dependency}"));
        }
        for (runtime, homes) in RUNTIMES.iter().filter(|(runtime, _)| *runtime == dependency) {
            if !homes.contains(&folder) {
                findings.push(format!("{folder}/Cargo.toml: {runtime} belongs in {homes:?}"));
            }
        }
    }
    for (file, line, name) in krate.names_of_crates() {
        if name.starts_with("callboard") && !allowed.contains(&name.replace('_', "-").as_str()) {
            findings.push(format!("{file}:{line}: names {name}"));
        }
    }
    findings
}

#[test]
fn crates_depend_in_one_direction() {
    let mut findings = Vec::new();
    for (folder, allowed) in LAYERS {
        findings.extend(direction(folder, allowed, &Package::read(folder), &Crate::read(folder)));
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

#[test]
fn modules_form_no_circle() {
    let findings: Vec<String> = crates().iter().flat_map(circles).collect();
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

#[test]
fn every_module_belongs_to_its_crate() {
    let dead: Vec<String> = crates().iter().flat_map(Crate::undeclared).collect();
    assert!(dead.is_empty(), "files that no `mod` names:\n{}", dead.join("\n"));
}

#[test]
fn packages_state_what_they_are() {
    let mut findings = Vec::new();
    for (folder, _) in LAYERS {
        findings.extend(Package::read(folder).omissions().into_iter().map(|omission| format!("{folder}: {omission}")));
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

#[test]
fn licences_bans_and_sources_of_dependencies_hold() {
    let findings = Metadata::of_the_workspace().findings();
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

// The checkers on samples that are wrong.

fn sample(files: &[(&str, &str)]) -> Crate {
    Crate::from_files(
        "sample/src/",
        files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect(),
    )
}

#[test]
fn a_wrong_dependency_is_found() {
    let manifest =
        Package::parse("[package]\nname = \"x\"\n[dependencies]\ncallboard-web.workspace = true\ntokio = \"1\"\n");
    let krate = sample(&[("lib.rs", "use callboard_smol::Smol;\nfn f() { callboard::main() }\n// callboard_sim::x\n")]);
    assert_eq!(
        direction("client", &["callboard-core"], &manifest, &krate),
        [
            "client/Cargo.toml: depends on callboard-web",
            "client/Cargo.toml: tokio belongs in [\"runtime-tokio\"]",
            "sample/src/lib.rs:1: names callboard_smol",
            "sample/src/lib.rs:2: names callboard",
        ]
    );
    let manifest = Package::parse(
        "[package]\nname = \"x\"\n[dependencies]\nbytes = \"1\"\nlibc = \"1\"\n[dev-dependencies]\na = \"1\"\n",
    );
    assert_eq!(direction("core", &[], &manifest, &sample(&[("lib.rs", "")])), ["core/Cargo.toml: depends on libc"]);
}

#[test]
fn a_circle_of_two_modules_is_found() {
    let krate = sample(&[
        ("lib.rs", "mod a;\nmod b;\nmod c;\n"),
        ("a.rs", "use crate::b::{self, B};\nuse crate::c::C;"),
        ("b.rs", "fn f() -> crate::a::A { todo() }"),
        ("c.rs", "// use crate::a::A;\n#[cfg(test)]\nmod tests { use crate::a::A; }"),
    ]);
    assert_eq!(circles(&krate), ["sample/src/: circle: a -> b -> a"]);
}

#[test]
fn a_circle_through_a_re_export_is_found() {
    let krate = sample(&[
        ("lib.rs", "mod a;\nmod b;\nmod c;\npub use a::{A, Other as Renamed};\npub use c::*;\n"),
        ("a.rs", "pub use crate::b::B;"),
        ("b.rs", "use crate::{\n    c::C,\n    Renamed,\n};"),
        ("c.rs", ""),
    ]);
    assert_eq!(circles(&krate), ["sample/src/: circle: a -> b -> a"]);
}

#[test]
fn a_circle_of_siblings_is_found() {
    let krate = sample(&[
        ("lib.rs", "mod http;\n"),
        ("http/mod.rs", "mod head;\nmod body;\nmod chunk;\npub use head::Head;\npub struct Own;"),
        ("http/head.rs", "use super::chunk::Chunk;"),
        ("http/body.rs", "use super::Head;\nuse super::Own;"),
        ("http/chunk.rs", "fn f() { super::body::g() }"),
    ]);
    assert_eq!(circles(&krate), ["sample/src/: circle: http::body -> http::head -> http::chunk -> http::body"]);
}

#[test]
fn what_is_no_circle_is_not_found() {
    let krate = sample(&[
        ("lib.rs", "mod a;\nmod b;\npub use a::A;\npub use b::B;\n"),
        ("a.rs", "use std::fmt;\nuse self::inner::X;\nmod inner { pub struct X; }\nuse other::b::B;"),
        ("b.rs", "use crate::A;\nuse crate::a::A as Alias;\nstruct S { b: crate::b::B }"),
    ]);
    assert_eq!(circles(&krate), [""; 0]);
}

#[test]
fn a_dead_file_is_found() {
    let krate = sample(&[
        ("lib.rs", "mod a;\npub mod b { pub mod c; }\n#[path = \"odd/e.rs\"]\nmod f;"),
        ("a.rs", ""),
        ("b/c.rs", ""),
        ("d.rs", ""),
        ("odd/e.rs", ""),
    ]);
    assert_eq!(krate.undeclared(), ["sample/src/d.rs"]);
}

#[test]
fn licence_expressions_are_understood() {
    let allowed = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned);
    for good in
        ["MIT", "MIT OR GPL-3.0", "GPL-3.0/MIT", "(MIT OR X) AND ISC", "Apache-2.0 WITH LLVM-exception", "MIT AND ISC"]
    {
        assert!(permits(good, &allowed), "{good}");
    }
    for bad in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR X) AND Y", "Apache-2.0", ""] {
        assert!(!permits(bad, &allowed), "{bad}");
    }
}

#[test]
fn a_bad_dependency_is_found() {
    let metadata = Metadata::parse(
        r#"{"packages": [
            {"name": "openssl-sys", "version": "1.0.0", "license": "MIT", "source": "registry+index"},
            {"name": "odd", "version": "2.0.0", "license": "Proprietary", "source": "registry+index"},
            {"name": "forked", "version": "3.0.0", "license": "MIT", "source": "git+https://example.org/forked"},
            {"name": "ours", "version": "0.1.0", "license": "MIT OR Apache-2.0", "source": null}
        ]}"#,
    );
    assert_eq!(
        metadata.findings(),
        [
            "openssl-sys 1.0.0: banned in deny.toml",
            "odd 2.0.0: licence Proprietary is not in deny.toml",
            "forked 3.0.0: comes from git+https://example.org/forked",
        ]
    );
}

/// What `http` is banned from and where it is let in: `edges` are (from, to, kinds).
fn findings_of(edges: &[(&str, &str, &str)]) -> Vec<String> {
    let names = ["ours", "multer", "hyperish", "http"];
    let package = |name: &str| {
        let source = if name == "ours" { "null" } else { "\"registry+index\"" };
        format!(r#"{{"id": "{name}", "name": "{name}", "version": "1.0.0", "license": "MIT", "source": {source}}}"#)
    };
    let dependency = |(_, to, kinds): &(&str, &str, &str)| {
        let kinds: Vec<String> = kinds.split(' ').map(|kind| format!(r#"{{"kind": {kind}}}"#)).collect();
        format!(r#"{{"pkg": "{to}", "dep_kinds": [{}]}}"#, kinds.join(","))
    };
    let node = |name: &str| {
        let own: Vec<String> = edges.iter().filter(|(from, ..)| *from == name).map(dependency).collect();
        format!(r#"{{"id": "{name}", "deps": [{}]}}"#, own.join(","))
    };
    let (packages, nodes) = (names.map(package).join(","), names.map(node).join(","));
    Metadata::parse(&format!(r#"{{"packages": [{packages}], "resolve": {{"nodes": [{nodes}]}}}}"#)).findings()
}

#[test]
fn a_ban_lets_in_what_tests_wrap_and_nothing_else() {
    const TESTS: &str = r#""dev""#;
    const BUILD: &str = r#""build""#;
    let banned = ["http 1.0.0: banned in deny.toml"];
    let inside = ("multer", "http", "null");
    assert_eq!(findings_of(&[("ours", "multer", TESTS), inside]), [""; 0]);
    assert_eq!(findings_of(&[("ours", "multer", "null"), inside]), banned);
    assert_eq!(findings_of(&[("ours", "multer", BUILD), inside]), banned);
    assert_eq!(findings_of(&[("ours", "multer", r#""dev" null"#), inside]), banned);
    assert_eq!(findings_of(&[("ours", "http", "null")]), banned);
    assert_eq!(findings_of(&[("ours", "hyperish", "null"), ("hyperish", "http", "null")]), banned);
    let by_another = ["http 1.0.0: banned in deny.toml, and hyperish is no wrapper of it"];
    let also = [("ours", "multer", TESTS), inside, ("ours", "hyperish", TESTS), ("hyperish", "http", "null")];
    assert_eq!(findings_of(&also), by_another);
    let direct = ["http 1.0.0: banned in deny.toml, and ours is no wrapper of it"];
    assert_eq!(findings_of(&[("ours", "http", TESTS)]), direct);
}
