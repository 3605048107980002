//! Every figure, drawn from synthetic data as SVG and PNG.
#![cfg(feature = "plot")]

use hysteron::Error;
use hysteron::driver::Curve;
use hysteron::law::{StateLayout, Status};
use hysteron::plot::*;
use hysteron::record::Record;
use std::path::{Path, PathBuf};

const SQRT_2: f64 = std::f64::consts::SQRT_2;

/// A Bouc–Wen material under growing cycles; strain amplitudes reach `amplitude`.
fn loops(name: &str, rows: usize, amplitude: f64, strength: f64) -> Curve {
    let (modulus, share) = (70_000.0, 0.05);
    let mut curve = Curve::default();
    let record = &mut curve.record;
    record.name = name.into();
    record.components = 1;
    curve.state_layout = StateLayout::new([("hysteretic strain", 1)]);
    let limit = strength / modulus;
    let (mut z, mut old) = (0.0_f64, 0.0);
    for row in 0..rows {
        let turn = row as f64 / (rows - 1) as f64;
        let strain = amplitude * turn * (8.0 * std::f64::consts::PI * turn).sin();
        let increment = strain - old;
        let before = z;
        // Small steps: the law is explicit.
        for _ in 0..200 {
            let d = increment / 200.0;
            z += d - 0.5 * (d.abs() * z + d * z.abs()) / limit;
        }
        old = strain;
        record.time.push(row as f64 * 0.5);
        record.strain.push(strain);
        let stress = share * modulus * strain + (1.0 - share) * modulus * z;
        record.stress.push(stress);
        curve.states.push(z);
        curve
            .stored_energy
            .push(0.5 * stress * strain.abs().min(limit));
        let slip = increment - (z - before);
        curve
            .dissipation
            .push((1.0 - share) * modulus * (z * slip).max(0.0));
        curve.status.push(match strain.abs() > 0.75 * amplitude {
            true => Status::Outside,
            false => Status::Inside,
        });
    }
    curve
}

/// A prediction with a small error.
fn prediction(name: &str, rows: usize, amplitude: f64, strength: f64) -> Curve {
    loops(name, rows, amplitude, 1.06 * strength)
}

fn file(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plots");
    std::fs::create_dir_all(&directory).unwrap();
    directory.join(name)
}

/// Draws in both formats, checks the PNG's header, returns the SVG.
fn drawn(name: &str, draw: impl Fn(&Path) -> hysteron::Result<()>) -> String {
    let (svg, png) = (file(&format!("{name}.svg")), file(&format!("{name}.png")));
    draw(&svg).unwrap();
    draw(&png).unwrap();
    let svg = std::fs::read_to_string(svg).unwrap();
    let bytes = std::fs::read(png).unwrap();
    assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    let (width, height) = (number(16), number(20));
    assert!(width >= 1200 && height >= 800, "{width} x {height}");
    assert!(svg.contains(&format!("width=\"{width}\" height=\"{height}\"")));
    assert_eq!(&bytes[bytes.len() - 8..bytes.len() - 4], b"IEND");
    svg
}

fn assert_shows(svg: &str, texts: &[&str]) {
    for text in texts {
        assert!(svg.contains(text), "no {text:?} in the figure");
    }
}

fn message(result: hysteron::Result<()>) -> String {
    match result {
        Err(Error::Plot { message, .. }) => message,
        other => panic!("{other:?} where a plot error belongs"),
    }
}

const VERMILLION: &str = "#D55E00";

#[test]
fn stress_strain_shows_names_errors_and_units() {
    let measured = loops("LP5 <steel> & more", 900, 0.02, 350.0);
    let predicted = prediction("LP5", 900, 0.02, 350.0);
    let svg = drawn("stress_strain_one", |path| {
        stress_strain(&[(&measured.record, Some(&predicted))], 0, path)
    });
    assert_shows(
        &svg,
        &[
            "LP5 &lt;steel&gt; &amp; more: RMSE ",
            " MPa",
            "strain ε₁₁ [–]",
            "stress σ₁₁ [MPa]",
            "outside the trained range",
        ],
    );
    let names = [
        "A",
        "B",
        "a record with a name that is far too long for its panel",
        "D",
        "E",
    ];
    let several: Vec<(Curve, Curve)> = names
        .iter()
        .enumerate()
        .map(|(k, name)| {
            let (rows, amplitude) = ([40, 300, 500, 700, 900][k], 0.004 * (k + 1) as f64);
            (
                loops(name, rows, amplitude, 300.0),
                prediction(name, rows, amplitude, 300.0),
            )
        })
        .collect();
    let mut pairs: Vec<_> = several.iter().map(|(m, p)| (&m.record, Some(p))).collect();
    pairs[1].1 = None;
    let svg = drawn("stress_strain_five", |path| stress_strain(&pairs, 0, path));
    assert_eq!(svg.matches("RMSE").count(), 4);
    assert_shows(&svg, &["…: RMSE"]);
}

