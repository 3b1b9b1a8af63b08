//! Everything that decides how a network is trained, besides the data.

use downhill_core::spec;
use downhill_core::{Invalid, invalid};
use downhill_data::{Dataset, Examples, Targets, Task};
use downhill_nn::loss::{CrossEntropy, Mse, TargetKind};
use downhill_nn::{Auto, LayerSpec, Loss, Mlp, Numbers};
use downhill_optim::{Group, Lookahead, Regularization, Rule};
use downhill_schedule::{Cosine, Length, Schedule, Warmup};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::batches::Batches;
use crate::engine::targets;
use crate::tables::{choose_ensemble, choose_numbers};
use crate::{
    EarlyStopping, Error, Guard, Keep, Monitor, OfTask, Plateau, Track, archive, metrics, older, spelled,
};

/// How a network is trained. Everything has a default; what is `None` is chosen from the data when a run
/// starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// What all randomness is a function of. Default 0.
    pub seed: u64,
    /// How often every row is seen. Default 60.
    pub epochs: u64,
    /// The rows of a batch. Chosen from the number of rows: 16 to 128.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<usize>,
    /// The rule that moves the parameters. Default AdamW.
    #[serde(with = "spec")]
    pub optimizer: Rule,
    /// The learning rate. Unless given, or if it is `auto`, it is found by trying before the first step, as
    /// the peak of [`usual_schedule`]; see [`FoundRate`](crate::FoundRate).
    #[serde(skip_serializing_if = "Option::is_none", with = "rate")]
    pub lr: Option<Schedule>,
    /// The momentum, μ or β₁, if it is to follow a schedule; otherwise `lr` moves it if it is a one-cycle,
    /// and else it stays what the rule says.
    #[serde(skip_serializing_if = "Option::is_none", with = "spelled::option")]
    pub momentum: Option<Schedule>,
    /// Whether the rate is cut when nothing gets better. Default off.
    #[serde(with = "spec")]
    pub plateau: Plateau,
    /// What to do when the run blows up. Default: go back, at a lower rate.
    #[serde(with = "spec")]
    pub guard: Guard,
    /// What is measured on the way, besides the epochs. Default nothing.
    #[serde(skip_serializing_if = "Track::is_off", with = "spec")]
    pub track: Track,
    /// Rates and decays of some tensors. Default none.
    #[serde(skip_serializing_if = "Vec::is_empty", with = "spelled::list")]
    pub groups: Vec<Group>,
    /// β of an average of the weights, which is what is measured and kept; 0 for none. Unless given,
    /// [`USUAL_EMA`], or none with a rule that averages by itself and with lookahead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ema: Option<f64>,
    /// Whether the weights are now and then drawn back towards where they were. Default off.
    #[serde(with = "spec")]
    pub lookahead: Lookahead,
    /// How many batches a step is made of: a step sees `batch`·`accumulate` rows, `batch` at a time. Default
    /// 1.
    pub accumulate: usize,
    /// What is made small. Cross-entropy for classes, squared error for numbers.
    #[serde(skip_serializing_if = "Option::is_none", with = "spelled::option")]
    pub loss: Option<Loss>,
    /// How much the rows of each class count. Default: all the same.
    pub class_weights: ClassWeights,
    /// When to stop before the last epoch. Default: after 30 epochs without a lower validation loss.
    #[serde(with = "spec")]
    pub early_stopping: EarlyStopping,
    /// Which weights are kept. Default those of the best epoch, whether or not the run stops early.
    #[serde(with = "spec")]
    pub keep: Keep,
    /// Penalties, decay and clipping; `restraints` in files. Default nothing.
    #[serde(rename = "restraints")]
    pub regularization: Regularization,
    /// The layers between the features and the head. Default two of 128 units with a dropout of 0.2, and
    /// numbers taken by a rule: in a table with classes to tell apart, at least 1000 training rows, and at
    /// most 40 inputs of more than two values, `piecewise-linear(bins=16)`, otherwise as they are; of a table of at
    /// least 500 training rows and as few inputs, 8 members that share the weights, without dropout.
    pub network: Network,
}

