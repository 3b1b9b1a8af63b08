//! What of a surface is looked at.

use super::surface::Surface;
use super::trajectory::{End, Trajectory};

/// The ends of a picture along each variable.
pub type Ends = Vec<(f64, f64)>;

/// How far around the start's own minimum a lower one is looked for, in distances of the start.
const NEARBY: f64 = 3.0;

/// The places of a surface that a picture is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Home {
    /// The start, the place it leads down to, and a lower minimum nearby if there is one.
    pub places: Vec<Vec<f64>>,
    /// The distance of the start from where it leads, along each variable.
    pub reach: Vec<f64>,
}

impl Home {
    /// Finds them, by going down in small safe steps.
    pub fn find(surface: &Surface, start: &[f64]) -> Self {
        let (middle, slope) = descend(surface, start, 5000);
        let away: Vec<f64> = start.iter().zip(&middle).map(|(a, b)| (a - b).abs()).collect();
        let longest = away.iter().copied().fold(0.0, f64::max);
        // A start on the floor says nothing of how far to look.
        let longest =
            if longest > 0.0 { longest } else { start.iter().fold(1.0, |most, x| x.abs().max(most)) };
        let reach: Vec<f64> = away.iter().map(|away| away.max(0.5 * longest)).collect();
        let mut places = vec![start.to_vec(), middle.clone()];
        let drop = surface.value(start) - surface.value(&middle);
        let lower = candidates(&middle, &reach)
            .into_iter()
            .map(|from| descend(surface, &from, 500))
            .filter(|(place, flat)| {
                let near = |((x, middle), reach): ((&f64, &f64), &f64)| (x - middle).abs() <= NEARBY * reach;
                let deeper = surface.value(&middle) - surface.value(place);
                *flat <= slope.max(1e-3 * norm(&surface.gradient(start)))
                    && place.iter().zip(&middle).zip(&reach).all(near)
                    && deeper > 1e-3 * drop.abs()
            })
            .min_by(|a, b| surface.value(&a.0).total_cmp(&surface.value(&b.0)));
        places.extend(lower.map(|(place, _)| place));
        Self { places, reach }
    }

    /// The box around these places, as far beyond the start's minimum as the start is before it.
    pub fn ends(&self) -> Ends {
        let mut ends = around(self.places.iter());
        for ((ends, middle), reach) in ends.iter_mut().zip(&self.places[1]).zip(&self.reach) {
            *ends = (ends.0.min(middle - reach), ends.1.max(middle + reach));
        }
        ends
    }

    /// The picture in which these places are seen, and the trajectories that end well, where those are not far
    /// from them; for one that does not, the whole home box.
    pub fn picture<'a>(&self, trajectories: impl Iterator<Item = &'a Trajectory>) -> Ends {
        let home = self.ends();
        let mut points = self.places.clone();
        for trajectory in trajectories {
            if trajectory.end == End::Steps {
                let near =
                    |(x, (low, high)): (&f64, &(f64, f64))| (2.0 * low - high..=2.0 * high - low).contains(x);
                points.extend(
                    trajectory
                        .points
                        .iter()
                        .map(|point| &point.at)
                        .filter(|at| at.iter().zip(&home).all(near))
                        .cloned(),
                );
            } else {
                points.extend([
                    home.iter().map(|ends| ends.0).collect(),
                    home.iter().map(|ends| ends.1).collect(),
                ]);
            }
        }
        let mut ends = around(points.iter());
        for ((ends, middle), reach) in ends.iter_mut().zip(&self.places[1]).zip(&self.reach) {
            // The ground on all sides of the minimum, and a margin.
            let (low, high) = (ends.0.min(middle - 0.4 * reach), ends.1.max(middle + 0.4 * reach));
            let margin = 0.08 * (high - low);
            *ends = (low - margin, high + margin);
        }
        ends
    }
}

/// The smallest box around points.
fn around<'a>(mut points: impl Iterator<Item = &'a Vec<f64>>) -> Ends {
    let mut ends: Ends = points.next().into_iter().flatten().map(|&x| (x, x)).collect();
    for point in points {
        for (ends, &x) in ends.iter_mut().zip(point) {
            *ends = (ends.0.min(x), ends.1.max(x));
        }
    }
    ends
}

