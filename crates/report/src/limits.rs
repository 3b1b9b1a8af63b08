//! How far an axis goes that several runs share.

/// A run may be this many times above what runs usually come to, and as much below, before its line leaves
/// the chart.
const FAR: f64 = 10.0;

/// Between which values the lines of several runs are shown, so that one bad run does not flatten the others:
/// up to ten times the median of the runs' highest values, and down to a thousandth of the median of their
/// lowest ones.
pub(crate) fn limits(runs: &[Vec<(f64, f64)>]) -> (f64, f64) {
    let none = (f64::NEG_INFINITY, f64::INFINITY);
    let end = |run: &Vec<(f64, f64)>, of: fn(f64, f64) -> f64| {
        run.iter().map(|point| point.1).filter(|value| value.is_finite()).reduce(of)
    };
    let median = |of: fn(f64, f64) -> f64| {
        let mut ends: Vec<f64> = runs.iter().filter_map(|run| end(run, of)).collect();
        ends.sort_unstable_by(f64::total_cmp);
        // Of two the lower one: a bad run is the higher.
        ends.get(ends.len().saturating_sub(1) / 2).copied()
    };
    let (Some(high), Some(low)) = (median(f64::max), median(f64::min)) else { return none };
    if runs.len() < 2 || low <= 0.0 || high <= 0.0 {
        return none;
    }
    (low / (FAR * FAR * FAR), FAR * high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(values: &[f64]) -> Vec<(f64, f64)> {
        values.iter().enumerate().map(|(epoch, &loss)| (epoch as f64, loss)).collect()
    }

    #[test]
    fn a_bad_run_leaves_the_chart() {
        let good = run(&[1.0, 0.5, 0.2]);
        let bad = run(&[2.0, 1e12, 1e30]);
        assert_eq!(limits(&[good.clone(), bad.clone()]).1, 10.0);
        assert_eq!(limits(&[bad.clone(), good.clone(), good.clone()]).1, 10.0);
        assert_eq!(limits(std::slice::from_ref(&good)).1, f64::INFINITY);
        assert_eq!(limits(&[]).1, f64::INFINITY);
        assert_eq!(limits(&[run(&[f64::NAN]), run(&[])]).1, f64::INFINITY);
        let low = limits(&[good.clone(), good, run(&[1.0, 1e-30])]).0;
        assert!((low - 2e-4).abs() < 1e-9, "{low}");
    }
}
