//! Plans on an NVIDIA GPU, through candle's stream.
//!
//! Owns what a tower keeps on the GPU: compiled kernels, weights, the memory between layers, and recordings. The second
//! batch of a shape is recorded, and from then on all its kernels are one call to the driver. Invariant: everything
//! here is put on the one stream that candle uses as well, so that memory is never written while it is read.

#![allow(unsafe_code, reason = "kernels take addresses, and the driver hands out memory that nothing was written to")]

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::cuda_backend::cudarc::driver::result::graph::launch;
use candle_core::cuda_backend::cudarc::driver::sys::{
    CUdevice_attribute, CUfunction_attribute_enum, CUgraphInstantiate_flags, CUstreamCaptureMode,
};
use candle_core::cuda_backend::cudarc::driver::{
    CudaFunction, CudaGraph, CudaSlice, CudaStream, DevicePtr, DevicePtrMut, DeviceRepr, LaunchConfig, PushKernelArg,
};
use candle_core::cuda_backend::cudarc::nvrtc::{CompileOptions, compile_ptx_with_opts};
use candle_core::{CpuStorage, CudaDevice, CudaStorage, CustomOp1, Device, Error, Layout, Result, Shape};
use lru::LruCache;

use super::plan::{Incoming, Plan};
use super::tasks::{Addresses, Kernel, Launch, THREADS, Task};
use super::towers::Tower;
use super::{driver, probe};
use crate::model::compute::Packed;

/// The least that the kernels need: copies to shared memory that are waited for later, and bfloat16 in tensor cores.
const OLDEST: (i32, i32) = (8, 0);
/// The name of the kernels among candle's.
const MODULE: &str = "earmark convolutions";
/// Shapes of inputs whose plans are kept.
const SHAPES: NonZeroUsize = NonZeroUsize::new(8).expect("eight is not zero");

/// The kernels, by the compute capability that they were compiled for.
static COMPILED: Mutex<BTreeMap<(i32, i32), String>> = Mutex::new(BTreeMap::new());

/// Whether a GPU runs the kernels, and what comes of it is right. If not, the log says why.
pub(in crate::model) fn is_able(device: &Device) -> bool {
    let problem = match driver::attempt(|| probe::agrees(packed, device)) {
        Ok(true) => return true,
        Ok(false) => "what it computes is not what the processor does".into(),
        Err(problem) => problem,
    };
    tracing::warn!("candle computes the convolutions, more slowly: the GPU cannot run earmark's kernels: {problem}");
    false
}

/// A tower on the GPU, as one operation of candle.
pub(in crate::model) fn packed(mut tower: Tower, device: &Device) -> Result<Packed> {
    let device = device.as_cuda_device()?;
    let stream = device.cuda_stream();
    let processors = stream.context().attribute(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
    Ok(Packed::new(Card {
        functions: functions(device)?,
        weights: device.clone_htod(&tower.take_weights())?,
        recorder: stream.context().new_stream().map_err(Error::wrap)?,
        processors: usize::try_from(processors.map_err(Error::wrap)?).map_err(Error::wrap)?,
        tower,
        memory: Mutex::new(Memory { activations: None, plans: LruCache::new(SHAPES) }),
    }))
}

/// All kernels, compiled and loaded.
fn functions(device: &CudaDevice) -> Result<HashMap<Kernel, CudaFunction>> {
    let capability = device.cuda_stream().context().compute_capability().map_err(Error::wrap)?;
    let code = compiled(capability)?;
    let function = |kernel: Kernel| {
        let function = device.get_or_load_custom_func(kernel.name(), MODULE, &code)?.into_cuda_function();
        let shared = i32::try_from(kernel.shared_bytes()).map_err(Error::wrap)?;
        let most = CUfunction_attribute_enum::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
        function.set_attribute(most, shared).map_err(Error::wrap)?;
        Ok((kernel, function))
    };
    Kernel::ALL.into_iter().map(function).collect()
}

/// The kernels for a compute capability; for the oldest if the compiler is older than the GPU, which runs that as well.
fn compiled(capability: (i32, i32)) -> Result<String> {
    if capability < OLDEST {
        let ((major, minor), (least, _)) = (capability, OLDEST);
        return Err(Error::msg(format!("its compute capability is {major}.{minor}, at least {least}.0 is needed")));
    }
    let mut all = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(code) = all.get(&capability) {
        return Ok(code.clone());
    }
    let compile = |(major, minor)| {
        let options = vec![format!("--gpu-architecture=compute_{major}{minor}")];
        compile_ptx_with_opts(include_str!("kernels.cu"), CompileOptions { options, ..CompileOptions::default() })
    };
    let code = compile(capability).or_else(|_| compile(OLDEST)).map_err(Error::wrap)?.to_src();
    all.insert(capability, code.clone());
    Ok(code)
}

/// See [`packed`].
struct Card {
    tower: Tower,
    functions: HashMap<Kernel, CudaFunction>,
    weights: CudaSlice<u8>,
    /// What is put on it is recorded, and not done.
    recorder: Arc<CudaStream>,
    processors: usize,
    memory: Mutex<Memory>,
}

/// What is kept from a batch to the next.
struct Memory {
    /// Between layers: as much as the largest batch needed.
    activations: Option<CudaSlice<u8>>,
    plans: LruCache<Incoming, Planned>,
}

/// A plan, and its recording from the second batch on.
struct Planned {
    plan: Plan,
    recording: Option<Recording>,
}

/// All launches but the first and the last, whose addresses change.
struct Recording(CudaGraph);

// SAFETY: a graph may be used by any thread, as long as only one does at a time; it lies behind a mutex.
unsafe impl Send for Recording {}

// SAFETY: it is `repr(C)`, of integers alone, and `kernels.cu` declares the same.
unsafe impl DeviceRepr for Task {}

impl CustomOp1 for Card {
    fn name(&self) -> &'static str {
        "convolutions"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        Err(Error::msg("the layers of this model are on a GPU, and its input is not"))
    }

    fn cuda_fwd(&self, storage: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        let (images, _, height, width) = layout.shape().dims4()?;
        let (begin, end) = layout.contiguous_offsets().ok_or(Error::RequiresContiguous { op: "convolutions" })?;
        let device = &storage.device;
        let stream = device.cuda_stream();
        let input = storage.as_cuda_slice::<f32>()?.slice(begin..end);
        let incoming = Incoming { images, height, width, processors: self.processors };

        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let Memory { activations, plans } = &mut *memory;
        let seen = plans.contains(&incoming);
        if !seen {
            let plan = self.tower.plan(incoming);
            make_room(activations, plans, plan.activation_bytes, &stream)?;
            plans.put(incoming, Planned { plan, recording: None });
        }
        let planned = plans.get_mut(&incoming).expect("it was just put there");
        let shape = planned.plan.output;
        // SAFETY: the last launch writes all of it.
        let mut output = unsafe { device.alloc::<f32>(shape.iter().product()) }?;
        {
            let (input, _input_is_read) = input.device_ptr(&stream);
            let (to, _output_is_written) = output.device_ptr_mut(&stream);
            let (weights, _weights_are_read) = self.weights.device_ptr(&stream);
            let activations = activations.as_ref().ok_or_else(|| Error::msg("no memory for activations"))?;
            let (activations, _activations_are_used) = activations.device_ptr(&stream);
            let addresses = Addresses { weights, activations, input, output: to };
            self.run(planned, seen, &addresses, &stream)?;
        }
        Ok((CudaStorage::wrap_cuda_slice(output, device.clone()), Shape::from_dims(&shape)))
    }
}

