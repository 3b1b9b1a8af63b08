//! Reads a table and prints how many seconds that took and how many KiB were resident at most, for
//! `bench/reading/run`.
#![allow(clippy::print_stdout)]

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("give the path of a table")?;
    let start = std::time::Instant::now();
    let table = downhill_data::Table::open(path)?;
    let seconds = start.elapsed().as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    let peak = peak.trim().trim_end_matches(" kB");
    println!("{seconds} {peak} {} {}", table.rows(), table.columns().len());
    Ok(())
}
