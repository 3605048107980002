//! Records: CSV in and out, reversals, resampling, splits, batches, and the measured records.

use hysteron::record::{Facts, IncrementLimits, Padded, Record, RecordScales, Split, doubts};
use proptest::prelude::*;
use std::path::PathBuf;

fn uniaxial(name: &str, strain: Vec<f64>) -> Record {
    Record {
        name: name.into(),
        components: 1,
        time: (0..strain.len()).map(|i| i as f64).collect(),
        stress: strain.iter().map(|e| 2e5 * e).collect(),
        strain,
        ..Record::default()
    }
}

/// Straight segments from peak to peak, `steps` rows each.
fn zigzag(peaks: &[f64], steps: usize) -> Vec<f64> {
    let mut path = vec![peaks[0]];
    for pair in peaks.windows(2) {
        path.extend((1..=steps).map(|k| pair[0] + (pair[1] - pair[0]) * k as f64 / steps as f64));
    }
    path
}

fn chords(record: &Record) -> Vec<f64> {
    (1..record.rows())
        .map(|row| {
            let (a, b) = (record.strain_at(row - 1), record.strain_at(row));
            let squares = a.iter().zip(b).map(|(x, y)| (x - y).powi(2));
            squares.sum::<f64>().sqrt()
        })
        .collect()
}

/// Stress of the first component at a time, linear between rows.
fn stress_at_time(record: &Record, time: f64) -> f64 {
    let after = record.time.partition_point(|&t| t < time);
    let after = after.clamp(1, record.rows() - 1);
    let (t0, t1) = (record.time[after - 1], record.time[after]);
    let share = if t1 > t0 {
        (time - t0) / (t1 - t0)
    } else {
        1.0
    };
    let (a, b) = (record.stress_at(after - 1)[0], record.stress_at(after)[0]);
    a + share.clamp(0.0, 1.0) * (b - a)
}

fn csv(text: &str) -> Record {
    Record::from_csv_bytes("test.csv", text.as_bytes()).unwrap()
}

#[test]
fn engineering_and_tensor_shear_give_the_same_mandel_components() {
    let plane = csv("time_s,eps11,eps22,gam12,sig11,sig22,sig12\n0,1,2,3,4,5,6\n");
    let tensor = csv("sig12,time_s,eps12,eps11,eps22,sig11,sig22\n6,0,1.5,1,2,4,5\n");
    let root = 2f64.sqrt();
    assert_eq!(plane.components, 3);
    for record in [plane, tensor] {
        assert!((record.strain[2] - 3.0 / root).abs() < 1e-15);
        assert!((record.stress[2] - 6.0 * root).abs() < 1e-14);
        assert_eq!(record.strain[..2], [1.0, 2.0]);
        assert_eq!(record.stress[..2], [4.0, 5.0]);
    }
    let six = csv(
        "time_s,eps11,eps22,eps33,gam12,gam13,gam23,sig11,sig22,sig33,sig12,sig13,sig23,T\n\
         0,1,2,3,4,5,6,1,2,3,4,5,6,20\n",
    );
    assert_eq!(six.components, 6);
    assert_eq!(six.external_names, ["T"]);
    for c in 3..6 {
        let value = (c + 1) as f64;
        assert!((six.strain[c] - value / root).abs() < 1e-15, "{c}");
        assert!((six.stress[c] - value * root).abs() < 1e-14, "{c}");
    }
    // The energy product equals that of the engineering components.
    let power: f64 = six.strain.iter().zip(&six.stress).map(|(e, s)| e * s).sum();
    let engineering: f64 = (1..=6).map(|k| (k * k) as f64).sum();
    assert!((power - engineering).abs() < 1e-12);
}

#[test]
fn spreadsheet_habits_are_read() {
    let text = "\u{feff}\"time_s\", \"strain\",stress_MPa,temperature_C\r\n0,0,0,20\r\n\r\n1,\"1e-3\", 200 ,21\r\n";
    let record = csv(text);
    assert_eq!(record.name, "test");
    assert_eq!(record.strain, [0.0, 1e-3]);
    assert_eq!(record.stress, [0.0, 200.0]);
    assert_eq!(record.external_names, ["temperature_C"]);
    assert_eq!(record.external, [20.0, 21.0]);
}

