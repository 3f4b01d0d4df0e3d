//! `admin platform-fee`.

use clap::Args;
use serde_json::json;

use crate::{
    app::Context, assemble, clock::Clock, error::StartError, fault::Fault, outcome,
    tenancy::SystemReason,
};

use super::Data;

/// What the platform takes of an organization's payments, from now on.
#[derive(Debug, Args)]
pub(super) struct PlatformFee {
    /// Slug of the organization.
    #[arg(long)]
    organization: String,
    /// Currency of the payments, ISO 4217.
    #[arg(long)]
    currency: String,
    /// Share of what comes in, in millionths: 25000 is 2.5 %.
    #[arg(long, default_value_t = 0)]
    rate_millionths: u32,
    /// Amount on top, once a registration, in minor units of the currency.
    #[arg(long, default_value_t = 0)]
    fixed_minor: u32,
    /// The fee stays when money goes back; otherwise it goes back in proportion.
    #[arg(long)]
    kept: bool,
    /// Nothing is taken any more.
    #[arg(long, conflicts_with_all = ["rate_millionths", "fixed_minor", "kept"])]
    none: bool,
    #[command(flatten)]
    pub(super) data: Data,
}

/// Writes it, and says so.
pub(super) async fn set(context: Context, fee: PlatformFee) -> Result<(), StartError> {
    let failed = |fault: Fault| StartError::Part(Box::new(fault));
    let app = assemble::app(&context, Clock::default()).await?;
    let request = json!({
        "slug": fee.organization, "currency": fee.currency, "rate_millionths": fee.rate_millionths,
        "fixed_minor": fee.fixed_minor, "kept": fee.kept, "none": fee.none,
    });
    let answer = app
        .door
        .decide_as_system(SystemReason::Operator, "set_platform_fee", &request)
        .await
        .map_err(|error| failed(error.into()))?;
    match outcome::word(&answer) {
        "set" => println!("set; payments from now on bear it"),
        "removed" => println!("nothing is taken any more"),
        "organization_not_found" => {
            let problem = format!("there is no organization {:?}", fee.organization);
            return Err(failed(Fault::NotFound(problem)));
        }
        _ => {
            let problem = answer["message"].as_str().unwrap_or_default().to_owned();
            return Err(failed(Fault::BadInput(problem)));
        }
    }
    Ok(())
}
