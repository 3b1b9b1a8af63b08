use super::*;
use serde_json::json;

/// The answer with these arguments, as `name=value`.
fn ask(figure: &str, given: &[(&str, &str)]) -> Result<Value, Error> {
    let given = given.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    answer(figure, &given)
}

fn made(figure: &str, given: &[(&str, &str)]) -> Value {
    ask(figure, given).unwrap_or_else(|error| panic!("{figure} {given:?}: {error}"))
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("not a number: {value}"))
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(number).collect()
}

fn near(value: f64, expected: f64, tolerance: f64) {
    assert!((value - expected).abs() <= tolerance, "{value} is not {expected} ± {tolerance}");
}

#[test]
fn gradient_descent_on_the_valley_is_the_closed_form() {
    let answer = made("ball", &[("rule", "sgd"), ("rate", "0.3"), ("steps", "20"), ("x", "-7"), ("y", "2")]);
    let points = answer["paths"][0]["points"].as_array().unwrap();
    assert_eq!(points.len(), 21);
    for (step, point) in points.iter().enumerate() {
        near(number(&point[0]), -7.0 * (1.0 - 0.3 * 0.1f64).powi(step as i32), 1e-12);
        near(number(&point[1]), 2.0 * (1.0 - 0.3 * 2.0f64).powi(step as i32), 1e-12);
    }
    near(number(&answer["paths"][0]["limit"]), 1.0, 1e-12);
}

#[test]
fn the_wall_is_at_two_over_the_curvature() {
    for curvature in [0.5, 1.0, 4.0, 10.0] {
        let limit = 2.0 / curvature;
        let at = |share: f64| {
            let (curvature, rate) = (curvature.to_string(), (limit * share).to_string());
            made("wall", &[("curvature", &curvature), ("rate", &rate), ("steps", "200")])
        };
        for (share, verdict) in [
            (0.03, "crawls"),
            (0.3, "straight"),
            (0.5, "one-step"),
            (0.9, "overshoots"),
            (1.0, "for-ever"),
            (1.01, "diverges"),
        ] {
            let answer = at(share);
            near(number(&answer["limit"]), limit, 1e-12);
            near(number(&answer["factor"]), 1.0 - 2.0 * share, 1e-12);
            assert_eq!(answer["verdict"], verdict, "{share} of {limit}");
            let last = numbers(&answer["x"]).last().unwrap().abs();
            assert!(if share > 1.0 { last > 1.0 } else { last <= 1.0 + 1e-9 }, "{share}: {last}");
        }
        // 1.5 of the limit is a factor of −2: 2⁴ is the first power above ten.
        assert_eq!(at(1.5)["diverged_at"], 4);
    }
}

#[test]
fn momentum_is_stable_further_than_gradient_descent() {
    let ending = |rule: &str, rate: &str| {
        made("ball", &[("rule", rule), ("rate", rate), ("momentum", "0.5"), ("steps", "400")])["paths"][0]
            .clone()
    };
    // 2·(1 + μ)/λ.
    near(number(&ending("momentum", "0.1")["limit"]), 1.5, 1e-12);
    assert_eq!(ending("sgd", "1.2")["ending"], "diverges");
    assert_eq!(ending("momentum", "1.2")["ending"], "arrives");
    assert_eq!(ending("momentum", "1.6")["ending"], "diverges");
}

#[test]
fn five_rules_go_as_the_tour_says() {
    let answer = made("ball", &[("rule", "all")]);
    let paths = answer["paths"].as_array().unwrap();
    let rules: Vec<&str> = paths.iter().map(|path| path["rule"].as_str().unwrap()).collect();
    assert_eq!(rules, ["sgd", "momentum", "adagrad", "rmsprop", "adam"]);
    near(number(&paths[0]["points"][1][1]), -1.8, 1e-9);
    let last = |path: &Value| *numbers(&path["values"]).last().unwrap();
    assert!((0.01..0.02).contains(&last(&paths[0])) && (0.0005..0.001).contains(&last(&paths[2])));
}

#[test]
fn the_noise_settles_where_the_closed_form_says() {
    let answer = made("noise", &[("rate", "0.1"), ("batch", "16"), ("decay", "0.03")]);
    near(number(&answer["sigma"]), 1.0, 1e-12);
    let expected = number(&answer["expected"]);
    near(expected, 0.1 / (2.0 * (1.0 - 0.1)), 1e-12);
    // Over seeds, the mean of what is measured comes near it.
    let settled = |path: usize| {
        let of_seed =
            |seed: u32| number(&made("noise", &[("seed", &seed.to_string())])["paths"][path]["settled"]);
        (0..40).map(of_seed).sum::<f64>() / 40.0
    };
    near(settled(0), expected, 0.1 * expected);
    assert!(settled(1) < 0.35 * expected);
    let wild = made("noise", &[("rate", "1.2")]);
    assert!(wild["expected"].is_null() && wild["paths"][0]["settled"].is_null());
    assert!(wild["paths"][0]["diverged_at"].is_u64());
}

