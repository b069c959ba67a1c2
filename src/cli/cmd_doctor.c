/* lemur doctor: what this machine has, and what will therefore be used. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <archive.h>
#include <dnnl.h>
#include <libfyaml.h>
#include <omp.h>
#include <openssl/crypto.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>
#include <xxhash.h>

#include "base/cpu.h"
#include "base/file.h"
#include "base/str.h"
#include "cli/cmd.h"
#include "env/sandbox.h"
#include "ops/select.h"

static json_t *features(const CpuFeatures *cpu)
{
    json_t *list = json_array();
    const struct {
        bool has;
        const char *name;
    } all[] = {{cpu->avx2, "AVX2"},
               {cpu->avx512, "AVX-512"},
               {cpu->avx512vnni, "AVX-512 VNNI"},
               {cpu->avx512bf16, "AVX-512 BF16"},
               {cpu->amx, "AMX"}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i].has)
            json_array_append_new(list, json_string(all[i].name));
    return list;
}

static const char *dnnl_threads(const dnnl_version_t *v)
{
    return v->cpu_runtime == DNNL_RUNTIME_OMP   ? "OpenMP"
           : v->cpu_runtime == DNNL_RUNTIME_TBB ? "TBB"
           : v->cpu_runtime == DNNL_RUNTIME_SEQ ? "one thread only"
                                                : "another runtime";
}

/* "libarchive 3.6.2 zlib/1.2" and "OpenSSL 3.0.16 ..." without the name in front. */
static const char *after_name(const char *version)
{
    const char *space = strchr(version, ' ');
    return space ? space + 1 : version;
}

static json_t *libraries(void)
{
    char pcre2[64] = "", xxhash[32];
    pcre2_config(PCRE2_CONFIG_VERSION, pcre2);
    pcre2[strcspn(pcre2, " ")] = 0;
    unsigned x = XXH_versionNumber();
    snprintf(xxhash, sizeof xxhash, "%u.%u.%u", x / 10000, x / 100 % 100, x % 100);
    const dnnl_version_t *d = dnnl_version();
    return json_pack("{s:o s:s s:s s:s s:s s:s s:s s:s}", "oneDNN",
                     json_sprintf("%d.%d.%d (%s)", d->major, d->minor, d->patch, dnnl_threads(d)), "jansson",
                     jansson_version_str(), "libfyaml", fy_library_version(), "libarchive",
                     after_name(archive_version_details()), "xxHash", xxhash, "PCRE2", pcre2, "utf8proc",
                     utf8proc_version(), "OpenSSL", after_name(OpenSSL_version(OPENSSL_VERSION)));
}

static json_t *operations(const CpuFeatures *cpu)
{
    json_t *o = json_object();
    for (int i = 0; i < ops_count(); i++)
        json_object_set_new(o, ops_name(i), json_string(ops_variant(i, cpu)));
    return o;
}

/* What guards a model's code here, or why none will run. */
static json_t *sandbox(void)
{
    Str says = {0};
    bool works = sandbox_probe(&says) == ST_OK;
    json_t *o = json_pack("{s:b s:s}", "works", works, "says", works ? str_c(&says) : error_text());
    str_drop(&says);
    return o;
}

static json_t *examine(void)
{
    CpuFeatures cpu = cpu_features();
    return json_pack("{s:s s:s s:o s:i s:i s:I s:I s:b s:o s:o s:o}", "version", LEMUR_VERSION, "processor",
                     cpu.name, "features", features(&cpu), "cores", cpu_count(), "openmp_threads",
                     omp_get_max_threads(), "memory_available_bytes", (json_int_t)memory_available(),
                     "disk_free_bytes", (json_int_t)disk_free("."), "bf16_fast", ops_bf16_fast(&cpu),
                     "sandbox", sandbox(), "libraries", libraries(), "operations", operations(&cpu));
}

static const char *bytes_or_unknown(char buf[32], const json_t *d, const char *key)
{
    json_int_t n = json_integer_value(json_object_get(d, key));
    return n < 0 ? "unknown" : human_bytes(buf, (double)n);
}

/* Operations that share a variant stand on one line. */
static void print_operations(const json_t *all)
{
    const char *name, *other;
    json_t *v, *w;
    json_t *seen = json_object();
    json_object_foreach((json_t *)(uintptr_t)all, name, v) {
        const char *variant = json_string_value(v);
        if (json_object_get(seen, variant))
            continue;
        json_object_set_new(seen, variant, json_true());
        printf("  %-12s", variant);
        int column = 14;
        json_object_foreach((json_t *)(uintptr_t)all, other, w) {
            if (strcmp(json_string_value(w), variant) != 0)
                continue;
            int n = (int)strlen(other) + 1;
            if (column + n > 100) {
                printf("\n%14s", "");
                column = 14;
            }
            column += n;
            printf(" %s", other);
        }
        putchar('\n');
    }
    json_decref(seen);
}

static void print(const json_t *d)
{
    char buf[32];
    const char *name;
    json_t *v;
    size_t i;
    const char *processor = json_string_value(json_object_get(d, "processor"));
    const json_t *features = json_object_get(d, "features");
    bool bf16 = json_is_true(json_object_get(d, "bf16_fast"));
    printf("lemur        %s\n", json_string_value(json_object_get(d, "version")));
    printf("processor    %s\n", *processor ? processor : "of unknown name");
    printf("features    ");
    json_array_foreach(features, i, v)
        printf("%s %s", i ? "," : "", json_string_value(v));
    printf("%s\n", json_array_size(features) ? "" : " none that has kernels here: plain C");
    printf("cores        %lld usable, %lld OpenMP threads\n", json_integer_value(json_object_get(d, "cores")),
           json_integer_value(json_object_get(d, "openmp_threads")));
    printf("memory       %s available\n", bytes_or_unknown(buf, d, "memory_available_bytes"));
    printf("disk         %s free in this folder\n", bytes_or_unknown(buf, d, "disk_free_bytes"));
    printf("products     %s (faster on this processor than %s)\n", bf16 ? "bf16" : "f32", bf16 ? "f32" : "bf16");
    printf("sandbox      %s\n", json_string_value(json_object_get(json_object_get(d, "sandbox"), "says")));
    puts("libraries");
    json_object_foreach(json_object_get(d, "libraries"), name, v)
        printf("  %-12s %s\n", name, json_string_value(v));
    puts("operations");
    print_operations(json_object_get(d, "operations"));
}

static Status run(const Args *args, void *context)
{
    (void)context;
    json_t *d = examine();
    if (args_has(args, "json"))
        cmd_print_json(d, 0);
    else
        print(d);
    json_decref(d);
    return ST_OK;
}

int cmd_doctor(int argc, char **argv)
{
    static const Flag flags[] = {{"json", 'j', NULL, "one JSON object, for programs"}};
    const Command c = {
        .usage = "[--json]",
        .about = "Says what this machine has: processor, memory, disk, the libraries' versions, which\n"
                 "variant of each operation runs on it, and whether a model's code can run in a sandbox.\n"
                 "example: lemur doctor --json",
        COMMAND_FLAGS(flags),
    };
    return cmd_run(&c, argc, argv, run, NULL);
}
