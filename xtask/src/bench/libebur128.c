/* libebur128 as a tool that measures a file: a peer of `stems measure` in `cargo xtask bench`.
 * Reads 24-bit stereo WAV with samples from byte 44 on, in blocks of 100 ms, and asks for M and S after each. */
#include <ebur128.h>
#include <stdio.h>

#define FRAMES 4800

int main(int argc, char **argv) {
    static unsigned char bytes[FRAMES * 6];
    static int samples[FRAMES * 2];
    double value, momentary = -1e9, short_term = -1e9, integrated, range, left, right;
    ebur128_state *state = ebur128_init(
        2, 48000, EBUR128_MODE_M | EBUR128_MODE_S | EBUR128_MODE_I | EBUR128_MODE_LRA | EBUR128_MODE_TRUE_PEAK);
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (!state || !file || fseek(file, 44, SEEK_SET)) return 2;
    for (;;) {
        size_t count = fread(bytes, 6, FRAMES, file);
        for (size_t n = 0; n < 2 * count; n++)
            samples[n] = (int)((unsigned)bytes[3 * n] << 8 | (unsigned)bytes[3 * n + 1] << 16 |
                               (unsigned)bytes[3 * n + 2] << 24);
        if (ebur128_add_frames_int(state, samples, count)) return 2;
        if (!ebur128_loudness_momentary(state, &value) && value > momentary) momentary = value;
        if (!ebur128_loudness_shortterm(state, &value) && value > short_term) short_term = value;
        if (count < FRAMES) break;
    }
    ebur128_loudness_global(state, &integrated);
    ebur128_loudness_range(state, &range);
    ebur128_true_peak(state, 0, &left);
    ebur128_true_peak(state, 1, &right);
    printf("I %.3f LRA %.3f M %.3f S %.3f peak %.6f\n", integrated, range, momentary, short_term,
           left > right ? left : right);
    ebur128_destroy(&state);
    return 0;
}
