use candle_core::{DType, Device, Module, Tensor};
use candle_nn::{Conv2dConfig, ModuleT, VarBuilder, VarMap, batch_norm, conv2d_no_bias};
fn main() -> candle_core::Result<()> {
    // one bottleneck of stage 1 of the demo model's audio tower with its stem, batch 8, 160 frames, without the max pooling
    let vars = VarMap::new();
    let vb = VarBuilder::from_varmap(&vars, DType::F32, &Device::Cpu);
    let stem = conv2d_no_bias(3, 16, 7, Conv2dConfig { stride: 2, padding: 3, ..Default::default() }, vb.pp("a"))?;
    let bn0 = batch_norm(16, 1e-5, vb.pp("b"))?;
    let c1 = conv2d_no_bias(16, 32, 1, Default::default(), vb.pp("c"))?;
    let b1 = batch_norm(32, 1e-5, vb.pp("d"))?;
    let c2 = conv2d_no_bias(32, 32, 3, Conv2dConfig { padding: 1, groups: 8, ..Default::default() }, vb.pp("e"))?;
    let b2 = batch_norm(32, 1e-5, vb.pp("f"))?;
    let c3 = conv2d_no_bias(32, 64, 1, Default::default(), vb.pp("g"))?;
    let b3 = batch_norm(64, 1e-5, vb.pp("h"))?;
    let x = Tensor::randn(0f32, 1., (8, 3, 341, 160), &Device::Cpu)?;
    for _ in 0..4 {
        let t = std::time::Instant::now();
        let s = bn0.forward_t(&stem.forward(&x)?, true)?.relu()?;
        let s = s.avg_pool2d(2)?;
        let u = b1.forward_t(&c1.forward(&s)?, true)?.relu()?;
        let u = b2.forward_t(&c2.forward(&u)?, true)?.relu()?;
        let u = b3.forward_t(&c3.forward(&u)?, true)?;
        let f = t.elapsed();
        u.sqr()?.mean_all()?.backward()?;
        println!("forward {:?} both {:?}", f, t.elapsed());
    }
    Ok(())
}
