//! The flags of a run: its data, network, rate and training.

use std::path::PathBuf;

use clap::Args;

use super::network::NetworkArgs;
use super::preset::Preset;
use super::source::SourceArgs;
use super::training::{RateArgs, TrainingArgs};
use super::value::path_as_text;

// What is trained on what, and how.
#[derive(Args)]
pub struct SetupArgs {
    /// A bundled data set (`downhill datasets` lists them), a CSV or TSV file, `-` for one on standard
    /// input, or a folder of IDX images.
    #[arg(required_unless_present_any = ["config", "images"], value_parser = path_as_text())]
    pub data: Option<String>,

    /// Start from the settings in a file, such as a run's run.toml; flags override them.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// How much time a table may take: fast takes its numbers as they are; default chooses how by rows,
    /// columns and task (see --numbers); best is default, and `train` averages 8 networks. Flags override
    /// it. [default: default]
    #[arg(long, value_name = "NAME", value_enum)]
    pub preset: Option<Preset>,

    #[command(flatten)]
    pub source: SourceArgs,

    #[command(flatten)]
    pub network: NetworkArgs,

    #[command(flatten)]
    pub rate: RateArgs,

    #[command(flatten)]
    pub training: TrainingArgs,
}
