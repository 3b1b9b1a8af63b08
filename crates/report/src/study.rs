//! What a hyperparameter search came to: its charts, and its page.

mod importance;
mod map;
mod parallel;

use std::fmt::Write;

use crate::axis::Axis;
use crate::escape::escape;
use crate::number::significant;
use crate::panel::{FILE_WIDTH, Place};
use crate::{Chart, Lang, Series, page};

/// What spans more than this factor is drawn on a logarithmic axis.
const LOG_FROM: f64 = 30.0;
/// The share of the trials that count as the best.
const BEST_SHARE: f64 = 0.2;
/// The ranking of a page has no more trials than these.
const MOST_RANKED: usize = 50;
/// What is left free between the charts of one file.
const GAP: f64 = 24.0;

/// A hyperparameter search, to be drawn: its settings, its trials, and how much each setting mattered.
#[derive(Clone, Debug, PartialEq)]
pub struct Study {
    /// What it is called.
    pub name: String,
    /// What is searched for.
    pub metric: String,
    /// Whether more of it is better.
    pub higher_is_better: bool,
    /// The settings that are searched.
    pub settings: Vec<Setting>,
    /// All trials, in the order of their numbers.
    pub trials: Vec<Trial>,
    /// The share of each setting in what is good, the largest first; empty if nothing is known.
    pub importance: Vec<(String, f64)>,
    /// The command that trains the best one, if there is one.
    pub command: Option<String>,
    /// The language of the charts; the page is in English.
    pub lang: Lang,
}

/// A setting that is searched.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// What it is called.
    pub name: String,
    /// What its values are.
    pub scale: Scale,
}

/// What the values of a setting are.
#[derive(Clone, Debug, PartialEq)]
pub enum Scale {
    /// Numbers.
    Linear,
    /// Numbers above 0 of several orders of magnitude.
    Log,
    /// Words; a value is the number of one, counted from 0.
    Options(Vec<String>),
}

/// A trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// The value of each setting; none where it has none.
    pub values: Vec<Option<f64>>,
    /// What the trial came to; none if it failed or has not come to anything yet.
    pub value: Option<f64>,
    /// How many epochs it has made.
    pub epochs: u64,
    /// What became of it, in a word.
    pub state: String,
}

impl Setting {
    fn axis(&self) -> Axis {
        match &self.scale {
            Scale::Linear => Axis::new(&self.name),
            Scale::Log => Axis::new(&self.name).log(true),
            Scale::Options(words) => {
                let words: Vec<String> =
                    words.iter().enumerate().map(|(at, word)| format!("{at} {word}")).collect();
                Axis::new(format!("{}: {}", self.name, words.join(", "))).whole()
            }
        }
    }

    /// A value in words.
    fn text(&self, value: f64) -> String {
        match &self.scale {
            Scale::Linear | Scale::Log => significant(value),
            Scale::Options(words) => words.get(value as usize).cloned().unwrap_or_default(),
        }
    }
}

impl Study {
    /// Their charts in one SVG file, below and beside each other.
    pub fn svg_file(&self) -> String {
        let parts = self.charts(Place::Inside(0, 0));
        let columns = if parts.len() > 2 { 2 } else { 1 };
        let mut bottoms = vec![0.0; columns];
        let mut inside = String::new();
        for (part, height) in parts {
            let column = if columns == 2 && bottoms[1] < bottoms[0] { 1 } else { 0 };
            let (x, y) = (column as f64 * (FILE_WIDTH + GAP), bottoms[column]);
            let _ = write!(inside, "<g transform=\"translate({x} {y})\">\n{part}</g>\n");
            bottoms[column] += height + GAP;
        }
        let whole =
            (columns as f64 * (FILE_WIDTH + GAP) - GAP, bottoms.into_iter().fold(GAP, f64::max) - GAP);
        let description = format!("{} trials of {}", self.trials.len(), self.name);
        let description = self.lang.said(&description);
        Place::File.open(self.lang, whole, &self.name, &description) + &inside + "</svg>\n"
    }

