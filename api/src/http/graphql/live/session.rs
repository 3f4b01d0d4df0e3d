//! A connection of `graphql-transport-ws`, from its first message to the code that it is closed with.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::{
    extract::ws::{CloseFrame, Message, WebSocket},
    http::HeaderMap,
};
use serde_json::{Map, Value, json};
use tokio::{
    sync::mpsc,
    task::AbortHandle,
    time::{Instant, MissedTickBehavior, interval, sleep_until, timeout},
};

use super::{
    super::{Refused, request::from_json},
    message::{Said, read},
    operate::operate,
    who::{Somebody, Turned, become_known, told},
};
use crate::{
    fault::Fault,
    http::{RequestHost, RequestId},
    live::{End, Ending, MOST_WAITING, Out, Outlet, Place, Subscribed},
    state::App,
    verbs::RequestInfo,
};

/// How long a client may take to say who it is.
const INIT: Duration = Duration::from_secs(10);
/// How often it is looked whether the client is still there; of whom nothing was heard for two such times it is not.
const BEAT: Duration = Duration::from_secs(25);
/// How long a client may take to hear why it is cut off, and to say good-bye.
const FAREWELL: Duration = Duration::from_secs(2);
/// Longest name of an operation, bytes.
const LONGEST_NAME: usize = 256;

/// Why a connection is closed: code and reason.
struct Close(u16, String);

impl Close {
    fn new(code: u16, reason: impl Into<String>) -> Self {
        let mut reason = reason.into();
        // A close frame has room for no more.
        let end = (0..=reason.len().min(120))
            .rev()
            .find(|at| reason.is_char_boundary(*at));
        reason.truncate(end.unwrap_or(0));
        Self(code, reason)
    }
}

impl From<End> for Close {
    fn from(why: End) -> Self {
        match why {
            End::Slow => Self::new(4008, "Too slow: come back with your last cursor"),
            End::Forbidden => Self::new(4403, "Forbidden: the token, session or role has changed"),
            End::TryAgain => Self::new(1013, "Try again later, with your last cursor"),
        }
    }
}

/// What is known of a connection before its first message.
pub(super) struct Arrival {
    /// Whether the protocol was agreed on.
    pub speaks: bool,
    pub info: RequestInfo,
    pub headers: Arc<HeaderMap>,
    pub places: Vec<Place>,
}

/// An operation under way.
struct Operation {
    /// The client's name for it; this very text, so that a later one of the same name is another.
    name: Arc<str>,
    task: AbortHandle,
    /// Ends with it.
    _subscribed: Option<Subscribed>,
}

impl Drop for Operation {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Session {
    app: App,
    arrival: Arrival,
    ending: Ending,
    queue: mpsc::Sender<Out>,
    asked_in: bool,
    somebody: Option<Somebody>,
    operations: HashMap<Arc<str>, Operation>,
}

/// Serves it to its end.
pub(super) async fn serve(app: App, mut socket: WebSocket, arrival: Arrival) {
    if !arrival.speaks {
        close(socket, Close::new(4406, "Subprotocol not acceptable")).await;
        return;
    }
    let (queue, mut out) = mpsc::channel(MOST_WAITING);
    let mut session = Session {
        app,
        arrival,
        ending: Ending::default(),
        queue,
        asked_in: false,
        somebody: None,
        operations: HashMap::new(),
    };
    if let Some(why) = session.talk(&mut socket, &mut out).await {
        drop(session.operations.drain());
        close(socket, why).await;
    }
}

impl Session {
    /// Returns why the connection is to be closed; nothing when it is closed already.
    async fn talk(
        &mut self,
        socket: &mut WebSocket,
        out: &mut mpsc::Receiver<Out>,
    ) -> Option<Close> {
        let stopping = self.app.live.stopping().clone();
        let ending = self.ending.clone();
        let too_late = Instant::now() + INIT;
        let mut heard = Instant::now();
        let mut beat = interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        beat.tick().await;
        loop {
            let frame = tokio::select! {
                said = socket.recv() => {
                    heard = Instant::now();
                    match said {
                        Some(Ok(said)) => match Box::pin(self.heard(said)).await {
                            Ok(Some(answer)) => answer,
                            Ok(None) => continue,
                            Err(why) => return Some(why),
                        },
                        Some(Err(error)) if is_too_large(&error) => {
                            return Some(Close::new(1009, "Message too big"));
                        }
                        Some(Err(_)) | None => return None,
                    }
                }
                Some(out) = out.recv() => match self.frame(out) {
                    Some(frame) => frame,
                    None => continue,
                },
                () = sleep_until(too_late), if !self.asked_in => {
                    return Some(Close::new(4408, "Connection initialisation timeout"));
                }
                why = ending.ended() => return Some(why.into()),
                () = stopping.cancelled() => return Some(Close::new(1012, "Service restart")),
                _ = beat.tick() => {
                    if heard.elapsed() > 2 * BEAT {
                        return None;
                    }
                    Message::Ping(Vec::new().into())
                }
            };
            tokio::select! {
                sent = socket.send(frame) => {
                    if sent.is_err() {
                        return None;
                    }
                }
                // Whoever does not read must not keep us from ending it.
                why = ending.ended() => return Some(why.into()),
                () = stopping.cancelled() => return Some(Close::new(1012, "Service restart")),
            }
        }
    }

