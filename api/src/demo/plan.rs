//! The shape of what is planned: houses, their shows, and when a show takes place as seen from today.

use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::fault::Fault;

/// An organization.
pub struct House {
    pub slug: &'static str,
    pub name: &'static str,
    pub country: &'static str,
    pub currency: &'static str,
    pub time_zone: &'static str,
    pub owner: Person,
    pub venues: &'static [Venue],
    pub speakers: &'static [Speaker],
    pub shows: &'static [Show],
}

/// Somebody who can sign in.
pub struct Person {
    pub name: &'static str,
    pub email: &'static str,
}

pub struct Venue {
    pub name: &'static str,
    pub address_line: &'static str,
    pub city: &'static str,
    pub postal_code: &'static str,
}

pub struct Speaker {
    pub name: &'static str,
    pub title: &'static str,
    pub company: &'static str,
    pub bio: &'static str,
}

/// An event.
pub struct Show {
    pub slug: &'static str,
    pub title: &'static str,
    pub summary: &'static str,
    pub description: &'static str,
    pub format: &'static str,
    pub visibility: &'static str,
    pub venue: Option<&'static str>,
    pub join_url: Option<&'static str>,
    pub needs_approval: bool,
    pub begins: Moment,
    pub lasts_hours: i64,
    pub fate: Fate,
    /// Name and capacity of each pool; without one it is unlimited.
    pub pools: &'static [(&'static str, Option<i32>)],
    pub offers: &'static [Offer],
    pub prices: Prices,
    pub talks: &'static [Talk],
    /// How many guests register.
    pub registrations: u32,
    /// Whether the attendee of the demo sign-ins goes there, too.
    pub for_the_attendee: bool,
}

/// What a show is filled in from; each show says only what is its own.
pub const SHOW: Show = Show {
    slug: "",
    title: "",
    summary: "",
    description: "",
    format: "in_person",
    visibility: "public",
    venue: None,
    join_url: None,
    needs_approval: false,
    begins: Moment { day: 0, hour: 0 },
    lasts_hours: 1,
    fate: Fate::OnSale,
    pools: &[],
    offers: &[],
    prices: PRICES,
    talks: &[],
    registrations: 0,
    for_the_attendee: false,
};

/// A full hour, days from today, in the zone of the house.
#[derive(Clone, Copy)]
pub struct Moment {
    pub day: i32,
    pub hour: u32,
}

/// Where a show stands once everything is filled in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Draft,
    OnSale,
    /// It took place.
    Over,
    CalledOff,
}

/// A ticket type.
pub struct Offer {
    pub name: &'static str,
    pub description: &'static str,
    pub price_minor: i64,
    /// Indices of the show's pools that it draws from.
    pub pools: &'static [usize],
    /// Of a hundred registrations, so many take this one.
    pub share: u32,
}