    /// The report: one page of HTML that fetches nothing and runs nothing.
    pub fn html(&self) -> String {
        let name = escape(&self.name);
        let mut page = format!(
            "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n{}\n<title>{name} · Downhill</title>\n</head>\n<body>\n\
             <main>\n<h1>{name} <small>{}</small></h1>\n",
            self.lang.code(),
            page::HEAD,
            self.lang.said(&format!("a search of {} trials", self.trials.len()))
        );
        let ranking = self.ranking();
        match ranking.first() {
            Some(&best) => {
                let value = self.trials[best].value.map_or_else(String::new, significant);
                let text = format!("Best: trial {best}, {} {value}.", self.metric);
                let _ = writeln!(page, "<p>{}</p>", escape(&self.lang.said(&text)));
            }
            None => {
                let _ = writeln!(page, "<p>{}</p>", self.lang.said("No trial has come to a value yet."));
            }
        }
        if let Some(command) = &self.command {
            let _ = writeln!(page, "<pre>{}</pre>", escape(command));
        }
        page += "<div class=\"charts\">\n";
        for (chart, _) in self.charts(Place::Page) {
            let _ = write!(page, "<section>\n{chart}</section>\n");
        }
        page += "</div>\n";
        page += &self.table(&ranking);
        page + "</main>\n</body>\n</html>\n"
    }

    fn table(&self, ranking: &[usize]) -> String {
        let [title, rank, trial, epochs, state] =
            ["Ranking", "rank", "trial", "epochs", "state"].map(|name| self.lang.said(name));
        let mut table =
            format!("<h2>{title}</h2>\n<div class=\"scroll\">\n<table>\n<tr><th>{rank}</th><th>{trial}</th>");
        let _ = write!(table, "<th>{}</th><th>{epochs}</th><th>{state}</th>", escape(&self.metric));
        for setting in &self.settings {
            let _ = write!(table, "<th class=\"text\">{}</th>", escape(&setting.name));
        }
        table += "</tr>\n";
        for (place, &number) in ranking.iter().take(MOST_RANKED).enumerate() {
            let trial = &self.trials[number];
            let value = trial.value.map_or_else(String::new, significant);
            let _ = write!(
                table,
                "<tr><td>{}</td><td>{number}</td><td>{value}</td><td>{}</td><td>{}</td>",
                place + 1,
                trial.epochs,
                escape(&self.lang.said(&trial.state))
            );
            for (setting, value) in self.settings.iter().zip(&trial.values) {
                let text = value.map_or_else(String::new, |value| setting.text(value));
                let _ = write!(table, "<td class=\"text\">{}</td>", escape(&text));
            }
            table += "</tr>\n";
        }
        table += "</table>\n</div>\n";
        let more = ranking.len().saturating_sub(MOST_RANKED);
        if more > 0 {
            let _ = writeln!(table, "<p>{}</p>", self.lang.said(&format!("… and {more} more.")));
        }
        table
    }

    /// The trials that have a value, the best first; of equals, the earlier one.
    fn ranking(&self) -> Vec<usize> {
        let cost = |number: &usize| {
            let value = self.trials[*number].value.unwrap_or(f64::NAN);
            if self.higher_is_better { -value } else { value }
        };
        let mut ranking: Vec<usize> = (0..self.trials.len())
            .filter(|&number| self.trials[number].value.is_some_and(f64::is_finite))
            .collect();
        ranking.sort_by(|a, b| cost(a).total_cmp(&cost(b)));
        ranking
    }

    /// Of each trial, which place it has among those with a value: 0 is the best, 1 the worst.
    fn shares(&self) -> Vec<Option<f64>> {
        let ranking = self.ranking();
        let mut shares = vec![None; self.trials.len()];
        for (place, &number) in ranking.iter().enumerate() {
            shares[number] = Some(place as f64 / ranking.len() as f64);
        }
        shares
    }

    /// The charts, each with its height.
    fn charts(&self, place: Place) -> Vec<(String, f64)> {
        let mut charts = vec![self.history().drawn(place)];
        charts.extend(self.importance_chart(place));
        charts.extend(self.map(place));
        charts.extend(self.parallel(place));
        charts.extend((0..self.settings.len()).map(|setting| self.slice(setting).drawn(place)));
        charts
    }

