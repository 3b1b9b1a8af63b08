//! `downhill schedule`

use clap::Args;
use downhill::optim::{Position, Schedule};
use downhill_report::{Axis, Chart, Lang, Series};
use serde_json::json;

use crate::args::{Format, Spelt};
use crate::braille::{self, Frame};
use crate::plot::PlotFile;
use crate::{Failure, output};

#[derive(Args)]
pub struct ScheduleArgs {
    /// The schedules: 'cosine(0.1)', 'warmup(10%, then=step(0.1, every=2ep))', …
    #[arg(required = true, value_name = "SPEC")]
    pub specs: Vec<Spelt<Schedule>>,

    /// The length of the run in steps.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub steps: u64,

    /// The length of an epoch in steps. [default: the whole run]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub steps_per_epoch: Option<u64>,

    /// Draw rates on a logarithmic axis.
    #[arg(long)]
    pub log: bool,

    /// Draw into a file too: FILE.svg or FILE.png.
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PlotFile>,
}

pub fn schedule(options: &ScheduleArgs, format: Format, quiet: bool, lang: Lang) -> Result<(), Failure> {
    let (total_steps, steps_per_epoch) = (options.steps, options.steps_per_epoch.unwrap_or(options.steps));
    let position = |step| Position { step, steps_per_epoch, total_steps };
    let rates = |schedule: &Schedule| (0..total_steps).map(|step| schedule.at(position(step))).collect();
    let curves: Vec<(String, Vec<f64>)> =
        options.specs.iter().map(|spec| (spec.text.clone(), rates(&spec.value))).collect();
    let low = curves
        .iter()
        .flat_map(|(_, rates)| rates)
        .fold(f64::INFINITY, |low, &rate| if options.log && rate <= 0.0 { low } else { low.min(rate) });
    let high =
        curves.iter().flat_map(|(_, rates)| rates).fold(f64::NEG_INFINITY, |high, &rate| high.max(rate));

    if let Some(file) = &options.plot {
        file.write(&chart(&curves, options.log, lang).svg_file(), quiet)?;
    }
    match format {
        Format::Csv => {
            let header = ["spec", "step", "epoch", "lr"].map(str::to_string).to_vec();
            let row = |spec: &str, step: usize, rate: f64| {
                let epoch = position(step as u64).epoch();
                vec![spec.to_string(), step.to_string(), epoch.to_string(), rate.to_string()]
            };
            let rows = curves.iter().flat_map(|(spec, rates)| {
                rates.iter().enumerate().map(move |(step, &rate)| row(spec, step, rate))
            });
            output::print_csv(std::iter::once(header).chain(rows))
        }
        Format::Json => {
            let point = |(step, &lr): (usize, &f64)| json!({ "step": step, "epoch": position(step as u64).epoch(), "lr": lr });
            let object = |(spec, rates): &(String, Vec<f64>)| json!({ "spec": spec, "points": rates.iter().enumerate().map(point).collect::<Vec<_>>() });
            output::print_json(&curves.iter().map(object).collect::<Vec<_>>())
        }
        Format::Text => {
            // One below the other on the same axes: colours alone would not tell them apart everywhere.
            let range = if options.log { (low, high) } else { (low.min(0.0), high) };
            let frame = Frame { range, log: options.log, size: (66, if curves.len() > 1 { 7 } else { 14 }) };
            let (last, epochs) = (total_steps - 1, total_steps.div_ceil(steps_per_epoch));
            let end = match options.steps_per_epoch {
                Some(_) => format!("step {last}, epoch {}", epochs - 1),
                None => format!("step {last}"),
            };
            let mut text = String::new();
            for (spec, rates) in &curves {
                text += &format!(
                    "{spec}\n{}\n",
                    braille::curve(rates, frame, &output::said("step 0"), &output::said(&end))
                );
            }
            output::print(text.trim_end_matches('\n'))?;
            output::print("\n")
        }
    }
}

/// The rates as a chart.
fn chart(curves: &[(String, Vec<f64>)], log: bool, lang: Lang) -> Chart {
    let [step, rate] = ["step", "learning rate"].map(|word| Axis::new(lang.said(word)));
    let mut chart = Chart::new(lang.said("Learning rate"), step, rate.log(log)).lang(lang);
    for (spec, rates) in curves {
        let points = rates.iter().enumerate().map(|(step, &rate)| (step as f64, rate));
        chart = chart.line(Series::new(spec.as_str(), points));
    }
    chart
}
