/* A host of LV2 plugins in a row, peers of our units in `cargo xtask bench`:
 *     lv2 FRAMES BLOCK (URI [SYMBOL=VALUE | @KEY=VALUE]...)...
 * Runs stereo plugins over so many frames of the audio that `frames` makes, at 48 kHz, in single precision as LV2 has it.
 * Ports that are not set have their defaults. `@KEY=VALUE` is what the window of an x42 meter tells its plugin. */
#include <immintrin.h>
#include <lilv/lilv.h>
#include <lv2/atom/atom.h>
#include <lv2/atom/forge.h>
#include <lv2/buf-size/buf-size.h>
#include <lv2/options/options.h>
#include <lv2/urid/urid.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RATE 48000
#define PLUGINS 8
#define PORTS 1024
#define EVENTS 65536
#define TOLD 8
#define METERS "http://gareus.org/oss/lv2/meters#"

static char *uris[4096];
static uint32_t uri_count;

static LV2_URID map(LV2_URID_Map_Handle handle, const char *uri) {
    (void)handle;
    for (uint32_t i = 0; i < uri_count; i++)
        if (!strcmp(uris[i], uri)) return i + 1;
    if (uri_count == sizeof uris / sizeof *uris) return 0;
    uris[uri_count] = strdup(uri);
    return ++uri_count;
}

static const char *unmap(LV2_URID_Unmap_Handle handle, LV2_URID urid) {
    (void)handle;
    return urid && urid <= uri_count ? uris[urid - 1] : NULL;
}

struct hosted {
    const LilvPlugin *plugin;
    LilvInstance *instance;
    float controls[PORTS];
    LV2_Atom_Sequence *events[PORTS];
    int is_input[PORTS];
    uint32_t ports;
    int keys[TOLD], told;
    float values[TOLD];
};

/* What is told, as events of the first block; afterwards there are none. */
static void tell(struct hosted *here, LV2_Atom_Sequence *events, LV2_URID_Map *mapper) {
    LV2_Atom_Forge forge;
    LV2_Atom_Forge_Frame all, one;
    lv2_atom_forge_init(&forge, mapper);
    lv2_atom_forge_set_buffer(&forge, (uint8_t *)events, EVENTS);
    lv2_atom_forge_sequence_head(&forge, &all, 0);
    for (int n = 0; n < here->told; n++) {
        lv2_atom_forge_frame_time(&forge, 0);
        lv2_atom_forge_object(&forge, &one, 1, map(NULL, METERS "metercfg"));
        lv2_atom_forge_key(&forge, map(NULL, METERS "controlkey"));
        lv2_atom_forge_int(&forge, here->keys[n]);
        lv2_atom_forge_key(&forge, map(NULL, METERS "controlval"));
        lv2_atom_forge_float(&forge, here->values[n]);
        lv2_atom_forge_pop(&forge, &one);
    }
    lv2_atom_forge_pop(&forge, &all);
}

/* One second of decaying bursts of noise over a bass. */
static void programme(float *left, float *right) {
    uint64_t state = 1;
    for (int side = 0; side < 2; side++)
        for (int n = 0; n < RATE; n++) {
            state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            double noise = (double)(state >> 11) / 4503599627370496.0 - 1.0;
            double bass = sin(n * 0.01 + (side ? 0.3 : 0.0));
            (side ? right : left)[n] = (float)(0.4 * noise * pow(1.0 - (n % 12000) / 12000.0, 3.0) + 0.3 * bass);
        }
}

static int fail(const char *why, const char *what) {
    fprintf(stderr, "lv2: %s: %s\n", what, why);
    return 2;
}