#[test]
fn stress_over_time_row_and_path() {
    let measured = loops("cyclic", 400, 0.015, 300.0);
    let predicted = prediction("cyclic", 400, 0.015, 300.0);
    let two = [
        (&measured.record, Some(&predicted)),
        (&predicted.record, None),
    ];
    for (over, name, label) in [
        (Abscissa::Time, "over_time", "time [s]"),
        (Abscissa::Row, "over_row", "row [–]"),
        (Abscissa::PathLength, "over_path", "strain path Σ‖Δε‖ [–]"),
    ] {
        let svg = drawn(name, |path| stress_over_time(&two, 0, over, path));
        assert_shows(&svg, &[label, "stress σ₁₁ [MPa]"]);
    }
}

#[test]
fn shear_is_drawn_as_tensor_stress_and_engineering_strain() {
    let plane = Record {
        name: "shear".into(),
        components: 3,
        time: vec![0.0, 1.0],
        strain: vec![0.0, 0.0, 0.0, 0.0, 0.0, 0.02 / SQRT_2],
        stress: vec![0.0, 0.0, 0.0, 0.0, 0.0, 100.0 * SQRT_2],
        ..Record::default()
    };
    let svg = drawn("shear", |path| stress_strain(&[(&plane, None)], 2, path));
    assert_shows(
        &svg,
        &[
            "shear strain γ₁₂ [–]",
            "stress σ₁₂ [MPa]",
            ">\n100\n",
            ">\n0.020\n",
        ],
    );
    let error = message(stress_strain(&[(&plane, None)], 3, file("x.svg")));
    assert!(error.contains("no component 3"), "{error}");
}

#[test]
fn dissipation_marks_negative_steps() {
    let mut curve = loops("J2, learned", 201, 0.02, 300.0);
    for row in [30, 70, 71, 150] {
        curve.dissipation[row] = -0.03;
    }
    // Round-off is not a violation.
    curve.dissipation[100] = -1e-18;
    let svg = drawn("dissipation", |path| dissipation(&[&curve], path));
    assert_shows(
        &svg,
        &[
            "J2, learned: 4 of 200 steps negative (2 %)",
            "dissipation D [MJ/m³]",
            "sum of D",
        ],
    );
    let marks = svg
        .lines()
        .filter(|l| l.starts_with("<polygon") && l.contains(VERMILLION));
    // One more in the legend.
    assert_eq!(marks.count(), 4 + 1);

    let good = loops("guaranteed", 20_001, 0.02, 300.0);
    drawn("dissipation_two", |path| {
        dissipation(&[&curve, &good], path)
    });
}

fn with_states(rows: usize, variables: &[(&str, usize)]) -> Curve {
    let mut curve = loops("viscoelastic", rows, 0.02, 300.0);
    curve.state_layout = StateLayout::new(variables.iter().copied());
    let states = curve.state_layout.len();
    curve.states = (0..rows)
        .flat_map(|row| {
            (0..states).map(move |k| {
                let t = row as f64 / rows as f64;
                (1.0 - (-3.0 * t).exp()) * (6.0 * t + 0.7 * k as f64).sin() / (1.0 + 0.2 * k as f64)
            })
        })
        .collect();
    curve
}

#[test]
fn internal_variables_are_labelled() {
    let curve = with_states(
        300,
        &[("plastic strain", 6), ("hardening", 1), ("back stress", 6)],
    );
    let svg = drawn("internal_three", |path| {
        internal_variables(&curve, Abscissa::PathLength, path)
    });
    assert_shows(&svg, &["plastic strain[5]", "back stress[0]", "hardening"]);
    let curve = with_states(300, &[("hidden", 64)]);
    let svg = drawn("internal_many", |path| {
        internal_variables(&curve, Abscissa::Time, path)
    });
    assert_shows(&svg, &["43 that move less in grey"]);
    let names: Vec<String> = (0..20).map(|k| format!("z{k}")).collect();
    let names: Vec<(&str, usize)> = names.iter().map(|n| (n.as_str(), 1)).collect();
    let svg = drawn("internal_scalars", |path| {
        internal_variables(&with_states(300, &names), Abscissa::Time, path)
    });
    assert_shows(&svg, &["all internal variables", "z19"]);
}

