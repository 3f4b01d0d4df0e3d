//! One who watches, over a WebSocket of their own with small buffers: eleven thousand share a machine with the server.

use std::{net::SocketAddr, time::Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{net::TcpStream, sync::mpsc::UnboundedSender};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Message, client::IntoClientRequest as _, http::HeaderValue, protocol::WebSocketConfig,
    },
};

use crate::Failure;

/// A message of a subscription, as it came.
pub struct Heard {
    /// Who heard it.
    pub client: usize,
    pub at: Instant,
    /// What the root field holds.
    pub said: Value,
}

/// Connected and told how things stand.
pub struct Client {
    socket: WebSocketStream<TcpStream>,
    number: usize,
    field: &'static str,
}

impl Client {
    /// Begins to watch; what was said first.
    pub async fn begin(
        address: SocketAddr,
        number: usize,
        who: &Value,
        (field, query, variables): (&'static str, &str, &Value),
    ) -> Result<(Self, Value), Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut request = format!("ws://{address}/graphql").into_client_request()?;
        let protocol = HeaderValue::from_static("graphql-transport-ws");
        request
            .headers_mut()
            .insert("sec-websocket-protocol", protocol);
        let config = WebSocketConfig::default()
            .read_buffer_size(1024)
            .write_buffer_size(0);
        let (mut socket, _) = client_async_with_config(request, stream, Some(config)).await?;
        let payload = json!({ "query": query, "variables": variables });
        for message in [
            json!({ "type": "connection_init", "payload": who }),
            json!({ "type": "subscribe", "id": "1", "payload": payload }),
        ] {
            socket
                .send(Message::Text(message.to_string().into()))
                .await?;
            if message["type"] == "connection_init" {
                let ack = next(&mut socket).await?;
                if ack["type"] != "connection_ack" {
                    return Err(format!("not let in: {ack}").into());
                }
            }
        }
        let mut first = next(&mut socket).await?;
        let said = first["payload"]["data"][field].take();
        if said["type"] != "subscription.started" {
            return Err(format!("not begun: {first}").into());
        }
        let client = Self {
            socket,
            number,
            field,
        };
        Ok((client, said))
    }

    /// Listens until the bench ends, or the server does.
    pub async fn listen(mut self, say: UnboundedSender<Heard>) {
        while let Ok(mut message) = next(&mut self.socket).await {
            let heard = Heard {
                client: self.number,
                at: Instant::now(),
                said: message["payload"]["data"][self.field].take(),
            };
            if say.send(heard).is_err() {
                return;
            }
        }
    }
}

async fn next(socket: &mut WebSocketStream<TcpStream>) -> Result<Value, Failure> {
    loop {
        match socket.next().await.ok_or("the connection was closed")?? {
            Message::Text(text) => return Ok(serde_json::from_str(&text)?),
            Message::Close(frame) => return Err(format!("closed: {frame:?}").into()),
            _ => {}
        }
    }
}
