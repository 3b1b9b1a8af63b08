//! The losses of runs, from their logs, as one chart.

use downhill_run::{Error, RunFolder};

use crate::Lang;
use crate::several::loss_axis;
use crate::{Axis, Chart, Run, Series};

/// The losses of training and validation by epoch, of one run or of several on top of each other, with a mark
/// wherever commands changed a run.
///
/// # Errors
///
/// As [`html`](crate::html).
pub fn losses(folders: &[RunFolder], lang: Lang) -> Result<Chart, Error> {
    let runs = folders.iter().map(Run::read).collect::<Result<Vec<_>, _>>()?;
    let mut series = Vec::new();
    for (index, run) in runs.iter().enumerate() {
        let name = |loss| match &runs[..] {
            [_] => lang.said(loss).into_owned(),
            _ => format!("{}, {}", run.folder.name(), lang.said(loss)),
        };
        let training = Series::new(name("training"), run.history.each(|epoch| epoch.train_loss));
        let validation = Series::new(name("validation"), run.history.each(|epoch| epoch.valid_loss));
        // Of several runs, each has one colour.
        series.extend(match &runs[..] {
            [_] => [training, validation],
            _ => [training.of_run(index, true), validation.of_run(index, false)],
        });
    }
    // The loss of training may fall to nothing; what is to be seen of the other would be flat on its scale.
    let validation: Vec<_> = series.iter().skip(1).step_by(2).map(|series| series.points.clone()).collect();
    let y = loss_axis(&lang.said("loss"), &validation);
    let names: Vec<String> = runs.iter().map(|run| run.folder.name()).collect();
    let title = lang.said(&format!("Loss of {}, run by run", names.join(", "))).into_owned();
    let mut chart = Chart::new(title, Axis::new(lang.said("epoch")).whole(), y).lang(lang);
    for told in runs.iter().flat_map(|run| run.history.told()) {
        chart = chart.mark(told, lang.said("told by hand"));
    }
    chart.series = series;
    Ok(chart)
}
