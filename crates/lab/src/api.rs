//! What the page asks for.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use downhill_run::control::{Remote, Took};
use downhill_run::{Command, RateChange, RunFolder, Settings, is_name};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::TryRecvError;

use crate::lab::Shared;
use crate::live::Shown;
use crate::record::{self, Reader};
use crate::stream::{self, Events};
use crate::table::Notes;
use crate::{guard, learn, study, upload};

/// How long a run has for coming to its next step.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a run that is looked at is looked at.
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// A run that tells no steps is asked for them again after so many looks.
const LOOKS_FOR_A_SOCKET: u64 = 10;

/// After so many looks with nothing to tell, a sign of life is sent.
const SILENT: u32 = 25;

/// What is posted has no more bytes than these, but for files.
const LONGEST: usize = 64 * 1024;

pub fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/runs", get(runs))
        .route("/runs/events", get(runs_events))
        .route("/run/{name}", get(run))
        .route("/run/{name}/events", get(run_events))
        .route("/run/{name}/settings", get(settings))
        .route("/run/{name}/command", post(command))
        .route("/run/{name}/cool", post(cool))
        .route("/run/{name}/notes", post(notes))
        .route("/run/{name}/branch", post(branch))
        .route("/schedule", get(schedule))
        .route("/form", get(form))
        .route("/start", post(start))
        .route("/upload", post(take).layer(DefaultBodyLimit::disable()))
        .route("/studies", get(studies))
        .route("/study/{name}", get(one_study))
        .route("/learn/{figure}", get(figure))
        .layer(DefaultBodyLimit::max(LONGEST))
}

/// Why something that was asked for is not there or was not done.
pub struct Refusal {
    status: StatusCode,
    why: String,
}

impl Refusal {
    /// What was asked for makes no sense or cannot be done.
    pub fn wrong(why: impl Display) -> Self {
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, why: why.to_string() }
    }

    fn missing(why: impl Display) -> Self {
        Self { status: StatusCode::NOT_FOUND, why: why.to_string() }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = as_json(&json!({ "error": self.why }));
        *response.status_mut() = self.status;
        response
    }
}

/// What an answer is made of.
pub type Answer = Result<Response, Refusal>;

/// An answer in JSON.
pub fn as_json(value: &impl Serialize) -> Response {
    text_as_json(serde_json::to_string(value).expect("answers are plain data"))
}

fn text_as_json(text: String) -> Response {
    let mut response = guard::answer(StatusCode::OK, text);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Answers on a thread that may wait for files, runs and arithmetic.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        let why = "this could not be answered: a fault of the program".into();
        Err(Refusal { status: StatusCode::INTERNAL_SERVER_ERROR, why })
    })
}

/// What was posted, read as JSON.
fn posted<T: DeserializeOwned>(body: &Bytes) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(Refusal::wrong)
}

/// The name in a path: of a run, a study or a figure.
#[derive(Deserialize)]
struct Named {
    name: String,
}

fn open(runs: &FilePath, name: &str) -> Result<RunFolder, Refusal> {
    if !is_name(name) {
        return Err(Refusal::missing(format!("{name:?} is not the name of a run")));
    }
    RunFolder::open(&runs.join(name)).map_err(Refusal::missing)
}

/// All runs, as they are now.
async fn runs(State(shared): State<Arc<Shared>>) -> Answer {
    let text = blocking(move || {
        shared.table.look();
        Ok(shared.table.since(0).1)
    });
    Ok(text_as_json(text.await?))
}

/// All runs, and then those that change.
async fn runs_events(State(shared): State<Arc<Shared>>) -> Response {
    let (events, response) = stream::events();
    tokio::spawn(async move {
        let mut changed = shared.table.watch();
        let (mut version, mut told) = (None, String::new());
        loop {
            changed.mark_unchanged();
            let (now, text) = shared.table.since(version.unwrap_or(0));
            if version.replace(now) != Some(now) && !send_text(&events, "runs", text).await {
                return;
            }
            let jobs = serde_json::to_string(&shared.jobs.list()).expect("text is plain data");
            if jobs != told {
                told.clone_from(&jobs);
                if !send_text(&events, "jobs", jobs).await {
                    return;
                }
            }
            let more = tokio::time::timeout(Duration::from_secs(1), changed.changed()).await;
            let there = match more {
                Ok(changed) => changed.is_ok(),
                Err(_) => events.is_open(),
            };
            if !there || !events.beat().await {
                return;
            }
        }
    });
    response
}

