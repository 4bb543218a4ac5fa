// Runs the kernels of `kernels.cu` on a processor, for the tests: there a GPU is not needed.
//
//     emulator TASKS MEMORY
//
// TASKS holds one record after the other, as `Record` below has them, whose addresses are offsets in the file MEMORY;
// MEMORY is changed as the kernels change it. Threads of a block are coroutines that change places at what a warp does
// together. What a GPU leaves undefined is made to fail: shared memory begins as numbers that are none, copies to it
// arrive when they are waited for and not before, and between two barriers a warp is done before the next one begins,
// now from the first to the last, now from the last to the first.

#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cmath>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>
#include <ucontext.h>

#define EMULATED
#define __global__
#define __device__
#define __shared__ static
#define __forceinline__ inline
#define __launch_bounds__(...)
#define DYNAMIC_SHARED(name) unsigned char* name = shared_memory

struct Task;

namespace {

struct Index { unsigned x, y, z; };
Index threadIdx, blockIdx;

// The most that a block has on any GPU that the kernels are for.
constexpr size_t SHARED_BYTES = 99 * 1024;
alignas(128) unsigned char shared_memory[SHARED_BYTES];

[[noreturn]] void fail(const std::string& problem) {
    fprintf(stderr, "emulator: %s\n", problem.c_str());
    exit(1);
}

float __uint_as_float(unsigned bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

unsigned bits_of(float value) {
    unsigned bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

float exponential(float value) { return std::exp(value); }

unsigned bfloat_of(float value) {
    unsigned bits = bits_of(value);
    if (std::isnan(value)) return 0x7fff;
    return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

unsigned rounded(float first, float second) { return bfloat_of(first) | bfloat_of(second) << 16; }

struct Copy { void* to; const void* from; bool inside; };

// A thread of the block that runs.
struct Thread {
    ucontext_t begin;
    jmp_buf place;
    std::vector<unsigned char> stack = std::vector<unsigned char>(64 * 1024);
    bool begun, ended, at_barrier;
    std::vector<std::vector<Copy>> groups;
    // What the lane gives to what its warp does together, and what it is given.
    const void* row;
    unsigned a[4], b[2], matrices[4];
    float sums[4];
};

std::vector<Thread> threads;
Thread* current;
jmp_buf scheduler;
void (*kernel)(Task);
unsigned char arguments[256];

// Lets the other threads of the warp come as far as this one has.
void meet() {
    if (_setjmp(current->place) == 0) _longjmp(scheduler, 1);
}

void __syncthreads() {
    current->at_barrier = true;
    meet();
}

void begin_copy(void* to, const void* from, bool inside) {
    if (reinterpret_cast<size_t>(to) % 16 || (inside && reinterpret_cast<size_t>(from) % 16)) fail("unaligned copy");
    current->groups.back().push_back({to, from, inside});
}

void end_group() { current->groups.emplace_back(); }

// The last group is the one that is being made.
template <int GROUPS>
void wait_for_groups() {
    while (current->groups.size() > GROUPS + 1) {
        for (const Copy& copy : current->groups.front()) {
            if (copy.inside) memcpy(copy.to, copy.from, 16);
            else memset(copy.to, 0, 16);
        }
        current->groups.erase(current->groups.begin());
    }
}

Thread* warp_of(unsigned thread) { return &threads[thread / 32 * 32]; }

void read_matrices(unsigned (&matrices)[4], const void* row) {
    current->row = row;
    meet();
    unsigned lane = threadIdx.x % 32;
    for (unsigned matrix = 0; matrix < 4; ++matrix) {
        const void* from = warp_of(threadIdx.x)[8 * matrix + lane / 4].row;
        memcpy(&matrices[matrix], static_cast<const unsigned char*>(from) + lane % 4 * 4, 4);
    }
    meet();
}

float element(const unsigned* words, unsigned word, unsigned half) {
    return __uint_as_float(half ? words[word] & 0xffff0000u : words[word] << 16);
}

void multiply(float (&sums)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
    memcpy(current->a, a, sizeof a);
    current->b[0] = b0;
    current->b[1] = b1;
    meet();
    unsigned lane = threadIdx.x % 32;
    const Thread* warp = warp_of(threadIdx.x);
    for (unsigned at = 0; at < 4; ++at) {
        unsigned row = lane / 4 + at / 2 * 8, column = lane % 4 * 2 + at % 2;
        for (unsigned k = 0; k < 16; ++k) {
            const Thread& left = warp[row % 8 * 4 + k % 8 / 2];
            const Thread& right = warp[column * 4 + k % 8 / 2];
            sums[at] += element(left.a, row / 8 + k / 8 * 2, k % 2) * element(right.b, k / 8, k % 2);
        }
    }
    meet();
}

}  // namespace

#include "kernels.cu"

namespace {

// One launch: a kernel's name, blocks across and down, and bytes of shared memory.
struct Record {
    char name[32];
    unsigned across, down, shared_bytes, unused;
    Task task;
};

struct Kernel { const char* name; void (*function)(Task); };
const Kernel KERNELS[] = {
    {"convolve_128_128", convolve_128_128}, {"convolve_128_64", convolve_128_64},
    {"convolve_128_32", convolve_128_32},   {"convolve_64_64", convolve_64_64},
    {"pool", pool}, {"deepen", deepen}, {"summarize", summarize}, {"split", split}, {"widen", widen},
};

void run_thread() {
    Task task;
    memcpy(static_cast<void*>(&task), arguments, sizeof task);
    kernel(task);
    current->ended = true;
    _longjmp(scheduler, 1);
}

// Lets a thread go on until it meets the others of its warp, comes to a barrier or ends.
void go_on(unsigned index) {
    current = &threads[index];
    threadIdx = {index, 0, 0};
    if (_setjmp(scheduler) != 0) return;
    if (current->begun) _longjmp(current->place, 1);
    current->begun = true;
    getcontext(&current->begin);
    current->begin.uc_stack.ss_sp = current->stack.data();
    current->begin.uc_stack.ss_size = current->stack.size();
    makecontext(&current->begin, run_thread, 0);
    setcontext(&current->begin);
}

// Lets a warp go on until all its threads have come to a barrier or ended; tells whether there are any of the former.
bool go_on_to_barrier(unsigned warp) {
    bool any = false;
    for (bool running = true; running;) {
        running = false;
        for (unsigned index = 32 * warp; index < 32 * warp + 32; ++index) {
            if (threads[index].ended || threads[index].at_barrier) continue;
            go_on(index);
            running = true;
        }
    }
    for (unsigned index = 32 * warp; index < 32 * warp + 32; ++index) {
        any |= threads[index].at_barrier;
        threads[index].at_barrier = false;
    }
    return any;
}

void run_block(unsigned shared_bytes) {
    if (shared_bytes > SHARED_BYTES) fail("more shared memory than there is");
    memset(shared_memory, 0xff, SHARED_BYTES);
    for (Thread& thread : threads) {
        thread.begun = thread.ended = thread.at_barrier = false;
        thread.groups.assign(1, {});
    }
    const unsigned warps = threads.size() / 32;
    bool running = true, forwards = true;
    for (; running; forwards = !forwards) {
        running = false;
        for (unsigned warp = 0; warp < warps; ++warp) running |= go_on_to_barrier(forwards ? warp : warps - 1 - warp);
    }
    for (unsigned at = shared_bytes; at < SHARED_BYTES; ++at) {
        if (shared_memory[at] != 0xff) fail("written behind the end of shared memory");
    }
}

std::vector<char> contents(const char* path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) fail(std::string("cannot read ") + path);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

int main(int count, char** paths) {
    if (count != 3) fail("expected the files of tasks and of memory");
    std::vector<char> records = contents(paths[1]), bytes = contents(paths[2]);
    char* memory = static_cast<char*>(aligned_alloc(256, (bytes.size() + 255) / 256 * 256));
    memcpy(memory, bytes.data(), bytes.size());
    threads.resize(THREADS);
    for (size_t at = 0; at + sizeof(Record) <= records.size(); at += sizeof(Record)) {
        Record record;
        memcpy(static_cast<void*>(&record), records.data() + at, sizeof record);
        kernel = nullptr;
        for (const Kernel& known : KERNELS) {
            if (strcmp(known.name, record.name) == 0) kernel = known.function;
        }
        if (kernel == nullptr) fail(std::string("unknown kernel ") + record.name);
        Task& task = record.task;
        for (address* each : {&task.input, &task.weights, &task.bias, &task.other, &task.output}) {
            *each += reinterpret_cast<address>(memory);
        }
        memcpy(arguments, &task, sizeof task);
        for (unsigned down = 0; down < record.down; ++down) {
            for (unsigned across = 0; across < record.across; ++across) {
                blockIdx = {across, down, 0};
                run_block(record.shared_bytes);
            }
        }
    }
    std::ofstream(paths[2], std::ios::binary).write(memory, static_cast<std::streamsize>(bytes.size()));
    return 0;
}
