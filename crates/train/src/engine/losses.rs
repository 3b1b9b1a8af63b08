//! What predictions cost: those of a network, of the first guess, and of the best constant.

use downhill_data::{Dataset, Encoder, Examples, Targets};
use downhill_nn::{Loss, Model, Workspace};

use crate::{Error, Metrics, metrics};

pub(crate) fn targets(targets: &Targets) -> downhill_nn::Targets<'_, f32> {
    match targets {
        Targets::Classes { labels, .. } => downhill_nn::Targets::Classes(labels),
        Targets::Values(values) => downhill_nn::Targets::Values(values),
    }
}

/// The loss and the metrics of a model on encoded rows; a target that `encoder` standardised is measured in
/// its own unit.
pub(crate) fn measure(
    workspace: &mut Workspace<f32>,
    model: &Model<f32>,
    outputs: &mut [f32],
    rows: &Examples,
    loss: &Loss,
    encoder: Option<&Encoder>,
    whole: bool,
) -> Result<(f64, Metrics), Error> {
    workspace.predict(model, &rows.x, outputs)?;
    measure_outputs(outputs, model.outputs(), (&rows.y, rows.weights.as_deref()), loss, encoder, whole)
}

/// The mean loss of outputs; of rows that have weights, the weighted one.
fn mean(
    loss: &Loss,
    outputs: &[f32],
    targets: downhill_nn::Targets<'_, f32>,
    weights: Option<&[f32]>,
) -> Result<f64, Error> {
    Ok(match weights {
        Some(weights) => loss.weighted_mean(outputs, targets, weights)?,
        None => loss.mean(outputs, targets)?,
    })
}

/// The same of outputs, `width` a row, and of targets with the weights of their rows, if they have any. The
/// weights are those of the loss: in the metrics, every row counts the same.
pub(crate) fn measure_outputs(
    outputs: &[f32],
    width: usize,
    (y, weights): (&Targets, Option<&[f32]>),
    loss: &Loss,
    encoder: Option<&Encoder>,
    whole: bool,
) -> Result<(f64, Metrics), Error> {
    let scale = encoder.map_or(1.0, |encoder| encoder.target_scale().1);
    let mean = mean(loss, outputs, targets(y), weights)?;
    let mut metrics = metrics::of(outputs, width, targets(y), scale, whole)?;
    metrics.name_classes(encoder.map_or(&[][..], Encoder::classes));
    Ok((mean, metrics))
}

/// The number of outputs that a loss needs of the network.
pub(super) fn outputs(loss: &Loss, data: &Dataset) -> usize {
    loss.outputs(data.outputs())
}

/// The mean loss of a network that has learned nothing: its head begins at zero, and so does every output.
pub(crate) fn first_guess(loss: &Loss, data: &Dataset) -> Result<f64, Error> {
    let zeros = vec![0.0; data.train.rows() * outputs(loss, data)];
    mean(loss, &zeros, targets(&data.train.y), data.train.weights.as_deref())
}

/// The same on some of the training rows, where a row has so many outputs.
pub(super) fn first_guess_on(loss: &Loss, data: &Dataset, width: usize, rows: &[u32]) -> Result<f64, Error> {
    let zeros = vec![0.0; rows.len() * width];
    let rows = rows.iter().map(|&row| row as usize);
    let weights = data.train.weights.as_ref();
    let weights = weights.map(|weights| rows.clone().map(|row| weights[row]).collect::<Vec<f32>>());
    match &data.train.y {
        Targets::Classes { labels, .. } => {
            let labels: Vec<u32> = rows.map(|row| labels[row]).collect();
            mean(loss, &zeros, downhill_nn::Targets::Classes(&labels), weights.as_deref())
        }
        Targets::Values(values) => {
            let values: Vec<f32> = rows.flat_map(|row| &values[row * width..][..width]).copied().collect();
            mean(loss, &zeros, downhill_nn::Targets::Values(&values), weights.as_deref())
        }
    }
}