int main(int argc, char **argv) {
    static struct hosted all[PLUGINS];
    static float source[2][RATE], buffers[2][2][8192];
    if (argc < 4) return fail("lv2 FRAMES BLOCK (URI [SYMBOL=VALUE | @KEY=VALUE]...)...", "usage");
    long frames = atol(argv[1]);
    int32_t block = atoi(argv[2]);
    int count = 0;
    if (block < 1 || block > 8192) return fail("no block of that size", argv[2]);

    LilvWorld *world = lilv_world_new();
    lilv_world_load_all(world);
    const LilvPlugins *plugins = lilv_world_get_all_plugins(world);
    LilvNode *audio = lilv_new_uri(world, LV2_CORE__AudioPort), *input = lilv_new_uri(world, LV2_CORE__InputPort);
    LilvNode *control = lilv_new_uri(world, LV2_CORE__ControlPort), *atom = lilv_new_uri(world, LV2_ATOM__AtomPort);
    LV2_URID_Map mapper = {NULL, map};
    LV2_URID_Unmap unmapper = {NULL, unmap};
    int32_t no_less = 1;
    float rate = RATE;
    LV2_Options_Option options[] = {
        {LV2_OPTIONS_INSTANCE, 0, map(NULL, LV2_BUF_SIZE__minBlockLength), 4, map(NULL, LV2_ATOM__Int), &no_less},
        {LV2_OPTIONS_INSTANCE, 0, map(NULL, LV2_BUF_SIZE__maxBlockLength), 4, map(NULL, LV2_ATOM__Int), &block},
        {LV2_OPTIONS_INSTANCE, 0, map(NULL, "http://lv2plug.in/ns/ext/parameters#sampleRate"), 4,
         map(NULL, LV2_ATOM__Float), &rate},
        {LV2_OPTIONS_INSTANCE, 0, 0, 0, 0, NULL},
    };
    LV2_Feature map_feature = {LV2_URID__map, &mapper}, unmap_feature = {LV2_URID__unmap, &unmapper};
    LV2_Feature option_feature = {LV2_OPTIONS__options, options}, bounded = {LV2_BUF_SIZE__boundedBlockLength, NULL};
    const LV2_Feature *features[] = {&map_feature, &unmap_feature, &option_feature, &bounded, NULL};

    for (int i = 3; i < argc; i++) {
        char *value = strchr(argv[i], '=');
        if (strncmp(argv[i], "http", 4)) {
            LilvNode *symbol;
            if (!count || !value) return fail("is no SYMBOL=VALUE of a plugin", argv[i]);
            *value = 0;
            if (*argv[i] == '@') {
                struct hosted *here = &all[count - 1];
                if (here->told == TOLD) return fail("too much is told", argv[i]);
                here->keys[here->told] = atoi(argv[i] + 1);
                here->values[here->told++] = (float)atof(value + 1);
                continue;
            }
            symbol = lilv_new_string(world, argv[i]);
            const LilvPort *port = lilv_plugin_get_port_by_symbol(all[count - 1].plugin, symbol);
            if (!port) return fail("the plugin has no such port", argv[i]);
            all[count - 1].controls[lilv_port_get_index(all[count - 1].plugin, port)] = (float)atof(value + 1);
            lilv_node_free(symbol);
            continue;
        }
        if (count == PLUGINS) return fail("too many plugins", argv[i]);
        struct hosted *here = &all[count++];
        LilvNode *uri = lilv_new_uri(world, argv[i]);
        here->plugin = lilv_plugins_get_by_uri(plugins, uri);
        lilv_node_free(uri);
        if (!here->plugin) return fail("is not installed", argv[i]);
        here->instance = lilv_plugin_instantiate(here->plugin, RATE, features);
        here->ports = lilv_plugin_get_num_ports(here->plugin);
        if (!here->instance || here->ports > PORTS) return fail("cannot be made", argv[i]);
        lilv_plugin_get_port_ranges_float(here->plugin, NULL, NULL, here->controls);
        int sides[2] = {0, 0};
        for (uint32_t n = 0; n < here->ports; n++) {
            const LilvPort *port = lilv_plugin_get_port_by_index(here->plugin, n);
            int is_input = lilv_port_is_a(here->plugin, port, input);
            void *place = NULL;
            if (lilv_port_is_a(here->plugin, port, audio)) {
                /* from one pair of buffers to the other, and back by the next plugin */
                int side = sides[!is_input]++ % 2;
                place = buffers[(count - 1 + !is_input) % 2][side];
            } else if (lilv_port_is_a(here->plugin, port, control)) {
                if (isnan(here->controls[n])) here->controls[n] = 0;
                place = &here->controls[n];
            } else if (lilv_port_is_a(here->plugin, port, atom)) {
                place = here->events[n] = calloc(1, EVENTS);
                here->is_input[n] = is_input;
            }
            lilv_instance_connect_port(here->instance, n, place);
        }
        lilv_instance_activate(here->instance);
    }
    const LV2_URID sequence = map(NULL, LV2_ATOM__Sequence), chunk = map(NULL, LV2_ATOM__Chunk);
    programme(source[0], source[1]);
    _mm_setcsr(_mm_getcsr() | 0x8040); /* as hosts do: no denormals */
    double sum = 0;
    for (long done = 0, at = 0; done < frames;) {
        long now = block;
        if (now > frames - done) now = frames - done;
        if (now > RATE - at) now = RATE - at;
        for (int side = 0; side < 2; side++) memcpy(buffers[0][side], source[side] + at, (size_t)now * sizeof(float));
        for (int i = 0; i < count; i++) {
            for (uint32_t n = 0; n < all[i].ports; n++)
                if (all[i].events[n] && all[i].is_input[n] && all[i].told)
                    tell(&all[i], all[i].events[n], &mapper);
                else if (all[i].events[n]) {
                    all[i].events[n]->atom.size =
                        all[i].is_input[n] ? sizeof(LV2_Atom_Sequence_Body) : EVENTS - sizeof(LV2_Atom);
                    all[i].events[n]->atom.type = all[i].is_input[n] ? sequence : chunk;
                }
            all[i].told = 0;
            lilv_instance_run(all[i].instance, (uint32_t)now);
        }
        sum += buffers[count % 2][0][now - 1];
        done += now;
        at = (at + now) % RATE;
    }
    printf("%g\n", sum);
    return isfinite(sum) ? 0 : 1;
}
