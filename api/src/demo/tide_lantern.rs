//! A house in Seoul for music, makers and kites, in won.

use super::plan::{Fate, House, Moment, Offer, Person, SHOW, Show, Speaker, Talk, Venue};

pub const HOUSE: House = House {
    slug: "tide-lantern",
    name: "Tide Lantern Halls",
    country: "KR",
    currency: "KRW",
    time_zone: "Asia/Seoul",
    owner: Person {
        name: "Haon Saebyeokdal",
        email: "organizer@tide-lantern.example",
    },
    venues: VENUES,
    speakers: SPEAKERS,
    shows: SHOWS,
};

const VENUES: &[Venue] = &[
    Venue {
        name: "Tide Lantern Hall",
        address_line: "21 Lantern Pier",
        city: "Seoul",
        postal_code: "00021",
    },
    Venue {
        name: "Kite Meadow",
        address_line: "1 River Meadow",
        city: "Seoul",
        postal_code: "00001",
    },
];

const SPEAKERS: &[Speaker] = &[
    Speaker {
        name: "Bada Onnuridae",
        title: "Band leader",
        company: "The Low Tide Seven",
        bio: "Plays the bass clarinet as if it were the harbour.",
    },
    Speaker {
        name: "Iseul Byeolmaru",
        title: "Drone choreographer",
        company: "Thousand Fireflies",
        bio: "Teaches machines to bow before they take off.",
    },
    Speaker {
        name: "Garam Haesolmok",
        title: "Maker",
        company: "Coast Workshop",
        bio: "Builds boats for bathtubs and bathtubs for boats.",
    },
];

const FREE: Offer = Offer {
    name: "Free entry",
    description: "One person.",
    price_minor: 0,
    pools: &[0],
    share: 100,
};

const SHOWS: &[Show] = &[
    Show {
        slug: "harbour-jazz-evening",
        title: "Harbour Jazz Evening",
        summary: "Seven musicians, one pier, and the last ferry as percussion.",
        venue: Some("Tide Lantern Hall"),
        begins: Moment { day: -20, hour: 19 },
        lasts_hours: 4,
        fate: Fate::Over,
        pools: &[("Hall", Some(600))],
        offers: &[FREE],
        talks: &[Talk {
            title: "The Low Tide Seven",
            room: "Stage",
            track: "",
            after: 30,
            minutes: 150,
            speakers: &["Bada Onnuridae"],
        }],
        registrations: 300,
        ..SHOW
    },
    Show {
        slug: "night-of-a-thousand-drones",
        title: "Night of a Thousand Drones",
        summary: "A dance of lights over the river, told from the lawn and from the stand.",
        description: "Rain or shine; in a storm it moves to the next evening.",
        venue: Some("Kite Meadow"),
        begins: Moment { day: 24, hour: 20 },
        lasts_hours: 3,
        pools: &[("Meadow", Some(2000)), ("Stand", Some(300))],
        offers: &[
            Offer {
                name: "Lawn",
                description: "Bring a blanket.",
                price_minor: 0,
                pools: &[0],
                share: 86,
            },
            Offer {
                name: "Stand",
                description: "A seat with a view.",
                price_minor: 0,
                pools: &[0, 1],
                share: 10,
            },
            Offer {
                name: "Patron",
                description: "A seat, a lantern and our thanks.",
                price_minor: 35000,
                pools: &[0, 1],
                share: 4,
            },
        ],
        talks: &[
            Talk {
                title: "How to teach a drone to bow",
                room: "Lawn",
                track: "",
                after: 0,
                minutes: 40,
                speakers: &["Iseul Byeolmaru"],
            },
            Talk {
                title: "The dance",
                room: "River",
                track: "",
                after: 60,
                minutes: 90,
                speakers: &["Iseul Byeolmaru", "Bada Onnuridae"],
            },
        ],
        registrations: 520,
        for_the_attendee: true,
        ..SHOW
    },
    Show {
        slug: "makers-of-the-coast",
        title: "Makers of the Coast",
        summary: "A day in the workshop. Places go to those who say what they will build.",
        format: "hybrid",
        venue: Some("Tide Lantern Hall"),
        join_url: Some("https://stream.tide-lantern.example/makers"),
        needs_approval: true,
        begins: Moment { day: 45, hour: 10 },
        lasts_hours: 8,
        pools: &[("Benches", Some(260))],
        offers: &[FREE],
        talks: &[Talk {
            title: "Boats for bathtubs",
            room: "Workshop",
            track: "",
            after: 0,
            minutes: 120,
            speakers: &["Garam Haesolmok"],
        }],
        registrations: 90,
        ..SHOW
    },
    Show {
        slug: "sound-lab-stream",
        title: "Sound Lab Stream",
        summary: "An hour of sounds that nobody has named yet.",
        format: "online",
        join_url: Some("https://stream.tide-lantern.example/sound-lab"),
        begins: Moment { day: 3, hour: 21 },
        lasts_hours: 1,
        pools: &[("Stream", None)],
        offers: &[FREE],
        registrations: 190,
        ..SHOW
    },
    Show {
        slug: "family-kite-morning",
        title: "Family Kite Morning",
        summary: "Paper, string and wind. Children fly free, and so does everybody else.",
        venue: Some("Kite Meadow"),
        begins: Moment { day: 17, hour: 9 },
        lasts_hours: 4,
        pools: &[("Meadow", Some(800))],
        offers: &[
            Offer {
                name: "With a kite of one's own",
                description: "Bring it along.",
                price_minor: 0,
                pools: &[0],
                share: 75,
            },
            Offer {
                name: "With a kite from the workshop",
                description: "Glue and paper are there.",
                price_minor: 0,
                pools: &[0],
                share: 25,
            },
        ],
        talks: &[Talk {
            title: "Why kites lean",
            room: "Meadow",
            track: "",
            after: 30,
            minutes: 30,
            speakers: &["Garam Haesolmok"],
        }],
        registrations: 260,
        ..SHOW
    },
];
