//! Exported networks predict what Downhill predicts, by `onnx.checker` and `onnxruntime`, where a Python has
//! them: the one that `DOWNHILL_PYTHON` names, or `python3`.

#[path = "../../data/tests/shared/mod.rs"]
mod shared;

use downhill_data::{Dataset, Encoder, Encoding, Examples, Kind, ReadOptions, Table, Targets};
use downhill_export::Predictor as Exportable;
use downhill_export::{Inputs, Network, onnx};
use downhill_nn::LayerSpec;
use downhill_train::{Predictions, Predictor, Trainer};
use serde_json::{Map, Value, json};
use shared::shared;
use std::io::Write;
use std::path::Path;
use std::process::Command;

/// Rows of a table that are predicted, at most.
const ROWS: usize = 300;

/// A Python that has the packages, if there is one.
fn python() -> Option<String> {
    let name = std::env::var("DOWNHILL_PYTHON").unwrap_or_else(|_| "python3".into());
    let found = Command::new(&name).args(["-c", "import onnx, onnxruntime"]).output();
    if found.is_ok_and(|output| output.status.success()) {
        return Some(name);
    }
    let _ = writeln!(
        std::io::stderr(),
        "skipped: {name} has no packages onnx and onnxruntime; DOWNHILL_PYTHON names another Python"
    );
    None
}

/// Models with what they are given and what they predict.
struct Cases {
    folder: tempfile::TempDir,
    python: String,
    cases: Vec<Value>,
}

impl Cases {
    fn new() -> Option<Self> {
        Some(Self { python: python()?, folder: tempfile::tempdir().unwrap(), cases: Vec::new() })
    }

    /// A model on a table, with both kinds of inputs.
    fn add(&mut self, name: &str, predictor: &Predictor, table: &Table) {
        let rows = table.rows().min(ROWS);
        let predictions = predictor.predict(table).unwrap_or_else(|error| panic!("{name}: {error}"));
        for inputs in [Inputs::Table, Inputs::Numeric] {
            let feeds = feeds(predictor, table, rows, inputs);
            self.push(&format!("{name} {inputs:?}"), predictor, inputs, feeds, rows, &predictions);
        }
    }

    fn push(
        &mut self,
        name: &str,
        predictor: &Predictor,
        inputs: Inputs,
        feeds: Map<String, Value>,
        rows: usize,
        predictions: &Predictions,
    ) {
        let encoder = predictor.encoder();
        let exported = onnx(&exportable(predictor), inputs).unwrap_or_else(|error| panic!("{name}: {error}"));
        let file = self.folder.path().join(format!("{}.onnx", self.cases.len()));
        std::fs::write(&file, exported.bytes).unwrap();
        let mut case = json!({ "name": name, "model": file, "inputs": feeds, "rows": rows });
        match predictions {
            Predictions::Classes { labels, classes, probabilities } => {
                let texts = inputs == Inputs::Table && encoder.is_some();
                // Without an encoder, as with numbers only, classes are numbers.
                let label = |&label: &u32| match texts {
                    true => json!(classes[label as usize]),
                    false => json!(label),
                };
                case["labels"] = labels[..rows].iter().map(label).collect();
                case["probabilities"] = json!(probabilities[..rows * classes.len()]);
            }
            Predictions::Values(values) => {
                case["values"] = json!(values[..rows]);
                case["unit"] = json!(encoder.map_or(1.0, |encoder| encoder.target_scale().1));
            }
        }
        self.cases.push(case);
    }

    fn check(self) {
        let file = self.folder.path().join("cases.json");
        std::fs::write(&file, serde_json::to_string(&self.cases).unwrap()).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check.py");
        let output = Command::new(&self.python).arg(script).arg(&file).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}\n{error}");
        assert_eq!(said.lines().count(), self.cases.len(), "{said}\n{error}");
    }
}

