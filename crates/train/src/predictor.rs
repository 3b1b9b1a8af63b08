//! A trained network with all that is needed to use it.

mod consistent;
mod explain;
mod finite;
mod residuals;

use std::path::Path;

use downhill_core::{invalid, spec};
use downhill_data::{Encoder, Examples, Table, Targets, Task};
use downhill_nn::loss::TargetKind;
use downhill_nn::metric::Confidence;
use downhill_nn::{LayerSpec, Loss, Model, Workspace};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Error, Metrics, archive, checkpoint, engine};
pub use explain::ExplainOptions;
use residuals::Residuals;

/// A trained network, the encoding of its data and its loss: enough to predict and to be saved.
#[derive(Clone, Debug)]
pub struct Predictor {
    model: Model<f32>,
    about: About,
}

/// What a model file says besides its weights.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct About {
    version: String,
    inputs: usize,
    #[serde(with = "crate::spelled::list")]
    layers: Vec<LayerSpec>,
    #[serde(with = "spec")]
    loss: Loss,
    encoder: Option<Encoder>,
    /// The errors on the validation rows, where a number is predicted. Models of older versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    residuals: Option<Residuals>,
}

/// What a network says of some rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Predictions {
    /// A class for each row.
    Classes {
        /// The likeliest, counted from 0.
        labels: Vec<u32>,
        /// The names of the classes.
        classes: Vec<String>,
        /// The probability of each, `rows × classes`.
        probabilities: Vec<f32>,
    },
    /// A number for each row, in the target's own unit.
    Values(Vec<f64>),
}

/// How good a network is on some rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The number of rows measured: those that have the target.
    pub rows: usize,
    /// The mean loss.
    pub loss: f64,
    /// The metrics.
    pub metrics: Metrics,
    /// How far its probabilities can be trusted; none where a number is predicted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
    /// How many of the rows its intervals of nine in ten hold; none where classes are predicted, and of a
    /// model that keeps too few errors to make some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intervals: Option<Coverage>,
}

/// How many rows intervals hold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// The share that they are made to hold.
    pub level: f64,
    /// How far they reach to either side, in the target's own unit.
    pub margin: f64,
    /// The share that they hold.
    pub coverage: f64,
}

/// How good a network is on some rows, and what it says of each.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    /// How good it is.
    pub evaluation: Evaluation,
    /// The rows of the table that were measured: those that have the target.
    pub rows: Vec<u32>,
    /// What they are.
    pub truth: Truth,
    /// What the network says of them.
    pub predictions: Predictions,
    /// Their features.
    x: Vec<f32>,
    /// What they are, as the network is trained on it.
    targets: Targets,
}

/// What rows are.
#[derive(Clone, Debug, PartialEq)]
pub enum Truth {
    /// The class of each, counted from 0.
    Classes(Vec<u32>),
    /// The number of each, in the target's own unit.
    Values(Vec<f64>),
}

const KIND: &str = "model";

/// The share of rows that the intervals hold that are measured.
const LEVEL: f64 = 0.9;

/// SHA-256 over all parameters and statistics of a model, in hexadecimal.
pub(crate) fn weights_sha256(model: &Model<f32>) -> String {
    let mut hash = Sha256::new();
    hash.update(bytemuck::cast_slice::<f32, u8>(model.params()));
    hash.update(bytemuck::cast_slice::<f32, u8>(model.statistics()));
    archive::hex(&hash.finalize())
}

impl Predictor {
    pub(crate) fn new(model: Model<f32>, loss: Loss, encoder: Option<Encoder>) -> Self {
        let about = About {
            version: env!("CARGO_PKG_VERSION").into(),
            inputs: model.inputs(),
            layers: model.layers().to_vec(),
            loss,
            encoder,
            residuals: None,
        };
        Self { model, about }
    }

    /// Measures the validation rows, and keeps what intervals are made by.
    pub(crate) fn calibrate(&mut self, valid: &Examples) -> Result<Evaluation, Error> {
        let (evaluation, outputs) = self.measure(valid)?;
        if let Targets::Values(values) = &valid.y {
            self.about.residuals = Residuals::of(&outputs, values);
        }
        Ok(evaluation)
    }

    /// The network.
    pub fn model(&self) -> &Model<f32> {
        &self.model
    }

    /// How tables are encoded; none if it was trained on plain numbers.
    pub fn encoder(&self) -> Option<&Encoder> {
        self.about.encoder.as_ref()
    }

    /// What the network was trained to make small.
    pub fn loss(&self) -> &Loss {
        &self.about.loss
    }