/// The hidden part of a network; the head, one dense layer with an output for each class or target, is added
/// to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Network {
    /// Hidden layers all alike.
    Mlp(Mlp),
    /// Any layers: `["dense(64)", "relu"]`.
    Layers(#[serde(with = "spelled::list")] Vec<LayerSpec>),
}

impl Network {
    /// Hidden layers of these sizes, with ReLU and nothing else; [`Mlp`] has the other settings.
    pub fn mlp(hidden: impl Into<Vec<usize>>) -> Mlp {
        Mlp { hidden: hidden.into(), ..Mlp::default() }
    }

    /// The layers that are described, without the head and without what is made for the data.
    pub(crate) fn described(&self) -> Vec<LayerSpec> {
        match self {
            Self::Mlp(mlp) => mlp.layers(),
            Self::Layers(layers) => layers.clone(),
        }
    }

    /// All layers for data that is trained on, the head with its number of outputs included.
    pub fn layers(&self, outputs: usize, loss: &Loss, train: &Examples) -> Vec<LayerSpec> {
        let (numbers, head) = match self {
            Self::Mlp(mlp) => {
                (mlp.numbers.layer(&train.x, train.features), mlp.head(outputs, loss.said_by_outputs()))
            }
            Self::Layers(layers) => {
                let mlp = Mlp { ensemble: Some(members(layers)), ..Mlp::default() };
                (None, mlp.head(outputs, loss.said_by_outputs()))
            }
        };
        numbers.into_iter().chain(self.described()).chain(head).collect()
    }
}

/// The number of members that come to the end of some layers: a dense layer makes one row of theirs.
fn members(layers: &[LayerSpec]) -> usize {
    let at_end =
        layers.iter().rev().find(|layer| matches!(layer, LayerSpec::Members(_) | LayerSpec::Dense(_)));
    if let Some(LayerSpec::Members(members)) = at_end { members.count } else { 1 }
}

impl From<Mlp> for Network {
    fn from(mlp: Mlp) -> Self {
        Self::Mlp(mlp)
    }
}

impl From<Vec<LayerSpec>> for Network {
    fn from(layers: Vec<LayerSpec>) -> Self {
        Self::Layers(layers)
    }
}

/// The peak rate that usually suits a rule, on standardised features and with layers of some dozens or
/// hundreds of units.
pub fn usual_rate(rule: &Rule) -> f64 {
    rule.usual_rate()
}

/// The schedule that a rule is run with unless another is given: a twentieth of the run up to `peak`, then
/// half a cosine down to zero; with a rule that averages the weights itself, the rate stays up.
pub fn usual_schedule(rule: &Rule, peak: f64) -> Schedule {
    let warmup = Length::Share(0.05);
    match rule.averages_itself() {
        true => Warmup::new(warmup, peak).into(),
        false => Warmup::new(warmup, Cosine::new(peak)).into(),
    }
}

/// The β of the average of the weights that is kept unless another is given: about the last hundred steps.
pub const USUAL_EMA: f64 = 0.99;

/// How much the rows of each class count in the loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClassWeights {
    /// All rows count the same.
    #[default]
    None,
    /// All classes count the same: a row of class c counts rows / (classes · rows of c), over the training
    /// rows, each by its weight if it has one.
    Balanced,
}
spec::spelled!(ClassWeights, "a way to weigh classes");

impl ClassWeights {
    /// Nothing to check: there are no settings.
    pub fn check(&self) -> Result<(), Invalid> {
        Ok(())
    }
}

/// How the learning rate is written: a schedule, or `auto`, which is none.
mod rate {
    pub(super) use crate::spelled::option::serialize;
    pub(super) use downhill_core::spec::deserialize_or_auto as deserialize;
}

impl Default for Config {
    fn default() -> Self {
        Self {
            seed: 0,
            epochs: 60,
            batch: None,
            optimizer: Rule::default(),
            lr: None,
            momentum: None,
            plateau: Plateau::Off,
            guard: Guard::default(),
            track: Track::Off,
            groups: Vec::new(),
            ema: None,
            lookahead: Lookahead::Off,
            accumulate: 1,
            loss: None,
            class_weights: ClassWeights::None,
            early_stopping: EarlyStopping::default(),
            keep: Keep::Best,
            regularization: Regularization::default(),
            network: Mlp {
                dropout: 0.2,
                numbers: Numbers::Auto(Auto {}),
                ensemble: None,
                ..Network::mlp([128, 128])
            }
            .into(),
        }
    }
}

