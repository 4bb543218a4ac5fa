//! The tensors that a model of a given configuration consists of: names, shapes and kinds (SPEC 11).
//!
//! One list serves the strict check at import, the strict check at load, and the importer's writer.

use super::config::{AudioConfig, ModelConfig, TextConfig, VisualConfig};

/// Reads and writes the numbers of a tensor as these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A weight or buffer that inference uses.
    Real,
    /// A variance, which must not be negative.
    Variance,
    /// BatchNorm's i64 count of training batches, which inference does not use.
    Counter,
}

/// One tensor of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorSpec {
    /// Name in the state dict.
    pub name: String,
    /// Dimensions; empty for a scalar.
    pub shape: Vec<usize>,
    /// What its numbers are.
    pub kind: Kind,
}

/// All tensors of a model, in no particular order.
pub fn tensors(config: &ModelConfig) -> Vec<TensorSpec> {
    let mut schema = Schema::default();
    schema.text(&config.text, config.embed_dim);
    schema.visual(&config.visual, config.embed_dim);
    if let Some(audio) = &config.audio {
        schema.audio(audio, config.embed_dim);
        schema.real("logit_scale_ai", &[]);
        schema.real("logit_scale_at", &[]);
    }
    schema.real("logit_scale", &[]);
    schema.0
}

/// Learned numbers in these tensors: counters, running statistics and the window are not among them.
pub fn parameters<'a>(tensors: impl IntoIterator<Item = &'a TensorSpec>) -> usize {
    let learned = |spec: &&TensorSpec| {
        let buffer = spec.name.ends_with(".running_mean") || spec.name == "audio.window";
        spec.kind == Kind::Real && !buffer
    };
    tensors.into_iter().filter(learned).map(|spec| spec.shape.iter().product::<usize>()).sum()
}

#[derive(Default)]
struct Schema(Vec<TensorSpec>);

impl Schema {
    fn push(&mut self, name: impl Into<String>, shape: &[usize], kind: Kind) {
        self.0.push(TensorSpec { name: name.into(), shape: shape.to_vec(), kind });
    }

    fn real(&mut self, name: impl Into<String>, shape: &[usize]) {
        self.push(name, shape, Kind::Real);
    }

    /// `weight` of the given shape and `bias` of its first dimension.
    fn affine(&mut self, name: &str, weight: &[usize]) {
        self.real(format!("{name}.weight"), weight);
        self.real(format!("{name}.bias"), &weight[..1]);
    }

    fn batch_norm(&mut self, name: &str, channels: usize) {
        self.affine(name, &[channels]);
        self.real(format!("{name}.running_mean"), &[channels]);
        self.push(format!("{name}.running_var"), &[channels], Kind::Variance);
        self.push(format!("{name}.num_batches_tracked"), &[], Kind::Counter);
    }

    fn conv_norm(&mut self, conv: &str, norm: &str, weight: [usize; 4]) {
        self.real(format!("{conv}.weight"), &weight);
        self.batch_norm(norm, weight[0]);
    }

    fn text(&mut self, text: &TextConfig, embed_dim: usize) {
        let width = text.width;
        self.real("token_embedding.weight", &[text.vocab, width]);
        self.real("positional_embedding", &[text.context, width]);
        for layer in 0..text.layers {
            let block = format!("transformer.resblocks.{layer}");
            self.real(format!("{block}.attn.in_proj_weight"), &[3 * width, width]);
            self.real(format!("{block}.attn.in_proj_bias"), &[3 * width]);
            self.affine(&format!("{block}.attn.out_proj"), &[width, width]);
            self.affine(&format!("{block}.ln_1"), &[width]);
            self.affine(&format!("{block}.ln_2"), &[width]);
            self.affine(&format!("{block}.mlp.c_fc"), &[4 * width, width]);
            self.affine(&format!("{block}.mlp.c_proj"), &[width, 4 * width]);
        }
        self.affine("ln_final", &[width]);
        self.real("text_projection", &[width, embed_dim]);
    }

