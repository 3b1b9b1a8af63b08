//! The words of figures, in the languages there are.

use std::fmt;
use std::str::FromStr;

use downhill_run::{RateVerdict, Verdict};

/// The language of a figure: of its title, axes, legend and verdicts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Korean.
    Ko,
}

/// A word or a phrase of figures, which [`Lang::word`] spells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // The table below says what each is.
pub enum Word {
    Epoch,
    Step,
    Rate,
    LearningRate,
    LogScale,
    Loss,
    Training,
    Validation,
    TrainingLoss,
    ValidationLoss,
    Told,
    Start,
    RangeTest,
    RangeTestLoss,
    RehearsalLoss,
    Recommended,
    Steepest,
    Valley,
    MinimumTenth,
    StabilityLimit,
    Diverges,
    Activation,
    NonZeroActivation,
    Gradient,
    NothingToDraw,
}

/// The layers that a verdict is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layers {
    /// All, or none in particular.
    All,
    /// One, counted from 1.
    One(usize),
    /// From one to another, with all between.
    Range(usize, usize),
    /// So many, of so many.
    Some(usize, usize),
}

impl FromStr for Lang {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "en" => Ok(Self::En),
            "ko" => Ok(Self::Ko),
            _ => Err("the languages are en and ko".into()),
        }
    }
}

