//! The handlers of one path, by method.

use callboard_core::Method;

use crate::Fate;
use crate::handler::{Endpoint, Handler, erase};
use crate::needs::Needs;

/// The handlers of one path, by method: what [`get`], [`post`] and the like begin and methods of the same names go on.
///
/// A path with a GET handler answers HEAD by it (the body is not sent), and OPTIONS by 204 with `Allow`; any method
/// without a handler is answered by 405 with `Allow`.
///
/// ```
/// use callboard_web::{App, get};
///
/// let app = App::new().route("/note", get(async || "a note").put(async |text: String| text).delete(async || ()));
/// ```
#[derive(Default)]
pub struct MethodRouter {
    pub(crate) handlers: Vec<Registered>,
    pub(crate) any: Option<Registered>,
    /// The first method that was given two handlers.
    pub(crate) repeated: Option<String>,
}

/// A handler and how it is to be run.
pub(crate) struct Registered {
    pub(crate) method: Method,
    pub(crate) endpoint: Box<dyn Endpoint>,
    pub(crate) needs: Needs,
    fate: Option<Fate>,
}

impl Registered {
    fn new<T: 'static>(method: Method, handler: impl Handler<T>) -> Self {
        let (endpoint, needs) = erase(handler);
        Self { method, endpoint, needs, fate: None }
    }

    /// What happens to the handler when the peer goes away.
    pub(crate) fn fate(&self, method: &Method) -> Fate {
        match self.fate {
            Some(fate) => fate,
            None if self.needs.notice => Fate::Notify,
            None if method.is_safe() => Fate::Cancel,
            None => Fate::Finish,
        }
    }
}

macro_rules! verbs {
    ($($name:ident $method:ident $word:literal;)+) => {
        $(
            #[doc = concat!("The handler of ", $word, " requests to a path.")]
            pub fn $name<T: 'static>(handler: impl Handler<T>) -> MethodRouter {
                MethodRouter::default().$name(handler)
            }
        )+

        impl MethodRouter {
            $(
                #[doc = concat!("Adds the handler of ", $word, " requests.")]
                pub fn $name<T: 'static>(self, handler: impl Handler<T>) -> Self {
                    self.on(Method::$method, handler)
                }
            )+
        }
    };
}

verbs! {
    get Get "GET (and HEAD)";
    head Head "HEAD";
    post Post "POST";
    put Put "PUT";
    patch Patch "PATCH";
    delete Delete "DELETE";
    options Options "OPTIONS";
}

/// The handler of requests of one method to a path.
///
/// ```
/// use callboard_web::{App, Method, on};
///
/// let app = App::new().route("/calendar", on("REPORT".parse::<Method>().unwrap(), async || "a report"));
/// ```
pub fn on<T: 'static>(method: Method, handler: impl Handler<T>) -> MethodRouter {
    MethodRouter::default().on(method, handler)
}

/// The handler of requests of any method to a path.
pub fn any<T: 'static>(handler: impl Handler<T>) -> MethodRouter {
    MethodRouter::default().any(handler)
}

impl MethodRouter {
    /// Adds the handler of requests of one method. Two handlers of one method are a
    /// [`RouteError::MethodRepeated`](crate::RouteError::MethodRepeated) when the app starts.
    pub fn on<T: 'static>(mut self, method: Method, handler: impl Handler<T>) -> Self {
        self.add(Registered::new(method, handler));
        self
    }

    /// Adds the handler of requests of all methods that have none of their own.
    pub fn any<T: 'static>(mut self, handler: impl Handler<T>) -> Self {
        self.merge(Self { any: Some(Registered::new(Method::Get, handler)), ..Self::default() });
        self
    }

    /// Says what happens to the handlers added so far when their peer goes away. See [`Fate`] for the default.
    pub fn fate(mut self, fate: Fate) -> Self {
        for registered in self.handlers.iter_mut().chain(&mut self.any) {
            registered.fate = Some(fate);
        }
        self
    }

    fn add(&mut self, registered: Registered) {
        if self.handlers.iter().any(|other| other.method == registered.method) {
            self.repeated.get_or_insert(registered.method.to_string());
        } else {
            self.handlers.push(registered);
        }
    }

    /// Adds the handlers of another router of the same path.
    pub(crate) fn merge(&mut self, other: Self) {
        self.repeated = self.repeated.take().or(other.repeated);
        for registered in other.handlers {
            self.add(registered);
        }
        if self.any.is_some() && other.any.is_some() {
            self.repeated.get_or_insert_with(|| "any".to_owned());
        }
        self.any = self.any.take().or(other.any);
    }

    /// The place of the handler for `method`, HEAD falling back to GET.
    pub(crate) fn find(&self, method: &Method) -> Option<HandlerIndex> {
        let place = |method: &Method| self.handlers.iter().position(|registered| registered.method == *method);
        place(method)
            .or_else(|| if *method == Method::Head { place(&Method::Get) } else { None })
            .map(HandlerIndex::Method)
            .or_else(|| self.any.is_some().then_some(HandlerIndex::Any))
    }

    pub(crate) fn handler(&self, index: HandlerIndex) -> Option<&Registered> {
        match index {
            HandlerIndex::Method(place) => self.handlers.get(place),
            HandlerIndex::Any => self.any.as_ref(),
        }
    }

    /// All that is registered.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Registered> {
        self.handlers.iter().chain(&self.any)
    }

    /// The methods of `Allow`, in the order of registration; HEAD follows GET, and OPTIONS is last unless handled.
    pub(crate) fn allowed(&self) -> Vec<&Method> {
        let has = |method: &Method| self.handlers.iter().any(|registered| registered.method == *method);
        let mut methods = Vec::with_capacity(self.handlers.len() + 2);
        for registered in &self.handlers {
            methods.push(&registered.method);
            if registered.method == Method::Get && !has(&Method::Head) {
                methods.push(&Method::Head);
            }
        }
        if !has(&Method::Options) {
            methods.push(&Method::Options);
        }
        methods
    }
}

/// Which handler of a path.
#[derive(Clone, Copy, Debug)]
pub(crate) enum HandlerIndex {
    Method(usize),
    Any,
}

impl std::fmt::Debug for MethodRouter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.handlers.iter().map(|registered| &registered.method)).finish()
    }
}