/// What prices of a show are made of beside those that its offers list. Places in `offers` are told by their index.
pub struct Prices {
    pub tiers: &'static [Tier],
    /// Offers that are bought with another one, each with that one: at most one for each of it.
    pub add_ons: &'static [(usize, usize)],
    pub discount: Option<Discount>,
    pub code: Option<Code>,
    /// Name and rate in millionths, contained in the prices.
    pub tax: Option<(&'static str, i32)>,
    pub fee: Option<Fee>,
}

/// Nothing but what is listed.
pub const PRICES: Prices = Prices {
    tiers: &[],
    add_ons: &[],
    discount: None,
    code: None,
    tax: None,
    fee: None,
};

/// A price for the first ones, or until some days from today.
pub struct Tier {
    pub offer: usize,
    pub name: &'static str,
    pub price_minor: i64,
    pub quantity: Option<i32>,
    pub ends: Option<Moment>,
}

/// So much off for so many, in millionths.
pub struct Discount {
    pub name: &'static str,
    pub rate: i32,
    pub min_tickets: i32,
}

/// A promo code, with what it takes off in millionths and how often it can be used.
pub struct Code {
    pub text: &'static str,
    pub rate: i32,
    pub max_uses: i32,
    pub max_uses_per_buyer: i32,
}

/// What is charged for the service, a ticket each, with a tax of its own on top.
pub struct Fee {
    pub name: &'static str,
    pub amount_minor: i64,
    pub rate: i32,
    pub tax: (&'static str, i32),
}

/// A session of the programme.
pub struct Talk {
    pub title: &'static str,
    pub room: &'static str,
    pub track: &'static str,
    /// Minutes after the show begins.
    pub after: i64,
    pub minutes: i64,
    /// Names of speakers of the house.
    pub speakers: &'static [&'static str],
}

impl House {
    /// Where `moment` falls, as seen from `now`.
    pub fn instant(&self, now: DateTime<Utc>, moment: Moment) -> Result<DateTime<Utc>, Fault> {
        let zone: Tz = self.time_zone.parse().map_err(Fault::internal)?;
        let today = now.with_timezone(&zone).date_naive();
        let days = Days::new(moment.day.unsigned_abs().into());
        let day = match moment.day < 0 {
            true => today.checked_sub_days(days),
            false => today.checked_add_days(days),
        };
        day.zip(NaiveTime::from_hms_opt(moment.hour, 0, 0))
            // An hour that summer time skips or doubles: the first that fits, or the same hour of UTC.
            .map(|(day, time)| {
                let local = day.and_time(time);
                local
                    .and_local_timezone(zone)
                    .earliest()
                    .map_or(local.and_utc(), |instant| instant.with_timezone(&Utc))
            })
            .ok_or_else(|| Fault::Internal("a show is planned outside the calendar".to_owned()))
    }
}

impl Show {
    /// Begin and end, as seen from `now`.
    pub fn dates(
        &self,
        house: &House,
        now: DateTime<Utc>,
    ) -> Result<(DateTime<Utc>, DateTime<Utc>), Fault> {
        let begins = house.instant(now, self.begins)?;
        Ok((begins, begins + TimeDelta::hours(self.lasts_hours)))
    }

    /// Which ticket type the registration of that number takes. Scattered evenly, so that all lists show all of them.
    pub fn offer_of(&self, number: u32) -> usize {
        let mut place = (number * 37) % 100;
        for (index, offer) in self.offers.iter().enumerate() {
            if place < offer.share {
                return index;
            }
            place -= offer.share;
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::HOUSES;

    #[test]
    fn what_is_planned_fits_together() {
        for house in HOUSES {
            for show in house.shows {
                let known = |name: &str| house.speakers.iter().any(|speaker| speaker.name == name);
                assert!(
                    show.talks
                        .iter()
                        .flat_map(|talk| talk.speakers)
                        .all(|name| known(name))
                );
                assert!(
                    show.venue
                        .is_none_or(|name| house.venues.iter().any(|venue| venue.name == name))
                );
                assert_eq!(
                    show.offers.iter().map(|offer| offer.share).sum::<u32>(),
                    100,
                    "{}",
                    show.slug
                );
                assert!(
                    show.offers
                        .iter()
                        .all(|offer| offer.pools.iter().all(|pool| *pool < show.pools.len()))
                );
                let offered = |offer: usize| offer < show.offers.len();
                let Prices { tiers, add_ons, .. } = &show.prices;
                assert!(tiers.iter().all(|tier| offered(tier.offer)));
                assert!(
                    add_ons
                        .iter()
                        .all(|(add_on, to)| offered(*to) && show.offers[*add_on].share == 0),
                    "{}: an add-on is bought alone",
                    show.slug
                );
                let last = i64::from(24 * show.begins.day) + show.lasts_hours;
                assert!(
                    show.fate != Fate::Over || last < 0,
                    "{} is not over",
                    show.slug
                );
                assert!(
                    show.talks
                        .iter()
                        .all(|talk| talk.after + talk.minutes <= 60 * show.lasts_hours),
                    "{}",
                    show.slug
                );
            }
        }
    }

    #[test]
    fn hours_are_meant_in_the_zone_of_the_house() {
        let now: DateTime<Utc> = "2026-06-30T23:00:00Z".parse().unwrap();
        let at = |house: &House| {
            house
                .instant(now, Moment { day: 1, hour: 9 })
                .unwrap()
                .to_rfc3339()
        };
        // In Berlin it is the first of July already, and summer.
        assert_eq!(at(HOUSES[0]), "2026-07-02T07:00:00+00:00");
        assert_eq!(at(HOUSES[1]), "2026-07-02T00:00:00+00:00");
    }
}