impl fmt::Display for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Lang {
    /// As HTML and SVG name it: `en`, `ko`.
    pub fn code(self) -> &'static str {
        self.of("en", "ko")
    }

    /// A word or a phrase.
    pub fn word(self, word: Word) -> &'static str {
        let (en, ko) = match word {
            Word::Epoch => ("epoch", "에포크"),
            Word::Step => ("step", "스텝"),
            Word::Rate => ("Learning rate", "학습률"),
            Word::LearningRate => ("learning rate", "학습률"),
            Word::LogScale => ("log scale", "로그 눈금"),
            Word::Loss => ("loss", "손실"),
            Word::Training => ("training", "훈련"),
            Word::Validation => ("validation", "검증"),
            Word::TrainingLoss => ("training loss", "훈련 손실"),
            Word::ValidationLoss => ("validation loss", "검증 손실"),
            Word::Told => ("told by hand", "손으로 바꿈"),
            Word::Start => ("start", "출발점"),
            Word::RangeTest => ("Learning rate range test", "학습률 범위 시험"),
            Word::RangeTestLoss => ("range test, training loss", "범위 시험의 훈련 손실"),
            Word::RehearsalLoss => ("rehearsals, training loss", "예행연습의 훈련 손실"),
            Word::Recommended => ("recommended", "추천"),
            Word::Steepest => ("steepest", "가장 가파른 곳"),
            Word::Valley => ("valley", "골짜기"),
            Word::MinimumTenth => ("minimum/10", "최솟값의 1/10"),
            Word::StabilityLimit => ("stable below", "안정 한계"),
            Word::Diverges => ("diverges", "발산"),
            Word::Activation => {
                ("activation, each as high as its fullest bin", "활성화 값 (가장 높은 막대 기준)")
            }
            Word::NonZeroActivation => (
                "activation but zeros, each to its fullest bin",
                "활성화 값 (0인 것은 제외, 가장 높은 막대 기준)",
            ),
            Word::Gradient => {
                ("gradient, each as high as its fullest bin", "활성화 값의 기울기 (가장 높은 막대 기준)")
            }
            Word::NothingToDraw => ("There is nothing to draw.", "그릴 것이 없습니다."),
        };
        self.of(en, ko)
    }

    /// What a learning rate was.
    pub fn rate_verdict(self, verdict: RateVerdict) -> &'static str {
        let ko = match verdict {
            RateVerdict::Low => "낮음",
            RateVerdict::Good => "적당함",
            RateVerdict::High => "높음",
            RateVerdict::VeryHigh => "너무 높음",
        };
        self.of(verdict.words(), ko)
    }

    /// What becomes of signals in a network, and in which of its layers.
    pub fn signals(self, verdict: Verdict, layers: Layers) -> String {
        let word = match verdict {
            Verdict::Healthy => self.of("healthy", "양호"),
            Verdict::Vanishing => self.of("vanishing", "소실"),
            Verdict::Exploding => self.of("exploding", "폭주"),
            Verdict::Saturated => self.of("saturated", "포화"),
        };
        let which = match layers {
            _ if verdict == Verdict::Healthy => String::new(),
            Layers::All => self.of(" in every layer", " (모든 층)").into(),
            Layers::One(one) => self.either(format!(" in layer {one}"), format!(" ({one}층)")),
            Layers::Range(from, to) => {
                self.either(format!(" in layers {from} to {to}"), format!(" ({from}~{to}층)"))
            }
            Layers::Some(some, of) => {
                self.either(format!(" in {some} of {of} layers"), format!(" ({of}개 층 가운데 {some}개)"))
            }
        };
        format!("{word}{which}")
    }

    /// A layer by its number.
    pub fn layer(self, number: usize) -> String {
        self.either(format!("layer {number}"), format!("{number}층"))
    }

    /// A standard deviation that is spelt out already.
    pub fn std(self, value: &str) -> String {
        self.either(format!("std {value}"), format!("σ {value}"))
    }

    /// The title of histograms; `some` layers are shown `of` so many.
    pub fn before_training(self, activation: &str, some: usize, of: usize) -> String {
        let layers = match some < of {
            true => self.either(format!(", {some} of {of} layers"), format!(", {of}개 층 가운데 {some}개")),
            false => String::new(),
        };
        let what = self.of("Signals before training", "훈련 전의 신호");
        format!("{what}, {activation}{layers}")
    }

    /// The title of losses by run.
    pub fn losses_of(self, loss: Word, data: &str) -> String {
        match self {
            Self::En => {
                let loss = self.word(loss);
                format!("{}{} of {data}, run by run", loss[..1].to_uppercase(), &loss[1..])
            }
            Self::Ko => format!("{data}: 실행별 {}", self.word(loss)),
        }
    }

    /// Runs that are drawn without their names.
    pub fn others(self, count: usize) -> String {
        let plural = if count == 1 { "" } else { "s" };
        self.either(format!("{count} other{plural}"), format!("나머지 {count}개"))
    }

    /// What lies along the left of contour lines.
    pub fn over_contours(self, variable: &str, surface: &str) -> String {
        self.either(
            format!("{variable}, over the contour lines of {surface}"),
            format!("{variable} (배경은 {surface}의 등고선)"),
        )
    }

    /// That a way ends at a step, for it leads far away.
    pub fn diverges_at(self, step: u64) -> String {
        self.either(format!("diverges at step {step}"), format!("{step}번째 스텝에서 발산"))
    }

    /// That a way ends at a step, for there is no way on.
    pub fn undefined_at(self, step: u64) -> String {
        self.either(
            format!("has no value or slope at step {step}"),
            format!("{step}번째 스텝에서 함숫값이나 기울기가 없음"),
        )
    }

    /// What is drawn, for those who cannot see it.
    pub(crate) fn against(self, y: &str, x: &str) -> String {
        self.either(format!("{y} against {x}."), format!("{x}에 따른 {y}."))
    }

    fn of(self, en: &'static str, ko: &'static str) -> &'static str {
        match self {
            Self::En => en,
            Self::Ko => ko,
        }
    }

    /// What is said in English or in Korean, as this language is.
    pub fn either(self, en: String, ko: String) -> String {
        match self {
            Self::En => en,
            Self::Ko => ko,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_whole_in_both_languages() {
        let [en, ko] = [Lang::En, Lang::Ko];
        assert_eq!(en.losses_of(Word::TrainingLoss, "digits"), "Training loss of digits, run by run");
        assert_eq!(ko.losses_of(Word::TrainingLoss, "digits"), "digits: 실행별 훈련 손실");
        assert_eq!(en.signals(Verdict::Vanishing, Layers::Range(3, 5)), "vanishing in layers 3 to 5");
        assert_eq!(ko.signals(Verdict::Vanishing, Layers::Range(3, 5)), "소실 (3~5층)");
        for lang in [en, ko] {
            assert_eq!(lang.to_string().parse(), Ok(lang));
            assert!(!lang.signals(Verdict::Healthy, Layers::All).contains(' '));
        }
        assert!("kr".parse::<Lang>().is_err());
    }
}
