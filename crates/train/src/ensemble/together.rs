//! From the runs of several networks to their average.

use std::borrow::Cow;

use downhill_data::{Dataset, Encoder, Targets};
use downhill_nn::Loss;
use rayon::prelude::*;

use super::advance::Together;
use super::{Ensemble, data_of};
use crate::engine::measure_outputs;
use crate::predictor::{Average, Scale};
use crate::run::{Run, start_event, tell_predictions};
use crate::trainer::{Target, check_threads, conclude, environment, introduce, pool, settle, stop_name};
use crate::{
    Config, EnsembleSummary, Error, Event, Predictor, RunConfig, RunFolder, Source, Stop, Summary, Trained,
    Trainer, fingerprint, log, path_text,
};

/// What several networks say together of the rows that they are validated on.
pub(super) struct Valid<'a> {
    /// As of one network.
    pub outputs: Vec<f32>,
    /// The outputs of a row.
    pub width: usize,
    pub y: Cow<'a, Targets>,
    pub weights: Option<Cow<'a, [f32]>>,
}

impl Valid<'_> {
    /// The targets, with the weights of their rows.
    pub fn targets(&self) -> (&Targets, Option<&[f32]>) {
        (&self.y, self.weights.as_deref())
    }
}

/// What networks say together of the rows that they are validated on, from what each says of its own: of
/// the same rows, their average; of different rows, all of them, standardised as those of the first.
pub(super) fn validation<'a>(data: &'a [Dataset], loss: &Loss, outputs: Vec<Vec<f32>>) -> Valid<'a> {
    let width = loss.outputs(data[0].outputs());
    let scale = |data: &Dataset| data.encoder.as_ref().map_or((0.0, 1.0), Encoder::target_scale);
    let first = scale(&data[0]);
    if data.len() == 1 {
        let mut average = Average::new(loss, width, outputs.len());
        outputs.into_iter().for_each(|outputs| average.add(outputs, first));
        let valid = &data[0].valid;
        let weights = valid.weights.as_deref().map(Cow::Borrowed);
        return Valid { outputs: average.outputs(first), width, y: Cow::Borrowed(&valid.y), weights };
    }
    let rescaled = |values: &[f32], (mean, std): Scale| -> Vec<f32> {
        let rescale = |&value: &f32| ((f64::from(value) * std + mean - first.0) / first.1) as f32;
        values.iter().map(rescale).collect()
    };
    let own = |(data, outputs): (&Dataset, Vec<f32>)| match &data.valid.y {
        Targets::Classes { .. } => outputs,
        Targets::Values(_) => rescaled(&outputs, scale(data)),
    };
    let outputs = data.iter().zip(outputs).flat_map(own).collect();
    let y = match &data[0].valid.y {
        Targets::Classes { classes, .. } => {
            let labels = data.iter().filter_map(|data| match &data.valid.y {
                Targets::Classes { labels, .. } => Some(labels),
                Targets::Values(_) => None,
            });
            Targets::Classes { labels: labels.flatten().copied().collect(), classes: *classes }
        }
        Targets::Values(_) => {
            let values = data.iter().map(|data| match &data.valid.y {
                Targets::Values(values) => rescaled(values, scale(data)),
                Targets::Classes { .. } => Vec::new(),
            });
            Targets::Values(values.flatten().collect())
        }
    };
    let weights = data.iter().map(|data| data.valid.weights.as_deref()).collect::<Option<Vec<_>>>();
    Valid { outputs, width, y: Cow::Owned(y), weights: weights.map(|all| Cow::Owned(all.concat())) }
}