/// Makes the memory between layers at least so large. What was recorded knows where it was, and is forgotten.
fn make_room(
    activations: &mut Option<CudaSlice<u8>>,
    plans: &mut LruCache<Incoming, Planned>,
    bytes: usize,
    stream: &Arc<CudaStream>,
) -> Result<()> {
    if activations.as_ref().is_none_or(|activations| activations.len() < bytes) {
        plans.clear();
        *activations = None;
        // SAFETY: each layer's activations are written before they are read, which is what plans are tested for.
        *activations = Some(unsafe { stream.alloc::<u8>(bytes) }.map_err(Error::wrap)?);
    }
    Ok(())
}

impl Card {
    /// Does what is planned. `again` if it was done before: the driver has loaded all kernels by then, which it must
    /// not do while something is recorded.
    fn run(&self, planned: &mut Planned, again: bool, addresses: &Addresses, stream: &Arc<CudaStream>) -> Result<()> {
        let Planned { plan, recording } = planned;
        let [first, between @ .., last] = &plan.launches[..] else {
            return Err(Error::msg("a plan has a first and a last launch"));
        };
        if again && recording.is_none() {
            *recording = self.record(between, addresses)?;
        }
        self.launch(first, addresses, stream)?;
        match recording {
            Some(Recording(graph)) => {
                // SAFETY: the graph is alive, and so is what its kernels read and write.
                unsafe { launch(graph.cu_graph_exec(), stream.cu_stream()) }.map_err(Error::wrap)?;
            }
            None => between.iter().try_for_each(|launch| self.launch(launch, addresses, stream))?,
        }
        self.launch(last, addresses, stream)
    }

    fn record(&self, launches: &[Launch], addresses: &Addresses) -> Result<Option<Recording>> {
        let recorder = &self.recorder;
        recorder.begin_capture(CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_RELAXED).map_err(Error::wrap)?;
        let launched = launches.iter().try_for_each(|launch| self.launch(launch, addresses, recorder));
        // Also after a failure: until then the stream would take nothing else.
        let graph = recorder.end_capture(CUgraphInstantiate_flags(0)).map_err(Error::wrap);
        launched.and(graph.map(|graph| graph.map(Recording)))
    }

    fn launch(&self, launch: &Launch, addresses: &Addresses, stream: &Arc<CudaStream>) -> Result<()> {
        let count = |number: usize| u32::try_from(number).map_err(Error::wrap);
        let [across, down] = launch.grid;
        let config = LaunchConfig {
            grid_dim: (count(across)?, count(down)?, 1),
            block_dim: (count(THREADS)?, 1, 1),
            shared_mem_bytes: count(launch.kernel.shared_bytes())?,
        };
        let task = launch.task(addresses);
        let function = self.functions.get(&launch.kernel).ok_or_else(|| Error::msg("a kernel was not loaded"))?;
        // SAFETY: addresses are those of live memory, as large as the plan says, and all kernels take one task.
        unsafe { stream.launch_builder(function).arg(&task).launch(config) }.map_err(Error::wrap)?;
        Ok(())
    }
}