#[test]
fn the_four_curves_have_their_verdicts() {
    let verdicts = |rate: &str| {
        let answer = made("curves", &[("rate", rate)]);
        answer["runs"].as_array().unwrap().iter().map(|run| run["verdict"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(verdicts("0.03"), ["low", "good", "high", "very-high", "good"]);
    assert_eq!(verdicts("0.0001")[4], "low");
    assert_eq!(verdicts("0.25")[4], "very-high");
    // Far above, no unit is left that learns: the loss is that of guessing.
    let dead = made("curves", &[("rate", "1")]);
    near(number(&dead["runs"][4]["end"]), 10f64.ln(), 0.1);
    assert_eq!((&dead["runs"][4]["guesses"], &dead["runs"][0]["guesses"]), (&json!(true), &json!(false)));
}

#[test]
fn schedules_are_drawn_with_their_spec_and_wrong_ones_say_why() {
    let specs = "inverse-time(0.2, decay=1, per=epoch)\ncosine(0.2)\ncosin(0.2)\n0.1";
    let answer = made("schedules", &[("specs", specs), ("epochs", "4"), ("steps_per_epoch", "1")]);
    let schedules = answer["schedules"].as_array().unwrap();
    for (rate, expected) in numbers(&schedules[0]["rates"]).iter().zip([0.2, 0.1, 0.2 / 3.0, 0.05]) {
        near(*rate, expected, 1e-12);
    }
    assert!(schedules[2]["error"].as_str().unwrap().contains("cosine"));
    assert_eq!(schedules[3]["mean"], 0.1);
    for spec in [&schedules[0]["spec"], &schedules[1]["spec"]] {
        assert_eq!(made("schedules", &[("specs", spec.as_str().unwrap())])["schedules"][0]["spec"], *spec);
    }
    let trained = made("scheduled", &[("spec", "cosine(0.3)")]);
    assert!(number(&trained["end"]) < 0.05);
}

#[test]
fn scales_of_weights_have_the_verdicts_of_the_tour() {
    let verdict = |activation: &str, std: &str| {
        made("weights", &[("activation", activation), ("std", std)])["verdict"].clone()
    };
    assert_eq!(verdict("sigmoid", "1"), "saturated");
    assert_eq!(verdict("tanh", "0.1"), "healthy");
    assert_eq!(verdict("relu", "1"), "exploding");
    assert_eq!(verdict("relu", "0.01"), "vanishing");
    let answer = made("weights", &[("activation", "relu"), ("std", "0.1414"), ("layers", "20")]);
    near(number(&answer["he"]), 0.1414, 1e-4);
    near(number(&answer["xavier"]), 0.1, 1e-12);
    // √(2/n) keeps the spread over twenty layers.
    assert!((0.4..2.0).contains(&number(&answer["layers"][19]["std"])));
    for layer in answer["layers"].as_array().unwrap() {
        let counts = numbers(&layer["activations"]["counts"]).iter().sum::<f64>();
        near(counts / 30_000.0 + number(&layer["activations"]["zeros"]), 1.0, 1e-9);
    }
}

#[test]
fn what_holds_overfitting_back_does() {
    let end = |given: &[(&str, &str)]| {
        let answer = made("overfitting", given);
        let valid = |run: &str| *numbers(&answer[run]["valid"]).last().unwrap();
        (valid("with"), valid("without"), answer)
    };
    let (with, without, answer) = end(&[]);
    assert_eq!(with, without);
    assert_eq!((&answer["rows"], &answer["without"]["parameters"]), (&json!(300), &json!(25_226)));
    let (with, without, _) = end(&[("l2", "0.003")]);
    assert!(with < 0.6 * without, "{with} {without}");
    let (_, _, stopped) = end(&[("patience", "10")]);
    let best = number(&stopped["with"]["best_epoch"]);
    assert_eq!(number(&stopped["with"]["stopped_at"]), best + 10.0);
    near(number(&stopped["with"]["kept_valid"]), number(&stopped["with"]["best_valid"]), 1e-9);
    let (_, _, sparse) = end(&[("l1", "0.0003")]);
    assert!(number(&sparse["with"]["small_weights"]) > 0.5, "{}", sparse["with"]["small_weights"]);
}

#[test]
fn patients_have_the_wall_that_is_measured() {
    let at = |rate: &str| made("patients", &[("rate", rate)]);
    near(number(&at("0.24")["limit"]), 0.2436, 1e-4);
    near(number(&at("0.24")["limit"]) * number(&at("0.24")["sharpness"]), 2.0, 1e-9);
    let last = |answer: &Value| numbers(&answer["train"]).last().copied().unwrap();
    assert!(last(&at("0.24")) < 0.5);
    let above = at("0.247");
    assert!(above["diverged_at"].is_f64() || above["grown_at"].is_u64() || last(&above) > 0.5, "{above}");
    // A constant rate comes to rest higher than one that decays.
    let runs = made("batches", &[]);
    let end = |run: usize| number(&runs["runs"][run]["end"]);
    assert!(end(0) > end(1) + 0.02, "{} {}", end(0), end(1));
}

#[test]
fn the_rate_is_found_between_too_low_and_too_high() {
    let answer = made("finder", &[("guess", "0.0001")]);
    let recommended = number(&answer["recommended"]);
    assert!((0.03..2.0).contains(&recommended), "{recommended}");
    assert!(number(&answer["steps"]) <= number(&answer["run_steps"]) / 5.0);
    assert!(number(&answer["found"]["end"]) < 0.5 * number(&answer["guessed"]["end"]));
    assert!(made("finder", &[("optimizer", "adam")])["guessed"].is_null());
}

#[test]
fn searches_try_as_many_settings_and_grids_few_rates() {
    let different = |sampler: &str| {
        let answer = made("search", &[("sampler", sampler), ("side", "3"), ("seed", "1")]);
        let mut rates: Vec<String> =
            answer["trials"].as_array().unwrap().iter().map(|trial| trial["rate"].to_string()).collect();
        assert_eq!(rates.len(), 9);
        rates.sort();
        rates.dedup();
        rates.len()
    };
    assert_eq!((different("random"), different("grid")), (9, 3));
    let linear = made("search", &[("sampler", "random"), ("side", "3"), ("scale", "linear")]);
    let rates: Vec<f64> =
        linear["trials"].as_array().unwrap().iter().map(|trial| number(&trial["rate"])).collect();
    // On a linear scale nearly all are in the highest of the four decades.
    assert!(rates.iter().filter(|&&rate| rate > 0.1).count() >= 7, "{rates:?}");
}

#[test]
fn answers_are_finite_at_the_ends_of_every_range_or_say_where_they_diverged() {
    fn check(value: &Value) {
        // serde_json has no other numbers than finite ones; a list of points has none that is left out.
        match value {
            Value::Array(list) => list.iter().for_each(check),
            Value::Object(fields) => fields.iter().for_each(|(name, value)| {
                let list_of_numbers = ["points", "rates", "x"].contains(&name.as_str());
                assert!(!list_of_numbers || !value.to_string().contains("null"), "{name}: {value}");
                check(value);
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    for rule in ["sgd", "momentum", "adagrad", "rmsprop", "adam"] {
        for (rate, momentum) in [("0.0001", "0"), ("10", "0.99"), ("10", "0")] {
            check(&made("ball", &[("rule", rule), ("rate", rate), ("momentum", momentum), ("steps", "500")]));
        }
    }
    check(&made("wall", &[("curvature", "20"), ("rate", "10"), ("steps", "500")]));
    check(&made("weights", &[("activation", "relu"), ("std", "10"), ("layers", "30"), ("units", "20")]));
    check(&made(
        "weights",
        &[("activation", "sigmoid"), ("std", "0.0001"), ("layers", "30"), ("units", "2")],
    ));
    let wild = made("curves", &[("rate", "10")])["runs"][4].clone();
    assert!(wild["diverged_at"].is_f64(), "{wild}");
    assert!(made("batches", &[("rate", "0.3"), ("batch", "1")])["runs"][0]["train"].is_array());
}

#[test]
fn wrong_questions_are_told_what_is_wrong() {
    let message = |figure: &str, given: &[(&str, &str)]| ask(figure, given).expect_err(figure).to_string();
    assert!(message("bal", &[]).contains("did you mean `ball`"));
    assert!(message("", &[]).contains("no figure"));
    assert!(message("ball", &[("speed", "1")]).contains("no argument `speed`"));
    for rate in ["", "fast", "NaN", "inf", "-1", "1e400", "0x10"] {
        let message = message("ball", &[("rate", rate)]);
        assert!(message.contains("a number from 0.0001 to 10"), "{message}");
    }
    for steps in ["1.5", "-3", "0", "1000000000000"] {
        assert!(message("ball", &[("steps", steps)]).contains("a whole number from 1 to 500"));
    }
    assert!(message("ball", &[("rule", "sdg")]).contains("one of `sgd`"));
    assert!(message("schedules", &[("specs", "")]).contains("1 to 12 schedules"));
    assert!(message("schedules", &[("specs", &"0.1\n".repeat(13))]).contains("1 to 12 schedules"));
    assert!(message("scheduled", &[("spec", "cosine(")]).contains("a schedule such as"));
    assert!(message("scheduled", &[("spec", &"x".repeat(5000))]).len() < 500);
    assert!(message("search", &[("side", "100")]).contains("from 2 to 7"));
    // Every figure answers with its defaults, and none takes an argument that it does not know.
    for (figure, _, _) in FIGURES {
        assert!(message(figure, &[("no-such", "1")]).contains("no argument"));
    }
}
