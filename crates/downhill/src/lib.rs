#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

/// Tables read, understood, encoded and split.
pub use downhill_data as data;
/// Layers, losses, metrics and models.
pub use downhill_nn as nn;
/// Update rules, schedules, initialisers and penalties.
pub use downhill_optim as optim;
/// The record of a run, whoever makes it: events, commands, log, folder and socket.
pub use downhill_run as run;
/// The training loop and trained models.
pub use downhill_train as train;

/// What most programs need: `use downhill::prelude::*;`.
pub mod prelude {
    pub use downhill_data::{Dataset, Examples, Table, Targets, Task};
    pub use downhill_nn::{Activation, LayerSpec, Loss, Mlp};
    pub use downhill_optim::{
        Adadelta, Adagrad, Adam, AdamW, Adamax, AmsGrad, Lamb, Lars, Lion, Momentum, Muon, NAdam, Nesterov,
        Prodigy, RAdam, RmsProp, Rule, ScheduleFreeAdamW, ScheduleFreeSgd, Sgd,
    };
    pub use downhill_optim::{
        Cosine, CosineRestarts, Exponential, Group, Init, InverseSqrt, InverseTime, Length, Lookahead,
        OneCycle, Restraints, Schedule, Staircase, Warmup,
    };
    pub use downhill_train::{
        Config, EarlyStopping, Error, Event, Keep, Metrics, Network, Plateau, Predictions, Predictor,
        Trained, Trainer,
    };
}
