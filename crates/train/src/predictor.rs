//! A trained network with all that is needed to use it.

mod average;
mod consistent;
mod explain;
mod file;
mod finite;
mod plans;
mod residuals;

use std::path::Path;
use std::sync::Arc;

use downhill_core::invalid;
use downhill_data::{Encoder, Examples, Known, Table, Targets, Task};
use downhill_nn::loss::TargetKind;
use downhill_nn::metric::Confidence;
use downhill_nn::{Inference, Loss, Model};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Error, Metrics, archive, engine};

pub(crate) use average::{Average, Scale};
pub use explain::ExplainOptions;
use plans::Plans;
use residuals::Residuals;

/// A trained network, the encoding of its data and its loss: enough to predict and to be saved.
///
/// It may be an average of several networks, its [members](Predictor::members): of classes, their
/// probabilities are averaged, and of numbers, their predictions.
#[derive(Clone, Debug)]
pub struct Predictor {
    members: Vec<Member>,
    /// The version of Downhill that trained it.
    version: String,
    loss: Loss,
    /// The errors on the validation rows, where a number is predicted. Models of older versions have none.
    residuals: Option<Residuals>,
}

/// A network of a predictor, with the encoding of its data.
#[derive(Clone, Debug)]
pub struct Member {
    model: Model<f32>,
    /// Shared by networks with the same one.
    encoder: Option<Arc<Encoder>>,
    plans: Plans,
}

impl Member {
    fn new(model: Model<f32>, encoder: Option<Arc<Encoder>>) -> Self {
        Self { model, encoder, plans: Plans::default() }
    }

    /// The network.
    pub fn model(&self) -> &Model<f32> {
        &self.model
    }

    /// How tables are encoded for it; none if it was trained on plain numbers.
    pub fn encoder(&self) -> Option<&Encoder> {
        self.encoder.as_deref()
    }

