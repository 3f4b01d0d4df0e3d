//! Mail as rows of the transaction that makes it true: nobody gets a letter about something that was rolled back.
//! Texts never repeat what a stranger typed (a name at sign-up, say): else anybody could send their words from us.

use sea_orm::Value;

use crate::{fault::Fault, statements::run, tenancy::TenantTx};

/// A letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// What it is about, for statistics and templates.
    pub kind: &'static str,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub body: String,
}

impl Letter {
    /// To an address that somebody just signed up with.
    pub fn verify_email(public_url: &str, code: &str) -> Self {
        Self {
            kind: "verify_email",
            subject: "Confirm your e-mail address".to_owned(),
            body: format!(
                "Somebody signed up with this address and chose a password. If it was you, confirm the address:\n\n\
                 {}/verify-email?code={code}\n\n\
                 Or enter this code:\n\n{code}\n\n\
                 It is good for 24 hours. If it was not you, ignore this mail: without the code the account stays closed.\n",
                public_url
            ),
        }
    }

    /// To an address with an account that somebody signed up with again.
    pub fn already_signed_up(public_url: &str) -> Self {
        Self {
            kind: "already_signed_up",
            subject: "You already have an account".to_owned(),
            body: format!(
                "Somebody tried to sign up with this address, which already has an account. If it was you, sign in:\n\n\
                 {url}/sign-in\n\n\
                 If you no longer know your password, ask for a new one:\n\n\
                 {url}/request-password-reset\n\n\
                 If it was not you, there is nothing to do: nothing was changed.\n",
                url = public_url
            ),
        }
    }

    /// To somebody who asked for a new password.
    pub fn reset_password(public_url: &str, code: &str) -> Self {
        Self {
            kind: "reset_password",
            subject: "Choose a new password".to_owned(),
            body: format!(
                "Somebody asked for a new password for this address. If it was you, choose one:\n\n\
                 {}/reset-password?code={code}\n\n\
                 Or enter this code:\n\n{code}\n\n\
                 It is good for one hour, once. If it was not you, ignore this mail: your password stays as it is.\n",
                public_url
            ),
        }
    }

    /// After a password was changed.
    pub fn password_changed(public_url: &str) -> Self {
        Self {
            kind: "password_changed",
            subject: "Your password was changed".to_owned(),
            body: format!(
                "The password of your account was changed, and other devices were signed out.\n\n\
                 If it was not you, choose a new password at once:\n\n{}/request-password-reset\n",
                public_url
            ),
        }
    }

    /// When wrong passwords have locked an account.
    pub fn locked(public_url: &str) -> Self {
        Self {
            kind: "account_locked",
            subject: "Several wrong passwords".to_owned(),
            body: format!(
                "Several wrong passwords in a row were tried for your account. To keep guessers out it is closed for a \
                 while: half a minute now, at most a quarter of an hour when it goes on. During that time your \
                 right password is refused too.\n\n\
                 If it was you and you no longer know your password, ask for a new one; that opens the account at once:\n\n\
                 {}/request-password-reset\n",
                public_url
            ),
        }
    }

    /// To somebody who is offered a ticket.
    pub fn ticket_transfer(public_url: &str, event: &str, code: &str) -> Self {
        Self {
            kind: "ticket_transfer",
            subject: format!("A ticket for {}", one_line(event)),
            body: format!(
                "Somebody offers you their ticket for {event}. Accept or decline:\n\n\
                 {public_url}/accept-ticket?code={code}\n\n\
                 Or enter this code:\n\n{code}\n\n\
                 It is good for seven days, or until the event is over. If you do not know what this is about, ignore \
                 this mail.\n",
                event = one_line(event),
            ),
        }
    }

    /// To somebody who is invited into an organization.
    pub fn invitation(public_url: &str, organization: &str, code: &str) -> Self {
        Self {
            kind: "invitation",
            subject: format!("You are invited to {}", one_line(organization)),
            body: format!(
                "You are invited to work with the organization {organization}. Sign in or sign up with this \
                 address, then accept:\n\n\
                 {}/accept-invitation?code={code}\n\n\
                 Or enter this code:\n\n{code}\n\n\
                 It is good for seven days.\n",
                public_url,
                organization = one_line(organization),
            ),
        }
    }
}

/// A name in a subject never starts a header of its own.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .collect()
}

/// Writes the letter, and the job that delivers it, in a transaction of a system door. Tenants' own letters go through
/// `enqueue_mail` in SQL.
pub async fn send(tx: &TenantTx, recipient: &str, letter: Letter) -> Result<(), Fault> {
    let values: [Value; 4] = [
        letter.kind.into(),
        recipient.into(),
        letter.subject.into(),
        letter.body.into(),
    ];
    run(tx, "select es.write_letter(null, $1, $2, $3, $4)", values).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://events.example";

    #[test]
    fn codes_stand_in_a_link_and_on_a_line_of_their_own() {
        let letters = [
            Letter::verify_email(URL, "esc_dev_x1"),
            Letter::reset_password(URL, "esc_dev_x1"),
            Letter::invitation(URL, "Example", "esc_dev_x1"),
        ];
        for letter in letters {
            let is_link = |line: &str| {
                line.starts_with("https://events.example/") && line.ends_with("?code=esc_dev_x1")
            };
            assert!(letter.body.lines().any(is_link), "{}", letter.body);
            assert!(letter.body.lines().any(|line| line == "esc_dev_x1"));
        }
    }

    #[test]
    fn a_name_adds_no_header() {
        let letter = Letter::invitation(URL, "X\r\nBcc: all@example.org", "c");
        assert!(!letter.subject.contains(['\r', '\n']));
    }
}
