//! `downhill diagnose`

use downhill::train::{Diagnosis, Setting, Suggestion, Tried, Trouble, diagnose_run};
use serde_json::{Value, json};

use crate::args::{AgainArgs, Format};
use crate::braille::number;
use crate::{Failure, evaluate, output};

pub fn diagnose(options: &AgainArgs, format: Format, quiet: bool) -> Result<(), Failure> {
    let folder = evaluate::open(&options.run, &options.runs.runs)?;
    let diagnosis = diagnose_run(&folder, options.threads.threads)?;
    if !quiet {
        diagnosis.notes.iter().for_each(|note| output::note(note));
    }
    match format {
        Format::Json => output::print_json(&object(&diagnosis)?),
        Format::Csv => output::print_csv(csv(&diagnosis)),
        Format::Text => output::print(&text(&diagnosis)),
    }
}

/// A row for each branch.
fn csv(diagnosis: &Diagnosis) -> Vec<Vec<String>> {
    let cell = |loss: Option<f64>| loss.map_or(String::new(), |loss| loss.to_string());
    let mut rows = vec![["step", "lr", "factor", "steps", "loss_before", "loss"].map(String::from).to_vec()];
    for fork in &diagnosis.forks {
        for branch in &fork.branches {
            let lr = fork.lr * branch.factor;
            let numbers = [fork.step.to_string(), lr.to_string(), branch.factor.to_string()];
            let rest = [fork.steps.to_string(), cell(fork.loss), cell(branch.loss)];
            rows.push([numbers, rest].concat());
        }
    }
    rows
}

fn text(diagnosis: &Diagnosis) -> String {
    let Diagnosis { verdict, evidence, suggestion, findings, forks, steps, run_steps, .. } = diagnosis;
    let mut text = format!("learning rate: {}\n  {evidence}\n", verdict.words());
    text += &suggestion.as_ref().map_or(String::new(), |try_it| format!("  try {}\n", flag(try_it)));
    for Tried { suggestion, end, .. } in &diagnosis.tried {
        let end =
            end.map_or("blows up".into(), |end| format!("ends with a training loss of {}", number(end)));
        text += &format!("  the whole run with {} {end}\n", flag(suggestion));
    }
    for finding in findings {
        let layer = finding.layer.map_or(String::new(), |layer| format!(" in layer {layer}"));
        text += &format!(
            "{}{layer}\n  {}\n  try {}\n",
            words(finding.trouble),
            finding.evidence,
            flag(&finding.suggestion)
        );
    }
    let right = |text: &str, width| output::right(&output::said(text), width);
    if let Some(fork) = forks.first() {
        text += "\ntraining loss, continued at these multiples of the rate in force\n";
        let [step, rate, before] =
            [("step", 8), ("rate", 10), ("before", 9)].map(|(name, width)| right(name, width));
        text += &format!("{step} {rate} {before}");
        fork.branches.iter().for_each(|branch| text += &format!(" {:>9}", format!("×{}", branch.factor)));
        text.push('\n');
    }
    let cell = |loss: Option<f64>| right(&loss.map_or("blew up".into(), number), 9);
    for fork in forks {
        text += &format!("{:>8} {:>10.2e} {}", fork.step, fork.lr, cell(fork.loss));
        fork.branches.iter().for_each(|branch| text += &format!(" {}", cell(branch.loss)));
        text.push('\n');
    }
    text + &format!("{steps} steps were made to find out; the run has {run_steps}\n")
}

/// The diagnosis, with flags for what it suggests.
fn object(diagnosis: &Diagnosis) -> Result<Value, Failure> {
    let mut object = serde_json::to_value(diagnosis)?;
    object["suggestion"] = diagnosis.suggestion.as_ref().map(flag).into();
    let tried = |Tried { suggestion, peak_rate, end }: &Tried| -> Value {
        json!({ "flag": flag(suggestion), "peak_rate": peak_rate, "end": end })
    };
    object["tried"] = diagnosis.tried.iter().map(tried).collect();
    for (at, finding) in diagnosis.findings.iter().enumerate() {
        object["findings"][at]["suggestion"] = flag(&finding.suggestion).into();
    }
    Ok(object)
}

/// The flag that gives a setting its value, as one writes it in a shell.
fn flag(Suggestion { setting, value }: &Suggestion) -> String {
    let name = match setting {
        Setting::Lr => "--lr",
        Setting::Plateau => "--plateau",
        Setting::Group => "--group",
        Setting::Batch => "--batch",
        Setting::Activation => "--activation",
        // It takes a value only with an equals sign, and needs none to be set.
        Setting::BatchNorm => return "--batch-norm".into(),
        Setting::Dropout => "--dropout",
        Setting::ClipNorm => "--clip-norm",
    };
    let is_plain = value.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c));
    if is_plain { format!("{name} {value}") } else { format!("{name} '{value}'") }
}

fn words(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Overfitting => "overfitting",
        Trouble::VanishingGradients => "vanishing gradients",
        Trouble::ExplodingGradients => "exploding gradients",
        Trouble::DeadUnits => "dead units",
        Trouble::SaturatedUnits => "saturated units",
        Trouble::SmallUpdates => "small updates",
        Trouble::LargeUpdates => "large updates",
        Trouble::Noise => "noise",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_quoted_where_a_shell_needs_it() {
        let flag = |setting, value: &str| flag(&Suggestion { setting, value: value.into() });
        assert_eq!(flag(Setting::Lr, "3e-5"), "--lr 3e-5");
        assert_eq!(flag(Setting::Lr, "cosine(0.1)"), "--lr 'cosine(0.1)'");
        assert_eq!(flag(Setting::Group, "name(0.weight, lr=10)"), "--group 'name(0.weight, lr=10)'");
        assert_eq!(flag(Setting::Activation, "leaky-relu"), "--activation leaky-relu");
        assert_eq!(flag(Setting::BatchNorm, "true"), "--batch-norm");
    }
}
