//! Guests: made from syllables of nobody in particular, the same for the same number.

/// Different people at most.
pub const PEOPLE: u32 = 1500;

const FIRST: [&str; 40] = [
    "Alwen", "Bastel", "Corvin", "Dalia", "Edrin", "Fenna", "Gislo", "Hanneke", "Ilvo", "Jorun",
    "Kaisa", "Lumen", "Maren", "Nuri", "Orrin", "Perla", "Quill", "Runa", "Sorrel", "Tamsin",
    "Ulric", "Vesna", "Wilma", "Xanthe", "Yorick", "Zelie", "Bada", "Danbi", "Garam", "Haon",
    "Iseul", "Miru", "Nalgae", "Pureum", "Sora", "Taeyang", "Amaru", "Bemba", "Chiyo", "Dendro",
];

const LAST: [&str; 40] = [
    "Quillfeather",
    "Marrowby",
    "Thistlewick",
    "Ambergard",
    "Brindlemoor",
    "Copperfen",
    "Dunwhistle",
    "Eldermist",
    "Fallowmere",
    "Gladewright",
    "Hollowbrook",
    "Inkersley",
    "Juniperhay",
    "Kettlestone",
    "Lanternside",
    "Mosswater",
    "Nettlefold",
    "Oakenshale",
    "Pebblecross",
    "Quaymore",
    "Rainsparrow",
    "Saltmarch",
    "Tinderley",
    "Umberlane",
    "Velvetoak",
    "Willowspan",
    "Yarrowgate",
    "Zephyrhill",
    "Byeolmaru",
    "Haesolmok",
    "Onnuridae",
    "Saebyeokdal",
    "Appleforth",
    "Bellwether",
    "Cloudberry",
    "Driftholm",
    "Evenfall",
    "Foxglovian",
    "Greywillow",
    "Harbourlight",
];

/// Name and address of a guest.
pub fn guest(number: u32) -> (String, String) {
    let number = number % PEOPLE;
    let count = FIRST.len() as u32;
    // The offset keeps neighbours in a list from sharing a surname.
    let (row, column) = (number / count, number % count);
    let first = FIRST[column as usize];
    let last = LAST[((row + column) % LAST.len() as u32) as usize];
    let address = format!("{first}.{last}@guests.example").to_lowercase();
    (format!("{first} {last}"), address)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_number_is_somebody_else() {
        let addresses: HashSet<String> = (0..PEOPLE).map(|number| guest(number).1).collect();
        assert_eq!(addresses.len(), PEOPLE as usize);
    }
}