    /// Whether the features of a row are the same numbers for it and another.
    fn takes_features_of(&self, other: &Self) -> bool {
        match (&self.encoder, &other.encoder) {
            (Some(own), Some(other)) => Arc::ptr_eq(own, other),
            (None, None) => self.model.inputs() == other.model.inputs(),
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    fn table_encoder(&self) -> Result<&Encoder, Error> {
        self.encoder().ok_or_else(|| {
            Error::Mismatch(
                "this model was trained on plain numbers and does not know how to read a table".into(),
            )
        })
    }

    /// What its target is standardised by.
    fn scale(&self) -> Scale {
        self.encoder().map_or((0.0, 1.0), Encoder::target_scale)
    }

    /// The outputs of the network for rows of features.
    fn outputs(&self, x: &[f32]) -> Result<Vec<f32>, Error> {
        let mut outputs = vec![0.0; x.len() / self.model.inputs() * self.model.outputs()];
        let mut inference = self.plans.take().unwrap_or_else(|| Inference::new(&self.model, false));
        let done = inference.predict(&self.model, x, &mut outputs);
        self.plans.keep(inference);
        done?;
        Ok(outputs)
    }
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
    /// What they are, as the network is trained on it; of several, the first.
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

/// The share of rows that the intervals hold that are measured.
const LEVEL: f64 = 0.9;

/// SHA-256 over all parameters and statistics of some models, in hexadecimal.
pub(crate) fn weights_sha256<'a>(models: impl IntoIterator<Item = &'a Model<f32>>) -> String {
    let mut hash = Sha256::new();
    for model in models {
        hash.update(bytemuck::cast_slice::<f32, u8>(model.params()));
        hash.update(bytemuck::cast_slice::<f32, u8>(model.statistics()));
    }
    archive::hex(&hash.finalize())
}

impl Predictor {
    pub(crate) fn new(model: Model<f32>, loss: Loss, encoder: Option<Encoder>) -> Self {
        let member = Member::new(model, encoder.map(Arc::new));
        Self { members: vec![member], version: env!("CARGO_PKG_VERSION").into(), loss, residuals: None }
    }

    /// Keeps what intervals are made by: the errors of these outputs on the validation rows, where a number is
    /// predicted. In a cross-validation each row's output is that of the networks that were not trained on it.
    pub(crate) fn keep_residuals(&mut self, outputs: &[f32], targets: &Targets) {
        self.residuals = match targets {
            Targets::Values(values) => Residuals::of(outputs, values),
            Targets::Classes { .. } => None,
        };
    }

    /// The average of several: of classes, the mean of their probabilities, and of numbers, that of their
    /// predictions. Those that are averages themselves are taken apart. It makes no intervals: what errors the
    /// average makes on rows that were not trained on is not known.
    ///
    /// # Errors
    ///
    /// If there are none, or they do not predict the same: another target, other classes, another loss.
    pub fn average(predictors: impl IntoIterator<Item = Self>) -> Result<Self, Error> {
        let mut predictors = predictors.into_iter();
        let none = || Error::Mismatch("an average of no models is not defined".into());
        let mut average = predictors.next().ok_or_else(none)?;
        for other in predictors {
            // The errors of one are not those of the average.
            average.residuals = None;
            for mut member in other.members {
                if let Some(why) = average.contradiction(&member, &other.loss) {
                    return Err(Error::Mismatch(format!("these models cannot be averaged: {why}")));
                }
                let alike = average.members.iter().find(|there| there.encoder == member.encoder);
                if let Some(alike) = alike {
                    member.encoder.clone_from(&alike.encoder);
                }
                average.members.push(member);
            }
        }
        Ok(average)
    }

    /// The networks whose predictions are averaged; mostly one.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// How tables are encoded; none if it was trained on plain numbers. Of several networks that were trained
    /// on different rows, that of the first: the target and its classes are the same for all.
    pub fn encoder(&self) -> Option<&Encoder> {
        self.members[0].encoder()
    }

    /// What is known of the columns of another table, to read it; none if it was trained on plain numbers.
    pub fn known(&self) -> Option<Known> {
        let encoders = self.members.iter().filter_map(Member::encoder);
        encoders.map(Encoder::known).reduce(Known::or)
    }

    /// What the network was trained to make small.
    pub fn loss(&self) -> &Loss {
        &self.loss
    }

    /// Predicts the rows of a table, which is encoded as the training data was. It needs no target.
    ///
    /// # Errors
    ///
    /// If columns are missing or hold something else than in training, the network was trained on plain
    /// numbers, or a prediction is not a finite number; the row and the column are named.
    pub fn predict(&self, table: &Table) -> Result<Predictions, Error> {
        self.table_encoder()?;
        let (x, outputs) = self.outputs(|encoder| Ok(encoder.encode_features(table)?), |x| x)?;
        self.finite_predictions(outputs, &x, |row| Some((table, row)))
    }

    /// Predicts rows of features, one behind the other, as they are.
    ///
    /// # Errors
    ///
    /// If `x` is not whole rows, a prediction is not a finite number, or there are several networks that do
    /// not take the same features.
    pub fn predict_rows(&self, x: &[f32]) -> Result<Predictions, Error> {
        self.check_same_features()?;
        self.finite_predictions(self.outputs_of_rows(x)?, x, |_| None)
    }

    fn finite_predictions<'t>(
        &self,
        outputs: Vec<f32>,
        x: &[f32],
        of: impl Fn(usize) -> Option<(&'t Table, usize)>,
    ) -> Result<Predictions, Error> {
        let predictions = self.read(outputs);
        match predictions.not_finite() {
            None => Ok(predictions),
            Some(row) => Err(self.not_finite(x, row, of(row))),
        }
    }

    /// The outputs for rows that are encoded once for all networks that take the same features, with what
    /// they were encoded as for the first network.
    fn outputs<T>(
        &self,
        encode: impl Fn(&Encoder) -> Result<T, Error>,
        features: impl Fn(&T) -> &Vec<f32>,
    ) -> Result<(T, Vec<f32>), Error> {
        let mut average = Average::new(&self.loss, self.width(), self.members.len());
        let mut first = None;
        for alike in self.members.chunk_by(Member::takes_features_of) {
            let rows = encode(alike[0].table_encoder()?)?;
            for member in alike {
                average.add(member.outputs(features(&rows))?, member.scale());
            }
            first.get_or_insert(rows);
        }
        Ok((first.expect("there is a network"), average.outputs(self.members[0].scale())))
    }

    /// The outputs for rows of features that all networks take.
    pub(crate) fn outputs_of_rows(&self, x: &[f32]) -> Result<Vec<f32>, Error> {
        let mut average = Average::new(&self.loss, self.width(), self.members.len());
        for member in &self.members {
            average.add(member.outputs(x)?, member.scale());
        }
        Ok(average.outputs(self.members[0].scale()))
    }

    /// What outputs, row after row, predict.
    pub(crate) fn read(&self, mut outputs: Vec<f32>) -> Predictions {
        let width = self.width();
        if self.task() == Task::Regression {
            let (mean, std) = self.members[0].scale();
            return Predictions::Values(outputs.iter().map(|&y| f64::from(y) * std + mean).collect());
        }
        self.loss.probabilities(&mut outputs, width);
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
        let Some(residuals) = &self.residuals else {
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
        Ok(margin * self.members[0].scale().1)
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
        let (examples, outputs) =
            self.outputs(|encoder| Ok(encoder.encode(table, &rows)?), |examples: &Examples| &examples.x)?;
        let evaluation = self.measure(&outputs, &examples)?;
        if let Some(at) = outputs.iter().position(|output| !output.is_finite()) {
            let row = at / self.width();
            return Err(self.not_finite(&examples.x, row, Some((table, rows[row] as usize))));
        }
        let truth = match &examples.y {
            Targets::Classes { labels, .. } => Truth::Classes(labels.clone()),
            Targets::Values(values) => {
                let (mean, std) = encoder.target_scale();
                // As the table has it, where it is read as numbers: 32 bits would round it.
                let number = |&row: &u32| table.columns().get(target)?.number(row as usize);
                let value = |(row, &value)| number(row).unwrap_or(f64::from(value) * std + mean);
                Truth::Values(rows.iter().zip(values).map(value).collect())
            }
        };
        Ok(Assessment { evaluation, rows, truth, predictions: self.read(outputs), targets: examples.y })
    }

    /// The loss and the metrics over encoded rows.
    ///
    /// # Errors
    ///
    /// If they do not go with the model, or there are several networks that do not take the same features.
    pub fn evaluate_rows(&self, rows: &Examples) -> Result<Evaluation, Error> {
        self.check_same_features()?;
        self.measure(&self.outputs_of_rows(&rows.x)?, rows)
    }

    /// How good outputs are for some rows, whose targets are encoded as those of the first network.
    pub(crate) fn measure(&self, outputs: &[f32], rows: &Examples) -> Result<Evaluation, Error> {
        let measured = (&rows.y, rows.weights.as_deref());
        let (loss, metrics) =
            engine::measure_outputs(outputs, self.width(), measured, &self.loss, self.encoder(), true)?;
        let (mut confidence, mut intervals) = (None, None);
        match (&rows.y, self.read(outputs.to_vec())) {
            (Targets::Classes { labels, .. }, Predictions::Classes { probabilities, classes, .. }) => {
                confidence = Some(Confidence::of(&probabilities, classes.len(), labels)?);
            }
            (Targets::Values(values), Predictions::Values(_)) => {
                // A model that makes no intervals can be measured all the same.
                intervals = self.margin(LEVEL).ok().map(|margin| {
                    let std = self.members[0].scale().1;
                    let error = |(a, b): (&f32, &f32)| f64::from((a - b).abs()) * std;
                    let held = outputs.iter().zip(values).map(error).filter(|error| *error <= margin).count();
                    Coverage { level: LEVEL, margin, coverage: held as f64 / values.len() as f64 }
                });
            }
            (Targets::Classes { .. }, _) | (Targets::Values(_), _) => {}
        }
        Ok(Evaluation { rows: rows.rows(), loss, metrics, confidence, intervals })
    }

    /// Whether it predicts classes or numbers.
    pub fn task(&self) -> Task {
        task_of(&self.loss)
    }

    /// The outputs of a row.
    fn width(&self) -> usize {
        self.members[0].model.outputs()
    }

    fn table_encoder(&self) -> Result<&Encoder, Error> {
        self.members[0].table_encoder()
    }

    /// Fails if the features of a row are not the same numbers for all networks.
    fn check_same_features(&self) -> Result<(), Error> {
        match self.members.iter().all(|member| member.takes_features_of(&self.members[0])) {
            true => Ok(()),
            false => Err(Error::Mismatch(
                "the networks of this model were trained on different rows, and each encodes a table in its own \
                 way: give it a table, not features"
                    .into(),
            )),
        }
    }

    /// SHA-256 over all parameters and statistics, in hexadecimal: equal for equal weights, bit for bit.
    pub fn weights_sha256(&self) -> String {
        weights_sha256(self.members.iter().map(Member::model))
    }

    /// Writes the model as a safetensors file: the weights, with the network and the encoding in the
    /// metadata.
    ///
    /// # Errors
    ///
    /// If it cannot be written; a file that was there before is then untouched.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        file::save(self, path.as_ref())
    }

    /// Reads a model that was saved.
    ///
    /// # Errors
    ///
    /// If it cannot be read, has changed since it was written, or contradicts itself.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        file::load(path.as_ref())
    }
}

fn task_of(loss: &Loss) -> Task {
    match loss.targets() {
        TargetKind::Classes => Task::Classification,
        TargetKind::Values => Task::Regression,
    }
}
