#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

/// Tables read, understood, encoded and split.
pub use downhill_data as data;
/// Layers, losses, metrics and models.
pub use downhill_nn as nn;
/// Update rules, schedules, initialisers and penalties, and what a loop of one's own needs beside them.
pub mod optim {
    pub use downhill_core::{
        Float, Invalid, SpecError, excerpt, invalid, nearest, random, simd, spec, threads,
    };
    pub use downhill_optim::*;
    pub use downhill_schedule::*;
}
/// The record of a run, whoever makes it: events, commands, log, folder and socket.
pub use downhill_run as run;
/// Hyperparameter search: spaces, samplers, early stopping of trials, studies.
pub use downhill_search as search;
/// The training loop and trained models.
pub use downhill_train as train;

/// What most programs need: `use downhill::prelude::*;`.
pub mod prelude {
    pub use downhill_data::{Dataset, Examples, Table, Targets, Task};
    pub use downhill_nn::{Activation, LayerSpec, Loss, Mlp};
    pub use downhill_optim::{
        Adadelta, Adagrad, Adam, AdamW, Adamax, Adan, AmsGrad, Lamb, Lars, Lion, Momentum, Muon, NAdam,
        Nesterov, Prodigy, RAdam, RmsProp, Rule, ScheduleFreeAdamW, ScheduleFreeSgd, Sgd,
    };
    pub use downhill_optim::{Group, Init, Lookahead, Regularization};
    pub use downhill_schedule::{
        Cosine, CosineRestarts, Exponential, InverseSqrt, InverseTime, Length, OneCycle, Schedule, Staircase,
        Warmup,
    };
    pub use downhill_train::{
        Config, EarlyStopping, Error, Event, Keep, Metrics, Network, Plateau, Predictions, Predictor,
        Trained, Trainer,
    };
}
