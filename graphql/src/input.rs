//! The input of a verb: checked against its description, ids opened, enums in their stored form, nothing unknown.

use serde_json::{Map, Value as Json, json};

use crate::{
    catalog::{Catalog, Scalar},
    engine::Param,
    values::{self, BadValue},
    verb::{InputField, InputObject, InputType},
};

/// The longest list that an input takes.
const LONGEST_LIST: usize = 1000;

/// What the verb's `run` deserialises.
pub fn coerce(
    catalog: &Catalog,
    description: &InputObject,
    given: &Json,
) -> Result<Json, BadValue> {
    object(catalog, description, given, "input")
}

fn object(
    catalog: &Catalog,
    description: &InputObject,
    given: &Json,
    path: &str,
) -> Result<Json, BadValue> {
    let Some(given) = given.as_object() else {
        return Err(BadValue(format!("`{path}` must be an object")));
    };
    if let Some(unknown) = given
        .keys()
        .find(|name| !description.fields.iter().any(|field| &field.name == *name))
    {
        return Err(BadValue(format!("`{path}` has no field `{unknown}`")));
    }
    let mut out = Map::new();
    for field in &description.fields {
        let path = format!("{path}.{}", field.name);
        match given.get(&field.name) {
            None if field.required => return Err(BadValue(format!("`{path}` is missing"))),
            None => {}
            Some(Json::Null) if field.required => {
                return Err(BadValue(format!("`{path}` must not be null")));
            }
            Some(Json::Null) => {
                out.insert(field.name.clone(), Json::Null);
            }
            Some(value) => {
                out.insert(field.name.clone(), one(catalog, field, value, &path)?);
            }
        }
    }
    Ok(Json::Object(out))
}

fn one(catalog: &Catalog, field: &InputField, value: &Json, path: &str) -> Result<Json, BadValue> {
    let list = |each: &dyn Fn(&Json, &str) -> Result<Json, BadValue>| {
        let items = values::items(value);
        if items.len() > LONGEST_LIST {
            return Err(BadValue(format!(
                "`{path}` takes at most {LONGEST_LIST} items"
            )));
        }
        items
            .iter()
            .enumerate()
            .map(|(index, item)| match item.is_null() {
                true => Err(BadValue(format!("`{path}.{index}` must not be null"))),
                false => each(item, &format!("{path}.{index}")),
            })
            .collect::<Result<Vec<_>, _>>()
            .map(Json::Array)
    };
    let shared = |name: &str| {
        catalog
            .inputs
            .get(name)
            .ok_or_else(|| BadValue(format!("no input {name}")))
    };
    match &field.input_type {
        InputType::Scalar(kind) => scalar(catalog, kind, value, path),
        InputType::List(kind) => list(&|item, path| scalar(catalog, kind, item, path)),
        InputType::Object(name) => object(catalog, shared(name)?, value, path),
        InputType::Objects(name) => {
            let description = shared(name)?;
            list(&|item, path| object(catalog, description, item, path))
        }
        InputType::Money => money(catalog, value, path),
    }
}

fn money(catalog: &Catalog, value: &Json, path: &str) -> Result<Json, BadValue> {
    let minor = value.get("minorUnits").unwrap_or(&Json::Null);
    let currency = value.get("currencyCode").unwrap_or(&Json::Null);
    let code = values::text(currency, &format!("{path}.currencyCode"))?;
    if code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(BadValue(format!(
            "`{path}.currencyCode` must be three capital letters of ISO 4217"
        )));
    }
    Ok(json!({
        "minorUnits": scalar(catalog, &Scalar::BigInt, minor, &format!("{path}.minorUnits"))?,
        "currencyCode": code,
    }))
}

fn scalar(catalog: &Catalog, kind: &Scalar, value: &Json, path: &str) -> Result<Json, BadValue> {
    Ok(
        match values::param(catalog, kind, value, &format!("`{path}`"))? {
            Param::Text(text) => Json::String(text),
            Param::Uuid(key) => Json::String(key.to_string()),
            Param::Int(n) => json!(n),
            Param::BigInt(n) => json!(n),
            Param::Bool(b) => json!(b),
            Param::Timestamp(at) => json!(at),
            Param::Date(day) => json!(day),
            Param::Texts(texts) => json!(texts),
            other => return Err(BadValue(format!("`{path}` cannot be read: {other:?}"))),
        },
    )
}
