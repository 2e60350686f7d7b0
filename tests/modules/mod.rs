//! Finds circles between the modules of a crate, from its text.
//!
//! A reference counts between the two siblings where the paths of its ends part: `a::b` naming something in `a::c::d`
//! is an edge from `a::b` to `a::c`. A module and its parent are one room and may name each other. Tests do not count.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{SourceFile, code, files, tokens, without_tests};

type Path = Vec<String>;

/// The source of one crate.
pub(crate) struct Crate {
    /// The folder of its sources, with a `/` at the end.
    top: String,
    files: Vec<(String, String)>,
}

/// What one module names, defines and re-exports, all by absolute paths.
#[derive(Default)]
struct Module {
    references: Vec<Path>,
    definitions: BTreeSet<String>,
    exports: BTreeMap<String, Path>,
    globs: Vec<Path>,
    declared: Vec<Path>,
}

impl Crate {
    /// The crate in a folder of the repository.
    pub(crate) fn read(folder: &str) -> Self {
        let top = if folder == "." { "src/".to_owned() } else { format!("{folder}/src/") };
        let below = |file: SourceFile| file.path.strip_prefix(&top).map(|path| (path.to_owned(), file.text.clone()));
        Self::from_files(&top, files(&["rs"]).into_iter().filter_map(below).collect())
    }

    /// A crate from paths below its `src` and their texts.
    pub(crate) fn from_files(top: &str, files: Vec<(String, String)>) -> Self {
        Self { top: top.to_owned(), files }
    }

    /// Where the code, tests apart, names a crate of ours: file, line, name.
    pub(crate) fn names_of_crates(&self) -> Vec<(String, usize, String)> {
        let mut found = Vec::new();
        for (file, text) in &self.files {
            let code = without_tests(&code(text));
            let tokens = tokens(&code);
            for pair in tokens.windows(2).filter(|pair| pair[0].1.starts_with("callboard")) {
                if matches!(pair[1].1, ":" | ";" | "as") {
                    found.push((format!("{}{file}", self.top), pair[0].0, pair[0].1.to_owned()));
                }
            }
        }
        found
    }

    /// Files that no `mod` declares, so that nothing compiles them.
    pub(crate) fn undeclared(&self) -> Vec<String> {
        let mut declared = BTreeSet::new();
        for (file, text) in &self.files {
            declared.extend(Reader::new(&module_path(file), &code(text)).read().declared);
            // `#[path = "..."]` names a file beside this one.
            let folder = file.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
            let named = text.split("#[path = \"").skip(1).filter_map(|rest| rest.split('"').next());
            declared.extend(named.map(|name| module_path(&format!("{folder}{name}"))));
        }
        let is_dead = |file: &str| !matches!(file, "lib.rs" | "main.rs") && !declared.contains(&module_path(file));
        let dead = self.files.iter().filter(|(file, _)| is_dead(file));
        dead.map(|(file, _)| format!("{}{file}", self.top)).collect()
    }

    fn modules(&self) -> BTreeMap<Path, Module> {
        let read = |(file, text): &(String, String)| {
            let path = module_path(file);
            let module = Reader::new(&path, &without_tests(&code(text))).read();
            (path, module)
        };
        let mut modules: BTreeMap<Path, Module> = self.files.iter().map(read).collect();
        // `use child::Name` in a parent needs no `self::`; any other bare path leads out of the crate.
        let known: BTreeSet<Path> = modules.keys().cloned().collect();
        for (path, module) in &mut modules {
            let bare = |target: &mut Path| {
                if target.first().is_some_and(|first| first == BARE) {
                    target.splice(..1, path.iter().cloned());
                    return target.len() > path.len() && known.contains(&target[..=path.len()]);
                }
                true
            };
            module.references.retain_mut(bare);
            module.globs.retain_mut(bare);
            module.exports.retain(|_, target| bare(target));
        }
        modules
    }
}

/// `http1/mod.rs` and `http1.rs` are `[http1]`; `lib.rs` is the root.
fn module_path(file: &str) -> Path {
    let stem = file.trim_end_matches(".rs");
    let mut path: Path = stem.split('/').map(str::to_owned).collect();
    if matches!(path.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        path.pop();
    }
    path
}

/// Marks a path that began with a plain name.
const BARE: &str = "(bare)";

