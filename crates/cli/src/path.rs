//! `downhill path`

mod expression;
mod frame;
mod panel;
mod surface;
mod trajectory;

use clap::{Args, ValueEnum};
use downhill::optim::{Rule, Schedule};
use downhill_report::{Field, Ground, Landscape, Lang};
use serde_json::{Value, json};

use crate::args::{Format, Numbers, Spelt, not_negative, numbers, whole_number};
use crate::braille::number;
use crate::plot::PlotFile;
use crate::{Failure, output};

use frame::{Ends, Home};
pub use surface::Surface;
use trajectory::{End, Optimization, Trajectory};

/// Points along the curve, and along each side of the grid of contour lines.
const CURVE: usize = 400;
const GRID: usize = 241;

/// A trajectory with its names.
struct Entrant {
    /// The optimizer as it was spelt, with its rate if there are several of it.
    optimizer: String,
    /// The same, always with its rate.
    label: String,
    trajectory: Trajectory,
}

impl Entrant {
    /// What became of it, where that was not to make all its steps.
    fn remark(&self, lang: Lang) -> Option<String> {
        let remark = match self.trajectory.end {
            End::Steps => return None,
            End::Diverges(step) => format!("diverges at step {step}"),
            End::Undefined(step) => format!("has no value or slope at step {step}"),
        };
        Some(lang.said(&remark).into_owned())
    }

    /// The legend's name for it.
    fn name(&self, lang: Lang) -> String {
        self.remark(lang).map_or(self.label.clone(), |remark| format!("{}: {remark}", self.label))
    }
}

/// What is drawn, in a file or in the terminal.
struct Picture<'a> {
    surface: &'a Surface,
    ends: Ends,
    ground: Ground,
    entrants: &'a [Entrant],
}

#[derive(Args)]
pub struct PathArgs {
    /// An expression in one or two variables, such as 'x^2/20 + y^2', or a surface by name: quadratic,
    /// rosenbrock, beale, saddle, double-well.
    ///
    /// There are + - * / and ^ (-x^2 is -(x^2)), the constants pi, tau and e, and the functions sin, cos,
    /// tan, asin, acos, atan, sinh, cosh, tanh, exp, ln (or log), log2, log10, sqrt, cbrt, abs and sign.
    /// Variables are taken in alphabetical order.
    #[arg(value_name = "EXPR", allow_hyphen_values = true)]
    pub surface: Surface,

    /// Where to begin: a number for each variable, such as -7,2. [default: the named surface's own]
    #[arg(long, value_name = "NUMBERS", value_parser = numbers, allow_hyphen_values = true)]
    pub start: Option<Numbers>,

    /// The update rule; several are shown side by side. [default: sgd]
    #[arg(long = "optimizer", value_name = "SPEC", num_args = 1..)]
    pub optimizers: Vec<Spelt<Rule>>,

    /// The learning rate or its schedule: one for all, or one for each optimizer, in order. One optimizer
    /// goes with several.
    #[arg(long = "lr", value_name = "SPEC", required = true, num_args = 1.., allow_negative_numbers = true)]
    pub rates: Vec<Spelt<Schedule>>,

    /// The number of steps of each.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub steps: u64,

    /// Add noise of this standard deviation to each component of each gradient, the same to all optimizers:
    /// what a minibatch does.
    #[arg(long, value_name = "SIGMA", default_value_t = 0.0, value_parser = not_negative, allow_hyphen_values = true)]
    pub noise: f64,

    /// The random seed of the noise.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole_number::<u64>, allow_hyphen_values = true)]
    pub seed: u64,

    /// The arithmetic of parameters, gradients and rules; training has f32.
    #[arg(long, value_enum, default_value_t = Precision::F32)]
    pub precision: Precision,

    /// The ends of the picture: x0,x1,y0,y1, or x0,x1 for one variable. Chosen from the surface and the paths
    /// unless given.
    #[arg(long, value_name = "NUMBERS", value_parser = numbers, allow_hyphen_values = true)]
    pub frame: Option<Numbers>,

