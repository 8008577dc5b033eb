//! The lake itself: where it is, and the few ways in which objects are written and read.
//!
//! It knows nothing of what the objects mean; the layout, the manifests and the journal stand beside it.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutPayload};

use crate::durable::DurableFolder;
use crate::{Commit, LakeError, LakeErrorKind};

/// A place that holds runs and their tables. Cloning is cheap; every clone is the same lake.
#[derive(Debug, Clone)]
pub struct Lake {
    store: Arc<dyn ObjectStore>,
    root: Option<PathBuf>,
    location: String,
}

impl Lake {
    /// Opens the lake in a local folder, which is made if it is missing, and checks that it can be written.
    ///
    /// Whatever is made in it is private to this user: folders 0700, files 0600.
    ///
    /// # Errors
    /// `location` is a URL, not a folder, or cannot be written.
    pub async fn open_or_create(location: &str) -> Result<Self, LakeError> {
        Self::open_local(location, true).await
    }

    /// Opens the lake in a local folder that is already there.
    ///
    /// # Errors
    /// `location` is a URL, there is no such folder, or it cannot be read.
    pub async fn open(location: &str) -> Result<Self, LakeError> {
        Self::open_local(location, false).await
    }

    /// The lake in any store; `location` is what messages call it.
    #[must_use]
    pub fn over(store: Arc<dyn ObjectStore>, location: &str) -> Self {
        Self { store, root: None, location: location.to_owned() }
    }

    /// What the lake was opened as.
    #[must_use]
    pub fn location(&self) -> &str {
        &self.location
    }

    /// Where an object of the lake is found from outside: its absolute path, or its place in the store.
    #[must_use]
    pub fn address(&self, object: &str) -> String {
        match &self.root {
            Some(root) => root.join(object).display().to_string(),
            None => format!("{}/{object}", self.location),
        }
    }

    /// Where the committed files of one table are found from outside, in order.
    #[must_use]
    pub fn table_files(&self, commit: &Commit, table: &str) -> Vec<String> {
        commit.files(table).map(|file| self.address(&file.path)).collect()
    }

    async fn open_local(location: &str, create: bool) -> Result<Self, LakeError> {
        if location.is_empty() || location.contains("://") {
            let message = format!("lake {location:?} is not supported: name a local folder");
            return Err(LakeError::new(LakeErrorKind::Invalid, message));
        }
        let path = PathBuf::from(location);
        if path.exists() && !path.is_dir() {
            let message = format!("lake {location} is a file: name a folder");
            return Err(LakeError::new(LakeErrorKind::Invalid, message));
        }
        let opened = tokio::task::spawn_blocking(move || DurableFolder::open(&path, create)).await;
        let opened = opened.map_err(|error| {
            LakeError::new(LakeErrorKind::Unavailable, format!("lake {location} could not be opened"))
                .with_source(error)
        })?;
        let folder = opened.map_err(|error| {
            let message = if create {
                format!("lake {location} cannot be written: let this user write there, or name another folder")
            } else {
                format!("there is no lake at {location}: name the folder that an earlier scan wrote")
            };
            LakeError::file_system(message, error)
        })?;
        let root = Some(folder.root().to_owned());
        Ok(Self { store: Arc::new(folder), root, location: location.to_owned() })
    }

    pub(crate) fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.store
    }

    /// Writes an object that is not there yet; one that is stays, and the error's kind is `AlreadyExists`.
    pub(crate) async fn create(&self, path: &Path, payload: PutPayload) -> Result<(), LakeError> {
        let put = self.store.put_opts(path, payload, PutMode::Create.into()).await;
        put.map(drop).map_err(|error| LakeError::store("write", path, error))
    }

    /// Writes an object, or finds that it is already there with the same bytes, which is as good: a put whose answer
    /// was lost, or another builder of the same run. Other bytes are an error of kind `AlreadyExists`.
    pub(crate) async fn create_same(&self, path: &Path, payload: PutPayload) -> Result<(), LakeError> {
        match self.create(path, payload.clone()).await {
            Err(error) if error.kind() == LakeErrorKind::AlreadyExists => {
                if self.holds(path, &payload).await? {
                    Ok(())
                } else {
                    Err(error)
                }
            }
            other => other,
        }
    }

    /// Writes an object, whether it is there or not.
    pub(crate) async fn replace(&self, path: &Path, payload: PutPayload) -> Result<(), LakeError> {
        self.store.put(path, payload).await.map(drop).map_err(|error| LakeError::store("write", path, error))
    }

    pub(crate) async fn read(&self, path: &Path) -> Result<Bytes, LakeError> {
        let read = async { self.store.get(path).await?.bytes().await };
        read.await.map_err(|error| LakeError::store("read", path, error))
    }

    /// What lies below a folder, at any depth.
    pub(crate) async fn list(&self, folder: &Path) -> Result<Vec<ObjectMeta>, LakeError> {
        let listed = self.store.list(Some(folder)).try_collect().await;
        listed.map_err(|error| LakeError::store("list", folder, error))
    }

    /// Deletes what lies below a folder; what somebody else deleted first is deleted too.
    pub(crate) async fn delete(&self, folder: &Path) -> Result<(), LakeError> {
        let objects = self.list(folder).await?;
        let paths = futures::stream::iter(objects.into_iter().map(|object| Ok(object.location)));
        let mut deleted = self.store.delete_stream(paths.boxed());
        while let Some(one) = deleted.next().await {
            match one {
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(LakeError::store("delete", folder, error)),
            }
        }
        Ok(())
    }

    /// Whether an object has these bytes. It is read as a stream: a part of a table is large, and two would be double.
    async fn holds(&self, path: &Path, payload: &PutPayload) -> Result<bool, LakeError> {
        let compare = async {
            let found = self.store.get(path).await?;
            let mut expected = payload.iter().flat_map(|bytes| bytes.chunks(COMPARED_BYTES));
            let mut rest: &[u8] = &[];
            let mut stream = found.into_stream();
            while let Some(chunk) = stream.try_next().await? {
                let mut chunk = chunk.as_ref();
                while !chunk.is_empty() {
                    if rest.is_empty() {
                        rest = expected.next().unwrap_or_default();
                    }
                    let length = rest.len().min(chunk.len());
                    let ((head, tail), (chunk_head, chunk_tail)) = (rest.split_at(length), chunk.split_at(length));
                    if length == 0 || head != chunk_head {
                        return Ok(false);
                    }
                    (rest, chunk) = (tail, chunk_tail);
                }
            }
            Ok(rest.is_empty() && expected.next().is_none())
        };
        compare.await.map_err(|error| LakeError::store("read", path, error))
    }
}