/// Reads the declarations and paths of one file.
struct Reader<'a> {
    tokens: Vec<&'a str>,
    /// The module at this point: that of the file, and the inline ones around, each with its depth of braces.
    file: Path,
    inline: Vec<(String, usize)>,
    depth: usize,
    module: Module,
}

impl<'a> Reader<'a> {
    fn new(file: &Path, code: &'a str) -> Self {
        let tokens = tokens(code).into_iter().map(|(_, token)| token).collect();
        Self { tokens, file: file.clone(), inline: Vec::new(), depth: 0, module: Module::default() }
    }

    fn read(mut self) -> Module {
        const DEFINES: [&str; 8] = ["fn", "struct", "enum", "trait", "const", "static", "type", "union"];
        let mut position = 0;
        while position < self.tokens.len() {
            match self.tokens[position] {
                "{" => self.depth += 1,
                "}" => {
                    self.depth = self.depth.saturating_sub(1);
                    self.inline.retain(|(_, depth)| *depth <= self.depth);
                }
                "mod" => self.declare(position),
                "use" => {
                    position = self.import(position);
                    continue;
                }
                "crate" | "super" | "self" if self.leads(position) => {
                    let (path, next) = self.path(position);
                    let path = self.absolute(&path);
                    self.module.references.push(path);
                    position = next;
                    continue;
                }
                word if DEFINES.contains(&word) => {
                    if let Some(name) = self.tokens.get(position + 1) {
                        self.module.definitions.insert((*name).to_owned());
                    }
                }
                _ => {}
            }
            position += 1;
        }
        self.module
    }

    fn here(&self) -> Path {
        self.file.iter().cloned().chain(self.inline.iter().map(|(name, _)| name.clone())).collect()
    }

    fn declare(&mut self, position: usize) {
        let (Some(name), Some(next)) = (self.tokens.get(position + 1), self.tokens.get(position + 2)) else { return };
        let mut path = self.here();
        path.push((*name).to_owned());
        self.module.declared.push(path);
        if *next == "{" {
            self.inline.push(((*name).to_owned(), self.depth + 1));
        }
    }

    /// Does `::` follow this token, and is it no part of a longer path?
    fn leads(&self, position: usize) -> bool {
        let token = |offset: usize| self.tokens.get(position + offset).copied().unwrap_or_default();
        let inside = position >= 2 && self.tokens[position - 1] == ":" && self.tokens[position - 2] == ":";
        token(1) == ":" && token(2) == ":" && !inside
    }

    /// The names of a path, and the position behind it.
    fn path(&self, mut position: usize) -> (Path, usize) {
        let mut path = vec![self.tokens[position].to_owned()];
        while self.tokens.get(position + 1) == Some(&":") && self.tokens.get(position + 2) == Some(&":") {
            let Some(name) = self.tokens.get(position + 3).filter(|token| token.starts_with(is_name_start)) else {
                break;
            };
            path.push((*name).to_owned());
            position += 3;
        }
        (path, position + 1)
    }

    fn absolute(&self, path: &[String]) -> Path {
        let mut base = self.here();
        let mut rest = path;
        match rest.first().map(String::as_str) {
            Some("crate") => (base, rest) = (Vec::new(), &rest[1..]),
            Some("self") => rest = &rest[1..],
            Some("super") => {}
            // `$crate` and bare names are told apart when all modules are known.
            _ => base = vec![BARE.to_owned()],
        }
        while rest.first().is_some_and(|name| name == "super") {
            base.pop();
            rest = &rest[1..];
        }
        base.extend(rest.iter().filter(|name| *name != "self").cloned());
        base
    }

    /// Reads one `use` declaration; gives the position behind it.
    fn import(&mut self, position: usize) -> usize {
        let before = |offset: usize| position.checked_sub(offset).map_or("", |position| self.tokens[position]);
        let public = before(1) == "pub" || before(1) == ")";
        let end = position + self.tokens[position..].iter().position(|token| *token == ";").unwrap_or(0);
        if end == position || self.tokens[position + 1] == "<" {
            return position + 1; // `use<'a>` in a bound
        }
        let tree: Vec<String> = self.tokens[position + 1..end].iter().map(|token| (*token).to_owned()).collect();
        let mut leaves = Vec::new();
        flatten(&tree, &[], &mut leaves);
        for (path, name) in leaves {
            let is_glob = path.last().is_some_and(|last| last == "*");
            let mut path = self.absolute(&path);
            if is_glob {
                path.pop();
            }
            if public && is_glob {
                self.module.globs.push(path.clone());
            } else if public {
                self.module.exports.insert(name, path.clone());
            }
            self.module.references.push(path);
        }
        end + 1
    }
}

