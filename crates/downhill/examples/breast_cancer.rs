//! Trains on a table, shows how good the network is on rows it never saw, saves it and uses it.
#![allow(clippy::print_stdout)]

use downhill::prelude::*;

fn main() -> Result<(), Error> {
    // Or a file: Table::open("patients.csv")?
    let table = Table::bundled("breast-cancer")?;
    let data = table.target("diagnosis").split(0.2, 7)?;

    let trained = Trainer::new(Mlp { dropout: 0.2, ..Network::mlp([128, 128]) })
        .optimizer(AdamW::default())
        .lr(Warmup::new(Length::Share(0.05), Cosine::new(3e-3)))
        .early_stopping(EarlyStopping::after(10))
        .seed(7)
        .fit(&data)?;
    println!("{:.1}% of the held-out rows are right", 100.0 * trained.score());

    let path = std::env::temp_dir().join("breast-cancer.safetensors");
    trained.save(&path)?;
    let Predictions::Classes { labels, classes, .. } = Predictor::load(&path)?.predict(&table)? else {
        return Ok(());
    };
    println!("the first row is {}", classes[labels[0] as usize]);
    Ok(())
}
