//! What each command is for, as a person or a program would use it.

mod common;

use common::{Place, classes, numbers};
use serde_json::Value;

/// The keys of an object, sorted.
fn keys(object: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

const SUMMARY: [&str; 24] = [
    "batch",
    "best_epoch",
    "classes",
    "dataset",
    "epochs",
    "features",
    "metrics",
    "optimizer",
    "parameters",
    "rows",
    "rows_per_second",
    "run",
    "schedule",
    "seconds",
    "seed",
    "stop",
    "stopped_early",
    "task",
    "threads",
    "train_loss",
    "train_rows",
    "valid_loss",
    "valid_rows",
    "weights_sha256",
];

#[test]
fn the_summary_of_a_run() {
    let place = Place::new();
    let trained = place.train("good.csv --seed 3 --threads 1").done();
    let summary = trained.json();
    assert_eq!(keys(&summary), SUMMARY);
    for (key, value) in [
        ("run", Value::from("runs/good-1")),
        ("dataset", "good".into()),
        ("task", "classification".into()),
        ("rows", 40.into()),
        ("train_rows", 32.into()),
        ("valid_rows", 8.into()),
        ("features", 2.into()),
        ("classes", 2.into()),
        ("parameters", (2 * 8 + 8 + 8 * 2 + 2).into()),
        ("seed", 3.into()),
        ("threads", 1.into()),
        ("batch", 16.into()),
        ("epochs", 2.into()),
        ("stopped_early", false.into()),
        ("stop", "finished".into()),
    ] {
        assert_eq!(summary[key], value, "{key}");
    }
    assert!(summary["optimizer"].as_str().unwrap().starts_with("adamw("));
    assert!(summary["schedule"].as_str().unwrap().contains("cosine("));
    assert!((1..=2).contains(&summary["best_epoch"].as_u64().unwrap()));
    let means = ["macro_f1", "macro_precision", "macro_recall"];
    let metrics = ["accuracy", "balanced_accuracy", "by_class", "confusion", means[0], means[1], means[2]];
    assert_eq!(keys(&summary["metrics"]), [&metrics[..], &["positive", "roc_auc"]].concat());
    assert_eq!(summary["metrics"]["positive"], summary["metrics"]["by_class"][1]);
    assert_eq!(summary["metrics"]["positive"]["class"], "red");
    assert_eq!(trained.hash().len(), 64);

    let summary = place.train("numbers.csv").done().json();
    assert_eq!(keys(&summary), SUMMARY);
    assert_eq!((&summary["task"], &summary["classes"]), (&"regression".into(), &Value::Null));
    assert_eq!(keys(&summary["metrics"]), ["mae", "r2", "rmse"]);
}

#[test]
fn messages_keep_out_of_the_data() {
    let place = Place::new();
    place.write("single.csv", classes() + "3,3,green\n");
    let json = place.run("train single.csv --hidden 8 --epochs 2 --format json").done();
    json.json();
    let json = json.says(&["note: ", "`green`", "epoch   1/2", "33 rows to train on"]);
    assert_eq!(json.stdout.lines().count(), 1);
    // The same figures in one row under their names.
    let csv = place.run("train single.csv --hidden 8 --epochs 2 --format csv").done().says(&["note: "]).csv();
    assert_eq!(csv.len(), 2);
    let at = |name: &str| &csv[1][csv[0].iter().position(|column| column == name).unwrap()];
    assert_eq!(at("weights_sha256"), &json.hash());
    assert_eq!(at("accuracy"), &json.json()["metrics"]["accuracy"].to_string());
    assert_eq!(at("run"), "runs/single-2");
    // And quietly: not a word.
    let quiet = place.run("train single.csv --hidden 8 --epochs 2 --quiet --format json").done();
    assert_eq!((quiet.stderr.as_str(), quiet.hash()), ("", json.hash()));
}

#[test]
fn no_escape_codes_outside_a_terminal() {
    let place = Place::new();
    for words in
        ["train good.csv --hidden 8 --epochs 30 --name run", "datasets", "evaluate run good.csv", "--help"]
    {
        let said = place.run(words).done();
        assert!(!format!("{}{}", said.stdout, said.stderr).contains('\x1b'), "{said:?}");
    }
    let said = place.run("train good.csv --epochs 0").refused(&[]);
    assert!(!said.stderr.contains('\x1b'), "{said:?}");
    // Where colours are forced, NO_COLOR has the last word.
    let forced = |name, value| {
        let mut program = place.program();
        program.args(["train", "good.csv", "--epochs", "0"]).env("CLICOLOR_FORCE", "1").env(name, value);
        String::from_utf8(program.output().unwrap().stderr).unwrap()
    };
    assert!(forced("UNRELATED", "1").contains('\x1b'));
    assert!(!forced("NO_COLOR", "1").contains('\x1b'));
}

#[test]
fn control_characters_in_data_do_not_reach_the_terminal() {
    let place = Place::new();
    let coloured = classes().replace("blue", "\u{1b}[31mblue").replacen("a,b,y", "a,b\u{7},\u{1b}[2Jy", 1);
    let lonely = "7,8,\u{1b}]0;odd\n";
    place.write("escapes.csv", coloured + lonely);
    let trained = place.run("train escapes.csv --epochs 2 --name escapes").done();
    for text in [&trained.stdout, &trained.stderr] {
        assert!(!text.contains(['\u{1b}', '\u{7}']), "{text:?}");
    }
    assert!(trained.stdout.contains("\\u{1b}[31mb"), "{}", trained.stdout);
    assert!(trained.stderr.contains("`\\u{1b}[2Jy`"), "{}", trained.stderr);
    // Files and what programs read keep them.
    let shown = place.run("predict escapes escapes.csv").done().stdout;
    assert!(shown.starts_with("prediction,p(\\u{1b}"), "{shown:?}");
    let predicted = place.run("predict escapes escapes.csv --format csv").done().stdout;
    assert!(predicted.starts_with("prediction,p(\u{1b}"), "{predicted:?}");
}

#[test]
fn a_finished_run_resumed_tells_the_same() {
    let place = Place::new();
    let trained = place.train("good.csv --name run").done();
    for run in ["run", "runs/run"] {
        assert_eq!(place.run(&format!("resume {run} --format json")).done().stdout, trained.stdout);
    }
    let text = place.run("resume run").done().stdout;
    assert!(
        text.contains("accuracy") && text.contains("predicted") && text.ends_with("runs/run\n"),
        "{text}"
    );
}

#[test]
fn a_configuration_makes_the_same_run_again() {
    let place = Place::new();
    let first =
        "good.csv --name first --seed 5 --optimizer momentum(0.8) --lr cosine(0.05) --dropout 0.1 --batch 7";
    let first = place.train(first).done();
    let again = place.run("train --config runs/first/run.toml --format json --name again").done();
    assert_eq!(again.hash(), first.hash());
    assert_eq!(place.read("runs/again/run.toml"), place.read("runs/first/run.toml"));
    // Flags come before the file, whatever kind they are of.
    let other = "--epochs 3 --seed 6 --lr 0.01 --hidden 4 --early-stop off --name other";
    let other = place.run(&format!("train --config runs/first/run.toml --format json {other}")).done();
    let summary = other.json();
    assert_eq!((&summary["epochs"], &summary["seed"]), (&3.into(), &6.into()));
    assert_eq!(summary["schedule"], "constant(rate=0.01)");
    assert_eq!(summary["parameters"], 2 * 4 + 4 + 4 * 2 + 2);
    assert_eq!(summary["optimizer"], first.json()["optimizer"]);
    assert_eq!(summary["batch"], 7);
    let data = place.run("train iris --config runs/first/run.toml --format json").done().json();
    assert_eq!((&data["dataset"], &data["classes"]), (&"iris".into(), &3.into()));
}

#[test]
fn evaluating() {
    let place = Place::new();
    place.run("train good.csv --hidden 8 --lr 0.03 --name run").done();
    let evaluated = place.run("evaluate run good.csv --format json").done().json();
    assert_eq!(keys(&evaluated), ["confidence", "data", "epoch", "loss", "metrics", "model", "rows"]);
    assert_eq!(evaluated["rows"], 40);
    assert_eq!(evaluated["metrics"]["accuracy"], 1.0);
    assert_eq!(evaluated["metrics"]["confusion"], serde_json::json!([[20, 0], [0, 20]]));
    let csv = place.run("evaluate run good.csv --format csv").done().csv();
    assert_eq!(csv.len(), 2);
    assert_eq!(csv[1][csv[0].iter().position(|column| column == "accuracy").unwrap()], "1.0");
    let text = place.run("evaluate run good.csv").done().stdout;
    let epoch = &evaluated["epoch"];
    assert!(
        text.starts_with(&format!("40 rows of good, weights of epoch {epoch}: accuracy 100.0%")),
        "{text}"
    );
    assert!(text.contains("predicted"), "{text}");
    // What it says of the validation rows is what training said of them.
    let model = place.run("evaluate runs/run/model.safetensors good.csv --format json").done().json();
    assert_eq!(model["metrics"], evaluated["metrics"]);
    assert!(model["epoch"].is_null(), "a model file does not know: {model}");
}

#[test]
fn the_epoch_that_is_kept_is_named_everywhere() {
    let place = Place::new();
    for keep in ["best", "last"] {
        let train = format!(
            "train diabetes --epochs 30 --lr 0.03 --ema 0 --early-stop off --keep {keep} --name {keep}"
        );
        let kept = place.run(&format!("{train} --format json")).done().json()["best_epoch"].clone();
        assert_eq!(kept == 30, keep == "last", "{kept}");
        let runs = place.run("runs --format json").done().json();
        let run = runs.as_array().unwrap().iter().find(|run| run["name"] == keep).unwrap();
        assert_eq!(run["best_epoch"], kept);
        assert_eq!(
            place.run(&format!("evaluate {keep} diabetes --format json")).done().json()["epoch"],
            kept
        );
        let text = place.run("runs").done().stdout;
        let line = text.lines().find(|line| line.starts_with(keep)).unwrap();
        assert!(line.contains(&format!("  {kept}  ")), "{text}");
    }
}

#[test]
fn predicting_classes() {
    let place = Place::new();
    place.run("train good.csv --hidden 8 --lr 0.03 --name run").done();
    let predicted = place.run("predict run good.csv").done();
    assert_eq!(predicted.stderr, "");
    assert_eq!(place.run("predict run good.csv --format csv").done().stdout, predicted.stdout);
    let rows = predicted.csv();
    assert_eq!(rows[0], ["prediction", "p(blue)", "p(red)"]);
    assert_eq!(rows.len(), 41);
    for (row, line) in rows[1..].iter().zip(classes().lines().skip(1)) {
        assert!(line.ends_with(&row[0]), "{row:?} for {line}");
        let [blue, red]: [f64; 2] = [row[1].parse().unwrap(), row[2].parse().unwrap()];
        assert!((blue + red - 1.0).abs() < 1e-6 && (blue > red) == (row[0] == "blue"), "{row:?}");
    }
    let objects = place.run("predict run good.csv --format json").done().json();
    assert_eq!(objects.as_array().unwrap().len(), 40);
    assert_eq!(objects[0]["prediction"], "blue");
    assert_eq!(
        objects[0]["probabilities"]["red"].as_f64().unwrap() as f32,
        rows[1][2].parse::<f32>().unwrap()
    );
}

#[test]
fn predicting_numbers() {
    let place = Place::new();
    place.run("train numbers.csv --hidden 8 --lr 0.03 --dropout 0 --epochs 200 --name run").done();
    let rows = place.run("predict run numbers.csv").done().csv();
    assert_eq!((rows[0].as_slice(), rows.len()), (&["prediction".to_string()][..], 41));
    for (row, line) in rows[1..].iter().zip(numbers().lines().skip(1)) {
        let (predicted, true_value): (f64, f64) =
            (row[0].parse().unwrap(), line.rsplit(',').next().unwrap().parse().unwrap());
        assert!((predicted - true_value).abs() < 6.0, "{predicted} for {line}");
    }
}

#[test]
fn columns_go_by_name() {
    let place = Place::new();
    place.train("good.csv --target b --task regression --name by-name").done();
    let whole = place.run("predict by-name good.csv").done().stdout;
    let swap = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        format!("{},{},{}\n", cells[2], cells[0], cells[1])
    };
    place.write("swapped.csv", classes().lines().map(swap).collect::<String>());
    assert_eq!(place.run("predict by-name swapped.csv").done().stdout, whole);
}

