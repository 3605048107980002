//! Bad files of every kind: an error that names the place and the cause, never a panic.

mod support;

use hysteron::Error;
use hysteron::card::Card;
use hysteron::mandel::Measure;
use hysteron::model::{Metadata, ModelFile, NamedTensor, Normalisation, SCHEMA, Units};
use hysteron::record::Record;
use hysteron::recurrent::Architecture;
use proptest::prelude::*;
use serde_json::{Value, json};
use support::Folder;

/// The message of a CSV file that must be refused as a record.
fn refused(contents: impl AsRef<[u8]>) -> String {
    let folder = Folder::new();
    let path = folder.file("bad.csv", contents);
    let error = Record::from_csv(&path).expect_err("accepted");
    assert!(matches!(error, Error::Record { .. }), "{error:?}");
    let message = error.to_string();
    let prefix = path.display().to_string();
    message
        .strip_prefix(&prefix)
        .unwrap_or_else(|| panic!("no path in {message}"))
        .to_string()
}

const HEAD: &str = "time_s,strain,stress_MPa\n0,0,0\n";

#[test]
fn bad_numbers_are_named_by_line_and_column() {
    for (row, line, column, words) in [
        ("1,nan,0", 3, "strain", "`nan` is not finite"),
        ("1,0,inf", 3, "stress_MPa", "`inf` is not finite"),
        ("1,1e999,0", 3, "strain", "is not finite"),
        ("1,0,-infinity", 3, "stress_MPa", "is not finite"),
        ("1,abc,0", 3, "strain", "`abc` is not a number"),
        ("1,,0", 3, "strain", "the field is empty"),
        ("1,0 001,0", 3, "strain", "is not a number"),
        ("1,0,0\n2,0,x", 4, "stress_MPa", "`x` is not a number"),
        ("1,0,0\n\n\n2,0,x", 6, "stress_MPa", "`x`"),
        ("1,0,0\r\n2,0,0\r\n3,0,x\r\n", 5, "stress_MPa", "`x`"),
        (
            "1,0,0\n0.5,0,0",
            4,
            "time_s",
            "time decreases from 1 to 0.5",
        ),
    ] {
        let message = refused(format!("{HEAD}{row}"));
        let place = format!(":{line}, column {column}: ");
        assert!(message.starts_with(&place), "{row:?}: {message}");
        assert!(message.contains(words), "{row:?}: {message}");
    }
    let message = refused([HEAD.as_bytes(), b"1,\xff\xfe,0"].concat());
    let place = ":3, column strain: the byte 0xff is not UTF-8 text";
    assert!(message.starts_with(place), "{message}");
    let message = refused(format!("{HEAD}1,{},0", "9".repeat(1 << 20)));
    assert!(message.len() < 200, "a message of {} bytes", message.len());
    let shear = "time_s,eps11,eps22,gam12,sig11,sig22,sig12\n0,0,0,0,0,0,1.7e308\n";
    let message = refused(shear);
    assert!(message.starts_with(":2, column sig12: "), "{message}");
}

#[test]
fn line_ends_of_any_system_are_counted() {
    for end in ["\n", "\r\n", "\r"] {
        let text = [
            "time_s,strain,stress_MPa",
            "0,0,0",
            "1,0,0",
            "",
            "2,0,y",
            "3,0,0",
        ]
        .join(end);
        let message = refused(text);
        assert!(
            message.starts_with(":5, column stress_MPa"),
            "{end:?}: {message}"
        );
    }
}

