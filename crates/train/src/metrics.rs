//! The figures of a network's outputs.

use downhill_nn::metric::{self, ConfusionMatrix, Metric};
use downhill_nn::{Error, Targets};
use downhill_run::{ClassMetrics, Classification, Metrics, Regression};

/// The metrics of a network's outputs, `width` a row. A standardised target is measured in its own unit by
/// `scale`, its standard deviation. If `whole`, the confusion matrix and the figures of each class are there
/// too.
pub(crate) fn of(
    outputs: &[f32],
    width: usize,
    targets: Targets<'_, f32>,
    scale: f64,
    whole: bool,
) -> Result<Metrics, Error> {
    let figure = |metric: Metric| metric.compute(outputs, width, targets);
    let finite = |value: f64| value.is_finite().then_some(value);
    let Targets::Classes(classes) = targets else {
        return Ok(Metrics::Regression(Regression {
            rmse: scale * figure(Metric::Rmse(metric::Rmse {}))?,
            mae: scale * figure(Metric::Mae(metric::Mae {}))?,
            r2: finite(figure(Metric::R2(metric::R2 {}))?),
        }));
    };
    let top_3 = if width > 3 { Some(figure(Metric::TopK(metric::TopK { k: 3 }))?) } else { None };
    let matrix = ConfusionMatrix::of(outputs, width, classes)?;
    let counts = whole.then(|| counts(&matrix));
    let by_class = counts.as_ref().map(|counts| {
        let names: Vec<String> = (0..counts.len()).map(|class| class.to_string()).collect();
        ClassMetrics::of_counts(&names, counts)
    });
    Ok(Metrics::Classification(Classification {
        accuracy: matrix.accuracy(),
        top_3_accuracy: top_3,
        balanced_accuracy: matrix.balanced_accuracy(),
        macro_precision: matrix.macro_precision(),
        macro_recall: matrix.macro_recall(),
        macro_f1: matrix.macro_f1(),
        roc_auc: finite(figure(Metric::RocAuc(metric::RocAuc {}))?),
        positive: by_class.as_ref().filter(|all| all.len() == 2).map(|all| all[1].clone()),
        by_class,
        confusion: counts,
    }))
}

/// A row for each class, a column for each prediction.
fn counts(matrix: &ConfusionMatrix) -> Vec<Vec<u64>> {
    let classes = 0..matrix.classes() as u32;
    let row = |class| classes.clone().map(|predicted| matrix.count(class, predicted)).collect();
    classes.clone().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_the_positive_class_are_not_the_means() {
        // Logits of no and yes: of 3 rows that are yes one is found, and of 2 that are no one is taken for
        // yes.
        let outputs = [0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0];
        let targets = Targets::Classes(&[1, 1, 1, 0, 0]);
        let mut metrics = of(&outputs, 2, targets, 1.0, true).unwrap();
        metrics.name_classes(&["no".into(), "yes".into()]);
        let Metrics::Classification(metrics) = metrics else { panic!() };
        let yes = metrics.positive.unwrap();
        assert_eq!((yes.class.as_str(), yes.support), ("yes", 3));
        assert_eq!((yes.precision, yes.f1), (0.5, 0.4));
        assert!((yes.recall - 1.0 / 3.0).abs() < 1e-12);
        let all = metrics.by_class.unwrap();
        assert_eq!(all[1], yes);
        assert!((metrics.macro_f1 - (all[0].f1 + all[1].f1) / 2.0).abs() < 1e-12);
        assert_eq!(ClassMetrics::of_counts(&["no".into(), "yes".into()], &metrics.confusion.unwrap()), all);
    }
}
