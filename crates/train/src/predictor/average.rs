//! What several networks predict together.

use downhill_core::spec;
use downhill_nn::Loss;
use downhill_nn::loss::{TargetKind, softmax};

use super::{Member, Predictor};

/// The outputs of a network that would predict what several networks predict on average, so that they are
/// read and measured as those of one network are.
///
/// With cross-entropy they are the logarithms of the mean probabilities, with binary cross-entropy the logit
/// of the mean probability, and in regression the mean predictions, standardised as the first network's. With
/// a loss of the user's own for classes, what an output says is known to the loss alone, and the outputs
/// themselves are averaged.
pub(crate) struct Average<'a> {
    loss: &'a Loss,
    /// The outputs of a row.
    width: usize,
    /// The number of networks.
    members: usize,
    sum: Sum,
}

enum Sum {
    /// The outputs of the only network.
    Only(Vec<f32>),
    /// Of what is averaged.
    Of(Vec<f64>),
}

/// The mean and the standard deviation of a target, by which its predictions are standardised.
pub(crate) type Scale = (f64, f64);

/// What is averaged.
enum Averaged {
    /// The probabilities of so many classes.
    Probabilities(usize),
    /// The probability of the second of two classes, which is the only output, and of the first.
    YesAndNo,
    /// Predictions in the target's own unit.
    Values,
    /// The outputs.
    Outputs,
}

impl<'a> Average<'a> {
    /// Of so many networks with `width` outputs, of none of which the outputs are known yet.
    pub fn new(loss: &'a Loss, width: usize, members: usize) -> Self {
        Self { loss, width, members, sum: Sum::Of(Vec::new()) }
    }

    fn averaged(&self) -> Averaged {
        match self.loss {
            Loss::CrossEntropy(_) => Averaged::Probabilities(self.width),
            Loss::BinaryCrossEntropy(_) => Averaged::YesAndNo,
            loss if loss.targets() == TargetKind::Classes => Averaged::Outputs,
            _ => Averaged::Values,
        }
    }

    /// Adds the outputs of one of the networks, whose target is standardised by `scale`.
    pub fn add(&mut self, outputs: Vec<f32>, scale: Scale) {
        if self.members == 1 {
            self.sum = Sum::Only(outputs);
            return;
        }
        let wide = outputs.into_iter().map(f64::from);
        let terms: Vec<f64> = match self.averaged() {
            Averaged::Probabilities(classes) => {
                let mut terms: Vec<f64> = wide.collect();
                terms.chunks_exact_mut(classes).for_each(softmax);
                terms
            }
            // The sigmoid of a logit is the softmax of it and 0, and so is what it is from 1.
            Averaged::YesAndNo => {
                let mut terms: Vec<f64> = wide.flat_map(|logit| [logit, 0.0]).collect();
                terms.chunks_exact_mut(2).for_each(softmax);
                terms
            }
            Averaged::Values => wide.map(|output| output * scale.1 + scale.0).collect(),
            Averaged::Outputs => wide.collect(),
        };
        match &mut self.sum {
            Sum::Of(sum) if !sum.is_empty() => sum.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term),
            sum => *sum = Sum::Of(terms),
        }
    }

    /// The outputs, row after row; of a target that is standardised by `scale`.
    pub fn outputs(self, scale: Scale) -> Vec<f32> {
        let (count, averaged) = (self.members as f64, self.averaged());
        let sum = match self.sum {
            Sum::Only(outputs) => return outputs,
            Sum::Of(sum) => sum,
        };
        // Of a probability that is too small for a number, the logarithm is finite too; but `max` would take
        // what is no number for one.
        let ln = |sum: f64| if sum.is_nan() { sum } else { (sum / count).max(f64::MIN_POSITIVE).ln() };
        match averaged {
            Averaged::Probabilities(_) => sum.iter().map(|&p| ln(p) as f32).collect(),
            Averaged::YesAndNo => {
                sum.chunks_exact(2).map(|pair| (ln(pair[0]) - ln(pair[1])) as f32).collect()
            }
            Averaged::Values => sum.iter().map(|sum| ((sum / count - scale.0) / scale.1) as f32).collect(),
            Averaged::Outputs => sum.iter().map(|sum| (sum / count) as f32).collect(),
        }
    }
}