#[test]
fn bad_headers_are_named_by_column() {
    for (header, column, words) in [
        (
            "time_s,stress_MPa",
            "strain",
            "missing (found: time_s, stress_MPa)",
        ),
        ("strain,stress_kN", "stress_MPa", "missing"),
        (
            "time_s,strain,stress_GPa",
            "stress_MPa",
            "missing (found: time_s, strain, stress_GPa); rename `stress_GPa` to `stress_MPa` (MPa)",
        ),
        // A time by another name is not taken for none.
        (
            "Time (min),strain,stress_MPa",
            "time_s",
            "rename `Time (min)` to `time_s` (seconds), or remove it if it is no time",
        ),
        (
            "Time_s,Tensile strain,true_strain,STRESS",
            "time_s",
            "rename `Time_s` to `time_s` (seconds), `Tensile strain` or `true_strain` to `strain` \
             (a number, not per cent), `STRESS` to `stress_MPa` (MPa)",
        ),
        (
            "time_s,eps_11,sigma11",
            "strain",
            "rename `eps_11` to `strain` (a number, not per cent), `sigma11` to `stress_MPa` (MPa)",
        ),
        (
            "time_s,E11,E22,gamma_xy,sigma_xx,S22,S12 (MPa)",
            "eps11",
            "rename `E11` to `eps11` (a number, not per cent), `E22` to `eps22` (a number, not per cent), \
             `gamma_xy` to `gam12` (a number, not per cent), `sigma_xx` to `sig11` (MPa), `S22` to `sig22` \
             (MPa), `S12 (MPa)` to `sig12` (MPa)",
        ),
        (
            "time_s,eps11,eps22,eps_12,sig11,sig22,sig12",
            "gam12",
            "rename `eps_12` to `eps12`",
        ),
        ("time_s,strain,stress_MPa,strain", "strain", "there twice"),
        ("time_s,strain,stress_MPa,T,T", "T", "there twice"),
        ("time_s,strain,stress_MPa,", "4", "no name"),
        ("time_s,strain,stress_MPa,sig22", "sig22", "does not belong"),
        ("time_s,eps11,eps22,gam12,sig11,sig22", "sig12", "missing"),
        (
            "time_s,eps11,eps22,gam12,eps12,sig11,sig22,sig12",
            "eps12",
            "same shear strain as `gam12`",
        ),
        (
            "time_s,eps11,eps22,gam12,sig11,sig22,sig12,sig33",
            "eps33",
            "missing",
        ),
    ] {
        let count = header.split(',').count();
        let row = vec!["0"; count].join(",");
        let message = refused(format!("{header}\n{row}\n"));
        let place = format!(":1, column {column}: ");
        assert!(message.starts_with(&place), "{header}: {message}");
        assert!(message.contains(words), "{header}: {message}");
    }
    let message = refused(b"time_s,str\xffain,stress_MPa\n0,0,0\n");
    let place = ":1, column 2: the byte 0xff is not UTF-8 text, but perhaps Latin-1";
    assert!(message.starts_with(place), "{message}");
}

