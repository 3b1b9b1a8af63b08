//! What the page asks for.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::guard;
use crate::lab::Shared;
use crate::learn;

pub fn routes() -> Router<Arc<Shared>> {
    Router::new().route("/learn/{figure}", get(figure))
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
    let text = serde_json::to_vec(value).expect("answers are plain data");
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
