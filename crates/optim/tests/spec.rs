//! The spelling of rules, groups and initialisers: what reads back, and what is said about what does not.

#[path = "../../core/tests/spelled/mod.rs"]
mod spelled;

use downhill_optim::*;
use proptest::prelude::*;
use spelled::{Spelt, assert_never_panics, assert_reads_back, assert_says, fraction, positive, texts};

fn rules() -> impl Strategy<Value = Rule> {
    let form = || prop_oneof![Just(Form::Velocity), Just(Form::Buffer)];
    let adam =
        || (fraction(), fraction(), positive()).prop_map(|(beta1, beta2, eps)| Adam { beta1, beta2, eps });
    prop_oneof![
        Just(Sgd {}.into()),
        (fraction(), form()).prop_map(|(momentum, form)| Momentum { momentum, form }.into()),
        (fraction(), form()).prop_map(|(momentum, form)| Nesterov { momentum, form }.into()),
        (positive(), fraction()).prop_map(|(eps, initial)| Adagrad { eps, initial }.into()),
        (fraction(), positive(), any::<bool>(), fraction(), form()).prop_map(
            |(rho, eps, centered, momentum, form)| RmsProp { rho, eps, centered, momentum, form }.into()
        ),
        (fraction(), positive()).prop_map(|(rho, eps)| Adadelta { rho, eps }.into()),
        adam().prop_map(Rule::from),
        adam().prop_map(|Adam { beta1, beta2, eps }| AmsGrad { beta1, beta2, eps }.into()),
        adam().prop_map(|Adam { beta1, beta2, eps }| Adamax { beta1, beta2, eps }.into()),
        adam().prop_map(|Adam { beta1, beta2, eps }| RAdam { beta1, beta2, eps }.into()),
        (adam(), fraction()).prop_map(|(Adam { beta1, beta2, eps }, momentum_decay)| {
            NAdam { beta1, beta2, eps, momentum_decay }.into()
        }),
        (fraction(), fraction(), fraction()).prop_map(|(beta1, beta2, weight_decay)| Lion {
            beta1,
            beta2,
            weight_decay
        }
        .into()),
        (adam(), fraction()).prop_map(|(Adam { beta1, beta2, eps }, weight_decay)| {
            AdamW { beta1, beta2, eps, weight_decay }.into()
        }),
        (adam(), fraction()).prop_map(|(Adam { beta1, beta2, eps }, weight_decay)| {
            Lamb { beta1, beta2, eps, weight_decay }.into()
        }),
        (fraction(), fraction(), positive()).prop_map(|(momentum, weight_decay, trust)| Lars {
            momentum,
            weight_decay,
            trust
        }
        .into()),
        (adam(), fraction(), any::<(bool, bool)>(), fraction()).prop_map(
            |(Adam { beta1, beta2, eps }, momentum, (nesterov, rms), weight_decay)| {
                let scale = if rms { Scale::Rms } else { Scale::Shape };
                Muon { momentum, nesterov, scale, beta1, beta2, eps, weight_decay }.into()
            }
        ),
        (1e-9f64..1.0, fraction(), fraction(), positive()).prop_map(
            |(momentum, weight_decay, r, lr_power)| {
                ScheduleFreeSgd { momentum, weight_decay, r, lr_power }.into()
            }
        ),
        (adam(), 1e-9f64..1.0, fraction(), fraction(), positive()).prop_map(
            |(Adam { beta2, eps, .. }, beta1, weight_decay, r, lr_power)| {
                ScheduleFreeAdamW { beta1, beta2, eps, weight_decay, r, lr_power }.into()
            }
        ),
        (adam(), fraction(), fraction()).prop_map(|(Adam { beta1, beta2, eps }, beta3, weight_decay)| {
            Adan { beta1, beta2, beta3, eps, weight_decay }.into()
        }),
        (adam(), fraction(), (positive(), positive()), prop::option::of(1.01f64..9.0), any::<(bool, bool)>())
            .prop_map(|(Adam { beta1, beta2, eps }, weight_decay, (d0, d_coef), growth_rate, flags)| {
                let (bias_correction, safeguard_warmup) = flags;
                let settings = Prodigy {
                    beta1,
                    beta2,
                    eps,
                    weight_decay,
                    d0,
                    d_coef,
                    growth_rate,
                    ..Prodigy::default()
                };
                Prodigy { bias_correction, safeguard_warmup, ..settings }.into()
            }),
    ]
}