    /// The axis of the values. What is far worse than most is cut off, as else nothing is seen of the others.
    fn values_axis(&self) -> Axis {
        let ranking = self.ranking();
        let values: Vec<f64> = ranking.iter().filter_map(|&number| self.trials[number].value).collect();
        let axis = Axis::new(&self.metric);
        let (Some(&best), Some(&middle)) = (values.first(), values.get(values.len() / 2)) else {
            return axis;
        };
        let all_positive = values.iter().all(|&value| value > 0.0);
        let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| {
            (low.min(value), high.max(value))
        });
        if all_positive && high > LOG_FROM * low {
            return axis.log(true);
        }
        let reach = 4.0 * (middle - best).abs();
        match reach > 0.0 {
            true if self.higher_is_better => axis.within((best - reach).max(low), high),
            true => axis.within(low, (best + reach).min(high)),
            false => axis,
        }
    }

    fn history(&self) -> Chart {
        let lang = self.lang;
        let title = lang.said("History of the best");
        let points = self.trials.iter().enumerate().filter_map(|(at, trial)| Some((at as f64, trial.value?)));
        let points: Vec<(f64, f64)> = points.collect();
        let mut best: Option<f64> = None;
        let mut steps: Vec<(f64, f64)> = Vec::new();
        for &(at, value) in &points {
            let better = |best: f64| if self.higher_is_better { value.max(best) } else { value.min(best) };
            let next = best.map_or(value, better);
            if let Some(before) = best.filter(|&before| before != next) {
                steps.push((at, before));
            }
            best = Some(next);
            steps.push((at, next));
        }
        let trials = lang.said("trials");
        let so_far = lang.said("best so far");
        let number = lang.said("trial");
        Chart::new(title, Axis::new(number).whole(), self.values_axis())
            .lang(lang)
            .line(Series::new(trials, points).of_run(5, false).dots())
            .line(Series::new(so_far, steps).of_run(0, false))
    }

    fn slice(&self, setting: usize) -> Chart {
        let about = &self.settings[setting];
        let shares = self.shares();
        let of = |best: bool| -> Vec<(f64, f64)> {
            let trials = self.trials.iter().zip(&shares);
            let chosen = trials.filter(|(_, share)| share.is_some_and(|share| (share < BEST_SHARE) == best));
            chosen.filter_map(|(trial, _)| Some((trial.values[setting]?, trial.value?))).collect()
        };
        let lang = self.lang;
        Chart::new(about.name.clone(), about.axis(), self.values_axis())
            .lang(lang)
            .line(Series::new(lang.said("others"), of(false)).of_run(5, false).dots())
            .line(Series::new(lang.said("the best fifth"), of(true)).of_run(0, false).dots())
    }
}

#[cfg(test)]
mod tests {
    use roxmltree::Document;

    use super::*;

    fn study(trials: usize) -> Study {
        let settings = vec![
            Setting { name: "lr".into(), scale: Scale::Log },
            Setting { name: "dropout".into(), scale: Scale::Linear },
            Setting { name: "a<b".into(), scale: Scale::Options(vec!["x&y".into(), "z".into()]) },
        ];
        let trial = |number: usize| Trial {
            values: vec![
                Some(10f64.powf(-(number as f64 * 0.37 % 4.0))),
                Some(number as f64 * 0.13 % 0.5),
                (!number.is_multiple_of(5)).then_some((number % 2) as f64),
            ],
            value: (number % 7 != 3).then_some((number as f64 * 0.7).sin() + 1.5),
            epochs: 3,
            state: "paused".into(),
        };
        Study {
            name: "s".into(),
            metric: "loss".into(),
            higher_is_better: false,
            settings,
            trials: (0..trials).map(trial).collect(),
            importance: vec![("lr".into(), 0.7), ("a<b".into(), 0.2), ("dropout".into(), 0.1)],
            command: Some("downhill train <x>".into()),
            lang: Lang::En,
        }
    }

    #[test]
    fn any_study_makes_a_picture_and_a_page() {
        for trials in [0, 1, 2, 40] {
            for higher_is_better in [false, true] {
                let study = Study { higher_is_better, ..study(trials) };
                let (svg, html) = (study.svg_file(), study.html());
                Document::parse(&svg).unwrap_or_else(|error| panic!("{error}: {svg}"));
                for text in [&svg, &html] {
                    assert!(!text.contains("NaN") && !text.contains("inf"), "{trials} trials");
                    assert!(!text.contains("a<b") && !text.contains("<x>"), "names are escaped");
                }
            }
        }
        let none = Study { settings: Vec::new(), importance: Vec::new(), trials: Vec::new(), ..study(0) };
        Document::parse(&none.svg_file()).unwrap();
    }

    #[test]
    fn the_best_so_far_only_gets_better_and_the_ranking_begins_with_it() {
        let study = study(40);
        let ranking = study.ranking();
        let values: Vec<f64> = ranking.iter().map(|&number| study.trials[number].value.unwrap()).collect();
        assert!(values.windows(2).all(|pair| pair[0] <= pair[1]));
        assert_eq!(values.len(), study.trials.iter().filter(|trial| trial.value.is_some()).count());
        let html = study.html();
        assert!(html.contains(&format!("Best: trial {}, loss", ranking[0])), "{html}");
        let worst_first = Study { higher_is_better: true, ..study };
        assert_eq!(worst_first.ranking().last(), ranking.first());
    }
}
