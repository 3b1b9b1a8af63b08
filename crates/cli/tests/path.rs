//! Paths over surfaces, their pictures, and what cannot be drawn.

mod common;

use std::path::Path;

use common::{Outcome, Place};

/// Runs `downhill path` on an expression.
fn path(place: &Place, expression: &str, words: &str) -> Outcome {
    place.run_with(&format!("path {words}"), &["--", expression])
}

/// The rows of a column of numbers, by its name.
fn column(rows: &[Vec<String>], name: &str) -> Vec<f64> {
    let at = rows[0].iter().position(|column| column == name).unwrap();
    rows[1..].iter().map(|row| row[at].parse().unwrap()).collect()
}

/// The width and the height of a PNG, which must be one and have something on it.
fn png(path: &Path) -> (u32, u32) {
    let image = resvg::tiny_skia::Pixmap::decode_png(&std::fs::read(path).unwrap()).unwrap();
    let dark = image.pixels().iter().filter(|pixel| pixel.red() < 64 && pixel.blue() < 64).count();
    let white = image.pixels().iter().filter(|pixel| (pixel.red(), pixel.alpha()) == (255, 255)).count();
    // Text and axes are dark, the page is white, and nothing is transparent.
    assert!(dark > 500 && white > image.pixels().len() / 2, "{dark} dark pixels, {white} white ones");
    assert!(image.pixels().iter().all(|pixel| pixel.alpha() == 255));
    (image.width(), image.height())
}

#[test]
fn gradient_descent_on_a_quadratic_is_the_closed_form() {
    let place = Place::new();
    // Of a·x² the gradient is 2a·x, so that each step multiplies x by 1 − 2a·lr.
    let words = "--start -7,2 --lr 0.95 --steps 30 --precision f64 --format csv";
    let rows = path(&place, "x^2/20 + y^2", words).done().csv();
    assert_eq!(rows[0], ["optimizer", "step", "x", "y", "value", "lr"]);
    assert_eq!((rows.len(), &rows[1][..]), (32, &["sgd", "0", "-7", "2", "6.45", ""].map(String::from)[..]));
    let [xs, ys, values] = ["x", "y", "value"].map(|name| column(&rows, name));
    for step in 0..=30 {
        let (x, y) = (-7.0 * (1.0 - 0.1 * 0.95f64).powi(step), 2.0 * (1.0 - 2.0 * 0.95f64).powi(step));
        let at = step as usize;
        assert!((xs[at] - x).abs() < 1e-14 && (ys[at] - y).abs() < 1e-14, "step {step}: {:?}", rows[at + 1]);
        assert!((values[at] - (x * x / 20.0 + y * y)).abs() < 1e-13);
    }
    assert!(rows[2..].iter().all(|row| row[5] == "0.95"));

    // In f32, the same to its seven digits, and no better.
    let words = words.replace("f64", "f32");
    let single = column(&path(&place, "x^2/20 + y^2", &words).done().csv(), "x");
    assert!(single.iter().zip(&xs).all(|(a, b)| (a - b).abs() < 1e-5));
    assert!(single.iter().zip(&xs).any(|(a, b)| (a - b).abs() > 1e-9));
    assert_eq!(path(&place, "x^2/20 + y^2", "--start -7,2 --lr 0.95 --format csv").done().csv().len(), 32);
}

/// Momentum, AdaGrad and Adam written out as in their papers.
#[test]
fn the_rules_are_the_real_ones() {
    let place = Place::new();
    let words = "--start 2 --steps 12 --precision f64 --format csv --optimizer momentum adagrad adam --lr 0.1 0.5 0.3";
    let rows = path(&place, "x^2", words).done().csv();
    let xs = |optimizer: &str| -> Vec<f64> {
        rows.iter().filter(|row| row[0] == optimizer).map(|row| row[2].parse().unwrap()).collect()
    };
    let (mut momentum, mut v) = (2.0, 0.0);
    let (mut adagrad, mut squares) = (2.0f64, 0.0);
    let (mut adam, mut m, mut s) = (2.0f64, 0.0, 0.0f64);
    for step in 1..=12 {
        v = 0.9 * v - 0.1 * 2.0 * momentum;
        momentum += v;
        squares += (2.0 * adagrad).powi(2);
        adagrad -= 0.5 * 2.0 * adagrad / f64::sqrt(squares);
        m = 0.9 * m + 0.1 * 2.0 * adam;
        s = 0.999 * s + 0.001 * (2.0 * adam).powi(2);
        adam -= 0.3 * (m / (1.0 - 0.9f64.powi(step))) / (s / (1.0 - 0.999f64.powi(step))).sqrt();
        for (name, x) in [("momentum", momentum), ("adagrad", adagrad), ("adam", adam)] {
            let found = xs(name)[step as usize];
            // The rules guard against a division by zero, which these do not.
            assert!((found - x).abs() < 1e-6, "{name}, step {step}: {found} and {x}");
        }
    }
}

