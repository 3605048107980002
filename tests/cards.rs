//! Material cards: what they say, where they find records, what changes their hash.

mod support;

use hysteron::card::Card;
use hysteron::laws::ReferenceLaw;
use hysteron::mandel::Measure;
use hysteron::model::ModelFile;
use hysteron::recurrent::Clock;
use hysteron::{Error, LawSource, MaterialLaw, open};
use support::{AUDIT_ROWS, Folder};

const CSV: &str = "time_s,strain,stress_MPa\n0,0,0\n1,0.001,200\n";

const FULL: &str = r#"
name = "steel"
description = "cyclic tests"
citation = "A. Author (2020)"
licence = "MIT"
strain_measure = "true"
stress_measure = "nominal"
components = 1
external = ["temperature_C"]
records = ["tests", "more/c.csv"]

[elastic]
young_MPa = 205e3
poisson = 0.3

[reference]
law = "isotropic-elastic"
young_MPa = 205000
poisson = 0.3

[[programme]]
name = "cycles"
kind = "cyclic"
amplitude = 0.01
cycles = 3
steps = 5
external = { temperature_C = 20 }

[[programme]]
name = "walk"
kind = "random-walk"
amplitude = 0.01
increment = 0.001
steps = 7
external = { temperature_C = 20 }

[split]
validation = ["b"]

[learn]
law = "gru"
states = 4
clock = "both"

[train]
spacing = [1e-3]
patience = 100
"#;

#[test]
fn a_card_says_what_to_learn() {
    let card = Card::from_bytes("cards/steel.toml", FULL.as_bytes()).unwrap();
    assert_eq!(card.name, "steel");
    assert_eq!(card.strain_measure, Measure::True);
    assert_eq!(card.stress_measure, Measure::Engineering);
    assert_eq!(card.elastic.unwrap().young_MPa, Some(205e3));
    assert!(matches!(
        card.reference,
        Some(ReferenceLaw::IsotropicElastic { .. })
    ));
    assert_eq!(card.learn.law, "gru");
    assert_eq!((card.learn.states, card.learn.width), (4, 16));
    assert_eq!(card.learn.clock, Clock::Both);
    assert_eq!(card.train.spacing, [1e-3]);
    assert_eq!(card.train.patience, Some(100));
    assert_eq!(card.folder().to_str(), Some("cards"));
    let programmes = card.programmes().unwrap();
    assert_eq!(programmes[0].name, "cycles");
    assert_eq!(programmes[0].steps.len(), 35);
    assert_eq!(programmes[1].steps[6].external, [20.0]);

    let two = FULL
        .replace("[\"temperature_C\"]", "[\"z\", \"a\"]")
        .replace("temperature_C = 20", "a = 1, z = 2");
    let card = Card::from_bytes("c.toml", two.as_bytes()).unwrap();
    let programmes = card.programmes().unwrap();
    assert_eq!(programmes[0].external_names, ["z", "a"]);
    assert_eq!(programmes[0].steps[3].external, [2.0, 1.0]);
    let other = two.replace("\"a\"]", "\"b\"]");
    let card = Card::from_bytes("c.toml", other.as_bytes()).unwrap();
    let message = card.programmes().unwrap_err().to_string();
    assert!(message.contains("the card says [z, b]"), "{message}");
}

#[test]
fn records_are_found_beside_the_card() {
    let folder = Folder::new();
    let csv = CSV
        .replace("MPa\n", "MPa,temperature_C\n")
        .replace(",0\n", ",0,20\n")
        .replace(",200\n", ",200,20\n");
    for name in ["tests/b.csv", "tests/a.csv", "more/c.csv"] {
        folder.file(name, &csv);
    }
    folder.file("tests/index.csv", "not,a,record\n");
    folder.file("card.toml", FULL);
    let card = Card::open(folder.path()).unwrap();
    let records = card.load_records().unwrap();
    let names: Vec<_> = records.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    let (train, validation) = card.split.apply(&records).unwrap();
    assert_eq!((train.len(), validation.len()), (2, 1));
    let same = Card::open(folder.path().join("card.toml")).unwrap();
    assert_eq!(same, card);
}

#[test]
fn a_folder_of_records_makes_a_card() {
    let folder = Folder::new();
    folder.file("rubber/tests/one.csv", CSV);
    let card = Card::open(folder.path().join("rubber")).unwrap();
    assert_eq!((card.name.as_str(), card.components), ("rubber", 1));
    assert_eq!(card.load_records().unwrap().len(), 1);
    let empty = Folder::new();
    let message = Card::open(empty.path()).unwrap_err().to_string();
    assert!(message.contains("no CSV record"), "{message}");
}

#[test]
fn records_must_be_those_of_the_card() {
    let folder = Folder::new();
    folder.file("a.csv", CSV);
    folder.file("b/a.csv", CSV);
    for (text, words) in [
        (
            "components = 3\nrecords = ['a.csv']",
            "record `a` has 1 components",
        ),
        ("external = ['T']\nrecords = ['a.csv']", "no column `T`"),
        ("records = ['a.csv', 'b']", "two records are called `a`"),
    ] {
        let path = folder.file("card.toml", format!("name = 'x'\n{text}\n"));
        let error = Card::open(&path).unwrap().load_records().unwrap_err();
        assert!(matches!(error, Error::Card { .. }));
        let message = error.to_string();
        assert!(
            message.contains("card.toml") && message.contains(words),
            "{message}"
        );
    }
    let path = folder.file("card.toml", "name = 'x'\nrecords = ['none.csv']\n");
    let error = Card::open(&path).unwrap().load_records().unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error}");
    assert!(error.to_string().contains("none.csv"), "{error}");
}