/// The mean losses, over the training and over the validation rows, of the best prediction that is the same
/// for every row: the shares of the classes in training, as logits, or the mean, which is 0 as targets are
/// standardised; or, where rows have weights, the weighted one.
pub(crate) fn constant_loss(loss: &Loss, data: &Dataset) -> Result<[f64; 2], Error> {
    let output = match &data.train.y {
        Targets::Values(values) => match &data.train.weights {
            None => vec![0.0; data.outputs()],
            Some(weights) => {
                let wide = |(&weight, &value): (&f32, &f32)| f64::from(weight) * f64::from(value);
                let sum: f64 = weights.iter().zip(values).map(wide).sum();
                vec![(sum / weights.iter().copied().map(f64::from).sum::<f64>()) as f32; data.outputs()]
            }
        },
        Targets::Classes { labels, classes } => {
            let weight = |class: usize| loss.class_weights().get(class).copied().unwrap_or(1.0);
            // A class without training rows has a little share too.
            let mut shares: Vec<f64> = (0..*classes).map(weight).collect();
            let row_weight = |row: usize| data.train.weights.as_ref().map_or(1.0, |all| f64::from(all[row]));
            for (row, &label) in labels.iter().enumerate() {
                shares[label as usize] += row_weight(row) * weight(label as usize);
            }
            match outputs(loss, data) {
                1 => vec![(shares[1] / shares[0]).ln() as f32],
                _ => shares.iter().map(|share| share.ln() as f32).collect(),
            }
        }
    };
    let constant =
        |rows: &Examples| mean(loss, &output.repeat(rows.rows()), targets(&rows.y), rows.weights.as_deref());
    Ok([constant(&data.train)?, constant(&data.valid)?])
}

/// The mean losses of so many groups of neighbouring rows, or of each row if they are fewer; groups in which
/// every row has weight 0 are left out.
pub(super) fn of_groups(
    loss: &Loss,
    rows: &Examples,
    outputs: &[f32],
    groups: usize,
) -> Result<Vec<f64>, Error> {
    let (count, width) = (rows.rows(), outputs.len() / rows.rows().max(1));
    let groups = groups.min(count);
    let of_group = |group: usize| -> Option<Result<f64, Error>> {
        let (first, last) = (count * group / groups, count * (group + 1) / groups);
        let weights = rows.weights.as_ref().map(|weights| &weights[first..last]);
        if weights.is_some_and(|weights| weights.iter().all(|&weight| weight == 0.0)) {
            return None;
        }
        let targets = match targets(&rows.y) {
            downhill_nn::Targets::Classes(labels) => downhill_nn::Targets::Classes(&labels[first..last]),
            downhill_nn::Targets::Values(values) => {
                downhill_nn::Targets::Values(&values[first * width..last * width])
            }
        };
        Some(mean(loss, &outputs[first * width..last * width], targets, weights))
    };
    (0..groups).filter_map(of_group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::{config, iris};

    #[test]
    fn the_first_guess_on_all_rows_is_the_first_guess() {
        let data = iris();
        let loss = config(&data, |_| {}).weighted_loss(&data).unwrap();
        let all: Vec<u32> = (0..data.train.rows() as u32).collect();
        let whole = first_guess(&loss, &data).unwrap();
        assert!((whole - 3.0f64.ln()).abs() < 1e-6, "{whole}");
        assert_eq!(first_guess_on(&loss, &data, 3, &all).unwrap(), whole);
        // Three classes of about the same size cannot be guessed better than by their shares.
        let [constant, _] = constant_loss(&loss, &data).unwrap();
        assert!(constant <= whole && constant > 0.9 * whole, "{constant}");
    }

    #[test]
    fn groups_have_the_mean_of_all_rows() {
        let data = iris();
        let loss = config(&data, |_| {}).weighted_loss(&data).unwrap();
        let outputs: Vec<f32> = (0..data.train.rows() * 3).map(|i| (i % 7) as f32 / 7.0).collect();
        let whole = of_groups(&loss, &data.train, &outputs, 1).unwrap()[0];
        let groups = of_groups(&loss, &data.train, &outputs, 4).unwrap();
        assert_eq!(groups.len(), 4);
        assert!((groups.iter().sum::<f64>() / 4.0 - whole).abs() < 1e-6);
    }
}
