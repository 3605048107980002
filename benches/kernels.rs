//! First timing.
mod models;
use hysteron::algebra::ParameterLayout;
use hysteron::law::*;
use hysteron::learned::{LearnedLaw, Normalisation};
use hysteron::record::*;
use hysteron::recurrent::RecurrentLaw;
use hysteron::train::rollout::*;
use hysteron::train::*;
use models::*;
use std::sync::Arc;
use std::time::Instant;

fn best(mut f: impl FnMut()) -> f64 {
    f();
    let mut v: Vec<f64> = (0..15)
        .map(|_| {
            let t = Instant::now();
            f();
            t.elapsed().as_secs_f64()
        })
        .collect();
    v.sort_by(f64::total_cmp);
    v[0]
}

fn infer<L: RecurrentLaw>(name: &str, law: L, layout: ParameterLayout) {
    let raw = layout.initial_values(1);
    let s = law.states();
    let law = LearnedLaw::new(name, law, layout, raw, Normalisation::unit(6)).unwrap();
    for p in [64, 1024, 16384] {
        let eps0 = vec![0.01; 6 * p];
        let eps: Vec<f64> = (0..6 * p)
            .map(|i| ((i * 37) % 101) as f64 * 1e-2 - 0.5)
            .collect();
        let st: Vec<f64> = (0..s * p)
            .map(|i| ((i * 31) % 101) as f64 * 1e-2 - 0.5)
            .collect();
        let dt = vec![0.1; p];
        let mut out = (
            vec![0.0; s * p],
            vec![0.0; 6 * p],
            vec![0.0; 36 * p],
            vec![0.0; p],
            vec![0.0; p],
            vec![Status::Inside; p],
        );
        let t = best(|| {
            let input = BatchInput {
                points: p,
                strain_old: &eps0,
                strain_new: &eps,
                dt: &dt,
                external_old: &[],
                external_new: &[],
                state: &st,
            };
            let mut o = BatchOutput {
                state: &mut out.0,
                stress: &mut out.1,
                tangent: &mut out.2,
                stored_energy: &mut out.3,
                dissipation: &mut out.4,
                status: &mut out.5,
            };
            for _ in 0..(16384 / p) {
                law.update_batch(&input, &mut o).unwrap();
            }
        });
        println!("{name} batch {p}: {:.3} M/s", 16384e-6 / t);
    }
    let (e0, e1, st) = ([0.01; 6], [0.1, 0.2, -0.1, 0.0, 0.05, 0.3], vec![0.1; s]);
    let mut new = vec![0.0; s];
    let mut r = Response::default();
    let t = best(|| {
        for _ in 0..1000 {
            law.update(
                &Increment {
                    strain_old: &e0,
                    strain_new: &e1,
                    dt: 0.1,
                    external_old: &[],
                    external_new: &[],
                },
                &st,
                &mut new,
                &mut r,
            )
            .unwrap();
        }
    });
    println!("{name} single: {:.3} us", t * 1e3);
}

fn train<L: RecurrentLaw + 'static>(name: &str, law: L, layout: ParameterLayout) {
    let (rows, n) = (200, 64);
    let records: Vec<Record> = (0..n)
        .map(|r| Record {
            name: format!("{r}"),
            components: 6,
            time: (0..rows).map(|i| i as f64 * 0.1).collect(),
            strain: (0..rows * 6)
                .map(|i| ((i + r) as f64 * 0.013).sin())
                .collect(),
            stress: (0..rows * 6)
                .map(|i| ((i + r) as f64 * 0.017).sin())
                .collect(),
            ..Record::default()
        })
        .collect();
    let list: Vec<_> = records.iter().collect();
    let h = Arc::new(Histories::new(
        Padded::new(&list).unwrap(),
        Normalisation::unit(6),
    ));
    let raw = layout.initial_values(1);
    let law = Arc::new(law);
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let eff = layout.effective(&raw);
            let t = best(|| {
                roll_out(law.as_ref(), &eff, &h);
            });
            println!("{name} forward {threads} threads: {:.2} ms", t * 1e3);
            let device = burn::tensor::Device::flex().autodiff();
            let tp = TapePool::default();
            let t = best(|| {
                let p = burn::tensor::Tensor::<1>::from_data(
                    burn::tensor::TensorData::new(eff.clone(), [eff.len()]),
                    (&device, burn::tensor::DType::F64),
                )
                .require_grad();
                let out = roll_out_tape(&law, p.clone(), &h, &tp);
                let l = out.square().sum();
                let g = l.backward();
                p.grad(&g).unwrap();
            });
            println!("{name} train {threads} threads: {:.2} ms", t * 1e3);
        });
    }
}

fn main() {
    let mut l = ParameterLayout::default();
    let g = PlainGru::new(&mut l, 32);
    infer("A", g.clone(), l.clone());
    train("gru", g, l);
    let mut l = ParameterLayout::default();
    let g = InternalVariables::with_gradient(&mut l, 8, 32);
    infer("B", g, l);
    let mut l = ParameterLayout::default();
    let g = InternalVariables::with_network(&mut l, 8, 32);
    train("iv", g, l);
}
