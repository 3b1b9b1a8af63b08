//! `downhill find-lr`

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use clap::Args;
use downhill::prelude::{Error, Trainer};
use downhill::train::{Command, FoundRate};
use downhill_report::{Lang, RangeTest};

use crate::args::{Format, SetupArgs, Threads};
use crate::braille::{self, Frame, number};
use crate::plot::PlotFile;
use crate::{Failure, bar, output, progress, train};

#[derive(Args)]
pub struct FindLrArgs {
    #[command(flatten)]
    pub setup: SetupArgs,

    #[command(flatten)]
    pub threads: Threads,

    /// Draw into a file too: FILE.svg or FILE.png.
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PlotFile>,
}

pub fn find_lr(options: &FindLrArgs, format: Format, quiet: bool, lang: Lang) -> Result<(), Failure> {
    let config = options.setup.config()?;
    let data = config.data.load(config.training.seed)?;
    let trainer = Trainer::from_config(config.training);
    let trainer = match options.threads.threads {
        Some(threads) => trainer.threads(threads),
        None => trainer,
    };
    let trainer = if quiet { trainer } else { trainer.view(progress::view()) };
    let ((stop, inbox), asked) = (mpsc::channel(), AtomicBool::new(false));
    ctrlc::set_handler(move || {
        // Once more, and it ends at once.
        if asked.swap(true, Ordering::Relaxed) || stop.send(Command::Stop).is_err() {
            bar::leave();
            std::process::exit(130);
        }
    })?;
    let found = match trainer.inbox(inbox).find_lr(&data) {
        Err(Error::Interrupted) => return Err(train::nothing_saved(quiet)),
        found => found?,
    };
    if let Some(file) = &options.plot {
        file.write(&RangeTest::new(&found).lang(lang).svg_file(), quiet)?;
    }
    match format {
        Format::Json => output::print_json(&found),
        Format::Csv => {
            let header = vec!["lr".to_string(), "loss".to_string()];
            let cell = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
            let rows = found.curve.iter().map(|point| vec![cell(Some(point.lr)), cell(point.loss)]);
            output::print_csv(std::iter::once(header).chain(rows))
        }
        Format::Text => output::print(&text(&found)),
    }
}

/// Characters across and down that the curve is drawn in.
const SIZE: (usize, usize) = (66, 12);
/// Where the curve begins, behind its labels.
const LEFT: usize = 11;

fn text(found: &FoundRate) -> String {
    let FoundRate { recommended, band: [low, high], schedule, steps, run_steps, seconds, .. } = found;
    let mut text = String::new();
    let losses: Vec<f64> = found.curve.iter().filter_map(|point| point.loss).collect();
    let rates: Vec<f64> = found.curve.iter().map(|point| point.lr).collect();
    let marks = [
        ('R', "recommended", Some(*recommended)),
        ('S', "steepest", found.steepest),
        ('V', "valley", found.valley),
        ('M', "minimum/10", found.minimum_tenth),
        ('D', "diverges", found.diverges),
        ('L', "stable below", found.limit),
    ];
    if let (Some(first), Some(last), true) = (rates.first(), rates.last(), losses.len() > 1) {
        // Above what it began with, the curve only blows up.
        let top = 1.2 * losses[0];
        let most = losses.iter().fold(f64::NEG_INFINITY, |most, &loss| most.max(loss)).min(top);
        let least = losses.iter().fold(f64::INFINITY, |least, &loss| least.min(loss));
        let frame = Frame { range: (least, most), log: false, size: SIZE };
        text += &format!("{}\n", output::said("training loss"));
        let drawn =
            braille::curve(&losses, frame, &output::said(&format!("lr {}", number(*first))), &number(*last));
        let mut under = vec![' '; LEFT + SIZE.0];
        for (letter, _, lr) in marks.iter().rev() {
            let share = lr.map(|lr| (lr / first).ln() / (last / first).ln());
            if let Some(share) = share.filter(|share| (0.0..=1.0).contains(share)) {
                under[LEFT + (share * (SIZE.0 - 1) as f64).round() as usize] = *letter;
            }
        }
        let under: String = under.into_iter().collect();
        // The letters stand between the axis and its labels.
        let cut = drawn.trim_end_matches('\n').rfind('\n').map_or(0, |end| end + 1);
        text += &format!("{}{}\n{}\n", &drawn[..cut], under.trim_end(), &drawn[cut..]);
    }
    let named = |name: &str| output::left(&output::said(name), 12);
    for (letter, name, lr) in marks.iter().skip(1) {
        text += &match lr {
            Some(lr) => format!("{letter}  {} {}\n", named(name), number(*lr)),
            None if *letter == 'L' => continue, // not every rule has a limit
            None => format!("   {} –\n", named(name)),
        };
    }
    if !found.rehearsals.is_empty() {
        text += "rehearsals: peak, training loss\n";
        for point in &found.rehearsals {
            let loss = point.loss.map_or_else(|| output::said("not a finite number").into_owned(), number);
            let usual = if point.lr == found.usual { "the usual rate" } else { "" };
            let line = format!("   {:<12} {loss}  {}", number(point.lr), output::said(usual));
            text += &format!("{}\n", line.trim_end());
        }
    }
    let band = format!("{}, band {} to {}", number(*recommended), number(*low), number(*high));
    text += &format!("R  {} {}\n", named("recommended"), output::said(&band));
    text += &found.correction().map_or(String::new(), |correction| format!("   {correction}\n"));
    text += &format!("{}\n", found.text());
    let share = 100.0 * *steps as f64 / *run_steps as f64;
    text + &format!(
        "{steps} steps in {}, {share:.0}% of the run's {run_steps}\n--lr '{schedule}'\n",
        output::seconds(*seconds)
    )
}
