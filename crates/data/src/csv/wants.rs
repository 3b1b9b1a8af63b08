//! What the options say about each column.

use crate::{Error, ReadOptions, Table};

/// What the options say about a column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Want {
    Infer,
    Numeric,
    Categorical,
    Drop,
}

impl Want {
    /// One for each column.
    pub fn of_columns(table: &Table, options: &ReadOptions) -> Result<Vec<Self>, Error> {
        let mut wants = vec![Self::Infer; table.columns.len()];
        let named = [
            (&options.categorical, Self::Categorical),
            (&options.numeric, Self::Numeric),
            (&options.drop, Self::Drop),
        ];
        for (columns, want) in named {
            for name in columns {
                let index = table.column_index(name)?;
                if wants[index] != Self::Infer && wants[index] != want {
                    let column = table.columns[index].name.clone();
                    return Err(Error::Conflict { column, one: wants[index].option(), other: want.option() });
                }
                wants[index] = want;
            }
        }
        Ok(wants)
    }

    fn option(self) -> &'static str {
        match self {
            Self::Infer => "",
            Self::Numeric => "numeric",
            Self::Categorical => "categorical",
            Self::Drop => "drop",
        }
    }
}