impl Trainer {
    /// Trains several networks, on `data` of each, or one for all.
    pub(crate) fn go_together(
        self,
        data: &[Dataset],
        ensemble: &Ensemble,
        target: Target<'_>,
    ) -> Result<Trained, Error> {
        ensemble.check()?;
        if !self.commands.is_empty() {
            return Err(Error::Mismatch(
                "several networks are trained at once: their rate and their length cannot be changed on the way"
                    .into(),
            ));
        }
        let threads = check_threads(self.threads)?;
        let mut channels = self.channels;
        // That with the most rows stands for all: of folds in time, the last.
        let most = data.iter().rev().max_by_key(|data| data.train.rows()).ok_or(Error::NoData)?;
        let (mut config, notes) = self.config.resolve(most)?;
        let found = settle(&mut config, most, threads, &mut channels)?;
        let configs = configs(&config, ensemble, data)?;
        let conduct = || -> Result<Trained, Error> {
            let parallel = threads > ensemble.count();
            let build = |(member, config)| Run::new(config, data_of(data, member), parallel);
            let runs = configs.par_iter().enumerate().map(build).collect::<Result<Vec<_>, Error>>()?;
            let kept = Kept::of(target, &config, ensemble)?;
            if let Some(kept) = &kept {
                channels.folder = Some((kept.folder.clone(), kept.folder.log()?));
            }
            let folder = kept.as_ref().map(|kept| &kept.folder);
            let torn = channels.folder.as_ref().and_then(|(_, log)| log.torn());
            if let Some(folder) = folder {
                self.with_folder.into_iter().for_each(|look| look(folder));
            }
            let mut runs = runs;
            let mut folders = Vec::new();
            for (member, (run, config)) in runs.iter_mut().zip(&configs).enumerate() {
                run.set_checkpoints(self.checkpoint_every, self.keep_every);
                let notes = [&data_of(data, member).notes, run.notes()].concat();
                let source = kept.as_ref().map(|kept| ensemble.source(&kept.source, configs[0].seed, member));
                let target = match (&kept, &source) {
                    (Some(kept), Some(source)) => kept.member(member, source)?,
                    _ => Target::Memory,
                };
                let (own, notes) = target.begin(run, config, notes)?;
                folders.push(own);
                introduce(run, threads, found.clone(), notes)?;
                run.begin_observing()?;
            }
            let goes_on = kept.as_ref().is_some_and(|kept| kept.goes_on);
            let mut together = Together::new(runs, data, channels);
            #[cfg(unix)]
            let (_control, refused) = match self.control {
                Some(commands) => match together.channels_mut().open_control(commands) {
                    Ok(control) => (control, None),
                    Err(note) => (None, Some(note)),
                },
                None => (None, None),
            };
            #[cfg(not(unix))]
            let refused: Option<String> = {
                drop(self.control);
                None
            };
            let first = first_event_of_all(&together, data, kept.as_ref());
            together.tell(&first)?;
            together.tell(&environment(threads))?;
            let (step, total_steps) = (together.step(), together.total_steps());
            together.show(&Event::Plan {
                step,
                total_steps,
                steps_per_epoch: together.steps_per_epoch(),
                schedule: config.lr.clone().expect("it was settled"),
                steering: crate::Steering::default(),
            });
            if let Some(found) = found {
                together.tell(&Event::Rate(found))?;
            }
            let data_notes = if data.len() == 1 { data[0].notes.clone() } else { notes_of_all(data) };
            let notes = if goes_on { Vec::new() } else { [data_notes, notes].concat() };
            for text in notes.into_iter().chain(torn).chain(refused) {
                together.tell(&Event::Note { text })?;
            }
            let (stops, stop) = together.complete()?;
            let (seconds, rows_per_second) = together.speed();
            let (step, runs) = (together.step(), std::mem::take(&mut together.runs));
            let members = runs.into_iter().zip(stops).map(|(run, stop)| run.conclude(stop));
            let outcomes = members.collect::<Result<Vec<_>, Error>>()?;
            let mut trained = Vec::new();
            for (member, (outcome, own)) in outcomes.into_iter().zip(&folders).enumerate() {
                let one = conclude(&configs[member], data_of(data, member), threads, own.as_ref(), outcome)?;
                own.as_ref().map_or(Ok(()), |own| one.save(own.model_path()))?;
                trained.push(one);
            }
            let (mut trained, valid) = join(data, ensemble, trained, stop)?;
            trained.summary.run = folder.map(|folder| path_text::to_text(folder.path()));
            (trained.summary.seconds, trained.summary.rows_per_second) = (seconds, rows_per_second);
            let predictions = trained.predictor.read(valid.outputs);
            let channels = together.channels_mut();
            if channels.is_watched() {
                tell_predictions(&trained.predictor, predictions, &valid.y, step, channels)?;
            }
            if let (Some((_, log)), Some(each)) = (&mut channels.folder, &trained.summary.ensemble) {
                // Whoever waits for the run is told by its summary.
                log.append(&Event::Note { text: each.text() })?;
            }
            let weights_sha256 = folder.map(|_| trained.summary.weights_sha256.clone());
            channels.tell(&Event::Stop { step, steps_executed: step, reason: stop, weights_sha256 })?;
            if let Some((folder, log)) = &channels.folder {
                log.sync()?;
                trained.save(folder.model_path())?;
            }
            Ok(trained)
        };
        // In a pool even of one thread, so that no other is begun.
        pool(threads)?.install(conduct)
    }

    /// Makes a run of several networks again.
    pub(crate) fn replay_together(
        &self,
        folder: &RunFolder,
        config: &RunConfig,
        ensemble: &Ensemble,
    ) -> Result<(Trained, Option<crate::Difference>), Error> {
        let threads = check_threads(self.threads)?;
        let data = config.load_data_of(folder, ensemble)?;
        let replay = |member: usize| {
            let own = RunFolder::open(&folder.member(member))?;
            Trainer::default().threads(1).replay(&own)
        };
        let members = (0..ensemble.count()).into_par_iter().with_max_len(1).map(replay);
        let members = pool(threads)?.install(|| members.collect::<Result<Vec<_>, Error>>())?;
        let difference = members.iter().enumerate().find_map(|(member, replayed)| {
            let difference = replayed.difference.clone()?;
            let what = format!("of network {member}, {}", difference.what);
            Some(crate::Difference { what, ..difference })
        });
        let stop = members[0].trained.stop();
        let members = members.into_iter().map(|replayed| replayed.trained).collect();
        let (mut trained, _) = join(&data, ensemble, members, stop)?;
        trained.summary.threads = threads;
        Ok((trained, difference))
    }
}

