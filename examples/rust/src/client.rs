//! Who asks, and how.

use std::{error::Error, time::Duration};

use graphql_client::{GraphQLQuery, Response};

/// Whatever went wrong.
pub type Failure = Box<dyn Error>;

/// A caller: nobody, whoever signed in, or a guest with the secret of a registration.
#[derive(Clone)]
pub struct Caller {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
    guest_secret: Option<String>,
}

impl Caller {
    /// Nobody in particular.
    pub fn visitor(url: &str) -> Result<Self, Failure> {
        Ok(Self {
            http: reqwest::Client::builder()
                .timeout(Duration::from_secs(30))
                .build()?,
            url: url.to_owned(),
            token: None,
            guest_secret: None,
        })
    }

    /// Whoever has this access token.
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// A guest, for whom this secret opens a registration.
    pub fn with_guest_secret(&self, secret: &str) -> Self {
        Self {
            guest_secret: Some(secret.to_owned()),
            ..self.clone()
        }
    }

    /// The data of an operation; its first error, if there is one, as a failure.
    pub async fn ask<Q: GraphQLQuery>(
        &self,
        variables: Q::Variables,
    ) -> Result<Q::ResponseData, Failure> {
        let mut request = self
            .http
            .post(format!("{}/graphql", self.url))
            .header("accept", "application/graphql-response+json")
            .json(&Q::build_query(variables));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(secret) = &self.guest_secret {
            request = request.header("x-guest-secret", secret);
        }
        let answer: Response<Q::ResponseData> = request.send().await?.json().await?;
        if let Some(error) = answer.errors.into_iter().flatten().next() {
            return Err(error.to_string().into());
        }
        answer.data.ok_or_else(|| "an answer without data".into())
    }

    /// The newest code that was mailed there, on a line of its own; servers in development show their mailbox.
    pub async fn mailed_code(&self, email: &str) -> Result<String, Failure> {
        let to = format!("{}/dev/mailbox.json?to={email}", self.url);
        let letters: serde_json::Value = self.http.get(to).send().await?.json().await?;
        let body = letters["messages"][0]["body"].as_str().ok_or("no letter")?;
        let is_code =
            |line: &&str| line.starts_with("es") && line.contains('_') && !line.contains(' ');
        let code = body.lines().map(str::trim).find(is_code);
        Ok(code.ok_or("no code in the letter")?.to_owned())
    }
}
