//! All three contestants give the same answer to the same question, or there is nothing to compare.
use serde_json::Value;

use super::{
    member::Member,
    peer::Peer,
    shapes::{SHAPES, Shape, plain},
};
use crate::{
    Failure,
    ground::{Ground, LOGIN, told},
    http,
};

/// How many of its values each shape is compared for.
const COMPARED: usize = 40;

/// Compares; a difference ends the bench and is shown.
pub async fn check(ground: &Ground, peer: &Peer, members: &[Member]) -> Result<bool, Failure> {
    let bare = ground.connect(LOGIN).await?;
    for shape in SHAPES {
        let (ours, theirs) = (shape.ours(members)?, shape.theirs(members)?);
        let mut bytes = [0; 3];
        for (index, draw) in shape.draws().into_iter().enumerate().take(COMPARED) {
            let mut answers = vec![];
            for (address, request) in [
                (ground.server.address, &ours[index]),
                (peer.address, &theirs[index]),
            ] {
                let body = http::once(address, request).await?;
                answers.push((
                    body.len(),
                    serde_json::from_slice::<Value>(&body)?["data"].take(),
                ));
            }
            let text = bare_answer(&bare, &shape.statements(members, draw)?).await?;
            answers.push((text.len(), serde_json::from_str(&text)?));
            let plain: Vec<Value> = answers.iter().map(|(_, answer)| plain(answer)).collect();
            if plain[0] != plain[1] || plain[0] != plain[2] || says_nothing(shape, &plain[0]) {
                let name = shape.name();
                return Err(format!(
                    "{name}, {draw:?}: answers differ or are empty\nours {}\npeer {}\nbare {}",
                    plain[0], plain[1], plain[2]
                )
                .into());
            }
            for (sum, (length, _)) in bytes.iter_mut().zip(&answers) {
                *sum += length;
            }
        }
        let mean = bytes.map(|sum| sum / COMPARED);
        eprintln!(
            "{}: equal answers; bytes of a body: ours {}, PostGraphile {}, bare {}",
            shape.name(),
            mean[0],
            mean[1],
            mean[2]
        );
    }
    Ok(true)
}

/// Three times nothing is equal, too.
fn says_nothing(shape: Shape, answer: &Value) -> bool {
    let list = match shape {
        Shape::EventPage => &answer["event"]["sessions"]["nodes"],
        Shape::OrganizerList => &answer["event"]["registrations"]["nodes"],
        Shape::Discovery => &answer["events"]["nodes"],
    };
    list.as_array().is_none_or(Vec::is_empty)
}

async fn bare_answer(
    client: &tokio_postgres::Client,
    statements: &[String],
) -> Result<String, Failure> {
    let mut answer = String::new();
    for statement in statements {
        let rows = client
            .simple_query(statement)
            .await
            .map_err(|error| format!("{}\nin {statement}", told(&error)))?;
        if statement.starts_with("select json_build_object") {
            answer = rows
                .iter()
                .find_map(|message| match message {
                    tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
                    _ => None,
                })
                .unwrap_or_default();
        }
    }
    Ok(answer)
}
