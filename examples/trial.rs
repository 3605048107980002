use hysteron::record::Record;
use hysteron::recurrent::*;
use hysteron::train::*;
use std::ops::ControlFlow;
fn rmse(law: &dyn hysteron::MaterialLaw, r: &Record) -> (f64, f64) {
    use hysteron::law::*;
    let mut state = law.new_state();
    let mut s = 0.0;
    let mut neg = 0;
    let mut old = 0.0;
    for row in 0..r.rows() {
        let e = r.strain[row];
        let inc = Increment {
            strain_old: &[old],
            strain_new: &[e],
            dt: if row > 0 {
                r.time[row] - r.time[row - 1]
            } else {
                0.0
            },
            external_old: &[],
            external_new: &[],
        };
        let mut n = state.clone();
        let mut resp = Response::default();
        law.update(&inc, &state, &mut n, &mut resp).unwrap();
        state = n;
        old = e;
        s += (resp.stress[0] - r.stress[row]).powi(2);
        if resp.dissipation < -1e-9 * 500.0 * 1e-3 {
            neg += 1;
        }
    }
    ((s / r.rows() as f64).sqrt(), neg as f64 / r.rows() as f64)
}
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let get = |k: &str, d: &str| {
        a.iter()
            .find_map(|s| s.strip_prefix(&format!("{k}=")).map(String::from))
            .unwrap_or(d.into())
    };
    let dir = "/work/shared/data/steel_epfl_resslab/tests/";
    let load = |n: &str| Record::from_csv(format!("{dir}{n}.csv")).unwrap();
    let (r1, r2) = (load("resspylab_example_1"), load("resspylab_example_2"));
    let c12 = load("hartloper_S355_HEB500web_C12_raw").first_cycles(18);
    let lp8 = load("hartloper_HEM320C_LP8");
    let arch = Architecture {
        law: get("law", "minimal-state"),
        components: 1,
        external: 0,
        states: get("states", "8").parse().unwrap(),
        width: get("width", "16").parse().unwrap(),
        layers: get("layers", "2").parse().unwrap(),
        energy_width: get("ew", "16").parse().unwrap(),
        energy_layers: get("el", "2").parse().unwrap(),
        clock: Clock::StrainPath,
    };
    let o = Options {
        epochs: get("epochs", "2000").parse().unwrap(),
        learning_rate: get("lr", "1e-2").parse().unwrap(),
        dissipation_weight: get("ld", "1").parse().unwrap(),
        dissipation_margin: get("margin", "0").parse().unwrap(),
        spacing: get("spacing","0,5e-4").split(",").map(|s| s.parse().unwrap()).collect(),
        seed: get("seed", "1").parse().unwrap(),
        ..Default::default()
    };
    let rows: Vec<_> = [&r1, &r2]
        .iter()
        .map(|r| r.resample(o.spacing.iter().copied().filter(|s| *s>0.0).fold(1.0, f64::min)).unwrap().rows())
        .collect();
    println!(
        "{arch:?}\n{o:?}\nrows {rows:?} c12 {} lp8 {}",
        c12.rows(),
        lp8.rows()
    );
    let every = o.epochs / 8;
    let t = train(
        "steel",
        &arch,
        &[&r1, &r2],
        &[],
        &o,
        &Resume::default(),
        &mut |p| {
            if (p.point.epoch + 1) % every == 0 {
                println!(
                    "{} rmse {:.2} D {:.2e} neg {:.4} best {:.3e}@{} {:.1}s",
                    p.point.epoch + 1,
                    p.rmse,
                    p.point.dissipation,
                    p.point.negative_share,
                    p.best,
                    p.best_epoch,
                    p.elapsed.as_secs_f64()
                );
            }
            ControlFlow::Continue(())
        },
    )
    .unwrap();
    println!("parameters {} stop {:?}", t.fit.raw.len(), t.fit.stop);
    for (n, r) in [("ex1", &r1), ("ex2", &r2), ("c12", &c12), ("lp8", &lp8)] {
        let (e, neg) = rmse(&t.law, r);
        let (e2, neg2) = rmse(&t.law, &r.resample(o.spacing.iter().copied().filter(|s| *s>0.0).fold(1.0, f64::min)).unwrap());
        println!("{n}: rmse {e:.2} neg {neg:.4}   resampled {e2:.2} {neg2:.4}");
    }
}
