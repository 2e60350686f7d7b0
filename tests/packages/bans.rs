//! Which packages may not be used, and the ways by which tests may use one nevertheless.
//!
//! As cargo-deny has it, `wrappers` names who may depend on a banned package. Here that holds for what only tests are
//! built from: whatever a user builds has no way around a ban, not even through a wrapper.

use std::collections::BTreeSet;

use serde_json::Value;

/// A package of the list `deny`.
pub(super) struct Ban {
    pub(super) name: String,
    wrappers: Vec<String>,
}

/// The tables in the list of a section, one a line.
pub(super) fn read(section: &str) -> Vec<Ban> {
    let read = |line: &str| {
        let name = line.split_once("{ name = \"")?.1.split('"').next()?.to_owned();
        let list = line.split_once("wrappers = [").and_then(|(_, rest)| rest.split(']').next()).unwrap_or_default();
        let wrappers = list.split('"').skip(1).step_by(2).map(str::to_owned).collect();
        Some(Ban { name, wrappers })
    };
    section.lines().filter_map(read).collect()
}

impl Ban {
    /// How a package breaks its ban, if it does: the end of a sentence. Where nothing tells who depends on it, its
    /// presence does.
    pub(super) fn broken_by(&self, id: &str, packages: &[Value], resolve: &Value) -> Option<String> {
        let Some(nodes) = resolve["nodes"].as_array() else { return Some(String::new()) };
        if built_by_users(nodes, &ours(packages)).contains(id) {
            return Some(String::new());
        }
        let name_of = |id: &str| {
            let package = packages.iter().find(|package| package["id"] == id);
            package.and_then(|package| package["name"].as_str()).unwrap_or(id).to_owned()
        };
        let parents = nodes.iter().filter(|node| dependencies(node).any(|(target, _)| target == id));
        let mut names = parents.filter_map(|node| node["id"].as_str()).map(name_of);
        names.find(|name| !self.wrappers.contains(name)).map(|name| format!(", and {name} is no wrapper of it"))
    }
}

/// The packages of ours, by their ids: those without a source.
fn ours(packages: &[Value]) -> Vec<&str> {
    packages.iter().filter(|package| package["source"].is_null()).filter_map(|package| package["id"].as_str()).collect()
}

/// What our packages reach by dependencies that are not for tests alone.
fn built_by_users<'a>(nodes: &'a [Value], ours: &[&'a str]) -> BTreeSet<&'a str> {
    let (mut reached, mut open) = (BTreeSet::new(), ours.to_vec());
    while let Some(id) = open.pop() {
        if reached.insert(id)
            && let Some(node) = nodes.iter().find(|node| node["id"] == id)
        {
            open.extend(dependencies(node).filter(|(_, is_for_tests)| !is_for_tests).map(|(target, _)| target));
        }
    }
    reached
}

/// What a node depends on, and whether for its tests alone.
fn dependencies(node: &Value) -> impl Iterator<Item = (&str, bool)> {
    node["deps"].as_array().into_iter().flatten().filter_map(|dependency| {
        let mut kinds = dependency["dep_kinds"].as_array()?.iter();
        Some((dependency["pkg"].as_str()?, kinds.all(|kind| kind["kind"] == "dev")))
    })
}
