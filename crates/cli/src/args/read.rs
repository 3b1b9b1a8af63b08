//! The flags of how data is read.

use std::path::PathBuf;

use clap::Args;
use downhill::data::{DateOrder, Decimal};

use super::number::whole_number;
use super::value::{date_order, decimal, delimiter, yes_or_no};

/// How a file is read, in training and after it.
#[derive(Args)]
#[command(next_help_heading = "Data")]
pub struct ReadArgs {
    /// What separates the columns: a character, or `tab`. Detected unless given.
    #[arg(long, value_name = "CHAR", value_parser = delimiter)]
    pub delimiter: Option<u8>,

    /// Whether the first line names the columns. Detected unless given.
    #[arg(long, value_name = "YES|NO", value_parser = yes_or_no)]
    pub header: Option<bool>,

    /// The encoding of the text: utf-16le, windows-1252, euc-kr (cp949), … [default: by the mark at its
    /// start, or utf-8]
    #[arg(long, value_name = "NAME")]
    pub encoding: Option<String>,

    /// The number of lines to skip at the start. Unless given, lines that begin with `#`, and `sep=;`, are
    /// skipped.
    #[arg(long, value_name = "N", value_parser = whole_number::<usize>, allow_hyphen_values = true)]
    pub skip: Option<usize>,

    /// The mark in front of decimals: `.` or `,`. Found in each column unless given.
    #[arg(long, value_name = "MARK", value_parser = decimal)]
    pub decimal: Option<Decimal>,

    /// The values that stand for missing ones, between commas. Unless given, `?` and NaN, and among numbers
    /// NA, NULL, `-` and the like; empty ones always.
    #[arg(
        long,
        value_name = "VALUES",
        value_delimiter = ',',
        allow_hyphen_values = true,
        conflicts_with = "no_missing"
    )]
    pub missing: Vec<String>,

    /// Only empty values are missing.
    #[arg(long)]
    pub no_missing: bool,

    /// The order in dates such as 03/04/2024: day-first or month-first. Found in each column that tells it
    /// unless given.
    #[arg(long, value_name = "ORDER", value_parser = date_order)]
    pub dates: Option<DateOrder>,

    /// Read it however large it is: gzip that unpacks to many times its size, a row of more than 64 MB, a
    /// million columns.
    #[arg(long)]
    pub any_size: bool,

    /// A file of images in the IDX format, gzipped or not, instead of a table.
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    pub images: Option<PathBuf>,

    /// The labels of the images.
    #[arg(long, value_name = "FILE", requires = "images", conflicts_with = "data")]
    pub labels: Option<PathBuf>,
}