async fn send_text(events: &Events, name: &str, text: String) -> bool {
    let raw = RawValue::from_string(text).expect("it was written as JSON");
    events.send(name, &raw).await
}

#[derive(Deserialize)]
struct Wanted {
    /// Whether only epochs are wanted.
    #[serde(default)]
    short: bool,
}

/// The record of a run, as it is now.
async fn run(
    State(shared): State<Arc<Shared>>,
    Path(Named { name }): Path<Named>,
    Query(Wanted { short }): Query<Wanted>,
) -> Answer {
    let found = blocking(move || {
        let mut reader = Reader::new(open(&shared.runs, &name)?, short);
        let running = reader.is_running();
        let record = reader.all().map_err(Refusal::wrong)?;
        Ok(json!({ "name": name, "running": running, "record": record }))
    });
    Ok(as_json(&found.await?))
}

/// The settings of a run: as text, and as a tree.
async fn settings(State(shared): State<Arc<Shared>>, Path(Named { name }): Path<Named>) -> Answer {
    let found = blocking(move || {
        let folder = open(&shared.runs, &name)?;
        let settings = Settings::of(&folder).map_err(Refusal::wrong)?;
        let notes = Notes::of(folder.path()).unwrap_or_default();
        let checkpoints = folder.steps().unwrap_or_default();
        Ok(json!({
            "text": settings.text(), "settings": settings.tree(), "notes": notes, "parent": settings.parent(),
            "checkpoints": checkpoints, "networks": settings.networks().map(|(count, _)| count),
            "can_begin": shared.jobs.can_begin(), "path": folder.path().display().to_string(),
        }))
    });
    Ok(as_json(&found.await?))
}

/// The record of a run, and then what happens in it.
async fn run_events(State(shared): State<Arc<Shared>>, Path(Named { name }): Path<Named>) -> Answer {
    let folder = open(&shared.runs, &name)?;
    let (events, response) = stream::events();
    tokio::spawn(async move { follow(&shared, folder, &events).await });
    Ok(response)
}

