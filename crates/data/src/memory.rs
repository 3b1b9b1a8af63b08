//! Tables of what is in memory already.

use std::collections::HashMap;

use crate::column::{MISSING, Values, Written};
use crate::dates::{self, Found};
use crate::{Column, DateOrder, Error, Table};

impl Column {
    /// A column of numbers; NaN is a missing one.
    pub fn of_numbers(name: impl Into<String>, numbers: Vec<f64>) -> Self {
        Self::new(name.into(), 0, Values::Numbers(numbers))
    }

    /// A column of categories: each row is a position in `texts`, or none where it is missing.
    ///
    /// # Errors
    ///
    /// If a position is beyond the texts.
    pub fn of_categories(
        name: impl Into<String>,
        codes: impl IntoIterator<Item = Option<u32>>,
        texts: &[String],
    ) -> Result<Self, Error> {
        let name = name.into();
        // As a file is read: texts in the order in which they occur, each once. Splits go by that order.
        let mut kept: Vec<String> = Vec::new();
        let mut known: HashMap<&str, u32> = HashMap::new();
        let mut code_of: Vec<Option<u32>> = vec![None; texts.len()];
        let mut rows = Vec::new();
        for code in codes {
            let Some(code) = code else {
                rows.push(MISSING);
                continue;
            };
            let (Some(text), Some(place)) = (texts.get(code as usize), code_of.get_mut(code as usize)) else {
                return Err(Error::Invalid(format!(
                    "column `{name}` has a category {code}, and there are {}, counted from 0",
                    texts.len()
                )));
            };
            rows.push(*place.get_or_insert_with(|| {
                *known.entry(text).or_insert_with(|| {
                    kept.push(text.clone());
                    kept.len() as u32 - 1
                })
            }));
        }
        Ok(Self::new(name, 0, Values::Text { codes: rows, texts: kept }))
    }

    /// The same column of text, read as dates or times if all of it names some, as a file's would be; and a
    /// note on that. `order` says whether the day or the month comes first where both may.
    pub fn with_dates(mut self, order: Option<DateOrder>) -> (Self, Option<String>) {
        let Values::Text { texts, .. } = &self.values else { return (self, None) };
        let note = match dates::order(texts.iter().map(String::as_str), order) {
            Found::No => None,
            Found::One(order) => {
                let example = texts.first().cloned().unwrap_or_default();
                self.written = Written::Dates(order);
                Some(format!(
                    "Column `{}` is read as dates or times, such as {example:?}: features are their order and what \
                     repeats in them. As a category, it stays text.",
                    self.name
                ))
            }
            Found::Ambiguous => Some(format!(
                "Column `{}` is read as categories, though its text looks like dates, such as {:?}, in which either \
                 the day or the month may come first.",
                self.name,
                texts.first().map(String::as_str).unwrap_or_default()
            )),
        };
        (self, note)
    }
}

impl Table {
    /// A table of columns that are in memory; `named` says whether their names are names of their own, by
    /// which they are found again in another table, or only stand for their positions.
    ///
    /// ```
    /// use downhill_data::{Column, Table, Task};
    ///
    /// let x = Column::of_numbers("x", (0..40).map(f64::from).collect());
    /// let texts = ["no".to_string(), "yes".to_string()];
    /// let y = Column::of_categories("y", (0..40).map(|row| Some(u32::from(row > 19))), &texts)?;
    /// let table = Table::of_columns("memory", vec![x, y], true)?;
    /// let data = table.target("y").task(Task::Classification).split(0.2, 7)?;
    /// assert_eq!((data.train.rows(), data.valid.rows()), (32, 8));
    /// # Ok::<(), downhill_data::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If there is no column, they are not of the same length, two have one name, or a number is infinite.
    pub fn of_columns(name: &str, mut columns: Vec<Column>, named: bool) -> Result<Self, Error> {
        let invalid = |problem: String| Err(Error::Invalid(problem));
        let Some(rows) = columns.first().map(Column::len) else {
            return invalid(format!("the table {name} has no column"));
        };
        let mut names = HashMap::new();
        for (number, column) in columns.iter_mut().enumerate() {
            column.number = number;
            if column.len() != rows {
                return invalid(format!(
                    "column `{}` has {} rows, and those before it {rows}",
                    column.name,
                    column.len()
                ));
            }
            if let Some(other) = names.insert(column.name.clone(), number) {
                return invalid(format!(
                    "columns {other} and {number} are both called `{}`; give each a name of its own",
                    column.name
                ));
            }
        }
        let table = Self {
            name: name.to_owned(),
            file: name.to_owned(),
            width: columns.len(),
            columns,
            rows,
            lines: Vec::new(),
            named,
            left_out: Vec::new(),
            target: None,
            notes: Vec::new(),
            missing: None,
        };
        for column in &table.columns {
            let Values::Numbers(numbers) = &column.values else { continue };
            if let Some(row) = numbers.iter().position(|number| number.is_infinite()) {
                let (place, value) = (table.place(row, &column.name), numbers[row].to_string());
                return Err(Error::Infinite { place, value });
            }
        }
        Ok(table)
    }

