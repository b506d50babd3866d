# all      ./xmpproxy (the default)
# run      with proxy.xml: start it; without: show a conversation through it,
#          then wait for more clients (ONCE=1: end)
# check    everything that is tested; PARTS="unit scripts" picks some of it
# asan     the tests under AddressSanitizer and UBSan, with real servers too
# lint     layers, documents, format, cppcheck
# format   clang-format over all C
# fuzz     each fuzz target for FUZZ_SECONDS; TARGET=jid picks one
# cover    line coverage of the unit tests and scripts
# soak     1,000 sessions with traffic for ten minutes: nothing lost, no growth
# chaos    100,000 messages while the proxy is killed, links are cut, the server
#          is restarted, the disk is full; SEED=n plays one again
# bench    what a user costs, how long the loop pauses, what a long log costs; in
#          a short form: FULL=1 for 1,000 users and a log of five million
# install  honours DESTDIR and prefix
# deps, deps-check   install the Debian packages to build, to check
# V=1 shows the commands.

prefix = /usr/local
sbindir = $(prefix)/sbin
datadir = $(prefix)/share
mandir = $(datadir)/man
unitdir = $(prefix)/lib/systemd/system
# Where the program and the unit look for it, whatever the prefix.
confdir = /etc/xmpproxy

PKGS = expat openssl libxml-2.0 log4c libgsasl libcares libidn sqlite3
FUZZ_SECONDS = 600

# A flavour has a folder of its own: release, asan, fuzz, cover.
FLAVOUR = release
O = build/$(FLAVOUR)

ifeq ($(origin CC),default)
CC = $(if $(filter fuzz,$(FLAVOUR)),clang,gcc)
endif
ifeq ($(V),)
Q = @
say = @printf '  %-5s %s\n'
MAKEFLAGS += --no-print-directory
else
say = @:
endif

# Nothing is there on a fresh system, pkg-config included: `libs` complains.
MISSING := $(shell for p in $(PKGS); do \
	pkg-config --exists $$p 2>/dev/null || echo $$p; done)
ifeq ($(MISSING),)
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS))
PKG_LIBS := $(shell pkg-config --libs $(PKGS))
endif
TEST_LIBS := $(shell pkg-config --libs cmocka libstrophe 2>/dev/null)

WARNINGS = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wwrite-strings -Wvla -Wno-format-zero-length -Werror
HARDEN = -D_FORTIFY_SOURCE=2 -fstack-protector-strong \
	-fstack-clash-protection
ifneq ($(filter x86_64 i%86,$(shell uname -m)),)
HARDEN += -fcf-protection
endif
SANITIZE = address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

CFLAGS = -O2 -g
FLAGS_release = $(HARDEN)
# gcc's UBSan makes -Wformat-truncation see null formats where none are.
FLAGS_asan = -O1 -fsanitize=$(SANITIZE) -Wno-format-truncation
FLAGS_fuzz = -O1 -fsanitize=fuzzer-no-link,$(SANITIZE)
FLAGS_cover = -O0 --coverage
LDFLAGS_release = -Wl,-z,relro,-z,now,-z,noexecstack
LDFLAGS_asan = -fsanitize=$(SANITIZE)
LDFLAGS_fuzz = -fsanitize=$(SANITIZE)
LDFLAGS_cover = --coverage

ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE= -Iinclude -Itests $(WARNINGS) \
	$(PKG_CFLAGS) $(CPPFLAGS) $(CFLAGS) $(FLAGS_$(FLAVOUR)) -fPIE
ALL_LDFLAGS = -pie -Wl,--as-needed $(LDFLAGS_$(FLAVOUR)) $(LDFLAGS)

