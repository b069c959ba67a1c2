# make · make demo · make test [SAN=1] · make bench · make install
# Prints what it found and what is therefore missing, then builds $(B)/lemur.

ifeq ($(origin CC),default)
CC := gcc
endif
B      ?= $(if $(SAN),build/san,build)
PREFIX ?= /usr/local
ARCH   := $(shell $(CC) -dumpmachine | cut -d- -f1)
PKGS   := jansson libfyaml libarchive libxxhash libpcre2-8 libutf8proc libcrypto

# Folders, lowest layer first; src/LAYERS is the one list of them.
FOLDERS := $(shell sed -n 's/^\([a-z]*\):.*/\1/p' src/LAYERS)
# Back ends that this processor family can run; each folder is one set of compiler flags.
BACKENDS := ref onednn
ifeq ($(ARCH),x86_64)
BACKENDS += avx2 avx512 avx512bf16
endif

WARN     := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror
CFLAGS   ?= -O2 -g
CPPFLAGS += -Isrc -D_GNU_SOURCE $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LDLIBS   += -ldnnl $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lm -lpthread
ALLFLAGS  = -std=c17 -fopenmp $(WARN) $(CFLAGS) $(SANFLAGS) $(CPPFLAGS)
ifdef SAN
SANFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -O1
endif

FLAGS_ops/ref        := -O3 -ffp-contract=off
FLAGS_ops/onednn     := -O2
FLAGS_ops/avx2       := -O3 -mavx2 -mfma -mf16c
FLAGS_ops/avx512     := -O3 -mavx2 -mfma -mf16c -mavx512f -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512
FLAGS_ops/avx512bf16 := $(FLAGS_ops/avx512) -mavx512bf16

sources = $(filter-out %_test.c,$(wildcard $(foreach d,$(1),src/$(d)/*.c)))
objects = $(patsubst src/%.c,$(B)/%.o,$(1))
# Which folders a folder's archive gathers.  ops/select_generic.c and ops/select_x86.c are the same functions.
inside   = $(if $(filter ops,$(1)),ops $(addprefix ops/,$(BACKENDS)),$(1))
SKIP    := $(if $(filter x86_64,$(ARCH)),src/ops/select_generic.c,src/ops/select_x86.c)

ARCHIVES := $(foreach f,$(filter-out cli,$(FOLDERS)),$(B)/lib$(f).a)
# Link order: highest layer first.
reverse = $(if $(1),$(call reverse,$(wordlist 2,$(words $(1)),$(1))) $(firstword $(1)))
CLI_OBJECTS := $(call objects,$(call sources,cli))
TESTS   := $(patsubst src/%.c,$(B)/%,$(foreach f,$(FOLDERS),$(wildcard $(foreach d,$(call inside,$(f)),src/$(d)/*_test.c))))

all: found $(B)/lemur

found:
	@sh tools/found.sh "$(CC)" "$(ARCH)"

$(B)/lemur: $(CLI_OBJECTS) $(call reverse,$(ARCHIVES))
	$(CC) $(ALLFLAGS) -o $@ $^ $(LDFLAGS) $(LDLIBS)

define folder_rules
OBJECTS_$(1) := $$(call objects,$$(filter-out $(SKIP),$$(call sources,$$(call inside,$(1)))))
$(B)/lib$(1).a: $$(OBJECTS_$(1))
	@rm -f $$@
	$$(AR) qcs $$@ $$^
endef
$(foreach f,$(filter-out cli,$(FOLDERS)),$(eval $(call folder_rules,$(f))))

$(B)/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(ALLFLAGS) $(FLAGS_$(patsubst %/,%,$(dir $*))) -MMD -MP -c -o $@ $<

# A test links with its own folder and those below it, so an upward call does not link.
below = $(wordlist 1,$(1),$(filter-out cli,$(FOLDERS)))
index = $(words $(firstword $(subst /$(2)/, ,/$(subst $(space),/,$(1))/)))
define test_rules
TESTS_$(1) := $$(patsubst src/%.c,$(B)/%,$$(wildcard $$(foreach d,$$(call inside,$(1)),src/$$(d)/*_test.c)))
DOWN_$(1) := $$(call reverse,$$(foreach f,$(2),$(B)/lib$$(f).a))
$$(TESTS_$(1)): $(B)/%_test: $(B)/%_test.o $$(DOWN_$(1))
	$$(CC) $$(ALLFLAGS) -o $$@ $$^ $$(LDFLAGS) -lcmocka $$(LDLIBS)
test-$(1): $$(TESTS_$(1))
	@sh tools/run_tests.sh $$(TESTS_$(1))
.PHONY: test-$(1)
endef
SEEN :=
$(foreach f,$(filter-out cli,$(FOLDERS)),$(eval SEEN += $(f))$(eval $(call test_rules,$(f),$(SEEN))))
# Tests of commands see everything except main.
$(eval $(call test_rules,cli,$(filter-out cli,$(FOLDERS))))

unit: $(TESTS)
	@sh tools/run_tests.sh $(TESTS)

.PHONY: all found unit clean
.SECONDARY:
clean:
	rm -rf $(B)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