#[test]
fn a_record_without_time_counts_its_rows_and_stays_so() {
    let text = "strain,stress_MPa\n0.0,0.0\n0.001,200.0\n0.002,260.0\n0.0,-140.0\n";
    let record = csv(text);
    assert!(record.timeless);
    assert_eq!(record.time, [0.0, 1.0, 2.0, 3.0]);
    let written = record.to_csv_bytes().unwrap();
    assert_eq!(std::str::from_utf8(&written).unwrap(), text);
    let fine = record.resample(2.5e-4).unwrap();
    assert!(fine.timeless && fine.check().is_ok() && fine.rows() == 17);
    assert!(record.truncated(2).timeless);
    let plane = csv("eps11,eps22,gam12,sig11,sig22,sig12\n0,0,0,0,0,0\n");
    assert!(plane.timeless && plane.components == 3);
    // The scale of time is that of records that have one.
    let slow = csv("time_s,strain,stress_MPa\n0,0,0\n60,0.001,200\n");
    assert_eq!(RecordScales::of([&record, &slow]).time, 60.0);
    let said = doubts(&[&record, &slow], true, &[0.0]).join("; ");
    assert!(!said.contains("rates"), "{said}");
    assert!(record.check_clock(true).is_ok() && slow.check_clock(false).is_ok());
    let message = record.check_clock(false).unwrap_err().to_string();
    assert!(
        message.contains("no column `time_s`, and the law sees time"),
        "{message}"
    );
    let false_time = Record {
        time: vec![0.0, 2.0, 3.0, 4.0],
        ..record
    };
    assert!(false_time.check().is_err());
}

#[test]
fn reversals_are_peaks_and_noise_is_not() {
    let peaks = [0.0, 0.01, -0.01, 0.02, -0.02, 0.0];
    let clean = uniaxial("clean", zigzag(&peaks, 50));
    assert_eq!(clean.reversals(), [50, 100, 150, 200]);
    let shaken = clean.strain.iter().enumerate();
    let noise = shaken.map(|(i, e)| e + 3e-4 * ((i * 7919 % 13) as f64 / 6.0 - 1.0));
    let noisy = uniaxial("noisy", noise.collect());
    let found = noisy.reversals();
    assert_eq!(found.len(), 4);
    for (row, expected) in found.iter().zip([50, 100, 150, 200]) {
        assert!(row.abs_diff(expected) <= 2, "{found:?}");
    }
    assert!(noisy.reversals_above(0.0).len() > 20);
    assert!(uniaxial("constant", vec![0.3; 9]).reversals().is_empty());
    assert!(uniaxial("one", vec![0.3]).reversals().is_empty());
}

#[test]
fn a_dip_before_loading_is_no_reversal() {
    let path = zigzag(&[0.0, -1e-4, 0.02, 0.0], 20);
    assert_eq!(uniaxial("dip", path).reversals(), [40]);
}

#[test]
fn corners_of_a_plane_path_are_reversals() {
    // A square in the 11–12 plane: changes of direction by 90° at the corners only.
    let corners = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]];
    let mut strain = vec![0.0, 0.0, 0.0];
    for pair in corners.windows(2) {
        for k in 1..=40 {
            let s = k as f64 / 40.0;
            let [x, y] = [0, 1].map(|c| pair[0][c] + s * (pair[1][c] - pair[0][c]));
            strain.extend([1e-2 * x, 0.0, 1e-2 * y]);
        }
    }
    let rows = strain.len() / 3;
    let square = Record {
        name: "square".into(),
        components: 3,
        time: (0..rows).map(|i| i as f64).collect(),
        stress: strain.clone(),
        strain,
        ..Record::default()
    };
    assert_eq!(square.reversals(), [40, 80, 120]);
    let coarse = square.resample(2e-3).unwrap();
    assert_eq!(coarse.rows(), 21);
    assert!(chords(&coarse).iter().all(|d| (d - 2e-3).abs() < 1e-12));

    // A circle has no reversal for any number of rows.
    let round = (0..=2000).flat_map(|i| {
        let phase = std::f64::consts::TAU * i as f64 / 2000.0;
        [1e-2 * phase.cos(), 1e-2 * phase.sin(), 0.0]
    });
    let strain: Vec<f64> = round.collect();
    let circle = Record {
        time: (0..2001).map(|i| i as f64).collect(),
        stress: strain.clone(),
        strain,
        ..square
    };
    assert!(circle.reversals().is_empty(), "{:?}", circle.reversals());
}