impl Config {
    /// The same with everything that was left to be chosen chosen for `data`, but for the learning rate,
    /// which takes training to find; and notes on what a person should know.
    ///
    /// # Errors
    ///
    /// If a setting is out of its range or does not go with the data.
    pub fn resolve(&self, data: &Dataset) -> Result<(Self, Vec<String>), Error> {
        let mut notes = Vec::new();
        let mut config = self.clone();
        let rows = data.train.rows();

        self.check_batch()?;
        let batch = self.batch.unwrap_or_else(|| (rows / 40).next_power_of_two().clamp(16, 128));
        if self.batch.is_some() && batch > rows {
            notes.push(format!(
                "the batch of {batch} is larger than the {rows} training rows: it has {rows} rows instead"
            ));
        }
        let batch = batch.min(rows);
        config.batch = Some(batch);

        if let Network::Mlp(mlp) = &mut config.network {
            let note;
            (mlp.numbers, note) = choose_numbers(mlp.numbers, data);
            notes.extend(note);
            notes.extend(choose_ensemble(mlp, data));
        }

        // One decay, not two of the same kind on top of each other.
        if self.regularization.weight_decay > 0.0
            && let Some(own) = config.optimizer.weight_decay_mut()
        {
            self.regularization.check()?;
            *own = self.regularization.weight_decay;
            config.regularization.weight_decay = 0.0;
        }

        let averages_anyway = self.optimizer.averages_itself() || self.lookahead != Lookahead::Off;
        config.ema.get_or_insert(if averages_anyway { 0.0 } else { USUAL_EMA });
        config.loss = Some(self.resolve_loss(data)?);
        config.check()?;
        config.check_monitors(data)?;
        Batches::new(&config, batch, rows)?;
        Ok((config, notes))
    }

    fn resolve_loss(&self, data: &Dataset) -> Result<Loss, Error> {
        let mismatch = |message: String| Err(Error::Mismatch(message));
        let other = |setting: OfTask, wants: Task| Err(Error::OtherTask { setting, wants });
        let mut loss = match (&self.loss, &data.train.y) {
            (Some(loss), _) => loss.clone(),
            (None, Targets::Classes { .. }) => Loss::CrossEntropy(CrossEntropy::default()),
            (None, Targets::Values(_)) => Loss::Mse(Mse {}),
        };
        let name = spec::name(&loss);
        match (&data.train.y, loss.targets()) {
            (Targets::Classes { classes, .. }, TargetKind::Classes) => {
                let told_apart = loss.outputs(*classes).max(2);
                if told_apart != *classes {
                    mismatch(format!(
                        "the loss {name} is for {told_apart} classes, and the target has {classes}; take \
                         cross-entropy"
                    ))
                } else if self.class_weights != ClassWeights::None && loss.class_weights_mut().is_none() {
                    mismatch("class weights go with the loss cross-entropy".into())
                } else {
                    Ok(loss)
                }
            }
            (Targets::Classes { .. }, TargetKind::Values) => other(OfTask::Loss(name), Task::Regression),
            (Targets::Values(_), TargetKind::Classes) => match &loss {
                Loss::CrossEntropy(cross_entropy) if cross_entropy.label_smoothing != 0.0 => {
                    other(OfTask::LabelSmoothing, Task::Classification)
                }
                _ => other(OfTask::Loss(name), Task::Classification),
            },
            (Targets::Values(_), _) if self.class_weights == ClassWeights::Balanced => {
                other(OfTask::ClassWeights, Task::Classification)
            }
            (Targets::Values(_), _) => Ok(loss),
        }
    }

