//! What things cost: tiers, discounts, codes, donations, add-ons, fees, taxes, and that all of it adds up.

mod add_ons;
mod changes;
mod codes;
mod coming;
mod documents;
mod model;
mod properties;
mod reference;
mod tiers;

use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    harness::{As, outcome},
    shop::{Shop, Sold},
};

/// What of a row is not the same everywhere, as `column = value` pairs in SQL.
type Columns<'a> = &'a [(&'a str, &'a str)];

impl Shop {
    /// A row of the event's in a table of prices.
    pub async fn adds(&self, table: &str, columns: Columns<'_>) -> Uuid {
        let id = Uuid::now_v7();
        let names: String = columns
            .iter()
            .map(|(name, _)| format!(", {name}"))
            .collect();
        let values: String = columns
            .iter()
            .map(|(_, value)| format!(", {value}"))
            .collect();
        self.db
            .run(&format!(
                "insert into {table} (id, org_id, event_id{names}) values ('{id}', '{}', '{}'{values})",
                self.org, self.event
            ))
            .await;
        id
    }

    pub async fn tier(&self, of: Uuid, price: i64, more: Columns<'_>) -> Uuid {
        let (of, price) = (format!("'{of}'"), price.to_string());
        let mut columns = vec![
            ("ticket_type_id", of.as_str()),
            ("price_minor", &price),
            ("name", "'Tier'"),
            ("currency", "'EUR'"),
        ];
        columns.extend_from_slice(more);
        self.adds("price_tiers", &columns).await
    }

    pub async fn code(&self, text: &str, kind: &str, more: Columns<'_>) -> Uuid {
        let (text, kind) = (format!("'{text}'"), format!("'{kind}'"));
        let mut columns = vec![("code", text.as_str()), ("kind", &kind)];
        columns.extend_from_slice(more);
        self.adds("promo_codes", &columns).await
    }

    pub async fn tax(&self, rate: i64, inclusive: bool) -> Uuid {
        let (rate, inclusive) = (rate.to_string(), inclusive.to_string());
        let columns = [
            ("name", "'VAT'"),
            ("rate_millionths", rate.as_str()),
            ("inclusive", &inclusive),
        ];
        self.adds("tax_rules", &columns).await
    }

    /// A ticket type that nothing limits.
    pub async fn unlimited(&self, price: i64) -> Uuid {
        self.sells(Sold { price, pools: &[] }).await
    }

    /// What placing answers to a visitor, with more said in the request.
    pub async fn place_with(&self, wishes: &[(Uuid, i64)], more: Json) -> (Json, As) {
        let secret_hash = Uuid::new_v4().simple().to_string();
        let mut request = self.request(wishes);
        request["guest_secret_hash"] = json!(secret_hash);
        merge(&mut request, more);
        let answer = self
            .db
            .call(&As::visitor(self.org), "place_registration", &request)
            .await;
        (answer, As::guest(self.org, &secret_hash))
    }

    /// What is answered to a visitor who asks for the price.
    pub async fn price(&self, wishes: &[(Uuid, i64)], more: Json) -> Json {
        let mut request = self.request(wishes);
        merge(&mut request, more);
        self.db
            .call(&As::visitor(self.org), "price_checkout", &request)
            .await
    }

    /// Parts of the items of a registration, in their order: `column, column` as `1/2 1/2`.
    pub async fn items(&self, registration: &str, columns: &str) -> String {
        let sql = format!(
            "select string_agg(concat_ws('/', {columns}), ' ' order by position) from registration_items \
             where registration_id = '{registration}'"
        );
        self.db.ask(&sql).await.expect("items")
    }

    /// A column of a registration.
    pub async fn of_registration(&self, registration: &str, column: &str) -> i64 {
        let sql = format!("select {column} from registrations where id = '{registration}'");
        self.db.ask_number(&sql).await
    }
}

fn merge(request: &mut Json, more: Json) {
    for (key, value) in more.as_object().into_iter().flatten() {
        request[key] = value.clone();
    }
}

/// The key of what was placed.
fn placed(answer: &Json) -> String {
    assert_eq!(outcome(answer), "placed", "{answer}");
    answer["registration_id"]
        .as_str()
        .expect("a key")
        .to_owned()
}
