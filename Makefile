# make · make demo · make test [SAN=1 | EMULATE=1] · make bench · make install · make fuzz [FUZZ_SECONDS=60]
# Prints what it found and what is therefore missing, then builds $(B)/lemur.

ifeq ($(origin CC),default)
CC := gcc
endif
B      ?= build$(if $(SAN),/san)$(if $(EMULATE),/emulated)
PREFIX ?= /usr/local
ARCH   := $(or $(shell $(CC) -dumpmachine 2>/dev/null | cut -d- -f1),$(shell uname -m))
PKGS   := jansson libfyaml libarchive libxxhash libpcre2-8 libutf8proc libcrypto libedit libseccomp libcurl sqlite3

# Optional: with it `--sql-server` speaks to a server of databases; without it env/sql_client_none.c says so.
MARIADB := $(shell pkg-config --exists libmariadb 2>/dev/null && echo yes)
PKGS    += $(if $(MARIADB),libmariadb)

# Folders, lowest layer first; src/LAYERS is the one list of them.
FOLDERS := $(shell sed -n 's/^\([a-z]*\):.*/\1/p' src/LAYERS)
# Back ends that this processor family can run; each folder is one set of compiler flags.
BACKENDS := ref onednn
ifeq ($(ARCH),x86_64)
KERNELS  := avx2 avx512 avx512vnni avx512bf16 amx
BACKENDS += $(KERNELS)
endif

WARN     := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror
CFLAGS   ?= -O2 -g
CPPFLAGS += -Isrc -D_GNU_SOURCE $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LDLIBS   += -ldnnl $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lm -lpthread
ALLFLAGS  = -std=c17 -fopenmp $(WARN) $(CFLAGS) $(SANFLAGS) $(CPPFLAGS)
ifdef SAN
SANFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -O1
endif

# Processors with AVX-512 and VNNI then run the kernels made for AVX-512 BF16 and AMX: what has the same name in
# tests/emulated takes the place of instructions.
ifdef EMULATE
CPPFLAGS := -Itests/emulated $(CPPFLAGS)
LDFLAGS  += -Wl,--wrap=cpu_features
EMULATED := $(B)/emulated/cpu_features.o
endif

FLAGS_tensor         := -O3
FLAGS_ops/ref        := -O3 -ffp-contract=off
FLAGS_ops/onednn     := -O2
FLAGS_ops/avx2       := -O3 -mavx2 -mfma -mf16c
FLAGS_ops/avx512     := -O3 -mavx2 -mfma -mf16c -mavx512f -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512
FLAGS_ops/avx512vnni := $(FLAGS_ops/avx512) -mavx512vnni
FLAGS_ops/avx512bf16 := $(FLAGS_ops/avx512vnni) -mavx512bf16
FLAGS_ops/amx        := $(FLAGS_ops/avx512bf16) -mamx-tile -mamx-bf16 -mamx-int8
# In straight code of thousands of instructions, to say where each variable lies takes two thirds of the time that the
# kernels take to compile.  Lines are enough.
ifneq ($(filter -g,$(CFLAGS)),)
$(foreach f,$(KERNELS),$(eval FLAGS_ops/$(f) += -g1))
endif
# Kernels under the sanitizers at -O3 take four minutes a file; and checks keep loops from being unrolled, of which
# the compiler warns.
ifdef SAN
$(foreach f,$(KERNELS),$(eval FLAGS_ops/$(f) += -O1 -Wno-error))
endif
# clang takes more than ten minutes for one of them under its sanitizers.  Fuzzers throw bytes at readers, not at these.
ifdef FUZZ
$(foreach f,$(KERNELS),$(eval FLAGS_ops/$(f) += -O1 -fno-sanitize=all))
endif

# All of a folder but its tests, and main, which is linked with nothing but the program.
sources = $(filter-out %_test.c src/cli/main.c,$(wildcard $(foreach d,$(1),src/$(d)/*.c)))
objects = $(patsubst src/%.c,$(B)/%.o,$(1))
# Which folders a folder's archive gathers.  ops/select_generic.c and ops/select_x86.c are the same functions.
inside   = $(if $(filter ops,$(1)),ops $(addprefix ops/,$(BACKENDS)),$(1) $(patsubst src/%/,%,$(wildcard src/$(1)/*/)))
SKIP    := $(if $(filter x86_64,$(ARCH)),src/ops/select_generic.c,src/ops/select_x86.c) \
    $(if $(MARIADB),src/env/sql_client_none.c,src/env/sql_client_mariadb.c)

