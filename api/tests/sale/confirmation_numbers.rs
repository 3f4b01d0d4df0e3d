//! Confirmation numbers: their form, and that the check character finds what people get wrong when they read aloud.

use proptest::prelude::*;

use crate::{harness::Db, shop::Shop};

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The same scheme, written a second time.
fn check_character(digits: &str) -> char {
    let value = |byte: u8| {
        ALPHABET
            .iter()
            .position(|known| *known == byte)
            .expect("of the alphabet")
    };
    let sum: usize = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| match place % 2 {
            0 => 2 * value(byte) / 32 + 2 * value(byte) % 32,
            _ => value(byte),
        })
        .sum();
    char::from(ALPHABET[(32 - sum % 32) % 32])
}

fn digits_of(number: &str) -> String {
    number.strip_prefix("REG-").expect("REG-").replace('-', "")
}

async fn numbers(shop: &Shop, how_many: usize) -> Vec<String> {
    let sql = format!(
        "select string_agg(public.new_confirmation_number('{}'), ' ') from generate_series(1, {how_many})",
        shop.org
    );
    let text = shop.db.ask(&sql).await.expect("numbers");
    text.split(' ').map(str::to_owned).collect()
}

async fn well_formed(db: &Db, numbers: &[String]) -> usize {
    let list = numbers.join(" ");
    let sql = format!(
        "select count(*) from regexp_split_to_table('{list}', ' ') as n \
         where public.confirmation_number_is_well_formed(n)"
    );
    usize::try_from(db.ask_number(&sql).await).expect("a count")
}

#[tokio::test]
async fn numbers_are_well_formed_and_differ() {
    let (shop, _) = Shop::simple(1).await;
    let mut made = numbers(&shop, 2000).await;
    assert_eq!(well_formed(&shop.db, &made).await, made.len());
    for number in &made {
        let digits = digits_of(number);
        assert_eq!(digits.len(), 17, "{number}");
        assert!(digits.ends_with(check_character(&digits[..16])), "{number}");
    }
    made.sort();
    made.dedup();
    assert_eq!(made.len(), 2000);
}

#[tokio::test]
async fn the_date_is_that_of_the_organization() {
    let (shop, _) = Shop::simple(1).await;
    shop.db
        .run(
            "set role es_owner; create or replace function es.clock() returns timestamptz volatile \
             return timestamptz '2030-12-31 23:30:00+00'; reset role",
        )
        .await;
    let made = numbers(&shop, 1).await;
    assert!(
        made[0].starts_with("REG-20310101-"),
        "{made:?}: it is a new year in Berlin"
    );
}

#[tokio::test]
async fn what_has_another_form_is_not_well_formed() {
    let db = Db::new().await;
    for text in [
        "''",
        "null",
        "'REG-20300101-00000000'",
        "'reg-20300101-000000000'",
        "'REG-20300101-00000000U'",
    ] {
        let sql = format!("select public.confirmation_number_is_well_formed({text})::text");
        assert_eq!(db.ask(&sql).await.as_deref(), Some("false"), "{text}");
    }
}

#[tokio::test]
async fn a_number_that_exists_is_drawn_again() {
    let (shop, ticket_type) = Shop::simple(5).await;
    // The first draws of everybody are the same number.
    shop.db
        .run(&format!(
            "create sequence drawn; grant usage on sequence drawn to es_verbs; \
             alter function public.new_confirmation_number(uuid) rename to drawn_by_lot; \
             create function public.new_confirmation_number(p_org uuid) returns text language plpgsql as $$ \
             begin if nextval('public.drawn') <= 3 then return 'REG-20300101-000000000'; end if; \
             return public.drawn_by_lot('{}'); end $$; \
             alter function public.new_confirmation_number(uuid) owner to es_verbs",
            shop.org
        ))
        .await;
    shop.placed(&[(ticket_type, 1)]).await;
    shop.placed(&[(ticket_type, 1)]).await;
    assert_eq!(shop.db.ask_number("select last_value from drawn").await, 4);
    shop.db.assert_whole().await;
}

/// A change that a person makes by mistake: one wrong character, or two neighbours swapped.
fn mistaken(digits: &str, place: usize, with: u8) -> [String; 2] {
    let mut wrong = digits.as_bytes().to_vec();
    wrong[place] = ALPHABET[usize::from(with) % 32];
    let mut swapped = digits.as_bytes().to_vec();
    swapped.swap(place.min(15), place.min(15) + 1);
    [wrong, swapped].map(|bytes| String::from_utf8(bytes).expect("ASCII"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn one_wrong_character_or_a_swap_is_found(
        date in "20[0-9]{6}",
        random in "[0-9A-HJKMNP-TV-Z]{8}",
        place in 0_usize..17,
        with in any::<u8>(),
    ) {
        let mut digits = format!("{date}{random}");
        digits.push(check_character(&digits));
        for wrong in mistaken(&digits, place, with) {
            let pair = &digits[place.min(15)..=place.min(15) + 1];
            let blind = matches!(pair, "0Z" | "Z0");
            if wrong != digits && !blind {
                prop_assert!(!wrong.ends_with(check_character(&wrong[..16])), "{digits} as {wrong}");
            }
        }
    }
}

#[tokio::test]
async fn the_database_finds_what_the_property_says() {
    let (shop, _) = Shop::simple(1).await;
    let mut wrong = vec![];
    for number in numbers(&shop, 40).await {
        let digits = digits_of(&number);
        for place in 0..17 {
            for mistake in mistaken(&digits, place, digits.as_bytes()[(place + 5) % 17]) {
                let blind = digits.contains("0Z") || digits.contains("Z0");
                if mistake != digits && !blind {
                    wrong.push(format!("REG-{}-{}", &mistake[..8], &mistake[8..]));
                }
            }
        }
    }
    assert!(wrong.len() > 500);
    assert_eq!(well_formed(&shop.db, &wrong).await, 0);
}
