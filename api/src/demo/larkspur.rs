//! A house in Berlin that holds conferences and small evenings, in euros.

use super::plan::{
    Code, Discount, Fate, Fee, House, Moment, Offer, Person, Prices, SHOW, Show, Speaker, Talk,
    Tier, Venue,
};

pub const HOUSE: House = House {
    slug: "larkspur",
    name: "Larkspur Conferences",
    country: "DE",
    currency: "EUR",
    time_zone: "Europe/Berlin",
    owner: Person {
        name: "Olive Larkspur",
        email: "organizer@larkspur.example",
    },
    venues: VENUES,
    speakers: SPEAKERS,
    shows: SHOWS,
};

const VENUES: &[Venue] = &[
    Venue {
        name: "Glasshouse on the Canal",
        address_line: "Seerosenufer 12",
        city: "Berlin",
        postal_code: "00012",
    },
    Venue {
        name: "The Old Type Foundry",
        address_line: "Letternhof 3",
        city: "Berlin",
        postal_code: "00031",
    },
    Venue {
        name: "Rooftop Seven",
        address_line: "Schornsteinweg 7",
        city: "Berlin",
        postal_code: "00077",
    },
];

const SPEAKERS: &[Speaker] = &[
    Speaker {
        name: "Dr. Petra Inkersley",
        title: "Head of Curious Compilers",
        company: "Umlaut Works",
        bio: "Writes compilers that apologise for their error messages.",
    },
    Speaker {
        name: "Jorun Saltmarch",
        title: "Database Gardener",
        company: "Mossy Index",
        bio: "Prunes query plans by day and hedges by night.",
    },
    Speaker {
        name: "Amaru Quaymore",
        title: "Distributed Systems Cartographer",
        company: "Faraway Quorum",
        bio: "Draws maps of what happens when the network does not.",
    },
    Speaker {
        name: "Zelie Copperfen",
        title: "Typographer",
        company: "Copperfen & Daughters",
        bio: "Cuts letters from linoleum and, now and then, from code.",
    },
    Speaker {
        name: "Ulric Dunwhistle",
        title: "Reliability Whisperer",
        company: "Quiet Pager",
        bio: "Was woken by an alarm once and has been rebuilding it ever since.",
    },
    Speaker {
        name: "Vesna Fallowmere",
        title: "Schema Designer",
        company: "Graph & Garden",
        bio: "Believes that every field deserves a good description.",
    },
];

const FREE: Offer = Offer {
    name: "Free entry",
    description: "One person, no strings attached.",
    price_minor: 0,
    pools: &[0],
    share: 100,
};

/// Where prices are made of everything that can make them.
const INK_AND_INDEX: Show = Show {
    slug: "ink-and-index",
    title: "Ink & Index",
    summary: "A weekend at the press: printing by day, queries by night. Early prices, and a code for friends.",
    description: "The first passes cost less, five together too. Friends of the house say `INKWELL`. \
         The workshop is for those who have a pass.",
    venue: Some("The Old Type Foundry"),
    begins: Moment { day: 24, hour: 10 },
    lasts_hours: 32,
    pools: &[("Press room", Some(160)), ("Benches", Some(24))],
    offers: &[
        Offer {
            name: "Weekend pass",
            description: "Both days, ink included.",
            price_minor: 12_000,
            pools: &[0],
            share: 75,
        },
        Offer {
            name: "Saturday",
            description: "One day at the press.",
            price_minor: 7500,
            pools: &[0],
            share: 25,
        },
        Offer {
            name: "Linocut workshop",
            description: "Three hours at a bench of one's own, with a weekend pass.",
            price_minor: 3500,
            pools: &[1],
            share: 0,
        },
    ],
    prices: Prices {
        tiers: &[
            Tier {
                offer: 0,
                name: "Early bird",
                price_minor: 9000,
                quantity: Some(40),
                ends: Some(Moment { day: 10, hour: 0 }),
            },
            Tier {
                offer: 0,
                name: "Advance",
                price_minor: 10_500,
                quantity: None,
                ends: Some(Moment { day: 17, hour: 0 }),
            },
        ],
        add_ons: &[(2, 0)],
        discount: Some(Discount {
            name: "Five together",
            rate: 100_000,
            min_tickets: 5,
        }),
        code: Some(Code {
            text: "INKWELL",
            rate: 150_000,
            max_uses: 100,
            max_uses_per_buyer: 2,
        }),
        tax: Some(("VAT 19 %", 190_000)),
        fee: Some(Fee {
            name: "Service",
            amount_minor: 100,
            rate: 25_000,
            tax: ("VAT 19 %", 190_000),
        }),
    },
    registrations: 48,
    ..SHOW
};

