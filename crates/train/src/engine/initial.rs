//! How the weights begin, and whether the network is one that can be meant.

use downhill_data::{Dataset, permutation};
use downhill_nn::{Calibration, LayerSpec, Model};

use crate::Error;

/// More values than this in the layers' outputs of one batch are taken for a mistake.
const MOST_ACTIVATIONS: u128 = 1 << 30;

/// Fails if a batch would take more memory than can be meant, which ends a program without a word.
pub(super) fn check_size(layers: &[LayerSpec], features: usize, batch: usize) -> Result<(), Error> {
    let (mut members, mut width) = (1, features as u128);
    let mut units: u128 = 0;
    for layer in layers {
        match layer {
            LayerSpec::Members(layer) => {
                members = layer.count as u128;
                units = units.saturating_add(members.saturating_mul(width));
            }
            layer => {
                // A dense layer makes one row of those of the members.
                members = if let LayerSpec::Dense(_) = layer { 1 } else { members };
                let own = layer.units() as u128;
                width = if own > 0 { own } else { width };
                units = units.saturating_add(members.saturating_mul(own));
            }
        }
    }
    // Rows are measured in blocks, however small the batch is.
    if units.saturating_mul(batch.max(128) as u128) > MOST_ACTIVATIONS {
        return Err(Error::TooManyUnits { units: u64::try_from(units).unwrap_or(u64::MAX), rows: batch });
    }
    Ok(())
}

/// Lets initialisers that look at data see the first rows that training will: as many as a batch has, or a
/// block of prediction, which is room that a run needs anyway. Returns notes on layers that it was in vain
/// for.
pub(super) fn calibrate(
    model: &mut Model<f32>,
    data: &Dataset,
    seed: u64,
    batch: usize,
) -> Result<Vec<String>, Error> {
    if !model.needs_calibration() {
        return Ok(Vec::new());
    }
    let mut order = vec![0; data.train.rows()];
    permutation(&mut order, seed, 0);
    order.truncate(batch.max(128));
    let features = data.features();
    let row = |&row: &u32| &data.train.x[row as usize * features..][..features];
    let x = order.iter().flat_map(row).copied().collect::<Vec<f32>>();
    let calibrations = model.calibrate(&x)?;
    let missed = calibrations.iter().filter(|calibration| !calibration.reached);
    let note = |calibration: &Calibration| {
        format!(
            "lsuv could not bring layer {} to variance 1 on the first {} rows: its outputs have variance {:.3e}",
            calibration.position,
            order.len(),
            calibration.variance
        )
    };
    Ok(missed.map(note).collect())
}