/// Files of testing machines and spreadsheets: the message says what they have, and what a record has.
#[test]
fn files_of_other_programs_are_refused_with_the_cause() {
    let names = "time_s,strain,stress_MPa";
    let utf_16 = |text: &str| {
        text.encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<_>>()
    };
    for (file, begins, words) in [
        (
            "time_s;strain;stress_MPa\n0,0;0,0;0,0\n0,5;0,001;210,5\n",
            ":1: ",
            &["separated by semicolons", "`0,0` has a decimal comma"][..],
        ),
        (
            "time_s;strain;stress_MPa\n0;0;0\n1;0.001;1.210,5\n",
            ":1: ",
            &["separated by semicolons", "`1.210,5` has a decimal comma"],
        ),
        (
            "time_s\tstrain\tstress_MPa\n0\t0\t0\n",
            ":1: ",
            &["separated by tabs"],
        ),
        (
            "time;strain;stress",
            ":1: ",
            &["separated by semicolons", "rename `time` to `time_s`"],
        ),
        (
            "time_s strain stress_MPa\n0 0 0\n1 0.1 3\n",
            ":1: ",
            &["separated by spaces"],
        ),
        (
            "Specimen,7\n\nTime;Strain;Stress\n(s);(%);(MPa)\n0;0;0\n1;0.1;210\n2;0.2;400\n",
            ":1: ",
            &[
                "names of the columns are in line 3: remove the lines above",
                "semicolons",
                "line 4 has units: remove it",
                "column time_s: the column is missing (found: Time, Strain, Stress)",
            ],
        ),
        (
            "# bar 3\ntime_s,strain,stress_MPa\n0,0,0\n1,0.001,210\n",
            ":1: ",
            &["names of the columns are in line 2"],
        ),
        (
            "time_s,strain,stress_MPa\ns,-,MPa\n0,0,0\n",
            ":2: ",
            &["units? Remove the line"],
        ),
        (
            "0,0,0\n1,0.001,210\n",
            ":1: ",
            &["numbers without the names"],
        ),
        ("1,2,3\n", ":1: ", &["numbers without the names"]),
    ] {
        let message = refused(file);
        assert!(message.starts_with(begins), "{file:?}: {message}");
        for word in words {
            assert!(message.contains(word), "{file:?}: {message}");
        }
        assert!(message.len() < 500, "{message}");
    }
    for (row, begins, words) in [
        (
            "1,0,001,210,5",
            ":3: ",
            "5 whole numbers, the header names 3 columns: are commas decimal",
        ),
        (
            "1,0.1,\"1,210.5\"",
            ":3: ",
            "`1,210.5` has a comma between thousands",
        ),
        (
            "\"1\",\"0,001\",\"210\"",
            ":3: ",
            "`0,001` has a decimal comma",
        ),
        (
            "1,0.001,1 210.5",
            ":3, column stress_MPa: ",
            "without separators of thousands",
        ),
        (
            "1,1.5D-3,210",
            ":3, column strain: ",
            "write its exponent with `e`",
        ),
        (
            "1,0.001,210 MPa",
            ":3, column stress_MPa: ",
            "write it without its unit",
        ),
        (
            "10:00:01,0.001,210",
            ":3, column time_s: ",
            "a time of day? Write seconds",
        ),
        ("1,0.001,210,", ":3: ", "the line ends with a comma"),
        (
            "1,0.001,210\nEnd of test,,",
            ":4: ",
            "`End of test,,` is not a row of the table",
        ),
        (
            "1,0.001,210\n0,0,0",
            ":4, column time_s: ",
            "does another test begin here?",
        ),
    ] {
        let message = refused(format!("{HEAD}{row}\n"));
        assert!(message.starts_with(begins), "{row}: {message}");
        assert!(message.contains(words), "{row}: {message}");
    }
    let message = refused(format!("{names},specimen\n0,0,0,A1\n"));
    assert!(
        message.contains("column specimen: `A1` is not a number; columns"),
        "{message}"
    );
    for file in [utf_16(&format!("\u{feff}{HEAD}")), utf_16(HEAD)] {
        assert_eq!(refused(file), ": the file is UTF-16 text: save it as UTF-8");
    }
    assert!(refused(b"PK\x03\x04\0\0xl").contains("spreadsheet"));
    let folder = Folder::new();
    folder.file("a.TXT", HEAD);
    let message = Record::from_dir(folder.path()).unwrap_err().to_string();
    assert!(
        message.contains("`a.TXT` is text: a record ends in .csv"),
        "{message}"
    );
}

#[test]
fn ragged_rows_are_named_by_line() {
    for row in ["1,0", "1,0.5,0,0", "1,\"0.5"] {
        let message = refused(format!("{HEAD}{row}\n"));
        let fields = row.split(',').count();
        assert_eq!(
            message,
            format!(":3: {fields} fields, the header names 3 columns")
        );
    }
}

#[test]
fn files_that_are_no_records_are_refused() {
    assert_eq!(refused(""), ": the file is empty");
    assert_eq!(refused("\n \r\n"), ": the file is empty");
    assert_eq!(
        refused("time_s,strain,stress_MPa\n"),
        ":1: a header but no rows"
    );
    let wide: Vec<_> = (0..4100).map(|i| format!("c{i}")).collect();
    let message = refused(wide.join(","));
    assert_eq!(message, ":1: 4100 columns, a record may have 4096");

    let folder = Folder::new();
    let message = Record::from_csv(folder.path()).unwrap_err().to_string();
    assert!(message.contains("this is a folder"), "{message}");
    let message = Record::from_dir(folder.path()).unwrap_err().to_string();
    assert!(
        message.contains("no CSV record in this folder"),
        "{message}"
    );
    let none = folder.path().join("none.csv");
    let error = Record::from_csv(&none).unwrap_err();
    assert!(matches!(error, Error::Io { .. }));
    assert!(error.to_string().contains("none.csv"));
    assert!(
        Record::from_dir(&none)
            .unwrap_err()
            .to_string()
            .contains("none.csv")
    );
    folder.file("a.csv", format!("{HEAD}1,0,0\n"));
    folder.file("b.csv", format!("{HEAD}x,0,0\n"));
    let message = Record::from_dir(folder.path()).unwrap_err().to_string();
    assert!(message.contains("b.csv:3, column time_s"), "{message}");
}