    /// The same with one more note on how it came to be.
    #[must_use]
    pub fn with_note(mut self, note: String) -> Self {
        self.notes.push(note);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, ReadOptions, Task};

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| text.to_string()).collect()
    }

    /// What a file comes to, in whatever order the categories of the table in memory are.
    #[test]
    fn a_table_in_memory_is_what_its_file_is() {
        let row = |i: usize| {
            let size = if i.is_multiple_of(7) { String::new() } else { format!("{}.5", i * 13 % 17) };
            format!("{size},{},{}\n", ["red", "green", "blue"][i % 3], ["no", "yes"][i / 3 % 2])
        };
        let text = format!("size,colour,y\n{}", (0..90).map(row).collect::<String>());
        let file = Table::parse("t", text.as_bytes(), &ReadOptions::default()).unwrap();
        let size = (0..90).map(|i| if i % 7 == 0 { f64::NAN } else { (i * 13 % 17) as f64 + 0.5 });
        let colours = texts(&["blue", "unused", "green", "red"]);
        let colour = (0..90).map(|i| Some([3, 2, 0][i % 3]));
        let y = (0..90).map(|i| Some([1, 0][i / 3 % 2]));
        let columns = vec![
            Column::of_numbers("size", size.collect()),
            Column::of_categories("colour", colour, &colours).unwrap(),
            Column::of_categories("y", y, &texts(&["yes", "no"])).unwrap(),
        ];
        let memory = Table::of_columns("t", columns, true).unwrap();
        let split = |table: &Table| table.target("y").task(Task::Classification).split(0.2, 3).unwrap();
        assert_eq!(split(&memory), split(&file));
        assert_eq!(memory.place(3, "size").to_string(), "t, row 3, column `size`");
    }

    #[test]
    fn dates_are_found_in_text() {
        let column = |texts: &[String]| {
            Column::of_categories("when", (0..texts.len()).map(|code| Some(code as u32)), texts).unwrap()
        };
        let (dates, note) = column(&texts(&["2024-01-31", "2024-02-01"])).with_dates(None);
        assert_eq!((dates.kind(), note.is_some()), (Kind::Date, true));
        let (either, note) = column(&texts(&["03/04/2024", "05/06/2024"])).with_dates(None);
        assert_eq!((either.kind(), note.is_some()), (Kind::Categorical, true));
        let (told, _) = column(&texts(&["03/04/2024", "05/06/2024"])).with_dates(Some(DateOrder::DayFirst));
        assert_eq!(told.kind(), Kind::Date);
        let (words, note) = column(&texts(&["a", "b"])).with_dates(None);
        assert_eq!((words.kind(), note), (Kind::Categorical, None));
    }

    #[test]
    fn what_is_no_table_is_refused() {
        let numbers = |name: &str, numbers: &[f64]| Column::of_numbers(name, numbers.to_vec());
        let error = |columns: Vec<Column>| Table::of_columns("t", columns, true).unwrap_err().to_string();
        assert!(error(Vec::new()).contains("no column"));
        assert!(error(vec![numbers("a", &[1.0]), numbers("b", &[1.0, 2.0])]).contains("`b` has 2 rows"));
        assert!(error(vec![numbers("a", &[1.0]), numbers("a", &[1.0])]).contains("both called `a`"));
        let infinite = error(vec![numbers("a", &[1.0, f64::INFINITY])]);
        assert!(infinite.contains("row 1") && infinite.contains("inf"), "{infinite}");
        assert!(Column::of_categories("c", [Some(2)], &texts(&["a"])).is_err());
    }
}
