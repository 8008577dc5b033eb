//! The pages of one column chunk, compressed, and what the file's footer says of them.

use std::cell::RefCell;

use bytes::Bytes;
use parquet::basic::{BoundaryOrder, Compression, Encoding, PageType, Type, ZstdLevel};
use parquet::bloom_filter::Sbbf;
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::Result;
use parquet::file::metadata::{ColumnChunkMetaData, ColumnIndexBuilder, OffsetIndexBuilder, PageEncodingStats};
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;
use zstd::bulk::Compressor;

use super::bounds::{Bounds, statistics};
use super::dictionary::Dictionary;
use super::plan::LeafPlan;

/// Bytes of a page's header, about.
const HEADER_BYTES: usize = 64;

/// Bytes of a compressed page for which a thread keeps the room.
const MOST_KEPT: usize = 1 << 20;

thread_local! {
    /// A thread's own compressor, a megabyte that a column would hold as long as it grows, and what it writes to.
    static COMPRESSOR: RefCell<Option<(Compressor<'static>, Vec<u8>)>> = const { RefCell::new(None) };
}

/// A column chunk that grows by pages.
pub(super) struct Pages {
    described: ColumnDescPtr,
    has_bounds: bool,
    zstd_level: i32,
    /// Each by itself, since what grows by doubling holds twice what it has.
    written: Vec<Bytes>,
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
    bytes: usize,
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
    /// Its pages, in their order.
    pub(crate) pages: Vec<Bytes>,
    pub(crate) close: ColumnCloseResult,
}

impl Pages {
    pub(super) fn new(plan: &LeafPlan) -> Self {
        Self {
            described: plan.described.clone(),
            has_bounds: plan.has_bounds,
            zstd_level: plan.zstd_level,
            written: Vec::new(),
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
        let page = self.write_page(&body, page)?;
        self.count(PageType::DATA_PAGE, encoding);
        self.levels += levels as u64;
        self.told.push(PageTold { rows, nulls, bounds, bytes: page.len() });
        self.written.push(page);
        Ok(())
    }

    fn write_page(&mut self, body: &[u8], page: impl FnOnce(Bytes) -> Page) -> Result<Bytes> {
        let compressed = compress(body, self.zstd_level)?;
        let mut file = TrackedWrite::new(Vec::with_capacity(compressed.len() + HEADER_BYTES));
        let page = CompressedPage::new(page(compressed), body.len());
        self.uncompressed += SerializedPageWriter::new(&mut file).write_page(page)?.uncompressed_size;
        Ok(file.into_inner()?.into())
    }

    fn count(&mut self, page_type: PageType, encoding: Encoding) {
        match self.encodings.iter_mut().find(|it| it.page_type == page_type && it.encoding == encoding) {
            Some(pages) => pages.count += 1,
            None => self.encodings.push(PageEncodingStats { page_type, encoding, count: 1 }),
        }
    }

    /// Ends the chunk: its dictionary, if it has one, in front of its pages.
    pub(super) fn end(mut self, dictionary: Option<&Dictionary>, filter: Option<Sbbf>) -> Result<LeafChunk> {
        let mut first_page = 0;
        if let Some(dictionary) = dictionary {
            let page = |buf| Page::DictionaryPage {
                buf,
                num_values: u32::try_from(dictionary.len()).unwrap_or(u32::MAX),
                encoding: Encoding::PLAIN,
                is_sorted: false,
            };
            let page = self.write_page(&dictionary.plain(), page)?;
            self.count(PageType::DICTIONARY_PAGE, Encoding::PLAIN);
            first_page = page.len();
            self.written.insert(0, page);
        }
        let pages = std::mem::take(&mut self.written);
        let bytes = pages.iter().map(Bytes::len).sum();
        let close = self.close(bytes, first_page, dictionary.is_some(), filter)?;
        Ok(LeafChunk { pages, close })
    }

    fn close(
        self,
        bytes: usize,
        first_page: usize,
        has_dictionary: bool,
        bloom_filter: Option<Sbbf>,
    ) -> Result<ColumnCloseResult> {
        let rows: usize = self.told.iter().map(|page| page.rows).sum();
        let (mut offsets, mut offset) = (OffsetIndexBuilder::new(), first_page);
        for page in &self.told {
            offsets.append_row_count(signed(page.rows));
            offsets.append_offset_and_size(signed(offset), i32::try_from(page.bytes).unwrap_or(i32::MAX));
            offset += page.bytes;
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

fn compress(body: &[u8], zstd_level: i32) -> std::io::Result<Bytes> {
    COMPRESSOR.with_borrow_mut(|compressor| {
        let (compressor, written) = match compressor {
            Some(compressor) => compressor,
            none => none.insert(<(Compressor<'_>, Vec<u8>)>::default()),
        };
        compressor.set_compression_level(zstd_level)?;
        written.clear();
        written.reserve(zstd::zstd_safe::compress_bound(body.len()));
        compressor.compress_to_buffer(body, written)?;
        let page = Bytes::copy_from_slice(written);
        written.clear();
        written.shrink_to(MOST_KEPT);
        Ok(page)
    })
}

fn signed(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
