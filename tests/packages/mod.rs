//! Reads manifests, and what `cargo metadata` says of dependencies, and compares both with the rules of `deny.toml`.
//!
//! The same rules as `cargo deny check bans licenses sources`, without a tool to install: a plain clone checks them.

mod bans;

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::source::root;

use bans::Ban;

/// A manifest, as its sections and their lines.
pub(crate) struct Package {
    lines: Vec<(String, String)>,
}

impl Package {
    /// The manifest in a folder of the repository.
    pub(crate) fn read(folder: &str) -> Self {
        Self::parse(&fs::read_to_string(root().join(folder).join("Cargo.toml")).expect("a manifest"))
    }

    /// A manifest from its text: enough of TOML for manifests as cargo formats them.
    pub(crate) fn parse(text: &str) -> Self {
        let (mut section, mut lines) = (String::new(), Vec::new());
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                name.clone_into(&mut section);
            }
            lines.push((section.clone(), line.to_owned()));
        }
        Self { lines }
    }

    /// The names of what the package depends on, on any platform; not for its tests.
    pub(crate) fn dependencies(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for (section, line) in &self.lines {
            let is_list =
                section == "dependencies" || section.starts_with("target.") && section.ends_with(".dependencies");
            if let Some((name, _)) = line.split_once([' ', '.', '=']).filter(|_| is_list && !line.starts_with('[')) {
                names.push(name);
            } else if let Some(name) = section.strip_prefix("dependencies.").filter(|_| line.starts_with('[')) {
                names.push(name);
            }
        }
        names
    }

    /// What a package of ours has to say and does not.
    pub(crate) fn omissions(&self) -> Vec<String> {
        let wanted = [
            ("package", "version.workspace = true"),
            ("package", "edition.workspace = true"),
            ("package", "rust-version.workspace = true"),
            ("package", "license.workspace = true"),
            ("package", "repository.workspace = true"),
            ("package", "description = "),
        ];
        let has = |section: &str, text: &str| {
            self.lines.iter().any(|(place, line)| place == section && line.starts_with(text))
        };
        // A crate with one audited file of unsafe code cannot take `forbid` from the workspace: it repeats the rest.
        let own = has("lints.rust", "unsafe_code = \"deny\"")
            && has("lints.rust", "missing_docs = \"warn\"")
            && has("lints.clippy", "pedantic = ");
        let missing = wanted.iter().filter(|(section, text)| !has(section, text));
        let mut omissions: Vec<String> =
            missing.map(|(section, text)| format!("[{section}] without `{text}`")).collect();
        if !own && !has("lints", "workspace = true") {
            omissions.push("[lints] neither of the workspace nor as strict".to_owned());
        }
        omissions
    }
}

/// The packages that the workspace is built from, and the rules for them.
pub(crate) struct Metadata {
    packages: Vec<Value>,
    resolve: Value,
    licences: Vec<String>,
    bans: Vec<Ban>,
}

impl Metadata {
    /// Of this workspace, with all features, on Linux: what it can be linked from.
    pub(crate) fn of_the_workspace() -> Self {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let arguments = [
            "metadata",
            "--format-version=1",
            "--all-features",
            "--locked",
            "--filter-platform=x86_64-unknown-linux-gnu",
        ];
        let output = Command::new(cargo).args(arguments).current_dir(root()).output().expect("cargo runs");
        assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
        let metadata = Self::parse(&String::from_utf8(output.stdout).expect("JSON is UTF-8"));
        assert!(metadata.packages.len() > 20, "only {} packages", metadata.packages.len());
        metadata
    }

    /// From the output of `cargo metadata`, with the rules of `deny.toml`. If it lists what is resolved, that counts.
    pub(crate) fn parse(text: &str) -> Self {
        let metadata: Value = serde_json::from_str(text).expect("JSON from cargo");
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let resolve = metadata["resolve"].clone();
        let nodes: Vec<Value> = list(&resolve["nodes"]);
        let is_used = |package: &Value| nodes.is_empty() || nodes.iter().any(|node| node["id"] == package["id"]);
        let packages = list(&metadata["packages"]).into_iter().filter(is_used).collect();
        let rules = fs::read_to_string(root().join("deny.toml")).expect("deny.toml");
        let licences = strings(section(&rules, "[licenses]"));
        Self { packages, resolve, licences, bans: bans::read(section(&rules, "[bans]")) }
    }

    /// Packages that break a rule, one line each.
    pub(crate) fn findings(&self) -> Vec<String> {
        let mut findings = Vec::new();
        for package in &self.packages {
            let text = |key: &str| package[key].as_str().unwrap_or_default();
            let name = format!("{} {}", text("name"), text("version"));
            let ban = self.bans.iter().find(|ban| ban.name == text("name"));
            if let Some(way) = ban.and_then(|ban| ban.broken_by(text("id"), &self.packages, &self.resolve)) {
                findings.push(format!("{name}: banned in deny.toml{way}"));
            }
            if !permits(text("license"), &self.licences) {
                findings.push(format!("{name}: licence {} is not in deny.toml", text("license")));
            }
            if text("source").starts_with("git+") {
                findings.push(format!("{name}: comes from {}", text("source")));
            }
        }
        findings
    }
}

/// The lines from a heading to the next.
fn section<'a>(rules: &'a str, heading: &str) -> &'a str {
    let start = rules.find(heading).unwrap_or_else(|| panic!("deny.toml has no {heading}")) + heading.len();
    let length = rules[start..].find("\n[").unwrap_or(rules.len() - start);
    &rules[start..start + length]
}

/// The strings of the first list in a section.
fn strings(section: &str) -> Vec<String> {
    let list = section.split_once("allow = [").expect("a list of licences").1;
    let list = list.lines().map(|line| line.split('#').next().unwrap_or_default());
    list.take_while(|line| !line.starts_with(']'))
        .filter_map(|line| line.split('"').nth(1))
        .map(str::to_owned)
        .collect()
}

/// Whether an SPDX expression can be met by licences of the list.
pub(crate) fn permits(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ").replace(" WITH ", "_WITH_");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut position = 0;
    any_of(&words, &mut position, allowed) && position == words.len()
}

/// `a AND b OR c`: AND binds more closely.
fn any_of(words: &[&str], position: &mut usize, allowed: &[String]) -> bool {
    let mut met = all_of(words, position, allowed);
    while words.get(*position) == Some(&"OR") {
        *position += 1;
        met |= all_of(words, position, allowed);
    }
    met
}

fn all_of(words: &[&str], position: &mut usize, allowed: &[String]) -> bool {
    let mut met = one(words, position, allowed);
    while words.get(*position) == Some(&"AND") {
        *position += 1;
        met &= one(words, position, allowed);
    }
    met
}

fn one(words: &[&str], position: &mut usize, allowed: &[String]) -> bool {
    let Some(word) = words.get(*position) else { return false };
    *position += 1;
    if *word == "(" {
        let met = any_of(words, position, allowed);
        *position += 1;
        return met;
    }
    allowed.contains(&word.replace("_WITH_", " WITH "))
}
