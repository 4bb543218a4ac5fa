//! Checkpoints made of the tiny one's tensors, with something changed.

use earmark::checkpoint::{CheckpointFile, CheckpointLimits};
use safetensors::Dtype;
use safetensors::tensor::TensorView;

use super::workplace::TINY;

pub(crate) struct Tensor {
    pub(crate) name: String,
    pub(crate) dtype: Dtype,
    pub(crate) shape: Vec<usize>,
    pub(crate) bytes: Vec<u8>,
}

/// The tensors of the tiny checkpoint.
pub(crate) fn tiny() -> Vec<Tensor> {
    let mut file = CheckpointFile::open(&crate::shared(TINY), &CheckpointLimits::default()).unwrap();
    let infos = file.tensors().to_vec();
    let read = |info: earmark::checkpoint::TensorInfo| {
        let dtype = match info.dtype {
            earmark::checkpoint::Dtype::F32 => Dtype::F32,
            earmark::checkpoint::Dtype::I64 => Dtype::I64,
            other => panic!("{}: {other}", info.name),
        };
        Tensor { bytes: file.read(&info.name).unwrap(), name: info.name, dtype, shape: info.shape }
    };
    infos.into_iter().map(read).collect()
}

pub(crate) fn position(tensors: &[Tensor], name: &str) -> usize {
    tensors.iter().position(|tensor| tensor.name == name).unwrap()
}

/// A safetensors file of the tensors.
pub(crate) fn encode(tensors: &[Tensor]) -> Vec<u8> {
    let views = tensors
        .iter()
        .map(|tensor| (&tensor.name, TensorView::new(tensor.dtype, tensor.shape.clone(), &tensor.bytes).unwrap()));
    safetensors::serialize(views, None).unwrap()
}
