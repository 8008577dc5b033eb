//! A folder of this machine as an object store whose writes are durable, private and create-only.
//!
//! `object_store`'s own local store syncs nothing and takes the permissions that the umask leaves. This wrapper writes
//! each object into a staging file (0600), syncs it, links it into place, and syncs the folder; every folder it makes
//! is 0700. Reading, listing and deleting are the wrapped store's. It knows nothing of what the objects are.
#![deny(clippy::missing_trait_methods)]

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};

use crate::layout::STAGING;

/// A staging file of a live writer is seconds old. One this old belongs to a writer that was killed.
const ABANDONED_AFTER: Duration = Duration::from_hours(24);

/// Another process may remove an empty folder between our making it and our linking into it; it cannot do so for ever.
const PLACING_ATTEMPTS: usize = 16;

/// See the module.
#[derive(Debug)]
pub(crate) struct DurableFolder {
    root: PathBuf,
    reader: LocalFileSystem,
}

impl DurableFolder {
    /// Opens the folder, makes it if `create` is set, and checks that it can be written.
    pub(crate) fn open(root: &FilePath, create: bool) -> io::Result<Self> {
        if create {
            make_folders(root)?;
        }
        let root = fs::canonicalize(root)?;
        let reader = LocalFileSystem::new_with_prefix(&root).map_err(io::Error::other)?.with_automatic_cleanup(true);
        let folder = Self { root, reader };
        if create {
            folder.remove_abandoned()?;
            let (_, staged) = folder.new_staging_file()?;
            fs::remove_file(staged)?;
        }
        Ok(folder)
    }

    /// The folder's absolute path.
    pub(crate) fn root(&self) -> &FilePath {
        &self.root
    }

    /// Clears away what killed writers left.
    fn remove_abandoned(&self) -> io::Result<()> {
        let entries = match fs::read_dir(self.root.join(STAGING)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        for entry in entries.flatten() {
            let age = entry.metadata().and_then(|metadata| metadata.modified()).map(|time| time.elapsed());
            if matches!(age, Ok(Ok(age)) if age > ABANDONED_AFTER) {
                // Whoever else opens the lake may have removed it first.
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(())
    }

    fn new_staging_file(&self) -> io::Result<(File, PathBuf)> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let folder = self.root.join(STAGING);
        make_folders(&folder)?;
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!("{}-{number}", std::process::id()));
            match private_file().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((file, path)),
                // A killed process of the same number, or one on another machine, had this name.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// When this returns, the object is on the disk under its name, whole.
    fn write(&self, target: &FilePath, payload: &PutPayload, mode: &PutMode) -> io::Result<()> {
        let (mut file, staged) = self.new_staging_file()?;
        let placed = payload
            .iter()
            .try_for_each(|bytes| file.write_all(bytes))
            .and_then(|()| file.sync_all())
            .and_then(|()| place(&staged, target, mode));
        // After a rename it is gone; what cannot be removed now is abandoned and cleared away later.
        let _ = fs::remove_file(&staged);
        placed
    }
}

fn place(staged: &FilePath, target: &FilePath, mode: &PutMode) -> io::Result<()> {
    let folder = target.parent().ok_or(ErrorKind::InvalidInput)?;
    let mut attempt = 0;
    loop {
        make_folders(folder)?;
        attempt += 1;
        // A link never replaces what is there: of two writers one wins, whole, and the other is told.
        let placed = match mode {
            PutMode::Create => fs::hard_link(staged, target),
            _ => fs::rename(staged, target),
        };
        match placed {
            Err(error) if error.kind() == ErrorKind::NotFound && attempt < PLACING_ATTEMPTS => {}
            Err(error) => return Err(error),
            Ok(()) => return sync_folder(folder),
        }
    }
}

/// Makes the missing folders down to `folder`, each private to this user and durable in its parent.
fn make_folders(folder: &FilePath) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        make_folders(parent)?;
    }
    match private_folder().create(folder) {
        Ok(()) => sync_folder(parent.unwrap_or(FilePath::new("."))),
        Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn sync_folder(folder: &FilePath) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        // Some network file systems cannot sync a folder; they have nothing to be synced then.
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

#[cfg(not(unix))]
fn sync_folder(_folder: &FilePath) -> io::Result<()> {
    // Only Unix lets a folder be opened and synced.
    Ok(())
}

fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn private_folder() -> DirBuilder {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix has modes"))]
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

impl fmt::Display for DurableFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.root.display())
    }
}

