//! The pages of one column chunk, compressed, and what the file's footer says of them.

use std::cell::RefCell;

use bytes::Bytes;
use parquet::basic::{BoundaryOrder, Compression, Encoding, PageType, Type, ZstdLevel};
use parquet::bloom_filter::Sbbf;
use parquet::column::page::{CompressedPage, Page, PageWriteSpec, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::Result;
use parquet::file::metadata::{ColumnChunkMetaData, ColumnIndexBuilder, OffsetIndexBuilder, PageEncodingStats};
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;
use zstd::bulk::Compressor;

use super::bounds::{Bounds, statistics};
use super::dictionary::Dictionary;
use super::plan::LeafPlan;

thread_local! {
    /// A thread's own compressor: a megabyte that a column would hold as long as it grows.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

/// A column chunk that grows by pages.
pub(super) struct Pages {
    described: ColumnDescPtr,
    has_bounds: bool,
    zstd_level: i32,
    file: TrackedWrite<Vec<u8>>,
    encodings: Vec<PageEncodingStats>,
    /// What each page is to the indexes.
    told: Vec<PageTold>,
    levels: u64,
    uncompressed: usize,
}

/// What the indexes say of a page.
struct PageTold {
    rows: usize,
    nulls: u64,
    bounds: Option<Bounds>,
    offset: u64,
    bytes: u64,
}

/// One page, not compressed yet.
pub(super) struct NewPage {
    /// Levels and values.
    pub(super) body: Vec<u8>,
    pub(super) encoding: Encoding,
    pub(super) rows: usize,
    pub(super) levels: usize,
    pub(super) nulls: u64,
    pub(super) bounds: Option<Bounds>,
}

/// A column chunk that has ended.
pub(crate) struct LeafChunk {
    pub(crate) bytes: Bytes,
    pub(crate) close: ColumnCloseResult,
}

impl Pages {
    pub(super) fn new(plan: &LeafPlan) -> Self {
        Self {
            described: plan.described.clone(),
            has_bounds: plan.has_bounds,
            zstd_level: plan.zstd_level,
            file: TrackedWrite::new(Vec::new()),
            encodings: Vec::new(),
            told: Vec::new(),
            levels: 0,
            uncompressed: 0,
        }
    }

    pub(super) fn push(&mut self, new: NewPage) -> Result<()> {
        let NewPage { body, encoding, rows, levels, nulls, bounds } = new;
        let page = |buf| Page::DataPage {
            buf,
            num_values: u32::try_from(levels).unwrap_or(u32::MAX),
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let written = write_page(&mut self.file, (&body, self.zstd_level), page)?;
        self.count(PageType::DATA_PAGE, encoding);
        self.levels += levels as u64;
        self.uncompressed += written.uncompressed_size;
        self.told.push(PageTold { rows, nulls, bounds, offset: written.offset, bytes: written.bytes_written });
        Ok(())
    }

    fn count(&mut self, page_type: PageType, encoding: Encoding) {
        match self.encodings.iter_mut().find(|it| it.page_type == page_type && it.encoding == encoding) {
            Some(pages) => pages.count += 1,
            None => self.encodings.push(PageEncodingStats { page_type, encoding, count: 1 }),
        }
    }

    /// Ends the chunk: its dictionary, if it has one, in front of its pages.
    pub(super) fn end(mut self, dictionary: Option<&Dictionary>, filter: Option<Sbbf>) -> Result<LeafChunk> {
        let mut bytes = Vec::new();
        if let Some(dictionary) = dictionary {
            let mut file = TrackedWrite::new(bytes);
            let page = |buf| Page::DictionaryPage {
                buf,
                num_values: u32::try_from(dictionary.len()).unwrap_or(u32::MAX),
                encoding: Encoding::PLAIN,
                is_sorted: false,
            };
            self.uncompressed += write_page(&mut file, (&dictionary.plain(), self.zstd_level), page)?.uncompressed_size;
            self.count(PageType::DICTIONARY_PAGE, Encoding::PLAIN);
            bytes = file.into_inner()?;
        }
        let first_page = bytes.len();
        let pages = std::mem::replace(&mut self.file, TrackedWrite::new(Vec::new())).into_inner()?;
        if bytes.is_empty() {
            bytes = pages;
        } else {
            bytes.extend_from_slice(&pages);
        }
        let close = self.close(bytes.len(), first_page, dictionary.is_some(), filter)?;
        Ok(LeafChunk { bytes: bytes.into(), close })
    }

    fn close(
        self,
        bytes: usize,
        first_page: usize,
        has_dictionary: bool,
        bloom_filter: Option<Sbbf>,
    ) -> Result<ColumnCloseResult> {
        let rows: usize = self.told.iter().map(|page| page.rows).sum();
        let mut offsets = OffsetIndexBuilder::new();
        for page in &self.told {
            offsets.append_row_count(signed(page.rows));
            let size = i32::try_from(page.bytes).unwrap_or(i32::MAX);
            offsets.append_offset_and_size(signed(first_page) + page.offset.cast_signed(), size);
        }
        let mut encodings: Vec<Encoding> = self.encodings.iter().map(|pages| pages.encoding).collect();
        encodings.push(Encoding::RLE);
        let mut metadata = ColumnChunkMetaData::builder(self.described.clone())
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(self.zstd_level)?))
            .set_encodings(encodings)
            .set_page_encoding_stats(self.encodings.clone())
            .set_total_compressed_size(signed(bytes))
            .set_total_uncompressed_size(signed(self.uncompressed))
            .set_num_values(self.levels.cast_signed())
            .set_data_page_offset(signed(first_page))
            .set_dictionary_page_offset(has_dictionary.then_some(0));
        let mut column_index = None;
        if self.has_bounds {
            let physical = self.described.physical_type();
            let mut bounds = None;
            self.told.iter().filter_map(|page| page.bounds.as_ref()).for_each(|page| Bounds::widen(&mut bounds, page));
            let nulls = self.told.iter().map(|page| page.nulls).sum();
            metadata = metadata.set_statistics(statistics(bounds.as_ref(), nulls, physical));
            column_index = Some(column_index_of(&self.told, physical).build()?);
        }
        Ok(ColumnCloseResult {
            bytes_written: bytes as u64,
            rows_written: rows as u64,
            metadata: metadata.build()?,
            bloom_filter,
            column_index,
            offset_index: Some(offsets.build()),
        })
    }
}

fn column_index_of(pages: &[PageTold], physical: Type) -> ColumnIndexBuilder {
    let mut index = ColumnIndexBuilder::new(physical);
    for page in pages {
        let bytes = |value: fn(&Bounds) -> &super::bounds::Value| {
            page.bounds.as_ref().map_or_else(Vec::new, |bounds| value(bounds).to_bytes(physical))
        };
        let (least, greatest) = (bytes(|bounds| &bounds.least), bytes(|bounds| &bounds.greatest));
        index.append(page.bounds.is_none(), least, greatest, page.nulls.cast_signed());
    }
    let bounds: Vec<&Bounds> = pages.iter().filter_map(|page| page.bounds.as_ref()).collect();
    let ascends = bounds.is_sorted_by(|one, next| one.least <= next.least && one.greatest <= next.greatest);
    let descends = bounds.is_sorted_by(|one, next| one.least >= next.least && one.greatest >= next.greatest);
    index.set_boundary_order(match (ascends, descends) {
        (true, _) => BoundaryOrder::ASCENDING,
        (false, true) => BoundaryOrder::DESCENDING,
        (false, false) => BoundaryOrder::UNORDERED,
    });
    index
}

fn write_page(
    file: &mut TrackedWrite<Vec<u8>>,
    (body, zstd_level): (&[u8], i32),
    page: impl FnOnce(Bytes) -> Page,
) -> Result<PageWriteSpec> {
    let compressed = compress(body, zstd_level)?;
    SerializedPageWriter::new(file).write_page(CompressedPage::new(page(compressed.into()), body.len()))
}

fn compress(body: &[u8], zstd_level: i32) -> std::io::Result<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|compressor| {
        let compressor = match compressor {
            Some(compressor) => compressor,
            none => none.insert(Compressor::default()),
        };
        compressor.set_compression_level(zstd_level)?;
        compressor.compress(body)
    })
}

fn signed(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
