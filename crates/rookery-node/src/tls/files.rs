//! Files of a TLS configuration, and what is said when one of them is no good.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::api::NodeError;

/// Larger files are not certificates but a mistake.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// What is wrong, in one line: field, file, reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Name of the setting below `ssl_options`.
    pub(crate) field: String,
    /// The file that it names.
    pub(crate) file: Option<PathBuf>,
    /// What is wrong and, where one command mends it, that command.
    pub(crate) detail: String,
}

impl Problem {
    /// As the error of this listener.
    pub(crate) fn of(self, listener: &str) -> NodeError {
        let Self { field, file, detail } = self;
        NodeError::Tls { listener: listener.to_owned(), field, file, detail }
    }
}

/// A file that was read.
#[derive(Clone)]
pub(super) struct File {
    pub(super) field: String,
    pub(super) path: PathBuf,
    pub(super) bytes: Vec<u8>,
}

impl File {
    /// Reads a file whole.
    pub(super) fn read(field: impl Into<String>, path: &Path) -> Result<Self, Problem> {
        let field = field.into();
        match read(path) {
            Ok(bytes) => Ok(Self { field, path: path.to_owned(), bytes }),
            Err(error) => {
                let detail = match error.kind() {
                    std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
                    std::io::ErrorKind::PermissionDenied => {
                        "the broker's user may not read it".to_owned()
                    }
                    _ => error.to_string(),
                };
                Err(Problem { field, file: Some(path.to_owned()), detail })
            }
        }
    }

    /// The complaint that something is wrong with this file.
    pub(super) fn problem(&self, detail: impl Into<String>) -> Problem {
        Problem { field: self.field.clone(), file: Some(self.path.clone()), detail: detail.into() }
    }

    /// Whether a PEM section of this kind is in it.
    pub(super) fn has_section(&self, label: &str) -> bool {
        let needle = format!("-----BEGIN {label}-----");
        self.bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
    }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let file = std::fs::File::open(path)?;
    let about = file.metadata()?;
    if !about.is_file() {
        return Err(std::io::Error::other("it is no regular file"));
    }
    if about.len() > FILE_BYTES_MAX {
        return Err(std::io::Error::other("it is larger than 64 MiB"));
    }
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}