/// Points to look down from, evenly around a place.
fn candidates(middle: &[f64], reach: &[f64]) -> Vec<Vec<f64>> {
    let per_side = if middle.len() == 1 { 25 } else { 7 };
    let along = |index: usize| {
        (0..per_side).map(move |i| {
            let share = 2.0 * i as f64 / (per_side - 1) as f64 - 1.0;
            middle[index] + NEARBY * reach[index] * share
        })
    };
    match middle.len() {
        1 => along(0).map(|x| vec![x]).collect(),
        _ => along(0).flat_map(|x| along(1).map(move |y| vec![x, y])).collect(),
    }
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}

/// Goes down from a point by gradient descent with backtracking, and returns the flattest point on the way
/// with the size of its gradient: a minimum, or where there is none to be reached, a saddle passed close by
/// or the end.
fn descend(surface: &Surface, from: &[f64], steps: usize) -> (Vec<f64>, f64) {
    let leash = 100.0 * (1.0 + norm(from));
    let mut here = from.to_vec();
    let mut value = surface.value(&here);
    let mut rate = 1.0;
    let mut flattest = (here.clone(), f64::INFINITY);
    for _ in 0..steps {
        let slopes = surface.gradient(&here);
        let slope = norm(&slopes);
        if slope < flattest.1 {
            flattest = (here.clone(), slope);
        }
        if !slope.is_finite() || slope <= 1e-10 * (1.0 + value.abs()) || norm(&here) > leash {
            break;
        }
        rate *= 2.0;
        let lower = loop {
            let there: Vec<f64> = here.iter().zip(&slopes).map(|(x, slope)| x - rate * slope).collect();
            let lower = surface.value(&there);
            // Half of what the slope promises is enough.
            if lower <= value - 0.5 * rate * slope * slope {
                break Some((there, lower));
            }
            rate /= 2.0;
            if rate < 1e-18 {
                break None;
            }
        };
        match lower {
            Some(lower) => (here, value) = lower,
            None => break,
        }
    }
    flattest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(surface: &str, start: &[f64]) -> Home {
        Home::find(&surface.parse().unwrap(), start)
    }

    #[test]
    fn the_minimum_is_found() {
        for (surface, start, minimum) in [
            ("quadratic", [-7.0, 2.0], [0.0, 0.0]),
            ("rosenbrock", [-1.5, 2.0], [1.0, 1.0]),
            ("beale", [1.0, 1.5], [3.0, 0.5]),
            ("saddle", [-1.0, 0.001], [0.0, 0.0]),
        ] {
            let home = home(surface, &start);
            let found = &home.places[1];
            let off = (found[0] - minimum[0]).hypot(found[1] - minimum[1]);
            assert!(off < 0.05, "{surface}: {found:?}");
            assert_eq!(home.places.len(), 2, "{surface} has no lower minimum: {home:?}");
        }
    }

    #[test]
    fn a_lower_minimum_nearby_is_in_the_picture() {
        let home = home("double-well", &[2.0]);
        assert!(
            (home.places[1][0] - 1.1309).abs() < 1e-3 && (home.places[2][0] + 1.3008).abs() < 1e-3,
            "{home:?}"
        );
        let [(low, high)] = home.picture(std::iter::empty())[..] else { panic!() };
        assert!(low < -1.35 && high > 2.0);
    }

    #[test]
    fn any_start_has_a_picture() {
        for (surface, start) in [
            ("x^2", &[0.0][..]),
            ("exp(-x)", &[0.0]),
            ("x", &[3.0]),
            ("-x^2", &[0.0]),
            ("ln(x)", &[1e-3]),
            ("0*x + 0*y", &[1.0, 2.0]),
            ("1/x + y", &[1e-12, 1e12]),
            ("exp(x) + exp(y)", &[700.0, -700.0]),
            ("abs(x) + sqrt(x^2 + y^2)", &[1.0, 0.0]),
        ] {
            for (low, high) in home(surface, start).picture(std::iter::empty()) {
                assert!(low < high && low.is_finite() && high.is_finite(), "{surface}: {low} to {high}");
            }
        }
    }
}
