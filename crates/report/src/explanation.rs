//! What a network goes by, drawn: the importance of columns, partial dependence, the worst rows.

use std::fmt::Write;

use downhill_run::{Dependence, DependencePoint, Explanation, Metrics, fixed};

use crate::Lang;
use crate::escape::escape;
use crate::number::counted;
use crate::{Axis, Bar, Bars, Chart, Figure, Series};

/// Columns whose importance is drawn.
const MOST_COLUMNS: usize = 20;
/// Columns whose dependence is drawn.
const MOST_DEPENDENCES: usize = 12;
/// Classes whose probabilities are drawn in one chart.
const MOST_CLASSES: usize = 6;
/// Rows of the table of the worst.
const MOST_ROWS: usize = 50;

/// The importance of the columns as bars, then the dependence on each that it was measured for; each with its
/// title.
pub fn explained(explanation: &Explanation, lang: Lang) -> Vec<(String, Figure)> {
    let title = lang.said("Importance").into_owned();
    let label = lang.said("increase of the loss if it is permuted");
    let mut bars = Bars::new(title.clone(), label).lang(lang);
    for one in explanation.importance.iter().take(MOST_COLUMNS) {
        bars = bars.bar(Bar::new(&one.column, one.increase).error(one.standard_error));
    }
    let mut figures = vec![(title, bars.into())];
    let found =
        explanation.dependence.iter().filter(|found| !found.points.is_empty() && !found.of.is_empty());
    let is_classes = matches!(explanation.metrics, Metrics::Classification(_));
    figures.extend(found.take(MOST_DEPENDENCES).map(|found| dependence(found, is_classes, lang)));
    figures
}

fn dependence(found: &Dependence, is_classes: bool, lang: Lang) -> (String, Figure) {
    let Dependence { column, of, points } = found;
    let title = lang.said(&format!("Dependence on {column}")).into_owned();
    let several = of.len() > 1;
    let label = match (is_classes, several) {
        (true, true) => lang.said("mean probability").into_owned(),
        (true, false) => lang.said(&format!("mean probability of {}", of[0])).into_owned(),
        (false, _) => lang.said(&format!("mean prediction of {}", of[0])).into_owned(),
    };
    let mean = |point: &DependencePoint, of: usize| point.means.get(of).copied().unwrap_or(f64::NAN);
    let numbers = points.iter().all(|point| point.number.is_some());
    if !numbers && !several {
        let mut bars = Bars::new(title.clone(), label).lang(lang);
        for point in points {
            bars = bars.bar(Bar::new(value(point), mean(point, 0)));
        }
        return (title, bars.into());
    }
    // Categories stand in their order, and are named below.
    let axis = match numbers {
        true => column.clone(),
        false => points
            .iter()
            .enumerate()
            .map(|(at, point)| format!("{at} {}", value(point)))
            .collect::<Vec<_>>()
            .join(", "),
    };
    let x = if numbers { Axis::new(axis) } else { Axis::new(axis).whole() };
    let mut chart = Chart::new(title.clone(), x, Axis::new(label)).lang(lang);
    for (class, name) in of.iter().enumerate().take(MOST_CLASSES) {
        let points = points.iter().enumerate();
        let points = points.map(|(at, point)| (point.number.unwrap_or(at as f64), mean(point, class)));
        chart = chart.line(Series::new(name, points).run(class));
    }
    (title, chart.into())
}

/// The value of a column, as it is shown.
fn value(point: &DependencePoint) -> String {
    match (&point.text, point.number) {
        (_, Some(number)) => fixed(number),
        (Some(text), None) => text.clone(),
        (None, None) => "–".to_owned(),
    }
}

/// The section of a report.
pub(crate) fn section(explanation: &Explanation, lang: Lang) -> String {
    let Explanation { data, rows, loss, worst, .. } = explanation;
    let mut html = format!(
        "<h2>{}</h2>\n<p>{}</p>\n<div class=\"charts\">\n",
        lang.said("What predictions go by"),
        escape(&lang.said(&format!(
            "Measured on {} of {data}, where the loss is {}.",
            counted(*rows as u64, "row"),
            fixed(*loss)
        ))),
    );
    for (title, figure) in explained(explanation, lang) {
        let _ = write!(html, "<section>\n<h2>{}</h2>\n{}</section>\n", escape(&title), figure.svg());
    }
    if !worst.is_empty() {
        let [title, row, is, predicted, loss] =
            ["The worst rows", "row", "is", "predicted", "loss"].map(|name| lang.said(name));
        let _ = writeln!(
            html,
            "<section class=\"wide\">\n<h2>{title}</h2>\n<div class=\"scroll\"><table>\n<tr><th scope=\"col\" \
             class=\"text\">{row}</th><th scope=\"col\">{is}</th><th scope=\"col\">{predicted}</th><th \
             scope=\"col\">{loss}</th></tr>"
        );
        for row in worst.iter().take(MOST_ROWS) {
            let _ = writeln!(
                html,
                "<tr><td class=\"text\">{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                escape(&lang.said(&row.place)),
                escape(&shown(&row.truth)),
                escape(&shown(&row.prediction)),
                fixed(row.loss)
            );
        }
        html += "</table></div>\n</section>\n";
    }
    html + "</div>\n"
}

/// A number with the digits that it deserves, another text as it is.
fn shown(text: &str) -> String {
    match text.parse::<f64>() {
        Ok(number) if text.contains('.') => fixed(number),
        _ => text.chars().take(60).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sheet;
    use roxmltree::Document;
    use serde_json::json;

    fn explanation() -> Explanation {
        serde_json::from_value(json!({
            "data": "<b>", "rows": 90, "loss": 0.25,
            "metrics": {"rmse": 1.0, "mae": 0.5, "r2": 0.9},
            "importance": [
                {"column": "a & b", "increase": 0.5, "standard_error": 0.1},
                {"column": "kind", "increase": -0.01, "standard_error": 0.02},
            ],
            "dependence": [
                {"column": "a & b", "of": ["y"], "points": [
                    {"number": 1.0, "text": "1", "means": [10.0]}, {"number": 2.0, "text": "2", "means": [20.0]},
                ]},
                {"column": "kind", "of": ["y"], "points": [
                    {"number": null, "text": "low", "means": [1.0]}, {"number": null, "text": null, "means": []},
                ]},
                {"column": "none", "of": [], "points": []},
            ],
            "worst": [{"row": 3, "place": "line 5", "truth": "1.23456789", "prediction": "x<y", "probability": null,
                "loss": 4.0}],
        }))
        .unwrap()
    }

    #[test]
    fn whatever_the_file_says_is_drawn() {
        let figures = explained(&explanation(), Lang::En);
        let titles: Vec<&str> = figures.iter().map(|(title, _)| &**title).collect();
        assert_eq!(titles, ["Importance", "Dependence on a & b", "Dependence on kind"]);
        let sheet =
            figures.into_iter().fold(Sheet::new("x"), |sheet, (title, figure)| sheet.figure(title, figure));
        let svg = sheet.svg_file();
        let document = Document::parse(&svg).unwrap();
        assert_eq!(document.descendants().filter(|node| node.attribute("role") == Some("img")).count(), 4);
        let html = section(&explanation(), Lang::En);
        for words in ["90 rows of &lt;b&gt;", "a &amp; b", "line 5", "x&lt;y", "The worst rows"] {
            assert!(html.contains(words), "no {words:?} in {html}");
        }
        assert!(Document::parse(&format!("<html>{html}</html>")).is_ok());
    }
}
