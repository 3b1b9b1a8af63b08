//! Straight lines cut to a box.

/// A point.
type Point = (f64, f64);

/// What of the straight line between two points lies in a box, its ends being on the box's sides where it was
/// cut; none if nothing does.
///
/// ```
/// use downhill_report::segment_within;
///
/// let inside = segment_within((0.0, 0.0), (4.0, 8.0), (-1.0, 1.0), (-9.0, 9.0));
/// assert_eq!(inside, Some(((0.0, 0.0), (1.0, 2.0))));
/// ```
pub fn segment_within(from: Point, to: Point, x: (f64, f64), y: (f64, f64)) -> Option<(Point, Point)> {
    // The shares of the line at which it enters and leaves, as Liang and Barsky find them.
    let (mut begin, mut end) = (0.0f64, 1.0f64);
    for (a, b, (low, high)) in [(from.0, to.0, x), (from.1, to.1, y)] {
        if a.is_nan() || b.is_nan() || (a < low && b < low) || (a > high && b > high) {
            return None;
        }
        for (limit, a_outside, b_outside) in [(low, a < low, b < low), (high, a > high, b > high)] {
            let share = (limit - a) / (b - a);
            if a_outside {
                begin = begin.max(share);
            } else if b_outside {
                end = end.min(share);
            }
        }
    }
    let at = |share: f64| match share {
        0.0 => from,
        1.0 => to,
        share => (from.0 + (to.0 - from.0) * share, from.1 + (to.1 - from.1) * share),
    };
    let (first, last) = (at(begin), at(end));
    let finite = [first.0, first.1, last.0, last.1].iter().all(|number| number.is_finite());
    (begin < end && finite).then_some((first, last))
}