#[test]
fn quotes_delimiters_and_gaps() {
    let place = Place::new();
    let row = |i: usize| {
        format!(
            "{i};\"a; \"\"quoted\"\" {}\";{}\n",
            i % 2,
            if i.is_multiple_of(2) { "left; or" } else { "right" }
        )
    };
    let rows: String = (0..40).map(row).collect::<String>().replace("left; or", "\"left; or\"");
    place.write("semicolons.csv", format!("\"number, of\";text;side\n{rows}"));
    let summary = place.train("semicolons.csv --target side --name run").done().json();
    assert_eq!(
        (&summary["rows"], &summary["features"], &summary["classes"]),
        (&40.into(), &3.into(), &2.into())
    );
    let predicted = place.run("predict run semicolons.csv").done().csv();
    assert_eq!(predicted[0], ["prediction", "p(left; or)", "p(right)"]);
    assert_eq!(predicted.len(), 41);
    // Tabs, told rather than found.
    place.write("tabs.txt", classes().replace(',', "\t"));
    let tabs = place.train("tabs.txt --delimiter tab").done().hash();
    assert_eq!(place.train("tabs.txt").done().hash(), tabs);
    assert_eq!(place.train("good.csv").done().hash(), tabs);
}

#[test]
fn tables_without_a_header() {
    let place = Place::new();
    let body: String = classes().lines().skip(1).map(|line| format!("{line}\n")).collect();
    place.write("bare.csv", body.as_bytes());
    let last = place.train("bare.csv --target -1 --numeric 0 --name bare").done();
    assert_eq!(last.json()["rows"], 40);
    assert_eq!(last.hash(), place.train("good.csv").done().hash());
    for target in ["c2", "2"] {
        assert_eq!(
            place.train(&format!("bare.csv --target {target} --header no --numeric c0")).done().hash(),
            last.hash()
        );
    }
    let first = place.train("bare.csv --target c0 --task regression").done().json();
    assert_eq!((&first["task"], &first["rows"]), (&"regression".into(), &40.into()));
    assert_eq!(
        place.run("predict bare bare.csv").done().stdout,
        place.run("predict bare bare.csv --header no --delimiter ,").done().stdout
    );
}