impl Predictor {
    /// Why another network, with its loss, cannot be averaged with those of this one, if it cannot.
    pub(super) fn contradiction(&self, other: &Member, loss: &Loss) -> Option<String> {
        let own = &self.members[0];
        let (own_loss, its_loss) = (spec::name(&self.loss), spec::name(loss));
        if own_loss != its_loss {
            return Some(format!("the loss of one is {own_loss} and of another {its_loss}"));
        }
        let (own_width, its_width) = (own.model.outputs(), other.model.outputs());
        if own_width != its_width {
            return Some(format!("one has {own_width} outputs and another {its_width}"));
        }
        match (own.encoder(), other.encoder()) {
            (None, None) => {
                let (own, its) = (own.model.inputs(), other.model.inputs());
                (own != its).then(|| format!("one has {own} inputs and another {its}"))
            }
            (Some(own), Some(its)) if own.target_name() != its.target_name() => {
                let (own, its) = (own.target_name(), its.target_name());
                Some(format!("one predicts `{own}` and another `{its}`"))
            }
            (Some(own), Some(its)) if own.classes() != its.classes() => {
                Some(format!("they tell other classes of `{}` apart", own.target_name()))
            }
            (Some(_), Some(_)) => None,
            (Some(_), None) | (None, Some(_)) => {
                Some("one was trained on a table and another on plain numbers".into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use downhill_data::{Examples, Targets};
    use downhill_nn::loss::{BinaryCrossEntropy, CrossEntropy, Mse};
    use downhill_nn::{Dense, Model};

    use super::*;
    use crate::Predictions;

    /// A network of one input whose outputs are `w`·x.
    fn linear(weights: &[f32], loss: impl Into<Loss>) -> Predictor {
        let layer = Dense { bias: false, ..Dense::new(weights.len()) };
        let mut model = Model::build(&[layer.into()], 1, 0).unwrap();
        model.params_mut().copy_from_slice(weights);
        Predictor::new(model, loss.into(), None)
    }

    fn probabilities(predictor: &Predictor, x: &[f32]) -> Vec<f32> {
        match predictor.predict_rows(x).unwrap() {
            Predictions::Classes { probabilities, .. } => probabilities,
            Predictions::Values(_) => panic!("no classes"),
        }
    }

    #[test]
    fn probabilities_are_averaged_and_so_is_what_they_cost() {
        let losses: [(Loss, Vec<Vec<f32>>); 2] = [
            (CrossEntropy::default().into(), vec![vec![1.0, -2.0, 0.5], vec![0.0, 3.0, -90.0]]),
            (BinaryCrossEntropy::default().into(), vec![vec![2.0], vec![-60.0], vec![0.5]]),
        ];
        for (loss, weights) in losses {
            let alone: Vec<Predictor> = weights.iter().map(|weights| linear(weights, loss.clone())).collect();
            let average = Predictor::average(alone.clone()).unwrap();
            let x = [0.3, -1.0, 1.7];
            let (together, each) = (
                probabilities(&average, &x),
                alone.iter().map(|predictor| probabilities(predictor, &x)).collect::<Vec<_>>(),
            );
            let classes = together.len() / 3;
            for (at, &p) in together.iter().enumerate() {
                let mean = each.iter().map(|each| f64::from(each[at])).sum::<f64>() / each.len() as f64;
                assert!((f64::from(p) - mean).abs() < 1e-6 * mean.max(1e-3), "{p} {mean}");
            }
            let labels = vec![0, 1, 1];
            let cost = |(row, &label): (usize, &u32)| {
                let each = each.iter().map(|each| f64::from(each[row * classes + label as usize]));
                -(each.sum::<f64>() / alone.len() as f64).ln()
            };
            let wanted = labels.iter().enumerate().map(cost).sum::<f64>() / 3.0;
            let rows = Examples::new(x.to_vec(), 1, Targets::Classes { labels, classes }).unwrap();
            let evaluation = average.evaluate_rows(&rows).unwrap();
            assert!((evaluation.loss - wanted).abs() < 1e-5, "{} {wanted}", evaluation.loss);
        }
    }

    #[test]
    fn numbers_are_averaged() {
        let average = Predictor::average([linear(&[1.0], Mse {}), linear(&[4.0], Mse {})]).unwrap();
        assert_eq!(average.predict_rows(&[2.0]).unwrap(), Predictions::Values(vec![5.0]));
        let rows = Examples::new(vec![2.0], 1, Targets::Values(vec![3.0])).unwrap();
        assert_eq!(average.evaluate_rows(&rows).unwrap().loss, 4.0);
        // What is no number in one of them is none in the average.
        let broken = Predictor::average([linear(&[1.0], Mse {}), linear(&[f32::NAN], Mse {})]).unwrap();
        assert!(broken.predict_rows(&[2.0]).is_err());
    }

    #[test]
    fn what_does_not_predict_the_same_is_not_averaged() {
        let refused = |a: Predictor, b: Predictor| Predictor::average([a, b]).unwrap_err().to_string();
        let three = || linear(&[1.0, 2.0, 3.0], CrossEntropy::default());
        assert!(refused(three(), linear(&[1.0], Mse {})).contains("the loss of one is cross-entropy"));
        let two = linear(&[1.0, 2.0], CrossEntropy::default());
        assert!(refused(three(), two).contains("one has 3 outputs and another 2"));
        assert!(Predictor::average([]).is_err());
        assert_eq!(Predictor::average([three(), three(), three()]).unwrap().members().len(), 3);
    }
}