ARCHIVES := $(foreach f,$(FOLDERS),$(B)/lib$(f).a)
# Link order: highest layer first.
reverse = $(if $(1),$(call reverse,$(wordlist 2,$(words $(1)),$(1))) $(firstword $(1)))
TESTS   := $(patsubst src/%.c,$(B)/%,$(foreach f,$(FOLDERS),$(wildcard $(foreach d,$(call inside,$(f)),src/$(d)/*_test.c))))
# A test in a folder that no archive gathers would never run.
UNBUILT := $(if $(filter x86_64,$(ARCH)),$(filter-out $(TESTS:$(B)/%=src/%.c),$(shell find src -name '*_test.c')))

# One short line a command; V=1 shows the whole command.
say = $(if $(V),,@echo "$(1)  $(2)";)

all: found $(B)/lemur

found:
	@sh tools/found.sh "$(CC)" "$(ARCH)"

$(B)/lemur: $(B)/cli/main.o $(EMULATED) $(call reverse,$(ARCHIVES))
	$(call say,link,$@)$(CC) $(ALLFLAGS) -o $@ $^ $(LDFLAGS) $(LDLIBS)

# The list of an archive's objects is a file that changes when a source comes or goes: what was removed leaves the archive.
define folder_rules
OBJECTS_$(1) := $$(call objects,$$(filter-out $(SKIP),$$(call sources,$$(call inside,$(1)))))
$(B)/lib$(1).list: always
	@mkdir -p $$(@D)
	@echo $$(OBJECTS_$(1)) | cmp -s - $$@ || echo $$(OBJECTS_$(1)) >$$@
$(B)/lib$(1).a: $$(OBJECTS_$(1)) $(B)/lib$(1).list
	@rm -f $$@
	$$(call say,archive,$$@)$$(AR) qcs $$@ $$(OBJECTS_$(1))
endef
$(foreach f,$(FOLDERS),$(eval $(call folder_rules,$(f))))

# The compiler and its flags, in a file that changes when they do: nothing made with others is linked.
$(B)/flags: always
	@mkdir -p $(@D)
	@echo "$(CC) $(ALLFLAGS)" | cmp -s - $@ || echo "$(CC) $(ALLFLAGS)" >$@

# What is missing is said before the first file fails for want of it.
$(B)/%.o: src/%.c $(B)/flags $(if $(filter all,$(or $(MAKECMDGOALS),all)),| found)
	@mkdir -p $(@D)
	$(call say,compile,$<)$(CC) $(ALLFLAGS) $(FLAGS_$(patsubst %/,%,$(dir $*))) -MMD -MP -c -o $@ $<

$(B)/emulated/%.o: tests/emulated/%.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,compile,$<)$(CC) $(ALLFLAGS) -MMD -MP -c -o $@ $<

# The programs that it holds as bytes (.incbin), which -MMD does not see.
$(B)/env/python.o: $(addprefix src/env/python_,boot.py driver.py values.py exceptions.py cells.py shell.py magics.py)
$(B)/env/robot.o: $(addprefix src/env/robot_,problems.py runner.py)
$(B)/env/household_problem.o: src/env/household_domain.pddl src/env/household_grammar.twl2
$(B)/eval/program.o: src/eval/program_guard.py
$(B)/eval/replay_programs.o: src/eval/replay_cells.py
$(B)/eval/agents/alfworld.o: src/eval/agents/alfworld_commands.txt src/eval/agents/alfworld_python.txt

# A test links with its own folder and those that src/LAYERS lets it reach, so an upward call does not link.
reach = $(1) $(foreach d,$(shell sed -n 's/^$(1): *//p' src/LAYERS),$(REACH_$(firstword $(subst /, ,$(d)))))
define test_rules
TESTS_$(1) := $$(patsubst src/%.c,$(B)/%,$$(wildcard $$(foreach d,$$(call inside,$(1)),src/$$(d)/*_test.c)))
DOWN_$(1) := $$(call reverse,$$(foreach f,$(2),$(B)/lib$$(f).a))
$$(TESTS_$(1)): $(B)/%_test: $(B)/%_test.o $$(EMULATED) $$(DOWN_$(1))
	$$(call say,link,$$@)$$(CC) $$(ALLFLAGS) -o $$@ $$^ $$(LDFLAGS) -lcmocka $$(LDLIBS)
test-$(1): $$(TESTS_$(1))
	@sh tools/run_tests.sh $$(TESTS_$(1))
.PHONY: test-$(1)
endef
$(foreach f,$(FOLDERS),$(eval REACH_$(f) := $(call reach,$(f)))$(eval $(call test_rules,$(f),$(filter $(REACH_$(f)),$(FOLDERS)))))

every-test:
	@$(if $(UNBUILT),echo "no rule builds $(UNBUILT)" >&2; exit 1,:)

unit: every-test $(TESTS)
	@sh tools/run_tests.sh $(TESTS)

checks: every-test
	@sh tools/layers.sh
	@sh tools/ifdefs.sh
	@sh tools/checks_test.sh

# Everything, on a machine that may have nothing yet: what is read above (pkg-config's flags) changes once setup.sh has
# run, so the tests are another make.
SCRIPTS := tools/layers.sh tools/ifdefs.sh tools/checks_test.sh $(sort $(wildcard tests/*.sh))
test: every-test
	@./setup.sh
	@$(MAKE) --no-print-directory $(PARALLEL) B=$(B) all $(TESTS)
	@B=$(B) sh tools/run_tests.sh $(TESTS) $(SCRIPTS)
# All processors, unless make was told how many jobs.
PARALLEL = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

# The main job, into run/mini; a second time it does nothing.  RUN: more words for lemur run, such as
# RUN="--set base_steps=7000".
demo:
	@./setup.sh
	@$(MAKE) --no-print-directory $(PARALLEL) B=$(B) all
	@TMPDIR=$${TMPDIR:-$$(test -w /dev/shm && echo /dev/shm || echo /tmp)} $(B)/lemur run recipes/mini.yaml $(RUN)

# What this machine reaches, and how much of it is used; minutes, on an otherwise idle machine.  Text to ids wants a
# vocabulary and a text of yours: lemur bench tokenizer --vocab V FILE.
bench: all
	$(B)/lemur bench gemm
	for preset in 15m 60m 110m; do $(B)/lemur bench train --preset $$preset; done
	$(B)/lemur bench ops
	$(B)/lemur bench corpus

install: all
	install -D -m 755 $(B)/lemur $(DESTDIR)$(PREFIX)/bin/lemur
	install -D -m 644 docs/lemur.1 $(DESTDIR)$(PREFIX)/share/man/man1/lemur.1
	install -D -m 644 tools/lemur.bash-completion $(DESTDIR)$(PREFIX)/share/bash-completion/completions/lemur

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/lemur $(DESTDIR)$(PREFIX)/share/man/man1/lemur.1 \
	    $(DESTDIR)$(PREFIX)/share/bash-completion/completions/lemur

# Each tests/fuzz/fuzz_X.c (libFuzzer) runs FUZZ_SECONDS on everything above built with clang; finds stay in its folder.
FUZZ_SECONDS ?= 60
FUZZERS      := $(patsubst tests/fuzz/%.c,$(B)/%,$(wildcard tests/fuzz/*.c))
FUZZ_FLAGS   := -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=undefined -fno-omit-frame-pointer
fuzz:
	@$(MAKE) --no-print-directory $(PARALLEL) CC=clang B=$(B)/fuzz FUZZ=1 SANFLAGS="$(FUZZ_FLAGS)" fuzz-build
	@sh tools/run_fuzz.sh $(B)/fuzz $(FUZZ_SECONDS)
fuzz-build: $(FUZZERS)
$(B)/fuzz_%: tests/fuzz/fuzz_%.c $(call reverse,$(filter-out %/libcli.a,$(ARCHIVES)))
	$(call say,link,$@)$(CC) $(ALLFLAGS) -fsanitize=fuzzer -Wno-missing-prototypes -o $@ $^ $(LDFLAGS) $(LDLIBS)

.PHONY: all always found every-test unit checks test demo bench install uninstall fuzz fuzz-build clean
clean:
	rm -rf $(B)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