/// The configurations of the networks: all are that of the whole, with seeds of their own.
fn configs(config: &Config, ensemble: &Ensemble, data: &[Dataset]) -> Result<Vec<Config>, Error> {
    let of = |member| {
        let own = Config { seed: Ensemble::seed(config.seed, member), ..config.clone() };
        Ok(own.resolve(data_of(data, member))?.0)
    };
    (0..ensemble.count()).map(of).collect()
}

/// Where the whole is kept.
struct Kept {
    folder: RunFolder,
    source: Source,
    goes_on: bool,
}

impl Kept {
    fn of(target: Target<'_>, config: &Config, ensemble: &Ensemble) -> Result<Option<Self>, Error> {
        match target {
            Target::Memory => Ok(None),
            Target::New { runs, name, source } => {
                let mut spelled_out = source.spelled_out();
                if ensemble.is_of_folds() {
                    spelled_out.valid.clone_from(&source.valid);
                }
                let source = spelled_out;
                let (data, training) = (source.clone(), config.clone());
                let whole = RunConfig { data, training, ensemble: Some(ensemble.clone()), parent: None };
                Ok(Some(Self { folder: whole.create_folder(runs, name)?, source, goes_on: false }))
            }
            Target::Resume(folder) => {
                // A crash may have come before the first word of its log.
                let goes_on = log::data_fingerprint(&folder.log_path()).is_some();
                Ok(Some(Self { source: RunConfig::of(&folder)?.data, folder, goes_on }))
            }
            Target::Branch(folder, _) => Err(several(&folder)),
            Target::Replay(folder) | Target::Member { of: folder, .. } => Err(several(folder)),
        }
    }

    /// Where one of the runs is kept, or begins to be: a crash may have come before it was begun.
    fn member<'a>(&'a self, member: usize, source: &'a Source) -> Result<Target<'a>, Error> {
        let path = self.folder.member(member);
        if path.exists() {
            return Ok(Target::Resume(RunFolder::open(&path)?));
        }
        Ok(Target::Member { of: &self.folder, number: member, source })
    }
}

fn several(folder: &RunFolder) -> Error {
    Error::Several { run: folder.path().to_path_buf(), one: folder.member(0) }
}

/// What the log of the whole begins with, or goes on with.
fn first_event_of_all(together: &Together<'_>, data: &[Dataset], kept: Option<&Kept>) -> Event {
    let (total_steps, steps_per_epoch) = (together.total_steps(), together.steps_per_epoch());
    if kept.is_some_and(|kept| kept.goes_on) {
        let step = together.step();
        return Event::Resume { step, steps_executed: step, total_steps, steps_per_epoch };
    }
    let parameters = together.runs.iter().map(Run::parameters).sum();
    let fingerprint = kept.and(data.last()).map(fingerprint);
    start_event(data, (total_steps, steps_per_epoch), parameters, fingerprint)
}

/// What there is to tell of the data of the networks, what is the same of several once.
fn notes_of_all(data: &[Dataset]) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    for note in data.iter().flat_map(|data| &data.notes) {
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
    notes
}

/// The average of networks that were trained, with what it says of the rows to validate on.
fn join<'a>(
    data: &'a [Dataset],
    ensemble: &Ensemble,
    members: Vec<Trained>,
    stop: Stop,
) -> Result<(Trained, Valid<'a>), Error> {
    let mut predictor = Predictor::average(members.iter().map(|member| member.predictor().clone()))?;
    let outputs = members.iter().enumerate().map(|(at, member)| {
        let valid = &data_of(data, at).valid;
        member.predictor().outputs_of_rows(&valid.x)
    });
    let outputs = outputs.collect::<Result<Vec<_>, Error>>()?;
    let valid = validation(data, predictor.loss(), outputs);
    predictor.keep_residuals(&valid.outputs, &valid.y);
    let (valid_loss, metrics) = measure_outputs(
        &valid.outputs,
        valid.width,
        valid.targets(),
        predictor.loss(),
        data[0].encoder.as_ref(),
        true,
    )?;
    let all: Vec<&Summary> = members.iter().map(Trained::summary).collect();
    let losses: Option<Vec<f64>> = all.iter().map(|summary| summary.train_loss).collect();
    let last = data.last().expect("there is data");
    let summary = Summary {
        run: None,
        // In cross-validation all rows are trained on, each by other networks.
        rows: last.train.rows() + last.valid.rows(),
        train_rows: last.train.rows(),
        valid_rows: valid.y.len(),
        parameters: all.iter().map(|summary| summary.parameters).sum(),
        epochs: all.iter().map(|summary| summary.epochs).max().unwrap_or(0),
        best_epoch: None,
        stopped_early: stop == Stop::EarlyStopping,
        stop: stop_name(stop).into(),
        train_loss: losses.map(|losses| losses.iter().sum::<f64>() / losses.len() as f64),
        valid_loss,
        metrics,
        weights_sha256: predictor.weights_sha256(),
        ensemble: Some(EnsembleSummary::of(ensemble.is_of_folds(), &all)),
        ..all[0].clone()
    };
    Ok((Trained { predictor, summary, stop }, valid))
}
