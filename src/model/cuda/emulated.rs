//! Runs plans by `emulator.cpp`, which a C++ compiler makes of the kernels.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use candle_core::{CpuStorage, CustomOp1, Device, Layout, Result, Shape};

use super::plan::{Incoming, Plan};
use super::tasks::{Addresses, Launch};
use super::towers::Tower;
use crate::model::compute::Packed;

/// The emulator, built where the tests are unless it is there.
static EMULATOR: LazyLock<PathBuf> = LazyLock::new(|| {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/model/cuda");
    let texts = ["emulator.cpp", "kernels.cu"].map(|name| std::fs::read(sources.join(name)).unwrap());
    let tests = std::env::current_exe().unwrap();
    let program = tests.with_file_name(format!("emulator-{}", &blake3::hash(&texts.concat()).to_hex()[..16]));
    if !program.exists() {
        // Under another name first: tests run side by side.
        let made = tempfile::NamedTempFile::new_in(tests.parent().unwrap()).unwrap().into_temp_path();
        let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".into());
        let mut compiling = Command::new(compiler);
        compiling.args(["-std=c++17", "-O2", "-U_FORTIFY_SOURCE", "-w", "-o"]).arg(&made);
        assert!(compiling.arg(sources.join("emulator.cpp")).status().unwrap().success());
        made.persist(&program).unwrap();
    }
    program
});

/// Does what a plan says: bytes of its weights and its input to values of its output.
fn run(plan: &Plan, weights: &[u8], input: &[f32]) -> Vec<f32> {
    let input: Vec<u8> = input.iter().flat_map(|value| value.to_le_bytes()).collect();
    let blocks = Blocks {
        weights: weights.to_vec(),
        activations: vec![0xff; plan.activation_bytes],
        input,
        output: vec![0xff; 4 * plan.output.iter().product::<usize>()],
    };
    let made = blocks.after(&plan.launches).output;
    made.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
}

/// What is in the blocks of memory.
pub(super) struct Blocks {
    pub(super) weights: Vec<u8>,
    pub(super) activations: Vec<u8>,
    pub(super) input: Vec<u8>,
    pub(super) output: Vec<u8>,
}

impl Blocks {
    /// What is in them after these launches.
    pub(super) fn after(self, launches: &[Launch]) -> Self {
        let mut memory = Vec::new();
        let mut push = |bytes: &[u8]| {
            let begin = memory.len();
            memory.extend_from_slice(bytes);
            memory.resize(memory.len().next_multiple_of(256), 0xff);
            begin as u64
        };
        let addresses = Addresses {
            weights: push(&self.weights),
            activations: push(&self.activations),
            input: push(&self.input),
            output: push(&self.output),
        };
        let folder = tempfile::tempdir().unwrap();
        let [tasks, bytes] = ["tasks", "memory"].map(|name| folder.path().join(name));
        let records: Vec<u8> = launches.iter().flat_map(|launch| record(launch, &addresses)).collect();
        std::fs::write(&tasks, records).unwrap();
        std::fs::write(&bytes, &memory).unwrap();
        assert!(Command::new(&*EMULATOR).args([&tasks, &bytes]).status().unwrap().success());
        let after = std::fs::read(&bytes).unwrap();
        let block = |begin: u64, before: Vec<u8>| after[begin as usize..][..before.len()].to_vec();
        Self {
            weights: block(addresses.weights, self.weights),
            activations: block(addresses.activations, self.activations),
            input: block(addresses.input, self.input),
            output: block(addresses.output, self.output),
        }
    }
}

/// A launch as the emulator reads it.
fn record(launch: &Launch, addresses: &Addresses) -> Vec<u8> {
    let mut record = launch.kernel.name().as_bytes().to_vec();
    record.resize(32, 0);
    let [across, down] = launch.grid;
    for number in [across, down, launch.kernel.shared_bytes(), 0] {
        record.extend((number as u32).to_le_bytes());
    }
    let task = launch.task(addresses);
    for address in [task.input, task.weights, task.bias, task.other, task.output] {
        record.extend(address.to_le_bytes());
    }
    record.extend(task.dimensions.all().into_iter().flat_map(i32::to_le_bytes));
    record.resize(record.len().next_multiple_of(8), 0);
    record
}

/// A tower whose kernels are emulated.
struct Emulated {
    tower: Tower,
    weights: Vec<u8>,
}

pub(in crate::model) fn packed(mut tower: Tower, _device: &Device) -> Result<Packed> {
    let weights = tower.take_weights();
    Ok(Packed::new(Emulated { tower, weights }))
}

impl CustomOp1 for Emulated {
    fn name(&self) -> &'static str {
        "emulated convolutions"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (images, _, height, width) = layout.shape().dims4()?;
        let (begin, end) = layout.contiguous_offsets().unwrap();
        let plan = self.tower.plan(Incoming { images, height, width, processors: 4 });
        let output = run(&plan, &self.weights, &storage.as_slice::<f32>()?[begin..end]);
        Ok((CpuStorage::F32(output), Shape::from_dims(&plan.output)))
    }
}