    /// Predicts the rows of a table, which is encoded as the training data was. It needs no target.
    ///
    /// # Errors
    ///
    /// If columns are missing or hold something else than in training, the network was trained on plain
    /// numbers, or a prediction is not a finite number; the row and the column are named.
    pub fn predict(&self, table: &Table) -> Result<Predictions, Error> {
        let x = self.table_encoder()?.encode_features(table)?;
        let predictions = self.predictions(&x)?;
        match predictions.not_finite() {
            None => Ok(predictions),
            Some(row) => Err(self.not_finite(&x, row, Some((table, row)))),
        }
    }

    /// Predicts rows of features, one behind the other, as they are.
    ///
    /// # Errors
    ///
    /// If `x` is not whole rows, or a prediction is not a finite number.
    pub fn predict_rows(&self, x: &[f32]) -> Result<Predictions, Error> {
        let predictions = self.predictions(x)?;
        match predictions.not_finite() {
            None => Ok(predictions),
            Some(row) => Err(self.not_finite(x, row, None)),
        }
    }

    fn predictions(&self, x: &[f32]) -> Result<Predictions, Error> {
        Ok(self.read(self.outputs(x)?))
    }

    /// What the model makes of rows of features.
    fn outputs(&self, x: &[f32]) -> Result<Vec<f32>, Error> {
        let mut outputs = vec![0.0; x.len() / self.model.inputs() * self.model.outputs()];
        self.workspace().predict(&self.model, x, &mut outputs)?;
        Ok(outputs)
    }

    /// What outputs of the model, row after row, predict.
    pub(crate) fn read(&self, mut outputs: Vec<f32>) -> Predictions {
        let width = self.model.outputs();
        if self.task() == Task::Regression {
            let (mean, std) = self.encoder().map_or((0.0, 1.0), Encoder::target_scale);
            return Predictions::Values(outputs.iter().map(|&y| f64::from(y) * std + mean).collect());
        }
        self.about.loss.probabilities(&mut outputs, width);
        // One output is the probability of class 1.
        let probabilities =
            if width == 1 { outputs.iter().flat_map(|&yes| [1.0 - yes, yes]).collect() } else { outputs };
        let classes = width.max(2);
        let likeliest = |row: &[f32]| {
            let better = |best: usize, class: usize| if row[class] > row[best] { class } else { best };
            (0..classes).reduce(better).unwrap_or(0) as u32
        };
        Predictions::Classes {
            labels: probabilities.chunks_exact(classes).map(likeliest).collect(),
            classes: match self.encoder() {
                Some(encoder) => encoder.classes().to_vec(),
                None => (0..classes).map(|class| class.to_string()).collect(),
            },
            probabilities,
        }
    }

    /// How far the interval around a predicted number reaches to either side, in the target's own unit, if it
    /// is to hold the target in a share `level` of rows: split conformal prediction by the errors on the
    /// validation rows. It holds for rows like those; that the weights were chosen by the same rows makes it
    /// a little too narrow.
    ///
    /// # Errors
    ///
    /// If `level` is not between 0 and 1, the network predicts classes, or the model keeps no errors, or too
    /// few for the level.
    pub fn margin(&self, level: f64) -> Result<f64, Error> {
        invalid::ensure("interval", "level", level, |level| level > 0.0 && level < 1.0, "between 0 and 1")?;
        let mismatch = |why: String| Err(Error::Mismatch(why));
        if self.task() == Task::Classification {
            return mismatch(
                "intervals are for numbers, and the model predicts classes: they have probabilities".into(),
            );
        }
        let Some(residuals) = &self.about.residuals else {
            return mismatch(
                "this model keeps no errors on validation rows, which intervals are made by: an older version \
                 wrote it; train again"
                    .into(),
            );
        };
        let Some(margin) = residuals.margin(level) else {
            let (rows, least) = (residuals.rows(), (level / (1.0 - level)).ceil());
            return mismatch(format!(
                "an interval that holds a share of {level} needs the errors of {least} validation rows, and the \
                 model was trained beside {rows}; take a smaller share, or train with more validation rows"
            ));
        };
        let std = self.encoder().map_or(1.0, |encoder| encoder.target_scale().1);
        Ok(margin * std)
    }

    /// The loss and the metrics over the rows of a table that have the target.
    ///
    /// # Errors
    ///
    /// If the table lacks the target or does not go with the model, or an output is not a finite number.
    pub fn evaluate(&self, table: &Table) -> Result<Evaluation, Error> {
        Ok(self.assess(table)?.evaluation)
    }

