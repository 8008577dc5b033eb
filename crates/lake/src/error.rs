//! How the lake fails, in terms of what the caller can do about it.

use std::error::Error;
use std::io;

use object_store::path::Path;
use orgsweep_core::RunId;
use parquet::errors::ParquetError;

/// What an error of the lake means to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LakeErrorKind {
    /// There is no such lake, run or object.
    NotFound,
    /// Somebody else wrote this object, with other contents.
    AlreadyExists,
    /// The store does not let this user in.
    Denied,
    /// What is there cannot be right: it was damaged, or written by something else.
    Corrupt,
    /// What the caller gave cannot be written or is not supported.
    Invalid,
    /// The store did not do what was asked: no space, no network, no such device.
    Unavailable,
}

/// An error of the lake.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct LakeError {
    kind: LakeErrorKind,
    message: String,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl LakeError {
    /// What the caller can do about it.
    #[must_use]
    pub fn kind(&self) -> LakeErrorKind {
        self.kind
    }

    pub(crate) fn new(kind: LakeErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    pub(crate) fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The object cannot be right; `reason` says what is wrong with it.
    pub(crate) fn corrupt(object: &str, reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(LakeErrorKind::Corrupt, format!("{object} is damaged, or was not written by orgsweep"))
            .with_source(reason)
    }

    /// A manifest cannot be right; `advice` says what to do.
    pub(crate) fn corrupt_manifest(path: &str, advice: &str, reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let message = format!("{path} is damaged, or was not written by orgsweep: {advice}");
        Self::new(LakeErrorKind::Corrupt, message).with_source(reason)
    }

    /// A segment cannot be right that the tables are built from.
    pub(crate) fn sealed(run_id: &RunId, error: Self) -> Self {
        let message = format!(
            "{error}; the journal of run {run_id} is sealed, so that no account is asked again: put the segment back from \
             a copy; without one begin a new scan, and delete _runs/{run_id}"
        );
        Self::new(LakeErrorKind::Corrupt, message).with_source(error)
    }

    /// The error of a store that was asked to `verb` an object.
    pub(crate) fn store(verb: &str, path: &Path, error: object_store::Error) -> Self {
        let kind = kind_of_store(&error);
        let message = match kind {
            LakeErrorKind::NotFound => format!("{path} is not in the lake"),
            LakeErrorKind::AlreadyExists => format!("{path} is already in the lake"),
            _ => format!("cannot {verb} {path}"),
        };
        Self::new(kind, message).with_source(error)
    }

    /// The rows of a table are not what the table says.
    pub(crate) fn unencodable(table: &str, error: ParquetError) -> Self {
        Self::new(LakeErrorKind::Invalid, format!("rows of the table {table} cannot be encoded")).with_source(error)
    }

    /// The error of this machine's file system at `path`.
    pub(crate) fn file_system(message: String, error: io::Error) -> Self {
        Self::new(kind_of_io(&error), message).with_source(error)
    }
}

fn kind_of_store(error: &object_store::Error) -> LakeErrorKind {
    match error {
        object_store::Error::NotFound { .. } => LakeErrorKind::NotFound,
        object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. } => {
            LakeErrorKind::AlreadyExists
        }
        object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
            LakeErrorKind::Denied
        }
        other => kind_of_cause(other),
    }
}

/// A local store wraps what the file system said; the chain of causes still has it.
fn kind_of_cause(error: &(dyn Error + 'static)) -> LakeErrorKind {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return kind_of_io(error);
        }
        cause = error.source();
    }
    LakeErrorKind::Unavailable
}

fn kind_of_io(error: &io::Error) -> LakeErrorKind {
    match error.kind() {
        io::ErrorKind::NotFound => LakeErrorKind::NotFound,
        io::ErrorKind::AlreadyExists => LakeErrorKind::AlreadyExists,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => LakeErrorKind::Denied,
        _ => LakeErrorKind::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_of_the_file_system_is_found_below_the_store() {
        let refused = io::Error::from(io::ErrorKind::PermissionDenied);
        let error = object_store::Error::Generic { store: "local", source: Box::new(refused) };
        let error = LakeError::store("write", &Path::from("a/b"), error);
        assert_eq!((error.kind(), error.to_string().as_str()), (LakeErrorKind::Denied, "cannot write a/b"));
    }
}