#[test]
#[cfg(unix)]
fn devices_are_no_records() {
    for path in ["/dev/zero", "/dev/null"] {
        let messages = [
            Record::from_csv(path).unwrap_err().to_string(),
            Card::open(path).unwrap_err().to_string(),
            ModelFile::load(path).unwrap_err().to_string(),
        ];
        for message in messages {
            assert!(message.starts_with(path), "{message}");
            assert!(message.contains("not a"), "{message}");
        }
    }
}

#[test]
fn too_many_rows_are_refused_before_they_fill_the_memory() {
    let mut text = HEAD.to_string();
    text.push_str(&"0,0,0\n".repeat(10_000_000));
    let message = refused(text);
    assert_eq!(message, ":10000002: more than 10000000 rows");
    let folder = Folder::new();
    let path = folder.path().join("huge.csv");
    let sparse = std::fs::File::create(&path).unwrap();
    if sparse.set_len(4 << 30).is_ok() {
        let message = Record::from_csv(&path).unwrap_err().to_string();
        assert!(message.contains("4294967296 bytes"), "{message}");
        let message = ModelFile::load(&path).unwrap_err().to_string();
        assert!(message.contains("4294967296 bytes"), "{message}");
        let message = Card::open(&path).unwrap_err().to_string();
        assert!(message.contains("4294967296 bytes"), "{message}");
    }
}

#[test]
fn records_made_in_memory_are_checked_before_they_are_written() {
    let good = Record::from_csv_bytes("r.csv", format!("{HEAD}1,1,1\n").as_bytes()).unwrap();
    let refuse = |change: &dyn Fn(&mut Record), words: &str| {
        let mut record = good.clone();
        change(&mut record);
        let message = record.to_csv_bytes().unwrap_err().to_string();
        assert!(
            message.contains("record `r`") && message.contains(words),
            "{message}"
        );
    };
    refuse(&|r| r.stress[1] = f64::NAN, "stress of row 1 is not finite");
    refuse(&|r| r.time[1] = -1.0, "time decreases in row 1");
    refuse(&|r| r.components = 2, "2 components");
    refuse(
        &|r| r.strain.truncate(1),
        "strain has 1 entries, 2 rows need 2",
    );
    refuse(
        &|r| (r.external_names, r.external) = (vec!["a,b".into()], vec![0.0; 2]),
        "`a,b`",
    );
    refuse(
        &|r| (r.external_names, r.external) = (vec!["strain".into()], vec![0.0; 2]),
        "`strain`",
    );
    refuse(
        &|r| {
            *r = Record {
                name: "r".into(),
                components: 1,
                ..Record::default()
            }
        },
        "no rows",
    );
}

