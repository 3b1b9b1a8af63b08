//! The tables that come with Downhill.

use crate::{Error, ReadOptions, Table, Task};
use downhill_core::nearest;

/// A table compiled into the library.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Bundled {
    /// What to call it: `iris`.
    pub name: &'static str,
    /// What it is about, in one sentence.
    pub description: &'static str,
    /// The number of rows.
    pub rows: usize,
    /// The number of columns, the target included.
    pub columns: usize,
    /// The column to predict.
    pub target: &'static str,
    /// What is to be predicted.
    pub task: Task,
    /// Where it comes from.
    pub source: &'static str,
    /// The licence under which it may be passed on.
    pub licence: &'static str,
    data: &'static [u8],
}

/// The tables that come with Downhill, as scikit-learn ships them.
///
/// ```
/// let names: Vec<&str> = downhill_data::bundled::catalogue().iter().map(|entry| entry.name).collect();
/// assert_eq!(names, ["iris", "wine", "breast-cancer", "digits", "diabetes"]);
/// ```
pub fn catalogue() -> &'static [Bundled] {
    &CATALOGUE
}

const CATALOGUE: [Bundled; 5] = [
    Bundled {
        name: "iris",
        description: "The species of an iris from the length and width of its sepals and petals.",
        rows: 150,
        columns: 5,
        target: "species",
        task: Task::Classification,
        source: "Fisher (1936), UCI Machine Learning Repository, doi:10.24432/C56C76",
        licence: "CC BY 4.0",
        data: include_bytes!("../bundled/iris.csv.gz"),
    },
    Bundled {
        name: "wine",
        description: "The cultivar that a wine is made from, by chemical analysis.",
        rows: 178,
        columns: 14,
        target: "cultivar",
        task: Task::Classification,
        source: "Aeberhard and Forina (1992), UCI Machine Learning Repository, doi:10.24432/C5PC7J",
        licence: "CC BY 4.0",
        data: include_bytes!("../bundled/wine.csv.gz"),
    },
    Bundled {
        name: "breast-cancer",
        description: "Whether a tumour is malignant, from the shapes of its cell nuclei (Wisconsin, diagnostic).",
        rows: 569,
        columns: 31,
        target: "diagnosis",
        task: Task::Classification,
        source: "Wolberg, Mangasarian, Street and Street (1993), UCI Machine Learning Repository, doi:10.24432/C5DW2B",
        licence: "CC BY 4.0",
        data: include_bytes!("../bundled/breast-cancer.csv.gz"),
    },
    Bundled {
        name: "digits",
        description: "Handwritten digits, as images of 8 by 8 pixels from 0 to 16.",
        rows: 1797,
        columns: 65,
        target: "digit",
        task: Task::Classification,
        source: "Alpaydin and Kaynak (1998), test part, UCI Machine Learning Repository, doi:10.24432/C50P49",
        licence: "CC BY 4.0",
        data: include_bytes!("../bundled/digits.csv.gz"),
    },
    Bundled {
        name: "diabetes",
        description: "The progression of diabetes after one year, from ten measurements, in their own units.",
        rows: 442,
        columns: 11,
        target: "progression",
        task: Task::Regression,
        source: "Efron, Hastie, Johnstone and Tibshirani (2004), Least Angle Regression, as shipped by scikit-learn",
        licence: "BSD-3-Clause, with scikit-learn; its authors state none",
        data: include_bytes!("../bundled/diabetes.csv.gz"),
    },
];

pub(crate) fn table(name: &str) -> Result<Table, Error> {
    let Some(entry) = CATALOGUE.iter().find(|entry| entry.name == name) else {
        let nearest = nearest(name, CATALOGUE.iter().map(|entry| entry.name)).map(str::to_owned);
        return Err(Error::UnknownDataset { name: name.to_owned(), nearest });
    };
    let options = ReadOptions { header: Some(true), ..ReadOptions::default() };
    let mut table = Table::parse(name, entry.data, &options)?;
    table.target = Some(table.column_index(entry.target)?);
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_as_the_catalogue_says() {
        for entry in catalogue() {
            let table = Table::bundled(entry.name).unwrap();
            assert_eq!((table.rows(), table.columns().len()), (entry.rows, entry.columns), "{}", entry.name);
            let target = table.column_index(entry.target).unwrap();
            assert_eq!(target, entry.columns - 1);
            assert_eq!(Task::of(&table, target).unwrap(), entry.task, "{}", entry.name);
            assert!(table.notes().is_empty(), "{:?}", table.notes());
        }
    }

    #[test]
    fn a_misspelt_name_gets_the_right_one() {
        let error = Table::bundled("brest-cancer").unwrap_err().to_string();
        assert!(error.contains("did you mean `breast-cancer`?"), "{error}");
        assert!(error.contains("`diabetes`"), "{error}");
    }
}