    fn visual(&mut self, visual: &VisualConfig, embed_dim: usize) {
        let (width, stem) = (visual.width, visual.width / 2);
        self.conv_norm("visual.conv1", "visual.bn1", [stem, 3, 3, 3]);
        self.conv_norm("visual.conv2", "visual.bn2", [stem, stem, 3, 3]);
        self.conv_norm("visual.conv3", "visual.bn3", [width, stem, 3, 3]);
        let mut channels = width;
        for (stage, &blocks) in visual.layers.iter().enumerate() {
            let inner = width << stage;
            for block in 0..blocks {
                let name = format!("visual.layer{}.{block}", stage + 1);
                self.bottleneck(&name, Bottleneck { input: channels, inner, grouped: inner, output: 4 * inner });
                channels = 4 * inner;
            }
        }
        let tokens = visual.pooled_side().pow(2) + 1;
        self.real("visual.attnpool.positional_embedding", &[tokens, channels]);
        for projection in ["q_proj", "k_proj", "v_proj"] {
            self.affine(&format!("visual.attnpool.{projection}"), &[channels, channels]);
        }
        self.affine("visual.attnpool.c_proj", &[embed_dim, channels]);
    }

    fn audio(&mut self, audio: &AudioConfig, embed_dim: usize) {
        self.real("audio.window", &[audio.window_samples]);
        for parameter in ["m", "fb", "fc"] {
            self.real(format!("audio.fbsp.{parameter}"), &[audio.filters()]);
        }
        self.real("audio.fbsp.bias", &[0]);
        self.conv_norm("audio.conv1", "audio.bn1", [audio.width, 3, 7, 7]);
        let mut channels = audio.width;
        for (stage, &blocks) in audio.layers.iter().enumerate() {
            let inner = (2 * audio.width) << stage;
            self.attention(stage + 1, channels, 2 * inner);
            for block in 0..blocks {
                let name = format!("audio.layer{}.{block}", stage + 1);
                let grouped = inner / audio.groups;
                self.bottleneck(&name, Bottleneck { input: channels, inner, grouped, output: 2 * inner });
                channels = 2 * inner;
            }
        }
        self.attention(5, channels, channels);
        self.affine("audio.fc", &[embed_dim, channels]);
    }

    fn bottleneck(&mut self, name: &str, block: Bottleneck) {
        let Bottleneck { input, inner, grouped, output } = block;
        self.conv_norm(&format!("{name}.conv1"), &format!("{name}.bn1"), [inner, input, 1, 1]);
        self.conv_norm(&format!("{name}.conv2"), &format!("{name}.bn2"), [inner, grouped, 3, 3]);
        self.conv_norm(&format!("{name}.conv3"), &format!("{name}.bn3"), [output, inner, 1, 1]);
        if name.ends_with(".0") {
            let shortcut = format!("{name}.downsample");
            self.conv_norm(&format!("{shortcut}.0"), &format!("{shortcut}.1"), [output, input, 1, 1]);
        }
    }

    fn attention(&mut self, index: usize, input: usize, output: usize) {
        let name = format!("audio.att{index}");
        let [rows, columns] = attention_kernel(index);
        self.affine(&format!("{name}.conv_depth"), &[input, 1, rows, columns]);
        self.affine(&format!("{name}.conv_point"), &[output, input, 1, 1]);
        self.batch_norm(&format!("{name}.bn"), output);
    }
}

#[derive(Clone, Copy)]
struct Bottleneck {
    input: usize,
    inner: usize,
    /// Input channels that each output channel of the 3×3 convolution sees.
    grouped: usize,
    output: usize,
}

/// Kernel of the depthwise convolution of attention block `index` = 1…5, as frequency × time (SPEC 4.5).
pub(super) fn attention_kernel(index: usize) -> [usize; 2] {
    match index {
        1 | 3 => [3, 1],
        2 | 4 => [1, 5],
        _ => [3, 5],
    }
}