    /// The same with what is predicted of each row.
    ///
    /// # Errors
    ///
    /// As [`evaluate`](Self::evaluate).
    pub fn assess(&self, table: &Table) -> Result<Assessment, Error> {
        let encoder = self.table_encoder()?;
        let target = encoder.target_column(table)?.ok_or_else(|| {
            Error::Mismatch(format!(
                "{} has no column `{}`, which is what the model predicts: it cannot be evaluated without it, only \
                 predicted",
                table.place(0, "").table,
                encoder.target_name()
            ))
        })?;
        let rows = table.rows_with(target)?;
        let examples = encoder.encode(table, &rows)?;
        let (evaluation, outputs) = self.measure(&examples)?;
        if let Some(at) = outputs.iter().position(|output| !output.is_finite()) {
            let row = at / self.model.outputs();
            return Err(self.not_finite(&examples.x, row, Some((table, rows[row] as usize))));
        }
        let truth = match &examples.y {
            Targets::Classes { labels, .. } => Truth::Classes(labels.clone()),
            Targets::Values(values) => {
                let (mean, std) = encoder.target_scale();
                Truth::Values(values.iter().map(|&value| f64::from(value) * std + mean).collect())
            }
        };
        let Examples { x, y: targets, .. } = examples;
        Ok(Assessment { evaluation, rows, truth, predictions: self.read(outputs), x, targets })
    }

    /// The loss and the metrics over encoded rows.
    ///
    /// # Errors
    ///
    /// If they do not go with the model.
    pub fn evaluate_rows(&self, rows: &Examples) -> Result<Evaluation, Error> {
        Ok(self.measure(rows)?.0)
    }

    /// How good it is, and its outputs.
    fn measure(&self, rows: &Examples) -> Result<(Evaluation, Vec<f32>), Error> {
        let mut outputs = vec![0.0; rows.rows() * self.model.outputs()];
        let (loss, encoder) = (&self.about.loss, self.encoder());
        let (loss, metrics) =
            engine::measure(&mut self.workspace(), &self.model, &mut outputs, rows, loss, encoder, true)?;
        let (mut confidence, mut intervals) = (None, None);
        match (&rows.y, self.read(outputs.clone())) {
            (Targets::Classes { labels, .. }, Predictions::Classes { probabilities, classes, .. }) => {
                confidence = Some(Confidence::of(&probabilities, classes.len(), labels)?);
            }
            (Targets::Values(values), Predictions::Values(_)) => {
                // A model that makes no intervals can be measured all the same.
                intervals = self.margin(LEVEL).ok().map(|margin| {
                    let std = encoder.map_or(1.0, |encoder| encoder.target_scale().1);
                    let held = outputs
                        .iter()
                        .zip(values)
                        .filter(|(a, b)| f64::from((*a - *b).abs()) * std <= margin)
                        .count();
                    Coverage { level: LEVEL, margin, coverage: held as f64 / values.len() as f64 }
                });
            }
            (Targets::Classes { .. }, _) | (Targets::Values(_), _) => {}
        }
        Ok((Evaluation { rows: rows.rows(), loss, metrics, confidence, intervals }, outputs))
    }

    /// Whether it predicts classes or numbers.
    pub fn task(&self) -> Task {
        task_of(&self.about.loss)
    }

    fn table_encoder(&self) -> Result<&Encoder, Error> {
        self.encoder().ok_or_else(|| {
            Error::Mismatch(
                "this model was trained on plain numbers and does not know how to read a table".into(),
            )
        })
    }

    fn workspace(&self) -> Workspace<f32> {
        Workspace::new(&self.model, 1, false)
    }

    /// SHA-256 over all parameters and statistics, in hexadecimal: equal for equal weights, bit for bit.
    pub fn weights_sha256(&self) -> String {
        weights_sha256(&self.model)
    }

    /// Writes the model as a safetensors file: the weights, with the network and the encoding in the
    /// metadata.
    ///
    /// # Errors
    ///
    /// If it cannot be written; a file that was there before is then untouched.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let mut tensors = checkpoint::named(self.model.layout(), self.model.params(), "");
        tensors.extend(checkpoint::named(self.model.statistics_layout(), self.model.statistics(), ""));
        archive::save("write the model", path.as_ref(), KIND, &self.about, &tensors)
    }

    /// Reads a model that was saved.
    ///
    /// # Errors
    ///
    /// If it cannot be read, has changed since it was written, or contradicts itself.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let archive = archive::load::<About>("read the model", path, KIND)?;
        let model = consistent::model(&archive)
            .map_err(|why| downhill_run::Error::Damaged { path: path.to_path_buf(), why })?;
        Ok(Self { model, about: archive.description })
    }
}

fn task_of(loss: &Loss) -> Task {
    match loss.targets() {
        TargetKind::Classes => Task::Classification,
        TargetKind::Values => Task::Regression,
    }
}