async fn follow(shared: &Shared, folder: RunFolder, events: &Events) {
    let opened = folder.clone();
    let Ok(mut reader) = blocking(move || Ok(Reader::new(opened, false))).await else { return };
    let (mut running, mut shown, mut silent, mut first, mut looks) = (None, None, 0, true, 0u64);
    loop {
        let read = blocking(move || {
            let batch = reader.read().map_err(Refusal::wrong);
            let running = reader.is_running();
            Ok((reader, batch, running))
        });
        let Ok((back, batch, runs)) = read.await else { return };
        reader = back;
        silent += 1;
        match batch {
            Ok(batch) => {
                let more = batch.more;
                if first || batch.anew || batch.rates.is_some() || !batch.records.is_empty() {
                    (first, silent) = (false, 0);
                    if !events.send("log", &batch).await {
                        return;
                    }
                }
                if more {
                    continue;
                }
            }
            Err(Refusal { why, .. }) => {
                let _ = events.send("broken", &why).await;
                return;
            }
        }
        if running != Some(runs) {
            (running, silent) = (Some(runs), 0);
            if !events.send("running", &runs).await {
                return;
            }
        }
        // A loop of somebody's own may have no socket: it is not asked for one all the time.
        if runs && shown.is_none() && looks.is_multiple_of(LOOKS_FOR_A_SOCKET) {
            shown = Some(shared.live.follow(&folder));
        }
        looks += 1;
        let Latest { steps, search } = latest(&mut shown);
        if let Some(search) = search
            && !events.send("search", &search).await
        {
            return;
        }
        if !steps.is_empty() {
            silent = 0;
            if !events.send("steps", &steps).await {
                return;
            }
        }
        if silent >= SILENT {
            silent = 0;
            if !events.beat().await {
                return;
            }
        }
        if !events.is_open() {
            return;
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

/// What was shown since the last look.
#[derive(Default)]
struct Latest {
    /// Steps, each with its rate and its loss.
    steps: Vec<(u64, f64, f64)>,
    /// How many steps a search for a rate has made, and how many it makes at most.
    search: Option<(u64, u64)>,
}

fn latest(shown: &mut Option<tokio::sync::broadcast::Receiver<Shown>>) -> Latest {
    let mut latest = Latest::default();
    let Some(receiver) = shown else { return latest };
    loop {
        match receiver.try_recv() {
            Ok(Shown::Step(step, lr, loss)) => latest.steps.push((step, lr, loss)),
            Ok(Shown::Search(executed, at_most)) => latest.search = Some((executed, at_most)),
            Err(TryRecvError::Lagged(_)) => {}
            Err(TryRecvError::Empty) => return latest,
            Err(TryRecvError::Closed) => {
                *shown = None;
                return latest;
            }
        }
    }
}

/// A connection with the process that makes a run.
fn connect(shared: &Shared, name: &str) -> Result<Remote, Refusal> {
    let remote = Remote::connect(&open(&shared.runs, name)?).map_err(Refusal::wrong)?;
    remote.ok_or_else(|| Refusal::wrong(format!("no process is making the run {name} any more")))
}

/// Tells a run something, and waits for what becomes of it.
async fn command(
    State(shared): State<Arc<Shared>>,
    Path(Named { name }): Path<Named>,
    body: Bytes,
) -> Answer {
    let command: Command = posted(&body)?;
    let took = blocking(move || connect(&shared, &name)?.tell(&command, PATIENCE).map_err(Refusal::wrong));
    Ok(as_json(&took.await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cool {
    /// Over how many epochs.
    epochs: u64,
}

/// Lets the rate of a run fall to zero over some epochs, behind which it is over.
async fn cool(State(shared): State<Arc<Shared>>, Path(Named { name }): Path<Named>, body: Bytes) -> Answer {
    let Cool { epochs } = posted(&body)?;
    if epochs == 0 {
        return Err(Refusal::wrong("the rate falls to zero over one epoch or more"));
    }
    let took = blocking(move || {
        let mut remote = connect(&shared, &name)?;
        let was_paused = remote.status(PATIENCE).map_err(Refusal::wrong)?.paused;
        if was_paused {
            return cool_down(&mut remote, epochs);
        }
        // A fast run could come to its new end between the two commands.
        remote.tell(&Command::Pause, PATIENCE).map_err(Refusal::wrong)?;
        let took = cool_down(&mut remote, epochs);
        remote.tell(&Command::Continue, PATIENCE).map_err(Refusal::wrong)?;
        took
    });
    Ok(as_json(&took.await?))
}

/// The new length of a paused run first: a straight line ends where the run does.
fn cool_down(remote: &mut Remote, epochs: u64) -> Result<Took, Refusal> {
    let status = remote.status(PATIENCE).map_err(Refusal::wrong)?;
    let lr = status.lr.filter(|lr| *lr > 0.0);
    let lr = lr.ok_or_else(|| Refusal::wrong("the run has made no step yet whose rate could fall"))?;
    let made = status.step.div_ceil(status.steps_per_epoch.max(1));
    let length = Command::SetEpochs { epochs: made.saturating_add(epochs) };
    remote.tell(&length, PATIENCE).map_err(Refusal::wrong)?;
    let lr: RateChange = format!("linear({lr:.3e}, end=0)").parse().map_err(Refusal::wrong)?;
    remote.tell(&Command::SetLr { lr }, PATIENCE).map_err(Refusal::wrong)
}

/// Writes what people say of a run.
async fn notes(State(shared): State<Arc<Shared>>, Path(Named { name }): Path<Named>, body: Bytes) -> Answer {
    let notes: Notes = posted(&body)?;
    let done = blocking(move || {
        notes.write(open(&shared.runs, &name)?.path()).map_err(Refusal::wrong)?;
        shared.table.look();
        Ok(())
    });
    done.await?;
    Ok(as_json(&json!({})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Branch {
    /// After how many epochs.
    epoch: u64,
    /// The schedule that is followed from there on.
    lr: RateChange,
    /// What to call it.
    name: Option<String>,
}

/// Begins a run where another one was.
async fn branch(State(shared): State<Arc<Shared>>, Path(Named { name }): Path<Named>, body: Bytes) -> Answer {
    let Branch { epoch, lr, name: wanted } = posted(&body)?;
    let begun = blocking(move || {
        let folder = open(&shared.runs, &name)?;
        let parent = folder.path().display();
        let arguments = ["branch".into(), format!("{parent}@{epoch}ep"), format!("--lr={lr}")];
        let wanted = wanted.unwrap_or_else(|| format!("{name}-from-{epoch}"));
        shared.jobs.begin(&wanted, &arguments).map_err(Refusal::wrong)
    });
    Ok(as_json(&json!({ "name": begun.await? })))
}

#[derive(Deserialize)]
struct Preview {
    spec: String,
    from: u64,
    total_steps: u64,
    steps_per_epoch: u64,
}

/// What a schedule comes to that begins at a step.
async fn schedule(Query(preview): Query<Preview>) -> Answer {
    let Preview { spec, from, total_steps, steps_per_epoch } = preview;
    let found = record::preview(&spec, from, total_steps, steps_per_epoch).map_err(Refusal::wrong)?;
    Ok(as_json(&found))
}

/// What can be set of a run that is begun here.
async fn form(State(shared): State<Arc<Shared>>) -> Response {
    as_json(&json!({ "form": shared.form, "can_begin": shared.jobs.can_begin() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Start {
    /// The name or the path of the data.
    data: String,
    #[serde(default)]
    name: String,
    /// Settings by name; true of one that is only there or not.
    #[serde(default)]
    settings: BTreeMap<String, Value>,
}

/// Begins a run.
async fn start(State(shared): State<Arc<Shared>>, body: Bytes) -> Answer {
    let Start { data, name, settings } = posted(&body)?;
    let begun = blocking(move || {
        if data.is_empty() || data.starts_with('-') {
            return Err(Refusal::wrong("give the name of bundled data, or the path of a table"));
        }
        let mut arguments = vec!["train".to_string()];
        for (setting, value) in &settings {
            let Some(field) = shared.form.fields.iter().find(|field| field.name == *setting) else {
                return Err(Refusal::wrong(format!("there is no setting `{setting}`")));
            };
            match value {
                Value::Bool(true) if field.value.is_none() => arguments.push(format!("--{setting}")),
                Value::Bool(false) if field.value.is_none() => {}
                Value::String(text) if field.value.is_some() => arguments.push(format!("--{setting}={text}")),
                _ => return Err(Refusal::wrong(format!("{value} is no value of `{setting}`"))),
            }
        }
        let wanted = if name.is_empty() { downhill_run::data_name(&data) } else { name };
        arguments.extend(["--".to_string(), data]);
        shared.jobs.begin(&wanted, &arguments).map_err(Refusal::wrong)
    });
    Ok(as_json(&json!({ "name": begun.await? })))
}

/// Takes a table that was dropped on the page.
async fn take(
    State(shared): State<Arc<Shared>>,
    Query(Named { name }): Query<Named>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let taken = upload::take(&shared.runs, &name, length, body).await.map_err(Refusal::wrong)?;
    Ok(as_json(&taken))
}

/// The studies that there are.
async fn studies(State(shared): State<Arc<Shared>>) -> Answer {
    let found = blocking(move || Ok(study::list(&shared.studies)));
    Ok(as_json(&found.await?))
}

/// One study.
async fn one_study(State(shared): State<Arc<Shared>>, Path(Named { name }): Path<Named>) -> Answer {
    let found = blocking(move || study::whole(&shared.studies, &name).map_err(Refusal::missing));
    Ok(as_json(&found.await?))
}

#[derive(Deserialize)]
struct Figure {
    figure: String,
}

/// The numbers of a figure for people who learn.
async fn figure(
    Path(Figure { figure }): Path<Figure>,
    Query(arguments): Query<BTreeMap<String, String>>,
) -> Answer {
    let found: Value = blocking(move || learn::answer(&figure, &arguments).map_err(Refusal::wrong)).await?;
    Ok(as_json(&found))
}
