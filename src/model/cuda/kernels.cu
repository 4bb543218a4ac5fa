// Convolutions, and what is between them, on NVIDIA GPUs of compute capability 8.0 and later.
//
// Activations are bfloat16, [images, height, width, pixel], where `pixel` is the number of channels rounded up to
// eight; sums are f32. A convolution is a product of matrices that are never written down: rows are the pixels of the
// output, columns its channels, and the sum goes over the places of the kernel and the channels at each of them. Tiles
// of both factors are copied to shared memory some steps ahead, and multiplied by tensor cores.
//
// The source is compiled when a model is loaded, and by `emulator.cpp` for the tests, which gives the primitives below
// another meaning; nothing else here knows which of the two it is.

typedef unsigned short bfloat;
typedef unsigned long long address;

// What a kernel is to do. `tasks.rs` has the same.
struct Task {
    address input, weights, bias, other, output;
    int images;
    int height, width, pixel;
    int output_height, output_width, output_pixel;
    // Of what is read around each pixel of the output.
    int rows, columns, stride, padding;
    // Channels read at each place of the kernel.
    int inputs;
    // Weights of a channel of the output: all places and inputs, rounded up to whole steps.
    int depth;
    // Channels of the output that read the same inputs.
    int group;
    int after;
};

// What becomes of a convolution's sum: the sum, its positive part, that of its sum with `other`, or `other` times its
// logistic function.
enum After { NOTHING = 0, RECTIFIED = 1, JOINED = 2, GATED = 3 };

// What becomes of the values in a window.
enum Pooling { MEAN = 0, LARGEST = 1 };

#ifndef EMULATED
#define DYNAMIC_SHARED(name) extern __shared__ __align__(128) unsigned char name[]

// Begins to copy 16 bytes to shared memory, or zeros.
__device__ __forceinline__ void begin_copy(void* to, const void* from, bool inside) {
    unsigned at = (unsigned)__cvta_generic_to_shared(to);
    int bytes = inside ? 16 : 0;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(at), "l"(from), "r"(bytes) : "memory");
}

// Ends a group of copies.
__device__ __forceinline__ void end_group() { asm volatile("cp.async.commit_group;\n" ::: "memory"); }

// Waits until no more than so many groups of this thread are under way.
template <int GROUPS>
__device__ __forceinline__ void wait_for_groups() {
    asm volatile("cp.async.wait_group %0;\n" ::"n"(GROUPS) : "memory");
}

// Reads four matrices of eight by eight: lanes name their rows, eight lanes a matrix.
__device__ __forceinline__ void read_matrices(unsigned (&matrices)[4], const void* row) {
    unsigned at = (unsigned)__cvta_generic_to_shared(row);
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];\n"
                 : "=r"(matrices[0]), "=r"(matrices[1]), "=r"(matrices[2]), "=r"(matrices[3])
                 : "r"(at)
                 : "memory");
}

