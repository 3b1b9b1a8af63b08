//! The flag of what is shown of a run.

use clap::{Args, ValueEnum};

#[derive(Args)]
pub struct ViewArgs {
    /// What to show on the way: a dashboard with keys to steer the run (`?` in it lists them), a bar, or
    /// plain lines. [default: the dashboard in a terminal of 60 × 16 or more, plain lines in a pipe]
    #[arg(long, value_name = "HOW", value_enum)]
    pub view: Option<View>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum View {
    Dashboard,
    Bar,
    Plain,
}
