//! A model file, with a checksum that is right: it is refused, or predicts.

use downhill::data::Table;
use downhill::prelude::Predictor;

pub fn run(bytes: &[u8]) {
    let sealed = super::seal::sealed(bytes);
    let Ok(predictor) = Predictor::load(super::file("model", sealed.as_deref().unwrap_or(bytes))) else {
        return;
    };
    let table = Table::bundled("iris").expect("it is bundled");
    let _ = predictor.predict(&table);
    let _ = predictor.evaluate(&table);
    let inputs = predictor.members()[0].model().inputs();
    if inputs < 1000 {
        let _ = predictor.predict_rows(&vec![0.5; 3 * inputs]);
    }
}
