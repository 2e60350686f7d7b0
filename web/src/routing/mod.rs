//! From a request's path and method to its handler.
//!
//! Every path is a leaf of one radix tree (`matchit`), found without an allocation; the handlers of a path are few and
//! compared one by one.

mod method_router;
mod path;
mod statics;

use callboard_core::{Method, Target, TargetForm};

use crate::error::RouteError;
use crate::facts::RouteName;
use crate::params::Params;

pub(crate) use method_router::{HandlerIndex, Registered};
pub use method_router::{MethodRouter, any, delete, get, head, on, options, patch, post, put};
use statics::Statics;

/// All routes of an app.
#[derive(Default)]
pub(crate) struct Router {
    tree: matchit::Router<u32>,
    statics: Statics,
    routes: Vec<Route>,
    /// CONNECT names no path.
    connect: Option<MethodRouter>,
}

/// One path.
struct Route {
    /// As registered: `/users/{id}`.
    pattern: String,
    /// As in the tree.
    normal: String,
    methods: MethodRouter,
}

impl Route {
    /// Whether a parameter shares its segment with other text: `img-{number}.png`.
    fn is_affixed(&self) -> bool {
        let plain = self.normal.replace("{{", "").replace("}}", "");
        plain.split('/').any(|segment| segment.contains('{') && !(segment.starts_with('{') && segment.ends_with('}')))
    }
}

/// What a request leads to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome {
    Handler(u32, HandlerIndex),
    /// CONNECT has a handler of its own.
    Tunnel,
    NotFound,
    /// The path exists, the method does not.
    NotAllowed(u32),
    /// OPTIONS of a path that does not handle it.
    Options(u32),
    /// OPTIONS of the server as a whole.
    ServerOptions,
    /// The path does not decode to UTF-8.
    BadPath,
}

impl Router {
    /// Adds a path, or handlers to a path that is known.
    pub(crate) fn add(&mut self, pattern: &str, methods: MethodRouter) -> Result<(), RouteError> {
        if !pattern.starts_with('/') {
            return Err(RouteError::Invalid { path: pattern.into(), why: "a path starts with `/`".into() });
        }
        if let Some(route) = self.routes.iter_mut().find(|route| route.pattern == pattern) {
            route.methods.merge(methods);
            return Self::check_repeated(route);
        }
        if ["%7b", "%7d"].iter().any(|brace| pattern.to_ascii_lowercase().contains(brace)) {
            return Err(RouteError::Invalid { path: pattern.into(), why: "a brace is written `{{` or `}}`".into() });
        }
        let invalid = |why: String| RouteError::Invalid { path: pattern.into(), why };
        let Some(normal) = path::normalize(pattern) else {
            return Err(invalid("it does not decode to UTF-8".into()));
        };
        let route = Route { pattern: pattern.into(), normal: normal.into_owned(), methods };
        let index = u32::try_from(self.routes.len()).unwrap_or(u32::MAX);
        match self.tree.insert(route.normal.as_str(), index) {
            Ok(()) => self.routes.push(route),
            Err(matchit::InsertError::Conflict { with }) => {
                self.routes.push(route);
                self.rebuild(with)?;
            }
            Err(error) => return Err(invalid(error.to_string())),
        }
        if let Some(route) = self.routes.last() {
            self.statics.add(&route.normal, index);
        }
        self.routes.last().map_or(Ok(()), Self::check_repeated)
    }

    /// Inserts everything anew after the last route seemed to conflict: the tree takes `/files/img-{number}` after
    /// `/{a}/{b}`, but not before.
    fn rebuild(&mut self, with: String) -> Result<(), RouteError> {
        let mut tree = matchit::Router::new();
        let (affixed, plain): (Vec<_>, Vec<_>) =
            self.routes.iter().zip(0_u32..).partition(|(route, _)| route.is_affixed());
        let all = plain.into_iter().chain(affixed);
        if all.into_iter().all(|(route, index)| tree.insert(route.normal.as_str(), index).is_ok()) {
            self.tree = tree;
            return Ok(());
        }
        let Some(last) = self.routes.pop() else { return Ok(()) };
        let rival = self.routes.iter().find(|route| {
            let mut pair = matchit::Router::new();
            pair.insert(route.normal.as_str(), 0_u32).is_ok() && pair.insert(last.normal.as_str(), 0).is_err()
        });
        let with = rival.map_or(with, |route| route.pattern.clone());
        Err(RouteError::Conflict { path: last.pattern, with })
    }