#[test]
fn the_names_a_model_knows_are_no_row() {
    let place = Place::new();
    let years = classes().replacen("a,b,y", "2001,2002,y", 1);
    place.write("years.csv", years);
    let summary = place.train("years.csv --header yes --valid years.csv --name years").done().json();
    assert_eq!(summary["valid_rows"], 40);
    let measured = place.run("--format json evaluate years years.csv").done();
    assert_eq!(measured.json()["rows"], 40);
    assert!(!measured.stderr.contains("note"), "{}", measured.stderr);
    let told = place.train("years.csv --name bare");
    assert!(told.stderr.contains("No header line was found"), "{}", told.stderr);
}

#[test]
fn validating_on_a_file() {
    let place = Place::new();
    let summary = place.train("good.csv --valid good.csv").done().json();
    assert_eq!((&summary["train_rows"], &summary["valid_rows"]), (&40.into(), &40.into()));
    let summary = place.train("good.csv --valid 25%").done();
    assert_eq!(summary.json()["valid_rows"], 10);
    assert_eq!(summary.hash(), place.train("good.csv --valid 0.25").done().hash());
}

#[test]
fn the_bundled_data_sets() {
    let place = Place::new();
    let names = ["iris", "wine", "breast-cancer", "digits", "diabetes"];
    let json = place.run("datasets --format json").done().json();
    let listed: Vec<&str> =
        json.as_array().unwrap().iter().map(|data| data["name"].as_str().unwrap()).collect();
    let csv = place.run("datasets --format csv").done().csv();
    let text = place.run("datasets").done().stdout;
    assert_eq!(csv[0][..5], ["name", "rows", "columns", "target", "task"]);
    assert_eq!((csv.len(), text.lines().count()), (listed.len() + 1, listed.len() + 1));
    for name in names {
        assert!(listed.contains(&name), "{name}");
        assert!(csv.iter().any(|row| row[0] == name), "{name}");
        assert!(text.lines().any(|line| line.starts_with(name)), "{name}");
    }
    for data in json.as_array().unwrap() {
        let name = data["name"].as_str().unwrap();
        let summary =
            place.run(&format!("train {name} --hidden none --epochs 1 --format json --quiet")).done().json();
        assert_eq!((&summary["rows"], &summary["task"]), (&data["rows"], &data["task"]), "{name}");
    }
}