#[test]
fn bad_cards_are_named_by_line() {
    let good = "name = 'x'\nrecords = ['tests']\n";
    assert!(Card::from_bytes("x/card.toml", good.as_bytes()).is_ok());
    let reference = "[reference]\nlaw = 'isotropic-elastic'\nyoung_MPa = 1\npoisson = 0.3\n";
    for (text, line, words) in [
        (format!("{good}colour = 'red'\n"), 3, "colour"),
        (format!("{good}[learn]\nstate = 3\n"), 4, "state"),
        (
            format!("{good}[elastic]\nyoung_MPa = 1\npoisson = 0.3\nG = 1\n"),
            6,
            "G",
        ),
        (format!("{good}[split]\ntraining = []\n"), 4, "training"),
        (format!("{good}components = 'one'\n"), 3, "invalid type"),
        (
            format!("{good}components = 2\n"),
            3,
            "components: 1, 3 or 6",
        ),
        (format!("{good}components = -1\n"), 3, "invalid value"),
        (format!("{good}strain_measure = 'big'\n"), 3, "big"),
        (format!("{good}name = 'y'\n"), 3, "duplicate"),
        (
            format!("{good}[elastic]\nyoung_MPa = -1\npoisson = 0.3\n"),
            4,
            "elastic.young_MPa: not a positive",
        ),
        (
            format!("{good}[elastic]\nyoung_MPa = 1\npoisson = 0.5\n"),
            5,
            "elastic.poisson",
        ),
        (format!("{good}[elastic]\nyoung_MPa = 1\n"), 3, "poisson"),
        (
            format!("{good}[elastic]\npoisson = 0.3\nplastic_poisson = 0.5\n"),
            5,
            "elastic.plastic_poisson: needs young_MPa",
        ),
        (
            format!("{good}[elastic]\npoisson = 0.3\nplastic_poisson = 0.6\n"),
            5,
            "elastic.plastic_poisson: not between",
        ),
        (
            format!("{good}[learn]\nstates = 513\n"),
            4,
            "learn.states: 513, 1 to 512",
        ),
        (
            format!("{good}[learn]\nstates = 1\nwidth = 5000\n"),
            5,
            "learn.width",
        ),
        (
            format!("{good}[learn]\nlaw = 'relaxation'\nstress_state = 'uniaxial'\n"),
            5,
            "learn.stress_state: records of fewer components say nothing of other directions",
        ),
        (
            format!(
                "{good}components = 6\n[learn]\nlaw = 'relaxation'\nsymmetry = 'isotropic'\n\
                 stress_state = 'uniaxial'\n"
            ),
            7,
            "learn.stress_state: records of uniaxial stress have 1 components, not 6",
        ),
        (
            format!("{good}[learn]\nsymmetry = 'isotropic'\nstress_state = 'uniaxial'\n"),
            4,
            "learn.symmetry: minimal-state cannot have one",
        ),
        (
            format!("{good}[learn]\nstress_state = 'plane'\n"),
            4,
            "plane",
        ),
        (
            format!("{good}[learn]\nstress_state = 'axisymmetric'\n"),
            4,
            "learn.stress_state: \"uniaxial\", \"plane-stress\" and \"plane-strain\" are possible",
        ),
        (
            format!("{good}[learn]\nlaw = 'relaxation'\nsymmetry = 'orthotropic'\n"),
            5,
            "learn.symmetry: a law with this one has 3 or 6 components, not 1",
        ),
        (
            format!(
                "{good}components = 6\n[learn]\nlaw = 'generalized-standard'\n\
                 symmetry = 'isotropic'\nstates = 86\n"
            ),
            7,
            "learn.states: 86 tensors have 516 components",
        ),
        (format!("{good}[train]\nepochs = 0\n"), 4, "train.epochs: 0"),
        (
            format!("{good}[train]\nepochs = 100000000\n"),
            4,
            "train.epochs",
        ),
        (
            format!("{good}[train]\nlearning_rate = nan\n"),
            4,
            "train.learning_rate",
        ),
        (
            format!("{good}[train]\nfinal_learning_rate = 1\n"),
            4,
            "above learning_rate",
        ),
        (
            format!("{good}[train]\nspacing = [-1e-3]\n"),
            4,
            "train.spacing",
        ),
        (format!("{good}[learn]\nclock = 'sun'\n"), 4, "sun"),
        (format!("{good}[learn]\nlaw = 'gruu'\n"), 4, "there are gru"),
        (
            format!("{good}[train]\ndissipation_warmup = 1.5\n"),
            4,
            "train.dissipation_warmup",
        ),
        (
            format!("{good}[train]\ndissipation_margin = inf\n"),
            4,
            "train.dissipation_margin",
        ),
        (format!("{good}external = ['T', 'T']\n"), 3, "external"),
        (
            format!("{good}{reference}[[programme]]\nname = 'p'\nkind = 'dance'\n"),
            7,
            "dance",
        ),
        (
            format!(
                "{good}{reference}[[programme]]\nname = 'p'\nkind = 'monotonic'\nstrain = 1\nx = 1\n"
            ),
            7,
            "x",
        ),
        ("name = 'x'\n[[[\n".to_string(), 2, ""),
        ("name = ' '\nrecords = ['a']\n".to_string(), 1, "name"),
        (good.replace("'x'", "3"), 1, "invalid type"),
    ] {
        let error = Card::from_bytes("x/card.toml", text.as_bytes()).expect_err(&text);
        let message = error.to_string();
        let place = format!("x/card.toml:{line}: ");
        assert!(message.starts_with(&place), "{text}: {message}");
        assert!(message.contains(words), "{text}: {message}");
    }
    let message = Card::from_bytes("c.toml", b"name = 'x'\n\n# \xff\n").unwrap_err();
    assert_eq!(message.to_string(), "c.toml:3: not UTF-8 text");
    let message = Card::from_bytes("c.toml", b"name = 'x'\n")
        .unwrap_err()
        .to_string();
    assert!(message.contains("the card holds no material"), "{message}");
    let only_reference =
        b"name = 'x'\n[reference]\nlaw = 'isotropic-elastic'\nyoung_MPa = 1\npoisson = 0.3\n";
    let card = Card::from_bytes("c.toml", only_reference).unwrap();
    let message = card.all_records().unwrap_err().to_string();
    assert!(message.contains("nothing to learn from"), "{message}");
    let text = format!("{good}[[programme]]\nname = 'p'\nkind = 'monotonic'\nstrain = 1\n");
    let message = Card::from_bytes("c.toml", text.as_bytes()).unwrap_err();
    assert_eq!(
        message.to_string(),
        "c.toml: reference: programmes need a reference law"
    );
    let message = Card::from_bytes("c.toml", b"records = ['x']\n").unwrap_err();
    assert!(message.to_string().contains("name"), "{message}");
    let deep = format!("name = {}", "[".repeat(100_000));
    assert!(Card::from_bytes("c.toml", deep.as_bytes()).is_err());
    let folder = Folder::new();
    let error = Card::open(folder.path().join("none")).unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error}");
    let twice = format!(
        "name = 'x'\n{reference}{0}{0}",
        "[[programme]]\nname = 'p'\nkind = 'monotonic'\nstrain = 1\n"
    );
    let message = Card::from_bytes("c.toml", twice.as_bytes()).unwrap_err();
    assert!(
        message
            .to_string()
            .contains("two programmes are called `p`"),
        "{message}"
    );
    let bad = twice
        .replacen("'p'", "'q'", 1)
        .replace("strain = 1", "strain = nan");
    let card = Card::from_bytes("c.toml", bad.as_bytes()).unwrap();
    let message = card.programmes().unwrap_err().to_string();
    assert!(
        message.contains("c.toml") && message.contains("`q`"),
        "{message}"
    );
}