fn training(epochs: usize) -> Vec<LearningPoint> {
    (0..epochs)
        .map(|epoch| {
            let t = epoch as f64;
            let noise = 1.0 + 0.15 * (t * 12.9898).sin();
            LearningPoint {
                epoch,
                stress: noise * (0.8 * (-t / 40.0).exp() + 2e-3),
                dissipation: if epoch > 150 {
                    0.0
                } else {
                    noise * 0.05 * (-t / 20.0).exp()
                },
                tangent: 0.0,
                poisson: 0.0,
                validation: (epoch % 5 == 0)
                    .then(|| (-t / 40.0).exp() + 4e-3 + 1e-7 * (t - 200.0).powi(2)),
                negative_share: 0.2 * (-t / 30.0).exp(),
                learning_rate: 1e-2 * 0.5f64.powf((t / 60.0).floor()),
            }
        })
        .collect()
}

#[test]
fn learning_curve_marks_the_best_epoch() {
    let svg = drawn("learning", |path| learning_curve(&training(300), path));
    assert_shows(
        &svg,
        &[
            "Training: best epoch 290, validation loss 0.00552",
            "best epoch\n",
            "tangent (zero)",
            "steps with D &lt; 0 [%]",
            "learning rate",
        ],
    );
    let single = LearningPoint {
        stress: 1.0,
        ..LearningPoint::default()
    };
    let svg = drawn("learning_single", |path| learning_curve(&[single], path));
    assert_shows(&svg, &["best epoch 0, loss 1"]);
}

#[test]
fn parity_gives_the_coefficient_of_determination() {
    let curves: Vec<(Curve, Curve)> = [0.01, 0.015, 0.02]
        .iter()
        .enumerate()
        .map(|(k, &a)| {
            let name = format!("test {}", k + 1);
            (
                loops(&name, 600, a, 300.0),
                prediction(&name, 600, a, 300.0),
            )
        })
        .collect();
    let pairs: Vec<_> = curves.iter().map(|(m, p)| (&m.record, p)).collect();
    let svg = drawn("parity", |path| parity(&pairs, 0, path));
    assert_shows(
        &svg,
        &[
            "R² = 0.9",
            "1800 rows",
            "±10 %",
            "measured stress σ₁₁ [MPa]",
            "test 3",
        ],
    );
    let mut tension = curves[2].clone();
    for curve in [&mut tension.0, &mut tension.1] {
        curve
            .record
            .stress
            .iter_mut()
            .for_each(|s| *s = s.abs() + 100.0);
    }
    drawn("parity_tension", |path| {
        parity(&[(&tension.0.record, &tension.1)], 0, path)
    });
}

#[test]
fn lines_and_bars_take_any_numbers() {
    let sizes: Vec<f64> = (0..6).map(|k| 25.0 * 2f64.powi(k)).collect();
    let order = |label: &str, order: i32, style| Series {
        label: label.into(),
        x: sizes.clone(),
        y: sizes.iter().map(|n| 3.0 / n.powi(order)).collect(),
        style,
    };
    let series = [
        order("one step per increment", 1, Style::Marked),
        order("adaptive", 2, Style::Dashed),
        order("reference", 3, Style::Points),
        order("dotted", 4, Style::Dotted),
    ];
    let (x, y) = (
        Axis::logarithmic("increments", "–"),
        Axis::logarithmic("spread of the final stress", "MPa"),
    );
    let svg = drawn("lines", |path| {
        lines(&series, &x, &y, "Self-consistency", path)
    });
    assert_shows(
        &svg,
        &["Self-consistency", "10⁻⁴", "adaptive", "increments [–]"],
    );

    let groups = [
        "gru",
        "minimal_state",
        "relaxation",
        "generalized_standard",
        "physically_recurrent",
    ];
    let two = [
        Bars {
            label: "without penalty".into(),
            values: vec![0.12, 0.034, 0.002, 0.0015, 0.00042],
        },
        Bars {
            label: "with penalty".into(),
            values: vec![0.013, 0.0042, 0.0021, 0.0016, 0.00043],
        },
    ];
    let y = Axis::logarithmic("error", "–");
    let svg = drawn("bars", |path| {
        bars(&groups, &two, &y, "Validation error", path)
    });
    assert_shows(&svg, &["physically_", "with penalty", "0.034", "4.2×10⁻⁴"]);
    let signed = [Bars {
        label: "margin".into(),
        values: vec![1.0, -0.5, 0.25, 0.0, 2.0],
    }];
    let y = Axis::linear("margin", "MPa");
    drawn("bars_linear", |path| {
        bars(&groups, &signed, &y, "Margins", path)
    });
}

