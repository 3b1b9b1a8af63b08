//! `downhill export`

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use downhill::train::durable;
use downhill_export::{Error, Inputs, Network, Port, Predictor};

use crate::args::{Format, RunsArgs};
use crate::{Failure, evaluate, output};

#[derive(Args)]
pub struct ExportArgs {
    /// The run's folder, its name inside --runs, or a model file.
    pub run: PathBuf,

    /// The file to write, such as model.onnx or model.json; what is there is replaced.
    pub file: PathBuf,

    /// What to write: onnx or json. What the file's ending says unless given.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub to: Option<To>,

    /// What the ONNX model is given: `table`, columns as they are, with texts and numbers of 64 bits; or
    /// `numeric`, for runtimes without texts: numbers of 32 bits, and the number of the category for texts.
    #[arg(long, value_enum, default_value_t = Given::Table)]
    pub inputs: Given,

    #[command(flatten)]
    pub runs: RunsArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum To {
    /// The whole predictor, preprocessing included, as an ONNX model.
    Onnx,
    /// The same in plain words and numbers, with all weights.
    Json,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Given {
    Table,
    Numeric,
}

impl ExportArgs {
    fn format(&self) -> Result<To, Failure> {
        let ending = self.file.extension().and_then(|ending| ending.to_str()).map(str::to_lowercase);
        let to = match (self.to, ending.as_deref()) {
            (Some(to), _) => to,
            (None, Some("onnx")) => To::Onnx,
            (None, Some("json")) => To::Json,
            (None, _) => {
                return Err(Failure::Usage(format!(
                    "{} does not say what to write: end its name in .onnx or .json, or give --to onnx or --to json",
                    self.file.display()
                )));
            }
        };
        if (to, self.inputs) == (To::Json, Given::Numeric) {
            return Err(Failure::Usage("--inputs is for ONNX; as JSON there is nothing to choose".into()));
        }
        Ok(to)
    }
}

pub fn export(options: &ExportArgs, format: Format, quiet: bool) -> Result<(), Failure> {
    let to = options.format()?;
    let predictor = evaluate::load(&options.run, &options.runs.runs)?;
    let networks = predictor.members().iter();
    let networks = networks.map(|member| Network { model: member.model(), encoder: member.encoder() });
    let predictor = Predictor { networks: networks.collect(), loss: predictor.loss() };
    let (bytes, ports) = match to {
        To::Onnx => {
            let inputs = match options.inputs {
                Given::Table => Inputs::Table,
                Given::Numeric => Inputs::Numeric,
            };
            let exported = downhill_export::onnx(&predictor, inputs).map_err(failure)?;
            (exported.bytes, Some((exported.inputs, exported.outputs)))
        }
        To::Json => {
            let mut text = serde_json::to_string(&downhill_export::json(&predictor).map_err(failure)?)?;
            text.push('\n');
            (text.into_bytes(), None)
        }
    };
    durable::write("export into", &options.file, &bytes)?;
    if !quiet {
        output::note(&format!("exported into {}", options.file.display()));
    }
    let Some((inputs, outputs)) = ports else { return Ok(()) };
    match format {
        Format::Json => output::print_json(&serde_json::json!({ "inputs": inputs, "outputs": outputs })),
        Format::Csv => {
            let head = ["direction", "name", "element", "values", "words"].map(str::to_owned);
            let row = |direction: &str, port: &Port| {
                let Port { name, element, values, words } = port;
                [direction.into(), name.clone(), (*element).into(), values.to_string(), words.clone()]
            };
            let rows = inputs.iter().map(|port| row("input", port));
            output::print_csv(
                [head].into_iter().chain(rows).chain(outputs.iter().map(|port| row("output", port))),
            )
        }
        Format::Text if quiet => Ok(()),
        Format::Text => output::print(&(table("inputs", &inputs) + &table("outputs", &outputs))),
    }
}

fn failure(error: Error) -> Failure {
    let remedy = match error {
        Error::NotIn32Bits { .. } => "; --inputs table has numbers of 64 bits",
        Error::TooLarge { .. } => "; --to json has no such limit",
        _ => "",
    };
    Failure::Message(format!("{error}{remedy}"))
}

/// A line for each input or output; of many, the first.
fn table(what: &str, ports: &[Port]) -> String {
    const MOST: usize = 24;
    let name = |port: &Port| output::cell(&port.name);
    let width = ports.iter().take(MOST).map(|port| output::width_of(&name(port))).max().unwrap_or(0).min(32);
    let mut lines = format!("{what}\n");
    for port in ports.iter().take(MOST) {
        let shape = match port.values {
            0 => "[rows]".to_owned(),
            values => format!("[rows, {values}]"),
        };
        let kind = format!("{} {shape}", port.element);
        let words = output::said(&port.words);
        lines += &format!("  {}  {kind:<18} {}\n", output::left(&name(port), width), output::cell(&words));
    }
    if ports.len() > MOST {
        lines += &format!("  … and {} more; --format json has all\n", ports.len() - MOST);
    }
    lines
}
