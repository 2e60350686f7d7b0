//! Files as bodies: opened when the request starts, read piece by piece, away from the reactor.
//!
//! The file stays open from its first attempt to the last, so that all of them send the same file; each begins at its
//! start and ends at the length that was announced.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use callboard_core::media_type;
use callboard_runtime::{BoxFuture, Handle};
use futures_lite::Stream;

use crate::body::{Again, Body, Content, OCTETS};
use crate::error::{BodyError, ErrorKind};
use crate::file_error::FileError;

/// Bytes that are read in one go.
const PIECE: u64 = 256 * 1024;

impl Body {
    /// The content of a file, from its start.
    ///
    /// It is opened when the request starts, with the length that it has then as `Content-Length`, and read in pieces
    /// of 256 KiB by [`Runtime::run_blocking`](callboard_runtime::Runtime::run_blocking), when there is room to send.
    /// What is appended meanwhile is not sent; that the file got shorter, cannot be opened or is no regular file is
    /// [`ErrorKind::File`](crate::ErrorKind::File). It can be sent again, and is closed when nothing can send it any
    /// more. `Content-Type` is what a small table says of the extension, else `application/octet-stream`.
    ///
    /// ```no_run
    /// # async fn example(session: callboard_client::Session) -> Result<(), callboard_client::Error> {
    /// use callboard_client::Body;
    ///
    /// session.put("http://example.org/backup").body(Body::file("backup.tar.gz")).await?.error_for_status()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let media_type = media_type(&path);
        let opening = move |runtime| -> BoxFuture<'static, Result<Body, ErrorKind>> { Box::pin(open(runtime, path)) };
        Self::unopened(Box::new(opening), media_type)
    }
}

/// What the extension says, else nothing in particular.
pub(crate) fn media_type(path: &Path) -> &'static str {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    media_type::of_filename(&name).unwrap_or(OCTETS)
}

async fn open(runtime: Handle, path: PathBuf) -> Result<Body, ErrorKind> {
    let name = path.clone();
    let opened = blocking(&runtime, move || Opened::new(path)).await;
    let opened = opened.map_err(|error| FileError::Io { path: name, error }).and_then(|opened| opened);
    let opened = Arc::new(opened.map_err(ErrorKind::File)?);
    let length = Some(opened.length);
    let again: Again = Arc::new(move || Box::pin(FileParts::new(runtime.clone(), Arc::clone(&opened))));
    Ok(Body { content: Content::Stream { parts: None, length, again: Some(again) }, media_type: None })
}

/// Runs work away from the reactor and brings back what it made.
pub(crate) fn blocking<T: Send + 'static>(
    runtime: &Handle,
    work: impl FnOnce() -> T + Send + 'static,
) -> BoxFuture<'static, io::Result<T>> {
    let made = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&made);
    let running = runtime.run_blocking(Box::new(move || {
        let value = work();
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
    }));
    Box::pin(async move {
        running.await?;
        let value = made.lock().unwrap_or_else(PoisonError::into_inner).take();
        value.ok_or_else(|| io::Error::other("the work was not done"))
    })
}

/// An open file.
struct Opened {
    path: PathBuf,
    /// Work that nobody waits for any more may still move its place.
    file: Mutex<File>,
    length: u64,
}

impl Opened {
    fn new(path: PathBuf) -> Result<Self, FileError> {
        let open = || {
            // Before it is opened: to open a pipe would wait for its writer.
            if !fs::metadata(&path)?.is_file() {
                return Ok(None);
            }
            let file = File::open(&path)?;
            let metadata = file.metadata()?;
            Ok(metadata.is_file().then_some((file, metadata.len())))
        };
        match open() {
            Ok(Some((file, length))) => Ok(Self { path, file: Mutex::new(file), length }),
            Ok(None) => Err(FileError::NotRegular { path }),
            Err(error) => Err(FileError::Io { path, error }),
        }
    }

    /// The next piece, in full.
    fn read(&self, place: u64) -> Result<Bytes, FileError> {
        let wanted = PIECE.min(self.length - place);
        let mut piece = Vec::with_capacity(usize::try_from(wanted).unwrap_or_default());
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let mut reader = &*file;
        let read = reader.seek(SeekFrom::Start(place)).and_then(|_| reader.take(wanted).read_to_end(&mut piece));
        read.map_err(|error| FileError::Io { path: self.path.clone(), error })?;
        let found = place + piece.len() as u64;
        if found < place + wanted {
            return Err(FileError::Shorter { path: self.path.clone(), announced: self.length, found });
        }
        Ok(piece.into())
    }
}

/// A file's content from the start, once.
struct FileParts {
    runtime: Handle,
    /// None once it has failed.
    file: Option<Arc<Opened>>,
    place: u64,
    reading: Option<BoxFuture<'static, io::Result<Result<Bytes, FileError>>>>,
}

impl FileParts {
    fn new(runtime: Handle, file: Arc<Opened>) -> Self {
        Self { runtime, file: Some(file), place: 0, reading: None }
    }
}

impl Stream for FileParts {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let Some(file) = this.file.as_ref().filter(|file| this.place < file.length) else { return Poll::Ready(None) };
        let (runtime, place) = (&this.runtime, this.place);
        let reading = this.reading.get_or_insert_with(|| {
            let file = Arc::clone(file);
            blocking(runtime, move || file.read(place))
        });
        let read = ready!(reading.as_mut().poll(context));
        this.reading = None;
        let piece = read.map_err(|error| FileError::Io { path: file.path.clone(), error }).and_then(|piece| piece);
        match piece {
            Ok(piece) => {
                this.place += piece.len() as u64;
                Poll::Ready(Some(Ok(piece)))
            }
            Err(error) => {
                this.file = None;
                Poll::Ready(Some(Err(error.into())))
            }
        }
    }
}