#[test]
fn long_histories_are_quick_and_small() {
    let rows = 200_000;
    let curve = loops("long", 2, 0.02, 300.0);
    let mut record = curve.record;
    record.time = (0..rows).map(|k| k as f64).collect();
    record.strain = record.time.iter().map(|t| 0.02 * (0.3 * t).sin()).collect();
    record.stress = record
        .time
        .iter()
        .map(|t| 300.0 * (0.3 * t).cos())
        .collect();
    record.stress[123_456] = 900.0;
    let path = file("long.svg");
    stress_over_time(&[(&record, None)], 0, Abscissa::Time, &path).unwrap();
    assert!(std::fs::metadata(&path).unwrap().len() < 500_000);
    let png = file("long.png");
    stress_over_time(&[(&record, None)], 0, Abscissa::Time, &png).unwrap();
}

#[test]
fn what_cannot_be_drawn_is_an_error() {
    let curve = loops("c", 50, 0.02, 300.0);
    let one = [(&curve.record, Some(&curve))];
    let svg = file("error.svg");
    for name in ["figure.pdf", "figure"] {
        let error = message(stress_strain(&one, 0, file(name)));
        assert!(error.contains(".svg or .png"), "{error}");
    }
    for name in ["missing/figure.svg", "missing/figure.png"] {
        message(stress_strain(&one, 0, file(name)));
    }
    message(stress_strain(&[], 0, &svg));
    message(stress_over_time(
        &[(&Record::default(), None)],
        0,
        Abscissa::Row,
        &svg,
    ));
    message(dissipation(&[], &svg));
    message(dissipation(
        &[&loops("short", 50, 0.02, 1.0), &Curve::default()],
        &svg,
    ));
    message(learning_curve(&[], &svg));
    message(learning_curve(&[LearningPoint::default()], &svg));
    message(parity(&[], 0, &svg));
    let (x, y) = (Axis::linear("x", ""), Axis::logarithmic("y", ""));
    message(lines(&[], &x, &y, "", &svg));
    message(bars(&[], &[], &y, "", &svg));
    let falling = Series {
        label: "falling".into(),
        x: vec![0.0, 1.0],
        y: vec![1.0, 0.0],
        ..Series::default()
    };
    let error = message(lines(&[falling], &x, &y, "", &svg));
    assert!(error.contains("logarithmic"), "{error}");

    let mut broken = curve.clone();
    broken.record.stress[7] = f64::NAN;
    let error = message(stress_strain(&[(&broken.record, None)], 0, &svg));
    assert!(
        error.contains("not finite") && error.contains('7'),
        "{error}"
    );
    broken = curve.clone();
    broken.dissipation[3] = f64::INFINITY;
    message(dissipation(&[&broken], &svg));
    broken = curve.clone();
    broken.record.strain.pop();
    message(stress_strain(&[(&broken.record, None)], 0, &svg));
    let error = message(stress_strain(
        &[(&curve.record, Some(&loops("c", 51, 0.02, 300.0)))],
        0,
        &svg,
    ));
    assert!(error.contains("51 rows"), "{error}");
    broken = curve.clone();
    broken.state_layout = StateLayout::default();
    broken.states.clear();
    message(internal_variables(&broken, Abscissa::Time, &svg));
    let huge = Series {
        x: vec![0.0, 1.0],
        y: vec![-1e308, 1.7e308],
        ..Series::default()
    };
    message(lines(&[huge], &x, &Axis::linear("y", ""), "", &svg));
    message(stress_strain(&vec![one[0]; 400], 0, &svg));
}