/// An IDX file of bytes.
fn idx(dimensions: &[u32], bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, dimensions.len() as u8];
    dimensions.iter().for_each(|dimension| file.extend(dimension.to_be_bytes()));
    file.extend(bytes);
    file
}

/// 60 images of 3 × 3 pixels, of three classes: the row that is bright.
fn images() -> (Vec<u8>, Vec<u8>) {
    let labels: Vec<u8> = (0..60).map(|i| (i % 3) as u8).collect();
    let pixel = |image: usize, at: usize| {
        if at / 3 == image % 3 { 200 + (image % 50) as u8 } else { (image * at % 40) as u8 }
    };
    let pixels: Vec<u8> = (0..60).flat_map(|image| (0..9).map(move |at| pixel(image, at))).collect();
    (idx(&[60, 3, 3], &pixels), idx(&[60], &labels))
}

#[test]
fn images_and_labels() {
    let place = Place::new();
    let (images, labels) = images();
    place.write("pixels", &images);
    place.write("labels", &labels);
    let words = "--images pixels --labels labels";
    let trained = place.run(&format!("train {words} --hidden 8 --lr 0.03 --format json --name run")).done();
    let summary = trained.json();
    assert_eq!(
        (&summary["rows"], &summary["features"], &summary["classes"]),
        (&60.into(), &9.into(), &3.into())
    );
    assert_eq!(place.run("resume run --format json").done().stdout, trained.stdout);
    let evaluated = place.run(&format!("evaluate run {words} --format json")).done().json();
    assert_eq!((&evaluated["rows"], &evaluated["metrics"]["accuracy"]), (&60.into(), &1.0.into()));
    // Whoever predicts has no labels.
    let predicted = place.run("predict run --images pixels").done().csv();
    assert_eq!(predicted[0], ["prediction", "p(0)", "p(1)", "p(2)"]);
    for (i, row) in predicted[1..].iter().enumerate() {
        assert_eq!(row[0], (i % 3).to_string());
    }
    assert_eq!(predicted.len(), 61);
    place.run("evaluate run --images pixels").fails(&["label"]);

    // A folder of both, under the names that such files have.
    std::fs::create_dir(place.path("folder")).unwrap();
    place.write("folder/train-images-idx3-ubyte", &images);
    place.write("folder/train-labels-idx1-ubyte", &labels);
    let folder = place.run("train folder --hidden 8 --lr 0.03 --format json").done();
    assert_eq!(folder.hash(), trained.hash());

    place.write("cut", &images[..images.len() - 5]);
    place.run("train --images cut --labels labels").fails(&["cut", "cut short"]);
    place.write("fewer", idx(&[2], &[0, 1]));
    place.run("train --images pixels --labels fewer").fails(&["2 labels for 60 images"]);
    place.run("train --images labels --labels pixels").fails(&["these are labels"]);
    place.run("train --images good.csv --labels labels").fails(&["good.csv", "not an IDX file"]);
    place.run("train pixels").fails(&["pixels", "IDX file", "--images"]);
    place.run("predict run good.csv").fails(&["good.csv"]);
}

