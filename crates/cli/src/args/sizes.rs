//! The sizes of layers as values of flags.

#[derive(Clone)]
pub struct Sizes(pub Vec<usize>);

pub fn sizes(text: &str) -> Result<Sizes, String> {
    if text == "none" {
        return Ok(Sizes(Vec::new()));
    }
    let size = |part: &str| match part.trim().parse() {
        Ok(0) | Err(_) => {
            Err(format!("`{part}` is not a size; give whole numbers above 0 such as 64,64, or `none`"))
        }
        Ok(size) => Ok(size),
    };
    text.split(',').map(size).collect::<Result<_, _>>().map(Sizes)
}

/// Sizes such as 100x5,10: a number of units, and how many layers have it.
pub fn repeated_sizes(text: &str) -> Result<Sizes, String> {
    const MOST: usize = 1000;
    let wrong =
        |part: &str| format!("`{part}` is not a size; give units and layers such as 100x5, or 784,256,128");
    let mut all = Vec::new();
    for part in text.split(',') {
        let (units, layers) = part.split_once('x').unwrap_or((part, "1"));
        let [units, layers] = [units, layers].map(|n| n.trim().parse::<usize>().ok().filter(|&n| n > 0));
        let (Some(units), Some(layers)) = (units, layers) else { return Err(wrong(part)) };
        if layers > MOST - all.len() {
            return Err(format!("these are more than {MOST} layers; give fewer"));
        }
        all.extend(std::iter::repeat_n(units, layers));
    }
    Ok(Sizes(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_whole_numbers_above_0() {
        assert_eq!(sizes("64, 32").map(|sizes| sizes.0), Ok(vec![64, 32]));
        assert_eq!(sizes("none").map(|sizes| sizes.0), Ok(Vec::new()));
        assert!(["", "0", "64,", "-1", "6.4"].into_iter().all(|text| sizes(text).is_err()));
    }

    #[test]
    fn sizes_are_repeated_up_to_a_thousand_layers() {
        assert_eq!(repeated_sizes("100x3,10").map(|sizes| sizes.0), Ok(vec![100, 100, 100, 10]));
        assert_eq!(repeated_sizes("1x1000").map(|sizes| sizes.0.len()), Ok(1000));
        for text in ["1x1001", "1x999,1,1", "1x18446744073709551615"] {
            assert!(repeated_sizes(text).is_err_and(|error| error.contains("1000 layers")), "{text}");
        }
        assert!(["x", "3x", "0x3", "3x0"].into_iter().all(|text| repeated_sizes(text).is_err()));
    }
}
