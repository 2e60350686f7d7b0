//! The stand-in for the reactor on systems without epoll: no worker can exist, so no call here can happen.

use std::io;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use callboard_runtime::Task;

pub(crate) type TimerKey = (u64, u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Read,
    Write,
}

#[derive(Debug)]
pub(crate) enum Workers {}

#[derive(Debug)]
pub(crate) enum Worker {}

#[derive(Debug)]
pub(crate) enum Registration {}

impl Workers {
    pub(crate) fn new(_: usize, _: Instant) -> Option<Self> {
        None
    }

    pub(crate) fn count(&self) -> usize {
        match *self {}
    }

    pub(crate) fn here(&self) -> Arc<Worker> {
        match *self {}
    }

    pub(crate) fn turn(&self) -> Option<u64> {
        match *self {}
    }

    pub(crate) fn spawn(&self, _: Task) {
        match *self {}
    }

    pub(crate) fn spawn_on(&self, _: usize, _: Box<dyn FnOnce() -> Task + Send>) {
        match *self {}
    }

    pub(crate) fn block_on(&self, _: Pin<&mut dyn Future<Output = ()>>) -> io::Result<()> {
        match *self {}
    }

    pub(crate) fn sources(&self) -> usize {
        match *self {}
    }
}

impl Worker {
    pub(crate) fn poll_timer(self: &Arc<Self>, _: &mut Option<TimerKey>, _: u64, _: &Waker) -> Poll<()> {
        match **self {}
    }

    pub(crate) fn disarm(&self, _: &mut Option<TimerKey>) {
        match *self {}
    }
}

impl Registration {
    pub(crate) fn new(worker: &Arc<Worker>, _: impl AsFd, _: bool) -> io::Result<Self> {
        match **worker {}
    }

    pub(crate) fn poll_ready(&self, _: Direction, _: &mut Context<'_>) -> Poll<io::Result<u32>> {
        match *self {}
    }

    pub(crate) fn clear(&self, _: Direction, _: u32) {
        match *self {}
    }

    pub(crate) fn clear_after_short_read(&self, _: u32) {
        match *self {}
    }
}
