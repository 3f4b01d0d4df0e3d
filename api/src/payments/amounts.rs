//! How providers count money. Inside, an amount is minor units as ISO 4217 counts them; providers differ, each by its own
//! table, and what does not fit is refused, never rounded.

use super::CallFailed;

/// Currencies without minor units, as `es.money_sum_text` has them.
const WHOLE: [&str; 17] = [
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND",
    "VUV", "XAF", "XOF", "XPF",
];
/// Those with thousandths.
const THOUSANDTHS: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];
/// Those with ten-thousandths.
const TEN_THOUSANDTHS: [&str; 2] = ["CLF", "UYW"];

/// Decimals of a currency by ISO 4217.
fn iso_decimals(currency: &str) -> u32 {
    if WHOLE.contains(&currency) {
        0
    } else if THOUSANDTHS.contains(&currency) {
        3
    } else if TEN_THOUSANDTHS.contains(&currency) {
        4
    } else {
        2
    }
}

/// How a provider counts money.
#[derive(Clone, Copy, Debug)]
pub struct Amounts {
    /// The currencies that it takes; all when there is none.
    pub only: &'static [&'static str],
    /// Currencies that are refused, because it is not certain how it counts them.
    pub never: &'static [&'static str],
    /// Where its decimals are others than those of ISO 4217.
    pub decimals: &'static [(&'static str, u32)],
    /// Its units that an amount must be a multiple of.
    pub steps: &'static [(&'static str, i64)],
}

/// As ISO 4217 has it, in every currency.
pub const ISO: Amounts = Amounts {
    only: &[],
    never: &[],
    decimals: &[],
    steps: &[],
};

fn of<T: Copy>(table: &[(&str, T)], currency: &str) -> Option<T> {
    table
        .iter()
        .find(|(code, _)| *code == currency)
        .map(|(_, value)| *value)
}

impl Amounts {
    /// Whether it takes the currency.
    pub fn takes(&self, currency: &str) -> bool {
        (self.only.is_empty() || self.only.contains(&currency)) && !self.never.contains(&currency)
    }

    fn decimals_of(&self, currency: &str) -> u32 {
        of(self.decimals, currency).unwrap_or_else(|| iso_decimals(currency))
    }

    /// Minor units as the provider's units.
    pub fn units(&self, minor: i64, currency: &str) -> Result<i64, CallFailed> {
        let refused = |word: &str| CallFailed::Refused(word.to_owned());
        if !self.takes(currency) {
            return Err(refused("currency_not_taken"));
        }
        let (ours, theirs) = (iso_decimals(currency), self.decimals_of(currency));
        let units = match theirs.checked_sub(ours) {
            Some(more) => minor.checked_mul(10i64.pow(more)),
            None => exact(minor, 10i64.pow(ours - theirs)),
        };
        let step = of(self.steps, currency).unwrap_or(1);
        units
            .filter(|units| units % step == 0)
            .ok_or_else(|| refused("amount_does_not_fit"))
    }

    /// The provider's units as minor units; `None` when they are none of ours.
    pub fn minor(&self, units: i64, currency: &str) -> Option<i64> {
        let (ours, theirs) = (iso_decimals(currency), self.decimals_of(currency));
        match ours.checked_sub(theirs) {
            Some(more) => units.checked_mul(10i64.pow(more)),
            None => exact(units, 10i64.pow(theirs - ours)),
        }
    }

    /// Minor units as a decimal number with a point.
    pub fn text(&self, minor: i64, currency: &str) -> Result<String, CallFailed> {
        let units = self.units(minor, currency)?;
        let decimals = self.decimals_of(currency) as usize;
        if decimals == 0 {
            return Ok(units.to_string());
        }
        let digits = format!("{units:0>width$}", width = decimals + 1);
        let (whole, part) = digits.split_at(digits.len() - decimals);
        Ok(format!("{whole}.{part}"))
    }

    /// Such a number as minor units; `None` when it is none, or finer than the currency.
    pub fn parse(&self, text: &str, currency: &str) -> Option<i64> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let decimals = iso_decimals(currency) as usize;
        let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(part) {
            return None;
        }
        let kept = &part[..part.len().min(decimals)];
        if part[kept.len()..].contains(|c| c != '0') {
            return None;
        }
        format!("{whole}{kept:0<decimals$}").parse().ok()
    }
}

fn exact(value: i64, by: i64) -> Option<i64> {
    (value % by == 0).then_some(value / by)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ODD: Amounts = Amounts {
        only: &["EUR", "JPY", "XOF", "HUF", "KWD", "ISK", "UGX"],
        never: &["UGX"],
        decimals: &[("XOF", 2), ("HUF", 0), ("ISK", 2)],
        steps: &[("KWD", 10), ("ISK", 100)],
    };

    #[test]
    fn amounts_are_counted_as_the_provider_counts_and_never_rounded() {
        let fits = [
            ("EUR", 1050, 1050, "10.50"),
            ("EUR", 5, 5, "0.05"),
            ("JPY", 1050, 1050, "1050"),
            ("XOF", 1050, 105_000, "1050.00"),
            ("HUF", 105_000, 1050, "1050"),
            ("KWD", 1250, 1250, "1.250"),
            ("ISK", 12, 1200, "12.00"),
        ];
        for (currency, minor, units, text) in fits {
            assert_eq!(ODD.units(minor, currency), Ok(units), "{currency}");
            assert_eq!(ODD.minor(units, currency), Some(minor), "{currency}");
            assert_eq!(ODD.text(minor, currency).as_deref(), Ok(text));
            assert_eq!(ODD.parse(text, currency), Some(minor), "{text}");
        }
        for (currency, minor) in [("HUF", 105_001), ("KWD", 1251), ("USD", 100), ("UGX", 100)] {
            assert!(ODD.units(minor, currency).is_err(), "{currency} {minor}");
        }
        assert_eq!(ODD.minor(105_050, "XOF"), None);
        for text in [
            "",
            ".5",
            "1.",
            "1.001",
            "-1",
            "1e3",
            "1,5",
            "99999999999999999999",
        ] {
            let read = ODD.parse(text, "EUR");
            assert_eq!(read, (text == "1.").then_some(100), "{text:?}");
        }
        assert_eq!(ODD.parse("1.5000", "EUR"), Some(150));
    }
}
