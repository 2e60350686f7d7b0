//! An actor that does what it is told, and writes down what happened to it.

use std::sync::{Arc, Mutex};

use callboard_runtime::actor::{Actor, Context, Reply};

/// What happened, in order; shared with the test.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(crate) fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    /// Takes what was written, as one line.
    pub(crate) fn take(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap()).join(" ")
    }

    /// Something that notes its drop.
    pub(crate) fn trace(&self, name: &'static str) -> Trace {
        Trace { name, log: self.clone() }
    }
}

pub(crate) struct Trace {
    name: &'static str,
    log: Log,
}

impl Drop for Trace {
    fn drop(&mut self) {
        self.log.note(format!("{}-dropped", self.name));
    }
}

pub(crate) struct Probe {
    pub(crate) log: Log,
    /// Dropped with the probe.
    pub(crate) held: Vec<Trace>,
    pub(crate) panics_when: &'static str,
}

type Deed = Box<dyn FnOnce(&mut Probe, &mut Context<Probe>) + Send>;

pub(crate) enum Order {
    /// Is written down.
    Note(&'static str),
    Number(usize),
    /// Is called.
    Call(Deed),
    /// Is answered with the number of the actor's messages so far.
    Ask(Reply<&'static str>),
    /// Does nothing, but holds something.
    Hold(Trace),
}

impl Order {
    pub(crate) fn call(deed: impl FnOnce(&mut Probe, &mut Context<Probe>) + Send + 'static) -> Self {
        Self::Call(Box::new(deed))
    }
}

impl Probe {
    pub(crate) fn new(log: &Log) -> Self {
        Self { log: log.clone(), held: Vec::new(), panics_when: "" }
    }
}

impl Actor for Probe {
    type Message = Order;

    fn handle(&mut self, order: Order, context: &mut Context<Self>) {
        match order {
            Order::Note(what) => self.log.note(what),
            Order::Number(number) => self.log.note(number.to_string()),
            Order::Call(deed) => deed(self, context),
            Order::Ask(reply) => reply.send("answer"),
            Order::Hold(trace) => drop(trace),
        }
    }

    fn started(&mut self, _: &mut Context<Self>) {
        assert_ne!(self.panics_when, "started", "panic at start");
        self.log.note("started");
    }

    fn stopped(&mut self) {
        assert_ne!(self.panics_when, "stopped", "panic at stop with {} held", self.held.len());
        self.log.note("stopped");
    }
}
