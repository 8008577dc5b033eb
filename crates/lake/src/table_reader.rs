//! Reading a committed table back: exactly the files of its commit, in order, one batch at a time.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;
use object_store::path::Path;
use orgsweep_core::table::Table;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use crate::{Commit, CommittedFile, Lake, LakeError, LakeErrorKind};

/// Rows of one batch.
const BATCH_ROWS: usize = 1024;

/// The rows of a committed table. One file is in memory at a time.
pub struct TableRows {
    lake: Lake,
    files: std::vec::IntoIter<CommittedFile>,
    wanted: Wanted,
    open: Option<OpenFile>,
}

struct OpenFile {
    path: String,
    batches: ParquetRecordBatchReader,
}

enum Wanted {
    /// Every column that this version gives the table.
    Whole(SchemaRef),
    /// These columns, where they are there.
    Columns(Vec<String>),
}

impl Lake {
    /// The rows of a committed table, whole.
    #[must_use]
    pub fn rows(&self, commit: &Commit, table: &'static Table) -> TableRows {
        TableRows::new(self, commit, table, Wanted::Whole(table.schema()))
    }

    /// The rows of a committed table with these columns alone, which come in table order; a table that another version
    /// wrote may lack some.
    #[must_use]
    pub fn columns(&self, commit: &Commit, table: &'static Table, columns: &[&str]) -> TableRows {
        let columns = columns.iter().map(|column| (*column).to_owned()).collect();
        TableRows::new(self, commit, table, Wanted::Columns(columns))
    }
}

impl TableRows {
    fn new(lake: &Lake, commit: &Commit, table: &'static Table, wanted: Wanted) -> Self {
        let files: Vec<CommittedFile> = commit.files(table.name).cloned().collect();
        Self { lake: lake.clone(), files: files.into_iter(), wanted, open: None }
    }

    /// The next rows; `None` at the end.
    ///
    /// # Errors
    /// A file of the commit is missing or damaged, or was written with other columns than are wanted; the store fails.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>, LakeError> {
        loop {
            if let Some(file) = &mut self.open {
                match file.batches.next() {
                    Some(Ok(batch)) => return Ok(Some(batch)),
                    Some(Err(error)) => return Err(LakeError::corrupt(&file.path, error)),
                    None => self.open = None,
                }
            }
            let Some(file) = self.files.next() else { return Ok(None) };
            let bytes = self.lake.read(&Path::from(file.path.as_str())).await?;
            self.open = Some(self.wanted.open(file.path, bytes)?);
        }
    }
}

impl Wanted {
    fn open(&self, path: String, bytes: Bytes) -> Result<OpenFile, LakeError> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(bytes);
        let builder = builder.map_err(|error| LakeError::corrupt(&path, error))?.with_batch_size(BATCH_ROWS);
        let builder = match self {
            Self::Whole(schema) if builder.schema().fields() != schema.fields() => return Err(other_columns(&path)),
            Self::Whole(_) => builder,
            Self::Columns(columns) => {
                let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().map(String::as_str));
                builder.with_projection(mask)
            }
        };
        let batches = builder.build().map_err(|error| LakeError::corrupt(&path, error))?;
        Ok(OpenFile { path, batches })
    }
}

fn other_columns(path: &str) -> LakeError {
    let message = format!(
        "{path} does not have the columns of this version of orgsweep: use the version that wrote it, or sweep again"
    );
    LakeError::new(LakeErrorKind::Invalid, message)
}
