//! Korean particles, which go by the last sound of the word in front of them.

/// A particle in its two forms: behind a final consonant, and behind a vowel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Particle {
    consonant: &'static str,
    vowel: &'static str,
    /// Whether a final ㄹ counts as a vowel, as in 학습률로.
    liquid: bool,
}

/// The particles that templates may name, each by its form behind a consonant.
const ALL: &[Particle] = &[
    Particle { consonant: "은", vowel: "는", liquid: false },
    Particle { consonant: "이", vowel: "가", liquid: false },
    Particle { consonant: "을", vowel: "를", liquid: false },
    Particle { consonant: "과", vowel: "와", liquid: false },
    Particle { consonant: "으로", vowel: "로", liquid: true },
    Particle { consonant: "이나", vowel: "나", liquid: false },
    Particle { consonant: "이라", vowel: "라", liquid: false },
];

/// How a word ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sound {
    Consonant,
    Liquid,
    Vowel,
}

impl Particle {
    /// The particle whose form behind a consonant this is.
    pub fn named(name: &str) -> Option<Self> {
        ALL.iter().copied().find(|particle| particle.consonant == name)
    }

    /// The form that suits the text in front of it; both, as in 을(를), where nobody can say how that ends.
    pub fn behind(self, text: &str) -> String {
        match sound(text) {
            None => format!("{}({})", self.consonant, self.vowel),
            Some(Sound::Consonant) => self.consonant.into(),
            Some(Sound::Liquid) if !self.liquid => self.consonant.into(),
            Some(Sound::Liquid | Sound::Vowel) => self.vowel.into(),
        }
    }
}

/// How a text ends when it is read aloud in Korean: closing marks are silent, digits are read in Sino-Korean,
/// single letters by their names, and Latin words roughly as they are borrowed.
fn sound(text: &str) -> Option<Sound> {
    let text = text.trim_end_matches(['`', '\'', '"', ')', ']', '}', '>', '’', '”', '…', ' ']);
    let last = text.chars().next_back()?;
    Some(match last {
        '가'..='힣' => match (last as u32 - '가' as u32) % 28 {
            0 => Sound::Vowel,
            8 => Sound::Liquid,
            _ => Sound::Consonant,
        },
        '0' | '3' | '6' => Sound::Consonant,
        '1' | '7' | '8' => Sound::Liquid,
        '2' | '4' | '5' | '9' | '%' => Sound::Vowel,
        _ if last.is_ascii_alphabetic() => {
            let from = text.rfind(|c: char| !c.is_ascii_alphabetic()).map_or(0, |at| at + 1);
            let word = text.get(from..).unwrap_or(text).to_ascii_lowercase();
            latin(&word)
        }
        _ => return None,
    })
}

fn latin(word: &str) -> Sound {
    // Letters that are spelled out: elle, emme, enne, arre; the others end in vowels.
    if word.len() == 1 || !word.contains(['a', 'e', 'i', 'o', 'u', 'y']) {
        return match word.chars().next_back() {
            Some('l' | 'r') => Sound::Liquid,
            Some('m' | 'n') => Sound::Consonant,
            _ => Sound::Vowel,
        };
    }
    if word.ends_with('l') || word.ends_with("le") {
        return Sound::Liquid;
    }
    if ["m", "n", "ng", "me", "ne"].iter().any(|end| word.ends_with(end)) {
        return Sound::Consonant;
    }
    // A stop behind a vowel closes the syllable, as in 드롭아웃; one behind a consonant has 으, as in 텍스트.
    let mut letters = word.chars().rev();
    let stop = letters.next().is_some_and(|last| "pktcb".contains(last));
    let behind_vowel = letters.next().is_some_and(|letter| "aeiou".contains(letter));
    if stop && behind_vowel { Sound::Consonant } else { Sound::Vowel }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str, name: &str) -> String {
        format!("{text}{}", Particle::named(name).unwrap().behind(text))
    }

    #[test]
    fn particles_follow_the_last_sound() {
        for (text, name, whole) in [
            ("손실", "은", "손실은"),
            ("스텝", "은", "스텝은"),
            ("에포크", "은", "에포크는"),
            ("학습률", "으로", "학습률로"),
            ("검증", "으로", "검증으로"),
            ("데이터", "으로", "데이터로"),
            ("학습률", "이", "학습률이"),
            ("파라미터", "이", "파라미터가"),
            ("3", "을", "3을"),
            ("4", "을", "4를"),
            ("10", "과", "10과"),
            ("7", "으로", "7로"),
            ("95%", "을", "95%를"),
            ("`adam`", "을", "`adam`을"),
            ("`sgd`", "을", "`sgd`를"),
            ("`cosine`", "은", "`cosine`은"),
            ("iris.csv", "이", "iris.csv가"),
            ("model", "으로", "model로"),
            ("`lr`", "으로", "`lr`로"),
            ("`dropout`", "은", "`dropout`은"),
            ("'--help'", "을", "'--help'를"),
            ("<N>", "은", "<N>은"),
            ("값 (훈련)", "이", "값 (훈련)이"),
            ("±", "을", "±을(를)"),
            ("", "이", "이(가)"),
        ] {
            assert_eq!(with(text, name), whole);
        }
        assert_eq!(Particle::named("를"), None);
    }
}
