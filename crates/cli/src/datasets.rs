//! `downhill datasets`

use downhill::data::{Task, bundled};
use serde_json::json;

use crate::args::Format;
use crate::{Failure, output};

pub fn datasets(format: Format) -> Result<(), Failure> {
    let task = |task| match task {
        Task::Classification => "classification",
        Task::Regression => "regression",
    };
    let all = bundled::catalogue();
    match format {
        Format::Json => {
            let object = |data: &bundled::Bundled| {
                json!({
                    "name": data.name, "rows": data.rows, "columns": data.columns, "target": data.target,
                    "task": task(data.task), "description": data.description, "source": data.source,
                    "licence": data.licence,
                })
            };
            output::print_json(&all.iter().map(object).collect::<Vec<_>>())
        }
        Format::Csv => {
            let header = ["name", "rows", "columns", "target", "task", "description", "source", "licence"];
            let row = |data: &bundled::Bundled| {
                let (rows, columns) = (data.rows.to_string(), data.columns.to_string());
                let cells: [&str; 8] = [
                    data.name,
                    &rows,
                    &columns,
                    data.target,
                    task(data.task),
                    data.description,
                    data.source,
                    data.licence,
                ];
                cells.map(str::to_string)
            };
            output::print_csv(std::iter::once(header.map(str::to_string)).chain(all.iter().map(row)))
        }
        Format::Text => {
            let said = |text| output::said(text);
            let (left, right) = (output::left, output::right);
            let [name, rows, columns, kind] = ["name", "rows", "columns", "task"].map(said);
            let head = [left(&name, 15), right(&rows, 6), right(&columns, 9), "  ".into(), left(&kind, 16)];
            let mut text = head.concat() + "\n";
            for data in all {
                text += &format!(
                    "{:<15}{:>6}{:>9}  {}{}\n",
                    data.name,
                    data.rows,
                    data.columns,
                    left(&said(task(data.task)), 16),
                    said(data.description)
                );
            }
            output::print(&text)
        }
    }
}
