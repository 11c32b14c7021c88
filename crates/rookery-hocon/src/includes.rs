//! Where included files and environment variables come from.

use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::INPUT_BYTES_MAX;

/// An included file.
#[derive(Debug, Clone)]
pub struct Included {
    /// Its text.
    pub text: String,
    /// Its name: what a second inclusion of the same file would be called too.
    pub source: String,
}

/// What a document may draw on besides its own text.
pub trait Includes {
    /// The file that `name` means inside `from`; none when there is no such file.
    ///
    /// # Errors
    ///
    /// A sentence when the file is there and cannot be read.
    fn include(&mut self, from: &str, name: &str) -> Result<Option<Included>, String>;

    /// The environment variable `name`.
    fn variable(&self, name: &str) -> Option<String>;
}

/// No files, no variables.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoIncludes;

impl Includes for NoIncludes {
    fn include(&mut self, _from: &str, _name: &str) -> Result<Option<Included>, String> {
        Err("files cannot be included here".to_owned())
    }

    fn variable(&self, _name: &str) -> Option<String> {
        None
    }
}

/// Files of this machine, relative to the file that includes them.
#[derive(Debug, Clone, Default)]
pub struct FileIncludes {
    variables: HashMap<String, String>,
}

impl FileIncludes {
    /// With the environment `variables`.
    #[must_use]
    pub fn new(variables: HashMap<String, String>) -> Self {
        Self { variables }
    }
}

impl Includes for FileIncludes {
    fn include(&mut self, from: &str, name: &str) -> Result<Option<Included>, String> {
        let directory = Path::new(from).parent().unwrap_or_else(|| Path::new(""));
        let exact = directory.join(name);
        match read(&exact)? {
            Some(included) => Ok(Some(included)),
            None if exact.extension().is_none() => read(&exact.with_extension("conf")),
            None => Ok(None),
        }
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }
}

fn read(path: &Path) -> Result<Option<Included>, String> {
    let say = |error: std::io::Error| error.to_string();
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(say(error)),
    };
    if !metadata.is_file() {
        return Err("not a file".to_owned());
    }
    if metadata.len() > INPUT_BYTES_MAX as u64 {
        return Err("too large".to_owned());
    }
    let text = fs::read_to_string(path).map_err(say)?;
    let source = fs::canonicalize(path).unwrap_or_else(|_| PathBuf::from(path));
    Ok(Some(Included { text, source: source.to_string_lossy().into_owned() }))
}