#[test]
fn optimizers_and_rates_pair() {
    let place = Place::new();
    let names = |words: &str| {
        let rows = path(&place, "x^2", &format!("--start 1 --steps 1 --format csv {words}")).done().csv();
        let mut names: Vec<_> = rows[1..].iter().map(|row| row[0].clone()).collect();
        names.dedup();
        (names, rows[1..].iter().filter(|row| row[1] == "1").map(|row| row[4].clone()).collect::<Vec<_>>())
    };
    let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names("--lr 0.1"), (texts(&["sgd"]), texts(&["0.1"])));
    let two = (texts(&["sgd", "adam"]), texts(&["0.1", "0.2"]));
    assert_eq!(names("--optimizer sgd --lr 0.1 --optimizer adam --lr 0.2"), two);
    assert_eq!(names("--optimizer sgd adam --lr 0.1 0.2"), two);
    assert_eq!(names("--optimizer sgd adam --lr 0.1"), (two.0, texts(&["0.1", "0.1"])));
    let several = texts(&["adam, lr 0.1", "adam, lr 0.2"]);
    assert_eq!(names("--optimizer adam --lr 0.1 0.2"), (several, texts(&["0.1", "0.2"])));
    path(&place, "x^2", "--start 1 --optimizer sgd adam lion --lr 0.1 0.2")
        .refused(&["3 optimizers and 2 learning rates"]);
    path(&place, "x^2", "--start 1").refused(&["--lr"]);

    // A schedule falls over the steps there are.
    let rows = path(&place, "x^2", "--start 1 --steps 4 --lr linear(0.4) --format csv").done().csv();
    let rates: Vec<f64> = rows[2..].iter().map(|row| row[4].parse().unwrap()).collect();
    assert!(rates[0] == 0.4 && rates.windows(2).all(|pair| pair[0] > pair[1]), "{rates:?}");
}

#[test]
fn a_start_may_begin_with_a_sign() {
    let place = Place::new();
    let csv = |words: &str| {
        place.run(&format!("path quadratic --lr 0.1 --steps 3 --format csv {words}")).done().stdout
    };
    assert_eq!(csv("--start -7,2"), csv("--start=-7,2"));
    assert_eq!(csv("--start -7,2"), csv(""), "a named surface has a start");
    assert_ne!(csv("--start -7,1"), csv(""));
    // So may an expression.
    let rows = place
        .run_with("path --start 0.5 --lr 0.1 --steps 1 --precision f64 --format csv", &["-x^2"])
        .done()
        .csv();
    assert_eq!(rows[2][2..4], ["0.6", "-0.36"]);
}

#[test]
fn noise_is_a_function_of_the_seed() {
    let place = Place::new();
    let words = "--start 1,1 --steps 200 --precision f64 --format csv --noise 0.5 --lr";
    let csv = |more: &str| path(&place, "a^2 + b^2", &format!("{words} {more}")).done();
    assert_eq!(csv("0.1").stdout, csv("0.1 --seed 0").stdout);
    assert_ne!(csv("0.1").stdout, csv("0.1 --seed 1").stdout);
    // The same noise to all: of two rates, the first steps are as 1 to 2.
    let rows = csv("0.1 0.2").csv();
    assert_eq!(rows[0][2..4], ["a", "b"]);
    let first: Vec<f64> = column(&rows, "a")
        .into_iter()
        .enumerate()
        .filter(|(at, _)| at % 201 == 1)
        .map(|(_, a)| 1.0 - a)
        .collect();
    assert!((first[1] - 2.0 * first[0]).abs() < 1e-12, "{first:?}");
    // Under a constant rate it goes on, with the variance lr·σ² / (4 (1 − lr)) that theory gives; under a
    // falling one it settles.
    let rows = path(&place, "a^2 + b^2", "--start 0,0 --steps 20000 --precision f64 --format csv --noise 0.5 --lr 0.2 inverse-time(0.2,decay=0.05)").done().csv();
    let all = column(&rows, "a");
    let variance = |values: &[f64]| values.iter().map(|a| a * a).sum::<f64>() / values.len() as f64;
    let (constant, falling) = (variance(&all[1000..20_001]), variance(&all[30_000..]));
    let theory = 0.2 * 0.25 / (4.0 * (1.0 - 0.2));
    assert!((constant / theory - 1.0).abs() < 0.1, "{constant} and {theory}");
    assert!(falling < constant / 50.0, "{falling} and {constant}");
}