/// How much is compared at once. Any size will do.
const COMPARED_BYTES: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;

    fn in_memory() -> Lake {
        Lake::over(Arc::new(InMemory::new()), "memory")
    }

    #[tokio::test]
    async fn the_same_bytes_twice_are_a_success_and_others_are_not() {
        let (lake, path) = (in_memory(), Path::from("a"));
        let in_pieces: PutPayload = ["a piece, ", "", "and another"].map(Bytes::from).into_iter().collect();
        lake.create_same(&path, in_pieces).await.unwrap();
        lake.create_same(&path, "a piece, and another".into()).await.unwrap();
        for other in ["a piece, and anothe", "a piece, and another.", "A piece, and another", ""] {
            let error = lake.create_same(&path, other.into()).await.unwrap_err();
            assert_eq!(error.kind(), LakeErrorKind::AlreadyExists, "{other:?}");
        }
    }

    #[tokio::test]
    async fn a_lake_that_cannot_be_is_refused_with_its_name_and_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "x").unwrap();
        let (file, below) = (file.display().to_string(), file.join("lake").display().to_string());
        let missing = folder.path().join("missing").display().to_string();
        let messages = [
            Lake::open_or_create("s3://bucket/lake").await.unwrap_err().to_string(),
            Lake::open_or_create(&file).await.unwrap_err().to_string(),
            Lake::open_or_create(&below).await.unwrap_err().to_string(),
            Lake::open(&missing).await.unwrap_err().to_string(),
        ];
        assert_eq!(
            messages,
            [
                "lake \"s3://bucket/lake\" is not supported: name a local folder".to_owned(),
                format!("lake {file} is a file: name a folder"),
                format!("lake {below} cannot be written: let this user write there, or name another folder"),
                format!("there is no lake at {missing}: name the folder that an earlier scan wrote"),
            ]
        );
        assert!(!std::path::Path::new(&missing).exists());
    }

    #[tokio::test]
    async fn objects_of_a_local_lake_have_absolute_paths() {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::open_or_create(&folder.path().display().to_string()).await.unwrap();
        let root = std::fs::canonicalize(folder.path()).unwrap();
        assert_eq!(lake.address("a/b.parquet"), root.join("a/b.parquet").display().to_string());
        assert_eq!(in_memory().address("a/b.parquet"), "memory/a/b.parquet");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn all_that_is_written_belongs_to_its_user_alone() {
        use std::os::unix::fs::PermissionsExt;

        use crate::fixture::{entry, run_id};
        use crate::{JournalWriter, RollPolicy};

        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("lake");
        let lake = Lake::open_or_create(&root.display().to_string()).await.unwrap();
        let mut writer = JournalWriter::new(&lake, &run_id(), ("w", crate::fixture::time()), RollPolicy::default());
        writer.push(entry(1, Some(&["anna"]), 0, orgsweep_core::ErrorKind::Denied)).await.unwrap();
        writer.flush().await.unwrap();
        let (mut folders, mut files) = (vec![root], 0);
        while let Some(folder) = folders.pop() {
            assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700, "{folder:?}");
            for entry in std::fs::read_dir(&folder).unwrap().map(Result::unwrap) {
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                } else {
                    assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{entry:?}");
                    files += 1;
                }
            }
        }
        assert_eq!(files, 1);
    }
}