fn groups() -> impl Strategy<Value = Group> {
    let roles = prop::sample::select(vec![Role::Weight, Role::Bias, Role::Scale, Role::Shift]);
    let names = prop::sample::select(vec!["0.*", "*", "12.weight", "*.bias", "7", "é*"]);
    let factors = || (positive(), prop::option::of(positive()));
    prop_oneof![
        (names, factors()).prop_map(|(name, (lr, decay))| Group::Name(ByName {
            pattern: name.into(),
            lr,
            decay
        })),
        (roles, factors()).prop_map(|(role, (lr, decay))| Group::Role(ByRole { role, lr, decay })),
    ]
}

fn gains() -> impl Strategy<Value = Gain> {
    prop_oneof![Just(Gain::Auto), positive().prop_map(Gain::Of)]
}

fn inits() -> impl Strategy<Value = Init> {
    prop_oneof![
        prop::sample::select(vec![
            Init::Auto,
            Init::Zeros,
            Init::Ones,
            Init::Identity,
            Init::HeUniform,
            Init::HeNormal,
            Init::LecunUniform,
            Init::LecunNormal,
        ]),
        positive().prop_map(|std| Init::Normal(Normal { std })),
        positive().prop_map(|limit| Init::Uniform(Uniform { limit })),
        (positive(), any::<bool>())
            .prop_map(|(size, below)| Init::Constant(Fill { value: if below { -size } else { size } })),
        positive().prop_map(|std| Init::TruncatedNormal(TruncatedNormal { std })),
        gains().prop_map(|gain| Init::Orthogonal(Orthogonal { gain })),
        gains().prop_map(|gain| Init::GlorotUniform(Glorot { gain })),
        gains().prop_map(|gain| Init::GlorotNormal(Glorot { gain })),
        (positive(), 1..20u32).prop_map(|(tolerance, iterations)| Init::Lsuv(Lsuv { tolerance, iterations })),
        (fraction(), positive()).prop_map(|(sparsity, std)| Init::Sparse(Sparse { sparsity, std })),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn rules_read_back(rule in rules()) {
        assert_reads_back(&rule);
    }

    #[test]
    fn inits_read_back(init in inits()) {
        assert_reads_back(&init);
    }

    #[test]
    fn groups_read_back(group in groups()) {
        assert_reads_back(&group);
    }

    #[test]
    fn no_text_panics(text in texts(prop_oneof![
        rules().prop_map(|rule| rule.to_string()),
        inits().prop_map(|init| init.to_string()),
    ])) {
        assert_never_panics::<Rule>(&text);
        assert_never_panics::<Init>(&text);
    }
}

#[test]
fn spellings_are_short_and_plain() {
    for (text, printed) in [
        ("adam", "adam(beta1=0.9, beta2=0.999, eps=1e-8)"),
        ("adam()", "adam(beta1=0.9, beta2=0.999, eps=1e-8)"),
        ("adam(0.8, eps=1e-4)", "adam(beta1=0.8, beta2=0.999, eps=0.0001)"),
        ("adam(\n  beta1 = 0.8,\n)", "adam(beta1=0.8, beta2=0.999, eps=1e-8)"),
        ("nesterov(0.5, buffer)", "nesterov(momentum=0.5, form=buffer)"),
        ("sgd", "sgd"),
    ] {
        assert_eq!(text.parse::<Rule>().unwrap().to_string(), printed);
    }
    for (text, printed) in [
        ("xavier", "glorot-uniform(gain=1.0)"),
        ("xavier-normal(2)", "glorot-normal(gain=2.0)"),
        ("orthogonal(gain=auto)", "orthogonal(gain=auto)"),
        ("lsuv", "lsuv(tolerance=0.1, iterations=10)"),
        ("kaiming-normal", "he-normal"),
        ("normal(2)", "normal(std=2.0)"),
        ("0.1", "constant(value=0.1)"),
        ("sparse(0.9)", "sparse(sparsity=0.9, std=0.01)"),
    ] {
        assert_eq!(text.parse::<Init>().unwrap().to_string(), printed);
    }
}

#[test]
fn wrong_tables_are_refused_as_their_text_is() {
    let error = |toml: &str| toml::from_str::<Spelt<Rule>>(toml).unwrap_err().to_string();
    for (toml, message) in [
        ("value = 'adm'", "`adm` is not an optimizer; did you mean `adam`?"),
        ("value = 3", "`3` is not an optimizer"),
        ("value = true", "`true` is not an optimizer"),
        ("value = []", "expected a name, found `[]`"),
        ("value = {}", "expected an optimizer, found nothing"),
        ("value.adam.beta1 = 1.5", "`beta1` of `adam` must be at least 0 and below 1, not 1.5"),
        ("value.adam.beta1 = nan", "expected a number, found `NaN`"),
        ("value.adam.beta1 = inf", "expected a number, found `inf`"),
        ("value.adam.beta1 = 'x'", "expected a number, found `x`"),
        ("value.adam.beta_1 = 0.5", "unknown key `beta_1`; did you mean `beta1`?"),
        ("value.adam = {}\nvalue.sgd = {}", "expected nothing more here"),
    ] {
        assert!(error(toml).contains(message), "{toml}: {}", error(toml));
    }
}

const RULES: &str = "`sgd`, `momentum`, `nesterov`, `adagrad`, `rmsprop`, `adadelta`, `adam`, `amsgrad`, `adamw`, `nadam`, `adamax`, `radam`, `lion`, `lars`, `lamb`, `muon`, `schedule-free-sgd`, `schedule-free-adamw`, `prodigy`, `adan`";

#[test]
fn errors_in_rules_show_the_place() {
    assert_says::<Rule>(&[
        ("", "^", "expected an optimizer, found nothing"),
        (" ", "^", "expected an optimizer, found nothing"),
        // names
        ("adm", "^^^", "`adm` is not an optimizer; did you mean `adam`?"),
        ("adm(beta1=2)", "^^^", "`adm` is not an optimizer; did you mean `adam`?"),
        ("  Nestrov (0.9)", "  ^^^^^^^", "`Nestrov` is not an optimizer; did you mean `nesterov`?"),
        ("0.1", "^^^", &format!("`0.1` is not an optimizer; there is {RULES}")),
        ("übel(1)", "^^^^", &format!("`übel` is not an optimizer; there is {RULES}")),
        ("{what}", "^^^^^^", &format!("`{{what}}` is not an optimizer; there is {RULES}")),
        ("[adam]", "^^^^^^", "expected a name, found `[adam]`"),
        // keys
        ("adam(beta=0.9)", "     ^^^^", "unknown key `beta`; did you mean `beta2`?"),
        ("adam(β=0.9)", "     ^", "unknown key `β`; there is `beta1`, `beta2`, `eps`"),
        (
            "adamw(weight_decay=1)",
            "      ^^^^^^^^^^^^",
            "unknown key `weight_decay`; did you mean `weight-decay`?",
        ),
        ("adam(eps=1, eps=2)", "            ^^^", "`eps` is given twice"),
        ("adam(0.9, beta1=0.8)", "          ^^^^^", "`beta1` is given twice"),
        ("adam(eps=1, 0.9)", "            ^^^", "a value without a key must stand before those with one"),
        ("adam(0.9, 0.9, 1, 2)", "                  ^", "`adam` takes at most 3 settings"),
        ("sgd(0.1)", "    ^^^", "`sgd` takes no settings"),
        ("sgd(lr=0.1)", "    ^^", "`sgd` takes no settings"),
        // values
        ("adam(beta1=1.5)", "           ^^^", "`beta1` of `adam` must be at least 0 and below 1, not 1.5"),
        ("adamw(1)", "      ^", "`beta1` of `adamw` must be at least 0 and below 1, not 1"),
        ("adam(0.9, 0.9, -1e-3)", "               ^^^^^", "`eps` of `adam` must be above 0, not -0.001"),
        ("adam(eps=0)", "         ^", "`eps` of `adam` must be above 0, not 0"),
        ("momentum(1)", "         ^", "`momentum` of `momentum` must be at least 0 and below 1, not 1"),
        ("adagrad(initial=-1)", "                ^^", "`initial` of `adagrad` must be 0 or above, not -1"),
        ("adadelta(rho=1)", "             ^", "`rho` of `adadelta` must be at least 0 and below 1, not 1"),
        ("adadelta(eps=0)", "             ^", "`eps` of `adadelta` must be above 0, not 0"),
        (
            "rmsprop(momentum=1)",
            "                 ^",
            "`momentum` of `rmsprop` must be at least 0 and below 1, not 1",
        ),
        ("rmsprop(centered=1)", "                 ^", "expected `true` or `false`, found `1`"),
        ("amsgrad(2)", "        ^", "`beta1` of `amsgrad` must be at least 0 and below 1, not 2"),
        ("adamax(0, 2)", "          ^", "`beta2` of `adamax` must be at least 0 and below 1, not 2"),
        ("radam(eps=0)", "          ^", "`eps` of `radam` must be above 0, not 0"),
        ("nadam(2)", "      ^", "`beta1` of `nadam` must be at least 0 and below 1, not 2"),
        (
            "nadam(momentum-decay=-1)",
            "                     ^^",
            "`momentum-decay` of `nadam` must be 0 or above, not -1",
        ),
        ("lars(1)", "     ^", "`momentum` of `lars` must be at least 0 and below 1, not 1"),
        ("lars(trust=0)", "           ^", "`trust` of `lars` must be above 0, not 0"),
        ("lamb(eps=0)", "         ^", "`eps` of `lamb` must be above 0, not 0"),
        (
            "muon(0.95, true, wide)",
            "                 ^^^^",
            "`wide` is not a value of `scale`; there is `rms`, `shape`",
        ),
        (
            "schedule-free-sgd(0)",
            "                  ^",
            "`momentum` of `schedule-free-sgd` must be above 0 and below 1, not 0",
        ),
        (
            "schedule-free-adamw(1)",
            "                    ^",
            "`beta1` of `schedule-free-adamw` must be above 0 and below 1, not 1",
        ),
        (
            "prodigy(growth-rate=1)",
            "                    ^",
            "`growth-rate` of `prodigy` must be above 1, not 1",
        ),
        ("adan(beta3=1)", "           ^", "`beta3` of `adan` must be at least 0 and below 1, not 1"),
        ("prodigy(d0=0)", "           ^", "`d0` of `prodigy` must be above 0, not 0"),
        ("lion(1)", "     ^", "`beta1` of `lion` must be at least 0 and below 1, not 1"),
        ("lion(beta2=1)", "           ^", "`beta2` of `lion` must be at least 0 and below 1, not 1"),
        ("lion(0, 0, -1)", "           ^^", "`weight-decay` of `lion` must be 0 or above, not -1"),
        ("lion(eps=1)", "     ^^^", "unknown key `eps`; there is `beta1`, `beta2`, `weight-decay`"),
        ("adam(beta1=x)", "           ^", "expected a number, found `x`"),
        ("adam( beta1 = x )", "              ^", "expected a number, found `x`"),
        ("adam(nan)", "     ^^^", "expected a number, found `nan`"),
        ("adam(eps=inf)", "         ^^^", "expected a number, found `inf`"),
        ("adam(eps=-inf)", "         ^^^^", "expected a number, found `-inf`"),
        ("adam(eps=1e999)", "         ^^^^^", "expected a number, found `1e999`"),
        ("adam(eps=true)", "         ^^^^", "expected a number, found `true`"),
        ("adam(eps=[1,\n2])", "         ^^^^^^", "expected a number, found `[1, 2]`"),
        ("adam(eps=sgd(1))", "         ^^^^^^", "expected a number, found `sgd(1)`"),
        (
            "momentum(form=buff)",
            "              ^^^^",
            "`buff` is not a value of `form`; did you mean `buffer`?",
        ),
        (
            "momentum(0.9, vel)",
            "              ^^^",
            "`vel` is not a value of `form`; did you mean `velocity`?",
        ),
        (
            "momentum(form=1)",
            "              ^",
            "`1` is not a value of `form`; there is `velocity`, `buffer`",
        ),
        // brackets and other slips
        ("adam(", "     ^", "expected a name or a number here"),
        ("adam(eps=1", "          ^", "expected `,` or `)` here"),
        ("adam(eps=1]", "          ^", "expected `,` or `)` here"),
        ("adam(eps=[1", "           ^", "expected `,` or `]` here"),
        ("adam(0.9 0.8)", "         ^", "expected `,` or `)` here"),
        ("adam(eps=)", "         ^", "expected a name or a number here"),
        ("adam(,)", "     ^", "expected a name or a number here"),
        ("adam)", "    ^", "expected nothing more here"),
        ("adam sgd", "     ^", "expected nothing more here"),
        ("adam = 1", "     ^", "expected nothing more here"),
        ("(adam)", "^", "expected a name or a number here"),
        ("=", "^", "expected a name or a number here"),
        (&"a(".repeat(20), &format!("{:32}^", ""), "nested too deeply"),
    ]);
}

#[test]
fn errors_in_initialisers_show_the_place() {
    assert_says::<Init>(&[
        ("", "^", "expected an initialiser, found nothing"),
        ("he-norml", "^^^^^^^^", "`he-norml` is not an initialiser; did you mean `he-normal`?"),
        ("normal(0)", "       ^", "`std` of `normal` must be above 0, not 0"),
        ("uniform(limit=-1)", "              ^^", "`limit` of `uniform` must be above 0, not -1"),
        ("uniform(limit=x)", "              ^", "expected a number, found `x`"),
        ("truncated-normal(0)", "                 ^", "`std` of `truncated-normal` must be above 0, not 0"),
        ("orthogonal(gain=0)", "                ^", "`gain` of `orthogonal` must be above 0, not 0"),
        ("orthogonal(gain=relu)", "                ^^^^", "expected a number, or `auto`, found `relu`"),
        ("glorot-uniform(-1)", "               ^^", "`gain` of `glorot-uniform` must be above 0, not -1"),
        ("lsuv(tolerance=0)", "               ^", "`tolerance` of `lsuv` must be above 0, not 0"),
        ("lsuv(iterations=0)", "                ^", "`iterations` of `lsuv` must be at least 1, not 0"),
        ("sparse", "^^^^^^", "the key `sparsity` is missing: it has no default"),
        ("sparse(1)", "       ^", "`sparsity` of `sparse` must be at least 0 and below 1, not 1"),
        ("sparse(0.9, std=0)", "                ^", "`std` of `sparse` must be above 0, not 0"),
        ("constant", "^^^^^^^^", "the key `value` is missing: it has no default"),
        ("constant(inf)", "         ^^^", "expected a number, found `inf`"),
        ("nan", "^^^", "expected a number, found `nan`"),
        ("identity(2)", "         ^", "`identity` takes no settings"),
        ("zeros(1)", "      ^", "`zeros` takes no settings"),
        ("he-normal(std=1)", "          ^^^", "`he-normal` takes no settings"),
    ]);
}

#[test]
fn long_and_odd_text_is_shortened_before_it_is_shown() {
    let long = "x".repeat(200_000);
    for text in [
        long.clone(),
        format!("adam({long}=1)"),
        format!("adam(beta1={long})"),
        format!("adam(beta1=[{long}])"),
        format!("{}{long}", "adam(".repeat(20)),
        format!("[{long}]"),
        format!("adam(0.9 {long}"),
        format!("{}adm", " ".repeat(200_000)),
    ] {
        let shown = text.parse::<Rule>().unwrap_err().to_string();
        assert!(shown.contains('^') && shown.chars().count() < 1000, "{} characters", shown.chars().count());
        assert!(shown.lines().all(|line| line.chars().count() < 500), "{shown}");
    }
    let late = format!("{}adm", " ".repeat(200_000)).parse::<Rule>().unwrap_err().to_string();
    assert!(late.contains("did you mean `adam`?") && late.contains("adm\n"), "{late}");
}
