//! How far predictions can be trusted: in words, and drawn.

use downhill::nn::metric::Thresholds;
use downhill::prelude::{Predictions, Predictor};
use downhill::train::{Assessment, Evaluation, Truth};
use downhill_report::{Axis, Chart, Lang, Series, Sheet};
use serde::Serialize;

use crate::{Failure, output};

/// Of more classes, the curves cannot be told apart.
const MOST_CLASSES: usize = 7;

/// The threshold that costs least.
#[derive(Serialize)]
pub struct Cheapest {
    /// Rows of this probability and above are predicted to be of the second class; none if none is to be.
    threshold: Option<f64>,
    /// What it costs a row, on average.
    cost: f64,
    /// What the usual threshold, the half, costs.
    cost_at_half: f64,
}

impl Cheapest {
    pub fn of(thresholds: &Thresholds, [false_positive, false_negative]: [f64; 2]) -> Self {
        let (best, cost) = thresholds.cheapest(false_positive, false_negative);
        let half = thresholds.points().iter().take_while(|point| point.threshold >= 0.5).last();
        let cost_at_half =
            half.map_or(f64::NAN, |half| thresholds.cost(half, false_positive, false_negative));
        Self { threshold: Some(best.threshold).filter(|at| at.is_finite()), cost, cost_at_half }
    }
}

/// Two costs, of which one is more than nothing.
pub fn costs(text: &str) -> Result<[f64; 2], String> {
    let wrong =
        || format!("`{text}` are not two costs; give two numbers, such as 1,5, not negative and not both 0");
    let numbers: Option<Vec<f64>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
    match numbers.as_deref() {
        Some(&[a, b]) if a.is_finite() && b.is_finite() && a >= 0.0 && b >= 0.0 && a + b > 0.0 => Ok([a, b]),
        _ => Err(wrong()),
    }
}

/// A share of rows that an interval is to hold.
pub fn share_of_rows(text: &str) -> Result<f64, String> {
    let share = text.trim().parse().ok().filter(|share: &f64| *share > 0.0 && *share < 1.0);
    share.ok_or_else(|| "give a share between 0 and 1, such as 0.9 for nine rows in ten".into())
}

/// What is to be said of it, in lines.
pub fn lines(evaluation: &Evaluation, cheapest: Option<&Cheapest>) -> String {
    let mut lines = String::new();
    if let Some(confidence) = &evaluation.confidence {
        lines += &format!(
            "  log loss {:.4}, Brier score {:.4}, calibration error {:.3}\n",
            confidence.log_loss, confidence.brier, confidence.calibration_error
        );
    }
    if let Some(intervals) = &evaluation.intervals {
        lines += &format!(
            "  intervals of ± {} are to hold {:.0}% of rows, and hold {:.1}% of these\n",
            output::fixed(intervals.margin),
            100.0 * intervals.level,
            100.0 * intervals.coverage
        );
    }
    if let Some(Cheapest { threshold, cost, cost_at_half }) = cheapest {
        let (cost, half) = (output::fixed(*cost), output::fixed(*cost_at_half));
        lines += &match threshold {
            Some(threshold) => format!(
                "  a threshold of {} costs least: {cost} a row, where 0.5 costs {half}\n",
                output::fixed(*threshold)
            ),
            None => format!(
                "  to predict the second class of no row costs least: {cost} a row, where 0.5 costs {half}\n"
            ),
        };
    }
    lines
}

/// The pictures of it.
pub fn sheet(
    predictor: &Predictor,
    assessment: &Assessment,
    thresholds: Option<&Thresholds>,
    costs: Option<[f64; 2]>,
    lang: Lang,
) -> Result<Sheet, Failure> {
    let title = lang.said("How far predictions can be trusted");
    let sheet = Sheet::new(title).lang(lang);
    match (&assessment.predictions, &assessment.truth) {
        (Predictions::Values(values), Truth::Values(truth)) => {
            intervals(sheet, predictor, values, truth, lang)
        }
        (Predictions::Classes { classes, probabilities, .. }, Truth::Classes(labels)) => {
            let all = curves(classes, probabilities, labels);
            Ok(probabilities_drawn(sheet, assessment, &all, thresholds, costs, lang))
        }
        (Predictions::Values(_), Truth::Classes(_)) | (Predictions::Classes { .. }, Truth::Values(_)) => {
            Ok(sheet)
        }
    }
}

/// An axis of shares.
fn share(label: impl Into<String>) -> Axis {
    Axis::new(label).within(0.0, 1.0)
}

/// The line that is meant: what is said comes true.
fn diagonal(lang: Lang) -> Series {
    Series::new(lang.said("as it should be"), [(0.0, 0.0), (1.0, 1.0)]).of_run(6, true)
}