fn is_name_start(character: char) -> bool {
    character.is_alphabetic() || character == '_'
}

/// The leaves of a use tree: the path of each, and the name that it gets.
fn flatten(tree: &[String], prefix: &[String], leaves: &mut Vec<(Path, String)>) {
    let mut path: Path = prefix.to_vec();
    let mut position = 0;
    while position < tree.len() {
        match tree[position].as_str() {
            ":" => {}
            "{" => {
                for branch in branches(&tree[position + 1..]) {
                    flatten(branch, &path, leaves);
                }
                return;
            }
            "as" => {
                let name = tree.get(position + 1).cloned().unwrap_or_default();
                leaves.push((path, name));
                return;
            }
            name => path.push(name.to_owned()),
        }
        position += 1;
    }
    if !tree.is_empty() {
        let name = path.iter().rev().find(|name| *name != "self").cloned().unwrap_or_default();
        leaves.push((path, name));
    }
}

/// The parts between the commas up to the brace that closes the list.
fn branches(list: &[String]) -> Vec<&[String]> {
    let (mut depth, mut start, mut found) = (0_usize, 0, Vec::new());
    for (position, token) in list.iter().enumerate() {
        match token.as_str() {
            "{" => depth += 1,
            "}" if depth == 0 => {
                found.push(&list[start..position]);
                return found;
            }
            "}" => depth -= 1,
            "," if depth == 0 => {
                found.push(&list[start..position]);
                start = position + 1;
            }
            _ => {}
        }
    }
    found
}

/// The modules in which a path ends, with those whose re-exports led there.
fn resolve(modules: &BTreeMap<Path, Module>, path: &[String], depth: usize, ends: &mut BTreeSet<Path>) {
    let Some(length) = (0..=path.len()).rev().find(|&length| modules.contains_key(&path[..length])) else { return };
    let (place, rest) = path.split_at(length);
    ends.insert(place.to_vec());
    let module = &modules[place];
    let Some(name) = rest.first().filter(|_| depth < 8) else { return };
    if let Some(target) = module.exports.get(name) {
        let target: Path = target.iter().chain(&rest[1..]).cloned().collect();
        return resolve(modules, &target, depth + 1, ends);
    }
    for glob in &module.globs {
        let defines = |module: &Module| module.definitions.contains(name) || module.exports.contains_key(name);
        if modules.get(glob).is_some_and(defines) {
            let target: Path = glob.iter().chain(rest).cloned().collect();
            resolve(modules, &target, depth + 1, ends);
        }
    }
}

/// The circles between modules, one line each.
pub(crate) fn circles(krate: &Crate) -> Vec<String> {
    let modules = krate.modules();
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, module) in &modules {
        let mut ends = BTreeSet::new();
        for reference in &module.references {
            resolve(&modules, reference, 0, &mut ends);
        }
        for end in ends {
            let common = path.iter().zip(&end).take_while(|(left, right)| left == right).count();
            if common < path.len() && common < end.len() {
                edges.entry(path[..=common].join("::")).or_default().insert(end[..=common].join("::"));
            }
        }
    }
    let mut reported = BTreeSet::new();
    let mut found = Vec::new();
    for start in edges.keys() {
        if reported.contains(start) {
            continue;
        }
        if let Some(circle) = way_back(&edges, start) {
            found.push(format!("{}: circle: {} -> {start}", krate.top, circle.join(" -> ")));
            reported.extend(circle);
        }
    }
    found
}

/// The shortest way from a module back to itself.
fn way_back(edges: &BTreeMap<String, BTreeSet<String>>, start: &str) -> Option<Vec<String>> {
    let mut seen = BTreeSet::new();
    let mut ways = std::collections::VecDeque::from([vec![start.to_owned()]]);
    while let Some(way) = ways.pop_front() {
        for next in edges.get(way.last()?).into_iter().flatten() {
            if next == start {
                return Some(way);
            }
            if seen.insert(next.clone()) {
                ways.push_back(way.iter().cloned().chain([next.clone()]).collect());
            }
        }
    }
    None
}
