//! How the held-out rows are predicted: the confusion matrix, or the residuals.

use std::fmt::Write;

use downhill_run::ClassMetrics;

use crate::escape::escape;
use crate::history::{Confusion, Residuals};
use crate::number::{counted, grouped, two_digits};
use crate::{Axis, Chart, Histogram, Histograms, Lang, Series};

/// A table of more classes than these cannot be read; of more, the likeliest mistakes are listed.
const MOST_CLASSES: usize = 20;
/// So many mistakes are listed.
const MOST_MISTAKES: usize = 15;

/// The confusion matrix as a table, or the likeliest mistakes where it is too large for one.
pub(crate) fn confusion(found: &Confusion, lang: Lang) -> String {
    let Confusion { classes, counts } = found;
    let all = counts.iter().flatten().copied().fold(0, u64::saturating_add);
    let right = counts.iter().enumerate().filter_map(|(class, row)| row.get(class));
    let right = right.copied().fold(0, u64::saturating_add);
    let caption = format!("{} of {} are right", grouped(right), counted(all, "held-out row"));
    let mut html = format!("<section class=\"wide\">\n<h2>{}</h2>\n", lang.said("Confusion matrix"));
    if classes.len() > MOST_CLASSES {
        let mut mistakes: Vec<(u64, usize, usize)> = Vec::new();
        for (class, row) in counts.iter().enumerate() {
            let wrong = row.iter().enumerate().filter(|&(other, &count)| other != class && count > 0);
            mistakes.extend(wrong.map(|(other, &count)| (count, class, other)));
        }
        mistakes.sort_by(|a, b| b.0.cmp(&a.0).then(a.cmp(b)));
        let name = |class: usize| classes.get(class).map_or("?", String::as_str);
        let caption = format!("{caption}. Of {} classes, the likeliest mistakes:", classes.len());
        let _ = writeln!(html, "<p>{}</p>\n<ul>", lang.said(&caption));
        for (count, class, other) in mistakes.into_iter().take(MOST_MISTAKES) {
            let mistake = format!("{} taken for {}: {}", name(class), name(other), grouped(count));
            let _ = writeln!(html, "<li>{}</li>", escape(&lang.said(&mistake)));
        }
        return html + "</ul>\n</section>\n";
    }
    let _ = write!(
        html,
        "<div class=\"scroll\"><table>\n<caption>{}</caption>\n<tr><td></td>",
        lang.said(&format!(
            "{caption}: a row for each class, a column for each prediction, shaded by its share of the row"
        ))
    );
    classes.iter().for_each(|class| {
        let _ = write!(html, "<th scope=\"col\">{}</th>", escape(class));
    });
    html += "</tr>\n";
    for (class, (name, row)) in classes.iter().zip(counts).enumerate() {
        let _ = write!(html, "<tr><th scope=\"row\">{}</th>", escape(name));
        let whole = row.iter().map(|&count| count as f64).sum::<f64>().max(1.0);
        for (other, &count) in row.iter().enumerate() {
            // Colours of which text in black and in white can be read.
            let colour = if other == class { "0 114 178" } else { "213 94 0" };
            let share = if count > 0 { 8.0 + 50.0 * count as f64 / whole } else { 0.0 };
            let _ =
                write!(html, "<td style=\"background:rgb({colour} / {share:.0}%)\">{}</td>", grouped(count));
        }
        html += "</tr>\n";
    }
    html + "</table></div>\n</section>\n" + &by_class(&found.by_class(), lang)
}

/// How well each class is predicted, as a table.
fn by_class(all: &[ClassMetrics], lang: Lang) -> String {
    let title = lang.said("Figures by class");
    let mut html = format!("<section>\n<h2>{title}</h2>\n<div class=\"scroll\"><table>\n<tr>");
    for name in ["class", "precision", "recall", "F1", "rows"] {
        let _ = write!(html, "<th scope=\"col\">{}</th>", lang.said(name));
    }
    html += "</tr>\n";
    for ClassMetrics { class, precision, recall, f1, support } in all {
        let _ = writeln!(
            html,
            "<tr><th scope=\"row\">{}</th><td>{precision:.3}</td><td>{recall:.3}</td><td>{f1:.3}</td><td>{}</td></tr>",
            escape(class),
            grouped(*support)
        );
    }
    html + "</table></div>\n</section>\n"
}

/// Predictions against targets, and how the difference is spread.
pub(crate) fn residuals(Residuals { residuals, pairs }: &Residuals, lang: Lang) -> (Chart, Histograms) {
    let places = pairs.iter().map(|&[predicted, actual]| (actual, predicted));
    let values = || pairs.iter().map(|pair| pair[1]).filter(|value| value.is_finite());
    let ends = [values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max)];
    let [title, target, prediction] = ["Predictions", "target", "prediction"].map(|name| lang.said(name));
    let scatter = Chart::new(title, Axis::new(target), Axis::new(prediction))
        .lang(lang)
        .line(Series::new(lang.said("held-out rows"), places).dots())
        .line(Series::new(lang.said("as it should be"), ends.map(|end| (end, end))));
    let [mean, std] = [residuals.mean, residuals.std].map(two_digits);
    let panel = Histogram::new(
        lang.said("target − prediction"),
        residuals.bins.edges.iter().copied(),
        residuals.bins.counts.iter().copied(),
    )
    .note(lang.said(&format!("mean {mean}, std {std}")));
    let spread = Histograms::new(lang.said("Residuals of the held-out rows")).lang(lang);
    let spread = spread.row(lang.said("rows"), 1, [panel]);
    (scatter, spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_too_large_for_a_table_is_told_in_mistakes() {
        let classes: Vec<String> = (0..21).map(|class| format!("<{class}>")).collect();
        let mut counts = vec![vec![0; 21]; 21];
        (0..21).for_each(|class| counts[class][class] = 10);
        (counts[3][4], counts[5][6]) = (2, 7);
        let html = confusion(&Confusion { classes: classes.clone(), counts: counts.clone() }, Lang::En);
        assert!(html.contains("210 of 219 held-out rows are right"), "{html}");
        let [first, second] = ["&lt;5&gt; taken for &lt;6&gt;: 7", "&lt;3&gt; taken for &lt;4&gt;: 2"]
            .map(|text| html.find(text).unwrap());
        assert!(first < second && !html.contains("<table"));

        let small = Confusion { classes: classes[..2].to_vec(), counts: vec![vec![3, 1], vec![0, 4]] };
        let html = confusion(&small, Lang::En);
        assert!(html.contains("<td style=\"background:rgb(213 94 0 / 20%)\">1</td>"), "{html}");
        assert!(html.contains("<th scope=\"row\">&lt;1&gt;</th>"));
        assert!(html.contains("<td>0.800</td><td>1.000</td><td>0.889</td><td>4</td>"), "{html}");
    }
}
