//! A client of `graphql-transport-ws` made of raw frames.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest as _,
        http::{HeaderName, HeaderValue},
    },
};

/// Longest wait for what must come.
const PATIENCE: Duration = Duration::from_secs(30);
/// The protocol.
pub const PROTOCOL: &str = "graphql-transport-ws";

/// One connection.
pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Connects to a server at `http://...` with these headers.
    pub async fn try_open(url: &str, headers: &[(&'static str, &str)]) -> Result<Self, Box<Error>> {
        let url = format!("{}/graphql", url.replacen("http://", "ws://", 1));
        let mut request = url.into_client_request().expect("an address");
        for (name, value) in headers {
            let name = HeaderName::from_static(name);
            let value = HeaderValue::from_str(value).expect("a header");
            request.headers_mut().insert(name, value);
        }
        let (socket, _) = connect_async(request).await.map_err(Box::new)?;
        Ok(Self(socket))
    }

    /// Connects and agrees on the protocol.
    pub async fn open(url: &str) -> Self {
        let opened = Self::try_open(url, &[("sec-websocket-protocol", PROTOCOL)]).await;
        opened.expect("a connection")
    }

    /// The same, let in as whoever that payload names.
    pub async fn of(url: &str, payload: Value) -> Self {
        let mut socket = Self::open(url).await;
        socket
            .say(json!({ "type": "connection_init", "payload": payload }))
            .await;
        assert_eq!(socket.hear().await, json!({ "type": "connection_ack" }));
        socket
    }

    /// The same, as whoever holds the token.
    pub async fn with_token(url: &str, token: &str) -> Self {
        Self::of(url, json!({ "Authorization": format!("Bearer {token}") })).await
    }

    /// The same, as nobody in particular.
    pub async fn visitor(url: &str) -> Self {
        Self::of(url, json!({})).await
    }

    /// Sends a text.
    pub async fn write(&mut self, text: impl Into<String>) {
        self.frame(Message::Text(text.into().into())).await;
    }

    /// Sends a frame.
    pub async fn frame(&mut self, message: Message) {
        // A server that has said why may be gone already.
        let _ = self.0.send(message).await;
    }

    /// Sends a message.
    pub async fn say(&mut self, message: Value) {
        self.write(message.to_string()).await;
    }

    /// Begins an operation.
    pub async fn begin(&mut self, id: &str, query: &str, variables: Value) {
        let payload = json!({ "query": query, "variables": variables });
        self.say(json!({ "type": "subscribe", "id": id, "payload": payload }))
            .await;
    }

    async fn next(&mut self) -> Option<Message> {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.0.next()).await;
            match next.expect("nothing comes") {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(message)) => return Some(message),
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// The next message; nothing when the connection is gone.
    pub async fn heard(&mut self) -> Option<Value> {
        match self.next().await? {
            Message::Text(text) => serde_json::from_str(&text).ok(),
            _ => None,
        }
    }

    /// The next message.
    pub async fn hear(&mut self) -> Value {
        match self.next().await {
            Some(Message::Text(text)) => serde_json::from_str(&text).expect("JSON"),
            other => panic!("no message but {other:?}"),
        }
    }

    /// The payload of the next message, which must be a `next` of that operation.
    pub async fn told(&mut self, id: &str) -> Value {
        let mut message = self.hear().await;
        assert_eq!(
            (&message["type"], &message["id"]),
            (&json!("next"), &json!(id)),
            "{message:#}"
        );
        message["payload"].take()
    }

    /// What the field of the next message holds, which must have no errors.
    pub async fn data(&mut self, id: &str, field: &str) -> Value {
        let mut payload = self.told(id).await;
        assert!(payload.get("errors").is_none(), "{payload:#}");
        payload["data"][field].take()
    }

    /// The code of the next message, which must be an `error` of that operation.
    pub async fn refused(&mut self, id: &str) -> String {
        let message = self.hear().await;
        assert_eq!(
            (&message["type"], &message["id"]),
            (&json!("error"), &json!(id)),
            "{message:#}"
        );
        let code = message["payload"][0]["extensions"]["code"].as_str();
        code.unwrap_or_else(|| panic!("no code: {message:#}"))
            .to_owned()
    }

    /// The code that it is closed with; messages before that are let go.
    pub async fn closed(&mut self) -> u16 {
        loop {
            match self.next().await {
                Some(Message::Close(Some(frame))) => return frame.code.into(),
                Some(Message::Text(_) | Message::Binary(_)) => {}
                other => panic!("not closed with a code: {other:?}"),
            }
        }
    }

    /// The next message, if one comes in that time.
    pub async fn within(&mut self, time: Duration) -> Option<Value> {
        let end = tokio::time::Instant::now() + time;
        loop {
            match tokio::time::timeout_at(end, self.0.next()).await.ok()? {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).ok(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("no message but {other:?}"),
            }
        }
    }

    /// Fails if anything comes in that time.
    pub async fn is_silent(&mut self, time: Duration) {
        assert_eq!(self.within(time).await, None);
    }
}
