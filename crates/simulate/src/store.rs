//! A store that fails: writes that are refused, done and not answered, or hung; reads that fail; and the end of the
//! process that uses it, at any write.

use std::fmt;
use std::future::pending;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use fastrand::Rng;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};
use tokio::sync::Notify;

use crate::scenario::{Doom, LakeFaults};
use crate::trace::Tracer;
use crate::witness::Witness;

/// How long a write takes at most when nothing is wrong with it: a put to S3.
const WRITE_MILLIS: u64 = 80;

/// How long a write hangs at most.
const HUNG_MILLIS: Range<u64> = 20_000..300_000;

/// One process's way to the lake.
#[derive(Debug)]
pub(crate) struct FaultyStore {
    store: Arc<InMemory>,
    faults: LakeFaults,
    doom: Doom,
    rng: Mutex<Rng>,
    writes: AtomicU32,
    hanging: AtomicU32,
    dead: AtomicBool,
    died: Notify,
    tracer: Tracer,
    witness: Arc<Witness>,
}

/// Who is told of what happens in a store.
pub(crate) struct Told<'a> {
    pub(crate) tracer: &'a Tracer,
    pub(crate) witness: &'a Arc<Witness>,
}

/// What becomes of a write.
enum Fate {
    Done,
    Refused,
    AnswerLost,
}

impl FaultyStore {
    pub(crate) fn new(store: &Arc<InMemory>, faults: LakeFaults, doom: Doom, rng: Rng, told: &Told<'_>) -> Arc<Self> {
        Arc::new(Self {
            store: Arc::clone(store),
            faults,
            doom,
            rng: Mutex::new(rng),
            writes: AtomicU32::new(0),
            hanging: AtomicU32::new(0),
            dead: AtomicBool::new(false),
            died: Notify::new(),
            tracer: told.tracer.clone(),
            witness: Arc::clone(told.witness),
        })
    }

    /// Ends when the process that uses the store was killed at one of its writes.
    pub(crate) async fn death(&self) {
        self.died.notified().await;
    }

    /// From here on the process does nothing more to the lake.
    pub(crate) fn kill(&self) {
        self.dead.store(true, Ordering::Relaxed);
        self.died.notify_one();
    }

    /// Whether a write takes its time just now.
    pub(crate) fn is_hanging(&self) -> bool {
        self.hanging.load(Ordering::Relaxed) > 0
    }

    fn draw<T>(&self, draw: impl FnOnce(&mut Rng) -> T) -> T {
        draw(&mut self.rng.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A dead process's operations never end.
    async fn alive(&self) {
        if self.dead.load(Ordering::Relaxed) {
            pending::<()>().await;
        }
    }

    async fn before_write(&self, path: &Path) -> (u32, Fate) {
        self.alive().await;
        let number = self.writes.fetch_add(1, Ordering::Relaxed);
        if self.doom == Doom::KilledAtWrite(number, false) {
            self.tracer.note(format!("killed before its write {number}, of {path}"));
            self.kill();
        }
        self.alive().await;
        let LakeFaults { refused, answer_lost, hung, .. } = self.faults;
        let (drawn, millis) = self.draw(|rng| (rng.u32(..1000), rng.u64(..WRITE_MILLIS)));
        tokio::time::sleep(Duration::from_millis(millis)).await;
        if (refused + answer_lost..refused + answer_lost + hung).contains(&drawn) {
            let time = Duration::from_millis(self.draw(|rng| rng.u64(HUNG_MILLIS)));
            self.tracer.note(format!("a write of {path} hangs for {time:.1?}"));
            let _hanging = Hanging::begin(&self.hanging);
            tokio::time::sleep(time).await;
        }
        self.alive().await;
        let fate = match drawn {
            drawn if drawn < refused => Fate::Refused,
            drawn if drawn < refused + answer_lost => Fate::AnswerLost,
            _ => Fate::Done,
        };
        (number, fate)
    }

    async fn after_write(&self, path: &Path, number: u32) {
        if self.doom == Doom::KilledAtWrite(number, true) {
            self.tracer.note(format!("killed after its write {number}, of {path}"));
            self.kill();
        }
        self.alive().await;
    }

    async fn read(&self, path: &Path) -> Result<()> {
        self.alive().await;
        if self.draw(|rng| rng.u32(..1000)) < self.faults.unread {
            self.tracer.note(format!("{path} is not read"));
            return Err(broken("not read"));
        }
        Ok(())
    }

    fn is_listed(&self) -> bool {
        !self.dead.load(Ordering::Relaxed) && self.draw(|rng| rng.u32(..1000)) >= self.faults.unread
    }
}

/// A write that hangs, until it does not or nobody waits for it any more.
struct Hanging<'a>(&'a AtomicU32);

impl<'a> Hanging<'a> {
    fn begin(count: &'a AtomicU32) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Hanging<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn broken(what: &'static str) -> Error {
    Error::Generic { store: "FaultyStore", source: what.into() }
}

impl fmt::Display for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FaultyStore")
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ObjectStore for FaultyStore {
    async fn put_opts(&self, path: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.witness.look(path.as_ref(), &Bytes::from(payload.clone()));
        let (number, fate) = self.before_write(path).await;
        if let Fate::Refused = fate {
            self.tracer.note(format!("a write of {path} is refused"));
            return Err(broken("refused"));
        }
        let put = self.store.put_opts(path, payload, options).await;
        self.after_write(path, number).await;
        if let Fate::AnswerLost = fate {
            self.tracer.note(format!("a write of {path} is done, and its answer lost"));
            return Err(broken("the answer is lost"));
        }
        put
    }

    async fn put_multipart_opts(&self, path: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.alive().await;
        self.store.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        self.read(path).await?;
        self.store.get_opts(path, options).await
    }

    async fn get_ranges(&self, path: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.read(path).await?;
        self.store.get_ranges(path, ranges).await
    }

    fn delete_stream(&self, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        if self.is_listed() {
            self.store.delete_stream(paths)
        } else {
            futures::stream::once(async { Err(broken("not deleted")) }).boxed()
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        if self.is_listed() {
            self.store.list(prefix)
        } else {
            futures::stream::once(async { Err(broken("not listed")) }).boxed()
        }
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        if self.is_listed() {
            self.store.list_with_offset(prefix, offset)
        } else {
            futures::stream::once(async { Err(broken("not listed")) }).boxed()
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.alive().await;
        self.store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let (number, _) = self.before_write(to).await;
        let copied = self.store.copy_opts(from, to, options).await;
        self.after_write(to, number).await;
        copied
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        let (number, _) = self.before_write(to).await;
        let renamed = self.store.rename_opts(from, to, options).await;
        self.after_write(to, number).await;
        renamed
    }
}