const SHOWS: &[Show] = &[
    Show {
        slug: "compilers-by-the-canal",
        title: "Compilers by the Canal",
        summary: "A day of parsers, planners and optimisers beside slow water.",
        description: "Eight hours, three tracks of thought, one canal. **Recordings** will follow.",
        format: "hybrid",
        venue: Some("Glasshouse on the Canal"),
        join_url: Some("https://stream.larkspur.example/compilers"),
        begins: Moment { day: -33, hour: 9 },
        lasts_hours: 9,
        fate: Fate::Over,
        pools: &[("Glasshouse", Some(700)), ("Stream", None)],
        offers: &[
            Offer {
                name: "In the glasshouse",
                description: "A seat and lunch.",
                price_minor: 0,
                pools: &[0],
                share: 70,
            },
            Offer {
                name: "From afar",
                description: "The stream, with questions by chat.",
                price_minor: 0,
                pools: &[1],
                share: 30,
            },
        ],
        talks: &[
            Talk {
                title: "Error messages that apologise",
                room: "Main",
                track: "Front ends",
                after: 0,
                minutes: 50,
                speakers: &["Dr. Petra Inkersley"],
            },
            Talk {
                title: "A planner is a gardener",
                room: "Main",
                track: "Planners",
                after: 60,
                minutes: 50,
                speakers: &["Jorun Saltmarch"],
            },
            Talk {
                title: "Proving what you threw away",
                room: "Annex",
                track: "Optimisers",
                after: 180,
                minutes: 50,
                speakers: &["Dr. Petra Inkersley", "Amaru Quaymore"],
            },
        ],
        registrations: 380,
        for_the_attendee: true,
        ..SHOW
    },
    Show {
        slug: "letters-in-light",
        title: "Letters in Light",
        summary: "An exhibition of typefaces, projected at night on a foundry that made them.",
        description: "Open every evening. Come once, stay as long as you like.",
        venue: Some("The Old Type Foundry"),
        begins: Moment { day: -9, hour: 18 },
        lasts_hours: 30 * 24,
        pools: &[("Evening places", Some(1200))],
        offers: &[FREE],
        talks: &[
            Talk {
                title: "Opening walk",
                room: "Casting hall",
                track: "",
                after: 0,
                minutes: 60,
                speakers: &["Zelie Copperfen"],
            },
            Talk {
                title: "Linoleum and light: a workshop",
                room: "Press room",
                track: "",
                after: 14 * 24 * 60,
                minutes: 120,
                speakers: &["Zelie Copperfen"],
            },
        ],
        registrations: 430,
        for_the_attendee: true,
        ..SHOW
    },
    Show {
        slug: "systems-days",
        title: "Larkspur Systems Days",
        summary: "Two days on databases, networks and the people who are woken by them.",
        description: "Talks in the morning, workshops in the afternoon, a long dinner in between.",
        format: "hybrid",
        venue: Some("Glasshouse on the Canal"),
        join_url: Some("https://stream.larkspur.example/systems-days"),
        begins: Moment { day: 38, hour: 9 },
        lasts_hours: 33,
        pools: &[("Glasshouse", Some(1500)), ("Student seats", Some(400))],
        offers: &[
            Offer {
                name: "Community",
                description: "Both days, talks and dinner.",
                price_minor: 0,
                pools: &[0],
                share: 66,
            },
            Offer {
                name: "Student",
                description: "The same, for those who study. Counts against the same hall.",
                price_minor: 0,
                pools: &[0, 1],
                share: 28,
            },
            Offer {
                name: "Supporter",
                description: "Pays for somebody who cannot.",
                price_minor: 4900,
                pools: &[0],
                share: 6,
            },
        ],
        talks: &[
            Talk {
                title: "Maps of a partition",
                room: "Main",
                track: "Networks",
                after: 0,
                minutes: 50,
                speakers: &["Amaru Quaymore"],
            },
            Talk {
                title: "The index that was never read",
                room: "Main",
                track: "Databases",
                after: 60,
                minutes: 50,
                speakers: &["Jorun Saltmarch"],
            },
            Talk {
                title: "Asleep on call",
                room: "Annex",
                track: "People",
                after: 60,
                minutes: 50,
                speakers: &["Ulric Dunwhistle"],
            },
            Talk {
                title: "Workshop: a schema with manners",
                room: "Annex",
                track: "APIs",
                after: 240,
                minutes: 120,
                speakers: &["Vesna Fallowmere"],
            },
            Talk {
                title: "What we learned from losing a row",
                room: "Main",
                track: "Databases",
                after: 24 * 60,
                minutes: 50,
                speakers: &["Jorun Saltmarch", "Amaru Quaymore"],
            },
            Talk {
                title: "Closing: letters of a slow network",
                room: "Main",
                track: "",
                after: 31 * 60,
                minutes: 45,
                speakers: &["Dr. Petra Inkersley", "Zelie Copperfen"],
            },
        ],
        registrations: 560,
        for_the_attendee: true,
        ..SHOW
    },
    INK_AND_INDEX,
    Show {
        slug: "rooftop-query-club",
        title: "Rooftop Query Club",
        summary: "Sixty chairs, one screen, and the slowest query of the month.",
        venue: Some("Rooftop Seven"),
        begins: Moment { day: 12, hour: 19 },
        lasts_hours: 3,
        pools: &[("Chairs", Some(60))],
        offers: &[FREE],
        talks: &[Talk {
            title: "The slowest query of the month",
            room: "Roof",
            track: "",
            after: 0,
            minutes: 90,
            speakers: &["Jorun Saltmarch", "Vesna Fallowmere"],
        }],
        registrations: 60,
        ..SHOW
    },
    Show {
        slug: "schema-clinic-live",
        title: "Schema Clinic Live",
        summary: "Bring your schema, leave with a smaller one. Online, every seat is free.",
        format: "online",
        join_url: Some("https://stream.larkspur.example/clinic"),
        begins: Moment { day: 5, hour: 17 },
        lasts_hours: 2,
        pools: &[("Stream", None)],
        offers: &[FREE],
        talks: &[Talk {
            title: "Three schemas on the couch",
            room: "Stream",
            track: "",
            after: 0,
            minutes: 110,
            speakers: &["Vesna Fallowmere"],
        }],
        registrations: 290,
        ..SHOW
    },
    Show {
        slug: "harvest-hack-night",
        title: "Harvest Hack Night",
        summary: "Called off: the hall is being dried out after the storm.",
        venue: Some("The Old Type Foundry"),
        begins: Moment { day: 9, hour: 18 },
        lasts_hours: 6,
        fate: Fate::CalledOff,
        pools: &[("Tables", Some(240))],
        offers: &[FREE],
        registrations: 70,
        ..SHOW
    },
    Show {
        slug: "speakers-supper",
        title: "Speakers' Supper",
        summary: "For speakers of the Systems Days and whom they bring. Not listed; the address is the invitation.",
        visibility: "unlisted",
        venue: Some("Rooftop Seven"),
        begins: Moment { day: 38, hour: 20 },
        lasts_hours: 4,
        pools: &[("Long table", Some(48))],
        offers: &[FREE],
        registrations: 18,
        ..SHOW
    },
    Show {
        slug: "winter-data-fair",
        title: "Winter Data Fair",
        summary: "Still being planned.",
        venue: Some("Glasshouse on the Canal"),
        begins: Moment { day: 95, hour: 10 },
        lasts_hours: 8,
        fate: Fate::Draft,
        pools: &[("Stands and visitors", Some(900))],
        offers: &[
            Offer {
                name: "Visitor",
                description: "Entry to the fair.",
                price_minor: 0,
                pools: &[0],
                share: 90,
            },
            Offer {
                name: "Stand",
                description: "A table of two metres and power.",
                price_minor: 18000,
                pools: &[0],
                share: 10,
            },
        ],
        ..SHOW
    },
];