/// What the columns of a table hold, as the exported model takes it.
fn feeds(predictor: &Predictor, table: &Table, rows: usize, inputs: Inputs) -> Map<String, Value> {
    let encoders = || predictor.members().iter().filter_map(|member| member.encoder());
    // All categories that some network knows, in the order in which they are first met.
    let known = |column: &str| {
        let mut known: Vec<String> = Vec::new();
        for input in encoders().flat_map(Encoder::inputs).filter(|input| input.column == column) {
            if let Encoding::Categories { categories, .. } = &input.encoding {
                categories.iter().for_each(|text| {
                    if !known.contains(text) {
                        known.push(text.clone())
                    }
                });
            }
        }
        known
    };
    let feed = |input: &downhill_data::Input| {
        let at = table.column_index(&input.column).unwrap();
        let column = &table.columns()[at];
        let each = |value: &dyn Fn(usize) -> Value| (0..rows).map(value).collect::<Vec<Value>>();
        let number = |row: usize| json!(column.number(row));
        let (kind, values) = match (&input.encoding, inputs) {
            (Encoding::Categories { .. }, Inputs::Table) => ("string", each(&|row| json!(column.text(row)))),
            (Encoding::Categories { .. }, Inputs::Numeric) => {
                let spellings = Encoder::spellings(&known(&input.column));
                let code = |row: usize| match column.text(row) {
                    None => json!(-1),
                    Some(text) => {
                        json!(spellings.iter().find(|known| known.0 == text).map_or(9999, |known| known.1))
                    }
                };
                ("int64", each(&code))
            }
            (Encoding::Date { .. }, _) => ("date", each(&|row| json!(column.text(row)))),
            (Encoding::Number { .. } | Encoding::Indicator, Inputs::Table) => ("double", each(&number)),
            (Encoding::Number { .. } | Encoding::Indicator, Inputs::Numeric) => ("float", each(&number)),
            (Encoding::Pixels { count, .. }, _) => {
                let pixels = &table.columns()[at..at + count];
                let all = (0..rows).flat_map(|row| pixels.iter().map(move |pixel| json!(pixel.number(row))));
                ("float", all.collect())
            }
        };
        (input.column.clone(), json!({ "kind": kind, "values": values }))
    };
    encoders().flat_map(Encoder::inputs).map(feed).collect()
}

/// The networks of a predictor, as they are exported.
fn exportable(predictor: &Predictor) -> Exportable<'_> {
    let networks =
        predictor.members().iter().map(|member| Network { model: member.model(), encoder: member.encoder() });
    Exportable { networks: networks.collect(), loss: predictor.loss() }
}

fn trained(table: &Table, layers: &str) -> Predictor {
    let dataset = table.default_target().split(0.2, 3).unwrap();
    let layers: Vec<LayerSpec> = layers.split_whitespace().map(|layer| layer.parse().unwrap()).collect();
    let trained = Trainer::new(layers).epochs(3).batch(32).fit(&dataset).unwrap();
    trained.predictor().clone()
}

/// The first rows of a table with some values missing and some categories that are new, read for a model.
fn with_holes(table: &Table, encoder: &Encoder) -> Table {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let target = encoder.target_column(table).unwrap().unwrap();
    if table.has_header() {
        writer.write_record(table.columns().iter().map(|column| column.name())).unwrap();
    }
    for row in 0..table.rows().min(ROWS) {
        let value = |(at, column): (usize, &downhill_data::Column)| {
            let text = column.text(row).unwrap_or_default().into_owned();
            match (row * 31 + at * 17) % 23 {
                _ if at == target => text,
                0..3 => String::new(),
                3..6 if column.kind() == Kind::Categorical => "never seen".to_owned(),
                _ => text,
            }
        };
        writer.write_record(table.columns().iter().enumerate().map(value)).unwrap();
    }
    let options = ReadOptions {
        known: Some(encoder.known()),
        header: Some(table.has_header()),
        ..ReadOptions::default()
    };
    Table::parse("holes", &writer.into_inner().unwrap(), &options).unwrap()
}

#[test]
fn bundled_tables_are_predicted_alike() {
    let Some(mut cases) = Cases::new() else { return };
    for data in downhill_data::bundled::catalogue() {
        let table = Table::bundled(data.name).unwrap();
        let predictor = trained(&table, "dense(16) relu");
        cases.add(data.name, &predictor, &table);
        let holes = with_holes(&table, predictor.encoder().unwrap());
        cases.add(&format!("{} with holes", data.name), &predictor, &holes);
    }
    cases.check();
}

