//! A jar in a file, for its owner's eyes alone: it holds secrets.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use callboard_core::cookies::{CookieJar, Restored};

use crate::cookie_store::SharedJar;

/// Tells apart the files that this process writes at the same time.
static WRITES: AtomicU64 = AtomicU64::new(0);

impl SharedJar {
    /// Writes the cookies that have not expired at `unix_seconds` to a file that only its owner may read (mode 0600 on
    /// Unix). The file is replaced as a whole or not at all. It blocks: on a thread that serves others, use
    /// [`run_blocking`](callboard_runtime::Runtime::run_blocking).
    ///
    /// ```no_run
    /// # fn example(jar: callboard_client::SharedJar) -> std::io::Result<()> {
    /// use std::time::{SystemTime, UNIX_EPOCH};
    ///
    /// let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    /// jar.load("cookies.txt", now)?;
    /// jar.save("cookies.txt", now)
    /// # }
    /// ```
    pub fn save(&self, path: impl AsRef<Path>, unix_seconds: u64) -> io::Result<()> {
        let path = path.as_ref();
        let text = self.with(|jar| jar.save(unix_seconds));
        let draft = draft_of(path)?;
        let written = create(&draft).and_then(|mut file| {
            file.write_all(&text)?;
            file.sync_all()
        });
        written.and_then(|()| fs::rename(&draft, path)).inspect_err(|_| {
            // The first error is the one to tell.
            let _ = fs::remove_file(&draft);
        })
    }

    /// Replaces the cookies by those of a file that [`save`](Self::save) wrote, if it can be read. They pass the same
    /// rules as a server's; what does not is listed. It blocks.
    pub fn load(&self, path: impl AsRef<Path>, unix_seconds: u64) -> io::Result<Restored> {
        let text = fs::read(path)?;
        Ok(self.with(|jar| {
            *jar = CookieJar::new(jar.settings().clone());
            jar.restore(&text, unix_seconds)
        }))
    }
}

/// A name beside `path`, on the same file system, that nobody else writes to.
fn draft_of(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut draft = name.to_owned();
    draft.push(format!(".{}.{}", process::id(), WRITES.fetch_add(1, Ordering::Relaxed)));
    Ok(path.with_file_name(draft))
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