    /// What a message is answered with at once.
    async fn heard(&mut self, message: Message) -> Result<Option<Message>, Close> {
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(_) => return Err(Close::new(4400, "Messages are text")),
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => return Ok(None),
        };
        let said =
            read(&text).map_err(|reason| Close::new(4400, format!("Invalid message: {reason}")))?;
        match said {
            Said::Init(said) => self.init(&said).await.map(Some),
            Said::Ping(payload) => Ok(Some(pong(payload))),
            Said::Pong => Ok(None),
            Said::Subscribe(name, request) => {
                self.subscribe(&name, &request)?;
                Ok(None)
            }
            Said::Complete(name) => {
                self.operations.remove(name.as_str());
                Ok(None)
            }
        }
    }

    async fn init(&mut self, said: &Map<String, Value>) -> Result<Message, Close> {
        if self.asked_in {
            return Err(Close::new(4429, "Too many initialisation requests"));
        }
        self.asked_in = true;
        let headers = told(&self.arrival.headers, said);
        let places = std::mem::take(&mut self.arrival.places);
        let info = self.arrival.info.clone();
        let known = become_known(&self.app, info, &headers, places, &self.ending);
        match Box::pin(known).await {
            Ok(somebody) => self.somebody = Some(somebody),
            Err(Turned::TooMany) => {
                return Err(Close::new(4290, "Too many connections: try again later"));
            }
            Err(Turned::Away(fault)) => {
                return Err(match &fault {
                    Fault::Throttled { .. } | Fault::Unavailable(_) | Fault::Timeout => {
                        Close::new(1013, "Try again later")
                    }
                    Fault::Internal(cause) => {
                        tracing::error!(%cause, "nobody knows who is at the other end");
                        Close::new(4500, "Internal server error")
                    }
                    told => Close::new(4403, format!("Forbidden: {told}")),
                });
            }
        }
        Ok(text(r#"{"type":"connection_ack"}"#.to_owned()))
    }

    fn subscribe(&mut self, name: &str, request: &str) -> Result<(), Close> {
        let Some(somebody) = &self.somebody else {
            return Err(Close::new(4401, "Unauthorized"));
        };
        if name.len() > LONGEST_NAME {
            return Err(Close::new(4400, "Invalid message: the id is too long"));
        }
        if self.operations.contains_key(name) {
            return Err(Close::new(
                4409,
                format!("Subscriber for {name} already exists"),
            ));
        }
        let outlet = Outlet::new(name, self.queue.clone(), self.ending.clone());
        let (key, most) = (outlet.name.clone(), self.app.live.limits().subscriptions);
        let decoded = match self.operations.len() < most {
            true => from_json(request.as_bytes()),
            false => Err(Refused {
                status: axum::http::StatusCode::TOO_MANY_REQUESTS,
                code: "THROTTLED",
                message: format!("a connection has at most {most} operations under way"),
            }),
        };
        let host = RequestHost {
            info: RequestInfo {
                request_id: RequestId::fresh().0,
                ..somebody.host.info.clone()
            },
            ..somebody.host.clone()
        };
        let task = tokio::spawn(async move {
            match decoded {
                Ok(decoded) => Box::pin(operate(host, decoded, outlet, false)).await,
                Err(refusal) => {
                    let id = host.info.request_id;
                    let error = json!([{
                        "message": refusal.message,
                        "extensions": { "code": refusal.code, "requestId": id },
                    }]);
                    outlet.fail(error.to_string().into()).await;
                }
            }
        });
        self.operations.insert(
            key.clone(),
            Operation {
                name: key,
                task: task.abort_handle(),
                _subscribed: None,
            },
        );
        Ok(())
    }

    /// What is sent of something that comes out; nothing for operations that the client has completed.
    fn frame(&mut self, out: Out) -> Option<Message> {
        let (name, kind, payload) = match out {
            Out::Began(name, subscribed) => {
                if let Some(known) = self.known(&name) {
                    known._subscribed = Some(subscribed);
                }
                return None;
            }
            Out::Next(name, body) => {
                self.known(&name)?;
                (name, "next", Some(body))
            }
            Out::Error(name, errors) => {
                self.known(&name)?;
                self.operations.remove(&name);
                (name, "error", Some(errors))
            }
            Out::Complete(name) => {
                self.known(&name)?;
                self.operations.remove(&name);
                (name, "complete", None)
            }
        };
        let id = json!(&*name);
        Some(text(match payload {
            Some(payload) => format!(r#"{{"id":{id},"type":"{kind}","payload":{payload}}}"#),
            None => format!(r#"{{"id":{id},"type":"{kind}"}}"#),
        }))
    }

    fn known(&mut self, name: &Arc<str>) -> Option<&mut Operation> {
        let known = self.operations.get_mut(name);
        known.filter(|known| Arc::ptr_eq(&known.name, name))
    }
}

fn text(text: String) -> Message {
    Message::Text(text.into())
}

fn pong(payload: Option<Value>) -> Message {
    text(match payload {
        Some(payload) => json!({ "type": "pong", "payload": payload }).to_string(),
        None => r#"{"type":"pong"}"#.to_owned(),
    })
}

fn is_too_large(error: &axum::Error) -> bool {
    // The WebSocket's own error is another crate's; its words are what is left of it.
    let text = error.to_string();
    text.contains("too long") || text.contains("too large") || text.contains("too big")
}

/// Says why, and waits for the client's own good-bye: what is dropped with bytes unread is reset, and nobody reads why.
async fn close(mut socket: WebSocket, Close(code, reason): Close) {
    let frame = CloseFrame {
        code,
        reason: reason.into(),
    };
    let farewell = async {
        if socket.send(Message::Close(Some(frame))).await.is_ok() {
            while let Some(Ok(_)) = socket.recv().await {}
        }
    };
    let _ = timeout(FAREWELL, farewell).await;
}