fn not_offered(operation: &str) -> object_store::Error {
    object_store::Error::NotImplemented { operation: operation.to_owned(), implementer: "DurableFolder".to_owned() }
}

fn store_error(path: &Path, error: io::Error) -> object_store::Error {
    let (path, kind) = (path.to_string(), error.kind());
    let source = error.into();
    match kind {
        ErrorKind::AlreadyExists => object_store::Error::AlreadyExists { path, source },
        ErrorKind::PermissionDenied => object_store::Error::PermissionDenied { path, source },
        _ => object_store::Error::Generic { store: "DurableFolder", source },
    }
}

#[async_trait]
impl ObjectStore for DurableFolder {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        if matches!(opts.mode, PutMode::Update(_)) {
            return Err(not_offered("put with PutMode::Update"));
        }
        let target = self.reader.path_to_filesystem(location)?;
        let folder = Self { root: self.root.clone(), reader: self.reader.clone() };
        let written = tokio::task::spawn_blocking(move || folder.write(&target, &payload, &opts.mode)).await?;
        written.map_err(|error| store_error(location, error))?;
        Ok(PutResult { e_tag: None, version: None })
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        // A multipart upload has no create mode, so the lake has no use for it.
        Err(not_offered("put_multipart"))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.reader.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.reader.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.reader.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.reader.list(prefix)
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        self.reader.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.reader.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(not_offered("copy"))
    }

    async fn rename_opts(&self, _: &Path, _: &Path, _: RenameOptions) -> Result<()> {
        Err(not_offered("rename"))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::time::SystemTime;

    use futures::TryStreamExt;
    use object_store::ObjectStoreExt;

    use super::*;

    fn mode(path: &FilePath) -> u32 {
        fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode() & 0o777)
    }

    async fn create(folder: &DurableFolder, path: &str, text: &'static str) -> Result<PutResult> {
        folder.put_opts(&Path::from(path), PutPayload::from(text), PutMode::Create.into()).await
    }

    #[tokio::test]
    async fn files_and_folders_belong_to_their_user_alone() {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path().join("deep/lake");
        let folder = DurableFolder::open(&root, true).unwrap();
        create(&folder, "a/b=c/d.json", "{}").await.unwrap();
        assert_eq!([mode(&root), mode(&root.join("a")), mode(&root.join("a/b=c"))], [0o700; 3]);
        assert_eq!((mode(&root.join(STAGING)), mode(&root.join("a/b=c/d.json"))), (0o700, 0o600));
        assert_eq!(fs::read_dir(root.join(STAGING)).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn of_two_writers_the_first_stays() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = DurableFolder::open(temporary.path(), true).unwrap();
        create(&folder, "a.json", "first").await.unwrap();
        let error = create(&folder, "a.json", "second").await.unwrap_err();
        assert!(matches!(error, object_store::Error::AlreadyExists { .. }), "{error}");
        let read = folder.get(&Path::from("a.json")).await.unwrap().bytes().await.unwrap();
        assert_eq!(read, "first");
        folder.put(&Path::from("a.json"), "third".into()).await.unwrap();
        let read = folder.get(&Path::from("a.json")).await.unwrap().bytes().await.unwrap();
        assert_eq!(read, "third");
    }

    #[tokio::test]
    async fn what_a_killed_writer_left_disturbs_nobody_and_goes_away() {
        let temporary = tempfile::tempdir().unwrap();
        let staging = temporary.path().join(STAGING);
        DurableFolder::open(temporary.path(), true).unwrap();
        fs::write(staging.join("1-0"), "half").unwrap();
        let old = private_file().write(true).create_new(true).open(staging.join("1-1")).unwrap();
        old.set_modified(SystemTime::now() - 2 * ABANDONED_AFTER).unwrap();
        let folder = DurableFolder::open(temporary.path(), true).unwrap();
        create(&folder, "t/part.parquet", "x").await.unwrap();
        let listed: Vec<_> = folder.list(Some(&Path::from("t"))).try_collect().await.unwrap();
        assert_eq!(listed.len(), 1);
        assert!(staging.join("1-0").exists() && !staging.join("1-1").exists());
    }

    #[tokio::test]
    async fn a_folder_that_is_emptied_goes_away_and_comes_back() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = DurableFolder::open(temporary.path(), true).unwrap();
        create(&folder, "j/a", "x").await.unwrap();
        folder.delete(&Path::from("j/a")).await.unwrap();
        assert!(!temporary.path().join("j").exists());
        create(&folder, "j/a", "y").await.unwrap();
    }
}