fn model() -> ModelFile {
    ModelFile {
        metadata: Metadata {
            schema: SCHEMA,
            crate_version: "0.1.0".into(),
            name: "steel".into(),
            architecture: Architecture::default().for_records(1, 0),
            normalisation: Normalisation {
                strain: 0.1,
                stress: 500.0,
                strain_range: vec![[-0.1, 0.1]],
                range: None,
                ..Normalisation::unit(1)
            },
            units: Units::default(),
            strain_measure: Measure::Small,
            stress_measure: Measure::Small,
            card_name: "steel".into(),
            card_hash: String::new(),
            training: json!({ "epochs": 3 }),
            audit: json!({}),
        },
        tensors: vec![NamedTensor {
            name: "w".into(),
            shape: vec![3, 4],
            values: (0..12).map(|i| i as f64 - 5.5).collect(),
        }],
    }
}

fn load_error(bytes: &[u8]) -> String {
    let error = ModelFile::from_bytes("m.safetensors", bytes).expect_err("accepted");
    assert!(matches!(error, Error::Model { .. }));
    error.to_string()
}

/// A file with another header over the same tensors.
fn with_header(bytes: &[u8], change: impl Fn(String) -> String) -> Vec<u8> {
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header = String::from_utf8(bytes[8..8 + length].to_vec()).unwrap();
    let changed = change(header);
    let mut out = (changed.len() as u64).to_le_bytes().to_vec();
    out.extend(changed.as_bytes());
    out.extend(&bytes[8 + length..]);
    out
}

