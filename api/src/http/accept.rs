//! Which media type an answer has, by the `Accept` header (GraphQL over HTTP, section "Media Types").

use axum::http::{HeaderMap, header};

/// The two media types of GraphQL answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MediaType {
    /// `application/graphql-response+json`: the status says how far the request came.
    GraphqlResponse,
    /// `application/json`: the status is 200 for every well-formed request.
    Json,
}

impl MediaType {
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }
}

/// One range of an `Accept` header.
struct Range {
    name: String,
    quality: f32,
}

/// What the client prefers of what we have; `None` when it accepts neither. Where both are liked as much, JSON is the
/// one that every client reads, unless the other was named and stands first.
pub(super) fn negotiate(headers: &HeaderMap) -> Option<MediaType> {
    let values: Vec<&str> = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    let ranges: Vec<Range> = values
        .iter()
        .flat_map(|value| value.split(','))
        .filter_map(range)
        .collect();
    if values.iter().all(|value| value.trim().is_empty()) {
        return Some(MediaType::Json);
    }
    let first = |name: &str| ranges.iter().position(|range| range.name == name);
    let json = quality(&ranges, "application/json");
    let graphql = quality(&ranges, "application/graphql-response+json");
    let named_first = first("application/graphql-response+json")
        .is_some_and(|ours| first("application/json").is_none_or(|json| ours < json));
    match (graphql > 0.0, json > 0.0) {
        (false, false) => None,
        (true, false) => Some(MediaType::GraphqlResponse),
        (false, true) => Some(MediaType::Json),
        (true, true) if graphql > json || (graphql >= json && named_first) => {
            Some(MediaType::GraphqlResponse)
        }
        (true, true) => Some(MediaType::Json),
    }
}

/// How much a type is liked: by the range that names it most exactly.
fn quality(ranges: &[Range], name: &str) -> f32 {
    [name, "application/*", "*/*"]
        .iter()
        .find_map(|pattern| ranges.iter().find(|range| range.name == *pattern))
        .map_or(0.0, |range| range.quality)
}

/// `None` for a range that only other character sets meet.
fn range(text: &str) -> Option<Range> {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default().to_ascii_lowercase();
    let mut quality = 1.0;
    for parameter in parts {
        let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match key.trim().to_ascii_lowercase().as_str() {
            "q" => quality = value.trim().parse().unwrap_or(0.0),
            "charset" if !value.trim_matches('"').eq_ignore_ascii_case("utf-8") => return None,
            _ => {}
        }
    }
    Some(Range { name, quality })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(accept: &str) -> Option<MediaType> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().unwrap());
        negotiate(&headers)
    }

    #[test]
    fn the_best_liked_type_is_taken() {
        use MediaType::{GraphqlResponse, Json};
        assert_eq!(negotiate(&HeaderMap::new()), Some(Json));
        assert_eq!(of("*/*"), Some(Json));
        assert_eq!(of("application/json"), Some(Json));
        assert_eq!(
            of("application/graphql-response+json, application/json;q=0.9"),
            Some(GraphqlResponse)
        );
        assert_eq!(
            of("application/graphql-response+json;q=0.5, application/json"),
            Some(Json)
        );
        assert_eq!(of("application/json; charset=utf-8"), Some(Json));
        assert_eq!(of("application/json;q=0, */*"), Some(GraphqlResponse));
        assert_eq!(
            of("application/graphql-response+json, */*;q=0.1"),
            Some(GraphqlResponse)
        );
        assert_eq!(
            of("application/json, application/graphql-response+json"),
            Some(Json)
        );
        assert_eq!(of("application/graphql-response+json;q=0, */*"), Some(Json));
        assert_eq!(of("*/*;q=0"), None);
        assert_eq!(of(""), Some(Json));
        assert_eq!(of("text/html"), None);
        assert_eq!(of("application/json; charset=utf-16"), None);
    }
}
