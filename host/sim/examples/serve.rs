//! Serves a scenario until it is killed.
use tribunal_sim::*;
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let scenario = match args.get(3) {
        Some(path) => Scenario::parse(&std::fs::read_to_string(path)?)?,
        None => default_scenario()?,
    };
    let running = SimServer::start(scenario, args[1].parse()?, Some(args[2].clone().into()), SimClock::real()).await?;
    eprintln!("{}", running.addr());
    std::future::pending::<()>().await;
    Ok(())
}
