//! Reading a committed table back: exactly the files of its commit, some of its columns, one batch at a time.

use arrow_array::RecordBatch;
use object_store::path::Path;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::{Commit, Lake, LakeError};

impl Lake {
    /// Hands the rows of a committed table to `each`, in order, with these columns alone, which come in table order.
    ///
    /// # Errors
    /// A file of the commit is missing or damaged, or the store fails.
    pub async fn read_table(
        &self,
        commit: &Commit,
        table: &str,
        columns: &[&str],
        mut each: impl FnMut(&RecordBatch),
    ) -> Result<(), LakeError> {
        for file in commit.files(table) {
            let bytes = self.read(&Path::from(file.path.as_str())).await?;
            let damaged = |error: Box<dyn std::error::Error + Send + Sync>| LakeError::corrupt(&file.path, error);
            let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(|error| damaged(error.into()))?;
            let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
            let reader = builder.with_projection(mask).build().map_err(|error| damaged(error.into()))?;
            for batch in reader {
                each(&batch.map_err(|error| damaged(error.into()))?);
            }
        }
        Ok(())
    }
}