// Adds the product of a 16 by 16 and a 16 by 8 matrix.
__device__ __forceinline__ void multiply(float (&sums)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
                 "{%0, %1, %2, %3};\n"
                 : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// Two bfloat16, the first in the lower half.
__device__ __forceinline__ unsigned rounded(float first, float second) {
    unsigned both;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;\n" : "=r"(both) : "f"(second), "f"(first));
    return both;
}

__device__ __forceinline__ float exponential(float value) { return __expf(value); }
#endif

// Threads of a block.
constexpr int THREADS = 256;
constexpr int LANES = 32;
// Values in a copy of 16 bytes, which all kernels read and write at once.
constexpr int CHUNK = 8;

__device__ __forceinline__ float first_of(unsigned both) { return __uint_as_float(both << 16); }
__device__ __forceinline__ float second_of(unsigned both) { return __uint_as_float(both & 0xffff0000u); }

// Eight bfloat16 in registers.
struct alignas(16) Chunk {
    unsigned words[CHUNK / 2];

    __device__ __forceinline__ void widen(float (&values)[CHUNK]) const {
#pragma unroll
        for (int word = 0; word < CHUNK / 2; ++word) {
            values[2 * word] = first_of(words[word]);
            values[2 * word + 1] = second_of(words[word]);
        }
    }

    __device__ __forceinline__ void round(const float (&values)[CHUNK]) {
#pragma unroll
        for (int word = 0; word < CHUNK / 2; ++word) {
            words[word] = rounded(values[2 * word], values[2 * word + 1]);
        }
    }
};

__device__ __forceinline__ float logistic(float value) { return 1.0f / (1.0f + exponential(-value)); }

// What a chunk of sums becomes.
__device__ __forceinline__ void finish(float (&sums)[CHUNK], const Chunk& other, int after) {
    float others[CHUNK];
    other.widen(others);
#pragma unroll
    for (int at = 0; at < CHUNK; ++at) {
        float sum = sums[at];
        if (after == GATED) {
            sum = others[at] * logistic(sum);
        } else if (after == JOINED) {
            sum = sum + others[at];
        }
        sums[at] = (after == RECTIFIED || after == JOINED) && sum < 0.0f ? 0.0f : sum;
    }
}

// Values of the sum that are multiplied between two waits.
constexpr int STEP = 64;
constexpr int CHUNKS = STEP / CHUNK;
constexpr int STAGES = 3;

// A tile of a factor in shared memory: rows of one step each. Chunks are exchanged within a row so that neither copies
// nor reads of eight rows meet in a bank.
template <int ROWS>
struct Tile {
    Chunk chunks[ROWS][CHUNKS];

    __device__ __forceinline__ Chunk* at(int row, int chunk) { return &chunks[row][chunk ^ (row % CHUNKS)]; }
};

template <int ROWS, int COLUMNS>
struct Stage {
    Tile<ROWS> pixels;
    Tile<COLUMNS> weights;
};

// What is read around a pixel of the output: which pixel of the input it begins with, and in which row and column.
struct alignas(16) Window {
    int at, top, left;
};

// A row that no image has, however tall a kernel is.
constexpr int OUTSIDE = -(1 << 20);

// Computes a tile of ROWS pixels and COLUMNS channels of a convolution, by WARPS_DOWN times WARPS_ACROSS warps.
// Weights are [channels, depth], and the sum's order is by place of the kernel, then input.
template <int ROWS, int COLUMNS, int WARPS_DOWN>
__device__ __forceinline__ void convolve(const Task& task) {
    constexpr int WARPS_ACROSS = THREADS / LANES / WARPS_DOWN;
    constexpr int DOWN = ROWS / WARPS_DOWN / 16;
    constexpr int ACROSS = COLUMNS / WARPS_ACROSS / 8;
    constexpr int ROWS_A_COPY = THREADS / CHUNKS;
    constexpr int COPIES = ROWS / ROWS_A_COPY;
    // From a row of sums to the next.
    constexpr int SUMS = COLUMNS + 4;
    static_assert(ROWS % ROWS_A_COPY == 0 && COLUMNS % ROWS_A_COPY == 0 && ACROSS % 2 == 0, "tiles are divided evenly");
    static_assert(sizeof(float) * ROWS * SUMS <= STAGES * sizeof(Stage<ROWS, COLUMNS>), "sums fit where tiles were");

    DYNAMIC_SHARED(memory);
    Stage<ROWS, COLUMNS>* stages = reinterpret_cast<Stage<ROWS, COLUMNS>*>(memory);
    const int thread = threadIdx.x;
    const int tiles_across = (task.output_pixel + COLUMNS - 1) / COLUMNS;
    const int channel = blockIdx.x % tiles_across * COLUMNS;
    const int begin = blockIdx.x / tiles_across * ROWS;
    const int pixels = task.images * task.output_height * task.output_width;
    const int chunks_a_place = task.inputs / CHUNK;
    const int chunks_a_pixel = task.pixel / CHUNK;
    const int chunks_a_channel = task.depth / CHUNK;
    const Chunk* input = reinterpret_cast<const Chunk*>(task.input) + channel / task.group * chunks_a_place;
    const Chunk* weights = reinterpret_cast<const Chunk*>(task.weights);

    Window* windows = reinterpret_cast<Window*>(stages + STAGES);
    if (thread < ROWS) {
        int pixel = begin + thread;
        int column = pixel % task.output_width;
        int row = pixel / task.output_width % task.output_height;
        int image = pixel / task.output_width / task.output_height;
        int top = row * task.stride - task.padding, left = column * task.stride - task.padding;
        int at = (image * task.height + top) * task.width + left;
        windows[thread] = {at, pixel < pixels ? top : OUTSIDE, left};
    }
    __syncthreads();
    const int mine = thread / CHUNKS;
    const int steps = task.depth / STEP;
    // Which chunk of a place this thread copies next, and how far right and below that place is.
    int from = thread % CHUNKS % chunks_a_place, right = thread % CHUNKS / chunks_a_place, below = right / task.columns;
    right %= task.columns;

    // Steps are begun one after the other.
    auto begin_step = [&](int step) {
        Stage<ROWS, COLUMNS>& stage = stages[step % STAGES];
        int chunk = step * CHUNKS + thread % CHUNKS;
        bool there = below < task.rows;
#pragma unroll
        for (int copy = 0; copy < COPIES; ++copy) {
            Window window = windows[mine + copy * ROWS_A_COPY];
            int row = window.top + below, column = window.left + right;
            bool inside = there && row >= 0 && row < task.height && column >= 0 && column < task.width;
            int at = (window.at + below * task.width + right) * chunks_a_pixel + from;
            begin_copy(stage.pixels.at(mine + copy * ROWS_A_COPY, thread % CHUNKS), input + (inside ? at : 0), inside);
        }
#pragma unroll
        for (int copy = 0; copy < COLUMNS / ROWS_A_COPY; ++copy) {
            int row = mine + copy * ROWS_A_COPY;
            int at = (channel + row) * chunks_a_channel + chunk;
            begin_copy(stage.weights.at(row, thread % CHUNKS), weights + at, true);
        }
        for (from += CHUNKS; from >= chunks_a_place; from -= chunks_a_place) {
            bool last = ++right == task.columns;
            right = last ? 0 : right;
            below += last;
        }
    };

    const int lane = thread % LANES, warp = thread / LANES;
    const int first_row = warp / WARPS_ACROSS * (16 * DOWN), first_column = warp % WARPS_ACROSS * (8 * ACROSS);
    float sums[DOWN][ACROSS][4] = {};
#pragma unroll
    for (int step = 0; step < STAGES - 1; ++step) {
        if (step < steps) begin_step(step);
        end_group();
    }
    for (int step = 0; step < steps; ++step) {
        wait_for_groups<STAGES - 2>();
        // What others have copied is there, and nobody reads what is overwritten next.
        __syncthreads();
        if (step + STAGES - 1 < steps) begin_step(step + STAGES - 1);
        end_group();
        Stage<ROWS, COLUMNS>& stage = stages[step % STAGES];
#pragma unroll
        for (int part = 0; part < STEP / 16; ++part) {
            unsigned a[DOWN][4];
#pragma unroll
            for (int down = 0; down < DOWN; ++down) {
                read_matrices(a[down], stage.pixels.at(first_row + 16 * down + lane % 16, 2 * part + lane / 16));
            }
#pragma unroll
            for (int pair = 0; pair < ACROSS / 2; ++pair) {
                unsigned b[4];
                int row = first_column + 16 * pair + lane % 8 + lane / 16 * 8;
                read_matrices(b, stage.weights.at(row, 2 * part + lane / 8 % 2));
#pragma unroll
                for (int down = 0; down < DOWN; ++down) {
                    multiply(sums[down][2 * pair], a[down], b[0], b[1]);
                    multiply(sums[down][2 * pair + 1], a[down], b[2], b[3]);
                }
            }
        }
    }
    __syncthreads();

    // Sums go through shared memory, so that what is written and read together lies together.
    float* all = reinterpret_cast<float*>(memory);
#pragma unroll
    for (int down = 0; down < DOWN; ++down) {
#pragma unroll
        for (int across = 0; across < ACROSS; ++across) {
            const float(&four)[4] = sums[down][across];
            float* to = &all[(first_row + 16 * down + lane / 4) * SUMS + first_column + 8 * across + lane % 4 * 2];
            to[0] = four[0];
            to[1] = four[1];
            to[8 * SUMS] = four[2];
            to[8 * SUMS + 1] = four[3];
        }
    }
    __syncthreads();
    // A thread has the same channels in all rows.
    constexpr int ROWS_A_WRITE = THREADS / (COLUMNS / CHUNK);
    const int column = thread % (COLUMNS / CHUNK) * CHUNK;
    if (channel + column >= task.output_pixel) return;
    float bias[CHUNK];
#pragma unroll
    for (int value = 0; value < CHUNK; ++value) {
        bias[value] = reinterpret_cast<const float*>(task.bias)[channel + column + value];
    }
    for (int row = thread / (COLUMNS / CHUNK); row < ROWS && begin + row < pixels; row += ROWS_A_WRITE) {
        long long to = ((long long)(begin + row) * task.output_pixel + channel + column) / CHUNK;
        Chunk other = {};
        if (task.after >= JOINED) other = reinterpret_cast<const Chunk*>(task.other)[to];
        float values[CHUNK];
#pragma unroll
        for (int value = 0; value < CHUNK; ++value) values[value] = all[row * SUMS + column + value] + bias[value];
        finish(values, other, task.after);
        Chunk made;
        made.round(values);
        reinterpret_cast<Chunk*>(task.output)[to] = made;
    }
}

extern "C" __global__ void __launch_bounds__(THREADS, 2) convolve_128_128(Task task) { convolve<128, 128, 2>(task); }
extern "C" __global__ void __launch_bounds__(THREADS, 2) convolve_128_64(Task task) { convolve<128, 64, 4>(task); }
extern "C" __global__ void __launch_bounds__(THREADS, 2) convolve_128_32(Task task) { convolve<128, 32, 4>(task); }
extern "C" __global__ void __launch_bounds__(THREADS, 2) convolve_64_64(Task task) { convolve<64, 64, 2>(task); }

// A chunk of a pixel of an output: one for each thread.
struct Spot {
    bool there;
    int image, row, column, channel;
    long long at;

    __device__ __forceinline__ explicit Spot(const Task& task) {
        int chunks = task.output_pixel / CHUNK;
        at = (long long)blockIdx.x * THREADS + threadIdx.x;
        there = at < (long long)task.images * task.output_height * task.output_width * chunks;
        channel = (int)(at % chunks) * CHUNK;
        column = (int)(at / chunks % task.output_width);
        row = (int)(at / chunks / task.output_width % task.output_height);
        image = (int)(at / chunks / task.output_width / task.output_height);
    }
};

// The chunk of a pixel of the input.
__device__ __forceinline__ Chunk chunk_at(const Task& task, int image, int row, int column, int channel) {
    long long pixel = ((long long)image * task.height + row) * task.width + column;
    return *reinterpret_cast<const Chunk*>(reinterpret_cast<const bfloat*>(task.input) + pixel * task.pixel + channel);
}

// Replaces values by those that are larger.
__device__ __forceinline__ void raise(float (&most)[CHUNK], const Chunk& chunk) {
    float values[CHUNK];
    chunk.widen(values);
#pragma unroll
    for (int at = 0; at < CHUNK; ++at) most[at] = values[at] > most[at] ? values[at] : most[at];
}

__device__ __forceinline__ void add(float (&sums)[CHUNK], const Chunk& chunk) {
    float values[CHUNK];
    chunk.widen(values);
#pragma unroll
    for (int at = 0; at < CHUNK; ++at) sums[at] += values[at];
}

__device__ __forceinline__ float negative_infinity() { return __uint_as_float(0xff800000u); }

// Means or maxima of windows, of what of them lies in the image.
extern "C" __global__ void pool(Task task) {
    Spot spot(task);
    if (!spot.there) return;
    float values[CHUNK];
    for (float& value : values) value = task.after == LARGEST ? negative_infinity() : 0.0f;
    for (int place = 0; place < task.rows * task.columns; ++place) {
        int row = spot.row * task.stride - task.padding + place / task.columns;
        int column = spot.column * task.stride - task.padding + place % task.columns;
        if (row < 0 || row >= task.height || column < 0 || column >= task.width) continue;
        Chunk chunk = chunk_at(task, spot.image, row, column, spot.channel);
        if (task.after == LARGEST) raise(values, chunk);
        else add(values, chunk);
    }
    if (task.after == MEAN) {
        for (float& value : values) value /= (float)(task.rows * task.columns);
    }
    Chunk made;
    made.round(values);
    reinterpret_cast<Chunk*>(task.output)[spot.at] = made;
}

// Each channel convolved by itself, after adaptive max-pooling to the size of the output. Weights are f32, [places,
// pixel]; bin o of O over N inputs covers floor(o N / O) .. ceil((o + 1) N / O).
extern "C" __global__ void deepen(Task task) {
    Spot spot(task);
    if (!spot.there) return;
    const float* weights = reinterpret_cast<const float*>(task.weights) + spot.channel;
    const float* bias = reinterpret_cast<const float*>(task.bias) + spot.channel;
    float sums[CHUNK];
    for (int at = 0; at < CHUNK; ++at) sums[at] = bias[at];
    for (int place = 0; place < task.rows * task.columns; ++place) {
        int row = spot.row + place / task.columns - task.rows / 2;
        int column = spot.column + place % task.columns - task.columns / 2;
        if (row < 0 || row >= task.output_height || column < 0 || column >= task.output_width) continue;
        int bottom = ((row + 1) * task.height + task.output_height - 1) / task.output_height;
        int right = ((column + 1) * task.width + task.output_width - 1) / task.output_width;
        float most[CHUNK];
        for (float& value : most) value = negative_infinity();
        for (int y = row * task.height / task.output_height; y < bottom; ++y) {
            for (int x = column * task.width / task.output_width; x < right; ++x) {
                raise(most, chunk_at(task, spot.image, y, x, spot.channel));
            }
        }
        for (int at = 0; at < CHUNK; ++at) sums[at] += weights[place * task.output_pixel + at] * most[at];
    }
    Chunk made;
    made.round(sums);
    reinterpret_cast<Chunk*>(task.output)[spot.at] = made;
}

// Channels that a block of `summarize` is given.
constexpr int CHUNKS_A_BLOCK = 8;
constexpr int SHARES = THREADS / CHUNKS_A_BLOCK;

// The means or maxima of whole images.
extern "C" __global__ void summarize(Task task) {
    __shared__ float shares[SHARES][CHUNKS_A_BLOCK * CHUNK];
    int mine = threadIdx.x % CHUNKS_A_BLOCK, share = threadIdx.x / CHUNKS_A_BLOCK;
    int channel = (blockIdx.x * CHUNKS_A_BLOCK + mine) * CHUNK;
    int pixels = task.height * task.width;
    float values[CHUNK];
    for (float& value : values) value = task.after == LARGEST ? negative_infinity() : 0.0f;
    for (int pixel = share; pixel < pixels && channel < task.pixel; pixel += SHARES) {
        Chunk chunk = chunk_at(task, blockIdx.y, pixel / task.width, pixel % task.width, channel);
        if (task.after == LARGEST) raise(values, chunk);
        else add(values, chunk);
    }
    for (int at = 0; at < CHUNK; ++at) shares[share][mine * CHUNK + at] = values[at];
    __syncthreads();
    if (share > 0 || channel >= task.pixel) return;
    for (int from = 1; from < SHARES; ++from) {
        for (int at = 0; at < CHUNK; ++at) {
            float value = shares[from][mine * CHUNK + at];
            if (task.after == MEAN) values[at] += value;
            else if (value > values[at]) values[at] = value;
        }
    }
    if (task.after == MEAN) {
        for (float& value : values) value /= (float)pixels;
    }
    Chunk made;
    made.round(values);
    reinterpret_cast<Chunk*>(task.output)[((long long)blockIdx.y * task.pixel + channel) / CHUNK] = made;
}

// What comes in, f32 [images, 3, height, width], as pixels of two chunks: a value's bfloat16, what that lacks, and the
// bfloat16 once more. Products with a weight's bfloat16, twice, and with what that lacks give 16 bits of precision.
extern "C" __global__ void split(Task task) {
    long long plane = (long long)task.height * task.width;
    long long at = (long long)blockIdx.x * THREADS + threadIdx.x;
    if (at >= task.images * plane) return;
    const float* input = reinterpret_cast<const float*>(task.input) + at / plane * 3 * plane + at % plane;
    float values[2 * CHUNK] = {};
    for (int channel = 0; channel < 3; ++channel) {
        float value = input[channel * plane];
        float most = first_of(rounded(value, 0.0f));
        values[channel] = most;
        values[3 + channel] = value - most;
        values[6 + channel] = most;
    }
    Chunk* output = reinterpret_cast<Chunk*>(task.output) + 2 * at;
    for (int half = 0; half < 2; ++half) {
        float some[CHUNK];
        for (int value = 0; value < CHUNK; ++value) some[value] = values[half * CHUNK + value];
        output[half].round(some);
    }
}

// What goes out, f32 [images, height, width, output_pixel], with no room between pixels.
extern "C" __global__ void widen(Task task) {
    long long at = (long long)blockIdx.x * THREADS + threadIdx.x;
    if (at >= (long long)task.images * task.height * task.width * task.output_pixel) return;
    long long pixel = at / task.output_pixel;
    bfloat value = reinterpret_cast<const bfloat*>(task.input)[pixel * task.pixel + at % task.output_pixel];
    reinterpret_cast<float*>(task.output)[at] = __uint_as_float((unsigned)value << 16);
}