#[test]
fn a_uniaxial_path_in_three_components_has_the_same_reversals() {
    let path = zigzag(&[0.0, 0.01, -0.01, 0.02, -0.02, 0.0], 50);
    let strain: Vec<f64> = path.iter().flat_map(|e| [0.6 * e, 0.0, 0.8 * e]).collect();
    let record = Record {
        name: "line".into(),
        components: 3,
        time: (0..path.len()).map(|i| i as f64).collect(),
        stress: strain.clone(),
        strain,
        ..Record::default()
    };
    assert_eq!(record.reversals(), uniaxial("line", path).reversals());
}

#[test]
fn resampling_is_even_and_keeps_the_ends_and_the_reversals() {
    let mut record = uniaxial("r", zigzag(&[0.001, 0.011, -0.009, 0.006], 33));
    record.external_names = vec!["T".into()];
    record.external = record.time.iter().map(|t| 20.0 + t).collect();
    let even = record.resample(1.05e-3).unwrap();
    for row in [0, 33, 66, 99] {
        let kept = (0..even.rows()).any(|k| {
            even.strain[k] == record.strain[row]
                && even.stress[k] == record.stress[row]
                && even.time[k] == record.time[row]
        });
        assert!(kept, "row {row} is lost");
    }
    // 10, 20 and 15 thousandths of path in steps of at most 1.05 thousandths.
    assert_eq!(even.rows(), 1 + 10 + 20 + 15);
    for step in chords(&even) {
        assert!(step <= 1.05e-3 && step > 0.9e-3, "{step}");
    }
    for row in 0..even.rows() {
        assert!((even.stress[row] - 2e5 * even.strain[row]).abs() < 1e-9);
        assert!((even.external[row] - 20.0 - even.time[row]).abs() < 1e-9);
    }
    assert!(even.check().is_ok());
    assert!(record.resample(0.0).is_err());
    assert!(record.resample(f64::NAN).is_err());
    let absurd = record.resample(1e-12).unwrap_err().to_string();
    assert!(absurd.contains("10000000 rows"), "{absurd}");
}

#[test]
fn repeated_rows_merge_by_strain_path_and_stay_by_time() {
    let mut strain = zigzag(&[0.0, 0.01], 10);
    strain.extend([0.01; 30]);
    let mut record = uniaxial("hold", strain);
    for row in 10..=40 {
        record.stress[row] = 1000.0 + 1000.0 * (-((row - 10) as f64) / 8.0).exp();
    }
    assert_eq!(record.resample(2e-3).unwrap().rows(), 6);
    let limits = IncrementLimits {
        strain: 4e-3,
        time: f64::INFINITY,
        stress: 400.0,
    };
    let thin = record.resample_time(&limits).unwrap();
    assert!(thin.rows() < 25, "{}", thin.rows());
    assert!(thin.time.contains(&10.0), "the corner of the hold is lost");
    assert_eq!(thin.time.last(), record.time.last());
    for row in 0..record.rows() {
        let error = stress_at_time(&thin, record.time[row]) - record.stress[row];
        assert!(error.abs() <= 100.0, "row {row}: {error}");
    }
    let wrong = IncrementLimits {
        time: -1.0,
        ..limits
    };
    assert!(record.resample_time(&wrong).is_err());
}

#[test]
fn first_cycles_cut_after_two_reversals_each() {
    let record = uniaxial("c", zigzag(&[0.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0], 10));
    assert_eq!(record.first_cycles(0).rows(), 11);
    assert_eq!(record.first_cycles(1).rows(), 31);
    assert_eq!(record.first_cycles(2).rows(), 51);
    assert_eq!(record.first_cycles(3).rows(), record.rows());
    assert_eq!(record.first_cycles(usize::MAX), record);
}