#[test]
fn schedules_are_shown() {
    let place = Place::new();
    // The table that study notes print for a rate of 0.2 and a decay of 1, epochs counted from 1.
    let spec = "inverse-time(0.2,decay=1,per=epoch,from=1)";
    let rows = place.run(&format!("schedule {spec} --steps 8 --steps-per-epoch 2 --format csv")).done().csv();
    assert_eq!(rows[0], ["spec", "step", "epoch", "lr"]);
    let rates: Vec<f64> = rows[1..].iter().step_by(2).map(|row| row[3].parse().unwrap()).collect();
    let rounded: Vec<f64> = rates.iter().map(|rate| (rate * 1000.0).round() / 1000.0).collect();
    assert_eq!(rounded, [0.1, 0.067, 0.05, 0.04]);
    assert_eq!(rows[7], [spec, "6", "3", "0.04"]);

    let drawn = place.run("schedule cosine(0.1) 0.01 --steps 50 --log --plot rates.svg").done();
    assert!(drawn.stdout.lines().all(|line| line.chars().count() <= 80), "{}", drawn.stdout);
    assert!(drawn.stdout.contains("cosine(0.1)") && drawn.stdout.contains("step 49"), "{}", drawn.stdout);
    assert!(place.read("rates.svg").starts_with("<svg"));
}