#[test]
fn a_path_that_diverges_is_cut_and_named() {
    let place = Place::new();
    // Each step multiplies by −3.2, and 3.2² = 10.24 is the first beyond ten times the frame.
    let words = "--start 1 --lr 2.1 0.1 --steps 30";
    let text = path(&place, "x^2", &format!("{words} --plot out.svg")).done();
    assert!(text.stdout.contains("sgd, lr 2.1: diverges at step 2"), "{text:?}");
    assert!(place.read("out.svg").contains(">sgd, lr 2.1: diverges at step 2</text>"));
    let csv = path(&place, "x^2", &format!("{words} --format csv"))
        .done()
        .says(&["note: sgd, lr 2.1: diverges at step 2"]);
    assert_eq!(csv.csv().iter().filter(|row| row[0] == "sgd, lr 2.1").count(), 3);
    let json = path(&place, "x^2", &format!("{words} --format json --quiet")).done();
    assert_eq!(json.stderr, "");
    let json = json.json();
    assert_eq!((&json[0]["diverges_at"], &json[1]["diverges_at"]), (&2.into(), &serde_json::Value::Null));
    assert!((json[0]["points"][1]["x"].as_f64().unwrap() + 3.2).abs() < 1e-6);
    assert_eq!(json[1]["points"].as_array().unwrap().len(), 31);
    // Where there is no value there is no way on; that is another matter.
    let json =
        path(&place, "x - ln(x)", "--start 0.1 --lr 0.3 --optimizer sgd momentum --format json").done();
    assert_eq!(json.json()[0]["diverges_at"], serde_json::Value::Null);
    let json = path(&place, "sqrt(x)", "--start 0.1 --lr 1 --format json")
        .done()
        .says(&["no value or slope at step 1"]);
    assert_eq!(json.json()[0]["undefined_at"], 1);
}

#[test]
fn pictures_fit_the_terminal() {
    let place = Place::new();
    let text = |columns: &str, more: &[&str]| {
        let mut program = place.program();
        program.args(["path", "quadratic", "--lr", "0.3", "--optimizer"]).args(more).env("COLUMNS", columns);
        String::from_utf8(program.output().unwrap().stdout).unwrap()
    };
    for (columns, count) in [("80", 80), ("160", 160)] {
        let text = text(columns, &["sgd", "momentum", "adagrad", "adam", "adam(beta1=0.5)"]);
        let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= count && widest > count - 12, "{widest} of {count}\n{text}");
        assert!(!text.contains('\x1b'));
        for name in ["sgd, lr 0.3", "adam(beta1=0.5), lr 0.3", "● end", "-7", "lowest"] {
            assert!(text.contains(name), "no {name:?} in\n{text}");
        }
        assert_eq!(text.matches('○').count(), 5 + 1, "{text}");
    }
    // One variable: the curve, and the first steps by number.
    let curve = path(&place, "x^4 - 3*x^2 + x", "--start 2 --lr 0.01").done().stdout;
    assert!(
        curve.contains('1')
            && curve.contains("value")
            && curve.lines().all(|line| line.chars().count() <= 80),
        "{curve}"
    );
}

#[test]
fn files_are_drawn_whole() {
    let place = Place::new();
    place
        .run("path rosenbrock --lr 0.001 --optimizer sgd adam --plot rosenbrock.png")
        .done()
        .says(&["drawn into rosenbrock.png"]);
    let (wide, high) = png(&place.path("rosenbrock.png"));
    place.run("path rosenbrock --lr 0.001 --optimizer sgd adam --plot rosenbrock.svg").done();
    let svg = place.read("rosenbrock.svg");
    assert!(svg.contains(&format!("width=\"{}\" height=\"{}\"", wide / 2, high / 2)), "{wide} × {high}");
    assert!(svg.contains("prefers-color-scheme:dark"));
    place.run("path double-well --lr 0.01 --plot well.PNG").done();
    png(&place.path("well.PNG"));
    place.run("schedule cosine(0.1) 0.01 --plot rates.png").done();
    png(&place.path("rates.png"));
    assert_eq!(
        place.files("."),
        ["good.csv", "numbers.csv", "rates.png", "rosenbrock.png", "rosenbrock.svg", "well.PNG"]
    );

    // What is no format is said before any work, and what fails destroys nothing.
    for name in ["out.jpg", "out", "svg", ".png"] {
        let said =
            place.run(&format!("path quadratic --lr 0.1 --plot {name}")).refused(&["--plot", ".svg", ".png"]);
        assert_eq!(said.stdout, "");
        place.run(&format!("schedule 0.1 --plot {name}")).refused(&["--plot", ".svg", ".png"]);
    }
    place
        .run("path quadratic --lr 0.1 --plot nowhere/out.svg")
        .fails(&["could not draw into nowhere/out.svg"]);
    std::fs::create_dir(place.path("taken.svg")).unwrap();
    place.write("taken.svg/in", "it");
    place.run("path quadratic --lr 0.1 --plot taken.svg").fails(&["could not draw into taken.svg"]);
    assert_eq!(place.read("taken.svg/in"), "it");
}