#[test]
fn a_card_with_a_reference_law_alone_is_one() {
    let materials = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("materials");
    for entry in std::fs::read_dir(materials).unwrap() {
        let folder = entry.unwrap().path();
        if folder.join("card.toml").is_file() {
            let card = Card::open(&folder).unwrap();
            assert!(card.reference.is_some() || !card.records.is_empty());
        }
    }
}

#[test]
fn the_hash_is_that_of_the_content() {
    let hash = |text: &str| Card::from_bytes("c.toml", text.as_bytes()).unwrap().hash();
    let first = hash(FULL);
    assert_eq!(first.len(), 64);
    assert_eq!(
        first,
        hash(&format!("# a comment\n{}", FULL.replace(" = ", "   =  ")))
    );
    assert_ne!(first, hash(&FULL.replace("states = 4", "states = 5")));
    assert_ne!(
        first,
        hash(&FULL.replace("amplitude = 0.01", "amplitude = 0.02"))
    );
}

#[test]
fn the_cards_of_the_book_are_valid() {
    let page = include_str!("../docs/src/cards.md");
    let cards: Vec<_> = page
        .split("```toml")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert_eq!(cards.len(), 3);
    for text in cards {
        Card::from_bytes("cards.md", text.as_bytes()).unwrap();
    }
}

#[test]
fn the_cards_of_the_materials_give_records() {
    let mut opened = 0;
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/materials")).unwrap() {
        let folder = entry.unwrap().path();
        if !folder.is_dir() {
            continue;
        }
        let card = Card::open(&folder).unwrap();
        let records = card.all_records().unwrap();
        card.split.apply(&records).unwrap();
        opened += 1;
    }
    assert!(opened >= 3);
}

/// The laws that are kept were learned from the cards beside them, and have the audit of this version.
#[test]
fn the_laws_of_the_materials_are_those_of_their_cards() {
    let mut laws = 0;
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/materials")).unwrap() {
        let folder = entry.unwrap().path();
        let file = folder.join("law.safetensors");
        if !file.exists() {
            continue;
        }
        laws += 1;
        let metadata = ModelFile::load(&file).unwrap().metadata;
        assert_eq!(metadata.card_hash, Card::open(&folder).unwrap().hash());
        let rows = metadata.audit["rows"].as_array().unwrap();
        let names: Vec<_> = rows.iter().map(|r| r["name"].as_str().unwrap()).collect();
        assert_eq!(names, AUDIT_ROWS);
    }
    assert_eq!(laws, 2);
}

#[test]
fn a_law_is_opened_from_a_card_or_a_saved_law() {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/materials/steel_s355_voce_chaboche"
    );
    for path in [folder.to_string(), format!("{folder}/card.toml")] {
        let source = open(path).unwrap();
        assert_eq!(source.clone().law().unwrap().components(), 1);
        assert_eq!(source.clone().solid_law().unwrap().components(), 6);
        let message = source.into_model().unwrap_err().to_string();
        assert!(message.contains("this is a card"), "{message}");
    }

    let file = format!("{folder}/law.safetensors");
    let model = open(&file).unwrap().into_model().unwrap();
    assert_eq!(model.metadata, ModelFile::load(&file).unwrap().metadata);
    let bytes = std::fs::read(&file).unwrap();
    let source = LawSource::from_bytes("bytes", &bytes).unwrap();
    assert_eq!(source.law().unwrap().name(), model.law.name());

    let without = LawSource::from_bytes("c.toml", b"name = 'x'\nrecords = ['a']\n").unwrap();
    for error in [without.clone().law(), without.solid_law()].map(|law| law.err().unwrap()) {
        let message = error.to_string();
        assert!(
            message.starts_with("c.toml: no [reference] law"),
            "{message}"
        );
    }
}

/// Bars that teach a law of six components are read with their transverse strain where every one has it.
#[test]
fn bars_have_the_transverse_strain_that_is_measured_or_known() {
    let card = "name = 'bars'\nrecords = ['a.csv', 'b.csv']\n\
                [learn]\nlaw = 'relaxation'\nsymmetry = 'isotropic'\nstress_state = 'uniaxial'\n";
    let elastic = "[elastic]\npoisson = 0.25\nyoung_MPa = 200e3\nplastic_poisson = 0.5\n";
    let measured = "time_s,strain,strain_transverse,stress_MPa\n0,0,0,0\n1,0.001,-0.0003,200\n";
    let read = |card: &str, b: &str| {
        let folder = Folder::new();
        folder.file("a.csv", measured);
        folder.file("b.csv", b);
        folder.file("card.toml", card);
        let card = Card::open(folder.path()).unwrap();
        card.all_records_and_left_out().unwrap()
    };
    let (records, left_out) = read(card, measured);
    assert_eq!(
        records[1].strain_at(1),
        [0.001, -0.0003, -0.0003, 0.0, 0.0, 0.0]
    );
    assert!(left_out.is_empty());

    let (records, left_out) = read(card, CSV);
    assert!(records.iter().all(|record| record.components == 1));
    assert_eq!(left_out, ["strain_transverse"]);

    let (records, _) = read(&format!("{card}{elastic}"), CSV);
    assert_eq!(records[1].strain_at(1)[..3], [0.001, -0.00025, -0.00025]);
    assert_eq!(records[1].stress_at(1), [200.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
}