    fn check_repeated(route: &Route) -> Result<(), RouteError> {
        match &route.methods.repeated {
            Some(method) => Err(RouteError::MethodRepeated { path: route.pattern.clone(), method: method.clone() }),
            None => Ok(()),
        }
    }

    /// Handles CONNECT.
    pub(crate) fn connect(&mut self, methods: MethodRouter) {
        self.connect = Some(methods);
    }

    /// Where a request leads.
    pub(crate) fn find(&self, method: &Method, target: &Target) -> (Outcome, Params) {
        match target.form() {
            TargetForm::Origin | TargetForm::Absolute => self.find_path(method, target.path()),
            TargetForm::Asterisk => (Outcome::ServerOptions, Params::default()),
            TargetForm::Authority if self.connect.is_some() => (Outcome::Tunnel, Params::default()),
            TargetForm::Authority => (Outcome::NotFound, Params::default()),
        }
    }

    #[inline]
    fn find_path(&self, method: &Method, path: &str) -> (Outcome, Params) {
        match self.statics.find(path) {
            Some(index) => (self.find_method(method, index), Params::new(index)),
            None => self.find_in_tree(method, path),
        }
    }

    fn find_in_tree(&self, method: &Method, path: &str) -> (Outcome, Params) {
        let Some(path) = path::normalize(path) else { return (Outcome::BadPath, Params::default()) };
        let Ok(found) = self.tree.at(&path) else { return (Outcome::NotFound, Params::default()) };
        let index = *found.value;
        let mut params = Params::new(index);
        for (_, value) in found.params.iter() {
            // The values are parts of the path: their distance from its start is where they lie.
            let start = value.as_ptr().addr() - path.as_ptr().addr();
            params.push(start..start + value.len());
        }
        params.keep_path(path);
        (self.find_method(method, index), params)
    }

    #[inline]
    fn find_method(&self, method: &Method, index: u32) -> Outcome {
        let Some(route) = self.route(index) else { return Outcome::NotFound };
        match route.methods.find(method) {
            Some(handler) => Outcome::Handler(index, handler),
            None if *method == Method::Options => Outcome::Options(index),
            None => Outcome::NotAllowed(index),
        }
    }

    fn route(&self, index: u32) -> Option<&Route> {
        self.routes.get(index as usize)
    }

    /// The handler that an outcome names.
    pub(crate) fn handler(&self, outcome: Outcome) -> Option<&Registered> {
        match outcome {
            Outcome::Handler(route, index) => self.route(route)?.methods.handler(index),
            Outcome::Tunnel => self.connect.as_ref()?.handler(HandlerIndex::Any),
            _ => None,
        }
    }

    /// What requests may know of the routes, by index.
    pub(crate) fn names(&self) -> Vec<RouteName> {
        let name = |route: &Route| RouteName { pattern: route.pattern.clone(), params: names(&route.pattern) };
        self.routes.iter().map(name).collect()
    }

    /// All that is registered, with the path (`CONNECT` for tunnels).
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Registered)> {
        let paths = self.routes.iter().map(|route| (route.pattern.as_str(), &route.methods));
        let tunnels = self.connect.iter().map(|methods| ("CONNECT", methods));
        paths.chain(tunnels).flat_map(|(pattern, methods)| methods.iter().map(move |registered| (pattern, registered)))
    }

    /// The value of `Allow` for one path, or for the server as a whole.
    pub(crate) fn allow(&self, route: Option<u32>) -> String {
        let routes = match route {
            Some(index) => self.route(index).map(std::slice::from_ref).unwrap_or_default(),
            None => &self.routes,
        };
        let mut names: Vec<&str> = Vec::new();
        for method in routes.iter().flat_map(|route| route.methods.allowed()) {
            if !names.contains(&method.as_str()) {
                names.push(method.as_str());
            }
        }
        names.join(", ")
    }
}

/// The names between braces, in order. `{{` and `}}` stand for braces.
fn names(pattern: &str) -> Vec<String> {
    let mut names = Vec::new();
    let plain = pattern.replace("{{", "").replace("}}", "");
    let mut rest = plain.as_str();
    while let Some((_, tail)) = rest.split_once('{') {
        let Some((name, tail)) = tail.split_once('}') else { break };
        names.push(name.trim_start_matches('*').to_owned());
        rest = tail;
    }
    names
}