    /// Draw into a file too: FILE.svg or FILE.png.
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PlotFile>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Precision {
    F32,
    F64,
}

pub fn path(options: &PathArgs, format: Format, quiet: bool, lang: Lang) -> Result<(), Failure> {
    let surface = &options.surface;
    let start = start(options)?;
    check_frame(options)?;
    let home = Home::find(surface, &start);
    let entrants = entrants(options, &start, &home)?;

    if let Some(file) = &options.plot {
        file.write(&Picture::new(options, &home, &entrants).svg(lang), quiet)?;
    }
    if format != Format::Text && !quiet {
        for entrant in entrants.iter().filter(|entrant| entrant.remark(Lang::En).is_some()) {
            output::note(&entrant.name(lang));
        }
    }
    match format {
        Format::Csv => output::print_csv(rows(surface, &entrants)),
        Format::Json => {
            output::print_json(&entrants.iter().map(|one| object(surface, one)).collect::<Vec<_>>())
        }
        Format::Text => {
            // Names in it are those of variables, and short.
            output::print_coloured(&panel::text(
                &Picture::new(options, &home, &entrants),
                output::width(),
                output::coloured(),
            ))?;
            output::print(&table(surface, &entrants))
        }
    }
}

/// The start, which is to be where there is a way down.
fn start(options: &PathArgs) -> Result<Vec<f64>, Failure> {
    let surface = &options.surface;
    let names = surface.variables.join(" and ");
    let start = match (&options.start, surface.start) {
        (Some(start), _) => start.0.clone(),
        (None, Some(start)) => start.to_vec(),
        (None, None) => {
            return Err(Failure::Usage(format!("say where to begin, with --start and a number for {names}")));
        }
    };
    if start.len() != surface.variables.len() {
        let (found, wanted) = (output::count(start.len() as u64, "number"), surface.variables.len());
        return Err(Failure::Usage(format!(
            "--start has {found}; {} takes {wanted}, for {names}",
            surface.text
        )));
    }
    // What f32 makes of it is where it begins.
    let rounded: Vec<f64> = match options.precision {
        Precision::F32 => start.iter().map(|&x| f64::from(x as f32)).collect(),
        Precision::F64 => start,
    };
    let at = rounded.iter().map(|&x| number(x)).collect::<Vec<_>>().join(", ");
    let value = surface.value(&rounded);
    let gradient = surface.gradient(&rounded);
    if !value.is_finite() || !rounded.iter().all(|x| x.is_finite()) {
        return Err(Failure::Usage(format!(
            "{} has no finite value at the start {at}; begin elsewhere",
            surface.text
        )));
    }
    match surface.variables.iter().zip(&gradient).find(|(_, slope)| !slope.is_finite()) {
        Some((name, _)) => Err(Failure::Usage(format!(
            "{} has no finite slope along {name} at the start {at}; begin elsewhere",
            surface.text
        ))),
        None => Ok(rounded),
    }
}

fn check_frame(options: &PathArgs) -> Result<(), Failure> {
    let Some(frame) = &options.frame else { return Ok(()) };
    let rising = frame.0.chunks(2).all(|pair| pair.len() == 2 && pair[0] < pair[1]);
    let fits = match options.surface.variables.len() {
        1 => frame.0.len() == 2 || frame.0.len() == 4,
        _ => frame.0.len() == 4,
    };
    if fits && rising {
        return Ok(());
    }
    let wanted =
        if options.surface.variables.len() == 1 { "two numbers x0,x1, or four" } else { "four numbers" };
    Err(Failure::Usage(format!("--frame takes {wanted} x0,x1,y0,y1, with x0 below x1 and y0 below y1")))
}

/// Every optimizer with its rate, and its trajectory.
fn entrants(options: &PathArgs, start: &[f64], home: &Home) -> Result<Vec<Entrant>, Failure> {
    let sgd = ["sgd".parse()?];
    let (rules, rates) =
        (if options.optimizers.is_empty() { &sgd[..] } else { &options.optimizers }, &options.rates);
    if rules.len() != rates.len() && rules.len() != 1 && rates.len() != 1 {
        return Err(Failure::Usage(format!(
            "{} and {} do not pair: give as many --lr as --optimizer, or one of either",
            output::count(rules.len() as u64, "optimizer"),
            output::count(rates.len() as u64, "learning rate"),
        )));
    }
    let ends = home.ends();
    let pairs = (0..rules.len().max(rates.len()))
        .map(|index| (&rules[index % rules.len()], &rates[index % rates.len()]));
    let entrant = |(rule, rate): (&Spelt<Rule>, &Spelt<Schedule>)| {
        let &PathArgs { steps, noise, seed, .. } = options;
        let optimization =
            Optimization { rule: rule.value.clone(), schedule: rate.value.clone(), steps, noise, seed };
        let trajectory = match options.precision {
            Precision::F32 => optimization.run::<f32>(&options.surface, start, &ends),
            Precision::F64 => optimization.run::<f64>(&options.surface, start, &ends),
        };
        let label = format!("{}, lr {}", rule.text, rate.text);
        let several = rules.len() == 1 && rates.len() > 1
            || rules.iter().filter(|other| other.text == rule.text).count() > 1;
        let optimizer = if several { label.clone() } else { rule.text.clone() };
        Ok(Entrant { optimizer, label, trajectory: trajectory? })
    };
    pairs.map(entrant).collect()
}

impl<'a> Picture<'a> {
    fn new(options: &'a PathArgs, home: &Home, entrants: &'a [Entrant]) -> Self {
        let surface = &options.surface;
        let trajectories = || entrants.iter().map(|one| &one.trajectory);
        let chosen =
            options.frame.as_ref().map(|frame| frame.0.chunks(2).map(|pair| (pair[0], pair[1])).collect());
        let mut ends: Ends = chosen.unwrap_or_else(|| home.picture(trajectories()));
        let ground = match ends[..] {
            [x, y] if surface.variables.len() == 2 => {
                Ground::Contours(Field::sample(x, y, (GRID, GRID), |x, y| surface.value(&[x, y])))
            }
            _ => {
                let x = ends[0];
                let between = |index: usize| x.0 + (x.1 - x.0) * index as f64 / (CURVE - 1) as f64;
                let curve: Vec<_> =
                    (0..CURVE).map(|index| (between(index), surface.value(&[between(index)]))).collect();
                if ends.len() == 1 {
                    // The start and the minima, and the trajectories that end well.
                    let places = home.places.iter().map(|place| surface.value(place));
                    let well = trajectories()
                        .filter(|trajectory| trajectory.end == End::Steps)
                        .flat_map(|trajectory| &trajectory.points);
                    let well =
                        well.filter(|point| (x.0..=x.1).contains(&point.at[0])).map(|point| point.value);
                    ends.push(heights(places.chain(well), &curve));
                }
                Ground::Curve { points: curve, values: ends[1] }
            }
        };
        Self { surface, ends, ground, entrants }
    }