#[test]
fn real_tables_are_predicted_alike() {
    let Some(mut cases) = Cases::new() else { return };
    let mut files = Vec::new();
    for folder in ["", "tables", "odd"] {
        let Some(folder) = shared(folder) else { return };
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        files.extend(entries.filter(|path| path.extension().is_some_and(|extension| extension == "csv")));
    }
    files.sort();
    // Refused as a guess, in another encoding, or with no feature: nothing to export.
    let no_model = ["manycls", "allmiss", "utf16le", "latin1"];
    let plain = |column: &downhill_data::Input| match &column.encoding {
        Encoding::Number { notation, .. } => notation.is_plain(),
        _ => true,
    };
    let mut tables = 0;
    for file in files {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        if no_model.contains(&&*name) || name == "adult-train" {
            continue;
        }
        let table = Table::open(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
        let predictor = trained(&table, "dense(8) relu");
        cases.add(&name, &predictor, &table);
        let encoder = predictor.encoder().unwrap();
        if encoder.inputs().iter().all(plain) {
            cases.add(&format!("{name} with holes"), &predictor, &with_holes(&table, encoder));
        }
        tables += 1;
    }
    assert!(tables > 40, "{tables}");
    cases.check();
}

#[test]
fn every_operation_is_computed_alike() {
    let Some(mut cases) = Cases::new() else { return };
    let table = Table::bundled("wine").unwrap();
    for layers in [
        "dense(8,bias=false) batch-norm relu dropout(0.3) dense(8) layer-norm(0.001) leaky-relu(0.2)",
        "scale(0.5) dense(8) elu(1.5) dense(8) selu dense(8) gelu",
        "piecewise-linear([[-1,0,2]]) dense(2) piecewise-linear([[-0.5,0.5,1],[0,3]],scale=1)",
        "dense(8) silu dense(8) mish dense(8) tanh dense(8) sigmoid dense(8) softplus dense(8) identity",
        "dense(8) relu dense(8) relu add(1) layer-norm",
        "members(4) ensemble(8) relu scale ensemble(6) batch-norm tanh",
        "identity dense(13) tanh add(0) batch-norm(eps=0.01)",
    ] {
        cases.add(layers, &trained(&table, layers), &table);
    }
    // Large and tiny features: where activations saturate or nearly vanish.
    let mut extreme = String::from("a,b,y\n");
    for row in 0..60 {
        extreme += &format!("{}e{},{}e-30,{}\n", row % 7, row % 9, row % 5, row % 3);
    }
    let extreme = Table::parse("extreme", extreme.as_bytes(), &ReadOptions::default()).unwrap();
    for activation in ["mish", "softplus", "gelu", "selu", "silu"] {
        let layers = format!("dense(8) {activation} dense(4) tanh");
        cases.add(&format!("extreme {activation}"), &trained(&extreme, &layers), &extreme);
    }
    cases.check();
}

#[test]
fn embeddings_are_computed_alike_and_refuse_what_is_no_category() {
    let Some(mut cases) = Cases::new() else { return };
    let x: Vec<f32> = (0..60).flat_map(|row| [row % 3, row % 2, row % 7].map(|value| value as f32)).collect();
    let y = Targets::Classes { labels: (0..60).map(|row| row % 3).collect(), classes: 3 };
    let examples = Examples::new(x.clone(), 3, y).unwrap();
    let dataset = Dataset::from_examples(examples.clone(), examples).unwrap();
    let layers = ["embedding(categories=[3, 2], dim=4)", "dense(6)", "relu"];
    let layers: Vec<LayerSpec> = layers.iter().map(|layer| layer.parse().unwrap()).collect();
    let trained = Trainer::new(layers).epochs(3).batch(8).fit(&dataset).unwrap();
    let predictions = trained.predictor().predict_rows(&x).unwrap();
    let feeds = Map::from_iter([("x".to_owned(), json!({ "kind": "float", "values": x }))]);
    cases.push("embedding", trained.predictor(), Inputs::Table, feeds, 60, &predictions);
    cases.cases[0]["refused"] = json!({ "x": [-1.0, 3.0, 0.5, 1e9] });
    cases.check();
}

/// Categories, numbers with holes, dates with cycles, words for true, numbers as categories, awkward names.
fn mixed() -> String {
    let mut text = String::from("label,when,a #1,yes,code,at,y\n");
    for row in 0..240 {
        let job = ["nurse", "smith", "", "baker, retired", "\"q\""][row % 5];
        let when =
            format!("{}-{:02}-{:02} {:02}:30", 1890 + row, 1 + row * 7 % 12, 1 + row * 11 % 28, row % 24);
        let number = if row % 6 == 0 { String::new() } else { format!("{}", row as f64 * 1.25e5) };
        let yes = ["True", "false", "TRUE", "no value"][row % 3];
        let code = ["7", "8.50", "x"][row % 3];
        let job =
            if job.contains([',', '"']) { format!("\"{}\"", job.replace('"', "\"\"")) } else { job.into() };
        let when = if row % 13 == 0 { String::new() } else { when };
        text += &format!("{job},{when},{number},{yes},{code},{:02}:15,{}\n", row % 24, row % 2);
    }
    text
}

#[test]
fn categories_dates_and_words_for_true_are_taken_alike() {
    let Some(mut cases) = Cases::new() else { return };
    let text = mixed();
    let table = Table::parse("mixed", text.as_bytes(), &ReadOptions::default()).unwrap();
    let predictor = trained(&table, "dense(16) tanh");
    let encoder = predictor.encoder().unwrap();
    let dates =
        encoder.inputs().iter().filter(|input| matches!(input.encoding, Encoding::Date { .. })).count();
    assert_eq!((encoder.inputs().len(), dates), (6, 2), "{encoder:?}");
    // `label` is a column, so the output of that name gets another.
    let exported = onnx(&exportable(&predictor), Inputs::Table).unwrap();
    assert_eq!((&*exported.inputs[0].name, &*exported.outputs[0].name), ("label", "label_"));
    let renamed = text.replacen("label,", "job,", 1);
    let table = Table::parse("mixed", renamed.as_bytes(), &ReadOptions::default()).unwrap();
    let predictor = trained(&table, "dense(16) tanh");
    cases.add("mixed", &predictor, &table);
    cases.add("mixed with holes", &predictor, &with_holes(&table, predictor.encoder().unwrap()));
    let other = renamed.replace("TRUE", "true").replace(",8.50,", ",8.5,").replace(",7,", ",7.0,");
    let options = ReadOptions { known: Some(predictor.encoder().unwrap().known()), ..ReadOptions::default() };
    let spelt_otherwise = Table::parse("mixed", other.as_bytes(), &options).unwrap();
    cases.add("mixed in other spellings", &predictor, &spelt_otherwise);
    cases.check();
}

#[test]
fn averages_are_computed_alike() {
    let Some(mut cases) = Cases::new() else { return };
    let layers = || -> Vec<LayerSpec> { vec!["dense(8)".parse().unwrap(), "relu".parse().unwrap()] };
    // Folds have encoders of their own, with other means and perhaps other categories.
    let mixed = mixed().replacen("label,", "job,", 1);
    let mixed = Table::parse("mixed", mixed.as_bytes(), &ReadOptions::default()).unwrap();
    for (name, table) in [("diabetes", Table::bundled("diabetes").unwrap()), ("mixed", mixed)] {
        let networks = (1..=3).map(|seed| {
            let dataset = table.default_target().split(0.3, seed).unwrap();
            Trainer::new(layers()).epochs(3).batch(32).seed(seed).fit(&dataset).unwrap().predictor().clone()
        });
        let average = Predictor::average(networks).unwrap();
        assert_eq!(average.members().len(), 3);
        cases.add(&format!("an average, {name}"), &average, &table);
        cases.add(
            &format!("an average, {name} with holes"),
            &average,
            &with_holes(&table, average.encoder().unwrap()),
        );
    }
    let iris = Table::bundled("iris").unwrap();
    let dataset = iris.default_target().split(0.2, 3).unwrap();
    let members = Trainer::new(layers()).epochs(3).batch(32).members(3).fit(&dataset).unwrap();
    cases.add("members", members.predictor(), &iris);
    cases.check();
}

#[test]
fn images_are_predicted_alike() {
    let Some(mut cases) = Cases::new() else { return };
    let Some(images) = shared("mnist/t10k-images-idx3-ubyte.gz") else { return };
    let table = Table::images(&images, shared("mnist/t10k-labels-idx1-ubyte.gz").as_deref()).unwrap();
    let dataset = table.default_target().split(0.9, 3).unwrap();
    let layers: Vec<LayerSpec> = vec!["dense(8)".parse().unwrap(), "relu".parse().unwrap()];
    let trained = Trainer::new(layers).epochs(1).fit(&dataset).unwrap();
    cases.add("mnist", trained.predictor(), &table);
    cases.check();
}
