//! How a folder is written.

/// The form of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Parquet, compressed by zstd.
    Parquet,
    /// JSON lines.
    Jsonl,
    /// JSON lines, compressed by gzip.
    JsonlGz,
    /// JSON lines, compressed by zstd.
    JsonlZst,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Parquet, Self::Jsonl, Self::JsonlGz, Self::JsonlZst];

    /// The end of the names of its files.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Jsonl => "jsonl",
            Self::JsonlGz => "jsonl.gz",
            Self::JsonlZst => "jsonl.zst",
        }
    }
}

/// How a folder is written.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The form of the files.
    pub format: Format,
    /// Bytes of a file at most, but for its last batch of records.
    pub part_size: u64,
    /// Whether the files of a stream with a cursor are in folders by the month of that.
    pub by_month: bool,
}

impl Options {
    /// Parts of 128 MiB, which is what warehouses load well, in no further folders.
    pub fn new(format: Format) -> Self {
        Self { format, part_size: 128 << 20, by_month: false }
    }
}