    /// What lies along the bottom and along the left.
    fn labels(&self) -> [String; 2] {
        match &self.surface.variables[..] {
            [x, y] => [x.clone(), y.clone()],
            names => [names.concat(), self.surface.text.clone()],
        }
    }

    /// A trajectory's points in the picture.
    fn places(&self, trajectory: &Trajectory) -> Vec<(f64, f64)> {
        trajectory
            .points
            .iter()
            .map(|point| (point.at[0], point.at.get(1).copied().unwrap_or(point.value)))
            .collect()
    }

    fn svg(&self, lang: Lang) -> String {
        let trajectory = |one: &Entrant| downhill_report::Trajectory {
            name: one.name(lang),
            points: self.places(&one.trajectory),
        };
        let [x, y] = self.labels();
        let two = self.surface.variables.len() == 2;
        let y = if two {
            lang.said(&format!("{y}, over the contour lines of {}", self.surface.text)).into_owned()
        } else {
            y
        };
        Landscape {
            title: self.surface.text.clone(),
            labels: [x, y],
            ground: self.ground.clone(),
            trajectories: self.entrants.iter().map(trajectory).collect(),
            lang,
        }
        .svg_file()
    }
}

/// From where to where a curve is shown: as high as these values, for how far up it goes on is no news, and
/// as deep as it goes, unless that is into a chasm.
fn heights(values: impl Iterator<Item = f64>, curve: &[(f64, f64)]) -> (f64, f64) {
    let ends = |(low, high): (f64, f64), value: f64| (low.min(value), high.max(value));
    let finite = |value: &f64| value.is_finite();
    let (low, high) = values.filter(finite).fold((f64::INFINITY, f64::NEG_INFINITY), ends);
    let deepest = curve.iter().map(|point| point.1).filter(finite).fold(low, f64::min);
    let low = deepest.max(low - (high - low));
    let margin = if high > low { 0.08 * (high - low) } else { 0.5 };
    (low - margin, high + 2.0 * margin)
}

/// The trajectories as the rows of a table, with a header.
fn rows(surface: &Surface, entrants: &[Entrant]) -> Vec<Vec<String>> {
    let mut header = vec!["optimizer".to_string(), "step".into()];
    header.extend(surface.variables.iter().cloned());
    header.extend(["value".into(), "lr".into()]);
    let mut rows = vec![header];
    for entrant in entrants {
        for (step, point) in entrant.trajectory.points.iter().enumerate() {
            let mut row = vec![entrant.optimizer.clone(), step.to_string()];
            row.extend(point.at.iter().map(f64::to_string));
            row.extend([point.value.to_string(), point.lr.map_or(String::new(), |lr| lr.to_string())]);
            rows.push(row);
        }
    }
    rows
}

fn object(surface: &Surface, entrant: &Entrant) -> Value {
    let point = |(step, point): (usize, &trajectory::Point)| {
        let mut object = serde_json::Map::from_iter([("step".to_string(), json!(step))]);
        object.extend(surface.variables.iter().cloned().zip(point.at.iter().map(|x| json!(x))));
        object.extend([("value".to_string(), json!(point.value)), ("lr".to_string(), json!(point.lr))]);
        Value::Object(object)
    };
    let (diverges_at, undefined_at) = match entrant.trajectory.end {
        End::Steps => (None, None),
        End::Diverges(step) => (Some(step), None),
        End::Undefined(step) => (None, Some(step)),
    };
    json!({
        "optimizer": entrant.optimizer,
        "diverges_at": diverges_at,
        "undefined_at": undefined_at,
        "points": entrant.trajectory.points.iter().enumerate().map(point).collect::<Vec<_>>(),
    })
}

/// Where each trajectory ends, for people.
fn table(surface: &Surface, entrants: &[Entrant]) -> String {
    let said = |name| output::said(name).into_owned();
    let mut rows = vec![vec!["".to_string(), said("step")]];
    rows[0].extend(surface.variables.iter().cloned());
    rows[0].extend(["value", "lowest"].map(said));
    for entrant in entrants {
        let points = &entrant.trajectory.points;
        let lowest = points.iter().map(|point| point.value).fold(f64::INFINITY, f64::min);
        let Some(last) = points.last() else { continue };
        let mut row = vec![entrant.label.clone(), (points.len() - 1).to_string()];
        let short = |&x: &f64| if x.is_nan() { "–".into() } else { number(x) };
        row.extend(last.at.iter().chain([&last.value, &lowest]).map(short));
        row.extend(entrant.remark(output::lang()));
        rows.push(row);
    }
    let columns = surface.variables.len() + 4;
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| output::width_of(cell)).max()
    };
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let mut line = output::left(&row[0], widths[0]);
        row[1..columns]
            .iter()
            .zip(&widths[1..])
            .for_each(|(cell, width)| line += &format!("  {}", output::right(cell, *width)));
        row.get(columns).iter().for_each(|remark| line += &format!("  {remark}"));
        line + "\n"
    };
    rows.iter().map(line).collect()
}
