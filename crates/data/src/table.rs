//! A table in memory: named columns of numbers and categories.

use crate::error::{Place, Row};
use crate::{Column, Error, Kind, ReadOptions, Target, bundled, csv, file, idx};
use downhill_core::nearest;
use std::io::Read;
use std::path::Path;

/// Data as read: named columns, each of numbers or of categories, with missing values, and nothing learnt
/// from them yet.
#[derive(Clone, Debug)]
pub struct Table {
    pub(crate) name: String,
    /// The path, or the name again where there is none: what messages call the table.
    pub(crate) file: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: usize,
    /// The line of each row in its file; empty for images and for what is from no file.
    pub(crate) lines: Vec<u32>,
    /// Whether the columns have names of their own, from a header.
    pub(crate) named: bool,
    /// The number of columns of the file, those left out included.
    pub(crate) width: usize,
    /// Names of columns left out on request.
    pub(crate) left_out: Vec<String>,
    /// The target that is meant unless another is named, where the last column is not just a guess.
    pub(crate) target: Option<usize>,
    pub(crate) notes: Vec<String>,
    /// The values that stand for missing ones, where they were named.
    pub(crate) missing: Option<Vec<String>>,
}

impl Table {
    /// Reads a CSV or TSV file, gzipped or not, detecting everything.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::read(path, &ReadOptions::default())
    }

    /// Reads a CSV or TSV file, gzipped or not.
    ///
    /// # Errors
    ///
    /// If the file is not there, is a folder, is empty or is not a table; if a column named in the options is
    /// not there; and if a number is infinite.
    pub fn read(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Self, Error> {
        let path = path.as_ref();
        let open = || file::open(path, options.any_size);
        let mut start = Vec::new();
        let shown = path.display().to_string();
        open()?.take(4).read_to_end(&mut start).map_err(|error| file::failed(&shown, error))?;
        idx::refuse(path, &start)?;
        let mut table = csv::parse(&shown, &|| open(), options)?;
        table.name = file::stem(path);
        Ok(table)
    }

    /// Reads a table from the bytes of a CSV or TSV file, gzipped or not; `name` is what messages call it.
    ///
    /// ```
    /// use downhill_data::{ReadOptions, Table};
    ///
    /// let table = Table::parse("shop", b"price;sold\n1.5;yes\n2.5;no\n", &ReadOptions::default())?;
    /// assert_eq!(table.rows(), 2);
    /// assert_eq!(table.columns()[0].number(1), Some(2.5));
    /// # Ok::<(), downhill_data::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn parse(name: &str, bytes: &[u8], options: &ReadOptions) -> Result<Self, Error> {
        let open = || {
            let unpacked = file::unpacking(name, bytes, bytes.len() as u64, options.any_size);
            unpacked.map_err(|error| file::failed(name, error))
        };
        csv::parse(name, &open, options)
    }

    /// A table that comes with Downhill: `iris`, `wine`, `breast-cancer`, `digits` or `diabetes`.
    ///
    /// # Errors
    ///
    /// If there is none of that name.
    pub fn bundled(name: &str) -> Result<Self, Error> {
        bundled::table(name)
    }

    /// Reads images, and their labels if given, from IDX files, gzipped or not.
    ///
    /// The columns are the pixels, `p0`, `p1`, … in the order of the file, kept as bytes, and `label`.
    ///
    /// # Errors
    ///
    /// If a file is not there, is damaged, is no IDX file of bytes or has images of more than a million
    /// pixels; if there are more labels than images or fewer.
    pub fn images(images: impl AsRef<Path>, labels: Option<&Path>) -> Result<Self, Error> {
        Self::images_with(images, labels, &ReadOptions::default())
    }

    /// Reads images as [`images`](Self::images) does; of the options, those on sizes count.
    ///
    /// # Errors
    ///
    /// As [`images`](Self::images).
    pub fn images_with(
        images: impl AsRef<Path>,
        labels: Option<&Path>,
        options: &ReadOptions,
    ) -> Result<Self, Error> {
        idx::table(images.as_ref(), labels, options.any_size)
    }

    /// The name: that of the file without folder and extension, or of the bundled table.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The columns, in the order of the file.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Whether the columns have names of their own; otherwise they are `c0`, `c1`, ….
    pub fn has_header(&self) -> bool {
        self.named
    }

    /// What is worth telling a person about how the table was read, in sentences.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The position among [`columns`](Self::columns) of the column with a name or a number.
    ///
    /// A number counts the columns of the file from 0, or from the end from −1; a name comes first where a
    /// column's name is a number.
    ///
    /// # Errors
    ///
    /// If there is no such column; the error names the one most like it.
    pub fn column_index(&self, name_or_number: &str) -> Result<usize, Error> {
        let wanted = name_or_number.trim();
        if let Some(index) = self.columns.iter().position(|column| column.name == wanted) {
            return Ok(index);
        }
        let by_number = wanted.parse::<i64>().ok().and_then(|number| {
            let number = if number < 0 { number + self.width as i64 } else { number };
            self.columns.iter().position(|column| column.number as i64 == number)
        });
        by_number.ok_or_else(|| self.unknown_column(wanted))
    }

    /// The column to predict, by name or by number, to go on from: see [`Target`].
    pub fn target(&self, name_or_number: &str) -> Target<'_> {
        Target::new(self, Some(name_or_number))
    }

    /// The last column, or the one a bundled table is about, to go on from: see [`Target`].
    pub fn default_target(&self) -> Target<'_> {
        Target::new(self, None)
    }

    /// The rows that have a value in a column, ascending.
    ///
    /// # Errors
    ///
    /// If there is no such column.
    pub fn rows_with(&self, column: usize) -> Result<Vec<u32>, Error> {
        let column = self.column(column)?;
        Ok((0..self.rows).filter(|&row| !column.is_missing(row)).map(|row| row as u32).collect())
    }

    /// The same without a column, as if it had been left out on request.
    pub(crate) fn without(&self, column: usize) -> Self {
        let mut table = self.clone();
        table.left_out.push(table.columns.remove(column).name);
        table.target = table.target.map(|target| target - usize::from(column < target));
        table
    }

    /// Takes a column of weights out, which is then no feature: one for each row, for
    /// [`Target::weights`](crate::Target::weights).
    ///
    /// # Errors
    ///
    /// If there is no such column, or a row has none, or one that is no number from 0 on; the column stays then.
    pub fn take_weights(&mut self, name_or_number: &str) -> Result<Vec<f32>, Error> {
        let index = self.column_index(name_or_number)?;
        let column = self.column(index)?;
        let wrong = |row: usize| Error::BadWeight {
            place: self.place(row, &column.name),
            value: column.text(row).map(|text| text.into_owned()),
        };
        let numbers = column.numbers(column.notation()).map_err(wrong)?;
        let weight = |(row, &number): (usize, &f64)| {
            let weight = number as f32;
            if weight.is_finite() && weight >= 0.0 { Ok(weight) } else { Err(wrong(row)) }
        };
        let weights = numbers.iter().enumerate().map(weight).collect::<Result<_, _>>()?;
        self.left_out.push(self.columns.remove(index).name);
        self.target = match self.target {
            Some(target) if target == index => None,
            target => target.map(|target| target - usize::from(index < target)),
        };
        Ok(weights)
    }

    /// Where a row comes from, for messages.
    pub fn place(&self, row: usize, column: &str) -> Place {
        let row = match self.lines.get(row) {
            Some(&line) => Row::Line(line.into()),
            None if self.pixels() > 0 => Row::Image(row as u64),
            None => Row::Number(row as u64),
        };
        Place { table: self.file.clone(), row, column: column.to_owned() }
    }

    pub(crate) fn column(&self, index: usize) -> Result<&Column, Error> {
        self.columns.get(index).ok_or_else(|| {
            Error::Invalid(format!("{} has {} columns and none at {index}", self.file, self.columns.len()))
        })
    }

    pub(crate) fn column_names(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }

    pub(crate) fn pixels(&self) -> usize {
        self.columns.iter().filter(|column| column.kind() == Kind::Pixel).count()
    }

    fn unknown_column(&self, name: &str) -> Error {
        let columns = self.column_names();
        let nearest = nearest(name, columns.iter().map(String::as_str)).map(str::to_owned);
        Error::UnknownColumn { table: self.file.clone(), name: name.to_owned(), nearest, columns }
    }
}