/// A file whose metadata was edited without its digest.
fn with_metadata(bytes: &[u8], change: impl Fn(&mut Value)) -> Vec<u8> {
    with_header(bytes, |header| {
        let mut header: Value = serde_json::from_str(&header).unwrap();
        let entry = &mut header["__metadata__"]["hysteron"];
        let mut metadata: Value = serde_json::from_str(entry.as_str().unwrap()).unwrap();
        change(&mut metadata);
        *entry = json!(metadata.to_string());
        header.to_string()
    })
}

#[test]
fn truncated_models_are_refused() {
    let bytes = model().to_bytes("m").unwrap();
    for cut in (0..50)
        .map(|k| k * bytes.len() / 50)
        .chain([1, 7, 8, 9, bytes.len() - 1])
    {
        let message = load_error(&bytes[..cut]);
        assert!(message.starts_with("m.safetensors: "), "{message}");
    }
    assert!(load_error(&[]).contains("empty"));
    assert!(load_error(&bytes[..5]).contains("truncated"));
    assert!(load_error(&bytes[..40]).contains("truncated"));
    let longer = [bytes.as_slice(), &[0; 8]].concat();
    load_error(&longer);
}

#[test]
fn tampered_models_are_refused() {
    let bytes = model().to_bytes("m").unwrap();
    for k in 0..50 {
        for mask in [0x01, 0x10, 0x80] {
            let mut tampered = bytes.clone();
            tampered[k * bytes.len() / 50] ^= mask;
            load_error(&tampered);
        }
    }
    let last = bytes.len() - 1;
    let mut tampered = bytes.clone();
    tampered[last] ^= 1;
    assert!(load_error(&tampered).contains("changed since it was written"));
    tampered[last - 7..].copy_from_slice(&f64::NAN.to_le_bytes());
    assert!(load_error(&tampered).contains("`w`: entry 11 is not finite"));
    let tampered = with_metadata(&bytes, |m| m["normalisation"]["stress"] = json!(501.0));
    assert!(load_error(&tampered).contains("changed since it was written"));
}

#[test]
fn foreign_models_are_refused_by_cause() {
    let bytes = model().to_bytes("m").unwrap();
    for (tampered, words) in [
        (
            with_metadata(&bytes, |m| m["schema"] = json!(2)),
            "schema 2 is unknown",
        ),
        (
            with_metadata(&bytes, |m| m["colour"] = json!(1)),
            "unknown field `colour`",
        ),
        (
            with_metadata(&bytes, |m| drop(m.as_object_mut().unwrap().remove("name"))),
            "missing field `name`",
        ),
        (
            with_metadata(&bytes, |m| m["architecture"]["components"] = json!(4)),
            "components: 4",
        ),
        (
            with_metadata(&bytes, |m| m["normalisation"]["strain"] = json!(null)),
            "metadata",
        ),
        (
            with_metadata(&bytes, |m| m["normalisation"]["strain"] = json!(-1)),
            "of strain",
        ),
        (
            with_metadata(&bytes, |m| m["units"]["stress"] = json!("psi")),
            "psi",
        ),
        (
            with_header(&bytes, |h| h.replace("\"F64\"", "\"I64\"")),
            "`w` is I64, F64 is needed",
        ),
        (
            with_header(&bytes, |h| h.replace("[3,4]", "[3,5]")),
            "shape",
        ),
        (
            with_header(&bytes, |h| h.replace("[3,4]", "[4,3]")),
            "changed since",
        ),
        (
            with_header(&bytes, |h| h.replace("[3,4]", "[4294967296,4294967296]")),
            "overflow",
        ),
        (
            with_header(&bytes, |h| h.replace("\"w\":", "\"v\":")),
            "changed since",
        ),
        (
            with_header(&bytes, |h| h.replace("\"sha256\":", "\"sha257\":")),
            "no `sha256`",
        ),
        (
            with_header(&bytes, |h| {
                h.replace("\"sha256\":", "\"x\":\"y\",\"sha256\":")
            }),
            "unknown entries",
        ),
        (
            with_header(&bytes, |h| {
                h.replace("\"sha256\":", "\"sha256\":\"y\",\"sha256\":")
            }),
            "`sha256` is there twice",
        ),
        (
            with_header(&bytes, |h| {
                let tensor = &h[h.find("\"w\":").unwrap()..h.rfind('}').unwrap()];
                h.replace(tensor, &format!("{tensor},{tensor}"))
            }),
            "`w` is there twice",
        ),
        (
            with_header(&bytes, |_| "{}".into()),
            "file not fully covered",
        ),
        (with_header(&bytes, |_| "[".repeat(100_000)), "header"),
        (
            with_header(&bytes, |h| format!("{h}{}", " ".repeat(2 << 20))),
            "a header of",
        ),
        (
            [&u64::MAX.to_le_bytes(), &bytes[8..]].concat(),
            "a header of 18446744073709551615 bytes",
        ),
    ] {
        let message = load_error(&tampered);
        assert!(message.contains(words), "{words}: {message}");
    }
    let folder = Folder::new();
    let message = ModelFile::load(folder.path()).unwrap_err().to_string();
    assert!(message.contains("this is a folder"), "{message}");
    let path = folder.file("empty", "");
    assert!(
        ModelFile::load(path)
            .unwrap_err()
            .to_string()
            .contains("empty")
    );
    let error = ModelFile::load(folder.path().join("none")).unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error}");
}