/// How many rows intervals of each level hold.
fn intervals(
    sheet: Sheet,
    predictor: &Predictor,
    values: &[f64],
    truth: &[f64],
    lang: Lang,
) -> Result<Sheet, Failure> {
    // Whether there are any; a level that a few rows cannot say is left out.
    predictor.margin(0.5)?;
    let levels = (1..100).map(|percent| f64::from(percent) / 100.0);
    let margins: Vec<(f64, f64)> =
        levels.filter_map(|level| Some((level, predictor.margin(level).ok()?))).collect();
    let held = |margin: f64| {
        let held =
            values.iter().zip(truth).filter(|(value, truth)| (*value - *truth).abs() <= margin).count();
        held as f64 / values.len() as f64
    };
    let coverage = margins.iter().map(|&(level, margin)| (level, held(margin)));
    let to_hold = || share(lang.said("share that intervals are to hold"));
    let chart =
        Chart::new(lang.said("Intervals"), to_hold(), share(lang.said("share of rows that they hold")))
            .lang(lang)
            .line(diagonal(lang))
            .line(Series::new(lang.said("intervals"), coverage).run(0));
    let widths = Chart::new(
        lang.said("Their width"),
        to_hold(),
        Axis::new(lang.said("to either side")).within(0.0, f64::INFINITY),
    )
    .lang(lang)
    .line(Series::new("±", margins.iter().copied()));
    let titles = [lang.said("How many rows intervals hold"), lang.said("How wide they are")];
    let [first, second] = titles;
    Ok(sheet.figure(first, chart).figure(second, widths))
}

/// The thresholds of each class against the others: of two, those of the second.
fn curves(classes: &[String], probabilities: &[f32], labels: &[u32]) -> Vec<(String, Thresholds)> {
    let first = if classes.len() == 2 { 1 } else { 0 };
    let of = |class: usize| {
        let scores: Vec<f32> = probabilities.iter().skip(class).step_by(classes.len()).copied().collect();
        let is_of: Vec<bool> = labels.iter().map(|&label| label as usize == class).collect();
        Some((classes[class].clone(), Thresholds::of(&scores, &is_of).ok()?))
    };
    (first..classes.len()).filter_map(of).take(MOST_CLASSES).collect()
}

fn probabilities_drawn(
    mut sheet: Sheet,
    assessment: &Assessment,
    curves: &[(String, Thresholds)],
    thresholds: Option<&Thresholds>,
    costs: Option<[f64; 2]>,
    lang: Lang,
) -> Sheet {
    if let Some(confidence) = &assessment.evaluation.confidence {
        let bins = confidence.bins.iter().map(|bin| (bin.probability, bin.share));
        let chart = Chart::new(
            lang.said("Reliability"),
            share(lang.said("mean probability")),
            share(lang.said("share that came true")),
        )
        .lang(lang)
        .line(diagonal(lang))
        .line(Series::new(lang.said("these rows"), bins).run(0));
        sheet = sheet.figure(lang.said("Probabilities beside what happened"), chart);
    }
    if !curves.is_empty() {
        let mut roc = Chart::new(
            "ROC",
            share(lang.said("share of the others taken for the class")),
            share(lang.said("share of the class that is found")),
        )
        .lang(lang);
        let mut recall = Chart::new(
            lang.said("Precision and recall"),
            share(lang.said("recall: share of the class that is found")),
            share(lang.said("precision: share of those found that are so")),
        )
        .lang(lang);
        for (index, (class, thresholds)) in curves.iter().enumerate() {
            roc = roc.line(Series::new(class.clone(), thresholds.roc()).run(index));
            // Of the first threshold there is a point at its recall; from 0 on it is as precise.
            let mut points: Vec<(f64, f64)> = thresholds.precision_recall().collect();
            points.insert(0, (0.0, points.first().map_or(1.0, |first| first.1)));
            recall = recall.line(Series::new(class.clone(), points).run(index));
        }
        sheet = sheet.figure("ROC", roc).figure(lang.said("Precision and recall"), recall);
    }
    if let Some(thresholds) = thresholds {
        let [false_positive, false_negative] = costs.unwrap_or([1.0, 1.0]);
        let (best, _) = thresholds.cheapest(false_positive, false_negative);
        let points = thresholds.points().iter().filter(|point| point.threshold.is_finite());
        let costs =
            points.map(|point| (point.threshold, thresholds.cost(point, false_positive, false_negative)));
        let mut chart = Chart::new(
            lang.said("Thresholds and their costs"),
            share(lang.said("threshold")),
            Axis::new(lang.said("mean cost of a row")).within(0.0, f64::INFINITY),
        )
        .lang(lang)
        .line(Series::new(lang.said(&format!("false {false_positive}, missed {false_negative}")), costs));
        if best.threshold.is_finite() {
            chart = chart.mark(best.threshold, lang.said("least"));
        }
        sheet = sheet.figure(lang.said("What thresholds cost"), chart);
    }
    sheet
}