# What each folder gives.
LIB_SRC = $(wildcard $(patsubst %,src/%/*.c,base io xmpp core mod))
RIG_SRC = $(filter-out tests/rig/xt.c,$(wildcard tests/rig/*.c))
TEST_SRC = $(wildcard tests/unit/test_*.c tests/rig/xt.c \
	tests/interop/*.c tests/soak/*.c tests/bench/*.c)
FUZZ_SRC = $(wildcard tests/fuzz/fuzz_*.c)
C_FILES = $(wildcard src/*.c src/*/*.c include/*/*.h tests/*/*.c tests/*/*.h)

LIB = $(O)/libxmpproxy.a
RIG = $(O)/librig.a
PROGRAM = $(if $(filter release,$(FLAVOUR)),xmpproxy,$(O)/xmpproxy)
TESTS = $(TEST_SRC:%.c=$(O)/%)
FUZZERS = $(FUZZ_SRC:%.c=$(O)/%)
OBJECTS = $(patsubst %.c,$(O)/%.o,src/main.c $(LIB_SRC) $(RIG_SRC) \
	$(TEST_SRC) $(FUZZ_SRC) tests/fuzz/replay_main.c)

all: $(PROGRAM)

# Every program and test of one flavour; tests/run asks for them.
everything: $(PROGRAM) $(TESTS) $(if $(filter asan,$(FLAVOUR)),$(FUZZERS))

xmpproxy $(O)/xmpproxy: $(O)/src/main.o $(LIB)
	$(say) LINK $@
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) $(LDLIBS)

$(TESTS): $(O)/%: $(O)/%.o $(RIG) $(LIB)
	$(say) LINK $@
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(TEST_LIBS) $(PKG_LIBS) $(LDLIBS)

# libFuzzer brings a main(); elsewhere replay_main.c runs the corpus.
ifeq ($(FLAVOUR),fuzz)
$(FUZZERS): ALL_LDFLAGS += -fsanitize=fuzzer
else
$(FUZZERS): $(O)/tests/fuzz/replay_main.o
endif
$(FUZZERS): $(O)/%: $(O)/%.o $(RIG) $(LIB)
	$(say) LINK $@
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(RIG) $(LIB) \
		$(PKG_LIBS) $(LDLIBS)

# Made anew, so that no member outlives its source.
$(LIB): $(LIB_SRC:%.c=$(O)/%.o)
$(RIG): $(RIG_SRC:%.c=$(O)/%.o)
$(LIB) $(RIG):
	$(say) AR $@
	$(Q)rm -f $@ && ar rcs $@ $^

# It carries the schema inside (.incbin, which -MMD does not see).
$(O)/src/core/config_xml.o: conf/proxy.rng

$(O)/%.o: %.c $(O)/flags | libs
	$(say) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Other flags make everything anew.
$(O)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(CC) $(ALL_CFLAGS))' | \
		cmp -s - $@ || \
		printf '%s\n' '$(subst ','\'',$(CC) $(ALL_CFLAGS))' > $@

libs:
ifneq ($(MISSING),)
	@echo 'xmpproxy needs these libraries, and pkg-config does not find' \
		'them: $(MISSING)' >&2
	@tests/packages.sh -n build >&2; exit 1
else
	@command -v $(CC) >/dev/null || { echo 'no $(CC)' >&2; \
		tests/packages.sh -n build >&2; exit 1; }
endif

deps:
	@tests/packages.sh build

deps-run:
	@tests/packages.sh build run

deps-check:
	@tests/packages.sh build run check

# Packages first: what this make found out about libraries is then outdated.
run: deps-run
	@$(MAKE) all
	@if [ -e proxy.xml ]; then exec ./xmpproxy --conffile proxy.xml; \
	else exec /usr/bin/python3 tests/interop/demo.py \
		$(if $(ONCE),--once); fi

check: deps-check
	@MAKE='$(MAKE)' tests/run $(PARTS)

# Ten minutes; not a part of check.
soak: deps-check
	@$(MAKE) all
	@exec /usr/bin/python3 tests/soak/soak.py

# The long run; the short one is the part "chaos" of tests/run.
chaos: deps-check
	@$(MAKE) all
	@exec /usr/bin/python3 tests/chaos/chaos.py --long --verbose \
		$(if $(SEED),--seed $(SEED))

# Numbers mean something on a machine that does nothing else; not a part of check.
# Where the load takes all processors the proxy waits for one in the midst of its
# turns: the second soak gives it one at once, where that is allowed.
bench: SOAK = /usr/bin/python3 tests/soak/soak.py --users 20 --sessions 3 \
	--rate 500 --seconds 120 --disk
bench: deps-check
	@$(MAKE) all $(O)/tests/bench/fill_store $(O)/tests/bench/archive_bench
	@bad=0; \
	/usr/bin/python3 tests/bench/users.py \
		$(if $(FULL),,--users 200) || bad=1; \
	$(SOAK) || bad=1; \
	if chrt -f 1 true 2>/dev/null; then \
		echo 'the same, scheduled at once'; \
		XMPPROXY='chrt -f 1 ./xmpproxy' $(SOAK) || bad=1; fi; \
	$(O)/tests/bench/archive_bench --users 1000 \
		$(if $(FULL),,--entries 2000000) || bad=1; \
	$(O)/tests/bench/archive_bench \
		$(if $(FULL),,--entries 1000000) || bad=1; \
	exit $$bad

asan: deps-check
	@MAKE='$(MAKE)' tests/run asan-unit asan-scripts corpus asan-interop

lint:
	@tests/lint.sh

format:
	$(Q)clang-format -i $(C_FILES)

fuzz:
	@$(MAKE) FLAVOUR=fuzz fuzzers
	@tests/fuzz/run.sh $(FUZZ_SECONDS) $(TARGET)

fuzzers: $(FUZZERS)

cover:
	@find build/cover -name '*.gcda' -delete 2>/dev/null || :
	@MAKE='$(MAKE)' tests/run cover-unit cover-scripts
	@tests/cover.sh build/cover

# A configuration that is there already is the administrator's.
install: all
	install -D -m 755 xmpproxy $(DESTDIR)$(sbindir)/xmpproxy
	install -D -m 644 docs/xmpproxy.8 $(DESTDIR)$(mandir)/man8/xmpproxy.8
	install -D -m 644 docs/proxy.xml.5 $(DESTDIR)$(mandir)/man5/proxy.xml.5
	install -d $(DESTDIR)$(unitdir) $(DESTDIR)$(confdir)
	sed 's,@sbindir@,$(sbindir),g' conf/xmpproxy.service \
		> $(DESTDIR)$(unitdir)/xmpproxy.service
	install -D -m 644 conf/xmpproxy.sysusers \
		$(DESTDIR)$(prefix)/lib/sysusers.d/xmpproxy.conf
	install -D -m 644 conf/xmpproxy.tmpfiles \
		$(DESTDIR)$(prefix)/lib/tmpfiles.d/xmpproxy.conf
	install -D -m 644 -t $(DESTDIR)$(datadir)/xmpproxy \
		conf/proxy.rng conf/log4crc
	install -D -m 644 -t $(DESTDIR)$(datadir)/doc/xmpproxy \
		proxy.xml.example
	[ -e $(DESTDIR)$(confdir)/log4crc ] || \
		install -m 644 conf/log4crc $(DESTDIR)$(confdir)/log4crc

clean:
	rm -rf build xmpproxy

FORCE:
.PHONY: all everything libs deps deps-run deps-check run check asan lint \
	format fuzz fuzzers cover soak chaos bench install clean FORCE
.SECONDARY:
.DELETE_ON_ERROR:

-include $(OBJECTS:.o=.d)