/// Text that looks like a CSV file, with faults.
fn almost_csv() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("time_s".to_string()),
        Just("strain".to_string()),
        Just("stress_MPa".to_string()),
        Just("eps11".to_string()),
        Just("gam12".to_string()),
        Just("sig33".to_string()),
        Just("\"".to_string()),
        Just("nan".to_string()),
        "[-+0-9.eE]{0,6}",
        "\\PC{0,4}",
    ];
    let line = prop::collection::vec(word, 0..5).prop_map(|fields| fields.join(","));
    let lines = prop::collection::vec(line, 0..6);
    (any::<bool>(), lines).prop_map(|(headed, lines)| {
        let head = if headed { HEAD } else { "" };
        format!("{head}{}", lines.join("\n"))
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        cases: 2000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = Record::from_csv_bytes("x", &bytes);
        let _ = Card::from_bytes("x", &bytes);
        let _ = ModelFile::from_bytes("x", &bytes);
    }

    #[test]
    fn almost_records_never_panic(text in almost_csv()) {
        if let Ok(record) = Record::from_csv_bytes("x", text.as_bytes()) {
            record.check().unwrap();
            let _ = record.reversals();
            let _ = record.resample(0.1);
        }
    }

    #[test]
    fn almost_cards_never_panic(
        at in 0usize..200,
        noise in "[\\PC\\n]{0,8}",
        cut in 0usize..8,
    ) {
        let card = "name = 'x'\nrecords = ['a']\n[reference]\nlaw = 'isotropic-elastic'\nyoung_MPa = 1\npoisson = 0.3\n[[programme]]\nname = 'p'\nkind = 'monotonic'\nstrain = 1e-2\n[learn]\nstates = 3\n";
        let at = at.min(card.len());
        let text = format!("{}{noise}{}", &card[..at], &card[(at + cut).min(card.len())..]);
        if let Ok(card) = Card::from_bytes("x", text.as_bytes()) {
            let _ = card.hash();
        }
    }

    #[test]
    fn changed_models_never_panic_or_pass(
        at in any::<prop::sample::Index>(),
        value in any::<u8>(),
    ) {
        let good = model().to_bytes("x").unwrap();
        let mut bytes = good.clone();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != value);
        bytes[at] = value;
        // A change of white space in the header, or of how a character is escaped, says the same.
        if let Ok(loaded) = ModelFile::from_bytes("x", &bytes) {
            prop_assert_eq!(loaded, model());
        }
    }
}