#[test]
fn a_split_names_the_records_that_exist() {
    let records = ["a", "b", "c"].map(|name| uniaxial(name, vec![0.0, 1.0]));
    let list = |names: &[&str]| names.iter().map(|n| n.to_string()).collect::<Vec<_>>();
    let split = |train: &[&str], validation: &[&str]| Split {
        train: list(train),
        validation: list(validation),
    };
    let names = |records: &[&Record]| records.iter().map(|r| r.name.clone()).collect::<Vec<_>>();
    let (train, validation) = split(&[], &["b"]).apply(&records).unwrap();
    assert_eq!(
        (names(&train), names(&validation)),
        (list(&["a", "c"]), list(&["b"]))
    );
    let (train, validation) = split(&["c"], &["a"]).apply(&records).unwrap();
    assert_eq!(
        (names(&train), names(&validation)),
        (list(&["c"]), list(&["a"]))
    );
    for (bad, words) in [
        (
            split(&["d"], &[]),
            "no record is called `d`; there are: a, b, c",
        ),
        (split(&["a"], &["a"]), "`a` is in both train and validation"),
        (split(&["a", "a"], &[]), "`a` is listed twice"),
        (split(&[], &["a", "b", "c"]), "no record is left"),
    ] {
        let message = bad.apply(&records).unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
    }
    let twins = [records[0].clone(), records[0].clone()];
    let message = Split::default().apply(&twins).unwrap_err().to_string();
    assert!(message.contains("two records are called `a`"), "{message}");
}

#[test]
fn a_batch_pads_with_zero_increments() {
    let long = csv(
        "time_s,eps11,eps22,gam12,sig11,sig22,sig12,T\n0,0,0,0,0,0,0,20\n2,1,2,0,3,4,0,21\n5,5,6,0,7,8,0,22\n",
    );
    let short =
        csv("time_s,eps11,eps22,gam12,sig11,sig22,sig12,T\n1,9,8,0,7,6,0,30\n4,1,1,0,1,1,0,31\n");
    let batch = Padded::new(&[&long, &short]).unwrap();
    assert_eq!((batch.records, batch.rows, batch.components), (2, 3, 3));
    assert_eq!(batch.lengths, [3, 2]);
    assert_eq!(batch.dt, [0.0, 0.0, 2.0, 3.0, 3.0, 0.0]);
    assert_eq!(batch.mask, [1.0, 1.0, 1.0, 1.0, 1.0, 0.0]);
    let at = |row: usize, c: usize, record: usize| (row * 3 + c) * 2 + record;
    assert_eq!(batch.strain[at(2, 1, 0)], 6.0);
    assert_eq!(batch.strain[at(2, 0, 1)], 1.0);
    assert_eq!(batch.strain[at(0, 1, 1)], 8.0);
    assert_eq!(batch.stress[at(1, 1, 0)], 4.0);
    assert_eq!(batch.external, [20.0, 30.0, 21.0, 31.0, 22.0, 31.0]);
    assert!(Padded::new(&[]).is_err());
    let other = uniaxial("other", vec![0.0]);
    let message = Padded::new(&[&long, &other]).unwrap_err().to_string();
    assert!(
        message.contains("3 components") && message.contains("other"),
        "{message}"
    );
}

#[test]
fn scales_come_from_the_records_or_are_one() {
    let mut record = uniaxial("s", vec![0.0, -0.02, 0.01]);
    record.time = vec![0.0, 0.0, 4.0];
    record.stress = vec![0.0, 300.0, -400.0];
    let scales = RecordScales::of([&record]);
    assert_eq!(scales.strain, 0.02);
    assert!((scales.stress - (250_000f64 / 3.0).sqrt()).abs() < 1e-9);
    assert_eq!(scales.time, 4.0);
    let one = RecordScales {
        strain: 1.0,
        stress: 1.0,
        time: 1.0,
    };
    assert_eq!(RecordScales::of([&uniaxial("zero", vec![0.0])]), one);
    assert_eq!(RecordScales::of([]), one);
}