    /// The loss with the weights of the classes, which are those of the training rows.
    pub(crate) fn weighted_loss(&self, data: &Dataset) -> Option<Loss> {
        let mut loss = self.loss.clone()?;
        if let (ClassWeights::Balanced, Targets::Classes { labels, classes }, Some(weights)) =
            (self.class_weights, &data.train.y, loss.class_weights_mut())
        {
            *weights = balanced(labels, *classes, data.train.weights.as_deref());
        }
        Some(loss)
    }

    /// Fails if something is watched that the task or the validation rows do not have.
    fn check_monitors(&self, data: &Dataset) -> Result<(), Error> {
        for (who, monitor) in
            [("early stopping", self.early_stopping.monitor()), ("the plateau", self.plateau.monitor())]
        {
            if monitor != Monitor::Loss {
                // Whether there is such a figure does not depend on what is predicted.
                let outputs = vec![0.0; data.valid.rows() * data.outputs()];
                monitor.check(
                    who,
                    &metrics::of(&outputs, data.outputs(), targets(&data.valid.y), 1.0, false)?,
                )?;
            }
        }
        Ok(())
    }

    fn check_batch(&self) -> Result<(), Invalid> {
        let batch = self.batch.unwrap_or(1) as f64;
        invalid::ensure("training", "batch", batch, |batch| batch >= 1.0, "at least 1")
    }

    /// Equal for equal settings.
    pub(crate) fn fingerprint(&self) -> String {
        let text = serde_json::to_string(self).expect("settings are plain data");
        archive::hex(&Sha256::digest(text))
    }

    /// Whether this is the fingerprint of these settings, by this version or an older one.
    pub(crate) fn has_fingerprint(&self, fingerprint: &str) -> bool {
        let older = || older::form(self).map(|form| archive::hex(&Sha256::digest(form)));
        self.fingerprint() == fingerprint || older().is_some_and(|older| older == fingerprint)
    }

    /// β of the average of the weights, if there is one.
    pub(crate) fn average(&self) -> Option<f64> {
        self.ema.filter(|&decay| decay > 0.0)
    }

    /// Checks every setting's range.
    pub fn check(&self) -> Result<(), Invalid> {
        let epochs = self.epochs as f64;
        invalid::ensure("training", "epochs", epochs, |n| (1.0..=1e9).contains(&n), "from 1 to 1000000000")?;
        self.check_batch()?;
        if let Network::Mlp(mlp) = &self.network {
            invalid::fraction("mlp", "dropout", mlp.dropout)?;
            mlp.activation.check()?;
            mlp.numbers.check()?;
            mlp.check_ensemble()?;
            for &size in &mlp.hidden {
                invalid::ensure("mlp", "hidden", size as f64, |size| size >= 1.0, "at least 1 each")?;
            }
        }
        self.optimizer.check()?;
        self.lr.as_ref().map_or(Ok(()), Schedule::check)?;
        self.momentum.as_ref().map_or(Ok(()), Schedule::check)?;
        self.plateau.check()?;
        self.guard.check()?;
        self.track.check()?;
        self.groups.iter().try_for_each(Group::check)?;
        self.ema.map_or(Ok(()), |decay| invalid::fraction("training", "ema", decay))?;
        self.lookahead.check()?;
        let accumulate = self.accumulate as f64;
        invalid::ensure(
            "training",
            "accumulate",
            accumulate,
            |n| (1.0..=1e6).contains(&n),
            "from 1 to 1000000",
        )?;
        self.regularization.check()?;
        self.early_stopping.check()?;
        self.loss.as_ref().map_or(Ok(()), Loss::check)
    }
}

/// Weights that make every class count the same, as scikit-learn's `balanced`; rows may have weights of their
/// own.
fn balanced(labels: &[u32], classes: usize, rows: Option<&[f32]>) -> Vec<f64> {
    let mut counts = vec![0.0; classes];
    let weight = |row: usize| rows.map_or(1.0, |weights| f64::from(weights[row]));
    labels.iter().enumerate().for_each(|(row, &label)| counts[label as usize] += weight(row));
    let all: f64 = counts.iter().sum();
    let weight = |&count: &f64| all / (classes as f64 * if count > 0.0 { count } else { 1.0 });
    counts.iter().map(weight).collect()
}
