//! Saved laws: what is written comes back, and nothing else is read.

mod support;

use hysteron::mandel::Measure;
use hysteron::model::{Metadata, ModelFile, NamedTensor, Normalisation, SCHEMA, Units};
use hysteron::recurrent::Architecture;

use proptest::prelude::*;
use serde_json::json;
use support::Folder;

fn sample() -> ModelFile {
    let tensor = |name: &str, shape: &[usize], values: Vec<f64>| NamedTensor {
        name: name.into(),
        shape: shape.to_vec(),
        values,
    };
    ModelFile {
        metadata: Metadata {
            schema: SCHEMA,
            crate_version: "0.1.0".into(),
            name: "steel at 20 °C".into(),
            architecture: Architecture::default().for_records(3, 1),
            normalisation: Normalisation {
                strain: 0.1 + 0.2,
                stress: 1.0 / 3.0,
                time: 1e-300,
                external_names: vec!["temperature_C".into()],
                external: vec![[20.0, 1.0 / 7.0]],
                strain_range: vec![[-0.1, 0.1], [0.0, 0.0], [-1e-17, 2.0 / 3.0]],
                range: None,
            },
            units: Units::default(),
            strain_measure: Measure::True,
            stress_measure: Measure::Engineering,
            card_name: "steel".into(),
            card_hash: "00".into(),
            training: json!({ "loss": 1.2345678901234567e-5, "note": "\"√2\"" }),
            audit: json!(null),
        },
        tensors: vec![
            tensor("a.bias", &[2], vec![f64::MIN_POSITIVE / 8.0, -0.0]),
            tensor(
                "a.weight",
                &[2, 3],
                (0..6).map(|i| (i as f64).sqrt()).collect(),
            ),
            tensor("scale", &[], vec![f64::MAX]),
        ],
    }
}

#[test]
fn what_is_saved_comes_back_bit_for_bit() {
    let folder = Folder::new();
    let path = folder.path().join("law.safetensors");
    let model = sample();
    model.save(&path).unwrap();
    let loaded = ModelFile::load(&path).unwrap();
    assert_eq!(loaded, model);
    let bits = |m: &ModelFile| -> Vec<u64> {
        let values = m.tensors.iter().flat_map(|t| &t.values);
        values.map(|v| v.to_bits()).collect()
    };
    assert_eq!(bits(&loaded), bits(&model));
    assert_eq!(loaded.tensor("a.bias").unwrap().shape, [2]);
    assert!(loaded.tensor("b").is_none());
    // Over an older file, and without leaving anything beside it.
    model.save(&path).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn nothing_is_left_of_a_failed_save() {
    let folder = Folder::new();
    let taken = folder.path().join("taken");
    std::fs::create_dir_all(taken.join("inside")).unwrap();
    let message = sample().save(&taken).unwrap_err().to_string();
    assert!(message.contains("taken"), "{message}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let message = sample().save(folder.path().join("no/where")).unwrap_err();
    assert!(message.to_string().contains("where"), "{message}");
}

#[test]
fn what_could_not_be_loaded_is_not_saved() {
    let refuse = |change: &dyn Fn(&mut ModelFile), words: &str| {
        let mut model = sample();
        change(&mut model);
        let message = model.to_bytes("m.safetensors").unwrap_err().to_string();
        assert!(
            message.contains("m.safetensors") && message.contains(words),
            "{message}"
        );
    };
    refuse(
        &|m| m.tensors[1].values[4] = f64::NAN,
        "`a.weight`: entry 4",
    );
    refuse(&|m| m.tensors[1].values.truncate(5), "[2, 3] has 5 entries");
    refuse(&|m| m.tensors[1].shape = vec![usize::MAX, 2], "entries");
    refuse(&|m| m.tensors[1].shape = vec![0, 7], "entries");
    refuse(
        &|m| m.tensors[1].name = "scale".into(),
        "two tensors are called `scale`",
    );
    refuse(
        &|m| m.tensors[1].name = "__metadata__".into(),
        "cannot name a tensor",
    );
    refuse(
        &|m| m.tensors[1].name = "n".repeat(1000),
        "cannot name a tensor",
    );
    refuse(&|m| m.metadata.schema = 2, "schema 2");
    refuse(&|m| m.metadata.architecture.components = 2, "components: 2");
    refuse(&|m| m.metadata.normalisation.stress = 0.0, "of stress");
    refuse(&|m| m.metadata.normalisation.time = f64::NAN, "of time");
    refuse(
        &|m| m.metadata.normalisation.strain_range[1] = [1.0, 0.0],
        "[1, 0] is not a range",
    );
    refuse(
        &|m| m.metadata.normalisation.strain_range.truncate(2),
        "2 strain ranges",
    );
    refuse(
        &|m| m.metadata.normalisation.external_names = vec!["T".into(), "T".into()],
        "2 external names, 1 are needed",
    );
    refuse(&|m| m.metadata.units.stress = "Pa".into(), "units");
    refuse(&|m| m.metadata.name = String::new(), "no name");
    refuse(
        &|m| m.metadata.audit = json!("x".repeat(2 << 20)),
        "a header of",
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_finite_model_comes_back(
        values in prop::collection::vec(any::<f64>().prop_filter("finite", |v| v.is_finite()), 4..40),
        name in "[a-z.0-9é\"\\\\]{1,20}",
    ) {
        let mut model = sample();
        let positive = |v: f64| v.abs().max(f64::MIN_POSITIVE);
        model.metadata.normalisation.strain = positive(values[0]);
        model.metadata.normalisation.stress = positive(values[1]);
        model.metadata.normalisation.strain_range[2] = [values[2].min(values[3]), values[2].max(values[3])];
        model.metadata.training = json!(values);
        model.tensors = vec![NamedTensor { name, shape: vec![values.len()], values }];
        let bytes = model.to_bytes("x").unwrap();
        prop_assert_eq!(ModelFile::from_bytes("x", &bytes).unwrap(), model);
    }
}
