//! What pages of payments say, in the languages of the letters that are there from the beginning: in the first language of
//! the browser's that is one of them, else in English. `{by}` stands for the provider.

use axum::http::{HeaderMap, header};

/// The sentences of one language.
#[derive(Debug)]
pub(super) struct Words {
    /// As `lang` has it.
    pub lang: &'static str,
    pub payment: &'static str,
    pub pay: &'static str,
    pub loading: &'static str,
    pub needs_script: &'static str,
    pub who_sees: &'static str,
    /// The provider's script did not come, or broke.
    pub no_form: &'static str,
    pub load_again: &'static str,
    pub back: &'static str,
    pub paid: &'static str,
    pub failed: &'static str,
    pub called_off: &'static str,
    pub waits: &'static str,
    pub not_paid_yet: &'static str,
    pub pay_now: &'static str,
    pub missing: &'static str,
    pub busy: &'static str,
    pub try_again: &'static str,
}

const ENGLISH: Words = Words {
    lang: "en",
    payment: "Payment",
    pay: "Pay",
    loading: "The form of {by} is being loaded …",
    needs_script: "Paying here needs JavaScript: the form is one of {by}.",
    who_sees: "You pay by {by}, which alone sees what you enter. Nothing is charged before you say so.",
    no_form: "The form of {by} could not be loaded. Nothing was charged. Please look at your connection, or let this page \
              load content of {by}, and load it again.",
    load_again: "Load again",
    back: "Back to the shop",
    paid: "This is paid. Thank you.",
    failed: "The payment did not succeed, and nothing was charged. You may try again where you came from.",
    called_off: "The payment was called off, and nothing was charged.",
    waits: "We wait for word that the money is there. If you have paid you need not stay here: the organizer tells you as \
            soon as it is.",
    not_paid_yet: "Not paid yet?",
    pay_now: "Pay now",
    missing: "There is no such payment. Perhaps the address is not whole.",
    busy: "This does not work right now. Please try again in a moment. If you have paid already, nothing is lost: do not \
           pay a second time.",
    try_again: "Try again",
};

const GERMAN: Words = Words {
    lang: "de",
    payment: "Zahlung",
    pay: "Bezahlen",
    loading: "Das Formular von {by} wird geladen …",
    needs_script: "Zum Bezahlen wird hier JavaScript gebraucht: Das Formular kommt von {by}.",
    who_sees: "Sie bezahlen über {by}; nur dort wird gesehen, was Sie eingeben. Abgebucht wird erst, wenn Sie zustimmen.",
    no_form: "Das Formular von {by} konnte nicht geladen werden. Es wurde nichts abgebucht. Bitte prüfen Sie Ihre \
              Verbindung, oder erlauben Sie dieser Seite Inhalte von {by}, und laden Sie die Seite neu.",
    load_again: "Neu laden",
    back: "Zurück zum Shop",
    paid: "Das ist bezahlt. Vielen Dank!",
    failed: "Die Zahlung ist nicht gelungen, und es wurde nichts abgebucht. Sie können es dort, woher Sie kamen, noch \
             einmal versuchen.",
    called_off: "Die Zahlung wurde abgebrochen, und es wurde nichts abgebucht.",
    waits: "Wir warten auf die Nachricht, dass das Geld da ist. Wenn Sie bezahlt haben, können Sie diese Seite schließen: \
            Der Veranstalter meldet sich, sobald es da ist.",
    not_paid_yet: "Noch nicht bezahlt?",
    pay_now: "Jetzt bezahlen",
    missing: "Diese Zahlung gibt es nicht. Vielleicht ist die Adresse nicht vollständig.",
    busy: "Das geht gerade nicht. Bitte versuchen Sie es gleich noch einmal. Wenn Sie schon bezahlt haben, ist nichts \
           verloren: Bezahlen Sie nicht ein zweites Mal.",
    try_again: "Noch einmal versuchen",
};

static LANGUAGES: [&Words; 2] = [&ENGLISH, &GERMAN];

/// One of the browser's languages, and how much it is liked.
fn wish(text: &str) -> Option<(&'static Words, f32)> {
    let (tag, weight) = text.split_once(';').unwrap_or((text, "q=1"));
    let tag = tag.trim();
    let lang = tag.split_once('-').map_or(tag, |(lang, _)| lang);
    let words = match lang {
        "*" => LANGUAGES[0],
        lang => LANGUAGES
            .into_iter()
            .find(|words| words.lang.eq_ignore_ascii_case(lang))?,
    };
    let liked: f32 = weight.trim().strip_prefix("q=")?.parse().ok()?;
    (liked > 0.0).then_some((words, liked))
}

/// The words for this browser.
pub(super) fn of(headers: &HeaderMap) -> &'static Words {
    let said = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let mut best = (LANGUAGES[0], 0.0);
    for found in said.split(',').filter_map(wish) {
        if found.1 > best.1 {
            best = found;
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_spoken_to_in_a_language_of_theirs() {
        for (said, lang) in [
            ("", "en"),
            ("de", "de"),
            ("de-AT,de;q=0.9,en;q=0.8", "de"),
            ("en-GB,en;q=0.9,de;q=0.8", "en"),
            ("en;q=0.2, DE;q=0.8", "de"),
            ("fr-FR,fr;q=0.9,de;q=0.3", "de"),
            ("fr", "en"),
            ("ko,*;q=0.1", "en"),
            ("de;q=0", "en"),
            ("de;q=much", "en"),
            (";;,,", "en"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, said.parse().expect("a header"));
            assert_eq!(of(&headers).lang, lang, "{said}");
        }
        assert_eq!(of(&HeaderMap::new()).lang, "en");
    }
}