fn finite() -> impl Strategy<Value = f64> {
    prop_oneof![
        -1e3..1e3f64,
        any::<f64>().prop_filter("finite, and so in Mandel form", |v| (v * 4.0).is_finite()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_written_record_comes_back(
        components in prop::sample::select(vec![1usize, 3, 6]),
        values in prop::collection::vec(finite(), 14 * 5),
        rows in 1usize..5,
    ) {
        let mut values = values.into_iter();
        let mut take = |n: usize| values.by_ref().take(n).collect::<Vec<_>>();
        let mut time = take(rows);
        time.sort_by(f64::total_cmp);
        let record = Record {
            name: "r".into(),
            components,
            time,
            timeless: false,
            strain: take(rows * components),
            stress: take(rows * components),
            external_names: vec!["temperature_C".into()],
            external: take(rows),
        };
        let written = record.to_csv_bytes().unwrap();
        let first = Record::from_csv_bytes("r.csv", &written).unwrap();
        prop_assert_eq!(&first.time, &record.time);
        prop_assert_eq!(&first.external, &record.external);
        for (new, old) in first.strain.iter().zip(&record.strain).chain(first.stress.iter().zip(&record.stress)) {
            prop_assert!((new - old).abs() <= old.abs() * 2.3e-16 + 1e-320, "{} {}", new, old);
        }
        if components == 1 {
            prop_assert_eq!(&first, &record);
        }
        // Values read from a file are written and read back unchanged.
        let again = Record::from_csv_bytes("r.csv", &first.to_csv_bytes().unwrap()).unwrap();
        prop_assert_eq!(again, first);
    }

    #[test]
    fn resampling_any_path_keeps_its_steps_within_the_spacing(
        steps in prop::collection::vec(-1.0..1.0f64, 3 * 2..3 * 60),
        components in prop::sample::select(vec![1usize, 3]),
        spacing in 0.05..2.0f64,
    ) {
        let rows = steps.len() / components;
        let mut strain = steps[..rows * components].to_vec();
        for i in components..strain.len() {
            strain[i] += strain[i - components];
        }
        let record = Record {
            name: "walk".into(),
            components,
            time: (0..rows).map(|i| i as f64).collect(),
            stress: strain.clone(),
            strain,
            ..Record::default()
        };
        let reversals = record.reversals();
        prop_assert!(reversals.windows(2).all(|w| w[0] < w[1]));
        let even = record.resample(spacing).unwrap();
        even.check().unwrap();
        prop_assert!(chords(&even).iter().all(|d| *d <= 1.02 * spacing));
        for row in reversals.into_iter().chain([0, rows - 1]) {
            prop_assert!((0..even.rows()).any(|k| even.strain_at(k) == record.strain_at(row)));
        }
        let limits = IncrementLimits { strain: spacing, time: 7.0, stress: 3.0 };
        let thin = record.resample_time(&limits).unwrap();
        thin.check().unwrap();
        prop_assert!(thin.rows() <= rows);
        prop_assert_eq!(thin.strain_at(thin.rows() - 1), record.strain_at(rows - 1));
    }
}

/// A folder of measured records next to the repository, if there is one.
fn measured(folder: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/data")
        .join(folder);
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: {} is absent", path.display());
    None
}

#[test]
fn all_measured_records_are_read() {
    for (folder, count, components, externals) in [
        ("steel_epfl_resslab", 7, 1, 0),
        ("vhb4910_hossain2012", 11, 1, 0),
        ("oca_shear_zhao2024", 9, 1, 0),
        ("rve_prnn_2d", 46, 3, 0),
        ("ss304l_sandia", 72, 1, 0),
        ("steel_hot_gleeble_pantale", 30, 1, 1),
    ] {
        let Some(path) = measured(folder) else { return };
        let records = Record::from_dir(&path).unwrap();
        assert_eq!(records.len(), count, "{folder}");
        for record in &records {
            record.check().unwrap();
            assert_eq!(record.components, components, "{}", record.name);
            assert_eq!(record.external_names.len(), externals, "{}", record.name);
            let written = record.to_csv_bytes().unwrap();
            let file = format!("{}.csv", record.name);
            assert_eq!(&Record::from_csv_bytes(file, &written).unwrap(), record);
        }
        assert!(records.windows(2).all(|w| w[0].name < w[1].name));
        let scales = RecordScales::of(&records);
        println!("{folder}: {count} records, {scales:?}");
    }
}

/// `strain_reversals` of a folder's index, by test.
fn indexed_reversals(folder: &std::path::Path) -> Vec<(String, usize)> {
    let text = std::fs::read_to_string(folder.join("index.csv")).unwrap();
    let mut lines = text.lines();
    let header: Vec<_> = lines.next().unwrap().split(',').collect();
    let column = header.iter().position(|h| *h == "strain_reversals");
    let column = column.unwrap();
    lines
        .map(|line| {
            let fields: Vec<_> = line.split(',').collect();
            (fields[0].to_string(), fields[column].parse().unwrap())
        })
        .collect()
}

#[test]
fn measured_reversals_are_those_of_the_index() {
    for folder in [
        "steel_epfl_resslab",
        "vhb4910_hossain2012",
        "oca_shear_zhao2024",
    ] {
        let Some(path) = measured(folder) else { return };
        let records = Record::from_dir(&path).unwrap();
        let mut checked = 0;
        for (name, expected) in indexed_reversals(&path) {
            // The index also lists a second digitisation that lies in another folder.
            if let Some(record) = records.iter().find(|r| r.name == name) {
                assert_eq!(record.reversals().len(), expected, "{name}");
                checked += 1;
            }
        }
        assert_eq!(checked, records.len());
    }
}

fn reinterpolation_rmse(coarse: &Record, record: &Record) -> f64 {
    let squares = (0..record.rows())
        .map(|row| (stress_at_time(coarse, record.time[row]) - record.stress[row]).powi(2));
    (squares.sum::<f64>() / record.rows() as f64).sqrt()
}

#[test]
fn resampled_steel_keeps_its_stress() {
    let Some(path) = measured("steel_epfl_resslab") else {
        return;
    };
    let records = Record::from_dir(path).unwrap();
    for (name, reversals) in [("resspylab_example_1", 22), ("resspylab_example_2", 17)] {
        let record = records.iter().find(|r| r.name == name).unwrap();
        let rms = RecordScales::of([record]).stress;
        // Resampling shifts the corners at yield by at most one spacing: the error decreases with it.
        for (spacing, share) in [(1e-3, 0.12), (2e-4, 0.04), (5e-5, 0.005)] {
            let even = record.resample(spacing).unwrap();
            assert_eq!(even.reversals().len(), reversals);
            assert!(chords(&even).iter().all(|&d| d > 0.0 && d < 1.02 * spacing));
            let rmse = reinterpolation_rmse(&even, record);
            println!(
                "{name}, spacing {spacing}: {} rows to {}, RMSE {rmse:.2} of {rms:.0} MPa",
                record.rows(),
                even.rows()
            );
            assert!(rmse < share * rms, "{name}: {rmse} MPa");
        }
        let limits = IncrementLimits {
            strain: 2e-3,
            time: f64::INFINITY,
            stress: 0.1 * rms,
        };
        let thin = record.resample_time(&limits).unwrap();
        let rmse = reinterpolation_rmse(&thin, record);
        println!(
            "{name}, by increments: {} rows, RMSE {rmse:.2} MPa",
            thin.rows()
        );
        assert!(thin.rows() < record.rows() && rmse < 0.025 * rms);
        assert_eq!(thin.reversals().len(), reversals);
    }
}

/// A bar of 200 GPa that is strained to 0.2 %, held for a minute with a loss of stress, and strained on.
fn held() -> Record {
    let rows = [
        (0.0, 0.0, 0.0),
        (1.0, 5e-4, 100.0),
        (2.0, 1e-3, 200.0),
        (4.0, 2e-3, 300.0),
        (20.0, 2e-3, 260.0),
        (64.0, 2e-3, 240.0),
        (65.0, 3e-3, 320.0),
    ];
    Record {
        name: "held".into(),
        components: 1,
        time: rows.iter().map(|r| r.0).collect(),
        strain: rows.iter().map(|r| r.1).collect(),
        stress: rows.iter().map(|r| r.2).collect(),
        ..Record::default()
    }
}

#[test]
fn thinning_for_a_law_that_sees_time_keeps_holds() {
    let record = held();
    let path = record.thinned(1e-3, true).unwrap();
    assert!(path.rows() < 6);
    let time = record.thinned(1e-3, false).unwrap();
    let lasting = time.time.windows(2).zip(time.strain.windows(2));
    let held: f64 = lasting
        .filter(|(_, e)| e[0] == e[1])
        .map(|(t, _)| t[1] - t[0])
        .sum();
    assert_eq!(held, 60.0);
    assert!(time.stress.contains(&240.0));
}

#[test]
fn records_are_doubted_where_a_law_cannot_follow_or_units_are_others() {
    let of =
        |record: &Record, rate_independent| doubts(&[record], rate_independent, &[0.0]).join("; ");
    let record = held();
    assert_eq!(record.initial_modulus(), Some(200e3));
    let loading = "no reversal in any record: the law learns nothing of unloading";
    assert_eq!(of(&record, false), loading);
    let said = of(&record, true);
    assert!(
        said.contains("changes by 60.000 MPa while the strain is held for 60.000 s"),
        "{said}"
    );
    let scaled = |strain: f64, stress: f64| Record {
        strain: record.strain.iter().map(|e| strain * e).collect(),
        stress: record.stress.iter().map(|s| stress * s).collect(),
        ..record.clone()
    };
    assert!(of(&scaled(1.0, 1e6), false).contains("initial modulus is 2.000e11 MPa"));
    assert!(of(&scaled(1e6, 1.0), false).contains("per cent"));
    let offset = Record {
        stress: record.stress.iter().map(|s| s + 25.0).collect(),
        ..record.clone()
    };
    let said = of(&offset, false);
    assert!(
        said.contains("starts at a strain of 0.000e0 and 25.000 MPa"),
        "{said}"
    );
    let counted = Record {
        time: (0..7).map(f64::from).collect(),
        ..record.clone()
    };
    assert!(of(&counted, false).contains("a count of rows"));
    let fast = Record {
        name: "fast".into(),
        time: record.time.iter().map(|t| t / 100.0).collect(),
        stress: record.strain.iter().map(|e| 200e3 * e).collect(),
        ..record.clone()
    };
    let slow = Record {
        stress: fast.stress.clone(),
        ..record
    };
    let said = doubts(&[&fast, &slow], true, &[0.0]).join("; ");
    assert!(
        said.contains("mean strain rates of the records go from"),
        "{said}"
    );
    assert_eq!(doubts(&[&fast, &slow], false, &[0.0]), [loading]);
}

/// A bar of 200 GPa that yields at 300 MPa, in steps of `step` from peak to peak, with scatter of strain and stress.
fn scattered(step: f64, strain: f64, stress: f64) -> Record {
    let peaks = [0.0f64, 0.01, -0.01, 0.01];
    let mut path = vec![0.0];
    for pair in peaks.windows(2) {
        let steps = ((pair[1] - pair[0]).abs() / step).round() as usize;
        path.extend((1..=steps).map(|k| pair[0] + (pair[1] - pair[0]) * k as f64 / steps as f64));
    }
    let mut plastic = 0.0f64;
    let stresses: Vec<f64> = path
        .iter()
        .map(|e| {
            plastic = plastic.clamp(e - 1.5e-3, e + 1.5e-3);
            2e5 * (e - plastic) + 5e3 * e
        })
        .collect();
    // Congruences in place of random numbers, within ±1.
    let noise = |k: usize, p: usize| match k {
        0 => 0.0,
        k => ((k * k * 7919 + k * p) % 1009) as f64 / 504.0 - 1.0,
    };
    Record {
        stress: stresses
            .iter()
            .enumerate()
            .map(|(k, s)| s + stress * noise(k, 31))
            .collect(),
        ..uniaxial(
            "n",
            path.iter()
                .enumerate()
                .map(|(k, e)| e + strain * noise(k, 17))
                .collect(),
        )
    }
}

/// The spacing that a doubt names.
fn advised(doubt: &str) -> f64 {
    let (_, rest) = doubt
        .split_once("--spacing ")
        .unwrap_or_else(|| panic!("{doubt}"));
    rest.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn noise_is_doubted_with_the_spacing_that_takes_it_out() {
    let of = |record: &Record, spacing: f64| doubts(&[record], true, &[spacing]).join("; ");
    assert_eq!(of(&scattered(1e-4, 0.0, 0.0), 0.0), "");
    // A scatter that is small against the steps.
    assert_eq!(of(&scattered(1e-4, 2e-6, 0.5), 0.0), "");
    let strain = scattered(2e-5, 4e-5, 0.0);
    let said = of(&strain, 0.0);
    assert!(
        said.contains("noise in its strain") && !said.contains("scatters"),
        "{said}"
    );
    assert_eq!(of(&strain, advised(&said)), "");
    let stress = scattered(2e-5, 0.0, 12.0);
    let said = of(&stress, 0.0);
    assert!(
        said.contains("its stress scatters by") && !said.contains("to and fro"),
        "{said}"
    );
    let words: Vec<_> = said.split_whitespace().collect();
    let at = words.iter().position(|word| *word == "scatters").unwrap();
    // Uniform within ±12 MPa: a standard deviation of 6.9 MPa.
    let scatter: f64 = words[at + 2].parse().unwrap();
    assert!((scatter - 6.9).abs() < 1.4, "{said}");
    // Strained to and fro in earnest: the stress goes along.
    let walk = (0..300).map(|k| 2e-5 * ((k * k * 31 + 7 * k) % 3) as f64 + 1e-5 * k as f64);
    let said = of(&uniaxial("walk", walk.collect()), 0.0);
    assert_eq!(
        said,
        "no reversal in any record: the law learns nothing of unloading"
    );
}

#[test]
fn measured_records_have_no_noise_that_matters() {
    for folder in [
        "steel_epfl_resslab",
        "vhb4910_hossain2012",
        "rve_prnn_2d",
        "ss304l_sandia",
    ] {
        let Some(path) = measured(folder) else { return };
        for record in Record::from_dir(&path).unwrap() {
            let said = doubts(&[&record], false, &[0.0]).join("; ");
            assert!(
                !said.contains("--spacing") && !said.contains("smooth"),
                "{said}"
            );
            assert!(
                !said.contains("per cent") && !said.contains("units"),
                "{said}"
            );
        }
    }
}

#[test]
fn facts_are_reversals_holds_and_rates() {
    let cyclic = uniaxial("c", zigzag(&[0.0, 0.01, -0.01, 0.01], 50));
    let pulled = uniaxial("p", zigzag(&[0.0, 0.01], 50));
    let hold = held();
    let facts = Facts::of(&[&cyclic, &pulled, &hold]);
    assert_eq!((facts.records, facts.turning, facts.reversals), (3, 1, 2));
    assert_eq!((facts.timeless, facts.hold), (0, 60.0));
    assert!(facts.tell_of_time() && !Facts::of(&[&cyclic, &pulled]).tell_of_time());
    // One pull whose rate jumps twenty-fold.
    let mut jumps = pulled.clone();
    jumps
        .time
        .iter_mut()
        .skip(26)
        .for_each(|t| *t = 25.0 + (*t - 25.0) / 20.0);
    assert!(Facts::of(&[&jumps]).tell_of_time());
    assert!(
        doubts(&[&pulled], true, &[0.0])
            .join("; ")
            .contains("nothing of unloading")
    );
    assert!(doubts(&[&pulled, &cyclic], true, &[0.0]).is_empty());
    // An elastic step within a few thousandths of a wide range is no hold.
    let mut wide = uniaxial("w", zigzag(&[0.0, 1e-3, 1.0], 100));
    wide.stress.iter_mut().for_each(|s| *s = s.min(200.0));
    assert_eq!(Facts::of(&[&wide]).hold, 0.0);
    let timeless = Record {
        timeless: true,
        ..cyclic
    };
    let facts = Facts::of(&[&timeless]);
    assert_eq!((facts.timeless, facts.rates), (1, None));
    assert_eq!(Facts::of(&[]), Facts::default());
}

#[test]
fn a_doubt_of_several_records_is_one_line() {
    let records: Vec<_> = (0..6)
        .map(|k| {
            let mut record = uniaxial(&format!("r{k}"), zigzag(&[0.0, 0.01, 0.0], 20));
            record.stress.iter_mut().for_each(|s| *s += 500.0);
            record
        })
        .collect();
    let records: Vec<_> = records.iter().collect();
    let said = doubts(&records, true, &[0.0]);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].starts_with("record `r0`: it starts at"), "{said:?}");
    assert!(
        said[0].ends_with("(likewise `r1`, `r2`, `r3` and 2 more)"),
        "{said:?}"
    );
}