#[test]
fn initialisers_are_shown() {
    let place = Place::new();
    let verdict = |words: &str| {
        let layers = place.run(&format!("init {words} --format json")).done().json();
        layers[0]["network_verdict"].as_str().unwrap().to_string()
    };
    assert_eq!(verdict("--activation sigmoid --scheme normal(1)"), "saturated");
    assert_eq!(verdict("--activation sigmoid --scheme xavier"), "healthy");
    assert_eq!(verdict("--activation relu --scheme xavier --layers 100x20"), "vanishing");
    assert_eq!(verdict("--activation relu --scheme he --layers 100x20"), "healthy");

    // An object a layer; with several schemes each says which.
    let one = place.run("init --layers 30,20x2 --rows 50 --seed 3 --format json").done().json();
    let units: Vec<_> =
        one.as_array().unwrap().iter().map(|layer| layer["units"].as_u64().unwrap()).collect();
    assert_eq!(units, [30, 20, 20]);
    const KEYS: [&str; 12] = [
        "dead",
        "gradient_histogram",
        "gradient_std",
        "histogram",
        "layer",
        "mean",
        "network_verdict",
        "saturated",
        "signal",
        "std",
        "units",
        "verdict",
    ];
    assert_eq!(keys(&one[0]), KEYS);
    assert_eq!((&one[0]["saturated"], one[0].get("scheme")), (&Value::Null, None));
    let histogram = &one[1]["histogram"];
    assert_eq!(histogram["edges"].as_array().unwrap().len(), 41);
    let counts = histogram["counts"].as_array().unwrap().iter().map(|count| count.as_u64().unwrap());
    assert_eq!(counts.sum::<u64>(), 50 * 20);
    let two = "init --layers 30,20x2 --rows 50 --seed 3 --scheme auto --scheme lsuv";
    let json = place.run(&format!("{two} --format json")).done().json();
    assert_eq!((&json[2]["scheme"], &json[3]["scheme"]), (&"auto".into(), &"lsuv".into()));
    assert_eq!(json[1]["signal"], one[1]["signal"]);

    // The same numbers in rows, every column under a name of its own.
    let csv = place.run(&format!("{two} --format csv")).done().csv();
    assert_eq!(csv.len(), 7);
    let mut names = csv[0].clone();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), csv[0].len());
    let at = |name: &str| csv[0].iter().position(|column| column == name).unwrap();
    assert_eq!(csv[5][at("gradient_std")], json[4]["gradient_std"].to_string());
    assert_eq!(csv[5][at("histogram_counts")], json[4]["histogram"]["counts"].to_string());

    let drawn = place
        .run("init --activation tanh --scheme lecun --scheme normal(1) --layers 40x9 --plot i.svg")
        .done();
    assert!(drawn.stdout.lines().all(|line| line.chars().count() <= 80), "{}", drawn.stdout);
    for part in ["tanh, lecun\n", "verdict: healthy", "verdict: saturated in every layer", "█", "-1 … 1"]
    {
        assert!(drawn.stdout.contains(part), "no {part} in {}", drawn.stdout);
    }
    let svg = place.read("i.svg");
    for part in ["<svg", "lecun: healthy", "layer 1<", "layer 9<", "gradient"] {
        assert!(svg.contains(part), "no {part} in {svg}");
    }
    // Wide numbers and many layers stay in their columns.
    for words in
        ["--scheme normal(1)", "--scheme zeros", "--scheme ones", "--scheme normal(1e-9) --activation gelu"]
    {
        let drawn = place.run(&format!("init --layers 50x30 --rows 100 {words}")).done();
        assert!(drawn.stdout.lines().all(|line| line.chars().count() <= 80), "{}", drawn.stdout);
    }
}