#[test]
fn what_cannot_be_followed_is_refused() {
    let place = Place::new();
    for (expression, parts) in [
        ("", &["not complete"][..]),
        ("x +", &["not complete", "\n  x +\n     ^"]),
        ("2x", &["operator such as `*` is missing", "\n  2x\n   ^"]),
        ("sine(x)", &["did you mean `sin`?"]),
        ("3 + pi", &["no variable"]),
        ("x + y + z", &["3 variables (x, y, z)"]),
        ("rosenbrok", &["did you mean `rosenbrock`?"]),
        ("double-wel", &["did you mean `double-well`?"]),
        ("--strat", &["no option --strat"]),
        ("x\n+\u{7}", &["means nothing"]),
        ("x^2 + \u{1F600}", &["means nothing"]),
    ] {
        path(&place, expression, "--start 1 --lr 0.1").refused(parts);
    }
    let long = "x+".repeat(4000) + "x";
    path(&place, &long, "--start 1 --lr 0.1").refused(&["longer than"]);
    for (words, parts) in [
        ("--lr 0.1", &["--start", "x and y"][..]),
        ("--lr 0.1 --start 1", &["--start has 1 number", "takes 2", "x and y"]),
        ("--lr 0.1 --start 1,2,3", &["3 numbers"]),
        ("--lr 0.1 --start 1,two", &["`two` is not a number"]),
        ("--lr 0.1 --start 1,inf", &["`inf` is not a number"]),
        ("--lr 0.1 --start", &["--start"]),
        ("--lr 0.1 --start 1,0", &["no finite value at the start 1, 0"]),
        ("--lr 0.1 --start 0,1", &["no finite slope along x at the start 0, 1"]),
        ("--lr 0.1 --start 1,1 --noise -1", &["--noise"]),
        ("--lr 0.1 --start 1,1 --steps 0", &["--steps"]),
        ("--lr 0.1 --start 1,1 --frame 1,0,0,1", &["--frame takes four numbers"]),
        ("--lr 0.1 --start 1,1 --frame 1,2", &["--frame takes four numbers"]),
        ("--lr 0 --start 1,1", &["--lr"]),
        ("--lr 0.1 --start 1,1 --optimizer adm", &["did you mean `adam`?"]),
    ] {
        path(&place, "sqrt(x) + 1/y", words).refused(parts);
    }
}

/// The README's picture is what the command beside it draws, but for the last digit of what machines may
/// differ in.
#[test]
fn the_picture_in_the_readme_is_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let (_, rest) = readme.split_once("\ndownhill path ").expect("a command in the README");
    let command = rest.split_once("\n```").unwrap().0.replace("\\\n", " ").replace('\'', "\"");
    let place = Place::new();
    let mut program = place.program();
    program.arg("path");
    for (index, part) in command.split('"').enumerate() {
        // Every second part is quoted.
        if index % 2 == 1 {
            program.arg(part)
        } else {
            program.args(part.split_whitespace())
        };
    }
    assert!(program.output().unwrap().status.success());
    let split = |svg: &str| -> (Vec<String>, Vec<f64>) {
        let digit = |c: char| c.is_ascii_digit() || c == '.' || c == '-';
        let words = svg.split(digit).filter(|word| !word.is_empty()).map(str::to_string).collect();
        (words, svg.split(|c| !digit(c)).filter_map(|number| number.parse().ok()).collect())
    };
    let (words, numbers) = split(&place.read("path.svg"));
    let (kept_words, kept_numbers) =
        split(&std::fs::read_to_string(root.join("docs/images/path.svg")).unwrap());
    assert!(words == kept_words && numbers.len() == kept_numbers.len(), "draw docs/images/path.svg again");
    assert!(
        numbers.iter().zip(&kept_numbers).all(|(a, b)| (a - b).abs() < 0.25),
        "draw docs/images/path.svg again"
    );
}