#[test]
fn weights_that_look_at_data_say_when_there_was_nothing_to_see() {
    let place = Place::new();
    place.train("good.csv --init lsuv").done();
    let layers =
        "[training.network]\nlayers = ['dense(4, init=zeros)', 'relu', 'dense(4, init=lsuv)', 'relu']\n";
    place.write("dead.toml", layers);
    let trained = place.run("train good.csv --config dead.toml --epochs 2 --format json").done();
    trained.says(&["note: lsuv could not bring layer 2 to variance 1 on the first 32 rows"]);
}

#[test]
fn a_run_under_way_is_left_alone() {
    let place = Place::new();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_downhill"));
    command.current_dir(place.path("")).args([
        "train",
        "digits",
        "--epochs",
        "100000",
        "--early-stop",
        "off",
    ]);
    let mut busy = command.args(["--name", "busy", "--quiet"]).spawn().unwrap();
    let checkpoints = place.path("runs/busy/checkpoints");
    while std::fs::read_dir(&checkpoints).map_or(0, Iterator::count) == 0
        && busy.try_wait().unwrap().is_none()
    {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let resumed = place.run("resume busy");
    let still = busy.try_wait().unwrap();
    busy.kill().unwrap();
    busy.wait().unwrap();
    assert!(still.is_none(), "the run under way ended with {still:?}");
    resumed.fails(&["runs/busy", "under way in process ", "downhill stop"]);
}

#[test]
fn a_rate_is_found_and_shown() {
    let place = Place::new();
    let json = place.run("find-lr iris --plot curve.svg --format json").done();
    let found: Value = serde_json::from_str(&json.stdout).unwrap();
    let number = |key: &str| found[key].as_f64().unwrap_or_else(|| panic!("{key} in {}", json.stdout));
    for key in ["recommended", "steepest", "valley", "minimum_tenth", "diverges", "seconds"] {
        assert!(number(key) > 0.0, "{key}");
    }
    assert!(5.0 * number("steps") <= number("run_steps"));
    // The default rule has averages to divide by only after its first step.
    assert_eq!(found["limit"], Value::Null);
    let (low, high) = (found["band"][0].as_f64().unwrap(), found["band"][1].as_f64().unwrap());
    assert!(low <= number("recommended") && number("recommended") <= high);
    let curve = found["curve"].as_array().unwrap();
    assert!(curve.iter().all(|point| point["lr"].is_number() && point["loss"].is_number()));
    assert!(place.read("curve.svg").contains("recommended"));

    let csv = place.run("find-lr iris --format csv").done().stdout;
    assert!(csv.starts_with("lr,loss\n") && csv.lines().count() == curve.len() + 1);
    let text = place.run("find-lr iris --optimizer sgd").done().stdout;
    for word in ["stable below", "recommended", "steepest", "valley", "rehearsals", "--lr 'warmup("] {
        assert!(text.contains(word), "{text}");
    }

    // What train finds by itself is the same, and is kept.
    place.run("train iris --lr auto --name run").done();
    let kept = place.read("runs/run/run.toml");
    assert!(kept.contains(&format!("cosine(initial={:?}", number("recommended"))), "{kept}");

    let none = place.run("find-lr iris --optimizer prodigy");
    assert!(none.code == Some(1) && none.stderr.contains("no learning rate to find"), "{}", none.stderr);
}

#[test]
fn narrower_vectors_than_there_are() {
    let place = Place::new();
    let with = |vectors: &str| {
        let mut program = place.program();
        program.args(["train", "good.csv", "--epochs", "1", "--name", "narrow"]);
        program.env("DOWNHILL_VECTORS", vectors).output().unwrap()
    };
    let wrong = with("avx3");
    let said = String::from_utf8(wrong.stderr).unwrap();
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        said.starts_with("error: the environment variable DOWNHILL_VECTORS: `avx3` is no kind of"),
        "{said}"
    );
    assert!(wrong.stdout.is_empty());
    let portable = if cfg!(target_arch = "x86_64") { "sse2" } else { "portable" };
    let done = with(portable);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let log = place.read("runs/narrow/events.jsonl");
    assert!(!log.contains("avx2") && !log.contains("\"neon\""), "{log}");
}
